//! What a viewer reports, and what it is told: RTCP both ways.

use super::{
    Egress, News,
    clock::{ntp, round_trip},
    exit::Exit,
    log::{self, Fate},
    rtcp::{self, Said},
};
use crate::rtc::peer::Measured;
use std::time::{Duration, Instant};

/// Reports are so far apart while a stream is young, as lips are in time only once there are two of each; and after that.
const EAGER_REPORTS: Duration = Duration::from_millis(500);
const EAGER: Duration = Duration::from_secs(2);
pub(super) const REPORTS: Duration = Duration::from_secs(1);
/// The estimate is told when it changed by this share.
const NEWS: f64 = 0.03;
/// The largest datagram that a viewer reports with.
const LARGEST_REPORT: usize = 1_500;

/// Used again and again by all viewers of a thread.
#[derive(Debug, Default)]
struct Scratch {
    fates: Vec<Fate>,
}

thread_local! {
    static SCRATCH: std::cell::RefCell<Scratch> = std::cell::RefCell::default();
}

impl Egress {
    /// Takes an RTCP datagram. False: it isn't of this session, or it came before.
    pub fn receive(&mut self, datagram: &[u8], now: Instant, mut news: impl FnMut(News)) -> bool {
        let Some((_, opener)) = &mut self.ciphers else { return false };
        let mut room = [0; LARGEST_REPORT];
        let Some(packet) = room.get_mut(..datagram.len()) else { return false };
        packet.copy_from_slice(datagram);
        let Some(compound) = opener.open_rtcp(packet) else { return false };
        // A few bytes can speak of thousands of packets, and honest ones speak of some hundreds.
        let mut budget = 2 * log::MOST;
        for said in rtcp::read(compound) {
            match said {
                Said::Arrivals(arrivals) => {
                    let Some(left) = budget.checked_sub(arrivals.count.into()) else { continue };
                    budget = left;
                    let Some(estimator) = &mut self.estimator else { continue };
                    SCRATCH.with_borrow_mut(|Scratch { fates }| {
                        fates.clear();
                        self.log.report(&arrivals, now, fates);
                        estimator.report(fates, now);
                    });
                }
                Said::Reception(reception) => {
                    let lines = [&mut self.audio, &mut self.video];
                    let line = lines.into_iter().flatten().find(|line| line.ssrc == reception.ssrc);
                    let Some(line) = line else { continue };
                    line.state.is_known = true;
                    if line.clock_rate == 90_000 {
                        self.lost = Some(reception.lost);
                    }
                    if let Some(time) = round_trip(&reception, now) {
                        self.round_trip = Some(time);
                        self.estimator.iter_mut().for_each(|estimator| estimator.round_trip(time));
                    }
                }
                Said::Missing { ssrc, first, after } => {
                    if self.video.as_ref().is_some_and(|line| line.ssrc == ssrc) {
                        let set = (0..16).filter(|bit| after & 1 << bit != 0);
                        let all = std::iter::once(0).chain(set.map(|bit| bit + 1));
                        self.is_missing(all.map(|off| first.wrapping_add(off)), now);
                    }
                }
                Said::Time { ssrc, middle } => self.time = Some((ssrc, middle, now)),
                Said::KeyframeWanted { ssrc } => {
                    if self.video.as_ref().is_some_and(|line| line.ssrc == ssrc) {
                        news(News::KeyframeWanted);
                    }
                }
            }
        }
        self.tell_estimate(&mut news);
        true
    }

    pub(super) fn tell_estimate(&mut self, news: &mut impl FnMut(News)) {
        let Some(bits) = self.estimator.as_ref().and_then(|estimator| estimator.estimate()) else { return };
        let is_news = self.told.is_none_or(|told| {
            bits.abs_diff(told) as f64 > told as f64 * NEWS || bits < told && told - bits > 1_000
        });
        if is_news {
            self.told = Some(bits);
            news(News::Estimated(bits));
        }
    }

    pub(super) fn measured(&mut self, now: Instant) -> Measured {
        let estimator = self.estimator.as_ref();
        let loss = estimator.and_then(|estimator| estimator.loss(now)).or(self.lost.take());
        let measured = Measured {
            estimate: estimator.and_then(|estimator| estimator.estimate()),
            loss,
            round_trip: self.round_trip,
        };
        self.doubling.measured(measured.loss, measured.round_trip);
        measured
    }

    /// Tells the viewer which moments the streams' timestamps stand for.
    pub(super) fn report(&mut self, now: Instant, exit: &mut Exit<'_>) {
        let Some((sealer, _)) = &mut self.ciphers else { return };
        let mut compound = Vec::with_capacity(160);
        let mut sources = Vec::with_capacity(2);
        let mut is_young = false;
        for line in [&self.audio, &self.video].into_iter().flatten() {
            let Some((time, at)) = line.state.tie else { continue };
            let since = now.saturating_duration_since(at).as_secs_f64() * f64::from(line.clock_rate);
            rtcp::write_report(
                &mut compound,
                &rtcp::Sent {
                    ssrc: line.ssrc,
                    ntp: ntp(now),
                    time: time.wrapping_add(since as u64 as u32),
                    packets: line.state.packets,
                    bytes: line.state.bytes,
                },
            );
            sources.push(line.ssrc);
            is_young |= line.state.began.is_some_and(|began| now.saturating_duration_since(began) < EAGER);
        }
        self.report_due = Some(now + if is_young { EAGER_REPORTS } else { REPORTS });
        if sources.is_empty() {
            return;
        }
        rtcp::write_names(&mut compound, &sources, &self.name);
        if let Some((of, middle, at)) = self.time.take() {
            let since = (now.saturating_duration_since(at).as_secs_f64() * 65_536.0) as u32;
            rtcp::write_time_heard(&mut compound, sources[0], (of, middle, since));
        }
        let size = compound.len() + sealer.rtcp_overhead();
        exit.put(size, None, |out| {
            out[..compound.len()].copy_from_slice(&compound);
            sealer.seal_rtcp(out);
        });
    }

    /// Says that nothing more is sent.
    pub fn goodbye(&mut self, exit: &mut Exit<'_>) {
        let Some((sealer, _)) = &mut self.ciphers else { return };
        let mut compound = Vec::new();
        let lines = [&self.audio, &self.video].into_iter().flatten();
        let sources: Vec<u32> =
            lines.filter(|line| line.state.began.is_some()).map(|line| line.ssrc).collect();
        if sources.is_empty() {
            return;
        }
        // A compound begins with a report (RFC 3550, 6.1); one of nothing will do.
        compound.extend([0x80, 201, 0, 1]);
        compound.extend(sources[0].to_be_bytes());
        rtcp::write_names(&mut compound, &sources[..1], &self.name);
        rtcp::write_goodbye(&mut compound, &sources);
        let size = compound.len() + sealer.rtcp_overhead();
        exit.put(size, None, |out| {
            out[..compound.len()].copy_from_slice(&compound);
            sealer.seal_rtcp(out);
        });
    }
}
