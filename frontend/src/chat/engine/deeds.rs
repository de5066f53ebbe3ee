//! What a person does in a room beside writing.

use super::{Engine, Inner};
use crate::{
    api::chat as rest,
    browser,
    chat::{complete_state, snapshot::Heard},
};
use shared::{
    chat::{ChatAuthor, ReplyTo},
    id::{MessageId, PollId},
    moderation::GiveCommand,
};
use std::rc::Rc;

impl Engine {
    /// Gives a command. What comes of it is said in the log, to this person alone; one that was not taken comes back.
    pub fn command(&self, text: String, reply_to: Option<ReplyTo>) {
        let inner = self.0.clone();
        browser::spawn(async move {
            let guest = inner.guest.borrow().clone();
            let reply = reply_to.as_ref().map(|reply| reply.id.clone());
            let changes_colour = complete_state::is_colour(&text);
            let given = GiveCommand { text: text.clone(), reply_to: reply };
            match rest::command(&inner.channel, guest, &given).await {
                Ok(done) => {
                    for words in done.said {
                        inner.log.borrow_mut().say(words);
                    }
                    // What is still to come of this person shows the colour that they chose.
                    if changes_colour {
                        inner.identify();
                    }
                }
                Err(failure) => {
                    inner.log.borrow_mut().say(failure.sentence());
                    if inner.free.get() {
                        inner.report.emit(Heard::Returned(text, reply_to));
                    }
                }
            }
            inner.schedule();
        });
    }

    /// Bans somebody; what they wrote lately goes.
    pub fn ban(&self, author: &ChatAuthor) {
        let (inner, author) = (self.0.clone(), author.clone());
        browser::spawn(async move {
            let done = rest::ban(&inner.channel, author.id.clone()).await;
            let words = format!("\u{2068}{}\u{2069} is banned until you lift it.", author.name);
            inner.report.emit(Heard::Said(done.map_or_else(|failure| failure.sentence(), |()| words)));
        });
    }

    /// Votes in the poll that is open.
    pub fn vote(&self, poll: &PollId, option: u32) {
        let (inner, poll) = (self.0.clone(), poll.clone());
        browser::spawn(async move {
            let guest = inner.guest.borrow().clone();
            match rest::vote(&inner.channel, guest, &poll, option).await {
                Ok(voted) => {
                    if let Some(room) = inner.room.borrow_mut().as_mut() {
                        Rc::make_mut(room).vote = Some(voted.option);
                    }
                }
                Err(failure) => inner.report.emit(Heard::Said(failure.sentence())),
            }
            inner.schedule();
        });
    }

    /// Stays where the raid leaves from.
    pub fn stay(&self) {
        self.0.set_raid(None);
        self.0.schedule();
    }

    /// Puts a poll that is over out of sight.
    pub fn put_poll_away(&self) {
        self.0.poll.take();
        if let Some(room) = self.0.room.borrow_mut().as_mut() {
            Rc::make_mut(room).poll = None;
        }
        self.0.schedule();
    }

    /// Shows a message above all others, or none.
    pub fn pin(&self, message: Option<MessageId>) {
        let inner = self.0.clone();
        browser::spawn(async move {
            if let Err(failure) = rest::pin(&inner.channel, message).await {
                inner.report.emit(Heard::Said(failure.sentence()));
            }
        });
    }

    /// Takes a message away from everybody: here at once, and back if it fails.
    pub fn delete(&self, message: MessageId) {
        self.0.clone().take_away(vec![message], None);
    }

    /// Times somebody out for so many seconds, in `words`; what they wrote lately goes.
    pub fn silence(&self, author: &ChatAuthor, seconds: u32, words: &'static str) {
        let lately = self.0.log.borrow().lately_by(&author.id, self.0.server_time());
        self.0.clone().take_away(lately, Some((author.clone(), seconds, words)));
    }
}

impl Inner {
    fn take_away(self: Rc<Self>, messages: Vec<MessageId>, silence: Option<(ChatAuthor, u32, &'static str)>) {
        self.log.borrow_mut().hide(&messages);
        self.schedule();
        browser::spawn(async move {
            let done = match &silence {
                Some((author, seconds, _)) => rest::silence(&self.channel, author.id.clone(), *seconds).await,
                None => match messages.first() {
                    Some(message) => rest::delete_message(&self.channel, message).await,
                    None => Ok(()),
                },
            };
            match (done, silence) {
                (Ok(()), None) => {}
                (Ok(()), Some((author, _, words))) => {
                    // Isolated: a name from right to left must not turn the sentence around.
                    let words = format!("\u{2068}{}\u{2069} can't write for {words}.", author.name);
                    self.report.emit(Heard::Said(words));
                }
                (Err(failure), _) => {
                    self.log.borrow_mut().unhide(&messages);
                    self.schedule();
                    self.report.emit(Heard::Said(failure.sentence()));
                }
            }
        });
    }
}
