//! A line that is sent to a viewer: what was agreed on for it, and what was sent on it.

use super::{header::Numbers, window::Window};
use std::time::{Duration, Instant};

/// When a stream was captured is told at most so often, as viewers know how to count on (libwebrtc does the same).
const CAPTURE_TOLD_EVERY: Duration = Duration::from_secs(1);
/// It is told at once where counting on would be wrong by this.
const CAPTURE_OFF: Duration = Duration::from_millis(2);

/// A line that is sent to a viewer.
#[derive(Debug)]
pub struct Line {
    /// Its name in the SDP.
    pub mid: String,
    /// The stream's source, and that of its repairs.
    pub ssrc: u32,
    /// See `ssrc`.
    pub repairs: Option<u32>,
    /// Ticks a second.
    pub clock_rate: u32,
    /// The extensions that the viewer takes.
    pub numbers: Numbers,
    pub(super) state: Stream,
}

/// What was sent on it.
#[derive(Debug, Default)]
pub(super) struct Stream {
    pub(super) packets: u32,
    pub(super) bytes: u32,
    /// A timestamp, and the moment that it stands for.
    pub(super) tie: Option<(u32, Instant)>,
    pub(super) began: Option<Instant>,
    /// The timestamp, capture and moment that were told last.
    told: Option<(u32, Instant)>,
    /// The viewer has reported of it, so it knows which line it is.
    pub(super) is_known: bool,
    pub(super) repair_seq: u64,
    /// What was sealed: the same number once more with other bytes would give the key's stream away (RFC 3711, 9.1).
    pub(super) sealed: Window<16>,
}

impl Line {
    /// A line that nothing was sent on.
    pub fn new(mid: String, (ssrc, repairs): (u32, Option<u32>), clock_rate: u32, numbers: Numbers) -> Self {
        Self { mid, ssrc, repairs, clock_rate, numbers, state: Stream::default() }
    }
}

impl Stream {
    /// Whether a packet is to say when it was captured: a frame's first one, now and then.
    pub(super) fn tells_capture(&mut self, time: u32, captured: Instant, clock_rate: u32) -> bool {
        let is_due = self.told.is_none_or(|(told, at)| {
            let ticks = time.wrapping_sub(told).cast_signed();
            if ticks == 0 {
                return false;
            }
            let counted = Duration::from_secs_f64(f64::from(ticks.unsigned_abs()) / f64::from(clock_rate));
            let passed = captured.checked_duration_since(at);
            ticks < 0
                || passed.is_none_or(|passed| {
                    passed >= CAPTURE_TOLD_EVERY || passed.abs_diff(counted) > CAPTURE_OFF
                })
        });
        if is_due {
            self.told = Some((time, captured));
        }
        is_due
    }
}
