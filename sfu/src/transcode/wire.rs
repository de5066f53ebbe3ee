//! What the server and a transcoding child say to each other over their socket, as bytes.
//!
//! Each message is its length (32 bits, most significant byte first, without itself), one byte that says which it is, and its
//! fields in a fixed order. Server and child are the same program, so there is no version. The server believes a child no more
//! than it believes a stranger: what decodes hostile input may say anything.

use super::frame::{Made, MediaTime, Rung, RungFrame, RungId, SourceFrame};
use shared::{
    broadcast::Codec,
    unit::{Bitrate, Size},
};
use std::{marker::PhantomData, sync::Arc, time::Duration};

/// The most bytes that a frame has: a keyframe of 4K at a bitrate that nobody sends.
pub const MOST_FRAME: usize = 4 << 20;
/// The most bytes of an Opus packet (RFC 6716, section 3.2.1: 1,275 a frame, and here at most three).
pub const MOST_SOUND: usize = 4 << 10;
/// The most rungs of a ladder.
pub const MOST_RUNGS: usize = 8;
/// The most bytes of a sentence.
pub const MOST_TEXT: usize = 300;
/// The most bytes of a message: a frame and its fields.
const MOST_MESSAGE: usize = MOST_FRAME + 64;

/// From the server to the child.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ToChild {
    /// Make these rungs from now on, and no others.
    SetRungs(Vec<Rung>),
    /// A frame of the source.
    Frame(SourceFrame),
    /// A rung's next frame is to be a keyframe.
    Keyframe(RungId),
    /// A packet of the source's sound.
    Audio(Sound),
}

/// From the child to the server.
#[derive(Debug, Clone, PartialEq)]
pub enum FromChild {
    /// It is set up, as far as the machine lets it.
    Ready(Confinement),
    /// What came out of the pipeline.
    Made(Made),
    /// A packet of the low-bitrate sound.
    Audio(Sound),
    /// How it does, each second.
    Stats(Stats),
    /// All that it was given so far has been seen to.
    Heartbeat,
    /// Something for the server's log: it goes on.
    Remark(String),
    /// The reason for which it ends.
    Ending(String),
}

/// A packet of Opus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sound {
    /// When it is to be heard: the source's RTP timestamp in ticks of 48 kHz, extended so that it doesn't wrap.
    pub time: i64,
    /// One packet.
    pub data: Arc<[u8]>,
}

/// What keeps a child from harm. Each is missing where the kernel doesn't have it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Confinement {
    /// Its priority is low.
    pub nice: bool,
    /// Its memory is limited.
    pub memory: bool,
    /// It may ask the kernel for nothing but what encoding takes (seccomp).
    pub calls: bool,
}

/// What a child tells of itself; counts and times are totals since it began.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stats {
    /// By rung, those that run.
    pub rungs: Vec<RungStats>,
    /// Frames of the source that were decoded.
    pub decoded: u64,
    /// Frames of the source that were left out since too many waited.
    pub skipped: u64,
    /// CPU time of all its threads.
    pub cpu: Duration,
    /// Bytes of memory that it holds.
    pub memory: u64,
    /// How long the frame that was done last had waited before.
    pub waited: Duration,
}

/// What a child tells of one rung.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RungStats {
    /// Which.
    pub rung: RungId,
    /// Its size, so that a cost can be told from it.
    pub size: Size,
    /// Pictures that were encoded.
    pub encoded: u64,
    /// Pictures that were left out to stay in time.
    pub dropped: u64,
    /// How long the encoder was busy.
    pub encoding: Duration,
    /// Bytes that came out.
    pub bytes: u64,
}

/// Why bytes are no message. The other end is not to be listened to any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// More than a message can have.
    #[error("a message of {0} bytes")]
    TooLong(usize),
    /// Fewer or more bytes than its fields take, or a field that can't be.
    #[error("a message of kind {0} that makes no sense")]
    Malformed(u8),
    /// A kind that doesn't exist, or no kind at all.
    #[error("a message of no known kind")]
    Unknown,
}

/// Something that can be said over the socket.
pub trait Message: Sized {
    /// Writes the kind and the fields.
    fn write(&self, out: &mut Vec<u8>);
    /// Reads what [`Message::write`] wrote.
    fn read(kind: u8, fields: &mut Fields<'_>) -> Option<Self>;
    /// Whether there is such a kind.
    fn is_kind(kind: u8) -> bool;
}

/// Appends a message with its length to `out`.
pub fn write<M: Message>(message: &M, out: &mut Vec<u8>) {
    let start = out.len();
    out.extend([0; 4]);
    message.write(out);
    let length = (out.len() - start - 4) as u32;
    out[start..start + 4].copy_from_slice(&length.to_be_bytes());
}

/// Makes messages of bytes as they come. It keeps what is not whole yet, which is at most one message.
#[derive(Debug)]
pub struct Reader<M> {
    bytes: Vec<u8>,
    /// Up to where they have been read.
    read: usize,
    of: PhantomData<fn() -> M>,
}

impl<M> Default for Reader<M> {
    fn default() -> Self {
        Self { bytes: Vec::new(), read: 0, of: PhantomData }
    }
}

impl<M: Message> Reader<M> {
    /// Takes more bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.drain(..self.read);
        self.read = 0;
        self.bytes.extend_from_slice(bytes);
    }

    /// The next whole message.
    ///
    /// # Errors
    /// When the bytes are none; whatever follows is meaningless then.
    pub fn message(&mut self) -> Result<Option<M>, WireError> {
        let rest = &self.bytes[self.read..];
        let Some((length, rest)) = rest.split_first_chunk::<4>() else { return Ok(None) };
        let length = u32::from_be_bytes(*length) as usize;
        if length > MOST_MESSAGE {
            return Err(WireError::TooLong(length));
        }
        let Some(message) = rest.get(..length) else { return Ok(None) };
        let Some((&kind, fields)) = message.split_first() else { return Err(WireError::Unknown) };
        if !M::is_kind(kind) {
            return Err(WireError::Unknown);
        }
        let mut fields = Fields(fields);
        let message = M::read(kind, &mut fields).filter(|_| fields.0.is_empty());
        self.read += 4 + length;
        message.map(Some).ok_or(WireError::Malformed(kind))
    }
}

/// A message's fields that have not been read yet.
#[derive(Debug)]
pub struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (array, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*array)
    }

    fn byte(&mut self) -> Option<u8> {
        self.array().map(|[byte]| byte)
    }

    fn flag(&mut self) -> Option<bool> {
        match self.byte()? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }

    fn number(&mut self) -> Option<u64> {
        self.array().map(u64::from_be_bytes)
    }

    fn time(&mut self) -> Option<i64> {
        self.array().map(i64::from_be_bytes)
    }

    fn duration(&mut self) -> Option<Duration> {
        self.number().map(Duration::from_micros)
    }

    fn size(&mut self) -> Option<Size> {
        let width = self.array().map(u16::from_be_bytes)?;
        let height = self.array().map(u16::from_be_bytes)?;
        (width > 0 && height > 0).then_some(Size { width, height })
    }

    fn rung(&mut self) -> Option<RungId> {
        self.byte().filter(|id| usize::from(*id) < MOST_RUNGS).map(RungId)
    }

    /// All that is left, at least one byte.
    fn rest(&mut self, most: usize) -> Option<&[u8]> {
        let rest = std::mem::take(&mut self.0);
        (1..=most).contains(&rest.len()).then_some(rest)
    }

    /// All that is left, as a sentence without what a terminal would act on.
    fn text(&mut self) -> Option<String> {
        let text = std::str::from_utf8(self.rest(MOST_TEXT)?).ok()?;
        (!text.chars().any(char::is_control)).then(|| text.to_owned())
    }

    fn list<T>(&mut self, mut one: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let count = self.byte().map(usize::from).filter(|count| *count <= MOST_RUNGS)?;
        (0..count).map(|_| one(self)).collect()
    }
}

fn put_size(size: Size, out: &mut Vec<u8>) {
    out.extend(size.width.to_be_bytes());
    out.extend(size.height.to_be_bytes());
}

fn put_duration(duration: Duration, out: &mut Vec<u8>) {
    out.extend(u64::try_from(duration.as_micros()).unwrap_or(u64::MAX).to_be_bytes());
}

/// As much of a sentence as may be said.
fn put_text(text: &str, out: &mut Vec<u8>) {
    let start = out.len();
    for letter in text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }) {
        if out.len() - start + letter.len_utf8() > MOST_TEXT {
            break;
        }
        out.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
    }
    if out.len() == start {
        out.push(b'?');
    }
}

fn put_count(count: usize, out: &mut Vec<u8>) {
    out.push(count.min(MOST_RUNGS) as u8);
}

fn put_sound(sound: &Sound, out: &mut Vec<u8>) {
    out.extend(sound.time.to_be_bytes());
    out.extend_from_slice(&sound.data);
}

fn sound(fields: &mut Fields<'_>) -> Option<Sound> {
    Some(Sound { time: fields.time()?, data: fields.rest(MOST_SOUND)?.into() })
}

const CODECS: [Codec; 4] = [Codec::Av1, Codec::Vp9, Codec::Vp8, Codec::H264];

const SET_RUNGS: u8 = 1;
const SOURCE_FRAME: u8 = 2;
const KEYFRAME: u8 = 3;
const SOUND: u8 = 4;

impl Message for ToChild {
    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::SetRungs(rungs) => {
                out.push(SET_RUNGS);
                put_count(rungs.len(), out);
                for rung in rungs.iter().take(MOST_RUNGS) {
                    out.push(rung.id.0);
                    put_size(rung.size, out);
                    out.push(rung.divisor);
                    out.extend(rung.bitrate.0.to_be_bytes());
                }
            }
            Self::Frame(frame) => {
                out.push(SOURCE_FRAME);
                // What is no picture's codec comes out as one that doesn't exist, and is refused.
                out.push(CODECS.iter().position(|codec| *codec == frame.codec).unwrap_or(CODECS.len()) as u8);
                out.extend(frame.time.0.to_be_bytes());
                out.push(u8::from(frame.keyframe));
                out.push(u8::from(frame.after_gap));
                out.push(u8::from(frame.decode_only));
                out.extend_from_slice(&frame.data);
            }
            Self::Keyframe(rung) => out.extend([KEYFRAME, rung.0]),
            Self::Audio(sound) => {
                out.push(SOUND);
                put_sound(sound, out);
            }
        }
    }

    fn read(kind: u8, fields: &mut Fields<'_>) -> Option<Self> {
        Some(match kind {
            SET_RUNGS => Self::SetRungs(fields.list(|fields| {
                let id = fields.rung()?;
                let size = fields.size().filter(|size| size.width % 2 == 0 && size.height % 2 == 0)?;
                let divisor = fields.byte().filter(|divisor| *divisor > 0)?;
                let bitrate = fields.number().filter(|bitrate| *bitrate > 0).map(Bitrate)?;
                Some(Rung { id, size, divisor, bitrate })
            })?),
            SOURCE_FRAME => Self::Frame(SourceFrame {
                codec: *CODECS.get(usize::from(fields.byte()?))?,
                time: fields.time().map(MediaTime)?,
                keyframe: fields.flag()?,
                after_gap: fields.flag()?,
                decode_only: fields.flag()?,
                data: fields.rest(MOST_FRAME)?.into(),
            }),
            KEYFRAME => Self::Keyframe(fields.rung()?),
            SOUND => Self::Audio(sound(fields)?),
            _ => return None,
        })
    }

    fn is_kind(kind: u8) -> bool {
        (SET_RUNGS..=SOUND).contains(&kind)
    }
}

const READY: u8 = 1;
const MADE_FRAME: u8 = 2;
const MADE_SOURCE: u8 = 3;
const NEEDS_KEYFRAME: u8 = 4;
const REFUSED: u8 = 5;
const MADE_SOUND: u8 = 6;
const STATS: u8 = 7;
const HEARTBEAT: u8 = 8;
const REMARK: u8 = 9;
const ENDING: u8 = 10;

impl Message for FromChild {
    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Ready(confinement) => {
                let Confinement { nice, memory, calls } = *confinement;
                out.extend([READY, u8::from(nice), u8::from(memory), u8::from(calls)]);
            }
            Self::Made(Made::Frame(frame)) => {
                out.extend([MADE_FRAME, frame.rung.0]);
                out.extend(frame.time.0.to_be_bytes());
                out.push(u8::from(frame.keyframe));
                put_duration(frame.encoding, out);
                out.extend_from_slice(&frame.data);
            }
            Self::Made(Made::Source(size)) => {
                out.push(MADE_SOURCE);
                put_size(*size, out);
            }
            Self::Made(Made::NeedsKeyframe) => out.push(NEEDS_KEYFRAME),
            Self::Made(Made::Refused(why)) => {
                out.push(REFUSED);
                put_text(why, out);
            }
            Self::Audio(sound) => {
                out.push(MADE_SOUND);
                put_sound(sound, out);
            }
            Self::Stats(stats) => {
                out.push(STATS);
                put_count(stats.rungs.len(), out);
                for rung in stats.rungs.iter().take(MOST_RUNGS) {
                    out.push(rung.rung.0);
                    put_size(rung.size, out);
                    out.extend(rung.encoded.to_be_bytes());
                    out.extend(rung.dropped.to_be_bytes());
                    put_duration(rung.encoding, out);
                    out.extend(rung.bytes.to_be_bytes());
                }
                out.extend(stats.decoded.to_be_bytes());
                out.extend(stats.skipped.to_be_bytes());
                put_duration(stats.cpu, out);
                out.extend(stats.memory.to_be_bytes());
                put_duration(stats.waited, out);
            }
            Self::Heartbeat => out.push(HEARTBEAT),
            Self::Remark(what) => {
                out.push(REMARK);
                put_text(what, out);
            }
            Self::Ending(why) => {
                out.push(ENDING);
                put_text(why, out);
            }
        }
    }

    fn read(kind: u8, fields: &mut Fields<'_>) -> Option<Self> {
        Some(match kind {
            READY => Self::Ready(Confinement {
                nice: fields.flag()?,
                memory: fields.flag()?,
                calls: fields.flag()?,
            }),
            MADE_FRAME => Self::Made(Made::Frame(RungFrame {
                rung: fields.rung()?,
                time: fields.time().map(MediaTime)?,
                keyframe: fields.flag()?,
                encoding: fields.duration()?,
                data: fields.rest(MOST_FRAME)?.to_vec(),
            })),
            MADE_SOURCE => Self::Made(Made::Source(fields.size()?)),
            NEEDS_KEYFRAME => Self::Made(Made::NeedsKeyframe),
            REFUSED => Self::Made(Made::Refused(fields.text()?)),
            MADE_SOUND => Self::Audio(sound(fields)?),
            STATS => Self::Stats(Stats {
                rungs: fields.list(|fields| {
                    Some(RungStats {
                        rung: fields.rung()?,
                        size: fields.size()?,
                        encoded: fields.number()?,
                        dropped: fields.number()?,
                        encoding: fields.duration()?,
                        bytes: fields.number()?,
                    })
                })?,
                decoded: fields.number()?,
                skipped: fields.number()?,
                cpu: fields.duration()?,
                memory: fields.number()?,
                waited: fields.duration()?,
            }),
            HEARTBEAT => Self::Heartbeat,
            REMARK => Self::Remark(fields.text()?),
            ENDING => Self::Ending(fields.text()?),
            _ => return None,
        })
    }

    fn is_kind(kind: u8) -> bool {
        (READY..=ENDING).contains(&kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers that are the same each time (xorshift).
    struct Numbers(u64);

    impl Numbers {
        fn next(&mut self) -> u64 {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            self.0
        }

        fn below(&mut self, most: u64) -> u64 {
            self.next() % most
        }

        fn bytes(&mut self, most: u64) -> Vec<u8> {
            let length = 1 + self.below(most);
            (0..length).map(|_| self.next() as u8).collect()
        }

        fn size(&mut self) -> Size {
            Size { width: 2 + 2 * self.below(4000) as u16, height: 2 + 2 * self.below(4000) as u16 }
        }

        fn rung(&mut self) -> RungId {
            RungId(self.below(MOST_RUNGS as u64) as u8)
        }

        fn duration(&mut self) -> Duration {
            Duration::from_micros(self.next())
        }

        fn sound(&mut self) -> Sound {
            Sound { time: self.next() as i64, data: self.bytes(MOST_SOUND as u64).into() }
        }

        fn for_child(&mut self) -> ToChild {
            match self.below(4) {
                0 => {
                    let count = self.below(MOST_RUNGS as u64 + 1);
                    ToChild::SetRungs(
                        (0..count)
                            .map(|_| Rung {
                                id: self.rung(),
                                size: self.size(),
                                divisor: 1 + self.below(255) as u8,
                                bitrate: Bitrate(1 + self.below(1 << 40)),
                            })
                            .collect(),
                    )
                }
                1 => ToChild::Frame(SourceFrame {
                    codec: CODECS[self.below(4) as usize],
                    time: MediaTime(self.next() as i64),
                    keyframe: self.below(2) == 0,
                    after_gap: self.below(2) == 0,
                    decode_only: self.below(2) == 0,
                    data: self.bytes(5000).into(),
                }),
                2 => ToChild::Keyframe(self.rung()),
                _ => ToChild::Audio(self.sound()),
            }
        }

        fn of_child(&mut self) -> FromChild {
            match self.below(10) {
                0 => FromChild::Ready(Confinement {
                    nice: self.below(2) == 0,
                    memory: self.below(2) == 0,
                    calls: self.below(2) == 0,
                }),
                1 => FromChild::Made(Made::Frame(RungFrame {
                    rung: self.rung(),
                    time: MediaTime(self.next() as i64),
                    keyframe: self.below(2) == 0,
                    data: self.bytes(5000),
                    encoding: self.duration(),
                })),
                2 => FromChild::Made(Made::Source(self.size())),
                3 => FromChild::Made(Made::NeedsKeyframe),
                4 => FromChild::Made(Made::Refused("10-bit 4:4:4 can’t be used".to_owned())),
                5 => FromChild::Audio(self.sound()),
                6 => {
                    let count = self.below(MOST_RUNGS as u64 + 1);
                    FromChild::Stats(Stats {
                        rungs: (0..count)
                            .map(|_| RungStats {
                                rung: self.rung(),
                                size: self.size(),
                                encoded: self.next(),
                                dropped: self.next(),
                                encoding: self.duration(),
                                bytes: self.next(),
                            })
                            .collect(),
                        decoded: self.next(),
                        skipped: self.next(),
                        cpu: self.duration(),
                        memory: self.next(),
                        waited: self.duration(),
                    })
                }
                7 => FromChild::Heartbeat,
                8 => FromChild::Remark("a rung began anew".to_owned()),
                _ => FromChild::Ending("panicked at 'index out of bounds'".to_owned()),
            }
        }
    }

    /// What is written comes back the same, however the bytes are cut on the way.
    fn comes_back<M: Message + PartialEq + std::fmt::Debug>(make: fn(&mut Numbers) -> M) {
        let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
        for _ in 0..200 {
            let said: Vec<M> = (0..10).map(|_| make(&mut numbers)).collect();
            let mut bytes = Vec::new();
            said.iter().for_each(|message| write(message, &mut bytes));
            let (mut reader, mut heard) = (Reader::<M>::default(), Vec::new());
            let mut rest = &bytes[..];
            while !rest.is_empty() {
                let (some, more) = rest.split_at(rest.len().min(1 + numbers.below(3000) as usize));
                rest = more;
                reader.push(some);
                while let Some(message) = reader.message().unwrap() {
                    heard.push(message);
                }
            }
            assert_eq!(heard, said);
        }
    }

    #[test]
    fn what_is_said_is_heard() {
        comes_back(Numbers::for_child);
        comes_back(Numbers::of_child);
    }

    /// Bytes that were changed, cut or made up are an error or another message, never more.
    fn survives<M: Message>(make: fn(&mut Numbers) -> M) {
        let mut numbers = Numbers(42);
        for round in 0..2000 {
            let mut bytes = if round % 4 == 0 { numbers.bytes(64) } else { Vec::new() };
            if bytes.is_empty() {
                write(&make(&mut numbers), &mut bytes);
                for _ in 0..numbers.below(4) {
                    let at = numbers.below(bytes.len().min(40) as u64) as usize;
                    bytes[at] = numbers.next() as u8;
                }
                bytes.truncate(1 + numbers.below(bytes.len() as u64) as usize);
            }
            let mut reader = Reader::<M>::default();
            reader.push(&bytes);
            while let Ok(Some(_)) = reader.message() {}
        }
    }

    #[test]
    fn nonsense_is_an_error_and_no_panic() {
        survives(Numbers::for_child);
        survives(Numbers::of_child);
        let read = |bytes: &[u8]| {
            let mut reader = Reader::<FromChild>::default();
            reader.push(bytes);
            reader.message()
        };
        assert_eq!(read(&[0, 0, 0, 0]), Err(WireError::Unknown));
        assert_eq!(read(&[0, 0, 0, 1, 77]), Err(WireError::Unknown));
        assert_eq!(read(&[255, 255, 255, 255]), Err(WireError::TooLong(u32::MAX as usize)));
        assert_eq!(read(&[0, 0, 0, 2, HEARTBEAT, 0]), Err(WireError::Malformed(HEARTBEAT)));
        assert_eq!(read(&[0, 0, 0, 4, READY, 1, 1, 2]), Err(WireError::Malformed(READY)));
        assert_eq!(read(&[0, 0, 0, 5, MADE_SOURCE, 0, 0, 0, 0]), Err(WireError::Malformed(MADE_SOURCE)));
        assert_eq!(read(&[0, 0, 0, 2, REFUSED, 0x1b]), Err(WireError::Malformed(REFUSED)));
        assert_eq!(read(&[0, 0, 0, 1, HEARTBEAT]), Ok(Some(FromChild::Heartbeat)));
    }

    #[test]
    fn a_reader_keeps_no_more_than_what_is_not_whole() {
        let mut reader = Reader::<FromChild>::default();
        let mut bytes = Vec::new();
        write(&FromChild::Heartbeat, &mut bytes);
        for _ in 0..10_000 {
            reader.push(&bytes);
            assert_eq!(reader.message(), Ok(Some(FromChild::Heartbeat)));
        }
        assert!(reader.bytes.capacity() < 100, "{}", reader.bytes.capacity());
    }

    #[test]
    fn a_sentence_is_made_to_fit() {
        for text in ["", "\u{1b}[31mred\n", &"é".repeat(1000)] {
            let mut bytes = Vec::new();
            write(&FromChild::Ending(text.to_owned()), &mut bytes);
            let mut reader = Reader::<FromChild>::default();
            reader.push(&bytes);
            let Ok(Some(FromChild::Ending(heard))) = reader.message() else { panic!("{text:?}") };
            assert!((1..=MOST_TEXT).contains(&heard.len()) && !heard.contains('\u{1b}'), "{heard}");
        }
    }
}
