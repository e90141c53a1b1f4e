//! Decides a photo when its event arrives: verified or rejected, once.
//!
//! The same photo is announced twice as a rule, by `verify` and by the object store's own notification, and possibly
//! more often. Whoever comes second finds the verdict and changes nothing.

mod photos;
mod store;

use cache::Cache;
use contract::{
    Function, Problem, routes,
    verification::{PHOTO_MAX_BYTES, photo_path},
};
use face::{Embedding, FaceWorker, PhotoError};
use host::{Event, EventEndpoint, EventError};
use objects::Bucket;
use photos::Photo;
use postgres::Pool;
use std::time::Duration;
use store::Verdict;

pub const STATEMENT_TIMEOUT: Duration = Duration::from_secs(5);

pub struct VerifyPhoto {
    pub pool: Pool,
    pub cache: Cache,
    pub bucket: Bucket,
    pub faces: FaceWorker,
    /// The cosine similarity from which two faces are taken for the same person's.
    pub match_threshold: f32,
}

const LOST: &str = "The photo was lost before it could be checked. Upload it again.";
const OTHER_FACE: &str =
    "The face is not the one that this account was verified with. Upload a photo of the same person.";

impl EventEndpoint for VerifyPhoto {
    const FUNCTION: &'static Function = &routes::VERIFY_PHOTO;

    async fn handle(&self, event: Event) -> Result<(), EventError> {
        for photo in photos::announced_by(&event, self.bucket.name())? {
            self.verify(&photo).await?;
        }
        Ok(())
    }
}

impl VerifyPhoto {
    async fn verify(&self, photo: &Photo) -> Result<(), EventError> {
        // The event says whose photo it is; the database knows.
        match store::status(&self.pool, photo).await.map_err(retry)? {
            None => return Err(EventError::Never("there is no such verification of this user".into())),
            Some(status) if status.is_decided() => return Ok(()),
            Some(_) => {}
        }
        let path = photo_path(photo.user_id, photo.verification_id);
        let outcome = match self.bucket.get(&path, PHOTO_MAX_BYTES).await {
            Ok(Some(bytes)) => self.embedding(bytes).await?,
            Ok(None) => Err(LOST.to_owned()),
            // An upload that did not come through `verify` is bounded here.
            Err(cause @ objects::Error::TooLarge { .. }) => Err(format!("The photo is too large: {cause}.")),
            Err(cause) => return Err(EventError::Retry(cause.to_string())),
        };
        let decision = match &outcome {
            Ok(embedding) => {
                store::accept(&self.pool, photo, |enrolled| self.judge(embedding, enrolled), embedding).await
            }
            Err(reason) => store::reject(&self.pool, photo, reason).await,
        };
        let verdict = decision.map_err(retry)?;
        identity::forget_standing(&self.cache, photo.user_id).await;
        tracing::info!(verification_id = %photo.verification_id, user_id = photo.user_id, ?verdict, "decided");
        Ok(())
    }

    /// The face's vector, or why there is none that counts.
    async fn embedding(&self, photo: bytes::Bytes) -> Result<Result<Embedding, String>, EventError> {
        match self.faces.embed(photo).await {
            Ok(face) => Ok(Ok(face.embedding)),
            Err(PhotoError::Internal(cause)) => Err(EventError::Retry(cause)),
            Err(reason) => Ok(Err(reason.to_string())),
        }
    }

    /// The first face enrols; every later one must match it.
    fn judge(&self, face: &Embedding, enrolled: Option<&Embedding>) -> Verdict {
        match enrolled {
            Some(enrolled) if enrolled.cosine(face) < self.match_threshold => {
                Verdict::Rejected(OTHER_FACE.to_owned())
            }
            _ => Verdict::Verified,
        }
    }
}

fn retry(error: postgres::Error) -> EventError {
    EventError::Retry(Problem::from(error).detail)
}
