//! Sessions that the server ends.

use super::{Entry, MediaSessions};
use crate::rtc::plane::{Command, Seat};
use shared::id::{AccountId, ChannelId, SessionId};
use std::sync::PoisonError;

impl MediaSessions {
    /// Ends a session because the server wants it.
    pub fn dismiss(&self, id: &SessionId) {
        let seat = self.table().sessions.get(id).map(|entry| entry.seat);
        if let Some(seat) = seat {
            self.tell_close(seat);
        }
    }

    /// Ends all sessions, as the server stops.
    pub fn dismiss_all(&self) {
        let seats: Vec<Seat> = self.table().sessions.values().map(|entry| entry.seat).collect();
        for seat in seats {
            self.tell_close(seat);
        }
    }

    /// Ends the sessions of everybody who watches a channel, counted or not.
    pub fn dismiss_viewers(&self, channel: &ChannelId) {
        self.dismiss_those(|entry| !entry.is_publisher && entry.channel == *channel);
    }

    /// Ends the sessions of those who watch a channel by a signed embed.
    pub fn dismiss_embeds(&self, channel: &ChannelId) {
        self.dismiss_those(|entry| entry.by_embed && entry.channel == *channel);
    }

    /// Ends the sessions that somebody who is signed in watches by.
    pub fn dismiss_person(&self, account: &AccountId) {
        self.dismiss_those(|entry| entry.account.as_ref() == Some(account));
    }

    fn dismiss_those(&self, which: impl Fn(&Entry) -> bool) {
        let seats: Vec<Seat> =
            self.table().sessions.values().filter(|entry| which(entry)).map(|entry| entry.seat).collect();
        for seat in seats {
            self.tell_close(seat);
        }
    }

    fn tell_close(&self, seat: Seat) {
        if self.plane.tell(seat.shard, Command::Close { key: seat.key }).is_err() {
            self.overdue.lock().unwrap_or_else(PoisonError::into_inner).push(seat);
        }
    }

    /// Closes what a shard was too busy for before. No more can be overdue than there are seats.
    pub fn close_overdue(&self) {
        let seats = std::mem::take(&mut *self.overdue.lock().unwrap_or_else(PoisonError::into_inner));
        for seat in seats {
            self.tell_close(seat);
        }
    }
}
