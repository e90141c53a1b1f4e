//! What every host does around a handler: route, bound, time, catch, log.

use crate::{Endpoint, Request, RequestExt, Response, body, problem_response};
use contract::{Function, Problem};
use futures_util::FutureExt;
use http::{HeaderValue, Method, header};
use std::{
    panic::AssertUnwindSafe,
    time::{Duration, Instant},
};
use telemetry::TraceContext;
use tracing::Instrument;

/// Answers one request with `endpoint`. Always returns a response: a problem, a panic and an overrun are
/// responses too, never a lost request.
pub async fn answer<E: Endpoint>(endpoint: &E, request: Request) -> Response {
    let started = Instant::now();
    let (method, path) = (request.method().clone(), request.raw_http_path().to_owned());
    let path = if path.is_empty() { request.uri().path().to_owned() } else { path };
    let trace_id = TraceContext::of(request.headers()).trace_id();
    let request_id =
        request.headers().get("x-request-id").and_then(|id| id.to_str().ok()).unwrap_or_default();
    let span = tracing::info_span!("request", request_id, trace_id);

    let mut response = match admit(E::FUNCTION, &method, &path, body(&request).len()) {
        Ok(()) => guarded(endpoint, request).instrument(span.clone()).await,
        Err(problem) => problem_response(&problem),
    };
    // A binary body without a type is taken for text by the Lambda host, and corrupted.
    let headers = response.headers_mut();
    headers.entry(header::CONTENT_TYPE).or_insert(HeaderValue::from_static("application/octet-stream"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));

    let _entered = span.enter();
    tracing::info!(
        function = E::FUNCTION.folder,
        %method,
        path,
        status = response.status().as_u16(),
        duration_us = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX),
        "answered"
    );
    response
}

/// Whether the request is one for this function at all.
fn admit(function: &Function, method: &Method, path: &str, body_bytes: usize) -> Result<(), Problem> {
    let is_gateway_check = function.gateway_check_path == Some(path);
    if !is_gateway_check && !function.answers(path) {
        return Err(Problem::not_found("There is nothing at this path. The paths are listed at /docs/."));
    }
    if !is_gateway_check && !function.methods.iter().any(|own| own.as_str() == method.as_str()) {
        let methods: Vec<_> = function.methods.iter().map(|own| own.as_str()).collect();
        return Err(Problem::method_not_allowed(methods.join(", ")));
    }
    if body_bytes > function.body_max_bytes {
        return Err(Problem::too_large(function.body_max_bytes));
    }
    Ok(())
}

async fn guarded<E: Endpoint>(endpoint: &E, request: Request) -> Response {
    let limit = Duration::from_millis(E::FUNCTION.timeout_ms);
    let call = AssertUnwindSafe(async { endpoint.handle(request).await }).catch_unwind();
    match tokio::time::timeout(limit, call).await {
        Ok(Ok(Ok(response))) => response,
        Ok(Ok(Err(problem))) => problem_response(&problem),
        // The panic hook has logged where.
        Ok(Err(_panic)) => problem_response(&Problem::internal()),
        Err(_overrun) => {
            tracing::error!(timeout_ms = E::FUNCTION.timeout_ms, "the request took too long");
            problem_response(&Problem::timed_out())
        }
    }
}
