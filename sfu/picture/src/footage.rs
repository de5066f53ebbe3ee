//! Pictures to measure and test with, made of numbers: the same every time and everywhere, and of no size in particular.

use crate::{Colour, Picture, sides};
use shared::unit::Size;

/// What is to be seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// As from a camera that pans and shakes a little over textured ground, with things that move by themselves in front, soft
    /// light, and grain.
    Film,
    /// A screen: lines of text that scroll, a window that stays, a pointer.
    Screen,
    /// Nothing but noise that changes with every picture: the worst that can come.
    Noise,
}

/// A clip without end.
#[derive(Debug)]
pub struct Clip {
    kind: Kind,
    size: Size,
    far: Texture,
    near: Texture,
}

impl Clip {
    /// One of this kind and size.
    pub fn new(kind: Kind, size: Size) -> Self {
        let textured = kind == Kind::Film;
        Self { kind, size, far: Texture::new(11, textured), near: Texture::new(42, textured) }
    }

    /// Picture `number`, 30 of which make a second.
    pub fn picture(&self, number: u64) -> Picture {
        let mut picture =
            Picture::new(self.size, Colour { full_range: false, primaries: 1, transfer: 1, matrix: 1 });
        for index in 0..3 {
            let sides = sides(self.size, index);
            let plane = &mut picture.planes[index];
            match self.kind {
                Kind::Film => self.film(plane, sides, index, number),
                Kind::Screen => screen(plane, sides, index, number),
                Kind::Noise => noise(plane, index, number),
            }
        }
        picture
    }

    fn film(&self, plane: &mut [u8], (width, height): (usize, usize), index: usize, number: u64) {
        // All is drawn in the coordinates of a picture 640 wide.
        let unit = 640.0 / width as f32;
        let t = number as f32 / 30.0;
        // Chroma is of the same things, and smoother.
        let (offset, stretch) = if index == 0 { (0.0, 1.0) } else { (170.0 * index as f32, 0.35) };
        let pan = (t * 42.0 + (t * 9.0).sin() * 1.2, (t * 0.9).sin() * 14.0 + (t * 11.0).cos() * 0.9);
        let light = 1.0 + 0.06 * (t * 0.8).sin();
        let shapes: [(f32, f32, f32); 4] = [
            (320.0 + 190.0 * (t * 0.9).sin(), 170.0 + 70.0 * (t * 1.3).cos(), 62.0),
            (((t * 95.0) % 840.0) - 100.0, 260.0, 44.0),
            (520.0 + 60.0 * (t * 1.7).cos(), 110.0 + 50.0 * (t * 2.1).sin(), 36.0),
            (740.0 - ((t * 140.0) % 840.0), 320.0, 30.0),
        ];
        for y in 0..height {
            for x in 0..width {
                let (u, v) = (x as f32 * unit, y as f32 * unit);
                let mut value = self.far.at((u + pan.0) * stretch + offset, (v + pan.1) * stretch);
                // Near things move faster than far ones.
                if v > 250.0 {
                    let near = self.near.at((u + pan.0 * 1.6) * stretch + offset, v * stretch);
                    let edge = ((v - 250.0) / 12.0).min(1.0);
                    value = value * (1.0 - edge) + (near * 0.9 + 0.05) * edge;
                }
                for (place, (cx, cy, radius)) in shapes.iter().enumerate() {
                    let (dx, dy) = (u - cx, (v - cy) * 1.3);
                    let squared = dx * dx + dy * dy;
                    if squared < radius * radius {
                        let (sin, cos) = (t * (0.6 + place as f32 * 0.3)).sin_cos();
                        let (rx, ry) = (dx * cos - dy * sin, dx * sin + dy * cos);
                        let inside =
                            self.near.at(rx * 1.8 * stretch + offset + 300.0, ry * 1.8 * stretch + 200.0);
                        let edge = ((radius - squared.sqrt()) / 2.5).min(1.0);
                        value = value * (1.0 - edge) + (inside * 0.8 + 0.07 * place as f32) * edge;
                    }
                }
                let grain = (hash(x as i64, y as i64, number * 3 + index as u64) >> 60) as f32 - 7.5;
                let shown = if index == 0 {
                    16.0 + value * light * 219.0 + grain * 0.45
                } else {
                    128.0 + (value - 0.5) * 90.0 + grain * 0.15
                };
                plane[y * width + x] = shown.clamp(16.0, 240.0) as u8;
            }
        }
    }
}

/// Picture `number` of a clip.
pub fn picture(kind: Kind, size: Size, number: u64) -> Picture {
    Clip::new(kind, size).picture(number)
}

/// Something rough to look at, without end: beyond its sides it is mirrored.
#[derive(Debug)]
struct Texture(Vec<f32>);

impl Texture {
    /// Samples to a unit of length, and samples across and down.
    const FINE: f32 = 2.0;
    const SIDE: i32 = 1024;

    fn new(seed: u64, textured: bool) -> Self {
        let side = if textured { Self::SIDE } else { 0 };
        let row = |y: i32| (0..side).map(move |x| ground(x as f32 / Self::FINE, y as f32 / Self::FINE, seed));
        Self((0..side).flat_map(row).collect())
    }

    fn at(&self, x: f32, y: f32) -> f32 {
        let (x, y) = (x * Self::FINE, y * Self::FINE);
        let (fx, fy) = (x.floor(), y.floor());
        let (u, v) = (x - fx, y - fy);
        let mirrored = |at: i32| {
            let at = at.rem_euclid(2 * Self::SIDE);
            (if at < Self::SIDE { at } else { 2 * Self::SIDE - 1 - at }) as usize
        };
        let (left, right) = (mirrored(fx as i32), mirrored(fx as i32 + 1));
        let (top, bottom) = (mirrored(fy as i32), mirrored(fy as i32 + 1));
        let sample = |x: usize, y: usize| self.0[y * Self::SIDE as usize + x];
        let above = sample(left, top) * (1.0 - u) + sample(right, top) * u;
        let below = sample(left, bottom) * (1.0 - u) + sample(right, bottom) * u;
        above * (1.0 - v) + below * v
    }
}

/// A number that looks like chance.
fn hash(a: i64, b: i64, c: u64) -> u64 {
    let mut x = (a as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15)
        ^ (b as u64).wrapping_mul(0xc2b2_ae3d_27d4_eb4f)
        ^ c.wrapping_mul(0x1656_67b1_9e37_79f9);
    x ^= x >> 29;
    x = x.wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x ^= x >> 32;
    x
}

fn chance(a: i64, b: i64, c: u64) -> f32 {
    (hash(a, b, c) >> 40) as f32 / (1u64 << 24) as f32
}

/// Value noise, smooth between whole numbers, 0 to 1.
fn smooth(x: f32, y: f32, seed: u64) -> f32 {
    let (fx, fy) = (x.floor(), y.floor());
    let (ix, iy) = (fx as i64, fy as i64);
    let ease = |t: f32| t * t * (3.0 - 2.0 * t);
    let (u, v) = (ease(x - fx), ease(y - fy));
    let top = chance(ix, iy, seed) * (1.0 - u) + chance(ix + 1, iy, seed) * u;
    let bottom = chance(ix, iy + 1, seed) * (1.0 - u) + chance(ix + 1, iy + 1, seed) * u;
    top * (1.0 - v) + bottom * v
}

/// Ground: noise of several sizes, as in nature.
fn ground(x: f32, y: f32, seed: u64) -> f32 {
    let mut sum = 0.0;
    let mut weight = 0.5;
    let mut scale = 1.0 / 90.0;
    for octave in 0..6 {
        sum += weight * smooth(x * scale, y * scale, seed + octave);
        weight *= 0.58;
        scale *= 2.1;
    }
    sum / 1.15
}

fn screen(plane: &mut [u8], (width, height): (usize, usize), index: usize, number: u64) {
    let unit = 1280.0 / width as f32;
    // A page that is scrolled for a second, then read for one.
    let (whole, part) = (number / 60, number % 60);
    let scrolled = (whole * 30 + part.min(30)) as i64 * 8;
    for y in 0..height {
        for x in 0..width {
            let (u, v) = ((x as f32 * unit) as i64, (y as f32 * unit) as i64);
            let luma = if v < 56 {
                if v % 56 > 50 { 90 } else { 60 }
            } else if u < 220 {
                // Beside the page: a list that stays.
                if (v / 34) % 2 == 0 && letter(u - 16, v % 34 - 8, v / 34 + 900) { 200 } else { 44 }
            } else {
                let line = v + scrolled;
                let row = line / 22;
                let indent = 250 + (hash(row, 5, 1) % 5) as i64 * 24;
                let length = 200 + (hash(row, 9, 2) % 700) as i64;
                let ink = u > indent && u < indent + length && letter(u - indent, line % 22 - 4, row);
                if ink { 40 } else { 232 }
            };
            let pointer = {
                let (px, py) = (640 + (number as f32 * 0.05).sin() as i64 * 300, 360 + (number % 90) as i64);
                (u - px).abs() + (v - py).abs() < 9
            };
            let value = match (index, pointer) {
                (0, true) => 16,
                (0, false) => luma,
                (_, true) => 128,
                (1, false) => {
                    if u < 220 && v >= 56 {
                        140
                    } else {
                        128
                    }
                }
                (_, false) => {
                    if v < 56 {
                        118
                    } else {
                        128
                    }
                }
            };
            plane[y * width + x] = value;
        }
    }
}

/// Whether there is ink at this place of a line of text: strokes in cells of 11×14.
fn letter(x: i64, y: i64, row: i64) -> bool {
    if !(0..14).contains(&y) || x < 0 {
        return false;
    }
    let (cell, inside) = (x / 11, x % 11);
    let sort = hash(cell, row, 77);
    if sort.is_multiple_of(7) || inside > 8 {
        return false;
    }
    let upright = (sort >> 8 & 3 != 0 && inside < 2) || (sort >> 10 & 1 == 0 && (6..8).contains(&inside));
    let across = (sort >> 12 & 1 == 0 && y < 2)
        || (sort >> 13 & 1 == 0 && (6..8).contains(&y))
        || (sort >> 14 & 1 == 0 && y > 11);
    upright || across
}

fn noise(plane: &mut [u8], index: usize, number: u64) {
    for (at, value) in plane.iter_mut().enumerate() {
        let chance = hash(at as i64, index as i64, number);
        *value = if index == 0 { 16 + (chance % 220) as u8 } else { 96 + (chance % 64) as u8 };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_the_same_every_time_and_the_next_is_another() {
        let size = Size { width: 96, height: 54 };
        for kind in [Kind::Film, Kind::Screen, Kind::Noise] {
            assert_eq!(picture(kind, size, 5), picture(kind, size, 5));
            assert_ne!(picture(kind, size, 5), picture(kind, size, 6));
        }
    }
}
