//! Reads the photo out of the request.

use bytes::Bytes;
use contract::{
    Problem,
    verification::{PHOTO_CONTENT_TYPES, PHOTO_FIELD, PHOTO_MAX_BYTES},
};
use futures_util::stream;
use host::Request;
use http::header;
use multer::{Constraints, Multipart, SizeLimit};
use std::convert::Infallible;

/// A file that is one of the accepted kinds of image, by its first bytes. Whether it can be decoded shows later.
pub(crate) struct Photo {
    pub(crate) bytes: Bytes,
    pub(crate) content_type: &'static str,
}

pub(crate) struct Upload {
    pub(crate) photo: Photo,
    /// Older clients say whose photo it is.
    pub(crate) user_id: Option<i64>,
}

/// A field next to the photo is a number.
const FIELD_MAX_BYTES: u64 = 1024;

/// # Errors
/// 400 when the body is not multipart, 413 when the photo is too large, 415 when it is not an accepted image, 422 when
/// it is missing, empty or not alone.
pub(crate) async fn read(request: Request) -> Result<Upload, Problem> {
    let mut multipart = multipart(request)?;
    let (mut photo, mut user_id) = (None, None);
    while let Some(field) = multipart.next_field().await.map_err(|cause| problem(&cause))? {
        match field.name() {
            Some(PHOTO_FIELD) => {
                let bytes = field.bytes().await.map_err(|cause| problem(&cause))?;
                if photo.replace(bytes).is_some() {
                    return Err(Problem::invalid_field(
                        PHOTO_FIELD,
                        "is given more than once: send one photo",
                    ));
                }
            }
            Some("user_id") => {
                let text = field.text().await.map_err(|cause| problem(&cause))?;
                let number = text.trim().parse();
                user_id =
                    Some(number.map_err(|_| Problem::invalid_field("user_id", "must be a whole number"))?);
            }
            _ => {}
        }
    }
    let bytes = photo.ok_or_else(|| Problem::invalid_field(PHOTO_FIELD, "is required"))?;
    if bytes.is_empty() {
        return Err(Problem::invalid_field(PHOTO_FIELD, "is empty"));
    }
    Ok(Upload { photo: recognised(bytes)?, user_id })
}

fn multipart(request: Request) -> Result<Multipart<'static>, Problem> {
    let content_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let boundary = multer::parse_boundary(content_type.unwrap_or_default()).map_err(|_| {
        Problem::bad_request(format!(
            "Send the photo as multipart/form-data in the file field {PHOTO_FIELD}."
        ))
    })?;
    let limits = SizeLimit::new().per_field(FIELD_MAX_BYTES).for_field(PHOTO_FIELD, PHOTO_MAX_BYTES as u64);
    let body = Bytes::from(request.into_body().to_vec());
    let body = stream::iter([Ok::<_, Infallible>(body)]);
    Ok(Multipart::with_constraints(body, boundary, Constraints::new().size_limit(limits)))
}

/// What the client says the file is does not count, only what it is.
fn recognised(bytes: Bytes) -> Result<Photo, Problem> {
    let actual = infer::get(&bytes).map(|kind| kind.mime_type());
    let accepted = PHOTO_CONTENT_TYPES.iter().find(|accepted| Some(**accepted) == actual);
    match accepted {
        Some(content_type) => Ok(Photo { bytes, content_type }),
        None => Err(Problem::unsupported_media_type("The photo must be a JPEG, PNG or WebP image.")),
    }
}

fn problem(cause: &multer::Error) -> Problem {
    match cause {
        multer::Error::FieldSizeExceeded { field_name: Some(name), .. } if name == PHOTO_FIELD => {
            Problem::too_large(PHOTO_MAX_BYTES)
        }
        multer::Error::FieldSizeExceeded { .. } => {
            Problem::bad_request("A field next to the photo is too long.")
        }
        _ => Problem::bad_request("The body is not complete multipart/form-data."),
    }
}
