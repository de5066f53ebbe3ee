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

/// Emotes in a row of the picker.
const COLUMNS: usize = 6;

/// Where an arrow key leads from one of the emotes, counted through all groups, of which these are the sizes: up and down
/// by rows, each group's own, in the same column as far as the row has it.
pub fn step(sizes: &[usize], at: usize, key: &str) -> usize {
    let (mut group, mut first) = (0, 0);
    while group + 1 < sizes.len() && at >= first + sizes[group] {
        first += sizes[group];
        group += 1;
    }
    let size = sizes.get(group).copied().unwrap_or_default();
    let place = at.saturating_sub(first);
    let (row, column) = (place / COLUMNS, place % COLUMNS);
    let in_row =
        |first: usize, size: usize, row: usize| first + (row * COLUMNS + column).min(size.saturating_sub(1));
    let last_row = |size: usize| size.saturating_sub(1) / COLUMNS;
    match key {
        "ArrowRight" => (at + 1).min(sizes.iter().sum::<usize>().saturating_sub(1)),
        "ArrowLeft" => at.saturating_sub(1),
        "ArrowDown" if row < last_row(size) => in_row(first, size, row + 1),
        "ArrowDown" => sizes.get(group + 1).map_or(at, |next| in_row(first + size, *next, 0)),
        "ArrowUp" if row > 0 => in_row(first, size, row - 1),
        "ArrowUp" if group > 0 => {
            let before = sizes[group - 1];
            in_row(first - before, before, last_row(before))
        }
        _ => at,
    }
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
    fn arrows_keep_the_column_from_group_to_group() {
        // 0…7 in two rows, 8…9 in one, 10…22 in three.
        let sizes = [8, 2, 13];
        for (at, key, next) in [
            (1, "ArrowDown", 7),
            (4, "ArrowDown", 7),
            (6, "ArrowDown", 8),
            (7, "ArrowDown", 9),
            (9, "ArrowDown", 11),
            (8, "ArrowDown", 10),
            (11, "ArrowDown", 17),
            (17, "ArrowDown", 22),
            (22, "ArrowDown", 22),
            (22, "ArrowUp", 16),
            (15, "ArrowUp", 9),
            (10, "ArrowUp", 8),
            (9, "ArrowUp", 7),
            (8, "ArrowUp", 6),
            (7, "ArrowUp", 1),
            (1, "ArrowUp", 1),
            (7, "ArrowRight", 8),
            (8, "ArrowLeft", 7),
            (0, "ArrowLeft", 0),
            (22, "ArrowRight", 22),
        ] {
            assert_eq!(step(&sizes, at, key), next, "{key} from {at}");
        }
        assert_eq!((step(&[], 0, "ArrowDown"), step(&[0], 3, "ArrowUp")), (0, 3));
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
