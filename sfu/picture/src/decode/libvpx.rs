//! VP8 and VP9, decoded by libvpx.
#![allow(unsafe_code)]

use super::{DecodeError, Decoder, fits, header, no_rgb};
use crate::{Colour, Picture, Plane, Raw, RawPlane, UNSAID, View};
use shared::unit::Size;
use std::{mem::MaybeUninit, ptr, slice};
use vpx_sys::{
    VPX_DECODER_ABI_VERSION, vp8_dec_control_id, vpx_codec_control_, vpx_codec_ctx_t, vpx_codec_dec_cfg_t,
    vpx_codec_dec_init_ver, vpx_codec_decode, vpx_codec_destroy, vpx_codec_err_t, vpx_codec_get_frame,
    vpx_codec_vp8_dx, vpx_codec_vp9_dx, vpx_color_range, vpx_color_space, vpx_image_t, vpx_img_fmt,
};

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// RFC 6386.
    Vp8,
    /// The VP9 bitstream specification, with superframes.
    Vp9,
}

/// A decoder of VP8 or VP9, on the thread that calls it.
pub struct Vpx {
    version: Version,
    // libvpx keeps pointers into it.
    context: Box<vpx_codec_ctx_t>,
    converted: Picture,
}

// SAFETY: libvpx's context belongs to whoever holds it; it has no thread of its own here and is used through `&mut` only.
unsafe impl Send for Vpx {}

impl Vpx {
    /// Opens one.
    pub fn open(version: Version) -> Result<Self, DecodeError> {
        let mut context = Box::new(MaybeUninit::<vpx_codec_ctx_t>::zeroed());
        let settings = vpx_codec_dec_cfg_t { threads: 1, w: 0, h: 0 };
        // SAFETY: the context is writable, the settings are read; the interfaces are constants of libvpx.
        let context = unsafe {
            let interface = match version {
                Version::Vp8 => vpx_codec_vp8_dx(),
                Version::Vp9 => vpx_codec_vp9_dx(),
            };
            let done = vpx_codec_dec_init_ver(
                context.as_mut_ptr(),
                interface,
                &settings,
                0,
                VPX_DECODER_ABI_VERSION as i32,
            );
            if done != vpx_codec_err_t::VPX_CODEC_OK {
                return Err(DecodeError::Broken);
            }
            context.assume_init()
        };
        let none = Size { width: 0, height: 0 };
        Ok(Self { version, context, converted: Picture::new(none, Colour::default()) })
    }
}

impl Vpx {
    /// Whether the last frame ended too soon, or was built on one that did. libvpx shows such pictures otherwise.
    fn is_damaged(&mut self) -> bool {
        let mut damaged: std::ffi::c_int = 0;
        // SAFETY: this control takes a pointer to an int, which outlives the call.
        let told = unsafe {
            vpx_codec_control_(
                &mut *self.context,
                vp8_dec_control_id::VP8D_GET_FRAME_CORRUPTED as std::ffi::c_int,
                &mut damaged as *mut std::ffi::c_int,
            )
        };
        told == vpx_codec_err_t::VPX_CODEC_OK && damaged != 0
    }
}

impl Drop for Vpx {
    fn drop(&mut self) {
        // SAFETY: the context is open and not used after this.
        unsafe { vpx_codec_destroy(&mut *self.context) };
    }
}

impl Decoder for Vpx {
    fn decode(&mut self, data: &[u8]) -> Result<Option<View<'_>>, DecodeError> {
        match self.version {
            Version::Vp8 => header::vp8(data)?,
            Version::Vp9 => header::vp9(data)?,
        }
        let length = u32::try_from(data.len()).map_err(|_| DecodeError::Broken)?;
        // SAFETY: the context is open, the data lives through the call.
        let done = unsafe { vpx_codec_decode(&mut *self.context, data.as_ptr(), length, ptr::null_mut(), 0) };
        if done != vpx_codec_err_t::VPX_CODEC_OK {
            return Err(DecodeError::Broken);
        }
        if self.is_damaged() {
            return Err(DecodeError::Broken);
        }
        let mut iterator = ptr::null();
        let mut last: Option<&vpx_image_t> = None;
        // SAFETY: the iterator is libvpx's own; an image that it answers with lives until the next call to decode, which
        // needs `&mut self`.
        while let Some(image) = unsafe { vpx_codec_get_frame(&mut *self.context, &mut iterator).as_ref() } {
            last = Some(image);
        }
        last.map(|image| view(image, self.version, &mut self.converted)).transpose()
    }
}

/// The picture as it lies in libvpx's memory if it is eight bits and 4:2:0, or else as it is after conversion.
fn view<'a>(
    image: &'a vpx_image_t,
    version: Version,
    converted: &'a mut Picture,
) -> Result<View<'a>, DecodeError> {
    fits(image.d_w, image.d_h)?;
    let size = Size { width: image.d_w as u16, height: image.d_h as u16 };
    let (depth, finer) = match image.fmt {
        vpx_img_fmt::VPX_IMG_FMT_I420 => (8, (false, false)),
        vpx_img_fmt::VPX_IMG_FMT_I422 => (8, (false, true)),
        vpx_img_fmt::VPX_IMG_FMT_I440 => (8, (true, false)),
        vpx_img_fmt::VPX_IMG_FMT_I444 => (8, (true, true)),
        vpx_img_fmt::VPX_IMG_FMT_I42016 => (image.bit_depth, (false, false)),
        vpx_img_fmt::VPX_IMG_FMT_I42216 => (image.bit_depth, (false, true)),
        vpx_img_fmt::VPX_IMG_FMT_I44016 => (image.bit_depth, (true, false)),
        vpx_img_fmt::VPX_IMG_FMT_I44416 => (image.bit_depth, (true, true)),
        _ => return Err(DecodeError::Broken),
    };
    if version == Version::Vp9 && matches!(image.cs, vpx_color_space::VPX_CS_SRGB) {
        return Err(no_rgb());
    }
    let colour = colour(image, version);
    let bytes = if depth > 8 { 2 } else { 1 };
    let memory = |index: usize| -> Option<(&'a [u8], usize, usize, usize)> {
        let stride = usize::try_from(image.stride[index]).ok()?;
        let (mut width, mut height) = (usize::from(size.width), usize::from(size.height));
        if index > 0 {
            width = if finer.0 { width } else { width.div_ceil(2) };
            height = if finer.1 { height } else { height.div_ceil(2) };
        }
        let length = (stride >= width * bytes).then(|| stride.checked_mul(height))??;
        let at = ptr::NonNull::new(image.planes[index])?;
        // SAFETY: libvpx's planes are at least as high as shown, `stride` bytes a row with a border below that holds the
        // rest of the last row, and stay until the next decode.
        Some((unsafe { slice::from_raw_parts(at.as_ptr(), length) }, stride, width, height))
    };
    if depth == 8 && finer == (false, false) {
        let plane = |index: usize| {
            let (data, stride, width, height) = memory(index).ok_or(DecodeError::Broken)?;
            Plane::new(data, stride, width, height).ok_or(DecodeError::Broken)
        };
        return Ok(View { planes: [plane(0)?, plane(1)?, plane(2)?], colour });
    }
    let plane = |index: usize| memory(index).map(|(data, stride, _, _)| RawPlane { data, stride });
    let raw = Raw { size, depth, finer, planes: [plane(0), plane(1), plane(2)] };
    converted.bring(&raw, colour);
    Ok(converted.view())
}

/// What the stream says of its colours. VP8 is BT.601 in studio range by definition (RFC 6386, section 9.2).
fn colour(image: &vpx_image_t, version: Version) -> Colour {
    if version == Version::Vp8 {
        return Colour { full_range: false, primaries: UNSAID, transfer: UNSAID, matrix: 6 };
    }
    let (primaries, transfer, matrix) = match image.cs {
        vpx_color_space::VPX_CS_BT_601 => (6, 6, 6),
        vpx_color_space::VPX_CS_BT_709 => (1, 1, 1),
        vpx_color_space::VPX_CS_SMPTE_170 => (6, 6, 6),
        vpx_color_space::VPX_CS_SMPTE_240 => (7, 7, 7),
        vpx_color_space::VPX_CS_BT_2020 => (9, 14, 9),
        _ => (UNSAID, UNSAID, UNSAID),
    };
    Colour {
        full_range: matches!(image.range, vpx_color_range::VPX_CR_FULL_RANGE),
        primaries,
        transfer,
        matrix,
    }
}
