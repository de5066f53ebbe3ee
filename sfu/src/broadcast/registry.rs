//! All channels' broadcasts: who publishes, who watches, what follows. The one writer of the [`LiveBoard`].
//!
//! [`LiveBoard`]: super::live::LiveBoard

use super::{
    life::{self, Life},
    live::{Health, LiveState},
    log::{OpenBroadcast, Record},
};
use shared::{
    broadcast::Rendition,
    event::Occurrence,
    id::{BroadcastId, ChannelId, ChannelName, SessionId, ViewId},
    text::{Category, Title},
    unit::{Bitrate, Millis, Timestamp},
};
use std::{collections::HashMap, time::Duration};

/// How often it is written down that a broadcast is still on.
const SEEN_EVERY: Duration = Duration::from_secs(5);

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
    },
    /// A viewer's session is over.
    ViewerLeft {
        /// Where.
        channel: ChannelId,
        /// Whose.
        session: SessionId,
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
    Tick,
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

#[derive(Debug)]
struct Channel {
    id: ChannelId,
    name: ChannelName,
    title: Title,
    category: Category,
    life: Life,
    /// Open publishers' sessions and their programs. Several only while one takes over.
    publishers: HashMap<SessionId, String>,
    /// The one whose media is on.
    current: Option<SessionId>,
    /// The one whose media was on and that closed without a word; it may still say goodbye.
    vanished: Option<SessionId>,
    viewers: HashMap<SessionId, ViewId>,
    /// The id of the broadcast that begins next, where one was announced.
    reserved: Option<BroadcastId>,
    renditions: Vec<Rendition>,
    /// The height that was written down last.
    height: Option<u16>,
    health: Option<Health>,
    seen: Timestamp,
    shown: LiveState,
}

/// See the module. Pure: time and ids are arguments.
#[derive(Debug, Default)]
pub struct Registry {
    channels: HashMap<ChannelId, Channel>,
}

impl Registry {
    /// Takes up the broadcasts that a previous process left open.
    pub fn recover(&mut self, open: Vec<OpenBroadcast>, now: Timestamp) -> Vec<Output> {
        let mut outputs = Vec::new();
        for broadcast in open {
            let life = Life::recovered(broadcast.id.clone(), broadcast.started_at, broadcast.last_seen_at);
            let channel = Channel { life, ..Channel::new(broadcast.channel.clone(), broadcast.name) };
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

    /// Takes an input; answers what follows.
    pub fn handle(&mut self, input: Input, now: Timestamp) -> Vec<Output> {
        let mut outputs = Vec::new();
        match input {
            Input::Published { channel: id, name, title, category, session, user_agent, reserved } => {
                let channel =
                    self.channels.entry(id.clone()).or_insert_with(|| Channel::new(id, name.clone()));
                (channel.name, channel.title, channel.category) = (name, title, category);
                // While somebody is about to publish, a later announcement may have been heard already: ids sort by age.
                let heard = channel.reserved.take().filter(|_| !channel.publishers.is_empty());
                channel.reserved = heard.max(reserved);
                channel.publishers.insert(session, user_agent);
            }
            // Where nobody is about to publish, whoever comes brings it along.
            Input::Reserved { channel, id } => {
                if let Some(channel) = self.channels.get_mut(&channel) {
                    channel.reserved = channel.reserved.take().max(Some(id));
                }
            }
            Input::Flows { channel, session, fresh } => {
                self.with(&channel, now, &mut outputs, |channel, outputs| {
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
                self.with(&channel, now, &mut outputs, |channel, outputs| {
                    if channel.current.as_ref() == Some(&session) {
                        channel.live(life::Input::MediaStopped, now, outputs);
                    }
                })
            }
            Input::PublisherGone { channel, session, said } => {
                self.with(&channel, now, &mut outputs, |channel, outputs| {
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
            Input::ViewerJoined { channel, session, view } => {
                self.with(&channel, now, &mut outputs, |channel, outputs| {
                    let Some(id) = channel.life.current().cloned() else {
                        outputs.push(Output::Close(session));
                        return;
                    };
                    let record = Record::ViewStarted { id: view.clone(), broadcast: id.clone(), at: now };
                    channel.viewers.insert(session, view);
                    outputs.push(Output::Record(record));
                    outputs
                        .push(Output::Tell(channel.name.clone(), Occurrence::ViewerJoined { stream_id: id }));
                });
            }
            Input::ViewerLeft { channel, session } => {
                self.with(&channel, now, &mut outputs, |channel, outputs| {
                    let Some(view) = channel.viewers.remove(&session) else { return };
                    outputs.push(Output::Record(Record::ViewEnded { id: view, at: now }));
                    if let Some(id) = channel.life.current().cloned() {
                        outputs.push(Output::Tell(
                            channel.name.clone(),
                            Occurrence::ViewerLeft { stream_id: id },
                        ));
                    }
                })
            }
            Input::Measured { channel, session, renditions, loss, round_trip, keyframe_interval } => {
                self.with(&channel, now, &mut outputs, |channel, outputs| {
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
            Input::End { channel } => self.with(&channel, now, &mut outputs, |channel, outputs| {
                outputs.extend(channel.publishers.drain().map(|(session, _)| Output::Close(session)));
                (channel.current, channel.health) = (None, None);
                channel.renditions.clear();
                channel.live(life::Input::End, now, outputs);
            }),
            Input::Tick => {
                let ids: Vec<ChannelId> = self.channels.keys().cloned().collect();
                for id in ids {
                    self.with(&id, now, &mut outputs, |channel, outputs| channel.tick(now, outputs));
                }
                self.channels.retain(|_, channel| !channel.is_over(now));
            }
        }
        outputs
    }

    /// The sessions of a channel, to know whether anything is on.
    pub fn is_on(&self, channel: &ChannelId) -> bool {
        self.channels.get(channel).is_some_and(|channel| channel.life.is_on())
    }

    fn with(
        &mut self,
        id: &ChannelId,
        now: Timestamp,
        outputs: &mut Vec<Output>,
        act: impl FnOnce(&mut Channel, &mut Vec<Output>),
    ) {
        let Some(channel) = self.channels.get_mut(id) else { return };
        let mut tells = Vec::new();
        let mut all = Vec::new();
        act(channel, &mut all);
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

impl Channel {
    fn new(id: ChannelId, name: ChannelName) -> Self {
        Self {
            id,
            name,
            title: Title::default(),
            category: Category::default(),
            life: Life::default(),
            publishers: HashMap::new(),
            current: None,
            vanished: None,
            viewers: HashMap::new(),
            reserved: None,
            renditions: Vec::new(),
            height: None,
            health: None,
            seen: Timestamp::from_millis(0),
            shown: LiveState::default(),
        }
    }

    /// The id of a broadcast that would begin now: the announced one, if it hasn't been on already.
    fn next_id(&mut self, fresh: BroadcastId) -> BroadcastId {
        if self.life.is_on() {
            return fresh;
        }
        self.reserved.take().filter(|id| !self.life.was(id)).unwrap_or(fresh)
    }

    fn live(&mut self, input: life::Input, now: Timestamp, outputs: &mut Vec<Output>) {
        let Some(output) = self.life.handle(input, now) else { return };
        let occurrence = match output {
            life::Output::Started(id) => {
                self.height = None;
                self.seen = now;
                outputs.push(Output::Record(Record::BroadcastStarted {
                    id: id.clone(),
                    channel: self.id.clone(),
                    title: self.title.clone(),
                    category: self.category.clone(),
                    at: now,
                }));
                Occurrence::StreamStarted { stream_id: id }
            }
            life::Output::Interrupted(id) => Occurrence::StreamInterrupted { stream_id: id },
            life::Output::Resumed(id) => Occurrence::StreamResumed { stream_id: id },
            life::Output::Ended { id, at } => {
                outputs.push(Output::Record(Record::BroadcastEnded { id: id.clone(), at }));
                outputs.push(Output::CloseViewers(self.id.clone()));
                Occurrence::StreamEnded { stream_id: id }
            }
        };
        outputs.push(Output::Tell(self.name.clone(), occurrence));
    }

    /// Writes down how tall the picture is, where that changed.
    fn measure(&mut self, outputs: &mut Vec<Output>) {
        let height =
            self.renditions.iter().filter_map(|rendition| rendition.size).map(|size| size.height).max();
        if let (Some(id), Some(height)) = (self.life.current(), height)
            && self.height.replace(height) != Some(height)
        {
            outputs.push(Output::Record(Record::BroadcastMeasured { id: id.clone(), height }));
        }
    }

    fn tick(&mut self, now: Timestamp, outputs: &mut Vec<Output>) {
        self.live(life::Input::Tick, now, outputs);
        let Some(id) = self.life.current() else { return };
        if self.current.is_some() && now.since(self.seen) >= SEEN_EVERY {
            self.seen = now;
            outputs.push(Output::Record(Record::BroadcastSeen { id: id.clone(), at: now }));
        }
        if !self.viewers.is_empty() && self.seen == now {
            outputs.push(Output::Record(Record::ViewSeen { broadcast: id.clone(), at: now }));
        }
    }

    fn show(&mut self, now: Timestamp, outputs: &mut Vec<Output>) {
        let view = self.life.view(now);
        let state = LiveState {
            state: view.state,
            stream_id: view.id,
            viewer_count: self.viewers.len() as u32,
            start_time: view.start_time,
            waiting_since: view.waiting_since,
            ended_at: view.ended_at,
            duration: view.duration,
            renditions: self.renditions.clone(),
            health: self.health.clone(),
        };
        if state != self.shown {
            self.shown = state.clone();
            outputs.push(Output::Show(self.id.clone(), Box::new(state)));
        }
    }

    /// Nothing is left that anybody could ask for here; the store remembers the rest.
    fn is_over(&self, now: Timestamp) -> bool {
        let view = self.life.view(now);
        view.state == shared::broadcast::BroadcastState::Offline
            && self.publishers.is_empty()
            && self.viewers.is_empty()
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
        Input::ViewerJoined { channel: ada(), session: session(name), view: name.parse().unwrap() }
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
        let kinds: Vec<_> = outputs.iter().map(std::mem::discriminant).collect();
        let id: BroadcastId = "b1".parse().unwrap();
        assert!(
            matches!(&outputs[0], Output::Record(Record::BroadcastStarted { channel, .. }) if *channel == ada())
        );
        assert!(matches!(&outputs[1], Output::Show(_, state) if state.state == BroadcastState::Live));
        assert!(
            matches!(&outputs[2], Output::Tell(_, Occurrence::StreamStarted { stream_id }) if *stream_id == id)
        );
        assert_eq!(kinds.len(), 3);
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
        let outputs = registry.handle(Input::ViewerLeft { channel: ada(), session: session("v2") }, at(3));
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
        let outputs = registry.handle(Input::Tick, at(10));
        assert!(outputs.iter().any(|output| matches!(output, Output::Record(Record::BroadcastSeen { .. }))));
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
        let open = |last_seen| OpenBroadcast {
            id: "b1".parse().unwrap(),
            channel: ada(),
            name: "ada".parse().unwrap(),
            started_at: at(0),
            last_seen_at: last_seen,
        };
        let mut registry = Registry::default();
        let outputs = registry.recover(vec![open(at(10))], at(15));
        assert_eq!(shown(&outputs).unwrap().state, BroadcastState::Waiting);
        registry.handle(published("p"), at(16));
        let outputs = registry.handle(flows("p", "b2"), at(17));
        assert!(matches!(told(&outputs)[0], Occurrence::StreamResumed { .. }));

        let mut late = Registry::default();
        let outputs = late.recover(vec![open(at(10))], at(1000));
        assert!(
            matches!(&outputs[0], Output::Record(Record::BroadcastEnded { at: end, .. }) if *end == at(10))
        );
        late.handle(Input::Tick, at(2000));
        assert!(late.channels.is_empty(), "nothing is kept for channels that are off");
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
        let outputs = registry.handle(Input::Tick, at(2 + 700));
        assert_eq!(shown(&outputs).unwrap().state, BroadcastState::Offline);
        assert!(registry.channels.is_empty());
    }
}
