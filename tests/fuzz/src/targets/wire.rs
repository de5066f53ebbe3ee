//! Bytes of a socket, cut somewhere.

use sfu::transcode::wire::{FromChild, Message, Reader, ToChild, write};
use std::fmt::Debug;

pub fn run(data: &[u8]) {
    let Some((cut, bytes)) = data.split_first() else { return };
    both_ways::<FromChild>(usize::from(*cut), bytes);
    both_ways::<ToChild>(usize::from(*cut), bytes);
}

/// What is understood is said in the same bytes, and is understood alike however the bytes come.
fn both_ways<M: Message + PartialEq + Debug>(cut: usize, bytes: &[u8]) {
    let (whole, end) = read::<M>(bytes, bytes.len());
    let (parts, other_end) = read::<M>(bytes, cut + 1);
    assert_eq!((&whole, end), (&parts, other_end));
    let mut said = Vec::new();
    whole.iter().for_each(|message| write(message, &mut said));
    assert_eq!(said, bytes[..said.len()]);
}

/// Messages up to the end or the first error, and whether there was one.
fn read<M: Message>(bytes: &[u8], at_once: usize) -> (Vec<M>, bool) {
    let (mut reader, mut messages) = (Reader::<M>::default(), Vec::new());
    for some in bytes.chunks(at_once.max(1)) {
        reader.push(some);
        loop {
            match reader.message() {
                Ok(Some(message)) => messages.push(message),
                Ok(None) => break,
                Err(_) => return (messages, true),
            }
        }
    }
    (messages, false)
}
