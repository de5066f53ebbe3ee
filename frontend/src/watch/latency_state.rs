//! Glass-to-glass latency from the frames that were shown: measured or absent, never guessed.

/// How much a new frame moves the smoothed value.
const WEIGHT: f64 = 0.05;
/// Clocks that disagree give nonsense: beyond this nothing is said.
const PLAUSIBLE: f64 = 30_000.0;

/// Latency, smoothed.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Latency {
    millis: Option<f64>,
    frames: u32,
}

impl Latency {
    /// A frame captured at one time was shown at another, by the same clock, in milliseconds.
    pub fn shown(&mut self, captured: Option<f64>, at: f64) {
        let latency = captured.map(|captured| at - captured).filter(|l| (0.0..PLAUSIBLE).contains(l));
        let Some(latency) = latency else { return };
        self.frames += 1;
        // The first frames come from the cache of the last keyframe on, faster than real time: they weigh more, and go soon.
        let weight = (1.0 / f64::from(self.frames)).max(WEIGHT);
        self.millis = Some(self.millis.map_or(latency, |before| before + (latency - before) * weight));
    }

    /// Milliseconds, once enough frames agree.
    pub fn millis(&self) -> Option<f64> {
        self.millis.filter(|_| self.frames >= 10)
    }

    /// As the badge says it: `0.4 s`.
    pub fn words(&self) -> Option<String> {
        self.millis().map(|millis| {
            if millis < 95.0 {
                format!("{:.0} ms", millis.max(1.0))
            } else {
                format!("{:.1} s", millis / 1000.0)
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_said_before_it_is_measured() {
        let mut latency = Latency::default();
        for at in 0..100 {
            latency.shown(None, f64::from(at) * 33.0);
        }
        assert_eq!(latency.words(), None);
    }

    #[test]
    fn it_settles_on_what_frames_say_and_ignores_nonsense() {
        let mut latency = Latency::default();
        for frame in 0..200 {
            let at = f64::from(frame) * 33.0;
            latency.shown(Some(at - if frame % 2 == 0 { 380.0 } else { 420.0 }), at);
            latency.shown(Some(at + 900_000.0), at);
        }
        assert_eq!(latency.words().as_deref(), Some("0.4 s"));
        let mut quick = Latency::default();
        for frame in 0..20 {
            quick.shown(Some(f64::from(frame)), f64::from(frame) + 27.0);
        }
        assert_eq!(quick.words().as_deref(), Some("27 ms"));
    }
}
