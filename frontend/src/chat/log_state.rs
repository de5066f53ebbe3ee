//! What a room's log shows: in the room's order, each message once, bounded, and still while somebody reads further up.
//! No clock and no page here: `now` is in milliseconds.

use shared::{
    chat::{ChatMessage, ChatSettings, ChatUpdate},
    id::{MessageId, PersonId},
    text::DisplayName,
    unit::Timestamp,
};
use std::{collections::VecDeque, rc::Rc};

/// Lines that are shown; the oldest go.
pub const LINES_MOST: usize = 200;
/// Deletions that are remembered, in case the message comes after.
const DELETED_MOST: usize = 400;
/// So long after history came, nothing is announced: a screen reader takes up late what it was given.
const SETTLES: u64 = 500;
/// More messages than these in [`RUSH`] milliseconds are not read out: nobody could follow.
const RUSH_MOST: usize = 8;
const RUSH: u64 = 2000;
/// What somebody wrote is taken away with a time-out as far back as this, in milliseconds.
const SILENCED_BACK: i64 = 600_000;

/// One line of the log.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// Its own, as long as it is shown.
    pub key: u64,
    /// The message's place in the room; of other lines the place of the message before.
    pub sequence: u64,
    /// What it says.
    pub what: What,
}

/// What a line says.
#[derive(Debug, Clone, PartialEq)]
pub enum What {
    /// What somebody wrote.
    Message(Rc<ChatMessage>),
    /// Somebody was timed out, for so many seconds.
    Silenced(DisplayName, u64),
    /// Somebody was banned.
    Banned(DisplayName),
    /// So many viewers of another channel come.
    Raided(DisplayName, u32),
    /// The rules are these now.
    Rules(&'static str, u32),
    /// A sentence for this person alone.
    Said(String),
    /// Messages before this line are missing.
    Gap,
}

/// A rule that changed, as the first half of [`What::Rules`].
pub const GUESTS_MAY: &str = "People without an account can write again.";
/// The same.
pub const GUESTS_MAY_NOT: &str = "Only people with an account can write now.";
/// The same.
pub const SLOW: &str = "slow";
/// The same.
pub const NOT_SLOW: &str = "Slow mode is off.";

/// The same.
pub const FOLLOWERS: &str = "followers";

/// Modes that are on or off: in which words.
const MODES: [[&str; 2]; 4] = [
    ["Who doesn't follow can write again.", "Only followers can write now."],
    ["Who doesn't subscribe can write again.", "Only subscribers can write now."],
    ["Words can be sent again.", "Only emotes can be sent now."],
    ["What was said can be said again.", "Nothing can be said twice now."],
];

impl Line {
    /// The message, if it is one.
    pub fn message(&self) -> Option<&Rc<ChatMessage>> {
        match &self.what {
            What::Message(message) => Some(message),
            _ => None,
        }
    }
}

/// The log of one room.
#[derive(Debug, Default)]
pub struct LogState {
    lines: VecDeque<Line>,
    /// What came while somebody read further up; takes its place at the end when they come back.
    held: VecDeque<Line>,
    paused: bool,
    unseen: usize,
    /// The highest place that was seen.
    newest: u64,
    /// Up to here, lines were let go for their age.
    floor: u64,
    deleted: VecDeque<MessageId>,
    /// Taken away here before the server said so.
    hidden: Vec<MessageId>,
    settings: Option<ChatSettings>,
    next_key: u64,
    /// When the server took the request on: what is older is history.
    since: Option<Timestamp>,
    quiet_until: u64,
    /// When the last few messages came.
    came: VecDeque<u64>,
}

impl LogState {
    /// The server took the request on, at `at` by its clock; `complete` if nothing is missing since the last time. Otherwise
    /// history comes anew, and nothing that was seen before counts: it may have been deleted meanwhile.
    pub fn started(&mut self, complete: bool, at: Timestamp, now: u64) {
        self.since = Some(at);
        self.quiet_until = now + SETTLES;
        if !complete && self.newest > 0 {
            (self.newest, self.floor, self.unseen, self.paused) = (0, 0, 0, false);
            self.lines.clear();
            self.held.clear();
            self.deleted.clear();
            self.add(What::Gap);
        }
    }

    /// The rules as the room told them.
    pub fn set_settings(&mut self, settings: ChatSettings) {
        self.settings = Some(settings);
    }

    /// Something changed in the room; told at `at` by the server's clock.
    pub fn apply(&mut self, update: ChatUpdate, at: Timestamp, now: u64) {
        match update {
            ChatUpdate::Message(message) => self.message(Rc::new(*message), now),
            ChatUpdate::Deleted { messages } => self.delete(&messages),
            ChatUpdate::Silenced { name, until, .. } => {
                let seconds = (until.since(at).as_millis() as u64 + 500) / 1000;
                if seconds > 0 {
                    self.add(What::Silenced(name, seconds));
                }
            }
            ChatUpdate::Banned { name, .. } => self.add(What::Banned(name)),
            ChatUpdate::Raided { name, viewers, .. } => self.add(What::Raided(name, viewers)),
            ChatUpdate::Cleared {} => self.clear(),
            ChatUpdate::Unsilenced { .. }
            | ChatUpdate::Unbanned { .. }
            | ChatUpdate::Pinned { .. }
            | ChatUpdate::Unpinned {}
            | ChatUpdate::Raid { .. }
            | ChatUpdate::RaidOff {}
            | ChatUpdate::Emotes { .. }
            | ChatUpdate::EmoteEverywhere { .. }
            | ChatUpdate::Badges { .. }
            | ChatUpdate::Poll { .. } => {}
            ChatUpdate::Settings { settings } => self.rules(settings),
        }
        self.trim();
    }

    fn rules(&mut self, settings: ChatSettings) {
        let Some(before) = self.settings.replace(settings) else { return };
        if before.guests != settings.guests {
            self.add(What::Rules(if settings.guests { GUESTS_MAY } else { GUESTS_MAY_NOT }, 0));
        }
        let modes = |of: ChatSettings| [of.followers, of.subscribers, of.emote_only, of.unique];
        for ((was, is), words) in modes(before).into_iter().zip(modes(settings)).zip(MODES) {
            if was != is {
                self.add(What::Rules(words[usize::from(is)], 0));
            }
        }
        let minutes = settings.followers_minutes;
        if settings.followers && minutes > 0 && (!before.followers || minutes != before.followers_minutes) {
            self.add(What::Rules(FOLLOWERS, minutes));
        }
        match settings.slow_seconds {
            slow if slow == before.slow_seconds => {}
            0 => self.add(What::Rules(NOT_SLOW, 0)),
            slow => self.add(What::Rules(SLOW, slow)),
        }
    }

    /// Nothing that was written is shown any more, whatever comes late.
    fn clear(&mut self) {
        self.lines.clear();
        self.held.clear();
        self.unseen = 0;
        self.floor = self.newest;
        self.add(What::Rules("A moderator cleared the chat.", 0));
    }

    /// A sentence for this person alone, at the end.
    pub fn say(&mut self, words: String) {
        self.add(What::Said(words));
        self.trim();
    }

    fn key(&mut self) -> u64 {
        self.next_key += 1;
        self.next_key
    }

    /// A line that is no message, at the end.
    fn add(&mut self, what: What) {
        let line = Line { key: self.key(), sequence: self.newest, what };
        if self.paused { &mut self.held } else { &mut self.lines }.push_back(line);
    }

    fn message(&mut self, message: Rc<ChatMessage>, now: u64) {
        let sequence = message.sequence.0;
        if self.since.is_none_or(|since| message.at <= since) {
            self.quiet_until = now + SETTLES;
        }
        if sequence <= self.newest {
            let same = |line: &Line| {
                line.message().is_some_and(|known| known.sequence.0 == sequence || known.id == message.id)
            };
            let known = self.lines.iter().chain(&self.held).any(same);
            if known || sequence <= self.floor || self.deleted.contains(&message.id) {
                return;
            }
        }
        self.newest = self.newest.max(sequence);
        self.came.push_back(now);
        if self.came.len() > RUSH_MOST {
            self.came.pop_front();
        }
        let key = self.key();
        let paused = self.paused;
        let list = if paused { &mut self.held } else { &mut self.lines };
        let at = list.partition_point(|line| line.sequence <= sequence);
        list.insert(at, Line { key, sequence, what: What::Message(message) });
        if paused {
            self.unseen += 1;
        }
    }

    fn delete(&mut self, messages: &[MessageId]) {
        let gone = |line: &Line| line.message().is_some_and(|message| messages.contains(&message.id));
        let held = self.held.len();
        self.lines.retain(|line| !gone(line));
        self.held.retain(|line| !gone(line));
        self.unseen = self.unseen.saturating_sub(held - self.held.len());
        self.hidden.retain(|hidden| !messages.contains(hidden));
        // An answer must not go on quoting it.
        for line in self.lines.iter_mut().chain(&mut self.held) {
            let What::Message(message) = &mut line.what else { continue };
            if message.reply_to.as_ref().is_some_and(|reply| messages.contains(&reply.id))
                && let Some(reply) = &mut Rc::make_mut(message).reply_to
            {
                reply.excerpt.clear();
            }
        }
        self.deleted.extend(messages.iter().cloned());
        let surplus = self.deleted.len().saturating_sub(DELETED_MOST);
        self.deleted.drain(..surplus);
    }

    fn trim(&mut self) {
        for list in [&mut self.lines, &mut self.held] {
            let surplus = list.len().saturating_sub(LINES_MOST);
            for line in list.drain(..surplus) {
                self.floor = self.floor.max(line.sequence.min(self.newest));
            }
        }
    }

    /// Somebody reads further up (`true`), or is back at the end.
    pub fn pause(&mut self, paused: bool) {
        self.paused = paused;
        if paused {
            return;
        }
        self.unseen = 0;
        let held = std::mem::take(&mut self.held);
        self.lines.extend(held);
        self.lines.make_contiguous().sort_by_key(|line| line.sequence);
        self.trim();
    }

    /// Whether somebody reads further up.
    pub fn is_paused(&self) -> bool {
        self.paused
    }

    /// Messages that came while somebody read further up.
    pub fn unseen(&self) -> usize {
        self.unseen
    }

    /// The highest place that was seen.
    pub fn newest(&self) -> u64 {
        self.newest
    }

    /// What to show, oldest first.
    pub fn shown(&self) -> Vec<Line> {
        let hidden = |line: &&Line| line.message().is_some_and(|message| self.hidden.contains(&message.id));
        self.lines.iter().filter(|line| !hidden(line)).cloned().collect()
    }

    /// Whether the first messages are there, or it is clear that there are none.
    pub fn is_loaded(&self, now: u64) -> bool {
        self.newest > 0 || self.since.is_some() && now >= self.quiet_until
    }

    /// Whether what comes now is read out.
    pub fn announces(&self, now: u64) -> bool {
        let rushes =
            self.came.len() == RUSH_MOST && self.came.front().is_some_and(|first| now < first + RUSH);
        !self.paused && !rushes && now >= self.quiet_until
    }

    /// Takes messages away before the server said so.
    pub fn hide(&mut self, messages: &[MessageId]) {
        self.hidden.extend(messages.iter().cloned());
    }

    /// The server didn't take them away.
    pub fn unhide(&mut self, messages: &[MessageId]) {
        self.hidden.retain(|hidden| !messages.contains(hidden));
    }

    /// What a time-out takes away with it; `at` is now, by the server's clock.
    pub fn lately_by(&self, person: &PersonId, at: Timestamp) -> Vec<MessageId> {
        let all = self.lines.iter().chain(&self.held).filter_map(Line::message);
        let lately = |message: &&Rc<ChatMessage>| {
            message.author.id == *person && at.as_millis() - message.at.as_millis() <= SILENCED_BACK
        };
        all.filter(lately).map(|message| message.id.clone()).collect()
    }

    /// People who wrote, who wrote last first, each once: what they are mentioned by.
    pub fn people(&self) -> Vec<String> {
        let mut seen: Vec<&PersonId> = Vec::new();
        let mut names = Vec::new();
        for author in self.lines.iter().rev().filter_map(Line::message).map(|message| &message.author) {
            if !seen.contains(&&author.id) {
                seen.push(&author.id);
                names.push(match &author.account {
                    Some(account) => account.to_string(),
                    None => author.name.to_string(),
                });
            }
        }
        names
    }

    /// Lets go of messages that are older than `at`, for who shows only the newest.
    pub fn expire(&mut self, at: Timestamp) {
        let old = |line: &Line| line.message().is_none_or(|message| message.at < at);
        while self.lines.front().is_some_and(old) {
            let line = self.lines.pop_front();
            self.floor = self.floor.max(line.map_or(0, |line| line.sequence));
        }
    }
}
