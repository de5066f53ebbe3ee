//! The bus, in memory. Publishing never waits; who reads too slowly falls back on the ring, and then starts anew.

use super::{
    StreamEventService,
    ring::{Delivery, Missed, Ring},
};
use crate::fresh;
use shared::{
    event::{ChannelEvent, Cursor, Occurrence},
    id::ChannelName,
    publish::RoomUpdate,
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::sync::broadcast;

/// Occurrences that wait for one reader before it lags.
const WAITING: usize = 64;
/// Those that wait for a reader of all channels.
const WAITING_OF_ALL: usize = 1024;
/// Channels with a ring. When there are more, the one that was silent for longest and has no readers goes.
const RINGS_MOST: usize = 4096;

/// The bus; cheap to clone.
#[derive(Debug, Clone)]
pub struct Bus(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    lines: Lines<ChannelEvent>,
    all: broadcast::Sender<Delivery>,
}

/// What happens in media rooms, beside the bus, as there is more of it; cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Rooms(Arc<Lines<RoomUpdate>>);

/// Occurrences of one kind, channel by channel.
#[derive(Debug)]
struct Lines<E>(Mutex<HashMap<ChannelName, Line<E>>>);

#[derive(Debug)]
struct Line<E> {
    ring: Ring<E>,
    readers: broadcast::Sender<Delivery<E>>,
}

/// A reader's place in one channel's occurrences.
#[derive(Debug)]
pub struct Subscription<E = ChannelEvent> {
    /// What was missed since the cursor that was given.
    pub missed: Missed<E>,
    /// What comes from now on.
    pub receiver: broadcast::Receiver<Delivery<E>>,
}

impl Default for Bus {
    fn default() -> Self {
        Self(Arc::new(Inner { lines: Lines::default(), all: broadcast::Sender::new(WAITING_OF_ALL) }))
    }
}

impl Bus {
    /// Tells everybody what happened. Whatever a state topic says of it must be readable before.
    pub fn publish(&self, channel: &ChannelName, occurrence: Occurrence) -> Arc<ChannelEvent> {
        let event = Arc::new(ChannelEvent {
            event_id: fresh::id(),
            channel: channel.clone(),
            timestamp: fresh::now(),
            occurrence,
        });
        // Sent under the lock, so that all readers see one order.
        self.0.lines.on_line(channel, |line| {
            // A lively chat would push everything else out of the ring, and has a log of its own.
            let cursor = match event.occurrence {
                Occurrence::ChatMessageSent { .. }
                | Occurrence::ChatMessageHeld { .. }
                | Occurrence::ChatAppealMade { .. }
                | Occurrence::ChatModerated { .. } => line.ring.last(),
                _ => line.ring.push(event.clone()),
            };
            // No reader is no error.
            let _ = line.readers.send((cursor, event.clone()));
            let _ = self.0.all.send((cursor, event.clone()));
        });
        event
    }

    /// One channel's occurrences, from now on or since a cursor.
    pub fn subscribe(&self, channel: &ChannelName, after: Option<Cursor>) -> Subscription {
        self.0.lines.subscribe(channel, after)
    }

    /// Every channel's occurrences from now on.
    pub fn subscribe_all(&self) -> broadcast::Receiver<Delivery> {
        self.0.all.subscribe()
    }
}

impl StreamEventService for Bus {
    fn tell(&self, channel: &ChannelName, occurrence: Occurrence) {
        self.publish(channel, occurrence);
    }

    fn hear_all(&self) -> broadcast::Receiver<Delivery> {
        self.subscribe_all()
    }
}

impl Rooms {
    /// Tells everybody what happened in a room.
    pub fn publish(&self, channel: &ChannelName, update: RoomUpdate) {
        let update = Arc::new(update);
        self.0.on_line(channel, |line| {
            let cursor = line.ring.push(update.clone());
            // No reader is no error.
            let _ = line.readers.send((cursor, update));
        });
    }

    /// One channel's updates, from now on or since a cursor.
    pub fn subscribe(&self, channel: &ChannelName, after: Option<Cursor>) -> Subscription<RoomUpdate> {
        self.0.subscribe(channel, after)
    }
}

impl<E> Default for Lines<E> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<E> Lines<E> {
    fn subscribe(&self, channel: &ChannelName, after: Option<Cursor>) -> Subscription<E> {
        self.on_line(channel, |line| {
            let last = line.ring.last();
            let nothing = Missed { events: Vec::new(), complete: true, last };
            let missed = after.map_or(nothing, |after| line.ring.since(after));
            Subscription { missed, receiver: line.readers.subscribe() }
        })
    }

    fn on_line<T>(&self, channel: &ChannelName, work: impl FnOnce(&mut Line<E>) -> T) -> T {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() >= RINGS_MOST && !lines.contains_key(channel) {
            let silent = lines.iter().filter(|(_, line)| line.readers.receiver_count() == 0);
            let oldest = silent.min_by_key(|(_, line)| line.ring.last()).map(|(name, _)| name.clone());
            if let Some(name) = oldest {
                lines.remove(&name);
            }
        }
        let line = lines.entry(channel.clone()).or_insert_with(|| Line {
            ring: Ring::new(fresh::now()),
            readers: broadcast::Sender::new(WAITING),
        });
        work(line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> ChannelName {
        text.parse().unwrap()
    }

    #[tokio::test]
    async fn a_reader_gets_its_channel_alone_in_order() {
        let bus = Bus::default();
        let mut ada = bus.subscribe(&name("ada"), None);
        assert!(ada.missed.complete);
        bus.publish(&name("bob"), Occurrence::ChannelEdited {});
        let first = bus.publish(&name("ada"), Occurrence::ChannelEdited {});
        let second = bus.publish(&name("ada"), Occurrence::ChannelEdited {});
        let (cursor, got) = ada.receiver.recv().await.unwrap();
        assert_eq!(got, first);
        assert_eq!(ada.receiver.recv().await.unwrap().1, second);
        let back = bus.subscribe(&name("ada"), Some(cursor));
        assert_eq!(back.missed.events.len(), 1);
        assert!(back.missed.complete);
    }

    #[tokio::test]
    async fn a_reader_that_lags_finds_the_rest_in_the_ring() {
        let bus = Bus::default();
        let mut ada = bus.subscribe(&name("ada"), None);
        for _ in 0..200 {
            bus.publish(&name("ada"), Occurrence::ChannelEdited {});
        }
        assert!(matches!(ada.receiver.recv().await, Err(broadcast::error::RecvError::Lagged(_))));
        let missed = bus.subscribe(&name("ada"), Some(ada.missed.last)).missed;
        assert_eq!((missed.events.len(), missed.complete), (200, true));
    }

    #[tokio::test]
    async fn chat_pushes_nothing_out_of_the_ring() {
        let bus = Bus::default();
        let ada = name("ada");
        let mut reader = bus.subscribe(&ada, None);
        let edited = bus.publish(&ada, Occurrence::ChannelEdited {});
        let said = bus.publish(&ada, Occurrence::ChatMessageSent { message_id: "m".parse().unwrap() });
        assert_eq!(reader.receiver.recv().await.unwrap().1, edited);
        let (cursor, told) = reader.receiver.recv().await.unwrap();
        assert_eq!(told, said, "whoever listens hears it");
        for _ in 0..1000 {
            bus.publish(&ada, Occurrence::ChatMessageSent { message_id: "m".parse().unwrap() });
        }
        let missed = bus.subscribe(&ada, Some(reader.missed.last)).missed;
        assert_eq!((missed.events.len(), missed.complete), (1, true));
        assert!(bus.subscribe(&ada, Some(cursor)).missed.events.is_empty());
    }

    #[test]
    fn rings_are_bounded() {
        let bus = Bus::default();
        let kept = bus.subscribe(&name("kept"), None);
        for n in 0..RINGS_MOST + 10 {
            bus.publish(&name(&format!("c{n}")), Occurrence::ChannelEdited {});
        }
        assert_eq!(bus.0.lines.0.lock().unwrap().len(), RINGS_MOST);
        assert!(bus.0.lines.0.lock().unwrap().contains_key(&name("kept")));
        drop(kept);
    }
}
