use api_gateway_healthz_ready::Ready;
use cache::Cache;
use kafka::Publisher;
use objects::Bucket;
use postgres::Pool;
use std::process::ExitCode;

fn main() -> ExitCode {
    host::run(|| {
        Ok(Ready {
            database: Pool::from_env(api_gateway_healthz_ready::STATEMENT_TIMEOUT)?,
            cache: Cache::from_env()?,
            photos: Bucket::from_env()?,
            events: Publisher::from_env()?,
        })
    })
}
