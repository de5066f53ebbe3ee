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
mod tests;
