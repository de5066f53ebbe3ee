//! Who is banned from a room. A ban holds for every guest of the network that the one who is banned wrote from, also after a
//! restart: of the network a hash is kept, salted by the room, as long as the ban stands. Accounts are banned by themselves. Pure.

use crate::secret::hex;
use sha2::{Digest, Sha256};
use shared::id::PersonId;
use std::{
    collections::{HashMap, HashSet},
    net::IpAddr,
};

/// Bans whose network is remembered. When there are more, further ones hold for the name alone.
const NETWORKS_MOST: usize = 5_000;

/// A network as it is kept: it can be compared, and is no address.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct NetworkHash(String);

impl NetworkHash {
    /// Of a network, in a room with this salt.
    pub fn of(network: IpAddr, salt: &str) -> Self {
        let hash = Sha256::new().chain_update(salt).chain_update(network.to_string()).finalize();
        Self(hex(&hash[..16]))
    }

    /// As it was kept.
    pub fn kept(text: String) -> Self {
        Self(text)
    }

    /// To be kept.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A room's bans.
#[derive(Debug, Default)]
pub struct Bans {
    salt: String,
    people: HashMap<PersonId, Option<NetworkHash>>,
    networks: HashMap<NetworkHash, HashSet<PersonId>>,
}

impl Bans {
    /// As they were kept.
    pub fn new(salt: String, kept: Vec<(PersonId, Option<NetworkHash>)>) -> Self {
        let mut bans = Self { salt, ..Self::default() };
        for (person, network) in kept {
            bans.ban(person, network);
        }
        bans
    }

    /// What hashes are salted with.
    pub fn salt(&self) -> &str {
        &self.salt
    }

    /// What the hash of a network would be here.
    pub fn hash(&self, network: IpAddr) -> NetworkHash {
        NetworkHash::of(network, &self.salt)
    }

    /// Whether somebody is, or a guest's network.
    pub fn holds(&self, person: &PersonId, network: Option<IpAddr>) -> bool {
        // Most rooms have no banned network: nothing is hashed there.
        self.people.contains_key(person)
            || network
                .filter(|_| !self.networks.is_empty())
                .is_some_and(|network| self.networks.contains_key(&self.hash(network)))
    }

    /// Somebody is banned from now on.
    pub fn ban(&mut self, person: PersonId, network: Option<NetworkHash>) {
        // Banned again, they are of the network that was known, if none is now.
        let network = network.or_else(|| self.people.get(&person).cloned().flatten());
        self.lift(&person);
        let has_room = self.networks.len() < NETWORKS_MOST;
        let network = network.filter(|network| has_room || self.networks.contains_key(network));
        if let Some(network) = &network {
            self.networks.entry(network.clone()).or_default().insert(person.clone());
        }
        self.people.insert(person, network);
    }

    /// Not any more; whether they were.
    pub fn lift(&mut self, person: &PersonId) -> bool {
        let Some(network) = self.people.remove(person) else { return false };
        if let Some(network) = network
            && let Some(people) = self.networks.get_mut(&network)
        {
            people.remove(person);
            if people.is_empty() {
                self.networks.remove(&network);
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(name: &str) -> PersonId {
        name.parse().unwrap()
    }

    fn network(text: &str) -> Option<IpAddr> {
        Some(text.parse().unwrap())
    }

    #[test]
    fn a_ban_holds_for_the_person_and_a_guests_network() {
        let mut bans = Bans::new("salt".into(), Vec::new());
        let hash = bans.hash(network("192.0.2.1").unwrap());
        bans.ban(person("guest-a"), Some(hash.clone()));
        bans.ban(person("guest-b"), Some(hash.clone()));
        bans.ban(person("c"), None);
        assert!(bans.holds(&person("guest-a"), None) && bans.holds(&person("c"), None));
        assert!(bans.holds(&person("guest-new"), network("192.0.2.1")));
        assert!(!bans.holds(&person("guest-new"), network("192.0.2.2")));
        assert!(bans.lift(&person("guest-a")) && !bans.lift(&person("guest-a")));
        assert!(bans.holds(&person("guest-a"), network("192.0.2.1")), "the other one's ban stands");
        bans.lift(&person("guest-b"));
        assert!(!bans.holds(&person("guest-a"), network("192.0.2.1")));
        let again = Bans::new(
            "salt".into(),
            vec![(person("guest-a"), Some(NetworkHash::kept(hash.as_str().into())))],
        );
        assert!(again.holds(&person("x"), network("192.0.2.1")), "it outlives the process");
        assert_ne!(NetworkHash::of(network("192.0.2.1").unwrap(), "other"), hash, "rooms can't be compared");
    }

    #[test]
    fn networks_are_bounded_and_people_are_still_banned() {
        let mut bans = Bans::default();
        for n in 0..=NETWORKS_MOST as u32 {
            let hash = bans.hash(std::net::Ipv4Addr::from(n).into());
            bans.ban(person(&format!("guest-{n}")), Some(hash));
        }
        assert_eq!(bans.networks.len(), NETWORKS_MOST);
        assert!(bans.holds(&person(&format!("guest-{NETWORKS_MOST}")), None));
        // One more of a network that is known takes no room.
        let known = std::net::Ipv4Addr::from(7).into();
        bans.ban(person("guest-x"), Some(bans.hash(known)));
        bans.lift(&person("guest-7"));
        assert!(bans.holds(&person("guest-new"), Some(known)), "the other one's ban stands");
    }
}
