//! Carrying out the commands that people give: each does what a route does, and answers in a sentence.

use super::{
    Place,
    command::{self, Command, Spec, Word},
    error::{ChatError, refused},
    feed::LiveRoom,
    fragment::Lookup,
    service::{By, Chat, Names, person_of},
};
use crate::{
    actor::Actor,
    permission::{Permission, Standings},
    store::StoreError,
};
use shared::{
    chat::{ChatSettings, EditChat},
    id::{ChannelName, MessageId, PersonId},
    moderation::{CommandDone, GiveCommand, NewBan, NewPin, NewSilence},
    raid::{NewRaid, RAID_SECONDS},
};
use std::{collections::HashMap, sync::Arc};

impl Chat {
    /// Carries out a command.
    pub async fn command(
        &self,
        by: By<'_>,
        channel: &ChannelName,
        given: GiveCommand,
    ) -> Result<CommandDone, ChatError> {
        let GiveCommand { text, reply_to } = given;
        let place = self.place(by.visitor(), channel).await?;
        let room = self.room(&place).await?;
        let you = self.author(by, &place, &room).await?.ok_or(ChatError::Nobody)?;
        // A command is a line of words: what turns a line around or hides is no part of it.
        let text = super::text::ChatText::parse(&text)?;
        let (name, rest) = command::split(text.as_str()).ok_or(ChatError::NoCommand)?;
        if let Some(spec) = command::spec_of(name).filter(|spec| !you.is.may(spec.needs)) {
            return Err(refused(spec.needs));
        }
        // Nobody finds out by commands who has an account here but those who may give them to somebody.
        let names = self.named(&place, &room, rest, you.is).await?;
        let command = command::parse(name, rest, &names)?;
        let said = match command {
            Command::Help(word) => help(you.is, word),
            Command::Me(_) => return Err(ChatError::IsCommand("me")),
            command => {
                let who = by.who.ok_or(ChatError::NotModerator)?;
                vec![self.carry_out(who, &place, command, reply_to).await?]
            }
        };
        Ok(CommandDone { said })
    }

    async fn named<'a>(
        &self,
        place: &Place,
        room: &'a LiveRoom,
        rest: &str,
        is: Standings,
    ) -> Result<Named<'a>, ChatError> {
        let mut accounts = HashMap::new();
        let looks_up = is.may(Permission::ModerateChat);
        if looks_up
            && let Some(account) = command::account_of(rest)
            && let Some(person) = self.0.ports.accounts.by_name(&account).await?
            && let Some(id) = person_of(&person.id)
        {
            accounts.insert(account.to_string(), id);
        }
        // A person's id, as the API and the record give it, of somebody who was here.
        let word = rest.trim_start_matches('@').split_whitespace().next().unwrap_or_default();
        let mut by_id = None;
        if looks_up
            && let Ok(person) = word.parse::<PersonId>()
            && self.name_of(place, &person).await?.is_some()
        {
            by_id = Some(person);
        }
        let everywhere = Arc::default();
        Ok(Named { names: Names { room, accounts, is, everywhere }, by_id })
    }

    async fn carry_out(
        &self,
        who: &Actor,
        place: &Place,
        command: Command,
        reply_to: Option<MessageId>,
    ) -> Result<String, ChatError> {
        let channel = &place.name;
        let message = |given: Option<MessageId>, spec: Word| {
            let spec = command::SPECS.iter().find(|one| one.word == spec).map(Spec::usage);
            let missing = || command::CommandError::Usage(spec.unwrap_or_default() + ", answering a message");
            given.or(reply_to).ok_or_else(missing)
        };
        Ok(match command {
            Command::Timeout { person, seconds, reason } => {
                let silence = self.silence(who, channel, NewSilence { person, seconds, reason }).await?;
                format!("{} can't write for {}.", isolated(silence.name.as_str()), lasting(seconds))
            }
            Command::Ban { person, reason } => {
                let ban = self.ban(who, channel, NewBan { person, reason }).await?;
                format!("{} is banned until you lift it.", isolated(ban.name.as_str()))
            }
            Command::Unban(person) => {
                let banned = self.unban(who, channel, person.clone()).await;
                let silenced = self.unsilence(who, channel, person.clone()).await;
                match (banned, silenced) {
                    (Err(ChatError::NotBanned), Err(ChatError::NotSilenced)) => {
                        return Err(ChatError::NotBanned);
                    }
                    (Err(error), _) if !matches!(error, ChatError::NotBanned) => return Err(error),
                    (_, Err(error)) if !matches!(error, ChatError::NotSilenced) => return Err(error),
                    _ => {}
                }
                let name = self.shown(place, &person).await?;
                format!("{} may write again.", isolated(&name))
            }
            Command::Delete(given) => {
                let by = By { who: Some(who), ..By::default() };
                self.delete(by, channel, &message(given, Word::Delete)?).await?;
                "The message is deleted.".to_owned()
            }
            Command::Clear => {
                self.clear(who, channel).await?;
                "The room is cleared.".to_owned()
            }
            Command::Rules(edit) => rules(edit, &self.edit(who, channel, edit).await?),
            Command::Moderator(account, true) => {
                let (one, is_new) = self.add_moderator(who, channel, &account).await?;
                let words = if is_new { "is a moderator now" } else { "is a moderator already" };
                format!("{} {words}.", isolated(one.name.as_str()))
            }
            Command::Moderator(account, false) => {
                self.remove_moderator(who, channel, &account).await?;
                format!("@{account} is no moderator any more.")
            }
            Command::Vip(account, is_vip) => {
                let (one, is_changed) = self.set_vip(who, channel, &account, is_vip).await?;
                let words = match (is_vip, is_changed) {
                    (true, true) => "is a VIP now",
                    (true, false) => "is a VIP already",
                    (false, _) => "is no VIP any more",
                };
                format!("{} {words}.", isolated(one.name.as_str()))
            }
            Command::Pin(given) => {
                self.pin(who, channel, NewPin { message: message(given, Word::Pin)? }).await?;
                "The message is pinned.".to_owned()
            }
            Command::Unpin => {
                self.unpin(who, channel).await?;
                "No message is pinned any more.".to_owned()
            }
            Command::Poll(new) => {
                let poll = self.start_poll(who, channel, new).await?;
                format!("The poll is open: {}", isolated(&poll.question))
            }
            Command::EndPoll => {
                self.end_poll(who, channel).await?;
                "The poll is over.".to_owned()
            }
            Command::Raid(to) => {
                let raid = self.start_raid(who, channel, NewRaid { to }).await?;
                let name = isolated(raid.name.as_str());
                format!("Everybody goes on to {name} in {RAID_SECONDS} seconds. /unraid calls it off.")
            }
            Command::EndRaid => {
                self.end_raid(who, channel).await?;
                "The raid is off.".to_owned()
            }
            Command::Colour(colour) => {
                self.0.ports.accounts.set_colour(&who.account, colour).await?;
                self.person_changed(Some(&who.account));
                match colour {
                    Some(colour) => format!("Your name is {} from now on.", colour.name()),
                    None => "Your name has the colour again that it has by itself.".to_owned(),
                }
            }
            Command::Me(_) | Command::Help(_) => return Err(ChatError::NoCommand),
        })
    }

    async fn shown(&self, place: &Place, person: &PersonId) -> Result<String, StoreError> {
        let name = self.name_of(place, person).await?;
        Ok(name.map_or_else(|| "This person".to_owned(), |name| name.to_string()))
    }
}

/// People as commands name them: by what they are called in the room, by account, or by id.
struct Named<'a> {
    names: Names<'a>,
    by_id: Option<PersonId>,
}

impl command::Names for Named<'_> {
    fn person(&self, rest: &str) -> Option<(usize, PersonId)> {
        let by_id = self.by_id.as_ref().filter(|id| {
            rest.strip_prefix(id.as_str())
                .is_some_and(|behind| behind.is_empty() || behind.starts_with(char::is_whitespace))
        });
        by_id.map(|id| (id.as_str().len(), id.clone())).or_else(|| self.names.mention(rest))
    }
}

/// A name from right to left must not turn the sentence around.
fn isolated(name: &str) -> String {
    format!("\u{2068}{name}\u{2069}")
}

fn help(is: Standings, word: Option<Word>) -> Vec<String> {
    let told = |spec: &Spec| {
        let told = spec.told();
        format!("{}: {}", told.usage, told.help)
    };
    match word {
        Some(word) => command::SPECS.iter().filter(|spec| spec.word == word).map(told).collect(),
        None => command::open_to(is).map(told).collect(),
    }
}

/// `30 s`, `10 min`, `2 h`, `3 days`.
fn lasting(seconds: u32) -> String {
    match seconds {
        86_400 => "1 day".to_owned(),
        s if s >= 86_400 && s.is_multiple_of(86_400) => format!("{} days", s / 86_400),
        s if s >= 3600 && s.is_multiple_of(3600) => format!("{} h", s / 3600),
        s if s >= 60 && s.is_multiple_of(60) => format!("{} min", s / 60),
        s => format!("{s} s"),
    }
}

/// What a changed rule means now.
fn rules(edit: EditChat, now: &ChatSettings) -> String {
    let on = |is: bool, on: &str, off: &str| if is { on } else { off }.to_owned();
    match edit {
        EditChat { slow_seconds: Some(0), .. } => "Slow mode is off.".to_owned(),
        EditChat { slow_seconds: Some(slow), .. } => {
            format!("Slow mode is on: one message every {}.", lasting(slow))
        }
        EditChat { followers: Some(true), .. } if now.followers_minutes > 0 => {
            let least = lasting(now.followers_minutes * 60);
            format!("Only who has followed for {least} can write now.")
        }
        EditChat { followers: Some(is), .. } => {
            on(is, "Only followers can write now.", "Who doesn't follow can write again.")
        }
        EditChat { subscribers: Some(is), .. } => {
            on(is, "Only subscribers can write now.", "Who doesn't subscribe can write again.")
        }
        EditChat { emote_only: Some(is), .. } => {
            on(is, "Only emotes can be sent now.", "Words can be sent again.")
        }
        EditChat { unique: Some(is), .. } => {
            on(is, "Nothing can be said twice now.", "What was said can be said again.")
        }
        _ => "The rules are as they were.".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::permission::Standing;
    use shared::account::Role;

    #[test]
    fn a_time_reads_as_people_say_it() {
        for (seconds, words) in
            [(1, "1 s"), (90, "90 s"), (600, "10 min"), (7200, "2 h"), (86_400, "1 day"), (172_800, "2 days")]
        {
            assert_eq!(lasting(seconds), words);
        }
    }

    #[test]
    fn help_is_of_what_one_may_do() {
        let owner = Standings::of_account(Role::Member).and(Standing::Owner);
        assert_eq!(help(Standings::GUEST, None).len(), 2);
        assert_eq!(help(owner, None).len(), command::SPECS.len());
        assert!(help(Standings::GUEST, Some(Word::Ban))[0].starts_with("/ban NAME [REASON]: "));
    }

    #[test]
    fn a_name_cannot_turn_a_sentence_around() {
        assert_eq!(isolated("a"), "\u{2068}a\u{2069}");
    }

    #[test]
    fn each_mode_says_what_it_means() {
        let now = ChatSettings { followers_minutes: 60, ..ChatSettings::default() };
        let followers = EditChat { followers: Some(true), ..EditChat::default() };
        assert_eq!(rules(followers, &now), "Only who has followed for 1 h can write now.");
        assert_eq!(
            rules(EditChat { slow_seconds: Some(0), ..EditChat::default() }, &now),
            "Slow mode is off."
        );
    }
}
