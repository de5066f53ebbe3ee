//! Which rungs a source gets: the largest below it that there is room for.

use super::frame::{Rung, RungId};
use shared::unit::{Bitrate, Size};

/// The rungs that there can be, from the largest: the shorter side of the picture, and bits a second of a 16:9 picture at up
/// to 30 pictures a second. What rav1e at its fastest needs to look about as VP8 does at twice the rate.
const RUNGS: [(u16, u64); 5] =
    [(1080, 2_400_000), (720, 1_200_000), (540, 750_000), (360, 400_000), (180, 110_000)];
/// The most rungs of one broadcast.
pub const MOST_RUNGS: usize = 3;
/// The highest number that a rung has.
pub const HIGHEST: RungId = RungId(RUNGS.len() as u8 - 1);
/// A rung is of use if its sides have at most this share of the source's: a little smaller looks the same and costs the same.
const SMALLER: f64 = 0.9;
/// No picture's side is shorter.
const LEAST_SIDE: u16 = 16;

/// A rung's name as a rendition: `360p`.
pub fn name(id: RungId) -> String {
    let (side, _) = RUNGS[usize::from(id.0).min(RUNGS.len() - 1)];
    format!("{side}p")
}

/// The rungs that a source could have, from the largest: those below it, with its aspect ratio, upright or not. One that is
/// smaller than all of them gets one of its own size, for those who can't decode it.
pub fn rungs(source: Size) -> Vec<Rung> {
    let short = source.width.min(source.height);
    if short < LEAST_SIDE {
        return Vec::new();
    }
    let below = |side: u16| f64::from(side) <= f64::from(short) * SMALLER;
    let all = RUNGS.iter().zip(0..);
    let mut rungs: Vec<Rung> = all
        .filter(|((side, _), _)| below(*side))
        .map(|((side, bits), id)| rung(RungId(id), *side, *bits, source))
        .collect();
    if rungs.is_empty() {
        let (side, bits) = RUNGS[RUNGS.len() - 1];
        rungs.push(rung(HIGHEST, short.min(side), bits, source));
    }
    rungs
}

fn rung(id: RungId, side: u16, bits: u64, source: Size) -> Rung {
    let scale = f64::from(side) / f64::from(source.width.min(source.height));
    let even = |length: u16| {
        let scaled = (f64::from(length) * scale / 2.0).round() * 2.0;
        // What is very long and narrow stays within what a picture can be.
        (scaled as u16).clamp(LEAST_SIDE, 4096)
    };
    let size = Size { width: even(source.width), height: even(source.height) };
    let share =
        f64::from(size.width) * f64::from(size.height) / (f64::from(side) * f64::from(side) * 16.0 / 9.0);
    // A wider picture has more in it, but not in proportion.
    let bitrate = Bitrate((bits as f64 * share.clamp(0.25, 4.0).powf(0.75)) as u64 / 1000 * 1000);
    let divisor = if id == HIGHEST { 2 } else { 1 };
    Rung { id, size, divisor, bitrate }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes(width: u16, height: u16) -> Vec<(u16, u16)> {
        rungs(Size { width, height }).iter().map(|rung| (rung.size.width, rung.size.height)).collect()
    }

    #[test]
    fn a_source_gets_what_is_below_it_with_its_aspect_ratio() {
        assert_eq!(sizes(1280, 720), [(960, 540), (640, 360), (320, 180)]);
        assert_eq!(sizes(1920, 1080), [(1280, 720), (960, 540), (640, 360), (320, 180)]);
        assert_eq!(sizes(3840, 2160).first(), Some(&(1920, 1080)));
        assert_eq!(sizes(640, 480), [(480, 360), (240, 180)]);
        assert_eq!(sizes(720, 1280), [(540, 960), (360, 640), (180, 320)], "upright");
        assert_eq!(sizes(640, 360), [(320, 180)]);
        assert_eq!(sizes(1366, 768)[0], (960, 540), "720 of 768 is no difference");
        assert_eq!(sizes(853, 479), [(642, 360), (320, 180)], "even sides");
    }

    #[test]
    fn the_smallest_gets_one_of_its_own_size_and_what_is_no_picture_none() {
        assert_eq!(sizes(176, 144), [(176, 144)]);
        assert_eq!(sizes(320, 180), [(320, 180)]);
        assert_eq!(sizes(15, 900), []);
        assert_eq!(sizes(0, 0), []);
        assert_eq!(sizes(65535, 16), [(4096, 16)]);
    }

    #[test]
    fn every_size_has_even_sides_within_bounds_and_a_bitrate() {
        for (width, height) in
            [(1u16, 1u16), (17, 65535), (65535, 65535), (4095, 333), (999, 1001), (200, 201)]
        {
            let mut before = u64::MAX;
            for rung in rungs(Size { width, height }) {
                let Size { width, height } = rung.size;
                assert!(width % 2 == 0 && height % 2 == 0 && width >= 16 && height >= 16);
                assert!(width <= 4096 && height <= 4096);
                assert!((20_000..10_000_000).contains(&rung.bitrate.0), "{rung:?}");
                assert!(rung.bitrate.0 < before, "the smaller, the less");
                before = rung.bitrate.0;
            }
        }
    }

    #[test]
    fn the_lowest_has_half_the_frame_rate() {
        let rungs = rungs(Size { width: 1280, height: 720 });
        assert_eq!(rungs.iter().map(|rung| rung.divisor).collect::<Vec<_>>(), [1, 1, 2]);
        let rates = |source: f32| rungs.iter().map(|rung| rung.frame_rate(source)).collect::<Vec<_>>();
        assert_eq!(rates(30.0), [30.0, 30.0, 15.0]);
        assert_eq!(rates(24.0), [24.0, 24.0, 12.0]);
        assert_eq!(rates(60.0), [30.0, 30.0, 15.0], "thinned");
        assert_eq!(rates(240.0), [30.0, 30.0, 15.0]);
        for unknown in [0.0, f32::NAN, f32::INFINITY, -1.0] {
            assert_eq!(rates(unknown), [30.0, 30.0, 15.0]);
        }
    }
}
