//! The thread that keeps a child running: starts it, feeds it, watches it, ends it, and starts it again.

use super::{
    Config, Event, Inbox, Lost, Sink, State,
    listener::{Counted, Listener},
};
use crate::transcode::backoff::Backoff;
use std::{
    fs,
    io::{self, Write},
    net::Shutdown,
    os::{
        fd::OwnedFd,
        unix::{
            net::UnixStream,
            process::{CommandExt, ExitStatusExt},
        },
    },
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, PoisonError},
    thread,
    time::{Duration, Instant},
};

/// A child that gives no sign of life for so long hangs.
const SILENT: Duration = Duration::from_millis(1500);
/// One that is new, or that waits for a core, may take longer: killing it would make a busy machine busier.
const PATIENT: Duration = Duration::from_secs(6);
/// How often the supervisor looks while nothing happens, and the longest that a write waits.
const LOOK: Duration = Duration::from_millis(100);

/// The thread that keeps a child running.
pub(super) struct Supervisor {
    pub(super) config: Config,
    pub(super) inbox: Arc<Inbox>,
    pub(super) sink: Sink,
    pub(super) backoff: Backoff,
}

/// Why a child's run was over.
enum End {
    /// Nobody wants it any more.
    Over,
    /// It is to be started again. For metrics in a word, and for people.
    Failed(&'static str, String),
}

impl Supervisor {
    pub(super) fn run(mut self) {
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
}
