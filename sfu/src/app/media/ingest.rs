//! A publisher's session on the shard where it sits: its packets, dated, put in one order, and unpacked.

use super::room::{AUDIO_CLOCK, VIDEO_CLOCK};
use crate::{
    broadcast::{
        packet::{Epoch, Packet, Redundant, Track, TrackKey},
        payload,
    },
    publish::{
        clock::{CaptureClock, Report},
        vitals::{Monitor, Passed},
    },
    rtc::{
        peer::{PeerKey, quarter_turns},
        red,
        shard::Peers,
    },
    watch::rewrite::Rewriter,
};
use shared::broadcast::Codec;
use std::{
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};
use str0m::{
    media::{Mid, Rid},
    rtp::{RtpPacket, Ssrc},
    stats::MediaIngressStats,
};

/// A publisher's session on this shard.
pub struct Publisher {
    /// Whose.
    pub key: PeerKey,
    clock: CaptureClock,
    /// What it sends, with the SSRC that each comes with now.
    origins: Vec<(Ssrc, Origin)>,
    /// Whether media flows, as last reported.
    pub flows: bool,
    /// How many tracks were reported; a new one is at once.
    pub told: usize,
    /// Loss after repair and round trip, as str0m last measured them.
    pub loss: f32,
    /// See `loss`.
    pub round_trip: Option<Duration>,
    /// What the doctor looks at.
    pub monitor: Monitor,
}

struct Origin {
    mid: Mid,
    rid: Option<Rid>,
    track: Arc<Track>,
    /// One stream out of those that come, should the SSRC change or numbers jump.
    rewriter: Rewriter,
    /// Nothing came yet with the SSRC that it has now.
    is_new: bool,
    /// What the newest abs-capture-time said, if there was one.
    stamp: Option<Report>,
    /// The highest sequence number, and the last one that redundant sound brought in another's place.
    highest: u64,
    recovered: Option<u64>,
}

/// The most tracks that one publisher's media is looked up for.
const MOST_ORIGINS: usize = 8;

impl Publisher {
    /// One that has sent nothing yet.
    pub fn new(key: PeerKey) -> Self {
        Self {
            key,
            clock: CaptureClock::default(),
            origins: Vec::new(),
            flows: false,
            told: 0,
            loss: 0.0,
            round_trip: None,
            monitor: Monitor::default(),
        }
    }

    /// Notes for the doctor what passed.
    pub fn note(&mut self, packet: &Packet, now: Instant) {
        let passed = Passed {
            track: packet.track.key.index,
            rendition: packet.track.rendition(),
            is_audio: packet.track.is_audio(),
            seq: packet.seq,
            time: packet.time,
            starts_keyframe: packet.starts_keyframe,
            b_slice: payload::b_slice(packet.track.codec, &packet.payload),
        };
        self.monitor.passed(passed, now);
    }

    /// What str0m measured of one of its lines.
    pub fn measured(&mut self, stats: &MediaIngressStats) {
        self.loss = stats.loss.unwrap_or(self.loss);
        self.round_trip = stats.rtt.or(self.round_trip);
        let is_of = |origin: &Origin| origin.mid == stats.mid && origin.rid == stats.rid;
        if let Some((_, origin)) = self.origins.iter().find(|(_, origin)| is_of(origin)) {
            self.monitor.asked(origin.track.key.index, stats.nacks);
        }
    }

    /// Makes a hub's packet of what arrived, after one that was lost if redundant sound brings it once more. None: it is of
    /// no line or codec that a broadcast has, or broken, or was there already.
    pub fn packets(&mut self, packet: RtpPacket, peers: &mut Peers, now: Instant) -> [Option<Packet>; 2] {
        let Some(packet) = self.packet(packet, peers, now) else { return [None, None] };
        let Some((_, origin)) =
            self.origins.iter_mut().find(|(_, origin)| origin.track.key == packet.track.key)
        else {
            return [None, None];
        };
        if origin.recovered == Some(packet.seq) {
            return [None, None];
        }
        let is_after_one = origin.highest != 0 && packet.seq == origin.highest + 2;
        origin.highest = origin.highest.max(packet.seq);
        let lost = packet.redundant.as_ref().filter(|_| is_after_one).and_then(|redundant| {
            let previous = red::unpack(&redundant.payload)?.previous?;
            let before = Duration::from_secs_f64(f64::from(previous.ticks) / f64::from(AUDIO_CLOCK));
            Some(Packet {
                seq: packet.seq - 1,
                time: packet.time.wrapping_sub(previous.ticks),
                marker: false,
                captured: packet.captured.checked_sub(before).unwrap_or(packet.captured),
                payload: previous.payload.into(),
                redundant: None,
                ..packet.clone()
            })
        });
        origin.recovered = lost.as_ref().map(|lost| lost.seq).or(origin.recovered);
        [lost, Some(packet)]
    }

    /// Where the track of a line's encoding is noted, which comes with an SSRC that wasn't seen yet. `None`: there are too
    /// many.
    fn place(&mut self, mid: Mid, rid: Option<Rid>, codec: Codec, ssrc: Ssrc) -> Option<usize> {
        if let Some(at) = self.origins.iter().position(|(_, origin)| (origin.mid, origin.rid) == (mid, rid)) {
            self.origins[at].0 = ssrc;
            let origin = &mut self.origins[at].1;
            (origin.is_new, origin.stamp) = (true, None);
            return Some(at);
        }
        if self.origins.len() >= MOST_ORIGINS {
            return None;
        }
        let clock_rate = if codec == Codec::Opus { AUDIO_CLOCK } else { VIDEO_CLOCK };
        let key = TrackKey { epoch: Epoch(self.key.0), index: self.origins.len() as u8 };
        let track = Arc::new(Track { key, codec, rid: rid.map(|rid| rid.to_string()), clock_rate });
        let rewriter = Rewriter::new(clock_rate);
        self.origins.push((
            ssrc,
            Origin { mid, rid, track, rewriter, is_new: true, stamp: None, highest: 0, recovered: None },
        ));
        Some(self.origins.len() - 1)
    }

    fn packet(&mut self, packet: RtpPacket, peers: &mut Peers, now: Instant) -> Option<Packet> {
        let peer = peers.get_mut(self.key)?;
        let codec = peer.codec_of(packet.header.payload_type)?;
        let is_redundant = codec == Codec::Opus && peer.is_redundant(packet.header.payload_type);
        let ssrc = packet.header.ssrc;
        let known = self.origins.iter().position(|(known, _)| *known == ssrc);
        let at = match known {
            Some(at) => at,
            None => {
                let (mid, rid) = peer.origin(ssrc)?;
                self.place(mid, rid, codec, ssrc)?
            }
        };
        let origin = &mut self.origins[at].1;
        if origin.track.codec != codec {
            origin.track = Arc::new(Track { codec, ..Track::clone(&origin.track) });
        }
        let wall = |time: SystemTime| time.duration_since(UNIX_EPOCH).map_or(0.0, |wall| wall.as_secs_f64());
        if let Some(stamp) = packet.header.ext_vals.abs_capture_time {
            // By the capture's own clock, which the sender says is so far ahead of its own, which its reports are by.
            let offset = stamp.clock_offset.unwrap_or(0) as f64 / 2f64.powi(32);
            let time = packet.header.timestamp;
            origin.stamp = Some(Report { wall: wall(stamp.capture_time) - offset, time });
        }
        let reported = packet
            .last_sender_info
            .map(|info| Report { wall: wall(info.ntp_time), time: info.rtp_time.numer() as u32 });
        let report = origin.stamp.or(reported);
        let track = Arc::clone(&origin.track);
        let (payload, redundant) = if is_redundant {
            let unpacked = red::unpack(&packet.payload)?;
            let redundant = Redundant { payload: Arc::clone(&packet.payload), inner: unpacked.inner };
            (unpacked.primary.into(), Some(redundant))
        } else {
            (packet.payload, None)
        };
        let one_way = self.round_trip.unwrap_or_default() / 2;
        let captured = self.clock.captured(report, packet.header.timestamp, track.clock_rate, one_way, now);
        if std::mem::take(&mut origin.is_new) {
            origin.rewriter.switch(*packet.seq_no, packet.header.timestamp, captured);
        }
        let place = origin.rewriter.place(*packet.seq_no, packet.header.timestamp, captured, None)?;
        Some(Packet {
            seq: place.seq,
            time: place.time,
            marker: packet.header.marker,
            starts_keyframe: false,
            picture: None,
            captured,
            arrived: peers.arrived().unwrap_or(now),
            quarter_turns: packet.header.ext_vals.video_orientation.map(quarter_turns),
            payload,
            redundant,
            track,
        })
    }

    /// Which line and encoding a track comes by.
    pub fn origin(&self, key: TrackKey) -> Option<(Mid, Option<Rid>)> {
        let (_, origin) = self.origins.iter().find(|(_, origin)| origin.track.key == key)?;
        Some((origin.mid, origin.rid))
    }
}

#[cfg(test)]
mod tests;
