//! How loud this person likes it, and whether keys are on: remembered by the browser.

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
    let volume =
        storage::read(VOLUME).and_then(|text| text.parse::<f64>().ok()).filter(|volume| volume.is_finite());
    Sound {
        volume: volume.unwrap_or(1.0).clamp(0.0, 1.0),
        muted: storage::read(MUTED).as_deref() == Some("true"),
    }
}

/// Remembers a choice.
pub fn remember(sound: Sound) {
    storage::write(VOLUME, &format!("{:.2}", sound.volume));
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
