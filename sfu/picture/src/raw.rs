//! A raw picture as the ladder keeps it: three planes of eight bits, chroma halved both ways (4:2:0). Whatever a decoder
//! gives is brought to this first; how the numbers are meant (range, matrix, primaries, transfer) goes along unchanged.

use shared::unit::Size;

/// How a picture's numbers are meant: code points of ITU-T H.273, with 2 for "not said".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Colour {
    /// Whether all 256 values are used, and not just 16 to 235.
    pub full_range: bool,
    /// Colour primaries.
    pub primaries: u8,
    /// Transfer characteristics.
    pub transfer: u8,
    /// Matrix coefficients.
    pub matrix: u8,
}

/// A code point of H.273 that says nothing.
pub const UNSAID: u8 = 2;

impl Default for Colour {
    fn default() -> Self {
        Self { full_range: false, primaries: UNSAID, transfer: UNSAID, matrix: UNSAID }
    }
}

/// One plane of a picture, in memory that belongs to somebody else.
#[derive(Debug, Clone, Copy)]
pub struct Plane<'a> {
    /// Rows from the top, `stride` bytes from one's beginning to the next's; the last row may end with its last sample.
    pub data: &'a [u8],
    /// Bytes from one row's beginning to the next's, at least `width`.
    pub stride: usize,
    /// Samples across.
    pub width: usize,
    /// Samples down.
    pub height: usize,
}

impl<'a> Plane<'a> {
    /// A plane, if the memory holds all of it.
    pub fn new(data: &'a [u8], stride: usize, width: usize, height: usize) -> Option<Self> {
        let last = height.checked_sub(1)?.checked_mul(stride)?.checked_add(width)?;
        (width > 0 && stride >= width && data.len() >= last).then_some(Self { data, stride, width, height })
    }

    /// Its rows, from the top.
    pub fn rows(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let width = self.width;
        self.data.chunks(self.stride).take(self.height).map(move |row| &row[..width])
    }
}

/// A picture in memory that belongs to somebody else, a decoder mostly.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    /// Luma, blue difference, red difference; the latter two half as wide and high, rounded up.
    pub planes: [Plane<'a>; 3],
    /// How the numbers are meant.
    pub colour: Colour,
}

impl View<'_> {
    /// The size of the picture.
    pub fn size(&self) -> Size {
        let within = |side: usize| u16::try_from(side).unwrap_or(u16::MAX);
        Size { width: within(self.planes[0].width), height: within(self.planes[0].height) }
    }
}

/// A picture with memory of its own. Planes lie without gaps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// How large it is.
    pub size: Size,
    /// How the numbers are meant.
    pub colour: Colour,
    /// Luma, blue difference, red difference.
    pub planes: [Vec<u8>; 3],
}

impl Picture {
    /// A black picture.
    pub fn new(size: Size, colour: Colour) -> Self {
        let mut picture = Self { size, colour, planes: Default::default() };
        picture.shape(size, colour);
        picture
    }

    /// Makes it this large; what is in it afterwards is for the caller to say.
    pub fn shape(&mut self, size: Size, colour: Colour) {
        self.size = size;
        self.colour = colour;
        for (index, plane) in self.planes.iter_mut().enumerate() {
            let (width, height) = sides(size, index);
            plane.resize(width * height, if index == 0 { 16 } else { 128 });
        }
    }

    /// It, to look at.
    pub fn view(&self) -> View<'_> {
        let plane = |index: usize| {
            let (width, height) = sides(self.size, index);
            Plane { data: &self.planes[index], stride: width, width, height }
        };
        View { planes: [plane(0), plane(1), plane(2)], colour: self.colour }
    }

    /// Brings planes of other depths and chroma to eight bits and 4:2:0.
    pub fn bring(&mut self, raw: &Raw<'_>, colour: Colour) {
        self.shape(raw.size, colour);
        for (index, out) in self.planes.iter_mut().enumerate() {
            let (width, height) = sides(raw.size, index);
            match raw.planes.get(index).copied().flatten() {
                // Without colour, chroma is neutral.
                None => out.fill(128),
                Some(plane) => {
                    let finer = if index == 0 { (false, false) } else { raw.finer };
                    let full = sides(raw.size, 0);
                    let from = (if finer.0 { full.0 } else { width }, if finer.1 { full.1 } else { height });
                    plane.bring(out, (width, height), from, raw.depth);
                }
            }
        }
    }
}

/// Samples across and down in a plane of a picture this large.
pub fn sides(size: Size, plane: usize) -> (usize, usize) {
    let (width, height) = (usize::from(size.width), usize::from(size.height));
    if plane == 0 { (width, height) } else { (width.div_ceil(2), height.div_ceil(2)) }
}

/// What a decoder gives that isn't eight bits of 4:2:0.
#[derive(Debug, Clone, Copy)]
pub struct Raw<'a> {
    /// The picture's size.
    pub size: Size,
    /// Bits a sample: 8 (a byte each), 10 or 12 (two bytes each, in this machine's order).
    pub depth: u32,
    /// Whether chroma is as wide, and as high, as luma.
    pub finer: (bool, bool),
    /// Luma and chroma; no chroma for grey.
    pub planes: [Option<RawPlane<'a>>; 3],
}

/// A plane of a [`Raw`] picture.
#[derive(Debug, Clone, Copy)]
pub struct RawPlane<'a> {
    /// Rows from the top.
    pub data: &'a [u8],
    /// Bytes from one row's beginning to the next's.
    pub stride: usize,
}

impl RawPlane<'_> {
    /// Writes this plane, `from` samples large, as eight bits, with twice as many samples averaged in twos. Beyond an odd
    /// side, the last sample stands again.
    fn bring(&self, out: &mut [u8], (width, height): (usize, usize), from: (usize, usize), depth: u32) {
        let bytes = if depth > 8 { 2 } else { 1 };
        let sample = |row: usize, column: usize| -> u32 {
            let at = row.min(from.1 - 1) * self.stride + column.min(from.0 - 1) * bytes;
            match self.data.get(at..at + bytes) {
                Some(&[value]) => u32::from(value),
                Some(&[first, second]) => u32::from(u16::from_ne_bytes([first, second])),
                _ => 0,
            }
        };
        let (across, down) = (from.0.div_ceil(width), from.1.div_ceil(height));
        let whole = ((across * down) as u32) << depth.saturating_sub(8);
        for (y, row) in out.chunks_exact_mut(width).take(height).enumerate() {
            for (x, to) in row.iter_mut().enumerate() {
                let mut sum = 0;
                for dy in 0..down {
                    for dx in 0..across {
                        sum += sample(y * down + dy, x * across + dx);
                    }
                }
                *to = ((sum + whole / 2) / whole).min(255) as u8;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size(width: u16, height: u16) -> Size {
        Size { width, height }
    }

    #[test]
    fn a_plane_is_one_only_if_the_memory_holds_it() {
        let memory = [0; 20];
        assert!(Plane::new(&memory, 8, 4, 3).is_some(), "the last row may be short");
        assert!(Plane::new(&memory, 8, 5, 3).is_none());
        assert!(Plane::new(&memory, 3, 4, 3).is_none());
        assert!(Plane::new(&memory, 8, 0, 3).is_none());
        assert!(Plane::new(&memory, 8, 4, 0).is_none());
        assert!(Plane::new(&memory, usize::MAX, 4, 3).is_none());
    }

    #[test]
    fn rows_leave_out_what_is_between_them() {
        let memory: Vec<u8> = (0..20).collect();
        let plane = Plane::new(&memory, 8, 4, 3).unwrap();
        let rows: Vec<&[u8]> = plane.rows().collect();
        assert_eq!(rows, [&[0, 1, 2, 3], &[8, 9, 10, 11], &[16, 17, 18, 19]]);
    }

    #[test]
    fn odd_sides_have_chroma_rounded_up() {
        let picture = Picture::new(size(5, 3), Colour::default());
        assert_eq!(picture.planes.each_ref().map(Vec::len), [15, 6, 6]);
        assert_eq!(picture.view().size(), size(5, 3));
        assert_eq!(picture.view().planes[1].rows().count(), 2);
    }

    #[test]
    fn ten_bits_become_eight_and_full_chroma_is_averaged() {
        let bytes =
            |samples: &[u16]| samples.iter().flat_map(|sample| sample.to_ne_bytes()).collect::<Vec<u8>>();
        let (luma, chroma) = (bytes(&[64, 940, 512, 1023]), bytes(&[400, 408, 404, 412]));
        let raw = Raw {
            size: size(2, 2),
            depth: 10,
            finer: (true, true),
            planes: [
                Some(RawPlane { data: &luma, stride: 4 }),
                Some(RawPlane { data: &chroma, stride: 4 }),
                None,
            ],
        };
        let mut picture = Picture::new(size(0, 0), Colour::default());
        picture.bring(&raw, Colour { full_range: true, ..Colour::default() });
        assert_eq!(picture.planes[0], [16, 235, 128, 255]);
        assert_eq!(picture.planes[1], [102], "the mean of four, rounded");
        assert_eq!(picture.planes[2], [128], "grey has neutral chroma");
        assert!(picture.colour.full_range);
    }
}
