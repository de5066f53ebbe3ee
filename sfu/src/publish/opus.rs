//! Listens to publishers' sound with libopus, on a thread of its own: how loud is it, is it cut off?
//!
//! It hears a burst of packets of each second and skips the rest: 80 ms for the decoder to find its way after the gap (as
//! RFC 7845 has it for seeking), and then what counts. Forwarding never waits for it: a packet that there is no room for is
//! dropped, and then the level is told a little later.

use super::level::{Level, LevelMeter};
use ::opus::{Channels, Decoder};
use std::{
    collections::HashMap,
    sync::{
        Arc,
        mpsc::{self, Receiver, RecvTimeoutError, SyncSender},
    },
    thread,
    time::{Duration, Instant},
};

/// Packets that wait to be heard: a tenth of a second of a hundred publishers. What doesn't fit is dropped.
const WAITING: usize = 512;
/// The most publishers that are listened to; a decoder has about 27 KB. Others' sound isn't judged.
const MOST_EARS: usize = 512;
/// No packet of sound is larger (RFC 6716, 3.2.1, with room for padding).
const MOST_BYTES: usize = 1500;
/// The longest packet, 120 ms, in samples a channel.
const MOST_SAMPLES: usize = 5760;
const CHANNELS: usize = 2;
const RATE: u32 = 48_000;
/// Of so many packets in a row: a little less than a second's, so that what beats each second isn't missed each time …
const CYCLE: u32 = 47;
/// … so many are decoded, …
const BURST: u32 = 14;
/// … of which the first ones only lead in.
const LEAD_IN: u32 = 4;
/// How often a level is told.
const TELL_EVERY: Duration = Duration::from_secs(1);
/// A publisher that nothing is heard of for so long is forgotten, even if its end got lost.
const FORGET: Duration = Duration::from_secs(30);

enum Heard {
    Packet { from: u64, payload: Arc<[u8]> },
    Gone { from: u64 },
}

/// The way to the listening thread, which ends with the last of them.
#[derive(Debug, Clone)]
pub struct Ears(SyncSender<Heard>);

impl Ears {
    /// Starts the thread, which tells each publisher's level about once a second. `None` if there can't be another thread.
    pub fn start(tell: impl FnMut(u64, Level) + Send + 'static) -> Option<Self> {
        let (sender, receiver) = mpsc::sync_channel(WAITING);
        let thread = thread::Builder::new().name("weir-ears".into());
        match thread.spawn(move || listen(&receiver, tell)) {
            Ok(_) => Some(Self(sender)),
            Err(error) => {
                tracing::warn!(%error, "publishers' sound isn't listened to");
                None
            }
        }
    }

    /// A publisher's packet of sound. Never waits.
    pub fn hear(&self, from: u64, payload: &Arc<[u8]>) {
        let _ = self.0.try_send(Heard::Packet { from, payload: Arc::clone(payload) });
    }

    /// A publisher is gone. If there is no room to say so, it is forgotten in time.
    pub fn gone(&self, from: u64) {
        let _ = self.0.try_send(Heard::Gone { from });
    }
}

/// One publisher's decoder and what it heard.
struct Ear {
    decoder: Decoder,
    meter: LevelMeter,
    /// Packets so far.
    count: u32,
    told: Instant,
    last: Instant,
}

fn listen(heard: &Receiver<Heard>, mut tell: impl FnMut(u64, Level)) {
    let mut ears: HashMap<u64, Ear> = HashMap::new();
    let mut pcm = vec![0.0_f32; MOST_SAMPLES * CHANNELS];
    let mut swept = Instant::now();
    loop {
        let heard = heard.recv_timeout(FORGET);
        let now = Instant::now();
        match heard {
            Ok(Heard::Packet { from, payload }) => {
                if !ears.contains_key(&from) && ears.len() < MOST_EARS {
                    ears.extend(Ear::new(now).map(|ear| (from, ear)));
                }
                if let Some(level) = ears.get_mut(&from).and_then(|ear| ear.hear(&payload, &mut pcm, now)) {
                    tell(from, level);
                }
            }
            Ok(Heard::Gone { from }) => drop(ears.remove(&from)),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        if now.saturating_duration_since(swept) >= FORGET {
            swept = now;
            ears.retain(|_, ear| now.saturating_duration_since(ear.last) < FORGET);
        }
    }
}

impl Ear {
    fn new(now: Instant) -> Option<Self> {
        let decoder = Decoder::new(RATE, Channels::Stereo).ok()?;
        Some(Self { decoder, meter: LevelMeter::default(), count: 0, told: now, last: now })
    }

    /// Answers a level when one is due.
    fn hear(&mut self, payload: &[u8], pcm: &mut [f32], now: Instant) -> Option<Level> {
        self.last = now;
        let place = self.count % CYCLE;
        self.count = self.count.wrapping_add(1);
        // An empty packet would mean to libopus that one is missing.
        if place < BURST && (1..=MOST_BYTES).contains(&payload.len()) {
            // What is no Opus is an error, and no sound.
            let samples = self.decoder.decode_float(payload, pcm, false).unwrap_or(0);
            if place >= LEAD_IN || self.count <= CYCLE {
                self.meter.add(&pcm[..(samples * CHANNELS).min(pcm.len())], CHANNELS);
            }
        }
        if now.saturating_duration_since(self.told) < TELL_EVERY {
            return None;
        }
        let level = self.meter.take()?;
        self.told = now;
        Some(level)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::opus::{Application, Encoder};

    /// A second of a tone as a publisher sends it: 20 ms a packet, stereo.
    fn packets(amplitude: f32, cut: bool) -> Vec<Vec<u8>> {
        let mut encoder = Encoder::new(RATE, Channels::Stereo, Application::Audio).unwrap();
        (0..100)
            .map(|packet| {
                let pcm: Vec<f32> = (0..960 * 2)
                    .map(|at| {
                        let time = (packet * 960 + at / 2) as f32 / RATE as f32;
                        let sample = (time * 440.0 * std::f32::consts::TAU).sin() * amplitude;
                        if cut { sample.clamp(-1.0, 1.0) } else { sample }
                    })
                    .collect();
                encoder.encode_vec_float(&pcm, 1500).unwrap()
            })
            .collect()
    }

    fn level(packets: &[Vec<u8>]) -> Level {
        let start = Instant::now();
        let mut ear = Ear::new(start).unwrap();
        let mut pcm = vec![0.0; MOST_SAMPLES * CHANNELS];
        let mut told = Vec::new();
        for (at, packet) in packets.iter().enumerate() {
            told.extend(ear.hear(packet, &mut pcm, start + Duration::from_millis(20) * at as u32));
        }
        told.pop().expect("a level")
    }

    #[test]
    fn it_hears_what_was_said() {
        let quiet = level(&packets(0.1, false));
        assert!((quiet.mean + 23.0).abs() < 1.0, "{quiet:?}");
        assert_eq!(quiet.clipped, 0.0);
        let silent = level(&packets(0.0, false));
        assert!(silent.mean < -80.0, "{silent:?}");
        let cut = level(&packets(6.0, true));
        assert!(cut.clipped > 0.02, "{cut:?}");
        let loud = level(&packets(0.8, false));
        assert_eq!(loud.clipped, 0.0, "{loud:?}");
    }

    #[test]
    fn no_bytes_whatever_hurt() {
        let start = Instant::now();
        let mut ear = Ear::new(start).unwrap();
        let mut pcm = vec![0.0; MOST_SAMPLES * CHANNELS];
        let mut state = 0x2545_f491_4f6c_dd1d_u64;
        let mut told = 0;
        for round in 0..20_000_u32 {
            let mut payload = Vec::new();
            for _ in 0..round % 97 {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                payload.push(state as u8);
            }
            if round % 500 == 0 {
                payload = vec![0xff; 20_000];
            }
            let now = start + Duration::from_millis(20) * round;
            if let Some(level) = ear.hear(&payload, &mut pcm, now) {
                assert!(level.mean.is_finite() && level.peak.is_finite());
                told += 1;
            }
        }
        assert!(told > 100, "{told}");
    }

    #[test]
    fn a_full_queue_drops_and_nobody_waits() {
        let (begun, go) = (mpsc::channel(), mpsc::channel::<()>());
        let mut waits = Some((begun.0, go.1));
        let (told, levels) = mpsc::channel();
        let ears = Ears::start(move |from, level| {
            if let Some((begun, go)) = waits.take() {
                let _ = begun.send(());
                let _ = go.recv();
            }
            let _ = told.send((from, level));
        })
        .unwrap();
        let packet: Arc<[u8]> = packets(0.5, false)[60].clone().into();
        // Until the thread is held by what it tells, which takes a second of its clock.
        while begun.1.try_recv().is_err() {
            ears.hear(1, &packet);
            thread::yield_now();
        }
        for _ in 0..WAITING * 10 {
            ears.hear(2, &packet);
        }
        ears.gone(1);
        go.0.send(()).unwrap();
        drop(ears);
        let all: Vec<_> = levels.iter().collect();
        assert_eq!(all[0].0, 1);
    }
}
