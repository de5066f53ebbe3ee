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

/// The room for what is gathered is let go where a burst made it larger than that.
const KEPT_BYTES: usize = 1 << 20;

/// A run of datagrams: all of `segment` bytes but the last, which may be shorter.
#[derive(Debug)]
pub struct Run<'a> {
    /// Where to.
    pub destination: SocketAddr,
    /// The local address to send from.
    pub source: Option<IpAddr>,
    /// The datagrams one after another.
    pub bytes: &'a [u8],
    /// The size of each but the last.
    pub segment: usize,
    /// When some of the packets in it arrived here, for measuring how long they took.
    pub arrived: &'a [Instant],
}

#[derive(Debug)]
struct Gathered {
    destination: SocketAddr,
    source: Option<IpAddr>,
    /// Where its datagrams and times begin; they end where the next run's begin.
    start: usize,
    arrived: usize,
    segment: usize,
    closed: bool,
}

/// Builds [`Run`]s, one after another in one buffer that is used again.
#[derive(Debug)]
pub struct Segmenter {
    most_segments: usize,
    runs: Vec<Gathered>,
    /// `used` bytes of it are of runs; what is behind them is of earlier ones.
    buffer: Vec<u8>,
    used: usize,
    arrived: Vec<Instant>,
}

impl Segmenter {
    /// With at most `most_segments` datagrams a run: what the socket supports, 1 if it can't segment.
    pub fn new(most_segments: usize) -> Self {
        Self {
            most_segments: most_segments.max(1),
            runs: Vec::new(),
            buffer: Vec::new(),
            used: 0,
            arrived: Vec::new(),
        }
    }

    /// Appends a datagram of `size` bytes that `fill` writes, all of them: they hold others before. `arrived` if it is a
    /// packet whose way is measured.
    pub fn put(
        &mut self,
        destination: SocketAddr,
        source: Option<IpAddr>,
        size: usize,
        arrived: Option<Instant>,
        fill: impl FnOnce(&mut [u8]),
    ) {
        self.note_run(destination, source, size);
        let end = self.used + size;
        if self.buffer.len() < end {
            self.buffer.resize(end.next_multiple_of(4096), 0);
        }
        // Should it panic, the datagram was never there.
        fill(&mut self.buffer[self.used..end]);
        self.used = end;
        self.arrived.extend(arrived);
    }

    /// Appends a datagram; `arrived` if it is a packet whose way is measured.
    pub fn push(
        &mut self,
        destination: SocketAddr,
        source: Option<IpAddr>,
        datagram: &[u8],
        arrived: Option<Instant>,
    ) {
        self.put(destination, source, datagram.len(), arrived, |out| out.copy_from_slice(datagram));
    }

    /// Sees to the run that a datagram goes into: the last one if it fits there.
    fn note_run(&mut self, destination: SocketAddr, source: Option<IpAddr>, size: usize) {
        let last = self.runs.last_mut().filter(|run| {
            let bytes = self.used - run.start;
            !run.closed
                && size <= run.segment
                && bytes + size <= MOST_BYTES
                && bytes < self.most_segments * run.segment
                && run.destination == destination
                && run.source == source
        });
        match last {
            Some(run) => run.closed = size < run.segment,
            None => self.runs.push(Gathered {
                destination,
                source,
                start: self.used,
                arrived: self.arrived.len(),
                segment: size.max(1),
                closed: size == 0,
            }),
        }
    }

    /// Hands each run to `send`, in order, and starts anew.
    pub fn drain(&mut self, mut send: impl FnMut(&Run<'_>)) {
        for (at, run) in self.runs.iter().enumerate() {
            let next = self.runs.get(at + 1);
            send(&Run {
                destination: run.destination,
                source: run.source,
                bytes: &self.buffer[run.start..next.map_or(self.used, |next| next.start)],
                segment: run.segment,
                arrived: &self.arrived[run.arrived..next.map_or(self.arrived.len(), |next| next.arrived)],
            });
        }
        self.runs.clear();
        self.arrived.clear();
        self.used = 0;
        if self.buffer.len() > KEPT_BYTES {
            self.buffer = Vec::new();
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
