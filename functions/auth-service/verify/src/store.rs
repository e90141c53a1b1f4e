//! The SQL of `verify`.

use contract::verification::Status;
use postgres::{Error, Pool};
use uuid::Uuid;

pub(crate) struct Latest {
    pub(crate) id: Uuid,
    pub(crate) status: Status,
    pub(crate) reason: Option<String>,
}

/// Makes the verification known. Nobody is told of it before [`uploaded`].
pub(crate) async fn begin(pool: &Pool, id: Uuid, user_id: i64) -> Result<(), Error> {
    execute(pool, "INSERT INTO verification (id, user_id) VALUES ($1, $2)", &[&id, &user_id]).await
}

/// The photo is in the object store: from here on there will be a verdict.
pub(crate) async fn uploaded(pool: &Pool, id: Uuid) -> Result<(), Error> {
    execute(pool, "UPDATE verification SET uploaded_at = coalesce(uploaded_at, now()) WHERE id = $1", &[&id])
        .await
}

/// Removes a verification that failed to begin. One that the object store's own notification has already decided
/// stays.
pub(crate) async fn withdraw(pool: &Pool, id: Uuid) -> Result<(), Error> {
    execute(pool, "DELETE FROM verification WHERE id = $1 AND status = 'pending'", &[&id]).await
}

pub(crate) async fn latest(pool: &Pool, user_id: i64) -> Result<Option<Latest>, Error> {
    let client = pool.client().await?;
    let select = "SELECT id, status, reason FROM verification
                  WHERE user_id = $1 AND uploaded_at IS NOT NULL ORDER BY created_at DESC, id DESC LIMIT 1";
    let statement = client.prepare_cached(select).await?;
    let row = client.query_opt(&statement, &[&user_id]).await?;
    Ok(row.map(|row| Latest {
        id: row.get(0),
        status: Status::parse(row.get(1)).expect("the table allows these values only"),
        reason: row.get(2),
    }))
}

async fn execute(
    pool: &Pool,
    sql: &str,
    values: &[&(dyn postgres::types::ToSql + Sync)],
) -> Result<(), Error> {
    let client = pool.client().await?;
    let statement = client.prepare_cached(sql).await?;
    client.execute(&statement, values).await?;
    Ok(())
}
