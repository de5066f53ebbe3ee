//! Pictures of people and channels, made anew from what they upload: of one size, of one of two kinds, and nothing of the file
//! but its pixels.
//! Pure, and slow: not for an async thread.

use image::{
    DynamicImage, ExtendedColorType, ImageDecoder, ImageEncoder, ImageFormat, ImageReader, Limits, Rgb,
    RgbImage,
    codecs::{
        jpeg::JpegEncoder,
        png::{CompressionType, FilterType as Rows, PngEncoder},
    },
    imageops::FilterType,
};
use std::io::Cursor;

/// The side of every portrait in pixels.
pub const SIDE: u32 = 256;
/// A banner's size in pixels: four times as wide as it is high.
pub const BANNER: (u32, u32) = (1500, 375);
/// The most bytes of an upload.
pub const BYTES_MOST: usize = 4 * 1024 * 1024;
/// The longest side of what is uploaded.
const SIDE_MOST: u32 = 8192;
/// The most pixels of it, however few bytes they take.
const PIXELS_MOST: u64 = 40_000_000;
/// The most memory that decoding takes.
const MEMORY_MOST: u64 = 256 * 1024 * 1024;
const QUALITY: u8 = 86;

/// What a portrait is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Where something is transparent.
    Png,
    /// Everywhere else.
    Jpeg,
}

/// A picture that is safe to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Portrait {
    /// What it is written in.
    pub kind: Kind,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// Why a file doesn't become a portrait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PortraitError {
    /// More bytes than are taken.
    #[error("the file is too large")]
    TooLarge,
    /// Not one of the kinds that are taken.
    #[error("the file is no PNG, JPEG, WebP or GIF")]
    Kind,
    /// More pixels than are taken.
    #[error("the picture has too many pixels")]
    TooManyPixels,
    /// It is broken.
    #[error("the picture is broken")]
    Broken,
}

/// What shows through a banner where it is transparent: the ground of dark pages.
const GROUND: [u8; 3] = [0x0b, 0x12, 0x14];

/// Makes a portrait: the middle of the picture, as its camera held it. Of one that moves, the first picture.
pub fn portrait(file: &[u8]) -> Result<Portrait, PortraitError> {
    let square = cut(read(file)?, (SIDE, SIDE)).to_rgba8();
    let is_opaque = square.pixels().all(|pixel| pixel.0[3] == u8::MAX);
    if is_opaque {
        return jpeg(DynamicImage::ImageRgba8(square).to_rgb8());
    }
    let mut bytes = Vec::new();
    let encoder = PngEncoder::new_with_quality(&mut bytes, CompressionType::Best, Rows::Adaptive);
    let written = encoder.write_image(&square, SIDE, SIDE, ExtendedColorType::Rgba8);
    written.map_err(|_| PortraitError::Broken)?;
    Ok(Portrait { kind: Kind::Png, bytes })
}

/// Makes a banner in the same way. It is opaque: as a PNG it could be larger than a page should be.
pub fn banner(file: &[u8]) -> Result<Portrait, PortraitError> {
    let wide = cut(read(file)?, BANNER).to_rgba8();
    jpeg(RgbImage::from_fn(BANNER.0, BANNER.1, |x, y| {
        let [red, green, blue, alpha] = wide.get_pixel(x, y).0;
        let over = |above: u8, below: u8| {
            let (above, below, alpha) = (u32::from(above), u32::from(below), u32::from(alpha));
            ((above * alpha + below * (255 - alpha)) / 255) as u8
        };
        Rgb([over(red, GROUND[0]), over(green, GROUND[1]), over(blue, GROUND[2])])
    }))
}

fn jpeg(picture: RgbImage) -> Result<Portrait, PortraitError> {
    let mut bytes = Vec::new();
    let encoder = JpegEncoder::new_with_quality(&mut bytes, QUALITY);
    let (width, height) = picture.dimensions();
    let written = encoder.write_image(&picture, width, height, ExtendedColorType::Rgb8);
    written.map_err(|_| PortraitError::Broken)?;
    Ok(Portrait { kind: Kind::Jpeg, bytes })
}

/// The middle of a picture, of this shape and size.
fn cut(picture: DynamicImage, (width, height): (u32, u32)) -> DynamicImage {
    // Cut first: scaled whole, a line of 8192 pixels would be two million pixels long.
    let across = picture.width().min(picture.height().saturating_mul(width) / height).max(1);
    let down = picture.height().min((picture.width().saturating_mul(height) / width).max(1));
    let (left, top) = ((picture.width() - across) / 2, (picture.height() - down) / 2);
    picture.crop_imm(left, top, across, down).resize_exact(width, height, FilterType::Triangle)
}

/// The pixels of a file.
fn read(file: &[u8]) -> Result<DynamicImage, PortraitError> {
    if file.len() > BYTES_MOST {
        return Err(PortraitError::TooLarge);
    }
    // By its first bytes: what a file is called, or says of itself, is anybody's word.
    let format = image::guess_format(file).map_err(|_| PortraitError::Kind)?;
    if !matches!(format, ImageFormat::Png | ImageFormat::Jpeg | ImageFormat::WebP | ImageFormat::Gif) {
        return Err(PortraitError::Kind);
    }
    let mut limits = Limits::default();
    limits.max_image_width = Some(SIDE_MOST);
    limits.max_image_height = Some(SIDE_MOST);
    limits.max_alloc = Some(MEMORY_MOST);
    let mut reader = ImageReader::with_format(Cursor::new(file), format);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(refused)?;
    let (width, height) = decoder.dimensions();
    // What it takes in memory is more for samples of 16 bits.
    if u64::from(width) * u64::from(height) > PIXELS_MOST || decoder.total_bytes() > MEMORY_MOST {
        return Err(PortraitError::TooManyPixels);
    }
    let orientation = decoder.orientation().unwrap_or(image::metadata::Orientation::NoTransforms);
    let mut picture = DynamicImage::from_decoder(decoder).map_err(refused)?;
    picture.apply_orientation(orientation);
    Ok(picture)
}

fn refused(error: image::ImageError) -> PortraitError {
    match error {
        image::ImageError::Limits(_) => PortraitError::TooManyPixels,
        image::ImageError::Unsupported(_) => PortraitError::Kind,
        _ => PortraitError::Broken,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{Rgba, RgbaImage};

    fn written(picture: &RgbaImage, format: ImageFormat) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        let picture = DynamicImage::ImageRgba8(picture.clone());
        match format {
            ImageFormat::Jpeg => DynamicImage::ImageRgb8(picture.to_rgb8()).write_to(&mut bytes, format),
            _ => picture.write_to(&mut bytes, format),
        }
        .unwrap();
        bytes.into_inner()
    }

    fn stripes(alpha: u8) -> RgbaImage {
        RgbaImage::from_fn(600, 200, |x, _| Rgba([if x < 300 { 255 } else { 0 }, 40, 40, alpha]))
    }

    fn size_of(portrait: &Portrait) -> (u32, u32) {
        let picture = image::load_from_memory(&portrait.bytes).unwrap();
        (picture.width(), picture.height())
    }

    #[test]
    fn every_kind_becomes_one_size() {
        for format in [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::WebP, ImageFormat::Gif] {
            let portrait = portrait(&written(&stripes(255), format)).unwrap();
            assert_eq!((size_of(&portrait), portrait.kind), ((SIDE, SIDE), Kind::Jpeg), "{format:?}");
        }
        let clear = portrait(&written(&stripes(100), ImageFormat::Png)).unwrap();
        assert_eq!((size_of(&clear), clear.kind), ((SIDE, SIDE), Kind::Png));
    }

    #[test]
    fn every_kind_becomes_a_banner_of_one_size() {
        for format in [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::WebP, ImageFormat::Gif] {
            let banner = banner(&written(&stripes(255), format)).unwrap();
            assert_eq!((size_of(&banner), banner.kind), (BANNER, Kind::Jpeg), "{format:?}");
        }
        for (width, height) in [(1, 1), (3, 1), (8192, 1), (1, 8192), (4000, 1000)] {
            let banner = banner(&written(&RgbaImage::new(width, height), ImageFormat::Png)).unwrap();
            assert_eq!(size_of(&banner), BANNER, "{width}×{height}");
            let picture = image::load_from_memory(&banner.bytes).unwrap().to_rgb8();
            let shown = picture.get_pixel(700, 200).0;
            assert!(shown.iter().zip(GROUND).all(|(is, ground)| is.abs_diff(ground) < 6), "{shown:?}");
        }
        let noise = RgbaImage::from_fn(1500, 375, |x, y| {
            let mixed = (x.wrapping_mul(2_654_435_761) ^ y.wrapping_mul(40_503)).wrapping_mul(2_246_822_519);
            Rgba([(mixed >> 24) as u8, (mixed >> 16) as u8, (mixed >> 8) as u8, 255])
        });
        let banner = banner(&written(&noise, ImageFormat::Png)).unwrap();
        assert!(banner.bytes.len() < 1_500_000, "{} bytes", banner.bytes.len());
    }

    #[test]
    fn nothing_of_the_file_comes_back_but_its_pixels() {
        let script = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>";
        let mut both = written(&stripes(255), ImageFormat::Png);
        both.extend_from_slice(script);
        let portrait = portrait(&both).unwrap();
        assert!(!portrait.bytes.windows(7).any(|bytes| bytes == b"<script"));
    }

    #[test]
    fn what_is_no_picture_is_refused() {
        let svg = b"<svg xmlns='http://www.w3.org/2000/svg'/>".to_vec();
        let html = b"<!doctype html><script>alert(1)</script>".to_vec();
        let gif_and_script = b"GIF89a=1;alert(1)".to_vec();
        let bmp = [b"BM".as_slice(), &[0; 60]].concat();
        assert_eq!(portrait(&svg), Err(PortraitError::Kind));
        assert_eq!(portrait(&html), Err(PortraitError::Kind));
        assert!(portrait(&gif_and_script).is_err());
        assert_eq!(portrait(&bmp), Err(PortraitError::Kind));
        assert_eq!(portrait(&[]), Err(PortraitError::Kind));
        assert_eq!(portrait(&vec![0; BYTES_MOST + 1]), Err(PortraitError::TooLarge));
        let whole = written(&stripes(255), ImageFormat::Png);
        for end in [9, 20, 60, whole.len() / 2] {
            assert!(portrait(&whole[..end]).is_err(), "cut at {end}");
        }
    }

    #[test]
    fn few_bytes_that_would_be_many_pixels_are_refused_before_they_are_made() {
        // A PNG's header alone decides: 60,000 pixels square, of which nothing follows.
        let mut png = written(&RgbaImage::new(1, 1), ImageFormat::Png);
        png[16..20].copy_from_slice(&60_000u32.to_be_bytes());
        png[20..24].copy_from_slice(&60_000u32.to_be_bytes());
        let sum = crc(&png[12..29]);
        png[29..33].copy_from_slice(&sum.to_be_bytes());
        assert_eq!(portrait(&png), Err(PortraitError::TooManyPixels));
        let wide = written(&RgbaImage::new(8000, 5100), ImageFormat::Png);
        assert!(wide.len() < BYTES_MOST / 4, "{} bytes", wide.len());
        assert_eq!(portrait(&wide), Err(PortraitError::TooManyPixels));
    }

    #[test]
    fn a_line_of_pixels_becomes_no_larger_picture_on_the_way() {
        // Scaled before it is cut, each would be two million pixels long, and gigabytes.
        for (width, height) in [(8192, 1), (1, 8192), (2, 8191)] {
            let portrait = portrait(&written(&RgbaImage::new(width, height), ImageFormat::Png)).unwrap();
            assert_eq!(size_of(&portrait), (SIDE, SIDE), "{width}×{height}");
        }
    }

    /// PNG's own check sum.
    fn crc(bytes: &[u8]) -> u32 {
        !bytes.iter().fold(!0u32, |sum, byte| {
            (0..8)
                .fold(sum ^ u32::from(*byte), |sum, _| (sum >> 1) ^ (0xedb8_8320 & (sum & 1).wrapping_neg()))
        })
    }
}
