//! One connection's requests: what is opened, what is sent next, when it is over. Pure; time is what has passed since any start.
//!
//! What waits to be sent is bounded: of a state only the newest, of occurrences as many as the ring holds, of answers
//! as many as a well-behaved client can cause. A client beyond that is told to start anew, or is disconnected.

use super::{ring::KEPT, wire::Label};
use shared::{
    chat::{NewMessage, Sent},
    event::{ClientMessage, Cursor, Phase, RequestPayload, Started, Topic},
    id::{ChannelName, RequestId},
    problem::Problem,
};
use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

/// The most open requests of one connection.
pub const REQUESTS_MOST: usize = 32;
/// The most bytes of a client's message.
pub const MESSAGE_MOST: usize = 16 * 1024;
/// After this long with nothing new, a request says that it goes on.
pub const HEARTBEAT_EVERY: Duration = Duration::from_secs(15);
/// After this long without a word from the client, it is asked for one.
pub const PING_EVERY: Duration = Duration::from_secs(20);
/// After this long without a word, it is gone.
pub const GONE_AFTER: Duration = Duration::from_secs(60);
/// Answers that may wait for a client that doesn't read.
const ANSWERS_MOST: usize = 128;
/// Messages that a client may send in a row, and after which one more.
const BURST: u32 = 64;
const ONE_MORE_EACH: Duration = Duration::from_millis(100);

/// Names one request among all that a connection ever opened.
pub type Key = u64;

/// What must be done outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Ask whether the topic may be followed, and follow it.
    Open {
        /// The request.
        key: Key,
        /// What.
        topic: Topic,
        /// Whose.
        channel: Option<ChannelName>,
        /// Since when.
        after: Option<Cursor>,
        /// With which signed embed.
        token: Option<String>,
    },
    /// Write a message.
    Send {
        /// The request.
        key: Key,
        /// Where.
        channel: ChannelName,
        /// What.
        message: Box<NewMessage>,
        /// As which guest.
        guest: Option<String>,
        /// With which signed embed.
        token: Option<String>,
    },
    /// Stop following.
    Close {
        /// The request.
        key: Key,
    },
    /// End the connection.
    Disconnect {
        /// WebSocket's code.
        code: u16,
        /// Why.
        reason: &'static str,
    },
}

/// What is sent next.
#[derive(Debug, Clone, PartialEq)]
pub enum Outgoing<P> {
    /// A message.
    Message {
        /// Which operation.
        label: Label,
        /// Where it stands.
        phase: Phase,
        /// The client's name for it.
        id: RequestId,
        /// How far the client has seen it then.
        cursor: Option<Cursor>,
        /// What it says.
        body: Body<P>,
    },
    /// A WebSocket ping.
    Ping,
}

/// What a message says.
#[derive(Debug, Clone, PartialEq)]
pub enum Body<P> {
    /// The operation began.
    Started(Started),
    /// One thing that came of it.
    Stream(P),
    /// A message is on disk.
    Sent(Sent),
    /// It failed.
    Failed(Box<Problem>),
    /// No more than the phase.
    Empty,
}

#[derive(Debug)]
struct Request<P> {
    id: RequestId,
    topic: Topic,
    channel: Option<ChannelName>,
    is_started: bool,
    is_over: bool,
    waiting: VecDeque<(Cursor, P)>,
    /// The last cursor that was sent.
    seen: Option<Cursor>,
    last_sent: Duration,
}

/// One connection.
#[derive(Debug)]
pub struct Connection<P> {
    requests: BTreeMap<Key, Request<P>>,
    next_key: Key,
    /// After whom the next one is served.
    served: Key,
    answers: VecDeque<Outgoing<P>>,
    commands: VecDeque<Command>,
    is_over: bool,
    last_heard: Duration,
    last_ping: Duration,
    /// When the client may send a whole burst again.
    calm_at: Duration,
}

impl<P> Connection<P> {
    /// A connection that was just made.
    pub fn new(now: Duration) -> Self {
        Self {
            requests: BTreeMap::new(),
            next_key: 0,
            served: 0,
            answers: VecDeque::new(),
            commands: VecDeque::new(),
            is_over: false,
            last_heard: now,
            last_ping: now,
            calm_at: now,
        }
    }

    /// How many requests are open.
    pub fn open(&self) -> usize {
        self.requests.len()
    }

    /// Anything came from the client, a pong too.
    pub fn heard(&mut self, now: Duration) {
        self.last_heard = now;
    }

    /// A text message came.
    pub fn text(&mut self, text: &str, now: Duration) {
        self.heard(now);
        if text.len() > MESSAGE_MOST {
            return self.disconnect(1009, "a message has at most 16 KiB");
        }
        self.calm_at = self.calm_at.max(now) + ONE_MORE_EACH;
        if self.calm_at > now + ONE_MORE_EACH * BURST {
            return self.disconnect(1008, "too many messages");
        }
        match serde_json::from_str::<ClientMessage>(text) {
            Ok(message) => self.message(message, now),
            Err(error) => self.malformed(text, &error),
        }
    }

    /// A binary message came.
    pub fn binary(&mut self) {
        self.disconnect(1003, "messages are JSON text");
    }

    /// What can't be parsed is answered if it can be, and ends the connection if not.
    fn malformed(&mut self, text: &str, error: &serde_json::Error) {
        let value: serde_json::Value = serde_json::from_str(text).unwrap_or_default();
        let id = value["id"].as_str().and_then(|id| id.parse::<RequestId>().ok());
        let label =
            value["event"].as_str().and_then(|event| match event.parse::<shared::event::EventName>() {
                Ok(name) => Some(Label::Topic(name.topic)),
                Err(_) => Label::of_unknown(event),
            });
        let (Some(id), Some(label)) = (id, label) else {
            return self.disconnect(1007, "a message is JSON with an event and an id");
        };
        let message = error.to_string();
        let detail: String =
            message.split(" at line ").next().unwrap_or_default().chars().take(200).collect();
        self.fail(
            label,
            id,
            problem(
                "invalid",
                "The request can't be taken",
                422,
                &format!("The message can't be taken: {detail}."),
            ),
        );
    }

    fn message(&mut self, message: ClientMessage, now: Duration) {
        let ClientMessage { event, id, payload, after } = message;
        let label = Label::Topic(event.topic);
        match event.phase {
            Phase::Requested => self.request(event.topic, id, payload, after, now),
            Phase::Cancelled => {
                // One that is over already was told so. What is being written can't be taken back.
                let open = self.requests.iter().find(|(_, request)| request.id == id);
                let key = open.filter(|(_, request)| request.topic != Topic::SendChat).map(|(key, _)| *key);
                if let Some(key) = key {
                    self.close(key, Phase::Success, Body::Empty);
                }
            }
            _ => self.fail(
                label,
                id,
                problem(
                    "invalid",
                    "The request can't be taken",
                    422,
                    "A client sends “requested” and “cancelled”; the other phases are the server's.",
                ),
            ),
        }
    }

    fn request(
        &mut self,
        topic: Topic,
        id: RequestId,
        payload: RequestPayload,
        after: Option<Cursor>,
        now: Duration,
    ) {
        let RequestPayload { channel, token, text, reply_to, key: sender_key, guest } = payload;
        let label = Label::Topic(topic);
        if self.requests.values().any(|request| request.id == id) {
            return self.fail(
                label,
                id,
                problem(
                    "request-id-taken",
                    "This id is in use",
                    409,
                    "Another open request has this id. Give each its own.",
                ),
            );
        }
        if self.requests.len() >= REQUESTS_MOST {
            return self.fail(
                label,
                id,
                problem(
                    "too-many-requests",
                    "Too many requests",
                    429,
                    "A connection has at most 32 open requests. Cancel one first.",
                ),
            );
        }
        if topic.is_of_channel() && channel.is_none() {
            let detail = "Name the channel in “payload.channel”.";
            return self.fail(label, id, missing("A channel is needed", detail, "payload.channel"));
        }
        if topic == Topic::SendChat && text.is_none() {
            let detail = "Put what is to be written into “payload.text”.";
            return self.fail(label, id, missing("A text is needed", detail, "payload.text"));
        }
        // Each may hold what its own cursor missed: a room is followed once, which is enough for anybody.
        let is_same = |other: &Request<P>| other.topic == Topic::Chat && other.channel == channel;
        if topic == Topic::Chat && self.requests.values().any(is_same) {
            let detail =
                "This connection follows this room already. Cancel that request first, or use what it tells.";
            return self.fail(label, id, problem("followed-already", "Followed already", 409, detail));
        }
        self.next_key += 1;
        let key = self.next_key;
        self.requests.insert(
            key,
            Request {
                id,
                topic,
                channel: channel.clone(),
                is_started: false,
                is_over: false,
                waiting: VecDeque::new(),
                seen: after,
                last_sent: now,
            },
        );
        let channel = channel.filter(|_| topic.is_of_channel());
        if let (Topic::SendChat, Some(channel), Some(text)) = (topic, &channel, text) {
            self.granted(key, true, None, now);
            let message = Box::new(NewMessage { text, reply_to, key: sender_key });
            self.commands.push_back(Command::Send { key, channel: channel.clone(), message, guest, token });
            return;
        }
        self.commands.push_back(Command::Open { key, topic, channel, after, token });
    }

    /// The request may be followed. `cursor` is how far the client has seen it with this.
    pub fn granted(&mut self, key: Key, complete: bool, cursor: Option<Cursor>, now: Duration) {
        let Some(request) = self.requests.get_mut(&key) else { return };
        request.is_started = true;
        request.last_sent = now;
        request.seen = cursor.or(request.seen);
        let message = Outgoing::Message {
            label: Label::Topic(request.topic),
            phase: Phase::Started,
            id: request.id.clone(),
            cursor,
            body: Body::Started(Started { complete }),
        };
        self.answer(message);
    }

    /// The request may not be followed, or not any more.
    pub fn refused(&mut self, key: Key, problem: Problem) {
        self.close(key, Phase::Failed, Body::Failed(Box::new(problem)));
    }

    /// The message that the request was for is on disk.
    pub fn sent(&mut self, key: Key, sent: Sent) {
        self.close(key, Phase::Success, Body::Sent(sent));
    }

    /// Whether everything of the request is on its way to the client, so that more may be fetched.
    pub fn is_passed_on(&self, key: Key) -> bool {
        self.requests.get(&key).is_some_and(|request| request.waiting.is_empty())
    }

    /// A newer state. One that was not sent yet is never sent.
    pub fn state(&mut self, key: Key, cursor: Cursor, payload: P) {
        let Some(request) = self.requests.get_mut(&key) else { return };
        request.waiting.clear();
        request.waiting.push_back((cursor, payload));
    }

    /// Something happened.
    pub fn occurred(&mut self, key: Key, cursor: Cursor, payload: P) {
        let Some(request) = self.requests.get_mut(&key) else { return };
        if request.waiting.len() >= KEPT {
            return self.fell_behind(key);
        }
        request.waiting.push_back((cursor, payload));
    }

    /// More happened than is kept for a client that reads this slowly.
    pub fn fell_behind(&mut self, key: Key) {
        let mut slow = problem(
            "fell-behind",
            "Too slow to follow",
            503,
            "More happened than is kept while this connection was slow. Request it again: “started” says what may be missing.",
        );
        slow.retry_after = Some(1);
        self.refused(key, slow);
    }

    /// Nothing more will come of the request; what waits is sent first.
    pub fn over(&mut self, key: Key) {
        if let Some(request) = self.requests.get_mut(&key) {
            request.is_over = true;
        }
    }

    /// Time has passed.
    pub fn tick(&mut self, now: Duration) {
        if now.saturating_sub(self.last_heard) >= GONE_AFTER {
            self.disconnect(1001, "nothing was heard for a minute");
        }
    }

    /// Ends the connection.
    pub fn disconnect(&mut self, code: u16, reason: &'static str) {
        if !self.is_over {
            self.is_over = true;
            self.commands.push_back(Command::Disconnect { code, reason });
        }
    }

    /// What must be done outside, until there is nothing.
    pub fn poll_command(&mut self) -> Option<Command> {
        self.commands.pop_front()
    }

    /// Whether [`Self::poll_outgoing`] has something.
    pub fn wants_to_send(&self, now: Duration) -> bool {
        !self.answers.is_empty()
            || self.requests.values().any(|request| request.wants(now))
            || self.wants_ping(now)
    }

    /// When something is due that isn't yet.
    pub fn next_deadline(&self, now: Duration) -> Duration {
        let beats = self.requests.values().filter(|request| request.is_started);
        let due = beats.map(|request| request.last_sent + HEARTBEAT_EVERY);
        let own = [self.last_heard.max(self.last_ping) + PING_EVERY, self.last_heard + GONE_AFTER];
        due.chain(own).filter(|at| *at > now).min().unwrap_or(now + PING_EVERY)
    }

    /// What is sent next: answers first, then each request in turn.
    pub fn poll_outgoing(&mut self, now: Duration) -> Option<Outgoing<P>> {
        if let Some(answer) = self.answers.pop_front() {
            return Some(answer);
        }
        let later = self.requests.range(self.served + 1..);
        let key = later.chain(self.requests.range(..=self.served)).find(|(_, request)| request.wants(now));
        let Some(key) = key.map(|(key, _)| *key) else {
            if self.wants_ping(now) {
                self.last_ping = now;
                return Some(Outgoing::Ping);
            }
            return None;
        };
        self.served = key;
        let request = self.requests.get_mut(&key)?;
        request.last_sent = now;
        let label = Label::Topic(request.topic);
        let id = request.id.clone();
        if let Some((cursor, payload)) = request.waiting.pop_front() {
            request.seen = Some(cursor);
            let body = Body::Stream(payload);
            return Some(Outgoing::Message { label, phase: Phase::Stream, id, cursor: Some(cursor), body });
        }
        let cursor = request.seen;
        if request.is_over {
            self.requests.remove(&key);
            return Some(Outgoing::Message { label, phase: Phase::Success, id, cursor, body: Body::Empty });
        }
        Some(Outgoing::Message { label, phase: Phase::Heartbeat, id, cursor, body: Body::Empty })
    }

    fn wants_ping(&self, now: Duration) -> bool {
        now >= self.last_heard.max(self.last_ping) + PING_EVERY
    }

    fn close(&mut self, key: Key, phase: Phase, body: Body<P>) {
        let Some(request) = self.requests.remove(&key) else { return };
        self.commands.push_back(Command::Close { key });
        let (label, cursor) = (Label::Topic(request.topic), request.seen);
        self.answer(Outgoing::Message { label, phase, id: request.id, cursor, body });
    }

    fn fail(&mut self, label: Label, id: RequestId, problem: Problem) {
        let body = Body::Failed(Box::new(problem));
        self.answer(Outgoing::Message { label, phase: Phase::Failed, id, cursor: None, body });
    }

    fn answer(&mut self, message: Outgoing<P>) {
        if self.answers.len() >= ANSWERS_MOST {
            return self.disconnect(1013, "the answers are not read");
        }
        self.answers.push_back(message);
    }
}

impl<P> Request<P> {
    fn wants(&self, now: Duration) -> bool {
        self.is_started
            && (!self.waiting.is_empty() || self.is_over || now >= self.last_sent + HEARTBEAT_EVERY)
    }
}

fn missing(title: &str, detail: &str, field: &str) -> Problem {
    Problem { field: Some(field.to_owned()), ..problem("invalid", title, 422, detail) }
}

fn problem(kind: &str, title: &str, status: u16, detail: &str) -> Problem {
    Problem {
        kind: format!("/problems/{kind}"),
        title: title.to_owned(),
        status,
        detail: detail.to_owned(),
        field: None,
        retry_after: None,
    }
}

#[cfg(test)]
mod tests;
