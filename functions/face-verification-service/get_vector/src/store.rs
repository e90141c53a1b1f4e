//! The SQL of `get_vector`.

use postgres::{Error, Pool};
use uuid::Uuid;

/// Whether the database knows this photo as this user's: the key alone proves nothing.
pub(crate) async fn exists(pool: &Pool, verification_id: Uuid, user_id: i64) -> Result<bool, Error> {
    let client = pool.client().await?;
    let statement = client.prepare_cached("SELECT FROM verification WHERE id = $1 AND user_id = $2").await?;
    Ok(client.query_opt(&statement, &[&verification_id, &user_id]).await?.is_some())
}
