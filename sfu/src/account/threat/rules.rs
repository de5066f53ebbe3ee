//! When tries are so many that somebody should look. Pure: time is what has passed since any start.
//!
//! What is remembered is bounded, whatever strangers do: at most so many times of each kind as raise an alert, and so many names.

use crate::secret::hex;
use sha2::{Digest, Sha256};
use shared::{id::AccountId, text::AccountName};
use std::{
    collections::{HashMap, HashSet, VecDeque},
    net::IpAddr,
    time::Duration,
};

/// What happens within this long is one burst.
pub const WITHIN: Duration = Duration::from_secs(10 * 60);
/// Failed sign-ins to one account that are more than somebody's mistakes.
pub const OF_ONE: usize = 15;
/// Failed sign-ins to several accounts, and to how many.
pub const OF_MANY: usize = 60;
/// Of how many accounts those must be.
pub const MANY: usize = 10;
/// New accounts.
pub const SIGN_UPS: usize = 25;
/// Wrong stream keys.
pub const KEYS: usize = 30;
/// After an alert there is none of its kind for this long; of one account, none of that account.
pub const COOLS: Duration = Duration::from_secs(60 * 60);
/// Alerts of one account each within that time, over all of them.
pub const ONES_MOST: usize = 10;
/// Failed sign-ins are one entry of the record in so long.
pub const COUNTED: Duration = Duration::from_secs(10 * 60);
/// Names that are remembered; beyond, those are forgotten whose last try is the oldest.
const NAMES_MOST: usize = 5_000;
/// Different names and networks that are counted for one entry of the record.
const DIFFERENT_MOST: usize = 1_000;

/// What there is to look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Somebody guesses one account's password.
    OneAccount,
    /// Somebody tries many accounts.
    ManyAccounts,
    /// Many sign-ins fail that say no name, as those with passkeys.
    Unnamed,
    /// Many accounts are made at once.
    SignUps,
    /// Stream keys are wrong again and again.
    StreamKeys,
}

/// An alert, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    /// What it is about.
    pub kind: Kind,
    /// What happens.
    pub title: &'static str,
    /// How much of it, and what can be done.
    pub detail: String,
}

/// Failed sign-ins of a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failures {
    /// How many.
    pub tries: u64,
    /// To how many accounts, as they were called by whoever tried; at most 1,000 are told apart.
    pub names: usize,
    /// From how many networks; at most 1,000 are told apart.
    pub networks: usize,
}

impl Failures {
    /// For the record.
    pub fn words(self) -> String {
        let Self { tries, names, networks } = self;
        let several = |count: u64, one: &str, many: &str| match count {
            1 => format!("1 {one}"),
            _ => format!("{count} {many}"),
        };
        let mut words = several(tries, "sign-in failed", "sign-ins failed");
        if names > 0 {
            words += &format!(", to {}", several(names as u64, "account", "accounts"));
        }
        if networks > 0 {
            words += &format!(", from {}", several(networks as u64, "network", "networks"));
        }
        words + " within 10 minutes"
    }
}

/// The latest times of something, as many as make a burst.
#[derive(Debug, Default)]
struct Burst(VecDeque<Duration>);

impl Burst {
    /// One more; whether they are a burst now.
    fn push(&mut self, most: usize, now: Duration) -> bool {
        self.0.push_back(now);
        if self.0.len() > most {
            self.0.pop_front();
        }
        self.0.len() == most && self.0.front().is_some_and(|first| now.saturating_sub(*first) <= WITHIN)
    }
}

/// Watches tries as they come.
#[derive(Debug, Default)]
pub struct Watch {
    of_names: HashMap<AccountName, Burst>,
    failures: VecDeque<(Duration, Option<AccountName>)>,
    unnamed: Burst,
    /// Of which accounts there were alerts, and when.
    ones: VecDeque<(Duration, AccountName)>,
    sign_ups: Burst,
    keys: Burst,
    cools: HashMap<Kind, Duration>,
    counting: Option<Counting>,
}

#[derive(Debug)]
struct Counting {
    since: Duration,
    tries: u64,
    names: HashSet<AccountName>,
    networks: HashSet<IpAddr>,
}

impl Watch {
    /// A sign-in failed: to which account, if that was said, and from which network.
    pub fn failed(
        &mut self,
        name: Option<&AccountName>,
        network: Option<IpAddr>,
        now: Duration,
    ) -> Vec<Alert> {
        let mut alerts = Vec::new();
        if let Some(name) = name
            && self.burst_of(name).push(OF_ONE, now)
            && self.is_first_of(name, now)
        {
            let detail = format!(
                "{OF_ONE} sign-ins as “{name}” failed within 10 minutes. After ten wrong ones, one is looked at each 15 s."
            );
            alerts.push(Alert {
                kind: Kind::OneAccount,
                title: "Somebody may be guessing a password",
                detail,
            });
        }
        if name.is_none() && self.unnamed.push(OF_MANY, now) {
            let detail = format!(
                "{OF_MANY} sign-ins that say no name, with a passkey or by another way, failed within 10 minutes. None of these can be guessed."
            );
            alerts.extend(self.alert(Kind::Unnamed, "Many sign-ins fail", detail, now));
        }
        alerts.extend(self.failed_as(name, network, now));
        alerts
    }

    /// A sign-in failed, to a name that nobody has, perhaps: it is no account's burst, or strangers would make up names for alerts.
    pub fn failed_as(
        &mut self,
        name: Option<&AccountName>,
        network: Option<IpAddr>,
        now: Duration,
    ) -> Option<Alert> {
        self.count(name, network, now);
        self.failures.push_back((now, name.cloned()));
        if self.failures.len() > OF_MANY {
            self.failures.pop_front();
        }
        let is_burst = self.failures.len() == OF_MANY
            && self.failures.front().is_some_and(|(first, _)| now.saturating_sub(*first) <= WITHIN);
        let names = self.failures.iter().filter_map(|(_, name)| name.as_ref()).collect::<HashSet<_>>().len();
        if !is_burst || names < MANY {
            return None;
        }
        let detail = format!(
            "{OF_MANY} sign-ins failed within 10 minutes, to {names} accounts. A passkey can't be guessed: those who have one are safe."
        );
        self.alert(Kind::ManyAccounts, "Many sign-ins fail", detail, now)
    }

    /// Whether there is to be an alert of this account: none was a short while ago, and not too many of all.
    fn is_first_of(&mut self, name: &AccountName, now: Duration) -> bool {
        self.ones.retain(|(at, _)| now.saturating_sub(*at) < COOLS);
        let is_first = self.ones.len() < ONES_MOST && self.ones.iter().all(|(_, one)| one != name);
        if is_first {
            self.ones.push_back((now, name.clone()));
        }
        is_first
    }

    /// Somebody made an account.
    pub fn signed_up(&mut self, now: Duration) -> Option<Alert> {
        if !self.sign_ups.push(SIGN_UPS, now) {
            return None;
        }
        let detail = format!(
            "{SIGN_UPS} accounts were made within 10 minutes. If these are no people, close sign-up for a while, or let it take an invite."
        );
        self.alert(Kind::SignUps, "Many accounts are being made", detail, now)
    }

    /// A stream key was wrong.
    pub fn wrong_key(&mut self, now: Duration) -> Option<Alert> {
        if !self.keys.push(KEYS, now) {
            return None;
        }
        let detail = format!(
            "{KEYS} stream keys were wrong within 10 minutes. A key can't be guessed; perhaps somebody's OBS tries an old one."
        );
        self.alert(Kind::StreamKeys, "Wrong stream keys, again and again", detail, now)
    }

    /// What the record is to say of failed sign-ins, once in a while; at once, if the server is about to stop.
    pub fn counted(&mut self, now: Duration, at_once: bool) -> Option<Failures> {
        let counting = self.counting.as_ref()?;
        if !at_once && now.saturating_sub(counting.since) < COUNTED {
            return None;
        }
        let Counting { tries, names, networks, .. } = self.counting.take()?;
        Some(Failures { tries, names: names.len(), networks: networks.len() })
    }

    fn count(&mut self, name: Option<&AccountName>, network: Option<IpAddr>, now: Duration) {
        let counting = self.counting.get_or_insert_with(|| Counting {
            since: now,
            tries: 0,
            names: HashSet::new(),
            networks: HashSet::new(),
        });
        counting.tries = counting.tries.saturating_add(1);
        if let Some(name) = name.filter(|_| counting.names.len() < DIFFERENT_MOST) {
            counting.names.insert(name.clone());
        }
        if let Some(network) = network.filter(|_| counting.networks.len() < DIFFERENT_MOST) {
            counting.networks.insert(network);
        }
    }

    fn burst_of(&mut self, name: &AccountName) -> &mut Burst {
        if self.of_names.len() >= NAMES_MOST && !self.of_names.contains_key(name) {
            let mut last: Vec<Duration> =
                self.of_names.values().filter_map(|burst| burst.0.back().copied()).collect();
            let middle = last.len() / 2;
            let median = last.select_nth_unstable(middle).1;
            let median = *median;
            self.of_names.retain(|_, burst| burst.0.back().is_some_and(|last| *last > median));
        }
        self.of_names.entry(name.clone()).or_default()
    }

    fn alert(&mut self, kind: Kind, title: &'static str, detail: String, now: Duration) -> Option<Alert> {
        if self.cools.get(&kind).is_some_and(|until| now < *until) {
            return None;
        }
        self.cools.insert(kind, now + COOLS);
        Some(Alert { kind, title, detail })
    }
}

/// Somebody signs in: where they did before is known by these.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Places {
    /// Whether they signed in before, since places are remembered.
    pub has_been: bool,
    /// Whether from this network. True where it isn't known, too.
    pub network: bool,
    /// Whether with a device of this kind.
    pub device: bool,
}

impl Places {
    /// Whether it is so unlike before that they are told: both network and device are new. A phone changes networks all day, and
    /// a new browser at home is no stranger.
    pub fn is_strange(self) -> bool {
        self.has_been && !self.network && !self.device
    }
}

/// What is kept of a network or a device that somebody signs in from.
pub fn mark(salt: &str, account: &AccountId, what: &str) -> String {
    let mut hash = Sha256::new();
    for part in [salt, account.as_str(), what] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hex(hash.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn name(n: usize) -> AccountName {
        format!("name{n}").parse().unwrap()
    }

    fn kinds(alerts: &[Alert]) -> Vec<Kind> {
        alerts.iter().map(|alert| alert.kind).collect()
    }

    #[test]
    fn guesses_at_one_account_raise_one_alert_and_then_none_for_an_hour() {
        let mut watch = Watch::default();
        for n in 0..OF_ONE - 1 {
            assert!(watch.failed(Some(&name(1)), None, s(n as u64)).is_empty(), "{n}");
        }
        assert_eq!(kinds(&watch.failed(Some(&name(1)), None, s(20))), [Kind::OneAccount]);
        for n in 21..600 {
            assert!(watch.failed(Some(&name(1)), None, s(n as u64)).is_empty(), "{n}");
        }
        let again: Vec<_> =
            (0..OF_ONE).flat_map(|n| watch.failed(Some(&name(1)), None, s(3621 + n as u64))).collect();
        assert_eq!(kinds(&again), [Kind::OneAccount]);
    }

    #[test]
    fn guesses_at_one_account_hide_none_at_another_up_to_so_many_an_hour() {
        let mut watch = Watch::default();
        let mut tries = |n: usize, from: u64| -> usize {
            let of_one = |alerts: Vec<Alert>| kinds(&alerts).contains(&Kind::OneAccount);
            (0..OF_ONE).filter(|_| of_one(watch.failed(Some(&name(n)), None, s(from)))).count()
        };
        for n in 0..ONES_MOST {
            assert_eq!(tries(n, n as u64), 1, "{n}");
        }
        assert_eq!(tries(ONES_MOST, 100), 0, "that is enough for an hour");
        assert_eq!(tries(ONES_MOST + 1, COOLS.as_secs()), 1);
    }

    #[test]
    fn names_that_nobody_has_raise_no_alert_of_one_account_and_hide_none() {
        let mut watch = Watch::default();
        for n in 0..OF_ONE * 20 {
            assert_eq!(watch.failed_as(Some(&name(n % 5)), None, s(n as u64)), None, "{n}");
        }
        let of_one: Vec<_> =
            (0..OF_ONE).flat_map(|n| watch.failed(Some(&name(7)), None, s(400 + n as u64))).collect();
        assert_eq!(kinds(&of_one), [Kind::OneAccount]);
        // Many made-up ones are told of all the same.
        let many: Vec<_> = (0..OF_MANY)
            .filter_map(|n| watch.failed_as(Some(&name(n % MANY)), None, s(500 + n as u64)))
            .collect();
        assert_eq!(kinds(&many), [Kind::ManyAccounts]);
    }

    #[test]
    fn mistakes_far_apart_are_no_burst() {
        let mut watch = Watch::default();
        for n in 0..200 {
            // One each minute: eleven within ten minutes.
            assert!(watch.failed(Some(&name(1)), None, s(n * 60)).is_empty(), "{n}");
        }
        // Exactly on the edge it is one, and a moment beyond it isn't.
        let at = |gap: u64| {
            let mut watch = Watch::default();
            for _ in 0..OF_ONE - 1 {
                watch.failed(Some(&name(1)), None, s(0));
            }
            !watch.failed(Some(&name(1)), None, s(gap)).is_empty()
        };
        assert!(at(WITHIN.as_secs()) && !at(WITHIN.as_secs() + 1));
    }

    #[test]
    fn tries_at_many_accounts_are_another_alert_than_those_at_one() {
        let mut watch = Watch::default();
        let mut raised = Vec::new();
        for n in 0..OF_MANY {
            raised.extend(kinds(&watch.failed(Some(&name(n % MANY)), None, s(n as u64))));
        }
        assert_eq!(raised, [Kind::ManyAccounts]);
        // As many at fewer accounts are those accounts' alone.
        let mut watch = Watch::default();
        let mut raised = Vec::new();
        for n in 0..OF_MANY * 2 {
            raised.extend(kinds(&watch.failed(Some(&name(n % (MANY - 1))), None, s(n as u64))));
        }
        assert!(!raised.contains(&Kind::ManyAccounts), "{raised:?}");
        // Passkeys name nobody.
        let mut watch = Watch::default();
        let raised: Vec<_> = (0..OF_MANY).flat_map(|n| watch.failed(None, None, s(n as u64))).collect();
        assert_eq!(kinds(&raised), [Kind::Unnamed]);
        // A few names among them hide them no longer.
        let mut watch = Watch::default();
        let some_named = |n: usize| n.is_multiple_of(12).then(|| name(n % 3));
        let raised: Vec<_> =
            (0..OF_MANY * 2).flat_map(|n| watch.failed(some_named(n).as_ref(), None, s(n as u64))).collect();
        assert_eq!(kinds(&raised), [Kind::Unnamed]);
    }

    #[test]
    fn new_accounts_and_wrong_keys_raise_one_alert_each() {
        let mut watch = Watch::default();
        let ups: Vec<_> = (0..SIGN_UPS * 3).filter_map(|n| watch.signed_up(s(n as u64))).collect();
        assert_eq!(kinds(&ups), [Kind::SignUps]);
        let keys: Vec<_> = (0..KEYS * 3).filter_map(|n| watch.wrong_key(s(n as u64))).collect();
        assert_eq!(kinds(&keys), [Kind::StreamKeys]);
        let later: Vec<_> = (0..KEYS).filter_map(|n| watch.wrong_key(COOLS + s(n as u64 + 200))).collect();
        assert_eq!(kinds(&later), [Kind::StreamKeys], "it has cooled down");
    }

    #[test]
    fn the_record_has_one_entry_for_the_failures_of_ten_minutes() {
        let mut watch = Watch::default();
        assert_eq!(watch.counted(s(0), true), None);
        let network = |n: u8| Some(IpAddr::from([192, 0, 2, n]));
        watch.failed(Some(&name(1)), network(1), s(5));
        watch.failed(Some(&name(1)), network(2), s(6));
        watch.failed(None, network(2), s(7));
        assert_eq!(watch.counted(s(604), false), None);
        let counted = watch.counted(s(605), false).unwrap();
        assert_eq!(counted, Failures { tries: 3, names: 1, networks: 2 });
        assert_eq!(counted.words(), "3 sign-ins failed, to 1 account, from 2 networks within 10 minutes");
        assert_eq!(watch.counted(s(5000), true), None, "nothing happened since");
        watch.failed(None, None, s(6000));
        let at_once = watch.counted(s(6001), true).unwrap();
        assert_eq!(at_once.words(), "1 sign-in failed within 10 minutes");
    }

    #[test]
    fn whatever_strangers_do_what_is_remembered_is_bounded() {
        let mut watch = Watch::default();
        for n in 0..50_000_usize {
            let network = IpAddr::from((n as u32).to_be_bytes());
            watch.failed(Some(&name(n)), Some(network), s(n as u64 / 100));
            watch.wrong_key(s(n as u64 / 100));
            watch.signed_up(s(n as u64 / 100));
        }
        assert!(watch.of_names.len() <= NAMES_MOST && watch.failures.len() <= OF_MANY);
        assert!(watch.keys.0.len() <= KEYS && watch.sign_ups.0.len() <= SIGN_UPS);
        let counted = watch.counted(s(10_000), false).unwrap();
        assert_eq!(counted, Failures { tries: 50_000, names: DIFFERENT_MOST, networks: DIFFERENT_MOST });
    }

    #[test]
    fn one_is_told_of_a_new_network_with_a_new_device_alone() {
        let places = |has_been, network, device| Places { has_been, network, device }.is_strange();
        assert!(places(true, false, false));
        assert!(!places(true, true, false) && !places(true, false, true) && !places(true, true, true));
        assert!(!places(false, false, false), "everything is new to who never signed in");
    }

    #[test]
    fn marks_tell_accounts_and_places_apart_and_nothing_else() {
        let (ada, ben) = ("ada".parse().unwrap(), "ben".parse().unwrap());
        let mark_of = |account| mark("salt", account, "192.0.2.1");
        assert_eq!(mark_of(&ada), mark_of(&ada));
        assert_ne!(mark_of(&ada), mark_of(&ben));
        assert_ne!(mark_of(&ada), mark("other", &ada, "192.0.2.1"));
        assert_ne!(mark("a", &ada, "bc"), mark("ab", &ada, "c"));
    }
}
