//! All channels' broadcasts: who publishes, who watches, what follows. The one writer of the [`LiveBoard`].
//!
//! [`LiveBoard`]: super::live::LiveBoard

use super::{
    channel::{Channel, later},
    life::{self, Life},
    live::{Health, LiveState},
    log::{Heartbeat, Left, Mark, OpenBroadcast, Record},
    views::Views,
};
use crate::audience::Audience;
use shared::{
    broadcast::Rendition,
    event::Occurrence,
    id::{BroadcastId, ChannelId, ChannelName, SessionId, ViewId},
    text::{Category, Title},
    unit::{Bitrate, Millis, Timestamp},
};
use std::{collections::HashMap, time::Duration};

/// A difference between the clocks that is less than this is no jump of the system's.
const JUMP_LEAST: i64 = 1000;

/// What can happen.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// A publisher's session was opened; no media has come yet.
    Published {
        /// Whose channel.
        channel: ChannelId,
        /// Its address.
        name: ChannelName,
        /// The title that a broadcast starts with.
        title: Title,
        /// Its category.
        category: Category,
        /// The session.
        session: SessionId,
        /// The publisher's program.
        user_agent: String,
        /// The broadcast that was announced to begin next, if one was.
        reserved: Option<BroadcastId>,
    },
    /// It is announced which broadcast begins next.
    Reserved {
        /// Where.
        channel: ChannelId,
        /// Which.
        id: BroadcastId,
    },
    /// A publisher's media arrives, for the first time or again.
    Flows {
        /// Where.
        channel: ChannelId,
        /// Whose.
        session: SessionId,
        /// The id of the broadcast that begins, if none is on.
        fresh: BroadcastId,
    },
    /// A publisher's media stopped without a word.
    Stopped {
        /// Where.
        channel: ChannelId,
        /// Whose.
        session: SessionId,
    },
    /// A publisher's session is over.
    PublisherGone {
        /// Where.
        channel: ChannelId,
        /// Whose.
        session: SessionId,
        /// It said that it ends (DELETE), and didn't just vanish.
        said: bool,
    },
    /// A viewer's session is up.
    ViewerJoined {
        /// Where.
        channel: ChannelId,
        /// Whose.
        session: SessionId,
        /// The id of this view.
        view: ViewId,
        /// The view is one that was there before: the viewer came back.
        comes_back: bool,
        /// With what it watches, and where.
        audience: Audience,
    },
    /// The owner gave the channel another title.
    Titled {
        /// Where.
        channel: ChannelId,
        /// The title.
        title: Title,
    },
    /// A viewer's session is over.
    ViewerLeft {
        /// Where.
        channel: ChannelId,
        /// Whose.
        session: SessionId,
        /// For how long nothing was heard from it: it watched until then.
        quiet: Duration,
    },
    /// What arrives from a publisher.
    Measured {
        /// Where.
        channel: ChannelId,
        /// Whose.
        session: SessionId,
        /// Its tracks.
        renditions: Vec<Rendition>,
        /// Loss after repair, 0 to 1.
        loss: f32,
        /// Round trip to it.
        round_trip: Option<Duration>,
        /// Time between its last two keyframes.
        keyframe_interval: Option<Duration>,
    },
    /// The owner ends what is on.
    End {
        /// Where.
        channel: ChannelId,
    },
    /// A second passed.
    Tick {
        /// The system's clock, which may have been set.
        wall: Timestamp,
    },
    /// The server stops. Broadcasts stay open, for the next process to wait for their publishers.
    Stop {
        /// The system's clock.
        wall: Timestamp,
    },
}

/// What follows, in this order.
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// To be written down.
    Record(Record),
    /// A session to be closed.
    Close(SessionId),
    /// Everybody who watches a channel to be let go.
    CloseViewers(ChannelId),
    /// What the board is to say of a channel.
    Show(ChannelId, Box<LiveState>),
    /// To be told on the event bus.
    Tell(ChannelName, Occurrence),
}

/// See the module. Pure: time and ids are arguments, and time never runs backwards or jumps.
#[derive(Debug, Default)]
pub struct Registry {
    channels: HashMap<ChannelId, Channel>,
    /// By how many milliseconds the system's clock is ahead of the one that `now` is of.
    skew: i64,
}

impl Registry {
    /// Where the clock begins that never jumps: at the system's, or, where something is to be gone on with, so far behind
    /// the last heartbeat as the system's clock says that it is ago.
    pub fn clock_start(left: &Left, wall: Timestamp) -> Timestamp {
        match left.heartbeat {
            Some(last) if !left.broadcasts.is_empty() => {
                later(last.at, i64::try_from(wall.since(last.wall).as_millis()).unwrap_or(i64::MAX))
            }
            _ => wall,
        }
    }

    /// Takes up the broadcasts that a previous process left open.
    pub fn recover(&mut self, open: Vec<OpenBroadcast>, now: Timestamp, wall: Timestamp) -> Vec<Output> {
        self.set_skew(now, wall);
        let mut outputs = Vec::new();
        for broadcast in open {
            let now = later(now, broadcast.clock_offset);
            let missing_since = broadcast.interrupted_at.unwrap_or(broadcast.last_seen_at);
            // Whoever hears of records must have heard of the broadcast; the log has it already.
            outputs.push(Output::Record(Record::BroadcastStarted {
                id: broadcast.id.clone(),
                channel: broadcast.channel.clone(),
                title: broadcast.title.clone(),
                category: broadcast.category.clone(),
                at: broadcast.started_at,
                clock_offset: broadcast.clock_offset,
            }));
            if broadcast.interrupted_at.is_none() {
                let (broadcast, at) = (broadcast.id.clone(), missing_since);
                outputs.push(Output::Record(Record::Marked { broadcast, at, mark: Mark::Interrupted }));
            }
            let channel = Channel {
                life: Life::recovered(broadcast.id.clone(), broadcast.started_at, missing_since),
                title: broadcast.title,
                category: broadcast.category,
                views: Views::recovered(broadcast.views),
                clock_offset: broadcast.clock_offset,
                ..Channel::new(broadcast.channel.clone(), broadcast.name)
            };
            // Of several on one channel only the last can go on.
            if let Some(mut older) = self.channels.insert(broadcast.channel.clone(), channel) {
                let mut ignored = Vec::new();
                older.live(life::Input::End, now, &mut ignored);
                outputs.extend(ignored.into_iter().filter(|output| matches!(output, Output::Record(_))));
            }
            if let Some(channel) = self.channels.get_mut(&broadcast.channel) {
                channel.live(life::Input::Tick, now, &mut outputs);
                channel.show(now, &mut outputs);
            }
        }
        outputs
    }

    /// Whether somebody who comes back can go on with a view: it is one of what is on.
    pub fn has_view(&self, channel: &ChannelId, view: &ViewId) -> bool {
        self.channels.get(channel).is_some_and(|channel| channel.views.has(view))
    }

    fn set_skew(&mut self, now: Timestamp, wall: Timestamp) {
        let skew = wall.as_millis().saturating_sub(now.as_millis());
        if skew.abs_diff(self.skew) >= JUMP_LEAST as u64 {
            self.skew = skew;
        }
    }

    /// Takes an input; answers what follows.
    pub fn handle(&mut self, input: Input, now: Timestamp) -> Vec<Output> {
        let mut outputs = Vec::new();
        match input {
            Input::Published { channel: id, name, title, category, session, user_agent, reserved } => {
                self.channels.entry(id.clone()).or_insert_with(|| Channel::new(id.clone(), name.clone()));
                self.with(&id, now, &mut outputs, |channel, now, outputs| {
                    (channel.name, channel.category) = (name, category);
                    channel.titled(title, now, outputs);
                    // While somebody is about to publish, a later announcement may have been heard already: ids sort by age.
                    let heard = channel.reserved.take().filter(|_| !channel.publishers.is_empty());
                    channel.reserved = heard.max(reserved);
                    channel.publishers.insert(session, user_agent);
                });
            }
            // Where nobody is about to publish, whoever comes brings it along.
            Input::Reserved { channel, id } => {
                if let Some(channel) = self.channels.get_mut(&channel) {
                    channel.reserved = channel.reserved.take().max(Some(id));
                }
            }
            Input::Flows { channel, session, fresh } => {
                // What begins now begins by the system's clock as it is now, and the heartbeat is by the same as it.
                if let Some(channel) = self.channels.get_mut(&channel)
                    && !channel.life.is_on()
                {
                    channel.clock_offset = self.skew;
                    let wall = later(now, self.skew);
                    outputs.push(Output::Record(Record::Heartbeat(Heartbeat { at: now, wall })));
                }
                self.with(&channel, now, &mut outputs, |channel, now, outputs| {
                    if !channel.publishers.contains_key(&session) {
                        return;
                    }
                    if channel.current.as_ref() != Some(&session) {
                        channel.current = Some(session.clone());
                        // Whoever is told to close publishes no more, whatever still arrives from it.
                        let others = channel.publishers.extract_if(|other, _| *other != session);
                        outputs.extend(others.map(|(other, _)| Output::Close(other)));
                    }
                    let fresh = channel.next_id(fresh);
                    channel.live(life::Input::MediaFlows { fresh }, now, outputs);
                })
            }
            Input::Stopped { channel, session } => {
                self.with(&channel, now, &mut outputs, |channel, now, outputs| {
                    if channel.current.as_ref() == Some(&session) {
                        channel.live(life::Input::MediaStopped, now, outputs);
                    }
                })
            }
            Input::PublisherGone { channel, session, said } => {
                self.with(&channel, now, &mut outputs, |channel, now, outputs| {
                    channel.publishers.remove(&session);
                    let was_on = channel.current.as_ref() == Some(&session);
                    // A goodbye that comes after the connection's end counts, unless somebody is about to take over.
                    let was_last = said
                        && channel.current.is_none()
                        && channel.publishers.is_empty()
                        && channel.vanished.as_ref() == Some(&session);
                    if was_on || was_last {
                        channel.current = None;
                        channel.vanished = (!said).then_some(session);
                        (channel.renditions, channel.health) = (Vec::new(), None);
                        let input = if said { life::Input::End } else { life::Input::MediaStopped };
                        channel.live(input, now, outputs);
                    }
                });
            }
            Input::ViewerJoined { channel, session, view, comes_back, audience } => {
                self.with(&channel, now, &mut outputs, |channel, now, outputs| {
                    channel.joined(session, view, comes_back, audience, now, outputs);
                });
            }
            Input::ViewerLeft { channel, session, quiet } => {
                self.with(&channel, now, &mut outputs, |channel, now, outputs| {
                    let Some((id, span)) = channel.views.go(&session) else { return };
                    let quiet = i64::try_from(quiet.as_millis()).unwrap_or(i64::MAX);
                    let at = later(now, -quiet);
                    outputs.push(Output::Record(Record::ViewEnded { id, span, at }));
                    if let Some(id) = channel.life.current().cloned() {
                        outputs.push(Output::Tell(
                            channel.name.clone(),
                            Occurrence::ViewerLeft { stream_id: id },
                        ));
                    }
                })
            }
            Input::Titled { channel, title } => {
                self.with(&channel, now, &mut outputs, |channel, now, outputs| {
                    channel.titled(title, now, outputs);
                });
            }
            Input::Measured { channel, session, renditions, loss, round_trip, keyframe_interval } => {
                self.with(&channel, now, &mut outputs, |channel, _, outputs| {
                    let Some(user_agent) = channel.publishers.get(&session) else { return };
                    if channel.current.as_ref() != Some(&session) {
                        return;
                    }
                    let millis = |duration: Duration| Millis(duration.as_millis() as u64);
                    channel.health = Some(Health {
                        session,
                        user_agent: user_agent.clone(),
                        bitrate: Bitrate(renditions.iter().map(|rendition| rendition.bitrate.0).sum()),
                        frame_rate: renditions
                            .iter()
                            .map(|rendition| rendition.frame_rate)
                            .fold(0.0, f32::max),
                        loss,
                        round_trip: round_trip.map(millis),
                        keyframe_interval: keyframe_interval.map(millis),
                    });
                    channel.renditions = renditions;
                    channel.measure(outputs);
                });
            }
            Input::End { channel } => self.with(&channel, now, &mut outputs, |channel, now, outputs| {
                outputs.extend(channel.publishers.drain().map(|(session, _)| Output::Close(session)));
                (channel.current, channel.health) = (None, None);
                channel.renditions.clear();
                channel.live(life::Input::End, now, outputs);
            }),
            Input::Tick { wall } => {
                self.set_skew(now, wall);
                let ids: Vec<ChannelId> = self.channels.keys().cloned().collect();
                for id in ids {
                    self.with(&id, now, &mut outputs, |channel, now, outputs| {
                        channel.live(life::Input::Tick, now, outputs);
                    });
                }
                self.channels.retain(|_, channel| !channel.is_over(later(now, channel.clock_offset)));
                self.beat(now, wall, &mut outputs);
            }
            Input::Stop { wall } => {
                for channel in self.channels.values_mut() {
                    let at = later(now, channel.clock_offset);
                    let ended = channel.views.all_go().into_iter();
                    outputs
                        .extend(ended.map(|(id, span)| Output::Record(Record::ViewEnded { id, span, at })));
                }
                self.beat(now, wall, &mut outputs);
            }
        }
        outputs
    }

    /// While nothing is on, there is nothing to know the end of.
    fn beat(&self, now: Timestamp, wall: Timestamp, outputs: &mut Vec<Output>) {
        if self.channels.values().any(|channel| channel.life.is_on()) {
            outputs.push(Output::Record(Record::Heartbeat(Heartbeat { at: now, wall })));
        }
    }

    /// Whether a broadcast of this channel is on, media or not.
    pub fn is_on(&self, channel: &ChannelId) -> bool {
        self.channels.get(channel).is_some_and(|channel| channel.life.is_on())
    }

    fn with(
        &mut self,
        id: &ChannelId,
        now: Timestamp,
        outputs: &mut Vec<Output>,
        act: impl FnOnce(&mut Channel, Timestamp, &mut Vec<Output>),
    ) {
        let Some(channel) = self.channels.get_mut(id) else { return };
        let now = later(now, channel.clock_offset);
        let mut tells = Vec::new();
        let mut all = Vec::new();
        act(channel, now, &mut all);
        // Who is told looks at the board: it must be right by then.
        for output in all {
            match output {
                Output::Tell(..) => tells.push(output),
                other => outputs.push(other),
            }
        }
        channel.show(now, outputs);
        outputs.extend(tells);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::broadcast::BroadcastState;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(1_000_000 + seconds * 1000)
    }

    fn ada() -> ChannelId {
        "c1".parse().unwrap()
    }

    fn session(text: &str) -> SessionId {
        text.parse().unwrap()
    }

    fn published(name: &str) -> Input {
        Input::Published {
            channel: ada(),
            name: "ada".parse().unwrap(),
            title: "Hello".parse().unwrap(),
            category: Category::default(),
            session: session(name),
            user_agent: "test".into(),
            reserved: None,
        }
    }

    fn flows(name: &str, fresh: &str) -> Input {
        Input::Flows { channel: ada(), session: session(name), fresh: fresh.parse().unwrap() }
    }

    fn gone(name: &str, said: bool) -> Input {
        Input::PublisherGone { channel: ada(), session: session(name), said }
    }

    fn joined(name: &str) -> Input {
        joined_as(name, name, false)
    }

    fn joined_as(name: &str, view: &str, comes_back: bool) -> Input {
        let (session, view) = (session(name), view.parse().unwrap());
        Input::ViewerJoined { channel: ada(), session, view, comes_back, audience: Audience::default() }
    }

    fn left(name: &str) -> Input {
        Input::ViewerLeft { channel: ada(), session: session(name), quiet: Duration::ZERO }
    }

    /// A system's clock that runs from 0: what is shown and recorded doesn't depend on it.
    fn tick() -> Input {
        Input::Tick { wall: at(0) }
    }

    fn records(outputs: Vec<Output>) -> Vec<Record> {
        let record = |output| match output {
            Output::Record(record) => Some(record),
            _ => None,
        };
        outputs.into_iter().filter_map(record).collect()
    }

    fn shown(outputs: &[Output]) -> Option<LiveState> {
        outputs.iter().rev().find_map(|output| match output {
            Output::Show(_, state) => Some(LiveState::clone(state)),
            _ => None,
        })
    }

    fn closed(outputs: &[Output]) -> Vec<&str> {
        let mut closed: Vec<_> = outputs
            .iter()
            .filter_map(|output| match output {
                Output::Close(session) => Some(session.as_str()),
                _ => None,
            })
            .collect();
        closed.sort_unstable();
        closed
    }

    fn told(outputs: &[Output]) -> Vec<&Occurrence> {
        outputs
            .iter()
            .filter_map(|output| match output {
                Output::Tell(_, occurrence) => Some(occurrence),
                _ => None,
            })
            .collect()
    }

    #[test]
    fn the_board_is_right_before_anybody_is_told() {
        let mut registry = Registry::default();
        assert!(registry.handle(published("p"), at(0)).is_empty(), "no media yet: not live");
        let outputs = registry.handle(flows("p", "b1"), at(1));
        assert!(matches!(&outputs[0], Output::Record(Record::Heartbeat(_))));
        let outputs = &outputs[1..];
        let id: BroadcastId = "b1".parse().unwrap();
        assert!(
            matches!(&outputs[0], Output::Record(Record::BroadcastStarted { channel, .. }) if *channel == ada())
        );
        assert!(matches!(&outputs[1], Output::Show(_, state) if state.state == BroadcastState::Live));
        assert!(
            matches!(&outputs[2], Output::Tell(_, Occurrence::StreamStarted { stream_id }) if *stream_id == id)
        );
        assert_eq!(outputs.len(), 3);
    }

    #[test]
    fn viewers_are_counted_recorded_and_let_go_when_it_ends() {
        let mut registry = Registry::default();
        assert!(registry.handle(joined("v0"), at(0)).is_empty(), "an unknown channel");
        registry.handle(published("p"), at(0));
        registry.handle(flows("p", "b1"), at(1));
        registry.handle(joined("v1"), at(2));
        let outputs = registry.handle(joined("v2"), at(2));
        assert_eq!(shown(&outputs).unwrap().viewer_count, 2);
        assert!(matches!(&outputs[0], Output::Record(Record::ViewStarted { .. })));
        let outputs = registry.handle(left("v2"), at(3));
        assert_eq!(shown(&outputs).unwrap().viewer_count, 1);
        let outputs = registry.handle(gone("p", true), at(4));
        assert!(outputs.contains(&Output::CloseViewers(ada())));
        assert!(matches!(told(&outputs)[0], Occurrence::StreamEnded { .. }));
        assert_eq!(closed(&registry.handle(joined("v3"), at(5))), ["v3"], "nothing to watch any more");
    }

    #[test]
    fn a_second_publisher_takes_over_and_the_viewers_stay() {
        let mut registry = Registry::default();
        registry.handle(published("p1"), at(0));
        registry.handle(flows("p1", "b1"), at(1));
        registry.handle(joined("v"), at(2));
        assert!(
            closed(&registry.handle(published("p2"), at(3))).is_empty(),
            "the first goes on until media comes"
        );
        let outputs = registry.handle(flows("p2", "b2"), at(4));
        assert_eq!(closed(&outputs), ["p1"]);
        let outputs = registry.handle(gone("p1", false), at(5));
        assert!(told(&outputs).is_empty(), "its going interrupts nothing");
        let outputs = registry.handle(tick(), at(10));
        assert!(
            matches!(records(outputs)[..], [Record::Heartbeat(Heartbeat { at: seen, .. })] if seen == at(10))
        );
        assert_eq!(registry.handle(gone("p2", true), at(11)).len(), 4);
    }

    #[test]
    fn who_vanishes_is_waited_for_and_may_come_back() {
        let mut registry = Registry::default();
        registry.handle(published("p1"), at(0));
        registry.handle(flows("p1", "b1"), at(1));
        registry.handle(joined("v"), at(2));
        let outputs = registry.handle(gone("p1", false), at(3));
        assert_eq!(shown(&outputs).unwrap().state, BroadcastState::Waiting);
        assert!(closed(&outputs).is_empty(), "viewers stay");
        registry.handle(published("p2"), at(20));
        let outputs = registry.handle(flows("p2", "b2"), at(21));
        let state = shown(&outputs).unwrap();
        assert_eq!((state.state, state.start_time), (BroadcastState::Live, Some(at(1))));
        assert!(matches!(told(&outputs)[0], Occurrence::StreamResumed { .. }));
    }

    #[test]
    fn a_goodbye_after_the_connection_s_end_still_counts_unless_somebody_is_about_to_take_over() {
        let mut registry = Registry::default();
        registry.handle(published("p1"), at(0));
        registry.handle(flows("p1", "b1"), at(1));
        registry.handle(gone("p1", false), at(3));
        let outputs = registry.handle(gone("p1", true), at(4));
        assert!(matches!(told(&outputs)[0], Occurrence::StreamEnded { .. }));
        assert!(told(&registry.handle(gone("p1", true), at(5))).is_empty(), "once is enough");

        registry.handle(published("p2"), at(10));
        registry.handle(flows("p2", "b2"), at(11));
        registry.handle(gone("p2", false), at(12));
        registry.handle(published("p3"), at(13));
        assert!(told(&registry.handle(gone("p2", true), at(14))).is_empty(), "p3 is about to go on");
        let outputs = registry.handle(flows("p3", "b3"), at(15));
        assert!(matches!(told(&outputs)[0], Occurrence::StreamResumed { .. }));
    }

    #[test]
    fn the_owner_s_end_closes_publishers_and_viewers_alike() {
        let mut registry = Registry::default();
        registry.handle(published("p1"), at(0));
        registry.handle(flows("p1", "b1"), at(1));
        registry.handle(joined("v"), at(2));
        assert!(registry.is_on(&ada()));
        let outputs = registry.handle(Input::End { channel: ada() }, at(9));
        assert_eq!(closed(&outputs), ["p1"]);
        assert!(outputs.contains(&Output::CloseViewers(ada())));
        assert!(
            told(&registry.handle(flows("p1", "b2"), at(9))).is_empty(),
            "what still arrives starts nothing"
        );
        let state = shown(&outputs).unwrap();
        assert_eq!((state.state, state.duration.map(|d| d.0)), (BroadcastState::Ended, Some(8)));
    }

    #[test]
    fn a_restarted_server_waits_for_the_publisher_or_ends_what_was_left() {
        let mut registry = Registry::default();
        let outputs = registry.recover(vec![open(at(10))], at(15), at(15));
        assert_eq!(shown(&outputs).unwrap().state, BroadcastState::Waiting);
        let written = records(outputs);
        assert!(matches!(&written[0], Record::BroadcastStarted { at: start, .. } if *start == at(0)));
        assert!(
            matches!(&written[1], Record::Marked { at: stop, mark: Mark::Interrupted, .. } if *stop == at(10))
        );
        registry.handle(published("p"), at(16));
        let outputs = registry.handle(flows("p", "b2"), at(17));
        assert!(matches!(told(&outputs)[0], Occurrence::StreamResumed { .. }));
        assert!(matches!(records(outputs)[..], [Record::Marked { mark: Mark::Resumed, .. }]));

        let mut late = Registry::default();
        let written = records(late.recover(vec![open(at(10))], at(1000), at(1000)));
        assert!(matches!(&written[2], Record::BroadcastEnded { at: end, .. } if *end == at(10)));
        late.handle(tick(), at(2000));
        assert!(late.channels.is_empty(), "nothing is kept for channels that are off");
    }

    fn open(last_seen_at: Timestamp) -> OpenBroadcast {
        OpenBroadcast {
            id: "b1".parse().unwrap(),
            channel: ada(),
            name: "ada".parse().unwrap(),
            title: "Hello".parse().unwrap(),
            category: Category::default(),
            started_at: at(0),
            last_seen_at,
            clock_offset: 0,
            interrupted_at: None,
            views: vec![("v2".parse().unwrap(), 3), ("v1".parse().unwrap(), 1)],
        }
    }

    #[test]
    fn a_view_that_comes_back_goes_on_in_another_span_and_counts_once() {
        let mut registry = Registry::default();
        registry.handle(published("p"), at(0));
        registry.handle(flows("p", "b1"), at(1));
        registry.handle(joined("v"), at(2));
        let view: ViewId = "v".parse().unwrap();
        assert!(registry.has_view(&ada(), &view));
        let ended = records(registry.handle(left("v"), at(5)));
        assert_eq!(ended, [Record::ViewEnded { id: view.clone(), span: 1, at: at(5) }]);
        let outputs = registry.handle(joined_as("again", "v", true), at(8));
        assert_eq!(shown(&outputs).unwrap().viewer_count, 1);
        let broadcast = "b1".parse().unwrap();
        assert_eq!(
            records(outputs),
            [Record::ViewResumed { id: view.clone(), span: 2, broadcast, at: at(8) }]
        );
        // While the old session still seems to be there, the new one takes its place.
        let outputs = registry.handle(joined_as("third", "v", true), at(9));
        assert_eq!(closed(&outputs), ["again"]);
        assert!(records(outputs).is_empty(), "the span goes on");
        assert!(registry.handle(left("again"), at(10)).is_empty(), "nobody leaves");
        let ended = records(registry.handle(left("third"), at(11)));
        assert_eq!(ended, [Record::ViewEnded { id: view, span: 2, at: at(11) }]);
    }

    #[test]
    fn who_is_missed_watched_until_it_was_last_heard() {
        let mut registry = Registry::default();
        registry.handle(published("p"), at(0));
        registry.handle(flows("p", "b1"), at(1));
        registry.handle(joined("v"), at(2));
        let quiet = Duration::from_secs(12);
        let missed = Input::ViewerLeft { channel: ada(), session: session("v"), quiet };
        let written = records(registry.handle(missed, at(30)));
        assert_eq!(written, [Record::ViewEnded { id: "v".parse().unwrap(), span: 1, at: at(18) }]);
    }

    #[test]
    fn a_view_of_another_broadcast_is_nobody_s_to_go_on_with() {
        let mut registry = Registry::default();
        registry.handle(published("p"), at(0));
        registry.handle(flows("p", "b1"), at(1));
        registry.handle(joined("v"), at(2));
        registry.handle(Input::End { channel: ada() }, at(3));
        assert!(!registry.has_view(&ada(), &"v".parse().unwrap()));
        registry.handle(published("p"), at(4));
        registry.handle(flows("p", "b2"), at(4));
        let outputs = registry.handle(joined_as("w", "v", true), at(5));
        assert_eq!(closed(&outputs), ["w"]);
        assert!(records(outputs).is_empty());
    }

    #[test]
    fn views_go_on_after_a_restart() {
        let mut registry = Registry::default();
        registry.recover(vec![open(at(10))], at(12), at(12));
        let broadcast: BroadcastId = "b1".parse().unwrap();
        let written = records(registry.handle(joined_as("s", "v2", true), at(13)));
        let id = "v2".parse().unwrap();
        assert_eq!(written, [Record::ViewResumed { id, span: 4, broadcast, at: at(13) }]);
    }

    #[test]
    fn a_stop_ends_what_is_watched_and_nothing_else() {
        let mut registry = Registry::default();
        registry.handle(published("p"), at(0));
        registry.handle(flows("p", "b1"), at(1));
        registry.handle(joined("v"), at(2));
        registry.handle(joined("w"), at(3));
        let written = records(registry.handle(Input::Stop { wall: at(7) }, at(7)));
        let ended = |id: &str| Record::ViewEnded { id: id.parse().unwrap(), span: 1, at: at(7) };
        let beat = Record::Heartbeat(Heartbeat { at: at(7), wall: at(7) });
        assert_eq!(written, [ended("v"), ended("w"), beat]);
        assert!(records(registry.handle(left("v"), at(8))).is_empty(), "once is enough");
    }

    #[test]
    fn a_title_that_changes_while_it_is_on_is_marked() {
        let titled = |text: &str| Input::Titled { channel: ada(), title: text.parse().unwrap() };
        let mut registry = Registry::default();
        registry.handle(published("p"), at(0));
        assert!(registry.handle(titled("Early"), at(0)).is_empty());
        registry.handle(flows("p", "b1"), at(1));
        assert!(registry.handle(titled("Early"), at(2)).is_empty(), "the same");
        let written = records(registry.handle(titled("Late"), at(3)));
        assert!(
            matches!(&written[..], [Record::Marked { mark: Mark::Title(title), .. }] if title.as_str() == "Late")
        );
    }

    #[test]
    fn the_system_s_clock_may_jump_and_nothing_within_a_broadcast_notices() {
        for jump in [-900, -5, 7, 86_400 * 365] {
            let mut registry = Registry::default();
            registry.handle(published("p"), at(0));
            registry.handle(flows("p", "b1"), at(1));
            registry.handle(joined("v"), at(2));
            let beat = records(registry.handle(Input::Tick { wall: at(3 + jump) }, at(3)));
            assert_eq!(beat, [Record::Heartbeat(Heartbeat { at: at(3), wall: at(3 + jump) })]);
            let ended = records(registry.handle(left("v"), at(4)));
            assert!(matches!(ended[..], [Record::ViewEnded { at: end, .. }] if end == at(4)));
            let over = records(registry.handle(gone("p", true), at(5)));
            assert!(matches!(over[..], [Record::BroadcastEnded { at: end, .. }] if end == at(5)));
            // The next one has the right time.
            registry.handle(published("q"), at(6));
            let next = records(registry.handle(flows("q", "b2"), at(7)));
            assert!(
                matches!(next[..], [Record::Heartbeat(_), Record::BroadcastStarted { at: start, clock_offset, .. }]
                    if start == at(7 + jump) && clock_offset == jump * 1000)
            );
        }
    }

    #[test]
    fn a_restart_goes_on_by_the_clock_of_before() {
        let heartbeat = Heartbeat { at: at(100), wall: at(5000) };
        let left = |broadcasts| Left { heartbeat: Some(heartbeat), broadcasts };
        assert_eq!(Registry::clock_start(&left(vec![open(at(10))]), at(5003)), at(103));
        assert_eq!(Registry::clock_start(&left(vec![open(at(10))]), at(4)), at(100), "set back meanwhile");
        assert_eq!(Registry::clock_start(&left(Vec::new()), at(4)), at(4));
        assert_eq!(Registry::clock_start(&Left::default(), at(4)), at(4));
    }

    #[test]
    fn an_announced_broadcast_is_the_next_that_begins_and_begins_once() {
        let id = |text: &str| text.parse::<BroadcastId>().unwrap();
        let with = |name: &str, reserved: &str| match published(name) {
            Input::Published { channel, name, title, category, session, user_agent, .. } => {
                let reserved = Some(id(reserved));
                Input::Published { channel, name, title, category, session, user_agent, reserved }
            }
            other => other,
        };
        let begun = |outputs: &[Output]| match told(outputs)[..] {
            [Occurrence::StreamStarted { stream_id }] => stream_id.to_string(),
            ref other => panic!("{other:?}"),
        };
        let mut registry = Registry::default();
        registry.handle(with("p1", "r1"), at(0));
        // Announced anew while the first publisher was about to send; the last one counts.
        registry.handle(Input::Reserved { channel: ada(), id: id("r2") }, at(1));
        registry.handle(with("p2", "r1"), at(1));
        assert_eq!(begun(&registry.handle(flows("p2", "f1"), at(2))), "r2");
        registry.handle(gone("p2", true), at(3));
        // The store may say so a little late.
        registry.handle(with("p3", "r2"), at(4));
        assert_eq!(begun(&registry.handle(flows("p3", "f2"), at(5))), "f2");
        registry.handle(gone("p3", true), at(6));
        // What was announced for a publisher that left without media is what the store says by the next one.
        registry.handle(with("p4", "r3"), at(7));
        registry.handle(gone("p4", true), at(8));
        registry.handle(published("p5"), at(9));
        assert_eq!(begun(&registry.handle(flows("p5", "f3"), at(10))), "f3");
    }

    #[test]
    fn a_forgotten_channel_leaves_the_board_as_offline() {
        let mut registry = Registry::default();
        registry.handle(published("p"), at(0));
        registry.handle(flows("p", "b1"), at(1));
        registry.handle(gone("p", true), at(2));
        let outputs = registry.handle(tick(), at(2 + 700));
        assert_eq!(shown(&outputs).unwrap().state, BroadcastState::Offline);
        assert!(registry.channels.is_empty());
    }
}
