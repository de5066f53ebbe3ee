//! The server's side of a transcoding child: starts it, feeds it, watches it, ends it, and starts it again.

mod listener;
mod supervisor;

use self::supervisor::Supervisor;
use super::{
    backoff::Backoff,
    frame::{Made, Rung, RungId, SourceFrame},
    waiting::{Full, Next, Waiting},
    wire::{self, Confinement, Sound, Stats, ToChild},
};
use crate::telemetry::ladder::LadderMetrics;
use std::{
    fmt, io,
    path::PathBuf,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

/// Between two remarks in the log.
const REMARKS: Duration = Duration::from_secs(10);
/// This process's program, also when its file has been replaced by a newer one.
pub const THIS_PROGRAM: &str = "/proc/self/exe";
/// The memory that a child may use: a 4K source in three rungs takes a third.
const MEMORY: u64 = 1 << 30;

/// How children are started.
#[derive(Debug, Clone)]
pub struct Config {
    /// The program, this one.
    pub program: PathBuf,
    /// The most bytes of memory.
    pub memory: u64,
    /// What logs call it: the broadcast's id.
    pub name: String,
    /// Where it is counted.
    pub metrics: LadderMetrics,
}

impl Config {
    /// Children of this very program.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            program: PathBuf::from(THIS_PROGRAM),
            memory: MEMORY,
            name: name.into(),
            metrics: LadderMetrics::default(),
        }
    }
}

/// What comes from a broadcast's child, in order.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// It runs and takes frames, beginning with a keyframe of the source: one should be asked for, or taken from a cache.
    Started(Confinement),
    /// A frame of a rung that is wanted, or something about the source.
    Made(Made),
    /// A packet of the low-bitrate sound.
    Audio(Sound),
    /// Its figures, once a second; totals since it started.
    Stats(Stats),
    /// It ended by itself or was ended. Another one is started after `retry_in`, with the same rungs.
    Ended {
        /// Why: half a sentence, as after "the transcoder ended: ".
        reason: String,
        /// When there will be another one.
        retry_in: Duration,
    },
}

/// A broadcast's child, for as long as this value lives. Nothing here waits for the child.
pub struct Transcoder {
    inbox: Arc<Inbox>,
    thread: Option<JoinHandle<()>>,
}

impl fmt::Debug for Transcoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transcoder").finish_non_exhaustive()
    }
}

impl Transcoder {
    /// Starts a child, and another one whenever it ends. `sink` hears of everything, on a thread of the child's own: it may
    /// not wait long, as the child waits meanwhile.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn spawn(config: Config, sink: impl Fn(Event) + Send + Sync + 'static) -> io::Result<Self> {
        let inbox = Arc::new(Inbox::default());
        inbox.lock().waiting.restart();
        let supervisor = Supervisor {
            config,
            inbox: Arc::clone(&inbox),
            sink: Arc::new(sink),
            backoff: Backoff::default(),
        };
        // The child dies with the thread that started it, so that it never outlives the server.
        let thread = thread::Builder::new().name("ladder".to_owned()).spawn(move || supervisor.run())?;
        Ok(Self { inbox, thread: Some(thread) })
    }

    /// Gives a frame of the source.
    ///
    /// # Errors
    /// When it is left out, as the child is behind or not there: nothing is taken before the next keyframe.
    pub fn frame(&self, frame: SourceFrame) -> Result<(), Full> {
        if frame.data.is_empty() || frame.data.len() > wire::MOST_FRAME {
            return Err(Full);
        }
        let mut state = self.inbox.lock();
        // While there is none, frames would be old when there is.
        let pushed = if state.is_ready { state.waiting.push(frame, Instant::now()) } else { Err(Full) };
        drop(state);
        self.inbox.wake.notify_one();
        pushed
    }

    /// Gives a packet of the source's sound. It is left out while there is no child, and the oldest where too many wait.
    pub fn audio(&self, sound: Sound) {
        if sound.data.is_empty() || sound.data.len() > wire::MOST_SOUND {
            return;
        }
        let mut state = self.inbox.lock();
        if state.is_ready {
            state.waiting.push_sound(sound);
        }
        drop(state);
        self.inbox.wake.notify_one();
    }

    /// The rungs that are to be made from now on, at most [`wire::MOST_RUNGS`]: none is allowed, and leaves the child idle.
    pub fn set_rungs(&self, rungs: Vec<Rung>) {
        let mut state = self.inbox.lock();
        state.rungs = rungs;
        state.rungs.truncate(wire::MOST_RUNGS);
        state.rungs_changed = true;
        drop(state);
        self.inbox.wake.notify_one();
    }

    /// Makes a rung's next frame a keyframe.
    pub fn keyframe(&self, rung: RungId) {
        let mut state = self.inbox.lock();
        if !state.keyframes.contains(&rung) && state.keyframes.len() < wire::MOST_RUNGS {
            state.keyframes.push(rung);
        }
        drop(state);
        self.inbox.wake.notify_one();
    }

    /// The child's process id, while there is one.
    pub fn pid(&self) -> Option<u32> {
        self.inbox.lock().pid
    }

    /// Ends the child and waits until it is gone. A value that is dropped ends it, too, and doesn't wait.
    pub fn end(mut self) {
        self.inbox.end();
        if let Some(thread) = self.thread.take() {
            // It has nothing to tell; a panic in it was logged.
            let _ = thread.join();
        }
    }
}

impl Drop for Transcoder {
    fn drop(&mut self) {
        self.inbox.end();
    }
}

/// What is to be told to the child, and what is known of it.
#[derive(Default)]
struct Inbox {
    state: Mutex<State>,
    wake: Condvar,
}

#[derive(Default)]
struct State {
    waiting: Waiting,
    rungs: Vec<Rung>,
    rungs_changed: bool,
    keyframes: Vec<RungId>,
    is_over: bool,
    /// Frames are taken.
    is_ready: bool,
    pid: Option<u32>,
    /// When the child gave its last sign of life.
    heard: Option<Instant>,
    /// What its last figures said it held.
    memory: u64,
    /// When the log last took a remark.
    remarked: Option<Instant>,
    /// The child's end of the socket is closed, or it said what can't be.
    lost: Option<Lost>,
}

/// Why the child isn't listened to any more.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Lost {
    /// It closed its end: its exit tells why.
    Closed,
    /// It said why.
    Said(String),
}

impl Inbox {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn end(&self) {
        self.lock().is_over = true;
        self.wake.notify_all();
    }
}

type Sink = Arc<dyn Fn(Event) + Send + Sync>;

impl State {
    /// Puts a remark into the log, unless there was one a moment ago: hostile input must not fill it.
    fn remark(&mut self, broadcast: &str, what: &str, now: Instant) {
        if self.remarked.is_none_or(|last| now.saturating_duration_since(last) >= REMARKS) {
            self.remarked = Some(now);
            tracing::warn!(broadcast, "in a transcoder, which goes on: {what}");
        }
    }

    fn has_work(&self) -> bool {
        self.rungs_changed || !self.keyframes.is_empty() || !self.waiting.is_empty()
    }

    fn say(&mut self, out: &mut Vec<u8>) {
        if std::mem::take(&mut self.rungs_changed) {
            wire::write(&ToChild::SetRungs(self.rungs.clone()), out);
        }
        for rung in self.keyframes.drain(..) {
            wire::write(&ToChild::Keyframe(rung), out);
        }
        while let Some(next) = self.waiting.pop() {
            let message = match next {
                Next::Frame(frame, _) => ToChild::Frame(frame),
                Next::Sound(sound) => ToChild::Audio(sound),
            };
            wire::write(&message, out);
        }
    }
}
