use auth_service_register::{CREDIT_LIMIT, Register};
use passwords::Passwords;
use postgres::Pool;
use sessions::Sessions;
use std::process::ExitCode;
use tokens::Issuer;

fn main() -> ExitCode {
    host::run(|| {
        Ok(Register {
            pool: Pool::from_env(auth_service_register::STATEMENT_TIMEOUT)?,
            passwords: Passwords::default(),
            sessions: Sessions::new(Issuer::from_env()?),
            credit_limit: settings::or_default::<u32>("CREDIT_LIMIT", CREDIT_LIMIT)?.into(),
        })
    })
}
