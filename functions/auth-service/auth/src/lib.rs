//! `POST /api/auth-service/auth/`: a token for a name and password, or for a refresh token.

mod store;

use contract::{
    Function, Problem,
    credentials::{Credentials, Refresh, TokenBody},
    routes,
};
use host::{Endpoint, Request, Response};
use http::StatusCode;
use passwords::Passwords;
use postgres::Pool;
use serde::{Deserialize, de::IgnoredAny};
use sessions::{Refreshed, Sessions};
use std::time::Duration;

pub const STATEMENT_TIMEOUT: Duration = Duration::from_secs(5);

pub struct Auth {
    pub pool: Pool,
    pub passwords: Passwords,
    pub sessions: Sessions,
}

/// Tells the two forms of the request apart.
#[derive(Deserialize)]
struct Form {
    refresh_token: Option<IgnoredAny>,
}

impl Endpoint for Auth {
    const FUNCTION: &'static Function = &routes::AUTH;

    async fn handle(&self, request: Request) -> Result<Response, Problem> {
        let tokens = match host::json::<Form>(&request)?.refresh_token {
            Some(_) => self.refresh(host::valid_json(&request)?).await?,
            None => self.log_in(host::valid_json(&request)?).await?,
        };
        Ok(host::json_response(StatusCode::CREATED, &tokens))
    }
}

impl Auth {
    async fn log_in(&self, credentials: Credentials) -> Result<TokenBody, Problem> {
        // No connection is held while the password is checked, which takes a core for a while.
        let account = store::account(&self.pool, &credentials.name).await?;
        let hash = account.as_ref().map(|account| account.password_hash.clone());
        let matches = self.passwords.verify(credentials.password, hash).await?;
        let Some(account) = account.filter(|_| matches) else {
            // The same words for an unknown name, after the same work.
            return Err(Problem::forbidden("The name or the password is wrong."));
        };
        let mut client = self.pool.client().await?;
        Ok(store::open_session(&mut client, &self.sessions, &account).await?)
    }

    async fn refresh(&self, request: Refresh) -> Result<TokenBody, Problem> {
        let mut client = self.pool.client().await?;
        match store::refresh(&mut client, &self.sessions, &request.refresh_token).await? {
            Refreshed::Tokens(tokens) => Ok(*tokens),
            Refreshed::Refused => {
                tracing::info!("a refresh token was refused");
                Err(Problem::unauthorized(
                    "The refresh token is not valid, was used or has expired. Log in again.",
                ))
            }
        }
    }
}
