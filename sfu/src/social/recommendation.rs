//! What those who follow the same channels follow besides. Pure.
//!
//! Counted among a bounded sample, and only where several people do both, so that no answer tells of one person whom they follow.

use shared::id::{AccountId, ChannelId};
use std::collections::{HashMap, HashSet};

/// Of the channels that somebody follows, the last ones that are looked at.
pub const OWN_MOST: i64 = 20;
/// Of each of those, the last followers that are looked at.
pub const PEERS_OF_EACH: i64 = 50;
/// The most people that are looked at in all.
pub const PEERS_MOST: usize = 200;
/// Of each of those, the last channels that they follow.
pub const THEIRS_MOST: i64 = 30;
/// So many people follow both, or nothing is said of it.
pub const TOGETHER_LEAST: usize = 3;
/// The most channels that are recommended.
pub const RECOMMENDED_MOST: usize = 12;

/// A channel, and the one that is followed by those who follow it, too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recommended {
    /// What to look at.
    pub channel: ChannelId,
    /// Which of one's own channels leads there.
    pub because: ChannelId,
}

/// The people to look at, of those who follow one's channels: those first who follow the most of them.
pub fn peers(shared: &[(ChannelId, AccountId)]) -> Vec<AccountId> {
    let mut counts: HashMap<&AccountId, usize> = HashMap::new();
    for (_, who) in shared {
        *counts.entry(who).or_default() += 1;
    }
    let mut people: Vec<(&AccountId, usize)> = counts.into_iter().collect();
    people.sort_by(|(one, first), (other, second)| second.cmp(first).then_with(|| one.cmp(other)));
    people.into_iter().take(PEERS_MOST).map(|(who, _)| who.clone()).collect()
}

/// What to recommend: by how many follow it together with one of one's own, without those own channels and `known`.
pub fn recommended(
    shared: &[(ChannelId, AccountId)],
    theirs: &[(AccountId, ChannelId)],
    known: &HashSet<ChannelId>,
) -> Vec<Recommended> {
    let mut own: HashMap<&AccountId, HashSet<&ChannelId>> = HashMap::new();
    for (channel, who) in shared {
        own.entry(who).or_default().insert(channel);
    }
    let mut together: HashMap<(&ChannelId, &ChannelId), HashSet<&AccountId>> = HashMap::new();
    for (who, channel) in theirs.iter().filter(|(_, channel)| !known.contains(channel)) {
        for because in own.get(who).into_iter().flatten().copied() {
            together.entry((channel, because)).or_default().insert(who);
        }
    }
    let mut best: HashMap<&ChannelId, (usize, &ChannelId)> = HashMap::new();
    for ((channel, because), people) in together {
        let count = people.len();
        if count < TOGETHER_LEAST {
            continue;
        }
        let better = |(most, of): &(usize, &ChannelId)| count > *most || (count == *most && because < *of);
        if best.get(channel).is_none_or(better) {
            best.insert(channel, (count, because));
        }
    }
    let mut all: Vec<(usize, Recommended)> = best
        .into_iter()
        .map(|(channel, (count, because))| {
            (count, Recommended { channel: channel.clone(), because: because.clone() })
        })
        .collect();
    all.sort_by(|(one, first), (other, second)| {
        other.cmp(one).then_with(|| first.channel.cmp(&second.channel))
    });
    all.into_iter().map(|(_, one)| one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
        text.parse().unwrap()
    }

    fn shared(pairs: &[(&str, &str)]) -> Vec<(ChannelId, AccountId)> {
        pairs.iter().map(|(channel, who)| (id(channel), id(who))).collect()
    }

    fn theirs(pairs: &[(&str, &str)]) -> Vec<(AccountId, ChannelId)> {
        pairs.iter().map(|(who, channel)| (id(who), id(channel))).collect()
    }

    fn names(found: &[Recommended]) -> Vec<(&str, &str)> {
        found.iter().map(|one| (one.channel.as_str(), one.because.as_str())).collect()
    }

    #[test]
    fn what_several_follow_together_is_recommended_the_most_first() {
        let own = shared(&[("x", "a"), ("x", "b"), ("x", "c"), ("x", "d"), ("y", "a")]);
        let follows = theirs(&[
            ("a", "p"),
            ("b", "p"),
            ("c", "p"),
            ("a", "q"),
            ("b", "q"),
            ("c", "q"),
            ("d", "q"),
            ("a", "x"),
        ]);
        let known: HashSet<ChannelId> = [id("x"), id("y")].into();
        assert_eq!(names(&recommended(&own, &follows, &known)), [("q", "x"), ("p", "x")]);
        let known: HashSet<ChannelId> = [id("x"), id("y"), id("q")].into();
        assert_eq!(names(&recommended(&own, &follows, &known)), [("p", "x")], "what one knows is left out");
    }

    #[test]
    fn what_one_or_two_people_follow_is_never_told() {
        let own = shared(&[("x", "a"), ("x", "b"), ("y", "a"), ("y", "b"), ("z", "a"), ("z", "b")]);
        let follows = theirs(&[("a", "p"), ("b", "p"), ("a", "p"), ("b", "p")]);
        assert!(recommended(&own, &follows, &HashSet::new()).is_empty(), "however often they are counted");
        assert!(recommended(&[], &follows, &HashSet::new()).is_empty());
    }

    #[test]
    fn those_are_looked_at_first_who_follow_most_of_the_same_and_never_too_many() {
        let own = shared(&[("x", "a"), ("x", "b"), ("y", "b")]);
        let found: Vec<String> = peers(&own).iter().map(ToString::to_string).collect();
        assert_eq!(found, ["b", "a"]);
        let crowd: Vec<(ChannelId, AccountId)> = (0..1000).map(|n| (id("x"), id(&format!("p{n}")))).collect();
        assert_eq!(peers(&crowd).len(), PEERS_MOST);
    }
}
