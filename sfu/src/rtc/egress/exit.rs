//! Where a peer's datagrams go: into the runs of the shard's socket, or into a TCP connection.

use crate::rtc::{path::Route, segment::Segmenter, tcp::Framed};
use std::{net::IpAddr, time::Instant};
use str0m::net::Protocol;

/// The way out, for one turn of one peer.
pub struct Exit<'a> {
    /// The way that it takes.
    pub route: Route,
    /// The address to send from, where that is known.
    pub source: Option<IpAddr>,
    /// What leaves by UDP.
    pub out: &'a mut Segmenter,
    /// What leaves by TCP.
    pub framed: &'a mut Vec<Framed>,
}

impl Exit<'_> {
    /// Sends a datagram of `size` bytes that `fill` writes where it is sent from. `arrived`, if it is a packet whose way is
    /// measured.
    pub fn put(&mut self, size: usize, arrived: Option<Instant>, fill: impl FnOnce(&mut [u8])) {
        if self.route.proto == Protocol::Udp {
            self.out.put(self.route.remote, self.source, size, arrived, fill);
        } else {
            let mut datagram = vec![0; size];
            fill(&mut datagram);
            self.framed.push(Framed { route: self.route, datagram });
        }
    }
}
