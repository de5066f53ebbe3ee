//! Pure: how a broadcast stands, from what was announced, what is live, and what was written down.

use crate::channel::Live;
use shared::{
    broadcast::{BroadcastState, Codec, Rendition},
    id::{BroadcastId, ChannelId},
    live::{LiveStatus, LiveStatusKind, Quality},
    unit::Timestamp,
};
use std::time::Duration;

/// How long an announced broadcast waits for its media.
pub const START_LASTS: Duration = Duration::from_secs(12 * 60 * 60);

/// A broadcast that was announced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Start {
    /// Where.
    pub channel: ChannelId,
    /// How large it was meant to be.
    pub quality: Quality,
    /// Until when it begins.
    pub expires_at: Timestamp,
    /// A later one took its place before it began.
    pub is_replaced: bool,
}

/// A broadcast that began, as it was written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logged {
    /// Where.
    pub channel: ChannelId,
    /// When it started.
    pub started_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// The picture's height when it was measured last.
    pub height: Option<u32>,
}

/// All that is known of a broadcast, whose channel is on the board as `live`.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// It was announced.
    pub start: Option<Start>,
    /// It began.
    pub logged: Option<Logged>,
    /// It is on, where neither is written yet.
    pub on_board: Option<ChannelId>,
    /// What its channel does.
    pub live: Live,
}

impl Known {
    /// Whose broadcast it is, if it is known at all.
    pub fn channel(&self) -> Option<&ChannelId> {
        let start = self.start.as_ref().map(|start| &start.channel);
        start.or_else(|| self.logged.as_ref().map(|logged| &logged.channel)).or(self.on_board.as_ref())
    }
}

/// How a broadcast stands.
pub fn status(id: &BroadcastId, known: &Known, now: Timestamp) -> LiveStatus {
    let Known { start, logged, live, .. } = known;
    // The board knows at once what is written down a moment later.
    let on_board = live.stream_id.as_ref() == Some(id);
    let is_on = on_board && matches!(live.state, BroadcastState::Live | BroadcastState::Waiting);
    let started_at = logged.as_ref().map(|logged| logged.started_at).or(live.start_time.filter(|_| is_on));
    let ended_at =
        logged.as_ref().and_then(|logged| logged.ended_at).or(live.ended_at.filter(|_| on_board && !is_on));
    let waits = |start: &Start| !start.is_replaced && start.expires_at > now;
    let has_begun = on_board || logged.is_some();
    let status = match start {
        _ if is_on => LiveStatusKind::Live,
        Some(start) if !has_begun && waits(start) => LiveStatusKind::Processing,
        _ => LiveStatusKind::Offline,
    };
    let duration = match (started_at, ended_at) {
        (Some(started), _) if is_on => now.since(started).as_secs_f64(),
        (Some(started), Some(ended)) => ended.since(started).as_secs_f64(),
        _ => live.duration.filter(|_| on_board && !is_on).map_or(0.0, |seconds| seconds.0 as f64),
    };
    let measured = if is_on { picture(&live.renditions) } else { None };
    let written = || logged.as_ref().and_then(|logged| logged.height).map(label);
    let asked = || start.as_ref().map(|start| quality_text(start.quality).to_owned());
    LiveStatus {
        stream_id: id.clone(),
        status,
        viewer_count: if is_on { live.viewer_count } else { 0 },
        start_time: started_at,
        duration,
        quality: measured.or_else(written).or_else(asked).unwrap_or_else(|| "unknown".to_owned()),
    }
}

/// What arrives, in a word; `None` before anything was measured.
fn picture(renditions: &[Rendition]) -> Option<String> {
    let has_sound_alone =
        !renditions.is_empty() && renditions.iter().all(|rendition| rendition.codec == Codec::Opus);
    height(renditions).map(label).or_else(|| has_sound_alone.then(|| "audio".to_owned()))
}

/// The height of the largest picture that arrives.
fn height(renditions: &[Rendition]) -> Option<u32> {
    renditions.iter().filter_map(|rendition| rendition.size).map(|size| u32::from(size.height)).max()
}

fn label(height: u32) -> String {
    if height == 2160 { "4K".to_owned() } else { format!("{height}p") }
}

/// What was asked for, as it is written.
pub fn quality_text(quality: Quality) -> &'static str {
    match quality {
        Quality::P720 => "720p",
        Quality::P1080 => "1080p",
        Quality::K4 => "4K",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::unit::{Bitrate, Seconds, Size};

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(1_000_000 + seconds * 1000)
    }

    fn id() -> BroadcastId {
        "b1".parse().unwrap()
    }

    fn announced() -> Option<Start> {
        let channel = "c1".parse().unwrap();
        Some(Start { channel, quality: Quality::P1080, expires_at: at(100), is_replaced: false })
    }

    fn logged(ended: Option<i64>) -> Option<Logged> {
        let channel = "c1".parse().unwrap();
        Some(Logged { channel, started_at: at(10), ended_at: ended.map(at), height: Some(2160) })
    }

    fn live(state: BroadcastState) -> Live {
        let video = Rendition {
            name: "source".to_owned(),
            codec: Codec::Vp8,
            size: Some(Size { width: 1280, height: 720 }),
            frame_rate: 30.0,
            bitrate: Bitrate(1),
        };
        let audio = Rendition { codec: Codec::Opus, size: None, ..video.clone() };
        let start_time = Some(at(10));
        Live {
            state,
            stream_id: Some(id()),
            viewer_count: 3,
            start_time,
            renditions: vec![audio, video],
            ..Live::default()
        }
    }

    #[test]
    fn an_announced_broadcast_is_processing_then_live_then_offline() {
        let mut known = Known { start: announced(), ..Known::default() };
        let before = status(&id(), &known, at(20));
        assert_eq!(
            (before.status, before.start_time, before.duration),
            (LiveStatusKind::Processing, None, 0.0)
        );
        assert_eq!(before.quality, "1080p", "what was asked for");

        known.live = live(BroadcastState::Live);
        let on = status(&id(), &known, at(20));
        assert_eq!((on.status, on.viewer_count, on.duration), (LiveStatusKind::Live, 3, 10.0));
        assert_eq!((on.start_time, on.quality.as_str()), (Some(at(10)), "720p"));
        known.live.state = BroadcastState::Waiting;
        assert_eq!(status(&id(), &known, at(25)).status, LiveStatusKind::Live);

        // It ended, and nothing of it is written yet.
        known.live = Live {
            start_time: None,
            ended_at: Some(at(40)),
            duration: Some(Seconds(30)),
            ..live(BroadcastState::Ended)
        };
        let ended = status(&id(), &known, at(50));
        assert_eq!((ended.status, ended.viewer_count, ended.duration), (LiveStatusKind::Offline, 0, 30.0));
        known.logged = logged(Some(41));
        known.live = Live::default();
        let ended = status(&id(), &known, at(50));
        assert_eq!((ended.start_time, ended.duration, ended.quality.as_str()), (Some(at(10)), 31.0, "4K"));
    }

    #[test]
    fn one_that_never_came_is_offline() {
        let mut known = Known { start: announced(), ..Known::default() };
        assert_eq!(status(&id(), &known, at(100)).status, LiveStatusKind::Offline, "it waited long enough");
        known.start.as_mut().unwrap().is_replaced = true;
        assert_eq!(status(&id(), &known, at(20)).status, LiveStatusKind::Offline);
    }

    #[test]
    fn another_broadcast_of_the_channel_says_nothing_of_this_one() {
        let other = Live { stream_id: Some("b2".parse().unwrap()), ..live(BroadcastState::Live) };
        let known = Known { logged: logged(Some(30)), live: other.clone(), ..Known::default() };
        let past = status(&id(), &known, at(60));
        assert_eq!((past.status, past.viewer_count, past.duration), (LiveStatusKind::Offline, 0, 20.0));
        let known = Known { start: announced(), live: other, ..Known::default() };
        assert_eq!(status(&id(), &known, at(20)).status, LiveStatusKind::Processing);
    }

    #[test]
    fn sound_alone_has_no_height() {
        let mut known = Known { live: live(BroadcastState::Live), ..Known::default() };
        known.live.renditions.truncate(1);
        assert_eq!(status(&id(), &known, at(20)).quality, "audio");
        known.live.renditions.clear();
        assert_eq!(status(&id(), &known, at(20)).quality, "unknown");
    }
}
