//! `weir transcode`: the process that decodes, scales and encodes for one broadcast. The server starts it, with one end of a
//! socket as its standard input, and it ends with that socket.

use super::{
    confine,
    frame::{Made, Rung, RungId},
    opus::Voice,
    pipeline::Pipeline,
    waiting::{Next, Waiting},
    wire::{self, FromChild, Reader, RungStats, Sound, Stats, ToChild},
};
use rustix::{
    param::page_size,
    time::{ClockId, clock_gettime},
};
use std::{
    fs::File,
    io::{self, Read, Write},
    os::{
        fd::AsFd,
        unix::{fs::FileExt, net::UnixStream},
    },
    panic::{self, AssertUnwindSafe},
    process::ExitCode,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

/// A sign of life is given so often.
const HEARTBEAT: Duration = Duration::from_millis(400);
/// Figures are told so often.
const STATS: Duration = Duration::from_secs(1);
/// A server that takes nothing for so long is none.
const UNREAD: Duration = Duration::from_secs(5);

/// Runs until the socket ends; `memory` is the most bytes it may use.
pub fn main(memory: u64) -> ExitCode {
    confine::close_inherited();
    let mut confinement = confine::limit(memory);
    confinement.nice = confine::lower_priority();
    let Ok(socket) = io::stdin().as_fd().try_clone_to_owned().map(UnixStream::from) else {
        return ExitCode::FAILURE;
    };
    // By hand, `weir transcode` has no socket: this says so instead of hanging on a terminal.
    if socket.set_write_timeout(Some(UNREAD)).is_err() {
        eprintln!("weir: `transcode` is started by the server itself, and needs its socket");
        return ExitCode::FAILURE;
    }
    let pages = File::open("/proc/self/statm").ok();
    // Both look at what the kernel gave this process when they are first asked, which is refused later.
    let (page, _) = (page_size() as u64, clock_gettime(ClockId::ProcessCPUTime));
    let Ok(reading) = socket.try_clone() else { return ExitCode::FAILURE };
    let panics = LastPanic::listen();
    confinement.calls = confine::restrict_calls();
    let inbox = Arc::new(Inbox::default());
    let filling = Arc::clone(&inbox);
    let reader = thread::Builder::new().name("read".to_owned()).spawn(move || filling.fill(reading));
    if reader.is_err() {
        return ExitCode::FAILURE;
    }
    let mut worker = Worker {
        socket,
        inbox,
        pipeline: Pipeline::new(),
        voice: None,
        made: Vec::new(),
        out: Vec::new(),
        stats: Stats::default(),
        pages,
        page,
        panics,
        heard: Instant::now(),
        told: Instant::now(),
    };
    let ran = panic::catch_unwind(AssertUnwindSafe(|| {
        worker.say(&FromChild::Ready(confinement)).and_then(|()| worker.run())
    }));
    if ran.is_ok() {
        // An error is the server's end of the socket, which is no failure here.
        return ExitCode::SUCCESS;
    }
    let _ = worker.say(&FromChild::Ending(worker.panics.take().unwrap_or_else(|| "it panicked".to_owned())));
    ExitCode::FAILURE
}

/// Keeps the words of panics. The pipeline catches those of its codecs; the server is told of them.
#[derive(Clone, Default)]
struct LastPanic(Arc<Mutex<Option<String>>>);

impl LastPanic {
    fn listen() -> Self {
        let this = Self::default();
        let words = this.clone();
        panic::set_hook(Box::new(move |panic| {
            let what = panic.payload_as_str().unwrap_or("something unsaid");
            // Where the sources were on the machine that compiled them is of no use.
            let file = |path: &str| path.rsplit('/').next().unwrap_or(path).to_owned();
            let place = panic.location().map(|place| format!(" at {}:{}", file(place.file()), place.line()));
            let words = format!("it panicked{}: {what}", place.unwrap_or_default());
            *this.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(words);
        }));
        words
    }

    fn take(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// What the server said and is not done yet.
#[derive(Default)]
struct Inbox {
    state: Mutex<State>,
    wake: Condvar,
}

#[derive(Default)]
struct State {
    waiting: Waiting,
    rungs: Option<Vec<Rung>>,
    /// A keyframe is due, by rung.
    keyframes: Vec<RungId>,
    needs_keyframe: bool,
    is_over: bool,
}

impl Inbox {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads until the socket ends. It never waits for the worker, so that the server can always write.
    fn fill(&self, mut socket: UnixStream) {
        let mut reader = Reader::<ToChild>::default();
        let mut bytes = vec![0; 64 << 10];
        'reading: while let Ok(length @ 1..) = read(&mut socket, &mut bytes) {
            reader.push(&bytes[..length]);
            let now = Instant::now();
            let mut state = self.lock();
            loop {
                match reader.message() {
                    Ok(Some(message)) => state.take(message, now),
                    Ok(None) => break,
                    Err(_) => break 'reading,
                }
            }
            self.wake.notify_one();
        }
        self.lock().is_over = true;
        self.wake.notify_one();
    }
}

impl State {
    fn take(&mut self, message: ToChild, now: Instant) {
        match message {
            ToChild::SetRungs(rungs) => self.rungs = Some(rungs),
            ToChild::Frame(frame) => self.needs_keyframe |= self.waiting.push(frame, now).is_err(),
            ToChild::Audio(sound) => self.waiting.push_sound(sound),
            ToChild::Keyframe(rung) if !self.keyframes.contains(&rung) => self.keyframes.push(rung),
            ToChild::Keyframe(_) => {}
        }
    }
}

fn read(socket: &mut UnixStream, bytes: &mut [u8]) -> io::Result<usize> {
    loop {
        match socket.read(bytes) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            other => return other,
        }
    }
}

/// The one thread that has the pipeline.
struct Worker {
    socket: UnixStream,
    inbox: Arc<Inbox>,
    pipeline: Pipeline,
    voice: Option<Voice>,
    made: Vec<Made>,
    out: Vec<u8>,
    stats: Stats,
    pages: Option<File>,
    page: u64,
    panics: LastPanic,
    /// When the server was last given a sign of life.
    heard: Instant,
    /// When it was last told figures.
    told: Instant,
}

/// One thing to do.
enum Work {
    Rungs(Vec<Rung>),
    Keyframes(Vec<RungId>),
    Next(Next),
    NeedsKeyframe,
    Nothing,
    End,
}

impl Worker {
    fn run(&mut self) -> io::Result<()> {
        loop {
            match self.wait() {
                Work::Rungs(rungs) => self.set_rungs(&rungs),
                Work::Keyframes(rungs) => {
                    rungs.into_iter().for_each(|rung| self.pipeline.request_keyframe(rung));
                }
                Work::Next(Next::Frame(frame, since)) => {
                    let now = Instant::now();
                    self.stats.waited = now.saturating_duration_since(since);
                    self.stats.decoded += 1;
                    self.pipeline.push(&frame, now, &mut self.made);
                    self.tell_made()?;
                }
                Work::Next(Next::Sound(sound)) => self.transcode_sound(&sound)?,
                Work::NeedsKeyframe => self.say(&FromChild::Made(Made::NeedsKeyframe))?,
                Work::Nothing => {}
                Work::End => return Ok(()),
            }
            self.tell()?;
        }
    }

    /// The most urgent thing to do, or nothing when a sign of life is due.
    fn wait(&self) -> Work {
        let mut state = self.inbox.lock();
        loop {
            if state.is_over {
                return Work::End;
            }
            if let Some(rungs) = state.rungs.take() {
                return Work::Rungs(rungs);
            }
            if !state.keyframes.is_empty() {
                return Work::Keyframes(std::mem::take(&mut state.keyframes));
            }
            if std::mem::take(&mut state.needs_keyframe) {
                return Work::NeedsKeyframe;
            }
            if let Some(next) = state.waiting.pop() {
                return Work::Next(next);
            }
            let (woken, waited) =
                self.inbox.wake.wait_timeout(state, HEARTBEAT / 2).unwrap_or_else(PoisonError::into_inner);
            state = woken;
            if waited.timed_out() {
                return Work::Nothing;
            }
        }
    }

    fn set_rungs(&mut self, rungs: &[Rung]) {
        self.pipeline.set_rungs(rungs);
        self.stats.rungs.retain(|known| rungs.iter().any(|rung| is_same(known, rung)));
        for rung in rungs {
            if !self.stats.rungs.iter().any(|known| is_same(known, rung)) {
                self.stats.rungs.push(RungStats {
                    rung: rung.id,
                    size: rung.size,
                    encoded: 0,
                    dropped: 0,
                    encoding: Duration::ZERO,
                    bytes: 0,
                });
            }
        }
    }

    fn tell_made(&mut self) -> io::Result<()> {
        let mut made = std::mem::take(&mut self.made);
        for made in made.drain(..) {
            if let Made::Frame(frame) = &made
                && let Some(stats) = self.stats.rungs.iter_mut().find(|stats| stats.rung == frame.rung)
            {
                stats.encoded += 1;
                stats.encoding += frame.encoding;
                stats.bytes += frame.data.len() as u64;
            }
            self.say(&FromChild::Made(made))?;
        }
        self.made = made;
        Ok(())
    }

    /// What can't be decoded is left out: it was lost for everybody, or is hostile.
    fn transcode_sound(&mut self, sound: &Sound) -> io::Result<()> {
        if self.voice.is_none() {
            self.voice = Voice::new().ok();
        }
        let Some(data) = self.voice.as_mut().and_then(|voice| voice.push(&sound.data)) else { return Ok(()) };
        self.say(&FromChild::Audio(Sound { time: sound.time, data: data.into() }))
    }

    /// Signs of life and figures, when they are due.
    fn tell(&mut self) -> io::Result<()> {
        let now = Instant::now();
        if now.saturating_duration_since(self.told) >= STATS {
            self.told = now;
            self.stats.skipped = self.inbox.lock().waiting.left_out();
            let cpu = clock_gettime(ClockId::ProcessCPUTime);
            self.stats.cpu = Duration::try_from(cpu).unwrap_or_default();
            self.stats.memory = self.memory();
            for rung in &mut self.stats.rungs {
                rung.dropped = self.pipeline.dropped(rung.rung);
            }
            let stats = FromChild::Stats(self.stats.clone());
            self.say(&stats)?;
            if let Some(words) = self.panics.take() {
                self.say(&FromChild::Remark(words))?;
            }
        }
        if now.saturating_duration_since(self.heard) >= HEARTBEAT {
            self.say(&FromChild::Heartbeat)?;
        }
        Ok(())
    }

    /// Memory in use, as `/proc/self/statm` tells it: the second number, in pages.
    fn memory(&self) -> u64 {
        let mut text = [0; 128];
        let read = self.pages.as_ref().and_then(|pages| pages.read_at(&mut text, 0).ok()).unwrap_or(0);
        let text = std::str::from_utf8(&text[..read]).unwrap_or_default();
        let pages = text.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok());
        pages.unwrap_or(0).saturating_mul(self.page)
    }

    fn say(&mut self, message: &FromChild) -> io::Result<()> {
        self.out.clear();
        wire::write(message, &mut self.out);
        self.heard = Instant::now();
        self.socket.write_all(&self.out)
    }
}

fn is_same(known: &RungStats, rung: &Rung) -> bool {
    known.rung == rung.id && known.size == rung.size
}
