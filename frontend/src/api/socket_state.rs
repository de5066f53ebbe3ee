//! The event socket's decisions: when to connect, what to ask for, what to ask for again. No clock and no socket here:
//! `now` is in milliseconds, outputs are polled.

use super::chat_state::Read;
use shared::event::{ClientMessage, Cursor, EventName, Payload, Phase, RequestPayload, ServerMessage, Topic};
use shared::id::RequestId;
use shared::notification::Bell;
use shared::unit::Timestamp;
use std::collections::{BTreeMap, VecDeque};

/// First wait before connecting again; doubles up to [`LONGEST_WAIT`].
const FIRST_WAIT: u64 = 500;
const LONGEST_WAIT: u64 = 15_000;
/// A connection on which nothing comes for this long is dead, whatever the system believes.
const SILENCE: u64 = 45_000;
/// A connection that isn't open by then is tried anew.
const PATIENCE: u64 = 10_000;

/// One subscription of this page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct SubscriptionId(u32);

/// What the adapter has to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// Open a connection, in the place of any other.
    Connect,
    /// Let go of the connection.
    Disconnect,
    /// Send this.
    Send(ClientMessage),
    /// Hand this, and when the server sent it, to the subscriber.
    Deliver(SubscriptionId, Box<Payload>, Timestamp),
    /// The server is there, or not.
    Reachable(bool),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Link {
    Idle,
    Connecting { since: u64 },
    Open { heard: u64 },
    Waiting { until: u64 },
}

#[derive(Debug)]
struct Wanted {
    topic: Topic,
    payload: RequestPayload,
    /// Over with its first answer; until then it is asked again on each new connection.
    once: bool,
    after: Option<Cursor>,
    /// Ask again then, after a failure that will pass.
    again_at: Option<u64>,
    /// Asked for on this connection and not over.
    asked: bool,
}

/// Reads the payloads that a page asks for. What it doesn't ask for needs no reader in what it loads.
pub type Reader = fn(ServerMessage) -> Option<Payload>;

/// The state of one page's event socket.
#[derive(Debug)]
pub struct SocketState {
    read: Reader,
    link: Link,
    attempts: u32,
    wanted: BTreeMap<SubscriptionId, Wanted>,
    next: u32,
    outputs: VecDeque<Output>,
}

/// All that the app's pages ask for.
pub fn everything(message: ServerMessage) -> Option<Payload> {
    let (phase, topic, payload) = (message.event.phase, message.event.topic, message.payload);
    match (phase, topic) {
        (Phase::Failed, _) => serde_json::from_value(payload).ok().map(Payload::Failed),
        (Phase::Stream, Topic::ChannelState) => {
            serde_json::from_value(payload).ok().map(Payload::ChannelState)
        }
        (Phase::Stream, Topic::Directory) => serde_json::from_value(payload).ok().map(Payload::Directory),
        (Phase::Stream, Topic::Analytics) => {
            super::reading_state::analytics(payload).map(|all| Payload::Analytics(Box::new(all)))
        }
        (Phase::Stream, Topic::Webrtc) => super::reading_state::publisher_health(&payload)
            .map(|health| Payload::PublisherHealth(Box::new(health))),
        // Whoever moderates asks then what is new: that it happened is all that is read.
        (Phase::Stream, Topic::ChannelEvents) => {
            let kind = payload.get("type").and_then(|kind| kind.as_str());
            matches!(kind, Some("ChatMessageHeld" | "ChatModerated" | "ChatAppealMade"))
                .then_some(Payload::Empty {})
        }
        (Phase::Started, Topic::Chat) => serde_json::from_value(payload).ok().map(Payload::Started),
        (Phase::Stream, Topic::Chat) => Read::read(&payload).map(Payload::Chat),
        (Phase::Stream, Topic::Activity) => serde_json::from_value(payload).ok().map(Payload::Activity),
        (Phase::Stream, Topic::Bell) => {
            let unread = payload["unread"].as_u64().unwrap_or_default().min(u64::from(u32::MAX)) as u32;
            Some(Payload::Bell(Box::new(Bell { unread, latest: None })))
        }
        (Phase::Success, Topic::SendChat) => Read::read(&payload).map(Payload::Sent),
        (Phase::Success, _) => Some(Payload::Empty {}),
        _ => None,
    }
}

/// What a player alone asks for.
pub fn state_alone(message: ServerMessage) -> Option<Payload> {
    let (phase, topic, payload) = (message.event.phase, message.event.topic, message.payload);
    match (phase, topic) {
        (Phase::Failed, _) => serde_json::from_value(payload).ok().map(Payload::Failed),
        (Phase::Stream, Topic::ChannelState) => {
            serde_json::from_value(payload).ok().map(Payload::ChannelState)
        }
        (Phase::Success, _) => Some(Payload::Empty {}),
        _ => None,
    }
}

fn request_id(id: SubscriptionId) -> Option<RequestId> {
    format!("s{}", id.0).parse().ok()
}

impl SocketState {
    /// A socket of a page that reads this much.
    pub fn new(read: Reader) -> Self {
        let (wanted, outputs) = (BTreeMap::new(), VecDeque::new());
        Self { read, link: Link::Idle, attempts: 0, wanted, next: 0, outputs }
    }

    /// Wants a topic from now on.
    pub fn subscribe(&mut self, topic: Topic, payload: RequestPayload, now: u64) -> SubscriptionId {
        self.want(topic, payload, false, now)
    }

    /// Wants something done, and one answer. It may be asked for more than once, if a connection is lost before the
    /// answer: the payload has to make sure that this does no harm.
    pub fn request(&mut self, topic: Topic, payload: RequestPayload, now: u64) -> SubscriptionId {
        self.want(topic, payload, true, now)
    }

    fn want(&mut self, topic: Topic, payload: RequestPayload, once: bool, now: u64) -> SubscriptionId {
        let id = SubscriptionId(self.next);
        self.next += 1;
        self.wanted.insert(id, Wanted { topic, payload, once, after: None, again_at: None, asked: false });
        match self.link {
            Link::Idle => self.connect(now),
            Link::Open { .. } => self.ask(id),
            Link::Connecting { .. } | Link::Waiting { .. } => {}
        }
        id
    }

    /// Wants it no more.
    pub fn unsubscribe(&mut self, id: SubscriptionId) {
        let Some(wanted) = self.wanted.remove(&id) else { return };
        let streams = wanted.asked && !wanted.once;
        if let (true, Link::Open { .. }, Some(request)) = (streams, self.link, request_id(id)) {
            let event = EventName { topic: wanted.topic, phase: Phase::Cancelled };
            let payload = RequestPayload::default();
            self.outputs.push_back(Output::Send(ClientMessage { event, id: request, payload, after: None }));
        }
    }

    /// Connects anew and at once: a connection keeps the login that it was opened with.
    pub fn renew(&mut self, now: u64) {
        if matches!(self.link, Link::Connecting { .. } | Link::Open { .. }) {
            self.give_up(now, 0.0);
            self.hurry(now);
        }
    }

    /// The connection is open.
    pub fn opened(&mut self, now: u64) {
        self.link = Link::Open { heard: now };
        self.attempts = 0;
        self.outputs.push_back(Output::Reachable(true));
        let ids: Vec<_> = self.wanted.keys().copied().collect();
        for id in ids {
            self.ask(id);
        }
    }

    /// The connection is gone. `jitter` from 0 up to 1 spreads pages out, so that they don't come back all at once.
    pub fn closed(&mut self, now: u64, jitter: f64) {
        if matches!(self.link, Link::Idle | Link::Waiting { .. }) {
            return;
        }
        let longest = (FIRST_WAIT << self.attempts.min(10)).min(LONGEST_WAIT);
        self.attempts = self.attempts.saturating_add(1);
        let wait = (longest as f64 * (0.5 + jitter.clamp(0.0, 1.0) / 2.0)) as u64;
        self.link = Link::Waiting { until: now + wait };
        for wanted in self.wanted.values_mut() {
            wanted.asked = false;
            wanted.again_at = None;
        }
        self.outputs.push_back(Output::Reachable(false));
    }

    /// The network came back: connect at once.
    pub fn hurry(&mut self, now: u64) {
        if let Link::Waiting { .. } = self.link {
            self.connect(now);
        }
    }

    /// The server said something.
    pub fn heard(&mut self, message: ServerMessage, now: u64) {
        if let Link::Open { heard } = &mut self.link {
            *heard = now;
        }
        let id =
            message.id.as_str().strip_prefix('s').and_then(|number| number.parse().ok()).map(SubscriptionId);
        let Some(id) = id else { return };
        // An answer to what was just cancelled is on its way for a moment longer.
        let Some(wanted) = self.wanted.get_mut(&id) else { return };
        if wanted.topic != message.event.topic {
            return;
        }
        wanted.after = message.cursor.or(wanted.after);
        let (phase, timestamp) = (message.event.phase, message.timestamp);
        let Some(payload) = (self.read)(message) else { return };
        let once = wanted.once;
        match (phase, &payload) {
            (Phase::Stream | Phase::Started, _) => {}
            (Phase::Failed, Payload::Failed(problem)) => {
                wanted.asked = false;
                wanted.again_at = problem.retry_after.map(|seconds| now + seconds.max(1) * 1000);
            }
            (Phase::Success, _) => {
                wanted.asked = false;
                if !once {
                    return;
                }
            }
            _ => return,
        }
        if once && matches!(phase, Phase::Failed | Phase::Success) {
            self.wanted.remove(&id);
        }
        self.outputs.push_back(Output::Deliver(id, Box::new(payload), timestamp));
    }

    /// Time passed.
    pub fn tick(&mut self, now: u64, jitter: f64) {
        match self.link {
            Link::Waiting { until } if now >= until => self.connect(now),
            Link::Connecting { since } if now.saturating_sub(since) >= PATIENCE => self.give_up(now, jitter),
            Link::Open { heard } => {
                let expects = self.wanted.values().any(|wanted| wanted.asked);
                if expects && now.saturating_sub(heard) >= SILENCE {
                    self.give_up(now, jitter);
                    return;
                }
                let due = |wanted: &Wanted| wanted.again_at.is_some_and(|at| now >= at);
                let ids: Vec<_> =
                    self.wanted.iter().filter(|(_, wanted)| due(wanted)).map(|(id, _)| *id).collect();
                for id in ids {
                    self.ask(id);
                }
            }
            _ => {}
        }
    }

    /// The next thing to do.
    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    fn connect(&mut self, now: u64) {
        self.link = Link::Connecting { since: now };
        self.outputs.push_back(Output::Connect);
    }

    fn give_up(&mut self, now: u64, jitter: f64) {
        self.outputs.push_back(Output::Disconnect);
        self.closed(now, jitter);
    }

    fn ask(&mut self, id: SubscriptionId) {
        let (Some(wanted), Some(request)) = (self.wanted.get_mut(&id), request_id(id)) else { return };
        wanted.asked = true;
        wanted.again_at = None;
        let event = EventName { topic: wanted.topic, phase: Phase::Requested };
        let payload = wanted.payload.clone();
        self.outputs.push_back(Output::Send(ClientMessage {
            event,
            id: request,
            payload,
            after: wanted.after,
        }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn none() -> RequestPayload {
        RequestPayload::default()
    }

    fn ada() -> RequestPayload {
        RequestPayload { channel: Some("ada".parse().unwrap()), ..none() }
    }

    fn drain(state: &mut SocketState) -> Vec<Output> {
        std::iter::from_fn(|| state.poll()).collect()
    }

    fn sent(outputs: &[Output]) -> Vec<(String, Option<u64>)> {
        outputs
            .iter()
            .filter_map(|output| match output {
                Output::Send(message) => {
                    Some((message.event.to_string(), message.after.map(|cursor| cursor.0)))
                }
                _ => None,
            })
            .collect()
    }

    fn says(
        topic: Topic,
        phase: Phase,
        id: &str,
        cursor: Option<u64>,
        payload: serde_json::Value,
    ) -> ServerMessage {
        ServerMessage {
            event: EventName { topic, phase },
            id: id.parse().unwrap(),
            cursor: cursor.map(Cursor),
            timestamp: Timestamp::from_millis(0),
            payload,
        }
    }

    #[test]
    fn the_first_subscription_connects_and_all_are_asked_for_on_one_connection() {
        let mut state = SocketState::new(everything);
        state.subscribe(Topic::Directory, none(), 0);
        state.subscribe(Topic::ChannelState, ada(), 0);
        assert_eq!(drain(&mut state), [Output::Connect]);
        state.opened(10);
        let asked = sent(&drain(&mut state));
        assert_eq!(asked.len(), 2);
        assert_eq!(asked[0].0, "instance:stream_directory:v1:requested");
    }

    #[test]
    fn after_a_loss_it_waits_longer_each_time_and_resumes_from_the_last_cursor() {
        let mut state = SocketState::new(everything);
        state.subscribe(Topic::Directory, none(), 0);
        state.opened(0);
        state.heard(says(Topic::Directory, Phase::Stream, "s0", Some(41), json!({"channels": []})), 5);
        assert!(drain(&mut state).iter().any(|output| matches!(output, Output::Deliver(..))));
        let mut now = 1000;
        let mut waits = Vec::new();
        for _ in 0..8 {
            state.closed(now, 1.0);
            let start = now;
            while !drain(&mut state).contains(&Output::Connect) {
                now += 50;
                state.tick(now, 1.0);
            }
            waits.push(now - start);
        }
        assert_eq!(waits, [500, 1000, 2000, 4000, 8000, 15_000, 15_000, 15_000]);
        state.opened(now);
        assert_eq!(
            sent(&drain(&mut state)),
            [("instance:stream_directory:v1:requested".to_owned(), Some(41))]
        );
        state.closed(now, 1.0);
        state.tick(now + 500, 1.0);
        assert!(drain(&mut state).contains(&Output::Connect), "an open connection resets the wait");
    }

    #[test]
    fn jitter_halves_a_wait_at_most() {
        let mut state = SocketState::new(everything);
        state.subscribe(Topic::Directory, none(), 0);
        state.closed(0, 0.0);
        state.tick(249, 0.0);
        assert!(!drain(&mut state)[1..].contains(&Output::Connect));
        state.tick(250, 0.0);
        assert!(drain(&mut state).contains(&Output::Connect));
    }

    #[test]
    fn a_silent_connection_is_given_up_and_heartbeats_keep_it() {
        let mut state = SocketState::new(everything);
        state.subscribe(Topic::Directory, none(), 0);
        state.opened(0);
        state.heard(says(Topic::Directory, Phase::Heartbeat, "s0", None, json!({})), 40_000);
        drain(&mut state);
        state.tick(84_999, 0.5);
        assert!(drain(&mut state).is_empty());
        state.tick(85_000, 0.5);
        assert_eq!(drain(&mut state), [Output::Disconnect, Output::Reachable(false)]);
    }

    #[test]
    fn a_cancelled_subscription_says_so_and_hears_nothing_more() {
        let mut state = SocketState::new(everything);
        let id = state.subscribe(Topic::ChannelState, ada(), 0);
        state.opened(0);
        drain(&mut state);
        state.unsubscribe(id);
        assert_eq!(sent(&drain(&mut state)), [("channel:stream_state:v1:cancelled".to_owned(), None)]);
        state.heard(says(Topic::ChannelState, Phase::Stream, "s0", None, json!({})), 1);
        assert!(drain(&mut state).is_empty());
    }

    #[test]
    fn a_failure_that_will_pass_is_asked_again_after_its_time() {
        let mut state = SocketState::new(everything);
        state.subscribe(Topic::ChannelState, ada(), 0);
        state.opened(0);
        drain(&mut state);
        let problem =
            json!({"type":"/problems/busy","title":"Busy","status":503,"detail":"Full.","retryAfter":3});
        state.heard(says(Topic::ChannelState, Phase::Failed, "s0", None, problem), 1000);
        assert!(matches!(drain(&mut state)[..], [Output::Deliver(..)]));
        state.tick(3999, 0.0);
        assert!(drain(&mut state).is_empty());
        state.tick(4000, 0.0);
        assert_eq!(sent(&drain(&mut state)).len(), 1);
    }

    fn hello() -> RequestPayload {
        RequestPayload { text: Some("hello".into()), key: Some("k1".parse().unwrap()), ..ada() }
    }

    #[test]
    fn what_is_done_once_is_asked_on_each_connection_until_its_answer_and_no_more() {
        let mut state = SocketState::new(everything);
        state.request(Topic::SendChat, hello(), 0);
        state.opened(0);
        assert_eq!(sent(&drain(&mut state)), [("chat:send_message:v1:requested".to_owned(), None)]);
        state.heard(says(Topic::SendChat, Phase::Started, "s0", None, json!({"complete": true})), 1);
        assert!(drain(&mut state).is_empty(), "nobody needs to know that it was taken on");
        state.closed(2, 0.0);
        state.opened(3);
        let outputs = drain(&mut state);
        assert!(matches!(&outputs[..], [_, _, Output::Send(message)] if message.payload == hello()));
        state.heard(says(Topic::SendChat, Phase::Success, "s0", None, json!({"id": "m1", "sequence": 7})), 4);
        assert!(matches!(&drain(&mut state)[..], [Output::Deliver(_, payload, _)]
            if matches!(**payload, Payload::Sent(_))));
        state.closed(5, 0.0);
        state.opened(6);
        assert!(sent(&drain(&mut state)).is_empty());
    }

    #[test]
    fn what_is_refused_once_is_not_asked_again_by_itself() {
        let mut state = SocketState::new(everything);
        let id = state.request(Topic::SendChat, hello(), 0);
        state.opened(0);
        drain(&mut state);
        let problem =
            json!({"type":"/problems/slow","title":"Slow","status":429,"detail":"Wait.","retryAfter":3});
        state.heard(says(Topic::SendChat, Phase::Failed, "s0", None, problem), 1000);
        assert_eq!(drain(&mut state).len(), 1);
        state.tick(9000, 0.0);
        assert!(drain(&mut state).is_empty());
        state.unsubscribe(id);
        assert!(drain(&mut state).is_empty(), "there is nothing to cancel");
    }

    #[test]
    fn chat_goes_on_after_its_cursor_and_says_whether_that_is_all() {
        let mut state = SocketState::new(everything);
        state.subscribe(Topic::Chat, ada(), 0);
        state.opened(0);
        drain(&mut state);
        state.heard(says(Topic::Chat, Phase::Stream, "s0", Some(9), json!({"updates": []})), 1);
        state.closed(2, 0.0);
        state.opened(3);
        assert_eq!(sent(&drain(&mut state)), [("chat:stream_messages:v1:requested".to_owned(), Some(9))]);
        state.heard(says(Topic::Chat, Phase::Started, "s0", None, json!({"complete": false})), 4);
        assert!(matches!(&drain(&mut state)[..], [Output::Deliver(_, payload, _)]
            if matches!(**payload, Payload::Started(ref started) if !started.complete)));
    }

    #[test]
    fn another_login_gets_another_connection_at_once() {
        let mut state = SocketState::new(everything);
        state.subscribe(Topic::Directory, none(), 0);
        state.opened(0);
        drain(&mut state);
        state.renew(10);
        assert_eq!(drain(&mut state), [Output::Disconnect, Output::Reachable(false), Output::Connect]);
        let mut idle = SocketState::new(everything);
        idle.renew(0);
        assert!(drain(&mut idle).is_empty());
    }

    #[test]
    fn nonsense_from_the_server_changes_nothing() {
        let mut state = SocketState::new(everything);
        state.subscribe(Topic::Directory, none(), 0);
        state.opened(0);
        drain(&mut state);
        for id in ["x", "s9", "s0"] {
            state.heard(says(Topic::Directory, Phase::Stream, id, None, json!({"channels": 5})), 1);
            state.heard(says(Topic::Webrtc, Phase::Stream, id, None, json!({})), 1);
        }
        assert!(drain(&mut state).is_empty());
    }
}
