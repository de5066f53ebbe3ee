//! Polls: one a room at a time, a vote a person, results as they come.

pub mod routes;
pub mod store;
pub mod task;

use super::{
    Place,
    commit::work::{Done, Work},
    error::ChatError,
    feed::LiveRoom,
    mode::Said,
    service::{By, Chat, room_writer},
    text,
};
use crate::{actor::Actor, fresh, permission::Permission, store::StoreError};
use shared::{
    chat::ChatAuthor,
    id::{ChannelName, PollId},
    moderation::ActionKind,
    poll::{NewPoll, OPTIONS, POLL_SECONDS, POLL_TEXT_MOST, Poll, PollOption, Vote, Voted},
    unit::Timestamp,
};
use std::sync::Arc;
use unicode_segmentation::UnicodeSegmentation;

/// A poll that may begin, from what was asked for.
pub fn checked(new: NewPoll, id: PollId, now: Timestamp) -> Result<Poll, ChatError> {
    let words = |typed: &str| -> Option<String> {
        let words = text::clean(typed);
        let fits = text::has_something_to_see(&words) && words.graphemes(true).count() <= POLL_TEXT_MOST;
        // A letter may be many bytes, though not without end.
        (fits && words.len() <= POLL_TEXT_MOST * 16).then_some(words)
    };
    let invalid = |field, detail| ChatError::Invalid { field, detail };
    if !POLL_SECONDS.contains(&new.seconds) {
        return Err(invalid("seconds", "A poll is open for 10 seconds to an hour."));
    }
    let question =
        words(&new.question).ok_or_else(|| invalid("question", "A question has 1 to 100 characters."))?;
    let wrong =
        || invalid("options", "A poll has 2 to 6 options, all different, each of 1 to 100 characters.");
    let options: Option<Vec<String>> =
        new.options.iter().take(OPTIONS.end() + 1).map(|one| words(one)).collect();
    let options = options.filter(|options| OPTIONS.contains(&options.len())).ok_or_else(wrong)?;
    let is_double = |(at, one): (usize, &String)| options[..at].contains(one);
    if options.iter().enumerate().any(is_double) {
        return Err(wrong());
    }
    Ok(Poll {
        id,
        question,
        options: options.into_iter().map(|text| PollOption { text, votes: 0 }).collect(),
        ends_at: Timestamp::from_millis(now.as_millis() + i64::from(new.seconds) * 1000),
        ended: false,
    })
}

impl Chat {
    /// Begins a poll.
    pub async fn start_poll(
        &self,
        who: &Actor,
        channel: &ChannelName,
        new: NewPoll,
    ) -> Result<Poll, ChatError> {
        let moderated = self.allowed(who, channel, Permission::ModerateChat).await?;
        let poll = checked(new, fresh::id(), fresh::now())?;
        let act = moderated.act(ActionKind::StartPoll).saying(poll.question.clone());
        match self.write(&moderated, Work::StartPoll(Box::new(poll.clone())), act).await? {
            Done::Nothing => Err(ChatError::PollOpen),
            _ => {
                self.end_in_time(moderated.room, &poll);
                Ok(poll)
            }
        }
    }

    /// Ends the open poll before its time.
    pub async fn end_poll(&self, who: &Actor, channel: &ChannelName) -> Result<Poll, ChatError> {
        let moderated = self.allowed(who, channel, Permission::ModerateChat).await?;
        let open = moderated.room.rules().poll().filter(|poll| !poll.ended).cloned();
        let open = open.ok_or(ChatError::NoPoll)?;
        let act = moderated.act(ActionKind::EndPoll).saying(open.question);
        match self.write(&moderated, Work::EndPoll(open.id), act).await? {
            Done::Nothing => Err(ChatError::NoPoll),
            _ => moderated.room.rules().poll().cloned().ok_or(ChatError::NoPoll),
        }
    }

    /// Counts a vote; the one that stands.
    pub async fn vote(
        &self,
        by: By<'_>,
        channel: &ChannelName,
        id: &PollId,
        vote: Vote,
    ) -> Result<Voted, ChatError> {
        let place = self.place(by.visitor(), channel).await?;
        let room = self.room(&place).await?;
        let you = self.author(by, &place, &room).await?.ok_or(ChatError::Nobody)?;
        let writer = room_writer(&you, by, Said::default());
        let now = room.now();
        let known = {
            let rules = room.rules();
            if let Some(barred) = rules.barred(&writer, now) {
                return Err(barred.into());
            }
            rules.poll().filter(|poll| poll.id == *id).map(|poll| (poll.options.len(), poll.ended))
        };
        let (options, ended) = known.ok_or(ChatError::NoPoll)?;
        if vote.option as usize >= options {
            return Err(ChatError::Invalid { field: "option", detail: "The poll has no such option." });
        }
        if ended {
            return Err(ChatError::NoPoll);
        }
        let voter = voter(&room, &you.author, &writer.network);
        // Who voted is told so without the one writer, which is everybody's.
        if let Some(option) = self.0.store.vote_of(id, &voter).await? {
            return Ok(Voted { option });
        }
        let work = Work::Vote { poll: id.clone(), voter, option: vote.option };
        match self.0.writer.write(room.clone(), work, None).await? {
            Done::Voted(option) => {
                self.tell_results_soon(room, id.clone());
                Ok(Voted { option })
            }
            _ => Err(ChatError::NoPoll),
        }
    }

    /// What somebody voted in the poll that the room shows.
    pub(super) async fn vote_of(
        &self,
        room: &LiveRoom,
        you: &ChatAuthor,
        by: By<'_>,
    ) -> Result<Option<u32>, ChatError> {
        let Some(id) = room.rules().poll().map(|poll| poll.id.clone()) else { return Ok(None) };
        let network = by.address.map(crate::limit::network_of);
        Ok(self.0.store.vote_of(&id, &voter(room, you, &network)).await?)
    }

    /// The poll that a room shows when it is read from the database, and its end if that is to come.
    pub(super) async fn load_poll(&self, place: &Place, room: &Arc<LiveRoom>) -> Result<(), StoreError> {
        let Some(poll) = self.0.store.last_poll(&place.channel).await? else { return Ok(()) };
        let is_open = !poll.ended;
        room.rules().set_poll(poll.clone());
        if is_open {
            self.end_in_time(room.clone(), &poll);
        }
        Ok(())
    }
}

/// As whom somebody votes: accounts as themselves, guests as their network, as names cost nothing.
fn voter(room: &LiveRoom, you: &ChatAuthor, network: &Option<std::net::IpAddr>) -> String {
    match network.filter(|_| you.account.is_none()) {
        Some(network) => format!("network-{}", room.rules().bans().hash(network).as_str()),
        None => you.id.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(question: &str, options: &[&str], seconds: u32) -> Result<Poll, ChatError> {
        let options = options.iter().map(|one| (*one).to_owned()).collect();
        let new = NewPoll { question: question.to_owned(), options, seconds };
        checked(new, "p1".parse().unwrap(), Timestamp::from_millis(1000))
    }

    #[test]
    fn a_poll_has_words_and_a_time() {
        let poll = check(" What\nnext? ", &["Clay", "\u{202E}Stones"], 60).unwrap();
        assert_eq!((poll.question.as_str(), poll.options[1].text.as_str()), ("What next?", "Stones"));
        assert_eq!((poll.ends_at, poll.ended), (Timestamp::from_millis(61_000), false));
        let long = "é".repeat(POLL_TEXT_MOST);
        assert!(check(&long, &[&long, "b"], 10).is_ok());
        let longer = "é".repeat(POLL_TEXT_MOST + 1);
        let many = ["a", "b", "c", "d", "e", "f", "g"];
        assert!(check("q", &many[..6], 3600).is_ok());
        for (question, options, seconds) in [
            ("", &["a", "b"][..], 60),
            (&longer, &["a", "b"][..], 60),
            ("\u{200B}", &["a", "b"][..], 60),
            ("q", &["a"][..], 60),
            ("q", &many[..], 60),
            ("q", &["a", "a "][..], 60),
            ("q", &["a", ""][..], 60),
            ("q", &["a", &longer][..], 60),
            ("q", &["a", "b"][..], 9),
            ("q", &["a", "b"][..], 3601),
        ] {
            assert!(
                matches!(check(question, options, seconds), Err(ChatError::Invalid { .. })),
                "{question} {options:?}"
            );
        }
    }
}
