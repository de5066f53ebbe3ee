//! Commands, as people type them: a stroke, a word, and what it is about. What they mean and who may give them. Pure.

use super::{
    moderation::SILENCE_MOST,
    room::SLOW_MOST,
    text::{self, ChatText},
};
use crate::permission::{Permission, Standings};
use shared::{
    chat::{EditChat, NameColour},
    id::{ChannelName, MessageId, PersonId},
    moderation::CommandHelp,
    poll::{NewPoll, OPTIONS, POLL_SECONDS},
    text::AccountName,
};

/// What is said to whoever names a colour that there isn't.
const COLOURS_HELP: &str =
    "There are red, orange, amber, gold, lime, green, teal, cyan, blue, indigo, violet and pink";
/// Letters of a word that is repeated in an answer.
const ECHO_MOST: usize = 30;
/// Minutes that somebody may have to have followed a channel.
pub const FOLLOWERS_MINUTES_MOST: u32 = 90 * 24 * 60;
/// How long a time-out lasts if nothing is said.
const SILENCE: u32 = 600;
/// How long a poll is open if nothing is said.
const POLL: u32 = 120;
/// Seconds between two messages if nothing is said.
const SLOW: u32 = 30;

/// Which command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Word {
    /// Times somebody out.
    Timeout,
    /// Bans somebody.
    Ban,
    /// Lets somebody write again.
    Unban,
    /// Deletes a message.
    Delete,
    /// Clears the room.
    Clear,
    /// Slow mode.
    Slow,
    /// Followers alone.
    Followers,
    /// Subscribers alone.
    Subscribers,
    /// Emotes alone.
    EmoteOnly,
    /// Nothing twice.
    Unique,
    /// Sends those who watch to another channel.
    Raid,
    /// Calls that off.
    Unraid,
    /// Makes a moderator.
    Mod,
    /// Takes that away.
    Unmod,
    /// Makes a VIP.
    Vip,
    /// Takes that away.
    Unvip,
    /// Pins a message.
    Pin,
    /// Takes the pinned message down.
    Unpin,
    /// Begins a poll, or ends it.
    Poll,
    /// Says what one does.
    Me,
    /// Chooses the colour of one's name.
    Color,
    /// Says what there is.
    Help,
}

/// How a command is given, and by whom.
#[derive(Debug)]
pub struct Spec {
    /// Which.
    pub word: Word,
    /// Without its stroke.
    pub name: &'static str,
    /// What comes behind it.
    takes: &'static str,
    /// What it does, in a sentence.
    help: &'static str,
    /// What one must be allowed to, to give it.
    pub needs: Permission,
}

const fn spec(
    word: Word,
    name: &'static str,
    takes: &'static str,
    needs: Permission,
    help: &'static str,
) -> Spec {
    Spec { word, name, takes, help, needs }
}

/// Every command there is, in the order of the help.
pub static SPECS: &[Spec] = &[
    spec(
        Word::Help,
        "help",
        "[COMMAND]",
        Permission::WriteChat,
        "Says which commands there are, or how one is given.",
    ),
    spec(
        Word::Me,
        "me",
        "WORDS",
        Permission::WriteChat,
        "Says what you do, with your name as the first word.",
    ),
    spec(
        Word::Color,
        "color",
        "NAME|auto",
        Permission::OwnAccount,
        "Gives your name a colour: red, orange, amber, gold, lime, green, teal, cyan, blue, indigo, violet or pink.",
    ),
    spec(
        Word::Timeout,
        "timeout",
        "NAME [TIME] [REASON]",
        Permission::ModerateChat,
        "Keeps somebody from writing for a while (10 min, or 30s, 5m, 2h, 1d …) and takes their last ten minutes away.",
    ),
    spec(
        Word::Ban,
        "ban",
        "NAME [REASON]",
        Permission::ModerateChat,
        "Keeps somebody from writing until you lift it, and takes their last hour away.",
    ),
    spec(Word::Unban, "unban", "NAME", Permission::ModerateChat, "Lifts a ban or a time-out."),
    spec(
        Word::Delete,
        "delete",
        "[MESSAGE]",
        Permission::ModerateChat,
        "Takes the message away that you answer with this, or the one with this id.",
    ),
    spec(
        Word::Clear,
        "clear",
        "",
        Permission::ModerateChat,
        "Takes everything away that was written so far.",
    ),
    spec(
        Word::Slow,
        "slow",
        "[TIME|off]",
        Permission::RuleChat,
        "Lets each person write once in a while (30 s, or up to 10m).",
    ),
    spec(
        Word::Followers,
        "followers",
        "[TIME|off]",
        Permission::RuleChat,
        "Lets only those write who follow the channel, for at least so long if you say how long.",
    ),
    spec(Word::Subscribers, "subscribers", "[off]", Permission::RuleChat, "Lets only subscribers write."),
    spec(Word::EmoteOnly, "emoteonly", "[off]", Permission::RuleChat, "Lets nothing through but emotes."),
    spec(Word::Unique, "unique", "[off]", Permission::RuleChat, "Lets nothing through that was said lately."),
    spec(
        Word::Pin,
        "pin",
        "[MESSAGE]",
        Permission::ModerateChat,
        "Shows the message that you answer with this above all others.",
    ),
    spec(Word::Unpin, "unpin", "", Permission::ModerateChat, "Takes the pinned message down."),
    spec(
        Word::Poll,
        "poll",
        "[TIME] QUESTION | OPTION | OPTION …",
        Permission::ModerateChat,
        "Asks everybody (2 min, or up to 1h), with 2 to 6 options. /poll end ends it.",
    ),
    spec(
        Word::Raid,
        "raid",
        "CHANNEL",
        Permission::Raid,
        "Takes everybody who watches along to another channel that is live, in 15 seconds.",
    ),
    spec(Word::Unraid, "unraid", "", Permission::Raid, "Calls the raid off that hasn't left."),
    spec(Word::Mod, "mod", "ACCOUNT", Permission::Appoint, "Makes somebody a moderator."),
    spec(Word::Unmod, "unmod", "ACCOUNT", Permission::Appoint, "Takes that role away."),
    spec(
        Word::Vip,
        "vip",
        "ACCOUNT",
        Permission::Appoint,
        "Makes somebody a VIP: most of the room's modes don't hold for them.",
    ),
    spec(Word::Unvip, "unvip", "ACCOUNT", Permission::Appoint, "Takes that role away."),
];

impl Spec {
    /// How it is typed.
    pub fn usage(&self) -> String {
        format!("/{} {}", self.name, self.takes).trim_end().to_owned()
    }

    /// As somebody is told of it.
    pub fn told(&self) -> CommandHelp {
        CommandHelp { usage: self.usage(), help: self.help.to_owned() }
    }
}

/// The commands that somebody may give.
pub fn open_to(is: Standings) -> impl Iterator<Item = &'static Spec> {
    SPECS.iter().filter(move |spec| is.may(spec.needs))
}

/// What the command needs that was typed, if there is such a one.
pub fn needs(typed: &str) -> Option<Permission> {
    let text = ChatText::parse(typed).ok()?;
    split(text.as_str()).and_then(|(name, _)| spec_of(name)).map(|spec| spec.needs)
}

/// Who is meant by what begins behind a command, and how many bytes of it are the name.
pub trait Names {
    /// The person.
    fn person(&self, rest: &str) -> Option<(usize, PersonId)>;
}

/// A command that can be carried out, if whoever gives it may.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Time somebody out.
    Timeout {
        /// Whom.
        person: PersonId,
        /// For how long.
        seconds: u32,
        /// Why.
        reason: String,
    },
    /// Ban somebody.
    Ban {
        /// Whom.
        person: PersonId,
        /// Why.
        reason: String,
    },
    /// Lift somebody's ban and time-out.
    Unban(PersonId),
    /// Delete a message; the answered one if absent.
    Delete(Option<MessageId>),
    /// Clear the room.
    Clear,
    /// Change the rules.
    Rules(EditChat),
    /// Make somebody a moderator, or take that away.
    Moderator(AccountName, bool),
    /// Make somebody a VIP, or take that away.
    Vip(AccountName, bool),
    /// Pin a message; the answered one if absent.
    Pin(Option<MessageId>),
    /// Take the pinned one down.
    Unpin,
    /// Begin a poll.
    Poll(NewPoll),
    /// End the poll.
    EndPoll,
    /// Send those who watch there.
    Raid(ChannelName),
    /// Call that off.
    EndRaid,
    /// Say what one does.
    Me(String),
    /// Give one's name a colour; none for the one that it has by itself.
    Colour(Option<NameColour>),
    /// Say which commands there are.
    Help(Option<Word>),
}

/// Why a command can't be carried out as it was typed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    /// No such command.
    #[error("there is no command “/{0}”. /help says which there are")]
    Unknown(String),
    /// Something is missing or too much.
    #[error("it is given like this: {0}")]
    Usage(String),
    /// Nobody by that name.
    #[error("nobody called “{0}” wrote here lately, and no account has that name")]
    Nobody(String),
    /// No colour by that name.
    #[error("there is no colour “{0}”. {COLOURS_HELP}")]
    Colour(String),
    /// A time that is none, or too long.
    #[error("“{given}” is no time from 1 second to {most}. Write 30s, 5m, 2h or 1d")]
    Time {
        /// As it was typed.
        given: String,
        /// The longest, in words.
        most: &'static str,
    },
}

/// The word of a command and what comes behind it; `None` if the text is none. Two strokes, or a stroke and a space, are text.
pub fn split(typed: &str) -> Option<(&str, &str)> {
    let rest = typed.trim_start().strip_prefix('/')?;
    if !rest.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return None;
    }
    let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
    // A path like /etc/hosts is text.
    rest[..end].chars().all(|c| c.is_alphanumeric()).then(|| (&rest[..end], rest[end..].trim()))
}

/// The command of this name.
pub fn spec_of(name: &str) -> Option<&'static Spec> {
    // As the British write it, too.
    let name = if name.eq_ignore_ascii_case("colour") { "color" } else { name };
    SPECS.iter().find(|spec| spec.name.eq_ignore_ascii_case(name))
}

/// What the first word behind a command could be an account's name of.
pub fn account_of(rest: &str) -> Option<AccountName> {
    first(rest).0.trim_start_matches('@').parse().ok()
}

/// Reads a command.
pub fn parse(name: &str, rest: &str, names: &dyn Names) -> Result<Command, CommandError> {
    let spec = spec_of(name).ok_or_else(|| CommandError::Unknown(echo(name)))?;
    let usage = || CommandError::Usage(spec.usage());
    let nothing = |command| if rest.is_empty() { Ok(command) } else { Err(usage()) };
    let message = || match rest {
        "" => Ok(None),
        rest => rest.parse().map(Some).map_err(|_| usage()),
    };
    let account = || account_of(rest).filter(|_| first(rest).1.is_empty()).ok_or_else(usage);
    let switch = || match rest.to_ascii_lowercase().as_str() {
        "" | "on" => Ok(true),
        "off" => Ok(false),
        _ => Err(usage()),
    };
    let rules = |edit| Ok(Command::Rules(edit));
    match spec.word {
        Word::Timeout => {
            let (person, rest) = person(rest, names, usage)?;
            let (word, behind) = first(rest);
            let (seconds, reason) = match seconds(word) {
                Some(seconds) if (1..=SILENCE_MOST).contains(&seconds) => (seconds, behind),
                // What begins like a time and is none is a slip, and no reason.
                _ if word.starts_with(|c: char| c.is_ascii_digit()) => {
                    return Err(CommandError::Time { given: echo(word), most: "two weeks (14d)" });
                }
                _ => (SILENCE, rest),
            };
            Ok(Command::Timeout { person, seconds, reason: reason.to_owned() })
        }
        Word::Ban => {
            let (person, reason) = person(rest, names, usage)?;
            Ok(Command::Ban { person, reason: reason.to_owned() })
        }
        Word::Unban => match person(rest, names, usage)? {
            (person, "") => Ok(Command::Unban(person)),
            _ => Err(usage()),
        },
        Word::Delete => message().map(Command::Delete),
        Word::Pin => message().map(Command::Pin),
        Word::Clear => nothing(Command::Clear),
        Word::Unpin => nothing(Command::Unpin),
        Word::Unraid => nothing(Command::EndRaid),
        Word::Raid => {
            let name = rest.trim_start_matches(['@', '/']);
            name.parse().map(Command::Raid).map_err(|_| usage())
        }
        Word::Slow => {
            let seconds = lasts(rest, SLOW, SLOW_MOST, "ten minutes (10m)")?;
            rules(EditChat { slow_seconds: Some(seconds.unwrap_or(0)), ..EditChat::default() })
        }
        Word::Followers => {
            let seconds = lasts(rest, 0, FOLLOWERS_MINUTES_MOST * 60, "90 days (90d)")?;
            rules(EditChat {
                followers: Some(seconds.is_some()),
                followers_minutes: seconds.map(|seconds| seconds.div_ceil(60)),
                ..EditChat::default()
            })
        }
        Word::Subscribers => rules(EditChat { subscribers: Some(switch()?), ..EditChat::default() }),
        Word::EmoteOnly => rules(EditChat { emote_only: Some(switch()?), ..EditChat::default() }),
        Word::Unique => rules(EditChat { unique: Some(switch()?), ..EditChat::default() }),
        Word::Mod => Ok(Command::Moderator(account()?, true)),
        Word::Unmod => Ok(Command::Moderator(account()?, false)),
        Word::Vip => Ok(Command::Vip(account()?, true)),
        Word::Unvip => Ok(Command::Vip(account()?, false)),
        Word::Poll if rest.eq_ignore_ascii_case("end") => Ok(Command::EndPoll),
        Word::Poll => {
            let (word, behind) = first(rest);
            let (seconds, rest) = match seconds(word) {
                Some(seconds) if POLL_SECONDS.contains(&seconds) && !behind.is_empty() => (seconds, behind),
                _ => (POLL, rest),
            };
            let mut parts = rest.split('|').map(|part| part.trim().to_owned());
            let question = parts.next().unwrap_or_default();
            let options: Vec<String> = parts.collect();
            if question.is_empty() || options.len() < *OPTIONS.start() {
                return Err(usage());
            }
            Ok(Command::Poll(NewPoll { question, options, seconds }))
        }
        Word::Color if rest.is_empty() => Err(usage()),
        Word::Color if rest.eq_ignore_ascii_case("auto") => Ok(Command::Colour(None)),
        Word::Color => match rest.to_ascii_lowercase().parse() {
            Ok(colour) => Ok(Command::Colour(Some(colour))),
            Err(_) => Err(CommandError::Colour(echo(rest))),
        },
        Word::Me if rest.is_empty() => Err(usage()),
        Word::Me => Ok(Command::Me(rest.to_owned())),
        Word::Help if rest.is_empty() => Ok(Command::Help(None)),
        Word::Help => {
            let about = rest.trim_start_matches('/');
            let spec = spec_of(about).ok_or_else(|| CommandError::Unknown(echo(about)))?;
            Ok(Command::Help(Some(spec.word)))
        }
    }
}

/// The first word, and the rest.
fn first(text: &str) -> (&str, &str) {
    text.split_once(char::is_whitespace).map_or((text, ""), |(first, rest)| (first, rest.trim_start()))
}

/// What was typed, short and without what turns a line around: it stands in a sentence of ours.
fn echo(word: &str) -> String {
    text::excerpt(&text::clean(word), ECHO_MOST)
}

fn person<'a>(
    rest: &'a str,
    names: &dyn Names,
    usage: impl Fn() -> CommandError,
) -> Result<(PersonId, &'a str), CommandError> {
    let rest = rest.strip_prefix('@').unwrap_or(rest);
    if rest.is_empty() {
        return Err(usage());
    }
    let is_whole = |end: usize| rest[end..].is_empty() || rest[end..].starts_with(char::is_whitespace);
    names
        .person(rest)
        .filter(|(end, _)| *end > 0 && rest.is_char_boundary(*end) && is_whole(*end))
        .map(|(end, person)| (person, rest[end..].trim_start()))
        .ok_or_else(|| CommandError::Nobody(echo(first(rest).0)))
}

/// How long a mode says: `None` for off, `or` if nothing is said.
fn lasts(rest: &str, or: u32, most: u32, words: &'static str) -> Result<Option<u32>, CommandError> {
    match rest {
        "" | "on" => Ok(Some(or)),
        "off" | "0" => Ok(None),
        time => match seconds(time) {
            Some(seconds) if (1..=most).contains(&seconds) => Ok(Some(seconds)),
            _ => Err(CommandError::Time { given: echo(time), most: words }),
        },
    }
}

/// `90`, `90s`, `10m`, `1h30m`, `2d`, `1w`: in seconds.
fn seconds(text: &str) -> Option<u32> {
    let mut total: u32 = 0;
    let mut rest = text;
    let mut last = u32::MAX;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let number: u32 = rest[..end].parse().ok()?;
        let mut behind = rest[end..].chars();
        let unit = match behind.next().map(|c| c.to_ascii_lowercase()) {
            None if last == u32::MAX => 1,
            Some('s') => 1,
            Some('m') => 60,
            Some('h') => 3600,
            Some('d') => 86_400,
            Some('w') => 604_800,
            _ => return None,
        };
        // Each smaller than the one before.
        if unit >= last {
            return None;
        }
        last = unit;
        total = total.checked_add(number.checked_mul(unit)?)?;
        rest = behind.as_str();
    }
    (!text.is_empty()).then_some(total)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::permission::Standing;
    use shared::account::Role;

    struct Known;

    impl Names for Known {
        fn person(&self, rest: &str) -> Option<(usize, PersonId)> {
            ["Ben Li", "ben", "Zoë"]
                .iter()
                .find(|name| rest.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name)))
                .map(|name| (name.len(), "p1".parse().unwrap()))
        }
    }

    fn read(typed: &str) -> Result<Command, CommandError> {
        let (name, rest) = split(typed).expect("a command");
        parse(name, rest, &Known)
    }

    fn timeout(seconds: u32, reason: &str) -> Result<Command, CommandError> {
        Ok(Command::Timeout { person: "p1".parse().unwrap(), seconds, reason: reason.to_owned() })
    }

    fn edit(edit: EditChat) -> Result<Command, CommandError> {
        Ok(Command::Rules(edit))
    }

    #[test]
    fn what_is_no_command_is_text() {
        for text in
            ["hello", "", "/", "//", "/ x", "//ban ben", "/1", "/etc/hosts", "a /ban ben", "/-", "/?", "/é"]
        {
            assert_eq!(split(text), None, "{text}");
        }
        assert_eq!(split(" /Ban  @ben  x "), Some(("Ban", "@ben  x")));
        assert_eq!(split("/clear"), Some(("clear", "")));
    }

    #[test]
    fn people_are_found_by_names_with_spaces_too() {
        assert_eq!(read("/timeout ben"), timeout(600, ""));
        assert_eq!(read("/TIMEOUT @Ben 30s"), timeout(30, ""));
        assert_eq!(read("/timeout Ben Li 1h30m too loud"), timeout(5400, "too loud"));
        assert_eq!(read("/timeout zoë 2d"), timeout(172_800, ""), "as the room folds names");
        assert_eq!(read("/timeout ZOË 2d"), Err(CommandError::Nobody("ZOË".into())));
        assert_eq!(read("/timeout Zoë  2d  a  b"), timeout(172_800, "a  b"));
        assert_eq!(read("/timeout ben spam 5"), timeout(600, "spam 5"));
        assert_eq!(
            read("/timeout benny"),
            Err(CommandError::Nobody("benny".into())),
            "a beginning is no name"
        );
        assert_eq!(
            read("/ban ben"),
            Ok(Command::Ban { person: "p1".parse().unwrap(), reason: String::new() })
        );
        assert_eq!(read("/unban @ben"), Ok(Command::Unban("p1".parse().unwrap())));
        assert!(matches!(read("/unban ben now"), Err(CommandError::Usage(_))));
        assert!(matches!(read("/ban"), Err(CommandError::Usage(_))));
        assert!(matches!(read("/ban @"), Err(CommandError::Usage(_))));
    }

    #[test]
    fn a_colour_is_chosen_by_its_name_and_every_name_is_told() {
        for colour in NameColour::ALL {
            let name = colour.name();
            assert_eq!(read(&format!("/color {name}")), Ok(Command::Colour(Some(*colour))));
            assert_eq!(read(&format!("/Colour {}", name.to_uppercase())), Ok(Command::Colour(Some(*colour))));
            assert!(COLOURS_HELP.contains(name), "{name}");
            assert!(spec_of("color").is_some_and(|spec| spec.help.contains(name)), "{name}");
        }
        assert_eq!(read("/color auto"), Ok(Command::Colour(None)));
        assert_eq!(read("/color"), Err(CommandError::Usage("/color NAME|auto".into())));
        for wrong in ["#ff0000", "red blue", "reddish", "var(--live)"] {
            assert_eq!(read(&format!("/color {wrong}")), Err(CommandError::Colour(wrong.into())));
        }
    }

    #[test]
    fn a_time_that_is_none_is_no_reason() {
        for time in ["0", "15d", "5x", "99999999999999999999", "1m1h", "1s1", "10mm", "4294967295w"] {
            let given = read(&format!("/timeout ben {time}"));
            assert_eq!(
                given,
                Err(CommandError::Time { given: time.into(), most: "two weeks (14d)" }),
                "{time}"
            );
        }
        assert_eq!(read("/timeout ben 14d"), timeout(1_209_600, ""));
        for (text, wanted) in [
            ("90", Some(90)),
            ("1h30m", Some(5400)),
            ("1W", Some(604_800)),
            ("", None),
            ("h", None),
            ("-5", None),
        ] {
            assert_eq!(seconds(text), wanted, "{text}");
        }
    }

    #[test]
    fn modes_are_turned_on_and_off() {
        let slow = |slow| edit(EditChat { slow_seconds: Some(slow), ..EditChat::default() });
        assert_eq!((read("/slow"), read("/slow 5"), read("/slow off")), (slow(30), slow(5), slow(0)));
        assert!(matches!(read("/slow 11m"), Err(CommandError::Time { .. })));
        assert!(matches!(read("/slow soon"), Err(CommandError::Time { .. })));
        let followers = |followers, followers_minutes| {
            edit(EditChat { followers: Some(followers), followers_minutes, ..EditChat::default() })
        };
        assert_eq!(read("/followers"), followers(true, Some(0)));
        assert_eq!(read("/followers 1h"), followers(true, Some(60)));
        assert_eq!(read("/followers 90d"), followers(true, Some(FOLLOWERS_MINUTES_MOST)));
        assert_eq!(read("/followers off"), followers(false, None));
        assert_eq!(read("/unique OFF"), edit(EditChat { unique: Some(false), ..EditChat::default() }));
        assert_eq!(read("/emoteonly"), edit(EditChat { emote_only: Some(true), ..EditChat::default() }));
        assert!(matches!(read("/subscribers maybe"), Err(CommandError::Usage(_))));
    }

    #[test]
    fn the_rest_takes_what_it_says() {
        assert_eq!(read("/me  waves "), Ok(Command::Me("waves".into())));
        assert_eq!(read("/mod @Ben-2"), Ok(Command::Moderator("ben-2".parse().unwrap(), true)));
        assert_eq!(read("/raid @Grace"), Ok(Command::Raid("grace".parse().unwrap())));
        assert_eq!((read("/raid /grace"), read("/unraid")), (read("/raid grace"), Ok(Command::EndRaid)));
        assert_eq!(read("/unvip ben"), Ok(Command::Vip("ben".parse().unwrap(), false)));
        assert_eq!(read("/pin m1"), Ok(Command::Pin(Some("m1".parse().unwrap()))));
        assert_eq!((read("/delete"), read("/clear")), (Ok(Command::Delete(None)), Ok(Command::Clear)));
        assert_eq!(read("/help /ban"), Ok(Command::Help(Some(Word::Ban))));
        for bad in [
            "/me",
            "/mod",
            "/mod a b",
            "/mod é",
            "/pin a b",
            "/pin ../x",
            "/raid",
            "/raid a b",
            "/clear all",
            "/unpin x",
        ] {
            assert!(matches!(read(bad), Err(CommandError::Usage(_))), "{bad}: {:?}", read(bad));
        }
        let long = format!("/{}", "x".repeat(200));
        let Err(CommandError::Unknown(echoed)) = read(&long) else { panic!("{long}") };
        assert!(echoed.chars().count() <= ECHO_MOST + 1);
        assert_eq!(read("/help x\u{202E}y"), Err(CommandError::Unknown("xy".into())));
    }

    #[test]
    fn a_poll_is_a_question_and_options() {
        let poll = |seconds, question: &str, options: &[&str]| {
            let options = options.iter().map(|one| (*one).to_owned()).collect();
            Ok(Command::Poll(NewPoll { question: question.to_owned(), options, seconds }))
        };
        assert_eq!(read("/poll What next? | Clay|Stones"), poll(120, "What next?", &["Clay", "Stones"]));
        assert_eq!(read("/poll 30s Next? | a | b | c"), poll(30, "Next?", &["a", "b", "c"]));
        assert_eq!(read("/poll 5 or 6? | a | b"), poll(120, "5 or 6?", &["a", "b"]), "too short for a time");
        assert_eq!(read("/poll END"), Ok(Command::EndPoll));
        for bad in ["/poll", "/poll x", "/poll x | y", "/poll | a | b"] {
            assert!(matches!(read(bad), Err(CommandError::Usage(_))), "{bad}");
        }
    }

    #[test]
    fn what_hides_in_a_word_hides_nothing_of_what_it_needs() {
        assert_eq!(needs("/mod ben"), Some(Permission::Appoint));
        assert_eq!(needs(" /m\u{200B}od ben"), needs("/mod ben"));
        assert_eq!((needs("mod ben"), needs("/nothing"), needs("")), (None, None, None));
    }

    #[test]
    fn everybody_is_shown_what_they_may_and_no_more() {
        let names = |is| open_to(is).map(|spec| spec.name).collect::<Vec<_>>();
        let viewer = Standings::of_account(Role::Owner);
        let moderates = names(viewer.and(Standing::Moderator));
        assert_eq!(names(Standings::GUEST), ["help", "me"]);
        assert_eq!(names(viewer.and(Standing::Editor)), ["help", "me", "color", "raid", "unraid"]);
        assert!(moderates.contains(&"ban") && moderates.contains(&"slow") && !moderates.contains(&"mod"));
        assert_eq!(names(viewer.and(Standing::Owner)).len(), SPECS.len());
        assert_eq!(spec_of("CLEAR").unwrap().usage(), "/clear");
    }
}
