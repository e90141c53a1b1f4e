//! `POST /api/auth-service/verify/`: takes a photo and has it verified.
//! `GET` of the same path: what became of the latest photo.

mod photo;
mod store;

use contract::{
    Function, Problem,
    event::PhotoUploaded,
    routes,
    verification::{Status, VerificationBody, photo_path},
};
use host::{Endpoint, Request, Response};
use http::{Method, StatusCode};
use identity::{Identity, User, claimed_user_id};
use kafka::Publisher;
use objects::Bucket;
use photo::Photo;
use postgres::Pool;
use std::time::Duration;
use telemetry::TraceContext;
use uuid::Uuid;

pub const STATEMENT_TIMEOUT: Duration = Duration::from_secs(5);

pub struct Verify {
    pub identity: Identity,
    pub pool: Pool,
    pub bucket: Bucket,
    pub publisher: Publisher,
}

impl Endpoint for Verify {
    const FUNCTION: &'static Function = &routes::VERIFY;

    async fn handle(&self, request: Request) -> Result<Response, Problem> {
        let user = self.identity.user(request.headers()).await?;
        user.must_be(claimed_user_id(request.uri().query())?)?;
        if request.method() == Method::GET {
            return self.latest(&user).await;
        }
        let trace = TraceContext::of(request.headers());
        let upload = photo::read(request).await?;
        user.must_be(upload.user_id)?;
        self.accept(&user, upload.photo, trace).await
    }
}

impl Verify {
    /// Row, object, event, in this order: from the row and the object the event can be made again.
    async fn accept(&self, user: &User, photo: Photo, trace: TraceContext) -> Result<Response, Problem> {
        let verification_id = Uuid::now_v7();
        let path = photo_path(user.id, verification_id);
        store::begin(&self.pool, verification_id, user.id).await?;
        if let Err(problem) = self.upload(verification_id, &path, photo).await {
            self.withdraw(verification_id, &path).await;
            return Err(problem);
        }
        let event = PhotoUploaded {
            verification_id,
            user_id: user.id,
            bucket: self.bucket.name().to_owned(),
            path: path.clone(),
        };
        if let Err(cause) = self.publisher.photo_uploaded(&event, Some(&trace.to_string())).await {
            // The photo is safe, so the promise of a verdict holds: the sweep job publishes again.
            tracing::warn!(%cause, %verification_id, "the event was not published; the sweep job will do it");
        }
        let body = VerificationBody {
            message: MESSAGE.into(),
            verification_id,
            user_id: user.id,
            status: Status::Pending,
            reason: None,
            path,
        };
        Ok(host::json_response(StatusCode::CREATED, &body))
    }

    async fn upload(&self, verification_id: Uuid, path: &str, photo: Photo) -> Result<(), Problem> {
        self.bucket.put(path, photo.bytes, photo.content_type).await?;
        Ok(store::uploaded(&self.pool, verification_id).await?)
    }

    /// Takes back what was begun. What cannot be taken back was never acknowledged, and harms nobody.
    async fn withdraw(&self, verification_id: Uuid, path: &str) {
        if let Err(cause) = store::withdraw(&self.pool, verification_id).await {
            tracing::warn!(%cause, %verification_id, "a verification that failed to begin was left behind");
        }
        if let Err(cause) = self.bucket.delete(path).await {
            tracing::warn!(%cause, %verification_id, "a photo that was not accepted was left behind");
        }
    }

    async fn latest(&self, user: &User) -> Result<Response, Problem> {
        let latest = store::latest(&self.pool, user.id).await?;
        let latest = latest.ok_or_else(|| {
            Problem::not_found("There is no verification yet. Upload a photo with POST first.")
        })?;
        let body = VerificationBody {
            message: MESSAGE.into(),
            verification_id: latest.id,
            user_id: user.id,
            status: latest.status,
            reason: latest.reason,
            path: photo_path(user.id, latest.id),
        };
        Ok(host::json_response(StatusCode::OK, &body))
    }
}

/// The replaced system's words, which clients may look for.
const MESSAGE: &str = "File saved successfully";
