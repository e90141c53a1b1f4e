//! YuNet: where the faces are, and where their eyes, noses and mouths.

use crate::{PhotoError, models::internal};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer, images::Image};
use image::RgbImage;
use ort::{session::Session, value::TensorRef};

/// The longer side of the picture that the network sees, in pixels. Larger is slower and finds landmarks less well on
/// large faces, which is what photos for a verification have.
const LONG_SIDE: u32 = 320;
/// The network halves the picture five times.
const MULTIPLE: u32 = 32;
/// The cells of the three grids, in pixels.
const STRIDES: [usize; 3] = [8, 16, 32];
/// OpenCV's default for YuNet is 0.9, which misses faces at an angle.
const SCORE_MIN: f32 = 0.8;
/// Two boxes that overlap by more than this, as intersection over union, are one face: OpenCV's default.
const OVERLAP_MAX: f32 = 0.3;
/// The least width of a face that counts, in pixels of the photo: below it the aligned face is mostly guessed.
const FACE_WIDTH_MIN: f32 = 48.0;
/// A face counts as another one beside the largest from this share of its width: smaller ones are passers-by.
const OTHER_FACE_SHARE: f32 = 0.5;

/// A face, in pixels of the photo.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Detection {
    pub left: f32,
    pub top: f32,
    pub width: f32,
    pub height: f32,
    /// Right eye, left eye, nose, right and left corner of the mouth, as seen by the person: x and y.
    pub landmarks: [(f32, f32); 5],
    /// 0 to 1.
    pub score: f32,
}

/// The one face of the photo.
pub(crate) fn single_face(session: &mut Session, photo: &RgbImage) -> Result<Detection, PhotoError> {
    let mut faces = detect(session, photo)?;
    faces.sort_by(|a, b| b.width.total_cmp(&a.width));
    let largest = *faces.first().ok_or(PhotoError::NoFace)?;
    match faces.get(1) {
        Some(second) if second.width >= largest.width * OTHER_FACE_SHARE => Err(PhotoError::SeveralFaces),
        _ if largest.width < FACE_WIDTH_MIN => Err(PhotoError::FaceTooSmall),
        _ => Ok(largest),
    }
}

/// All faces, each once.
fn detect(session: &mut Session, photo: &RgbImage) -> Result<Vec<Detection>, PhotoError> {
    let scale = (f64::from(LONG_SIDE) / f64::from(photo.width().max(photo.height()))) as f32;
    let picture = Picture::of(photo, scale)?;
    let shape = [1, 3, picture.height, picture.width];
    let input = TensorRef::from_array_view((shape, picture.planes.as_slice())).map_err(internal)?;
    let outputs = session.run(ort::inputs!["input" => input]).map_err(internal)?;
    let output = |name: &str, stride: usize| {
        let output = outputs
            .get(format!("{name}_{stride}"))
            .ok_or_else(|| PhotoError::Internal("no output".into()))?;
        output.try_extract_tensor::<f32>().map(|(_, values)| values).map_err(internal)
    };
    let mut candidates = Vec::new();
    for stride in STRIDES {
        let grid = Grid {
            columns: picture.width / stride,
            stride: stride as f32,
            class: output("cls", stride)?,
            object: output("obj", stride)?,
            boxes: output("bbox", stride)?,
            landmarks: output("kps", stride)?,
        };
        candidates.extend((0..grid.class.len()).filter_map(|cell| grid.face_at(cell, 1.0 / scale)));
    }
    Ok(without_overlaps(candidates))
}

/// The photo as the network wants it: scaled, on a black ground whose sides are multiples of [`MULTIPLE`], as three
/// planes in the order blue, green, red, 0 to 255.
struct Picture {
    width: usize,
    height: usize,
    planes: Vec<f32>,
}

impl Picture {
    fn of(photo: &RgbImage, scale: f32) -> Result<Self, PhotoError> {
        let scaled = |side: u32| ((side as f32 * scale).round() as u32).clamp(1, LONG_SIDE);
        let (columns, rows) = (scaled(photo.width()), scaled(photo.height()));
        let source = fast_image_resize::images::ImageRef::new(
            photo.width(),
            photo.height(),
            photo.as_raw(),
            PixelType::U8x3,
        );
        let source = source.map_err(|cause| PhotoError::Internal(cause.to_string()))?;
        let mut target = Image::new(columns, rows, PixelType::U8x3);
        let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Bilinear));
        let resized = Resizer::new().resize(&source, &mut target, &options);
        resized.map_err(|cause| PhotoError::Internal(cause.to_string()))?;

        let (width, height) =
            (columns.next_multiple_of(MULTIPLE) as usize, rows.next_multiple_of(MULTIPLE) as usize);
        let mut planes = vec![0.0; 3 * width * height];
        for (row, pixels) in target.buffer().chunks_exact(3 * columns as usize).enumerate() {
            for (column, pixel) in pixels.chunks_exact(3).enumerate() {
                for (plane, value) in pixel.iter().rev().enumerate() {
                    planes[(plane * height + row) * width + column] = f32::from(*value);
                }
            }
        }
        Ok(Self { width, height, planes })
    }
}

/// What the network says for one size of cells.
struct Grid<'a> {
    columns: usize,
    stride: f32,
    class: &'a [f32],
    object: &'a [f32],
    boxes: &'a [f32],
    landmarks: &'a [f32],
}

impl Grid<'_> {
    /// The face that the network sees from a cell, in pixels of the photo. The formulas are those of OpenCV's
    /// `FaceDetectorYN::postProcess`.
    fn face_at(&self, cell: usize, to_photo: f32) -> Option<Detection> {
        let score = (self.class[cell].clamp(0.0, 1.0) * self.object[cell].clamp(0.0, 1.0)).sqrt();
        if score < SCORE_MIN {
            return None;
        }
        let (column, row) = ((cell % self.columns) as f32, (cell / self.columns) as f32);
        let unit = self.stride * to_photo;
        let [dx, dy, log_width, log_height] = self.boxes[4 * cell..][..4] else { return None };
        let (width, height) = (log_width.exp() * unit, log_height.exp() * unit);
        let point = |index: usize| {
            let offset = 10 * cell + 2 * index;
            ((self.landmarks[offset] + column) * unit, (self.landmarks[offset + 1] + row) * unit)
        };
        Some(Detection {
            left: (column + dx) * unit - width / 2.0,
            top: (row + dy) * unit - height / 2.0,
            width,
            height,
            landmarks: std::array::from_fn(point),
            score,
        })
    }
}

/// Non-maximum suppression: of boxes that overlap, the one with the best score.
fn without_overlaps(mut candidates: Vec<Detection>) -> Vec<Detection> {
    candidates.sort_by(|a, b| b.score.total_cmp(&a.score));
    let mut kept: Vec<Detection> = Vec::new();
    for candidate in candidates {
        if kept.iter().all(|better| overlap(better, &candidate) <= OVERLAP_MAX) {
            kept.push(candidate);
        }
    }
    kept
}

/// Intersection over union.
fn overlap(a: &Detection, b: &Detection) -> f32 {
    let width = (a.left + a.width).min(b.left + b.width) - a.left.max(b.left);
    let height = (a.top + a.height).min(b.top + b.height) - a.top.max(b.top);
    let shared = width.max(0.0) * height.max(0.0);
    shared / (a.width * a.height + b.width * b.height - shared)
}
