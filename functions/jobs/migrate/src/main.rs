use std::process::ExitCode;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    telemetry::start("jobs/migrate");
    let config = match postgres::config_from_env() {
        Ok(config) => config,
        Err(error) => return error.report(),
    };
    match jobs_migrate::migrate(&config).await {
        Ok(applied) => {
            tracing::info!(?applied, "the database is up to date");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("migrate: {error}");
            ExitCode::FAILURE
        }
    }
}
