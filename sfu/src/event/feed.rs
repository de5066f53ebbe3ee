//! States, read once a second for each topic and channel that somebody follows, however many do.

use super::{Reading, Source, bus::Bus, change, ring::first_cursor};
use crate::fresh;
use shared::{
    event::{Cursor, Occurrence, Payload, Topic},
    id::ChannelName,
    unit::Timestamp,
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    sync::{
        broadcast::{Receiver, error::RecvError},
        watch,
    },
    time::{MissedTickBehavior, interval},
};

/// A state that followers are told.
#[derive(Debug)]
pub struct Snapshot {
    /// Its place; later ones have higher.
    pub cursor: Cursor,
    reading: Reading,
    /// The payload as JSON.
    text: Arc<str>,
    read_at: Timestamp,
}

/// A state that was told later than this is told with the clock of then.
const FRESH_FOR: Duration = Duration::from_millis(500);

impl Snapshot {
    fn new(cursor: Cursor, reading: Reading, read_at: Timestamp) -> Self {
        let text = serde_json::to_string(&reading.payload).unwrap_or_else(|_| "{}".to_owned()).into();
        Self { cursor, reading, text, read_at }
    }

    /// Not everybody may have it.
    pub fn is_restricted(&self) -> bool {
        self.reading.restricted
    }

    /// Its payload as JSON, to be sent now.
    pub fn text(&self, now: Timestamp) -> Arc<str> {
        if now.since(self.read_at) < FRESH_FOR
            || matches!(self.reading.payload, Payload::PublisherHealth(_) | Payload::Analytics(_))
        {
            return self.text.clone();
        }
        let mut payload = self.reading.payload.clone();
        change::set_server_time(&mut payload, now);
        serde_json::to_string(&payload).map_or_else(|_| self.text.clone(), Into::into)
    }
}

/// What followers hold: the newest state, and word of the next.
pub type Follower = watch::Receiver<Option<Arc<Snapshot>>>;

type Key = (Topic, Option<ChannelName>);
type Running = HashMap<Key, Arc<watch::Sender<Option<Arc<Snapshot>>>>>;

/// Every state that somebody follows; cheap to clone.
#[derive(Clone)]
pub struct Feeds {
    source: Arc<dyn Source>,
    bus: Bus,
    running: Arc<Mutex<Running>>,
}

impl Feeds {
    /// Of this source; the bus says when to look at once.
    pub fn new(source: Arc<dyn Source>, bus: Bus) -> Self {
        Self { source, bus, running: Arc::default() }
    }

    /// Follows a state. The one that is known, if any, counts as new.
    pub fn follow(&self, topic: Topic, channel: Option<ChannelName>) -> Follower {
        let key = (topic, channel);
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sender) = running.get(&key) {
            let mut follower = sender.subscribe();
            follower.mark_changed();
            return follower;
        }
        let (sender, follower) = watch::channel(None);
        let sender = Arc::new(sender);
        running.insert(key.clone(), sender.clone());
        drop(running);
        tokio::spawn(self.clone().run(key, sender));
        follower
    }

    /// How many states are followed.
    pub fn len(&self) -> usize {
        self.running.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Whether nobody follows anything.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    async fn run(self, key: Key, sender: Arc<watch::Sender<Option<Arc<Snapshot>>>>) {
        // If this task ends in whatever way, followers see that it did, and the next one starts it anew.
        let _ending = Ending { feeds: &self, key: &key, sender: &sender };
        let (topic, channel) = &key;
        let mut occurrences = match channel {
            Some(channel) => self.bus.subscribe(channel, None).receiver,
            None => self.bus.subscribe_all(),
        };
        let is_measured = matches!(topic, Topic::Webrtc | Topic::Peers | Topic::Analytics);
        let mut ticks = interval(match topic {
            Topic::Webrtc | Topic::Peers => Duration::from_secs(2),
            Topic::Analytics => Duration::from_secs(5),
            _ => Duration::from_secs(1),
        });
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut cursor = first_cursor(fresh::now());
        let mut was_failing = false;
        loop {
            let mut is_asked = false;
            tokio::select! {
                _ = ticks.tick() => {}
                () = next_change(&mut occurrences), if !is_measured => is_asked = true,
                () = sender.closed() => {
                    if self.forget_unfollowed(&key) {
                        return;
                    }
                    continue;
                }
            }
            let reading = match self.source.read(*topic, channel.as_ref()).await {
                Ok(Some(reading)) => reading,
                Ok(None) => return,
                Err(problem) => {
                    if !was_failing {
                        tracing::warn!(topic = topic.name(), problem = %problem.detail, "a state can't be read; followers keep the last");
                    }
                    was_failing = true;
                    continue;
                }
            };
            was_failing = false;
            // A channel that was never live has no figures yet.
            if matches!(reading.payload, Payload::Empty {}) {
                continue;
            }
            sender.send_if_modified(|told| {
                // Who may have it may have changed: each follower is checked before it is told.
                let is_news = told.as_ref().is_none_or(|told| {
                    is_asked && reading.restricted
                        || told.reading.restricted != reading.restricted
                        || change::is_news(&told.reading.payload, &reading.payload)
                });
                if is_news {
                    cursor = Cursor(cursor.0 + 1);
                    *told = Some(Arc::new(Snapshot::new(cursor, reading, fresh::now())));
                }
                is_news
            });
        }
    }

    /// Under the lock that `follow` takes, so that nobody begins to follow what is about to end.
    fn forget_unfollowed(&self, key: &Key) -> bool {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let is_unfollowed = running.get(key).is_none_or(|sender| sender.receiver_count() == 0);
        if is_unfollowed {
            running.remove(key);
        }
        is_unfollowed
    }
}

struct Ending<'a> {
    feeds: &'a Feeds,
    key: &'a Key,
    sender: &'a Arc<watch::Sender<Option<Arc<Snapshot>>>>,
}

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        let mut running = self.feeds.running.lock().unwrap_or_else(PoisonError::into_inner);
        // Another may have been started in its place.
        if running.get(self.key).is_some_and(|sender| Arc::ptr_eq(sender, self.sender)) {
            running.remove(self.key);
        }
    }
}

/// Waits for an occurrence that changes more than a count, which the next tick tells anyway.
async fn next_change(occurrences: &mut Receiver<super::ring::Delivery>) {
    loop {
        match occurrences.recv().await {
            Ok((_, event)) => match event.occurrence {
                Occurrence::ViewerJoined { .. }
                | Occurrence::ViewerLeft { .. }
                | Occurrence::ChatMessageSent { .. }
                | Occurrence::ChatMessageHeld { .. }
                | Occurrence::ChatAppealMade { .. }
                | Occurrence::ChatModerated { .. } => {}
                _ => return,
            },
            // Whatever was lost: most of it is chat, and the next tick is near.
            Err(RecvError::Lagged(_)) => return,
            // The bus outlives its readers.
            Err(RecvError::Closed) => std::future::pending().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::login::SignedIn;
    use futures_util::{FutureExt, future::BoxFuture};
    use shared::{channel::Directory, problem::Problem};
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// Counts how often it is read; `gone` ends the topic.
    #[derive(Default)]
    struct Counting {
        reads: AtomicUsize,
        is_gone: std::sync::atomic::AtomicBool,
    }

    impl Source for Counting {
        fn authorise<'a>(
            &'a self,
            _: Option<&'a SignedIn>,
            _: Option<crate::actor::Embed<'a>>,
            _: Topic,
            _: Option<&'a ChannelName>,
        ) -> BoxFuture<'a, Result<(), Problem>> {
            async { Ok(()) }.boxed()
        }

        fn read<'a>(
            &'a self,
            _: Topic,
            _: Option<&'a ChannelName>,
        ) -> BoxFuture<'a, Result<Option<Reading>, Problem>> {
            self.reads.fetch_add(1, Ordering::SeqCst);
            let is_gone = self.is_gone.load(Ordering::SeqCst);
            let reading = Reading { payload: Payload::Directory(Directory::default()), restricted: false };
            async move { Ok((!is_gone).then_some(reading)) }.boxed()
        }
    }

    #[tokio::test]
    async fn five_thousand_followers_cost_one_reader() {
        let source = Arc::new(Counting::default());
        let feeds = Feeds::new(source.clone(), Bus::default());
        let began = std::time::Instant::now();
        let mut followers: Vec<Follower> = (0..5000).map(|_| feeds.follow(Topic::Directory, None)).collect();
        for follower in &mut followers {
            let told = follower.wait_for(Option::is_some).await.unwrap();
            assert!(told.is_some());
        }
        assert_eq!(feeds.len(), 1);
        // One to begin with, and one a second on a machine that is slow.
        let most = 1 + began.elapsed().as_secs() as usize;
        assert!(source.reads.load(Ordering::SeqCst) <= most);
        drop(followers);
        while !feeds.is_empty() {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn an_occurrence_is_followed_by_a_look_and_a_topic_that_is_gone_ends() {
        let source = Arc::new(Counting::default());
        let bus = Bus::default();
        let feeds = Feeds::new(source.clone(), bus.clone());
        let ada: ChannelName = "ada".parse().unwrap();
        let mut follower = feeds.follow(Topic::ChannelState, Some(ada.clone()));
        follower.wait_for(Option::is_some).await.unwrap();
        source.is_gone.store(true, Ordering::SeqCst);
        bus.publish(&ada, Occurrence::ChannelEdited {});
        assert!(follower.changed().await.is_err(), "followers see the end");
        assert!(feeds.is_empty());
    }
}
