//! `GET /.well-known/jwks.json`: the public keys that verify access tokens.

use contract::{Function, Problem, routes};
use host::{Endpoint, Request, Response};
use http::{HeaderValue, StatusCode, header};
use tokens::PublicKeySet;

/// Long enough to spare the function most requests, short enough for a rotation of keys.
const CACHE_CONTROL: HeaderValue = HeaderValue::from_static("public, max-age=300");

pub struct Jwks {
    pub key_set: PublicKeySet,
}

impl Endpoint for Jwks {
    const FUNCTION: &'static Function = &routes::JWKS;

    async fn handle(&self, _: Request) -> Result<Response, Problem> {
        let mut response = host::json_response(StatusCode::OK, &self.key_set);
        response.headers_mut().insert(header::CACHE_CONTROL, CACHE_CONTROL);
        Ok(response)
    }
}
