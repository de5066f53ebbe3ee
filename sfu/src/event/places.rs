//! How many connections each network has. Pure; addresses are kept here alone, in memory.

use crate::limit::network_of;
use std::{collections::HashMap, net::IpAddr};

/// The most of one network: nobody takes all of them.
pub const OF_NETWORK_MOST: u32 = 4_000;

/// Connections by network.
#[derive(Debug, Default)]
pub struct Places(HashMap<IpAddr, u32>);

impl Places {
    /// Takes a place for an address; whether there was one.
    pub fn enter(&mut self, address: Option<IpAddr>) -> bool {
        let Some(network) = counted(address) else { return true };
        let count = self.0.entry(network).or_default();
        if *count >= OF_NETWORK_MOST {
            return false;
        }
        *count += 1;
        true
    }

    /// Gives a place back that was taken for the same address.
    pub fn leave(&mut self, address: Option<IpAddr>) {
        let Some(network) = counted(address) else { return };
        if let Some(count) = self.0.get_mut(&network) {
            *count -= 1;
            if *count == 0 {
                self.0.remove(&network);
            }
        }
    }
}

/// A proxy on this machine that doesn't say for whom it asks stands for everybody.
fn counted(address: Option<IpAddr>) -> Option<IpAddr> {
    address.filter(|address| !address.to_canonical().is_loopback()).map(network_of)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_network_does_not_take_all_places() {
        let mut places = Places::default();
        let address = |text: &str| Some(text.parse().unwrap());
        for n in 0..OF_NETWORK_MOST {
            assert!(places.enter(address(&format!("2001:db8::{n:x}"))), "{n}");
        }
        assert!(!places.enter(address("2001:db8::ffff:1")), "a home's addresses are one network");
        assert!(places.enter(address("2001:db8:0:1::1")) && places.enter(address("192.0.2.1")));
        places.leave(address("2001:db8::1"));
        assert!(places.enter(address("2001:db8::2")));
        assert!(!places.enter(address("2001:db8::2")));
        places.leave(address("192.0.2.1"));
        places.leave(address("2001:db8:0:1::1"));
        assert_eq!(places.0.len(), 1, "nobody is remembered who left");
    }

    #[test]
    fn this_machine_has_no_limit() {
        let mut places = Places::default();
        for address in ["127.0.0.1", "::1", "::ffff:127.0.0.1"] {
            assert!((0..=OF_NETWORK_MOST).all(|_| places.enter(Some(address.parse().unwrap()))), "{address}");
        }
        assert!((0..=OF_NETWORK_MOST).all(|_| places.enter(None)));
        assert!(places.0.is_empty());
        places.leave(None);
    }
}
