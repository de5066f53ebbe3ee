//! H.264, decoded by OpenH264.

use super::{DecodeError, Decoder, fits, header};
use crate::{Colour, Picture, Plane, View, sides};
use ::openh264::{
    OpenH264API,
    decoder::{DecoderConfig, Flush},
    formats::YUVSource,
};
use shared::unit::Size;

/// A decoder of H.264, on the thread that calls it.
pub struct H264 {
    decoder: ::openh264::decoder::Decoder,
    colour: Colour,
    // The library lends its picture for a moment only.
    picture: Picture,
}

impl H264 {
    /// Opens one.
    pub fn open() -> Result<Self, DecodeError> {
        // Errors are told, not concealed: a picture is whole or it isn't shown.
        let settings = DecoderConfig::new().flush_after_decode(Flush::NoFlush);
        let decoder = ::openh264::decoder::Decoder::with_api_config(OpenH264API::from_source(), settings)
            .map_err(|_| DecodeError::Broken)?;
        let none = Size { width: 0, height: 0 };
        Ok(Self { decoder, colour: Colour::default(), picture: Picture::new(none, Colour::default()) })
    }
}

impl Decoder for H264 {
    fn decode(&mut self, data: &[u8]) -> Result<Option<View<'_>>, DecodeError> {
        if let Some(told) = header::h264(data)? {
            self.colour = told;
        }
        if i32::try_from(data.len()).is_err() || data.is_empty() {
            return Err(DecodeError::Broken);
        }
        let Some(decoded) = self.decoder.decode(data).map_err(|_| DecodeError::Broken)? else {
            return Ok(None);
        };
        let (width, height) = decoded.dimensions();
        fits(side(width), side(height))?;
        self.picture.shape(Size { width: width as u16, height: height as u16 }, self.colour);
        let strides = decoded.strides();
        let from = [(decoded.y(), strides.0), (decoded.u(), strides.1), (decoded.v(), strides.2)];
        for (index, (data, stride)) in from.into_iter().enumerate() {
            let (width, height) = sides(self.picture.size, index);
            let plane = Plane::new(data, stride, width, height).ok_or(DecodeError::Broken)?;
            for (to, row) in self.picture.planes[index].chunks_exact_mut(width).zip(plane.rows()) {
                to.copy_from_slice(row);
            }
        }
        Ok(Some(self.picture.view()))
    }
}

fn side(side: usize) -> u32 {
    u32::try_from(side).unwrap_or(u32::MAX)
}
