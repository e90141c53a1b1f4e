//! Real photos and hostile ones, on the real models.

use face::{Face, FaceModels, MATCH_THRESHOLD, PhotoError};
use image::{DynamicImage, ImageFormat, RgbImage, imageops};
use localstack::faces::{FaceFiles, Photos, read};
use proptest::prelude::*;
use std::{
    io::Cursor,
    path::Path,
    sync::{LazyLock, Mutex, PoisonError},
};

static PHOTOS: LazyLock<Photos> = LazyLock::new(|| Photos::installed().expect("the photos"));
static MODELS: LazyLock<Mutex<FaceModels>> = LazyLock::new(|| {
    let files = FaceFiles::installed().expect("the models");
    Mutex::new(FaceModels::load(&files.model_dir, &files.runtime).expect("usable models"))
});

fn embed(photo: &[u8]) -> Result<Face, PhotoError> {
    MODELS.lock().unwrap_or_else(PoisonError::into_inner).embed(photo)
}

fn face(photo: &Path) -> Face {
    embed(&read(photo).expect("a photo")).unwrap_or_else(|error| panic!("{}: {error}", photo.display()))
}

fn pixels(photo: &Path) -> RgbImage {
    image::open(photo).expect("a photo").into_rgb8()
}

fn encoded(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, format).expect("encoded");
    bytes.into_inner()
}

#[test]
fn one_person_matches_and_others_do_not() {
    let one = PHOTOS.one_person().map(|photo| face(&photo));
    let others = [PHOTOS.another_person(), PHOTOS.third_person()].map(|photo| face(&photo));
    for (index, photo) in one.iter().enumerate() {
        for same in &one[index + 1..] {
            let cosine = photo.embedding.cosine(&same.embedding);
            assert!(cosine >= MATCH_THRESHOLD, "the same person: {cosine}");
        }
        for other in &others {
            let cosine = photo.embedding.cosine(&other.embedding);
            assert!(cosine < MATCH_THRESHOLD, "another person: {cosine}");
        }
    }
    assert!(others[0].embedding.cosine(&others[1].embedding) < MATCH_THRESHOLD);
}

#[test]
fn an_embedding_has_length_one() {
    let face = face(&PHOTOS.third_person());
    assert!((face.embedding.cosine(&face.embedding) - 1.0).abs() < 1e-5);
    assert_eq!(face.embedding.as_slice().len(), 128);
}

#[test]
fn a_picture_without_a_face_and_one_with_two_are_refused() {
    assert_eq!(embed(&read(&PHOTOS.no_face()).expect("a picture")), Err(PhotoError::NoFace));
    let person = pixels(&PHOTOS.third_person());
    let mut two = RgbImage::new(person.width() * 2, person.height());
    imageops::replace(&mut two, &person, 0, 0);
    imageops::replace(&mut two, &person, person.width().into(), 0);
    assert_eq!(embed(&encoded(&two.into(), ImageFormat::Png)), Err(PhotoError::SeveralFaces));
}

#[test]
fn a_face_of_a_few_pixels_is_too_small() {
    let person = pixels(&PHOTOS.third_person());
    let face = face(&PHOTOS.third_person()).detection;
    let small = 30.0 / face.width;
    let (width, height) = (person.width() as f32 * small, person.height() as f32 * small);
    let small = imageops::resize(&person, width as u32, height as u32, imageops::FilterType::Triangle);
    assert_eq!(embed(&encoded(&small.into(), ImageFormat::Png)), Err(PhotoError::FaceTooSmall));
}

#[test]
fn the_format_does_not_change_whose_face_it_is() {
    let photo = DynamicImage::from(pixels(&PHOTOS.third_person()));
    let reference = face(&PHOTOS.third_person()).embedding;
    let grey = DynamicImage::from(photo.to_luma8());
    for (name, bytes) in [
        ("JPEG", encoded(&photo, ImageFormat::Jpeg)),
        ("WebP", encoded(&photo, ImageFormat::WebP)),
        ("PNG with alpha", encoded(&photo.to_rgba8().into(), ImageFormat::Png)),
        ("PNG of 16 bits", encoded(&photo.to_rgb16().into(), ImageFormat::Png)),
        ("grey PNG", encoded(&grey, ImageFormat::Png)),
        ("grey JPEG", encoded(&grey, ImageFormat::Jpeg)),
    ] {
        let cosine =
            embed(&bytes).unwrap_or_else(|error| panic!("{name}: {error}")).embedding.cosine(&reference);
        assert!(cosine > 0.7, "{name}: {cosine}");
    }
}

#[test]
fn a_photo_that_lies_on_its_side_is_turned_as_its_exif_says() {
    let upright = DynamicImage::from(pixels(&PHOTOS.third_person()));
    let reference = face(&PHOTOS.third_person()).embedding;
    // EXIF orientation 6: turn by 90 degrees clockwise to see it upright.
    let exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
    let jpeg = encoded(&upright.rotate270(), ImageFormat::Jpeg);
    let length = u16::try_from(exif.len() + 2).expect("short").to_be_bytes();
    let turned = [&jpeg[..2], &[0xff, 0xe1], &length, exif, &jpeg[2..]].concat();
    assert!(embed(&turned).expect("a face").embedding.cosine(&reference) > 0.9);
}

#[test]
fn what_is_broken_is_refused_by_its_reason() {
    let photo = read(&PHOTOS.another_person()).expect("a photo");
    for share in [10, 50, 90] {
        let truncated = &photo[..photo.len() * share / 100];
        assert_eq!(embed(truncated), Err(PhotoError::Unreadable), "a JPEG cut at {share} %");
    }
    let png = read(&PHOTOS.third_person()).expect("a photo");
    assert_eq!(embed(&png[..png.len() / 2]), Err(PhotoError::Unreadable), "a PNG cut in half");
    assert_eq!(embed(b""), Err(PhotoError::UnsupportedFormat));
    assert_eq!(embed(b"GIF89a\x01\0\x01\0\0\0\0;"), Err(PhotoError::UnsupportedFormat));
    assert_eq!(embed(b"<svg xmlns='http://www.w3.org/2000/svg'/>"), Err(PhotoError::UnsupportedFormat));
}

/// A PNG whose header promises more pixels than anybody has memory for.
#[test]
fn a_bomb_is_refused_before_it_is_decoded() {
    let mut png = encoded(&DynamicImage::new_rgb8(1, 1), ImageFormat::Png);
    for (width, height) in [(60_000_u32, 60_000_u32), (11_000, 11_000), (u32::MAX, 1)] {
        png[16..20].copy_from_slice(&width.to_be_bytes());
        png[20..24].copy_from_slice(&height.to_be_bytes());
        let checksum = crc32(&png[12..29]);
        png[29..33].copy_from_slice(&checksum.to_be_bytes());
        let refused = embed(&png);
        assert!(matches!(refused, Err(PhotoError::TooManyPixels | PhotoError::Unreadable)), "{refused:?}");
    }
}

/// The checksum of a PNG chunk (ISO 3309).
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 * (crc & 1)))
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_make_it_panic(start in 0_usize..3, rest in proptest::collection::vec(any::<u8>(), 0..400)) {
        let start: &[u8] = [b"\xff\xd8\xff\xe0".as_slice(), b"\x89PNG\r\n\x1a\n", b"RIFF\0\0\0\0WEBPVP8 "][start];
        prop_assert!(embed(&[start, &rest].concat()).is_err());
    }

    #[test]
    fn no_flipped_byte_makes_it_panic(place in 2_usize..2_000, value in any::<u8>()) {
        static JPEG: LazyLock<Vec<u8>> = LazyLock::new(|| {
            let small = image::open(PHOTOS.another_person()).expect("a photo").thumbnail(160, 160);
            encoded(&small, ImageFormat::Jpeg)
        });
        let mut photo = JPEG.clone();
        let place = place % photo.len();
        photo[place] = value;
        // Whether a face is still seen is open; that there is an answer is not.
        let _ = embed(&photo);
    }
}
