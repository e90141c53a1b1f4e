//! The embedding of a photo agrees with what OpenCV's own detector and recogniser make of it on the same models.
#![expect(clippy::print_stdout, reason = "the numbers are worth seeing: cargo test -- --nocapture")]

use face::{Embedding, FaceModels};
use fast_image_resize::{FilterType, ResizeAlg, ResizeOptions, Resizer};
use image::{DynamicImage, RgbImage};
use localstack::faces::{FaceFiles, Photos, python_with_opencv, read};
use serde::Deserialize;
use std::process::Command;

#[derive(Deserialize)]
struct Reference {
    embedding: Vec<f64>,
    landmarks: Vec<f32>,
}

/// The photo as large as the detector sees it, scaled as the crate scales it.
fn scaled(photo: &RgbImage) -> DynamicImage {
    let scale = 320.0 / f64::from(photo.width().max(photo.height()));
    let side = |pixels: u32| (f64::from(pixels) * scale).round() as u32;
    let mut scaled = DynamicImage::new_rgb8(side(photo.width()), side(photo.height()));
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Bilinear));
    let resized = Resizer::new().resize(&DynamicImage::from(photo.clone()), &mut scaled, &options);
    resized.expect("scaled");
    scaled
}

#[test]
fn embeddings_agree_with_opencv() {
    let files = FaceFiles::installed().expect("the models");
    let photos = Photos::installed().expect("the photos");
    let mut models = FaceModels::load(&files.model_dir, &files.runtime).expect("usable models");
    let folder = tempfile::tempdir().expect("a folder");
    let [first, second, third] = photos.one_person();
    // As PNG, because two JPEG decoders never agree on every pixel.
    let pngs = [first, second, third, photos.another_person(), photos.third_person()].map(|photo| {
        let png = folder.path().join(photo.file_name().expect("a name")).with_extension("png");
        let scaled_png = png.with_extension("scaled.png");
        let photo = image::open(&photo).expect("a photo").into_rgb8();
        photo.save(&png).expect("saved");
        scaled(&photo).save(&scaled_png).expect("saved");
        (png, scaled_png)
    });
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/opencv_reference.py");
    let mut python = Command::new(python_with_opencv().expect("OpenCV"));
    let output = python
        .arg(script)
        .arg(&files.model_dir)
        .args(pngs.iter().flat_map(|(png, scaled)| [png, scaled]))
        .output()
        .expect("Python runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let references: Vec<Reference> = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(references.len(), pngs.len());

    for ((png, _), reference) in pngs.iter().zip(references) {
        let ours = models.embed(&read(png).expect("a photo")).expect("a face");
        let theirs = Embedding::try_from(reference.embedding.as_slice()).expect("128 numbers");
        let cosine = ours.embedding.cosine(&theirs);
        let landmarks = ours.detection.landmarks.iter().flat_map(|(x, y)| [x, y]).zip(&reference.landmarks);
        let off = landmarks.map(|(ours, theirs)| (ours - theirs).abs()).fold(0.0, f32::max);
        println!("{}: cosine {cosine:.5}, landmarks within {off:.2} pixels", png.display());
        assert!(cosine > 0.999, "{}: {cosine}, landmarks within {off} pixels", png.display());
    }
}
