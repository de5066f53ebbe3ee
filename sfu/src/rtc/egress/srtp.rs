//! SRTP and SRTCP of what is sent to a viewer and of what it reports (RFC 3711, RFC 7714). Keys come from the viewer's DTLS
//! handshake; packets are sealed where they lie, in the buffer that they are sent from.

use super::window::Window;
use crate::rtc::prefetch::prefetch;
use aws_lc_rs::{
    aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    cipher::{AES_128, AES_256, EncryptingKey, EncryptionContext, UnboundCipherKey},
    hmac,
    iv::FixedLength,
};
use str0m::crypto::dtls::SrtpProfile;

/// Authentication tags: of GCM, and of HMAC-SHA1-80.
const GCM_TAG: usize = 16;
const HMAC_TAG: usize = 10;
/// The part of RTCP that is never encrypted: the first header and the sender.
const RTCP_HEAD: usize = 8;
/// The index behind a sealed RTCP packet, with the bit that says that it is encrypted.
const INDEX: usize = 4;
const ENCRYPTED: u32 = 1 << 31;

/// What a handshake agreed on (RFC 5764, 4.2).
#[derive(Clone)]
pub struct Keys {
    /// Client's key, server's key, client's salt, server's salt.
    pub material: Vec<u8>,
    /// Which ciphers.
    pub profile: SrtpProfile,
    /// Whether this side was DTLS's client.
    pub is_client: bool,
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keys").field("profile", &self.profile).finish_non_exhaustive()
    }
}

/// The keys can't be used: the profile is unknown or the material isn't as long as it asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the handshake's keys don't fit their profile")]
pub struct Unfit;

enum Cipher {
    Gcm { key: Box<LessSafeKey>, salt: [u8; 12] },
    Cm { key: Box<EncryptingKey>, salt: [u8; 14], authentication: Box<hmac::Key> },
}

/// Seals packets towards a viewer.
pub struct Sealer {
    rtp: Cipher,
    rtcp: Cipher,
    rtcp_index: u32,
}

/// Opens reports of a viewer.
pub struct Opener {
    rtcp: Cipher,
    /// The indices that came, by who reports (RFC 3711, 3.3.2): each source counts for itself, and a browser reports of sound,
    /// of the picture and of the way by different ones. Who reported last is last.
    came: Vec<(u32, Window<1>)>,
}

/// Of so many sources the indices are known: several times as many as a browser has.
const SOURCES: usize = 16;

/// Both directions of a session.
pub fn ciphers(keys: &Keys) -> Result<(Sealer, Opener), Unfit> {
    let (own, theirs) = (Master::new(keys, keys.is_client)?, Master::new(keys, !keys.is_client)?);
    let sealer =
        Sealer { rtp: own.cipher(keys.profile, 0)?, rtcp: own.cipher(keys.profile, 3)?, rtcp_index: 0 };
    let opener = Opener { rtcp: theirs.cipher(keys.profile, 3)?, came: Vec::new() };
    Ok((sealer, opener))
}

struct Master<'a> {
    key: &'a [u8],
    salt: &'a [u8],
}

impl<'a> Master<'a> {
    fn new(keys: &'a Keys, of_client: bool) -> Result<Self, Unfit> {
        let (key, salt) = match keys.profile {
            SrtpProfile::AES128_CM_SHA1_80 => (16, 14),
            SrtpProfile::AEAD_AES_128_GCM => (16, 12),
            SrtpProfile::AEAD_AES_256_GCM => (32, 12),
            _ => return Err(Unfit),
        };
        if keys.material.len() != 2 * (key + salt) {
            return Err(Unfit);
        }
        let (all_keys, all_salts) = keys.material.split_at(2 * key);
        let side = usize::from(!of_client);
        Ok(Self { key: &all_keys[side * key..][..key], salt: &all_salts[side * salt..][..salt] })
    }

    /// RFC 3711, 4.3: AES in counter mode over the salt, at the place of `label`.
    fn derive(&self, label: u8, out: &mut [u8]) -> Result<(), Unfit> {
        let algorithm = if self.key.len() == 32 { &AES_256 } else { &AES_128 };
        let unbound = UnboundCipherKey::new(algorithm, self.key).map_err(|_| Unfit)?;
        let key = EncryptingKey::ctr(unbound).map_err(|_| Unfit)?;
        let mut iv = [0; 16];
        iv[..self.salt.len()].copy_from_slice(self.salt);
        iv[7] ^= label;
        out.fill(0);
        let context = EncryptionContext::Iv128(FixedLength::from(iv));
        key.less_safe_encrypt(out, context).map_err(|_| Unfit)?;
        Ok(())
    }

    /// The session's cipher of RTP (`label` 0) or RTCP (3).
    fn cipher(&self, profile: SrtpProfile, label: u8) -> Result<Cipher, Unfit> {
        let mut key = [0; 32];
        let key = &mut key[..self.key.len()];
        self.derive(label, key)?;
        if profile == SrtpProfile::AES128_CM_SHA1_80 {
            let (mut secret, mut salt) = ([0; 20], [0; 14]);
            self.derive(label + 1, &mut secret)?;
            self.derive(label + 2, &mut salt)?;
            let unbound = UnboundCipherKey::new(&AES_128, key).map_err(|_| Unfit)?;
            return Ok(Cipher::Cm {
                key: Box::new(EncryptingKey::ctr(unbound).map_err(|_| Unfit)?),
                salt,
                authentication: Box::new(hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &secret)),
            });
        }
        let algorithm = if key.len() == 32 { &AES_256_GCM } else { &AES_128_GCM };
        let mut salt = [0; 12];
        self.derive(label + 2, &mut salt)?;
        let unbound = UnboundKey::new(algorithm, key).map_err(|_| Unfit)?;
        Ok(Cipher::Gcm { key: Box::new(LessSafeKey::new(unbound)), salt })
    }
}

impl Cipher {
    fn tag(&self) -> usize {
        match self {
            Self::Gcm { .. } => GCM_TAG,
            Self::Cm { .. } => HMAC_TAG,
        }
    }
}

/// RFC 7714, 8.1 and 9.1: two bytes of nothing, the source, and six bytes of index, over the salt.
fn gcm_nonce(salt: &[u8; 12], ssrc: [u8; 4], index: [u8; 6]) -> Nonce {
    let mut iv = *salt;
    iv[2..6].iter_mut().zip(ssrc).for_each(|(byte, with)| *byte ^= with);
    iv[6..].iter_mut().zip(index).for_each(|(byte, with)| *byte ^= with);
    Nonce::assume_unique_for_key(iv)
}

/// RFC 3711, 4.1.1.
fn cm_context(salt: &[u8; 14], ssrc: [u8; 4], index: [u8; 6]) -> EncryptionContext {
    let mut iv = [0; 16];
    iv[..14].copy_from_slice(salt);
    iv[4..8].iter_mut().zip(ssrc).for_each(|(byte, with)| *byte ^= with);
    iv[8..14].iter_mut().zip(index).for_each(|(byte, with)| *byte ^= with);
    EncryptionContext::Iv128(FixedLength::from(iv))
}

fn bytes<const N: usize>(from: &[u8]) -> [u8; N] {
    let mut all = [0; N];
    all.copy_from_slice(&from[..N]);
    all
}

fn low_six(index: u64) -> [u8; 6] {
    bytes(&index.to_be_bytes()[2..])
}

impl Sealer {
    /// Asks for the memory that [`Self::seal_rtp`] looks at.
    pub fn prefetch(&self) {
        prefetch(&self.rtp);
        if let Cipher::Gcm { key, .. } = &self.rtp {
            prefetch(&**key);
        }
    }

    /// How many bytes a sealed RTP packet has beyond the plain one.
    pub fn rtp_overhead(&self) -> usize {
        self.rtp.tag()
    }

    /// The same of RTCP.
    pub fn rtcp_overhead(&self) -> usize {
        self.rtcp.tag() + INDEX
    }

    /// Seals an RTP packet whose header has `head` bytes; the last [`Self::rtp_overhead`] bytes of `packet` are room for the
    /// tag. `seq` is its extended sequence number: one that was sealed before must have had the very same plain bytes.
    pub fn seal_rtp(&self, packet: &mut [u8], head: usize, seq: u64) {
        let plain = packet.len() - self.rtp.tag();
        let ssrc = bytes(&packet[8..]);
        match &self.rtp {
            Cipher::Gcm { key, salt } => {
                let (head, rest) = packet.split_at_mut(head);
                let (body, room) = rest.split_at_mut(plain - head.len());
                let nonce = gcm_nonce(salt, ssrc, low_six(seq));
                match key.seal_in_place_separate_tag(nonce, Aad::from(head), body) {
                    Ok(tag) => room.copy_from_slice(tag.as_ref()),
                    // It can't fail for what this seals; should it, nothing plain may leave.
                    Err(_) => body.fill(0),
                }
            }
            Cipher::Cm { key, salt, authentication } => {
                let context = cm_context(salt, ssrc, low_six(seq));
                if key.less_safe_encrypt(&mut packet[head..plain], context).is_ok() {
                    let rollover = ((seq >> 16) as u32).to_be_bytes();
                    let mut signing = hmac::Context::with_key(authentication);
                    signing.update(&packet[..plain]);
                    signing.update(&rollover);
                    packet[plain..].copy_from_slice(&signing.sign().as_ref()[..HMAC_TAG]);
                } else {
                    packet[head..].fill(0);
                }
            }
        }
    }

    /// Seals an RTCP compound; the last [`Self::rtcp_overhead`] bytes of `packet` are room.
    pub fn seal_rtcp(&mut self, packet: &mut [u8]) {
        self.rtcp_index = (self.rtcp_index + 1) & !ENCRYPTED;
        let plain = packet.len() - self.rtcp_overhead();
        let ssrc = bytes(&packet[4..]);
        let index = self.rtcp_index;
        let told = (index | ENCRYPTED).to_be_bytes();
        match &self.rtcp {
            Cipher::Gcm { key, salt } => {
                let mut aad = [0; RTCP_HEAD + INDEX];
                aad[..RTCP_HEAD].copy_from_slice(&packet[..RTCP_HEAD]);
                aad[RTCP_HEAD..].copy_from_slice(&told);
                let (body, room) = packet[RTCP_HEAD..].split_at_mut(plain - RTCP_HEAD);
                let nonce = gcm_nonce(salt, ssrc, low_six(index.into()));
                if let Ok(tag) = key.seal_in_place_separate_tag(nonce, Aad::from(aad), body) {
                    room[..GCM_TAG].copy_from_slice(tag.as_ref());
                    room[GCM_TAG..].copy_from_slice(&told);
                }
            }
            Cipher::Cm { key, salt, authentication } => {
                let context = cm_context(salt, ssrc, low_six(index.into()));
                if key.less_safe_encrypt(&mut packet[RTCP_HEAD..plain], context).is_ok() {
                    packet[plain..plain + INDEX].copy_from_slice(&told);
                    let signature = hmac::sign(authentication, &packet[..plain + INDEX]);
                    packet[plain + INDEX..].copy_from_slice(&signature.as_ref()[..HMAC_TAG]);
                }
            }
        }
    }
}

impl Opener {
    /// Opens an RTCP compound where it lies. `None`: it isn't of this session, was changed on its way, or came before.
    pub fn open_rtcp<'a>(&mut self, packet: &'a mut [u8]) -> Option<&'a [u8]> {
        let length = packet.len();
        if length < RTCP_HEAD + self.rtcp.tag() + INDEX {
            return None;
        }
        let ssrc = bytes(&packet[4..]);
        let source = u32::from_be_bytes(ssrc);
        let (plain, told) = match &self.rtcp {
            Cipher::Gcm { .. } => (length - INDEX - GCM_TAG, length - INDEX),
            Cipher::Cm { .. } => (length - INDEX - HMAC_TAG, length - INDEX - HMAC_TAG),
        };
        let told: [u8; INDEX] = bytes(&packet[told..]);
        let index = u32::from_be_bytes(told);
        if index & ENCRYPTED == 0 {
            return None;
        }
        let index = index & !ENCRYPTED;
        let known = self.came.iter().position(|(known, _)| *known == source);
        if known.is_some_and(|at| !self.came[at].1.is_new(index.into())) {
            return None;
        }
        match &self.rtcp {
            Cipher::Gcm { key, salt } => {
                let mut aad = [0; RTCP_HEAD + INDEX];
                aad[..RTCP_HEAD].copy_from_slice(&packet[..RTCP_HEAD]);
                aad[RTCP_HEAD..].copy_from_slice(&told);
                let nonce = gcm_nonce(salt, ssrc, low_six(index.into()));
                let sealed = &mut packet[RTCP_HEAD..length - INDEX];
                key.open_in_place(nonce, Aad::from(aad), sealed).ok()?;
            }
            Cipher::Cm { key, salt, authentication } => {
                let signature = hmac::sign(authentication, &packet[..plain + INDEX]);
                let same =
                    subtle::ConstantTimeEq::ct_eq(&signature.as_ref()[..HMAC_TAG], &packet[plain + INDEX..]);
                if !bool::from(same) {
                    return None;
                }
                // Counter mode: encrypting once more decrypts.
                let context = cm_context(salt, ssrc, low_six(index.into()));
                key.less_safe_encrypt(&mut packet[RTCP_HEAD..plain], context).ok()?;
            }
        }
        let (_, mut window) = known.map_or_else(Default::default, |at| self.came.remove(at));
        window.note(index.into());
        if self.came.len() >= SOURCES {
            self.came.remove(0);
        }
        self.came.push((source, window));
        Some(&packet[..plain])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        let digits: Vec<u8> = text.bytes().filter(|b| !b.is_ascii_whitespace()).collect();
        digits
            .chunks(2)
            .map(|two| u8::from_str_radix(std::str::from_utf8(two).unwrap(), 16).unwrap())
            .collect()
    }

    #[test]
    fn keys_are_derived_as_rfc_3711_b_3_says() {
        let (key, salt) = (hex("E1F97A0D3E018BE0D64FA32C06DE4139"), hex("0EC675AD498AFEEBB6960B3AABE6"));
        let master = Master { key: &key, salt: &salt };
        let derive = |label, length| {
            let mut out = vec![0; length];
            master.derive(label, &mut out).unwrap();
            out
        };
        assert_eq!(derive(0, 16), hex("C61E7A93744F39EE10734AFE3FF7A087"));
        assert_eq!(derive(2, 14), hex("30CBBC08863D8C85D49DB34A9AE1"));
        assert_eq!(derive(1, 20), hex("CEBE321F6FF7716B6FD4AB49AF256A156D38BAA4"));
    }

    #[test]
    fn gcm_seals_as_rfc_7714_16_1_1_says() {
        let key = hex("000102030405060708090a0b0c0d0e0f");
        let cipher = || Cipher::Gcm {
            key: Box::new(LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &key).unwrap())),
            salt: bytes(&hex("517569642070726f2071756f")),
        };
        let sealer = Sealer { rtp: cipher(), rtcp: cipher(), rtcp_index: 0 };
        let mut packet = hex(
            "8040f17b8041f8d35501a0b247616c6c696120657374206f6d6e69732064697669736120696e207061727465732074726573",
        );
        packet.resize(packet.len() + GCM_TAG, 0);
        sealer.seal_rtp(&mut packet, 12, 0xf17b);
        assert_eq!(
            packet,
            hex(
                "8040f17b8041f8d35501a0b2f24de3a3fb34de6cacba861c9d7e4bcabe633bd50d294e6f42a5f47a51c7d19b36de3adf8833
                 899d7f27beb16a9152cf765ee4390cce"
            )
        );
    }

    fn keys(profile: SrtpProfile, is_client: bool) -> Keys {
        let material = (0..profile.keying_material_len() as u8).collect();
        Keys { material, profile, is_client }
    }

    const PROFILES: [SrtpProfile; 3] =
        [SrtpProfile::AES128_CM_SHA1_80, SrtpProfile::AEAD_AES_128_GCM, SrtpProfile::AEAD_AES_256_GCM];

    #[test]
    fn reports_are_opened_once_by_the_other_side_and_by_nobody_else() {
        for profile in PROFILES {
            let (mut theirs, mut own) = ciphers(&keys(profile, true)).unwrap();
            let (_, mut opener) = ciphers(&keys(profile, false)).unwrap();
            let plain = [0x80, 201, 0, 1, 1, 2, 3, 4, 9, 9, 9, 9];
            let seal = |sealer: &mut Sealer| {
                let mut packet = plain.to_vec();
                packet.resize(plain.len() + sealer.rtcp_overhead(), 0);
                sealer.seal_rtcp(&mut packet);
                packet
            };
            let all: Vec<Vec<u8>> = (0..100).map(|_| seal(&mut theirs)).collect();
            for at in (0..100).rev().step_by(10).chain([85]) {
                let is_late = at + 64 <= 99;
                let opened = opener.open_rtcp(&mut all[at].clone()).map(<[u8]>::to_vec);
                assert_eq!(opened.as_deref(), (!is_late).then_some(&plain[..]), "{at}");
                assert!(opener.open_rtcp(&mut all[at].clone()).is_none(), "twice");
            }
            assert!(own.open_rtcp(&mut all[98].clone()).is_none(), "by the wrong side");
            for at in 0..all[98].len() {
                let mut changed = all[98].clone();
                changed[at] ^= 1;
                assert!(opener.open_rtcp(&mut changed).is_none(), "{profile:?}: byte {at} was changed");
                assert!(opener.open_rtcp(&mut all[98][..at].to_vec()).is_none(), "cut at {at}");
            }
            assert!(opener.open_rtcp(&mut all[98].clone()).is_some(), "what was refused left no trace");
        }
    }

    #[test]
    fn each_source_of_a_viewer_counts_its_reports_for_itself() {
        for profile in PROFILES {
            let (_, mut opener) = ciphers(&keys(profile, false)).unwrap();
            // As libsrtp does: an index for each source, each from the beginning.
            let source = |ssrc: u8| {
                let (mut sealer, _) = ciphers(&keys(profile, true)).unwrap();
                let seal = move |_| {
                    let mut packet = vec![0x80, 201, 0, 1, 0, 0, 0, ssrc];
                    packet.resize(packet.len() + sealer.rtcp_overhead(), 0);
                    sealer.seal_rtcp(&mut packet);
                    packet
                };
                (0..200).map(seal).collect::<Vec<_>>()
            };
            let sources: Vec<Vec<Vec<u8>>> = (0..SOURCES as u8).map(source).collect();
            // The first one reports a hundred times as often as the others.
            let often = sources[0].iter();
            assert!(often.clone().all(|packet| opener.open_rtcp(&mut packet.clone()).is_some()));
            for round in 0..2 {
                for packets in &sources[1..] {
                    assert!(opener.open_rtcp(&mut packets[round].clone()).is_some(), "{profile:?}, {round}");
                    assert!(opener.open_rtcp(&mut packets[round].clone()).is_none(), "twice");
                }
            }
            assert!(often.clone().all(|packet| opener.open_rtcp(&mut packet.clone()).is_none()), "twice");
            for ssrc in 100..200 {
                assert!(opener.open_rtcp(&mut source(ssrc)[0].clone()).is_some());
            }
            assert_eq!(opener.came.len(), SOURCES);
        }
    }

    #[test]
    fn keys_that_do_not_fit_are_refused() {
        for profile in PROFILES {
            let mut short = keys(profile, true);
            short.material.pop();
            assert_eq!(ciphers(&short).err(), Some(Unfit));
        }
    }
}
