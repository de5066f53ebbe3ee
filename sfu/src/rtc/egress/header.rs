//! The head of an RTP packet with its extensions (RFC 3550, RFC 8285), and the numbers in a VP8 payload (RFC 7741), written
//! straight into the buffer that a packet is sent from.

/// The numbers that a viewer gave the extensions that it takes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Numbers {
    /// Which line it is (RFC 9143).
    pub mid: Option<u8>,
    /// The number of the packet over all streams (draft-holmer-rmcat-transport-wide-cc-extensions-01).
    pub transport: Option<u8>,
    /// How the picture is turned (3GPP TS 26.114).
    pub orientation: Option<u8>,
    /// When it was captured (abs-capture-time).
    pub capture: Option<u8>,
    /// How long it may wait before it is shown (playout-delay).
    pub playout: Option<u8>,
}

/// What the extensions of one packet say.
#[derive(Debug, Clone, Copy, Default)]
pub struct Values<'a> {
    /// The line's name.
    pub mid: Option<&'a str>,
    /// The packet's number.
    pub transport: Option<u16>,
    /// Quarter turns clockwise.
    pub quarter_turns: Option<u8>,
    /// The capture's time as NTP writes it.
    pub capture: Option<u64>,
    /// The least and the most, in hundredths of a second, below 4,096.
    pub playout: Option<(u16, u16)>,
}

/// The fixed part.
#[derive(Debug, Clone, Copy)]
pub struct Head {
    /// RTP marker bit.
    pub marker: bool,
    /// Payload type.
    pub payload_type: u8,
    /// The lower half of the extended sequence number.
    pub seq: u16,
    /// Timestamp.
    pub time: u32,
    /// The stream.
    pub ssrc: u32,
}

/// The longest value in the one-byte form.
const LONGEST: usize = 16;

impl Numbers {
    /// How many bytes a head with these values has. Values that the viewer has no number for take none.
    pub fn length(&self, values: &Values<'_>) -> usize {
        let mut all = 0;
        if let (Some(_), Some(mid)) = (self.mid, values.mid) {
            all += 1 + mid.len().min(LONGEST);
        }
        if self.transport.is_some() && values.transport.is_some() {
            all += 1 + 2;
        }
        if self.orientation.is_some() && values.quarter_turns.is_some() {
            all += 1 + 1;
        }
        if self.capture.is_some() && values.capture.is_some() {
            all += 1 + 16;
        }
        if self.playout.is_some() && values.playout.is_some() {
            all += 1 + 3;
        }
        if all == 0 { 12 } else { 12 + 4 + all.next_multiple_of(4) }
    }

    /// Writes a head into the beginning of `out`, which has [`Self::length`] bytes for it. `pads`: the packet ends in
    /// padding.
    pub fn write(&self, out: &mut [u8], head: &Head, values: &Values<'_>, pads: bool) {
        let length = self.length(values);
        out[0] = 0x80 | u8::from(pads) << 5 | u8::from(length > 12) << 4;
        out[1] = u8::from(head.marker) << 7 | head.payload_type & 0x7f;
        out[2..4].copy_from_slice(&head.seq.to_be_bytes());
        out[4..8].copy_from_slice(&head.time.to_be_bytes());
        out[8..12].copy_from_slice(&head.ssrc.to_be_bytes());
        if length == 12 {
            return;
        }
        out[12..14].copy_from_slice(&[0xbe, 0xde]);
        out[14..16].copy_from_slice(&((length / 4 - 4) as u16).to_be_bytes());
        let mut at = 16;
        let mut put = |number: Option<u8>, value: &[u8]| {
            let (Some(number), false) = (number, value.is_empty()) else { return };
            out[at] = number << 4 | (value.len() - 1) as u8;
            out[at + 1..at + 1 + value.len()].copy_from_slice(value);
            at += 1 + value.len();
        };
        if let Some(mid) = values.mid {
            put(self.mid, &mid.as_bytes()[..mid.len().min(LONGEST)]);
        }
        if let Some(number) = values.transport {
            put(self.transport, &number.to_be_bytes());
        }
        if let Some(turns) = values.quarter_turns {
            put(self.orientation, &[turns & 3]);
        }
        if let Some(capture) = values.capture {
            // In the sender's own clock: it is no step away from that of the reports.
            let mut value = [0; 16];
            value[..8].copy_from_slice(&capture.to_be_bytes());
            put(self.capture, &value);
        }
        if let Some((least, most)) = values.playout {
            let both = (u32::from(least) << 12 | u32::from(most) & 0xfff).to_be_bytes();
            put(self.playout, &both[1..]);
        }
        out[at..length].fill(0);
    }
}

/// Puts other numbers into a VP8 payload's descriptor: the picture's, and the lowest layer's if it has that.
pub fn renumber_vp8(payload: &mut [u8], (id, base): (u16, Option<u8>)) {
    let Some(&[first, flags, high]) = payload.first_chunk::<3>() else { return };
    let (has_id, has_base, is_wide) = (flags & 0x80 != 0, flags & 0x40 != 0, high & 0x80 != 0);
    if first & 0x80 == 0 || !has_id {
        return;
    }
    let mut at = 2;
    if is_wide && payload.len() > 3 {
        payload[2..4].copy_from_slice(&(0x8000 | id).to_be_bytes());
        at += 2;
    } else {
        payload[2] = id as u8 & 0x7f;
        at += 1;
    }
    if let (Some(base), true, Some(place)) = (base, has_base, payload.get_mut(at)) {
        *place = base;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: Numbers = Numbers {
        mid: Some(4),
        transport: Some(3),
        orientation: Some(13),
        capture: Some(9),
        playout: Some(5),
    };

    #[test]
    fn a_head_is_as_long_as_it_says_and_holds_what_the_viewer_takes() {
        let head = Head { marker: true, payload_type: 96, seq: 0x0102, time: 0x0304_0506, ssrc: 0x0708_090a };
        let values = Values {
            mid: Some("1"),
            transport: Some(0xabcd),
            quarter_turns: Some(5),
            capture: Some(0x11),
            playout: Some((0x123, 0x456)),
        };
        let mut out = vec![0xff; ALL.length(&values)];
        ALL.write(&mut out, &head, &values, false);
        assert_eq!(out.len(), 12 + 4 + 28);
        assert_eq!(out[..16], [0x90, 0xe0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 0xbe, 0xde, 0, 7]);
        assert_eq!(out[16..23], [0x40, b'1', 0x31, 0xab, 0xcd, 0xd0, 1]);
        assert_eq!(out[23..40], [0x9f, 0, 0, 0, 0, 0, 0, 0, 0x11, 0, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(out[40..], [0x52, 0x12, 0x34, 0x56]);
        let none = Numbers::default();
        let mut out = vec![0; none.length(&values)];
        none.write(&mut out, &head, &values, true);
        assert_eq!((out.len(), out[0]), (12, 0xa0));
        let long = "a name that is longer than the form has room for";
        let values = Values { mid: Some(long), ..Values::default() };
        let mut out = vec![0; ALL.length(&values)];
        ALL.write(&mut out, &head, &values, false);
        assert_eq!(&out[16..33], [&[0x4f][..], &long.as_bytes()[..16]].concat());
    }

    #[test]
    fn a_vp8_picture_gets_other_numbers_in_their_places_and_nothing_else_changes() {
        for (payload, numbers, expected) in [
            (&[0x90, 0xc0, 0x81, 0x02, 9, 7][..], (0x0304, Some(8)), &[0x90, 0xc0, 0x83, 0x04, 8, 7][..]),
            (&[0x90, 0x80, 0x11, 7], (5, None), &[0x90, 0x80, 5, 7]),
            (&[0x90, 0xc0, 0x11, 7], (5, Some(6)), &[0x90, 0xc0, 5, 6]),
            (&[0x10, 0xc0, 0x11, 7], (5, Some(6)), &[0x10, 0xc0, 0x11, 7]),
            (&[0x90, 0x20, 0x11, 7], (5, Some(6)), &[0x90, 0x20, 0x11, 7]),
            (&[0x90, 0xc0], (5, Some(6)), &[0x90, 0xc0]),
            (&[0x90, 0xc0, 0x81], (5, Some(6)), &[0x90, 0xc0, 5]),
        ] {
            let mut changed = payload.to_vec();
            renumber_vp8(&mut changed, numbers);
            assert_eq!(changed, expected);
        }
    }
}
