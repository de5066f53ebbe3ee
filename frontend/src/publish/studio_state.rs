//! The studio's decisions: what is ready, where publishing stands, when to try again. No clock and no browser here:
//! `now` is in milliseconds of a clock that only goes forward, outputs are polled.

use std::collections::VecDeque;

/// An end can be taken back for this long.
pub const UNDO: u64 = 5_000;
/// A connection that is cut may come back by itself for this long.
const CUT_PATIENCE: u64 = 2_000;
/// A session that finds no way in this time has none.
const ROUTE_PATIENCE: u64 = 10_000;
/// After a loss the server has this long to say who publishes now; it says so every 2 s.
const VERDICT_PATIENCE: u64 = 2_500;
const FIRST_WAIT: u64 = 1_000;
const LONGEST_WAIT: u64 = 10_000;
/// A microphone below this peak for a while is silent.
const SILENT: f32 = 0.003;
const SILENT_AFTER: u64 = 3_000;

/// What the adapter has to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Output {
    /// Get a token to publish with.
    GetToken,
    /// Open a session with the token, in the place of any other.
    Publish,
    /// Close the connection without ending the broadcast.
    Drop,
    /// End the session and the broadcast.
    End,
}

/// Where publishing stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Not live.
    Ready,
    /// On the way to the first picture at the server.
    Starting,
    /// Live.
    Live,
    /// The connection is lost and tried again.
    Reconnecting,
    /// Live until then, unless taken back.
    Ending {
        /// When.
        at: u64,
    },
    /// Another program publishes with this channel's key.
    TakenOver,
}

/// Why publishing did not start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The token is no longer good.
    Token,
    /// It will pass; try again after so many seconds.
    Later(Option<u64>),
    /// It won't pass by waiting.
    Final,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Media {
    None,
    Token,
    Asking,
    Routing { since: u64 },
    Connected { cut_since: Option<u64> },
}

/// The state of one studio's publishing.
#[derive(Debug)]
pub struct PublishState {
    stage: Stage,
    media: Media,
    session: Option<String>,
    attempts: u32,
    again_at: Option<u64>,
    live_since: Option<u64>,
    paused: bool,
    outputs: VecDeque<Output>,
}

impl Default for PublishState {
    fn default() -> Self {
        Self {
            stage: Stage::Ready,
            media: Media::None,
            session: None,
            attempts: 0,
            again_at: None,
            live_since: None,
            paused: false,
            outputs: VecDeque::new(),
        }
    }
}

impl PublishState {
    /// The streamer goes live, or takes the broadcast back from another program.
    pub fn go_live(&mut self) {
        if matches!(self.stage, Stage::Ready | Stage::TakenOver) {
            self.stage = Stage::Starting;
            self.media = Media::Token;
            self.attempts = 0;
            self.paused = false;
            self.outputs.push_back(Output::GetToken);
        }
    }

    /// The token is here.
    pub fn token(&mut self) {
        if self.media == Media::Token {
            self.publish();
        }
    }

    /// The server took the session on.
    pub fn accepted(&mut self, session: &str, now: u64) {
        if self.media == Media::Asking {
            self.media = Media::Routing { since: now };
            self.session = Some(session.to_owned());
        }
    }

    /// The server did not, or gave no token. Before the first picture a final refusal ends the attempt; once live, only
    /// the streamer ends it.
    pub fn refused(&mut self, refusal: Refusal, now: u64) {
        if !matches!(self.media, Media::Token | Media::Asking) {
            return;
        }
        let first = self.live_since.is_none();
        match refusal {
            Refusal::Token if self.media == Media::Asking && self.attempts < 3 => {
                self.attempts += 1;
                self.media = Media::Token;
                self.outputs.push_back(Output::GetToken);
            }
            Refusal::Token | Refusal::Final if first => {
                self.media = Media::None;
                self.stage = Stage::Ready;
            }
            Refusal::Later(None) if first => {
                self.media = Media::None;
                self.stage = Stage::Ready;
            }
            Refusal::Later(seconds) => self.wait(seconds, now),
            Refusal::Token | Refusal::Final => self.wait(None, now),
        }
    }

    /// Media found its way.
    pub fn connected(&mut self, now: u64) {
        if matches!(self.media, Media::Asking | Media::Routing { .. } | Media::Connected { .. }) {
            self.media = Media::Connected { cut_since: None };
            self.attempts = 0;
            self.live_since.get_or_insert(now);
            if matches!(self.stage, Stage::Starting | Stage::Reconnecting) {
                self.stage = Stage::Live;
            }
        }
    }

    /// Media doesn't get through at the moment.
    pub fn cut(&mut self, now: u64) {
        if let Media::Connected { cut_since } = &mut self.media {
            cut_since.get_or_insert(now);
        }
    }

    /// The connection is lost for good.
    pub fn failed(&mut self, now: u64) {
        if matches!(self.media, Media::Routing { .. } | Media::Connected { .. }) {
            self.lost(now);
        }
    }

    /// The server says whose session publishes.
    pub fn publisher(&mut self, session: Option<&str>) {
        let other = match (session, &self.session) {
            (Some(there), Some(ours)) => there != ours,
            _ => false,
        };
        // While a session of ours is being opened, the old one is still what the server reports.
        let settled = matches!(self.media, Media::Connected { .. } | Media::None);
        if !settled || !matches!(self.stage, Stage::Live | Stage::Reconnecting) {
            return;
        }
        if other {
            self.stage = Stage::TakenOver;
            self.media = Media::None;
            self.live_since = None;
            self.again_at = None;
            self.session = None;
            self.outputs.push_back(Output::Drop);
        } else if self.media == Media::None && self.attempts == 1 && self.again_at.is_some() {
            // Nobody took our place: no reason to wait.
            self.publish();
        }
    }

    /// The streamer pauses or goes on.
    pub fn pause(&mut self, paused: bool) {
        self.paused = paused;
    }

    /// The streamer ends; there is a moment to take it back.
    pub fn end(&mut self, now: u64) {
        match self.stage {
            Stage::Live | Stage::Reconnecting => self.stage = Stage::Ending { at: now + UNDO },
            Stage::Starting => self.finish(),
            _ => {}
        }
    }

    /// The streamer takes the end back.
    pub fn undo(&mut self) {
        if let Stage::Ending { .. } = self.stage {
            self.stage = match self.media {
                Media::Connected { .. } => Stage::Live,
                _ => Stage::Reconnecting,
            };
        }
    }

    /// The streamer doesn't want the moment.
    pub fn end_now(&mut self) {
        if let Stage::Ending { .. } = self.stage {
            self.finish();
        }
    }

    /// Time passed.
    pub fn tick(&mut self, now: u64) {
        if let Stage::Ending { at } = self.stage
            && now >= at
        {
            self.finish();
            return;
        }
        if self.again_at.is_some_and(|at| now >= at) {
            self.publish();
            return;
        }
        match self.media {
            Media::Routing { since } if now.saturating_sub(since) >= ROUTE_PATIENCE => self.lost(now),
            Media::Connected { cut_since: Some(since) } if now.saturating_sub(since) >= CUT_PATIENCE => {
                self.lost(now);
            }
            _ => {}
        }
    }

    /// The next thing to do.
    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// Where publishing stands.
    pub fn stage(&self) -> Stage {
        self.stage
    }

    /// Since when it is live, however often the connection came and went.
    #[cfg(test)]
    fn live_since(&self) -> Option<u64> {
        self.live_since
    }

    /// Black and silent by the streamer's wish.
    pub fn is_paused(&self) -> bool {
        self.paused
    }

    /// Leaving the page would cut viewers off.
    pub fn is_on_air(&self) -> bool {
        !matches!(self.stage, Stage::Ready | Stage::TakenOver)
    }

    fn publish(&mut self) {
        self.again_at = None;
        self.media = Media::Asking;
        self.outputs.push_back(Output::Publish);
    }

    fn lost(&mut self, now: u64) {
        if self.stage == Stage::Live {
            self.stage = Stage::Reconnecting;
        }
        self.outputs.push_back(Output::Drop);
        if self.attempts == 0 && self.live_since.is_some() {
            // Another program may have taken over, and coming back would throw it out again: let the server say so first.
            self.attempts = 1;
            self.media = Media::None;
            self.again_at = Some(now + VERDICT_PATIENCE);
        } else {
            self.wait(None, now);
        }
    }

    fn wait(&mut self, seconds: Option<u64>, now: u64) {
        let backoff = (FIRST_WAIT << self.attempts.min(8)).min(LONGEST_WAIT);
        self.attempts = self.attempts.saturating_add(1);
        let asked = seconds.unwrap_or(0).saturating_mul(1000).min(60_000);
        self.media = Media::None;
        self.again_at = Some(now + backoff.max(asked));
    }

    fn finish(&mut self) {
        *self = Self { outputs: std::mem::take(&mut self.outputs), ..Self::default() };
        self.outputs.push_back(Output::End);
    }
}

/// Who makes the sizes of the picture that viewers choose from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Qualities {
    /// Nobody: there is one.
    One,
    /// This browser sends several.
    Several,
}

impl Qualities {
    /// All that can be chosen.
    pub const ALL: [Self; 2] = [Self::One, Self::Several];

    /// The one that is remembered by this name; one quality, if none is.
    pub fn named(name: &str) -> Self {
        Self::ALL.into_iter().find(|one| one.name() == name).unwrap_or(Self::One)
    }

    /// What it is remembered by.
    pub fn name(self) -> &'static str {
        match self {
            Self::One => "one",
            Self::Several => "several",
        }
    }

    /// What it is called.
    pub fn label(self) -> &'static str {
        match self {
            Self::One => "One",
            Self::Several => "Several, from this browser",
        }
    }

    /// What it costs, and whom it helps.
    pub fn hint(self) -> &'static str {
        match self {
            Self::One => "One picture is sent. The server makes smaller ones of it while it has room.",
            Self::Several => {
                "Slow networks get a smaller picture. Takes a third more upload, and more of this computer."
            }
        }
    }
}

/// How one line of the list stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// Green.
    Ready,
    /// On its way.
    Pending,
    /// Needs the streamer.
    Missing,
    /// May be missing.
    Optional,
}

/// One line of the list that turns green.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// What.
    pub name: &'static str,
    /// How it stands.
    pub mark: Mark,
    /// In words: what is there, or what to do.
    pub words: String,
}

/// What the studio knows of its sources.
#[derive(Debug, Clone, PartialEq)]
pub struct Sources {
    /// What gives the picture: "Camera", "Screen"…
    pub picture: &'static str,
    /// The picture is there; an error says why not.
    pub video: Result<bool, String>,
    /// The microphone is there; an error says why not.
    pub audio: Result<bool, String>,
    /// The microphone has been silent for a while.
    pub silent: bool,
    /// The server answers.
    pub server: bool,
    /// The title.
    pub title: String,
}

/// The list, and whether going live is possible.
pub fn readiness(sources: &Sources) -> (Vec<Line>, bool) {
    let line = |name, mark, words: &str| Line { name, mark, words: words.to_owned() };
    let video = match &sources.video {
        Ok(true) => line(sources.picture, Mark::Ready, "On"),
        Ok(false) => line(sources.picture, Mark::Pending, "Waiting for your permission"),
        Err(why) => line(sources.picture, Mark::Missing, why),
    };
    let audio = match &sources.audio {
        Ok(true) if sources.silent => {
            line("Microphone", Mark::Pending, "Nothing to hear: say something, or pick another")
        }
        Ok(true) => line("Microphone", Mark::Ready, "You can be heard"),
        Ok(false) => line("Microphone", Mark::Pending, "Waiting for your permission"),
        Err(why) => line("Microphone", Mark::Optional, why),
    };
    let upload = if sources.server {
        line("Upload", Mark::Ready, "The server answers")
    } else {
        line("Upload", Mark::Missing, "The server can't be reached. Trying again …")
    };
    let title = if sources.title.trim().is_empty() {
        line("Title", Mark::Optional, "Say what it is about, so that people come")
    } else {
        line("Title", Mark::Ready, "Set")
    };
    let can = video.mark == Mark::Ready && upload.mark == Mark::Ready;
    (vec![video, audio, upload, title], can)
}

/// Tells silence from a pause between words.
#[derive(Debug, Clone, Copy, Default)]
pub struct Hearing {
    heard: Option<u64>,
}

impl Hearing {
    /// A peak from 0 to 1; answers whether it has been silent for a while.
    pub fn level(&mut self, peak: f32, now: u64) -> bool {
        if peak > SILENT || self.heard.is_none() {
            self.heard = Some(now);
        }
        self.heard.is_some_and(|heard| now.saturating_sub(heard) >= SILENT_AFTER)
    }
}

/// A peak from 0 to 1 on a meter that shows 60 dB.
pub fn meter(peak: f32) -> f32 {
    let decibels = 20.0 * peak.max(1e-6).log10();
    ((decibels + 60.0) / 60.0).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drain(state: &mut PublishState) -> Vec<Output> {
        std::iter::from_fn(|| state.poll()).collect()
    }

    fn live() -> PublishState {
        let mut state = PublishState::default();
        state.go_live();
        state.token();
        state.accepted("one", 100);
        state.connected(150);
        assert_eq!(drain(&mut state), [Output::GetToken, Output::Publish]);
        assert_eq!(state.stage(), Stage::Live);
        state
    }

    fn next(state: &mut PublishState, mut now: u64) -> (u64, Vec<Output>) {
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
    fn what_was_chosen_of_qualities_is_remembered_by_name() {
        for one in Qualities::ALL {
            assert_eq!(Qualities::named(one.name()), one);
        }
        assert_eq!(Qualities::named("of another version"), Qualities::One);
    }

    #[test]
    fn an_end_can_be_taken_back_for_five_seconds() {
        let mut state = live();
        state.end(1000);
        assert_eq!(state.stage(), Stage::Ending { at: 6000 });
        state.tick(5999);
        state.undo();
        assert_eq!((state.stage(), drain(&mut state)), (Stage::Live, vec![]));
        state.end(10_000);
        state.tick(15_000);
        assert_eq!((state.stage(), drain(&mut state)), (Stage::Ready, vec![Output::End]));
        assert!(!state.is_on_air());
    }

    #[test]
    fn a_lost_connection_publishes_again_until_the_streamer_ends() {
        let mut state = live();
        state.cut(1000);
        state.tick(3000);
        assert_eq!(drain(&mut state), [Output::Drop]);
        assert_eq!(state.stage(), Stage::Reconnecting);
        assert_eq!(next(&mut state, 3000), (5500, vec![Output::Publish]));
        let mut now = 5500;
        let mut waits = Vec::new();
        for _ in 0..5 {
            state.refused(Refusal::Later(None), now);
            let (at, outputs) = next(&mut state, now);
            assert_eq!(outputs, [Output::Publish]);
            waits.push(at - now);
            now = at;
        }
        assert_eq!(waits, [2000, 4000, 8000, 10_000, 10_000]);
        state.accepted("two", now);
        state.connected(now + 50);
        assert_eq!(state.stage(), Stage::Live);
        assert_eq!(state.live_since(), Some(150), "the broadcast goes on");
    }

    #[test]
    fn an_expired_token_is_replaced() {
        let mut state = live();
        state.failed(1000);
        state.publisher(None);
        state.refused(Refusal::Token, 1100);
        assert_eq!(drain(&mut state), [Output::Drop, Output::Publish, Output::GetToken]);
        state.token();
        assert_eq!(drain(&mut state), [Output::Publish]);
    }

    #[test]
    fn a_final_refusal_before_the_first_picture_stops() {
        let mut state = PublishState::default();
        state.go_live();
        state.token();
        state.refused(Refusal::Final, 0);
        drain(&mut state);
        assert_eq!(state.stage(), Stage::Ready);
        assert_eq!(next(&mut state, 0).1, []);
    }

    #[test]
    fn another_program_that_takes_over_is_not_fought() {
        let mut state = live();
        state.publisher(Some("one"));
        state.publisher(None);
        assert_eq!(state.stage(), Stage::Live);
        state.publisher(Some("obs"));
        assert_eq!((state.stage(), drain(&mut state)), (Stage::TakenOver, vec![Output::Drop]));
        state.failed(2000);
        assert_eq!(next(&mut state, 2000).1, []);
        state.go_live();
        assert_eq!(drain(&mut state), [Output::GetToken]);
    }

    #[test]
    fn the_old_session_is_not_taken_for_another_program_while_coming_back() {
        let mut state = live();
        state.failed(1000);
        state.publisher(Some("one"));
        assert_eq!(drain(&mut state), [Output::Drop, Output::Publish]);
        state.accepted("two", 1100);
        state.publisher(Some("one"));
        assert_eq!((state.stage(), drain(&mut state)), (Stage::Reconnecting, vec![]));
    }

    #[test]
    fn a_loss_that_is_a_takeover_is_told_apart_before_coming_back() {
        let mut state = live();
        state.failed(1000);
        state.publisher(Some("obs"));
        assert_eq!(state.stage(), Stage::TakenOver);
        assert_eq!(drain(&mut state), [Output::Drop, Output::Drop]);
        assert_eq!(next(&mut state, 1000).1, []);
    }

    #[test]
    fn a_way_that_is_never_found_is_tried_again() {
        let mut state = PublishState::default();
        state.go_live();
        state.token();
        state.accepted("one", 0);
        drain(&mut state);
        let (at, outputs) = next(&mut state, 0);
        assert_eq!((at, outputs), (10_000, vec![Output::Drop]));
        assert_eq!(next(&mut state, at).1, [Output::Publish]);
    }

    #[test]
    fn the_list_turns_green_line_by_line() {
        let mut sources = Sources {
            picture: "Camera",
            video: Ok(false),
            audio: Err("No microphone was found".to_owned()),
            silent: false,
            server: true,
            title: String::new(),
        };
        assert!(!readiness(&sources).1);
        sources.video = Ok(true);
        let (lines, can) = readiness(&sources);
        assert!(can, "sound and title may be missing");
        assert_eq!(lines[1].mark, Mark::Optional);
        sources.server = false;
        assert!(!readiness(&sources).1);
    }

    #[test]
    fn silence_is_said_after_three_seconds_without_sound() {
        let mut hearing = Hearing::default();
        assert!(!hearing.level(0.0, 0));
        assert!(!hearing.level(0.0, 2900));
        assert!(hearing.level(0.0, 3000));
        assert!(!hearing.level(0.2, 3100));
        assert_eq!((meter(0.0), meter(1.0)), (0.0, 1.0));
        assert!((meter(0.1) - 0.667).abs() < 0.01);
    }
}
