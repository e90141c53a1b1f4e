//! One handler, three hosts.
//!
//! A function is an [`Endpoint`] (or an [`EventEndpoint`]) and nothing more. [`run`] (or [`run_events`]) serves it
//! unchanged on the Lambda Runtime API when `AWS_LAMBDA_RUNTIME_API` is set, and over HTTP/1.1 and h2c on `$PORT`
//! otherwise, which is Knative's runtime contract. Tests call [`answer`] in their own process.

mod answer;
mod cloud_event;
mod extract;
mod http_server;
mod lambda;
mod respond;
mod start;

pub use answer::answer;
pub use cloud_event::{Event, EventError, Events, KAFKA_RECORD_TYPE};
pub use extract::{body, content_type, json, valid_json};
pub use http_server::{Limits, serve};
pub use lambda_http::RequestExt;
pub use respond::{Body, Response, full_body, json_response, problem_response};
pub use start::{run, run_events};

use contract::{Function, Problem};

/// A request, as lambda_http has it: the body is read whole, and its size is bounded.
pub type Request = lambda_http::Request;

/// A function that answers requests.
pub trait Endpoint: Send + Sync + 'static {
    /// Its row in the table of routes: path, methods, limits.
    const FUNCTION: &'static Function;

    /// The rule: what the endpoint does. It is only called with a method and a path of its own.
    fn handle(&self, request: Request) -> impl Future<Output = Result<Response, Problem>> + Send;
}

/// A function that handles events. The same event may come twice, and two events may come at once.
pub trait EventEndpoint: Send + Sync + 'static {
    /// Its row in the table of routes.
    const FUNCTION: &'static Function;

    /// Returns once the event is dealt with for good.
    fn handle(&self, event: Event) -> impl Future<Output = Result<(), EventError>> + Send;
}
