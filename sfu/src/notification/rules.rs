//! Pure rules of notifications: what is told in which words, when it may leave the server, when it is tried again.

use super::quiet::{self, awake};
use shared::{
    id::{ActionId, BroadcastId, ChannelName, MessageId},
    notification::{NotificationKind, Preferences, Ways},
    text::DisplayName,
    unit::Timestamp,
};

/// E-mail waits so long for more of the same person's, so that several go as one.
pub const GATHER: i64 = 60_000;
/// What is alike rings no more for so long after the last of it, and then again, though nobody has read of it.
const RUNG_FOR: i64 = 60 * MINUTE;
/// What was tried so often is given up.
pub const TRIES_MOST: u32 = 8;
const MINUTE: i64 = 60_000;
/// The most characters of what somebody wrote that a notification repeats.
const EXCERPT: usize = 120;

/// Something to tell people of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Occasion {
    /// A channel went live.
    WentLive {
        /// Which broadcast.
        broadcast: BroadcastId,
        /// Where.
        channel: ChannelName,
        /// As people read it.
        name: DisplayName,
        /// What it is called; may be empty.
        title: String,
        /// The channel's picture.
        picture: Option<String>,
    },
    /// Somebody was named in a chat.
    Mention {
        /// Which message.
        message: MessageId,
        /// Where.
        channel: ChannelName,
        /// Who wrote it.
        by: DisplayName,
        /// What it says.
        text: String,
    },
    /// Somebody follows a channel of one's own.
    Follower {
        /// Who, by their account's id.
        who: String,
        /// As people read it.
        name: DisplayName,
        /// Which channel.
        channel: ChannelName,
        /// Their picture.
        picture: Option<String>,
    },
    /// A channel's moderators did something to one.
    Moderation {
        /// Which of their actions.
        action: ActionId,
        /// Where.
        channel: ChannelName,
        /// As people read it.
        name: DisplayName,
        /// What they did.
        deed: Deed,
        /// For how long or why, in words; may be empty.
        detail: String,
    },
    /// A subscription of one's own changed, or is about to.
    Subscription {
        /// What it is called, so that it is said once.
        key: String,
        /// To which channel.
        channel: ChannelName,
        /// As people read it.
        name: DisplayName,
        /// What happened.
        news: TermNews,
    },
    /// Somebody has subscribed to a channel of one's own for long.
    Milestone {
        /// Who, by their account's id.
        who: String,
        /// As people read it.
        name: DisplayName,
        /// To which channel.
        channel: ChannelName,
        /// For so many months in all.
        months: u32,
        /// Their picture.
        picture: Option<String>,
    },
    /// A word from the server.
    System {
        /// What it is called, so that it is said once.
        key: String,
        /// What happened.
        title: String,
        /// What to do.
        detail: String,
        /// Where it leads.
        url: String,
    },
}

/// What moderators did to somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    /// They may not write for a while.
    TimedOut,
    /// They may not write until it is lifted.
    Banned,
    /// They may write again.
    Unbanned,
    /// The same, as they had appealed.
    AppealAccepted,
    /// They had appealed, and it stays as it is; the detail is the answer.
    AppealDeclined,
}

/// What became of a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TermNews {
    /// The channel's owner gave it.
    Given {
        /// 1 to 3.
        tier: u8,
        /// For how long.
        days: u32,
    },
    /// The channel's owner ended it.
    Ended,
    /// It runs out.
    RunsOut {
        /// 1 to 3.
        tier: u8,
        /// In at most so many days.
        days: u32,
    },
}

/// A notification in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// What it is about.
    pub kind: NotificationKind,
    /// What happened, so that it is told once.
    pub occasion: String,
    /// What is alike has the same.
    pub gathered_by: String,
    /// What happened, in a sentence.
    pub title: String,
    /// The same if it happened several times: `{}` stands for how many.
    pub several: Option<String>,
    /// More of it.
    pub detail: String,
    /// Where it leads.
    pub url: String,
    /// A picture of it.
    pub picture: Option<String>,
}

fn excerpt(text: &str) -> String {
    let mut short: String = text.chars().take(EXCERPT).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

fn of_months(months: u32) -> String {
    match months / 12 {
        0 => format!("{months} months"),
        1 => "a year".to_owned(),
        years => format!("{years} years"),
    }
}

/// What is told of an occasion.
pub fn told(occasion: Occasion) -> Told {
    match occasion {
        Occasion::WentLive { broadcast, channel, name, title, picture } => Told {
            kind: NotificationKind::WentLive,
            occasion: format!("live {broadcast}"),
            gathered_by: format!("live {channel}"),
            title: format!("{name} is live"),
            several: None,
            detail: title,
            url: format!("/{channel}"),
            picture,
        },
        Occasion::Mention { message, channel, by, text } => Told {
            kind: NotificationKind::Mention,
            occasion: format!("mention {message}"),
            gathered_by: format!("mention {channel}"),
            title: format!("{by} mentioned you in the chat of {channel}"),
            several: Some(format!("You were mentioned {{}} times in the chat of {channel}")),
            detail: excerpt(&text),
            url: format!("/{channel}"),
            picture: None,
        },
        Occasion::Follower { who, name, channel, picture } => Told {
            kind: NotificationKind::Follower,
            occasion: format!("follower {channel} {who}"),
            gathered_by: format!("follower {channel}"),
            title: format!("{name} follows {channel}"),
            several: Some(format!("{{}} people follow {channel}, {name} the last of them")),
            detail: String::new(),
            url: format!("/analytics/{channel}"),
            picture,
        },
        Occasion::Moderation { action, channel, name, deed, detail } => Told {
            kind: NotificationKind::Moderation,
            occasion: format!("action {action}"),
            // Each is news: a time-out that is followed by a ban is not two of the same.
            gathered_by: format!("action {action}"),
            title: match deed {
                Deed::TimedOut => format!("You were timed out in the chat of {name}"),
                Deed::Banned => format!("You were banned from the chat of {name}"),
                Deed::Unbanned => format!("You may write in the chat of {name} again"),
                // Another ban or time-out may stand: that they may write again is not for this to say.
                Deed::AppealAccepted => format!("Your appeal in the chat of {name} was accepted"),
                Deed::AppealDeclined => format!("Your appeal in the chat of {name} was declined"),
            },
            several: None,
            detail: excerpt(&detail),
            url: format!("/{channel}"),
            picture: None,
        },
        Occasion::Subscription { key, channel, name, news } => {
            let of_days = |days: u32| if days == 1 { "1 day".to_owned() } else { format!("{days} days") };
            let (title, detail) = match news {
                TermNews::Given { tier, days } => (
                    format!("You were given a subscription to {name}"),
                    format!("Tier {tier}, for {}.", of_days(days)),
                ),
                TermNews::Ended => (format!("Your subscription to {name} was ended"), String::new()),
                TermNews::RunsOut { tier, days } => (
                    format!("Your subscription to {name} runs out soon"),
                    format!("Tier {tier}, in less than {}.", of_days(days)),
                ),
            };
            Told {
                kind: NotificationKind::Subscription,
                occasion: format!("subscription {key}"),
                // Given again and again, it rings once.
                gathered_by: format!("subscription {channel}"),
                title,
                several: None,
                detail,
                url: format!("/{channel}"),
                picture: None,
            }
        }
        Occasion::Milestone { who, name, channel, months, picture } => Told {
            kind: NotificationKind::Subscription,
            occasion: format!("milestone {channel} {who} {months}"),
            gathered_by: format!("milestone {channel}"),
            // Names stand apart from the sentence, whichever way they are written.
            title: format!("\u{2068}{name}\u{2069} has subscribed to {channel} for {}", of_months(months)),
            several: Some(format!(
                "{{}} people have subscribed to {channel} for long, \u{2068}{name}\u{2069} the last of them"
            )),
            detail: String::new(),
            url: format!("/analytics/{channel}"),
            picture,
        },
        Occasion::System { key, title, detail, url } => Told {
            kind: NotificationKind::System,
            occasion: format!("system {key}"),
            gathered_by: format!("system {key}"),
            title,
            several: None,
            detail,
            url,
            picture: None,
        },
    }
}

/// The sentence for something that happened so many times.
pub fn title(told: &Told, times: u32) -> String {
    match &told.several {
        Some(several) if times > 1 => several.replacen("{}", &times.to_string(), 1),
        _ => told.title.clone(),
    }
}

/// When something that happens now may leave the server by each way; `None` for not at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// The bell shows it.
    pub in_app: bool,
    /// To the browsers.
    pub push: Option<Timestamp>,
    /// By e-mail.
    pub email: Option<Timestamp>,
}

impl Plan {
    /// By what a person wants.
    pub fn of(preferences: &Preferences, kind: NotificationKind, now: Timestamp) -> Self {
        let Ways { in_app, push, email } = preferences.ways(kind);
        let awake = preferences.quiet.as_ref().map_or(now, |quiet| awake(quiet, now));
        let gathered = Timestamp::from_millis(awake.as_millis().max(now.as_millis() + GATHER));
        Self { in_app, push: push.then_some(awake), email: email.then_some(gathered) }
    }

    /// Whether nobody is told at all.
    pub fn is_nothing(&self) -> bool {
        !self.in_app && self.push.is_none() && self.email.is_none()
    }
}

/// What becomes of a message that is due: people may have changed their mind since it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leave {
    /// It goes.
    Now,
    /// It waits for then.
    At(Timestamp),
    /// Nobody wants it any more.
    Never,
}

/// Whether a message may leave, for one who wants its kind by its way or doesn't.
pub fn leave(preferences: &Preferences, is_wanted: bool, now: Timestamp) -> Leave {
    match preferences.quiet.as_ref().map(|quiet| awake(quiet, now)) {
        _ if !is_wanted => Leave::Never,
        Some(then) if then > now => Leave::At(then),
        _ => Leave::Now,
    }
}

/// An unread notification that the next of its kind may be gathered into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Open {
    /// The bell shows it, so that it can be read at all.
    pub in_app: bool,
    /// Some message of it hasn't left yet.
    pub waits: bool,
    /// When the last of it happened.
    pub at: Timestamp,
}

/// Whether what happens now is gathered into an unread notification. One that no bell shows is never read: once it has left, the
/// next is a new one, or push and e-mail alone would ring once and never again.
pub fn is_gathered(open: Open) -> bool {
    open.in_app || open.waits
}

/// Whether browsers and mailboxes hear of what was gathered, too.
pub fn rings_again(told: &Told, open: Open, now: Timestamp) -> bool {
    // What has no word for several is news each time; but whoever gives subscriptions away could ring with them at will.
    let is_news = told.several.is_none() && told.kind != NotificationKind::Subscription;
    is_news || now.as_millis() - open.at.as_millis() >= RUNG_FOR
}

/// Whether preferences are such as there can be.
pub fn are_possible(preferences: &Preferences) -> bool {
    preferences.quiet.as_ref().is_none_or(quiet::is_possible)
}

/// When something that failed so often is tried again; `None` to give it up.
pub fn again(tries: u32, now: Timestamp) -> Option<Timestamp> {
    let wait = 30_000i64 << tries.saturating_sub(1).min(7);
    (tries < TRIES_MOST).then(|| Timestamp::from_millis(now.as_millis() + wait.min(3_600_000)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::notification::QuietHours;

    const DAY_MINUTES: i64 = 24 * 60;

    fn at(hours: i64, minutes: i64) -> Timestamp {
        Timestamp::from_millis((20_000 * DAY_MINUTES + hours * 60 + minutes) * MINUTE)
    }

    #[test]
    fn each_kind_goes_by_the_ways_that_a_person_wants() {
        let now = at(12, 0);
        let plan = Plan::of(&Preferences::default(), NotificationKind::WentLive, now);
        assert_eq!(plan, Plan { in_app: true, push: Some(now), email: None });
        let none = Ways { in_app: false, push: false, email: false };
        let silent = Preferences { follower: none, ..Preferences::default() };
        assert!(Plan::of(&silent, NotificationKind::Follower, now).is_nothing());
        let night = Some(QuietHours { from: 11 * 60, to: 13 * 60, offset: 0, zone: None });
        let asleep = Preferences { mention: Ways { push: true, ..none }, quiet: night, ..silent };
        let plan = Plan::of(&asleep, NotificationKind::Mention, now);
        assert_eq!(plan, Plan { in_app: false, push: Some(at(13, 0)), email: None });
    }

    #[test]
    fn e_mail_waits_for_more_and_for_the_morning() {
        let ways = Ways { in_app: false, push: false, email: true };
        let day = Preferences { mention: ways, ..Preferences::default() };
        let plan = Plan::of(&day, NotificationKind::Mention, at(12, 0));
        assert_eq!(plan, Plan { in_app: false, push: None, email: Some(at(12, 1)) });
        let night = Some(QuietHours { from: 11 * 60, to: 13 * 60, offset: 0, zone: None });
        let plan = Plan::of(&Preferences { quiet: night, ..day }, NotificationKind::Mention, at(12, 0));
        assert_eq!(plan.email, Some(at(13, 0)));
    }

    #[test]
    fn what_is_due_goes_by_what_a_person_wants_by_then() {
        let night = Some(QuietHours { from: 22 * 60, to: 7 * 60, offset: 0, zone: None });
        let asleep = Preferences { quiet: night, ..Preferences::default() };
        assert_eq!(leave(&asleep, true, at(12, 0)), Leave::Now);
        assert_eq!(leave(&asleep, true, at(23, 0)), Leave::At(at(31, 0)));
        assert_eq!(leave(&asleep, false, at(23, 0)), Leave::Never);
        assert_eq!(leave(&Preferences::default(), true, at(23, 0)), Leave::Now);
    }

    #[test]
    fn what_is_alike_rings_once_an_hour_and_what_no_bell_shows_is_never_waited_for() {
        let mention = told(Occasion::Mention {
            message: "m".parse().unwrap(),
            channel: "ada".parse().unwrap(),
            by: "Ben".parse().unwrap(),
            text: String::new(),
        });
        let open = Open { in_app: true, waits: false, at: at(12, 0) };
        assert!(is_gathered(open) && !rings_again(&mention, open, at(12, 59)));
        assert!(rings_again(&mention, open, at(13, 0)));
        assert!(!is_gathered(Open { in_app: false, ..open }));
        assert!(is_gathered(Open { in_app: false, waits: true, ..open }));
        let live = Told { several: None, ..mention };
        assert!(rings_again(&live, open, at(12, 1)));
    }

    #[test]
    fn preferences_that_cannot_be_are_refused() {
        let with = |from, to, offset| Preferences {
            quiet: Some(QuietHours { from, to, offset, zone: None }),
            ..Preferences::default()
        };
        assert!(are_possible(&Preferences::default()) && are_possible(&with(1320, 420, 60)));
        for bad in [with(1440, 0, 0), with(0, 1440, 0), with(60, 60, 0), with(0, 1, 841)] {
            assert!(!are_possible(&bad));
        }
    }

    #[test]
    fn what_fails_is_tried_again_later_each_time_and_then_given_up() {
        let waits: Vec<i64> = (1..TRIES_MOST)
            .map(|tries| again(tries, at(0, 0)).unwrap().as_millis() - at(0, 0).as_millis())
            .collect();
        assert_eq!(waits, [30_000, 60_000, 120_000, 240_000, 480_000, 960_000, 1_920_000]);
        assert_eq!(again(TRIES_MOST, at(0, 0)), None);
    }

    #[test]
    fn what_moderators_and_owners_do_to_somebody_is_told_each_time() {
        let deed = |action: &str, deed, detail: &str| {
            told(Occasion::Moderation {
                action: action.parse().unwrap(),
                channel: "ada".parse().unwrap(),
                name: "Ada".parse().unwrap(),
                deed,
                detail: detail.to_owned(),
            })
        };
        let (out, ban) = (deed("a1", Deed::TimedOut, "60 s spam"), deed("a2", Deed::Banned, ""));
        assert_eq!(
            (out.title.as_str(), out.detail.as_str()),
            ("You were timed out in the chat of Ada", "60 s spam")
        );
        assert_ne!(out.gathered_by, ban.gathered_by);
        let open = Open { in_app: true, waits: false, at: at(12, 0) };
        assert!(rings_again(&ban, open, at(12, 0)));
        assert!(deed("a3", Deed::Banned, &"x".repeat(500)).detail.len() < 200);
        let declined = deed("a4", Deed::AppealDeclined, "Not after the third time.");
        assert_eq!(
            (declined.title.as_str(), declined.detail.as_str()),
            ("Your appeal in the chat of Ada was declined", "Not after the third time.")
        );
        assert!(deed("a5", Deed::AppealAccepted, "").title.ends_with("was accepted"));
        let term = |news| {
            told(Occasion::Subscription {
                key: "k".to_owned(),
                channel: "ada".parse().unwrap(),
                name: "Ada".parse().unwrap(),
                news,
            })
        };
        assert_eq!(term(TermNews::Given { tier: 2, days: 1 }).detail, "Tier 2, for 1 day.");
        assert_eq!(term(TermNews::RunsOut { tier: 1, days: 3 }).detail, "Tier 1, in less than 3 days.");
        assert_eq!(term(TermNews::Ended).kind, NotificationKind::Subscription);
        assert!(!rings_again(&term(TermNews::Ended), open, at(12, 59)));
        assert!(rings_again(&term(TermNews::Ended), open, at(13, 0)));
    }

    #[test]
    fn owners_are_told_who_has_subscribed_for_long_once_for_each_milestone() {
        let milestone = |who: &str, months| {
            told(Occasion::Milestone {
                who: who.to_lowercase(),
                name: who.parse().unwrap(),
                channel: "ada".parse().unwrap(),
                months,
                picture: None,
            })
        };
        for (months, words) in [(3, "3 months"), (6, "6 months"), (12, "a year"), (24, "2 years")] {
            let expected = format!("\u{2068}Ben\u{2069} has subscribed to ada for {words}");
            assert_eq!(milestone("Ben", months).title, expected);
        }
        let (ben, later, cleo) = (milestone("Ben", 3), milestone("Ben", 6), milestone("Cleo", 3));
        assert!(ben.occasion != later.occasion && ben.occasion != cleo.occasion);
        assert_eq!((&ben.gathered_by, ben.kind), (&cleo.gathered_by, NotificationKind::Subscription));
        assert_eq!(
            title(&cleo, 2),
            "2 people have subscribed to ada for long, \u{2068}Cleo\u{2069} the last of them"
        );
    }

    #[test]
    fn what_happened_several_times_is_said_once() {
        let follower = |name: &str| {
            told(Occasion::Follower {
                who: name.to_lowercase(),
                name: name.parse().unwrap(),
                channel: "ada".parse().unwrap(),
                picture: None,
            })
        };
        let (ben, cleo) = (follower("Ben"), follower("{}"));
        assert_eq!(ben.gathered_by, cleo.gathered_by);
        assert_ne!(ben.occasion, cleo.occasion);
        assert_eq!(title(&ben, 1), "Ben follows ada");
        assert_eq!(title(&cleo, 3), "3 people follow ada, {} the last of them");
        let long = told(Occasion::Mention {
            message: "m".parse().unwrap(),
            channel: "ada".parse().unwrap(),
            by: "Ben".parse().unwrap(),
            text: "ä".repeat(500),
        });
        assert_eq!(long.detail.chars().count(), EXCERPT + 1);
    }
}
