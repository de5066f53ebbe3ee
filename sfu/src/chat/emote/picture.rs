//! Pictures of emotes, made anew from what is uploaded: small, PNG alone, and nothing of the file but its pixels. Pure, and
//! slow: not for an async thread.

use image::{
    AnimationDecoder, DynamicImage, Frame, ImageDecoder, ImageFormat, Limits, RgbaImage,
    codecs::{gif::GifDecoder, png::PngDecoder, webp::WebPDecoder},
    imageops::FilterType,
};
use png::{BitDepth, BlendOp, ColorType, Compression, DisposeOp};
use shared::emote::EMOTE_BYTES_MOST;
use std::{io::Cursor, time::Duration};

/// The longest side that is tried: twice or more what chats show. What becomes too many bytes is made smaller.
const SIDES: [u32; 3] = [112, 80, 56];
/// The most bytes of what is made.
const MADE_MOST: usize = 512 * 1024;
/// The longest side of what is uploaded.
const SIDE_MOST: u32 = 2048;
/// The most pictures of one that moves.
const FRAMES_MOST: usize = 60;
/// The most pixels of all its pictures together, however few bytes they take.
const PIXELS_MOST: u64 = 32_000_000;
/// The most memory that decoding takes.
const MEMORY_MOST: u64 = 64 * 1024 * 1024;
/// How long a picture of one that moves is shown. What is shorter, browsers show for long.
const SHOWN: (Duration, Duration) = (Duration::from_millis(20), Duration::from_secs(10));

/// A picture that is safe to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// Its bytes; of one that moves, the first picture.
    pub still: Vec<u8>,
    /// The same as it moves.
    pub moving: Option<Vec<u8>>,
}

/// Why a file doesn't become an emote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PictureError {
    /// More bytes than are taken, or than could be made less.
    #[error("the file is too large")]
    TooLarge,
    /// Not one of the kinds that are taken.
    #[error("the file is no PNG, JPEG, WebP or GIF")]
    Kind,
    /// More pixels than are taken.
    #[error("the picture has too many pixels")]
    TooManyPixels,
    /// More pictures than one that moves may have.
    #[error("the picture moves for too long")]
    TooManyFrames,
    /// It is broken.
    #[error("the picture is broken")]
    Broken,
}

/// What is shown, and for how long.
type Shown = (RgbaImage, Duration);

/// Makes it.
pub fn picture(file: &[u8]) -> Result<Picture, PictureError> {
    if file.len() > EMOTE_BYTES_MOST {
        return Err(PictureError::TooLarge);
    }
    let shown = read(file)?;
    for side in SIDES {
        let fitted: Vec<Shown> = shown.iter().map(|(picture, time)| (fit(picture, side), *time)).collect();
        let moving = if fitted.len() > 1 { Some(written(&fitted)?) } else { None };
        if moving.as_ref().is_none_or(|moving| moving.len() <= MADE_MOST) {
            return Ok(Picture { still: written(&fitted[..1])?, moving });
        }
    }
    Err(PictureError::TooLarge)
}

/// All that is shown, no larger than it will be.
fn read(file: &[u8]) -> Result<Vec<Shown>, PictureError> {
    // By its first bytes: what a file is called, or says of itself, is anybody's word.
    let format = image::guess_format(file).map_err(|_| PictureError::Kind)?;
    match format {
        ImageFormat::Gif => {
            let decoder = GifDecoder::new(Cursor::new(file)).map_err(refused)?;
            moving(limited(decoder)?)
        }
        ImageFormat::WebP => {
            let decoder = limited(WebPDecoder::new(Cursor::new(file)).map_err(refused)?)?;
            if decoder.has_animation() { moving(decoder) } else { still(decoder) }
        }
        ImageFormat::Png => {
            let decoder = limited(PngDecoder::with_limits(Cursor::new(file), limits()).map_err(refused)?)?;
            match decoder.is_apng().map_err(refused)? {
                true => moving(decoder.apng().map_err(refused)?),
                false => still(decoder),
            }
        }
        ImageFormat::Jpeg => {
            let decoder = image::codecs::jpeg::JpegDecoder::new(Cursor::new(file)).map_err(refused)?;
            still(limited(decoder)?)
        }
        _ => Err(PictureError::Kind),
    }
}

fn limits() -> Limits {
    let mut limits = Limits::default();
    limits.max_image_width = Some(SIDE_MOST);
    limits.max_image_height = Some(SIDE_MOST);
    limits.max_alloc = Some(MEMORY_MOST);
    limits
}

fn limited<D: ImageDecoder>(mut decoder: D) -> Result<D, PictureError> {
    decoder.set_limits(limits()).map_err(refused)?;
    let (width, height) = decoder.dimensions();
    match u64::from(width) * u64::from(height) {
        0 => Err(PictureError::Broken),
        pixels if pixels > PIXELS_MOST => Err(PictureError::TooManyPixels),
        _ => Ok(decoder),
    }
}

fn still(mut decoder: impl ImageDecoder) -> Result<Vec<Shown>, PictureError> {
    let orientation = decoder.orientation().unwrap_or(image::metadata::Orientation::NoTransforms);
    let mut picture = DynamicImage::from_decoder(decoder).map_err(refused)?;
    picture.apply_orientation(orientation);
    Ok(vec![(fit(&picture.to_rgba8(), SIDES[0]), Duration::ZERO)])
}

fn moving<'a>(decoder: impl AnimationDecoder<'a>) -> Result<Vec<Shown>, PictureError> {
    let (mut shown, mut pixels) = (Vec::new(), 0);
    for frame in decoder.into_frames() {
        let frame: Frame = frame.map_err(refused)?;
        if shown.len() == FRAMES_MOST {
            return Err(PictureError::TooManyFrames);
        }
        let time = Duration::from(frame.delay()).clamp(SHOWN.0, SHOWN.1);
        pixels += u64::from(frame.buffer().width()) * u64::from(frame.buffer().height());
        if pixels > PIXELS_MOST {
            return Err(PictureError::TooManyPixels);
        }
        // Made small at once: whole, they would be a lot of memory together.
        shown.push((fit(frame.buffer(), SIDES[0]), time));
    }
    if shown.is_empty() { Err(PictureError::Broken) } else { Ok(shown) }
}

/// The same within a square of this side, never larger than it was.
fn fit(picture: &RgbaImage, side: u32) -> RgbaImage {
    let (width, height) = picture.dimensions();
    let longest = width.max(height);
    if longest <= side {
        return picture.clone();
    }
    let scaled = |one: u32| (u64::from(one) * u64::from(side) / u64::from(longest)).max(1) as u32;
    image::imageops::resize(picture, scaled(width), scaled(height), FilterType::Triangle)
}

/// As PNG, which moves if there is more than one.
fn written(shown: &[Shown]) -> Result<Vec<u8>, PictureError> {
    write(shown).map_err(|_| PictureError::Broken)
}

fn write(shown: &[Shown]) -> Result<Vec<u8>, png::EncodingError> {
    let mut bytes = Vec::new();
    let (width, height) = shown.first().map(|(picture, _)| picture.dimensions()).unwrap_or_default();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(ColorType::Rgba);
    encoder.set_depth(BitDepth::Eight);
    encoder.set_compression(Compression::High);
    if shown.len() > 1 {
        encoder.set_animated(shown.len() as u32, 0)?;
        // Each one is whole and takes the place of the one before.
        encoder.set_blend_op(BlendOp::Source)?;
        encoder.set_dispose_op(DisposeOp::None)?;
    }
    let mut writer = encoder.write_header()?;
    for (picture, time) in shown {
        if shown.len() > 1 {
            writer.set_frame_delay(time.as_millis().min(u128::from(u16::MAX)) as u16, 1000)?;
        }
        writer.write_image_data(picture.as_raw())?;
    }
    writer.finish()?;
    Ok(bytes)
}

fn refused(error: image::ImageError) -> PictureError {
    match error {
        image::ImageError::Limits(_) => PictureError::TooManyPixels,
        image::ImageError::Unsupported(_) => PictureError::Kind,
        _ => PictureError::Broken,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{Delay, Rgba, codecs::gif::GifEncoder};

    fn one(width: u32, height: u32, shade: u8) -> RgbaImage {
        RgbaImage::from_pixel(width, height, Rgba([shade, 40, 40, 255]))
    }

    fn file(picture: &RgbaImage, format: ImageFormat) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        let picture = DynamicImage::ImageRgba8(picture.clone());
        match format {
            ImageFormat::Jpeg => DynamicImage::ImageRgb8(picture.to_rgb8()).write_to(&mut bytes, format),
            _ => picture.write_to(&mut bytes, format),
        }
        .unwrap();
        bytes.into_inner()
    }

    fn gif(frames: usize, side: u32) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut encoder = GifEncoder::new_with_speed(&mut bytes, 30);
        for number in 0..frames {
            let delay = Delay::from_saturating_duration(Duration::from_millis(50));
            let picture = one(side, side, (number * 4 % 256) as u8);
            encoder.encode_frame(Frame::from_parts(picture, 0, 0, delay)).unwrap();
        }
        drop(encoder);
        bytes
    }

    fn read_back(bytes: &[u8]) -> Vec<Shown> {
        read(bytes).unwrap()
    }

    #[test]
    fn every_kind_becomes_a_small_png() {
        for format in [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::WebP, ImageFormat::Gif] {
            let made = picture(&file(&one(300, 150, 200), format)).unwrap();
            assert_eq!(image::guess_format(&made.still).unwrap(), ImageFormat::Png);
            assert_eq!(
                (read_back(&made.still)[0].0.dimensions(), made.moving),
                ((112, 56), None),
                "{format:?}"
            );
        }
        let small = picture(&file(&one(20, 10, 200), ImageFormat::Png)).unwrap();
        assert_eq!(read_back(&small.still)[0].0.dimensions(), (20, 10), "nothing is blown up");
        let line = picture(&file(&one(2000, 1, 200), ImageFormat::Png)).unwrap();
        assert_eq!(read_back(&line.still)[0].0.dimensions(), (112, 1));
    }

    #[test]
    fn what_moves_goes_on_moving_and_can_stand_still() {
        let made = picture(&gif(5, 200)).unwrap();
        let moving = read_back(made.moving.as_ref().unwrap());
        assert_eq!(moving.len(), 5);
        for (number, (picture, time)) in moving.iter().enumerate() {
            assert_eq!((picture.dimensions(), *time), ((112, 112), Duration::from_millis(50)));
            assert!(picture.get_pixel(50, 50).0[0].abs_diff((number * 4) as u8) <= 8, "{number}");
        }
        assert_eq!(read_back(&made.still).len(), 1);
        let again = picture(made.moving.as_ref().unwrap()).unwrap();
        assert_eq!(read_back(again.moving.as_ref().unwrap()).len(), 5, "a PNG that moves is taken, too");
    }

    #[test]
    fn what_is_not_to_be_taken_is_refused() {
        let svg = b"<svg xmlns='http://www.w3.org/2000/svg'/>".to_vec();
        for other in [svg, b"GIF89a=1;alert(1)".to_vec(), Vec::new(), [b"BM".as_slice(), &[0; 60]].concat()] {
            assert!(picture(&other).is_err());
        }
        assert_eq!(picture(&vec![0; EMOTE_BYTES_MOST + 1]), Err(PictureError::TooLarge));
        assert_eq!(picture(&gif(FRAMES_MOST + 1, 8)), Err(PictureError::TooManyFrames));
        assert_eq!(
            picture(&file(&one(SIDE_MOST + 1, 1, 0), ImageFormat::Png)),
            Err(PictureError::TooManyPixels)
        );
        // Few bytes, many pixels: sixty of them would be 240 megabytes.
        assert_eq!(picture(&gif(FRAMES_MOST, 1000)), Err(PictureError::TooManyPixels));
        let whole = gif(3, 60);
        for end in [7, 14, whole.len() / 3] {
            assert!(picture(&whole[..end]).is_err(), "cut at {end}");
        }
    }

    #[test]
    fn nothing_of_the_file_comes_back_but_its_pixels() {
        let mut both = file(&one(60, 60, 9), ImageFormat::Png);
        both.extend_from_slice(b"<script>alert(1)</script>");
        let made = picture(&both).unwrap();
        assert!(!made.still.windows(7).any(|bytes| bytes == b"<script"));
    }

    #[test]
    fn noise_that_moves_is_made_smaller_or_refused_and_never_large() {
        let mut state = 1u32;
        let mut noise = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        };
        let mut bytes = Vec::new();
        let mut encoder = GifEncoder::new_with_speed(&mut bytes, 30);
        for _ in 0..FRAMES_MOST {
            let picture = RgbaImage::from_fn(100, 100, |_, _| Rgba([noise(), noise(), noise(), 255]));
            encoder.encode_frame(Frame::new(picture)).unwrap();
        }
        drop(encoder);
        match picture(&bytes) {
            Ok(made) => assert!(made.moving.unwrap().len() <= MADE_MOST),
            Err(error) => assert_eq!(error, PictureError::TooLarge),
        }
    }
}
