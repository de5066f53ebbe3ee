//! What strangers send, fuzzed: each target takes bytes and panics when something that must hold doesn't.
//!
//! `cargo xtask fuzz` runs them under libFuzzer, guided by coverage. What is worth keeping lies in `corpus/`, one file a
//! target and one input a line, in the escapes of a Rust byte string; every test run replays it.

pub mod input;
pub mod kept;
mod targets;

/// Something to be fuzzed.
#[derive(Clone, Copy)]
pub struct Target {
    /// Its name, which is its corpus's too.
    pub name: &'static str,
    /// What it is about.
    pub about: &'static str,
    /// Takes an input; panics on a find.
    pub run: fn(&[u8]),
}

/// All targets.
pub const TARGETS: &[Target] = &[
    Target { name: "demux", about: "datagrams to peers", run: targets::demux::run },
    Target { name: "payload", about: "what payloads say of their frames", run: targets::payload::run },
    Target { name: "rewrite", about: "a viewer's unbroken stream", run: targets::rewrite::run },
    Target { name: "hub", about: "tracks, caches and keyframe requests", run: targets::hub::run },
    Target { name: "sdp", about: "offers and fragments as text", run: targets::sdp::run },
    Target { name: "answer", about: "offers, answered", run: targets::answer::run },
    Target {
        name: "session",
        about: "a session's datagrams, from STUN to media",
        run: targets::session::run,
    },
    Target { name: "feedback", about: "what viewers report of their packets", run: targets::feedback::run },
    Target { name: "capture", about: "when media was captured", run: targets::capture::run },
    Target { name: "vp8", about: "packets to frames of VP8", run: targets::depacketize::vp8 },
    Target { name: "vp9", about: "packets to frames of VP9", run: targets::depacketize::vp9 },
    Target { name: "h264", about: "packets to access units of H.264", run: targets::depacketize::h264 },
    Target {
        name: "av1",
        about: "packets to temporal units of AV1, and back",
        run: targets::depacketize::av1,
    },
    Target { name: "wire", about: "what a transcoding child says, and hears", run: targets::wire::run },
    Target { name: "chat", about: "what people type", run: targets::chat::run },
    Target { name: "events", about: "messages of the event socket", run: targets::events::run },
];

/// The target of that name.
pub fn target(name: &str) -> Option<Target> {
    TARGETS.iter().find(|target| target.name == name).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_was_found_once_is_fine_now() {
        for target in TARGETS {
            let inputs = kept::inputs(target.name);
            assert!(!inputs.is_empty(), "{} has no corpus", target.name);
            for input in inputs {
                // Printed when it fails.
                println!("{}: {}", target.name, kept::escaped(&input));
                (target.run)(&input);
            }
            (target.run)(&[]);
        }
    }

    #[test]
    fn corpora_stay_small() {
        for target in TARGETS {
            let bytes = kept::text(target.name).len();
            assert!(bytes <= kept::MOST_BYTES, "{} has {bytes} bytes", target.name);
        }
    }
}
