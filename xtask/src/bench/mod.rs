//! Measurements. Each bench is a file here, named as it is asked for.

mod chat;
mod fanout;
mod join;
mod ladder;
mod latency;
mod micro;
mod net;
mod report;
mod start;

use crate::{
    build,
    context::Context,
    failure::{Failure, Result},
    step,
};
use std::path::{Path, PathBuf};

type Bench = fn(&Context, Option<&Path>) -> Result<()>;

/// Every bench: its name, what it measures, how it is run.
const BENCHES: &[(&str, &str, Bench)] = &[
    ("start", "start-up time, idle memory, size of the app over the wire", start::run),
    (
        "chat",
        "one room: deliveries a second and core, delivery and durable acknowledgement, bytes a connection",
        chat::run,
    ),
    (
        "fanout",
        "one broadcast, 1 to 400 viewers and more: what a core forwards, how long it takes, what a viewer costs",
        fanout::run,
    ),
    (
        "join",
        "a viewer's wait for its first keyframe and picture, what joining asks of the publisher",
        join::run,
    ),
    (
        "ladder",
        "rungs encoded from 720p30: speed, delay, rate and likeness, beside ffmpeg's AV1 encoders",
        ladder::run,
    ),
    (
        "latency",
        "browser to browser: what the server adds to glass to glass, a publisher's ramp",
        latency::run,
    ),
    ("micro", "instructions of the small steps of a packet's path", micro::run),
    (
        "net",
        "a viewer behind loss, jitter, disorder, blackouts, narrow links: time frozen, latency, renditions",
        net::run,
    ),
];

/// Builds the server, then runs the bench that is asked for.
pub fn dispatch(context: &Context, words: &[&str]) -> Result<()> {
    let Some((name, rest)) = words.split_first() else {
        print!("{}", list());
        return Ok(());
    };
    let Some((_, _, bench)) = BENCHES.iter().find(|(known, _, _)| known == name) else {
        return Failure::err(format!("there is no bench `{name}`; there are:\n{}", list()));
    };
    let (bench, rest): (Bench, _) = match rest {
        ["--quick", rest @ ..] if *name == "net" => (net::quick, rest),
        _ => (*bench, rest),
    };
    let json = match rest {
        [] => None,
        // Benches run in other folders: the file is meant from here.
        ["--json", file] => Some(std::path::absolute(PathBuf::from(file))?),
        _ => {
            let quick = if *name == "net" { " [--quick]" } else { "" };
            return Failure::err(format!("usage: cargo xtask bench {name}{quick} [--json FILE]"));
        }
    };
    step::run(build::steps(context))?;
    bench(context, json.as_deref())
}

fn list() -> String {
    BENCHES.iter().map(|(name, what, _)| format!("  {name:<10} {what}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_names_every_bench() {
        assert!(BENCHES.iter().all(|(name, what, _)| list().contains(name) && list().contains(what)));
    }
}
