//! What people are told: by the bell, by push, once each, also over a crash.

use crate::SOON;
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
};
use weir_tests::{
    events::Events,
    eventually,
    http::{Request, Response},
    peer::{Peer, Source},
    server::{Login, Weir},
};

const ALLOW: (&str, &str) = ("WEIR_OUTGOING_ALLOW", "127.0.0.1");

fn call(weir: &Weir, login: &Login, method: &str, path: &str, body: &Value) -> Response {
    let path = format!("/api/v1/{path}");
    let request = weir.same_origin(method, &path).header("cookie", login.cookie.as_str());
    if body.is_null() { request.send(weir.http) } else { request.json(body).send(weir.http) }
}

fn ok(response: &Response) -> Value {
    assert!(response.status < 300, "{}", response.text());
    if response.body.is_empty() { Value::Null } else { response.json() }
}

fn joined(weir: &Weir, owner: &Login, name: &str) -> Login {
    ok(&call(weir, owner, "PATCH", "instance/settings", &json!({ "signUp": "open" })));
    let body = json!({ "name": name, "displayName": name, "password": "correct horse battery" });
    Login::from_response(&weir.same_origin("POST", "/api/v1/sign-up").json(&body).send(weir.http))
}

fn follow(weir: &Weir, login: &Login, channel: &str) {
    ok(&call(weir, login, "PUT", &format!("channels/{channel}/follow"), &Value::Null));
}

fn told(weir: &Weir, login: &Login) -> Vec<Value> {
    ok(&call(weir, login, "GET", "me/notifications", &Value::Null))["items"]
        .as_array()
        .expect("items")
        .clone()
}

/// What a push service got.
#[derive(Debug, Clone)]
struct Pushed {
    path: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Pushed {
    fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(other, _)| other == name).map_or("", |(_, value)| value)
    }
}

/// A push service that answers with what it is told to, 201 in the end.
struct PushService {
    origin: String,
    got: mpsc::Receiver<Pushed>,
    answers: Arc<Mutex<Vec<u16>>>,
}

impl PushService {
    fn start(answers: &[u16]) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        let origin = format!("http://{}", listener.local_addr().expect("an address"));
        let (sender, got) = mpsc::channel();
        let answers = Arc::new(Mutex::new(answers.to_vec()));
        let to_give = answers.clone();
        std::thread::spawn(move || {
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
                let _ = reader.into_inner().write_all(answer.as_bytes());
                if sender.send(Pushed { path, headers, body }).is_err() {
                    return;
                }
            }
        });
        Self { origin, got, answers }
    }

    fn next(&self) -> Pushed {
        self.got.recv_timeout(SOON * 3).expect("a message")
    }

    fn is_quiet(&self) -> bool {
        self.got.try_recv().is_err()
    }
}

/// A browser, as its push service and its service worker know it.
struct Browser {
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
    fn new(seed: u8) -> Self {
        let private = PrivateKey::from_private_key(&ECDH_P256, &[seed; 32]).expect("a key");
        let public = private.compute_public_key().expect("a public key").as_ref().to_vec();
        Self { private, public, secret: [seed; 16] }
    }

    fn subscription(&self, endpoint: &str) -> Value {
        let (p256dh, auth) = (URL_SAFE_NO_PAD.encode(&self.public), URL_SAFE_NO_PAD.encode(self.secret));
        json!({ "endpoint": endpoint, "keys": { "p256dh": p256dh, "auth": auth } })
    }

    /// Decrypts as RFC 8291 says, and from nothing of the server's.
    fn open(&self, message: &[u8]) -> Value {
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

/// Whether a message is signed by the server's key for this service.
fn assert_signed(weir: &Weir, pushed: &Pushed, origin: &str) {
    let key =
        Request::new("GET", "/api/v1/push").send(weir.http).json()["key"].as_str().expect("a key").to_owned();
    let value = pushed.header("authorization");
    let (token, shown) = value.strip_prefix("vapid t=").expect("VAPID").split_once(", k=").expect("a key");
    assert_eq!(shown, key);
    let (text, mark) = token.rsplit_once('.').expect("a signature");
    let public = URL_SAFE_NO_PAD.decode(&key).expect("a key");
    signature::UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, public)
        .verify(text.as_bytes(), &URL_SAFE_NO_PAD.decode(mark).expect("a signature"))
        .expect("it is the server's");
    let claims = URL_SAFE_NO_PAD.decode(text.split_once('.').expect("claims").1).expect("claims");
    let claims: Value = serde_json::from_slice(&claims).expect("claims");
    assert_eq!(claims["aud"], origin);
}

#[test]
fn followers_hear_that_a_channel_is_live_once_by_bell_and_push() {
    let service = PushService::start(&[]);
    let mut weir = Weir::start_with(&[ALLOW]);
    let owner = weir.set_up("ada");
    let ben = joined(&weir, &owner, "ben");
    follow(&weir, &ben, "ada");
    let browser = Browser::new(7);
    let subscription = browser.subscription(&format!("{}/send/ben", service.origin));
    let added = call(&weir, &ben, "POST", "me/push", &subscription);
    assert_eq!(added.status, 201, "{}", added.text());
    let mut bell = Events::open_as(weir.http, &ben.cookie);
    bell.request("account:stream_notifications:v1", "b", None);
    let first = bell.until("the bell", SOON, |message| message["payload"]["unread"].is_number());
    assert_eq!(first["payload"]["unread"], 0);
    let token = ok(&call(&weir, &owner, "POST", "channels/ada/publish-token", &json!({})));
    let token = token["token"].as_str().expect("a token").to_owned();
    ok(&call(&weir, &owner, "PATCH", "channels/ada", &json!({ "title": "Evening" })));
    let publisher = Peer::publish(weir.http, "ada", &token, Source::new(1));
    weir.until_state("ada", "live", SOON);
    let rung = bell.until("it rings", SOON, |message| message["payload"]["unread"] == 1);
    assert_eq!(rung["payload"]["latest"]["title"], "ada is live");
    let pushed = service.next();
    assert_eq!((pushed.path.as_str(), pushed.header("content-encoding")), ("/send/ben", "aes128gcm"));
    assert!(pushed.header("ttl").parse::<u32>().is_ok_and(|seconds| seconds > 0));
    assert_signed(&weir, &pushed, &service.origin);
    let text = browser.open(&pushed.body);
    assert_eq!(
        (&text["title"], &text["body"], &text["url"]),
        (&json!("ada is live"), &json!("Evening"), &json!("/ada"))
    );
    assert_eq!(pushed.header("topic"), text["id"].as_str().expect("an id"));
    // Killed and started again while it is live: nobody is told twice.
    weir.crash();
    weir.start_again();
    weir.until_state("ada", "waiting", SOON * 2);
    let others = told(&weir, &ben);
    assert_eq!(others.len(), 1, "{others:?}");
    assert!(service.is_quiet(), "one push each");
    let until = others[0]["at"].clone();
    let bell = ok(&call(&weir, &ben, "PUT", "me/notifications/read", &json!({ "until": until })));
    assert_eq!(bell["unread"], 0);
    assert_eq!(told(&weir, &ben)[0]["read"], true);
    drop(publisher);
}

#[test]
fn what_was_to_leave_outlives_a_crash_and_a_service_that_is_away() {
    let service = PushService::start(&[503, 301, 410]);
    let mut weir = Weir::start_with(&[ALLOW]);
    let owner = weir.set_up("ada");
    let wishes = json!({
        "wentLive": { "inApp": true, "push": true }, "mention": { "inApp": true, "push": true },
        "follower": { "inApp": true, "push": true }, "system": { "inApp": true, "push": true }, "quiet": null,
    });
    ok(&call(&weir, &owner, "PUT", "me/notification-preferences", &wishes));
    let browser = Browser::new(9);
    for path in ["a", "b", "c"] {
        let subscription = browser.subscription(&format!("{}/{path}", service.origin));
        assert_eq!(call(&weir, &owner, "POST", "me/push", &subscription).status, 201);
    }
    let ben = joined(&weir, &owner, "ben");
    follow(&weir, &ben, "ada");
    // One is to come later, one is refused for ever (a redirect is followed nowhere), one is gone.
    let first: Vec<Pushed> = (0..3).map(|_| service.next()).collect();
    assert!(first.iter().all(|pushed| browser.open(&pushed.body)["title"] == "ben follows ada"));
    eventually("what became of them is written", SOON, || {
        let metrics = Request::new("GET", "/metrics").send(weir.http).text();
        metrics.contains("weir_push_failed_total 3").then_some(())
    });
    let left = ok(&call(&weir, &owner, "GET", "me/push", &Value::Null));
    assert_eq!(left["items"].as_array().map(Vec::len), Some(2), "the one that is gone is forgotten");
    assert!(service.answers.lock().expect("answers").is_empty());
    weir.crash();
    // What waits for its next try is made to be due, as if the time had passed.
    let due = std::process::Command::new("python3")
        .args(["-c", "import sqlite3,sys; d=sqlite3.connect(sys.argv[1]); n=d.execute('UPDATE outbox SET due_at = 0').rowcount; d.commit(); print(n)"])
        .arg(weir.data().join("weir.db"))
        .output()
        .expect("python3");
    assert_eq!(String::from_utf8_lossy(&due.stdout).trim(), "1", "one message waits");
    weir.start_again();
    let again = service.next();
    assert_eq!(browser.open(&again.body)["title"], "ben follows ada");
    assert!(
        first
            .iter()
            .any(|pushed| pushed.path == again.path && pushed.header("topic") == again.header("topic"))
    );
    assert_eq!(told(&weir, &owner).len(), 1, "the bell has it once");
}

#[test]
fn wishes_are_heeded_and_alike_is_gathered() {
    let service = PushService::start(&[]);
    let weir = Weir::start_with(&[ALLOW]);
    let owner = weir.set_up("ada");
    let browser = Browser::new(3);
    ok(&call(&weir, &owner, "POST", "me/push", &browser.subscription(&format!("{}/ada", service.origin))));
    for name in ["ben", "cleo", "dora"] {
        let login = joined(&weir, &owner, name);
        follow(&weir, &login, "ada");
        ok(&call(&weir, &login, "DELETE", "channels/ada/follow", &Value::Null));
        follow(&weir, &login, "ada");
    }
    let all = told(&weir, &owner);
    assert_eq!(all.len(), 1, "{all:?}");
    assert_eq!(
        (&all[0]["count"], &all[0]["title"]),
        (&json!(3), &json!("3 people follow ada, dora the last of them"))
    );
    assert!(service.is_quiet(), "followers ring no browser unless one wishes it");
    let ben = joined(&weir, &owner, "evan");
    let text = json!({ "text": "Hello @ada, and @ada again" });
    ok(&call(&weir, &ben, "POST", "channels/ada/chat/messages", &text));
    let pushed = service.next();
    let said = browser.open(&pushed.body);
    assert_eq!(
        (&said["title"], &said["body"]),
        (&json!("evan mentioned you in the chat of ada"), &text["text"])
    );
    ok(&call(&weir, &ben, "POST", "channels/ada/chat/messages", &json!({ "text": "@ada?" })));
    eventually("both are gathered", SOON, || {
        told(&weir, &owner).iter().any(|one| one["count"] == 2).then_some(())
    });
    assert!(service.is_quiet(), "who hasn't read the first isn't rung up again");
    let silent = json!({
        "wentLive": { "inApp": false, "push": false, "email": false },
        "mention": { "inApp": false, "push": false, "email": false },
        "follower": { "inApp": false, "push": false, "email": false },
        "system": { "inApp": true, "push": true, "email": false },
        "quiet": { "from": 60, "to": 120, "offset": 0 },
    });
    ok(&call(&weir, &owner, "PUT", "me/notification-preferences", &silent));
    assert_eq!(ok(&call(&weir, &owner, "GET", "me/notification-preferences", &Value::Null)), silent);
    let before = told(&weir, &owner).len();
    let login = joined(&weir, &owner, "fred");
    follow(&weir, &login, "ada");
    assert_eq!(told(&weir, &owner).len(), before, "who wants to hear nothing hears nothing");
    for bad in [json!({ "from": 60, "to": 60, "offset": 0 }), json!({ "from": 1440, "to": 0, "offset": 0 })] {
        let mut wishes = silent.clone();
        wishes["quiet"] = bad;
        call(&weir, &owner, "PUT", "me/notification-preferences", &wishes).problem(422);
    }
}

#[test]
fn push_goes_to_no_address_inside() {
    let weir = Weir::start();
    let owner = weir.set_up("ada");
    let browser = Browser::new(5);
    for endpoint in [
        "http://127.0.0.1:9/x",
        "https://127.0.0.1/x",
        "https://[::1]/x",
        "https://[::ffff:10.0.0.1]/x",
        "https://169.254.169.254/latest/meta-data",
        "https://0x7f000001/x",
        "http://example.com/x@",
        "ftp://example.com/x",
        "file:///etc/passwd",
        "https://user:pass@example.com/",
        "",
    ] {
        let answer = call(&weir, &owner, "POST", "me/push", &browser.subscription(endpoint));
        // An address without TLS whose name nobody has looked up yet is taken, and refused when it is called.
        let named = endpoint.starts_with("http://example");
        assert!(answer.status == 422 || named, "{endpoint}: {}", answer.text());
    }
    let mut keys = browser.subscription("https://push.example/x");
    keys["keys"]["p256dh"] = json!("BAAA");
    assert_eq!(call(&weir, &owner, "POST", "me/push", &keys).problem(422).field.as_deref(), Some("keys"));
    assert_eq!(call(&weir, &owner, "DELETE", "me/push/01m7", &Value::Null).status, 404);
    assert!(!weir.console().contains("push.example"));
}

/// A mail server (RFC 5321) that keeps what it takes.
struct MailServer {
    url: String,
    letters: mpsc::Receiver<String>,
}

impl MailServer {
    /// `refuses` so many letters first, for a while.
    fn start(refuses: usize) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        let url = format!("smtp://{}", listener.local_addr().expect("an address"));
        let (sender, letters) = mpsc::channel();
        let left = Arc::new(Mutex::new(refuses));
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (sender, left) = (sender.clone(), left.clone());
                std::thread::spawn(move || serve_mail(stream, &sender, &left));
            }
        });
        Self { url, letters }
    }

    fn next(&self) -> String {
        self.letters.recv_timeout(SOON * 3).expect("a letter")
    }
}

fn serve_mail(stream: std::net::TcpStream, letters: &mpsc::Sender<String>, left: &Mutex<usize>) {
    let mut writer = stream.try_clone().expect("a stream");
    let mut reader = BufReader::new(stream);
    let mut say = |text: &str| writer.write_all(format!("{text}\r\n").as_bytes()).is_ok();
    say("220 mail.example ready");
    let (mut line, mut recipient) = (String::new(), String::new());
    loop {
        line.clear();
        if !reader.read_line(&mut line).is_ok_and(|length| length > 0) {
            return;
        }
        let word = line.get(..4).unwrap_or_default().to_uppercase();
        let goes_on = match word.as_str() {
            "EHLO" | "HELO" => say("250 mail.example"),
            "MAIL" => {
                let mut left = left.lock().expect("the rest");
                let is_busy = *left > 0;
                *left = left.saturating_sub(1);
                say(if is_busy { "451 Try again later" } else { "250 OK" })
            }
            "RCPT" => {
                recipient = line.trim().to_owned();
                say("250 OK")
            }
            "DATA" => {
                say("354 Go on");
                let mut letter = format!("{recipient}\n");
                loop {
                    line.clear();
                    if !reader.read_line(&mut line).is_ok_and(|length| length > 0) {
                        return;
                    }
                    if line == ".\r\n" {
                        break;
                    }
                    // A dot in front of a dot was put there by the sender.
                    letter.push_str(if line.starts_with("..") { &line[1..] } else { &line });
                }
                if letters.send(letter).is_err() {
                    return;
                }
                say("250 Taken")
            }
            "QUIT" => {
                say("221 Bye");
                return;
            }
            "RSET" | "NOOP" => say("250 OK"),
            _ => say("500 What?"),
        };
        if !goes_on {
            return;
        }
    }
}

/// A letter's text with soft line breaks of quoted-printable taken out.
fn plain(letter: &str) -> String {
    letter.replace("=\r\n", "").replace("=3D", "=")
}

fn link(letter: &str, page: &str) -> String {
    let text = plain(letter);
    let (_, rest) =
        text.split_once(&format!("/{page}?token=")).unwrap_or_else(|| panic!("no link in {text}"));
    rest.chars().take_while(|c| c.is_ascii_alphanumeric() || "._-".contains(*c)).collect()
}

/// Makes everything in an outbox due, as if the time had passed; how much there is.
fn make_due(weir: &Weir, table: &str) -> String {
    let script = "import sqlite3,sys; d=sqlite3.connect(sys.argv[1]); n=d.execute('UPDATE '+sys.argv[2]+' SET due_at = 0').rowcount; d.commit(); print(n)";
    let done = std::process::Command::new("python3")
        .args(["-c", script])
        .arg(weir.data().join("weir.db"))
        .arg(table)
        .output()
        .expect("python3");
    String::from_utf8_lossy(&done.stdout).trim().to_owned()
}

#[test]
fn letters_go_to_confirmed_addresses_together_once_and_can_be_stopped() {
    let server = MailServer::start(0);
    let mail = [("WEIR_SMTP_URL", server.url.as_str()), ("WEIR_SMTP_FROM", "Weir <weir@tv.example>")];
    let mut weir = Weir::start_with(&mail);
    let owner = weir.set_up("ada");
    let wishes = |email: bool| {
        let ways = json!({ "inApp": true, "push": false, "email": email });
        json!({ "wentLive": ways, "mention": ways, "follower": ways, "system": ways, "quiet": null })
    };
    ok(&call(&weir, &owner, "PUT", "me/notification-preferences", &wishes(true)));
    let follower = |name: &str| follow(&weir, &joined(&weir, &owner, name), "ada");
    follower("before");
    assert_eq!(make_due(&weir, "mail_outbox"), "0", "nothing goes to an address that isn't there");
    for bad in ["ada", "a b@example.org", "ada@example.org\r\nBcc: all@example.org", ""] {
        call(&weir, &owner, "PUT", "me/email", &json!({ "address": bad })).problem(422);
    }
    let state = ok(&call(&weir, &owner, "PUT", "me/email", &json!({ "address": "ada@example.org" })));
    assert_eq!((&state["confirmed"], &state["available"]), (&json!(false), &json!(true)));
    let asked = server.next();
    assert!(asked.starts_with("RCPT TO:<ada@example.org>"), "{asked}");
    let token = link(&asked, "confirm-email");
    let confirm = |token: &str| {
        weir.same_origin("POST", "/api/v1/email/confirm").json(&json!({ "token": token })).send(weir.http)
    };
    assert_eq!(confirm("nonsense").problem(403).kind, "/problems/stale-link");
    assert_eq!((confirm(&token).status, confirm(&token).status), (204, 403), "it works once");
    ok(&call(&weir, &owner, "PUT", "me/notifications/read", &json!({ "until": "2100-01-01T00:00:00Z" })));
    follower("ben");
    let cleo = joined(&weir, &owner, "cleo");
    ok(&call(&weir, &cleo, "POST", "channels/ada/chat/messages", &json!({ "text": "Good evening @ada" })));
    eventually("the mention is there", SOON, || {
        told(&weir, &owner).iter().any(|one| one["kind"] == "mention").then_some(())
    });
    assert!(server.letters.try_recv().is_err(), "letters gather for a minute");
    // A crash, and the minute is over.
    weir.crash();
    assert_eq!(make_due(&weir, "mail_outbox"), "2");
    weir.start_again();
    let letter = server.next();
    let text = plain(&letter);
    assert!(text.contains("ben follows ada") && text.contains("cleo mentioned you"), "{text}");
    assert!(text.contains("List-Unsubscribe-Post: List-Unsubscribe=One-Click"), "{text}");
    assert!(text.contains("Message-ID: <"), "{text}");
    eventually("the outbox is empty", SOON, || (make_due(&weir, "mail_outbox") == "0").then_some(()));
    assert!(server.letters.try_recv().is_err(), "one letter for all of it");
    // As a mail program presses it: a form of another site's, without a login.
    let stop = link(&letter, "unsubscribe");
    let path = format!("/unsubscribe?token={stop}");
    let press = |path: &str| {
        let request = Request::new("POST", path).header("origin", "https://mail.example");
        request.body("application/x-www-form-urlencoded", "List-Unsubscribe=One-Click").send(weir.http).status
    };
    assert_eq!((press(&path), press("/unsubscribe?token=ada.mention.00")), (200, 403));
    let kept = ok(&call(&weir, &owner, "GET", "me/notification-preferences", &Value::Null));
    let stopped: Vec<bool> = ["mention", "follower"].map(|kind| kept[kind]["email"] == false).into();
    assert_eq!(stopped.iter().filter(|is| **is).count(), 1, "that kind, and no other: {kept}");
    let state = ok(&call(&weir, &owner, "DELETE", "me/email", &Value::Null));
    assert!(state["address"].is_null());
}

#[test]
fn a_mail_server_that_is_busy_gets_the_same_letter_later() {
    let server = MailServer::start(0);
    let mail = [("WEIR_SMTP_URL", server.url.as_str()), ("WEIR_SMTP_FROM", "weir@tv.example")];
    let mut weir = Weir::start_with(&mail);
    let owner = weir.set_up("ada");
    ok(&call(&weir, &owner, "PUT", "me/email", &json!({ "address": "ada@example.org" })));
    let token = link(&server.next(), "confirm-email");
    let confirm = weir.same_origin("POST", "/api/v1/email/confirm").json(&json!({ "token": token }));
    assert_eq!(confirm.send(weir.http).status, 204);
    let ways = json!({ "inApp": true, "push": false, "email": true });
    let wishes =
        json!({ "wentLive": ways, "mention": ways, "follower": ways, "system": ways, "quiet": null });
    ok(&call(&weir, &owner, "PUT", "me/notification-preferences", &wishes));
    follow(&weir, &joined(&weir, &owner, "ben"), "ada");
    for limit in 0..3 {
        let status = call(&weir, &owner, "PUT", "me/email", &json!({ "address": "ada@example.org" })).status;
        assert_eq!(status == 429, limit == 2, "nobody's mailbox is filled with questions");
    }
    let token = link(&server.letters.iter().nth(1).expect("the newest question"), "confirm-email");
    let confirm = weir.same_origin("POST", "/api/v1/email/confirm").json(&json!({ "token": token }));
    assert_eq!(confirm.send(weir.http).status, 204);
    weir.crash();
    let busy = MailServer::start(1);
    let data = weir.data().to_owned();
    assert_eq!(make_due(&weir, "mail_outbox"), "1");
    let mail = [("WEIR_SMTP_URL", busy.url.as_str()), ("WEIR_SMTP_FROM", "weir@tv.example")];
    let mut again = Weir::start_in(&data, &mail);
    eventually("the first try has failed", SOON, || {
        let metrics = Request::new("GET", "/metrics").send(again.http).text();
        metrics.contains("weir_mail_failed_total 1").then_some(())
    });
    again.crash();
    eventually("it waits for its next try", SOON, || (make_due(&again, "mail_outbox") == "1").then_some(()));
    again.start_again();
    assert!(plain(&busy.next()).contains("ben follows ada"));
}

#[test]
fn without_a_mail_server_nobody_is_asked_for_an_address() {
    let weir = Weir::start();
    let owner = weir.set_up("ada");
    assert_eq!(ok(&call(&weir, &owner, "GET", "me/email", &Value::Null))["available"], false);
    let problem =
        call(&weir, &owner, "PUT", "me/email", &json!({ "address": "ada@example.org" })).problem(409);
    assert_eq!(problem.kind, "/problems/no-email");
}
