//! Writes rows as a JSON array while they are read: memory stays constant, and the first byte leaves before the
//! last row is read.

use crate::store::Rows;
use bytes::Bytes;
use contract::transaction::{TransactionBody, TransactionType};
use futures_util::{StreamExt, stream};
use host::Body;
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use postgres::Row;

/// Rows are gathered into chunks of about this size, in bytes: one write for each row would cost more than the row.
const CHUNK_BYTES: usize = 16 * 1024;

type Chunk = Result<Frame<Bytes>, Box<dyn std::error::Error + Send + Sync>>;

struct Writer {
    user_id: i64,
    rows: Rows,
    started: bool,
}

pub(crate) fn body(user_id: i64, rows: Rows) -> Body {
    let writer = Writer { user_id, rows, started: false };
    let chunks = stream::unfold(Some(writer), |writer| async {
        let (chunk, writer) = writer?.next_chunk().await;
        Some((chunk, writer))
    });
    StreamBody::new(chunks).boxed_unsync()
}

impl Writer {
    /// The next chunk, and the writer as long as there is more. An error breaks the answer off, which a client
    /// sees as an incomplete body and never as a shorter report.
    async fn next_chunk(mut self) -> (Chunk, Option<Self>) {
        let mut chunk = Vec::with_capacity(CHUNK_BYTES + 256);
        while chunk.len() < CHUNK_BYTES {
            match self.rows.next().await {
                Some(Ok(row)) => {
                    chunk.push(if self.started { b',' } else { b'[' });
                    self.started = true;
                    serde_json::to_writer(&mut chunk, &self.transaction(&row))
                        .expect("a transaction is JSON");
                }
                Some(Err(cause)) => {
                    tracing::error!(%cause, "a report broke off");
                    return (Err(Box::new(cause)), None);
                }
                None => {
                    chunk.extend_from_slice(if self.started { b"]" } else { b"[]" });
                    return (Ok(Frame::data(chunk.into())), None);
                }
            }
        }
        (Ok(Frame::data(chunk.into())), Some(self))
    }

    fn transaction(&self, row: &Row) -> TransactionBody {
        let transaction_type_id = row.get(2);
        TransactionBody {
            id: row.get(0),
            user_id: self.user_id,
            amount: row.get(1),
            transaction_type: TransactionType::from_id(transaction_type_id)
                .expect("the table allows these only"),
            transaction_type_id,
            date: row.get(3),
            balance: None,
        }
    }
}
