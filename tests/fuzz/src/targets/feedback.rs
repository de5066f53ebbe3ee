//! What a viewer reports of its packets, once it is opened: it may say whatever it likes of them.

use crate::input::Input;
use sfu::rtc::egress::{
    estimate::Estimator,
    log::SendLog,
    rtcp::{self, Said},
};
use std::time::{Duration, Instant};

pub fn run(data: &[u8]) {
    let mut input = Input(data);
    let (mut log, mut estimator, mut fates) = (SendLog::default(), Estimator::default(), Vec::new());
    let mut now = Instant::now();
    estimator.want(6_000_000);
    while let Some(act) = input.byte() {
        match act & 3 {
            0 => now += Duration::from_millis(u64::from(act >> 2) * 20),
            1 => {
                for _ in 0..=act >> 2 {
                    let probe = estimator.left(1_200, now);
                    log.left(now, 1_200, probe);
                }
            }
            2 => {
                while estimator.probes(now) {
                    let probe = estimator.left(900, now);
                    log.left(now, 900, probe);
                }
            }
            _ => {
                let next = log.next();
                for said in rtcp::read(input.bytes().unwrap_or_default()) {
                    let Said::Arrivals(arrivals) = said else { continue };
                    fates.clear();
                    log.report(&arrivals, now, &mut fates);
                    assert!(fates.len() <= usize::from(arrivals.count), "more than it speaks of");
                    assert!(fates.iter().all(|fate| fate.left >= 0), "of what never left");
                    estimator.report(&fates, now);
                }
                assert_eq!(log.next(), next, "reports send nothing");
                let bits = estimator.estimate().unwrap_or(50_000);
                assert!((50_000..=100_000_000).contains(&bits), "{bits} bit/s");
            }
        }
    }
}
