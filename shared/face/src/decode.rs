//! Photos to pixels, within limits: what comes from outside may be broken or hostile.

use crate::PhotoError;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits, RgbImage, metadata::Orientation};
use std::io::Cursor;
use zune_core::{bytestream::ZCursor, colorspace::ColorSpace, options::DecoderOptions};
use zune_jpeg::JpegDecoder;

/// The most pixels that are decoded: 75 MB as RGB.
pub(crate) const PIXELS_MAX: u64 = 25_000_000;
/// The most pixels along one side.
const SIDE_MAX: u32 = 12_000;
/// The most memory that a decoder may ask for besides, in bytes.
const ALLOCATION_MAX_BYTES: u64 = 128 * 1024 * 1024;

/// The photo as it is to be looked at, its EXIF orientation applied. What the bytes are is told by the bytes.
pub(crate) fn decode(photo: &[u8]) -> Result<RgbImage, PhotoError> {
    match image::guess_format(photo) {
        Ok(ImageFormat::Jpeg) => decode_jpeg(photo),
        Ok(format @ (ImageFormat::Png | ImageFormat::WebP)) => decode_lossless(photo, format),
        _ => Err(PhotoError::UnsupportedFormat),
    }
}

/// `image` decodes a truncated JPEG without an error, filling up with grey; its own decoder, asked strictly, does not.
fn decode_jpeg(photo: &[u8]) -> Result<RgbImage, PhotoError> {
    let options = DecoderOptions::default()
        .set_strict_mode(true)
        .set_max_width(SIDE_MAX as usize)
        .set_max_height(SIDE_MAX as usize)
        .jpeg_set_out_colorspace(ColorSpace::RGB);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(photo), options);
    decoder.decode_headers().map_err(|_| PhotoError::Unreadable)?;
    let (width, height) = decoder.dimensions().ok_or(PhotoError::Unreadable)?;
    let (width, height) = (u32::try_from(width), u32::try_from(height));
    let (width, height) =
        (width.map_err(|_| PhotoError::TooManyPixels)?, height.map_err(|_| PhotoError::TooManyPixels)?);
    check_size(width, height)?;
    let pixels = decoder.decode().map_err(|_| PhotoError::Unreadable)?;
    let image = match RgbImage::from_raw(width, height, pixels) {
        Some(image) => DynamicImage::ImageRgb8(image),
        None => return Err(PhotoError::Unreadable),
    };
    let orientation = decoder.exif().and_then(|exif| Orientation::from_exif_chunk(exif));
    Ok(upright(image, orientation.unwrap_or(Orientation::NoTransforms)))
}

fn decode_lossless(photo: &[u8], format: ImageFormat) -> Result<RgbImage, PhotoError> {
    let mut limits = Limits::default();
    limits.max_image_width = Some(SIDE_MAX);
    limits.max_image_height = Some(SIDE_MAX);
    limits.max_alloc = Some(ALLOCATION_MAX_BYTES);
    let mut reader = ImageReader::with_format(Cursor::new(photo), format);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(|cause| refused(&cause))?;
    let (width, height) = decoder.dimensions();
    check_size(width, height)?;
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let image = DynamicImage::from_decoder(decoder).map_err(|cause| refused(&cause))?;
    Ok(upright(image, orientation))
}

fn refused(cause: &image::ImageError) -> PhotoError {
    match cause {
        image::ImageError::Limits(_) => PhotoError::TooManyPixels,
        _ => PhotoError::Unreadable,
    }
}

fn check_size(width: u32, height: u32) -> Result<(), PhotoError> {
    match u64::from(width) * u64::from(height) {
        0 => Err(PhotoError::Unreadable),
        pixels if pixels > PIXELS_MAX || width.max(height) > SIDE_MAX => Err(PhotoError::TooManyPixels),
        _ => Ok(()),
    }
}

fn upright(mut image: DynamicImage, orientation: Orientation) -> RgbImage {
    image.apply_orientation(orientation);
    image.into_rgb8()
}
