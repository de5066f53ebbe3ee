//! A push service, and browsers that are told by it: they check what they get by themselves.

use crate::{http::Request, server::Weir};
use aws_lc_rs::{
    aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    agreement::{self, ECDH_P256, PrivateKey, UnparsedPublicKey},
    signature::{self, ECDSA_P256_SHA256_FIXED},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpListener,
    sync::{Arc, Mutex, mpsc},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// Long for a machine that runs other tests, too.
const PATIENCE: Duration = Duration::from_secs(15);

/// What a push service got.
#[derive(Debug, Clone)]
pub struct Pushed {
    /// Where it was posted to.
    pub path: String,
    headers: Vec<(String, String)>,
    /// As it came, encrypted.
    pub body: Vec<u8>,
}

impl Pushed {
    /// A header's value; empty without it.
    pub fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(other, _)| other == name).map_or("", |(_, value)| value)
    }
}

/// A push service that answers with what it is told to, 201 in the end.
pub struct PushService {
    /// Its address.
    pub origin: String,
    got: mpsc::Receiver<Pushed>,
    answers: Arc<Mutex<Vec<u16>>>,
}

impl PushService {
    /// Answers with these first. With 0 it takes a message and says nothing.
    pub fn start(answers: &[u16]) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        let origin = format!("http://{}", listener.local_addr().expect("an address"));
        let (sender, got) = mpsc::channel();
        let answers = Arc::new(Mutex::new(answers.to_vec()));
        let to_give = answers.clone();
        std::thread::spawn(move || {
            let mut unanswered = Vec::new();
            for stream in listener.incoming().map_while(Result::ok) {
                let mut reader = BufReader::new(stream);
                let mut line = String::new();
                let _ = reader.read_line(&mut line);
                let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
                let mut headers = Vec::new();
                loop {
                    let mut line = String::new();
                    if reader.read_line(&mut line).is_err() || line.trim().is_empty() {
                        break;
                    }
                    if let Some((name, value)) = line.split_once(':') {
                        headers.push((name.trim().to_lowercase(), value.trim().to_owned()));
                    }
                }
                let length = headers.iter().find(|(name, _)| name == "content-length");
                let mut body = vec![0; length.and_then(|(_, value)| value.parse().ok()).unwrap_or(0)];
                let _ = reader.read_exact(&mut body);
                let status = {
                    let mut answers = to_give.lock().expect("answers");
                    if answers.is_empty() { 201 } else { answers.remove(0) }
                };
                let more = if status == 301 { "Location: http://127.0.0.1:1/\r\n" } else { "" };
                let answer =
                    format!("HTTP/1.1 {status} X\r\n{more}Content-Length: 0\r\nConnection: close\r\n\r\n");
                if status == 0 {
                    unanswered.push(reader);
                } else {
                    let _ = reader.into_inner().write_all(answer.as_bytes());
                }
                if sender.send(Pushed { path, headers, body }).is_err() {
                    return;
                }
            }
        });
        Self { origin, got, answers }
    }

    /// The next message.
    pub fn next(&self) -> Pushed {
        self.got.recv_timeout(PATIENCE).expect("a message")
    }

    /// Whether all that it was told to answer first is said.
    pub fn has_said_all(&self) -> bool {
        self.answers.lock().expect("answers").is_empty()
    }

    /// Whether nothing came that wasn't asked for with [`Self::next`].
    pub fn is_quiet(&self) -> bool {
        self.got.try_recv().is_err()
    }
}

/// A browser, as its push service and its service worker know it.
pub struct Browser {
    private: PrivateKey,
    public: Vec<u8>,
    secret: [u8; 16],
}

fn hmac(key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    let mut mac = <Hmac<Sha256> as Mac>::new_from_slice(key).expect("a key");
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().to_vec()
}

impl Browser {
    /// One with these keys.
    pub fn new(seed: u8) -> Self {
        let private = PrivateKey::from_private_key(&ECDH_P256, &[seed; 32]).expect("a key");
        let public = private.compute_public_key().expect("a public key").as_ref().to_vec();
        Self { private, public, secret: [seed; 16] }
    }

    /// Its `PushSubscription.toJSON()`.
    pub fn subscription(&self, endpoint: &str) -> Value {
        let (p256dh, auth) = (URL_SAFE_NO_PAD.encode(&self.public), URL_SAFE_NO_PAD.encode(self.secret));
        json!({ "endpoint": endpoint, "keys": { "p256dh": p256dh, "auth": auth } })
    }

    /// Decrypts as RFC 8291 says, and from nothing of the server's.
    pub fn open(&self, message: &[u8]) -> Value {
        let (salt, rest) = message.split_at(16);
        assert_eq!(u32::from_be_bytes(rest[..4].try_into().expect("a size")), 4096);
        let (key, sealed) = rest[5..].split_at(usize::from(rest[4]));
        let peer = UnparsedPublicKey::new(&ECDH_P256, key);
        let shared =
            agreement::agree(&self.private, peer, "no key", |shared| Ok(shared.to_vec())).expect("a secret");
        let ikm = hmac(&hmac(&self.secret, &[&shared]), &[b"WebPush: info\0", &self.public, key, &[1]]);
        let prk = hmac(salt, &[&ikm]);
        let content = hmac(&prk, &[b"Content-Encoding: aes128gcm\0", &[1]]);
        let nonce = hmac(&prk, &[b"Content-Encoding: nonce\0", &[1]]);
        let content = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &content[..16]).expect("a key"));
        let nonce = Nonce::try_assume_unique_for_key(&nonce[..12]).expect("a nonce");
        let mut sealed = sealed.to_vec();
        let plain = content.open_in_place(nonce, Aad::empty(), &mut sealed).expect("it opens");
        assert_eq!(plain.last(), Some(&2), "the last record");
        serde_json::from_slice(&plain[..plain.len() - 1]).expect("JSON")
    }
}

/// Whether a message is signed by the server's key for the push service at `origin`, as RFC 8292 says.
pub fn assert_signed(weir: &Weir, pushed: &Pushed, origin: &str) {
    let shown = Request::new("GET", "/api/v1/push").send(weir.http).json();
    let key = shown["key"].as_str().expect("a key");
    let value = pushed.header("authorization");
    let (token, named) = value.strip_prefix("vapid t=").expect("VAPID").split_once(", k=").expect("a key");
    assert_eq!(named, key);
    let (text, mark) = token.rsplit_once('.').expect("a signature");
    let decoded = |part: &str| URL_SAFE_NO_PAD.decode(part).expect("base64url");
    signature::UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, decoded(key))
        .verify(text.as_bytes(), &decoded(mark))
        .expect("it is the server's");
    let (head, claims) = text.split_once('.').expect("claims");
    let parsed = |part| serde_json::from_slice::<Value>(&decoded(part)).expect("JSON");
    assert_eq!(parsed(head), json!({ "typ": "JWT", "alg": "ES256" }));
    let claims = parsed(claims);
    assert_eq!(claims["aud"], origin);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock").as_secs();
    let until = claims["exp"].as_u64().expect("an end");
    assert!(until > now && until <= now + 24 * 60 * 60, "at most a day: {claims}");
    let contact = claims["sub"].as_str().expect("a contact");
    assert!(contact.starts_with("mailto:") || contact.starts_with("http"), "{contact}");
}
