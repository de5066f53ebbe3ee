//! What one broadcast's ladder knows of the machine, of the instance's settings and of its channel's owner's wish.

use super::router::RoomKey;
use crate::{
    telemetry::ladder::LadderMetrics,
    transcode::{
        admission::{Admission, Limits, Shed},
        cost::Source,
        frame::{Rung, RungId},
        ladder,
        measure::calibration,
        wire::Stats,
    },
};
use rustix::time::{ClockId, clock_gettime};
use std::{
    collections::HashSet,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    thread,
    time::{Duration, Instant},
};

/// How often is looked at what the server itself takes.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What all ladders share.
#[derive(Debug, Clone)]
pub struct Ladders(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    metrics: LadderMetrics,
    /// Rooms of channels whose owners don't want one.
    unwanted: RwLock<HashSet<RoomKey>>,
    /// Taken once a second by each publisher, and never while anything waits.
    state: Mutex<State>,
    next: AtomicU64,
}

#[derive(Debug)]
struct State {
    admission: Admission,
    /// When was looked, and the CPU time that the server had taken by then.
    looked: Option<(Instant, Duration)>,
    measured: Measured,
}

/// Whether what encoding costs here has been measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Measured {
    NotYet,
    UnderWay,
    Done,
}

impl Default for Ladders {
    fn default() -> Self {
        let mut ladders = Self::new(Limits::default(), LadderMetrics::default());
        if let Some(shared) = Arc::get_mut(&mut ladders.0) {
            // A test's program isn't the one that measures.
            shared.state.get_mut().unwrap_or_else(PoisonError::into_inner).measured = Measured::Done;
        }
        ladders
    }
}

impl Ladders {
    /// Within the limits of the owner of the instance.
    pub fn new(limits: Limits, metrics: LadderMetrics) -> Self {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let admission = Admission::new(limits, cores as f32);
        let state = Mutex::new(State { admission, looked: None, measured: Measured::NotYet });
        Self(Arc::new(Shared { metrics, unwanted: RwLock::default(), state, next: AtomicU64::new(0) }))
    }

    /// Whether a channel's owner wants a ladder.
    pub fn set(&self, room: RoomKey, is_wanted: bool) {
        let mut unwanted = self.0.unwanted.write().unwrap_or_else(PoisonError::into_inner);
        if is_wanted {
            unwanted.remove(&room);
        } else {
            unwanted.insert(room);
        }
    }

    /// For one publisher.
    pub fn of(&self, room: RoomKey) -> Machine {
        let machine = Machine { ladders: self.clone(), room, who: self.0.next.fetch_add(1, Relaxed) };
        let mut state = self.lock();
        if !state.admission.limits().enabled || state.measured != Measured::NotYet {
            return machine;
        }
        state.measured = Measured::UnderWay;
        drop(state);
        let ladders = self.clone();
        // It takes a second, in which a publisher's size is not known yet.
        let measuring = move || {
            let calibration = calibration();
            let mut state = ladders.lock();
            state.measured = Measured::Done;
            match calibration {
                Some(calibration) => calibration.apply(state.admission.cost()),
                None => tracing::warn!("what encoding costs here could not be measured: it is guessed"),
            }
        };
        if let Err(error) = thread::Builder::new().name("ladder-cost".to_owned()).spawn(measuring) {
            tracing::warn!(%error, "what encoding costs here is not measured");
            self.lock().measured = Measured::Done;
        }
        machine
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn count(&self, shed: Option<(u64, Shed)>) {
        let Some((_, why)) = shed else { return };
        self.0.metrics.shed(match why {
            Shed::Late => "late",
            Shed::Room => "room",
        });
    }
}

/// See the module. What it had is free again when it is dropped.
#[derive(Debug)]
pub struct Machine {
    ladders: Ladders,
    room: RoomKey,
    who: u64,
}

impl Drop for Machine {
    fn drop(&mut self) {
        self.ladders.lock().admission.gone(self.who);
    }
}

impl Machine {
    /// Whether the channel's owner wants a ladder.
    pub fn is_wanted(&self) -> bool {
        !self.ladders.0.unwanted.read().unwrap_or_else(PoisonError::into_inner).contains(&self.room)
    }

    /// Whether the owner of the instance allows one.
    pub fn is_allowed(&self) -> bool {
        self.ladders.lock().admission.limits().enabled
    }

    /// Whether there may be one.
    pub fn is_on(&self) -> bool {
        self.is_wanted() && self.is_allowed()
    }

    /// Where what its child does is counted.
    pub fn metrics(&self) -> LadderMetrics {
        self.ladders.0.metrics.clone()
    }

    /// Those of a source's rungs that there is room for. `None` while it is measured what they cost: what was offered by a guess
    /// would be taken away from whoever chose it.
    pub fn admitted(&self, rungs: &[Rung], source: Source, now: Instant) -> Option<Vec<Rung>> {
        let mut state = self.ladders.lock();
        self.ladders.count(state.look(&self.ladders.0.metrics, now));
        let is_known = state.measured != Measured::UnderWay;
        is_known.then(|| state.admission.admitted(self.who, rungs, source, now))
    }

    /// These are made from now on.
    pub fn uses(&self, rungs: &[Rung]) {
        self.ladders.lock().admission.uses(self.who, rungs);
    }

    /// What they cost.
    pub fn measured(&self, stats: &Stats, now: Instant) {
        let shed = self.ladders.lock().admission.measured(self.who, stats, now);
        self.ladders.count(shed);
    }

    /// A sentence on why there is no such rung.
    pub fn why_not(&self, rung: RungId) -> String {
        let state = self.ladders.lock();
        let why = state.admission.reason(self.who, &ladder::name(rung));
        why.unwrap_or("Larger ones take its place.").to_owned()
    }
}

impl State {
    /// Tells the admission what the server itself took since, if it is time.
    fn look(&mut self, metrics: &LadderMetrics, now: Instant) -> Option<(u64, Shed)> {
        if self.looked.is_some_and(|(at, _)| now.saturating_duration_since(at) < LOOK_EVERY) {
            return None;
        }
        // Children have clocks of their own.
        let cpu = Duration::try_from(clock_gettime(ClockId::ProcessCPUTime)).unwrap_or_default();
        let shed = self.looked.replace((now, cpu)).and_then(|(at, before)| {
            let passed = now.saturating_duration_since(at).as_secs_f32();
            self.admission.load(cpu.saturating_sub(before).as_secs_f32() / passed, now)
        });
        metrics.room.set(self.admission.room().into());
        metrics.taken.set(self.admission.taken().into());
        shed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::unit::Size;

    #[test]
    fn owners_decide_and_what_is_dropped_is_free_again() {
        let limits = Limits { most_cores: Some(1000.0), ..Limits::default() };
        let ladders = Ladders::new(Limits { enabled: false, ..limits.clone() }, LadderMetrics::default());
        assert!(!ladders.of(RoomKey(1)).is_on());
        let ladders = Ladders::default();
        let machine = ladders.of(RoomKey(1));
        assert!(machine.is_on());
        ladders.set(RoomKey(1), false);
        assert!(!machine.is_on() && machine.is_allowed() && ladders.of(RoomKey(2)).is_on());
        ladders.set(RoomKey(1), true);
        let source = Source { size: Size { width: 640, height: 360 }, frame_rate: 15.0 };
        let possible = ladder::rungs(source.size, source.frame_rate);
        machine.uses(&machine.admitted(&possible, source, Instant::now()).unwrap());
        assert!(ladders.lock().admission.taken() > 0.0);
        drop(machine);
        assert_eq!(ladders.lock().admission.taken(), 0.0);
    }

    #[test]
    fn nothing_is_offered_before_it_is_known_what_it_costs() {
        let ladders = Ladders::default();
        let machine = ladders.of(RoomKey(1));
        let source = Source { size: Size { width: 640, height: 360 }, frame_rate: 15.0 };
        let possible = ladder::rungs(source.size, source.frame_rate);
        ladders.lock().measured = Measured::UnderWay;
        assert_eq!(machine.admitted(&possible, source, Instant::now()), None);
        ladders.lock().measured = Measured::Done;
        assert_eq!(machine.admitted(&possible, source, Instant::now()), Some(possible));
    }
}
