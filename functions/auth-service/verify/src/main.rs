use auth_service_verify::Verify;
use cache::Cache;
use identity::Identity;
use kafka::Publisher;
use objects::Bucket;
use postgres::Pool;
use std::{process::ExitCode, sync::Arc};
use tokens::Verifier;

fn main() -> ExitCode {
    host::run(|| {
        let pool = Pool::from_env(auth_service_verify::STATEMENT_TIMEOUT)?;
        let identity = Identity::new(Verifier::from_env()?, Arc::new(Cache::from_env()?), pool.clone());
        Ok(Verify { identity, pool, bucket: Bucket::from_env()?, publisher: Publisher::from_env()? })
    })
}
