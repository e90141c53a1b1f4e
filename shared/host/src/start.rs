//! Starts a function on the host that the environment asks for.

use crate::{Endpoint, EventEndpoint, Events, Limits, lambda, serve};
use settings::{or_default, required};
use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    process::ExitCode,
    sync::Arc,
    time::Duration,
};
use tokio::net::TcpListener;

/// Serves the endpoint that `build` makes until it is told to stop. `build` reads the configuration and makes the
/// clients; the port is bound after it, so that a port that accepts means ready.
pub fn run<E: Endpoint>(build: impl FnOnce() -> Result<E, settings::Error>) -> ExitCode {
    start(E::FUNCTION.folder, async {
        let endpoint = Arc::new(build()?);
        // Boxed, because the compiler does not lay out futures that are nested as deeply as those of a function.
        match is_lambda() {
            true => Box::pin(lambda::serve_requests(endpoint)).await.map_err(Failure::Host),
            false => Box::pin(serve_on_port(endpoint)).await,
        }
    })
}

/// As [`run`], for a function that handles events.
pub fn run_events<E: EventEndpoint>(build: impl FnOnce() -> Result<E, settings::Error>) -> ExitCode {
    start(E::FUNCTION.folder, async {
        let endpoint = build()?;
        // Boxed as above.
        match is_lambda() {
            true => Box::pin(lambda::serve_events(Arc::new(endpoint))).await.map_err(Failure::Host),
            false => Box::pin(serve_on_port(Arc::new(Events(endpoint)))).await,
        }
    })
}

enum Failure {
    Configuration(settings::Error),
    Host(lambda_http::Error),
}

impl From<settings::Error> for Failure {
    fn from(error: settings::Error) -> Self {
        Self::Configuration(error)
    }
}

/// One thread: a function is scaled by instances, and one thread starts fastest and stays smallest.
fn start(function: &'static str, main: impl Future<Output = Result<(), Failure>>) -> ExitCode {
    telemetry::start(function);
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(cause) => return failed(&cause),
    };
    match runtime.block_on(main) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Configuration(error)) => error.report(),
        Err(Failure::Host(cause)) => failed(&cause),
    }
}

fn failed(cause: &dyn std::fmt::Display) -> ExitCode {
    eprintln!("cannot serve: {cause}");
    ExitCode::FAILURE
}

fn is_lambda() -> bool {
    std::env::var_os("AWS_LAMBDA_RUNTIME_API").is_some()
}

async fn serve_on_port<E: Endpoint>(endpoint: Arc<E>) -> Result<(), Failure> {
    let ip = or_default("HOST", IpAddr::V4(Ipv4Addr::UNSPECIFIED))?;
    let address = SocketAddr::new(ip, required("PORT")?);
    let drain_delay = Duration::from_millis(or_default("DRAIN_DELAY_MS", 0)?);
    let limits = Limits { drain_delay, ..Limits::default() };
    let listener = TcpListener::bind(address).await.map_err(|cause| Failure::Host(cause.into()))?;
    serve(endpoint, listener, limits).await.map_err(Failure::Host)
}
