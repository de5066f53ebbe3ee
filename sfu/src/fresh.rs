//! What is different each time: the clock, randomness, and ids made of both. Pure cores get these as arguments.

use shared::unit::Timestamp;
use std::{
    str::FromStr,
    time::{SystemTime, UNIX_EPOCH},
};

/// The wall clock.
pub fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(since.as_millis().min(i64::MAX as u128) as i64)
}

/// The wall clock in milliseconds since 1970, with the fraction.
pub fn now_precise() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64() * 1000.0
}

/// 256 random bits from a cryptographic generator that the operating system seeds.
pub fn bytes() -> [u8; 32] {
    rand::random()
}

/// A new id: its time first, so that ids sort by age, then 80 random bits.
pub fn id<T: FromStr>() -> T {
    let text = id_text(now(), rand::random());
    // 26 characters of the id alphabet are an id of every kind.
    text.parse().unwrap_or_else(|_| unreachable!("an id of the id alphabet was refused"))
}

/// What sorts before every id that is made from a time on.
pub fn first_id(at: Timestamp) -> String {
    id_text(at, [0; 10])
}

/// 48 bits of milliseconds and 80 random bits in Crockford's base 32.
fn id_text(now: Timestamp, random: [u8; 10]) -> String {
    const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
    let tail = random.iter().fold(0u128, |bits, byte| bits << 8 | u128::from(*byte));
    let bits = ((now.as_millis() as u128) & 0xffff_ffff_ffff) << 80 | tail;
    (0..26).rev().map(|place| ALPHABET[(bits >> (place * 5)) as usize & 31] as char).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::id::{ChannelId, EventId};

    #[test]
    fn ids_sort_by_age_and_differ_within_a_millisecond() {
        let early = id_text(Timestamp::from_millis(1), [255; 10]);
        let late = id_text(Timestamp::from_millis(2), [0; 10]);
        assert!(early < late);
        assert!(early < first_id(Timestamp::from_millis(2)) && first_id(Timestamp::from_millis(2)) <= late);
        assert_eq!(early.len(), 26);
        assert!(early.parse::<ChannelId>().is_ok());
        assert_ne!(id::<EventId>(), id::<EventId>());
    }
}
