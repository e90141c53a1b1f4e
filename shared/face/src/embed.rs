//! SFace: an aligned face becomes 128 numbers.

use crate::{PhotoError, align::SIDE, models::internal};
use ort::{session::Session, value::TensorRef};

/// The length of an [`Embedding`].
const DIMENSIONS: usize = 128;

/// A face as a point on the unit sphere of 128 dimensions: near to other photos of the same person.
#[derive(Debug, Clone, PartialEq)]
pub struct Embedding([f32; DIMENSIONS]);

impl Embedding {
    /// The cosine of the angle between two embeddings: −1 to 1, 1 for the same.
    pub fn cosine(&self, other: &Self) -> f32 {
        self.0.iter().zip(&other.0).map(|(a, b)| a * b).sum()
    }

    pub fn as_slice(&self) -> &[f32] {
        &self.0
    }

    /// Scales to length 1; `None` when that cannot be done.
    fn normalised(values: [f32; DIMENSIONS]) -> Option<Self> {
        let length = values.iter().map(|value| value * value).sum::<f32>().sqrt();
        (length.is_normal()).then(|| Self(values.map(|value| value / length)))
    }
}

/// The numbers are not an embedding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an embedding is {DIMENSIONS} finite numbers that are not all zero")]
pub struct NotAnEmbedding;

impl TryFrom<&[f64]> for Embedding {
    type Error = NotAnEmbedding;

    fn try_from(values: &[f64]) -> Result<Self, NotAnEmbedding> {
        let values: [f64; DIMENSIONS] = values.try_into().map_err(|_| NotAnEmbedding)?;
        Self::normalised(values.map(|value| value as f32)).ok_or(NotAnEmbedding)
    }
}

/// `face` is what `align::aligned_face` makes. Mean and scale are part of the network.
pub(crate) fn embedding(session: &mut Session, face: &[f32]) -> Result<Embedding, PhotoError> {
    let input = TensorRef::from_array_view(([1, 3, SIDE, SIDE], face)).map_err(internal)?;
    let outputs = session.run(ort::inputs!["data" => input]).map_err(internal)?;
    let output = outputs.get("fc1").ok_or_else(|| PhotoError::Internal("SFace has no output fc1".into()))?;
    let (_, values) = output.try_extract_tensor::<f32>().map_err(internal)?;
    let values =
        values.try_into().map_err(|_| PhotoError::Internal("SFace's output has another size".into()))?;
    Embedding::normalised(values).ok_or_else(|| PhotoError::Internal("SFace's output is not finite".into()))
}
