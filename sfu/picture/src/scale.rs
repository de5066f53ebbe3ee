//! Scaling: plane by plane with SIMD, by a filter as wide as the step down is large, so that nothing flickers.

use crate::{Picture, Plane, View, sides};
use fast_image_resize::{
    FilterType, ResizeAlg, ResizeOptions, Resizer,
    images::{TypedImage, TypedImageRef},
    pixels::U8,
};
use shared::unit::Size;

/// Scales pictures; keeps its memory from one to the next.
#[derive(Debug)]
pub struct Scaler {
    resizer: Resizer,
    filter: FilterType,
}

impl Default for Scaler {
    fn default() -> Self {
        Self::new(FilterType::CatmullRom)
    }
}

impl Scaler {
    /// One with this filter.
    pub fn new(filter: FilterType) -> Self {
        Self { resizer: Resizer::new(), filter }
    }

    /// Makes `to` the picture in `from`, `size` large. Colours keep their meaning. False if the memory of `from` isn't what it
    /// says, in which case what is in `to` means nothing.
    pub fn scale(&mut self, from: &View<'_>, size: Size, to: &mut Picture) -> bool {
        to.shape(size, from.colour);
        (0..3).all(|index| {
            let (width, height) = sides(size, index);
            self.plane(&from.planes[index], &mut to.planes[index], width, height)
        })
    }

    fn plane(&mut self, from: &Plane<'_>, to: &mut [u8], width: usize, height: usize) -> bool {
        // The memory is seen as a picture that is as wide as its rows are apart, of which the left part is taken. A last row
        // that ends early is left to the filter's edge.
        let whole = from.data.len() / from.stride;
        let rows = whole.min(from.height);
        let options = ResizeOptions::new()
            .resize_alg(ResizeAlg::Convolution(self.filter))
            .crop(0.0, 0.0, from.width as f64, rows as f64)
            .use_alpha(false);
        let from = TypedImageRef::<U8>::from_buffer(
            from.stride as u32,
            whole as u32,
            &from.data[..whole * from.stride],
        );
        let to = TypedImage::<U8>::from_buffer(width as u32, height as u32, to);
        match (from, to) {
            (Ok(from), Ok(mut to)) => self.resizer.resize_typed(&from, &mut to, &options).is_ok(),
            _ => false,
        }
    }
}
