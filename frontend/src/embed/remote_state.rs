//! Who may steer the player from outside, and what they are told. Whatever another window sends is hostile until it comes
//! from the page around, and from a site that the channel admits. No clock and no window here.

use shared::embed::{Embedding, Envelope, PlayerCommand, PlayerEvent};
use std::collections::VecDeque;

/// The version of the messages.
const VERSION: u8 = 1;
/// Commands that wait for the channel's rules; of more, the oldest go.
const WAITING_MOST: usize = 8;
/// Commands that are taken at once; more are not heard.
const BURST: u32 = 30;
/// After this many milliseconds one more is.
const REFILL: u64 = 50;
/// The rules are asked for again after a failure, at most so often; while something waits, less and less often up to this.
const ASK_AGAIN: u64 = 2_000;
const ASK_AGAIN_MOST: u64 = 60_000;
/// After so many failures one after the other only a command is a reason to ask.
const FAILURES_MOST: u32 = 10;

/// A message of another window, as it came.
#[derive(Debug, Clone, Copy)]
pub struct Heard<'a> {
    /// It is the page around that sent it.
    pub from_parent: bool,
    /// The sender's origin, as the browser vouches for it.
    pub origin: &'a str,
    /// `weir`.
    pub version: Option<f64>,
    /// `type`.
    pub kind: &'a str,
    /// `volume`.
    pub volume: Option<f64>,
}

impl Heard<'_> {
    fn command(&self) -> Option<PlayerCommand> {
        if self.version != Some(f64::from(VERSION)) {
            return None;
        }
        Some(match self.kind {
            "hello" => PlayerCommand::Hello,
            "play" => PlayerCommand::Play,
            "pause" => PlayerCommand::Pause,
            "mute" => PlayerCommand::Mute,
            "unmute" => PlayerCommand::Unmute,
            "setVolume" => {
                let volume = self.volume.filter(|volume| volume.is_finite())?;
                PlayerCommand::SetVolume { volume: volume.clamp(0.0, 1.0) }
            }
            _ => return None,
        })
    }
}

/// What the adapter has to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// Ask the server for the channel's rules.
    AskRules,
    /// Call [`RemoteState::again`] after so many milliseconds, and forget any other time that was said.
    AskLater(u64),
    /// Do this.
    Do(PlayerCommand),
    /// Tell this to the page around, if it is of this origin.
    Tell(String, Envelope<PlayerEvent>),
}

#[derive(Debug, Default)]
enum Rules {
    #[default]
    Unknown,
    Asked,
    Failed {
        at: u64,
    },
    Known(Embedding),
}

/// The state of one player's steering from outside.
#[derive(Debug)]
pub struct RemoteState {
    own: String,
    rules: Rules,
    /// Failures to get them, one after the other.
    failures: u32,
    /// Whose hello waits for them. There is one page around, so there is one of these, and commands don't push it out.
    greeting: Option<String>,
    waiting: VecDeque<(String, PlayerCommand)>,
    /// The origin that said hello.
    listener: Option<String>,
    state: PlayerEvent,
    budget: u32,
    refilled: u64,
    outputs: VecDeque<Output>,
}

impl RemoteState {
    /// For a player on this server, which looks like this.
    pub fn new(own_origin: &str, state: PlayerEvent, now: u64) -> Self {
        Self {
            own: own_origin.to_owned(),
            rules: Rules::default(),
            failures: 0,
            greeting: None,
            waiting: VecDeque::new(),
            listener: None,
            state,
            budget: BURST,
            refilled: now,
            outputs: VecDeque::new(),
        }
    }

    /// Another window sent something.
    pub fn heard(&mut self, heard: Heard<'_>, now: u64) {
        let is_site = ["http://", "https://"].iter().any(|scheme| heard.origin.starts_with(scheme));
        // Pages without an origin of their own (files, sandboxes) could be anyone's, and nothing can be told to them alone.
        if !heard.from_parent || !is_site {
            return;
        }
        let Some(command) = heard.command() else { return };
        if !self.afford(now) {
            return;
        }
        let origin = heard.origin.to_owned();
        if command == PlayerCommand::Hello {
            self.greeting = Some(origin);
        } else {
            let is_volume = |command: &PlayerCommand| matches!(command, PlayerCommand::SetVolume { .. });
            if is_volume(&command) {
                // The last one counts.
                self.waiting.retain(|(_, other)| !is_volume(other));
            }
            if self.waiting.len() == WAITING_MOST {
                self.waiting.pop_front();
            }
            self.waiting.push_back((origin, command));
        }
        match self.rules {
            Rules::Unknown => self.ask(),
            Rules::Failed { at } if now.saturating_sub(at) >= ASK_AGAIN => self.ask(),
            Rules::Known(_) => self.take_waiting(),
            Rules::Asked | Rules::Failed { .. } => {}
        }
    }

    /// The server said who may, or said nothing.
    pub fn rules(&mut self, rules: Option<Embedding>, now: u64) {
        match rules {
            Some(rules) => {
                self.rules = Rules::Known(rules);
                self.take_waiting();
            }
            None => {
                self.rules = Rules::Failed { at: now };
                // Something waits: nothing else asks.
                if self.failures < FAILURES_MOST {
                    let wait = (ASK_AGAIN << self.failures).min(ASK_AGAIN_MOST);
                    self.outputs.push_back(Output::AskLater(wait));
                }
                self.failures = (self.failures + 1).min(FAILURES_MOST);
            }
        }
    }

    /// The time that [`Output::AskLater`] said is over.
    pub fn again(&mut self) {
        if let Rules::Failed { .. } = self.rules {
            self.ask();
        }
    }

    /// This is how the player looks now.
    pub fn looks(&mut self, state: PlayerEvent) {
        if self.state != state {
            self.state = state;
            self.tell(self.state.clone());
        }
    }

    /// A command could not be done.
    pub fn refused(&mut self, command: &str, detail: &str) {
        self.tell(PlayerEvent::Refused { command: command.to_owned(), detail: detail.to_owned() });
    }

    /// The next thing to do.
    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    fn ask(&mut self) {
        self.rules = Rules::Asked;
        self.outputs.push_back(Output::AskRules);
    }

    fn tell(&mut self, message: PlayerEvent) {
        if let Some(origin) = &self.listener {
            self.outputs.push_back(Output::Tell(origin.clone(), Envelope { weir: VERSION, message }));
        }
    }

    fn take_waiting(&mut self) {
        let Rules::Known(rules) = &self.rules else { return };
        let (rules, own) = (rules.clone(), self.own.clone());
        let may = |origin: &str| origin == own || rules.admits(origin);
        if let Some(origin) = self.greeting.take().filter(|origin| may(origin)) {
            self.listener = Some(origin);
            self.tell(self.state.clone());
        }
        while let Some((origin, command)) = self.waiting.pop_front() {
            if may(&origin) {
                self.outputs.push_back(Output::Do(command));
            }
        }
    }

    fn afford(&mut self, now: u64) -> bool {
        let gained = now.saturating_sub(self.refilled) / REFILL;
        self.budget = self.budget.saturating_add(gained.min(u64::from(BURST)) as u32).min(BURST);
        self.refilled += gained * REFILL;
        let affords = self.budget > 0;
        self.budget = self.budget.saturating_sub(1);
        affords
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: &str = "https://weir.example";
    const SITE: &str = "https://blog.example";

    fn state(playback: &str) -> PlayerEvent {
        PlayerEvent::State {
            channel: "ada".to_owned(),
            playback: playback.to_owned(),
            muted: false,
            volume: 1.0,
            latency_ms: None,
        }
    }

    fn says(kind: &str) -> Heard<'_> {
        Heard { from_parent: true, origin: SITE, version: Some(1.0), kind, volume: None }
    }

    fn remote() -> RemoteState {
        RemoteState::new(OWN, state("connecting"), 0)
    }

    fn admitting(rules: Embedding) -> RemoteState {
        let mut remote = remote();
        remote.rules(Some(rules), 0);
        remote
    }

    fn drain(remote: &mut RemoteState) -> Vec<Output> {
        std::iter::from_fn(|| remote.poll()).collect()
    }

    fn told(message: PlayerEvent) -> Output {
        Output::Tell(SITE.to_owned(), Envelope { weir: 1, message })
    }

    #[test]
    fn rules_are_asked_for_once_and_commands_wait_for_them_in_order() {
        let mut remote = remote();
        remote.heard(says("hello"), 0);
        remote.heard(says("pause"), 1);
        assert_eq!(drain(&mut remote), [Output::AskRules]);
        remote.rules(Some(Embedding::Anywhere), 2);
        assert_eq!(drain(&mut remote), [told(state("connecting")), Output::Do(PlayerCommand::Pause)]);
        remote.heard(says("play"), 3);
        assert_eq!(drain(&mut remote), [Output::Do(PlayerCommand::Play)]);
    }

    #[test]
    fn a_site_that_is_not_admitted_steers_nothing_and_hears_nothing() {
        let others = Embedding::Sites { sites: vec!["https://other.example".parse().unwrap()] };
        for rules in [Embedding::Nowhere, others] {
            let mut remote = admitting(rules);
            for kind in ["hello", "play", "unmute"] {
                remote.heard(says(kind), 0);
            }
            remote.looks(state("playing"));
            remote.refused("unmute", "");
            assert_eq!(drain(&mut remote), []);
            // The server's own pages always may.
            remote.heard(Heard { origin: OWN, ..says("pause") }, 0);
            assert_eq!(drain(&mut remote), [Output::Do(PlayerCommand::Pause)]);
        }
    }

    #[test]
    fn only_the_page_around_is_heard_and_only_with_an_origin() {
        let mut remote = admitting(Embedding::Anywhere);
        remote.heard(Heard { from_parent: false, ..says("pause") }, 0);
        for origin in ["null", "", "file://", "*", "javascript:alert(1)", "blob:https://blog.example"] {
            remote.heard(Heard { origin, ..says("pause") }, 0);
        }
        assert_eq!(drain(&mut remote), []);
    }

    #[test]
    fn what_is_no_command_of_this_version_is_not_even_a_reason_to_ask() {
        let mut remote = remote();
        for version in [None, Some(0.0), Some(2.0), Some(f64::NAN), Some(1.5)] {
            remote.heard(Heard { version, ..says("play") }, 0);
        }
        for kind in ["", "PLAY", "state", "constructor", "__proto__", &"x".repeat(100_000)] {
            remote.heard(says(kind), 0);
        }
        for volume in [None, Some(f64::NAN), Some(f64::INFINITY)] {
            remote.heard(Heard { volume, ..says("setVolume") }, 0);
        }
        assert_eq!(drain(&mut remote), []);
    }

    #[test]
    fn a_volume_is_clamped() {
        let mut remote = admitting(Embedding::Anywhere);
        for (given, set) in [(0.5, 0.5), (-3.0, 0.0), (1e9, 1.0)] {
            remote.heard(Heard { volume: Some(given), ..says("setVolume") }, 0);
            assert_eq!(drain(&mut remote), [Output::Do(PlayerCommand::SetVolume { volume: set })]);
        }
    }

    #[test]
    fn floods_are_bounded() {
        let mut remote = remote();
        for _ in 0..10_000 {
            remote.heard(says("play"), 0);
        }
        remote.rules(Some(Embedding::Anywhere), 0);
        assert_eq!(drain(&mut remote).len(), 1 + WAITING_MOST);
        for _ in 0..10_000 {
            remote.heard(says("play"), 500);
        }
        assert_eq!(drain(&mut remote).len(), 10, "one more every 50 ms");
        // A clock that stands still or goes back gives nothing and breaks nothing.
        remote.heard(says("play"), 0);
        assert_eq!(drain(&mut remote), []);
    }

    #[test]
    fn states_are_told_when_they_change_and_only_to_who_said_hello() {
        let mut remote = admitting(Embedding::Anywhere);
        remote.looks(state("playing"));
        assert_eq!(drain(&mut remote), []);
        remote.heard(says("hello"), 0);
        remote.looks(state("playing"));
        remote.looks(state("paused"));
        remote.refused("unmute", "Tap the player.");
        let refused =
            PlayerEvent::Refused { command: "unmute".to_owned(), detail: "Tap the player.".to_owned() };
        assert_eq!(drain(&mut remote), [told(state("playing")), told(state("paused")), told(refused)]);
    }

    #[test]
    fn a_hello_whose_rules_do_not_come_asks_again_by_itself_but_not_for_ever() {
        let mut remote = remote();
        remote.again();
        remote.heard(says("hello"), 0);
        assert_eq!(drain(&mut remote), [Output::AskRules]);
        let mut waits = Vec::new();
        for _ in 0..30 {
            remote.rules(None, 0);
            let Some(Output::AskLater(wait)) = remote.poll() else { break };
            waits.push(wait);
            remote.again();
            remote.again();
            assert_eq!(drain(&mut remote), [Output::AskRules], "one at a time");
        }
        assert_eq!((waits.len(), waits[0], waits[1], waits[9]), (10, 2_000, 4_000, 60_000));
        remote.heard(says("pause"), 10_000);
        assert_eq!(drain(&mut remote), [Output::AskRules]);
        remote.rules(Some(Embedding::Anywhere), 10_100);
        let done = [told(state("connecting")), Output::Do(PlayerCommand::Pause)];
        assert_eq!(drain(&mut remote), done, "it still waits");
    }

    #[test]
    fn a_hello_is_not_pushed_out_and_of_volumes_the_last_counts() {
        let mut remote = remote();
        remote.heard(says("hello"), 0);
        for _ in 0..10 {
            remote.heard(says("play"), 0);
        }
        for volume in [0.2, 0.4, 0.6] {
            remote.heard(Heard { volume: Some(volume), ..says("setVolume") }, 0);
        }
        remote.rules(Some(Embedding::Anywhere), 0);
        let done = drain(&mut remote);
        assert_eq!(done[..2], [Output::AskRules, told(state("connecting"))]);
        assert_eq!(done[2..9], vec![Output::Do(PlayerCommand::Play); 7]);
        assert_eq!(done[9..], [Output::Do(PlayerCommand::SetVolume { volume: 0.6 })]);
    }

    #[test]
    fn rules_that_did_not_come_are_asked_for_again_but_not_at_once() {
        let mut remote = remote();
        remote.heard(says("play"), 0);
        remote.rules(None, 100);
        remote.heard(says("play"), 200);
        assert_eq!(drain(&mut remote), [Output::AskRules, Output::AskLater(2_000)]);
        remote.heard(says("pause"), 2_200);
        assert_eq!(drain(&mut remote), [Output::AskRules]);
        remote.rules(Some(Embedding::Anywhere), 2_300);
        let done = [PlayerCommand::Play, PlayerCommand::Play, PlayerCommand::Pause].map(Output::Do);
        assert_eq!(drain(&mut remote), done);
    }
}
