//! Gathers a run of datagrams of one size to one destination, so that the kernel cuts one send into many (UDP_SEGMENT).
//!
//! Only the last of a run may be shorter. So sound is held until the picture's packets of the same turn are in, and ends
//! their run instead of being a send of its own.

use std::{
    net::{IpAddr, SocketAddr},
    time::Instant,
};

/// What the kernel takes in one segmented send, with room for headers.
const MOST_BYTES: usize = 60_000;

/// A run of datagrams: all of `segment` bytes but the last, which may be shorter.
#[derive(Debug)]
pub struct Run {
    /// Where to.
    pub destination: SocketAddr,
    /// The local address to send from.
    pub source: Option<IpAddr>,
    /// The datagrams one after another.
    pub bytes: Vec<u8>,
    /// The size of each but the last.
    pub segment: usize,
    /// When some of the packets in it arrived here, for measuring how long they took.
    pub arrived: Vec<Instant>,
    closed: bool,
}

/// Builds [`Run`]s. Buffers are used again.
#[derive(Debug)]
pub struct Segmenter {
    most_segments: usize,
    runs: Vec<Run>,
    spare: Vec<(Vec<u8>, Vec<Instant>)>,
    /// What waits for the end of one peer's turn.
    held: Vec<Held>,
}

#[derive(Debug)]
struct Held {
    destination: SocketAddr,
    source: Option<IpAddr>,
    datagram: Vec<u8>,
    arrived: Option<Instant>,
}

impl Segmenter {
    /// With at most `most_segments` datagrams a run: what the socket supports, 1 if it can't segment.
    pub fn new(most_segments: usize) -> Self {
        Self { most_segments: most_segments.max(1), runs: Vec::new(), spare: Vec::new(), held: Vec::new() }
    }

    /// Appends a datagram; `arrived` if it is a packet whose way is measured.
    pub fn push(
        &mut self,
        destination: SocketAddr,
        source: Option<IpAddr>,
        datagram: &[u8],
        arrived: Option<Instant>,
    ) {
        self.append(destination, source, datagram);
        if let Some((run, arrived)) = self.runs.last_mut().zip(arrived) {
            run.arrived.push(arrived);
        }
    }

    /// Appends a datagram behind all that is pushed before the next [`Self::release`].
    pub fn hold(
        &mut self,
        destination: SocketAddr,
        source: Option<IpAddr>,
        datagram: Vec<u8>,
        arrived: Option<Instant>,
    ) {
        self.held.push(Held { destination, source, datagram, arrived });
    }

    /// Appends what was held.
    pub fn release(&mut self) {
        let mut held = std::mem::take(&mut self.held);
        for Held { destination, source, datagram, arrived } in held.drain(..) {
            self.push(destination, source, &datagram, arrived);
        }
        self.held = held;
    }

    fn append(&mut self, destination: SocketAddr, source: Option<IpAddr>, datagram: &[u8]) {
        if let Some(run) = self.runs.last_mut() {
            let fits = !run.closed
                && run.destination == destination
                && run.source == source
                && datagram.len() <= run.segment
                && run.bytes.len() + datagram.len() <= MOST_BYTES
                && run.bytes.len() / run.segment < self.most_segments;
            if fits {
                run.bytes.extend_from_slice(datagram);
                run.closed = datagram.len() < run.segment;
                return;
            }
        }
        let (mut bytes, arrived) = self.spare.pop().unwrap_or_default();
        bytes.extend_from_slice(datagram);
        let closed = datagram.is_empty();
        self.runs.push(Run { destination, source, bytes, segment: datagram.len().max(1), arrived, closed });
    }

    /// Hands each run to `send`, in order, and starts anew.
    pub fn drain(&mut self, mut send: impl FnMut(&Run)) {
        for mut run in self.runs.drain(..) {
            send(&run);
            run.bytes.clear();
            run.arrived.clear();
            if self.spare.len() < 64 {
                self.spare.push((run.bytes, run.arrived));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runs(most: usize, datagrams: &[(u16, usize)]) -> Vec<(u16, usize, usize)> {
        let mut segmenter = Segmenter::new(most);
        for &(port, size) in datagrams {
            segmenter.push(SocketAddr::from(([127, 0, 0, 1], port)), None, &vec![1; size], None);
        }
        let mut all = Vec::new();
        segmenter.drain(|run| all.push((run.destination.port(), run.segment, run.bytes.len())));
        all
    }

    #[test]
    fn equal_sizes_to_one_destination_go_in_one_run_that_a_shorter_one_closes() {
        assert_eq!(runs(64, &[(1, 1200), (1, 1200), (1, 300), (1, 300)]), [(1, 1200, 2700), (1, 300, 300)]);
        assert_eq!(
            runs(64, &[(1, 300), (1, 1200)]),
            [(1, 300, 300), (1, 1200, 1200)],
            "a longer one can't follow"
        );
        assert_eq!(runs(64, &[(1, 100), (2, 100), (1, 100)]), [(1, 100, 100), (2, 100, 100), (1, 100, 100)]);
    }

    #[test]
    fn what_is_held_ends_the_run_of_what_comes_after_it() {
        let mut segmenter = Segmenter::new(64);
        let (to, now) = (SocketAddr::from(([127, 0, 0, 1], 9)), Instant::now());
        segmenter.hold(to, None, vec![1; 80], Some(now));
        segmenter.push(to, None, &[2; 900], None);
        segmenter.push(to, None, &[3; 900], None);
        segmenter.release();
        let mut all = Vec::new();
        segmenter.drain(|run| all.push((run.segment, run.bytes.len(), run.arrived.clone())));
        assert_eq!(all, [(900, 1880, vec![now])]);
    }

    #[test]
    fn a_run_is_no_longer_than_the_socket_takes() {
        assert_eq!(runs(2, &[(1, 10); 5]), [(1, 10, 20), (1, 10, 20), (1, 10, 10)]);
        assert_eq!(runs(1, &[(1, 10); 2]), [(1, 10, 10), (1, 10, 10)]);
        assert!(runs(64, &[(1, 1400); 64]).iter().all(|(_, _, bytes)| *bytes <= MOST_BYTES));
    }
}
