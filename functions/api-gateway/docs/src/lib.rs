//! `GET /docs/` and `/openapi.json`: the documentation of the API, made from the types and the table of routes that the
//! functions themselves use.

mod document;
mod operations;

pub use document::document;

use bytes::Bytes;
use contract::{Function, Problem, routes};
use host::{Endpoint, Request, RequestExt, Response};
use http::{HeaderValue, header};
use std::sync::Arc;
use utoipa_swagger_ui::{Config, SwaggerFile};

/// The page that shows the document: Swagger UI.
const PAGE: &str = include_str!("page.html");
const DOCUMENT_PATH: &str = "/openapi.json";

/// The files change with a release only, so a browser may keep them for an hour.
const CACHE_CONTROL: HeaderValue = HeaderValue::from_static("public, max-age=3600");

pub struct Docs {
    document: Bytes,
    swagger: Arc<Config<'static>>,
}

impl Default for Docs {
    fn default() -> Self {
        let document = serde_json::to_vec(&document()).expect("an OpenAPI document is JSON");
        Self { document: document.into(), swagger: Arc::new(Config::from(DOCUMENT_PATH)) }
    }
}

impl Endpoint for Docs {
    const FUNCTION: &'static Function = &routes::DOCS;

    async fn handle(&self, request: Request) -> Result<Response, Problem> {
        match request.raw_http_path().trim_end_matches('/') {
            DOCUMENT_PATH => Ok(answer(self.document.clone(), "application/json")),
            "/docs" => Ok(answer(Bytes::from_static(PAGE.as_bytes()), "text/html; charset=utf-8")),
            path => self.swagger_file(path.trim_start_matches("/docs/")),
        }
    }
}

impl Docs {
    fn swagger_file(&self, name: &str) -> Result<Response, Problem> {
        let not_found = || Problem::not_found("There is no such page. The documentation is at /docs/.");
        // An error says that a file which is compiled in is not text: there is nothing to be shown then either.
        let file =
            utoipa_swagger_ui::serve(name, self.swagger.clone()).ok().flatten().ok_or_else(not_found)?;
        let SwaggerFile { bytes, content_type, gzpipped, .. } = file;
        let mut response = answer(Bytes::from(bytes.into_owned()), &content_type);
        if gzpipped {
            response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        Ok(response)
    }
}

fn answer(body: Bytes, content_type: &str) -> Response {
    let mut response = http::Response::new(host::full_body(body));
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, CACHE_CONTROL);
    if let Ok(content_type) = HeaderValue::from_str(content_type) {
        headers.insert(header::CONTENT_TYPE, content_type);
    }
    response
}
