//! RTCP as far as a viewer and Weir speak it: what a viewer reports, read where it lies, and what it is told of the streams
//! that it gets (RFC 3550, RFC 4585, RFC 5104; draft-holmer-rmcat-transport-wide-cc-extensions-01).

const SENDER_REPORT: u8 = 200;
const RECEIVER_REPORT: u8 = 201;
const DESCRIPTION: u8 = 202;
const GOODBYE: u8 = 203;
const TRANSPORT_FEEDBACK: u8 = 205;
const PAYLOAD_FEEDBACK: u8 = 206;
const EXTENDED: u8 = 207;
/// Blocks of an extended report (RFC 3611): a receiver's time, and what was heard of it.
const RECEIVER_TIME: u8 = 4;
const TIME_HEARD: u8 = 5;
/// Of transport feedback, and of payload feedback.
const NACK: u8 = 1;
const ARRIVALS: u8 = 15;
const PLI: u8 = 1;
const FIR: u8 = 4;

/// One thing that a viewer says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Said<'a> {
    /// How one stream arrives.
    Reception(Reception),
    /// Packets of a stream that are missing: a number, and a bit for each of the sixteen after it.
    Missing {
        /// Of which stream.
        ssrc: u32,
        /// The first one.
        first: u16,
        /// Bit 0 is the one after it.
        after: u16,
    },
    /// The picture is lost: a keyframe is wanted.
    KeyframeWanted {
        /// Of which stream.
        ssrc: u32,
    },
    /// When each packet arrived, counted over all streams.
    Arrivals(Arrivals<'a>),
    /// The time of whoever sends nothing itself: told how long ago that was, it knows the round trip, and asks for repairs
    /// in time.
    Time {
        /// Whose.
        ssrc: u32,
        /// The middle of the NTP time.
        middle: u32,
    },
}

/// A report block (RFC 3550, 6.4.1).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reception {
    /// Of which stream.
    pub ssrc: u32,
    /// Lost since the report before, 0 to 1.
    pub lost: f32,
    /// The middle of the NTP time of the last sender report that came, 0 if none did.
    pub last_report: u32,
    /// How long ago that was, in 1/65,536 s.
    pub since: u32,
}

/// Reads a compound, up to the first part that isn't whole.
pub fn read(compound: &[u8]) -> impl Iterator<Item = Said<'_>> {
    // A part says things of one kind. One type for all kinds, as a box for each part would be an allocation for each.
    parts(compound).flat_map(|Part { count, kind, body }| {
        let received = match kind {
            SENDER_REPORT => body.get(24..),
            RECEIVER_REPORT => body.get(4..),
            _ => None,
        };
        let lost = ((kind, count) == (TRANSPORT_FEEDBACK, NACK)).then(|| missing(body));
        let wanted = if (kind, count) == (PAYLOAD_FEEDBACK, FIR) { body.get(8..) } else { None };
        let wanted = wanted.unwrap_or_default().chunks_exact(8).filter_map(|entry| number(entry, 0));
        let one = match (kind, count) {
            (TRANSPORT_FEEDBACK, ARRIVALS) => Arrivals::read(body).map(Said::Arrivals),
            (PAYLOAD_FEEDBACK, PLI) => number(body, 4).map(|ssrc| Said::KeyframeWanted { ssrc }),
            (EXTENDED, _) => time(body),
            _ => None,
        };
        blocks(received, count)
            .chain(lost.into_iter().flatten())
            .chain(wanted.map(|ssrc| Said::KeyframeWanted { ssrc }))
            .chain(one)
    })
}

struct Part<'a> {
    /// The five bits that count blocks, or say which feedback it is.
    count: u8,
    kind: u8,
    /// What is behind the first four bytes, without padding.
    body: &'a [u8],
}

fn parts(mut compound: &[u8]) -> impl Iterator<Item = Part<'_>> {
    std::iter::from_fn(move || {
        let (head, rest) = compound.split_first_chunk::<4>()?;
        if head[0] >> 6 != 2 {
            return None;
        }
        let length = usize::from(u16::from_be_bytes([head[2], head[3]])) * 4;
        let (body, after) = rest.split_at_checked(length)?;
        compound = after;
        let padding = if head[0] & 0x20 != 0 { usize::from(*body.last()?) } else { 0 };
        let body = body.get(..body.len().checked_sub(padding)?)?;
        Some(Part { count: head[0] & 0x1f, kind: head[1], body })
    })
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn blocks(bytes: Option<&[u8]>, count: u8) -> impl Iterator<Item = Said<'_>> {
    let blocks = bytes.unwrap_or_default().chunks_exact(24).take(count.into());
    blocks.filter_map(|block| {
        let [lost, last_report, since] = [number(block, 4)?, number(block, 16)?, number(block, 20)?];
        let lost = (lost >> 24) as f32 / 256.0;
        Some(Said::Reception(Reception { ssrc: number(block, 0)?, lost, last_report, since }))
    })
}

/// The receiver's time in an extended report.
fn time(body: &[u8]) -> Option<Said<'_>> {
    let ssrc = number(body, 0)?;
    let mut blocks = body.get(4..)?;
    while let Some((head, rest)) = blocks.split_first_chunk::<4>() {
        let (block, after) =
            rest.split_at_checked(usize::from(u16::from_be_bytes([head[2], head[3]])) * 4)?;
        if head[0] == RECEIVER_TIME {
            return Some(Said::Time { ssrc, middle: number(block, 2)? });
        }
        blocks = after;
    }
    None
}

fn missing(body: &[u8]) -> impl Iterator<Item = Said<'_>> {
    let ssrc = number(body, 4);
    body.get(8..).unwrap_or_default().chunks_exact(4).filter_map(move |entry| {
        let both = number(entry, 0)?;
        Some(Said::Missing { ssrc: ssrc?, first: (both >> 16) as u16, after: both as u16 })
    })
}

/// Transport-wide feedback: for each packet from `base` on whether it came, and when.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Arrivals<'a> {
    /// The number of the first packet.
    pub base: u16,
    /// How many it speaks of.
    pub count: u16,
    /// What its times are counted from, in units of 64 ms, 24 bits that wrap.
    pub reference: u32,
    chunks: &'a [u8],
}

/// The unit of its times: a quarter of a millisecond.
pub const TICK_MICROS: i64 = 250;
/// The unit of its reference.
pub const REFERENCE_MICROS: i64 = 64_000;

impl<'a> Arrivals<'a> {
    fn read(body: &'a [u8]) -> Option<Self> {
        let (head, chunks) = body.get(8..)?.split_first_chunk::<8>()?;
        Some(Self {
            base: u16::from_be_bytes([head[0], head[1]]),
            count: u16::from_be_bytes([head[2], head[3]]),
            reference: u32::from_be_bytes([0, head[4], head[5], head[6]]),
            chunks,
        })
    }

    /// Each packet in order: how much later than the one before it came, the first than the reference, in
    /// [`TICK_MICROS`]; `None` if it had not come. Ends early where it isn't whole.
    pub fn each(&self) -> impl Iterator<Item = Option<i16>> + 'a {
        // Two bytes a chunk, as many as it takes for all packets; the times are behind them.
        let (mut told, mut length) = (0, 0);
        for chunk in self.chunks.chunks_exact(2) {
            if told >= usize::from(self.count) {
                break;
            }
            told += Chunk::read(chunk).len();
            length += 2;
        }
        let (chunks, mut times) = self.chunks.split_at(length);
        let statuses = chunks.chunks_exact(2).flat_map(|chunk| {
            let chunk = Chunk::read(chunk);
            (0..chunk.len()).map(move |at| chunk.status(at))
        });
        statuses.take(self.count.into()).map_while(move |status| match status {
            1 => {
                let (time, rest) = times.split_first()?;
                times = rest;
                Some(Some(i16::from(*time)))
            }
            2 => {
                let (time, rest) = times.split_first_chunk::<2>()?;
                times = rest;
                Some(Some(i16::from_be_bytes(*time)))
            }
            _ => Some(None),
        })
    }
}

/// What two bytes say of some packets in a row (3.1.3 and 3.1.4 of the draft).
#[derive(Clone, Copy)]
struct Chunk(u16);

impl Chunk {
    fn read(bytes: &[u8]) -> Self {
        Self(u16::from_be_bytes([bytes[0], bytes[1]]))
    }

    fn len(self) -> usize {
        match self.0 >> 14 {
            0 | 1 => usize::from(self.0 & 0x1fff),
            2 => 14,
            _ => 7,
        }
    }

    /// 0: not received; 1: received, a byte of time; 2: received, two bytes.
    fn status(self, at: usize) -> u8 {
        match self.0 >> 14 {
            0 | 1 => (self.0 >> 13 & 3) as u8,
            2 => (self.0 >> (13 - at) & 1) as u8,
            _ => (self.0 >> (12 - 2 * at) & 3) as u8,
        }
    }
}

/// What a sender report says (RFC 3550, 6.4.1).
#[derive(Debug, Clone, Copy)]
pub struct Sent {
    /// The stream.
    pub ssrc: u32,
    /// The wall clock's time, as NTP writes it.
    pub ntp: u64,
    /// The same moment in the stream's timestamps.
    pub time: u32,
    /// Packets of the stream so far, and bytes of payload.
    pub packets: u32,
    /// See `packets`.
    pub bytes: u32,
}

/// Appends a sender report.
pub fn write_report(out: &mut Vec<u8>, sent: &Sent) {
    out.extend([0x80, SENDER_REPORT, 0, 6]);
    out.extend(sent.ssrc.to_be_bytes());
    out.extend(sent.ntp.to_be_bytes());
    for number in [sent.time, sent.packets, sent.bytes] {
        out.extend(number.to_be_bytes());
    }
}

/// Appends the canonical name of the sources (RFC 3550, 6.5): one and the same, as their clock is.
pub fn write_names(out: &mut Vec<u8>, sources: &[u32], name: &str) {
    const CNAME: u8 = 1;
    let name = &name.as_bytes()[..name.len().min(255)];
    let start = out.len();
    out.extend([0x80 | sources.len() as u8 & 0x1f, DESCRIPTION, 0, 0]);
    for source in sources {
        out.extend(source.to_be_bytes());
        out.extend([CNAME, name.len() as u8]);
        out.extend(name);
        // At least one byte that ends the list, up to the next word.
        out.resize(start + (out.len() - start + 1).next_multiple_of(4), 0);
    }
    finish(out, start);
}

/// Appends when the receiver `of` told its time (`middle`, see [`Said::Time`]): so long ago, in 1/65,536 s.
pub fn write_time_heard(out: &mut Vec<u8>, source: u32, (of, middle, since): (u32, u32, u32)) {
    let start = out.len();
    out.extend([0x80, EXTENDED, 0, 0]);
    out.extend(source.to_be_bytes());
    out.extend([TIME_HEARD, 0, 0, 3]);
    for number in [of, middle, since] {
        out.extend(number.to_be_bytes());
    }
    finish(out, start);
}

/// Appends a goodbye of the sources.
pub fn write_goodbye(out: &mut Vec<u8>, sources: &[u32]) {
    let start = out.len();
    out.extend([0x80 | sources.len() as u8 & 0x1f, GOODBYE, 0, 0]);
    sources.iter().for_each(|source| out.extend(source.to_be_bytes()));
    finish(out, start);
}

fn finish(out: &mut [u8], start: usize) {
    let words = ((out.len() - start) / 4 - 1) as u16;
    out[start + 2..start + 4].copy_from_slice(&words.to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(count: u8, kind: u8, body: &[u8]) -> Vec<u8> {
        let mut part = vec![0x80 | count, kind, 0, (body.len() / 4) as u8];
        part.extend(body);
        part
    }

    #[test]
    fn a_compound_is_read_part_by_part() {
        let mut compound = part(
            1,
            201,
            &[&[0; 4][..], &[0, 0, 0, 7, 64, 0, 0, 9], &[0; 8], &[1, 2, 3, 4, 0, 1, 0, 0]].concat(),
        );
        compound.extend(part(1, 205, &[0, 0, 0, 1, 0, 0, 0, 7, 1, 0, 0, 5, 1, 9, 0x80, 0]));
        compound.extend(part(1, 206, &[0, 0, 0, 1, 0, 0, 0, 7]));
        compound.extend(part(4, 206, &[0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 8, 3, 0, 0, 0]));
        compound.extend(part(
            0,
            207,
            &[0, 0, 0, 3, 5, 0, 0, 1, 9, 9, 9, 9, 4, 0, 0, 2, 1, 2, 3, 4, 5, 6, 7, 8],
        ));
        compound.extend(part(0, 204, b"name"));
        compound.extend([0x80, 206, 0, 9, 1]);
        let said: Vec<_> = read(&compound).collect();
        let reception = Reception { ssrc: 7, lost: 0.25, last_report: 0x0102_0304, since: 0x1_0000 };
        assert_eq!(
            said,
            [
                Said::Reception(reception),
                Said::Missing { ssrc: 7, first: 0x100, after: 5 },
                Said::Missing { ssrc: 7, first: 0x109, after: 0x8000 },
                Said::KeyframeWanted { ssrc: 7 },
                Said::KeyframeWanted { ssrc: 8 },
                Said::Time { ssrc: 3, middle: 0x0304_0506 },
            ]
        );
    }

    #[test]
    fn arrivals_are_read_from_every_kind_of_chunk() {
        let mut body = vec![0; 8];
        body.extend([0xff, 0xfe, 0, 27, 0, 1, 2, 9]);
        // Three came soon, one bit a packet, two bits a packet.
        body.extend([0x20, 3, 0xa0, 0b0000_0001, 0b1101_0010, 0b0000_0000, 0, 3]);
        body.extend([1, 2, 3, 4, 5, 6, 0xff, 0xff, 7]);
        let Some(arrivals) = Arrivals::read(&body) else { panic!("whole") };
        assert_eq!((arrivals.base, arrivals.count, arrivals.reference), (0xfffe, 27, 0x0001_0209 >> 8));
        let each: Vec<_> = arrivals.each().collect();
        assert_eq!(each[..3], [Some(1), Some(2), Some(3)]);
        assert_eq!(each[3], Some(4));
        assert_eq!(each.iter().flatten().count(), 3 + 2 + 2);
        assert_eq!(each[17..20], [Some(6), None, Some(-1)]);
        assert_eq!(each.len(), 27);
    }

    #[test]
    fn whatever_comes_is_read_to_an_end() {
        let mut state = 7u64;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as u8
        };
        for length in 0..2000usize {
            let mut bytes: Vec<u8> = (0..length % 97).map(|_| next()).collect();
            if let [first, kind, high, ..] = &mut bytes[..] {
                *first = 0x80 | *first & 0x3f;
                *kind = 200 + *kind % 8;
                *high = 0;
            }
            for said in read(&bytes) {
                if let Said::Arrivals(arrivals) = said {
                    assert!(arrivals.each().count() <= usize::from(arrivals.count));
                }
            }
        }
    }

    #[test]
    fn what_is_written_is_whole() {
        let mut out = Vec::new();
        write_report(&mut out, &Sent { ssrc: 1, ntp: 2, time: 3, packets: 4, bytes: 5 });
        write_names(&mut out, &[1, 9], "weir");
        write_time_heard(&mut out, 1, (7, 8, 9));
        write_goodbye(&mut out, &[1, 9]);
        let kinds: Vec<_> = parts(&out).map(|part| (part.kind, part.count, part.body.len())).collect();
        assert_eq!(kinds, [(200, 0, 24), (202, 2, 24), (207, 0, 20), (203, 2, 8)]);
    }
}
