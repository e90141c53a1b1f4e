//! The SQL of `sweep`.

use postgres::{Error, Pool};
use uuid::Uuid;

pub(crate) struct StuckPhoto {
    pub(crate) verification_id: Uuid,
    pub(crate) user_id: i64,
}

pub(crate) async fn stuck(pool: &Pool, pending_max_s: u32, limit: i64) -> Result<Vec<StuckPhoto>, Error> {
    let client = pool.client().await?;
    let select = "SELECT id, user_id FROM verification
                  WHERE status = 'pending' AND uploaded_at <= now() - make_interval(secs => $1)
                  ORDER BY uploaded_at LIMIT $2";
    let rows = client.query(select, &[&f64::from(pending_max_s), &limit]).await?;
    Ok(rows.iter().map(|row| StuckPhoto { verification_id: row.get(0), user_id: row.get(1) }).collect())
}
