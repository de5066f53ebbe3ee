//! Pure rules: who may do what, what a state says, how the directory is ordered.

use super::{
    Live, Past,
    door::{Doors, pass},
    embed::token::{self, EmbedKey},
};
use crate::{
    actor::{Actor, EmbedError, Visitor},
    permission::{Permission, Standing, Standings},
};
use shared::{
    account::Role,
    broadcast::{BroadcastState, ChannelState},
    channel::{Channel, ChannelCard, ChannelRole, Directory, EditChannel, TAGS_MOST, Visibility},
    embed::{Embedding, SITES_MOST},
    id::AccountId,
    text::Tag,
    unit::{Seconds, Timestamp},
};
use std::{cmp::Reverse, time::Duration};

/// The most cards of the directory.
pub const CARDS_MOST: usize = 200;
/// How long a publish token starts sessions.
pub const TOKEN_LASTS: Duration = Duration::from_secs(12 * 60 * 60);
/// The most channels that one account makes.
pub const CHANNELS_MOST: usize = 50;

/// A channel as it is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// What it says of itself.
    pub channel: Channel,
    /// Whose it is; nobody's if the shell made it before set-up.
    pub owner: Option<AccountId>,
    /// Its last broadcast that is over, when this was read.
    pub past: Option<Past>,
    /// What its signed embeds are made with, once there was one.
    pub embed_key: Option<EmbedKey>,
    /// Whether its owner wants renditions made of what they publish.
    pub ladder: bool,
    /// Its editors and VIPs.
    pub roles: Vec<(AccountId, ChannelRole)>,
    /// The ways in while it is private.
    pub doors: Doors,
}

/// By what somebody may see a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// By who they are, or because anybody may.
    Anyway,
    /// By a signed embed alone, which admits until then.
    ByEmbed(Timestamp),
    /// By a pass alone, which is good until then.
    ByPass(Timestamp),
}

/// Why somebody may not see a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hidden {
    /// There is none, as far as they may know.
    Unknown,
    /// Their signed embed doesn't admit.
    Embed(EmbedError),
    /// They might, if it weren't suspended.
    Suspended,
}

/// Whether a channel may be seen, and by what. Of a private one no more is told than of one that isn't there.
pub fn admission(visitor: Visitor<'_>, record: Option<&Record>, now: Timestamp) -> Result<Admission, Hidden> {
    if record.is_some_and(|record| may_see(visitor.actor, record)) {
        return Ok(Admission::Anyway);
    }
    let embed = visitor.embed.ok_or(Hidden::Unknown)?;
    if pass::are_passes(embed.token) {
        let until = record.and_then(|Record { channel, doors, .. }| {
            pass::admits(&doors.keys, &channel.id, embed.token, now, embed.goes_on)
        });
        return until.map(Admission::ByPass).ok_or(Hidden::Unknown);
    }
    let key = record.and_then(|record| record.embed_key.as_ref().map(|key| (key, &record.channel.id)));
    let (key, id) = key.ok_or(Hidden::Embed(EmbedError::Invalid))?;
    let until = if embed.goes_on {
        token::signed(key, id, embed.token).ok_or(EmbedError::Invalid)
    } else {
        token::verify(key, id, embed.token, now)
    };
    until.map(Admission::ByEmbed).map_err(Hidden::Embed)
}

/// What somebody is on a channel, as far as the channel's own record tells. A channel of nobody is the instance owner's.
pub fn standings(who: Option<&Actor>, record: &Record) -> Standings {
    let Some(Actor { account, role, .. }) = who else { return Standings::GUEST };
    let given = record.roles.iter().find(|(holder, _)| holder == account).map(|(_, role)| *role);
    let standings = Standings::of_account(*role).with_role(given);
    let is_owner = match &record.owner {
        Some(owner) => owner == account,
        None => *role == Role::Owner,
    };
    if is_owner { standings.and(Standing::Owner) } else { standings }
}

/// Whether the channel exists for somebody, as far as its own record tells. To those on its list it is open.
pub fn may_see(who: Option<&Actor>, record: &Record) -> bool {
    let needed = match record.channel.visibility {
        Visibility::Private if !who.is_some_and(|who| record.doors.listed.contains(&who.account)) => {
            Permission::SeePrivate
        }
        _ => Permission::SeeOpen,
    };
    standings(who, record).may(needed)
}

/// Whether a channel that somebody might see is shut to them, as it is suspended: to all but whose it is and those who run the
/// instance.
pub fn is_shut(who: Option<&Actor>, record: &Record) -> bool {
    let standings = standings(who, record);
    record.channel.suspended && !standings.may(Permission::SeeSuspended)
}

/// Whether somebody may do something with a channel.
pub fn may(who: &Actor, record: &Record, permission: Permission) -> bool {
    standings(Some(who), record).may(permission)
}

/// What one must be allowed to, to make an edit.
pub fn needed(edit: &EditChannel) -> Permission {
    let admits = edit.visibility.is_some() || edit.embedding.is_some();
    if admits { Permission::Admit } else { Permission::EditChannel }
}

/// Tags without repetition, as many as fit; `None` if there are too many.
pub fn tags(given: Vec<Tag>) -> Option<Vec<Tag>> {
    let mut tags: Vec<Tag> = Vec::new();
    for tag in given {
        let folded = tag.as_str().to_lowercase();
        if !tags.iter().any(|other| other.as_str().to_lowercase() == folded) {
            tags.push(tag);
        }
    }
    (tags.len() <= TAGS_MOST).then_some(tags)
}

/// Sites without repetition, as many as fit; `None` if there are too many.
pub fn embedding(given: Embedding) -> Option<Embedding> {
    let Embedding::Sites { mut sites } = given else { return Some(given) };
    sites.sort();
    sites.dedup();
    (sites.len() <= SITES_MOST).then_some(Embedding::Sites { sites })
}

/// A channel's state: what it says of itself, what is live, what was.
pub fn state(record: &Record, live: Live, now: Timestamp) -> ChannelState {
    let is_idle = matches!(live.state, BroadcastState::Offline | BroadcastState::Ended);
    let past = record.past.filter(|_| is_idle);
    let past_duration = past.map(|past| Seconds(past.ended_at.since(past.started_at).as_secs()));
    ChannelState {
        channel: record.channel.name.clone(),
        state: live.state,
        stream_id: live.stream_id,
        title: record.channel.title.clone(),
        category: record.channel.category.clone(),
        viewer_count: live.viewer_count,
        start_time: live.start_time,
        waiting_since: live.waiting_since,
        // What the server saw end is newer than what the record remembers.
        duration: if live.ended_at.is_some() { live.duration } else { live.duration.or(past_duration) },
        ended_at: live.ended_at.or(past.map(|past| past.ended_at)),
        renditions: live.renditions,
        server_time: now,
    }
}

/// The cards in order: live ones first, most watched first, then the most recently live.
pub fn directory(cards: Vec<(Record, Live)>, now: Timestamp) -> Directory {
    let mut channels: Vec<ChannelCard> = cards
        .into_iter()
        .filter(|(record, _)| record.channel.visibility == Visibility::Public)
        .map(|(record, live)| {
            let state = state(&record, live, now);
            ChannelCard { channel: record.channel, state }
        })
        .collect();
    channels.sort_by_cached_key(|card| {
        let state = &card.state;
        let is_on = matches!(state.state, BroadcastState::Live | BroadcastState::Waiting);
        let last = if is_on { state.start_time } else { state.ended_at };
        (
            Reverse(is_on),
            Reverse(if is_on { state.viewer_count } else { 0 }),
            Reverse(last),
            card.channel.name.clone(),
        )
    });
    channels.truncate(CARDS_MOST);
    Directory { channels }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use shared::text::{Category, Description, Title};

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1000)
    }

    pub fn record(name: &str, visibility: Visibility) -> Record {
        let channel = Channel {
            id: name.parse().unwrap(),
            name: name.parse().unwrap(),
            display_name: name.parse().unwrap(),
            avatar: None,
            own_avatar: false,
            banner: None,
            title: Title::default(),
            description: Description::default(),
            category: Category::default(),
            tags: Vec::new(),
            visibility,
            embedding: Embedding::default(),
            created_at: at(0),
            suspended: false,
        };
        let owner = Some("ada".parse().unwrap());
        Record {
            channel,
            owner,
            past: None,
            embed_key: None,
            ladder: true,
            roles: Vec::new(),
            doors: Doors::default(),
        }
    }

    #[test]
    fn a_suspended_channel_is_shut_to_all_but_its_owner_and_those_who_run_the_instance() {
        let mut suspended = record("stage", Visibility::Public);
        assert!(!is_shut(None, &suspended));
        suspended.channel.suspended = true;
        suspended.roles = vec![("eve".parse().unwrap(), ChannelRole::Editor)];
        for shut in [None, Some(actor("bob", Role::Member)), Some(actor("eve", Role::Member))] {
            assert!(is_shut(shut.as_ref(), &suspended), "{shut:?}");
        }
        for open in [actor("ada", Role::Member), actor("bob", Role::Admin), actor("bob", Role::Owner)] {
            assert!(!is_shut(Some(&open), &suspended), "{open:?}");
        }
    }

    fn actor(account: &str, role: Role) -> Actor {
        Actor { account: account.parse().unwrap(), role, address: None }
    }

    #[test]
    fn a_private_channel_exists_for_its_owner_and_whom_they_let_in() {
        let (ada, bob) = (actor("ada", Role::Member), actor("bob", Role::Member));
        let private = record("secret", Visibility::Private);
        assert!(may_see(Some(&ada), &private));
        assert!(!may_see(Some(&bob), &private));
        assert!(!may_see(None, &private));
        for open in [Visibility::Public, Visibility::Unlisted] {
            assert!(may_see(None, &record("open", open)));
        }
        let may_edit = |who: &Actor, record: &Record| may(who, record, Permission::EditChannel);
        assert!(may_edit(&ada, &private) && !may_edit(&bob, &private));
        for (role, edits) in [(ChannelRole::Editor, true), (ChannelRole::Vip, false)] {
            let roles = vec![("bob".parse().unwrap(), role)];
            let private = Record { roles, ..private.clone() };
            assert!(may_see(Some(&bob), &private));
            assert_eq!(may_edit(&bob, &private), edits);
            assert!(!may(&bob, &private, Permission::Publish));
        }
        for role in [Role::Owner, Role::Admin] {
            let runs_it = actor("cleo", role);
            assert!(may_see(Some(&runs_it), &private) && !may_edit(&runs_it, &private));
        }
        let listed = Record {
            doors: Doors { listed: ["bob".parse().unwrap()].into(), ..Doors::default() },
            ..private.clone()
        };
        assert!(may_see(Some(&bob), &listed) && !may_edit(&bob, &listed));
        assert!(!may_see(Some(&actor("cleo", Role::Member)), &listed) && !may_see(None, &listed));
    }

    #[test]
    fn a_pass_lets_in_until_what_it_was_given_for_is_gone() {
        use crate::{actor::Embed, channel::door::pass::PassKey};
        let (password, link) = (PassKey::from_random([1; 32]), PassKey::from_random([2; 32]));
        let with = |keys: &[PassKey]| Record {
            doors: Doors { keys: keys.to_vec(), ..Doors::default() },
            ..record("secret", Visibility::Private)
        };
        let private = with(&[password.clone(), link.clone()]);
        let id = &private.channel.id;
        let one = pass::with(None, &password, &[], id, at(0));
        let both = pass::with(Some(&one), &link, &[], id, at(10));
        let day = 24 * 60 * 60;
        let shows = |passes, record: &Record, now, goes_on| {
            let visitor = Visitor { actor: None, embed: Some(Embed { token: passes, goes_on }) };
            admission(visitor, Some(record), at(now))
        };
        assert_eq!(shows(&one, &private, 0, false), Ok(Admission::ByPass(at(30 * day))));
        assert_eq!(shows(&both, &private, 0, false), Ok(Admission::ByPass(at(30 * day + 10))));
        assert_eq!(shows(&one, &private, 30 * day, false), Err(Hidden::Unknown), "no more than of none");
        assert_eq!(shows(&one, &private, 30 * day, true), Ok(Admission::ByPass(at(30 * day))));
        for goes_on in [false, true] {
            assert_eq!(shows(&one, &with(std::slice::from_ref(&link)), 0, goes_on), Err(Hidden::Unknown));
            assert!(shows(&both, &with(std::slice::from_ref(&link)), 0, goes_on).is_ok());
            assert_eq!(shows(&both, &with(&[]), 0, goes_on), Err(Hidden::Unknown));
            assert_eq!(shows("weir_pass_x", &private, 0, goes_on), Err(Hidden::Unknown));
        }
        assert_eq!(
            shows("weir_pass_x", &record("open", Visibility::Unlisted), 0, false),
            Ok(Admission::Anyway)
        );
    }

    #[test]
    fn a_channel_of_nobody_is_managed_by_the_instance_owner() {
        let orphan = Record { owner: None, ..record("shell", Visibility::Private) };
        assert!(may(&actor("bob", Role::Owner), &orphan, Permission::Publish));
        assert!(!may(&actor("ada", Role::Member), &orphan, Permission::Publish));
        assert!(!may_see(None, &orphan));
    }

    #[test]
    fn a_signed_embed_admits_to_its_private_channel_alone() {
        use crate::actor::Embed;
        let (key, other) = (EmbedKey::from_random([1; 32]), EmbedKey::from_random([2; 32]));
        let private = Record { embed_key: Some(key.clone()), ..record("secret", Visibility::Private) };
        let good = token::encode(&key, &private.channel.id, at(100));
        let forged = token::encode(&other, &private.channel.id, at(100));
        let embed = |token, goes_on| Visitor { actor: None, embed: Some(Embed { token, goes_on }) };
        let (invalid, expired) = (Hidden::Embed(EmbedError::Invalid), Hidden::Embed(EmbedError::Expired));
        let nobody = Visitor::default();
        assert_eq!(admission(nobody, Some(&private), at(0)), Err(Hidden::Unknown));
        assert_eq!(admission(nobody, None, at(0)), Err(Hidden::Unknown));
        assert_eq!(admission(embed(&good, false), Some(&private), at(99)), Ok(Admission::ByEmbed(at(100))));
        assert_eq!(admission(embed(&good, false), Some(&private), at(100)), Err(expired));
        assert_eq!(admission(embed(&good, true), Some(&private), at(100)), Ok(Admission::ByEmbed(at(100))));
        for goes_on in [false, true] {
            for bad in [&forged, "", "weir_emb_"] {
                let told = admission(embed(bad, goes_on), Some(&private), at(0));
                assert_eq!(told, Err(invalid));
                assert_eq!(told, admission(embed(bad, goes_on), None, at(0)), "no more than of none");
            }
            let without_key = Record { embed_key: None, ..private.clone() };
            assert_eq!(admission(embed(&good, goes_on), Some(&without_key), at(0)), Err(invalid));
            let elsewhere = Record { embed_key: Some(key.clone()), ..record("other", Visibility::Private) };
            assert_eq!(admission(embed(&good, goes_on), Some(&elsewhere), at(0)), Err(invalid));
        }
        let ada = actor("ada", Role::Member);
        let owner = Visitor { actor: Some(&ada), ..embed(&forged, false) };
        assert_eq!(admission(owner, Some(&private), at(0)), Ok(Admission::Anyway));
        let public = record("open", Visibility::Public);
        assert_eq!(admission(embed("x", false), Some(&public), at(0)), Ok(Admission::Anyway));
    }

    #[test]
    fn who_sees_a_channel_is_its_owner_s_to_say() {
        let text = EditChannel { title: Some(Title::default()), ..EditChannel::default() };
        assert_eq!(needed(&text), Permission::EditChannel);
        let hidden = EditChannel { visibility: Some(Visibility::Private), ..text.clone() };
        assert_eq!(needed(&hidden), Permission::Admit);
        assert_eq!(needed(&EditChannel { embedding: Some(Embedding::default()), ..text }), Permission::Admit);
    }

    #[test]
    fn tags_are_few_and_different() {
        let tag = |text: &str| text.parse::<Tag>().unwrap();
        assert_eq!(tags(vec![tag("Rust"), tag("rust"), tag("Live")]), Some(vec![tag("Rust"), tag("Live")]));
        assert!(tags((0..11).map(|n| tag(&format!("t{n}"))).collect()).is_none());
        assert!(tags((0..10).map(|n| tag(&format!("t{n}"))).collect()).is_some());
    }

    #[test]
    fn the_directory_shows_live_then_most_watched_then_most_recent() {
        let on = |viewers, start| Live {
            state: BroadcastState::Live,
            viewer_count: viewers,
            start_time: Some(at(start)),
            ..Live::default()
        };
        let was = |end| Record {
            past: Some(Past { started_at: at(0), ended_at: at(end) }),
            ..record("was", Visibility::Public)
        };
        let named = |record: Record, name: &str| {
            let channel = Channel { name: name.parse().unwrap(), ..record.channel };
            Record { channel, ..record }
        };
        let cards = vec![
            (record("never", Visibility::Public), Live::default()),
            (named(was(10), "long-ago"), Live::default()),
            (record("unlisted", Visibility::Unlisted), on(99, 1)),
            (record("small", Visibility::Public), on(1, 5)),
            (named(was(20), "just-now"), Live::default()),
            (record("big", Visibility::Public), on(7, 1)),
            (record("private", Visibility::Private), on(99, 1)),
        ];
        let names: Vec<String> =
            directory(cards, at(30)).channels.iter().map(|card| card.channel.name.to_string()).collect();
        assert_eq!(names, ["big", "small", "just-now", "long-ago", "never"]);
    }

    #[test]
    fn the_directory_is_bounded() {
        let cards =
            (0..300).map(|n| (record(&format!("c{n}"), Visibility::Public), Live::default())).collect();
        assert_eq!(directory(cards, at(0)).channels.len(), CARDS_MOST);
    }

    #[test]
    fn after_a_restart_the_record_remembers_the_last_broadcast() {
        let mut record = record("ada", Visibility::Public);
        record.past = Some(Past { started_at: at(10), ended_at: at(70) });
        let offline = state(&record, Live::default(), at(100));
        assert_eq!((offline.ended_at, offline.duration), (Some(at(70)), Some(Seconds(60))));
        let live = Live { state: BroadcastState::Live, start_time: Some(at(90)), ..Live::default() };
        let live = state(&record, live, at(100));
        assert_eq!((live.ended_at, live.duration), (None, None));
        let ended = Live { ended_at: Some(at(95)), duration: Some(Seconds(5)), ..Live::default() };
        let ended = state(&record, ended, at(100));
        assert_eq!((ended.ended_at, ended.duration), (Some(at(95)), Some(Seconds(5))));
    }
}
