//! The models behind a queue, for async functions.

use crate::{Face, FaceModels, PhotoError};
use bytes::Bytes;
use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

/// Computes faces off the async threads, one at a time. Who comes while it is busy waits: an instance has one core,
/// and is scaled by instances.
#[derive(Clone)]
pub struct FaceWorker {
    models: Arc<Mutex<FaceModels>>,
}

impl FaceWorker {
    /// With the models of `FACE_MODEL_DIR` on the ONNX Runtime `ORT_DYLIB_PATH`. Takes about a tenth of a second.
    ///
    /// # Errors
    /// A variable is missing, or what it names cannot be loaded.
    pub fn from_env() -> Result<Self, settings::Error> {
        let model_dir: PathBuf = settings::required("FACE_MODEL_DIR")?;
        let runtime: PathBuf = settings::required("ORT_DYLIB_PATH")?;
        let models = FaceModels::load(&model_dir, &runtime).map_err(|cause| {
            settings::Error::new("FACE_MODEL_DIR", format!("or ORT_DYLIB_PATH is wrong: {cause}"))
        })?;
        Ok(Self { models: Arc::new(Mutex::new(models)) })
    }

    /// The one face on `photo`.
    ///
    /// # Errors
    /// As [`FaceModels::embed`].
    pub async fn embed(&self, photo: Bytes) -> Result<Face, PhotoError> {
        let models = self.models.clone();
        let computed = tokio::task::spawn_blocking(move || {
            // A photo that made the models panic leaves nothing behind in them: each run starts anew.
            let mut models = models.lock().unwrap_or_else(PoisonError::into_inner);
            models.embed(&photo)
        });
        computed.await.unwrap_or_else(|cause| Err(PhotoError::Internal(cause.to_string())))
    }
}
