//! Brings the database to the version that the functions need. Run by one job before they start; running it again
//! changes nothing, and two at once take turns.

use postgres::tokio_postgres::{self, Config, NoTls};

mod embedded {
    refinery::embed_migrations!("migrations");
}

/// Any number will do, as long as nothing else locks the same: the letters "visage" as bytes.
const ADVISORY_LOCK: i64 = 0x7669_7361_6765;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the database cannot be reached or used: {0}")]
    Database(#[from] tokio_postgres::Error),
    #[error("a migration failed: {0}")]
    Migration(#[from] refinery::Error),
}

/// Applies what is missing and returns the names of what was applied, in order.
///
/// # Errors
/// The database cannot be reached, or a migration failed; those before it stay applied.
pub async fn migrate(config: &Config) -> Result<Vec<String>, Error> {
    let (mut client, connection) = config.connect(NoTls).await?;
    let connection = tokio::spawn(connection);
    // The lock ends with the connection, however that ends.
    client.execute("SELECT pg_advisory_lock($1)", &[&ADVISORY_LOCK]).await?;
    let report = embedded::migrations::runner().run_async(&mut client).await?;
    drop(client);
    // How the connection ends no longer matters: every migration was committed on it.
    let _ = connection.await;
    Ok(report.applied_migrations().iter().map(ToString::to_string).collect())
}
