//! A database for each test: a copy of one that was migrated once.

use tokio::sync::OnceCell;
use tokio_postgres::{Client, NoTls};

const TEMPLATE: &str = "migrated";

static MIGRATED: OnceCell<()> = OnceCell::const_new();

/// The URL of a new, migrated and empty database, at the server whose databases `url_of` names.
pub(crate) async fn create(url_of: impl Fn(&str) -> String) -> String {
    MIGRATED
        .get_or_init(|| async {
            let admin = connect(&url_of("postgres")).await;
            admin.batch_execute(&format!("CREATE DATABASE {TEMPLATE}")).await.expect("a database");
            let config = url_of(TEMPLATE).parse().expect("a PostgreSQL URL");
            jobs_migrate::migrate(&config).await.expect("migrated");
        })
        .await;
    let name = format!("test_{}", uuid::Uuid::new_v4().simple());
    let admin = connect(&url_of("postgres")).await;
    // Copying file by file is faster than through the log for a database of this size.
    let create = format!("CREATE DATABASE {name} TEMPLATE {TEMPLATE} STRATEGY file_copy");
    admin.batch_execute(&create).await.expect("a copy of the template");
    url_of(&name)
}

pub(crate) async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.expect("PostgreSQL is there");
    tokio::spawn(connection);
    client
}
