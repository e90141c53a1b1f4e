//! One face on a photo becomes 128 numbers.
//!
//! Decode (JPEG, PNG, WebP, within limits) → detect with YuNet → align by five landmarks → embed with SFace, on ONNX
//! Runtime, whose shared library is loaded at run time. Two photos show the same person when the cosine of their
//! embeddings is at least [`MATCH_THRESHOLD`].

mod align;
mod decode;
mod detect;
mod embed;
mod models;
mod worker;

pub use detect::Detection;
pub use embed::Embedding;
pub use models::{FaceModels, LoadError};
pub use worker::FaceWorker;

/// The cosine from which two faces count as the same person's. OpenCV publishes 0.363 for SFace; on 453 labelled
/// pairs unrelated photos reached 0.404, and 0.43 made no error.
pub const MATCH_THRESHOLD: f32 = 0.43;

/// The face on a photo.
#[derive(Debug, Clone, PartialEq)]
pub struct Face {
    pub detection: Detection,
    pub embedding: Embedding,
}

/// Why a photo gives no face that counts. The text is a sentence that a person can act on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PhotoError {
    #[error("The photo is not a JPEG, PNG or WebP image. Upload one of these.")]
    UnsupportedFormat,
    #[error("The photo is damaged or incomplete. Upload it again.")]
    Unreadable,
    #[error("The photo has too many pixels. Upload one of at most {} megapixels.", decode::PIXELS_MAX / 1_000_000)]
    TooManyPixels,
    #[error("There is no face on the photo. Upload a photo that shows your face from the front.")]
    NoFace,
    #[error("There are several faces on the photo. Upload a photo that shows you alone.")]
    SeveralFaces,
    #[error("The face on the photo is too small. Come closer to the camera.")]
    FaceTooSmall,
    /// Not the photo's fault. The text is for the log.
    #[error("the face could not be computed: {0}")]
    Internal(String),
}
