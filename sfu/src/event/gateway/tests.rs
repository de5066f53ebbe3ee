use super::*;

const REQUEST: &str = r#"{"event":"channel:stream_state:v1:requested","id":"s","payload":{"channel":"ada"}}"#;

fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn connection() -> Connection<&'static str> {
    Connection::new(s(0))
}

/// Opens a request and takes its `started`.
fn open(connection: &mut Connection<&'static str>, text: &str, now: Duration) -> Key {
    connection.text(text, now);
    let Some(Command::Open { key, .. }) = connection.poll_command() else { panic!("it was not opened") };
    connection.granted(key, true, None, now);
    assert_eq!(phase(connection.poll_outgoing(now)), Some(Phase::Started));
    key
}

fn phase(outgoing: Option<Outgoing<&'static str>>) -> Option<Phase> {
    match outgoing? {
        Outgoing::Message { phase, .. } => Some(phase),
        Outgoing::Ping => None,
    }
}

fn stream(outgoing: Option<Outgoing<&'static str>>) -> Option<(u64, &'static str)> {
    match outgoing? {
        Outgoing::Message { cursor: Some(cursor), body: Body::Stream(payload), .. } => {
            Some((cursor.0, payload))
        }
        _ => None,
    }
}

fn disconnected(connection: &mut Connection<&'static str>) -> Option<u16> {
    std::iter::from_fn(|| connection.poll_command()).find_map(|command| match command {
        Command::Disconnect { code, .. } => Some(code),
        _ => None,
    })
}

fn failure(outgoing: Option<Outgoing<&'static str>>) -> Option<(Label, Problem)> {
    match outgoing? {
        Outgoing::Message { label, body: Body::Failed(problem), .. } => Some((label, *problem)),
        _ => None,
    }
}

#[test]
fn a_request_lives_from_requested_to_success() {
    let mut connection = connection();
    connection.text(REQUEST, s(0));
    let channel = Some("ada".parse().unwrap());
    let opened = Command::Open { key: 1, topic: Topic::ChannelState, channel, after: None, token: None };
    assert_eq!(connection.poll_command(), Some(opened));
    assert!(!connection.wants_to_send(s(0)), "nothing is said before it is granted");
    connection.granted(1, true, Some(Cursor(4)), s(0));
    connection.state(1, Cursor(5), "live");
    assert_eq!(phase(connection.poll_outgoing(s(0))), Some(Phase::Started));
    assert_eq!(stream(connection.poll_outgoing(s(0))), Some((5, "live")));
    assert_eq!(connection.poll_outgoing(s(0)), None);
    connection.text(r#"{"event":"channel:stream_state:v1:cancelled","id":"s"}"#, s(1));
    assert_eq!(connection.poll_command(), Some(Command::Close { key: 1 }));
    assert_eq!(phase(connection.poll_outgoing(s(1))), Some(Phase::Success));
    assert_eq!(connection.open(), 0);
    connection.state(1, Cursor(6), "late");
    assert_eq!(connection.poll_outgoing(s(1)), None);
}

const SEND: &str = r#"{"event":"chat:send_message:v1:requested","id":"m","payload":{"channel":"ada","text":"Hi","key":"k","guest":"t"}}"#;

#[test]
fn a_message_is_started_at_once_and_answered_when_it_is_on_disk() {
    let mut connection = connection();
    connection.text(SEND, s(0));
    let Some(Command::Send { key, channel, message, guest, .. }) = connection.poll_command() else {
        panic!("it was not taken")
    };
    assert_eq!((channel.as_str(), message.text.as_str(), guest.as_deref()), ("ada", "Hi", Some("t")));
    assert_eq!(message.key, Some("k".parse().unwrap()));
    assert_eq!(phase(connection.poll_outgoing(s(0))), Some(Phase::Started));
    // What is being written can't be taken back.
    for label in ["chat:send_message", "channel:stream_state"] {
        connection.text(&format!(r#"{{"event":"{label}:v1:cancelled","id":"m"}}"#), s(0));
        assert_eq!((connection.poll_outgoing(s(0)), connection.poll_command()), (None, None), "{label}");
    }
    let sent = Sent { id: "x".parse().unwrap(), sequence: Cursor(9), held: false };
    connection.sent(key, sent.clone());
    let Some(Outgoing::Message { phase: Phase::Success, body: Body::Sent(told), .. }) =
        connection.poll_outgoing(s(0))
    else {
        panic!("it is told")
    };
    assert_eq!((told, connection.open()), (sent, 0));
}

#[test]
fn a_message_without_a_text_is_refused() {
    for (text, field) in [
        (SEND.replace("\"text\":\"Hi\",", ""), "payload.text"),
        (SEND.replace("\"channel\":\"ada\",", ""), "payload.channel"),
    ] {
        let mut connection = connection();
        connection.text(&text, s(0));
        let (_, problem) = failure(connection.poll_outgoing(s(0))).unwrap();
        assert_eq!((problem.status, problem.field.as_deref()), (422, Some(field)));
        assert_eq!(connection.poll_command(), None);
    }
}

#[test]
fn a_connection_follows_a_room_once() {
    let mut connection = connection();
    let text = REQUEST.replace("channel:stream_state", "chat:stream_messages");
    let key = open(&mut connection, &text, s(0));
    connection.text(&text.replace("\"s\"", "\"t\""), s(0));
    assert_eq!(failure(connection.poll_outgoing(s(0))).unwrap().1.kind, "/problems/followed-already");
    open(&mut connection, &text.replace("\"s\"", "\"u\"").replace("ada", "bob"), s(0));
    connection.fell_behind(key);
    assert!(connection.poll_outgoing(s(0)).is_some());
    assert!(matches!(connection.poll_command(), Some(Command::Close { .. })));
    open(&mut connection, &text, s(0));
}

#[test]
fn more_is_fetched_only_when_everything_is_on_its_way() {
    let mut connection = connection();
    let text = REQUEST.replace("channel:stream_state", "chat:stream_messages");
    let key = open(&mut connection, &text, s(0));
    assert!(connection.is_passed_on(key));
    connection.occurred(key, Cursor(1), "a");
    assert!(!connection.is_passed_on(key));
    assert_eq!(stream(connection.poll_outgoing(s(0))), Some((1, "a")));
    assert!(connection.is_passed_on(key));
    assert!(!connection.is_passed_on(key + 1));
}

#[test]
fn a_request_that_is_silent_sends_heartbeats() {
    let mut connection = connection();
    let key = open(&mut connection, REQUEST, s(0));
    connection.heard(s(14));
    assert_eq!(connection.next_deadline(s(14)), s(15));
    assert!(!connection.wants_to_send(s(14)));
    assert_eq!(phase(connection.poll_outgoing(s(15))), Some(Phase::Heartbeat));
    assert!(!connection.wants_to_send(s(16)));
    connection.state(key, Cursor(1), "a");
    assert!(stream(connection.poll_outgoing(s(20))).is_some());
    connection.heard(s(34));
    assert!(!connection.wants_to_send(s(34)), "a state counts as a sign of life");
    assert_eq!(phase(connection.poll_outgoing(s(35))), Some(Phase::Heartbeat));
}

#[test]
fn a_slow_reader_gets_the_newest_state_alone() {
    let mut connection = connection();
    let key = open(&mut connection, REQUEST, s(0));
    connection.state(key, Cursor(1), "a");
    connection.state(key, Cursor(2), "b");
    connection.state(key, Cursor(3), "c");
    assert_eq!(stream(connection.poll_outgoing(s(1))), Some((3, "c")));
    assert_eq!(connection.poll_outgoing(s(1)), None);
}

#[test]
fn a_slow_reader_of_occurrences_starts_anew() {
    let mut connection = connection();
    let text = REQUEST.replace("stream_state", "stream_events");
    let key = open(&mut connection, &text, s(0));
    for n in 0..KEPT as u64 {
        connection.occurred(key, Cursor(n), "e");
    }
    assert_eq!(connection.open(), 1);
    connection.occurred(key, Cursor(999), "e");
    assert_eq!(connection.open(), 0);
    assert_eq!(connection.poll_command(), Some(Command::Close { key }));
    let (_, problem) = failure(connection.poll_outgoing(s(0))).unwrap();
    assert_eq!((problem.kind.as_str(), problem.retry_after), ("/problems/fell-behind", Some(1)));
}

#[test]
fn occurrences_come_in_order_and_requests_take_turns() {
    let mut connection = connection();
    let text = REQUEST.replace("stream_state", "stream_events");
    let busy = open(&mut connection, &text, s(0));
    let quiet = open(&mut connection, &text.replace("\"s\"", "\"t\""), s(0));
    for (n, payload) in ["1", "2", "3"].into_iter().enumerate() {
        connection.occurred(busy, Cursor(n as u64), payload);
    }
    connection.occurred(quiet, Cursor(9), "q");
    let sent: Vec<&str> =
        std::iter::from_fn(|| stream(connection.poll_outgoing(s(0)))).map(|(_, payload)| payload).collect();
    assert_eq!(sent, ["1", "q", "2", "3"]);
}

#[test]
fn a_topic_that_is_over_says_so_after_its_last_state() {
    let mut connection = connection();
    let key = open(&mut connection, REQUEST, s(0));
    connection.state(key, Cursor(1), "last");
    connection.over(key);
    assert_eq!(stream(connection.poll_outgoing(s(0))), Some((1, "last")));
    assert_eq!(phase(connection.poll_outgoing(s(0))), Some(Phase::Success));
    assert_eq!(connection.open(), 0);
}

#[test]
fn what_cannot_be_taken_is_answered_if_it_names_itself() {
    let mut connection = connection();
    for (text, kind) in [
        (r#"{"event":"chat:stream:v1:requested","id":"x"}"#, "/problems/invalid"),
        (r#"{"event":"channel:stream_state:v1:requested","id":"x"}"#, "/problems/invalid"),
        (
            r#"{"event":"channel:stream_state:v1:requested","id":"x","payload":{"channel":"<b>"}}"#,
            "/problems/invalid",
        ),
        (r#"{"event":"channel:stream_state:v1:requested","id":"x","more":1}"#, "/problems/invalid"),
        (
            r#"{"event":"channel:stream_state:v1:stream","id":"x","payload":{"channel":"ada"}}"#,
            "/problems/invalid",
        ),
    ] {
        connection.text(text, s(0));
        let (_, problem) = failure(connection.poll_outgoing(s(0))).unwrap_or_else(|| panic!("{text}"));
        assert_eq!(problem.kind, kind, "{text}");
        assert_eq!(connection.poll_command(), None, "{text}");
    }
    open(&mut connection, REQUEST, s(0));
    connection.text(REQUEST, s(0));
    assert_eq!(failure(connection.poll_outgoing(s(0))).unwrap().1.kind, "/problems/request-id-taken");
    assert_eq!(connection.open(), 1, "the first one goes on");
}

#[test]
fn what_names_nothing_ends_the_connection() {
    for text in [
        "",
        "{",
        "[]",
        "null",
        r#"{"id":"x"}"#,
        r#"{"event":"a\"b:requested","id":"x"}"#,
        r#"{"event":"chat:x","id":"<b>"}"#,
    ] {
        let mut connection = connection();
        connection.text(text, s(0));
        assert_eq!(disconnected(&mut connection), Some(1007), "{text}");
    }
    let mut connection = connection();
    connection.binary();
    assert_eq!(disconnected(&mut connection), Some(1003));
    let mut connection = self::connection();
    connection.text(&"[".repeat(MESSAGE_MOST), s(0));
    assert_eq!(disconnected(&mut connection), Some(1007), "deep nesting is refused, not followed");
    let mut connection = self::connection();
    connection.text(&" ".repeat(MESSAGE_MOST + 1), s(0));
    assert_eq!(disconnected(&mut connection), Some(1009));
}

#[test]
fn requests_are_bounded() {
    let mut connection = connection();
    for n in 0..REQUESTS_MOST {
        open(&mut connection, &REQUEST.replace("\"s\"", &format!("\"s{n}\"")), s(n as u64));
    }
    connection.text(REQUEST, s(100));
    assert_eq!(failure(connection.poll_outgoing(s(100))).unwrap().1.kind, "/problems/too-many-requests");
}

#[test]
fn a_flood_ends_the_connection_and_a_steady_client_does_not() {
    let mut connection = connection();
    let bad = r#"{"event":"chat:x:v1:requested","id":"x"}"#;
    for n in 0..1000u32 {
        connection.text(bad, Duration::from_millis(100) * n);
        assert!(connection.poll_outgoing(s(0)).is_some());
    }
    assert_eq!(disconnected(&mut connection), None);
    let mut connection = self::connection();
    for _ in 0..=BURST {
        connection.text(bad, s(0));
    }
    assert_eq!(disconnected(&mut connection), Some(1008));
}

#[test]
fn answers_that_nobody_reads_are_bounded() {
    let mut connection = connection();
    for n in 0..=ANSWERS_MOST as u64 {
        connection.text(r#"{"event":"chat:x:v1:requested","id":"x"}"#, s(n));
    }
    assert_eq!(disconnected(&mut connection), Some(1013));
}

#[test]
fn a_client_that_is_gone_is_noticed() {
    let mut connection = connection();
    assert_eq!(connection.next_deadline(s(0)), s(20));
    assert_eq!(connection.poll_outgoing(s(20)), Some(Outgoing::Ping));
    assert_eq!(connection.poll_outgoing(s(20)), None);
    connection.heard(s(21));
    connection.tick(s(80));
    assert_eq!(disconnected(&mut connection), None);
    connection.tick(s(81));
    assert_eq!(disconnected(&mut connection), Some(1001));
    assert!(connection.next_deadline(s(200)) > s(200));
}
