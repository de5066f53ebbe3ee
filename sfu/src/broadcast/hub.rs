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
    unit::Bitrate,
};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// A publisher is asked for a keyframe of one track at most this often, however many viewers want one.
pub const KEYFRAME_REQUEST_EVERY: Duration = Duration::from_secs(1);
/// A cache no older than this is replayed at once; with an older one, asking the publisher is usually faster.
const FRESH: Duration = Duration::from_secs(3);
/// How long a newcomer waits for a requested keyframe before an old cache is replayed after all.
const PATIENCE: Duration = Duration::from_millis(500);
/// A track without packets for this long, while another of its kind has some, has fallen silent.
const QUIET: Duration = Duration::from_secs(2);
/// The most tracks of one publisher: one sound track and three encodings, doubled.
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
    last_packet: Instant,
    last_keyframe_time: Option<u32>,
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
    pub fn push(&mut self, mut packet: Packet, now: Instant) -> Option<Arc<Packet>> {
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
            None if self.tracks.len() < MOST_TRACKS => {
                self.tracks.push(TrackState {
                    track: Arc::clone(&packet.track),
                    cache: KeyframeCache::default(),
                    meter: Meter::default(),
                    last_request: None,
                    last_packet: now,
                    last_keyframe_time: None,
                });
                self.tracks.len() - 1
            }
            None => return None,
        };
        let state = &mut self.tracks[at];
        if state.track != packet.track {
            // The publisher changed the codec in mid-session: what was kept no longer fits.
            state.track = Arc::clone(&packet.track);
            state.cache.clear();
        }
        self.last_packet = Some(now);
        state.last_packet = now;
        let keyframe = payload::keyframe(packet.track.codec, &packet.payload);
        if let Some(keyframe) = keyframe {
            // A parameter set and its slice start the same keyframe; only the size is news then.
            let is_first = state.last_keyframe_time != Some(packet.time);
            packet.starts_keyframe = is_first;
            if is_first {
                state.meter.keyframe(keyframe.size, now);
                state.last_keyframe_time = Some(packet.time);
            }
        }
        if packet.track.codec == Codec::Vp8 {
            packet.picture = payload::vp8_picture(&packet.payload);
        }
        state.meter.packet(packet.payload.len(), packet.marker, now);
        let packet = Arc::new(packet);
        if !packet.track.is_audio() {
            state.cache.push(&packet, now);
        }
        Some(packet)
    }

    /// Takes what another shard's hub already looked at; false if it is old news.
    pub fn adopt(&mut self, packet: &Arc<Packet>, now: Instant) -> bool {
        if self.state(packet.track.key).is_some_and(|state| state.cache.holds(packet.seq)) {
            return false;
        }
        self.push(Packet::clone(packet), now).is_some()
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
        let area = |state: &TrackState| {
            state.meter.size.map_or(0, |size| u32::from(size.width) * u32::from(size.height))
        };
        let fits =
            |state: &&TrackState| !state.track.is_audio() && decodes(state.track.codec) && self.flows(state);
        self.tracks.iter().filter(fits).rev().max_by_key(|state| area(state)).map(|state| state.track.key)
    }

    /// The tracks that flow. One that has fallen silent while another of its kind goes on is out: an encoder pauses its
    /// largest encoding when the network is narrow. If all are silent nothing changes, as the publisher may come back.
    pub fn flowing(&self) -> impl Iterator<Item = &Arc<Track>> {
        self.tracks.iter().filter(|state| self.flows(state)).map(|state| &state.track)
    }

    fn flows(&self, state: &TrackState) -> bool {
        let of_its_kind = self.tracks.iter().filter(|other| other.track.is_audio() == state.track.is_audio());
        let newest = of_its_kind.map(|other| other.last_packet).max();
        newest.is_none_or(|newest| newest.saturating_duration_since(state.last_packet) < QUIET)
    }

    /// The packets since a track's last keyframe.
    pub fn cached(&self, key: TrackKey) -> &[Arc<Packet>] {
        self.state(key).map_or(&[], |state| state.cache.packets())
    }

    /// How somebody who has waited for `waited` starts on a track.
    pub fn start(&mut self, key: TrackKey, waited: Duration, now: Instant) -> Start {
        let age = self.state(key).and_then(|state| state.cache.age(now));
        match age {
            Some(age) if age <= FRESH || waited >= PATIENCE => Start::Replay,
            _ => Start::Wait { ask: self.request_keyframe(key, now) },
        }
    }

    /// Somebody wants a keyframe; true if the publisher is to be asked now.
    pub fn request_keyframe(&mut self, key: TrackKey, now: Instant) -> bool {
        let Some(state) = self.tracks.iter_mut().find(|state| state.track.key == key) else { return false };
        let due = state
            .last_request
            .is_none_or(|last| now.saturating_duration_since(last) >= KEYFRAME_REQUEST_EVERY);
        if due {
            state.last_request = Some(now);
        }
        due
    }

    /// What viewers can choose from, measured, and the time between keyframes of the first video track.
    pub fn measure(&mut self, now: Instant) -> (Vec<Rendition>, Option<Duration>) {
        let mut interval = None;
        let renditions = self
            .tracks
            .iter_mut()
            .map(|state| {
                let (bitrate, frame_rate) = state.meter.rates(now);
                if !state.track.is_audio() {
                    interval = interval.or(state.meter.keyframe_interval);
                }
                Rendition {
                    name: state.track.rendition().to_owned(),
                    codec: state.track.codec,
                    size: state.meter.size,
                    frame_rate: if state.track.is_audio() { 0.0 } else { frame_rate },
                    bitrate: Bitrate(bitrate),
                }
            })
            .collect();
        (renditions, interval)
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
        assert_eq!(hub.start(key, Duration::ZERO, now + Duration::from_secs(2)), Start::Replay);
        assert_eq!(hub.cached(key).len(), 2);
        assert!(hub.cached(key)[0].starts_keyframe);
    }

    #[test]
    fn with_an_old_cache_the_publisher_is_asked_once_and_the_cache_serves_if_it_does_not_answer() {
        let start = Instant::now();
        let mut hub = Hub::default();
        let key = hub.push(of(1, 1, VP8_KEY), start).unwrap().track.key;
        let later = start + Duration::from_secs(5);
        assert_eq!(hub.start(key, Duration::ZERO, later), Start::Wait { ask: true });
        for _ in 0..100 {
            assert_eq!(hub.start(key, Duration::ZERO, later), Start::Wait { ask: false });
        }
        assert_eq!(hub.start(key, PATIENCE, later + PATIENCE), Start::Replay);
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
        let taken = (0..200)
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
