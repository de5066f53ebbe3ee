//! From the publisher's frames to the rungs' frames: one decoder, and a scaler and an encoder for each rung.
//!
//! Nothing waits in here: a frame that is pushed comes out decoded, scaled and encoded when the call returns, the rungs side by
//! side on threads of their own. Whoever calls keeps the queue in front, and drops what is in it, up to the next keyframe, when
//! decoding alone can't keep up; that pictures which come late aren't encoded is decided here.

use super::{
    frame::{Made, MediaTime, Rung, RungFrame, RungId, SourceFrame},
    pace::{Budget, Cadence, Punctuality, Thinning},
};
use picture::{
    Colour, Picture, Scaler, View,
    decode::{self, DecodeError, Decoder},
    rav1e::{Encoder, Settings},
};
use shared::{broadcast::Codec, unit::Size};
use std::{
    collections::BTreeSet,
    panic::{AssertUnwindSafe, catch_unwind},
    thread,
    time::{Duration, Instant},
};

/// Between two words that a keyframe is needed.
const ASK_AGAIN: Duration = Duration::from_millis(500);
/// How often a picture is encoded, coarser each time, until it is small enough; then it is dropped.
const TRIES: usize = 3;
/// By so much of the quantizer's index each common keyframe may be finer again.
const FINER: u8 = 24;

/// The ladder of one broadcast, at work.
#[derive(Default)]
pub struct Pipeline {
    decoder: Option<(Codec, Box<dyn Decoder>)>,
    // Pictures that H.264 holds back come out in the order of their times.
    times: BTreeSet<MediaTime>,
    source: Option<Size>,
    asked: Option<Instant>,
    refused: Option<String>,
    pace: Thinning,
    cadence: Cadence,
    clock: Punctuality,
    lines: Vec<Line>,
}

impl Pipeline {
    /// One without rungs, which waits for a keyframe.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the rungs that are to be made from now on. Those that stay as they are go on undisturbed; others begin with a
    /// keyframe.
    pub fn set_rungs(&mut self, rungs: &[Rung]) {
        let mut old = std::mem::take(&mut self.lines);
        self.lines = rungs
            .iter()
            .map(|rung| match old.iter().position(|line| line.rung == *rung) {
                Some(at) => old.swap_remove(at),
                None => Line::new(*rung),
            })
            .collect();
    }

    /// Makes a keyframe of one of a rung's next pictures.
    pub fn request_keyframe(&mut self, rung: RungId) {
        if let Some(line) = self.lines.iter_mut().find(|line| line.rung.id == rung) {
            line.asked = true;
        }
    }

    /// Pictures of a rung that were left out to stay in time or within its bitrate.
    pub fn dropped(&self, rung: RungId) -> u64 {
        self.lines.iter().find(|line| line.rung.id == rung).map_or(0, |line| line.dropped)
    }

    /// Takes the next frame of the source at `now`, and adds to `out` what comes of it.
    pub fn push(&mut self, frame: &SourceFrame, now: Instant, out: &mut Vec<Made>) {
        if self.decoder.as_ref().is_some_and(|(codec, _)| *codec != frame.codec) || frame.after_gap {
            self.forget();
        }
        if self.decoder.is_none() {
            if !frame.keyframe {
                return self.ask(now, out);
            }
            match decode::open(frame.codec) {
                Ok(decoder) => self.decoder = Some((frame.codec, decoder)),
                Err(error) => return self.fail(error, now, out),
            }
        }
        let Some((codec, mut decoder)) = self.decoder.take() else { return };
        let time = self.shown_at(codec, frame.time);
        // A decoder that panics is as good as a frame that is broken: it isn't used again.
        let lent = &mut decoder;
        let decoded = catch_unwind(AssertUnwindSafe(move || {
            let decoder = lent;
            decoder.decode(&frame.data)
        }));
        match decoded.unwrap_or(Err(DecodeError::Broken)) {
            Ok(None) => {
                self.decoder = Some((codec, decoder));
                return;
            }
            Ok(Some(view)) => {
                self.asked = None;
                self.refused = None;
                self.times.remove(&time);
                if self.source != Some(view.size()) {
                    self.source = Some(view.size());
                    out.push(Made::Source(view.size()));
                }
                if !frame.decode_only {
                    self.show(&view, time, now, out);
                }
            }
            Err(error) => return self.fail(error, now, out),
        }
        self.decoder = Some((codec, decoder));
    }

    fn forget(&mut self) {
        self.decoder = None;
        self.times.clear();
    }

    fn fail(&mut self, error: DecodeError, now: Instant, out: &mut Vec<Made>) {
        self.forget();
        match error {
            DecodeError::Broken => self.ask(now, out),
            DecodeError::Refused(why) => {
                if self.refused.as_ref() != Some(&why) {
                    out.push(Made::Refused(why.clone()));
                    self.refused = Some(why);
                }
            }
        }
    }

    fn ask(&mut self, now: Instant, out: &mut Vec<Made>) {
        // What is refused wouldn't be taken with another keyframe either.
        let due = self.refused.is_none();
        if due && self.asked.is_none_or(|asked| now.saturating_duration_since(asked) >= ASK_AGAIN) {
            self.asked = Some(now);
            out.push(Made::NeedsKeyframe);
        }
    }

    /// The time of the picture that comes out when the frame of this time goes in.
    fn shown_at(&mut self, codec: Codec, time: MediaTime) -> MediaTime {
        const HELD: usize = 16;
        if codec != Codec::H264 {
            return time;
        }
        self.times.insert(time);
        if self.times.len() > HELD {
            self.times = BTreeSet::from([time]);
        }
        self.times.first().copied().unwrap_or(time)
    }

    fn show(&mut self, view: &View<'_>, time: MediaTime, now: Instant, out: &mut Vec<Made>) {
        let late = Punctuality::too_late(self.clock.late(time, now));
        let Some(number) = self.pace.take(time) else { return };
        let widest = self.lines.iter().map(|line| line.divisor()).max().unwrap_or(1);
        let key = self.cadence.next(number, time, &self.pace, Encoder::AHEAD as u64 * widest, widest);
        let rate = self.pace.rate();
        let due: Vec<&mut Line> =
            self.lines.iter_mut().filter(|line| number.is_multiple_of(line.divisor())).collect();
        if late {
            due.into_iter().for_each(|line| line.dropped += 1);
            return self.cadence.postpone(number, widest);
        }
        let picture = Taken { view: *view, number, time, key, rate };
        // The last one runs here: for a single rung no thread is needed.
        let mut due = due.into_iter();
        let last = due.next_back();
        thread::scope(|scope| {
            let others: Vec<_> = due.map(|line| scope.spawn(|| line.guarded(&picture))).collect();
            let here = last.and_then(|line| line.guarded(&picture));
            let made = others.into_iter().filter_map(|other| other.join().ok().flatten());
            out.extend(made.chain(here).map(Made::Frame));
        });
    }
}

/// A picture that is taken for the rungs.
#[derive(Clone, Copy)]
struct Taken<'a> {
    view: View<'a>,
    number: u64,
    time: MediaTime,
    /// Number of the next keyframe of all rungs.
    key: Option<u64>,
    /// Pictures taken in a second, if known.
    rate: Option<f64>,
}

/// What makes one rung.
struct Line {
    rung: Rung,
    scaler: Scaler,
    picture: Picture,
    encoder: Option<Encoder>,
    budget: Budget,
    asked: bool,
    /// The coarsest quantizer that had to be the finest one, to keep a picture within its bound.
    floor: u8,
    dropped: u64,
}

impl Line {
    fn new(rung: Rung) -> Self {
        Self {
            rung,
            scaler: Scaler::default(),
            picture: Picture::new(rung.size, Colour::default()),
            encoder: None,
            budget: Budget::new(rung.bitrate.0),
            asked: false,
            floor: 0,
            dropped: 0,
        }
    }

    fn divisor(&self) -> u64 {
        u64::from(self.rung.divisor.max(1))
    }

    /// An encoder that fails or panics is replaced by a new one, which begins with a keyframe.
    fn guarded(&mut self, picture: &Taken<'_>) -> Option<RungFrame> {
        let made = catch_unwind(AssertUnwindSafe(|| self.encode(picture)));
        let made = made.unwrap_or_else(|_| {
            self.encoder = None;
            None
        });
        self.dropped += u64::from(made.is_none());
        made
    }

    fn settings(&self, picture: &Taken<'_>) -> Settings {
        let rate = picture.rate.unwrap_or(f64::from(Rung::FASTEST)) / self.divisor() as f64;
        Settings {
            size: self.rung.size,
            colour: picture.view.colour,
            rate,
            bitrate: self.rung.bitrate,
            // Later than ours, which come when they are asked for.
            keyframes: (rate * 3.0) as u64 + 1,
            finest: self.floor,
        }
    }

    fn encode(&mut self, picture: &Taken<'_>) -> Option<RungFrame> {
        if !self.budget.room(picture.time, self.encoder.is_none()) {
            return None;
        }
        if !self.scaler.scale(&picture.view, self.rung.size, &mut self.picture) {
            return None;
        }
        // Its keyframe was to be one that came too late: the next common one follows at once, and no other before it.
        if picture.key == Some(picture.number + 1) && self.encoder.as_ref().is_some_and(Encoder::is_key_next)
        {
            return None;
        }
        let is_key = picture.key == Some(picture.number);
        if is_key {
            self.floor = self.floor.saturating_sub(FINER);
        }
        let wanted = self.settings(picture);
        let mut encoder = self.encoder.take().filter(|encoder| {
            let now = encoder.settings();
            let drifted = (wanted.rate / now.rate - 1.0).abs() > 0.1;
            let renewed = drifted || now.finest != wanted.finest || !encoder.is_key_next();
            // A keyframe is the moment for a new encoder, which begins with one: also where the one that was asked of the old one
            // would be late, as pictures were left out.
            now.colour == wanted.colour && !(is_key && renewed)
        });
        let ahead = Encoder::AHEAD as u64 * self.divisor();
        let common = picture.key == Some(picture.number + ahead);
        // One that is asked for shortly before the common one waits for that.
        let soon = picture.key.is_some_and(|key| key > picture.number && key < picture.number + ahead);
        if let Some(encoder) = &mut encoder
            && (common || (self.asked && !soon))
        {
            encoder.keyframe();
        }
        self.asked &= soon && encoder.is_some();
        let mut took = Duration::ZERO;
        for _ in 0..TRIES {
            let mut current = match encoder.take() {
                Some(encoder) => encoder,
                None => Encoder::open(self.settings(picture)).ok()?,
            };
            let encoded = current.encode(&self.picture.view()).ok()??;
            took += encoded.took;
            let bytes = encoded.data.len();
            if self.budget.is_too_large(bytes) {
                // What follows would build on it: an encoder that knows nothing of it begins anew, and coarser.
                // A keyframe's quantizer is finer than the one that rav1e is held to.
                let used = encoded.quantizer.max(self.floor);
                self.floor = coarser(used, bytes as f64 / self.budget.most());
                continue;
            }
            self.encoder = Some(current);
            self.budget.spend(picture.time, encoded.keyframe, bytes);
            return Some(RungFrame {
                rung: self.rung.id,
                time: picture.time,
                keyframe: encoded.keyframe,
                data: encoded.data,
                encoding: took,
            });
        }
        None
    }
}

/// The quantizer's index for a picture that was so many times too large: sizes go about with the quantizer's reciprocal, and
/// its index with its logarithm.
fn coarser(quantizer: u8, excess: f64) -> u8 {
    let steps = 40.0 * excess.max(1.0).log2() + 16.0;
    (f64::from(quantizer) + steps).min(254.0) as u8
}
