//! A viewer's line, switched between sources that jump and shuffle: what the viewer gets is one stream all the same.

use crate::input::Input;
use sfu::watch::{
    line::{Arrival, Line},
    picture::{Numbers, PictureIds},
    rewrite::Place,
};
use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

const CLOCK: u32 = 90_000;

/// A source's last packet.
#[derive(Clone, Copy, Default)]
struct Source {
    seq: u64,
    time: u32,
}

/// What the viewer has got.
#[derive(Default)]
struct Got {
    /// By sequence number in the viewer's stream: which packet it was.
    packets: HashMap<u64, (u8, u64, u64)>,
    highest: Option<Place>,
    at: Option<Instant>,
    /// The packet with which the source that is on the line began, as it came and as it went.
    first: Option<(u8, u64, u64)>,
    /// How often a source took another's place.
    switches: u64,
}

pub fn run(data: &[u8]) {
    let mut input = Input(data);
    let start = Instant::now();
    let mut now = start;
    let mut line: Line<u8> = Line::new(CLOCK);
    let mut pictures = PictureIds::default();
    let mut sources = [Source::default(); 4];
    let mut got = Got::default();
    while let (Some(act), Some(which)) = (input.byte(), input.byte()) {
        let track = which & 3;
        let source = &mut sources[usize::from(track)];
        match act % 8 {
            0 => line.want(track, now),
            1 => line.want_nothing(),
            2 => now += Duration::from_millis(u64::from(which)),
            3 => {
                // A jump: far ahead or back, as far as a publisher's 16 and 32 bits reach.
                let (seq, time) = (input.short().unwrap_or(0), input.word().unwrap_or(0));
                source.seq = source.seq.saturating_add_signed(i64::from(seq.cast_signed()));
                source.time = source.time.wrapping_add(time);
            }
            4 => {
                let frames: Vec<u32> = (0..u32::from(which >> 2) + 1)
                    .map(|frame| source.time.wrapping_add(frame * 3000))
                    .collect();
                line.replay(track, source.seq, &frames, now);
                for time in frames {
                    *source = Source { seq: source.seq + 1, time };
                    let arrival = Arrival { track, seq: source.seq - 1, time, can_start: false };
                    let place = line.place(arrival, now).expect("what is replayed is on the line");
                    got.take(track, arrival.seq, place, now, true);
                }
            }
            act => {
                source.seq += 1;
                source.time = source.time.wrapping_add(u32::from(which >> 2) * 100);
                // Some come late.
                let seq = source.seq.saturating_sub(if act == 7 { u64::from(which >> 2) } else { 0 });
                let arrival = Arrival { track, seq, time: source.time, can_start: act == 6 };
                let before = line.current();
                let Some(place) = line.place(arrival, now) else { continue };
                assert_eq!(line.current(), Some(track));
                got.take(track, seq, place, now, before != Some(track));
                let given = Numbers { id: seq as u16 & 0x7fff, is_wide: true, base: Some(seq as u8) };
                if let Some((id, base)) = pictures.place(track, given) {
                    assert!(id <= 0x7fff && base.is_some());
                }
            }
        }
    }
}

impl Got {
    fn take(&mut self, track: u8, seq: u64, place: Place, now: Instant, may_switch: bool) {
        let of_same = self.first.filter(|(known, from, to)| {
            *known == track && seq.wrapping_sub(*from) == place.seq.wrapping_sub(*to)
        });
        if of_same.is_none() {
            assert!(may_switch, "{place:?} is not where the packets before it went");
            match (self.highest, self.at) {
                (Some(highest), Some(at)) => {
                    assert_eq!(place.seq, highest.seq + 1, "a switch leaves no gap");
                    // Not back, and on by no more than the time that has passed.
                    let most = (now - at).as_secs_f64() * f64::from(CLOCK) + 1.0;
                    let step = f64::from(place.time.wrapping_sub(highest.time).cast_signed());
                    assert!((1.0..=most).contains(&step), "time moved by {step} of at most {most}");
                }
                _ => assert!(
                    place.seq < 65_536,
                    "a receiver begins at rollover zero, and not at {}",
                    place.seq
                ),
            }
            self.first = Some((track, seq, place.seq));
            self.switches += 1;
        }
        let packet = (track, seq, self.switches);
        let known = *self.packets.entry(place.seq).or_insert(packet);
        assert_eq!(known, packet, "sequence number {} twice", place.seq);
        if self.highest.is_none_or(|highest| place.seq > highest.seq) {
            (self.highest, self.at) = (Some(place), Some(now));
        }
    }
}
