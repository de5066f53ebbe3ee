//! Decoders: one trait, one adapter for each library. Frames are looked at before they reach a decoder, so that none
//! allocates for a picture larger than [`LARGEST`].

pub mod header;
pub mod libvpx;
pub mod openh264;
pub mod rav1d;

use crate::View;
use shared::broadcast::Codec;

/// The most that a side of the source's pictures may measure.
pub const LARGEST: u32 = 4096;

/// Why a frame gave no picture.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// It is damaged, or what it builds on is missing. The next keyframe may help.
    #[error("the frame can't be decoded")]
    Broken,
    /// It is whole, but nothing that the ladder takes: a sentence for the person who publishes it.
    #[error("{0}")]
    Refused(String),
}

/// What turns a publisher's frames into pictures.
pub trait Decoder: Send {
    /// Decodes one frame. The picture lies in the decoder's memory until the next call. None if the frame shows nothing by
    /// itself.
    fn decode(&mut self, data: &[u8]) -> Result<Option<View<'_>>, DecodeError>;
}

/// A decoder for this codec, which waits for a keyframe.
pub fn open(codec: Codec) -> Result<Box<dyn Decoder>, DecodeError> {
    Ok(match codec {
        Codec::Av1 => Box::new(rav1d::Av1::open()?),
        Codec::Vp8 => Box::new(libvpx::Vpx::open(libvpx::Version::Vp8)?),
        Codec::Vp9 => Box::new(libvpx::Vpx::open(libvpx::Version::Vp9)?),
        Codec::H264 => Box::new(openh264::H264::open()?),
        other => return Err(DecodeError::Refused(format!("{other:?} is no picture's codec."))),
    })
}

/// The sentence for a picture that is too large.
pub fn too_large(width: u32, height: u32) -> DecodeError {
    DecodeError::Refused(format!(
        "The picture is {width}×{height}: too large for the ladder, which takes at most {LARGEST}×{LARGEST}."
    ))
}

/// Whether the ladder takes pictures of this size.
pub fn fits(width: u32, height: u32) -> Result<(), DecodeError> {
    let side = 1..=LARGEST;
    if side.contains(&width) && side.contains(&height) { Ok(()) } else { Err(too_large(width, height)) }
}

/// The sentence for pictures coded as red, green and blue.
pub fn no_rgb() -> DecodeError {
    DecodeError::Refused(
        "The picture is coded as red, green and blue. The ladder takes pictures coded as luma and chroma."
            .to_owned(),
    )
}
