//! The two networks, loaded.

use crate::{Face, PhotoError, align, decode, detect, embed};
use ort::{
    environment::Environment,
    session::{Session, builder::GraphOptimizationLevel},
};
use std::{fmt::Display, path::Path, sync::Mutex};

/// ONNX Runtime is loaded once in a process, whatever is loaded with it.
static RUNTIME: Mutex<Option<Environment>> = Mutex::new(None);

/// Both networks. One photo at a time: `embed` needs them for itself.
pub struct FaceModels {
    detector: Session,
    recogniser: Session,
}

#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    #[error("ONNX Runtime cannot be loaded: {0}")]
    Runtime(String),
    #[error("the model {file} cannot be loaded: {cause}")]
    Model { file: &'static str, cause: String },
}

impl FaceModels {
    /// Loads `yunet.onnx` and `sface.onnx` of `model_dir`, as `models/prepare_models.py` makes them, on the ONNX Runtime
    /// whose shared library is `runtime`.
    ///
    /// # Errors
    /// The library or a model is not there or not usable.
    pub fn load(model_dir: &Path, runtime: &Path) -> Result<Self, LoadError> {
        let environment = environment(runtime)?;
        let load = |file: &'static str| {
            let wrong = |cause: String| LoadError::Model { file, cause };
            session(&environment, &model_dir.join(file)).map_err(wrong)
        };
        Ok(Self { detector: load("yunet.onnx")?, recogniser: load("sface.onnx")? })
    }

    /// The one face on `photo`, a file's content. Takes about 30 ms of one core for a photo of a megapixel, so it does
    /// not belong on an async thread: see [`crate::FaceWorker`].
    ///
    /// # Errors
    /// There is not exactly one face that counts, or the photo cannot be read.
    pub fn embed(&mut self, photo: &[u8]) -> Result<Face, PhotoError> {
        let photo = decode::decode(photo)?;
        let detection = detect::single_face(&mut self.detector, &photo)?;
        let aligned = align::aligned_face(&photo, &detection.landmarks);
        let embedding = embed::embedding(&mut self.recogniser, &aligned)?;
        Ok(Face { detection, embedding })
    }
}

fn environment(runtime: &Path) -> Result<Environment, LoadError> {
    let mut loaded = RUNTIME.lock().map_err(|_| LoadError::Runtime("an earlier attempt panicked".into()))?;
    if let Some(environment) = &*loaded {
        return Ok(environment.clone());
    }
    let builder = ort::init_from(runtime).map_err(|cause| LoadError::Runtime(cause.to_string()))?;
    let environment =
        builder.with_telemetry(false).build().map_err(|cause| LoadError::Runtime(cause.to_string()))?;
    *loaded = Some(environment.clone());
    Ok(environment)
}

/// One thread, no spinning: a function has a core or less, and is scaled by instances. Prepacking would double the time
/// of loading for a few percent of speed.
fn session(environment: &Environment, model: &Path) -> Result<Session, String> {
    let text = |cause: &dyn Display| cause.to_string();
    Session::builder(environment)
        .map_err(|cause| text(&cause))?
        .with_optimization_level(GraphOptimizationLevel::All)
        .map_err(|cause| text(&cause))?
        .with_intra_threads(1)
        .map_err(|cause| text(&cause))?
        .with_intra_op_spinning(false)
        .map_err(|cause| text(&cause))?
        .with_prepacking(false)
        .map_err(|cause| text(&cause))?
        .commit_from_file(model)
        .map_err(|cause| text(&cause))
}

pub(crate) fn internal(cause: impl Display) -> PhotoError {
    PhotoError::Internal(cause.to_string())
}
