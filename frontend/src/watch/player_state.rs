//! The player's decisions: when to open a session, when to give one up, what to tell the viewer. No clock and no browser
//! here: `now` is in milliseconds of a clock that only goes forward, outputs are polled.

use shared::broadcast::{BroadcastState, ChannelState, Codec};
use std::collections::VecDeque;

/// A connection that is cut may come back by itself for this long.
const CUT_PATIENCE: u64 = 2_000;
/// A session that finds no way in this time has none.
const ROUTE_PATIENCE: u64 = 8_000;
/// A live session on which nothing arrives for this long is dead.
const STALL_PATIENCE: u64 = 4_000;
/// The same after the server was away: it may have forgotten the session.
const STALL_AFTER_RETURN: u64 = 1_500;
const FIRST_WAIT: u64 = 1_000;
const LONGEST_WAIT: u64 = 15_000;

/// What the adapter has to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Output {
    /// Ask for a session, in the place of any other.
    Open,
    /// End the session.
    Close,
}

/// Why the server took on no session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// Nothing is live.
    NotLive,
    /// There is no such channel.
    Unknown,
    /// This browser shows none of what the broadcast is coded in.
    NoCodec,
    /// The server has no room; try again after so many seconds.
    Full(Option<u64>),
    /// The signed embed doesn't admit; `expired` if it did once.
    Embed {
        /// It was good for a while alone.
        expired: bool,
    },
    /// No answer, or none that makes sense.
    Unreachable,
}

/// What keeps the picture away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// There is no such channel.
    Unknown,
    /// Media doesn't get through.
    NoRoute,
    /// See [`Refusal::NoCodec`].
    NoCodec,
    /// The server has no room.
    Full,
    /// The signed embed has expired.
    EmbedExpired,
    /// The signed embed was revoked, or never was one.
    EmbedInvalid,
    /// The server doesn't answer.
    ServerAway,
}

/// What the viewer is to see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum View {
    /// A picture is on its way.
    Connecting,
    /// The picture is there.
    Live,
    /// The publisher dropped and is waited for.
    Waiting,
    /// It is over.
    Ended,
    /// Nothing is live.
    Offline,
    /// See [`Trouble`].
    Trouble(Trouble),
}

impl View {
    /// One stable word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Connecting => "connecting",
            Self::Live => "live",
            Self::Waiting => "waiting",
            Self::Ended => "ended",
            Self::Offline => "offline",
            Self::Trouble(_) => "error",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Media {
    /// No session.
    None,
    /// The offer is on its way.
    Asking,
    /// Answered; media looks for its way.
    Routing { since: u64 },
    /// Media has its way.
    Connected { cut_since: Option<u64> },
}

/// The state of one player.
#[derive(Debug)]
pub struct PlayerState {
    media: Media,
    channel: Option<BroadcastState>,
    trouble: Option<Trouble>,
    attempts: u32,
    again_at: Option<u64>,
    /// When media last arrived on this session.
    flowed: Option<u64>,
    /// A picture has been on the screen in this broadcast.
    pictured: bool,
    /// There is no picture to wait for: none is sent, or the viewer wants none.
    audio_only: bool,
    sound_alone: bool,
    /// Nothing may come: nobody sees the page, and there is no sound.
    hidden: bool,
    has_sound: bool,
    /// The codecs of what there is to see and hear, a bit each.
    codecs: u8,
    server_away: bool,
    returned: Option<u64>,
    outputs: VecDeque<Output>,
}

impl Default for PlayerState {
    fn default() -> Self {
        Self {
            media: Media::None,
            channel: None,
            trouble: None,
            attempts: 0,
            again_at: None,
            flowed: None,
            pictured: false,
            audio_only: false,
            sound_alone: false,
            hidden: false,
            has_sound: false,
            codecs: 0,
            server_away: false,
            returned: None,
            outputs: VecDeque::new(),
        }
    }
}

impl PlayerState {
    /// The page is there: ask for the picture without waiting to hear whether there is one.
    pub fn start(&mut self) {
        self.open();
    }

    /// The server took the session on.
    pub fn accepted(&mut self, now: u64) {
        if self.media == Media::Asking {
            self.media = Media::Routing { since: now };
            self.flowed = None;
        }
    }

    /// The server did not.
    pub fn refused(&mut self, refusal: Refusal, now: u64) {
        if self.media != Media::Asking {
            return;
        }
        self.media = Media::None;
        let (trouble, wait) = match refusal {
            // Between a broadcast's state and its first keyframe there is a moment: ask again while it is said to be live.
            Refusal::NotLive => (None, (self.channel == Some(BroadcastState::Live)).then(|| self.backoff())),
            Refusal::Unknown => (Some(Trouble::Unknown), None),
            Refusal::NoCodec => (Some(Trouble::NoCodec), None),
            Refusal::Full(seconds) => {
                let asked = seconds.unwrap_or(0).saturating_mul(1000).min(60_000);
                (Some(Trouble::Full), Some(self.backoff().max(asked)))
            }
            Refusal::Embed { expired } => (Some(embed_trouble(expired)), None),
            Refusal::Unreachable => (Some(Trouble::ServerAway), Some(self.backoff())),
        };
        self.trouble = trouble;
        self.again_at = wait.map(|wait| now + wait);
    }

    /// The signed embed doesn't admit any more, as the server says where nobody asked for media. What plays goes on.
    pub fn shut_out(&mut self, expired: bool, now: u64) {
        if self.media == Media::None {
            self.trouble = Some(embed_trouble(expired));
            self.again_at = None;
        } else {
            self.refused(Refusal::Embed { expired }, now);
        }
    }

    /// The channel isn't there, or not for this viewer, who may have been let in until now: nothing of it goes on.
    pub fn gone(&mut self) {
        self.close();
        self.again_at = None;
        self.trouble = Some(Trouble::Unknown);
    }

    /// Media found its way.
    pub fn connected(&mut self) {
        if let Media::Asking | Media::Routing { .. } | Media::Connected { .. } = self.media {
            self.media = Media::Connected { cut_since: None };
            if self.trouble == Some(Trouble::NoRoute) {
                self.trouble = None;
            }
        }
    }

    /// Media doesn't come through at the moment.
    pub fn cut(&mut self, now: u64) {
        if let Media::Connected { cut_since } = &mut self.media {
            cut_since.get_or_insert(now);
        }
    }

    /// The connection is lost for good.
    pub fn failed(&mut self, now: u64) {
        match self.media {
            Media::Connected { .. } => self.reopen(now),
            Media::Routing { .. } => self.no_route(now),
            Media::None | Media::Asking => {}
        }
    }

    /// Media arrived.
    pub fn flowed(&mut self, now: u64) {
        self.flowed = Some(now);
        self.attempts = 0;
        self.trouble = None;
    }

    /// A picture is on the screen.
    pub fn pictured(&mut self, now: u64) {
        self.pictured = true;
        self.flowed(now);
    }

    /// The server said where the broadcast stands.
    pub fn channel(&mut self, state: &ChannelState, now: u64) {
        let before = self.channel.replace(state.state);
        let sounds = state.renditions.iter().filter(|rendition| rendition.codec == Codec::Opus).count();
        self.audio_only = sounds > 0 && sounds == state.renditions.len();
        self.has_sound = sounds > 0;
        let codecs = state.renditions.iter().fold(0, |all, rendition| all | 1 << rendition.codec as u8);
        // The server makes others of what is published once it knows what that is.
        let offers_more = codecs & !std::mem::replace(&mut self.codecs, codecs) != 0;
        if self.trouble == Some(Trouble::Unknown) {
            self.trouble = None;
        }
        match state.state {
            BroadcastState::Live => {
                let news = before != Some(BroadcastState::Live);
                if (news || offers_more) && self.trouble == Some(Trouble::NoCodec) {
                    self.trouble = None;
                }
                let idle = self.media == Media::None && self.again_at.is_none() && self.trouble.is_none();
                if idle || (news && self.media == Media::None) {
                    self.open();
                } else if news && before.is_some() {
                    // The picture comes back on the session that waited; give it time from now.
                    self.flowed = self.flowed.map(|_| now);
                }
            }
            BroadcastState::Waiting => {
                // Viewers keep their place; whoever comes now gets one when the picture is back.
            }
            BroadcastState::Ended | BroadcastState::Offline => {
                self.close();
                self.pictured = false;
                self.attempts = 0;
                self.again_at = None;
                self.trouble = None;
            }
        }
    }

    /// The server went away or came back.
    pub fn reachable(&mut self, reachable: bool, now: u64) {
        self.server_away = !reachable;
        if reachable {
            self.returned = Some(now);
            if self.media == Media::None && self.again_at.is_some() {
                self.again_at = Some(now);
            }
        }
    }

    /// The viewer wants sound alone; nobody sees the page.
    pub fn rest(&mut self, sound_alone: bool, hidden: bool, now: u64) {
        if (self.sound_alone, self.hidden) != (sound_alone, hidden) {
            // What was left out comes back from now on.
            self.flowed = self.flowed.map(|_| now);
        }
        (self.sound_alone, self.hidden) = (sound_alone, hidden);
    }

    /// Time passed.
    pub fn tick(&mut self, now: u64) {
        if self.again_at.is_some_and(|at| now >= at) {
            self.open();
            return;
        }
        match self.media {
            Media::Routing { since } if now.saturating_sub(since) >= ROUTE_PATIENCE => self.no_route(now),
            Media::Connected { cut_since: Some(since) } if now.saturating_sub(since) >= CUT_PATIENCE => {
                self.reopen(now);
            }
            Media::Connected { .. } => {
                let rests = (self.hidden || self.sound_alone) && !self.has_sound;
                let expects = self.channel == Some(BroadcastState::Live) && !self.server_away && !rests;
                let silence = self.flowed.map(|at| now.saturating_sub(at));
                let patience = match self.returned {
                    Some(at) if now.saturating_sub(at) < STALL_PATIENCE => STALL_AFTER_RETURN,
                    _ => STALL_PATIENCE,
                };
                if expects && silence.is_some_and(|silence| silence >= patience) {
                    self.reopen(now);
                }
            }
            _ => {}
        }
    }

    /// The viewer doesn't want to wait for the next attempt.
    pub fn retry(&mut self) {
        self.attempts = 0;
        self.trouble = None;
        self.open();
    }

    /// The next thing to do.
    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// What the viewer is to see.
    pub fn view(&self) -> View {
        if let Some(trouble) = self.trouble {
            return View::Trouble(trouble);
        }
        match self.channel {
            Some(BroadcastState::Waiting) => View::Waiting,
            Some(BroadcastState::Ended) => View::Ended,
            Some(BroadcastState::Offline) => View::Offline,
            // Sound comes before the first picture: until that is there, there is nothing to see.
            Some(BroadcastState::Live) | None
                if self.flowed.is_some() && (self.pictured || self.audio_only || self.sound_alone) =>
            {
                View::Live
            }
            _ => View::Connecting,
        }
    }

    /// The picture goes on while the server doesn't answer.
    pub fn is_alone(&self) -> bool {
        self.server_away
    }

    /// A picture has been on the screen in this broadcast, so the last one can stay under what is said.
    pub fn has_picture(&self) -> bool {
        self.pictured
    }

    fn backoff(&mut self) -> u64 {
        let wait = (FIRST_WAIT << self.attempts.min(8)).min(LONGEST_WAIT);
        self.attempts = self.attempts.saturating_add(1);
        wait
    }

    fn open(&mut self) {
        self.again_at = None;
        self.media = Media::Asking;
        self.flowed = None;
        self.outputs.push_back(Output::Open);
    }

    fn close(&mut self) {
        if self.media != Media::None {
            self.media = Media::None;
            self.outputs.push_back(Output::Close);
        }
        self.flowed = None;
    }

    /// A session that worked is lost: try at once, then less and less often.
    fn reopen(&mut self, now: u64) {
        if self.attempts == 0 {
            self.attempts = 1;
            self.open();
        } else {
            self.close();
            self.again_at = Some(now + self.backoff());
        }
    }

    fn no_route(&mut self, now: u64) {
        self.close();
        self.trouble = Some(Trouble::NoRoute);
        self.again_at = Some(now + self.backoff());
    }
}

fn embed_trouble(expired: bool) -> Trouble {
    if expired { Trouble::EmbedExpired } else { Trouble::EmbedInvalid }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::{
        broadcast::Rendition,
        unit::{Bitrate, Timestamp},
    };

    fn is(state: BroadcastState) -> ChannelState {
        ChannelState {
            channel: "ada".parse().unwrap(),
            state,
            stream_id: None,
            title: Default::default(),
            category: Default::default(),
            viewer_count: 0,
            start_time: None,
            waiting_since: None,
            ended_at: None,
            duration: None,
            renditions: Vec::new(),
            server_time: Timestamp::from_millis(0),
        }
    }

    fn drain(state: &mut PlayerState) -> Vec<Output> {
        std::iter::from_fn(|| state.poll()).collect()
    }

    fn playing() -> PlayerState {
        let mut state = PlayerState::default();
        state.start();
        state.accepted(10);
        state.connected();
        state.channel(&is(BroadcastState::Live), 20);
        state.pictured(50);
        assert_eq!(drain(&mut state), [Output::Open]);
        assert_eq!(state.view(), View::Live);
        state
    }

    /// Ticks in steps of 100 ms until something is to be done; answers when.
    fn next(state: &mut PlayerState, mut now: u64) -> (u64, Vec<Output>) {
        for _ in 0..1000 {
            now += 100;
            state.tick(now);
            let outputs = drain(state);
            if !outputs.is_empty() {
                return (now, outputs);
            }
        }
        (now, Vec::new())
    }

    #[test]
    fn sound_alone_by_the_viewer_s_wish_needs_no_picture() {
        let mut state = PlayerState::default();
        state.rest(true, false, 0);
        state.start();
        state.accepted(10);
        state.connected();
        state.channel(&is(BroadcastState::Live), 20);
        assert_eq!(state.view(), View::Connecting);
        state.flowed(50);
        assert_eq!(state.view(), View::Live);
        assert!(!state.has_picture());
        state.rest(false, false, 60);
        assert_eq!(state.view(), View::Connecting, "until the picture is there");
    }

    #[test]
    fn nothing_is_missed_of_a_hidden_page_without_sound_until_it_is_seen_again() {
        let mut state = playing();
        state.rest(false, true, 100);
        assert_eq!(next(&mut state, 100).1, []);
        let seen = 200_000;
        state.rest(false, false, seen);
        let (at, outputs) = next(&mut state, seen);
        assert_eq!((at, outputs), (seen + STALL_PATIENCE, vec![Output::Open]));
    }

    #[test]
    fn sound_that_stops_on_a_hidden_page_is_missed() {
        let mut state = playing();
        let mut sounds = is(BroadcastState::Live);
        sounds.renditions.push(Rendition {
            name: "source".into(),
            codec: Codec::Opus,
            size: None,
            frame_rate: 0.0,
            bitrate: Bitrate(64_000),
        });
        state.channel(&sounds, 90);
        state.rest(false, true, 100);
        assert_eq!(next(&mut state, 100), (100 + STALL_PATIENCE, vec![Output::Open]));
    }

    #[test]
    fn it_asks_for_the_picture_before_it_knows_that_there_is_one() {
        let mut state = PlayerState::default();
        state.start();
        assert_eq!(drain(&mut state), [Output::Open]);
        assert_eq!(state.view(), View::Connecting);
        state.refused(Refusal::NotLive, 30);
        state.channel(&is(BroadcastState::Offline), 40);
        assert_eq!(state.view(), View::Offline);
        assert_eq!(next(&mut state, 40).1, []);
        state.channel(&is(BroadcastState::Live), 90_000);
        assert_eq!(drain(&mut state), [Output::Open]);
    }

    #[test]
    fn sound_alone_is_live_only_where_there_is_no_picture_to_come() {
        let mut state = PlayerState::default();
        state.start();
        state.accepted(1);
        state.connected();
        let mut live = is(BroadcastState::Live);
        state.channel(&live, 2);
        state.flowed(3);
        assert_eq!(state.view(), View::Connecting);
        let sound = Rendition {
            name: "audio".to_owned(),
            codec: Codec::Opus,
            size: None,
            frame_rate: 0.0,
            bitrate: Bitrate(64_000),
        };
        live.renditions = vec![sound];
        state.channel(&live, 4);
        assert_eq!(state.view(), View::Live);
    }

    #[test]
    fn live_news_does_not_ask_twice() {
        let mut state = PlayerState::default();
        state.start();
        drain(&mut state);
        state.channel(&is(BroadcastState::Live), 5);
        state.channel(&is(BroadcastState::Live), 6);
        assert_eq!(drain(&mut state), []);
    }

    #[test]
    fn a_signed_embed_that_does_not_admit_is_said_and_not_tried_again() {
        for (expired, trouble) in [(true, Trouble::EmbedExpired), (false, Trouble::EmbedInvalid)] {
            let mut state = PlayerState::default();
            state.start();
            drain(&mut state);
            state.refused(Refusal::Embed { expired }, 10);
            assert_eq!(state.view(), View::Trouble(trouble));
            assert_eq!(next(&mut state, 10).1, []);
            // The page may be told anew what to ask with only by being loaded again.
            state.retry();
            assert_eq!(drain(&mut state), [Output::Open]);
        }
    }

    #[test]
    fn what_plays_goes_on_when_its_signed_embed_expires_and_says_so_once_it_is_lost() {
        let mut state = playing();
        state.shut_out(true, 100);
        assert_eq!((state.view(), drain(&mut state)), (View::Live, Vec::new()));
        state.failed(200);
        assert_eq!(drain(&mut state), [Output::Open]);
        state.refused(Refusal::Embed { expired: true }, 300);
        assert_eq!(state.view(), View::Trouble(Trouble::EmbedExpired));
        let mut offline = PlayerState::default();
        offline.start();
        offline.refused(Refusal::NotLive, 10);
        offline.channel(&is(BroadcastState::Offline), 20);
        offline.shut_out(false, 30);
        assert_eq!(
            offline.view(),
            View::Trouble(Trouble::EmbedInvalid),
            "nothing would be heard of the next one"
        );
    }

    #[test]
    fn a_refusal_while_live_is_tried_again() {
        let mut state = PlayerState::default();
        state.start();
        state.channel(&is(BroadcastState::Live), 5);
        state.refused(Refusal::NotLive, 10);
        drain(&mut state);
        let (at, outputs) = next(&mut state, 10);
        assert_eq!(outputs, [Output::Open]);
        assert!((1010..1200).contains(&at));
    }

    #[test]
    fn viewers_keep_their_session_while_the_publisher_is_waited_for() {
        let mut state = playing();
        state.channel(&is(BroadcastState::Waiting), 1000);
        assert_eq!(state.view(), View::Waiting);
        assert_eq!(next(&mut state, 1000).1, []);
        state.channel(&is(BroadcastState::Live), 60_000);
        assert_eq!(drain(&mut state), []);
        state.flowed(60_400);
        assert_eq!(state.view(), View::Live);
        assert!(state.has_picture());
    }

    #[test]
    fn a_picture_that_does_not_come_back_gets_a_new_session() {
        let mut state = playing();
        state.channel(&is(BroadcastState::Waiting), 1000);
        state.channel(&is(BroadcastState::Live), 60_000);
        let (at, outputs) = next(&mut state, 60_000);
        assert_eq!(outputs, [Output::Open]);
        assert_eq!(at, 64_000);
    }

    #[test]
    fn the_end_closes_the_session_and_says_so() {
        let mut state = playing();
        state.channel(&is(BroadcastState::Ended), 1000);
        assert_eq!(drain(&mut state), [Output::Close]);
        assert_eq!(state.view(), View::Ended);
        assert!(!state.has_picture());
        state.failed(1100);
        assert_eq!(next(&mut state, 1100).1, []);
    }

    #[test]
    fn a_short_cut_heals_and_a_long_one_gets_a_new_session() {
        let mut state = playing();
        state.cut(1000);
        state.tick(2900);
        state.connected();
        state.flowed(2950);
        state.tick(3100);
        assert_eq!(drain(&mut state), []);
        state.cut(4000);
        state.cut(5000);
        state.tick(6000);
        assert_eq!(drain(&mut state), [Output::Open]);
    }

    #[test]
    fn a_network_without_a_way_is_said_and_tried_less_and_less_often() {
        let mut state = PlayerState::default();
        state.start();
        state.channel(&is(BroadcastState::Live), 0);
        drain(&mut state);
        state.accepted(0);
        let mut now = 0;
        let mut waits = Vec::new();
        for _ in 0..6 {
            let (at, outputs) = next(&mut state, now);
            assert_eq!(outputs, [Output::Close]);
            assert_eq!(state.view(), View::Trouble(Trouble::NoRoute));
            let (again, outputs) = next(&mut state, at);
            assert_eq!(outputs, [Output::Open]);
            waits.push(again - at);
            state.accepted(again);
            now = again;
        }
        assert_eq!(waits, [1000, 2000, 4000, 8000, 15_000, 15_000]);
        state.connected();
        state.pictured(now + 100);
        assert_eq!(state.view(), View::Live);
    }

    #[test]
    fn after_a_restart_of_the_server_a_silent_session_is_replaced_soon() {
        let mut state = playing();
        state.flowed(10_000);
        state.reachable(false, 10_100);
        assert_eq!(next(&mut state, 10_100).1, [], "the server is away: nobody to ask");
        assert!(state.is_alone());
        assert_eq!(state.view(), View::Live);
        state.reachable(true, 12_000);
        state.channel(&is(BroadcastState::Live), 12_010);
        state.tick(12_100);
        assert_eq!(drain(&mut state), [Output::Open]);
    }

    #[test]
    fn a_restart_that_media_survives_changes_nothing() {
        let mut state = playing();
        state.reachable(false, 1000);
        for now in (1000..9000).step_by(500) {
            state.flowed(now);
            state.tick(now);
        }
        state.reachable(true, 9000);
        state.channel(&is(BroadcastState::Live), 9010);
        state.tick(9500);
        assert_eq!(drain(&mut state), []);
    }

    #[test]
    fn a_full_server_is_asked_again_when_it_said() {
        let mut state = PlayerState::default();
        state.start();
        drain(&mut state);
        state.refused(Refusal::Full(Some(7)), 0);
        assert_eq!(state.view(), View::Trouble(Trouble::Full));
        let (at, outputs) = next(&mut state, 0);
        assert_eq!((at, outputs), (7000, vec![Output::Open]));
    }

    #[test]
    fn a_codec_that_cannot_be_shown_is_not_asked_for_until_something_changes() {
        let mut state = PlayerState::default();
        state.start();
        state.channel(&is(BroadcastState::Live), 1);
        state.refused(Refusal::NoCodec, 5);
        drain(&mut state);
        state.channel(&is(BroadcastState::Live), 6);
        assert_eq!(next(&mut state, 6).1, []);
        assert_eq!(state.view(), View::Trouble(Trouble::NoCodec));
        state.channel(&is(BroadcastState::Waiting), 7);
        state.channel(&is(BroadcastState::Live), 8);
        assert_eq!(drain(&mut state), [Output::Open]);
        // The server makes another rendition of it.
        state.refused(Refusal::NoCodec, 9);
        let mut live = is(BroadcastState::Live);
        state.channel(&live, 10);
        assert_eq!(drain(&mut state), []);
        live.renditions.push(Rendition {
            name: "360p".to_owned(),
            codec: Codec::Av1,
            size: None,
            frame_rate: 30.0,
            bitrate: Bitrate(600_000),
        });
        state.channel(&live, 11);
        assert_eq!(drain(&mut state), [Output::Open]);
    }

    #[test]
    fn a_server_that_returns_is_asked_at_once() {
        let mut state = PlayerState::default();
        state.start();
        drain(&mut state);
        for now in [0, 1000, 3000, 7000] {
            state.refused(Refusal::Unreachable, now);
            state.media = Media::Asking;
        }
        state.refused(Refusal::Unreachable, 15_000);
        assert_eq!(state.view(), View::Trouble(Trouble::ServerAway));
        state.reachable(true, 15_100);
        state.tick(15_150);
        assert_eq!(drain(&mut state), [Output::Open]);
    }

    #[test]
    fn whoever_is_let_in_no_more_sees_nothing_until_they_are_again() {
        for state in
            [BroadcastState::Live, BroadcastState::Waiting, BroadcastState::Ended, BroadcastState::Offline]
        {
            let mut player = playing();
            player.channel(&is(state), 100);
            drain(&mut player);
            player.gone();
            assert_eq!(player.view(), View::Trouble(Trouble::Unknown));
            let was_on = matches!(state, BroadcastState::Live | BroadcastState::Waiting);
            assert_eq!(drain(&mut player), if was_on { vec![Output::Close] } else { vec![] });
            player.tick(1_000_000);
            assert_eq!(drain(&mut player), [], "and nothing is asked for");
            player.channel(&is(BroadcastState::Live), 1_000_001);
            assert_eq!(drain(&mut player), [Output::Open]);
        }
    }

    #[test]
    fn late_answers_to_a_closed_session_are_ignored() {
        let mut state = playing();
        state.channel(&is(BroadcastState::Ended), 100);
        drain(&mut state);
        state.accepted(110);
        state.refused(Refusal::Unknown, 120);
        state.connected();
        assert_eq!(state.view(), View::Ended);
    }
}
