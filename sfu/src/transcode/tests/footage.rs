//! Pictures to encode: the same every time.

use crate::transcode::picture::{Colour, Picture, sides};
use shared::unit::Size;

/// A size.
pub fn size(width: u16, height: u16) -> Size {
    Size { width, height }
}

/// A picture of a camera that moves over hills: shapes of every size, some grain.
pub fn scene(size: Size, number: u64) -> Picture {
    let mut picture = Picture::new(size, Colour { primaries: 1, transfer: 1, matrix: 1, full_range: false });
    let shift = number as f64 * 1.5;
    for index in 0..3 {
        let (width, height) = sides(size, index);
        let unit = 640.0 / width as f64;
        let mut grain = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        for y in 0..height {
            for x in 0..width {
                let (u, v) = (x as f64 * unit + shift, y as f64 * unit + shift / 3.0);
                let wave = (u / 37.0).sin() * 30.0 + (v / 23.0).cos() * 25.0 + ((u + v) / 7.0).sin() * 8.0;
                grain ^= grain << 13;
                grain ^= grain >> 7;
                grain ^= grain << 17;
                let noise = (grain >> 61) as f64 - 3.5;
                let value = if index == 0 { 120.0 + wave + noise } else { 128.0 + wave / 3.0 };
                picture.planes[index][y * width + x] = value.clamp(16.0, 235.0) as u8;
            }
        }
    }
    picture
}

/// How alike two planes are, in decibels.
pub fn psnr(one: &[u8], other: &[u8]) -> f64 {
    assert_eq!(one.len(), other.len());
    let sum: f64 = one.iter().zip(other).map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2)).sum();
    10.0 * (255.0 * 255.0 / (sum / one.len() as f64).max(1e-9)).log10()
}
