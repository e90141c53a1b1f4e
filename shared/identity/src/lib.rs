//! Who is asking: turns a bearer token into a user who still exists and whose token is not revoked.
//!
//! Every function that needs a user asks here itself. Being behind the gateway is not a credential, and a header that
//! names a user is never read.

mod ownership;
mod standing;

pub use ownership::claimed_user_id;
pub use standing::{Standing, forget_standing};

use cache::Cache;
use contract::Problem;
use http::{HeaderMap, header::AUTHORIZATION};
use jiff::Timestamp;
use postgres::Pool;
use std::sync::Arc;
use tokens::Verifier;

/// The user on whose behalf a request is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    pub id: i64,
    pub name: String,
    pub is_verified: bool,
    /// When the token that was shown expires.
    pub expires_at: Timestamp,
}

/// Answers who is asking.
#[derive(Clone)]
pub struct Identity {
    verifier: Arc<Verifier>,
    cache: Arc<Cache>,
    pool: Pool,
}

impl Identity {
    pub fn new(verifier: Verifier, cache: Arc<Cache>, pool: Pool) -> Self {
        Self { verifier: Arc::new(verifier), cache, pool }
    }

    /// The user whose access token the request carries.
    ///
    /// # Errors
    /// 401 when there is no token, or it is not valid, expired, revoked or of a user who is gone; 503 when that
    /// cannot be found out.
    pub async fn user(&self, headers: &HeaderMap) -> Result<User, Problem> {
        let claims = self.verifier.verify(bearer_token(headers)?).map_err(|reason| {
            tracing::info!(%reason, "a token was refused");
            Problem::unauthorized(
                "The access token is not valid or has expired. Get a new one and try again.",
            )
        })?;
        let user_id = claims.user_id().ok_or_else(revoked)?;
        let standing = self.standing(user_id).await?.ok_or_else(revoked)?;
        if standing.generation != claims.generation {
            tracing::info!(user_id, "a revoked token was refused");
            return Err(revoked());
        }
        let expires_at = i64::try_from(claims.exp).ok().and_then(|s| Timestamp::from_second(s).ok());
        Ok(User {
            id: user_id,
            name: standing.name,
            is_verified: standing.is_verified,
            expires_at: expires_at.unwrap_or(Timestamp::MAX),
        })
    }
}

fn revoked() -> Problem {
    Problem::unauthorized("The access token was revoked. Log in again.")
}

/// The token of `Authorization: Bearer <token>` (RFC 6750, section 2.1).
fn bearer_token(headers: &HeaderMap) -> Result<&str, Problem> {
    let missing =
        || Problem::unauthorized("An access token is needed: send it as `Authorization: Bearer <token>`.");
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let value = values.next().and_then(|value| value.to_str().ok()).ok_or_else(missing)?;
    if values.next().is_some() {
        return Err(Problem::unauthorized("There is more than one Authorization header. Send one."));
    }
    let (scheme, token) = value.split_once(' ').ok_or_else(missing)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(missing());
    }
    Ok(token.trim())
}
