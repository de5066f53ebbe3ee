//! What is different each time: the clock, randomness, and ids made of both. Pure cores get these as arguments.

use shared::unit::Timestamp;
use std::{
    str::FromStr,
    sync::{Mutex, PoisonError},
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

/// A new id: its time first, so that ids sort by age, then 80 random bits. Of one millisecond, too, the later sorts later.
pub fn id<T: FromStr>() -> T {
    static LAST: Mutex<(i64, u128)> = Mutex::new((0, 0));
    let now = now();
    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    *last = following(*last, now.as_millis(), rand::random());
    let text = id_text(now, last.1);
    drop(last);
    // 26 characters of the id alphabet are an id of every kind.
    text.parse().unwrap_or_else(|_| unreachable!("an id of the id alphabet was refused"))
}

/// What sorts before every id that is made from a time on.
pub fn first_id(at: Timestamp) -> String {
    id_text(at, 0)
}

/// The time and the random bits of the id that follows on another: within its millisecond, a random step further.
fn following((at, tail): (i64, u128), now: i64, random: u128) -> (i64, u128) {
    const ROOM: u32 = 1;
    match at == now {
        true => (now, tail + 1 + (random & u128::from(u32::MAX))),
        // The first bit is left for steps: more ids than can be made in a millisecond have room there.
        false => (now, (random & TAIL) >> ROOM),
    }
}

/// The bits of an id that are random.
const TAIL: u128 = (1 << 80) - 1;

/// 48 bits of milliseconds and 80 random bits in Crockford's base 32.
fn id_text(now: Timestamp, tail: u128) -> String {
    const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
    let bits = ((now.as_millis() as u128) & 0xffff_ffff_ffff) << 80 | tail & TAIL;
    (0..26).rev().map(|place| ALPHABET[(bits >> (place * 5)) as usize & 31] as char).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::id::{ChannelId, EventId};

    #[test]
    fn ids_sort_by_age_and_differ_within_a_millisecond() {
        let early = id_text(Timestamp::from_millis(1), TAIL);
        let late = id_text(Timestamp::from_millis(2), 0);
        assert!(early < late);
        assert!(early < first_id(Timestamp::from_millis(2)) && first_id(Timestamp::from_millis(2)) <= late);
        assert_eq!(early.len(), 26);
        assert!(early.parse::<ChannelId>().is_ok());
        let ids: Vec<EventId> = (0..1000).map(|_| id()).collect();
        assert!(
            ids.windows(2).all(
                |two| two[0].as_str() < two[1].as_str() || two[0].as_str()[..10] != two[1].as_str()[..10]
            )
        );
    }

    #[test]
    fn ids_of_one_millisecond_sort_as_they_were_made_whatever_is_random() {
        for random in [0, 1, TAIL, u128::MAX] {
            let first = following((4, 9), 5, random);
            assert!(first.1 <= TAIL / 2);
            let mut last = first;
            for _ in 0..1000 {
                let next = following(last, 5, random);
                assert!(next.0 == 5 && next.1 > last.1 && next.1 <= TAIL);
                last = next;
            }
            assert_eq!(following(last, 4, 6).1, 3, "a clock that is set back begins anew");
        }
    }
}
