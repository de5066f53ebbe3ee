//! Which key does what in the player.

/// What a key asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// Play or pause.
    Play,
    /// Sound on or off.
    Mute,
    /// Louder or quieter, in hundredths.
    Volume(i8),
    /// Fill the screen.
    FullScreen,
    /// Fill the page.
    Theatre,
    /// A window of its own.
    PictureInPicture,
    /// What the connection measures.
    Statistics,
    /// The list of keys.
    Help,
    /// The key is known from elsewhere, and does nothing here: say why.
    Say(&'static str),
}

/// Every key that the player listens to, as the help shows it.
pub const KEYS: [(&str, &str); 8] = [
    ("K or Space", "Play or pause"),
    ("M", "Sound on or off"),
    ("↑ ↓", "Louder, quieter"),
    ("F", "Full screen"),
    ("T", "Theatre"),
    ("I", "Picture in picture"),
    ("S", "Statistics"),
    ("?", "This list"),
];

/// What `key` does. `taken`: a field, menu or dialog gets it. `on_button`: a button gets Space.
pub fn act(key: &str, taken: bool, on_button: bool, switched_on: bool) -> Option<Act> {
    if taken || !switched_on || (key == " " && on_button) {
        return None;
    }
    Some(match key {
        " " | "k" | "K" => Act::Play,
        "m" | "M" => Act::Mute,
        "f" | "F" => Act::FullScreen,
        "t" | "T" => Act::Theatre,
        "i" | "I" => Act::PictureInPicture,
        "ArrowUp" => Act::Volume(5),
        "ArrowDown" => Act::Volume(-5),
        "s" | "S" => Act::Statistics,
        "?" => Act::Help,
        "c" | "C" => Act::Say("This broadcast has no captions."),
        "j" | "J" | "l" | "L" | "0" | "1" | "2" | "3" | "4" | "5" | "6" | "7" | "8" | "9" => {
            Act::Say("This is live: there is nothing to rewind to.")
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_never_fire_while_typing_or_switched_off() {
        assert_eq!(act("m", false, false, true), Some(Act::Mute));
        assert_eq!(act("m", true, false, true), None);
        assert_eq!(act("m", false, false, false), None);
        assert_eq!(act(" ", false, true, true), None);
        assert_eq!(act("k", false, true, true), Some(Act::Play));
        assert_eq!(act("x", false, false, true), None);
    }

    #[test]
    fn keys_that_do_nothing_here_say_so() {
        for key in ["c", "J", "l", "0", "9"] {
            assert!(matches!(act(key, false, false, true), Some(Act::Say(_))), "{key}");
            assert_eq!(act(key, true, false, true), None);
        }
    }
}
