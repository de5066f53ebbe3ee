//! Maps by a peer's key. The server counts keys up by itself, so that nobody outside can choose ones that collide, and one
//! multiplication spreads them.

use super::peer::PeerKey;
use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, Hasher},
};

/// A map by peer.
pub type PeerMap<V> = HashMap<PeerKey, V, BuildHasherDefault<KeyHasher>>;

/// Hashes one number (Fibonacci hashing: the golden ratio of 2^64).
#[derive(Debug, Default, Clone, Copy)]
pub struct KeyHasher(u64);

impl Hasher for KeyHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u64(&mut self, number: u64) {
        let spread = (self.0 ^ number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        // The map takes the low bits for the place and the highest seven for telling keys apart.
        self.0 = spread.rotate_left(26);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::hash::{BuildHasher, BuildHasherDefault};

    #[test]
    fn keys_in_a_row_are_spread_over_a_map() {
        let hasher = BuildHasherDefault::<KeyHasher>::default();
        for step in [1, 2, 16, 1 << 16] {
            let mut places = vec![0u32; 1 << 12];
            for key in 0..1 << 12 {
                places[hasher.hash_one(PeerKey(key * step)) as usize & 0xfff] += 1;
            }
            assert!(places.iter().all(|count| *count <= 12), "step {step}: {:?}", places.iter().max());
        }
    }
}
