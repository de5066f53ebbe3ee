//! Sender reports that lie.

use crate::input::Input;
use sfu::publish::clock::{CaptureClock, Report};
use std::time::{Duration, Instant};

pub fn run(data: &[u8]) {
    let mut input = Input(data);
    let start = Instant::now() + Duration::from_secs(1000);
    let mut now = start;
    let mut clock = CaptureClock::default();
    let mut report = None;
    while let Some(act) = input.byte() {
        match act % 4 {
            0 => now += Duration::from_millis(u64::from(act) * 4),
            1 => {
                let (high, low) = (input.word().unwrap_or(0), input.word().unwrap_or(0));
                let wall = f64::from_bits(u64::from(high) << 32 | u64::from(low));
                report = Some(Report { wall, time: input.word().unwrap_or(0) });
            }
            2 => report = Some(Report { wall: (now - start).as_secs_f64(), time: input.word().unwrap_or(0) }),
            _ => {
                let time = input.word().unwrap_or(0);
                let one_way = Duration::from_millis(u64::from(input.short().unwrap_or(0)));
                let rate = if act & 4 == 0 { 90_000 } else { 48_000 };
                let captured = clock.captured(report, time, rate, one_way, now);
                assert!(captured <= now, "captured in the future");
                assert!(now - captured <= Duration::from_secs(2), "captured {:?} ago", now - captured);
            }
        }
    }
}
