//! AV1, decoded by rav1d over the interface that it has from dav1d.
#![allow(unsafe_code)]

use super::{DecodeError, Decoder, LARGEST, fits, header, no_rgb};
use crate::{Colour, Picture, Plane, Raw, RawPlane, View};
use ::rav1d::{
    Dav1dResult,
    include::dav1d::{
        data::Dav1dData,
        dav1d::{Dav1dContext, Dav1dLogger, Dav1dSettings},
        headers::{
            DAV1D_PIXEL_LAYOUT_I400, DAV1D_PIXEL_LAYOUT_I420, DAV1D_PIXEL_LAYOUT_I422,
            DAV1D_PIXEL_LAYOUT_I444,
        },
        picture::Dav1dPicture,
    },
    src::lib::{
        dav1d_close, dav1d_data_create, dav1d_data_unref, dav1d_default_settings, dav1d_get_picture,
        dav1d_open, dav1d_picture_unref, dav1d_send_data,
    },
};
use shared::unit::Size;
use std::{ffi::c_int, mem::MaybeUninit, ptr::NonNull, slice};

/// "Nothing now": more data is needed, or a picture has to be fetched first.
const AGAIN: Dav1dResult = Dav1dResult(-11);

/// A decoder of AV1, on the thread that calls it.
pub struct Av1 {
    context: Option<Dav1dContext>,
    picture: Option<Dav1dPicture>,
    converted: Picture,
}

// SAFETY: the context is an `Arc` of what rav1d itself shares between threads; it and the picture are used through `&mut` only.
unsafe impl Send for Av1 {}

impl Av1 {
    /// Opens one.
    pub fn open() -> Result<Self, DecodeError> {
        let mut settings = MaybeUninit::<Dav1dSettings>::uninit();
        // SAFETY: the pointer is to writable memory of the right type, which the call fills wholly.
        let mut settings = unsafe {
            dav1d_default_settings(NonNull::from(&mut settings).cast());
            settings.assume_init()
        };
        settings.n_threads = 1;
        settings.max_frame_delay = 1;
        settings.all_layers = 0;
        settings.frame_size_limit = LARGEST * LARGEST;
        // SAFETY: without a callback there is nothing to call and no cookie.
        settings.logger = unsafe { Dav1dLogger::new(None, None) };
        let mut context = None;
        // SAFETY: both pointers are to live values; `settings` is only read.
        let opened =
            unsafe { dav1d_open(Some(NonNull::from(&mut context)), Some(NonNull::from(&mut settings))) };
        if opened.0 != 0 || context.is_none() {
            return Err(DecodeError::Broken);
        }
        let none = Size { width: 0, height: 0 };
        Ok(Self { context, picture: None, converted: Picture::new(none, Colour::default()) })
    }

    fn release(&mut self) {
        if let Some(mut picture) = self.picture.take() {
            // SAFETY: the picture came from `dav1d_get_picture` and is given back once.
            unsafe { dav1d_picture_unref(Some(NonNull::from(&mut picture))) };
        }
    }

    /// Fetches every picture that is ready and keeps the last.
    fn fetch(&mut self) -> Result<(), DecodeError> {
        loop {
            let mut picture = Dav1dPicture::default();
            // SAFETY: the context is open, the picture is ours to be written.
            let got = unsafe { dav1d_get_picture(self.context, Some(NonNull::from(&mut picture))) };
            match got {
                Dav1dResult(0) => {
                    self.release();
                    self.picture = Some(picture);
                }
                AGAIN => return Ok(()),
                _ => return Err(DecodeError::Broken),
            }
        }
    }

    fn send(&mut self, bytes: &[u8]) -> Result<(), DecodeError> {
        let mut data = Dav1dData::default();
        // SAFETY: rav1d allocates `bytes.len()` bytes and answers where they are; both ranges are that long and apart.
        unsafe {
            let to = dav1d_data_create(Some(NonNull::from(&mut data)), bytes.len());
            if to.is_null() {
                return Err(DecodeError::Broken);
            }
            to.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len());
        }
        let result = loop {
            // SAFETY: the context is open, the data is what `dav1d_data_create` made.
            let sent = unsafe { dav1d_send_data(self.context, Some(NonNull::from(&mut data))) };
            match sent {
                Dav1dResult(0) => break self.fetch(),
                AGAIN => {
                    if let Err(error) = self.fetch() {
                        break Err(error);
                    }
                }
                _ => break Err(DecodeError::Broken),
            }
        };
        if data.r#ref.is_some() {
            // SAFETY: the data still holds what was created above.
            unsafe { dav1d_data_unref(Some(NonNull::from(&mut data))) };
        }
        result
    }
}

impl Drop for Av1 {
    fn drop(&mut self) {
        self.release();
        // SAFETY: the context is open and not used after this.
        unsafe { dav1d_close(Some(NonNull::from(&mut self.context))) };
    }
}

impl Decoder for Av1 {
    fn decode(&mut self, data: &[u8]) -> Result<Option<View<'_>>, DecodeError> {
        self.release();
        if data.is_empty() {
            return Err(DecodeError::Broken);
        }
        header::av1(data)?;
        self.send(data)?;
        let Some(picture) = &self.picture else { return Ok(None) };
        view(picture, &mut self.converted).map(Some)
    }
}

/// The picture as it lies in rav1d's memory if it is eight bits and 4:2:0, or else as it is after conversion.
fn view<'a>(picture: &'a Dav1dPicture, converted: &'a mut Picture) -> Result<View<'a>, DecodeError> {
    let side = |side: c_int| u32::try_from(side).unwrap_or(0);
    fits(side(picture.p.w), side(picture.p.h))?;
    let size = Size { width: picture.p.w as u16, height: picture.p.h as u16 };
    // SAFETY: a picture that was given out carries its sequence header, kept alive by the picture.
    let header = unsafe { picture.seq_hdr.ok_or(DecodeError::Broken)?.as_ref() };
    let colour = Colour {
        full_range: header.color_range != 0,
        primaries: header.pri as u8,
        transfer: header.trc as u8,
        matrix: header.mtrx as u8,
    };
    let finer = match picture.p.layout {
        DAV1D_PIXEL_LAYOUT_I400 | DAV1D_PIXEL_LAYOUT_I420 => (false, false),
        DAV1D_PIXEL_LAYOUT_I422 => (false, true),
        DAV1D_PIXEL_LAYOUT_I444 => (true, true),
        _ => return Err(DecodeError::Broken),
    };
    if finer == (true, true) && colour.matrix == 0 {
        return Err(no_rgb());
    }
    let depth = u32::try_from(picture.p.bpc).unwrap_or(8);
    let bytes = if depth > 8 { 2 } else { 1 };
    let memory = |index: usize| -> Option<(&'a [u8], usize, usize, usize)> {
        let at = picture.data[index]?.cast::<u8>();
        let stride = usize::try_from(picture.stride[index.min(1)]).ok()?;
        let (mut width, mut height) = (usize::from(size.width), usize::from(size.height));
        if index > 0 {
            width = if finer.0 { width } else { width.div_ceil(2) };
            height = if finer.1 { height } else { height.div_ceil(2) };
        }
        let length = (stride >= width * bytes).then(|| stride.checked_mul(height))??;
        // SAFETY: rav1d's planes are at least `height` whole rows of `stride` bytes, live as long as the picture isn't given back
        // (which needs `&mut self`), and nothing writes to a picture that was given out while its one decoder isn't called.
        Some((unsafe { slice::from_raw_parts(at.as_ptr(), length) }, stride, width, height))
    };
    if depth == 8 && finer == (false, false) && picture.p.layout == DAV1D_PIXEL_LAYOUT_I420 {
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
