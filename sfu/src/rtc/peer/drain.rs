//! What a peer has to send is taken out of it, in as few calls as its state machine allows.

use super::{MEASURE_EVERY, Peer, SendLine, Side};
use crate::rtc::{demux, path::Route, segment::Segmenter, tcp::Framed};
use std::time::{Duration, Instant};
use str0m::{Event, Input, Output, RtcError, net::Protocol, rtp::Ssrc};

/// How far ahead of the clock a burst may be taken out, and how far apart the pacer wants any two packets.
const BURST: Duration = Duration::from_millis(2);
const STEP: Duration = Duration::from_micros(1);
/// The most datagrams that are taken out of one peer in a row, before others have their turn.
const MOST_AT_ONCE: usize = 2048;
/// When a peer to which all was sent is looked at again, if nothing is sent to it meanwhile: reports may be as late.
const REST: Duration = Duration::from_millis(25);
/// How long a report of what arrived may wait.
pub const PUT_OFF: Duration = Duration::from_millis(20);
/// The most of them. Beyond, they are handled at once.
const MOST_LATE: usize = 4;

impl Peer {
    /// Takes everything out: datagrams into `out`, those that leave by TCP into `framed`, events to `event`. Answers when
    /// it is due again.
    ///
    /// With congestion control str0m hands out one media packet each time it is told that time passed. It is told so here
    /// after each, a microsecond at a time, so that a burst leaves in one go. Whether there is another packet shows when it
    /// is asked next: to ask it first whether it wants to be told costs half as much as a packet. After the last of what was
    /// written it would only say that nothing is left; it is spared that, too, unless there are repairs or probes to be had.
    pub fn drain(
        &mut self,
        out: &mut Segmenter,
        framed: &mut Vec<Framed>,
        mut event: impl FnMut(Event),
        mapped: bool,
    ) -> Result<Instant, RtcError> {
        let latest = self.now + BURST;
        let (mut taken, mut idle) = (0, 0);
        let mut is_storm = false;
        let mut rests = false;
        let due = loop {
            match self.rtc.poll_output()? {
                Output::Timeout(_) if rests => {
                    self.allowance.settled();
                    break self.now + REST;
                }
                Output::Timeout(at) => {
                    let goes_on = self.is_metered() && at <= latest && taken < MOST_AT_ONCE;
                    if !goes_on || idle > 1 {
                        self.allowance.settled();
                        break at;
                    }
                    idle += 1;
                    self.tick(at)?;
                }
                Output::Transmit(transmit) => {
                    taken += 1;
                    idle = 0;
                    if !self.allowance.leaves(self.now) && !is_storm {
                        is_storm = true;
                        self.forget_sent();
                    }
                    let is_sound = self.is_of(self.audio, &transmit.contents);
                    if demux::is_rtp(&transmit.contents) && self.is_metered() {
                        if is_sound || self.is_of(self.video, &transmit.contents) {
                            self.written = self.written.saturating_sub(1);
                        } else {
                            self.repairs = true;
                        }
                        rests = self.written == 0 && !self.repairs && !self.looks;
                        if !rests && self.told < latest && taken < MOST_AT_ONCE {
                            self.tick(self.told + STEP)?;
                        }
                    }
                    if self.side != Side::Ingest && !self.reports.passes(&transmit.contents, self.now) {
                        continue;
                    }
                    let asked =
                        Route { proto: transmit.proto, local: transmit.source, remote: transmit.destination };
                    // Checks are answered the way they came.
                    let is_check = demux::kind(&transmit.contents) == demux::Kind::Stun;
                    let route = if is_check { asked } else { self.path.take(asked, self.now) };
                    if route.proto == Protocol::Udp {
                        let source = (!mapped).then_some(route.local.ip());
                        let arrived = self.measured(&transmit.contents);
                        if is_sound {
                            out.hold(route.remote, source, transmit.contents.into(), arrived);
                            continue;
                        }
                        out.push(route.remote, source, &transmit.contents, arrived);
                        if self.is_doubled(&transmit.contents) {
                            out.push(route.remote, source, &transmit.contents, None);
                        }
                    } else {
                        framed.push(Framed { route, datagram: transmit.contents.into() });
                    }
                }
                Output::Event(Event::Connected) => {
                    self.connected = true;
                    event(Event::Connected);
                }
                Output::Event(other) => {
                    if let Event::PeerStats(stats) = &other {
                        self.doubling.measured(stats.egress_loss_fraction, stats.rtt);
                    }
                    event(other);
                }
            }
        };
        out.release();
        (self.written, self.repairs) = (0, false);
        Ok(due)
    }

    /// Whether str0m hands its media out packet by packet.
    fn is_metered(&self) -> bool {
        self.side == Side::Egress && self.connected
    }

    /// Tells str0m that it is later. Time that went ahead with a burst doesn't go back.
    pub(super) fn tick(&mut self, at: Instant) -> Result<(), RtcError> {
        self.told = at.max(self.told);
        self.rtc.handle_input(Input::Timeout(self.told))
    }

    /// Whether a media datagram is of that line.
    fn is_of(&self, line: Option<SendLine>, datagram: &[u8]) -> bool {
        line.is_some_and(|line| datagram.get(8..12) == Some(&line.ssrc.to_be_bytes()[..]))
    }

    /// Whether a datagram is a repair that is to leave twice.
    fn is_doubled(&mut self, datagram: &[u8]) -> bool {
        if !self.doubling.is_on {
            return false;
        }
        let (Some(ssrc), Some(rtx)) = (datagram.get(8..12), self.video.and_then(|line| line.rtx)) else {
            return false;
        };
        ssrc == rtx.to_be_bytes() && demux::is_rtp(datagram) && self.allowance.leaves(self.now)
    }

    /// When the packet of this datagram arrived, if it is one that is measured.
    fn measured(&mut self, datagram: &[u8]) -> Option<Instant> {
        let (seq, ssrc) = (datagram.get(2..4)?, datagram.get(8..12)?);
        let seq = u16::from_be_bytes(seq.try_into().ok()?);
        if self.measured.is_empty() || !seq.is_multiple_of(MEASURE_EVERY) {
            return None;
        }
        let ssrc = Ssrc::from(u32::from_be_bytes(ssrc.try_into().ok()?));
        let at = self.measured.iter().position(|(of, number, _)| (*of, *number) == (ssrc, seq))?;
        Some(self.measured.swap_remove(at).2)
    }

    /// Takes a datagram for later if it is a report of what arrived when, which comes twenty times a second and has time:
    /// it is handled with the next packets to this peer, while what is its is at hand. False: it isn't one, or too many
    /// wait already.
    pub fn puts_off(&mut self, route: Route, datagram: &[u8], now: Instant) -> bool {
        let takes = self.is_metered() && self.late.len() < MOST_LATE && demux::is_arrival_report(datagram);
        if takes {
            self.late.push((route, datagram.into(), now));
        }
        takes
    }

    /// Handles what was put off.
    pub fn catch_up(&mut self) -> Result<(), RtcError> {
        if self.late.is_empty() {
            return Ok(());
        }
        let mut late = std::mem::take(&mut self.late);
        for (route, datagram, came) in late.drain(..) {
            self.receive(route, &datagram, came)?;
        }
        self.late = late;
        Ok(())
    }
}
