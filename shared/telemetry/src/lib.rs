//! Logs as one JSON line an event on standard output, and the trace context that travels with a request.

mod trace_context;

pub use trace_context::TraceContext;

use tracing_subscriber::{EnvFilter, fmt, layer::SubscriberExt, util::SubscriberInitExt};

/// What is logged when `RUST_LOG` says nothing. The clients log every retry of theirs at debug or info.
const DEFAULT_FILTER: &str =
    "info,aws_config=warn,aws_smithy_runtime=warn,librdkafka=error,lambda_runtime=warn";

/// Starts logging for this process. Every line carries the function's name, so that the lines of many
/// functions can be told apart in one stream.
pub fn start(function: &'static str) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(DEFAULT_FILTER));
    let lines = fmt::layer().json().flatten_event(true).with_current_span(false).with_span_list(true);
    tracing_subscriber::registry().with(filter).with(lines).init();
    std::panic::set_hook(Box::new(move |panic| {
        let location = panic.location().map(ToString::to_string);
        // The payload can hold what the request held, so only the place is logged.
        tracing::error!(function, location, "a panic ended one request");
    }));
    tracing::debug!(function, "starting");
}
