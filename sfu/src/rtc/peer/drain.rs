//! What a peer has to send is taken out of it.

use super::{Event, Outgoing, Peer};
use crate::rtc::{demux, egress::exit::Exit, path::Route, segment::Segmenter, tcp::Framed};
use std::time::Instant;
use str0m::{Output, RtcError, net::Protocol};

impl Peer {
    /// Takes everything out: datagrams into `out`, those that leave by TCP into `framed`, events to `event`; what comes of
    /// `packets`, which are written to it, too: a picture's before sound. Answers when it is due again, if that is another
    /// time than it said before.
    pub fn drain(
        &mut self,
        packets: &[Outgoing],
        out: &mut Segmenter,
        framed: &mut Vec<Framed>,
        mut event: impl FnMut(Event),
        mapped: bool,
    ) -> Result<Option<Instant>, RtcError> {
        if std::mem::take(&mut self.is_touched) {
            self.due = self.drain_rtc(out, framed, &mut event, mapped)?;
            self.is_alive = self.rtc.is_alive();
        }
        let due = self.drain_egress(packets, out, framed, event, mapped);
        let due = due.map_or(self.due, |due| due.min(self.due));
        Ok((self.timer != Some(due)).then(|| *self.timer.insert(due)))
    }

    /// Answers when the egress is due.
    fn drain_egress(
        &mut self,
        packets: &[Outgoing],
        out: &mut Segmenter,
        framed: &mut Vec<Framed>,
        mut event: impl FnMut(Event),
        mapped: bool,
    ) -> Option<Instant> {
        let egress = self.egress.as_mut()?;
        self.news.drain(..).for_each(|news| event(news.into()));
        let way = if self.connected { self.path.way(self.now) } else { None };
        let mut exit = way.map(|route| Exit { route, source: source(&route, mapped), out, framed });
        if self.is_closing
            && let Some(exit) = &mut exit
        {
            egress.goodbye(exit);
        }
        let exit = exit.filter(|_| !self.is_closing)?;
        egress.poll(packets, self.now, exit, |news| event(news.into()))
    }

    fn drain_rtc(
        &mut self,
        out: &mut Segmenter,
        framed: &mut Vec<Framed>,
        event: &mut impl FnMut(Event),
        mapped: bool,
    ) -> Result<Instant, RtcError> {
        loop {
            match self.rtc.poll_output()? {
                Output::Timeout(at) => return Ok(at),
                Output::Transmit(transmit) => {
                    let is_viewer = self.egress.is_some();
                    if is_viewer && demux::is_media(&transmit.contents) {
                        // Its keys are used by the egress alone: two that count packets would use a nonce twice.
                        continue;
                    }
                    let asked =
                        Route { proto: transmit.proto, local: transmit.source, remote: transmit.destination };
                    // Checks are answered the way they came.
                    let is_check = demux::kind(&transmit.contents) == demux::Kind::Stun;
                    let route = if is_check {
                        asked
                    } else {
                        self.path.nominate(asked, self.now);
                        self.path.way(self.now).unwrap_or(asked)
                    };
                    if route.proto == Protocol::Udp {
                        out.push(route.remote, source(&route, mapped), &transmit.contents, None);
                    } else {
                        framed.push(Framed { route, datagram: transmit.contents.into() });
                    }
                }
                Output::Event(of_rtc) => self.hear(of_rtc, event),
            }
        }
    }

    fn hear(&mut self, of_rtc: str0m::Event, event: &mut impl FnMut(Event)) {
        match of_rtc {
            str0m::Event::Connected => {
                if let Some(egress) = &mut self.egress {
                    let secured = self.keys.get().map(|keys| egress.secure(keys));
                    if !matches!(secured, Some(Ok(()))) {
                        tracing::warn!("a handshake ended without keys that can be used");
                        self.rtc.disconnect();
                        return;
                    }
                }
                self.connected = true;
                event(Event::Connected);
            }
            str0m::Event::Closed => event(Event::Closed),
            str0m::Event::RtpPacket(packet) => event(Event::Packet(Box::new(packet))),
            str0m::Event::MediaIngressStats(stats) => event(Event::Arrives(Box::new(stats))),
            str0m::Event::PeerStats(stats) => {
                if let Some(pair) = &stats.selected_candidate_pair {
                    let route =
                        Route { proto: pair.protocol, local: pair.local.addr, remote: pair.remote.addr };
                    self.path.nominate(route, self.now);
                }
                if let Some(round_trip) = stats.rtt {
                    event(Event::RoundTrip(round_trip));
                }
            }
            _ => {}
        }
    }
}

/// The address that a datagram leaves from; where a NAT maps it, the kernel knows better.
fn source(route: &Route, mapped: bool) -> Option<std::net::IpAddr> {
    (!mapped).then_some(route.local.ip())
}
