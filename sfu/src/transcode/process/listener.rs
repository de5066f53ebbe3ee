//! The thread that hears what a child says, and believes no more of it than can be.

use super::{Event, Inbox, Lost, Sink};
use crate::{
    telemetry::ladder::LadderMetrics,
    transcode::{
        frame::Made,
        wire::{Confinement, FromChild, Reader, Stats},
    },
};
use std::{
    io::{self, Read},
    os::unix::net::UnixStream,
    sync::Arc,
    time::{Duration, Instant},
};

/// A child that says more than this in a second was made to: all its rungs together are a hundredth.
const MOST_SAID: usize = 16 << 20;
/// A child that says that it made more pictures than this since it said so last exaggerates.
const MOST_PICTURES: u64 = 10_000;

/// The thread that hears what a child says.
pub(super) struct Listener {
    pub(super) inbox: Arc<Inbox>,
    pub(super) sink: Sink,
    pub(super) name: String,
    pub(super) counted: Counted,
}

/// What of one child is in the metrics, so that it can be taken out when the child is gone.
pub(super) struct Counted {
    metrics: LadderMetrics,
    last: Stats,
}

impl Counted {
    pub(super) fn new(metrics: &LadderMetrics) -> Self {
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
    pub(super) fn run(mut self, socket: UnixStream) {
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
