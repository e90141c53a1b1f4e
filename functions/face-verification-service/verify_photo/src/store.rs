//! The SQL of `verify_photo`.

use crate::photos::Photo;
use contract::verification::Status;
use face::Embedding;
use postgres::{Error, Pool, Transaction};

/// How a photo was decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    Verified,
    /// With a sentence that a person can act on.
    Rejected(String),
    /// By somebody else, earlier.
    AlreadyDecided,
}

pub(crate) async fn status(pool: &Pool, photo: &Photo) -> Result<Option<Status>, Error> {
    let client = pool.client().await?;
    let statement =
        client.prepare_cached("SELECT status FROM verification WHERE id = $1 AND user_id = $2").await?;
    let row = client.query_opt(&statement, &[&photo.verification_id, &photo.user_id]).await?;
    Ok(row.map(|row| Status::parse(row.get(0)).expect("the table allows these values only")))
}

/// Rejects the photo, unless it is decided already.
pub(crate) async fn reject(pool: &Pool, photo: &Photo, reason: &str) -> Result<Verdict, Error> {
    let mut client = pool.client().await?;
    let transaction = client.transaction().await?;
    let verdict = decide(&transaction, photo, &Verdict::Rejected(reason.to_owned())).await?;
    transaction.commit().await?;
    Ok(verdict)
}

/// Decides a photo that shows one face. The user's row is locked, so that of two first photos at once one enrols
/// and the other is judged by it.
pub(crate) async fn accept(
    pool: &Pool,
    photo: &Photo,
    judge: impl FnOnce(Option<&Embedding>) -> Verdict,
    embedding: &Embedding,
) -> Result<Verdict, Error> {
    let mut client = pool.client().await?;
    let transaction = client.transaction().await?;
    let lock = "SELECT verification_vector::float8[] FROM users WHERE id = $1 FOR UPDATE";
    let statement = transaction.prepare_cached(lock).await?;
    let enrolled: Option<Vec<f64>> = transaction.query_one(&statement, &[&photo.user_id]).await?.get(0);
    let enrolled =
        enrolled.map(|vector| Embedding::try_from(vector.as_slice()).expect("the table keeps 128 numbers"));
    let verdict = decide(&transaction, photo, &judge(enrolled.as_ref())).await?;
    if verdict == Verdict::Verified {
        let enrol = "UPDATE users SET is_verified = true,
                         verification_vector = coalesce(verification_vector, $2::float8[]::numeric[])
                     WHERE id = $1";
        let statement = transaction.prepare_cached(enrol).await?;
        let vector: Vec<f64> = embedding.as_slice().iter().copied().map(f64::from).collect();
        transaction.execute(&statement, &[&photo.user_id, &vector]).await?;
    }
    transaction.commit().await?;
    Ok(verdict)
}

/// Writes the verdict if there is none yet, and says which one stands.
async fn decide(transaction: &Transaction<'_>, photo: &Photo, verdict: &Verdict) -> Result<Verdict, Error> {
    let (status, reason) = match verdict {
        Verdict::Verified => (Status::Verified, None),
        Verdict::Rejected(reason) => (Status::Rejected, Some(reason)),
        Verdict::AlreadyDecided => return Ok(Verdict::AlreadyDecided),
    };
    let update = "UPDATE verification
                  SET status = $2, reason = $3, decided_at = now(), uploaded_at = coalesce(uploaded_at, now())
                  WHERE id = $1 AND status = 'pending'";
    let statement = transaction.prepare_cached(update).await?;
    let changed =
        transaction.execute(&statement, &[&photo.verification_id, &status.as_str(), &reason]).await?;
    Ok(if changed == 1 { verdict.clone() } else { Verdict::AlreadyDecided })
}
