//! One connection of the event socket: what is sent to it, and what it is owed.

use crate::input::Input;
use sfu::event::gateway::{Body, Command, Connection, Outgoing, REQUESTS_MOST};
use sfu::event::wire::compose;
use shared::{event::Cursor, unit::Timestamp};
use std::time::Duration;

/// What a client says, with gaps to be filled by what the input brings.
const PHRASES: [&str; 6] = [
    r#"{"event":"channel:stream_state:v1:requested","id":"?","payload":{"channel":"ada"}}"#,
    r#"{"event":"chat:stream:v1:requested","id":"?","payload":{"channel":"ada"},"after":3}"#,
    r#"{"event":"channel:stream_events:v1:requested","id":"?","payload":{"channel":"?"}}"#,
    r#"{"event":"channel:stream_state:v1:cancelled","id":"?"}"#,
    r#"{"event":"?","id":"a"}"#,
    "?",
];

pub fn run(data: &[u8]) {
    let mut input = Input(data);
    let mut now = Duration::ZERO;
    let mut connection: Connection<String> = Connection::new(now);
    let mut keys = Vec::new();
    let mut is_over = false;
    while let Some(act) = input.byte() {
        match act % 8 {
            0 => now += Duration::from_millis(u64::from(act) * 50),
            1 => connection.tick(now),
            2 | 3 => {
                if let Some(&key) = keys.get(usize::from(act >> 3) % keys.len().max(1)) {
                    match act % 3 {
                        0 => connection.granted(key, true, Some(Cursor(u64::from(act))), now),
                        1 => connection.state(key, Cursor(u64::from(act)), "1".to_owned()),
                        _ => connection.occurred(key, Cursor(u64::from(act)), "2".to_owned()),
                    }
                }
            }
            4 => {
                if let Some(key) = keys.pop() {
                    connection.over(key);
                }
            }
            _ => {
                let text = String::from_utf8_lossy(input.bytes().unwrap_or_default());
                let phrase = PHRASES[usize::from(act >> 3) % PHRASES.len()];
                connection.text(&phrase.replace('?', &text), now);
            }
        }
        while let Some(command) = connection.poll_command() {
            match command {
                Command::Open { key, .. } | Command::Send { key, .. } => keys.push(key),
                Command::Close { key } => keys.retain(|known| *known != key),
                Command::Disconnect { .. } => is_over = true,
            }
        }
        assert!(connection.open() <= REQUESTS_MOST, "{} requests are open", connection.open());
        assert!(
            connection.next_deadline(now) > now,
            "a deadline that has passed would be asked for in a loop"
        );
        if act & 0x80 == 0 {
            let mut sent = 0;
            while let Some(outgoing) = connection.poll_outgoing(now) {
                sent += 1;
                assert!(sent < 10_000, "there is no end to what is sent");
                let Outgoing::Message { label, phase, id, cursor, body } = outgoing else { continue };
                let payload = match body {
                    Body::Stream(payload) => payload,
                    Body::Failed(problem) => serde_json::to_string(&problem).expect("a problem as JSON"),
                    _ => "{}".to_owned(),
                };
                let text = compose(&label, phase, &id, cursor, Timestamp::from_millis(0), &payload);
                let value: serde_json::Value = serde_json::from_str(&text).expect("a message is JSON");
                assert!(value["event"].is_string() && value["id"].is_string());
            }
            assert!(!connection.wants_to_send(now), "all was sent");
        }
        if is_over {
            return;
        }
    }
}
