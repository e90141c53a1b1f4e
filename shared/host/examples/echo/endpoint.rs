//! Says what a request looked like to the handler, or misbehaves when it is told to.

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use contract::{Access, Function, Method, Problem};
use host::{Endpoint, Request, RequestExt, Response};
use http::{HeaderValue, StatusCode, header};
use http_body_util::{BodyExt, StreamBody};
use serde_json::{Value, json};
use std::{collections::BTreeMap, time::Duration};

pub(crate) const ECHO: Function = Function {
    folder: "host/echo",
    paths: &["/echo/", "/echo/*"],
    methods: &[Method::Get, Method::Post],
    access: Access::Public,
    gateway_check_path: None,
    body_max_bytes: 4096,
    timeout_ms: 1_500,
};

/// Every value of a byte, so that nothing that takes them for text goes unnoticed.
pub(crate) fn every_byte() -> Vec<u8> {
    (0..=255).collect()
}

pub(crate) struct Echo {
    pub(crate) greeting: String,
}

impl Endpoint for Echo {
    const FUNCTION: &'static Function = &ECHO;

    async fn handle(&self, request: Request) -> Result<Response, Problem> {
        match request.uri().query() {
            Some("do=panic") => panic!("as it was told"),
            Some("do=overrun") => tokio::time::sleep(Duration::from_secs(60)).await,
            Some("do=wait") => tokio::time::sleep(Duration::from_millis(900)).await,
            Some("do=refuse") => return Err(Problem::invalid_field("amount", "must be less")),
            Some("do=bytes") => return Ok(http::Response::new(host::full_body(every_byte()))),
            Some("do=stream") => return Ok(streamed()),
            _ => {}
        }
        let mut response = host::json_response(StatusCode::CREATED, &self.seen(&request));
        response.headers_mut().insert("x-answer", HeaderValue::from_static("yes"));
        Ok(response)
    }
}

impl Echo {
    fn seen(&self, request: &Request) -> Value {
        let query: Vec<_> = request.query_string_parameters().iter().map(pair).collect();
        let headers: BTreeMap<_, _> =
            [header::CONTENT_TYPE.as_str(), header::AUTHORIZATION.as_str(), "x-custom"]
                .into_iter()
                .filter_map(|name| Some((name, request.headers().get(name)?.to_str().ok()?)))
                .collect();
        json!({
            "greeting": self.greeting,
            "method": request.method().as_str(),
            "path": request.uri().path(),
            "query": query,
            "headers": headers,
            "body": BASE64_STANDARD.encode(host::body(request)),
        })
    }
}

fn pair((name, value): (&str, &str)) -> [String; 2] {
    [name.to_owned(), value.to_owned()]
}

/// Three chunks, of which the last comes later.
fn streamed() -> Response {
    let chunks = futures_util::stream::unfold(0_u8, |sent| async move {
        if sent == 2 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        (sent < 3).then(|| (Ok(http_body::Frame::data(Bytes::from(vec![sent; 1000]))), sent + 1))
    });
    http::Response::new(StreamBody::new(chunks).boxed_unsync())
}
