//! What those who follow the same channels follow besides. Pure.
//!
//! Counted among a bounded sample, of which a key of the server leaves out about half, and only where several people do both: whoever
//! makes accounts of their own to find out whom one person follows doesn't know which of them are counted, nor whether that person is.

use hmac::{Hmac, Mac};
use sha2::Sha256;
use shared::id::{AccountId, ChannelId};
use std::collections::{HashMap, HashSet};

/// Of the channels that somebody follows, the last ones that are looked at.
pub const OWN_MOST: i64 = 20;
/// Of each of those, the last followers that are looked at.
pub const OTHERS_OF_EACH: i64 = 50;
/// The most people that are looked at in all.
pub const OTHERS_MOST: usize = 200;
/// Of each of those, the last channels that they follow.
pub const THEIRS_MOST: i64 = 30;
/// So many people follow both of those that are counted, or nothing is said of it.
pub const TOGETHER_LEAST: usize = 5;
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
pub fn others(shared: &[(ChannelId, AccountId)]) -> Vec<AccountId> {
    let mut counts: HashMap<&AccountId, usize> = HashMap::new();
    for (_, who) in shared {
        *counts.entry(who).or_default() += 1;
    }
    let mut people: Vec<(&AccountId, usize)> = counts.into_iter().collect();
    people.sort_by(|(one, first), (other, second)| second.cmp(first).then_with(|| one.cmp(other)));
    people.into_iter().take(OTHERS_MOST).map(|(who, _)| who.clone()).collect()
}

/// Whether it is counted that somebody follows a channel: about every second time, and of the same two always the same.
pub fn is_counted(key: &[u8; 32], who: &AccountId, channel: &ChannelId) -> bool {
    let Ok(mut mac) = <Hmac<Sha256> as Mac>::new_from_slice(key) else {
        unreachable!("HMAC takes keys of any length")
    };
    mac.update(who.as_str().as_bytes());
    mac.update(b"\0");
    mac.update(channel.as_str().as_bytes());
    mac.finalize().into_bytes().first().is_some_and(|byte| byte % 2 == 0)
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
        let people = ["a", "b", "c", "d", "e", "f"];
        let mut own: Vec<(&str, &str)> = people.iter().map(|who| ("x", *who)).collect();
        own.push(("y", "a"));
        let mut follows: Vec<(&str, &str)> = people[..5].iter().map(|who| (*who, "p")).collect();
        follows.extend(people.iter().map(|who| (*who, "q")));
        follows.push(("a", "x"));
        let (own, follows) = (shared(&own), theirs(&follows));
        let known: HashSet<ChannelId> = [id("x"), id("y")].into();
        assert_eq!(names(&recommended(&own, &follows, &known)), [("q", "x"), ("p", "x")]);
        let known: HashSet<ChannelId> = [id("x"), id("y"), id("q")].into();
        assert_eq!(names(&recommended(&own, &follows, &known)), [("p", "x")], "what one knows is left out");
    }

    #[test]
    fn what_few_people_follow_is_never_told() {
        let people = ["a", "b", "c", "d"];
        let own: Vec<(&str, &str)> =
            ["x", "y", "z"].iter().flat_map(|channel| people.map(|who| (*channel, who))).collect();
        let twice: Vec<(&str, &str)> = people.iter().chain(&people).map(|who| (*who, "p")).collect();
        let (own, follows) = (shared(&own), theirs(&twice));
        assert!(recommended(&own, &follows, &HashSet::new()).is_empty(), "however often they are counted");
        assert!(recommended(&[], &follows, &HashSet::new()).is_empty());
    }

    #[test]
    fn about_half_of_all_is_counted_and_nobody_knows_which_without_the_key() {
        let counted = |key: u8| -> Vec<bool> {
            (0..1000).map(|n| is_counted(&[key; 32], &id(&format!("p{n}")), &id("x"))).collect()
        };
        let (one, other) = (counted(1), counted(2));
        let half = one.iter().filter(|counted| **counted).count();
        assert!((400..600).contains(&half), "{half}");
        let alike = one.iter().zip(&other).filter(|(one, other)| one == other).count();
        assert!((400..600).contains(&alike), "{alike}");
        assert_eq!(one, counted(1));
        let elsewhere =
            (0..1000).filter(|n| is_counted(&[1; 32], &id(&format!("p{n}")), &id("y")) == one[*n]).count();
        assert!((400..600).contains(&elsewhere), "{elsewhere}");
    }

    #[test]
    fn those_are_looked_at_first_who_follow_most_of_the_same_and_never_too_many() {
        let own = shared(&[("x", "a"), ("x", "b"), ("y", "b")]);
        let found: Vec<String> = others(&own).iter().map(ToString::to_string).collect();
        assert_eq!(found, ["b", "a"]);
        let crowd: Vec<(ChannelId, AccountId)> = (0..1000).map(|n| (id("x"), id(&format!("p{n}")))).collect();
        assert_eq!(others(&crowd).len(), OTHERS_MOST);
    }
}
