//! What the viewer wants of the picture, and how the menu says what there is and what the server chose.

use super::stats_state::rendition_label;
use shared::{
    broadcast::{Codec, Rendition},
    unit::Size,
    watch::{ChooseRendition, LOW_SOUND, Playing, Reason},
};

/// What the viewer chose.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Choice {
    /// The server chooses.
    #[default]
    Auto,
    /// A rendition by its name.
    Rendition(String),
    /// Sound without a picture.
    AudioOnly,
}

/// How the browser remembers that; no rendition's name has a space.
const AUDIO_ONLY: &str = "audio only";

impl Choice {
    /// From what the browser remembers.
    pub fn remembered(text: Option<String>) -> Self {
        match text {
            Some(text) if text == AUDIO_ONLY => Self::AudioOnly,
            Some(name) if !name.is_empty() => Self::Rendition(name),
            _ => Self::Auto,
        }
    }

    /// For the browser to remember.
    pub fn to_remember(&self) -> &str {
        match self {
            Self::Auto => "",
            Self::Rendition(name) => name,
            Self::AudioOnly => AUDIO_ONLY,
        }
    }

    /// Whether it is sound alone, and there is sound: what was chosen of another channel keeps nobody from a picture.
    pub fn is_sound_alone(&self, renditions: &[Rendition]) -> bool {
        let has_sound = renditions.is_empty() || renditions.iter().any(|one| one.codec == Codec::Opus);
        *self == Self::AudioOnly && has_sound
    }

    /// What the server is told. `pixels` is how large the picture is shown, in device pixels.
    pub fn asks(&self, sound_alone: bool, pixels: (f64, f64), hidden: bool) -> ChooseRendition {
        let (width, height) = (pixels.0.min(16_384.0) as u16, pixels.1.min(16_384.0) as u16);
        ChooseRendition {
            rendition: match self {
                Self::Rendition(name) => Some(name.clone()),
                _ => None,
            },
            audio_only: sound_alone,
            // Of a player that isn't laid out yet nothing is known.
            size: (width > 0 && height > 0).then_some(Size { width, height }),
            hidden,
        }
    }
}

/// One line of the menu.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What it says.
    pub label: String,
    /// What it chooses.
    pub choice: Choice,
    /// It is what the viewer chose.
    pub picked: bool,
    /// It can be chosen.
    pub can: bool,
}

/// Why, in words that go after what was chosen.
pub fn reason(reason: Reason) -> &'static str {
    match reason {
        Reason::Chosen => "as you chose",
        Reason::Best => "the best there is",
        Reason::Network => "network",
        Reason::PlayerSize => "player size",
        Reason::Hidden => "hidden page",
        Reason::AudioOnly => "sound alone",
        Reason::Codec => "nothing that this browser decodes",
        Reason::Gone => "your choice is not made now",
    }
}

/// `720p30`.
fn short(rendition: &Rendition) -> Option<String> {
    let size = rendition.size?;
    let rate = match rendition.frame_rate.round() as u32 {
        0 => String::new(),
        rate => rate.to_string(),
    };
    Some(format!("{}p{rate}", size.height.min(size.width)))
}

/// What there is to choose from: what really arrives, the largest first, between leaving it to the server, which says what it
/// chose and why, and sound alone. `plays` is the picture that is decoded: codec, and pixels across and down.
pub fn entries(
    renditions: &[Rendition],
    choice: &Choice,
    playing: Option<&Playing>,
    plays: (&str, Option<(u32, u32)>),
    decodes: impl Fn(Codec) -> bool,
    bitrate: impl Fn(u64) -> String,
) -> Vec<Entry> {
    let is_picture = |one: &&Rendition| one.codec != Codec::Opus;
    let area = |one: &Rendition| one.size.map_or(0, |size| u32::from(size.width) * u32::from(size.height));
    let rank = |one: &Rendition| (area(one), one.bitrate.0);
    // Put in one by one: there are a handful, and a sort costs every page half a kilobyte.
    let mut pictures: Vec<&Rendition> = Vec::new();
    for one in renditions.iter().filter(is_picture) {
        let place = pictures.iter().position(|other| rank(other) < rank(one)).unwrap_or(pictures.len());
        pictures.insert(place, one);
    }
    if pictures.is_empty() {
        return Vec::new();
    }
    let several = pictures.len() > 1;
    // One that is gone, or of another channel, counts as not chosen; of one there is nothing to choose.
    let chosen = match choice {
        Choice::Rendition(name) if several && pictures.iter().any(|one| one.name == *name) => choice,
        _ if choice.is_sound_alone(renditions) => choice,
        _ => &Choice::Auto,
    };
    let told = playing.and_then(|playing| {
        let one = pictures.iter().find(|one| Some(&one.name) == playing.rendition.as_ref())?;
        Some(format!("Auto · {}, {}", short(one)?, reason(playing.reason)))
    });
    // As long as the server hasn't said so, what is decoded tells it.
    let seen = || {
        let height = plays.1.map(|(width, height)| width.min(height));
        let is_it = |one: &&&Rendition| {
            one.codec.name() == plays.0
                && one.size.is_some_and(|size| Some(u32::from(size.height.min(size.width))) == height)
        };
        let one = if several { pictures.iter().find(is_it)? } else { pictures.first()? };
        Some(format!("Auto · {}", rendition_label(one, &bitrate)))
    };
    let auto = if *chosen == Choice::Auto { told.filter(|_| several).or_else(seen) } else { None };
    let entry = |label: String, entry: Choice, can: bool| Entry {
        label,
        picked: entry == *chosen,
        choice: entry,
        can,
    };
    let mut entries = vec![entry(auto.unwrap_or_else(|| "Auto".into()), Choice::Auto, true)];
    if several {
        entries.extend(pictures.iter().map(|one| {
            let can = decodes(one.codec);
            let label = rendition_label(one, &bitrate);
            let label = if can { label } else { format!("{label} · not in this browser") };
            entry(label, Choice::Rendition(one.name.clone()), can)
        }));
    }
    if pictures.len() < renditions.len() {
        // What the server makes for sound alone, if it does.
        let low = renditions.iter().find(|one| one.name == LOW_SOUND);
        let takes = low.map(|low| format!(" · {}", bitrate(low.bitrate.0))).unwrap_or_default();
        entries.push(entry(format!("Audio only{takes}"), Choice::AudioOnly, true));
    }
    entries
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::unit::Bitrate;

    fn one(name: &str, codec: Codec, height: u16, bitrate: u64) -> Rendition {
        let size = (height > 0).then_some(Size { width: height / 9 * 16, height });
        Rendition { name: name.into(), codec, size, frame_rate: 29.8, bitrate: Bitrate(bitrate) }
    }

    fn sound() -> Rendition {
        one("source", Codec::Opus, 0, 64_000)
    }

    fn all() -> Vec<Rendition> {
        vec![
            one("l", Codec::Vp8, 180, 150_000),
            sound(),
            one("h", Codec::Vp8, 720, 2_500_000),
            one("m", Codec::Av1, 360, 500_000),
        ]
    }

    fn menu(renditions: &[Rendition], choice: &Choice, playing: Option<&Playing>) -> Vec<Entry> {
        let decodes = |codec| codec != Codec::Av1;
        entries(renditions, choice, playing, ("VP8", Some((1280, 720))), decodes, |bits| format!("{bits}"))
    }

    fn labels(entries: &[Entry]) -> Vec<&str> {
        entries.iter().map(|entry| entry.label.as_str()).collect()
    }

    #[test]
    fn the_menu_has_what_really_arrives_the_largest_first() {
        let entries = menu(&all(), &Choice::Auto, None);
        assert_eq!(
            labels(&entries),
            [
                "Auto · 720p · VP8 · 2500000",
                "720p · VP8 · 2500000",
                "360p · AV1 · 500000 · not in this browser",
                "180p · VP8 · 150000",
                "Audio only"
            ]
        );
        let can: Vec<_> = entries.iter().map(|entry| entry.can).collect();
        assert_eq!(can, [true, true, false, true, true]);
        assert_eq!(entries.iter().filter(|entry| entry.picked).count(), 1);
        assert!(entries[0].picked);
    }

    #[test]
    fn auto_says_what_it_chose_and_why() {
        for (name, why, label) in [
            ("l", Reason::Network, "Auto · 180p30, network"),
            ("m", Reason::PlayerSize, "Auto · 360p30, player size"),
            ("h", Reason::Best, "Auto · 720p30, the best there is"),
            ("h", Reason::Gone, "Auto · 720p30, your choice is not made now"),
            ("gone", Reason::Best, "Auto · 720p · VP8 · 2500000"),
        ] {
            let playing = Playing { rendition: Some(name.into()), reason: why, estimate: None, sound: None };
            assert_eq!(menu(&all(), &Choice::Auto, Some(&playing))[0].label, label);
        }
        let playing =
            Playing { rendition: Some("l".into()), reason: Reason::Chosen, estimate: None, sound: None };
        let entries = menu(&all(), &Choice::Rendition("l".into()), Some(&playing));
        assert_eq!(entries[0].label, "Auto", "what was chosen by the viewer is no choice of Auto's");
        assert!(entries[3].picked && !entries[0].picked);
    }

    #[test]
    fn what_is_gone_is_not_chosen_any_more() {
        let entries = menu(&all(), &Choice::Rendition("gone".into()), None);
        assert!(entries[0].picked);
        assert_eq!(menu(&[], &Choice::Auto, None), []);
        assert_eq!(menu(&[sound()], &Choice::AudioOnly, None), [], "there is sound alone anyway");
    }

    #[test]
    fn of_one_there_is_no_choice_but_between_it_and_sound() {
        let entries = menu(&[one("source", Codec::Vp8, 720, 1), sound()], &Choice::AudioOnly, None);
        assert_eq!(labels(&entries), ["Auto", "Audio only"]);
        assert!(entries[1].picked);
        let silent = menu(&[one("source", Codec::Vp8, 720, 1)], &Choice::Auto, None);
        assert_eq!(labels(&silent), ["Auto · 720p · VP8 · 1"]);
        let silent = [one("source", Codec::Vp8, 720, 1)];
        assert!(
            menu(&silent, &Choice::AudioOnly, None)[0].picked,
            "of sound that isn't there nothing can be chosen"
        );
        assert!(!Choice::AudioOnly.is_sound_alone(&silent));
        assert!(Choice::AudioOnly.is_sound_alone(&[]) && Choice::AudioOnly.is_sound_alone(&all()));
    }

    #[test]
    fn sound_alone_says_what_it_takes_where_the_server_makes_it_small() {
        let low = one(LOW_SOUND, Codec::Opus, 0, 24_000);
        let entries = menu(&[one("source", Codec::Vp8, 720, 1), sound(), low], &Choice::AudioOnly, None);
        assert_eq!(labels(&entries), ["Auto", "Audio only · 24000"]);
    }

    #[test]
    fn what_is_chosen_is_remembered_and_told() {
        for choice in [Choice::Auto, Choice::Rendition("h".into()), Choice::AudioOnly] {
            assert_eq!(Choice::remembered(Some(choice.to_remember().into())), choice);
        }
        assert_eq!(Choice::remembered(None), Choice::Auto);
        let asks = Choice::Rendition("h".into()).asks(false, (1280.4, 720.0), true);
        assert_eq!((asks.rendition.as_deref(), asks.audio_only, asks.hidden), (Some("h"), false, true));
        assert_eq!(asks.size, Some(Size { width: 1280, height: 720 }));
        let asks = Choice::AudioOnly.asks(true, (0.0, 300.0), false);
        assert_eq!((asks.rendition, asks.audio_only, asks.size), (None, true, None));
        assert_eq!(Choice::Auto.asks(false, (1e9, -5.0), false).size, None);
    }
}
