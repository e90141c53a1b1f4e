use jobs_sweep::{PENDING_MAX_S, STATEMENT_TIMEOUT, sweep};
use kafka::Publisher;
use postgres::Pool;
use std::process::ExitCode;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    telemetry::start("jobs/sweep");
    match configured() {
        Ok((pool, publisher, bucket, pending_max_s)) => {
            match sweep(&pool, &publisher, &bucket, pending_max_s).await {
                Ok(published) => {
                    tracing::info!(published, "swept");
                    ExitCode::SUCCESS
                }
                Err(error) => {
                    eprintln!("sweep: {error}");
                    ExitCode::FAILURE
                }
            }
        }
        Err(error) => error.report(),
    }
}

fn configured() -> Result<(Pool, Publisher, String, u32), settings::Error> {
    Ok((
        Pool::from_env(STATEMENT_TIMEOUT)?,
        Publisher::from_env()?,
        settings::or_default("S3_BUCKET", "photos".to_owned())?,
        settings::or_default("SWEEP_PENDING_MAX_SECONDS", PENDING_MAX_S)?,
    ))
}
