//! A channel's broadcasts through their lives: offline, live, waiting for the publisher, ended.

use shared::{
    broadcast::BroadcastState,
    id::BroadcastId,
    unit::{Seconds, Timestamp},
};
use std::time::Duration;

/// How long a broadcast waits for a publisher that dropped.
pub const GRACE: Duration = Duration::from_secs(60);
/// How long a broadcast that ended is shown as such, before the channel is simply offline.
pub const AFTERGLOW: Duration = Duration::from_secs(10 * 60);

/// What can happen to a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// Media arrives, for the first time or again. `fresh` names the broadcast that begins if none is on.
    MediaFlows {
        /// A new broadcast's id.
        fresh: BroadcastId,
    },
    /// Media stopped, or the publisher's connection is gone, without a word.
    MediaStopped,
    /// The publisher or the owner ended it.
    End,
    /// Time passed.
    Tick,
}

/// What follows from an [`Input`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// A broadcast began.
    Started(BroadcastId),
    /// It waits for its publisher.
    Interrupted(BroadcastId),
    /// Its publisher came back.
    Resumed(BroadcastId),
    /// It is over.
    Ended {
        /// Which.
        id: BroadcastId,
        /// When its last media came or its end was said.
        at: Timestamp,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum State {
    Off { last: Option<(BroadcastId, Timestamp, Timestamp)> },
    On { id: BroadcastId, started: Timestamp, waiting_since: Option<Timestamp> },
}

/// One channel's life. Time is an argument; nothing here reads a clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Life(State);

impl Default for Life {
    fn default() -> Self {
        Self(State::Off { last: None })
    }
}

impl Life {
    /// A broadcast that a previous process left open: it waits for its publisher from the moment it was last seen.
    pub fn recovered(id: BroadcastId, started: Timestamp, last_seen: Timestamp) -> Self {
        Self(State::On { id, started, waiting_since: Some(last_seen) })
    }

    /// Takes an input; at most one thing follows.
    pub fn handle(&mut self, input: Input, now: Timestamp) -> Option<Output> {
        match (&mut self.0, input) {
            (State::Off { .. }, Input::MediaFlows { fresh }) => {
                self.0 = State::On { id: fresh.clone(), started: now, waiting_since: None };
                Some(Output::Started(fresh))
            }
            (State::On { id, waiting_since, .. }, Input::MediaFlows { .. }) => {
                waiting_since.take().map(|_| Output::Resumed(id.clone()))
            }
            (State::On { id, waiting_since: waiting @ None, .. }, Input::MediaStopped) => {
                *waiting = Some(now);
                Some(Output::Interrupted(id.clone()))
            }
            (State::On { id, started, waiting_since }, Input::End) => {
                let (id, started, at) = (id.clone(), *started, waiting_since.unwrap_or(now));
                Some(self.end(id, started, at))
            }
            (State::On { id, started, waiting_since: Some(since) }, Input::Tick)
                if now.since(*since) >= GRACE =>
            {
                let (id, started, at) = (id.clone(), *started, *since);
                Some(self.end(id, started, at))
            }
            _ => None,
        }
    }

    fn end(&mut self, id: BroadcastId, started: Timestamp, at: Timestamp) -> Output {
        self.0 = State::Off { last: Some((id.clone(), started, at)) };
        Output::Ended { id, at }
    }

    /// Whether a broadcast is on, media or not.
    pub fn is_on(&self) -> bool {
        matches!(self.0, State::On { .. })
    }

    /// The broadcast that is on.
    pub fn current(&self) -> Option<&BroadcastId> {
        match &self.0 {
            State::On { id, .. } => Some(id),
            State::Off { .. } => None,
        }
    }

    /// Whether this is the last broadcast, and over.
    pub fn was(&self, broadcast: &BroadcastId) -> bool {
        matches!(&self.0, State::Off { last: Some((id, ..)) } if id == broadcast)
    }

    /// What the outside sees.
    pub fn view(&self, now: Timestamp) -> View {
        match &self.0 {
            State::On { id, started, waiting_since } => View {
                state: if waiting_since.is_some() { BroadcastState::Waiting } else { BroadcastState::Live },
                id: Some(id.clone()),
                start_time: Some(*started),
                waiting_since: *waiting_since,
                ..View::default()
            },
            State::Off { last: None } => View::default(),
            State::Off { last: Some((id, started, ended)) } => {
                let just = now.since(*ended) < AFTERGLOW;
                View {
                    state: if just { BroadcastState::Ended } else { BroadcastState::Offline },
                    id: just.then(|| id.clone()),
                    ended_at: Some(*ended),
                    duration: Some(Seconds(ended.since(*started).as_secs())),
                    ..View::default()
                }
            }
        }
    }
}

/// A [`Life`] as the outside sees it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct View {
    /// Where it stands.
    pub state: BroadcastState,
    /// The broadcast, while it is on or just ended.
    pub id: Option<BroadcastId>,
    /// When it started, while it is on.
    pub start_time: Option<Timestamp>,
    /// Since when its publisher is missing.
    pub waiting_since: Option<Timestamp>,
    /// When the last one ended.
    pub ended_at: Option<Timestamp>,
    /// How long the last one was.
    pub duration: Option<Seconds>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(1_000_000 + seconds * 1000)
    }

    fn id(text: &str) -> BroadcastId {
        text.parse().unwrap()
    }

    fn flows(fresh: &str) -> Input {
        Input::MediaFlows { fresh: id(fresh) }
    }

    #[test]
    fn a_broadcast_from_its_first_packet_to_its_end() {
        let mut life = Life::default();
        assert_eq!(life.view(at(0)).state, BroadcastState::Offline);
        assert_eq!(life.handle(flows("a"), at(0)), Some(Output::Started(id("a"))));
        assert_eq!(life.handle(flows("b"), at(1)), None, "media goes on: nothing new");
        assert_eq!(life.view(at(2)).start_time, Some(at(0)));
        assert_eq!(life.handle(Input::End, at(90)), Some(Output::Ended { id: id("a"), at: at(90) }));
        assert_eq!(life.handle(Input::End, at(91)), None);
        let view = life.view(at(100));
        assert_eq!((view.state, view.duration), (BroadcastState::Ended, Some(Seconds(90))));
        assert_eq!(life.view(at(90 + 601)).state, BroadcastState::Offline);
    }

    #[test]
    fn a_publisher_that_comes_back_in_time_carries_on_the_same_broadcast() {
        let mut life = Life::default();
        life.handle(flows("a"), at(0));
        assert_eq!(life.handle(Input::MediaStopped, at(10)), Some(Output::Interrupted(id("a"))));
        assert_eq!(life.handle(Input::MediaStopped, at(11)), None);
        assert_eq!(life.view(at(12)).waiting_since, Some(at(10)));
        assert_eq!(life.handle(Input::Tick, at(69)), None);
        assert_eq!(life.handle(flows("b"), at(69)), Some(Output::Resumed(id("a"))));
        assert_eq!(life.view(at(70)).start_time, Some(at(0)));
    }

    #[test]
    fn one_that_stays_away_ends_it_at_its_last_media() {
        let mut life = Life::default();
        life.handle(flows("a"), at(0));
        life.handle(Input::MediaStopped, at(10));
        assert_eq!(life.handle(Input::Tick, at(70)), Some(Output::Ended { id: id("a"), at: at(10) }));
        assert_eq!(life.handle(flows("b"), at(71)), Some(Output::Started(id("b"))));
    }

    #[test]
    fn a_restart_of_the_server_is_an_interruption_like_any_other() {
        let mut life = Life::recovered(id("a"), at(0), at(10));
        assert_eq!(life.view(at(12)).state, BroadcastState::Waiting);
        assert_eq!(life.handle(flows("b"), at(20)), Some(Output::Resumed(id("a"))));
        let mut late = Life::recovered(id("a"), at(0), at(10));
        assert_eq!(late.handle(Input::Tick, at(500)), Some(Output::Ended { id: id("a"), at: at(10) }));
    }

    #[test]
    fn in_any_order_starts_and_ends_alternate_and_nothing_lasts_less_than_nothing() {
        let mut state = 42_u64;
        for _ in 0..300 {
            let mut life = Life::default();
            let mut open = None;
            let mut now = 0;
            for step in 0..100 {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                now += (state >> 60) as i64 * 5;
                let input = match state >> 33 & 3 {
                    0 => flows(&format!("b{step}")),
                    1 => Input::MediaStopped,
                    2 => Input::End,
                    _ => Input::Tick,
                };
                match life.handle(input, at(now)) {
                    Some(Output::Started(id)) => assert!(open.replace((id, now)).is_none()),
                    Some(Output::Ended { id, at: end }) => {
                        let (started, since) = open.take().expect("only what started ends");
                        assert_eq!(started, id);
                        assert!(end >= at(since));
                    }
                    Some(Output::Interrupted(id) | Output::Resumed(id)) => {
                        assert_eq!(Some(&id), open.as_ref().map(|(id, _)| id));
                    }
                    None => {}
                }
                assert_eq!(life.is_on(), open.is_some());
            }
        }
    }
}
