//! The SQL of `report`.

use futures_util::{Stream, StreamExt};
use jiff::Timestamp;
use postgres::{Client, Error, Pool, Row, tokio_postgres::RowStream, types::ToSql};
use std::{
    pin::Pin,
    task::{Context, Poll},
};

/// The rows of a report as they arrive, with the connection that they arrive on.
pub(crate) struct Rows {
    rows: Pin<Box<RowStream>>,
    /// Goes back to the pool when the last row is read, or when nobody wants the rest.
    _client: Client,
}

impl Stream for Rows {
    type Item = Result<Row, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.rows.poll_next_unpin(context).map_err(Error::from)
    }
}

/// Keeps that the report was made, pinned to the user's latest transaction, and reads its rows. The pin makes the two
/// statements see the same set: the ledger only grows, and a user's ids in the order of commits.
pub(crate) async fn report(
    pool: &Pool,
    user_id: i64,
    start: Timestamp,
    end: Timestamp,
) -> Result<Rows, Error> {
    let client = pool.client().await?;
    let pin = "INSERT INTO report (user_id, date_start, date_end, last_transaction_id)
               SELECT $1, $2, $3, coalesce(max(id), 0) FROM user_transaction WHERE user_id = $1
               RETURNING last_transaction_id";
    let statement = client.prepare_cached(pin).await?;
    let last_transaction_id: i64 = client.query_one(&statement, &[&user_id, &start, &end]).await?.get(0);
    let select = "SELECT id, amount, transaction_type_id, date FROM user_transaction
                  WHERE user_id = $1 AND date BETWEEN $2 AND $3 AND id <= $4 ORDER BY date, id";
    let statement = client.prepare_cached(select).await?;
    let values: [&(dyn ToSql + Sync); 4] = [&user_id, &start, &end, &last_transaction_id];
    let rows = client.query_raw(&statement, values).await?;
    Ok(Rows { rows: Box::pin(rows), _client: client })
}
