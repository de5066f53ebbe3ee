//! Which sender reports reach a viewer (RFC 3550, 6.4.1). They tie the timestamps of sound and picture to one clock, and
//! lips are in time only once there are two of each.
//!
//! str0m makes one as soon as a stream is there, when there may be nothing to tie yet, and then at even intervals. So it is
//! asked for many, and of these go: none before the first packet of its stream, all in the first seconds, then one a
//! second.

use std::time::{Duration, Instant};

/// How often reports are made, from the first packets on. Each costs as much as two packets, also if it doesn't go.
pub const MADE_EVERY: Duration = Duration::from_millis(500);
/// For how long after a stream's first packet all of them go.
const EAGER: Duration = Duration::from_secs(2);
/// How often one goes after that.
const SENT_EVERY: Duration = Duration::from_millis(950);

/// A viewer's reports.
#[derive(Debug, Default)]
pub struct Reports {
    /// The SSRCs of streams that are there and have not sent anything.
    silent: Vec<u32>,
    /// When the last stream began to send, and the last report went.
    began: Option<Instant>,
    last: Option<Instant>,
}

impl Reports {
    /// A stream is there.
    pub fn opened(&mut self, ssrc: u32) {
        self.silent.push(ssrc);
    }

    /// Whether a datagram is to leave: all do, but for reports that aren't wanted.
    pub fn passes(&mut self, datagram: &[u8], now: Instant) -> bool {
        match datagram {
            // RTCP (RFC 5761): sender reports. A goodbye always goes.
            [0x80..=0xbf, 200, ..] => self.is_due(now),
            [0x80..=0xbf, kind, rest @ ..] if !self.silent.is_empty() && !(192..=223).contains(kind) => {
                let ssrc = rest.get(6..10).and_then(|bytes| bytes.try_into().ok()).map(u32::from_be_bytes);
                if let Some(at) = self.silent.iter().position(|silent| Some(*silent) == ssrc) {
                    self.silent.swap_remove(at);
                    self.began = Some(now);
                }
                true
            }
            _ => true,
        }
    }

    fn is_due(&mut self, now: Instant) -> bool {
        let Some(began) = self.began.filter(|_| self.silent.is_empty()) else { return false };
        let since = |at: Instant| now.saturating_duration_since(at);
        let is_due = since(began) <= EAGER || self.last.is_none_or(|last| since(last) >= SENT_EVERY);
        if is_due {
            self.last = Some(now);
        }
        is_due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn datagram(kind: u8, ssrc: u32) -> Vec<u8> {
        let mut bytes = vec![0x80, kind, 0, 1, 0, 0, 0, 0];
        bytes.extend(ssrc.to_be_bytes());
        bytes.extend([0; 20]);
        bytes
    }

    #[test]
    fn reports_wait_for_what_they_report_of_then_hurry_then_come_once_a_second() {
        let start = Instant::now();
        let mut reports = Reports::default();
        reports.opened(7);
        assert!(!reports.passes(&datagram(200, 7), start));
        assert!(reports.passes(&datagram(96, 7), start));
        assert!(reports.passes(&datagram(200, 7), start + MS));
        // The picture comes later; until it is there, what would be said of it is wrong.
        reports.opened(8);
        assert!(!reports.passes(&datagram(200, 7), start + MS * 2));
        assert!(reports.passes(&datagram(111, 7), start + MS * 2));
        assert!(!reports.passes(&datagram(200, 7), start + MS * 3));
        assert!(reports.passes(&datagram(0x80 | 96, 8), start + MS * 4));
        let sent = (0..12_000u32)
            .step_by(250)
            .filter(|ms| reports.passes(&datagram(200, 7), start + MS * (5 + ms)))
            .count();
        assert!((8 + 9..=8 + 11).contains(&sent), "{sent} in twelve seconds");
    }

    #[test]
    fn everything_else_leaves() {
        let mut reports = Reports::default();
        reports.opened(7);
        let now = Instant::now();
        assert!(reports.passes(&[], now) && reports.passes(&[0x80], now) && reports.passes(&[0x80, 96], now));
        assert!(reports.passes(&[0, 1, 2], now) && reports.passes(&datagram(203, 7), now));
    }
}
