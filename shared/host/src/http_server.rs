//! HTTP/1.1 and h2c on a port, as Knative's runtime contract asks: probes, limits, and a drain on SIGTERM.

use crate::{Endpoint, Request, RequestExt, Response, answer, full_body, problem_response};
use bytes::Bytes;
use contract::{Function, Problem};
use http::{HeaderMap, StatusCode, Uri, header, request::Parts, uri::Scheme};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{conn::auto, graceful::GracefulShutdown},
};
use lambda_http::{
    Body, Context, Error,
    aws_lambda_events::{apigw::ApiGatewayV2httpRequestContext, query_map::QueryMap},
    request::RequestContext,
};
use std::{
    convert::Infallible,
    net::SocketAddr,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
    sync::Semaphore,
    time::{sleep, timeout},
};

/// The bounds of the server itself; those of a request stand in the function's row of the table of routes.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    pub connections_max: usize,
    /// How long the head of a request may take to arrive.
    pub header_read_timeout: Duration,
    /// How long the port still accepts after SIGTERM, not ready any more, so that whoever routes here can notice.
    pub drain_delay: Duration,
    /// How long requests in flight may take to finish after that.
    pub drain_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections_max: 1024,
            header_read_timeout: Duration::from_secs(10),
            drain_delay: Duration::ZERO,
            // Kubernetes kills after 30 s.
            drain_timeout: Duration::from_secs(25),
        }
    }
}

/// How long to wait after a failed accept, which means that the process is out of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(20);

/// How much of a body that is too large is read before its answer, and for how long.
const DISCARD_MAX_BYTES: usize = 32 * 1024 * 1024;
const DISCARD_TIMEOUT: Duration = Duration::from_secs(5);

/// Serves `endpoint` on `listener` until SIGTERM or SIGINT, then drains.
///
/// # Errors
/// The signals cannot be listened for.
pub async fn serve<E: Endpoint>(
    endpoint: Arc<E>,
    listener: TcpListener,
    limits: Limits,
) -> Result<(), Error> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let draining = Arc::new(AtomicBool::new(false));
    let mut stop = pin!(async {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        draining.store(true, Ordering::Relaxed);
        sleep(limits.drain_delay).await;
    });
    let connections = Arc::new(Semaphore::new(limits.connections_max));
    let graceful = GracefulShutdown::new();
    let mut server = auto::Builder::new(TokioExecutor::new());
    server.http1().timer(TokioTimer::new()).header_read_timeout(limits.header_read_timeout);
    server.http2().timer(TokioTimer::new());
    loop {
        let accepted = async {
            let permit = connections.clone().acquire_owned().await;
            (listener.accept().await, permit)
        };
        let (stream, peer, permit) = tokio::select! {
            biased;
            () = &mut stop => break,
            accepted = accepted => match accepted {
                (Ok((stream, peer)), permit) => (stream, peer, permit),
                (Err(_), _) => {
                    sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            },
        };
        // Answers are small and whole; waiting to fill a packet only delays them.
        let _ = stream.set_nodelay(true);
        let (endpoint, draining) = (endpoint.clone(), draining.clone());
        let service = service_fn(move |request| respond(endpoint.clone(), request, peer, draining.clone()));
        let connection = graceful.watch(server.serve_connection(TokioIo::new(stream), service).into_owned());
        tokio::spawn(async move {
            // A client that goes away mid-request is its own affair.
            let _ = connection.await;
            drop(permit);
        });
    }
    drop(listener);
    if timeout(limits.drain_timeout, graceful.shutdown()).await.is_err() {
        tracing::warn!("requests were still in flight when the drain ended");
    }
    Ok(())
}

async fn respond<E: Endpoint>(
    endpoint: Arc<E>,
    request: http::Request<Incoming>,
    peer: SocketAddr,
    draining: Arc<AtomicBool>,
) -> Result<Response, Infallible> {
    match request.uri().path() {
        "/healthz" => return Ok(probe(StatusCode::OK)),
        "/healthz/ready" if draining.load(Ordering::Relaxed) => {
            return Ok(probe(StatusCode::SERVICE_UNAVAILABLE));
        }
        "/healthz/ready" => return Ok(probe(StatusCode::OK)),
        _ => {}
    }
    let (parts, body) = request.into_parts();
    Ok(match read(E::FUNCTION, &parts.headers, body).await {
        Ok(body) => answer(&*endpoint, into_lambda_request(parts, body.into(), peer)).await,
        Err(problem) => problem_response(&problem),
    })
}

fn probe(status: StatusCode) -> Response {
    let mut response = http::Response::new(full_body(Bytes::new()));
    *response.status_mut() = status;
    response
}

/// Reads the body within the function's limits.
async fn read(function: &Function, headers: &HeaderMap, mut body: Incoming) -> Result<Bytes, Problem> {
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|bytes| bytes > function.body_max_bytes) {
        // Who asks before sending has nothing under way.
        if !headers.contains_key(header::EXPECT) {
            discard(&mut body).await;
        }
        return Err(Problem::too_large(function.body_max_bytes));
    }
    let whole = Limited::new(&mut body, function.body_max_bytes).collect();
    match timeout(Duration::from_millis(function.timeout_ms), whole).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(cause)) if cause.is::<LengthLimitError>() => {
            discard(&mut body).await;
            Err(Problem::too_large(function.body_max_bytes))
        }
        Ok(Err(_)) => Err(Problem::bad_request("The request body ended before it was complete.")),
        Err(_) => Err(Problem::bad_request("The request body took too long to arrive.")),
    }
}

/// Reads on for a while and keeps nothing: a client or a proxy that is still sending when the answer comes sees a broken
/// connection instead of it.
async fn discard(body: &mut Incoming) {
    let mut discarded_bytes = 0;
    let reading = async {
        while let Some(Ok(frame)) = body.frame().await {
            discarded_bytes += frame.data_ref().map_or(0, Bytes::len);
            if discarded_bytes > DISCARD_MAX_BYTES {
                break;
            }
        }
    };
    // What comes after that is cut off.
    let _ = timeout(DISCARD_TIMEOUT, reading).await;
}

/// Builds what lambda_http builds from an API Gateway event (payload version 2.0), so that a handler sees the same
/// on both hosts.
fn into_lambda_request(mut parts: Parts, body: Vec<u8>, peer: SocketAddr) -> Request {
    let text = |name: &str| parts.headers.get(name).and_then(|v| v.to_str().ok()).map(str::to_owned);
    let path = parts.uri.path().to_owned();
    let query: QueryMap = parts.uri.query().unwrap_or_default().parse().unwrap_or_default();
    // These types are non-exhaustive: they can only be filled field by field.
    let mut context = ApiGatewayV2httpRequestContext::default();
    context.stage = Some("$default".to_owned());
    context.request_id = text("x-request-id");
    context.domain_name = text("host");
    context.http.method = parts.method.clone();
    context.http.path = Some(path.clone());
    context.http.protocol = Some(format!("{:?}", parts.version));
    context.http.source_ip = Some(peer.ip().to_string());
    context.http.user_agent = text("user-agent");
    let mut invocation = Context::default();
    invocation.request_id = context.request_id.clone().unwrap_or_default();
    let body = classify(&parts.headers, body);
    parts.uri = absolute(&parts);
    Request::from_parts(parts, body)
        .with_raw_http_path(path)
        .with_query_string_parameters(query)
        .with_request_context(RequestContext::ApiGatewayV2(context))
        .with_lambda_context(invocation)
}

/// Text or bytes, by the rule by which cargo-lambda and API Gateway encode a body into their event.
fn classify(headers: &HeaderMap, bytes: Vec<u8>) -> Body {
    let is_text = headers.get(header::CONTENT_TYPE).is_none_or(|value| {
        value.to_str().is_ok_and(|kind| kind.starts_with("text/") || kind.starts_with("application/json"))
    });
    match (bytes.is_empty(), is_text) {
        (true, _) => Body::Empty,
        (_, false) => Body::Binary(bytes),
        (_, true) => String::from_utf8(bytes).map_or_else(|e| Body::Binary(e.into_bytes()), Body::Text),
    }
}

/// Lambda's requests have absolute URIs, hyper's have a path only.
fn absolute(parts: &Parts) -> Uri {
    let header = |name: &str| parts.headers.get(name).and_then(|v| v.to_str().ok());
    let mut uri = parts.uri.clone().into_parts();
    uri.authority = uri.authority.or_else(|| header("host")?.parse().ok());
    let plain = header("x-forwarded-proto") == Some("http");
    uri.scheme = uri.authority.as_ref().map(|_| if plain { Scheme::HTTP } else { Scheme::HTTPS });
    Uri::from_parts(uri).unwrap_or_else(|_| parts.uri.clone())
}
