//! How loud this person likes it, and whether keys are on. The browser remembers both.

use crate::browser::storage;

const VOLUME: &str = "weir.volume";
const MUTED: &str = "weir.muted";
const KEYS: &str = "weir.keys";

/// How loud.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sound {
    /// From 0 to 1.
    pub volume: f64,
    /// Silent by the person's wish.
    pub muted: bool,
}

/// What was chosen last.
pub fn remembered() -> Sound {
    // In hundredths: reading fractions would cost every page a table of ten kilobytes.
    let hundredths = storage::read(VOLUME).and_then(|text| text.parse::<u8>().ok());
    Sound {
        volume: f64::from(hundredths.unwrap_or(100).min(100)) / 100.0,
        muted: storage::read(MUTED).as_deref() == Some("true"),
    }
}

/// Remembers a choice.
pub fn remember(sound: Sound) {
    storage::write(VOLUME, &((sound.volume * 100.0).round() as u8).to_string());
    storage::write(MUTED, if sound.muted { "true" } else { "false" });
}

/// Whether the player listens to keys.
pub fn keys_are_on() -> bool {
    storage::read(KEYS).as_deref() != Some("off")
}

/// Switches keys on or off.
pub fn switch_keys(on: bool) {
    storage::write(KEYS, if on { "on" } else { "off" });
}
