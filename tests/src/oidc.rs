//! An OpenID provider of the tests' own: a real HTTP server that does what OpenID Connect Core 1.0 asks of one, checks what it
//! is sent, and lies when it is told to.

use crate::http::Request;
use aws_lc_rs::{
    rand::SystemRandom,
    rsa::KeySize,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair},
};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD as BASE64},
};
use hmac::{Hmac, Mac};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::{
    collections::HashMap,
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

/// What it knows the server under test by.
pub const CLIENT: &str = "weir";
/// With which secret: one that has to be escaped.
pub const SECRET: &str = "s3cret +%:ü";

/// What it does wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Lie {
    /// Nothing.
    #[default]
    None,
    /// Takes every request and answers none.
    Silent,
    /// Calls itself something else where it describes itself.
    OtherDescription,
    /// Describes itself in HTML.
    HtmlDescription,
    /// Answers a code with HTML.
    HtmlToken,
    /// With 16 MiB.
    GiantToken,
    /// With an error of its own.
    BrokenToken,
    /// Refuses every code.
    RefusedCode,
    /// Gives its keys as HTML.
    HtmlKeys,
    /// A token of another issuer.
    OtherIssuer,
    /// For another client.
    OtherAudience,
    /// For another sign-in.
    OtherNonce,
    /// That is over.
    Expired,
    /// That nobody signed.
    Unsigned,
    /// That is signed with its public key as a shared secret.
    PublicSecret,
    /// That is signed with a key that isn't among its own.
    ForeignKey,
    /// Without a subject.
    Nobody,
    /// Leads browsers back as another issuer (RFC 9207).
    OtherMixed,
    /// Leads browsers back with an error.
    Denied,
}

/// Who signs in there.
#[derive(Debug, Clone, Default)]
pub struct Person {
    /// Who, for ever.
    pub subject: String,
    /// What they call themselves.
    pub preferred: Option<String>,
    /// Their full name.
    pub full: Option<String>,
    /// Their e-mail address, which is of no weight.
    pub email: Option<String>,
}

impl Person {
    /// Somebody with these names.
    pub fn new(subject: &str, preferred: &str, full: &str) -> Self {
        Self {
            subject: subject.to_owned(),
            preferred: Some(preferred.to_owned()),
            full: Some(full.to_owned()),
            email: None,
        }
    }
}

enum Signer {
    Rsa(Box<RsaKeyPair>),
    Curve(Box<EcdsaKeyPair>),
}

impl Signer {
    fn rsa() -> Self {
        Self::Rsa(Box::new(RsaKeyPair::generate(KeySize::Rsa2048).expect("a key")))
    }

    fn algorithm(&self) -> &'static str {
        match self {
            Self::Rsa(_) => "RS256",
            Self::Curve(_) => "ES256",
        }
    }

    fn sign(&self, input: &str) -> Vec<u8> {
        let random = SystemRandom::new();
        match self {
            Self::Rsa(key) => {
                let mut signature = vec![0; key.public_modulus_len()];
                key.sign(&RSA_PKCS1_SHA256, &random, input.as_bytes(), &mut signature).expect("a signature");
                signature
            }
            Self::Curve(key) => key.sign(&random, input.as_bytes()).expect("a signature").as_ref().to_vec(),
        }
    }

    fn jwk(&self, id: &str) -> Value {
        match self {
            Self::Rsa(key) => {
                // RSAPublicKey in DER (RFC 8017, A.1.1): of 2,048 bits the two numbers are always in the same places.
                let der = key.public_key().as_ref();
                assert_eq!(
                    (der.len(), &der[4..9], &der[265..267]),
                    (270, &[2, 130, 1, 1, 0][..], &[2, 3][..])
                );
                let (n, e) = (BASE64.encode(&der[9..265]), BASE64.encode(&der[267..]));
                json!({ "kty": "RSA", "use": "sig", "alg": "RS256", "kid": id, "n": n, "e": e })
            }
            Self::Curve(key) => {
                let point = key.public_key().as_ref();
                let (x, y) = (BASE64.encode(&point[1..33]), BASE64.encode(&point[33..]));
                json!({ "kty": "EC", "crv": "P-256", "use": "sig", "kid": id, "x": x, "y": y })
            }
        }
    }
}

struct Grant {
    challenge: String,
    redirect_uri: String,
    nonce: String,
    person: Person,
}

struct State {
    lie: Lie,
    person: Person,
    signer: Signer,
    key: u32,
    /// `client_secret_post` in the place of `client_secret_basic`.
    posts: bool,
    /// Names are in the user info alone.
    is_terse: bool,
    grants: HashMap<String, Grant>,
    bearers: HashMap<String, Person>,
    asked: HashMap<String, u32>,
    faults: Vec<String>,
}

/// The provider, for as long as the process lasts.
pub struct Provider {
    /// Its address.
    pub issuer: String,
    /// Where it listens.
    pub address: SocketAddr,
    state: Arc<Mutex<State>>,
}

impl Default for Provider {
    fn default() -> Self {
        Self::start()
    }
}

impl Provider {
    /// One that signs with RS256.
    pub fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        let address = listener.local_addr().expect("an address");
        let issuer = format!("http://{address}/realm");
        let state = Arc::new(Mutex::new(State {
            lie: Lie::None,
            person: Person::new("sub-1", "zoe", "Zoë"),
            signer: Signer::rsa(),
            key: 1,
            posts: false,
            is_terse: false,
            grants: HashMap::new(),
            bearers: HashMap::new(),
            asked: HashMap::new(),
            faults: Vec::new(),
        }));
        let (served, at) = (state.clone(), issuer.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (served, at) = (served.clone(), at.clone());
                std::thread::spawn(move || serve(stream, &served, &at));
            }
        });
        Self { issuer, address, state }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The environment of a server that people may sign in to by it.
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        vec![
            ("WEIR_OIDC_ISSUER", self.issuer.clone()),
            ("WEIR_OIDC_CLIENT_ID", CLIENT.to_owned()),
            ("WEIR_OIDC_CLIENT_SECRET", SECRET.to_owned()),
            ("WEIR_OIDC_NAME", "The club".to_owned()),
        ]
    }

    /// From now on this one signs in.
    pub fn be(&self, person: Person) {
        self.state().person = person;
    }

    /// From now on it lies so.
    pub fn lie(&self, lie: Lie) {
        self.state().lie = lie;
    }

    /// From now on it signs with a new key, of RS256 or ES256.
    pub fn rotate(&self, curve: bool) {
        let signer = if curve {
            let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a key");
            Signer::Curve(Box::new(key))
        } else {
            Signer::rsa()
        };
        let mut state = self.state();
        state.signer = signer;
        state.key += 1;
    }

    /// It takes `client_secret_post`, and tells names in the user info alone.
    pub fn be_terse(&self) {
        let mut state = self.state();
        (state.posts, state.is_terse) = (true, true);
    }

    /// How often a path below its issuer was asked for.
    pub fn asked(&self, path: &str) -> u32 {
        self.state().asked.get(path).copied().unwrap_or_default()
    }

    /// Asserts that it was sent nothing that a provider would refuse.
    #[track_caller]
    pub fn assert_content(&self) {
        assert_eq!(self.state().faults, Vec::<String>::new());
    }

    /// What a browser does there: it signs in, and is led back. Gives the path and query that it is led to.
    #[track_caller]
    pub fn visit(&self, url: &str) -> String {
        let path = url.strip_prefix(&format!("http://{}", self.address)).expect("a page of the provider");
        let answer = Request::new("GET", path).send(self.address);
        assert_eq!(answer.status, 302, "{}", answer.text());
        let back = answer.header("location").expect("a way back");
        let path = back.splitn(4, '/').nth(3).expect("a path");
        format!("/{path}")
    }
}

fn serve(stream: TcpStream, state: &Mutex<State>, issuer: &str) {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    let _ = reader.read_line(&mut line);
    let target = line.split(' ').nth(1).unwrap_or_default().to_owned();
    let mut headers = HashMap::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).is_err() || line.trim().is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':') {
            headers.insert(name.trim().to_lowercase(), value.trim().to_owned());
        }
    }
    let length = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    let _ = reader.read_exact(&mut body);
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let path = path.strip_prefix("/realm/").unwrap_or_default().to_owned();
    let answer = {
        let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
        *state.asked.entry(path.clone()).or_default() += 1;
        if state.lie == Lie::Silent {
            drop(state);
            std::thread::sleep(std::time::Duration::from_secs(60));
            return;
        }
        let form = String::from_utf8_lossy(&body).into_owned();
        match path.as_str() {
            ".well-known/openid-configuration" => state.describe(issuer),
            "jwks" => state.keys(),
            "authorize" => state.authorize(query, issuer),
            "token" => state.token(&form, &headers, issuer),
            "userinfo" => state.user_info(&headers),
            _ => (404, "text/plain", String::new()),
        }
    };
    let (status, kind, body) = answer;
    let head = if status == 302 {
        format!("HTTP/1.1 302 Found\r\nLocation: {body}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    } else {
        format!(
            "HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        )
    };
    let _ = reader.into_inner().write_all(head.as_bytes());
}

type Answer = (u16, &'static str, String);

const JSON: &str = "application/json";

fn html() -> Answer {
    (200, "text/html", "<!doctype html><h1>Welcome</h1>".to_owned())
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("a time").as_secs()
}

/// Of a query or a form.
fn pairs(text: &str) -> HashMap<String, String> {
    text.split('&').filter_map(|pair| pair.split_once('=')).map(|(a, b)| (unescape(a), unescape(b))).collect()
}

fn unescape(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits = [rest.next().unwrap_or(b'0'), rest.next().unwrap_or(b'0')];
                u8::from_str_radix(&String::from_utf8_lossy(&digits), 16).unwrap_or(b'?')
            }
            other => other,
        });
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn escape(text: &str) -> String {
    text.bytes()
        .map(|b| if b.is_ascii_alphanumeric() { char::from(b).to_string() } else { format!("%{b:02X}") })
        .collect()
}

impl State {
    fn describe(&self, issuer: &str) -> Answer {
        if self.lie == Lie::HtmlDescription {
            return html();
        }
        let named = if self.lie == Lie::OtherDescription { "http://127.0.0.1:1/realm" } else { issuer };
        let method = if self.posts { "client_secret_post" } else { "client_secret_basic" };
        let description = json!({
            "issuer": named,
            "authorization_endpoint": format!("{issuer}/authorize"),
            "token_endpoint": format!("{issuer}/token"),
            "userinfo_endpoint": format!("{issuer}/userinfo"),
            "jwks_uri": format!("{issuer}/jwks"),
            "token_endpoint_auth_methods_supported": ["private_key_jwt", method],
            "authorization_response_iss_parameter_supported": true,
            "response_types_supported": ["code"],
        });
        (200, JSON, description.to_string())
    }

    fn keys(&self) -> Answer {
        if self.lie == Lie::HtmlKeys {
            return html();
        }
        let own = self.signer.jwk(&format!("key-{}", self.key));
        let strange = json!({ "kty": "LATTICE", "kid": "later" });
        (200, JSON, json!({ "keys": [strange, own] }).to_string())
    }

    fn authorize(&mut self, query: &str, issuer: &str) -> Answer {
        let asked = pairs(query);
        let of = |name: &str| asked.get(name).cloned().unwrap_or_default();
        for (name, expected) in [
            ("response_type", "code"),
            ("client_id", CLIENT),
            ("scope", "openid profile"),
            ("code_challenge_method", "S256"),
        ] {
            if of(name) != expected {
                self.faults.push(format!("{name} is {:?}", of(name)));
            }
        }
        for (name, least) in [("state", 22), ("nonce", 22), ("code_challenge", 43)] {
            if of(name).len() < least {
                self.faults.push(format!("{name} is {:?}", of(name)));
            }
        }
        let code = format!("code-{}", self.grants.len() + self.bearers.len() + 1);
        let named = if self.lie == Lie::OtherMixed { "http://127.0.0.1:1/realm" } else { issuer };
        let (state, iss) = (escape(&of("state")), escape(named));
        let back = of("redirect_uri");
        if self.lie == Lie::Denied {
            return (302, "", format!("{back}?error=access_denied&state={state}&iss={iss}"));
        }
        let grant = Grant {
            challenge: of("code_challenge"),
            redirect_uri: back.clone(),
            nonce: of("nonce"),
            person: self.person.clone(),
        };
        self.grants.insert(code.clone(), grant);
        (302, "", format!("{back}?code={code}&state={state}&iss={iss}"))
    }

    fn token(&mut self, form: &str, headers: &HashMap<String, String>, issuer: &str) -> Answer {
        match self.lie {
            Lie::HtmlToken => return html(),
            Lie::GiantToken => return (200, JSON, format!("{{\"id_token\":\"{}\"}}", "a".repeat(16 << 20))),
            Lie::BrokenToken => return (500, "text/plain", "oh".to_owned()),
            Lie::RefusedCode => return (400, JSON, json!({ "error": "invalid_grant" }).to_string()),
            _ => {}
        }
        let form = pairs(form);
        let of = |name: &str| form.get(name).cloned().unwrap_or_default();
        let proof = if self.posts {
            Some((of("client_id"), of("client_secret")))
        } else {
            let basic = headers.get("authorization").and_then(|value| value.strip_prefix("Basic "));
            let text = basic.and_then(|text| String::from_utf8(STANDARD.decode(text).ok()?).ok());
            text.and_then(|text| text.split_once(':').map(|(a, b)| (unescape(a), unescape(b))))
        };
        if proof != Some((CLIENT.to_owned(), SECRET.to_owned())) {
            self.faults.push(format!("proves itself with {proof:?}"));
            return (401, JSON, json!({ "error": "invalid_client" }).to_string());
        }
        // Good once.
        let Some(grant) = self.grants.remove(&of("code")) else {
            self.faults.push(format!("redeems {:?}", of("code")));
            return (400, JSON, json!({ "error": "invalid_grant" }).to_string());
        };
        let challenge = BASE64.encode(Sha256::digest(of("code_verifier").as_bytes()));
        let verifier_fits = (43..=128).contains(&of("code_verifier").len());
        if challenge != grant.challenge || !verifier_fits || of("redirect_uri") != grant.redirect_uri {
            self.faults.push("the verifier or the way back is another".to_owned());
            return (400, JSON, json!({ "error": "invalid_grant" }).to_string());
        }
        let bearer = format!("access-{}", self.bearers.len() + 1);
        let token = self.id_token(&grant, issuer);
        self.bearers.insert(bearer.clone(), grant.person);
        let body =
            json!({ "access_token": bearer, "token_type": "Bearer", "expires_in": 300, "id_token": token });
        (200, JSON, body.to_string())
    }

    fn id_token(&self, grant: &Grant, issuer: &str) -> String {
        let lie = self.lie;
        let or = |when: Lie, other: Value, value: Value| if lie == when { other } else { value };
        let now = now();
        let mut claims = json!({
            "iss": or(Lie::OtherIssuer, json!("http://127.0.0.1:1/realm"), json!(issuer)),
            "aud": or(Lie::OtherAudience, json!("somebody-else"), json!([CLIENT])),
            "nonce": or(Lie::OtherNonce, json!("n"), json!(grant.nonce)),
            "sub": or(Lie::Nobody, json!(""), json!(grant.person.subject)),
            "iat": now - 600,
            "exp": or(Lie::Expired, json!(now - 120), json!(now + 300)),
            "email_verified": true,
        });
        let person = &grant.person;
        if !self.is_terse {
            claims["preferred_username"] = json!(person.preferred);
            claims["name"] = json!(person.full);
        }
        claims["email"] = json!(person.email);
        let algorithm = match lie {
            Lie::Unsigned => "none",
            Lie::PublicSecret => "HS256",
            _ => self.signer.algorithm(),
        };
        let head = json!({ "alg": algorithm, "kid": format!("key-{}", self.key) });
        let input = format!("{}.{}", BASE64.encode(head.to_string()), BASE64.encode(claims.to_string()));
        let signature = match (lie, &self.signer) {
            (Lie::Unsigned, _) => Vec::new(),
            (Lie::PublicSecret, Signer::Rsa(key)) => {
                let mut mac = Hmac::<Sha256>::new_from_slice(key.public_key().as_ref()).expect("a key");
                mac.update(input.as_bytes());
                mac.finalize().into_bytes().to_vec()
            }
            (Lie::ForeignKey, _) => Signer::rsa().sign(&input),
            (_, signer) => signer.sign(&input),
        };
        format!("{input}.{}", BASE64.encode(signature))
    }

    fn user_info(&mut self, headers: &HashMap<String, String>) -> Answer {
        let bearer = headers.get("authorization").and_then(|value| value.strip_prefix("Bearer "));
        let Some(person) = bearer.and_then(|bearer| self.bearers.get(bearer)) else {
            self.faults.push(format!("asks for user info with {bearer:?}"));
            return (401, JSON, "{}".to_owned());
        };
        let info =
            json!({ "sub": person.subject, "preferred_username": person.preferred, "name": person.full });
        (200, JSON, info.to_string())
    }
}
