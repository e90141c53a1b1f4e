use cache::Cache;
use identity::Identity;
use postgres::Pool;
use std::{process::ExitCode, sync::Arc};
use tokens::Verifier;
use transaction_service_create::Create;

fn main() -> ExitCode {
    host::run(|| {
        let pool = Pool::from_env(transaction_service_create::STATEMENT_TIMEOUT)?;
        let identity = Identity::new(Verifier::from_env()?, Arc::new(Cache::from_env()?), pool.clone());
        Ok(Create { identity, pool })
    })
}
