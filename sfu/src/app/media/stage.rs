//! Runs the media plane's part of the control plane: shards' reports go into the registry of broadcasts, and what follows
//! goes to the board, the bus, the log and back to the shards.

use super::{
    machine::Ladders,
    router::{Report, ShardRouter},
    sessions::{self, MediaSessions, Moved, Return},
    ward::Ward,
};
use crate::{
    broadcast::{
        live::LiveBoard,
        log::{BroadcastLog, Left, Record},
        registry::{Input, Output, Registry},
        views::REMEMBERED,
    },
    fresh,
    publish::{advice::Program, opus::Ears, vitals::Vitals},
    rtc::{
        peer::{PeerKey, Side},
        plane::{Doors, Plane, StartError},
    },
};
use shared::{
    broadcast::{BroadcastState, Codec},
    event::Occurrence,
    id::{BroadcastId, ChannelId, ChannelName},
    ladder::LadderState,
    publish::{RoomAction, RoomUpdate},
    text::Title,
    unit::Timestamp,
};
use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{
    sync::{mpsc, oneshot, watch},
    task::JoinHandle,
    time::{MissedTickBehavior, interval, sleep, timeout},
};

/// Reports of shards that wait to be heard; a shard keeps what doesn't fit.
const REPORTS: usize = 4096;
/// What waits for the registry.
const INPUTS: usize = 1024;
/// Records that wait for the database, by the thousand only when it is full or gone. Beyond that, the least telling ones
/// are dropped: that a broadcast was still on.
const RECORDS_MOST: usize = 100_000;
/// Records written in one transaction.
const BATCH: usize = 512;
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Tells the event bus what happened on a channel.
pub type Tell = Box<dyn Fn(&ChannelName, Occurrence) + Send>;

/// Tells what happens in a channel's media room.
pub type TellRooms = Box<dyn Fn(&ChannelName, RoomUpdate) + Send>;

/// Hears of every record before it is written. Called for each, so it must not wait.
pub type Heed = Box<dyn Fn(&Record) + Send>;

/// What the stage is given.
pub struct Needs {
    /// How peers reach this machine.
    pub doors: Doors,
    /// How many shards.
    pub shards: usize,
    /// Whether one send may carry several datagrams.
    pub segmentation: bool,
    /// What may be made of publishers' media.
    pub ladders: Ladders,
    /// Whether it is estimated what viewers' networks carry.
    pub congestion_control: bool,
    /// To write what is live.
    pub board: LiveBoard,
    /// To tell what happens.
    pub tell: Tell,
    /// To tell what happens in media rooms.
    pub tell_rooms: TellRooms,
    /// To write down broadcasts and views.
    pub log: Arc<dyn BroadcastLog>,
    /// Hears of what is written down.
    pub heed: Heed,
    /// Turns true when nobody new is taken on.
    pub draining: watch::Receiver<bool>,
    /// Turns true when all sessions are to end.
    pub stopping: watch::Receiver<bool>,
}

/// What the owner of a channel wants.
enum Wish {
    /// To end what is on; answered when its sessions are told, with whether there was anything.
    End(ChannelId, oneshot::Sender<bool>),
    /// That this broadcast begins next; answered with whether it will, which it won't while another one is on.
    Reserve(ChannelId, BroadcastId, oneshot::Sender<bool>),
}

/// A clock that starts at some time and then runs evenly, whatever happens to the system's.
#[derive(Debug, Clone, Copy)]
struct Clock {
    start: Timestamp,
    since: Instant,
}

impl Clock {
    fn now(&self) -> Timestamp {
        let passed = i64::try_from(self.since.elapsed().as_millis()).unwrap_or(i64::MAX);
        Timestamp::from_millis(self.start.as_millis().saturating_add(passed))
    }
}

/// The way to a running stage.
#[derive(Clone)]
pub struct StageHandle {
    /// All sessions.
    pub sessions: Arc<MediaSessions>,
    inputs: mpsc::Sender<Input>,
    wishes: mpsc::Sender<Wish>,
    board: LiveBoard,
}

impl StageHandle {
    /// Ends what is on a channel; whether there was anything.
    pub async fn end(&self, channel: &ChannelId) -> bool {
        let (reply, ended) = oneshot::channel();
        if self.wishes.send(Wish::End(channel.clone(), reply)).await.is_err() {
            return false;
        }
        ended.await.unwrap_or(false)
    }

    /// Makes this the broadcast that begins next on a channel; false, and without effect, while one is on.
    pub async fn reserve(&self, channel: &ChannelId, id: &BroadcastId) -> bool {
        let (reply, reserved) = oneshot::channel();
        if self.wishes.send(Wish::Reserve(channel.clone(), id.clone(), reply)).await.is_err() {
            return false;
        }
        reserved.await.unwrap_or(false)
    }

    /// What is made of a channel's picture, and how many get which of it.
    pub async fn ladder(&self, channel: &ChannelId) -> LadderState {
        let mut ladder = self.board.of(channel).ladder;
        if !ladder.rungs.is_empty() {
            let watched = self.sessions.watched(channel).await;
            for rung in &mut ladder.rungs {
                rung.viewers = watched.get(&rung.name).copied().unwrap_or(0);
            }
        }
        ladder
    }

    /// A channel has another title.
    pub async fn titled(&self, channel: &ChannelId, title: &Title) {
        let input = Input::Titled { channel: channel.clone(), title: title.clone() };
        // The registry stops only with the server.
        let _ = self.inputs.send(input).await;
    }
}

struct Board(LiveBoard);

impl sessions::Program for Board {
    fn video_codecs(&self, channel: &ChannelId) -> Option<Vec<Codec>> {
        let state = self.0.of(channel);
        let is_on = matches!(state.state, BroadcastState::Live | BroadcastState::Waiting);
        let video = state.renditions.iter().chain(&state.made).map(|rendition| rendition.codec);
        let video = video.filter(|codec| *codec != Codec::Opus);
        is_on.then(|| video.collect())
    }
}

/// Opens the sockets and starts the shards and the stage. Takes up what a previous process left open. The task ends when the
/// server stops, once everything is written down.
pub async fn start(needs: Needs) -> Result<(StageHandle, JoinHandle<()>), StartError> {
    let (reports, reports_in) = mpsc::channel(REPORTS);
    let levels = reports.clone();
    // A level that there is no room for is followed by another one a second later.
    let ears = Ears::start(move |from, level| drop(levels.try_send(Report::Heard(PeerKey(from), level))));
    let plane = Plane::start(&needs.doors, (needs.shards, needs.segmentation), |index, shards| {
        ShardRouter::new(index, shards, reports.clone(), ears.clone(), needs.ladders.clone())
    })?;
    let (inputs, inputs_in) = mpsc::channel(INPUTS);
    let (wishes, wishes_in) = mpsc::channel(64);
    let (returns, returns_in) = mpsc::channel(INPUTS);
    let program = Arc::new(Board(needs.board.clone()));
    let sessions = {
        let egress = if needs.congestion_control { Side::Egress } else { Side::Unmetered };
        let draining = needs.draining.clone();
        MediaSessions::new((plane, egress), inputs.clone(), returns, program, needs.ladders, draining)
    };
    let sessions = Arc::new(sessions);
    let left = needs.log.left(REMEMBERED).await.unwrap_or_else(|error| {
        tracing::error!(%error, "what was live before can't be read");
        Left::default()
    });
    let wall = fresh::now();
    let clock = Clock { start: Registry::clock_start(&left, wall), since: Instant::now() };
    let mut registry = Registry::default();
    let recovered = registry.recover(left.broadcasts, clock.now(), wall);
    let (records, records_in) = mpsc::channel(INPUTS);
    let writer = tokio::spawn(write(needs.log, records_in));
    let board = needs.board.clone();
    let mut stage = Stage {
        registry,
        ward: Ward::default(),
        clock,
        sessions: Arc::clone(&sessions),
        board: needs.board,
        tell: needs.tell,
        tell_rooms: needs.tell_rooms,
        heed: needs.heed,
        records,
        unwritten: VecDeque::new(),
    };
    stage.apply(recovered);
    let handle = StageHandle { sessions, inputs, wishes, board };
    let arriving =
        Arriving { reports: reports_in, inputs: inputs_in, wishes: wishes_in, returns: returns_in };
    let task = tokio::spawn(stage.run(arriving, needs.stopping, writer));
    Ok((handle, task))
}

/// What the stage hears.
struct Arriving {
    reports: mpsc::Receiver<Report>,
    inputs: mpsc::Receiver<Input>,
    wishes: mpsc::Receiver<Wish>,
    returns: mpsc::Receiver<Return>,
}

struct Stage {
    registry: Registry,
    ward: Ward,
    clock: Clock,
    sessions: Arc<MediaSessions>,
    board: LiveBoard,
    tell: Tell,
    tell_rooms: TellRooms,
    heed: Heed,
    records: mpsc::Sender<Record>,
    unwritten: VecDeque<Record>,
}

impl Stage {
    async fn run(mut self, arriving: Arriving, mut stopping: watch::Receiver<bool>, writer: JoinHandle<()>) {
        let Arriving { mut reports, mut inputs, mut wishes, mut returns } = arriving;
        let mut second = interval(Duration::from_secs(1));
        second.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                // That a session was opened must be known before what it does.
                biased;
                Ok(()) = async { stopping.wait_for(|stopping| *stopping).await.map(|_| ()) } => break,
                Some(input) = inputs.recv() => self.handle(input),
                Some(wish) = wishes.recv() => self.grant(wish),
                Some(Return { channel, view, reply }) = returns.recv() => {
                    let _ = reply.send(self.registry.has_view(&channel, &view));
                }
                Some(mut report) = reports.recv() => {
                    // A session's opening is in the inputs before any report of it is sent.
                    while let Ok(input) = inputs.try_recv() {
                        self.handle(input);
                    }
                    let moved = self.sessions.moved(&report);
                    let patient = self.ward.hear(&mut report, Instant::now());
                    if let Some(mut input) = self.sessions.hear(report) {
                        self.consult(patient, &mut input);
                        self.handle(input);
                    }
                    if let Some(Moved { channel, name, action }) = moved {
                        self.tell_room(&channel, &name, action);
                    }
                }
                _ = second.tick() => {
                    self.sessions.close_overdue();
                    self.handle(Input::Tick { wall: fresh::now() });
                }
            }
        }
        // Broadcasts stay open in the log: the next process waits for their publishers.
        self.sessions.dismiss_all();
        self.handle(Input::Stop { wall: fresh::now() });
        let _ = timeout(Duration::from_millis(500), async {
            while let Some(report) = reports.recv().await {
                self.sessions.close_overdue();
                if let Some(input @ Input::PublisherGone { said: true, .. }) = self.sessions.hear(report) {
                    self.handle(input);
                }
            }
        })
        .await;
        while let Some(record) = self.unwritten.pop_front() {
            if self.records.send(record).await.is_err() {
                break;
            }
        }
        drop(self.records);
        if timeout(Duration::from_secs(5), writer).await.is_err() {
            tracing::error!("some of what happened last could not be written down");
        }
    }

    /// Puts into what was measured of a publisher what the doctor finds.
    fn consult(&mut self, patient: Option<(PeerKey, Vitals)>, input: &mut Input) {
        if let (Some((key, vitals)), Input::Measured { channel, session, findings, .. }) = (patient, input) {
            let program = Program::of(self.registry.user_agent(channel, session).unwrap_or_default());
            *findings = self.ward.look(key, &vitals, program, Instant::now());
        }
    }

    fn grant(&mut self, wish: Wish) {
        match wish {
            Wish::End(channel, reply) => {
                let was_on = self.registry.is_on(&channel);
                self.handle(Input::End { channel });
                let _ = reply.send(was_on);
            }
            Wish::Reserve(channel, id, reply) => {
                let is_on = self.registry.is_on(&channel);
                if !is_on {
                    self.handle(Input::Reserved { channel, id });
                }
                let _ = reply.send(!is_on);
            }
        }
    }

    fn handle(&mut self, input: Input) {
        let outputs = self.registry.handle(input, self.clock.now());
        self.apply(outputs);
    }

    /// Tells what happened in a channel's room; without a broadcast there is none.
    fn tell_room(&self, channel: &ChannelId, name: &ChannelName, action: RoomAction) {
        let live = self.board.of(channel);
        let Some(stream_id) = live.stream_id else { return };
        let update = RoomUpdate {
            room_key: format!("{name}:{stream_id}"),
            stream_id,
            action,
            peer_count: self.sessions.connected(channel),
            state: live.state,
            timestamp: fresh::now(),
        };
        (self.tell_rooms)(name, update);
    }

    fn apply(&mut self, outputs: Vec<Output>) {
        let mut changed = None;
        for output in outputs {
            match output {
                Output::Record(record) => {
                    (self.heed)(&record);
                    self.record(record);
                }
                Output::Close(session) => self.sessions.dismiss(&session),
                Output::CloseViewers(channel) => self.sessions.dismiss_viewers(&channel),
                Output::Show(channel, state) => {
                    let before = self.board.of(&channel);
                    if (before.state, &before.stream_id) != (state.state, &state.stream_id) {
                        changed = Some(channel.clone());
                    }
                    self.board.set(channel, *state);
                }
                Output::Tell(name, occurrence) => {
                    tracing::info!(channel = %name, event = ?occurrence, "on the event bus");
                    let begins = matches!(occurrence, Occurrence::StreamStarted { .. });
                    (self.tell)(&name, occurrence);
                    if let Some(channel) = changed.take() {
                        self.tell_room(&channel, &name, RoomAction::StateChanged);
                        // Its publisher came before there was a room to come to.
                        if begins {
                            self.tell_room(&channel, &name, RoomAction::PeerJoined);
                        }
                    }
                }
            }
        }
        self.pass_records();
    }

    fn record(&mut self, record: Record) {
        if self.unwritten.len() >= RECORDS_MOST {
            let seen = |record: &Record| matches!(record, Record::Heartbeat(_));
            if seen(&record) {
                return;
            }
            match self.unwritten.iter().position(seen) {
                Some(at) => drop(self.unwritten.remove(at)),
                None => {
                    tracing::error!(
                        "the database has been away for too long: a record of a broadcast is lost"
                    );
                    self.unwritten.pop_front();
                }
            }
        }
        self.unwritten.push_back(record);
    }

    fn pass_records(&mut self) {
        while let Some(record) = self.unwritten.pop_front() {
            if let Err(full) = self.records.try_send(record) {
                self.unwritten.push_front(full.into_inner());
                return;
            }
        }
    }
}

/// Writes records in order, each batch until it is written. Media never waits for it.
async fn write(log: Arc<dyn BroadcastLog>, mut records: mpsc::Receiver<Record>) {
    let mut batch = Vec::new();
    let mut failing = false;
    while records.recv_many(&mut batch, BATCH).await > 0 {
        loop {
            match log.append(batch.clone()).await {
                Ok(()) => break,
                Err(error) => {
                    if !std::mem::replace(&mut failing, true) {
                        tracing::error!(%error, "broadcasts can't be written down; trying again each second");
                    }
                    // When the server stops meanwhile, whoever waits for this task gives up on it.
                    sleep(RETRY_AFTER).await;
                }
            }
        }
        if std::mem::take(&mut failing) {
            tracing::info!("broadcasts are written down again");
        }
        batch.clear();
    }
}
