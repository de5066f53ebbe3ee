//! Logs, to the console. They name channels and sessions; never a key, a token or a viewer's address.

use crate::config::{Log, LogFormat};
use std::io::{IsTerminal, stderr};
use tracing_subscriber::{EnvFilter, fmt, util::SubscriberInitExt};

/// Whether a text is a log filter, e.g. `info,sfu=debug`.
pub fn check_filter(text: &str) -> Result<(), String> {
    EnvFilter::try_new(text).map(drop).map_err(|error| error.to_string())
}

/// Starts logging, once for the process; a second call changes nothing.
pub fn start(config: &Log) {
    let filter = EnvFilter::try_new(&config.filter).unwrap_or_else(|_| EnvFilter::new("info"));
    // Below this the WebRTC library prints whole datagrams and whom they are for, and no filter may ask for that.
    let filter = ["str0m=info", "is=info"]
        .iter()
        .filter_map(|quiet| quiet.parse().ok())
        .fold(filter, EnvFilter::add_directive);
    let lines = fmt().with_env_filter(filter).with_writer(stderr).with_target(false);
    let _ = match config.format {
        LogFormat::Text => lines.with_ansi(stderr().is_terminal()).finish().try_init(),
        LogFormat::Json => lines.json().flatten_event(true).with_current_span(true).finish().try_init(),
    };
}
