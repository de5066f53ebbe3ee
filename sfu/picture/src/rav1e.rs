//! AV1, encoded by rav1e, set for real time.
//!
//! rav1e looks ahead: it gives out a picture once it has been sent four more. For a picture every 67 ms, that alone would be
//! too late. But with reordering and scene detection off it does nothing with those four that outlasts their becoming the
//! current one, save a rough guess at motion. So the pictures to come are sent before they exist, as blank ones that are
//! filled in when they do.
#![allow(unsafe_code)]

use crate::{Colour, View, sides};
pub use ::rav1e::prelude::EncoderConfig;
use ::rav1e::prelude::{
    BlockSize, ChromaSampling, ColorDescription, ColorPrimaries, Config, Context, EncoderStatus, Frame,
    FrameParameters, FrameType, FrameTypeOverride, MatrixCoefficients, PartitionRange, PixelRange, Rational,
    SceneDetectionSpeed, TransferCharacteristics,
};
use shared::unit::{Bitrate, Size};
use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, Instant},
};

/// What a rung's encoder is set to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Settings {
    /// The pictures' size, both sides even and at least 16.
    pub size: Size,
    /// How their numbers are meant.
    pub colour: Colour,
    /// Pictures a second, about.
    pub rate: f64,
    /// Bits a second, about.
    pub bitrate: Bitrate,
    /// Pictures from one keyframe to the next at most.
    pub keyframes: u64,
    /// The smallest index of the quantizer; 0 for as fine as there are bits for.
    pub finest: u8,
}

/// An encoded picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encoded {
    /// Whether decoding can start here.
    pub keyframe: bool,
    /// A temporal unit of OBUs with sizes, without its temporal delimiter.
    pub data: Vec<u8>,
    /// How long encoding took.
    pub took: Duration,
    /// The quantizer's index, 1 to 255.
    pub quantizer: u8,
}

/// Why there is no encoder, or no picture.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    /// rav1e doesn't take these settings.
    #[error("rav1e doesn't take these settings: {0}")]
    Settings(String),
    /// rav1e failed.
    #[error("rav1e failed: {0}")]
    Failed(String),
}

/// An encoder of one rung.
pub struct Encoder {
    context: Context<u8>,
    settings: Settings,
    // Sent, not filled in yet; the oldest first.
    blank: VecDeque<Arc<Frame<u8>>>,
    key_next: bool,
}

impl Encoder {
    /// Pictures that rav1e must have been sent after one before it encodes that one: so many come before one that is asked to
    /// be a keyframe.
    pub const AHEAD: usize = 4;

    /// Opens one. Its first picture is a keyframe.
    pub fn open(settings: Settings) -> Result<Self, EncodeError> {
        Self::open_with(settings, |_| {})
    }

    /// Opens one with other settings of rav1e's than ours, to measure what they buy.
    pub fn open_with(
        settings: Settings,
        change: impl FnOnce(&mut EncoderConfig),
    ) -> Result<Self, EncodeError> {
        let mut config = config(&settings);
        change(&mut config);
        let context = Config::new()
            .with_encoder_config(config)
            .with_threads(1)
            .new_context()
            .map_err(|error| EncodeError::Settings(error.to_string()))?;
        let mut encoder = Self { context, settings, blank: VecDeque::new(), key_next: false };
        for _ in 0..Self::AHEAD {
            encoder.send_blank()?;
        }
        Ok(encoder)
    }

    /// What it is set to.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Makes a keyframe of the picture that comes after the next [`Self::AHEAD`].
    pub fn keyframe(&mut self) {
        self.key_next = true;
    }

    fn send_blank(&mut self) -> Result<(), EncodeError> {
        let frame = Arc::new(self.context.new_frame());
        let parameters = FrameParameters {
            frame_type_override: if std::mem::take(&mut self.key_next) {
                FrameTypeOverride::Key
            } else {
                FrameTypeOverride::No
            },
            opaque: None,
            t35_metadata: Box::new([]),
        };
        self.blank.push_back(Arc::clone(&frame));
        self.context.send_frame((frame, parameters)).map_err(failed)
    }

    /// Encodes a picture of the right size. Mostly it is given back encoded at once.
    pub fn encode(&mut self, picture: &View<'_>) -> Result<Option<Encoded>, EncodeError> {
        let begun = Instant::now();
        if let Some(frame) = self.blank.pop_front() {
            fill(&frame, picture, self.settings.size);
        }
        // rav1e prepares the next picture when it is sent another one, and looks at a small copy of it to guess motion: as
        // long as it isn't there, this one stands in.
        if let Some(next) = self.blank.front() {
            fill(next, picture, self.settings.size);
        }
        self.send_blank()?;
        loop {
            match self.context.receive_packet() {
                Ok(packet) => {
                    return Ok(Some(Encoded {
                        keyframe: packet.frame_type == FrameType::KEY,
                        data: without_delimiter(packet.data),
                        took: begun.elapsed(),
                        quantizer: packet.qp,
                    }));
                }
                Err(EncoderStatus::Encoded) => {}
                Err(EncoderStatus::NeedMoreData) => return Ok(None),
                Err(other) => return Err(failed(other)),
            }
        }
    }
}

fn failed(status: EncoderStatus) -> EncodeError {
    EncodeError::Failed(status.to_string())
}

/// A temporal unit begins with its delimiter; RTP has none (AV1 RTP payload format, section 5).
fn without_delimiter(mut data: Vec<u8>) -> Vec<u8> {
    const DELIMITER: [u8; 2] = [0x12, 0x00];
    if data.starts_with(&DELIMITER) {
        data.drain(..DELIMITER.len());
    }
    data
}

/// Writes a picture into a frame that rav1e has already, with the margin that rav1e wants.
fn fill(frame: &Arc<Frame<u8>>, picture: &View<'_>, size: Size) {
    // SAFETY: as for `Arc::get_mut_unchecked`: nobody else follows a pointer to this frame meanwhile. All others belong to the
    // context, which only looks at its frames within `send_frame` and `receive_packet`: both take `&mut Context`, and its
    // threads have ended their work when they return. We are in neither.
    let frame = unsafe { &mut *Arc::as_ptr(frame).cast_mut() };
    for (index, plane) in frame.planes.iter_mut().enumerate() {
        let (stride, left, top) = (plane.cfg.stride, plane.cfg.xorigin, plane.cfg.yorigin);
        let (width, _) = sides(size, index);
        let rows = plane.data.chunks_exact_mut(stride).skip(top);
        for (to, from) in rows.zip(picture.planes[index].rows()) {
            let width = width.min(from.len());
            to[left..left + width].copy_from_slice(&from[..width]);
        }
        plane.pad(usize::from(size.width), usize::from(size.height));
    }
}

/// rav1e, as fast as its settings make it.
fn config(settings: &Settings) -> EncoderConfig {
    let mut config = EncoderConfig::with_speed_preset(10);
    config.width = usize::from(settings.size.width);
    config.height = usize::from(settings.size.height);
    config.time_base = Rational::new(1000, (settings.rate * 1000.0).round().max(1.0) as u64);
    config.chroma_sampling = ChromaSampling::Cs420;
    config.pixel_range = if settings.colour.full_range { PixelRange::Full } else { PixelRange::Limited };
    config.color_description = description(&settings.colour);
    config.low_latency = true;
    // In bitrate mode this is the ceiling: much lower, and noise overshoots the target. With 255 there is none, also where there
    // is no such quantizer: short of bits, rav1e then weighs them so heavily that whatever moves stands still instead.
    config.quantizer = 254;
    config.bitrate = i32::try_from(settings.bitrate.0).unwrap_or(i32::MAX);
    config.set_key_frame_interval(0, settings.keyframes);
    config.min_quantizer = settings.finest;
    // What may be borrowed from the future, half of it at first: half a second, and no picture is meant to take more. rav1e
    // holds at least 12 pictures.
    config.reservoir_frame_delay = Some(((settings.rate / 2.0) as i32).max(12));
    // Blocks of 64 take two fifths less time on film, and make mush of text that scrolls: 23 dB where these keep 30. Smaller ones
    // beside them take half as long again.
    let block = BlockSize::BLOCK_32X32;
    config.speed_settings.partition.partition_range = PartitionRange::new(block, block);
    config.speed_settings.rdo_lookahead_frames = 1;
    config.speed_settings.scene_detection_mode = SceneDetectionSpeed::None;
    config
}

/// What rav1e writes of how the numbers are meant; what it has no name for stays unsaid.
fn description(colour: &Colour) -> Option<ColorDescription> {
    let color_primaries = match colour.primaries {
        1 => ColorPrimaries::BT709,
        5 => ColorPrimaries::BT470BG,
        6 => ColorPrimaries::BT601,
        7 => ColorPrimaries::SMPTE240,
        9 => ColorPrimaries::BT2020,
        12 => ColorPrimaries::SMPTE432,
        _ => ColorPrimaries::Unspecified,
    };
    let transfer_characteristics = match colour.transfer {
        1 => TransferCharacteristics::BT709,
        5 => TransferCharacteristics::BT470BG,
        6 => TransferCharacteristics::BT601,
        7 => TransferCharacteristics::SMPTE240,
        13 => TransferCharacteristics::SRGB,
        14 => TransferCharacteristics::BT2020_10Bit,
        16 => TransferCharacteristics::SMPTE2084,
        18 => TransferCharacteristics::HLG,
        _ => TransferCharacteristics::Unspecified,
    };
    let matrix_coefficients = match colour.matrix {
        1 => MatrixCoefficients::BT709,
        5 => MatrixCoefficients::BT470BG,
        6 => MatrixCoefficients::BT601,
        7 => MatrixCoefficients::SMPTE240,
        9 => MatrixCoefficients::BT2020NCL,
        _ => MatrixCoefficients::Unspecified,
    };
    Some(ColorDescription { color_primaries, transfer_characteristics, matrix_coefficients })
}
