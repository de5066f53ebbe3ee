//! Names, validated addresses and datagrams in any order, held against a list of what was done last.

use crate::input::Input;
use sfu::rtc::{
    demux::{Demux, Kind, kind, stun_ufrag},
    peer::PeerKey,
};
use std::net::SocketAddr;

const STUN_HEAD: [u8; 8] = [0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42];

pub fn run(data: &[u8]) {
    let mut input = Input(data);
    let mut demux = Demux::default();
    // Who validated an address last, and whose a name was made, oldest first.
    let mut addresses: Vec<(SocketAddr, PeerKey)> = Vec::new();
    let mut names: Vec<(String, PeerKey)> = Vec::new();
    let mut given = 0;
    while let (Some(act), Some(which)) = (input.byte(), input.byte()) {
        let peer = PeerKey(u64::from(which & 7));
        let address = SocketAddr::from(([127, 0, 0, which >> 6], 1000 + u16::from(which >> 3 & 7)));
        match act % 5 {
            0 => {
                // Each name is given once: they are random.
                let name = format!("u{given}");
                given += 1;
                demux.add_ufrag(name.clone(), peer);
                names.push((name, peer));
            }
            1 => {
                demux.validate(address, peer);
                addresses.retain(|(known, _)| *known != address);
                addresses.push((address, peer));
            }
            2 => {
                demux.remove(peer);
                addresses.retain(|(_, owner)| *owner != peer);
                names.retain(|(_, owner)| *owner != peer);
            }
            3 => {
                let datagram = input.bytes().unwrap_or_default();
                let found = demux.peer(address, datagram);
                if kind(datagram) != Kind::Stun {
                    let owner = addresses.iter().find(|(known, _)| *known == address).map(|(_, peer)| *peer);
                    let is_media = kind(datagram) == Kind::Other;
                    assert!(
                        found.is_none() || is_media && found == owner,
                        "{found:?} at {address}, of {owner:?}"
                    );
                }
            }
            _ => {
                let Some((name, owner)) = names.get(usize::from(which) % names.len().max(1)) else {
                    continue;
                };
                let mut message = STUN_HEAD.to_vec();
                message.extend([0; 12]);
                let user = format!("{name}:x");
                message.extend([0, 6, 0, user.len() as u8]);
                message.extend(user.as_bytes());
                message.resize(message.len().next_multiple_of(4), 0);
                assert_eq!(stun_ufrag(&message), Some(name.as_str()));
                // The last two of each peer are known.
                let later = names.iter().rev().take_while(|(other, _)| other != name);
                let is_known = later.filter(|(_, other)| other == owner).count() < 2;
                assert_eq!(demux.peer(address, &message), is_known.then_some(*owner), "by {user}");
            }
        }
    }
}
