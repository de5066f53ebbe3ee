//! Moments as reports write them.

use super::rtcp::Reception;
use std::{
    sync::LazyLock,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// Seconds between the beginnings of NTP's and Unix's time.
const NTP_EPOCH: u64 = 2_208_988_800;

/// From the middle of two NTP times (RFC 3550, 6.4.1).
pub(super) fn round_trip(reception: &Reception, now: Instant) -> Option<Duration> {
    const MOST: u32 = 30 << 16;
    if reception.last_report == 0 {
        return None;
    }
    let middle = (ntp(now) >> 16) as u32;
    let took = middle.wrapping_sub(reception.last_report).wrapping_sub(reception.since);
    // Clocks are read in steps: what was answered at once may seem to be answered before.
    let took = if took.cast_signed() < 0 && took.cast_signed() > -655 { 0 } else { took };
    (took < MOST).then(|| Duration::from_secs_f64(f64::from(took) / 65_536.0))
}

/// The wall clock's time of a moment, on a clock that was set once and then runs evenly.
pub fn wall(at: Instant) -> SystemTime {
    static SET: LazyLock<(Instant, SystemTime)> = LazyLock::new(|| (Instant::now(), SystemTime::now()));
    let (instant, system) = *SET;
    match at.checked_duration_since(instant) {
        Some(since) => system + since,
        None => system - instant.duration_since(at),
    }
}

/// The same as NTP writes it: seconds, and 32 bits of what is left.
pub(super) fn ntp(at: Instant) -> u64 {
    let since = wall(at).duration_since(UNIX_EPOCH).unwrap_or_default();
    ((since.as_secs() + NTP_EPOCH) << 32) | ((u64::from(since.subsec_nanos()) << 32) / 1_000_000_000)
}
