//! A [`Relay`] for whoever isn't Rust: it is told what to do in lines of JSON on its input, and answers each with one.
//!
//! - `{"through": "an SDP answer"}` → `{"sdp": "the same, through the relay"}`
//! - `{"way": "up" | "down" | "both", "loss": 0.05, "burst": 3, "delayMs": 20, "jitterMs": 50, "reorder": 0.03, "rate": 500000,
//!   "queueMs": 200}` → `{}`: what isn't named is as on a cable
//! - `{"blackOut": true}`, `{"rebind": true}` → `{}`
//! - `{"count": true}` → `{"up": {"passed", "bytes", "lost"}, "down": …}`
//!
//! `net-relay SEED`; it ends with its input.

use serde_json::{Value, json};
use std::{
    io::{BufRead, Write},
    time::Duration,
};
use weir_tests::relay::{Conditions, Count, Relay, Way};

fn main() {
    let seed = std::env::args().nth(1).and_then(|seed| seed.parse().ok()).unwrap_or(1);
    let relay = Relay::start(seed);
    for line in std::io::stdin().lock().lines().map_while(Result::ok) {
        let answer = match serde_json::from_str::<Value>(&line) {
            Ok(command) => obey(&relay, &command),
            Err(error) => json!({ "error": error.to_string() }),
        };
        let mut out = std::io::stdout().lock();
        if writeln!(out, "{answer}").and_then(|()| out.flush()).is_err() {
            return;
        }
    }
}

fn obey(relay: &Relay, command: &Value) -> Value {
    if let Some(answer) = command["through"].as_str() {
        return json!({ "sdp": relay.through(answer) });
    }
    if let Some(dark) = command["blackOut"].as_bool() {
        relay.black_out(dark);
    } else if command["rebind"].as_bool() == Some(true) {
        relay.rebind();
    } else if command["count"].as_bool() == Some(true) {
        let count = |way| {
            let Count { passed, bytes, lost } = relay.count(way);
            json!({ "passed": passed, "bytes": bytes, "lost": lost })
        };
        return json!({ "up": count(Way::Up), "down": count(Way::Down) });
    } else {
        let conditions = conditions(command);
        match command["way"].as_str() {
            Some("up") => relay.set(Way::Up, conditions),
            Some("down") => relay.set(Way::Down, conditions),
            Some("both") => relay.set_both(conditions),
            _ => return json!({ "error": "neither a way nor anything else that is known" }),
        }
    }
    json!({})
}

fn conditions(command: &Value) -> Conditions {
    let cable = Conditions::default();
    let number = |name: &str, else_: f64| command[name].as_f64().unwrap_or(else_).max(0.0);
    let millis = |name: &str, else_: Duration| {
        command[name].as_f64().map_or(else_, |millis| Duration::from_secs_f64(millis.max(0.0) / 1e3))
    };
    Conditions {
        loss: number("loss", cable.loss),
        burst: number("burst", cable.burst),
        delay: millis("delayMs", cable.delay),
        jitter: millis("jitterMs", cable.jitter),
        reorder: number("reorder", cable.reorder),
        reorder_by: millis("reorderMs", cable.reorder_by),
        rate: command["rate"].as_u64(),
        queue: millis("queueMs", cable.queue),
    }
}
