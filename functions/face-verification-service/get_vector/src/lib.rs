//! `GET /api/face-verification-service/get_vector/?path=…`: the vector of the face on one's own photo.

mod store;

use contract::{
    Function, Problem, routes,
    verification::{PHOTO_MAX_BYTES, parse_photo_path},
};
use face::{FaceWorker, PhotoError};
use host::{Endpoint, Request, RequestExt, Response};
use http::StatusCode;
use identity::{Identity, claimed_user_id};
use objects::Bucket;
use postgres::Pool;
use std::time::Duration;

pub const STATEMENT_TIMEOUT: Duration = Duration::from_secs(5);

pub struct GetVector {
    pub identity: Identity,
    pub pool: Pool,
    pub bucket: Bucket,
    pub faces: FaceWorker,
}

impl Endpoint for GetVector {
    const FUNCTION: &'static Function = &routes::GET_VECTOR;

    async fn handle(&self, request: Request) -> Result<Response, Problem> {
        let user = self.identity.user(request.headers()).await?;
        user.must_be(claimed_user_id(request.uri().query())?)?;
        let query = request.query_string_parameters();
        let path = query.first("path").ok_or_else(|| Problem::invalid_field("path", "is required"))?;
        let (owner_id, verification_id) = parse_photo_path(path).ok_or_else(no_such_photo)?;
        if owner_id != user.id {
            return Err(Problem::forbidden(
                "The photo is another user's. Ask for the path of your own photo.",
            ));
        }
        if !store::exists(&self.pool, verification_id, user.id).await? {
            return Err(no_such_photo());
        }
        let photo = self.bucket.get(path, PHOTO_MAX_BYTES).await?.ok_or_else(no_such_photo)?;
        let face = self.faces.embed(photo).await.map_err(refused)?;
        Ok(host::json_response(StatusCode::OK, &face.embedding.as_slice()))
    }
}

fn no_such_photo() -> Problem {
    Problem::not_found("There is no such photo. Use the path that the upload answered with.")
}

fn refused(error: PhotoError) -> Problem {
    match error {
        PhotoError::Internal(cause) => {
            tracing::error!(cause, "a face could not be computed");
            Problem::internal()
        }
        reason => Problem::unprocessable(reason.to_string()),
    }
}
