//! Which emotes there are to pick: in which groups, which of them are open, and what a change of one makes of them.

use shared::{chat::Emote, subscription::Tier};

/// Emotes of one group of the picker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group<'a> {
    /// What it is called.
    pub name: &'static str,
    /// What is in it.
    pub emotes: Vec<&'a Emote>,
}

/// Those that are searched for, the channel's own first. A group with none in it isn't there.
pub fn groups<'a>(emotes: &'a [Emote], wanted: &str) -> Vec<Group<'a>> {
    let group = |name, own: bool| {
        let found = |emote: &&Emote| emote.own == own && emote.code.to_ascii_lowercase().contains(wanted);
        Group { name, emotes: emotes.iter().filter(found).collect() }
    };
    let groups = [group("Channel", true), group("Everywhere", false)];
    groups.into_iter().filter(|group| !group.emotes.is_empty()).collect()
}

/// The tier that opens an emote to somebody who may type those of `most`; none if it is open.
pub fn locked(emote: &Emote, most: Option<Tier>) -> Option<Tier> {
    emote.tier.filter(|tier| most.is_none_or(|most| most < *tier))
}

/// One that can be typed everywhere was added or has another picture, or is gone.
pub fn change(emotes: &mut Vec<Emote>, code: &str, url: Option<&str>) {
    // The channel's own has its code for itself.
    if emotes.iter().any(|emote| emote.own && emote.code == code) {
        return;
    }
    let at = emotes.iter().position(|emote| emote.code == code);
    match (at, url) {
        (Some(at), Some(url)) => emotes[at].url = url.to_owned(),
        (Some(at), None) => drop(emotes.remove(at)),
        (None, Some(url)) => {
            let first = emotes.iter().position(|emote| !emote.own).unwrap_or(emotes.len());
            let new = Emote { code: code.to_owned(), url: url.to_owned(), own: false, tier: None };
            emotes.insert(first, new);
        }
        (None, None) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn emote(code: &str, own: bool, tier: Option<Tier>) -> Emote {
        Emote { code: code.to_owned(), url: format!("/emotes/{}.png", code.trim_matches(':')), own, tier }
    }

    fn some() -> Vec<Emote> {
        vec![
            emote(":hype:", true, Some(Tier::Two)),
            emote(":Clap:", true, None),
            emote(":river:", false, None),
            emote(":wave:", false, None),
        ]
    }

    fn codes(emotes: &[Emote]) -> Vec<&str> {
        emotes.iter().map(|emote| emote.code.as_str()).collect()
    }

    #[test]
    fn the_channels_own_are_a_group_before_those_of_everywhere() {
        let all = some();
        let names = |wanted: &str| -> Vec<(&str, usize)> {
            groups(&all, wanted).iter().map(|group| (group.name, group.emotes.len())).collect()
        };
        assert_eq!(names(""), [("Channel", 2), ("Everywhere", 2)]);
        assert_eq!(names("clap"), [("Channel", 1)]);
        assert_eq!(names("wav"), [("Everywhere", 1)]);
        assert_eq!(names("nothing"), []);
    }

    #[test]
    fn an_emote_of_a_tier_is_locked_for_those_below_it() {
        let hype = emote(":hype:", true, Some(Tier::Two));
        assert_eq!(locked(&hype, None), Some(Tier::Two));
        assert_eq!(locked(&hype, Some(Tier::One)), Some(Tier::Two));
        assert_eq!(locked(&hype, Some(Tier::Two)), None);
        assert_eq!(locked(&hype, Some(Tier::Three)), None);
        assert_eq!(locked(&emote(":wave:", false, None), None), None);
    }

    #[test]
    fn one_of_everywhere_comes_changes_and_goes_but_for_a_channels_own() {
        let mut all = some();
        change(&mut all, ":sea:", Some("/emotes/sea.png"));
        assert_eq!(codes(&all), [":hype:", ":Clap:", ":sea:", ":river:", ":wave:"]);
        change(&mut all, ":river:", Some("/emotes/other.png"));
        assert_eq!(all[3].url, "/emotes/other.png");
        change(&mut all, ":sea:", None);
        change(&mut all, ":nothing:", None);
        assert_eq!(codes(&all), [":hype:", ":Clap:", ":river:", ":wave:"]);
        for url in [Some("/emotes/other.png"), None] {
            change(&mut all, ":hype:", url);
            assert_eq!(all[0], emote(":hype:", true, Some(Tier::Two)), "{url:?}");
        }
        let mut none = Vec::new();
        change(&mut none, ":sea:", Some("/emotes/sea.png"));
        assert_eq!(codes(&none), [":sea:"]);
    }
}
