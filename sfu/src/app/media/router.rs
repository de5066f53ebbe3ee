//! What a shard does with its sessions' media: it keeps the rooms, and speaks with the other shards about them.

use super::{
    ladder::{Ladder, Look, Prospect, Said},
    machine::Ladders,
    room::{Ask, Measurement, Receives, Room, STALLED},
};
use crate::{
    broadcast::packet::{Epoch, Packet, TrackKey},
    publish::{level::Level, opus::Ears},
    rtc::{
        keyed::PeerMap,
        peer::{Event, Measured, PeerKey},
        plane::{Command, ShardHandle},
        shard::{Closed, Peers, Router},
    },
    watch::path::Sample,
};
use shared::watch::{ChooseRendition, Playing};
use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::sync::{
    mpsc::{self, error::TrySendError},
    oneshot,
};

/// A channel's place in the media plane, the same on all shards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RoomKey(pub u32);

/// What a session is for.
#[derive(Debug, Clone, Copy)]
pub enum Usher {
    /// It publishes to a room.
    Publisher(RoomKey),
    /// It watches a room.
    Viewer(RoomKey),
}

impl Usher {
    fn room(&self) -> RoomKey {
        match self {
            Self::Publisher(room) | Self::Viewer(room) => *room,
        }
    }
}

/// What a shard tells the control plane.
#[derive(Debug, Clone, PartialEq)]
pub enum Report {
    /// A session's transport is up.
    Connected(PeerKey),
    /// A session is gone, from which nothing was heard for so long.
    Closed(PeerKey, Closed, Duration),
    /// A publisher's media began to arrive, or arrives again.
    Flows(RoomKey, PeerKey),
    /// A publisher's media stopped.
    Stopped(RoomKey, PeerKey),
    /// Each second while media flows.
    Measured(RoomKey, Measurement),
    /// Each second while a publisher's sound is listened to.
    Heard(PeerKey, Level),
}

/// What shards tell each other.
pub enum Message {
    /// Media of a room, for the viewers of the shard it goes to.
    Media { room: RoomKey, from: usize, packets: Arc<[Arc<Packet>]> },
    /// What a room's tracks have in their caches, for a shard that has just subscribed, and which of them are of no use to ask
    /// keyframes for.
    Caches { room: RoomKey, from: usize, packets: Arc<[Arc<Packet>]>, deaf: Vec<TrackKey> },
    /// The shard has viewers of a room and wants its media.
    Subscribe { room: RoomKey, shard: usize },
    /// It has none any more.
    Unsubscribe { room: RoomKey, shard: usize },
    /// Ask the publisher for a keyframe, if it sits there.
    Keyframe { room: RoomKey, track: TrackKey },
    /// The publisher is gone.
    Left { room: RoomKey, epoch: Epoch },
    /// A viewer wants something else.
    Choose { viewer: PeerKey, wish: ChooseRendition },
    /// What can be made of a room's media.
    Prospects { room: RoomKey, epoch: Epoch, prospects: Arc<[Prospect]> },
    /// The shard's viewers want these rungs of a room, one bit for each.
    Wanted { room: RoomKey, shard: usize, rungs: u64 },
    /// What makes the rungs of a room said something, in one of its runs.
    Said { room: RoomKey, epoch: Epoch, run: u64, said: Said },
    /// Tracks that are made no more.
    Gone { room: RoomKey, tracks: Arc<[TrackKey]> },
    /// What a viewer gets, and why.
    Plays { viewer: PeerKey, reply: oneshot::Sender<Option<Playing>> },
    /// What the viewers of a room get here.
    Playing { room: RoomKey, reply: mpsc::Sender<Vec<(PeerKey, Receives)>> },
    /// Which picture was sent to a viewer last, and when it was captured.
    Shown { viewer: PeerKey, reply: oneshot::Sender<Option<(u32, Instant)>> },
}

/// See the module.
pub struct ShardRouter {
    index: usize,
    shards: Vec<ShardHandle<Self>>,
    rooms: HashMap<RoomKey, Room>,
    sessions: PeerMap<Usher>,
    /// Rooms that media came for since the last flush.
    touched: Vec<RoomKey>,
    /// Those of them whose pictures aren't whole yet.
    gathering: Vec<RoomKey>,
    /// The room that is worked on.
    at: Option<RoomKey>,
    reports: mpsc::Sender<Report>,
    /// Listens to publishers' sound, if there can be somebody.
    ears: Option<Ears>,
    /// What may be made of publishers' media.
    ladders: Ladders,
    /// Reports that the control plane has not had room for. Grows with sessions that open and close meanwhile, which the
    /// plane bounds, and one measurement a room.
    unsent: VecDeque<Report>,
    ticks: u32,
}

impl ShardRouter {
    /// The router of shard `index` among `shards`, which tells `reports`, lets `ears` listen and has what `ladders` allows made.
    pub fn new(
        index: usize,
        shards: Vec<ShardHandle<Self>>,
        reports: mpsc::Sender<Report>,
        ears: Option<Ears>,
        ladders: Ladders,
    ) -> Self {
        Self {
            index,
            shards,
            rooms: HashMap::new(),
            sessions: PeerMap::default(),
            touched: Vec::new(),
            gathering: Vec::new(),
            at: None,
            reports,
            ears,
            ladders,
            unsent: VecDeque::new(),
            ticks: 0,
        }
    }

    fn report(&mut self, report: Report) {
        if let Report::Measured(room, _) = &report {
            // A newer measurement says all that an older one did.
            self.unsent.retain(|unsent| !matches!(unsent, Report::Measured(other, _) if other == room));
        }
        self.unsent.push_back(report);
        self.send_reports();
    }

    fn send_reports(&mut self) {
        while let Some(report) = self.unsent.pop_front() {
            match self.reports.try_send(report) {
                Ok(()) => {}
                Err(TrySendError::Full(report)) => {
                    self.unsent.push_front(report);
                    return;
                }
                Err(TrySendError::Closed(_)) => return,
            }
        }
    }

    /// Tells another shard something. A full queue means that it is behind: late media is worth nothing, whoever still
    /// wants something asks again, and who gets what it no longer wants says so again.
    fn tell(&self, shard: usize, message: Message) {
        let _ = self.shards[shard].tell(Command::Message(message));
    }

    fn tell_others(&self, message: impl Fn() -> Message) {
        for shard in (0..self.shards.len()).filter(|shard| *shard != self.index) {
            self.tell(shard, message());
        }
    }

    fn ask(&mut self, key: RoomKey, asks: Vec<Ask>, peers: &mut Peers) {
        let Some(room) = self.rooms.get(&key) else { return };
        for ask in asks {
            if !room.ask_publisher(&ask, peers)
                && let Some(source) = room.source
            {
                self.tell(source, Message::Keyframe { room: key, track: ask.0 });
            }
        }
    }

    /// Does what a look at a room's ladder asks for.
    fn after(&mut self, key: RoomKey, look: Look, peers: &mut Peers) {
        let Look { asks, gone, prospects_changed } = look;
        if !gone.is_empty() {
            let (tracks, subscribers): (Arc<[TrackKey]>, _) =
                (gone.into(), self.rooms.get(&key).map_or(0, |room| room.subscribers));
            for shard in bits(subscribers) {
                self.tell(shard, Message::Gone { room: key, tracks: Arc::clone(&tracks) });
            }
        }
        if prospects_changed {
            self.tell_prospects(key);
        }
        self.ask(key, asks, peers);
    }

    fn tell_prospects(&self, key: RoomKey) {
        let Some(room) = self.rooms.get(&key) else { return };
        let Some(ladder) = &room.ladder else { return };
        for shard in bits(room.subscribers) {
            let prospects = ladder.prospects();
            self.tell(shard, Message::Prospects { room: key, epoch: ladder.epoch, prospects });
        }
    }

    /// Looks after a room's ladder where its publisher sits; elsewhere tells that shard what is wanted here.
    fn look_after_ladder(&mut self, key: RoomKey, peers: &mut Peers, now: Instant) {
        let each_second = self.ticks.is_multiple_of(10);
        let Some(room) = self.rooms.get_mut(&key) else { return };
        let Some(publisher) = &room.publisher else {
            let (rungs, shard) = (room.wanted(), self.index);
            if let Some(source) = room.source
                && (room.told_wanted != rungs || each_second && rungs != 0)
            {
                room.told_wanted = rungs;
                self.tell(source, Message::Wanted { room: key, shard, rungs });
            }
            return;
        };
        if room.ladder.is_none()
            && let Some(shard) = self.shards.get(self.index).cloned()
        {
            let epoch = Epoch(publisher.key.0);
            let tell = move |run, said| {
                // A full queue means that the shard is behind: viewers see a gap, and ask.
                let _ = shard.tell(Command::Message(Message::Said { room: key, epoch, run, said }));
            };
            room.ladder = Some(Ladder::new(epoch, self.ladders.of(key), Arc::new(tell)));
        }
        let look = room.look(self.index, now);
        self.after(key, look, peers);
        if each_second {
            self.tell_prospects(key);
        }
    }

    /// A room that nobody here has to do with is forgotten.
    fn tidy(&mut self, key: RoomKey) {
        let Some(room) = self.rooms.get_mut(&key) else { return };
        if room.viewers() == 0 && room.subscribed {
            room.subscribed = false;
            let shard = self.index;
            self.tell_others(|| Message::Unsubscribe { room: key, shard });
        }
        let Some(room) = self.rooms.get(&key) else { return };
        if room.viewers() == 0 && !room.has_publishers() && room.subscribers == 0 {
            self.rooms.remove(&key);
        }
    }

    fn watched_by(&mut self, viewer: PeerKey) -> Option<&mut Room> {
        match self.sessions.get(&viewer) {
            Some(Usher::Viewer(room)) => self.rooms.get_mut(room),
            _ => None,
        }
    }

    fn publisher_left(&mut self, key: RoomKey, peer: PeerKey) {
        let Some(room) = self.rooms.get_mut(&key) else { return };
        if room.remove_publisher(peer) {
            let epoch = Epoch(peer.0);
            room.hub.publisher_left(epoch);
            let subscribers = room.subscribers;
            for shard in bits(subscribers) {
                self.tell(shard, Message::Left { room: key, epoch });
            }
        }
    }
}

fn bits(mask: u64) -> impl Iterator<Item = usize> {
    (0..64).filter(move |bit| mask & 1 << bit != 0)
}

impl Router for ShardRouter {
    type Role = Usher;
    type Message = Message;

    fn opened(&mut self, key: PeerKey, role: Usher, peers: &mut Peers, now: Instant) {
        self.sessions.insert(key, role);
        match role {
            Usher::Publisher(room_key) => {
                let room = self.rooms.entry(room_key).or_default();
                if let Some(stale) = room.add_publisher(key) {
                    peers.close(stale);
                }
            }
            Usher::Viewer(room_key) => {
                let room = self.rooms.entry(room_key).or_default();
                room.add_viewer(key);
                let ask = room.expect_viewer(key, peers, now);
                if !room.subscribed && self.shards.len() > 1 {
                    room.subscribed = true;
                    let shard = self.index;
                    self.tell_others(|| Message::Subscribe { room: room_key, shard });
                }
                self.ask(room_key, ask.into_iter().collect(), peers);
            }
        }
    }

    fn event(&mut self, key: PeerKey, event: Event, peers: &mut Peers, now: Instant) {
        let Some(&role) = self.sessions.get(&key) else { return };
        match (event, role) {
            (Event::Packet(packet), Usher::Publisher(room_key)) => {
                let Some(room) = self.rooms.get_mut(&room_key) else { return };
                room.receive(key, *packet, peers, now);
                if self.touched.last() != Some(&room_key) {
                    self.touched.push(room_key);
                }
            }
            (Event::KeyframeWanted, Usher::Viewer(room_key)) => {
                let ask = self.rooms.get_mut(&room_key).and_then(|room| room.wanted_by(key, now));
                self.ask(room_key, ask.into_iter().collect(), peers);
            }
            (Event::Connected, role) => {
                self.report(Report::Connected(key));
                if let Usher::Viewer(room_key) = role
                    && let Some(room) = self.rooms.get_mut(&room_key)
                {
                    let asks = room.viewer_connected(key, peers, now);
                    self.ask(room_key, asks, peers);
                }
            }
            (Event::Estimated(bits), Usher::Viewer(room_key)) => {
                if let Some(room) = self.rooms.get_mut(&room_key) {
                    room.estimated(key, bits);
                }
            }
            (Event::Measured(Measured { estimate, loss, round_trip }), Usher::Viewer(room_key)) => {
                if let Some(room) = self.rooms.get_mut(&room_key) {
                    room.sampled(key, Sample { estimate, loss, round_trip }, now);
                }
            }
            (Event::Arrives(stats), Usher::Publisher(room_key)) => {
                let publisher = self.rooms.get_mut(&room_key).and_then(|room| room.publisher.as_mut());
                if let Some(publisher) = publisher.filter(|publisher| publisher.key == key) {
                    publisher.measured(&stats);
                }
            }
            (Event::RoundTrip(time), Usher::Publisher(room_key)) => {
                let publisher = self.rooms.get_mut(&room_key).and_then(|room| room.publisher.as_mut());
                if let Some(publisher) = publisher.filter(|publisher| publisher.key == key) {
                    publisher.round_trip = Some(time);
                }
            }
            _ => {}
        }
    }

    fn message(&mut self, message: Message, peers: &mut Peers, now: Instant) {
        self.at = match &message {
            Message::Media { room, .. }
            | Message::Caches { room, .. }
            | Message::Subscribe { room, .. }
            | Message::Unsubscribe { room, .. }
            | Message::Keyframe { room, .. }
            | Message::Left { room, .. }
            | Message::Prospects { room, .. }
            | Message::Wanted { room, .. }
            | Message::Said { room, .. }
            | Message::Gone { room, .. }
            | Message::Playing { room, .. } => Some(*room),
            Message::Choose { viewer, .. }
            | Message::Plays { viewer, .. }
            | Message::Shown { viewer, .. } => self.sessions.get(viewer).map(Usher::room),
        };
        match message {
            Message::Media { room: key, from, packets } => match self.rooms.get_mut(&key) {
                Some(room) if room.subscribed => {
                    room.adopt(&packets, from, now);
                    self.touched.push(key);
                }
                // Its word that nobody here watches any more was lost.
                _ => {
                    let shard = self.index;
                    self.tell(from, Message::Unsubscribe { room: key, shard });
                }
            },
            Message::Caches { room: key, from, packets, deaf } => {
                if let Some(room) = self.rooms.get_mut(&key).filter(|room| room.subscribed) {
                    room.adopt_caches(&packets, from, now);
                    room.hub.note_deaf(&deaf);
                    let asks = room.start_if_caches_came(peers, now);
                    self.ask(key, asks, peers);
                }
            }
            Message::Subscribe { room: key, shard } => {
                let room = self.rooms.entry(key).or_default();
                let is_new = room.subscribers & (1 << shard) == 0;
                room.subscribers |= 1 << shard;
                // Only the publisher's shard answers, and once: a repetition is for a request that was lost.
                let backlog = if is_new && room.publisher.is_some() { room.backlog() } else { Vec::new() };
                if !backlog.is_empty() {
                    let deaf = room.hub.deaf();
                    self.tell(
                        shard,
                        Message::Caches { room: key, from: self.index, packets: backlog.into(), deaf },
                    );
                }
                if is_new {
                    self.tell_prospects(key);
                }
            }
            Message::Unsubscribe { room: key, shard } => {
                if let Some(room) = self.rooms.get_mut(&key) {
                    room.subscribers &= !(1 << shard);
                }
                self.tidy(key);
            }
            Message::Keyframe { room: key, track } => {
                // Each shard throttles its own viewers; together they are throttled here.
                if let Some(room) = self.rooms.get_mut(&key)
                    && room.hub.request_keyframe(track, now)
                {
                    room.ask_publisher(&Ask(track), peers);
                }
            }
            Message::Prospects { room: key, epoch, prospects } => {
                if let Some(room) = self.rooms.get_mut(&key).filter(|room| room.subscribed) {
                    room.could_be_made(epoch, prospects);
                }
            }
            Message::Wanted { room: key, shard, rungs } => {
                if let Some(ladder) = self.rooms.get_mut(&key).and_then(|room| room.ladder.as_mut()) {
                    ladder.want(shard, rungs, now);
                }
            }
            Message::Said { room: key, epoch, run, said } => {
                if let Some(room) = self.rooms.get_mut(&key) {
                    let look = room.heard((epoch, run), said, now);
                    self.touched.push(key);
                    self.after(key, look, peers);
                }
            }
            Message::Gone { room: key, tracks } => {
                if let Some(room) = self.rooms.get_mut(&key) {
                    room.forget(&tracks);
                }
            }
            Message::Choose { viewer, wish } => {
                if let Some(room) = self.watched_by(viewer) {
                    room.viewer_chose(viewer, wish);
                }
            }
            Message::Plays { viewer, reply } => {
                // Whoever asked may be gone; then nobody needs the answer.
                let _ = reply.send(self.watched_by(viewer).and_then(|room| room.playing_to(viewer)));
            }
            Message::Playing { room, reply } => {
                let playing = self.rooms.get(&room).map(|room| room.playing().collect()).unwrap_or_default();
                // There is room for one answer of each shard.
                let _ = reply.try_send(playing);
            }
            Message::Shown { viewer, reply } => {
                // Whoever asked may be gone; then nobody needs the answer.
                let _ = reply.send(self.watched_by(viewer).and_then(|room| room.shown_to(viewer)));
            }
            Message::Left { room: key, epoch } => {
                if let Some(room) = self.rooms.get_mut(&key) {
                    room.hub.publisher_left(epoch);
                }
            }
        }
    }

    fn flush(&mut self, peers: &mut Peers, now: Instant) -> Option<Instant> {
        let mut gathers: Option<Instant> = None;
        // One by one: those behind a room that panics keep their turn.
        while let Some(key) = self.touched.pop() {
            self.at = Some(key);
            let Some(room) = self.rooms.get_mut(&key) else { continue };
            if let Some(until) = room.gathers(now) {
                gathers = Some(gathers.map_or(until, |other| other.min(until)));
                if !self.gathering.contains(&key) {
                    self.gathering.push(key);
                }
                continue;
            }
            // What was adopted from another shard is not this shard's to pass on, nor a sign of its own publisher: until one
            // that was taken over from is closed, both are here.
            let epoch = room.publisher.as_ref().map(|publisher| Epoch(publisher.key.0));
            let mut packets = room.flush(peers, now);
            packets.retain(|packet| Some(packet.track.key.epoch) == epoch);
            if let Some(publisher) = &mut room.publisher {
                for packet in packets.iter().filter(|packet| !packet.track.key.is_made()) {
                    publisher.note(packet, now);
                    if let Some(ears) = self.ears.as_ref().filter(|_| packet.track.is_audio()) {
                        ears.hear(publisher.key.0, &packet.payload);
                    }
                }
            }
            if let Some(ladder) = &mut room.ladder {
                ladder.feed(&packets);
            }
            let is_sent = |packet: &Arc<Packet>| !packet.track.key.is_made();
            let news = room.measure_if_new(now);
            let subscribers = room.subscribers;
            let begins = match &mut room.publisher {
                Some(publisher) if packets.iter().any(is_sent) && !publisher.flows => {
                    publisher.flows = true;
                    Some(publisher.key)
                }
                _ => None,
            };
            if let Some(publisher) = begins {
                self.report(Report::Flows(key, publisher));
            }
            if let Some(measured) = news {
                self.report(Report::Measured(key, measured));
            }
            if subscribers != 0 && !packets.is_empty() {
                let packets: Arc<[Arc<Packet>]> = packets.into();
                for shard in bits(subscribers) {
                    let packets = Arc::clone(&packets);
                    self.tell(shard, Message::Media { room: key, from: self.index, packets });
                }
            }
        }
        std::mem::swap(&mut self.touched, &mut self.gathering);
        gathers
    }

    fn tick(&mut self, peers: &mut Peers, now: Instant) {
        self.ticks = self.ticks.wrapping_add(1);
        let keys: Vec<RoomKey> = self.rooms.keys().copied().collect();
        for key in keys {
            self.at = Some(key);
            let Some(room) = self.rooms.get_mut(&key) else { continue };
            let asks = room.tick(peers, now);
            let wants_media = room.subscribed && room.publisher.is_none() && self.ticks.is_multiple_of(10);
            let mut report = None;
            let silence = room.hub.last_packet().map(|last| now.saturating_duration_since(last));
            if let Some(publisher) = &mut room.publisher {
                let stalled = silence.is_none_or(|silence| silence > STALLED);
                if publisher.flows && stalled {
                    publisher.flows = false;
                    report = Some(Report::Stopped(key, publisher.key));
                } else if publisher.flows && self.ticks.is_multiple_of(10) {
                    report = room.measure(now).map(|measured| Report::Measured(key, measured));
                }
            }
            if let Some(report) = report {
                self.report(report);
            }
            if wants_media && silence.is_none_or(|silence| silence > STALLED) {
                // A full queue may have swallowed the first request; a second one changes nothing.
                let shard = self.index;
                self.tell_others(|| Message::Subscribe { room: key, shard });
            }
            self.ask(key, asks, peers);
            self.look_after_ladder(key, peers, now);
        }
        self.send_reports();
    }

    fn closed(&mut self, key: PeerKey, why: Closed, _peers: &mut Peers, quiet: Duration) {
        if let Some(role) = self.sessions.remove(&key) {
            self.at = Some(role.room());
            match role {
                Usher::Publisher(room) => {
                    if let Some(ears) = &self.ears {
                        ears.gone(key.0);
                    }
                    self.publisher_left(room, key);
                    self.tidy(room);
                }
                Usher::Viewer(room_key) => {
                    if let Some(room) = self.rooms.get_mut(&room_key) {
                        room.remove_viewer(key);
                    }
                    self.tidy(room_key);
                }
            }
        }
        self.report(Report::Closed(key, why, quiet));
    }

    fn panicked(&mut self, culprit: Option<PeerKey>) -> Vec<PeerKey> {
        let at = self.at.take();
        // With its session goes what its event may have left half done: a publisher's tracks, a viewer's lines.
        if let Some(culprit) = culprit {
            return vec![culprit];
        }
        let Some(key) = at else { return Vec::new() };
        if let Some(room) = self.rooms.remove(&key) {
            if let Some(publisher) = &room.publisher {
                let epoch = Epoch(publisher.key.0);
                bits(room.subscribers).for_each(|shard| self.tell(shard, Message::Left { room: key, epoch }));
            }
            if room.subscribed {
                let shard = self.index;
                self.tell_others(|| Message::Unsubscribe { room: key, shard });
            }
        }
        self.sessions.iter().filter(|(_, role)| role.room() == key).map(|(session, _)| *session).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::panic::caught;

    #[test]
    fn a_room_that_panics_ends_with_its_sessions_and_no_others() {
        let (reports, mut told) = mpsc::channel(64);
        let mut router = ShardRouter::new(0, Vec::new(), reports, None, Ladders::default());
        let (mut peers, now) = (Peers::default(), Instant::now());
        let (bad, good) = (RoomKey(1), RoomKey(2));
        let roles = [Usher::Publisher(bad), Usher::Viewer(bad), Usher::Publisher(good), Usher::Viewer(good)];
        for (key, role) in (1..).map(PeerKey).zip(roles) {
            router.opened(key, role, &mut peers, now);
        }
        router.rooms.get_mut(&bad).unwrap().panics = true;
        assert!(caught(|| router.tick(&mut peers, now)).is_err());
        let mut ended = router.panicked(None);
        ended.sort_unstable();
        assert_eq!(ended, [PeerKey(1), PeerKey(2)]);
        for key in ended {
            router.closed(key, Closed::Failed, &mut peers, Duration::ZERO);
            let report = told.try_recv().unwrap();
            assert_eq!(report, Report::Closed(key, Closed::Failed, Duration::ZERO), "its HTTP session ends");
        }
        router.tick(&mut peers, now);
        assert_eq!(router.rooms.keys().collect::<Vec<_>>(), [&good]);
        assert_eq!(router.rooms[&good].viewers(), 1);
        router.opened(PeerKey(9), Usher::Viewer(bad), &mut peers, now);
        router.tick(&mut peers, now);
        assert_eq!(router.rooms[&bad].viewers(), 1, "whoever comes back finds a room as new");
    }

    #[test]
    fn a_panic_in_one_session_s_event_ends_that_session() {
        let mut router = ShardRouter::new(0, Vec::new(), mpsc::channel(1).0, None, Ladders::default());
        router.opened(PeerKey(1), Usher::Viewer(RoomKey(1)), &mut Peers::default(), Instant::now());
        assert_eq!(router.panicked(Some(PeerKey(1))), [PeerKey(1)]);
        assert!(router.rooms.contains_key(&RoomKey(1)));
        assert_eq!(router.panicked(None), [], "in no room");
    }
}

#[cfg(test)]
mod queue_tests;
