//! Turns, scales and moves a face so that its landmarks lie where SFace was trained to find them.

use image::RgbImage;

/// The side of the aligned face, in pixels.
pub(crate) const SIDE: usize = 112;

/// Where the landmarks belong: the template of ArcFace, which OpenCV's `FaceRecognizerSF::alignCrop` uses.
const TEMPLATE: [(f32, f32); 5] =
    [(38.2946, 51.6963), (73.5318, 51.5014), (56.0252, 71.7366), (41.5493, 92.3655), (70.7299, 92.2041)];

/// The aligned face as three planes in the order red, green, blue, 0 to 255; outside of the photo is black.
pub(crate) fn aligned_face(photo: &RgbImage, landmarks: &[(f32, f32); 5]) -> Vec<f32> {
    let to_photo = Similarity::from_to(&TEMPLATE, landmarks);
    let mut planes = vec![0.0; 3 * SIDE * SIDE];
    for row in 0..SIDE {
        for column in 0..SIDE {
            let (x, y) = to_photo.apply((column as f32, row as f32));
            for (plane, value) in bilinear(photo, x, y).into_iter().enumerate() {
                planes[(plane * SIDE + row) * SIDE + column] = value;
            }
        }
    }
    planes
}

/// A turn, a scale and a move: `(x, y) → (a·x − b·y + tx, b·x + a·y + ty)`.
struct Similarity {
    a: f32,
    b: f32,
    tx: f32,
    ty: f32,
}

impl Similarity {
    /// The similarity that takes each point nearest to its partner in the sense of least squares: in two
    /// dimensions, and without a reflection, Umeyama's solution has this closed form on points about their means.
    ///
    /// OpenCV solves for photo → template and inverts; here it is solved in the same direction and inverted, because
    /// the errors are weighed differently in the other one.
    fn from_to(template: &[(f32, f32); 5], photo: &[(f32, f32); 5]) -> Self {
        let (p_mean, q_mean) = (mean(photo), mean(template));
        let (mut dot, mut cross, mut square) = (0.0, 0.0, 0.0);
        for (p, q) in photo.iter().zip(template) {
            let (px, py) = (f64::from(p.0) - p_mean.0, f64::from(p.1) - p_mean.1);
            let (qx, qy) = (f64::from(q.0) - q_mean.0, f64::from(q.1) - q_mean.1);
            dot += px * qx + py * qy;
            cross += px * qy - py * qx;
            square += px * px + py * py;
        }
        let (a, b) = (dot / square, cross / square);
        // The inverse of [a −b; b a] is [a b; −b a] / (a² + b²).
        let determinant = a * a + b * b;
        let (ia, ib) = (a / determinant, -b / determinant);
        let tx = p_mean.0 - (ia * q_mean.0 - ib * q_mean.1);
        let ty = p_mean.1 - (ib * q_mean.0 + ia * q_mean.1);
        Self { a: ia as f32, b: ib as f32, tx: tx as f32, ty: ty as f32 }
    }

    fn apply(&self, (x, y): (f32, f32)) -> (f32, f32) {
        (self.a * x - self.b * y + self.tx, self.b * x + self.a * y + self.ty)
    }
}

fn mean(points: &[(f32, f32); 5]) -> (f64, f64) {
    let sum = points.iter().fold((0.0, 0.0), |sum, p| (sum.0 + f64::from(p.0), sum.1 + f64::from(p.1)));
    (sum.0 / 5.0, sum.1 / 5.0)
}

/// The colour between the four pixels around a point.
fn bilinear(photo: &RgbImage, x: f32, y: f32) -> [f32; 3] {
    let (left, top) = (x.floor(), y.floor());
    let (right_share, bottom_share) = (x - left, y - top);
    let mut colour = [0.0; 3];
    for (dx, dy, share) in [
        (0, 0, (1.0 - right_share) * (1.0 - bottom_share)),
        (1, 0, right_share * (1.0 - bottom_share)),
        (0, 1, (1.0 - right_share) * bottom_share),
        (1, 1, right_share * bottom_share),
    ] {
        let (column, row) = (left as i64 + dx, top as i64 + dy);
        let pixel = u32::try_from(column).ok().zip(u32::try_from(row).ok());
        if let Some(pixel) = pixel.and_then(|(column, row)| photo.get_pixel_checked(column, row)) {
            for (sum, value) in colour.iter_mut().zip(pixel.0) {
                *sum += share * f32::from(value);
            }
        }
    }
    colour
}

#[cfg(test)]
mod tests {
    use super::{Similarity, TEMPLATE};

    #[test]
    fn a_face_that_was_turned_scaled_and_moved_is_found_back() {
        let (sin, cos) = 0.3_f32.sin_cos();
        let moved =
            TEMPLATE.map(|(x, y)| (2.5 * (cos * x - sin * y) + 40.0, 2.5 * (sin * x + cos * y) - 7.0));
        let to_photo = Similarity::from_to(&TEMPLATE, &moved);
        for (from, to) in TEMPLATE.into_iter().zip(moved) {
            let (x, y) = to_photo.apply(from);
            assert!(
                (x - to.0).abs() < 1e-3 && (y - to.1).abs() < 1e-3,
                "{from:?} to {x}, {y} instead of {to:?}"
            );
        }
    }
}
