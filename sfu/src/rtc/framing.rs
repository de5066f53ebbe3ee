//! Datagrams over a stream: each has its length in two bytes before it (RFC 4571). Pure: bytes in, bytes out.

use std::{
    collections::VecDeque,
    io::IoSlice,
    time::{Duration, Instant},
};

/// The longest datagram that a peer may send over a stream. An honest one fits into a packet of the network.
pub const DATAGRAM_MOST: usize = 2048;
/// What waits for one slow reader: some seconds of a picture. Beyond it, the oldest media is dropped.
const BACKLOG_BYTES: usize = 512 << 10;
/// Media that waited for so long is worth nothing to a live player.
const LATE: Duration = Duration::from_secs(2);
/// How many datagrams one write carries.
const AT_ONCE: usize = 32;

/// A datagram longer than [`DATAGRAM_MOST`], or an empty one: whoever sends it doesn't mean us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a frame of {0} bytes")]
pub struct BadFrame(pub usize);

/// Takes a stream apart. Keeps at most one datagram that isn't whole yet.
#[derive(Debug, Default)]
pub struct Unframer {
    rest: Vec<u8>,
}

impl Unframer {
    /// Hands each whole datagram to `each`, until that answers false.
    pub fn take(&mut self, mut bytes: &[u8], mut each: impl FnMut(&[u8]) -> bool) -> Result<(), BadFrame> {
        loop {
            if self.rest.is_empty() {
                // The usual case: whole datagrams, and no copy.
                let Some((datagram, after)) = whole(bytes)? else { break };
                bytes = after;
                if !each(datagram) {
                    return Ok(());
                }
                continue;
            }
            let needed = match self.rest.first_chunk::<2>() {
                Some(length) => 2 + checked(*length)?,
                None => 2,
            };
            let (more, after) = bytes.split_at(bytes.len().min(needed.saturating_sub(self.rest.len())));
            self.rest.extend_from_slice(more);
            bytes = after;
            if self.rest.len() < needed {
                return Ok(());
            }
            if let Some((datagram, _)) = whole(&self.rest)? {
                let goes_on = each(datagram);
                self.rest.clear();
                if !goes_on {
                    return Ok(());
                }
            }
        }
        self.rest.extend_from_slice(bytes);
        Ok(())
    }
}

fn checked(length: [u8; 2]) -> Result<usize, BadFrame> {
    let length = usize::from(u16::from_be_bytes(length));
    if (1..=DATAGRAM_MOST).contains(&length) { Ok(length) } else { Err(BadFrame(length)) }
}

/// A datagram and what follows it.
type Cut<'a> = (&'a [u8], &'a [u8]);

/// The first datagram of `bytes`, if it is whole.
fn whole(bytes: &[u8]) -> Result<Option<Cut<'_>>, BadFrame> {
    let Some((length, rest)) = bytes.split_first_chunk::<2>() else { return Ok(None) };
    Ok(rest.split_at_checked(checked(*length)?))
}

#[derive(Debug)]
struct Frame {
    length: [u8; 2],
    datagram: Vec<u8>,
    at: Instant,
}

impl Frame {
    fn bytes(&self) -> usize {
        2 + self.datagram.len()
    }

    /// RTP and RTCP may be lost on any path; handshakes and checks are few and needed.
    fn is_media(&self) -> bool {
        self.datagram.first().is_some_and(|first| (128..=191).contains(first))
    }
}

/// What waits to be written to one connection. Whole datagrams are dropped, never parts of one: a stream can't go on after
/// half a frame.
#[derive(Debug, Default)]
pub struct Backlog {
    frames: VecDeque<Frame>,
    bytes: usize,
    /// How much of the first frame is written.
    begun: usize,
}

impl Backlog {
    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    /// Appends a datagram. Answers how many were dropped for it, which may be itself.
    pub fn push(&mut self, datagram: Vec<u8>, now: Instant) -> u64 {
        let Ok(length) = u16::try_from(datagram.len()) else { return 1 };
        let frame = Frame { length: length.to_be_bytes(), datagram, at: now };
        let mut dropped = self.drop_late(now);
        while self.bytes + frame.bytes() > BACKLOG_BYTES {
            if !self.drop_oldest(|_| true) {
                return dropped + 1;
            }
            dropped += 1;
        }
        self.bytes += frame.bytes();
        self.frames.push_back(frame);
        dropped
    }

    /// Drops media that waited for too long; answers how much.
    pub fn drop_late(&mut self, now: Instant) -> u64 {
        let mut dropped = 0;
        while self.drop_oldest(|frame| now.saturating_duration_since(frame.at) > LATE) {
            dropped += 1;
        }
        dropped
    }

    /// Drops the oldest media of which nothing is written yet, if it is `bad` enough.
    fn drop_oldest(&mut self, bad: impl Fn(&Frame) -> bool) -> bool {
        let first = usize::from(self.begun > 0);
        let Some(at) = (first..self.frames.len()).find(|at| self.frames[*at].is_media()) else {
            return false;
        };
        if !bad(&self.frames[at]) {
            return false;
        }
        if let Some(frame) = self.frames.remove(at) {
            self.bytes -= frame.bytes();
        }
        true
    }

    /// What is to be written next, as far as one write goes.
    pub fn slices(&self) -> Vec<IoSlice<'_>> {
        let mut slices = Vec::with_capacity(2 * AT_ONCE);
        for (at, frame) in self.frames.iter().take(AT_ONCE).enumerate() {
            let begun = if at == 0 { self.begun } else { 0 };
            if begun < 2 {
                slices.push(IoSlice::new(&frame.length[begun..]));
            }
            slices.push(IoSlice::new(&frame.datagram[begun.saturating_sub(2)..]));
        }
        slices
    }

    /// So many bytes of [`Self::slices`] are written.
    pub fn written(&mut self, bytes: usize) {
        self.begun += bytes;
        while let Some(first) = self.frames.front() {
            let size = first.bytes();
            if self.begun < size {
                return;
            }
            self.begun -= size;
            self.bytes -= size;
            self.frames.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(datagram: &[u8]) -> Vec<u8> {
        [&(datagram.len() as u16).to_be_bytes(), datagram].concat()
    }

    fn take_all(unframer: &mut Unframer, bytes: &[u8]) -> Vec<Vec<u8>> {
        let mut all = Vec::new();
        unframer
            .take(bytes, |datagram| {
                all.push(datagram.to_vec());
                true
            })
            .unwrap();
        all
    }

    #[test]
    fn datagrams_come_out_whole_wherever_the_stream_was_cut() {
        let sent: Vec<Vec<u8>> =
            [1, 2, 3, 300, 1500, 1].iter().map(|size| vec![*size as u8; *size]).collect();
        let stream: Vec<u8> = sent.iter().flat_map(|datagram| frame(datagram)).collect();
        for step in [1, 2, 3, 7, 100, 1499, 5000] {
            let mut unframer = Unframer::default();
            let got: Vec<_> = stream.chunks(step).flat_map(|bytes| take_all(&mut unframer, bytes)).collect();
            assert!(got == sent, "in steps of {step}");
            assert!(unframer.rest.is_empty());
        }
    }

    #[test]
    fn what_is_no_frame_ends_it_before_anything_is_kept() {
        let mut unframer = Unframer::default();
        assert_eq!(unframer.take(b"GET / HTTP/1.1\r\n", |_| true), Err(BadFrame(0x4745)));
        assert_eq!(unframer.take(&[0, 0], |_| true), Err(BadFrame(0)));
        let mut unframer = Unframer::default();
        assert_eq!(unframer.take(&[0xff], |_| true), Ok(()));
        assert_eq!(unframer.take(&[0xff], |_| true), Err(BadFrame(0xffff)));
        let mut unframer = Unframer::default();
        let most = frame(&vec![7; DATAGRAM_MOST]);
        for byte in &most[..most.len() - 1] {
            unframer.take(&[*byte], |_| true).unwrap();
            assert!(unframer.rest.len() <= 2 + DATAGRAM_MOST);
        }
    }

    #[test]
    fn whoever_has_enough_gets_no_more() {
        let mut unframer = Unframer::default();
        let mut count = 0;
        unframer
            .take(&[frame(b"a"), frame(b"b")].concat(), |_| {
                count += 1;
                false
            })
            .unwrap();
        assert_eq!(count, 1);
    }

    /// Writes `most` bytes of a backlog to a stream.
    fn write(backlog: &mut Backlog, stream: &mut Vec<u8>, most: usize) {
        let bytes: Vec<u8> =
            backlog.slices().iter().flat_map(|slice| slice.iter().copied()).take(most).collect();
        backlog.written(bytes.len());
        stream.extend(bytes);
    }

    fn media(number: u32, size: usize) -> Vec<u8> {
        let mut datagram = vec![0x80; size];
        datagram[1..5].copy_from_slice(&number.to_be_bytes());
        datagram
    }

    #[test]
    fn a_full_backlog_loses_the_oldest_media_and_never_half_a_frame() {
        let now = Instant::now();
        let mut backlog = Backlog::default();
        let handshake = vec![22; 900];
        assert_eq!(backlog.push(media(0, 1000), now), 0);
        assert_eq!(backlog.push(handshake.clone(), now), 0);
        let mut stream = Vec::new();
        write(&mut backlog, &mut stream, 5);
        let mut dropped = 0;
        for number in 1..2000 {
            dropped += backlog.push(media(number, 1000), now);
            assert!(backlog.bytes <= BACKLOG_BYTES);
        }
        assert!(dropped > 1000);
        while !backlog.is_empty() {
            write(&mut backlog, &mut stream, 777);
        }
        assert_eq!((backlog.bytes, backlog.begun), (0, 0));
        let got = take_all(&mut Unframer::default(), &stream);
        assert!(got[0] == media(0, 1000), "what was begun is finished");
        assert!(got[1] == handshake, "a handshake is never dropped for media");
        assert!(got[2] == media(dropped as u32 + 1, 1000), "the oldest went first");
        assert!(*got.last().unwrap() == media(1999, 1000));
    }

    #[test]
    fn late_media_goes_and_checks_stay_within_the_bound() {
        let now = Instant::now();
        let mut backlog = Backlog::default();
        backlog.push(media(1, 500), now);
        backlog.push(vec![0; 100], now);
        assert_eq!(backlog.drop_late(now + LATE), 0);
        assert_eq!(backlog.drop_late(now + LATE * 2), 1);
        assert_eq!(backlog.frames.len(), 1);
        let mut refused = 0;
        for _ in 0..10_000 {
            refused += backlog.push(vec![0; 1000], now);
        }
        assert!(refused > 9_000 && backlog.bytes <= BACKLOG_BYTES);
    }
}
