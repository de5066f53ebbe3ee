//! One broadcast on one shard: its hub, the publisher if it sits here, and the viewers that do.

use super::{
    chooser::{Chooser, Pictures},
    ingest::Publisher,
    ladder::{Ladder, Look, Prospect, Said},
};
use crate::{
    broadcast::{
        hub::{Hub, Start},
        packet::{Epoch, Packet, Picture, Track, TrackKey},
    },
    publish::vitals::Vitals,
    rtc::{
        peer::{Outgoing, PeerKey},
        shard::Peers,
    },
    watch::{
        line::{Arrival, Line},
        path::Sample,
        picture::{Numbers, PictureIds},
        replay::Replay,
        rewrite::{Edge, Turn},
    },
};
use shared::{
    broadcast::{Codec, Rendition},
    ladder::LadderState,
    unit::Bitrate,
    watch::{ChooseRendition, Playing, Reason},
};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use str0m::rtp::RtpPacket;

/// Clock rates of RTP video and of Opus.
pub const VIDEO_CLOCK: u32 = 90_000;
pub const AUDIO_CLOCK: u32 = 48_000;
/// Media that stops for this long is an interruption.
pub const STALLED: Duration = Duration::from_millis(1500);

/// A sound that is there, but late, is waited for so long in silence.
const YIELDS: Duration = Duration::from_millis(500);

/// What a viewer gets is looked at each so many ticks, and at the next one if something changed. Not everybody's turn is in
/// the same tick.
const CHOOSE_EVERY: usize = 5;

/// How long the rest of a picture is waited for; publishers send most pictures in one go.
const GATHERED: Duration = Duration::from_millis(1);
/// With so many packets nothing more is gained.
const MOST_GATHERED: usize = 32;

/// The most sessions of one channel that were opened and have not sent anything.
const MOST_COMING: usize = 4;

struct Viewer {
    key: PeerKey,
    video: Line<TrackKey>,
    audio: Line<TrackKey>,
    connected: bool,
    pictures: PictureIds<TrackKey>,
    /// What it is still given of a cache.
    replay: Option<Replay<TrackKey>>,
    chooser: Chooser,
    /// The last picture's timestamp in the viewer's stream, and the moment that it stands for.
    shown: Option<(u32, Instant)>,
    /// When the last sound was captured.
    heard: Option<Instant>,
    /// Since when the sound on the line is left out for another one.
    yields: Option<Instant>,
}

/// See the module.
#[derive(Default)]
pub struct Room {
    pub hub: Hub,
    pub publisher: Option<Publisher>,
    /// What is made of its media.
    pub ladder: Option<Ladder>,
    /// What could be, and of whose.
    prospects: Option<(Epoch, Arc<[Prospect]>)>,
    /// Publishers' sessions here whose media has not come yet. Whoever is on stays on until it does.
    coming: Vec<Publisher>,
    /// In order of their keys.
    viewers: Vec<Viewer>,
    /// What the viewers can choose from, as last measured.
    pictures: Pictures,
    ticks: usize,
    /// What came since the last flush.
    pending: Vec<Arc<Packet>>,
    /// Whether the hub's tracks changed since viewers last chose.
    tracks_changed: bool,
    /// Whether caches came from another shard that viewers here may start from.
    caches_came: bool,
    /// Other shards whose viewers want this broadcast, one bit each.
    pub subscribers: u64,
    /// The shard that media last came from, if not this one.
    pub source: Option<usize>,
    /// Whether this shard has asked the others for the broadcast.
    pub subscribed: bool,
    /// What was last told of what viewers here want.
    pub told_wanted: u64,
    /// Panics at its next tick.
    #[cfg(test)]
    pub panics: bool,
}

/// What a publisher's shard measured in the last second.
#[derive(Debug, Clone, PartialEq)]
pub struct Measurement {
    /// The publisher's session.
    pub publisher: PeerKey,
    /// Its tracks.
    pub renditions: Vec<Rendition>,
    /// What is made of them, or could be.
    pub made: Vec<Rendition>,
    /// Where the ladder stands, but for its viewers.
    pub ladder: LadderState,
    /// Packets lost after repair, 0 to 1.
    pub loss: f32,
    /// Round trip to it.
    pub round_trip: Option<Duration>,
    /// Time between the last two keyframes.
    pub keyframe_interval: Option<Duration>,
    /// What the doctor looks at.
    pub vitals: Vitals,
}

/// What a viewer gets.
#[derive(Debug, Clone, Default)]
pub struct Receives {
    /// Its picture's rendition and codec.
    pub picture: Option<(String, Codec)>,
    /// What its network carries.
    pub estimate: Option<Bitrate>,
}

/// A keyframe that somebody on another shard has to ask for.
pub struct Ask(pub TrackKey);

impl Room {
    /// A publisher's session was opened here. Answers the one that has to go where too many wait.
    pub fn add_publisher(&mut self, key: PeerKey) -> Option<PeerKey> {
        self.coming.push(Publisher::new(key));
        (self.coming.len() > MOST_COMING).then(|| self.coming.remove(0).key)
    }

    /// A publisher's session is over; whether it was the one that was on.
    pub fn remove_publisher(&mut self, key: PeerKey) -> bool {
        self.coming.retain(|publisher| publisher.key != key);
        let was_on = self.publisher.take_if(|publisher| publisher.key == key).is_some();
        if was_on {
            self.ladder = None;
        }
        was_on
    }

    /// Whether anybody publishes from here, or is about to.
    pub fn has_publishers(&self) -> bool {
        self.publisher.is_some() || !self.coming.is_empty()
    }

    /// Media from a publisher that sits here. The first packet of one that was coming takes over.
    pub fn receive(&mut self, key: PeerKey, packet: RtpPacket, peers: &mut Peers, now: Instant) {
        if let Some(at) = self.coming.iter().position(|publisher| publisher.key == key) {
            let newcomer = self.coming.remove(at);
            // Of two, the one that was opened later is meant.
            if self.publisher.as_ref().is_none_or(|publisher| publisher.key < key) {
                self.publisher = Some(newcomer);
                self.ladder = None;
            }
        }
        let Some(publisher) = self.publisher.as_mut().filter(|publisher| publisher.key == key) else {
            return;
        };
        for packet in publisher.packets(packet, peers, now).into_iter().flatten() {
            self.take(packet, now);
        }
    }

    fn take(&mut self, packet: Packet, now: Instant) {
        let before = self.hub.tracks().count();
        if let Some(packet) = self.hub.push(packet, now) {
            self.tracks_changed |= self.hub.tracks().count() != before || packet.starts_keyframe;
            self.source = None;
            self.pending.push(packet);
        }
    }

    /// Looks after the ladder of the publisher that sits here.
    pub fn look(&mut self, shard: usize, now: Instant) -> Look {
        let wanted = self.wanted();
        let Some(ladder) = &mut self.ladder else { return Look::default() };
        ladder.want(shard, wanted, now);
        let look = ladder.look(&mut self.hub, now);
        self.after(&look);
        look
    }

    /// What makes the rungs of a publisher here said something.
    pub fn heard(&mut self, (epoch, run): (Epoch, u64), said: Said, now: Instant) -> Look {
        let mut look = Look::default();
        let Some(ladder) = self.ladder.as_mut().filter(|ladder| ladder.epoch == epoch) else { return look };
        let packets = ladder.heard(run, said, &mut self.hub, &mut look, now);
        for packet in packets {
            self.take(packet, now);
        }
        self.after(&look);
        look
    }

    fn after(&mut self, look: &Look) {
        let Some(ladder) = &self.ladder else { return };
        if look.prospects_changed {
            self.prospects = Some((ladder.epoch, ladder.prospects()));
        }
        self.tracks_changed |= look.prospects_changed || !look.gone.is_empty();
    }

    /// What can be made of a publisher's media that sits on another shard.
    pub fn could_be_made(&mut self, epoch: Epoch, prospects: Arc<[Prospect]>) {
        self.prospects = Some((epoch, prospects));
    }

    /// Tracks of another shard's that there are no more.
    pub fn forget(&mut self, tracks: &[TrackKey]) {
        self.hub.forget(tracks);
        self.tracks_changed = true;
    }

    /// What is made and viewers here get or would get, one bit for each.
    pub fn wanted(&self) -> u64 {
        let tracks = self.viewers.iter().flat_map(|Viewer { chooser, video, audio, .. }| {
            [chooser.choice.picture, video.current(), chooser.hears, audio.current()]
        });
        let made = tracks.flatten().filter_map(TrackKey::made_number);
        made.fold(0, |mask, number| mask | 1 << number)
    }

    fn prospects(&self) -> Arc<[Prospect]> {
        let of_now = self.prospects.as_ref().filter(|(epoch, _)| self.hub.publisher() == Some(*epoch));
        of_now.map_or_else(|| Vec::new().into(), |(_, prospects)| Arc::clone(prospects))
    }

    fn measure_pictures(&mut self, now: Instant) -> bool {
        let prospects = self.prospects();
        self.pictures.measure(&mut self.hub, &prospects, now)
    }

    /// The caches of another shard's tracks: viewers that are here already start from them as newcomers do, faster than real
    /// time.
    pub fn adopt_caches(&mut self, packets: &[Arc<Packet>], from: usize, now: Instant) {
        for packet in packets {
            if self.hub.adopt(packet, now) {
                (self.source, self.caches_came) = (Some(from), true);
            }
        }
    }

    /// Media from another shard.
    pub fn adopt(&mut self, packets: &[Arc<Packet>], from: usize, now: Instant) {
        for packet in packets {
            let before = self.hub.tracks().count();
            if self.hub.adopt(packet, now) {
                self.tracks_changed |= self.hub.tracks().count() != before || packet.starts_keyframe;
                self.source = Some(from);
                self.pending.push(Arc::clone(packet));
            }
        }
    }

    /// Until when the rest of a picture is waited for, if its end hasn't come: each viewer's turn costs as much as some
    /// packets, and what leaves together leaves in one send.
    pub fn gathers(&self, now: Instant) -> Option<Instant> {
        let until = self.pending.first()?.arrived + GATHERED;
        let last = self.pending.iter().rev().find(|packet| !packet.track.is_audio())?;
        (!last.marker && until > now && self.pending.len() < MOST_GATHERED).then_some(until)
    }

    /// Forwards what came since the last flush to the viewers here; answers it for other shards.
    pub fn flush(&mut self, peers: &mut Peers, now: Instant) -> Vec<Arc<Packet>> {
        if self.pending.is_empty() {
            return Vec::new();
        }
        if std::mem::take(&mut self.tracks_changed) {
            let is_news = self.measure_pictures(now);
            for at in 0..self.viewers.len() {
                self.viewers[at].chooser.is_due |= is_news;
                // Whoever has nothing, or nothing any more, can start with this very packet.
                if self.viewers[at].video.current().is_none_or(|current| self.track(current).is_none()) {
                    self.choose(at, peers, now);
                }
            }
        }
        let mut pending = std::mem::take(&mut self.pending);
        // Sound ends a picture's segmented send.
        pending.sort_by_key(|packet| packet.track.is_audio());
        // Viewer by viewer, so that each one's packets leave in one segmented send.
        for at in 0..self.viewers.len() {
            for packet in &pending {
                self.viewers[at].forward(packet, None, peers);
            }
            self.replay(at, peers, now);
        }
        pending
    }

    /// Looks after viewers that wait for a start. Answers the keyframes that the publisher must be asked for.
    pub fn tick(&mut self, peers: &mut Peers, now: Instant) -> Vec<Ask> {
        #[cfg(test)]
        assert!(!self.panics, "on purpose");
        self.ticks = self.ticks.wrapping_add(1);
        let mut asks = self.start_all(Some(self.ticks), peers, now);
        // Caches are renewed where the publisher sits, for all shards.
        let watches = self.publisher.is_some() && (!self.viewers.is_empty() || self.subscribers != 0);
        asks.extend(self.hub.due(watches, now).into_iter().map(Ask));
        asks
    }

    /// Starts the viewers that wait for it, if caches have just come from another shard.
    pub fn start_if_caches_came(&mut self, peers: &mut Peers, now: Instant) -> Vec<Ask> {
        if !std::mem::take(&mut self.caches_came) {
            return Vec::new();
        }
        let mut asks = self.start_all(None, peers, now);
        let coming = self.viewers.iter().filter(|viewer| !viewer.connected).map(|viewer| viewer.key);
        for key in coming.collect::<Vec<_>>() {
            asks.extend(self.expect_viewer(key, peers, now));
        }
        asks
    }

    /// At a tick those choose anew whose turn it is; else all.
    fn start_all(&mut self, tick: Option<usize>, peers: &mut Peers, now: Instant) -> Vec<Ask> {
        let mut asks = Vec::new();
        let is_turn = |at: usize| tick.is_none_or(|tick| tick.wrapping_add(at).is_multiple_of(CHOOSE_EVERY));
        if is_turn(0) {
            self.measure_pictures(now);
        }
        for at in 0..self.viewers.len() {
            if self.viewers[at].chooser.is_due || is_turn(at) {
                self.choose(at, peers, now);
            }
            self.start(at, peers, now, &mut asks);
            self.replay(at, peers, now);
        }
        asks
    }

    /// A viewer is on its way: what it will start from is asked for while its transport comes up.
    pub fn expect_viewer(&mut self, key: PeerKey, peers: &Peers, now: Instant) -> Option<Ask> {
        let peer = peers.get(key).filter(|peer| peer.has_line(false))?;
        let track = self.hub.largest_video(|codec| peer.decodes(codec))?;
        self.hub.expect(track, now).then_some(Ask(track))
    }

    /// Adds a viewer; it gets nothing before it is connected.
    pub fn add_viewer(&mut self, key: PeerKey) {
        let (video, audio) = (Line::new(VIDEO_CLOCK), Line::new(AUDIO_CLOCK));
        // Keys count up, so that this is the end but for two that come at the same moment.
        let at = self.viewers.partition_point(|viewer| viewer.key < key);
        let viewer = Viewer {
            key,
            video,
            audio,
            connected: false,
            pictures: PictureIds::default(),
            replay: None,
            chooser: Chooser::default(),
            shown: None,
            heard: None,
            yields: None,
        };
        self.viewers.insert(at, viewer);
    }

    /// Where a viewer is. There are thousands, and each has something to say several times a second.
    fn at(&self, key: PeerKey) -> Option<usize> {
        self.viewers.binary_search_by_key(&key, |viewer| viewer.key).ok()
    }

    /// A viewer's transport is up: it starts at once if the cache serves.
    pub fn viewer_connected(&mut self, key: PeerKey, peers: &mut Peers, now: Instant) -> Vec<Ask> {
        let mut asks = Vec::new();
        if let Some(at) = self.at(key) {
            self.viewers[at].connected = true;
            self.measure_pictures(now);
            self.choose(at, peers, now);
            self.start(at, peers, now, &mut asks);
        }
        asks
    }

    /// The viewer wants something else.
    pub fn viewer_chose(&mut self, key: PeerKey, wish: ChooseRendition) {
        if let Some(viewer) = self.viewer(key) {
            viewer.chooser.wants(wish);
        }
    }

    /// The congestion controller towards a viewer has another estimate, in bits a second.
    pub fn estimated(&mut self, key: PeerKey, bits: u64) {
        if let Some(viewer) = self.viewer(key) {
            viewer.chooser.estimated(bits);
        }
    }

    /// What the congestion controller towards a viewer knows, each second.
    pub fn sampled(&mut self, key: PeerKey, sample: Sample, now: Instant) {
        if let Some(viewer) = self.viewer(key) {
            viewer.chooser.sampled(sample, now);
        }
    }

    fn viewer(&mut self, key: PeerKey) -> Option<&mut Viewer> {
        self.at(key).map(|at| &mut self.viewers[at])
    }

    fn track(&self, key: TrackKey) -> Option<&Arc<Track>> {
        self.hub.tracks().find(|track| track.key == key)
    }

    /// What each viewer here gets.
    pub fn playing(&self) -> impl Iterator<Item = (PeerKey, Receives)> {
        self.viewers.iter().map(|viewer| {
            let track = viewer.video.current().and_then(|current| self.track(current));
            let picture = track.map(|track| (track.rendition().to_owned(), track.codec));
            (viewer.key, Receives { picture, estimate: viewer.chooser.estimate() })
        })
    }

    /// What one viewer gets, and why.
    pub fn playing_to(&self, key: PeerKey) -> Option<Playing> {
        let viewer = &self.viewers[self.at(key)?];
        let on = |line: &Line<TrackKey>| Some(self.track(line.current()?)?.rendition().to_owned());
        Some(viewer.chooser.playing(on(&viewer.video), on(&viewer.audio)))
    }

    /// The last picture's timestamp in the viewer's stream, and when it was captured.
    pub fn shown_to(&self, key: PeerKey) -> Option<(u32, Instant)> {
        self.viewers[self.at(key)?].shown
    }

    /// A viewer is gone.
    pub fn remove_viewer(&mut self, key: PeerKey) {
        self.viewers.retain(|viewer| viewer.key != key);
    }

    /// How many viewers sit here, connected or not.
    pub fn viewers(&self) -> usize {
        self.viewers.len()
    }

    /// A viewer lost its picture and asks for a keyframe.
    pub fn wanted_by(&mut self, key: PeerKey, now: Instant) -> Option<Ask> {
        let viewer = &self.viewers[self.at(key)?];
        let track = viewer.video.current()?;
        self.hub.request_keyframe(track, now).then_some(Ask(track))
    }

    /// Asks the publisher, if it sits here and the track is its own, or what makes the track of its media.
    pub fn ask_publisher(&self, ask: &Ask, peers: &mut Peers) -> bool {
        if let (Some(rung), Some(ladder)) = (ask.0.made_number(), &self.ladder) {
            ladder.keyframe(rung);
            return true;
        }
        let origin =
            self.publisher.as_ref().and_then(|publisher| Some((publisher.key, publisher.origin(ask.0)?)));
        let Some((key, (mid, rid))) = origin else { return false };
        peers.request_keyframe(key, mid, rid);
        true
    }

    /// What the publisher here sends, as far as it is measured.
    pub fn measure(&mut self, now: Instant) -> Option<Measurement> {
        let (renditions, keyframe_interval) = self.hub.measure(now);
        let publisher = self.publisher.as_mut()?;
        publisher.told = self.hub.tracks().count();
        let (made, ladder) = match &self.ladder {
            Some(ladder) => (ladder.renditions(&mut self.hub, now), ladder.state(&mut self.hub, now)),
            None => (Vec::new(), LadderState::default()),
        };
        Some(Measurement {
            publisher: publisher.key,
            renditions,
            made,
            ladder,
            loss: publisher.loss,
            round_trip: publisher.round_trip,
            keyframe_interval,
            vitals: publisher.monitor.take(now),
        })
    }

    /// The same as soon as there is a track that nobody was told of: who can't decode it must not have to wait.
    pub fn measure_if_new(&mut self, now: Instant) -> Option<Measurement> {
        let is_new =
            self.publisher.as_ref().is_some_and(|publisher| publisher.told != self.hub.tracks().count());
        if is_new { self.measure(now) } else { None }
    }

    /// Everything a new subscriber needs to serve its viewers at once.
    pub fn backlog(&self) -> Vec<Arc<Packet>> {
        self.hub.tracks().flat_map(|track| self.hub.cached(track.key)).cloned().collect()
    }

    /// Which tracks a viewer wants: what the selectors say.
    fn choose(&mut self, at: usize, peers: &mut Peers, now: Instant) {
        let viewer = &mut self.viewers[at];
        let Some(peer) = peers.get(viewer.key).filter(|_| viewer.connected) else { return };
        let (hears, sees) = (peer.has_line(true) && peer.decodes(Codec::Opus), peer.has_line(false));
        let choice = sees.then(|| viewer.chooser.choose(&self.pictures, |codec| peer.decodes(codec), now));
        if let Some(track) = hears.then(|| viewer.chooser.choose_sound(&self.pictures, now)).flatten() {
            viewer.audio.want(track, now);
        }
        let Some(choice) = choice else { return };
        match (choice.picture, choice.reason) {
            (Some(track), _) => viewer.video.want(track, now),
            (None, Reason::AudioOnly | Reason::Network) => {
                viewer.video.stop();
                viewer.shown = None;
            }
            // The publisher may be about to come back.
            (None, _) => viewer.video.want_nothing(),
        }
        if let Some(bits) = viewer.chooser.news() {
            peers.want(viewer.key, bits);
        }
    }

    fn start(&mut self, at: usize, peers: &mut Peers, now: Instant, asks: &mut Vec<Ask>) {
        let viewer = &mut self.viewers[at];
        let Some((track, _)) = viewer.video.awaited(now) else { return };
        // While something plays, a switch waits for a keyframe; a replay is for a newcomer, and for whom what plays is so much
        // too large that neither it nor the sound comes through.
        let is_there = |key: TrackKey| self.hub.tracks().any(|track| track.key == key);
        let is_newcomer =
            viewer.video.current().is_none_or(|current| current.epoch != track.epoch || !is_there(current));
        if !is_newcomer && !viewer.chooser.choice.urgent {
            if self.hub.request_keyframe(track, now) {
                asks.push(Ask(track));
            }
            return;
        }
        let most = viewer.chooser.carries_at_once().filter(|_| !is_newcomer);
        match self.hub.start(track, most, now) {
            Start::Replay => {
                self.begin_replay(at, track, now);
                self.replay(at, peers, now);
            }
            Start::Wait { ask: true } => asks.push(Ask(track)),
            Start::Wait { ask: false } => {}
        }
    }

    fn begin_replay(&mut self, at: usize, track: TrackKey, now: Instant) {
        let packets = self.hub.cached(track);
        let (Some(first), Some(newest)) = (packets.first(), packets.last()) else { return };
        let bytes = packets.iter().map(|packet| packet.payload.len()).sum();
        let viewer = &mut self.viewers[at];
        viewer.video.replay(track, first.seq, edge(newest));
        viewer.replay = Some(Replay::new(track, first.seq, bytes, now));
    }

    /// Goes on with what a viewer is given of a cache, as far as its pace allows.
    fn replay(&mut self, at: usize, peers: &mut Peers, now: Instant) {
        let Some(Replay { track, next, .. }) = self.viewers[at].replay else { return };
        let first = self.hub.cached(track).first().map(|first| first.seq);
        if self.viewers[at].video.current() == Some(track) && first.is_some_and(|first| first > next) {
            // Meanwhile another keyframe came: what is left of the group before it is not worth sending any more.
            self.begin_replay(at, track, now);
        }
        let Self { hub, viewers, .. } = self;
        let viewer = &mut viewers[at];
        let Some(mut replay) = viewer.replay.take().filter(|_| viewer.video.current() == Some(track)) else {
            return;
        };
        replay.advance(now);
        let packets = hub.cached(track);
        let turn = packets.last().map(|newest| Turn { leaves: now, edge: edge(newest) });
        for packet in &packets[packets.partition_point(|packet| packet.seq < replay.next)..] {
            if !replay.take(packet.seq, packet.payload.len()) {
                viewer.replay = Some(replay);
                return;
            }
            viewer.forward(packet, turn, peers);
        }
    }
}

fn edge(newest: &Packet) -> Edge {
    Edge { seq: newest.seq, time: newest.time, captured: newest.captured, arrived: newest.arrived }
}

impl Viewer {
    /// Writes a packet to the viewer, if it is for it. `turn`, if it is replayed from a cache.
    fn forward(&mut self, packet: &Packet, turn: Option<Turn>, peers: &mut Peers) {
        if !self.connected {
            return;
        }
        if self.replay.is_some_and(|replay| replay.holds(packet.track.key, packet.seq)) {
            return;
        }
        let is_audio = packet.track.is_audio();
        // Of another sound nothing is heard that was heard already.
        let is_new = self.heard.is_none_or(|heard| packet.captured > heard);
        if is_audio && self.is_left_out(packet, is_new) {
            return;
        }
        let line = if is_audio { &mut self.audio } else { &mut self.video };
        let can_start = if is_audio { is_new } else { packet.starts_keyframe };
        let arrival = Arrival {
            track: packet.track.key,
            seq: packet.seq,
            time: packet.time,
            captured: packet.captured,
            can_start,
            turn,
        };
        let Some(place) = line.place(arrival) else { return };
        if is_audio {
            self.heard = Some(packet.captured);
        } else {
            self.shown = Some((place.time, place.stands_for));
        }
        let picture = packet.picture.and_then(|Picture { id, is_wide, base }| {
            self.pictures.place(packet.track.key, Numbers { id, is_wide, base })
        });
        peers.write(
            self.key,
            Outgoing {
                codec: packet.track.codec,
                seq: place.seq,
                time: place.time,
                stands_for: place.stands_for,
                captured: packet.captured,
                // How long what is replayed took says nothing.
                arrived: turn.is_none().then_some(packet.arrived),
                marker: packet.marker,
                payload: Arc::clone(&packet.payload),
                quarter_turns: packet.quarter_turns,
                picture,
                redundant: packet.redundant.as_ref().map(|r| (Arc::clone(&r.payload), r.inner)),
            },
        );
    }

    /// Whether this packet is of a sound that another one is about to take the place of. What is made of a sound comes later than
    /// the sound itself: as long as that is heard, nothing of the other is ever new.
    fn is_left_out(&mut self, packet: &Packet, is_new: bool) -> bool {
        let (key, now) = (packet.track.key, packet.arrived);
        let awaited = self.audio.awaited(now).map(|(track, _)| track);
        let is_over = |since: Instant| now.saturating_duration_since(since) >= YIELDS;
        if awaited.is_none() || self.audio.current().is_none() {
            self.yields = None;
        } else if awaited == Some(key) && (is_new || self.yields.is_none_or(is_over)) {
            self.yields = (!is_new).then_some(now);
        }
        self.audio.current() == Some(key) && self.yields.is_some_and(|since| !is_over(since))
    }
}
