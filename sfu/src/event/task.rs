//! The work behind a request on the event socket: asks whether it may be followed, and waits for what comes next of it.

use super::{
    RoomFollowed, RoomNews, RoomReader,
    bus::Subscription,
    feed::{Follower, Snapshot},
    gateway::Key,
    ring::{Delivery, first_cursor},
    websocket::Gateway,
};
use crate::{actor::Embed, fresh, http::login::SignedIn};
use shared::{
    chat::Sent,
    event::{ChannelEvent, Cursor, Occurrence, Topic},
    id::{AccountId, ChannelName},
    problem::Problem,
    publish::RoomUpdate,
};
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::{broadcast::error::RecvError, watch},
    time::sleep,
};

/// When the database can't say whether a room may still be followed, it is asked again after this.
const ASK_AGAIN: Duration = Duration::from_secs(1);

/// What came of a piece of work for a request, and the work that follows.
pub(super) enum Happened {
    Granted { key: Key, complete: bool, cursor: Option<Cursor>, next: Following },
    Refused { key: Key, problem: Box<Problem> },
    State { key: Key, snapshot: Arc<Snapshot>, next: Following },
    Occurred { key: Key, events: Vec<(Cursor, Payload)>, next: Following },
    Chat { key: Key, cursor: Cursor, text: Arc<str>, next: Following },
    Bell { key: Key, cursor: Cursor, text: Arc<str>, next: Following },
    Sent { key: Key, sent: Sent },
    FellBehind { key: Key },
    Over { key: Key },
}

/// A request's place in what it follows.
pub(super) enum Following {
    State { ask: Arc<Ask>, follower: Follower },
    Occurrences { ask: Arc<Ask>, subscription: Subscription, seen: Cursor },
    Media { ask: Arc<Ask>, subscription: Subscription<RoomUpdate>, seen: Cursor },
    Chat { ask: Arc<Ask>, reader: Box<dyn RoomReader> },
    Bell { ask: Arc<Ask>, account: AccountId, word: watch::Receiver<u64> },
}

/// Who asks for what.
pub(super) struct Ask {
    pub(super) key: Key,
    pub(super) topic: Topic,
    pub(super) channel: Option<ChannelName>,
    pub(super) who: Option<Arc<SignedIn>>,
    /// The token of a signed embed, and whether it admitted on this connection before.
    pub(super) token: Option<Arc<str>>,
    pub(super) is_proven: bool,
    pub(super) gateway: Gateway,
}

impl Following {
    /// The signed embed that was asked with.
    pub(super) fn token(&self) -> Option<&Arc<str>> {
        let (Self::State { ask, .. }
        | Self::Occurrences { ask, .. }
        | Self::Media { ask, .. }
        | Self::Bell { ask, .. }
        | Self::Chat { ask, .. }) = self;
        ask.token.as_ref()
    }
}

/// What is sent of a request.
#[derive(Debug, Clone)]
pub(super) enum Payload {
    State(Arc<Snapshot>),
    Event(Arc<ChannelEvent>),
    Media(Arc<RoomUpdate>),
    Chat(Arc<str>),
}

impl Ask {
    /// `goes_on`: what was granted before is asked about again.
    fn embed(&self, goes_on: bool) -> Option<Embed<'_>> {
        self.token.as_deref().map(|token| Embed { token, goes_on: goes_on || self.is_proven })
    }

    async fn authorise(&self, goes_on: bool) -> Result<(), Happened> {
        let (who, embed) = (self.who.as_deref(), self.embed(goes_on));
        let granted = self.gateway.source.authorise(who, embed, self.topic, self.channel.as_ref()).await;
        granted.map_err(|problem| Happened::Refused { key: self.key, problem: Box::new(problem) })
    }
}

pub(super) async fn open(ask: Arc<Ask>, after: Option<Cursor>) -> Happened {
    if ask.topic != Topic::Chat
        && let Err(refused) = ask.authorise(false).await
    {
        return refused;
    }
    let key = ask.key;
    match (&ask.channel, ask.topic) {
        (Some(channel), Topic::ChannelEvents) => {
            let subscription = ask.gateway.bus.subscribe(channel, after);
            let missed = &subscription.missed;
            // With something to come first, the client has not seen as far as that yet.
            let cursor = missed.events.is_empty().then_some(missed.last);
            let (complete, seen) = (missed.complete, missed.last);
            Happened::Granted {
                key,
                complete,
                cursor,
                next: Following::Occurrences { ask, subscription, seen },
            }
        }
        (Some(channel), Topic::Rooms) => {
            let subscription = ask.gateway.rooms.subscribe(channel, after);
            let missed = &subscription.missed;
            let cursor = missed.events.is_empty().then_some(missed.last);
            let (complete, seen) = (missed.complete, missed.last);
            Happened::Granted { key, complete, cursor, next: Following::Media { ask, subscription, seen } }
        }
        (Some(channel), Topic::Chat) => {
            let (who, embed) = (ask.who.as_deref(), ask.embed(false));
            match ask.gateway.chat.follow(who, embed, channel, after).await {
                Ok(RoomFollowed { complete, cursor, reader }) => {
                    Happened::Granted { key, complete, cursor, next: Following::Chat { ask, reader } }
                }
                Err(problem) => Happened::Refused { key, problem: Box::new(problem) },
            }
        }
        (_, Topic::Bell) => {
            // Granted to somebody who is signed in, and to nobody else.
            let Some(account) = ask.who.as_ref().map(|who| who.actor.account.clone()) else {
                return Happened::Over { key };
            };
            let word = ask.gateway.bells.listen(&account);
            Happened::Granted {
                key,
                complete: true,
                cursor: None,
                next: Following::Bell { ask, account, word },
            }
        }
        (channel, topic) => {
            let follower = ask.gateway.feeds.follow(topic, channel.clone());
            Happened::Granted { key, complete: true, cursor: None, next: Following::State { ask, follower } }
        }
    }
}

pub(super) async fn follow(following: Following) -> Happened {
    match following {
        Following::State { ask, mut follower } => {
            let key = ask.key;
            loop {
                if follower.changed().await.is_err() {
                    // What it told of may be gone, and then whoever followed it is told that.
                    return ask.authorise(true).await.err().unwrap_or(Happened::Over { key });
                }
                let Some(snapshot) = follower.borrow_and_update().clone() else { continue };
                if snapshot.is_restricted()
                    && let Err(refused) = ask.authorise(true).await
                {
                    return refused;
                }
                return Happened::State { key, snapshot, next: Following::State { ask, follower } };
            }
        }
        Following::Occurrences { ask, mut subscription, seen } => {
            let key = ask.key;
            let bus = ask.gateway.bus.clone();
            let again = |channel: &ChannelName| bus.subscribe(channel, Some(seen));
            let events = match next(&mut subscription, ask.channel.as_ref(), again).await {
                Next::Events(events) => events,
                Next::FellBehind => return Happened::FellBehind { key },
                Next::Over => return Happened::Over { key },
            };
            // An edit may have made the channel private.
            let is_edit = |event: &Delivery| matches!(event.1.occurrence, Occurrence::ChannelEdited {});
            if events.iter().any(is_edit)
                && let Err(refused) = ask.authorise(true).await
            {
                return refused;
            }
            let seen = events.last().map_or(seen, |(cursor, _)| *cursor);
            let events = events.into_iter().map(|(cursor, event)| (cursor, Payload::Event(event))).collect();
            Happened::Occurred { key, events, next: Following::Occurrences { ask, subscription, seen } }
        }
        Following::Media { ask, mut subscription, seen } => {
            let key = ask.key;
            let rooms = ask.gateway.rooms.clone();
            let again = |channel: &ChannelName| rooms.subscribe(channel, Some(seen));
            let events = match next(&mut subscription, ask.channel.as_ref(), again).await {
                Next::Events(events) => events,
                Next::FellBehind => return Happened::FellBehind { key },
                Next::Over => return Happened::Over { key },
            };
            // The channel may have been made private meanwhile, which no update of its room says.
            if let Err(refused) = ask.authorise(true).await {
                return refused;
            }
            let seen = events.last().map_or(seen, |(cursor, _)| *cursor);
            let events =
                events.into_iter().map(|(cursor, update)| (cursor, Payload::Media(update))).collect();
            Happened::Occurred { key, events, next: Following::Media { ask, subscription, seen } }
        }
        Following::Bell { ask, account, mut word } => {
            let key = ask.key;
            if word.changed().await.is_err() {
                return Happened::Over { key };
            }
            // Of all that changed meanwhile, the last is told.
            word.borrow_and_update();
            let bell = loop {
                match ask.gateway.bells.read(&account).await {
                    Ok(bell) => break bell,
                    Err(problem) if problem.status < 500 => {
                        return Happened::Refused { key, problem: Box::new(problem) };
                    }
                    Err(_) => sleep(ASK_AGAIN).await,
                }
            };
            let text = serde_json::to_string(&bell).unwrap_or_else(|_| "{}".to_owned()).into();
            let next = Following::Bell { ask, account, word };
            Happened::Bell { key, cursor: first_cursor(fresh::now()), text, next }
        }
        Following::Chat { ask, mut reader } => {
            let key = ask.key;
            loop {
                match reader.next().await {
                    RoomNews::Updates(cursor, text) => {
                        return Happened::Chat { key, cursor, text, next: Following::Chat { ask, reader } };
                    }
                    RoomNews::FellBehind => return Happened::FellBehind { key },
                    RoomNews::AskAgain => {
                        let Some(channel) = &ask.channel else { return Happened::Over { key } };
                        // Nothing is told until it is known; a database that is busy is no answer.
                        let (who, embed) = (ask.who.as_deref(), ask.embed(true));
                        while let Err(problem) = ask.gateway.chat.may_follow(who, embed, channel).await {
                            if problem.status < 500 {
                                return Happened::Refused { key, problem: Box::new(problem) };
                            }
                            sleep(ASK_AGAIN).await;
                        }
                    }
                }
            }
        }
    }
}

/// What comes next of a channel's occurrences.
enum Next<E> {
    Events(Vec<Delivery<E>>),
    FellBehind,
    Over,
}

/// What was missed, or else what happens next; `again` subscribes anew from what was seen, after this reader was too slow.
async fn next<E>(
    subscription: &mut Subscription<E>,
    channel: Option<&ChannelName>,
    again: impl FnOnce(&ChannelName) -> Subscription<E>,
) -> Next<E> {
    let missed = std::mem::take(&mut subscription.missed.events);
    if !missed.is_empty() {
        return Next::Events(missed);
    }
    match subscription.receiver.recv().await {
        Ok(delivery) => Next::Events(vec![delivery]),
        Err(RecvError::Closed) => Next::Over,
        Err(RecvError::Lagged(_)) => {
            let Some(channel) = channel else { return Next::Over };
            *subscription = again(channel);
            if !subscription.missed.complete {
                return Next::FellBehind;
            }
            Next::Events(std::mem::take(&mut subscription.missed.events))
        }
    }
}
