//! Bodies of `verify`: a photo, and what becomes of it.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The largest photo that is accepted, in bytes.
pub const PHOTO_MAX_BYTES: usize = 10 * 1024 * 1024;

/// The multipart field that carries the photo.
pub const PHOTO_FIELD: &str = "user_photo";

/// The content types of photos that are accepted.
pub const PHOTO_CONTENT_TYPES: &[&str] = &["image/jpeg", "image/png", "image/webp"];

/// `pending` becomes one of the other two, once, and never changes again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Status {
    Pending,
    Verified,
    Rejected,
}

impl Status {
    pub const fn is_decided(self) -> bool {
        !matches!(self, Self::Pending)
    }

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Verified => "verified",
            Self::Rejected => "rejected",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::Pending, Self::Verified, Self::Rejected].into_iter().find(|s| s.as_str() == text)
    }
}

/// What `verify` answers, for a new photo and for the state of the latest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct VerificationBody {
    #[cfg_attr(feature = "openapi", schema(example = "File saved successfully"))]
    pub message: String,
    pub verification_id: Uuid,
    #[cfg_attr(feature = "openapi", schema(example = 1))]
    pub user_id: i64,
    pub status: Status,
    /// Why the photo was rejected, as a sentence a person can act on; null otherwise.
    pub reason: Option<String>,
    /// What `get_vector` takes as `path`.
    #[cfg_attr(feature = "openapi", schema(example = "photos/1/0198c5b0-7b7e-7000-8000-000000000000"))]
    pub path: String,
}

/// The object key of a photo, which is also its `path`.
pub fn photo_path(user_id: i64, verification_id: Uuid) -> String {
    format!("photos/{user_id}/{verification_id}")
}

/// The user and the verification that a `path` names; `None` when it is not of the form that
/// [`photo_path`] makes.
pub fn parse_photo_path(path: &str) -> Option<(i64, Uuid)> {
    let (user_id, verification_id) = path.strip_prefix("photos/")?.split_once('/')?;
    let (user_id, verification_id) = (user_id.parse().ok()?, Uuid::try_parse(verification_id).ok()?);
    // Other spellings of the same numbers (`+1`, upper case) name no object.
    (photo_path(user_id, verification_id) == path).then_some((user_id, verification_id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_canonical_path_is_a_path() {
        let id = Uuid::from_u128(0xabc);
        assert_eq!(parse_photo_path(&photo_path(7, id)), Some((7, id)));
        for wrong in
            ["", "photos/7", "photos/+7/00000000-0000-0000-0000-000000000abc", "photos/7/x", "../etc/passwd"]
        {
            assert_eq!(parse_photo_path(wrong), None, "{wrong}");
        }
        let upper = photo_path(7, id).replace("abc", "ABC");
        assert_eq!(parse_photo_path(&upper), None);
    }
}
