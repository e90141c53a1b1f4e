//! Password hashes with argon2id, off the async threads and bounded in number.

use argon2::{
    Argon2,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use contract::Problem;
use std::{sync::Arc, thread, time::Duration};
use tokio::sync::Semaphore;

/// How long a request waits for its turn. A hash takes about 25 ms, so a queue of this length is a flood.
const TURN_TIMEOUT: Duration = Duration::from_secs(3);

/// A hash with the same parameters that no password is known for (its 32 bytes are zero): what a password is
/// checked against when there is no such user.
const NOBODYS_HASH: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Hashes and checks passwords: argon2id with 19 MiB of memory, 2 passes and 1 lane, the first choice of OWASP's
/// Password Storage Cheat Sheet.
#[derive(Clone)]
pub struct Passwords {
    /// As many at once as there are cores: more would only take turns, at 19 MiB each.
    turns: Arc<Semaphore>,
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("too many passwords are being checked")]
    Busy,
    #[error("a password could not be hashed: {0}")]
    Hash(String),
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        tracing::warn!(cause = %error, "a password was not checked");
        match error {
            Error::Busy => Self::unavailable("login service"),
            Error::Hash(_) => Self::internal(),
        }
    }
}

impl Default for Passwords {
    fn default() -> Self {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        Self { turns: Arc::new(Semaphore::new(cores)) }
    }
}

impl Passwords {
    /// The hash of `password` as a PHC string (`$argon2id$v=19$…`), with a salt of its own.
    ///
    /// # Errors
    /// Too many are being hashed already, or the system has no randomness.
    pub async fn hash(&self, password: String) -> Result<String, Error> {
        self.take_turn(move || hash_now(&password)).await?
    }

    /// Whether `password` is the one that `hash` was made of. Without a hash the answer is no, after the same
    /// work: the time it takes does not tell whether there is such a user.
    ///
    /// # Errors
    /// Too many are being checked already, or `hash` is not a PHC string.
    pub async fn verify(&self, password: String, hash: Option<String>) -> Result<bool, Error> {
        self.take_turn(move || {
            let known = hash.is_some();
            let hash = hash.as_deref().unwrap_or(NOBODYS_HASH);
            let parsed = PasswordHash::new(hash).map_err(|cause| Error::Hash(cause.to_string()))?;
            let matches = Argon2::default().verify_password(password.as_bytes(), &parsed).is_ok();
            Ok(matches && known)
        })
        .await?
    }

    async fn take_turn<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Error> {
        let turn = tokio::time::timeout(TURN_TIMEOUT, self.turns.clone().acquire_owned()).await;
        let turn = turn.map_err(|_| Error::Busy)?.map_err(|_| Error::Busy)?;
        let done = tokio::task::spawn_blocking(move || {
            let result = work();
            drop(turn);
            result
        });
        done.await.map_err(|cause| Error::Hash(cause.to_string()))
    }
}

fn hash_now(password: &str) -> Result<String, Error> {
    let hashed = Argon2::default().hash_password(password.as_bytes());
    hashed.map(|hash| hash.to_string()).map_err(|cause| Error::Hash(cause.to_string()))
}

#[cfg(test)]
mod tests {
    use super::Passwords;

    #[tokio::test]
    async fn only_the_right_password_of_a_known_user_matches() {
        let passwords = Passwords::default();
        let hash = passwords.hash("correct horse battery".into()).await.expect("hashed");
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert_ne!(
            hash,
            passwords.hash("correct horse battery".into()).await.expect("hashed"),
            "a salt of its own"
        );
        assert!(passwords.verify("correct horse battery".into(), Some(hash.clone())).await.expect("checked"));
        assert!(!passwords.verify("correct horse".into(), Some(hash)).await.expect("checked"));
        assert!(!passwords.verify("nobody's password".into(), None).await.expect("checked"));
    }
}
