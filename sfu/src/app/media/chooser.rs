//! Which picture each viewer of a room gets: what the hub measured, what the viewer wants and decodes, and what its network
//! carries, brought before the selector.

use super::ladder::Prospect;
use crate::{
    broadcast::{
        hub::Hub,
        packet::{Track, TrackKey},
    },
    watch::{
        path::{Meter, Sample},
        select::{Choice, Selector, Version, Wish},
        sound::{Beside, SoundSelector, Sounds},
    },
};
use shared::{
    broadcast::Codec,
    unit::{Bitrate, Size},
    watch::{ChooseRendition, Playing, Reason},
};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// Bitrates are measured at most this often.
const MEASURE_EVERY: Duration = Duration::from_millis(400);
/// How much of what was measured anew counts in a bitrate: keyframes and scenes make each single measure a little wrong.
const NEW: f64 = 0.25;
/// At first all of it counts.
const YOUNG: Duration = Duration::from_secs(3);
/// The controller is told of a change of what is looked for only beyond this share: measured bitrates are never quite the same.
const NEWS: f64 = 0.05;

#[derive(Debug, Clone)]
struct Shown {
    track: Arc<Track>,
    version: Version<TrackKey>,
    since: Instant,
}

/// The pictures that a room has to version.
#[derive(Debug, Default)]
pub struct Pictures {
    all: Vec<Shown>,
    /// What there is to be heard beside them.
    sounds: Sounds<TrackKey>,
    measured: Option<Instant>,
}

impl Pictures {
    /// Looks at them anew, and at what could be made: `prospects`. To be called at least twice a second. Answers whether there
    /// are others than before, or of other sizes: bitrates aside.
    pub fn measure(&mut self, hub: &mut Hub, prospects: &[Prospect], now: Instant) -> bool {
        let is_due = self.measured.is_none_or(|last| now.saturating_duration_since(last) >= MEASURE_EVERY);
        if is_due {
            self.measured = Some(now);
        }
        let sounds = std::mem::replace(&mut self.sounds, sounds(hub, prospects, now));
        let before = std::mem::take(&mut self.all);
        self.all = hub
            .pictures(now)
            .map(|(track, flows, size, bits)| {
                let is_it = |known: &&Shown| {
                    known.track == *track && known.version.flows == flows && known.version.runs
                };
                // What stops and begins again says nothing of what it was before.
                let known = before.iter().find(is_it);
                let since = known.map_or(now, |known| known.since);
                let weight = match known {
                    Some(_) if now.saturating_duration_since(since) > YOUNG => {
                        if is_due {
                            NEW
                        } else {
                            0.0
                        }
                    }
                    _ => 1.0,
                };
                let old = known.map_or(0, |known| known.version.bitrate) as f64;
                let bitrate = (old * (1.0 - weight) + bits as f64 * weight) as u64;
                let prospect = prospects.iter().find(|prospect| prospect.track.key == track.key);
                let declared = prospect.filter(|_| now.saturating_duration_since(since) < YOUNG);
                let version = Version {
                    track: track.key,
                    decodes: false,
                    // What is no prospect any more is about to stop.
                    flows: flows && (prospect.is_some() || !track.key.is_made()),
                    runs: true,
                    size: size.or(prospect.and_then(|prospect| prospect.size)),
                    // It begins with a keyframe, which says nothing of what follows.
                    bitrate: declared.map_or(bitrate, |prospect| prospect.bitrate.0),
                };
                Shown { track: Arc::clone(track), version, since }
            })
            .collect();
        let is_running = |all: &[Shown], key| all.iter().any(|shown| shown.track.key == key);
        for Prospect { track, size, bitrate, .. } in prospects {
            if !track.is_audio() && !is_running(&self.all, track.key) {
                let (size, bitrate) = (*size, bitrate.0);
                let version =
                    Version { track: track.key, decodes: false, flows: true, runs: false, size, bitrate };
                self.all.push(Shown { track: Arc::clone(track), version, since: now });
            }
        }
        let outline = |shown: &Shown| {
            let Version { flows, runs, size, .. } = shown.version;
            (shown.track.clone(), flows, runs, size)
        };
        let tracks =
            |sounds: Sounds<TrackKey>| [sounds.source, sounds.low].map(|one| one.map(|(track, _)| track));
        tracks(sounds) != tracks(self.sounds) || !before.iter().map(outline).eq(self.all.iter().map(outline))
    }

    fn named(&self, name: &str) -> Option<TrackKey> {
        // Of two of the same name the older one is what a publisher left behind.
        self.all.iter().rev().find(|shown| shown.track.rendition() == name).map(|shown| shown.track.key)
    }
}

/// What there is to be heard: of the publisher's the first that flows, and what is made of it or could be.
fn sounds(hub: &mut Hub, prospects: &[Prospect], now: Instant) -> Sounds<TrackKey> {
    let source = hub.sound(now);
    let low = prospects.iter().find(|prospect| prospect.track.is_audio());
    Sounds { source, low: low.map(|low| (low.track.key, low.bitrate.0)) }
}

/// Whether two pictures are about of the same size.
fn is_as_large(one: &Shown, other: &Shown) -> bool {
    let area = |shown: &Shown| shown.version.size.map(|size| f64::from(size.width) * f64::from(size.height));
    let share = area(one).zip(area(other)).map(|(one, other)| one / other.max(1.0));
    share.is_some_and(|share| (0.8..1.25).contains(&share))
}

/// See the module. One for each viewer.
#[derive(Debug)]
pub struct Chooser {
    wish: ChooseRendition,
    meter: Meter,
    selector: Selector<TrackKey>,
    /// What the selector said last.
    pub choice: Choice<TrackKey>,
    sound: SoundSelector,
    /// The sound that it is to hear.
    pub hears: Option<TrackKey>,
    /// What the controller was told to look for.
    told: Option<u64>,
    /// Something changed since the last choice.
    pub is_due: bool,
}

impl Default for Chooser {
    fn default() -> Self {
        Self {
            wish: ChooseRendition::default(),
            meter: Meter::default(),
            selector: Selector::default(),
            choice: Choice { picture: None, reason: Reason::Best, desired: 0, urgent: false },
            sound: SoundSelector::default(),
            hears: None,
            told: None,
            is_due: false,
        }
    }
}

impl Chooser {
    /// The viewer wants something else from now on.
    pub fn wants(&mut self, wish: ChooseRendition) {
        self.wish = wish;
        self.is_due = true;
    }

    /// The congestion controller has another estimate.
    pub fn estimated(&mut self, bits: u64) {
        self.meter.told(bits);
        self.is_due = true;
    }

    /// What the congestion controller knows, each second.
    pub fn sampled(&mut self, sample: Sample, now: Instant) {
        self.meter.sample(sample, now);
        self.is_due = true;
    }

    /// Chooses among the pictures that have a codec which the viewer `decodes`.
    pub fn choose(
        &mut self,
        pictures: &Pictures,
        decodes: impl Fn(Codec) -> bool,
        now: Instant,
    ) -> Choice<TrackKey> {
        self.is_due = false;
        let chosen = self.wish.rendition.as_deref().and_then(|name| pictures.named(name));
        let sent =
            |other: &&Shown| !other.track.key.is_made() && other.version.flows && decodes(other.track.codec);
        let versions: Vec<Version<TrackKey>> = pictures
            .all
            .iter()
            .map(|shown| {
                // What the publisher sends is better than what is made of it: one of its size, or several.
                let all_sent = || pictures.all.iter().filter(sent);
                let has_better =
                    || all_sent().any(|other| is_as_large(other, shown)) || all_sent().count() > 1;
                let is_spare = shown.track.key.is_made() && chosen != Some(shown.track.key) && has_better();
                Version { decodes: !is_spare && decodes(shown.track.codec), ..shown.version }
            })
            .collect();
        let wish = Wish {
            chosen,
            audio_only: self.wish.audio_only,
            size: self.wish.size.filter(|Size { width, height }| *width > 0 && *height > 0),
            hidden: self.wish.hidden,
        };
        let before = self.choice;
        self.choice = self.selector.choose(&versions, &wish, self.meter.path(), now);
        // What was urgent stays so until it is there.
        self.choice.urgent |= before.urgent && before.picture == self.choice.picture;
        if self.wish.rendition.is_some() && chosen.is_none() && self.choice.reason == Reason::Best {
            self.choice.reason = Reason::Gone;
        }
        self.choice
    }

    /// Chooses the sound, after the picture.
    pub fn choose_sound(&mut self, pictures: &Pictures, now: Instant) -> Option<TrackKey> {
        let size = |shown: &&Shown| {
            (
                shown.version.size.map(|size| u32::from(size.width) * u32::from(size.height)),
                shown.version.bitrate,
            )
        };
        let usable = || pictures.all.iter().filter(|shown| shown.version.flows);
        let beside = match (self.choice.picture, self.choice.reason) {
            (None, Reason::AudioOnly | Reason::Network) => Beside::Nothing,
            (None, _) => Beside::Smallest(0),
            (Some(track), _) => match usable().min_by_key(size).filter(|shown| shown.track.key == track) {
                Some(smallest) => Beside::Smallest(smallest.version.bitrate),
                None => Beside::Picture,
            },
        };
        self.hears = self.sound.choose(&pictures.sounds, beside, self.meter.path(), now);
        self.hears
    }

    /// What the controller is to be told that there would be use for, in bits a second, if that is news to it.
    pub fn news(&mut self) -> Option<u64> {
        let desired = self.choice.desired;
        let is_as_before = self.told.is_some_and(|told| {
            (told == 0) == (desired == 0) && told.abs_diff(desired) as f64 <= told as f64 * NEWS
        });
        if is_as_before {
            return None;
        }
        self.told = Some(desired);
        Some(desired)
    }

    /// What is told of it, where `rendition` and `sound` are on the viewer's lines.
    pub fn playing(&self, rendition: Option<String>, sound: Option<String>) -> Playing {
        Playing { rendition, reason: self.choice.reason, estimate: self.estimate(), sound }
    }

    /// How many bytes a replay may have for this viewer, if its network is known: what passes in a second.
    pub fn carries_at_once(&self) -> Option<usize> {
        self.meter.path().estimate.map(|bits| usize::try_from(bits / 8).unwrap_or(usize::MAX))
    }

    /// Bits a second that the viewer's network carries, as far as that is known.
    pub fn estimate(&self) -> Option<Bitrate> {
        self.meter.path().estimate.map(Bitrate)
    }
}

#[cfg(test)]
mod network_tests;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_controller_is_told_of_news_alone() {
        let mut chooser = Chooser::default();
        let mut said = Vec::new();
        for tick in 0..50u64 {
            // A measure that is never quite the same.
            chooser.choice.desired = match tick {
                0..30 => 2_300_000 + tick % 7 * 15_000,
                30..40 => 900_000,
                _ => 0,
            };
            said.extend(chooser.news().map(|bits| (tick, bits)));
        }
        assert_eq!(said, [(0, 2_300_000), (30, 900_000), (40, 0)]);
    }
}
