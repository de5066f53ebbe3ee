//! What a player tells the server of how well it plays: totals of one view, over all its sessions. No clock here: `now` is in
//! milliseconds, outputs are polled.

use shared::{analytics::ViewReport, broadcast::Codec, id::BroadcastId, unit::Size};
use std::collections::VecDeque;

/// Milliseconds between reports.
const EVERY: u64 = 10_000;
/// The same after a freeze, which is told sooner; a picture that stutters all the time is not told all the time.
const AFTER_FREEZE: u64 = 2_000;
/// A freeze longer than this before the first picture after a wait is the wait, not the network's.
const WAIT_ECHO: u64 = 5_000;
/// A picture that stood still for less than this while its session was opened anew did not freeze.
const FREEZE_LEAST: u64 = 200;

/// What one session measured since it began.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Sample {
    /// Times that the picture stopped.
    pub freezes: u32,
    /// Milliseconds that it stopped for.
    pub frozen: u32,
    /// Milliseconds glass to glass.
    pub latency: Option<u32>,
    /// What is played.
    pub codec: Option<Codec>,
    /// Pixels across and down.
    pub size: Option<Size>,
}

/// A report to be sent.
#[derive(Debug, Clone, PartialEq)]
pub struct Post {
    /// Of which view.
    pub view: String,
    /// What it says.
    pub report: ViewReport,
    /// The page may be gone before there is an answer.
    pub last: bool,
}

/// The reports of one player.
#[derive(Debug, Default)]
pub struct ReportState {
    view: Option<String>,
    /// What has not changed since the page was asked for, and what was said last.
    report: ViewReport,
    /// What earlier sessions of the view measured.
    before: (u32, u32),
    /// What this session has measured of freezes, and what of that counts.
    session: (u32, u32),
    counted: (u32, u32),
    froze_at: Option<u64>,
    /// The publisher was away: when it came back, and the stop that this made is still to come.
    waited: Option<u64>,
    waits: bool,
    pictured: bool,
    /// Of which broadcast the view is: the first one heard of since the view was opened. The media may know of a broadcast
    /// before the events do.
    broadcast: Option<BroadcastId>,
    /// The broadcast heard of last is over, or there was none.
    gone: bool,
    /// Since when a picture is wanted that isn't there, and when it was last asked for.
    asked_at: Option<u64>,
    last_asked: u64,
    /// Nobody sees the page; the viewer stopped the picture.
    hidden: bool,
    paused: bool,
    /// When the one, the other, or the browser kept the picture away last.
    hindered: Option<u64>,
    /// When a frame was shown last, if one was to follow; and the last one before the session was opened anew.
    shown_at: Option<u64>,
    stood_since: Option<u64>,
    /// The earliest time of the next report, and whether it is to be at that time.
    due: Option<u64>,
    said_at: Option<u64>,
    outputs: VecDeque<Post>,
}

impl ReportState {
    /// Of a player that stands in a page of `embedded_by`, or was come to from `referrer`.
    pub fn new(embedded_by: Option<String>, referrer: Option<String>) -> Self {
        Self { report: ViewReport { embedded_by, referrer, ..ViewReport::default() }, ..Self::default() }
    }

    /// A session is asked for; answers with the view to go on with.
    pub fn asking(&mut self, now: u64) -> Option<String> {
        self.asked_at.get_or_insert(now);
        self.last_asked = now;
        if self.pictured {
            // However many attempts it takes, the picture stands still since its last frame.
            self.stood_since = self.stood_since.or(self.shown_at.take());
        }
        self.view.clone()
    }

    /// How long a picture has been wanted.
    pub fn wanted_for(&self, now: u64) -> Option<u64> {
        self.asked_at.map(|at| now.saturating_sub(at))
    }

    /// The server took a session on as this view.
    pub fn opened(&mut self, view: Option<String>) {
        self.before = (self.before.0 + self.counted.0, self.before.1 + self.counted.1);
        (self.session, self.counted) = Default::default();
        if view != self.view {
            // In the place of a view that the server knows no more; the first one was wanted since the first attempt.
            let first = self.asked_at.filter(|_| self.view.is_none());
            let asked_at = Some(first.unwrap_or(self.last_asked));
            self.forget();
            (self.view, self.asked_at) = (view, asked_at);
        }
    }

    /// The server said which broadcast there is, whether it is over, and whether its publisher is away.
    pub fn heard(&mut self, broadcast: Option<&BroadcastId>, over: bool, waits: bool, now: u64) {
        let is_other = self.broadcast.is_some() && self.broadcast.as_ref() != broadcast;
        if over || is_other {
            self.over(now);
        } else if self.gone {
            // Before this there was no picture to wait for.
            self.asked_at = self.asked_at.map(|_| now);
        }
        self.gone = over;
        self.broadcast = broadcast.filter(|_| !over && self.view.is_some()).cloned();
        self.waiting(waits, now);
    }

    /// The broadcast is over: what comes next is another view.
    fn over(&mut self, now: u64) {
        self.say(now, false);
        self.forget();
    }

    /// A frame is on the screen. Answers whether it is the view's first: then measuring at once lets the first report say
    /// what is played.
    pub fn pictured(&mut self, now: u64) -> bool {
        if let Some(since) = self.stood_since.take() {
            let stood = now.saturating_sub(since);
            if stood >= FREEZE_LEAST {
                self.before.0 += 1;
                self.before.1 = self.before.1.saturating_add(stood.min(u64::from(u32::MAX)) as u32);
                self.froze(now);
            }
        }
        self.shown_at = Some(now).filter(|_| !self.waits && !self.hidden && !self.paused);
        let is_first = self.view.is_some() && !self.pictured;
        if is_first {
            self.pictured = true;
            // A wait in which nothing could be shown says nothing of how quick Weir is.
            let asked_at = self.asked_at.filter(|at| {
                !self.hidden && !self.paused && self.hindered.is_none_or(|hindered| hindered < *at)
            });
            self.report.join_time = asked_at.map(|at| now.saturating_sub(at).min(u64::from(u32::MAX)) as u32);
            self.due = Some(now);
        }
        is_first
    }

    /// The page is seen, or not any more.
    pub fn looked_at(&mut self, is: bool, now: u64) {
        if !is || self.hidden {
            self.blocked(now);
        }
        if is && self.hidden {
            self.rested(now);
        }
        self.hidden = !is;
    }

    /// The picture was stopped by the viewer, or goes on.
    pub fn paused(&mut self, is: bool, now: u64) {
        if is || self.paused {
            self.blocked(now);
        }
        self.paused = is;
    }

    /// The browser shows nothing before the viewer does something.
    pub fn blocked(&mut self, now: u64) {
        self.hindered = Some(now);
        self.interrupted();
    }

    /// A picture that nobody saw, or that the viewer didn't want, wasn't sent. The browser takes the time until it comes
    /// back for a freeze.
    pub fn rested(&mut self, now: u64) {
        self.waited = Some(now);
        self.blocked(now);
    }

    /// When the next frame comes says nothing.
    fn interrupted(&mut self) {
        (self.shown_at, self.stood_since) = (None, None);
    }

    /// The publisher is away, or back: that the picture stands still meanwhile is no freeze.
    fn waiting(&mut self, waits: bool, now: u64) {
        if self.waits && !waits {
            self.waited = Some(now);
            if !self.pictured {
                self.asked_at = self.asked_at.map(|_| now);
            }
        }
        if waits {
            self.interrupted();
        }
        self.waits = waits;
    }

    /// The first picture is there, or another second passed, with this measured.
    pub fn measured(&mut self, sample: Sample, now: u64) {
        let new =
            (sample.freezes.saturating_sub(self.session.0), sample.frozen.saturating_sub(self.session.1));
        self.session = (sample.freezes.max(self.session.0), sample.frozen.max(self.session.1));
        if self.waited.is_some_and(|at| now.saturating_sub(at) > WAIT_ECHO) {
            self.waited = None;
        }
        if new.0 > 0 && !self.waits && self.waited.take().is_none() {
            self.counted = (self.counted.0 + new.0, self.counted.1 + new.1);
            self.froze(now);
        }
        self.report.latency = sample.latency;
        self.report.codec = sample.codec.or(self.report.codec);
        self.report.size = sample.size.or(self.report.size);
        if self.pictured && self.due.is_some_and(|due| now >= due) {
            self.say(now, false);
        }
    }

    /// The page is put away, maybe for good.
    pub fn left(&mut self, now: u64) {
        self.interrupted();
        if self.pictured {
            self.say(now, true);
        }
    }

    /// The server knows no such view.
    pub fn unknown(&mut self, view: &str) {
        if self.view.as_deref() == Some(view) {
            self.forget();
        }
    }

    /// The next report to send.
    pub fn poll(&mut self) -> Option<Post> {
        self.outputs.pop_front()
    }

    fn froze(&mut self, now: u64) {
        self.froze_at = Some(now);
        let soon = self.said_at.map_or(now, |at| now.max(at + AFTER_FREEZE));
        self.due = self.due.map(|due| due.min(soon));
    }

    fn say(&mut self, now: u64, last: bool) {
        let Some(view) = self.view.clone().filter(|_| self.pictured) else { return };
        self.report.sequence += 1;
        self.report.freezes = self.before.0 + self.counted.0;
        self.report.frozen_time = self.before.1 + self.counted.1;
        self.report.since_freeze =
            self.froze_at.map(|at| now.saturating_sub(at).min(u64::from(u32::MAX)) as u32);
        self.said_at = Some(now);
        self.due = Some(now + EVERY);
        self.outputs.push_back(Post { view, report: self.report.clone(), last });
    }

    fn forget(&mut self) {
        let (embedded_by, referrer) = (self.report.embedded_by.take(), self.report.referrer.take());
        let outputs = std::mem::take(&mut self.outputs);
        // What is so whatever is watched.
        let Self { waits, gone, hidden, paused, hindered, last_asked, .. } = *self;
        let new = Self::new(embedded_by, referrer);
        *self = Self { outputs, waits, gone, hidden, paused, hindered, last_asked, ..new };
    }
}

/// Freezes, from the times at which frames were shown: for browsers whose statistics don't tell. A frame that comes later
/// than three times the usual, and than 150 ms more than the usual, ends one.
#[derive(Debug, Default)]
pub struct Freezes {
    last: Option<f64>,
    usual: f64,
    frames: u32,
    freezes: u32,
    frozen: f64,
}

impl Freezes {
    /// A frame is on the screen.
    pub fn shown(&mut self, at: f64) {
        let Some(gap) = self.last.replace(at).map(|last| at - last).filter(|gap| *gap >= 0.0) else { return };
        if self.frames >= 10 && gap > (3.0 * self.usual).max(self.usual + 150.0) {
            self.freezes += 1;
            self.frozen += gap - self.usual;
            return;
        }
        self.frames = (self.frames + 1).min(30);
        self.usual += (gap - self.usual) / f64::from(self.frames);
    }

    /// The picture is paused or nobody looks: the next frame's time says nothing.
    pub fn interrupted(&mut self) {
        self.last = None;
    }

    /// Times, and milliseconds, that the picture stopped.
    pub fn totals(&self) -> (u32, u32) {
        (self.freezes, self.frozen as u32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn posts(state: &mut ReportState) -> Vec<Post> {
        std::iter::from_fn(|| state.poll()).collect()
    }

    fn playing() -> ReportState {
        let mut state = ReportState::new(Some("https://a.example".to_owned()), None);
        state.asking(680);
        state.opened(Some("v1".to_owned()));
        assert!(state.pictured(1_000));
        assert!(!state.pictured(1_030));
        state.measured(Sample { codec: Some(Codec::Vp8), ..Sample::default() }, 1_000);
        let first = posts(&mut state);
        assert_eq!(first.len(), 1);
        assert_eq!((first[0].report.join_time, first[0].report.sequence), (Some(320), 1));
        assert_eq!(first[0].report.codec, Some(Codec::Vp8));
        assert_eq!(first[0].report.embedded_by.as_deref(), Some("https://a.example"));
        state
    }

    fn froze(freezes: u32, frozen: u32) -> Sample {
        Sample { freezes, frozen, ..Sample::default() }
    }

    /// Measures each second from `from` up to `to`; answers with when reports came.
    fn run(state: &mut ReportState, from: u64, to: u64, sample: Sample) -> Vec<(u64, ViewReport)> {
        let mut said = Vec::new();
        for now in (from..=to).step_by(1_000) {
            state.measured(sample, now);
            said.extend(posts(state).into_iter().map(|post| (now, post.report)));
        }
        said
    }

    #[test]
    fn it_says_something_at_once_and_then_every_ten_seconds() {
        let mut state = playing();
        let sample = Sample { latency: Some(80), codec: Some(Codec::Vp8), ..Sample::default() };
        let said = run(&mut state, 2_000, 31_000, sample);
        assert_eq!(said.iter().map(|(at, _)| *at).collect::<Vec<_>>(), [11_000, 21_000, 31_000]);
        let last = &said[2].1;
        assert_eq!((last.sequence, last.latency, last.codec), (4, Some(80), Some(Codec::Vp8)));
        assert_eq!((last.freezes, last.since_freeze, last.join_time), (0, None, Some(320)));
    }

    #[test]
    fn nothing_is_said_before_the_first_picture_or_without_a_view() {
        let mut state = ReportState::default();
        assert!(!state.pictured(0));
        state.left(5);
        state.opened(Some("v".to_owned()));
        state.left(10);
        assert_eq!(run(&mut state, 1_000, 30_000, froze(1, 500)), []);
    }

    #[test]
    fn the_end_of_a_freeze_is_told_soon_but_not_again_and_again() {
        let mut state = playing();
        let said = run(&mut state, 2_000, 2_000, froze(1, 700));
        assert_eq!(said, [], "just said something");
        let said = run(&mut state, 3_000, 3_000, froze(1, 700));
        assert_eq!((said[0].0, said[0].1.freezes, said[0].1.frozen_time), (3_000, 1, 700));
        assert_eq!(said[0].1.since_freeze, Some(1_000));
        let said = run(&mut state, 4_000, 20_000, froze(2, 900));
        assert_eq!(said.iter().map(|(at, _)| *at).collect::<Vec<_>>(), [5_000, 15_000]);
        assert_eq!(
            (said[1].1.freezes, said[1].1.frozen_time, said[1].1.since_freeze),
            (2, 900, Some(11_000))
        );
    }

    #[test]
    fn a_view_goes_on_over_sessions_and_a_new_one_starts_from_nothing() {
        let mut state = playing();
        run(&mut state, 2_000, 3_000, froze(2, 800));
        assert_eq!(state.view.as_deref(), Some("v1"));
        state.opened(Some("v1".to_owned()));
        let said = run(&mut state, 4_000, 14_000, froze(1, 100));
        let last = &said.last().unwrap().1;
        assert_eq!((last.freezes, last.frozen_time, last.join_time), (3, 900, Some(320)));
        state.opened(Some("v2".to_owned()));
        assert_eq!(run(&mut state, 20_000, 40_000, froze(0, 0)), [], "no picture of it yet");
        assert!(state.pictured(41_000));
        state.measured(Sample::default(), 41_010);
        let first = &posts(&mut state)[0];
        assert_eq!((first.view.as_str(), first.report.sequence, first.report.freezes), ("v2", 1, 0));
        assert_eq!(first.report.embedded_by.as_deref(), Some("https://a.example"));
    }

    #[test]
    fn waiting_for_the_publisher_is_no_freeze() {
        let mut state = playing();
        state.waiting(true, 5_000);
        run(&mut state, 5_000, 9_000, froze(0, 0));
        state.waiting(false, 10_000);
        let said = run(&mut state, 10_000, 30_000, froze(1, 5_000));
        assert!(said.iter().all(|(_, report)| report.freezes == 0));
        let said = run(&mut state, 31_000, 34_000, froze(2, 5_400));
        assert_eq!((said[0].1.freezes, said[0].1.frozen_time), (1, 400));
    }

    #[test]
    fn a_picture_that_nobody_wanted_did_not_freeze() {
        for rest in [
            |state: &mut ReportState, now| state.rested(now),
            |state: &mut ReportState, now| {
                state.looked_at(false, now - 30_000);
                state.looked_at(true, now);
            },
        ] {
            let mut state = playing();
            rest(&mut state, 60_000);
            let sample = froze(1, 40_000);
            let told = run(&mut state, 60_500, 75_000, sample);
            assert!(told.iter().all(|(_, report)| report.freezes == 0), "{told:?}");
            let told = run(&mut state, 75_500, 90_000, froze(2, 41_000));
            assert_eq!(told.last().unwrap().1.freezes, 1, "a later one is one");
        }
        let sound_first = |state: &mut ReportState| state.rested(60_000);
        assert_eq!(join_time(sound_first, 60_300), None, "until then nobody waited for a picture");
    }

    #[test]
    fn leaving_tells_the_rest_and_the_end_forgets_the_view() {
        let mut state = playing();
        state.left(1_500);
        state.heard(None, true, false, 2_000);
        let said = posts(&mut state);
        assert_eq!(
            said.iter().map(|post| (post.report.sequence, post.last)).collect::<Vec<_>>(),
            [(2, true), (3, false)]
        );
        assert_eq!(state.view.as_deref(), None);
        state.left(3_000);
        assert_eq!(posts(&mut state), []);
    }

    #[test]
    fn a_view_that_the_server_does_not_know_is_told_nothing_more() {
        let mut state = playing();
        state.unknown("v0");
        assert_eq!(state.view.as_deref(), Some("v1"));
        state.unknown("v1");
        assert_eq!(run(&mut state, 2_000, 60_000, froze(0, 0)), []);
    }

    #[test]
    fn a_session_that_counts_backwards_takes_nothing_back() {
        let mut state = playing();
        run(&mut state, 2_000, 3_000, froze(5, 1_000));
        run(&mut state, 4_000, 5_000, froze(0, 0));
        let said = run(&mut state, 6_000, 20_000, froze(5, 1_000));
        assert_eq!(said.last().unwrap().1.freezes, 5);
    }

    /// What the first report of a view says of how long the picture took, if these happened after the page asked at 1 s.
    fn join_time(happens: impl FnOnce(&mut ReportState), at: u64) -> Option<u32> {
        let mut state = ReportState::default();
        state.looked_at(true, 1_000);
        state.asking(1_000);
        happens(&mut state);
        state.opened(Some("v".to_owned()));
        assert!(state.pictured(at));
        state.measured(Sample::default(), at);
        posts(&mut state)[0].report.join_time
    }

    #[test]
    fn the_picture_took_as_long_as_all_attempts_together() {
        assert_eq!(join_time(|_| (), 1_250), Some(250));
        let retries = |state: &mut ReportState| {
            state.heard(Some(&broadcast("a")), false, false, 1_100);
            for at in [11_000, 21_000, 41_000] {
                state.asking(at);
            }
        };
        assert_eq!(join_time(retries, 41_300), Some(40_300));
    }

    #[test]
    fn a_wait_begins_when_there_is_something_to_wait_for() {
        let offline = |state: &mut ReportState| {
            state.heard(None, true, false, 1_100);
            state.asking(5_000);
            state.heard(Some(&broadcast("a")), false, false, 3_600_000);
            state.asking(3_600_000);
        };
        assert_eq!(join_time(offline, 3_600_400), Some(400));
        let publisher_away = |state: &mut ReportState| {
            state.heard(Some(&broadcast("a")), false, true, 1_100);
            state.heard(Some(&broadcast("a")), false, false, 60_000);
        };
        assert_eq!(join_time(publisher_away, 60_700), Some(700));
    }

    #[test]
    fn a_wait_in_which_nothing_could_be_shown_is_not_told() {
        let hide = |state: &mut ReportState| state.looked_at(false, 1_100);
        let hide_and_look = |state: &mut ReportState| {
            state.looked_at(false, 1_100);
            state.looked_at(true, 9_000);
        };
        let stop = |state: &mut ReportState| {
            state.paused(true, 1_100);
            state.paused(false, 9_000);
        };
        assert_eq!(join_time(hide, 9_500), None);
        assert_eq!(join_time(hide_and_look, 9_500), None);
        assert_eq!(join_time(stop, 9_500), None);
        assert_eq!(join_time(|state| state.blocked(1_100), 9_500), None);
        // What was before the wait is nothing to it, nor that the picture starts.
        let looked_before = |state: &mut ReportState| {
            state.looked_at(false, 1_100);
            state.looked_at(true, 2_000);
            state.heard(None, true, false, 3_000);
            state.heard(Some(&broadcast("a")), false, false, 9_000);
            state.asking(9_000);
            state.paused(false, 9_200);
        };
        assert_eq!(join_time(looked_before, 9_500), Some(500));
    }

    #[test]
    fn a_view_in_the_place_of_one_that_is_gone_was_wanted_since_it_was_asked_for() {
        let mut state = playing();
        state.asking(900_000);
        state.opened(Some("v2".to_owned()));
        assert!(state.pictured(900_300));
        state.measured(Sample::default(), 900_300);
        assert_eq!(posts(&mut state)[0].report.join_time, Some(300));
        state.unknown("v2");
        state.asking(950_000);
        state.opened(Some("v3".to_owned()));
        assert!(state.pictured(950_200));
        state.measured(Sample::default(), 950_200);
        assert_eq!(posts(&mut state)[0].report.join_time, Some(200));
    }

    #[test]
    fn a_picture_that_only_a_new_session_brought_back_froze() {
        let mut state = playing();
        state.pictured(5_000);
        for at in [9_000, 12_000] {
            assert_eq!(state.asking(at).as_deref(), Some("v1"));
        }
        state.opened(Some("v1".to_owned()));
        for at in [13_000, 13_033] {
            state.pictured(at);
        }
        let said = run(&mut state, 13_100, 13_100, froze(0, 0));
        assert_eq!((said[0].1.freezes, said[0].1.frozen_time), (1, 8_000));
        assert_eq!(said[0].1.since_freeze, Some(100));
        state.pictured(13_990);
        state.asking(14_000);
        state.opened(Some("v1".to_owned()));
        state.pictured(14_100);
        assert_eq!(run(&mut state, 25_000, 25_000, froze(0, 0))[0].1.freezes, 1, "too short to see");
    }

    #[test]
    fn what_nobody_waited_for_is_no_freeze_of_a_session_that_was_lost() {
        let a = broadcast("a");
        let excuses: [&dyn Fn(&mut ReportState); 4] = [
            &|state| state.looked_at(false, 6_000),
            &|state| state.paused(true, 6_000),
            &|state| state.heard(Some(&a), false, true, 6_000),
            &|state| state.left(6_000),
        ];
        for excuse in excuses {
            for is_before in [true, false] {
                let mut state = playing();
                state.heard(Some(&a), false, false, 2_000);
                state.pictured(5_000);
                if is_before {
                    excuse(&mut state);
                }
                state.asking(5_500);
                if !is_before {
                    excuse(&mut state);
                }
                state.opened(Some("v1".to_owned()));
                posts(&mut state);
                state.pictured(20_000);
                state.left(20_100);
                assert_eq!(posts(&mut state)[0].report.freezes, 0);
            }
        }
    }

    fn broadcast(name: &str) -> BroadcastId {
        serde_json::from_value(name.into()).unwrap()
    }

    #[test]
    fn another_broadcast_is_another_view_unless_the_view_is_newer_than_the_news() {
        let mut state = playing();
        let (a, b) = (broadcast("a"), broadcast("b"));
        state.heard(Some(&a), false, false, 2_000);
        assert_eq!(state.view.as_deref(), Some("v1"));
        // The media is back before the events are.
        state.asking(3_000);
        state.opened(Some("v2".to_owned()));
        state.heard(Some(&b), false, false, 4_000);
        assert_eq!(state.view.as_deref(), Some("v2"));
        state.heard(Some(&a), false, false, 5_000);
        assert_eq!(state.view.as_deref(), None);
    }

    #[test]
    fn freezes_are_told_from_the_times_of_frames() {
        let mut freezes = Freezes::default();
        let mut at = 0.0;
        for _ in 0..60 {
            at += 33.0;
            freezes.shown(at);
        }
        at += 180.0;
        freezes.shown(at);
        assert_eq!(freezes.totals().0, 0, "late is not frozen");
        at += 533.0;
        freezes.shown(at);
        let (count, frozen) = freezes.totals();
        assert!(count == 1 && (450..=533).contains(&frozen), "{count} {frozen}");
        freezes.interrupted();
        freezes.shown(at + 60_000.0);
        assert_eq!(freezes.totals().0, 1);
        freezes.shown(f64::NAN);
        freezes.shown(0.0);
        assert_eq!(freezes.totals().0, 1);
    }
}
