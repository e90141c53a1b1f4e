//! `POST /api/auth-service/register/`: a new user, with a first token.

mod store;

use contract::{Function, Problem, credentials::Credentials, routes};
use host::{Endpoint, Request, Response};
use http::StatusCode;
use passwords::Passwords;
use postgres::Pool;
use sessions::Sessions;
use std::time::Duration;

pub const STATEMENT_TIMEOUT: Duration = Duration::from_secs(5);

/// How far a verified user may go below zero when `CREDIT_LIMIT` says nothing, in minor units.
pub const CREDIT_LIMIT: u32 = 100_000;

pub struct Register {
    pub pool: Pool,
    pub passwords: Passwords,
    pub sessions: Sessions,
    /// What a new user's credit limit is, in minor units.
    pub credit_limit: i64,
}

impl Endpoint for Register {
    const FUNCTION: &'static Function = &routes::REGISTER;

    async fn handle(&self, request: Request) -> Result<Response, Problem> {
        let credentials: Credentials = host::valid_json(&request)?;
        let password_hash = self.passwords.hash(credentials.password).await?;
        let mut client = self.pool.client().await?;
        let tokens = store::register(
            &mut client,
            &self.sessions,
            store::NewUser {
                name: &credentials.name,
                password_hash: &password_hash,
                credit_limit: self.credit_limit,
            },
        )
        .await?
        .ok_or_else(|| Problem::conflict("Username already exists"))?;
        tracing::info!(user_id = tokens.user_id, "registered");
        Ok(host::json_response(StatusCode::CREATED, &tokens))
    }
}
