//! An authenticator in software: it makes passkeys and signs with them, as W3C WebAuthn Level 3 has it (sections 6 and 7), and
//! lies wherever a test wants it to.

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// The user was there.
pub const PRESENT: u8 = 0x01;
/// It was made sure that it is them.
pub const VERIFIED: u8 = 0x04;
/// A new key is in what is signed.
const ATTESTED: u8 = 0x40;

/// Bytes as they are written in JSON.
pub fn base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// One passkey, and where its browser says it is.
pub struct Authenticator {
    /// What it calls the passkey.
    pub id: Vec<u8>,
    /// What the server calls its owner.
    pub user: String,
    /// The page that asks.
    pub origin: String,
    /// The site that the passkey is for.
    pub site: String,
    /// What it says of the user.
    pub flags: u8,
    /// How often it has signed.
    pub counter: u32,
    pair: EcdsaKeyPair,
}

impl Authenticator {
    /// A new key for a site, in a browser on that site's page.
    ///
    /// # Panics
    /// When there is no randomness.
    pub fn new(origin: &str) -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).expect("a key");
        let host = origin.split("://").last().unwrap_or_default();
        Self {
            id: rand::random::<[u8; 32]>().to_vec(),
            user: String::new(),
            origin: origin.to_owned(),
            site: host.split(':').next().unwrap_or_default().to_owned(),
            flags: PRESENT | VERIFIED,
            counter: 0,
            pair,
        }
    }

    fn client_data(&self, kind: &str, options: &Value) -> Vec<u8> {
        let challenge = &options["publicKey"]["challenge"];
        // In the order that section 5.8.1.1 gives.
        format!(
            r#"{{"type":"webauthn.{kind}","challenge":{challenge},"origin":"{}","crossOrigin":false}}"#,
            self.origin
        )
        .into_bytes()
    }

    fn data(&self, flags: u8) -> Vec<u8> {
        let mut data = Sha256::digest(self.site.as_bytes()).to_vec();
        data.push(flags);
        data.extend_from_slice(&self.counter.to_be_bytes());
        data
    }

    /// What there is of a key in a registration, without the CBOR around it.
    fn attested(&self) -> Vec<u8> {
        let mut data = self.data(self.flags | ATTESTED);
        data.extend_from_slice(&[0; 16]);
        data.extend_from_slice(&(self.id.len() as u16).to_be_bytes());
        data.extend_from_slice(&self.id);
        let point = self.pair.public_key().as_ref();
        // A COSE key of five pairs: kty EC2, alg ES256, crv P-256, x, y.
        data.extend_from_slice(&[0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20]);
        data.extend_from_slice(&point[1..33]);
        data.extend_from_slice(&[0x22, 0x58, 0x20]);
        data.extend_from_slice(&point[33..65]);
        data
    }

    /// An attestation object without attestation: `{fmt: "none", attStmt: {}, authData}`.
    pub fn attestation(&self) -> Vec<u8> {
        let data = self.attested();
        let mut object = b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData".to_vec();
        // CTAP2's canonical CBOR takes the shortest form of a length.
        match u8::try_from(data.len()) {
            Ok(short) => object.extend_from_slice(&[0x58, short]),
            Err(_) => {
                object.push(0x59);
                object.extend_from_slice(&(data.len() as u16).to_be_bytes());
            }
        }
        object.extend_from_slice(&data);
        object
    }

    /// Makes the passkey: what `navigator.credentials.create` and then `toJSON()` give.
    pub fn create(&mut self, options: &Value) -> Value {
        self.user = options["publicKey"]["user"]["id"].as_str().unwrap_or_default().to_owned();
        let id = base64url(&self.id);
        json!({
            "id": id, "rawId": id, "type": "public-key", "authenticatorAttachment": "platform",
            "clientExtensionResults": {},
            "response": {
                "clientDataJSON": base64url(&self.client_data("create", options)),
                "attestationObject": base64url(&self.attestation()),
                "transports": ["internal"],
            },
        })
    }

    /// Signs: what `navigator.credentials.get` and then `toJSON()` give.
    ///
    /// # Panics
    /// When it can't sign.
    pub fn get(&mut self, options: &Value) -> Value {
        self.counter += 1;
        let (client, data) = (self.client_data("get", options), self.data(self.flags));
        let signed = [data.clone(), Sha256::digest(&client).to_vec()].concat();
        let signature = self.pair.sign(&SystemRandom::new(), &signed).expect("a signature");
        let id = base64url(&self.id);
        json!({
            "id": id, "rawId": id, "type": "public-key", "authenticatorAttachment": "platform",
            "clientExtensionResults": {},
            "response": {
                "clientDataJSON": base64url(&client),
                "authenticatorData": base64url(&data),
                "signature": base64url(signature.as_ref()),
                "userHandle": self.user,
            },
        })
    }
}
