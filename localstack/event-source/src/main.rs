use event_source::EventSource;
use std::process::ExitCode;
use tokio::signal::unix::{SignalKind, signal};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    telemetry::start("event-source");
    let source = match EventSource::from_env() {
        Ok(source) => source,
        Err(error) => return error.report(),
    };
    let terminated = async {
        match (signal(SignalKind::terminate()), signal(SignalKind::interrupt())) {
            (Ok(mut terminate), Ok(mut interrupt)) => tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            },
            _ => std::future::pending().await,
        }
    };
    source.run_until(terminated).await;
    ExitCode::SUCCESS
}
