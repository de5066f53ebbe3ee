//! Gathers a run of datagrams of one size to one destination, so that the kernel cuts one send into many (UDP_SEGMENT).
//!
//! Only the last of a run may be shorter. So a viewer's sound leaves after the picture's packets of the same turn, and ends
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
}

impl Segmenter {
    /// With at most `most_segments` datagrams a run: what the socket supports, 1 if it can't segment.
    pub fn new(most_segments: usize) -> Self {
        Self { most_segments: most_segments.max(1), runs: Vec::new(), spare: Vec::new() }
    }

    /// Appends a datagram of `size` bytes that `fill` writes; `arrived` if it is a packet whose way is measured.
    pub fn put(
        &mut self,
        destination: SocketAddr,
        source: Option<IpAddr>,
        size: usize,
        arrived: Option<Instant>,
        fill: impl FnOnce(&mut [u8]),
    ) {
        let run = self.run(destination, source, size);
        let start = run.bytes.len();
        run.bytes.resize(start + size, 0);
        fill(&mut run.bytes[start..]);
        run.arrived.extend(arrived);
    }

    /// Appends a datagram; `arrived` if it is a packet whose way is measured.
    pub fn push(
        &mut self,
        destination: SocketAddr,
        source: Option<IpAddr>,
        datagram: &[u8],
        arrived: Option<Instant>,
    ) {
        let run = self.run(destination, source, datagram.len());
        run.bytes.extend_from_slice(datagram);
        run.arrived.extend(arrived);
    }

    /// The run that a datagram goes into: the last one if it fits there.
    fn run(&mut self, destination: SocketAddr, source: Option<IpAddr>, size: usize) -> &mut Run {
        let fits = self.runs.last().is_some_and(|run| {
            !run.closed
                && run.destination == destination
                && run.source == source
                && size <= run.segment
                && run.bytes.len() + size <= MOST_BYTES
                && run.bytes.len() / run.segment < self.most_segments
        });
        if !fits {
            let (bytes, arrived) = self.spare.pop().unwrap_or_default();
            self.runs.push(Run {
                destination,
                source,
                bytes,
                segment: size.max(1),
                arrived,
                closed: size == 0,
            });
        }
        let at = self.runs.len() - 1;
        let run = &mut self.runs[at];
        run.closed |= size < run.segment;
        run
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
    fn a_run_is_no_longer_than_the_socket_takes() {
        assert_eq!(runs(2, &[(1, 10); 5]), [(1, 10, 20), (1, 10, 20), (1, 10, 10)]);
        assert_eq!(runs(1, &[(1, 10); 2]), [(1, 10, 10), (1, 10, 10)]);
        assert!(runs(64, &[(1, 1400); 64]).iter().all(|(_, _, bytes)| *bytes <= MOST_BYTES));
    }
}
