//! What a publisher sent: the size and the time of every packet, so that its bursts can be replayed.

use std::{fmt::Write as _, time::Duration};

/// One packet of a recorded broadcast.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// When it was sent, since the recording began.
    pub at: Duration,
    /// Bytes of RTP payload.
    pub size: usize,
    /// Sound, or else picture.
    pub is_audio: bool,
    /// Of a keyframe.
    pub is_key: bool,
    /// The last packet of a frame.
    pub is_last: bool,
}

/// Reads a recording: a line for each packet with the microseconds since the one before, the payload's bytes, and letters
/// for what it is: `a` sound, `k` of a keyframe, `m` the last one of a frame. Lines with `#` say something to people.
///
/// # Panics
/// When a line is anything else.
pub fn read(text: &str) -> Vec<Entry> {
    let mut at = Duration::ZERO;
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| {
            let mut fields = line.split(' ');
            let mut number = || fields.next()?.parse::<u64>().ok();
            let (since, size) = number().zip(number()).unwrap_or_else(|| panic!("a packet: {line}"));
            let letters = fields.next().unwrap_or_default();
            let is = |letter| letters.contains(letter);
            at += Duration::from_micros(since);
            Entry { at, size: size as usize, is_audio: is('a'), is_key: is('k'), is_last: is('m') }
        })
        .collect()
}

/// The reverse of [`read`].
pub fn write(entries: &[Entry]) -> String {
    let mut text = String::new();
    let mut before = Duration::ZERO;
    for entry in entries {
        let since = (entry.at - before).as_micros();
        before += Duration::from_micros(since as u64);
        let flags = [(entry.is_audio, 'a'), (entry.is_key, 'k'), (entry.is_last, 'm')];
        let letters: String = flags.into_iter().filter(|(is, _)| *is).map(|(_, letter)| letter).collect();
        writeln!(text, "{}", format!("{since} {} {letters}", entry.size).trim_end()).expect("text");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_the_same() {
        let entry = |ms, is_audio, is_key| Entry {
            at: Duration::from_millis(ms),
            size: 100,
            is_audio,
            is_key,
            is_last: !is_audio,
        };
        let entries = [entry(0, false, true), entry(3, true, false), entry(3, false, false)];
        assert_eq!(read(&write(&entries)), entries);
    }
}
