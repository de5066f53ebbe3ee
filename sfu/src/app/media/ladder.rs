//! A broadcast's ladder, where its publisher sits: it subscribes to the largest picture that is published, and publishes
//! rungs of it while somebody would get them.
//!
//! What is said to the child waits in a short queue of the child's, which leaves frames out when it is full; what comes back
//! goes into the shard's own queue, which drops it then: viewers see a gap and ask for a keyframe.

mod made;
mod sound;
mod source;
mod told;

use self::{
    made::Made,
    sound::{LowSound, SOUND},
    source::Source,
};
use super::{machine::Machine, room::Ask};
use crate::{
    broadcast::{
        hub::Hub,
        packet::{Epoch, Packet, Track, TrackKey},
    },
    transcode::{
        self, cost,
        demand::Demand,
        frame::{Made as FromChild, Rung, RungId},
        ladder,
        process::{Config, Event, Transcoder},
        wire::Stats,
    },
};
use shared::{
    broadcast::Codec,
    unit::{Bitrate, Size},
};
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// What a source could have is looked at so often,
const PLAN_EVERY: Duration = Duration::from_secs(1);
/// and has to be the same so many times before it counts: sizes change while a publisher finds its rate.
const STEADY: u8 = 2;
/// A keyframe no older than this is decoded from when a child starts; else the publisher is asked for one.
const FRESH: Duration = Duration::from_secs(1);
/// For so long it is waited for, before an older one serves after all.
const PATIENCE: Duration = Duration::from_millis(400);
/// A publisher without a keyframe for so long is told so,
const LACKING: Duration = Duration::from_secs(3);
/// in these words.
const LACKS: &str = "The publisher sends no keyframe, and nothing can be made of its picture without one. Set a keyframe \
                     interval of 2 s.";
/// What another shard's viewers want is believed for so long.
const BELIEVED: Duration = Duration::from_secs(3);

/// What a viewer can be given once it is wanted.
#[derive(Debug, Clone, PartialEq)]
pub struct Prospect {
    /// The track that it will be.
    pub track: Arc<Track>,
    /// Its pictures' size; none of sound.
    pub size: Option<Size>,
    /// What it will be held to.
    pub bitrate: Bitrate,
    /// Frames a second.
    pub frame_rate: f32,
}

/// What a child says, as the shard hears it.
pub enum Said {
    /// It takes frames.
    Started,
    /// Packets of a rung.
    Packets(Vec<Packet>),
    /// Decoding can't go on before the next keyframe.
    NeedsKeyframe,
    /// Something of the source can't be used; a sentence.
    Refused(String),
    /// Its figures.
    Stats(Stats),
    /// It ended, and why; another one follows after so long.
    Ended(String, Duration),
}

/// Brings what a child says to the shard, with the number of its run.
pub type Tell = Arc<dyn Fn(u64, Said) + Send + Sync>;

/// What is to be done after a look.
#[derive(Default)]
pub struct Look {
    /// Keyframes that the publisher is to be asked for.
    pub asks: Vec<Ask>,
    /// Tracks that there are no more.
    pub gone: Vec<TrackKey>,
    /// There are other prospects than before.
    pub prospects_changed: bool,
}

/// See the module.
pub struct Ladder {
    /// Whose media it is made of.
    pub epoch: Epoch,
    tell: Tell,
    machine: Machine,
    demand: Demand,
    planned: Option<Instant>,
    /// What the source could have, for how many looks it has been so, and what counts.
    candidate: (Vec<Rung>, u8),
    rungs: Vec<Rung>,
    shed: Vec<Rung>,
    frame_rate: f32,
    prospects: Arc<[Prospect]>,
    made: Arc<Mutex<Made>>,
    sound: Arc<Mutex<LowSound>>,
    source: Option<Source>,
    transcoder: Option<Transcoder>,
    /// Which of this broadcast's transcoders that is.
    run: u64,
    /// What it was told to make.
    set: Vec<Rung>,
    /// The publisher sends sound.
    has_sound: bool,
    /// It is to make the low-bitrate one of it.
    makes_sound: bool,
    /// It takes frames.
    is_ready: bool,
    /// It wasn't fed for a while.
    is_stale: bool,
    /// Since when it waits for a keyframe of the source.
    begins: Option<Instant>,
    /// Since when decoding could not go on without one, or nothing is known of the picture for want of one.
    lacks: Option<Instant>,
    /// What shards' viewers want, one bit for each rung.
    wanted: Vec<(usize, u64, Instant)>,
    stats: [Option<(Instant, Stats)>; 2],
    note: Option<String>,
}

impl Ladder {
    /// Of what this publisher sends. `tell` is called on threads of the child's.
    pub fn new(epoch: Epoch, machine: Machine, tell: Tell) -> Self {
        Self {
            epoch,
            tell,
            machine,
            demand: Demand::default(),
            planned: None,
            candidate: (Vec::new(), 0),
            rungs: Vec::new(),
            shed: Vec::new(),
            frame_rate: 0.0,
            prospects: Arc::new([]),
            made: Arc::new(Mutex::new(Made::new(epoch))),
            sound: Arc::new(Mutex::new(LowSound::new(epoch))),
            source: None,
            transcoder: None,
            run: 0,
            set: Vec::new(),
            has_sound: false,
            makes_sound: false,
            is_ready: false,
            is_stale: false,
            begins: None,
            lacks: None,
            wanted: Vec::new(),
            stats: [None, None],
            note: None,
        }
    }

    /// What viewers can be given.
    pub fn prospects(&self) -> Arc<[Prospect]> {
        Arc::clone(&self.prospects)
    }

    /// What the viewers of a shard want, one bit for each rung.
    pub fn want(&mut self, shard: usize, mask: u64, now: Instant) {
        self.wanted.retain(|(other, ..)| *other != shard);
        self.wanted.push((shard, mask, now));
    }

    /// A rung's viewers need a keyframe.
    pub fn keyframe(&self, rung: u8) {
        if let Some(transcoder) = &self.transcoder {
            transcoder.keyframe(RungId(rung));
        }
    }

    /// Looks after it, ten times a second.
    pub fn look(&mut self, hub: &mut Hub, now: Instant) -> Look {
        let mut look = Look::default();
        let sent = hub.largest_sent(now);
        if self.planned.is_none_or(|at| now.saturating_duration_since(at) >= PLAN_EVERY) {
            let is_picture = |track: &&Arc<Track>| !track.is_audio() && !track.key.is_made();
            let several = hub.flowing().filter(is_picture).count() > 1;
            if let Some((track, size, frame_rate)) = &sent {
                // Whoever sends several sizes has a ladder; some browsers have no H.264 though.
                self.plan(*size, *frame_rate, !several || track.codec == Codec::H264, now);
            } else {
                self.planned = Some(now);
            }
        }
        self.notice_lack(sent.is_none(), hub, now);
        self.has_sound = hub.flowing().any(|track| track.is_audio() && !track.key.is_made());
        let prospects = self.prospects_now(now);
        if prospects[..] != self.prospects[..] {
            self.prospects = prospects;
            look.prospects_changed = true;
        }
        self.wanted.retain(|(.., at)| now.saturating_duration_since(*at) < BELIEVED);
        let mask = self.wanted.iter().fold(0, |all, (_, mask, _)| all | mask);
        for rung in self.rungs.iter().filter(|rung| mask & 1 << rung.id.0 != 0) {
            self.demand.want(rung.id, now);
        }
        if mask & 1 << SOUND.0 != 0 && self.offers_sound() {
            self.demand.want(SOUND, now);
        }
        let running = self.demand.running(now);
        let set: Vec<Rung> = self.rungs.iter().filter(|rung| running.contains(&rung.id)).copied().collect();
        let makes_sound = running.contains(&SOUND) && self.offers_sound();
        if std::mem::replace(&mut self.makes_sound, makes_sound) && !makes_sound {
            look.gone.push(TrackKey::made(self.epoch, SOUND.0));
        }
        self.run_these(set, &mut look, now);
        if self.transcoder.is_some()
            && !self.set.is_empty()
            && let Some((track, ..)) = sent
        {
            self.attend(&track, hub, &mut look, now);
        }
        hub.forget(&look.gone);
        look
    }

    /// Says so when the publisher sends no keyframe: without one, not even the picture's size is known.
    fn notice_lack(&mut self, is_unknown: bool, hub: &Hub, now: Instant) {
        let is_sent = |track: &Arc<Track>| !track.is_audio() && !track.key.is_made();
        if is_unknown && hub.flowing().any(is_sent) {
            self.lacks.get_or_insert(now);
        } else if self.set.is_empty() {
            self.lacks = None;
        }
        let lacks = |since: &Option<Instant>| {
            since.is_some_and(|since| now.saturating_duration_since(since) >= LACKING)
        };
        if self.machine.is_on() && [self.begins, self.lacks].iter().any(lacks) {
            self.note = Some(LACKS.to_owned());
        } else if self.note.as_deref() == Some(LACKS) {
            self.note = None;
        }
    }

    fn plan(&mut self, size: Size, frame_rate: f32, is_of_use: bool, now: Instant) {
        let is_on = self.machine.is_on() && is_of_use;
        let possible = if is_on { ladder::rungs(size, frame_rate) } else { Vec::new() };
        let Some(chosen) = self.machine.admitted(&possible, cost::Source { size, frame_rate }, now) else {
            return;
        };
        self.planned = Some(now);
        self.shed =
            possible.iter().filter(|rung| !chosen.iter().any(|other| other.id == rung.id)).copied().collect();
        self.frame_rate = frame_rate;
        let (candidate, seen) = &mut self.candidate;
        if *candidate == chosen {
            *seen = seen.saturating_add(1);
        } else {
            (*candidate, *seen) = (chosen, 1);
        }
        if *seen >= STEADY || !is_on {
            self.rungs.clone_from(candidate);
        }
    }

    fn prospects_now(&self, now: Instant) -> Arc<[Prospect]> {
        let mut made = self.made();
        let rungs = self.rungs.iter().filter(|rung| self.demand.may_be_made(rung.id, now));
        let rungs = rungs.map(|rung| Prospect {
            track: made.track(rung.id),
            size: Some(rung.size),
            bitrate: rung.bitrate,
            frame_rate: (self.frame_rate / f32::from(rung.divisor.max(1))).round(),
        });
        let sound = (self.offers_sound() && self.demand.may_be_made(SOUND, now)).then(|| Prospect {
            track: Arc::clone(self.sound().track()),
            size: None,
            bitrate: sound::BITRATE,
            frame_rate: 0.0,
        });
        rungs.chain(sound).collect()
    }

    /// A rung's share of a core is too much sometimes; the sound's hundredth isn't.
    fn offers_sound(&self) -> bool {
        self.has_sound && self.machine.is_on()
    }

    fn sound(&self) -> MutexGuard<'_, LowSound> {
        self.sound.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn made(&self) -> MutexGuard<'_, Made> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts and stops what is to be made.
    fn run_these(&mut self, set: Vec<Rung>, look: &mut Look, now: Instant) {
        if self.transcoder.is_none() && (self.makes_sound || !set.is_empty()) {
            self.spawn(now);
        }
        if set != self.set {
            let stopped = self.set.iter().filter(|old| !set.iter().any(|rung| rung.id == old.id));
            look.gone.extend(stopped.map(|old| TrackKey::made(self.epoch, old.id.0)));
            if let Some(transcoder) = &self.transcoder {
                transcoder.set_rungs(set.clone());
            }
            self.machine.uses(&set);
            if std::mem::replace(&mut self.set, set).is_empty() {
                // What passed meanwhile wasn't decoded.
                self.is_stale = true;
            }
        }
        let is_over = self.set.is_empty() && !self.makes_sound;
        if is_over && self.transcoder.is_some() && self.demand.is_idle(now) {
            self.transcoder = None;
            (self.is_ready, self.begins, self.lacks, self.stats) = (false, None, None, [None, None]);
            self.note = None;
        }
    }

    fn spawn(&mut self, now: Instant) {
        self.run += 1;
        self.is_ready = false;
        let (tell, run) = (Arc::clone(&self.tell), self.run);
        let (made, sound) = (Arc::clone(&self.made), Arc::clone(&self.sound));
        let sink = move |event| {
            let said = match event {
                Event::Started(_) => Said::Started,
                Event::Made(FromChild::Frame(frame)) => {
                    let mut made = made.lock().unwrap_or_else(PoisonError::into_inner);
                    Said::Packets(made.packets(&frame, Instant::now()))
                }
                Event::Made(FromChild::NeedsKeyframe) => Said::NeedsKeyframe,
                Event::Made(FromChild::Refused(why)) => Said::Refused(why),
                Event::Audio(heard) => {
                    let mut sound = sound.lock().unwrap_or_else(PoisonError::into_inner);
                    Said::Packets(sound.packet(&heard, Instant::now()).into_iter().collect())
                }
                Event::Made(FromChild::Source(_)) => return,
                Event::Stats(stats) => Said::Stats(stats),
                Event::Ended { reason, retry_in } => Said::Ended(reason, retry_in),
            };
            tell(run, said);
        };
        let config =
            Config { metrics: self.machine.metrics(), ..Config::new(format!("publisher-{}", self.epoch.0)) };
        match Transcoder::spawn(config, sink) {
            Ok(transcoder) => self.transcoder = Some(transcoder),
            Err(error) => {
                tracing::warn!(%error, "a ladder can't start");
                self.demand.ended(transcode::demand::LINGERS, now);
            }
        }
    }

    /// Keeps it fed from the right track, from a keyframe on.
    fn attend(&mut self, track: &Arc<Track>, hub: &mut Hub, look: &mut Look, now: Instant) {
        let is_other = self.source.as_ref().is_none_or(|source| source.track().key != track.key);
        if std::mem::take(&mut self.is_stale) || is_other {
            match &mut self.source {
                Some(source) => source.restart(track),
                None => self.source = Source::new(track, Arc::clone(&self.made)),
            }
            look.asks.extend(self.begin(hub, now));
        }
        if let Some(since) = self.begins
            && self.is_ready
            && now.saturating_duration_since(since) >= PATIENCE
            && hub.cache_age(track.key, now).is_some()
        {
            self.replay(hub);
        }
    }

    /// The child waits for a keyframe: from the cache, or the publisher's next one.
    fn begin(&mut self, hub: &mut Hub, now: Instant) -> Option<Ask> {
        let key = self.source.as_ref()?.track().key;
        if !self.is_ready {
            return None;
        }
        self.begins = Some(now);
        let age = hub.cache_age(key, now);
        if age.is_some_and(|age| age <= FRESH || hub.is_deaf(key)) {
            self.replay(hub);
            return None;
        }
        hub.request_keyframe(key, now).then_some(Ask(key))
    }

    fn replay(&mut self, hub: &Hub) {
        let Some(source) = &mut self.source else { return };
        let track = Arc::clone(source.track());
        source.restart(&track);
        let packets = hub.cached(track.key).to_vec();
        self.feed(&packets);
        self.begins = None;
    }

    /// What is published goes in.
    pub fn feed(&mut self, packets: &[Arc<Packet>]) {
        let Some(transcoder) = self.transcoder.as_ref().filter(|_| self.is_ready) else { return };
        if self.makes_sound {
            let mut sound = self.sound();
            let is_source = |packet: &&Arc<Packet>| packet.track.is_audio() && !packet.track.key.is_made();
            packets.iter().filter(is_source).for_each(|packet| transcoder.audio(sound.push(packet)));
        }
        let Some(source) = self.source.as_mut().filter(|_| !self.set.is_empty()) else { return };
        let key = source.track().key;
        for packet in packets.iter().filter(|packet| packet.track.key == key) {
            for frame in source.push(packet) {
                let keyframe = frame.keyframe;
                // One that is left out is followed by a word that a keyframe is needed.
                if transcoder.frame(frame).is_ok() && keyframe {
                    self.begins = None;
                }
            }
        }
    }

    /// What the child of this run said. Answers packets for the hub.
    pub fn heard(
        &mut self,
        run: u64,
        said: Said,
        hub: &mut Hub,
        look: &mut Look,
        now: Instant,
    ) -> Vec<Packet> {
        if run != self.run || self.transcoder.is_none() {
            return Vec::new();
        }
        match said {
            Said::Started => {
                self.is_ready = true;
                if !self.set.is_empty() {
                    look.asks.extend(self.begin(hub, now));
                }
            }
            Said::Packets(packets) => {
                let number = packets.first().and_then(|packet| packet.track.key.made_number());
                let is_wanted = |id: &RungId| {
                    self.set.iter().any(|rung| rung.id == *id) || *id == SOUND && self.makes_sound
                };
                let Some(rung) = number.map(RungId).filter(is_wanted) else {
                    return Vec::new();
                };
                self.demand.came(rung);
                if rung != SOUND {
                    (self.note, self.lacks) = (None, None);
                }
                return packets;
            }
            Said::NeedsKeyframe => {
                self.lacks.get_or_insert(now);
                let key = self.source.as_ref().map(|source| source.track().key);
                look.asks.extend(key.filter(|key| hub.request_keyframe(*key, now)).map(Ask));
            }
            Said::Refused(why) => self.note = Some(why),
            Said::Stats(stats) => {
                self.machine.measured(&stats, now);
                self.stats = [Some((now, stats)), self.stats[0].take()];
            }
            Said::Ended(reason, retry_in) => {
                self.note = Some(format!("What makes the ladder ended ({reason}) and is started again."));
                (self.is_ready, self.begins, self.lacks, self.stats) = (false, None, None, [None, None]);
                self.demand.ended(retry_in, now);
                self.machine.uses(&[]);
                look.gone.extend(self.set.drain(..).map(|rung| TrackKey::made(self.epoch, rung.id.0)));
                if std::mem::take(&mut self.makes_sound) {
                    look.gone.push(TrackKey::made(self.epoch, SOUND.0));
                }
                if let Some(transcoder) = &self.transcoder {
                    transcoder.set_rungs(Vec::new());
                }
                let prospects = self.prospects_now(now);
                look.prospects_changed = prospects[..] != self.prospects[..];
                self.prospects = prospects;
                hub.forget(&look.gone);
            }
        }
        Vec::new()
    }
}
