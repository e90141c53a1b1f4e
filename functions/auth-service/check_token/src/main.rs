use auth_service_check_token::CheckToken;
use cache::Cache;
use identity::Identity;
use postgres::Pool;
use std::{process::ExitCode, sync::Arc};
use tokens::Verifier;

fn main() -> ExitCode {
    host::run(|| {
        let pool = Pool::from_env(auth_service_check_token::STATEMENT_TIMEOUT)?;
        let identity = Identity::new(Verifier::from_env()?, Arc::new(Cache::from_env()?), pool);
        Ok(CheckToken { identity })
    })
}
