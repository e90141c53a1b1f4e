use auth_service_auth::Auth;
use passwords::Passwords;
use postgres::Pool;
use sessions::Sessions;
use std::process::ExitCode;
use tokens::Issuer;

fn main() -> ExitCode {
    host::run(|| {
        Ok(Auth {
            pool: Pool::from_env(auth_service_auth::STATEMENT_TIMEOUT)?,
            passwords: Passwords::default(),
            sessions: Sessions::new(Issuer::from_env()?),
        })
    })
}
