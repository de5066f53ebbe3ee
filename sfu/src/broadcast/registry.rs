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
    ladder::LadderState,
    publish::Finding,
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
        /// What is made of them, or could be.
        made: Vec<Rendition>,
        /// Where that stands.
        ladder: LadderState,
        /// Loss after repair, 0 to 1.
        loss: f32,
        /// Round trip to it.
        round_trip: Option<Duration>,
        /// Time between its last two keyframes.
        keyframe_interval: Option<Duration>,
        /// What it should change.
        findings: Vec<Finding>,
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

    /// What a publisher's program calls itself, while its session is there.
    pub fn user_agent(&self, channel: &ChannelId, session: &SessionId) -> Option<&str> {
        self.channels.get(channel)?.publishers.get(session).map(String::as_str)
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
                        channel.made.clear();
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
            Input::Measured {
                channel,
                session,
                renditions,
                made,
                ladder,
                loss,
                round_trip,
                keyframe_interval,
                findings,
            } => {
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
                        findings,
                    });
                    channel.renditions = renditions;
                    (channel.made, channel.ladder) = (made, ladder);
                    channel.measure(outputs);
                });
            }
            Input::End { channel } => self.with(&channel, now, &mut outputs, |channel, now, outputs| {
                outputs.extend(channel.publishers.drain().map(|(session, _)| Output::Close(session)));
                (channel.current, channel.health) = (None, None);
                channel.renditions.clear();
                channel.made.clear();
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
mod tests;
