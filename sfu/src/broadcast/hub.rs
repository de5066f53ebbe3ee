//! The hub of one broadcast on one shard: it takes the publisher's packets, keeps what newcomers need, measures each
//! track, and merges keyframe requests. Who the packets go to is the shard's business.

use super::{
    cache::KeyframeCache,
    meter::Meter,
    packet::{Epoch, Packet, Track, TrackKey},
    payload,
};
use shared::{
    broadcast::{Codec, Rendition},
    unit::{Bitrate, Size},
};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// A publisher is asked for a keyframe of one track at most this often, however many viewers want one.
pub const KEYFRAME_REQUEST_EVERY: Duration = Duration::from_secs(1);
/// A cache no older than this is replayed at once. An older one has so much to catch up with that a keyframe is better,
/// where the publisher gives one.
const FRESH: Duration = Duration::from_secs(3);
/// An older cache with no more payload bytes than this is as good as a fresh one: little moves in it.
const LIGHT: usize = 256 << 10;
/// How long newcomers wait for a requested keyframe before an old cache is replayed after all.
const PATIENCE: Duration = Duration::from_millis(150);
/// A keyframe that comes later than this after it was asked for was none that was asked for.
const ANSWERED: Duration = Duration::from_secs(1);
/// A track without packets for this long, while another of its kind has some, has fallen silent.
const QUIET: Duration = Duration::from_secs(2);
/// The most tracks of one publisher: one sound track and three encodings, doubled. The server may make as many more.
const MOST_TRACKS: usize = 8;

/// How a newcomer to a track starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// From the cached keyframe.
    Replay,
    /// From the next keyframe; `ask` tells whether the publisher is to be asked now.
    Wait {
        /// Whether a request is due.
        ask: bool,
    },
}

#[derive(Debug)]
struct TrackState {
    track: Arc<Track>,
    cache: KeyframeCache,
    meter: Meter,
    last_request: Option<Instant>,
    /// Since when the publisher owes a keyframe that it was asked for.
    owed: Option<Instant>,
    /// Somebody asked too soon after another.
    wanted: bool,
    /// The publisher does not answer: OBS and FFmpeg send keyframes when they like.
    deaf: bool,
    last_packet: Instant,
    highest_seq: u64,
    /// The last keyframe's timestamp and the sequence number that it starts with.
    last_keyframe: Option<(u32, u64)>,
}

impl TrackState {
    /// Whether a newcomer is served from the cache without more ado.
    fn serves(&self, now: Instant) -> bool {
        self.cache.age(now).is_some_and(|age| age <= FRESH || self.cache.bytes() <= LIGHT || self.deaf)
    }

    fn request(&mut self, now: Instant) -> bool {
        let due = self
            .last_request
            .is_none_or(|last| now.saturating_duration_since(last) >= KEYFRAME_REQUEST_EVERY);
        if due {
            self.deaf |= self.owed.is_some();
            self.owed.get_or_insert(now);
            self.last_request = Some(now);
        }
        self.wanted = !due;
        due
    }

    fn rendition(&mut self, now: Instant) -> Rendition {
        let (bitrate, frame_rate) = self.meter.rates(now);
        Rendition {
            name: self.track.rendition().to_owned(),
            codec: self.track.codec,
            size: self.meter.size,
            frame_rate: if self.track.is_audio() { 0.0 } else { frame_rate },
            bitrate: Bitrate(bitrate),
        }
    }

    fn keyframe_came(&mut self, now: Instant) {
        if let Some(asked) = self.owed.take() {
            self.deaf = now.saturating_duration_since(asked) > ANSWERED;
        }
        self.wanted = false;
    }
}

/// See the module.
#[derive(Debug, Default)]
pub struct Hub {
    publisher: Option<Epoch>,
    tracks: Vec<TrackState>,
    last_packet: Option<Instant>,
}

impl Hub {
    /// Takes a packet from a publisher. `None`: it is from a publisher that another has taken over from, or of a
    /// track too many. A newer publisher's first packet replaces the tracks.
    pub fn push(&mut self, packet: Packet, now: Instant) -> Option<Arc<Packet>> {
        self.take(packet, now, now)
    }

    fn take(&mut self, mut packet: Packet, arrived: Instant, now: Instant) -> Option<Arc<Packet>> {
        let epoch = packet.track.key.epoch;
        match self.publisher {
            Some(current) if epoch < current => return None,
            Some(current) if epoch == current => {}
            _ => {
                self.publisher = Some(epoch);
                self.tracks.clear();
            }
        }
        let at = match self.tracks.iter().position(|state| state.track.key == packet.track.key) {
            Some(at) => at,
            None if self.has_room(packet.track.key) => {
                self.tracks.push(TrackState {
                    track: Arc::clone(&packet.track),
                    cache: KeyframeCache::default(),
                    meter: Meter::default(),
                    last_request: None,
                    owed: None,
                    wanted: false,
                    deaf: false,
                    last_packet: now,
                    highest_seq: 0,
                    last_keyframe: None,
                });
                self.tracks.len() - 1
            }
            None => return None,
        };
        let state = &mut self.tracks[at];
        if state.track != packet.track {
            if packet.seq < state.highest_seq {
                // A late packet of the codec before: for those who have its frame.
                return Some(Arc::new(packet));
            }
            // The publisher changed the codec in mid-session: what was kept no longer fits.
            state.track = Arc::clone(&packet.track);
            state.cache.clear();
        }
        state.highest_seq = state.highest_seq.max(packet.seq);
        self.last_packet = Some(now);
        state.last_packet = now;
        let keyframe = payload::keyframe(packet.track.codec, &packet.payload);
        if let Some(keyframe) = keyframe {
            // A parameter set and its slice start the same keyframe, in whichever order they come; only the size is news then.
            let (is_another, is_first) = match state.last_keyframe {
                Some((time, seq)) if time == packet.time => (false, packet.seq < seq),
                _ => (true, true),
            };
            packet.starts_keyframe = is_first;
            if is_first {
                state.last_keyframe = Some((packet.time, packet.seq));
            }
            if is_another {
                state.meter.keyframe(keyframe.size, now);
                state.keyframe_came(now);
            } else {
                state.meter.size = keyframe.size.or(state.meter.size);
            }
        }
        if packet.track.codec == Codec::Vp8 {
            packet.picture = payload::vp8_picture(&packet.payload);
        }
        state.meter.packet(packet.payload.len(), packet.marker, now);
        let packet = Arc::new(packet);
        if !packet.track.is_audio() {
            state.cache.push(&packet, arrived);
        }
        Some(packet)
    }

    fn has_room(&self, key: TrackKey) -> bool {
        let of_its_kind = |state: &&TrackState| state.track.key.is_made() == key.is_made();
        self.tracks.iter().filter(of_its_kind).count() < MOST_TRACKS
    }

    /// Takes what another shard's hub already looked at; false if it is old news.
    pub fn adopt(&mut self, packet: &Arc<Packet>, now: Instant) -> bool {
        if self.state(packet.track.key).is_some_and(|state| state.cache.holds(packet.seq)) {
            return false;
        }
        // What it kept before anybody here watched is as old here as it was there.
        self.take(Packet::clone(packet), packet.arrived.min(now), now).is_some()
    }

    /// The publisher that packets are taken from.
    pub fn publisher(&self) -> Option<Epoch> {
        self.publisher
    }

    /// When the last packet arrived.
    pub fn last_packet(&self) -> Option<Instant> {
        self.last_packet
    }

    /// The tracks there are, in the order in which they appeared.
    pub fn tracks(&self) -> impl Iterator<Item = &Arc<Track>> {
        self.tracks.iter().map(|state| &state.track)
    }

    /// The video track with the largest picture among those that flow and whose codec `decodes` takes; the earliest of
    /// equals.
    pub fn largest_video(&self, decodes: impl Fn(Codec) -> bool) -> Option<TrackKey> {
        self.largest(|track| decodes(track.codec)).map(|state| state.track.key)
    }

    /// The same of those that the publisher sends, with its size, once that is known, and its frames a second.
    pub fn largest_sent(&mut self, now: Instant) -> Option<(Arc<Track>, Size, f32)> {
        let state = self.largest(|track| !track.key.is_made())?;
        let (track, size) = (Arc::clone(&state.track), state.meter.size?);
        let (_, frame_rate) = self.state_mut(track.key)?.meter.rates(now);
        Some((track, size, frame_rate))
    }

    fn largest(&self, which: impl Fn(&Track) -> bool) -> Option<&TrackState> {
        let area = |state: &TrackState| {
            state.meter.size.map_or(0, |size| u32::from(size.width) * u32::from(size.height))
        };
        let fits = |state: &&TrackState| !state.track.is_audio() && which(&state.track) && self.flows(state);
        self.tracks.iter().filter(fits).rev().max_by_key(|state| area(state))
    }

    /// The tracks that flow. One that has fallen silent while another of its kind goes on is out: an encoder pauses its
    /// largest encoding when the network is narrow. If all are silent nothing changes, as the publisher may come back.
    pub fn flowing(&self) -> impl Iterator<Item = &Arc<Track>> {
        self.tracks.iter().filter(|state| self.flows(state)).map(|state| &state.track)
    }

    /// The pictures that there are, with whether they flow, their sizes and their bits a second.
    pub fn pictures(&mut self, now: Instant) -> impl Iterator<Item = (&Arc<Track>, bool, Option<Size>, u64)> {
        let flows: Vec<bool> = self.tracks.iter().map(|state| self.flows(state)).collect();
        self.tracks.iter_mut().zip(flows).filter(|(state, _)| !state.track.is_audio()).map(
            move |(state, flows)| {
                let (bitrate, _) = state.meter.rates(now);
                (&state.track, flows, state.meter.size, bitrate)
            },
        )
    }

    /// The first sound that the publisher sends and that flows, and its bits a second.
    pub fn sound(&mut self, now: Instant) -> Option<(TrackKey, u64)> {
        let is_sent = |state: &&TrackState| state.track.is_audio() && !state.track.key.is_made();
        let key = self.tracks.iter().filter(is_sent).find(|state| self.flows(state))?.track.key;
        let (bitrate, _) = self.state_mut(key)?.meter.rates(now);
        Some((key, bitrate))
    }

    fn flows(&self, state: &TrackState) -> bool {
        let of_its_kind = self.tracks.iter().filter(|other| other.track.is_audio() == state.track.is_audio());
        let newest = of_its_kind.map(|other| other.last_packet).max();
        newest.is_none_or(|newest| newest.saturating_duration_since(state.last_packet) < QUIET)
    }

    /// How old the keyframe is that a track's cache begins with. `None`: nobody can start from it.
    pub fn cache_age(&self, key: TrackKey, now: Instant) -> Option<Duration> {
        self.state(key)?.cache.age(now)
    }

    /// Whether the publisher is known not to answer requests for this track.
    pub fn is_deaf(&self, key: TrackKey) -> bool {
        self.state(key).is_some_and(|state| state.deaf)
    }

    /// Tracks that aren't made any more, or not for now. What numbers they have had, whoever makes them goes on with.
    pub fn forget(&mut self, keys: &[TrackKey]) {
        self.tracks.retain(|state| !keys.contains(&state.track.key));
    }

    /// The packets since a track's last keyframe.
    pub fn cached(&self, key: TrackKey) -> &[Arc<Packet>] {
        self.state(key).map_or(&[], |state| state.cache.packets())
    }

    /// Somebody is about to come, and a keyframe that is asked for now is there when they are; true if the publisher is to
    /// be asked. Where the cache will serve, it isn't.
    pub fn expect(&mut self, key: TrackKey, now: Instant) -> bool {
        let Some(state) = self.state_mut(key) else { return false };
        !state.serves(now) && state.request(now)
    }

    /// The tracks for which the publisher answers no requests.
    pub fn deaf(&self) -> Vec<TrackKey> {
        self.tracks.iter().filter(|state| state.deaf).map(|state| state.track.key).collect()
    }

    /// Another shard's hub found out that requests for these tracks are not answered.
    pub fn note_deaf(&mut self, tracks: &[TrackKey]) {
        for key in tracks {
            if let Some(state) = self.state_mut(*key) {
                state.deaf = true;
            }
        }
    }

    /// How somebody who is there starts on a track, to be asked again while they wait. `most` is how many bytes they can be
    /// sent at once, if that is known: a path that is narrow would be drowned by the replay of a large group.
    pub fn start(&mut self, key: TrackKey, most: Option<usize>, now: Instant) -> Start {
        let Some(state) = self.state_mut(key) else { return Start::Wait { ask: false } };
        let fits = most.is_none_or(|most| state.cache.bytes() <= most);
        if fits && state.serves(now) {
            return Start::Replay;
        }
        let in_vain = state.owed.is_some_and(|asked| now.saturating_duration_since(asked) >= PATIENCE);
        if fits && in_vain && state.cache.age(now).is_some() {
            return Start::Replay;
        }
        Start::Wait { ask: state.request(now) }
    }

    /// Somebody wants a keyframe; true if the publisher is to be asked now. If not, and none comes, [`Self::due`] tells
    /// when it is.
    pub fn request_keyframe(&mut self, key: TrackKey, now: Instant) -> bool {
        self.state_mut(key).is_some_and(|state| state.request(now))
    }

    /// The tracks whose publisher is to be asked for a keyframe now: those that somebody asked for too soon after another,
    /// and, if somebody is there who `watches`, those whose cache is about to be outgrown.
    pub fn due(&mut self, watches: bool, now: Instant) -> Vec<TrackKey> {
        let newest = self.last_packet;
        let mut due = Vec::new();
        for state in self.tracks.iter_mut().filter(|state| !state.track.is_audio()) {
            let flows = newest
                .is_some_and(|newest| newest.saturating_duration_since(state.last_packet) < QUIET)
                && now.saturating_duration_since(state.last_packet) < QUIET;
            let wanted = state.wanted || watches && state.cache.is_almost_outgrown(now);
            state.deaf |= state.owed.is_some_and(|asked| now.saturating_duration_since(asked) > ANSWERED);
            // Whoever doesn't listen is not asked over and over while the cache still serves.
            let in_vain = state.deaf && state.cache.age(now).is_some();
            if flows && wanted && !in_vain && state.request(now) {
                due.push(state.track.key);
            }
        }
        due
    }

    /// What the publisher sends, measured, and the time between keyframes of the first video track.
    pub fn measure(&mut self, now: Instant) -> (Vec<Rendition>, Option<Duration>) {
        let mut interval = None;
        let renditions = self
            .tracks
            .iter_mut()
            .filter(|state| !state.track.key.is_made())
            .map(|state| {
                if !state.track.is_audio() {
                    interval = interval.or(state.meter.keyframe_interval);
                }
                state.rendition(now)
            })
            .collect();
        (renditions, interval)
    }

    /// What the server makes of it, measured.
    pub fn measure_made(&mut self, now: Instant) -> Vec<(TrackKey, Rendition)> {
        let made = self.tracks.iter_mut().filter(|state| state.track.key.is_made());
        made.map(|state| (state.track.key, state.rendition(now))).collect()
    }

    /// The publisher is gone: its tracks can't be started from any more. A later one may come.
    pub fn publisher_left(&mut self, epoch: Epoch) {
        if self.publisher == Some(epoch) {
            self.tracks.clear();
        }
    }

    fn state(&self, key: TrackKey) -> Option<&TrackState> {
        self.tracks.iter().find(|state| state.track.key == key)
    }

    fn state_mut(&mut self, key: TrackKey) -> Option<&mut TrackState> {
        self.tracks.iter_mut().find(|state| state.track.key == key)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    const VP8_KEY: &[u8] = &[0x10, 0x00, 0x00, 0x00, 0x9d, 0x01, 0x2a, 0x00, 0x05, 0xd0, 0x02];
    const VP8_DELTA: &[u8] = &[0x10, 0x01, 0x00, 0x00];

    fn track(epoch: u64, codec: Codec) -> Arc<Track> {
        let key = TrackKey { epoch: Epoch(epoch), index: u8::from(codec == Codec::Opus) };
        Arc::new(Track { key, codec, rid: None, clock_rate: 90_000 })
    }

    fn of(epoch: u64, seq: u64, payload: &[u8]) -> Packet {
        Packet {
            track: track(epoch, Codec::Vp8),
            seq,
            time: seq as u32 * 3000,
            marker: true,
            starts_keyframe: false,
            picture: None,
            captured: Instant::now(),
            arrived: Instant::now(),
            payload: payload.into(),
            quarter_turns: None,
            redundant: None,
        }
    }

    pub(in crate::broadcast) fn packet(seq: u64, starts_keyframe: bool) -> Arc<Packet> {
        Arc::new(Packet { starts_keyframe, ..of(1, seq, VP8_DELTA) })
    }

    #[test]
    fn a_newcomer_starts_from_a_fresh_cache_without_a_request() {
        let now = Instant::now();
        let mut hub = Hub::default();
        let key = hub.push(of(1, 1, VP8_KEY), now).unwrap().track.key;
        hub.push(of(1, 2, VP8_DELTA), now);
        assert_eq!(hub.start(key, None, now + SECOND * 2), Start::Replay);
        assert_eq!(hub.cached(key).len(), 2);
        assert!(hub.cached(key)[0].starts_keyframe);
    }

    const MS: Duration = Duration::from_millis(1);
    const SECOND: Duration = Duration::from_secs(1);
    /// More than [`LIGHT`] in a second.
    const HEAVY: usize = LIGHT / 20;

    /// A picture with so many bytes.
    fn picture(seq: u64, starts: bool, bytes: usize) -> Packet {
        let mut payload = if starts { VP8_KEY.to_vec() } else { VP8_DELTA.to_vec() };
        payload.resize(bytes.max(payload.len()), 0);
        of(1, seq, &payload)
    }

    /// Thirty pictures a second for `seconds`, the first being a keyframe.
    fn group(hub: &mut Hub, from: u64, seconds: u64, bytes: usize, start: Instant) -> Instant {
        for i in 0..30 * seconds {
            hub.push(picture(from + i, i == 0, bytes), start + SECOND * i as u32 / 30);
        }
        start + SECOND * seconds as u32
    }

    const TRACK: TrackKey = TrackKey { epoch: Epoch(1), index: 0 };
    const ASK: Start = Start::Wait { ask: true };
    const WAIT: Start = Start::Wait { ask: false };

    #[test]
    fn with_an_old_cache_the_publisher_is_asked_once_and_the_cache_serves_if_it_does_not_answer() {
        let mut hub = Hub::default();
        let later = group(&mut hub, 1, 5, HEAVY, Instant::now());
        assert_eq!(hub.start(TRACK, None, later), ASK);
        for _ in 0..100 {
            assert_eq!(hub.start(TRACK, None, later), WAIT);
        }
        assert_eq!(hub.start(TRACK, None, later + PATIENCE), Start::Replay);
        // The next keyframe comes when the encoder likes: nobody waits for it again.
        assert!(hub.due(true, later + SECOND * 2).is_empty());
        assert_eq!(hub.deaf(), [TRACK]);
        let next = group(&mut hub, 151, 5, HEAVY, later + SECOND * 2);
        assert_eq!(hub.start(TRACK, None, next), Start::Replay);
        assert!(!hub.expect(TRACK, next));
    }

    #[test]
    fn what_the_server_makes_is_told_apart_and_can_be_forgotten() {
        let now = Instant::now();
        let mut hub = Hub::default();
        for index in 0..20 {
            let key =
                if index < 10 { TrackKey { index, ..TRACK } } else { TrackKey::made(Epoch(1), index - 10) };
            let track = Arc::new(Track {
                key,
                rid: Some(format!("t{index}")),
                ..Track::clone(&track(1, Codec::Vp8))
            });
            hub.push(Packet { track, ..of(1, 1, VP8_KEY) }, now);
        }
        assert_eq!(
            hub.tracks().filter(|track| track.key.is_made()).count(),
            MOST_TRACKS,
            "neither crowds the other out"
        );
        assert_eq!(hub.tracks().count(), MOST_TRACKS * 2);
        let (sent, _) = hub.measure(now);
        assert!(sent.len() == MOST_TRACKS && sent.iter().all(|one| *one.name < *"t8"));
        assert_eq!(hub.largest_sent(now).map(|(track, ..)| track.key), Some(TRACK));
        let made: Vec<TrackKey> = hub.measure_made(now).into_iter().map(|(key, _)| key).collect();
        assert_eq!(made[3].made_number(), Some(3));
        hub.forget(&made[..7]);
        assert_eq!(hub.measure_made(now).len(), 1);
        assert!(hub.cached(made[0]).is_empty() && !hub.cached(made[7]).is_empty());
    }

    #[test]
    fn a_publisher_that_answers_is_asked_before_the_newcomer_is_there() {
        let mut hub = Hub::default();
        let later = group(&mut hub, 1, 5, HEAVY, Instant::now());
        assert!(hub.expect(TRACK, later));
        assert!(!hub.expect(TRACK, later + MS * 10), "once for all");
        hub.push(picture(151, true, HEAVY), later + MS * 40);
        assert_eq!(hub.start(TRACK, None, later + MS * 60), Start::Replay);
        assert_eq!(hub.cached(TRACK).len(), 1);
        assert!(hub.due(true, later + SECOND * 2).is_empty(), "what was asked for has come");
    }

    #[test]
    fn an_old_cache_in_which_little_moves_is_as_good_as_a_fresh_one() {
        let mut hub = Hub::default();
        let later = group(&mut hub, 1, 10, 500, Instant::now());
        assert_eq!(hub.start(TRACK, None, later), Start::Replay);
        assert!(!hub.expect(TRACK, later) && hub.due(true, later).is_empty());
    }

    #[test]
    fn a_narrow_path_is_not_drowned_by_a_replay() {
        let mut hub = Hub::default();
        let later = group(&mut hub, 1, 2, HEAVY, Instant::now());
        let bytes: usize = hub.cached(TRACK).iter().map(|packet| packet.payload.len()).sum();
        assert_eq!(hub.start(TRACK, Some(bytes), later), Start::Replay);
        assert_eq!(hub.start(TRACK, Some(bytes - 1), later), ASK);
        assert_eq!(hub.start(TRACK, Some(bytes - 1), later + PATIENCE), WAIT, "however long it takes");
    }

    #[test]
    fn a_cache_that_is_about_to_be_outgrown_is_renewed_while_somebody_watches() {
        let start = Instant::now();
        let mut hub = Hub::default();
        let mut asked = Vec::new();
        for i in 0..30 * 30 {
            let now = start + SECOND * i as u32 / 30;
            // It answers with the next picture.
            let answers = asked.last().is_some_and(|last| *last == i - 1);
            hub.push(picture(i + 1, i == 0 || answers, HEAVY), now);
            if !hub.due(true, now).is_empty() {
                asked.push(i);
            }
            assert!(!hub.cached(TRACK).is_empty(), "there is always one to start from");
        }
        assert_eq!(asked.len(), 2, "{asked:?}");
        assert!(hub.due(false, start + SECOND * 60).is_empty(), "nobody watches");
    }

    #[test]
    fn one_that_ignores_requests_is_asked_again_only_while_its_cache_does_not_serve() {
        let start = Instant::now();
        let mut hub = Hub::default();
        let mut asked = Vec::new();
        for i in 0..30 * 60 {
            let now = start + SECOND * i as u32 / 30;
            hub.push(picture(i + 1, i % (30 * 20) == 0, HEAVY), now);
            if !hub.due(true, now).is_empty() {
                asked.push(i / 30);
            }
            let served = hub.start(TRACK, None, now) == Start::Replay;
            let kept = i % (30 * 20) <= 30 * 12;
            assert!(!served || kept, "nothing is served that does not begin with a keyframe");
        }
        assert!(asked.len() < 30, "{asked:?}");
    }

    #[test]
    fn a_request_too_soon_after_another_is_not_forgotten() {
        let start = Instant::now();
        let mut hub = Hub::default();
        hub.push(picture(1, true, HEAVY), start);
        assert!(hub.request_keyframe(TRACK, start));
        hub.push(picture(2, true, HEAVY), start + MS * 40);
        assert!(!hub.request_keyframe(TRACK, start + MS * 300), "lost after that keyframe");
        hub.push(picture(3, false, HEAVY), start + MS * 900);
        assert!(hub.due(true, start + MS * 900).is_empty());
        assert_eq!(hub.due(true, start + SECOND), [TRACK]);
        assert!(hub.due(true, start + SECOND).is_empty());
    }

    #[test]
    fn requests_are_merged_to_one_a_second_and_track() {
        let start = Instant::now();
        let mut hub = Hub::default();
        let key = hub.push(of(1, 1, VP8_DELTA), start).unwrap().track.key;
        let asked =
            (0..3000).filter(|ms| hub.request_keyframe(key, start + Duration::from_millis(*ms))).count();
        assert_eq!(asked, 3);
        let unknown = TrackKey { epoch: Epoch(9), index: 0 };
        assert!(!hub.request_keyframe(unknown, start));
    }

    #[test]
    fn a_newer_publisher_takes_over_and_the_older_is_no_longer_heard() {
        let now = Instant::now();
        let mut hub = Hub::default();
        hub.push(of(1, 7, VP8_KEY), now);
        assert!(hub.push(of(2, 1, VP8_KEY), now).is_some());
        assert!(hub.push(of(1, 8, VP8_DELTA), now).is_none());
        assert_eq!(hub.publisher(), Some(Epoch(2)));
        assert_eq!(hub.tracks().count(), 1);
        hub.publisher_left(Epoch(1));
        assert_eq!(hub.tracks().count(), 1, "a late goodbye of the old one changes nothing");
        hub.publisher_left(Epoch(2));
        assert_eq!(hub.tracks().count(), 0);
    }

    #[test]
    fn a_publisher_cannot_open_tracks_without_end() {
        let now = Instant::now();
        let mut hub = Hub::default();
        let taken = (0..64)
            .filter(|&index| {
                let key = TrackKey { epoch: Epoch(1), index };
                let track = Arc::new(Track { key, codec: Codec::Vp8, rid: None, clock_rate: 90_000 });
                hub.push(Packet { track, ..of(1, 1, VP8_KEY) }, now).is_some()
            })
            .count();
        assert_eq!(taken, MOST_TRACKS);
    }

    #[test]
    fn what_another_shard_sends_again_is_old_news() {
        let now = Instant::now();
        let mut hub = Hub::default();
        let first = hub.push(of(1, 1, VP8_KEY), now).unwrap();
        let second = Arc::new(of(1, 2, VP8_DELTA));
        assert!(!hub.adopt(&first, now));
        assert!(hub.adopt(&second, now));
        assert!(!hub.adopt(&second, now));
    }

    #[test]
    fn what_is_late_of_the_codec_before_spoils_nothing_of_the_one_after() {
        let now = Instant::now();
        let mut hub = Hub::default();
        hub.push(of(1, 1, VP8_KEY), now);
        let h264 = |seq: u64, payload: &[u8]| Packet { track: track(1, Codec::H264), ..of(1, seq, payload) };
        const IDR: &[u8] = &[0x65, 0x88, 0x84];
        hub.push(h264(3, IDR), now);
        assert!(hub.push(of(1, 2, VP8_DELTA), now).is_some(), "whoever has its frame may have it");
        hub.push(h264(4, &[0x41, 0x9a]), now);
        assert_eq!(hub.cached(TRACK).iter().map(|packet| packet.seq).collect::<Vec<_>>(), [3, 4]);
        assert_eq!(hub.largest_video(|codec| codec == Codec::H264), Some(TRACK));
    }

    #[test]
    fn a_silent_encoding_is_not_chosen_while_another_flows() {
        let start = Instant::now();
        let mut hub = Hub::default();
        let encoding = |index: u8, seq: u64, payload: &[u8]| {
            let key = TrackKey { epoch: Epoch(1), index };
            let track =
                Arc::new(Track { key, codec: Codec::Vp8, rid: Some(index.to_string()), clock_rate: 90_000 });
            Packet { track, ..of(1, seq, payload) }
        };
        const SMALL_KEY: &[u8] = &[0x10, 0x00, 0x00, 0x00, 0x9d, 0x01, 0x2a, 0x40, 0x01, 0xb4, 0x00];
        let large = hub.push(encoding(0, 1, VP8_KEY), start).unwrap().track.key;
        let small = hub.push(encoding(1, 1, SMALL_KEY), start).unwrap().track.key;
        assert_eq!(hub.largest_video(|_| true), Some(large));
        hub.push(encoding(1, 2, VP8_DELTA), start + Duration::from_secs(3));
        assert_eq!(hub.largest_video(|_| true), Some(small));
        assert_eq!(hub.flowing().count(), 1);
        assert_eq!(hub.largest_video(|codec| codec == Codec::Av1), None);
    }

    #[test]
    fn what_it_measures_is_what_came() {
        let start = Instant::now();
        let mut hub = Hub::default();
        for i in 0..60u64 {
            let payload = if i % 30 == 0 { VP8_KEY } else { VP8_DELTA };
            hub.push(of(1, i, payload), start + Duration::from_millis(i * 1000 / 30));
        }
        let (renditions, interval) = hub.measure(start + Duration::from_secs(2));
        assert_eq!(renditions.len(), 1);
        assert!((28.0..32.0).contains(&renditions[0].frame_rate), "{}", renditions[0].frame_rate);
        assert_eq!(renditions[0].size.unwrap().width, 1280);
        assert_eq!(interval, Some(Duration::from_secs(1)));
    }
}
