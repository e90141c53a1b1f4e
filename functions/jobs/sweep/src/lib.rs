//! Publishes again what was uploaded and is still undecided: the safety net under every event that was lost.
//! Run every half minute; running it twice at once only publishes twice, which changes nothing.

mod store;

use contract::{event::PhotoUploaded, verification::photo_path};
use kafka::Publisher;
use postgres::Pool;
use std::time::Duration;

pub const STATEMENT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a photo may stay undecided before its event counts as lost, in seconds.
pub const PENDING_MAX_S: u32 = 60;

/// How many photos one run publishes at most; the next run takes the rest.
const BATCH_MAX: i64 = 1_000;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Database(#[from] postgres::Error),
    #[error(transparent)]
    Publish(#[from] kafka::Error),
}

/// Publishes the event of every photo that has been undecided for more than `pending_max_s` seconds, oldest
/// first, and returns how many those were.
///
/// # Errors
/// The database or Kafka is not available; those published so far stay published.
pub async fn sweep(
    pool: &Pool,
    publisher: &Publisher,
    bucket: &str,
    pending_max_s: u32,
) -> Result<usize, Error> {
    let stuck = store::stuck(pool, pending_max_s, BATCH_MAX).await?;
    for photo in &stuck {
        let event = PhotoUploaded {
            verification_id: photo.verification_id,
            user_id: photo.user_id,
            bucket: bucket.to_owned(),
            path: photo_path(photo.user_id, photo.verification_id),
        };
        publisher.photo_uploaded(&event, None).await?;
    }
    Ok(stuck.len())
}
