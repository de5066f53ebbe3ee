//! What is told of a ladder: to viewers, who choose from it, and to the publisher.

use super::{Ladder, Prospect};
use crate::{
    broadcast::{hub::Hub, packet::TrackKey},
    transcode::{
        frame::{Rung, RungId},
        ladder,
        wire::Stats,
    },
};
use shared::{
    broadcast::Rendition,
    ladder::{LadderState, RungState, RungStatus},
};
use std::time::{Duration, Instant};

impl Ladder {
    /// What is made or could be, as viewers choose from it.
    pub fn renditions(&self, hub: &mut Hub, now: Instant) -> Vec<Rendition> {
        let made = hub.measure_made(now);
        let rendition = |prospect: &Prospect| {
            let measured = made.iter().find(|(key, _)| *key == prospect.track.key);
            measured.map_or_else(
                || Rendition {
                    name: prospect.track.rendition().to_owned(),
                    codec: prospect.track.codec,
                    size: prospect.size,
                    frame_rate: prospect.frame_rate,
                    bitrate: prospect.bitrate,
                },
                |(_, rendition)| rendition.clone(),
            )
        };
        self.prospects.iter().map(rendition).collect()
    }

    /// Where it stands, but for its viewers, who sit on all shards.
    pub fn state(&self, hub: &mut Hub, now: Instant) -> LadderState {
        let made = hub.measure_made(now);
        let status = |rung: &Rung, state: RungState, reason: Option<String>| {
            let key = TrackKey::made(self.epoch, rung.id.0);
            let measured = made.iter().find(|(made, _)| *made == key).map(|(_, rendition)| rendition);
            RungStatus {
                name: ladder::name(rung.id),
                size: rung.size,
                frame_rate: measured
                    .map_or(self.frame_rate / f32::from(rung.divisor.max(1)), |measured| measured.frame_rate),
                bitrate: measured.map_or(rung.bitrate, |measured| measured.bitrate),
                viewers: 0,
                encode_ms: self.encode_ms(rung.id),
                state,
                reason,
            }
        };
        let mut rungs: Vec<RungStatus> = self
            .rungs
            .iter()
            .map(|rung| {
                let is_made = made.iter().any(|(key, _)| *key == TrackKey::made(self.epoch, rung.id.0));
                let is_set = self.set.iter().any(|set| set.id == rung.id);
                let state = match (self.demand.may_be_made(rung.id, now), is_set, is_made) {
                    (false, ..) => RungState::Failed,
                    (true, true, true) => RungState::Running,
                    (true, true, false) => RungState::Starting,
                    (true, false, _) => RungState::Idle,
                };
                status(rung, state, None)
            })
            .collect();
        rungs.extend(
            self.shed
                .iter()
                .filter(|rung| {
                    self.rungs.len() < ladder::MOST_RUNGS && !self.rungs.iter().any(|r| r.id == rung.id)
                })
                .map(|rung| status(rung, RungState::Shed, Some(self.machine.why_not(rung.id)))),
        );
        rungs.sort_by_key(|rung| std::cmp::Reverse(rung.size.height.min(rung.size.width)));
        let note = if self.machine.is_allowed() {
            self.note.clone()
        } else {
            Some("The owner of this server has turned the ladder off.".to_owned())
        };
        LadderState { enabled: self.machine.is_wanted(), rungs, note }
    }

    /// How long a picture of a rung took to encode over the last second, in milliseconds.
    fn encode_ms(&self, id: RungId) -> f32 {
        let of = |stats: &Option<(Instant, Stats)>| {
            let found = stats.as_ref().and_then(|(_, stats)| stats.rungs.iter().find(|rung| rung.rung == id));
            found.map_or((0, Duration::ZERO), |rung| (rung.encoded, rung.encoding))
        };
        let ((count, busy), (before, busy_before)) = (of(&self.stats[0]), of(&self.stats[1]));
        let pictures = count.saturating_sub(before).max(1) as f32;
        busy.saturating_sub(busy_before).as_secs_f32() * 1000.0 / pictures
    }
}
