//! A viewer's line, switched between sources that jump and shuffle: what the viewer gets is one stream all the same.

use crate::input::Input;
use sfu::watch::{
    line::{Arrival, Line},
    picture::{Numbers, PictureIds},
    rewrite::{Edge, Place, Turn},
};
use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

const CLOCK: u32 = 90_000;
/// What a stream promises its receivers, in packets and in ticks.
const WIDEST_GAP: i64 = 1200;
const TIME_JUMP: i64 = 5 * CLOCK as i64;
const DEADLINE: i64 = CLOCK as i64;

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
    packets: HashMap<u64, (u8, u64)>,
    highest: Option<Place>,
    /// What was added to the sequence numbers of the packet before.
    offset: u64,
}

pub fn run(data: &[u8]) {
    let mut input = Input(data);
    let start = Instant::now() + Duration::from_secs(1000);
    let mut now = start;
    let mut line: Line<u8> = Line::new(CLOCK);
    let mut pictures = PictureIds::default();
    let mut sources = [Source::default(); 4];
    let mut got = Got::default();
    while let (Some(act), Some(which)) = (input.byte(), input.byte()) {
        let track = which & 3;
        let source = &mut sources[usize::from(track)];
        match act % 8 {
            0 if which & 0x80 != 0 => line.stop(),
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
                // A cache of one packet each, the newest a while ago.
                let captured = now - Duration::from_millis(u64::from(which));
                let (seq, time) =
                    (source.seq + frames.len() as u64 - 1, frames.last().copied().unwrap_or_default());
                let edge = Edge { seq, time, captured, arrived: now };
                line.replay(track, source.seq, edge);
                let turn = Some(Turn { leaves: now, edge });
                for (at, time) in frames.into_iter().enumerate() {
                    *source = Source { seq: source.seq + 1, time };
                    let seq = source.seq - 1;
                    let arrival = Arrival { track, seq, time, captured, can_start: false, turn };
                    let place = line.place(arrival).expect("what is replayed is on the line");
                    got.take((track, seq), place, at == 0, true);
                }
            }
            act => {
                source.seq += 1;
                source.time = source.time.wrapping_add(u32::from(which >> 2) * 100);
                // Some come late, and some were captured a while ago.
                let late = if act == 7 { u64::from(which >> 2) } else { 0 };
                let captured = now - Duration::from_millis(late);
                let seq = source.seq.saturating_sub(late);
                let arrival =
                    Arrival { track, seq, time: source.time, captured, can_start: act == 6, turn: None };
                let before = line.current();
                let Some(place) = line.place(arrival) else { continue };
                assert_eq!(line.current(), Some(track));
                got.take((track, seq), place, before != Some(track), false);
                let given = Numbers { id: seq as u16 & 0x7fff, is_wide: true, base: Some(seq as u8) };
                if let Some((id, base)) = pictures.place(track, given) {
                    assert!(id <= 0x7fff && base.is_some());
                }
            }
        }
    }
}

impl Got {
    fn take(&mut self, (track, seq): (u8, u64), place: Place, switched: bool, replayed: bool) {
        let offset = place.seq.wrapping_sub(seq);
        match self.highest {
            None => assert!(place.seq < 65_536, "a receiver begins at rollover zero, not at {}", place.seq),
            Some(highest) => {
                let ahead = place.seq.wrapping_sub(highest.seq).cast_signed();
                let step = i64::from(place.time.wrapping_sub(highest.time).cast_signed());
                let passed = place.stands_for.saturating_duration_since(highest.stands_for);
                let elapsed = (passed.as_secs_f64() * f64::from(CLOCK)) as i64;
                if switched {
                    assert_eq!(ahead, 1, "a switch leaves no gap");
                    assert!(
                        (1..=elapsed + 1).contains(&step),
                        "time moved by {step} of {elapsed} at a switch"
                    );
                } else if ahead > 0 {
                    assert!(ahead <= WIDEST_GAP, "a gap of {ahead}");
                    assert!(
                        offset == self.offset || ahead == WIDEST_GAP,
                        "{place:?} is not where others went"
                    );
                    assert!(
                        replayed || (step - elapsed).abs() <= TIME_JUMP,
                        "time moved by {step} of {elapsed}"
                    );
                } else {
                    assert_eq!(offset, self.offset, "{place:?} is not where the packets before it went");
                    assert!(step.abs() <= DEADLINE, "{step} ticks off, and not left out");
                }
            }
        }
        self.offset = offset;
        // A number is one packet's, whatever is switched, cut or repeated.
        let known = *self.packets.entry(place.seq).or_insert((track, seq));
        assert_eq!(known, (track, seq), "sequence number {} twice", place.seq);
        if self.highest.is_none_or(|highest| place.seq > highest.seq) {
            self.highest = Some(place);
        }
    }
}
