//! The headers of DTLS records (RFC 6347, 4.1) and of what a handshake has in them before it is encrypted (4.2.2): enough
//! to tell what nobody sends.

const HANDSHAKE: u8 = 22;
const CLIENT_HELLO: u8 = 1;
const RECORD_HEADER: usize = 13;
const MESSAGE_HEADER: usize = 12;
/// Longer than any chain of certificates that WebRTC has seen.
const LONGEST_MESSAGE: usize = 1 << 16;
/// More messages than a handshake has, renewed hellos included.
const MOST_MESSAGES: u16 = 32;

struct Record<'a> {
    kind: u8,
    epoch: u16,
    body: &'a [u8],
    /// What follows it in its datagram.
    rest: &'a [u8],
}

impl<'a> Record<'a> {
    fn read(datagram: &'a [u8]) -> Option<Self> {
        let (header, after) = datagram.split_first_chunk::<RECORD_HEADER>()?;
        // ChangeCipherSpec, Alert, Handshake, ApplicationData, Heartbeat; 1.0 in the first hello, else 1.2.
        if !matches!(header[0], 20..=24) || header[1] != 254 || !matches!(header[2], 253 | 255) {
            return None;
        }
        let length = usize::from(u16::from_be_bytes([header[11], header[12]]));
        let (body, rest) = after.split_at_checked(length)?;
        Some(Self { kind: header[0], epoch: u16::from_be_bytes([header[3], header[4]]), body, rest })
    }
}

struct Message<'a> {
    kind: u8,
    sequence: u16,
    length: usize,
    offset: usize,
    fragment: usize,
    rest: &'a [u8],
}

impl<'a> Message<'a> {
    fn read(body: &'a [u8]) -> Option<Self> {
        let (header, after) = body.split_first_chunk::<MESSAGE_HEADER>()?;
        let three = |at: usize| {
            usize::from(header[at]) << 16 | usize::from(header[at + 1]) << 8 | usize::from(header[at + 2])
        };
        let fragment = three(9);
        Some(Self {
            kind: header[0],
            sequence: u16::from_be_bytes([header[4], header[5]]),
            length: three(1),
            offset: three(6),
            fragment,
            rest: after.get(fragment..)?,
        })
    }

    /// Whether it can be, in front of `after`: a message that goes on elsewhere is the last of its datagram, or goes on in the
    /// next record. OpenSSL that doesn't know its path makes records of some 200 bytes, and programs send several at once.
    fn is_fine(&self, after: &[u8]) -> bool {
        let end = self.offset + self.fragment;
        matches!(self.kind, 0..=4 | 8 | 11..=16 | 20..=24)
            && self.sequence < MOST_MESSAGES
            && self.length <= LONGEST_MESSAGE
            && (end == self.length
                || (end < self.length && self.rest.is_empty() && (after.is_empty() || self.goes_on(after))))
    }

    fn goes_on(&self, after: &[u8]) -> bool {
        let record = Record::read(after).filter(|record| record.kind == HANDSHAKE && record.epoch == 0);
        record.and_then(|record| Message::read(record.body)).is_some_and(|next| {
            (next.kind, next.sequence, next.length) == (self.kind, self.sequence, self.length)
                && next.offset == self.offset + self.fragment
        })
    }
}

/// Whether a datagram consists of whole records, and those of a handshake that aren't encrypted of messages that can be.
pub fn is_whole(datagram: &[u8]) -> bool {
    let mut rest = datagram;
    while !rest.is_empty() {
        let Some(record) = Record::read(rest) else { return false };
        rest = record.rest;
        let mut body = if record.kind == HANDSHAKE && record.epoch == 0 { record.body } else { &[] };
        while !body.is_empty() {
            let Some(message) = Message::read(body).filter(|message| message.is_fine(rest)) else {
                return false;
            };
            body = message.rest;
        }
    }
    !datagram.is_empty()
}

/// Whether a datagram begins with the beginning of a ClientHello.
pub fn begins_hello(datagram: &[u8]) -> bool {
    Record::read(datagram)
        .filter(|record| record.kind == HANDSHAKE && record.epoch == 0)
        .and_then(|record| Message::read(record.body))
        .is_some_and(|message| message.kind == CLIENT_HELLO && message.offset == 0)
}
