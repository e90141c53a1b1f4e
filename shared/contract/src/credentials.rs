//! Bodies of `register`, `auth` and `check_token`.

use garde::Validate;
use serde::{Deserialize, Serialize};

/// `{"name", "password"}`: what `register` takes, and one of the two forms that `auth` takes.
#[derive(Clone, Deserialize, Validate)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Credentials {
    /// 1 to 100 characters, none of them a control character.
    #[garde(length(chars, min = 1, max = 100), custom(no_control_characters))]
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 100, example = "ada"))]
    pub name: String,
    /// 8 to 128 characters.
    #[garde(length(chars, min = 8, max = 128))]
    #[cfg_attr(
        feature = "openapi",
        schema(min_length = 8, max_length = 128, example = "correct horse battery")
    )]
    pub password: String,
}

/// The other form that `auth` takes: a refresh token instead of a name and a password.
#[derive(Clone, Deserialize, Validate)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Refresh {
    #[garde(length(bytes, min = 1, max = 200))]
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 200))]
    pub refresh_token: String,
}

/// What `register` and `auth` answer.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TokenBody {
    /// The access token: a signed JWT.
    pub token: String,
    #[cfg_attr(feature = "openapi", schema(example = "Bearer"))]
    pub token_type: String,
    /// Seconds until the access token expires.
    #[cfg_attr(feature = "openapi", schema(example = 600))]
    pub expires_in: u64,
    /// Opaque and good for one use at `auth`.
    pub refresh_token: String,
    #[cfg_attr(feature = "openapi", schema(example = 1))]
    pub user_id: i64,
}

/// What `check_token` answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TokenCheck {
    #[cfg_attr(feature = "openapi", schema(example = 1))]
    pub user_id: i64,
    #[cfg_attr(feature = "openapi", schema(example = "ada"))]
    pub name: String,
    pub is_verified: bool,
    /// When the access token expires, RFC 3339 in UTC.
    pub expires_at: jiff::Timestamp,
}

/// PostgreSQL's text holds no NUL, and other control characters in a name only ever deceive a reader.
fn no_control_characters(value: &str, _: &()) -> garde::Result {
    match value.chars().any(char::is_control) {
        true => Err(garde::Error::new("must not contain control characters")),
        false => Ok(()),
    }
}
