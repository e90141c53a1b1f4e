//! Access tokens: JWTs (RFC 7519) signed with an asymmetric key, and the key set (RFC 7517) that verifies them.
//!
//! Whoever issues tokens holds the private key; everybody else verifies with the public half alone.

mod issuer;
mod key_pair;
mod verifier;

pub use issuer::{Issuer, Subject};
pub use key_pair::{KeyPair, generate_key_pair};
pub use verifier::{PublicKeySet, Rejected, Verifier, public_key_set_from_env};

use serde::{Deserialize, Serialize};

/// Who issues the tokens (`iss`) and for whom they are (`aud`).
const ISSUER: &str = "visage";
const AUDIENCE: &str = "visage";

/// What an access token says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// The user's id, as a string because the RFC has it so.
    pub sub: String,
    pub username: String,
    /// Seconds since 1970.
    pub iat: u64,
    /// Seconds since 1970.
    pub exp: u64,
    pub jti: String,
    pub iss: String,
    pub aud: String,
    /// The user's token generation at the time of issue: a token of an older generation is revoked.
    pub generation: i32,
}

impl Claims {
    /// The user's id; `None` when the subject is not one of ours.
    pub fn user_id(&self) -> Option<i64> {
        self.sub.parse().ok()
    }
}
