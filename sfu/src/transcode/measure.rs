//! `weir transcode --measure`: what encoding costs on this machine, before anything is published.

use super::{confine, cost::Cost, process::THIS_PROGRAM};
use picture::{
    Colour,
    footage::{Clip, Kind},
    rav1e::{Encoder, Settings},
};
use rustix::time::{ClockId, clock_gettime};
use shared::unit::{Bitrate, Size};
use std::{
    io::{self, Write},
    os::unix::process::CommandExt,
    process::{Command, ExitCode, Stdio},
    time::Duration,
};

/// What is encoded: a second of a rung in the middle.
const SIZE: Size = Size { width: 640, height: 360 };
const PICTURES: u64 = 30;
/// The first ones cost more: a keyframe, and memory that is new.
const LEAD_IN: u64 = 5;
/// The most memory that takes.
const MEMORY: u64 = 512 << 20;

/// Measures, and prints microseconds of CPU time for a picture.
pub fn main(is_eager: bool) -> ExitCode {
    confine::close_inherited();
    confine::limit(MEMORY);
    if !is_eager {
        confine::lower_priority();
    }
    let Some(micros) = picture() else { return ExitCode::FAILURE };
    match writeln!(io::stdout(), "{micros}") {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn cpu() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ProcessCPUTime)).unwrap_or_default()
}

fn picture() -> Option<u64> {
    let mut encoder = Encoder::open(Settings {
        size: SIZE,
        colour: Colour::default(),
        rate: 30.0,
        bitrate: Bitrate(400_000),
        keyframes: PICTURES * 2,
        finest: 0,
    })
    .ok()?;
    let clip = Clip::new(Kind::Film, SIZE);
    let mut spent = Vec::new();
    for number in 0..PICTURES {
        let picture = clip.picture(number);
        let before = cpu();
        encoder.encode(&picture.view()).ok()?;
        if number >= LEAD_IN {
            spent.push(cpu().saturating_sub(before));
        }
    }
    // Beside others, a picture takes up to twice as much CPU time, as caches and parts of cores are shared; that passes, and
    // what children measure tells it if it doesn't.
    spent.sort_unstable();
    u64::try_from(spent[spent.len() / 4].as_micros()).ok()
}

/// Has it measured by a process of its own, which takes a second or so: not on a thread that others wait for. Without a
/// measurement the guess stays.
pub fn calibration() -> Option<Calibration> {
    let output = Command::new(THIS_PROGRAM)
        .arg0("weir")
        // At low priority it would take ten times as long on a busy machine, and nothing is offered before.
        .args(["transcode", "--measure", "--eager"])
        .env_clear()
        .envs(std::env::var_os("LD_LIBRARY_PATH").map(|path| ("LD_LIBRARY_PATH", path)))
        .current_dir("/")
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    let micros = String::from_utf8_lossy(&output.stdout).trim().parse().ok()?;
    Some(Calibration(Duration::from_micros(micros)))
}

/// What was measured.
#[derive(Debug, Clone, Copy)]
pub struct Calibration(Duration);

impl Calibration {
    /// Corrects what rungs cost.
    pub fn apply(self, cost: &mut Cost) {
        tracing::info!(
            picture_ms = self.0.as_secs_f32() * 1000.0,
            "what a 360p picture costs to encode here"
        );
        cost.calibrate(SIZE, self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_costs_something() {
        let micros = picture().unwrap();
        assert!((100..10_000_000).contains(&micros), "{micros}");
    }
}
