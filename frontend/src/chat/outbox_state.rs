//! What a person wrote and the room doesn't show yet: one after the other, nothing twice, nothing lost without a word.
//! No clock and no socket here: `now` is in milliseconds.

use shared::{
    chat::{ChatMessage, Fragment, ReplyTo, Sent},
    event::Cursor,
    id::{MessageId, RequestId},
    problem::Problem,
};

/// Messages that may wait; the next one is refused.
pub const WAITING_MOST: usize = 10;

/// Where a message stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stage {
    /// Its turn comes.
    Waiting,
    /// Under way, perhaps on a connection that is yet to come.
    Sending,
    /// Taken; the room will show it.
    Sent {
        /// Its id.
        id: MessageId,
        /// Its place.
        sequence: Cursor,
    },
    /// Taken, and it waits for a moderator.
    Held(MessageId),
    /// Not taken, and why.
    Failed(String),
}

/// A message on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    /// The sender's own name for it: sent again with the same, it is taken once.
    pub key: RequestId,
    /// What was typed.
    pub text: String,
    /// What it answers.
    pub reply_to: Option<ReplyTo>,
    /// Where it stands.
    pub stage: Stage,
    /// The room showed a message that must be it, before the answer came.
    arrived: bool,
}

/// What a refusal means for the composer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused {
    /// It stays where it is.
    Stays,
    /// It goes back to be written on.
    Returned {
        /// What was typed.
        text: String,
        /// What it answers.
        reply_to: Option<ReplyTo>,
    },
}

/// The messages on their way, oldest first.
#[derive(Debug, Default)]
pub struct OutboxState {
    queue: Vec<Pending>,
    /// Nothing is sent before then.
    hold_until: u64,
}

/// A fragment as it was typed.
fn typed(fragment: &Fragment) -> &str {
    match fragment {
        Fragment::Text { text }
        | Fragment::Mention { text, .. }
        | Fragment::Emote { text, .. }
        | Fragment::Link { text, .. } => text,
    }
}

/// Whether the fragments say `text`, however its spaces were tidied.
fn says(fragments: &[Fragment], text: &str) -> bool {
    let letters = |text: &str| text.chars().filter(|c| !c.is_ascii_whitespace()).collect::<String>();
    let said: String = fragments.iter().map(typed).collect();
    // What one does is told without the command that begins it.
    let (head, tail) = text.split_at_checked(4).unwrap_or((text, ""));
    let told = if head.eq_ignore_ascii_case("/me ") { tail } else { text };
    letters(&said) == letters(told)
}

impl OutboxState {
    /// Takes a message; `false` if too many wait.
    pub fn push(&mut self, key: RequestId, text: String, reply_to: Option<ReplyTo>) -> bool {
        if self.is_full() {
            return false;
        }
        self.queue.push(Pending { key, text, reply_to, stage: Stage::Waiting, arrived: false });
        true
    }

    /// Whether too many wait.
    pub fn is_full(&self) -> bool {
        self.queue
            .iter()
            .filter(|pending| !matches!(pending.stage, Stage::Sent { .. } | Stage::Held(_)))
            .count()
            >= WAITING_MOST
    }

    /// The next one to send, which is now under way: one at a time, so that they stay in order.
    pub fn next(&mut self, now: u64) -> Option<Pending> {
        let busy = self.queue.iter().any(|pending| pending.stage == Stage::Sending);
        if busy || now < self.hold_until {
            return None;
        }
        let next = self.queue.iter_mut().find(|pending| pending.stage == Stage::Waiting)?;
        next.stage = Stage::Sending;
        Some(next.clone())
    }

    /// Nothing is sent for so long.
    pub fn hold(&mut self, now: u64, seconds: u64) {
        self.hold_until = self.hold_until.max(now + seconds * 1000);
    }

    /// Whole seconds until something can be sent, 0 if now.
    pub fn wait(&self, now: u64) -> u64 {
        self.hold_until.saturating_sub(now).div_ceil(1000)
    }

    /// Waits no more: the rule that made it wait is gone.
    pub fn release(&mut self) {
        self.hold_until = 0;
    }

    fn find(&mut self, key: &RequestId) -> Option<&mut Pending> {
        self.queue.iter_mut().find(|pending| pending.key == *key)
    }

    /// It is on disk.
    pub fn sent(&mut self, key: &RequestId, sent: &Sent, newest: u64) {
        if sent.held {
            if let Some(pending) = self.find(key) {
                pending.stage = Stage::Held(sent.id.clone());
            }
            // Who writes on and on that is held sees the last of it.
            let is_held = |pending: &Pending| matches!(pending.stage, Stage::Held(_));
            if self.queue.iter().filter(|pending| is_held(pending)).count() > WAITING_MOST
                && let Some(first) = self.queue.iter().position(is_held)
            {
                self.queue.remove(first);
            }
        } else if sent.sequence.0 <= newest {
            // The room showed it already, or has taken it away again.
            self.remove(key);
        } else if let Some(pending) = self.find(key) {
            pending.stage = Stage::Sent { id: sent.id.clone(), sequence: sent.sequence };
        }
    }

    /// It was not taken. `free`: the composer is empty, so that the text can go back there.
    pub fn refused(&mut self, key: &RequestId, problem: &Problem, free: bool, now: u64) -> Refused {
        let alone = self
            .queue
            .iter()
            .filter(|pending| !matches!(pending.stage, Stage::Sent { .. } | Stage::Held(_)))
            .count()
            == 1;
        if let Some(seconds) = problem.retry_after {
            self.hold(now, seconds.max(1));
        }
        let Some(at) = self.queue.iter().position(|pending| pending.key == *key) else {
            return Refused::Stays;
        };
        let busy = problem.status >= 500;
        self.queue[at].arrived = false;
        match problem.retry_after {
            // The server will take it in a moment, or it waits among others: its turn comes.
            Some(_) if busy || !alone => self.queue[at].stage = Stage::Waiting,
            Some(_) if free => {
                let Pending { text, reply_to, .. } = self.queue.remove(at);
                return Refused::Returned { text, reply_to };
            }
            _ => self.queue[at].stage = Stage::Failed(problem.detail.clone()),
        }
        Refused::Stays
    }

    /// Sends a failed one again.
    pub fn retry(&mut self, key: &RequestId) {
        if let Some(pending) = self.find(key) {
            pending.stage = Stage::Waiting;
        }
    }

    /// Lets one go.
    pub fn remove(&mut self, key: &RequestId) {
        self.queue.retain(|pending| pending.key != *key);
    }

    /// The room shows a message; `mine` if this person wrote it.
    pub fn heard(&mut self, message: &ChatMessage, mine: bool) {
        let taken = |pending: &Pending| match &pending.stage {
            Stage::Sent { id, sequence } => *id == message.id || sequence.0 <= message.sequence.0,
            Stage::Held(id) => *id == message.id,
            _ => false,
        };
        let count = self.queue.len();
        self.queue.retain(|pending| !taken(pending));
        if !mine || count > self.queue.len() {
            return;
        }
        let is_it = |pending: &&mut Pending| {
            pending.stage == Stage::Sending && !pending.arrived && says(&message.fragments, &pending.text)
        };
        if let Some(pending) = self.queue.iter_mut().find(is_it) {
            pending.arrived = true;
        }
    }

    /// Messages that were taken away before the room showed them; whether one of them waited for a moderator.
    pub fn deleted(&mut self, messages: &[MessageId]) -> bool {
        let mut refused = false;
        self.queue.retain(|pending| match &pending.stage {
            Stage::Sent { id, .. } => !messages.contains(id),
            Stage::Held(id) => {
                let is_gone = messages.contains(id);
                refused |= is_gone;
                !is_gone
            }
            _ => true,
        });
        refused
    }

    /// What to show under the log.
    pub fn shown(&self) -> Vec<Pending> {
        self.queue.iter().filter(|pending| !pending.arrived).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::{chat::ChatAuthor, unit::Timestamp};

    fn key(text: &str) -> RequestId {
        text.parse().unwrap()
    }

    fn outbox(texts: &[&str]) -> OutboxState {
        let mut outbox = OutboxState::default();
        for (at, text) in texts.iter().enumerate() {
            assert!(outbox.push(key(&format!("k{at}")), (*text).to_owned(), None));
        }
        outbox
    }

    fn sent(sequence: u64) -> Sent {
        Sent { id: format!("m{sequence}").parse().unwrap(), sequence: Cursor(sequence), held: false }
    }

    fn said(sequence: u64, text: &str) -> ChatMessage {
        ChatMessage {
            id: format!("m{sequence}").parse().unwrap(),
            sequence: Cursor(sequence),
            at: Timestamp::from_millis(0),
            author: ChatAuthor {
                id: "me".parse().unwrap(),
                name: "Me".parse().unwrap(),
                account: None,
                badges: Vec::new(),
                colour: None,
            },
            fragments: vec![Fragment::Text { text: text.to_owned() }],
            reply_to: None,
            action: false,
        }
    }

    fn problem(status: u16, retry_after: Option<u64>) -> Problem {
        Problem {
            kind: "/problems/x".to_owned(),
            title: "No".to_owned(),
            status,
            detail: "Not now.".to_owned(),
            field: None,
            retry_after,
        }
    }

    fn next(outbox: &mut OutboxState, now: u64) -> Option<String> {
        outbox.next(now).map(|pending| pending.text)
    }

    fn texts(outbox: &OutboxState) -> Vec<String> {
        outbox.shown().into_iter().map(|pending| pending.text).collect()
    }

    #[test]
    fn one_is_under_way_at_a_time_and_the_next_follows_its_answer() {
        let mut outbox = outbox(&["a", "b"]);
        assert_eq!(next(&mut outbox, 0).as_deref(), Some("a"));
        assert_eq!(next(&mut outbox, 0), None);
        outbox.sent(&key("k0"), &sent(1), 0);
        assert_eq!(next(&mut outbox, 0).as_deref(), Some("b"));
    }

    #[test]
    fn what_is_held_shows_until_a_moderator_decided() {
        let mut outbox = outbox(&["a", "b"]);
        for (key_of, id) in [("k0", "m8"), ("k1", "m9")] {
            next(&mut outbox, 0);
            let held = Sent { id: id.parse().unwrap(), sequence: Cursor(0), held: true };
            outbox.sent(&key(key_of), &held, 5);
        }
        assert_eq!(texts(&outbox), ["a", "b"]);
        outbox.heard(&said(6, "other"), false);
        assert_eq!(texts(&outbox), ["a", "b"], "what the room shows meanwhile is not it");
        outbox.heard(&said(8, "a"), true);
        assert!(!outbox.deleted(&["m1".parse().unwrap()]));
        assert_eq!(texts(&outbox), ["b"]);
        assert!(outbox.deleted(&["m9".parse().unwrap()]));
        assert!(texts(&outbox).is_empty());
        for n in 0..WAITING_MOST + 3 {
            assert!(outbox.push(key(&format!("h{n}")), format!("{n}"), None));
            next(&mut outbox, 0);
            let held = Sent { id: format!("h{n}").parse().unwrap(), sequence: Cursor(0), held: true };
            outbox.sent(&key(&format!("h{n}")), &held, 9);
        }
        assert_eq!(outbox.shown().len(), WAITING_MOST);
    }

    #[test]
    fn what_one_does_is_known_again_without_its_command() {
        assert!(says(&[Fragment::Text { text: "waves".to_owned() }], "/me waves"));
        assert!(!says(&[Fragment::Text { text: "waves".to_owned() }], "/mewaves"));
    }

    #[test]
    fn what_was_taken_shows_until_the_room_shows_it() {
        let mut outbox = outbox(&["a"]);
        next(&mut outbox, 0);
        outbox.sent(&key("k0"), &sent(5), 4);
        assert_eq!(texts(&outbox), ["a"]);
        outbox.heard(&said(5, "a"), true);
        assert!(outbox.queue.is_empty());
    }

    #[test]
    fn what_the_room_showed_first_is_not_shown_twice() {
        let mut outbox = outbox(&["hi :wave:  there", "b"]);
        next(&mut outbox, 0);
        outbox.heard(&said(5, "hi :wave: there"), true);
        assert_eq!(texts(&outbox), ["b"]);
        outbox.sent(&key("k0"), &sent(5), 5);
        assert_eq!(outbox.shown().len(), 1);
    }

    #[test]
    fn another_persons_same_words_change_nothing() {
        let mut outbox = outbox(&["hi"]);
        next(&mut outbox, 0);
        outbox.heard(&said(5, "hi"), false);
        assert_eq!(texts(&outbox), ["hi"]);
    }

    #[test]
    fn the_same_words_from_another_tab_hide_it_only_until_its_own_answer() {
        let mut outbox = outbox(&["hi"]);
        next(&mut outbox, 0);
        outbox.heard(&said(5, "hi"), true);
        outbox.refused(&key("k0"), &problem(422, None), true, 0);
        assert_eq!(texts(&outbox), ["hi"]);
    }

    #[test]
    fn what_was_taken_away_before_the_room_showed_it_goes() {
        let mut gone = outbox(&["a"]);
        next(&mut gone, 0);
        gone.sent(&key("k0"), &sent(5), 4);
        gone.deleted(&["m5".parse().unwrap()]);
        assert!(gone.queue.is_empty());
        let mut passed = outbox(&["a"]);
        next(&mut passed, 0);
        passed.sent(&key("k0"), &sent(5), 4);
        passed.heard(&said(6, "other"), false);
        assert!(passed.queue.is_empty(), "the room went on without it");
    }

    #[test]
    fn too_soon_gives_the_text_back_and_counts_down() {
        let mut outbox = outbox(&["a"]);
        next(&mut outbox, 0);
        let back = outbox.refused(&key("k0"), &problem(429, Some(7)), true, 1000);
        assert_eq!(back, Refused::Returned { text: "a".to_owned(), reply_to: None });
        assert!(outbox.queue.is_empty());
        assert_eq!([1000, 1001, 7999, 8000].map(|now| outbox.wait(now)), [7, 7, 1, 0]);
    }

    #[test]
    fn too_soon_with_other_words_in_the_field_leaves_it_to_the_person() {
        let mut outbox = outbox(&["a"]);
        next(&mut outbox, 0);
        assert_eq!(outbox.refused(&key("k0"), &problem(429, Some(7)), false, 0), Refused::Stays);
        assert_eq!(outbox.shown()[0].stage, Stage::Failed("Not now.".to_owned()));
        outbox.retry(&key("k0"));
        assert_eq!(next(&mut outbox, 0), None, "not before its time");
        assert_eq!(next(&mut outbox, 7000).as_deref(), Some("a"));
    }

    #[test]
    fn among_others_that_wait_its_turn_comes_again_in_order() {
        let mut outbox = outbox(&["a", "b", "c"]);
        next(&mut outbox, 0);
        outbox.refused(&key("k0"), &problem(429, Some(2)), true, 0);
        assert_eq!(next(&mut outbox, 1999), None);
        assert_eq!(next(&mut outbox, 2000).as_deref(), Some("a"));
    }

    #[test]
    fn a_server_in_trouble_is_asked_again_by_itself() {
        let mut outbox = outbox(&["a"]);
        next(&mut outbox, 0);
        assert_eq!(outbox.refused(&key("k0"), &problem(503, Some(1)), true, 0), Refused::Stays);
        assert_eq!(next(&mut outbox, 1000).as_deref(), Some("a"));
    }

    #[test]
    fn what_can_never_be_taken_says_why_and_lets_the_next_go() {
        let mut outbox = outbox(&["a", "b"]);
        next(&mut outbox, 0);
        outbox.refused(&key("k0"), &problem(422, None), true, 0);
        assert_eq!(next(&mut outbox, 0).as_deref(), Some("b"));
        outbox.remove(&key("k0"));
        assert_eq!(texts(&outbox), ["b"]);
    }

    #[test]
    fn what_waits_is_bounded() {
        let mut outbox = OutboxState::default();
        for at in 0..WAITING_MOST {
            assert!(outbox.push(key(&format!("k{at}")), "x".to_owned(), None));
        }
        assert!(outbox.is_full() && !outbox.push(key("more"), "x".to_owned(), None));
        next(&mut outbox, 0);
        outbox.sent(&key("k0"), &sent(1), 0);
        assert!(outbox.push(key("more"), "x".to_owned(), None));
    }

    #[test]
    fn slow_mode_holds_the_next_one_and_its_end_lets_it_go() {
        let mut outbox = outbox(&["a", "b"]);
        next(&mut outbox, 0);
        outbox.sent(&key("k0"), &sent(1), 0);
        outbox.hold(0, 60);
        assert_eq!((next(&mut outbox, 59_000), outbox.wait(59_000)), (None, 1));
        outbox.release();
        assert_eq!(next(&mut outbox, 59_000).as_deref(), Some("b"));
    }
}
