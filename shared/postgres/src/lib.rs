//! A bounded pool of PostgreSQL connections, and what its failures mean to a client.
//!
//! Nothing is connected before the first query: a function that scales from zero answers its probes at once.

mod error;

pub use deadpool_postgres::{Client, Transaction};
pub use error::Error;
pub use tokio_postgres::{self, Row, error::SqlState, types};

use deadpool_postgres::{Manager, ManagerConfig, PoolConfig, RecyclingMethod, Runtime, Timeouts};
use std::time::Duration;
use tokio_postgres::{Config, NoTls};

/// How long a new connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// How long a request waits for a connection when all are busy.
const WAIT_TIMEOUT: Duration = Duration::from_secs(2);
/// A connection that is silent for this long is probed by the kernel, so that a vanished server is noticed.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(10);
/// How long unacknowledged bytes may be under way before the kernel gives the connection up.
const TCP_USER_TIMEOUT: Duration = Duration::from_secs(5);

/// How many connections one instance of a function holds at most, when `DATABASE_MAX_CONNECTIONS` says nothing.
/// The ledger's throughput follows the number of connections up to about 16 (group commit).
const MAX_CONNECTIONS: usize = 16;

#[derive(Clone)]
pub struct Pool {
    pool: deadpool_postgres::Pool,
}

impl Pool {
    /// A pool for `DATABASE_URL`, of at most `DATABASE_MAX_CONNECTIONS` connections. The server ends a statement
    /// that runs longer than `statement_timeout`.
    ///
    /// # Errors
    /// A variable is missing or cannot be read.
    pub fn from_env(statement_timeout: Duration) -> Result<Self, settings::Error> {
        let config = config_from_env()?;
        let max_connections = settings::or_default("DATABASE_MAX_CONNECTIONS", MAX_CONNECTIONS)?;
        Ok(Self::new(config, max_connections, statement_timeout))
    }

    fn new(mut config: Config, max_connections: usize, statement_timeout: Duration) -> Self {
        let options = format!("-c statement_timeout={}", statement_timeout.as_millis());
        config
            .connect_timeout(CONNECT_TIMEOUT)
            .keepalives_idle(KEEPALIVE_IDLE)
            .tcp_user_timeout(TCP_USER_TIMEOUT)
            .application_name("visage")
            .options(&options);
        let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let timeouts = Timeouts {
            wait: Some(WAIT_TIMEOUT),
            create: Some(CONNECT_TIMEOUT),
            recycle: Some(CONNECT_TIMEOUT),
        };
        let pool = deadpool_postgres::Pool::builder(Manager::from_config(config, NoTls, recycling))
            .config(PoolConfig { timeouts, ..PoolConfig::new(max_connections) })
            .runtime(Runtime::Tokio1)
            .build()
            .expect("a pool with a runtime is complete");
        Self { pool }
    }

    /// A connection: an idle one, else a new one, else the next that becomes free.
    ///
    /// # Errors
    /// The database cannot be reached, or all connections stay busy.
    pub async fn client(&self) -> Result<Client, Error> {
        Ok(self.pool.get().await?)
    }

    /// Whether the database answers a query now.
    pub async fn reachable(&self) -> bool {
        match self.pool.get().await {
            Ok(client) => client.simple_query("").await.is_ok(),
            Err(_) => false,
        }
    }
}

/// What `DATABASE_URL` says, for those who need one connection of their own.
///
/// # Errors
/// The variable is missing or is not a PostgreSQL URL.
pub fn config_from_env() -> Result<Config, settings::Error> {
    Ok(settings::required::<SecretUrl>("DATABASE_URL")?.0)
}

/// Parses a URL without ever repeating it in an error, because it holds the password.
struct SecretUrl(Config);

impl std::str::FromStr for SecretUrl {
    type Err = &'static str;

    fn from_str(url: &str) -> Result<Self, Self::Err> {
        url.parse()
            .map(Self)
            .map_err(|_| "it is not a PostgreSQL URL such as postgres://user:password@host:5432/name")
    }
}
