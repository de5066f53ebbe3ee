//! People who chat: over the event socket and over REST.

use crate::{
    events::Events,
    http::{Request, Response},
    server::{Login, Weir},
};
use serde_json::{Value, json};
use std::{net::SocketAddr, time::Duration};

/// The topic of messages.
pub const MESSAGES: &str = "chat:stream_messages:v1";
/// The operation that sends one.
pub const SEND: &str = "chat:send_message:v1";

const PATIENCE: Duration = Duration::from_secs(10);

/// Somebody without an account.
#[derive(Debug, Clone)]
pub struct Guest {
    /// Their id.
    pub id: String,
    /// What proves it.
    pub token: String,
}

/// Makes a guest, from an address that is this one's alone.
///
/// # Panics
/// When the name isn't free.
pub fn guest(server: SocketAddr, name: &str) -> Guest {
    guest_from(server, name, &format!("2001:db8:{:x}::1", rand::random::<u16>()))
}

/// Makes a guest who comes from an address, as a proxy on this machine says.
///
/// # Panics
/// When the name isn't free.
pub fn guest_from(server: SocketAddr, name: &str, address: &str) -> Guest {
    let response = try_guest(server, name, address);
    assert_eq!(response.status, 201, "{}", response.text());
    let made = response.json();
    Guest {
        id: made["author"]["id"].as_str().expect("an id").to_owned(),
        token: made["token"].as_str().expect("a token").to_owned(),
    }
}

/// Asks for a guest.
pub fn try_guest(server: SocketAddr, name: &str, address: &str) -> Response {
    Request::new("POST", "/api/v1/chat/guests")
        .header("x-forwarded-for", address)
        .json(&json!({ "name": name }))
        .send(server)
}

/// Who sends a request.
#[derive(Debug, Clone, Copy)]
pub enum By<'a> {
    /// Somebody signed in.
    Login(&'a Login),
    /// A guest.
    Guest(&'a Guest),
    /// Nobody.
    Nobody,
}

/// A request to `/api/v1/channels/{path}`.
pub fn call(server: SocketAddr, method: &str, path: &str, by: By<'_>, body: Option<&Value>) -> Response {
    let path = format!("/api/v1/channels/{path}");
    let mut request = Request::new(method, &path).header("x-forwarded-for", "192.0.2.1");
    request = match by {
        By::Login(login) => request.header("cookie", login.cookie.as_str()),
        By::Guest(guest) => request.header("weir-guest", guest.token.as_str()),
        By::Nobody => request,
    };
    if let Some(body) = body {
        request = request.json(body);
    }
    request.send(server)
}

/// Sends a message over REST.
pub fn say(server: SocketAddr, channel: &str, by: By<'_>, text: &str) -> Response {
    call(server, "POST", &format!("{channel}/chat/messages"), by, Some(&json!({ "text": text })))
}

/// Makes an account with a password, and signs in.
///
/// # Panics
/// When either can't be done.
pub fn account(weir: &Weir, name: &str) -> Login {
    let output = weir.run(&["account", "create", name, "--json"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let made: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let body = json!({ "name": name, "password": made["password"] });
    let response = weir.same_origin("POST", "/api/v1/login").json(&body).send(weir.http);
    assert_eq!(response.status, 200, "{}", response.text());
    Login::from_response(&response)
}

/// Somebody who follows a room, with everything they were told.
pub struct Reader {
    /// Their socket.
    pub events: Events,
    /// How far they have seen.
    pub cursor: u64,
    /// Whether anything may be missing before what they were told.
    pub complete: bool,
    waiting: Vec<Value>,
}

impl Reader {
    /// Follows from the last messages on.
    pub fn join(server: SocketAddr, channel: &str) -> Self {
        Self::follow(Events::open(server), channel, None)
    }

    /// Follows from where somebody was.
    pub fn resume(server: SocketAddr, channel: &str, after: u64) -> Self {
        Self::follow(Events::open(server), channel, Some(after))
    }

    /// Follows on a socket.
    pub fn follow(mut events: Events, channel: &str, after: Option<u64>) -> Self {
        let mut request =
            json!({ "event": format!("{MESSAGES}:requested"), "id": "c", "payload": { "channel": channel } });
        if let Some(after) = after {
            request["after"] = json!(after);
        }
        events.send(&request);
        let started =
            events.until("started", PATIENCE, |message| message["event"] == format!("{MESSAGES}:started"));
        let complete = started["payload"]["complete"] == true;
        // With something missing, counting begins anew.
        let cursor = started["cursor"].as_u64().or(after.filter(|_| complete)).unwrap_or_default();
        Self { events, cursor, complete, waiting: Vec::new() }
    }

    /// The next update.
    ///
    /// # Panics
    /// When none comes.
    #[track_caller]
    pub fn hear(&mut self) -> Value {
        self.try_hear(PATIENCE).expect("an update")
    }

    /// The next update; `None` if none comes within `timeout`.
    #[track_caller]
    pub fn try_hear(&mut self, timeout: Duration) -> Option<Value> {
        while self.waiting.is_empty() {
            let message = self.events.next(timeout)?;
            if message["event"] == format!("{MESSAGES}:stream") {
                let cursor = message["cursor"].as_u64().expect("a cursor");
                assert!(cursor > self.cursor, "{cursor} after {}", self.cursor);
                self.cursor = cursor;
                self.waiting = message["payload"]["updates"].as_array().expect("updates").clone();
                self.waiting.reverse();
            } else {
                assert!(
                    message["event"] == format!("{MESSAGES}:heartbeat"),
                    "what a follower is told: {message}"
                );
            }
        }
        self.waiting.pop()
    }

    /// What came with the last update, and was not taken yet.
    pub fn rest(&mut self) -> Vec<Value> {
        self.waiting.reverse();
        std::mem::take(&mut self.waiting)
    }

    /// Updates until one fits, which may take up to half a minute.
    ///
    /// # Panics
    /// When none comes.
    #[track_caller]
    pub fn until_slowly(&mut self, fits: impl Fn(&Value) -> bool) -> Value {
        loop {
            let update = self.try_hear(Duration::from_secs(30)).expect("an update");
            if fits(&update) {
                return update;
            }
        }
    }

    /// Updates until one fits; all of them.
    ///
    /// # Panics
    /// When none comes.
    #[track_caller]
    pub fn until(&mut self, fits: impl Fn(&Value) -> bool) -> Vec<Value> {
        let mut all = Vec::new();
        loop {
            let update = self.hear();
            all.push(update);
            if fits(&all[all.len() - 1]) {
                return all;
            }
        }
    }
}

/// A message's text.
pub fn text_of(update: &Value) -> String {
    let fragments = update["fragments"].as_array().map(Vec::as_slice).unwrap_or_default();
    fragments.iter().filter_map(|fragment| fragment["text"].as_str()).collect()
}

/// Sends a message on a socket and waits for what comes of it: success or failure.
///
/// # Panics
/// When nothing comes of it.
pub fn send(events: &mut Events, id: &str, channel: &str, text: &str, guest: Option<&Guest>) -> Value {
    let mut payload = json!({ "channel": channel, "text": text });
    if let Some(guest) = guest {
        payload["guest"] = json!(guest.token);
    }
    events.send(&json!({ "event": format!("{SEND}:requested"), "id": id, "payload": payload }));
    events.until("what came of a message", PATIENCE, |message| {
        message["id"] == id
            && (message["event"] == format!("{SEND}:success") || message["event"] == format!("{SEND}:failed"))
    })
}
