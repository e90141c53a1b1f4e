//! A Redis cache that only ever saves work: every failure is a miss, and none is an error.

use redis::{
    AsyncCommands, Client,
    aio::{ConnectionManager, ConnectionManagerConfig},
};
use std::{
    sync::Mutex,
    time::{Duration, Instant},
};

/// How long a connection may take. A cache that is slower than the database is no cache.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(200);
/// How long a command may take.
const RESPONSE_TIMEOUT: Duration = Duration::from_millis(100);
/// After a failure the cache is left alone for this long, so that an outage does not cost every request a timeout.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_millis(500);

pub struct Cache {
    client: Client,
    /// Made on first use: the manager starts a task, and so needs a running runtime.
    connection: tokio::sync::OnceCell<ConnectionManager>,
    paused_until: Mutex<Option<Instant>>,
}

impl Cache {
    /// A cache at `REDIS_URL`. Nothing is connected before the first command.
    ///
    /// # Errors
    /// The variable is missing or is not a Redis URL.
    pub fn from_env() -> Result<Self, settings::Error> {
        let url: String = settings::required("REDIS_URL")?;
        // The URL may hold a password, so the error does not repeat it.
        let wrong = |_| settings::Error::new("REDIS_URL", "is not a Redis URL such as redis://host:6379");
        let client = Client::open(url).map_err(wrong)?;
        Ok(Self { client, connection: tokio::sync::OnceCell::new(), paused_until: Mutex::new(None) })
    }

    /// The value under `key`; `None` when there is none or the cache is not available.
    pub async fn get(&self, key: &str) -> Option<Vec<u8>> {
        let mut connection = self.connection().await?;
        self.settled(connection.get(key).await).flatten()
    }

    /// Keeps `value` under `key` for at most `ttl`.
    pub async fn set(&self, key: &str, value: &[u8], ttl: Duration) {
        if let Some(mut connection) = self.connection().await {
            let () = self.settled(connection.pset_ex(key, value, millis(ttl)).await).unwrap_or_default();
        }
    }

    /// Forgets `key`. When the cache cannot be reached, the value lives on until its time is over: choose times
    /// for which that is right.
    pub async fn delete(&self, key: &str) {
        if let Some(mut connection) = self.connection().await {
            let _: Option<u64> = self.settled(connection.del(key).await);
        }
    }

    /// Whether the cache answers now.
    pub async fn reachable(&self) -> bool {
        let Some(mut connection) = self.connection().await else { return false };
        let pong: Option<String> = self.settled(redis::cmd("PING").query_async(&mut connection).await);
        pong.is_some()
    }

    async fn connection(&self) -> Option<ConnectionManager> {
        let paused_until = *self.paused_until.lock().expect("no panic happens while this is held");
        if paused_until.is_some_and(|until| Instant::now() < until) {
            return None;
        }
        let connect = || async {
            let config = ConnectionManagerConfig::new()
                .set_number_of_retries(1)
                .set_connection_timeout(Some(CONNECT_TIMEOUT))
                .set_response_timeout(Some(RESPONSE_TIMEOUT));
            ConnectionManager::new_lazy_with_config(self.client.clone(), config)
        };
        self.settled(self.connection.get_or_try_init(connect).await).cloned()
    }

    /// The result as an option; a failure pauses the cache.
    fn settled<T>(&self, result: redis::RedisResult<T>) -> Option<T> {
        let mut paused_until = self.paused_until.lock().expect("no panic happens while this is held");
        match result {
            Ok(value) => Some(value),
            Err(cause) => {
                if paused_until.is_none_or(|until| until <= Instant::now()) {
                    tracing::warn!(%cause, "the cache is not available; doing without it");
                }
                *paused_until = Some(Instant::now() + PAUSE_AFTER_FAILURE);
                None
            }
        }
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
