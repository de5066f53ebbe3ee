//! The server's side of a transcoding child: starts it, feeds it, watches it, ends it, and starts it again.

use super::{
    backoff::Backoff,
    frame::{Made, Rung, RungId, SourceFrame},
    waiting::{Full, Next, Waiting},
    wire::{self, Confinement, FromChild, Reader, Sound, Stats, ToChild},
};
use crate::telemetry::ladder::LadderMetrics;
use std::{
    fmt, fs,
    io::{self, Read, Write},
    net::Shutdown,
    os::{
        fd::OwnedFd,
        unix::{
            net::UnixStream,
            process::{CommandExt, ExitStatusExt},
        },
    },
    path::PathBuf,
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

/// A child that gives no sign of life for so long hangs.
const SILENT: Duration = Duration::from_millis(1500);
/// One that is new, or that waits for a core, may take longer: killing it would make a busy machine busier.
const PATIENT: Duration = Duration::from_secs(6);
/// How often the supervisor looks while nothing happens, and the longest that a write waits.
const LOOK: Duration = Duration::from_millis(100);
/// A child that says more than this in a second was made to: all its rungs together are a hundredth.
const MOST_SAID: usize = 16 << 20;
/// A child that says that it made more pictures than this since it said so last exaggerates.
const MOST_PICTURES: u64 = 10_000;
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

/// The thread that keeps a child running.
struct Supervisor {
    config: Config,
    inbox: Arc<Inbox>,
    sink: Sink,
    backoff: Backoff,
}

/// Why a child's run was over.
enum End {
    /// Nobody wants it any more.
    Over,
    /// It is to be started again. For metrics in a word, and for people.
    Failed(&'static str, String),
}

impl Supervisor {
    fn run(mut self) {
        loop {
            self.backoff.started(Instant::now());
            let (cause, reason) = match self.start() {
                Ok((child, socket)) => match self.attend(child, socket) {
                    End::Over => return,
                    End::Failed(cause, reason) => (cause, reason),
                },
                Err(error) => ("start", format!("it can't be started: {error}")),
            };
            self.config.metrics.ended(cause);
            let retry_in = self.backoff.ended(Instant::now());
            tracing::warn!(broadcast = self.config.name, reason, ?retry_in, "a transcoder ended");
            (self.sink)(Event::Ended { reason, retry_in });
            if !self.wait(retry_in) {
                return;
            }
        }
    }

    /// Whether it is still wanted after so long.
    fn wait(&self, long: Duration) -> bool {
        let until = Instant::now() + long;
        let mut state = self.inbox.lock();
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if state.is_over || left.is_zero() {
                return !state.is_over;
            }
            state = self.inbox.wake.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn start(&self) -> io::Result<(Child, UnixStream)> {
        let (ours, theirs) = UnixStream::pair()?;
        ours.set_write_timeout(Some(LOOK))?;
        let mut command = Command::new(&self.config.program);
        command
            .arg0("weir")
            .args(["transcode", "--memory", &self.config.memory.to_string()])
            // Secrets of the server are none of a decoder's business; where shared libraries are is.
            .env_clear()
            .envs(std::env::var_os("LD_LIBRARY_PATH").map(|path| ("LD_LIBRARY_PATH", path)))
            .current_dir("/")
            .stdin(OwnedFd::from(theirs))
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let child = command.spawn()?;
        let mut state = self.inbox.lock();
        state.pid = Some(child.id());
        state.heard = None;
        state.memory = 0;
        state.lost = None;
        state.rungs_changed = true;
        Ok((child, ours))
    }

    /// Feeds and watches a child up to its end.
    fn attend(&self, mut child: Child, socket: UnixStream) -> End {
        let counted = Counted::new(&self.config.metrics);
        let listener = Listener {
            inbox: Arc::clone(&self.inbox),
            sink: Arc::clone(&self.sink),
            name: self.config.name.clone(),
            counted,
        };
        let listening = socket.try_clone().and_then(|socket| {
            thread::Builder::new().name("ladder-in".to_owned()).spawn(move || listener.run(socket))
        });
        let why = match &listening {
            Ok(_) => self.feed(&socket, Watch { pid: child.id(), started: Instant::now(), since: None }),
            Err(error) => Why::Said(format!("there is no thread to listen to it: {error}")),
        };
        {
            let mut state = self.inbox.lock();
            state.is_ready = false;
            state.waiting.restart();
            state.keyframes.clear();
        }
        // One that has ended is not killed any more: it is waited for below, so its id is still its own.
        let exit = match why {
            Why::Lost(Lost::Closed) => settled(&mut child),
            _ => None,
        };
        let killed = child.kill();
        let status = child.wait();
        let _ = socket.shutdown(Shutdown::Both);
        if let Ok(thread) = listening {
            let _ = thread.join();
        }
        self.inbox.lock().pid = None;
        if let (Err(error), Err(_)) = (&killed, &status) {
            tracing::error!(broadcast = self.config.name, %error, "a transcoder can't be ended");
        }
        match why {
            Why::Over => End::Over,
            Why::Silent(reason) => End::Failed("hung", reason),
            Why::Said(reason) | Why::Lost(Lost::Said(reason)) => End::Failed("said", reason),
            Why::Lost(Lost::Closed) => {
                let (cause, reason) = self.told_by(exit);
                End::Failed(cause, reason)
            }
        }
    }

    /// What an exit tells.
    fn told_by(&self, exit: Option<ExitStatus>) -> (&'static str, String) {
        let most = self.config.memory;
        let is_large = self.inbox.lock().memory > most / 4 * 3;
        match exit.map(|exit| (exit.signal(), exit.code())) {
            // Libraries abort or use what isn't there when there is no more.
            Some((Some(6 | 9 | 11), _)) if is_large => {
                ("memory", format!("it needed more than {} MB of memory", most >> 20))
            }
            Some((Some(9), _)) => ("killed", "it was killed (signal 9)".to_owned()),
            Some((Some(signal), _)) => ("crashed", format!("it crashed (signal {signal})")),
            Some((None, Some(code))) => ("gave up", format!("it gave up (exit code {code})")),
            _ => ("gave up", "it closed its socket".to_owned()),
        }
    }

    /// Says what there is to say until there is a reason not to.
    fn feed(&self, socket: &UnixStream, mut watch: Watch) -> Why {
        let mut out = Vec::new();
        loop {
            {
                let mut state = self.inbox.lock();
                if let Some(why) = state.trouble(&mut watch, Instant::now()) {
                    return why;
                }
                if !state.has_work() {
                    let (woken, _) =
                        self.inbox.wake.wait_timeout(state, LOOK).unwrap_or_else(PoisonError::into_inner);
                    state = woken;
                }
                out.clear();
                state.say(&mut out);
            }
            let mut rest = &out[..];
            while !rest.is_empty() {
                let mut socket = socket;
                match socket.write(rest) {
                    Ok(written) => rest = &rest[written..],
                    Err(error) if is_time_out(&error) => {}
                    // The listener hears of the end, too, and of the last words before it.
                    Err(_) => rest = &[],
                }
                if rest.is_empty() {
                    break;
                }
                if let Some(why) = self.inbox.lock().trouble(&mut watch, Instant::now()) {
                    return why;
                }
            }
        }
    }
}

/// How a child that closed its socket ended, if it does so soon.
fn settled(child: &mut Child) -> Option<ExitStatus> {
    for _ in 0..20 {
        if let Ok(Some(exit)) = child.try_wait() {
            return Some(exit);
        }
        thread::sleep(Duration::from_millis(10));
    }
    None
}

/// A write waited for long enough, or was interrupted.
fn is_time_out(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut | io::ErrorKind::Interrupted)
}

/// Why a child isn't fed any more.
enum Why {
    Over,
    Silent(String),
    Said(String),
    Lost(Lost),
}

/// Looks whether a child hangs.
struct Watch {
    pid: u32,
    started: Instant,
    /// Since when it has been looked at closely, and how long its threads had waited for a core by then.
    since: Option<(Instant, Duration)>,
}

impl Watch {
    fn look(&mut self, heard: Option<Instant>, now: Instant) -> Option<String> {
        let silent = now.saturating_duration_since(heard.unwrap_or(self.started));
        if silent < SILENT / 2 {
            self.since = None;
            return None;
        }
        let (since, before) = *self.since.get_or_insert_with(|| (now, queued(self.pid)));
        if silent > PATIENT {
            return Some(format!("it didn't answer for {} s", PATIENT.as_secs()));
        }
        if heard.is_none() || silent < SILENT {
            return None;
        }
        let is_starved = queued(self.pid).saturating_sub(before) > now.saturating_duration_since(since) / 2;
        (!is_starved).then(|| format!("it didn't answer for {} s", SILENT.as_secs_f32()))
    }
}

/// How long a process's threads have waited for a core, all together; nothing where the kernel doesn't tell.
fn queued(pid: u32) -> Duration {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let waited = threads.filter_map(|thread| {
        let text = fs::read_to_string(thread.path().join("schedstat")).ok()?;
        text.split(' ').nth(1)?.parse().ok().map(Duration::from_nanos)
    });
    waited.sum()
}

impl State {
    fn trouble(&mut self, watch: &mut Watch, now: Instant) -> Option<Why> {
        if self.is_over {
            return Some(Why::Over);
        }
        if let Some(lost) = self.lost.take() {
            return Some(Why::Lost(lost));
        }
        watch.look(self.heard, now).map(Why::Silent)
    }

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

/// The thread that hears what a child says.
struct Listener {
    inbox: Arc<Inbox>,
    sink: Sink,
    name: String,
    counted: Counted,
}

/// What of one child is in the metrics, so that it can be taken out when the child is gone.
struct Counted {
    metrics: LadderMetrics,
    last: Stats,
}

impl Counted {
    fn new(metrics: &LadderMetrics) -> Self {
        metrics.children.inc();
        Self { metrics: metrics.clone(), last: Stats::default() }
    }

    fn take(&mut self, stats: &Stats) {
        let metrics = &self.metrics;
        for rung in &stats.rungs {
            let old = self.last.rungs.iter().find(|old| old.rung == rung.rung && old.size == rung.size);
            let since =
                |now: u64, before: Option<u64>| now.saturating_sub(before.unwrap_or(0)).min(MOST_PICTURES);
            metrics.pictures.inc_by(since(rung.encoded, old.map(|old| old.encoded)));
            metrics.dropped.inc_by(since(rung.dropped, old.map(|old| old.dropped)));
            let busy = rung.encoding.saturating_sub(old.map_or(Duration::ZERO, |old| old.encoding));
            metrics.encode_seconds.inc_by(busy.as_secs_f64().min(60.0));
        }
        metrics.cpu_seconds.inc_by(stats.cpu.saturating_sub(self.last.cpu).as_secs_f64().min(600.0));
        metrics.rungs.inc_by(stats.rungs.len() as i64 - self.last.rungs.len() as i64);
        metrics.memory.inc_by(whole(stats.memory) - whole(self.last.memory));
        self.last = stats.clone();
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.metrics.children.dec();
        self.metrics.rungs.dec_by(self.last.rungs.len() as i64);
        self.metrics.memory.dec_by(whole(self.last.memory));
    }
}

/// What a child says that it holds, within what can be.
fn whole(bytes: u64) -> i64 {
    bytes.min(1 << 40) as i64
}

impl Listener {
    fn run(mut self, socket: UnixStream) {
        let lost = self.listen(socket);
        let mut state = self.inbox.lock();
        state.is_ready = false;
        state.lost.get_or_insert(lost);
        drop(state);
        self.inbox.wake.notify_one();
    }

    fn listen(&mut self, mut socket: UnixStream) -> Lost {
        let mut reader = Reader::<FromChild>::default();
        let mut bytes = vec![0; 64 << 10];
        let (mut second, mut said) = (Instant::now(), 0);
        loop {
            let length = match socket.read(&mut bytes) {
                Ok(0) => return Lost::Closed,
                Ok(length) => length,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                // What it was reset with is told by its exit.
                Err(_) => return Lost::Closed,
            };
            let now = Instant::now();
            if now.saturating_duration_since(second) >= Duration::from_secs(1) {
                (second, said) = (now, 0);
            }
            said += length;
            if said > MOST_SAID {
                return Lost::Said(format!("it made more than {} MB in a second", MOST_SAID >> 20));
            }
            reader.push(&bytes[..length]);
            loop {
                match reader.message() {
                    Ok(Some(FromChild::Ending(reason))) => return Lost::Said(reason),
                    Ok(Some(message)) => self.hear(message, now),
                    Ok(None) => break,
                    Err(error) => return Lost::Said(format!("it said what can't be: {error}")),
                }
            }
        }
    }

    fn hear(&mut self, message: FromChild, now: Instant) {
        let event = {
            let mut state = self.inbox.lock();
            state.heard = Some(now);
            match message {
                FromChild::Ready(confinement) => {
                    if state.is_ready {
                        return;
                    }
                    state.is_ready = true;
                    Event::Started(confinement)
                }
                // What is still on its way of a rung that was taken away is nobody's.
                FromChild::Made(Made::Frame(frame))
                    if !state.rungs.iter().any(|rung| rung.id == frame.rung) =>
                {
                    return;
                }
                FromChild::Made(made) => Event::Made(made),
                FromChild::Audio(sound) => Event::Audio(sound),
                FromChild::Stats(stats) => {
                    state.memory = stats.memory;
                    self.counted.take(&stats);
                    Event::Stats(stats)
                }
                FromChild::Remark(what) => {
                    state.remark(&self.name, &what, now);
                    return;
                }
                FromChild::Heartbeat | FromChild::Ending(_) => return,
            }
        };
        if let Event::Started(confinement) = &event {
            confinement.log(&self.name);
        }
        (self.sink)(event);
    }
}

impl Confinement {
    /// Says what a child has, and what this machine doesn't have for it.
    fn log(self, broadcast: &str) {
        if self.nice && self.memory && self.calls {
            tracing::info!(broadcast, "a transcoder runs, confined");
        } else {
            let Self { nice, memory, calls } = self;
            tracing::warn!(
                broadcast,
                nice,
                memory,
                seccomp = calls,
                "a transcoder runs without all that confines it: the kernel doesn't have it"
            );
        }
    }
}
