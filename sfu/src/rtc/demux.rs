//! Which peer a datagram is for. An unknown STUN request is matched by its ICE ufrag; everything else is taken only from
//! an address that ICE has validated for that very peer (RFC 7983, RFC 8445).

use super::{keyed::PeerMap, path::Check, peer::PeerKey};
use std::{collections::HashMap, net::SocketAddr};

/// The most addresses one peer may have validated; a phone that changes networks uses a handful.
const MOST_ADDRESSES: usize = 16;

/// What kind of datagram it is, by its first byte (RFC 7983).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// STUN.
    Stun,
    /// DTLS, RTP or RTCP.
    Other,
    /// Nothing that belongs here.
    Garbage,
}

/// Sorts a datagram.
pub fn kind(datagram: &[u8]) -> Kind {
    match datagram.first() {
        Some(0..=3) if datagram.len() >= 20 && datagram[4..8] == STUN_COOKIE => Kind::Stun,
        Some(20..=63) if datagram.len() >= 13 => Kind::Other,
        Some(128..=191) if datagram.len() >= 8 => Kind::Other,
        _ => Kind::Garbage,
    }
}

/// Whether it is RTP and no RTCP (RFC 5761, 4).
pub fn is_rtp(datagram: &[u8]) -> bool {
    matches!(datagram, [128..=191, kind, ..] if !(192..=223).contains(kind))
}

/// Whether it is RTP or RTCP (RFC 7983).
pub fn is_media(datagram: &[u8]) -> bool {
    matches!(datagram, [128..=191, ..])
}

const STUN_COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];

/// The local ufrag in a STUN message's USERNAME, which reads `local:remote` as seen from us (RFC 8445, 7.2.2).
pub fn stun_ufrag(datagram: &[u8]) -> Option<&str> {
    const USERNAME: u16 = 0x0006;
    let (_, value) = attributes(datagram).find(|(kind, _)| *kind == USERNAME)?;
    std::str::from_utf8(value).ok()?.split_once(':').map(|(local, _)| local)
}

/// What a check (a STUN binding request) says; nothing if the datagram is none.
pub fn stun_check(datagram: &[u8]) -> Option<Check> {
    const BINDING_REQUEST: [u8; 2] = [0, 1];
    const USE_CANDIDATE: u16 = 0x0025;
    if kind(datagram) != Kind::Stun || !datagram.starts_with(&BINDING_REQUEST) {
        return None;
    }
    let transaction = datagram.get(8..)?.first_chunk().copied()?;
    Some(Check { transaction, nominates: attributes(datagram).any(|(kind, _)| kind == USE_CANDIDATE) })
}

/// A STUN message's attributes, up to the first that isn't whole.
fn attributes(datagram: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    let mut rest = datagram.get(20..).unwrap_or_default();
    std::iter::from_fn(move || {
        let (head, after) = rest.split_first_chunk::<4>()?;
        let kind = u16::from_be_bytes([head[0], head[1]]);
        let length = usize::from(u16::from_be_bytes([head[2], head[3]]));
        let value = after.get(..length)?;
        rest = after.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some((kind, value))
    })
}

/// The two ways to a peer.
#[derive(Debug, Default)]
pub struct Demux {
    by_address: HashMap<SocketAddr, PeerKey>,
    by_ufrag: HashMap<String, PeerKey>,
    addresses: PeerMap<Vec<SocketAddr>>,
    ufrags: PeerMap<Vec<String>>,
}

impl Demux {
    /// STUN requests that name `ufrag` are for `peer` from now on. Of each peer the last two are known: the one before a
    /// restart of ICE is good until the new one works.
    pub fn add_ufrag(&mut self, ufrag: String, peer: PeerKey) {
        let own = self.ufrags.entry(peer).or_default();
        if own.len() >= 2 {
            self.by_ufrag.remove(&own.remove(0));
        }
        own.push(ufrag.clone());
        self.by_ufrag.insert(ufrag, peer);
    }

    /// ICE has validated `address` for `peer`. An address belongs to whoever validated it last.
    pub fn validate(&mut self, address: SocketAddr, peer: PeerKey) {
        if self.by_address.get(&address) == Some(&peer) {
            return;
        }
        let addresses = self.addresses.entry(peer).or_default();
        if addresses.len() >= MOST_ADDRESSES {
            let oldest = addresses.remove(0);
            if self.by_address.get(&oldest) == Some(&peer) {
                self.by_address.remove(&oldest);
            }
        }
        addresses.push(address);
        self.by_address.insert(address, peer);
    }

    /// The peer that a datagram from `source` may be for. The peer itself checks STUN's integrity.
    pub fn peer(&self, source: SocketAddr, datagram: &[u8]) -> Option<PeerKey> {
        match kind(datagram) {
            Kind::Stun => match stun_ufrag(datagram) {
                Some(ufrag) => self.by_ufrag.get(ufrag).copied(),
                // OBS sends binding indications without USERNAME to keep its NAT open.
                None => self.by_address.get(&source).copied(),
            },
            Kind::Other => self.by_address.get(&source).copied(),
            Kind::Garbage => None,
        }
    }

    /// The peer that a connection is for, by its first datagram.
    pub fn named(&self, datagram: &[u8]) -> Option<PeerKey> {
        stun_check(datagram)?;
        self.by_ufrag.get(stun_ufrag(datagram)?).copied()
    }

    /// Forgets a peer.
    pub fn remove(&mut self, peer: PeerKey) {
        for address in self.addresses.remove(&peer).unwrap_or_default() {
            if self.by_address.get(&address) == Some(&peer) {
                self.by_address.remove(&address);
            }
        }
        for ufrag in self.ufrags.remove(&peer).unwrap_or_default() {
            self.by_ufrag.remove(&ufrag);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stun(username: Option<&str>) -> Vec<u8> {
        let mut message = vec![0, 1, 0, 0];
        message.extend(STUN_COOKIE);
        message.extend([7; 12]);
        message.extend([0x80, 0x22, 0, 3, b'x', b'y', b'z', 0]);
        if let Some(username) = username {
            message.extend([0, 6, 0, username.len() as u8]);
            message.extend(username.as_bytes());
            message.resize(message.len().next_multiple_of(4), 0);
        }
        message
    }

    fn address(port: u16) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], port))
    }

    #[test]
    fn stun_finds_its_peer_by_ufrag_and_media_by_validated_address_alone() {
        let mut demux = Demux::default();
        let peer = PeerKey(1);
        demux.add_ufrag("abcd".into(), peer);
        let media = [0x80; 20];
        assert_eq!(demux.peer(address(1), &stun(Some("abcd:efgh"))), Some(peer));
        assert_eq!(demux.peer(address(1), &media), None, "not validated yet");
        demux.validate(address(1), peer);
        assert_eq!(demux.peer(address(1), &media), Some(peer));
        assert_eq!(demux.peer(address(2), &media), None);
        assert_eq!(demux.peer(address(1), &stun(None)), Some(peer), "an indication without a name");
        assert_eq!(demux.peer(address(1), &stun(Some("nope:efgh"))), None);
        demux.remove(peer);
        assert_eq!(demux.peer(address(1), &media), None);
        assert_eq!(demux.peer(address(1), &stun(Some("abcd:efgh"))), None);
    }

    #[test]
    fn a_check_tells_its_transaction_and_whether_it_nominates() {
        let mut message = stun(Some("abcd:efgh"));
        assert_eq!(stun_check(&message), Some(Check { transaction: [7; 12], nominates: false }));
        message.extend([0, 0x25, 0, 0]);
        assert_eq!(stun_check(&message), Some(Check { transaction: [7; 12], nominates: true }));
        message[0] = 1;
        assert_eq!(stun_check(&message), None, "a response");
        let mut demux = Demux::default();
        demux.add_ufrag("abcd".into(), PeerKey(1));
        assert_eq!(demux.named(&message), None);
        assert_eq!(demux.named(&stun(Some("abcd:efgh"))), Some(PeerKey(1)));
        assert_eq!(demux.named(&stun(None)), None);
        assert_eq!(demux.named(&[0x80; 40]), None);
    }

    #[test]
    fn one_peer_cannot_fill_the_map_with_addresses() {
        let mut demux = Demux::default();
        for port in 1..10_000 {
            demux.validate(address(port), PeerKey(1));
        }
        assert_eq!(demux.by_address.len(), MOST_ADDRESSES);
        demux.validate(address(9_999), PeerKey(2));
        demux.remove(PeerKey(1));
        assert_eq!(demux.peer(address(9_999), &[0x80; 20]), Some(PeerKey(2)), "it belongs to another now");
    }

    #[test]
    fn restarts_without_end_leave_two_names() {
        let mut demux = Demux::default();
        for round in 0..1000 {
            demux.add_ufrag(format!("u{round}"), PeerKey(1));
        }
        assert_eq!(demux.by_ufrag.len(), 2);
        assert_eq!(demux.peer(address(1), &stun(Some("u999:x"))), Some(PeerKey(1)));
        demux.remove(PeerKey(1));
        assert!(demux.by_ufrag.is_empty() && demux.ufrags.is_empty());
    }

    #[test]
    fn garbage_is_for_nobody_and_truncated_stun_does_not_panic() {
        let whole = stun(Some("abcd:efgh"));
        for length in 0..whole.len() {
            let _ = stun_ufrag(&whole[..length]);
            let _ = stun_check(&whole[..length]);
            let _ = kind(&whole[..length]);
        }
        assert_eq!(kind(&[]), Kind::Garbage);
        assert_eq!(kind(b"GET / HTTP/1.1\r\n"), Kind::Garbage);
        assert_eq!(kind(&[0; 20]), Kind::Garbage, "no cookie");
    }
}
