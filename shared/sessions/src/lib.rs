//! Issues tokens: an access token, with a refresh token that is kept hashed and good for one use.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use contract::credentials::TokenBody;
use postgres::{Error, Transaction};
use sha2::{Digest, Sha256};
use tokens::{Issuer, Subject};
use uuid::Uuid;

/// How long a login can be kept alive by refreshing, in days. Refreshing does not extend it.
const FAMILY_TTL_DAYS: i32 = 30;

/// Bytes of randomness in a refresh token.
const REFRESH_TOKEN_BYTES: usize = 32;

pub struct Sessions {
    issuer: Issuer,
}

/// What became of a refresh token.
pub enum Refreshed {
    /// It was good, and is used up now.
    Tokens(Box<TokenBody>),
    /// It is unknown, expired or was used before. In the last case its whole family is revoked, because one of
    /// the two who hold it is a thief.
    Refused,
}

impl Sessions {
    pub fn new(issuer: Issuer) -> Self {
        Self { issuer }
    }

    /// Starts a session: the first tokens of a new family. Good once `transaction` is committed.
    ///
    /// # Errors
    /// The database fails.
    pub async fn open(
        &self,
        transaction: &Transaction<'_>,
        subject: Subject<'_>,
    ) -> Result<TokenBody, Error> {
        let refresh_token = new_refresh_token();
        let insert = "INSERT INTO refresh_token (token_hash, user_id, family_id, expires_at)
                      VALUES ($1, $2, $3, now() + make_interval(days => $4))";
        let statement = transaction.prepare_cached(insert).await?;
        let hash = hash(&refresh_token);
        transaction
            .execute(&statement, &[&hash, &subject.user_id, &Uuid::new_v4(), &FAMILY_TTL_DAYS])
            .await?;
        Ok(self.token_body(subject, refresh_token))
    }

    /// Takes a refresh token for the next pair of tokens of its family. The outcome, good or bad, stands once
    /// `transaction` is committed.
    ///
    /// # Errors
    /// The database fails.
    pub async fn refresh(
        &self,
        transaction: &Transaction<'_>,
        refresh_token: &str,
    ) -> Result<Refreshed, Error> {
        let (old_hash, next) = (hash(refresh_token), new_refresh_token());
        let rotate = "WITH used AS (
                          UPDATE refresh_token SET used_at = now()
                          WHERE token_hash = $1 AND used_at IS NULL AND expires_at > now()
                          RETURNING user_id, family_id, expires_at
                      ), next AS (
                          INSERT INTO refresh_token (token_hash, user_id, family_id, expires_at)
                          SELECT $2, user_id, family_id, expires_at FROM used
                      )
                      SELECT users.id, users.name, users.token_generation
                      FROM used JOIN users ON users.id = used.user_id";
        let statement = transaction.prepare_cached(rotate).await?;
        if let Some(user) = transaction.query_opt(&statement, &[&old_hash, &hash(&next)]).await? {
            let subject = Subject { user_id: user.get(0), name: user.get(1), generation: user.get(2) };
            return Ok(Refreshed::Tokens(Box::new(self.token_body(subject, next))));
        }
        let revoke = "DELETE FROM refresh_token WHERE family_id IN (
                          SELECT family_id FROM refresh_token WHERE token_hash = $1 AND used_at IS NOT NULL)";
        let statement = transaction.prepare_cached(revoke).await?;
        transaction.execute(&statement, &[&old_hash]).await?;
        Ok(Refreshed::Refused)
    }

    fn token_body(&self, subject: Subject<'_>, refresh_token: String) -> TokenBody {
        TokenBody {
            token: self.issuer.issue(subject),
            token_type: "Bearer".into(),
            expires_in: self.issuer.ttl_s(),
            refresh_token,
            user_id: subject.user_id,
        }
    }
}

fn new_refresh_token() -> String {
    let mut bytes = [0; REFRESH_TOKEN_BYTES];
    getrandom::fill(&mut bytes).expect("the system has randomness");
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

/// A plain hash is enough: the token has 256 bits of randomness, so there is nothing to guess.
fn hash(refresh_token: &str) -> Vec<u8> {
    Sha256::digest(refresh_token.as_bytes()).to_vec()
}
