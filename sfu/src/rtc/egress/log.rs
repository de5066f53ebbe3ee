//! What left towards a viewer and when, by the numbers that go over all streams, and what the viewer reports of it.

use super::rtcp::{Arrivals, REFERENCE_MICROS, TICK_MICROS};
use crate::rtc::prefetch::prefetch;
use std::{collections::VecDeque, time::Instant};

/// The most packets that are remembered: two seconds of 8 Mbit/s. What isn't reported by then counts as neither.
pub const MOST: usize = 2048;
/// A report of what left longer ago says nothing of the network as it is now: the viewer was away meanwhile.
const STALE_MICROS: u32 = 2_000_000;

/// Eight bytes, as there are a thousand of them a viewer.
#[derive(Debug, Clone, Copy)]
struct Left {
    /// Microseconds since the log began, as many as fit.
    at: u32,
    size: u16,
    /// 0: none.
    probe: u8,
    known: Known,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Known {
    Nothing,
    Lost,
    Came,
}

/// What became of a packet.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fate {
    /// When it left, in microseconds on this side's clock.
    pub left: i64,
    /// When it came, in microseconds on the viewer's clock; `None`: it is lost, or late.
    pub came: Option<i64>,
    /// Bytes.
    pub size: usize,
    /// The probe that it is part of.
    pub probe: Option<u8>,
    /// An earlier report took it for lost.
    pub was_lost: bool,
}

/// See the module.
#[derive(Debug, Default)]
pub struct SendLog {
    /// The number of the first one in `packets`, counted on and on.
    first: u64,
    packets: VecDeque<Left>,
    /// When the first packet left.
    began: Option<Instant>,
    /// The last report's reference, unwrapped.
    reference: Option<i64>,
}

impl SendLog {
    /// The number of the packet that leaves next (16 bits of it go along).
    pub fn next(&self) -> u64 {
        self.first + self.packets.len() as u64
    }

    /// Asks for the memory that [`Self::left`] looks at.
    pub fn prefetch(&self) {
        self.packets.back().into_iter().for_each(prefetch);
    }

    /// A packet leaves.
    pub fn left(&mut self, at: Instant, size: usize, probe: Option<u8>) {
        if self.packets.len() >= MOST {
            self.packets.pop_front();
            self.first += 1;
        }
        let began = *self.began.get_or_insert(at);
        let at = at.saturating_duration_since(began).as_micros() as u32;
        let size = size.min(usize::from(u16::MAX)) as u16;
        self.packets.push_back(Left { at, size, probe: probe.unwrap_or(0), known: Known::Nothing });
    }

    /// A report: appends what became of each packet that it speaks of, in the order in which they left. What was told before
    /// isn't told again, unless it came after all.
    pub fn report(&mut self, arrivals: &Arrivals<'_>, now: Instant, fates: &mut Vec<Fate>) {
        let next = self.next();
        // The number nearest to the newest one.
        let behind = (next as u16).wrapping_sub(arrivals.base);
        let Some(base) = next.checked_sub(behind.into()) else { return };
        let Some(began) = self.began else { return };
        let micros = now.saturating_duration_since(began).as_micros() as i64;
        let mut time = self.unwrap(arrivals.reference) * REFERENCE_MICROS;
        for (number, delta) in (base..next).zip(arrivals.each()) {
            time += delta.map_or(0, |delta| i64::from(delta) * TICK_MICROS);
            let at = number.checked_sub(self.first).and_then(|at| usize::try_from(at).ok());
            let Some(left) = at.and_then(|at| self.packets.get_mut(at)) else { continue };
            let found = if delta.is_some() { Known::Came } else { Known::Lost };
            let is_news = left.known != Known::Came && left.known != found;
            // How long ago, counted around the end of 32 bits.
            let ago = (micros as u32).wrapping_sub(left.at);
            if !is_news || ago > STALE_MICROS {
                continue;
            }
            let was_lost = std::mem::replace(&mut left.known, found) == Known::Lost;
            fates.push(Fate {
                left: micros - i64::from(ago),
                came: delta.map(|_| time),
                size: left.size.into(),
                probe: (left.probe != 0).then_some(left.probe),
                was_lost,
            });
        }
    }

    /// 24 bits of 64 ms wrap after twelve days.
    fn unwrap(&mut self, reference: u32) -> i64 {
        let reference = i64::from(reference);
        let unwrapped = self.reference.map_or(reference, |last| {
            let off = (reference - last).rem_euclid(1 << 24);
            last + if off >= 1 << 23 { off - (1 << 24) } else { off }
        });
        self.reference = Some(unwrapped);
        unwrapped
    }
}

#[cfg(test)]
mod tests {
    use super::super::rtcp::{Said, read};
    use super::*;
    use std::time::Duration;

    const MS: Duration = Duration::from_millis(1);

    /// A report of packets in a row from `base` on that each came `deltas` ticks after the one before; negative: lost.
    fn report(base: u16, reference: u32, deltas: &[i16]) -> Vec<u8> {
        let mut body = vec![0; 8];
        body.extend(base.to_be_bytes());
        body.extend((deltas.len() as u16).to_be_bytes());
        body.extend(&reference.to_be_bytes()[1..]);
        body.push(0);
        for delta in deltas {
            body.extend(if *delta < 0 { [0, 1] } else { [0x40, 1] });
        }
        deltas.iter().filter(|delta| **delta >= 0).for_each(|delta| body.extend(delta.to_be_bytes()));
        body.resize(body.len().next_multiple_of(4), 0);
        let mut packet = vec![0x80 | 15, 205, 0, (body.len() / 4) as u8];
        packet.extend(body);
        packet
    }

    fn fates(log: &mut SendLog, packet: &[u8], now: Instant) -> Vec<(usize, Option<i64>)> {
        let mut all = Vec::new();
        for said in read(packet) {
            let Said::Arrivals(arrivals) = said else { panic!("{said:?}") };
            log.report(&arrivals, now, &mut all);
        }
        all.into_iter().map(|fate| (fate.size, fate.came)).collect()
    }

    #[test]
    fn each_packet_is_told_of_until_it_came_also_where_numbers_wrap() {
        let start = Instant::now();
        let mut log = SendLog::default();
        for number in 0..65_534 {
            log.left(start, number % 1000, None);
        }
        for size in [1, 2, 3, 4] {
            log.left(start, size, Some(1));
        }
        let came = fates(&mut log, &report(65_534, 10, &[4, -1, 8, 4]), start + MS * 50);
        assert_eq!(came, [(1, Some(641_000)), (2, None), (3, Some(643_000)), (4, Some(644_000))]);
        let again = fates(&mut log, &report(65_534, 10, &[4, 0, 8, 4]), start + MS * 60);
        assert_eq!(again, [(2, Some(641_000))], "only what was missing before");
        // The reference wraps, too.
        log.reference = Some((1 << 24) - 1);
        log.left(start, 5, None);
        assert_eq!(fates(&mut log, &report(2, 1, &[0]), start), [(5, Some(((1 << 24) + 1) * 64_000))]);
    }

    #[test]
    fn what_a_report_says_of_what_was_never_sent_or_long_ago_is_passed_over() {
        let start = Instant::now();
        let mut log = SendLog::default();
        assert_eq!(fates(&mut log, &report(0, 0, &[0, 0, 0]), start), []);
        (0..3000).for_each(|size| log.left(start, size, None));
        assert_eq!(
            fates(&mut log, &report(2998, 0, &[0, 0, 0, 0]), start),
            [(2998, Some(0)), (2999, Some(0))]
        );
        assert_eq!(fates(&mut log, &report(2, 0, &[0, 0]), start), [], "forgotten");
        assert_eq!(fates(&mut log, &report(2900, 0, &[0, -1]), start + MS * 2001), []);
        assert!(log.packets.len() <= MOST);
    }
}
