//! Which rendition a viewer gets: the best that it decodes, that is of use at the size it is shown at, and that fits through
//! its network.
//!
//! Downward it is quick: what is sent beyond what fits lies in a queue on the way, and the sound lies in it too. Upward it
//! is careful: the congestion controller is asked to look for room for the next larger rendition, and only once that has
//! been there for a while it is taken. One that had to be given up again soon is tried again later each time.

use super::path::{Path, QUEUE};
use shared::{unit::Size, watch::Reason};
use std::time::{Duration, Instant};

/// A rendition is taken when the estimate has so many times its bitrate, and looked for with a little more.
const ROOM: f64 = 1.25;
const SOUGHT: f64 = 1.35;
/// For so long there must have been room for it.
const ROOM_FOR: Duration = Duration::from_millis(1500);
/// After a step down, nothing is looked for: what had piled up on the way has to drain.
const REST: Duration = Duration::from_secs(3);
/// A rendition that is given up within this time of being taken was a mistake,
const TRIAL: Duration = Duration::from_secs(20);
/// and is taken again only after so long, twice as long each time, up to a limit.
const BACKOFF: Duration = Duration::from_secs(10);
const LONGEST_BACKOFF: Duration = Duration::from_secs(160);
/// What has been forgiven after having played for so long.
const FORGIVEN: Duration = Duration::from_secs(60);
/// The controller is set to look for room again when so little of the backoff is left.
const LOOK_AHEAD: Duration = Duration::from_secs(5);

/// An estimate below this share of what is played means that it doesn't fit at all,
const SEVERE: f64 = 0.6;
const SEVERE_FOR: Duration = Duration::from_millis(300);
/// below this share that it may not: the controller also errs downward, to 85 % of what is sent, and finds out by itself.
const DOUBTFUL: f64 = 0.95;
/// With a queue or loss to show for it, it doesn't;
const CONGESTED_FOR: Duration = Duration::from_millis(700);
/// without, only if the estimate is this low, for longer.
const SHORT: f64 = 0.8;
const SHORT_FOR: Duration = Duration::from_millis(2000);
/// Loss that no picture survives, whatever the estimate.
const RUINOUS: f32 = 0.2;
/// For so long not even the smallest rendition may fit, before the picture is left out and the sound alone goes on.
const HOPELESS_FOR: Duration = Duration::from_secs(3);

/// For so long after it came, what a viewer's network carries counts as unknown unless it is little,
const UNKNOWN_FOR: Duration = Duration::from_secs(2);
/// and then a rendition of at most so many bits a second is begun with.
const FIRST_MOST: u64 = 6_000_000;
/// A rendition counts as large enough if the picture is shown up to so many times as large.
const ENLARGED: f64 = 1.2;
/// A player that became smaller has to stay so for this long: windows are dragged.
const SMALLER_FOR: Duration = Duration::from_secs(2);

/// A rendition as the choice sees it. `T` names a track.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Version<T> {
    /// Which.
    pub track: T,
    /// The viewer negotiated its codec.
    pub decodes: bool,
    /// Packets of it arrive, or would if somebody wanted it.
    pub flows: bool,
    /// It is there now, and isn't made only once somebody wants it.
    pub runs: bool,
    /// As measured; `None` before the first keyframe told it.
    pub size: Option<Size>,
    /// Bits a second, as measured over the last seconds.
    pub bitrate: u64,
}

impl<T> Version<T> {
    fn area(&self) -> u32 {
        self.size.map_or(0, |size| u32::from(size.width) * u32::from(size.height))
    }

    /// Whether a picture that is shown in `box` would hardly look better if there were more of it.
    fn fills(&self, shown: Size) -> bool {
        let fills = |has: u16, needs: u16| f64::from(has) * ENLARGED >= f64::from(needs);
        // A picture touches two sides of its box only: the one that it fills decides.
        self.size.is_some_and(|size| fills(size.width, shown.width) || fills(size.height, shown.height))
    }
}

/// Some networks lose a few percent whatever is sent, which the estimate takes into account.
fn is_full(path: &Path) -> bool {
    path.loss > RUINOUS || path.queueing > QUEUE
}

/// What the viewer wants, and what there is room for on its page.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Wish<T> {
    /// A rendition that it chose; automatic if none.
    pub chosen: Option<T>,
    /// No picture.
    pub audio_only: bool,
    /// How large the picture is shown, in device pixels.
    pub size: Option<Size>,
    /// Nobody sees the page.
    pub hidden: bool,
}

impl<T> Default for Wish<T> {
    fn default() -> Self {
        Self { chosen: None, audio_only: false, size: None, hidden: false }
    }
}

/// What comes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Choice<T> {
    /// The picture to be sent.
    pub picture: Option<T>,
    /// Why that one.
    pub reason: Reason,
    /// Bits a second that the congestion controller is to look for; 0: it needn't.
    pub desired: u64,
    /// What was played so far doesn't fit at all: don't wait for the other's next keyframe with it.
    pub urgent: bool,
}

/// See the module. One for each viewer.
#[derive(Debug)]
pub struct Selector<T> {
    began: Option<Instant>,
    current: Option<T>,
    /// The picture is left out because not even the smallest fits.
    paused: bool,
    /// What was chosen and doesn't fit.
    too_much: Option<T>,
    /// Since when the estimate is below each threshold of the current rendition's bitrate.
    severe: Since,
    congested: Since,
    short: Since,
    hopeless: Since,
    /// Since when there is room for a larger one.
    room: Since,
    /// Since when the player is smaller than what is played.
    smaller: Since,
    /// When the last step up was, until it has proved itself.
    stepped_up: Option<Instant>,
    stepped_down: Option<Instant>,
    backoff: Duration,
    /// No step up before.
    not_before: Option<Instant>,
}

/// Since when something holds without a break.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Since(Option<Instant>);

impl Since {
    /// Whether it has held for `least` by now.
    pub(super) fn held(&mut self, holds: bool, least: Duration, now: Instant) -> bool {
        if !holds {
            self.0 = None;
            return false;
        }
        now.saturating_duration_since(*self.0.get_or_insert(now)) >= least
    }
}

impl<T> Default for Selector<T> {
    fn default() -> Self {
        let never = Since::default();
        Self {
            began: None,
            current: None,
            paused: false,
            too_much: None,
            severe: never,
            congested: never,
            short: never,
            hopeless: never,
            room: never,
            smaller: never,
            stepped_up: None,
            stepped_down: None,
            backoff: Duration::ZERO,
            not_before: None,
        }
    }
}

impl<T: Copy + PartialEq> Selector<T> {
    /// Chooses by what is known at `now`. `versions` are the broadcast's pictures, each by its own measure.
    pub fn choose(&mut self, versions: &[Version<T>], wish: &Wish<T>, path: Path, now: Instant) -> Choice<T> {
        let began = *self.began.get_or_insert(now);
        if wish.audio_only {
            self.current = None;
            self.paused = false;
            return Choice { picture: None, reason: Reason::AudioOnly, desired: 0, urgent: true };
        }
        // The few that can be had, from the smallest up. There are at most eight tracks.
        let mut usable: Vec<Version<T>> =
            versions.iter().filter(|version| version.decodes && version.flows).copied().collect();
        usable.sort_by_key(|version| (version.area(), version.bitrate));
        if usable.is_empty() {
            self.current = None;
            let nothing = if versions.iter().any(|version| version.decodes) || versions.is_empty() {
                Reason::Best
            } else {
                Reason::Codec
            };
            return Choice { picture: None, reason: nothing, desired: 0, urgent: false };
        }
        let unknown = now.saturating_duration_since(began) < UNKNOWN_FOR;
        let counts = |bits: &u64| !unknown || path.is_congested() || *bits < usable[0].bitrate;
        let path = Path { estimate: path.estimate.filter(counts), ..path };
        let position = |track: T| usable.iter().position(|version| version.track == track);
        if let Some(chosen) = wish.chosen.and_then(position) {
            return self.chosen(&usable, chosen, path, now);
        }
        self.too_much = None;
        let mut most = self.largest_of_use(&usable, wish);
        if let Some(played) = self.current.and_then(position)
            && !wish.hidden
            && !self.smaller.held(most < played, SMALLER_FOR, now)
        {
            most = most.max(played);
        }
        let mut choice = self.automatic(&usable, most, path, now);
        if wish.hidden && choice.reason == Reason::PlayerSize {
            choice.reason = Reason::Hidden;
        }
        choice
    }

    /// The one that was chosen, unless sound can't pass for it: then what fits, up to that one, until it does again.
    fn chosen(&mut self, usable: &[Version<T>], at: usize, path: Path, now: Instant) -> Choice<T> {
        let chosen = &usable[at];
        if self.too_much != Some(chosen.track) {
            let is_played = self.current == Some(chosen.track);
            let fails = is_played && self.hopeless.held(does_not_fit(chosen, path), HOPELESS_FOR, now);
            self.too_much = fails.then_some(chosen.track);
        }
        if self.too_much.is_none() {
            self.take(chosen.track, now);
            let desired = self.sought(chosen, path);
            return Choice { picture: Some(chosen.track), reason: Reason::Chosen, desired, urgent: false };
        }
        let mut choice = self.automatic(usable, at, path, now);
        if choice.picture == Some(chosen.track) {
            self.too_much = self.too_much.filter(|_| does_not_fit(chosen, path));
            choice.reason = Reason::Chosen;
        }
        choice
    }

    /// `usable` isn't empty and goes from the smallest up; none beyond `most` is of use.
    fn automatic(&mut self, usable: &[Version<T>], most: usize, path: Path, now: Instant) -> Choice<T> {
        let top = usable.len() - 1;
        let played = self.current.and_then(|track| usable.iter().position(|version| version.track == track));
        let mut urgent = false;
        let at = match played {
            _ if self.paused => None,
            None => Some(first(usable, most, path)),
            Some(played) => match self.shortage(&usable[played], path, now) {
                None => Some(self.raised(usable, played.min(most), most, path, now)),
                Some(shortage) => {
                    urgent = shortage.is_severe;
                    let below = played.checked_sub(1);
                    let lower = below.map(|below| best_fit(usable, below.min(most), path, 1.0).unwrap_or(0));
                    if lower.is_some() {
                        self.step_down(now);
                    }
                    Some(lower.unwrap_or(0))
                }
            },
        };
        let at = at.filter(|at| !self.is_hopeless(&usable[*at], *at == 0, path, now));
        let Some(at) = at.or_else(|| self.resumed(&usable[0], path, now)) else {
            self.current = None;
            self.paused = true;
            let desired = if self.may_look(now) { sought(&usable[0]) } else { 0 };
            return Choice { picture: None, reason: Reason::Network, desired, urgent: true };
        };
        self.take(usable[at].track, now);
        let reason = match at {
            at if at == top => Reason::Best,
            at if at < most => Reason::Network,
            _ => Reason::PlayerSize,
        };
        let desired = match usable.get(at + 1).filter(|_| at < most) {
            Some(next) if self.may_look(now) => sought(next),
            Some(_) => 0,
            None => self.sought(&usable[at], path),
        };
        Choice { picture: Some(usable[at].track), reason, desired, urgent }
    }

    /// The position of the largest rendition that is of use where it is shown.
    fn largest_of_use(&self, usable: &[Version<T>], wish: &Wish<T>) -> usize {
        let top = usable.len() - 1;
        // What isn't made yet isn't made to save what there is room for.
        match wish.size {
            _ if wish.hidden => usable.iter().position(|version| version.runs).unwrap_or(0),
            Some(size) if size.width > 0 && size.height > 0 => {
                usable.iter().position(|version| version.runs && version.fills(size)).unwrap_or(top)
            }
            _ => top,
        }
    }

    fn take(&mut self, track: T, now: Instant) {
        if self.current != Some(track) {
            self.current = Some(track);
            for since in
                [&mut self.severe, &mut self.congested, &mut self.short, &mut self.hopeless, &mut self.room]
            {
                since.0 = None;
            }
        }
        self.paused = false;
        let proved = |at: Instant| now.saturating_duration_since(at) > FORGIVEN;
        if self.stepped_up.is_some_and(proved) {
            self.stepped_up = None;
            self.backoff = Duration::ZERO;
        }
    }

    /// Whether what is played doesn't fit any more.
    fn shortage(&mut self, played: &Version<T>, path: Path, now: Instant) -> Option<Shortage> {
        let share = path.estimate.map_or(f64::INFINITY, |bits| bits as f64 / played.bitrate.max(1) as f64);
        let severe = self.severe.held(share < SEVERE, SEVERE_FOR, now);
        let crowded = (share < DOUBTFUL && path.is_congested()) || path.loss > RUINOUS;
        let congested = self.congested.held(crowded, CONGESTED_FOR, now);
        let short = self.short.held(share < SHORT, SHORT_FOR, now);
        (severe || congested || short).then_some(Shortage { is_severe: share < SEVERE })
    }

    /// Where to go from `played`: up, if there has been room for long enough.
    fn raised(
        &mut self,
        usable: &[Version<T>],
        played: usize,
        most: usize,
        path: Path,
        now: Instant,
    ) -> usize {
        let fits = best_fit(usable, most, path, ROOM).filter(|fits| *fits > played && !is_full(&path));
        let room = self.room.held(fits.is_some(), ROOM_FOR, now);
        let waits = self.not_before.is_some_and(|at| now < at);
        match fits {
            Some(fits) if room && !waits => {
                // Whether it was right shows on the way: one step at a time after a mistake.
                let to = if self.backoff.is_zero() { fits } else { played + 1 };
                self.stepped_up = Some(now);
                to
            }
            _ => played,
        }
    }

    fn step_down(&mut self, now: Instant) {
        self.stepped_down = Some(now);
        let was_mistaken = self.stepped_up.take().is_some_and(|at| now.saturating_duration_since(at) < TRIAL);
        if was_mistaken {
            self.backoff = (self.backoff * 2).clamp(BACKOFF, LONGEST_BACKOFF);
            self.not_before = Some(now + self.backoff);
        }
    }

    /// Whether the picture has to be left out, as not even the smallest fits.
    fn is_hopeless(&mut self, version: &Version<T>, is_smallest: bool, path: Path, now: Instant) -> bool {
        let hopeless = self.hopeless.held(is_smallest && does_not_fit(version, path), HOPELESS_FOR, now);
        if hopeless && !self.paused {
            self.step_down(now);
        }
        hopeless
    }

    /// The picture that was left out may come back.
    fn resumed(&mut self, smallest: &Version<T>, path: Path, now: Instant) -> Option<usize> {
        if !self.paused {
            return None;
        }
        let fits = path.estimate.is_none_or(|bits| bits as f64 >= smallest.bitrate as f64 * ROOM);
        let room = self.room.held(fits && !is_full(&path), ROOM_FOR, now);
        let waits = self.not_before.is_some_and(|at| now < at);
        if !room || waits {
            return None;
        }
        self.stepped_up = Some(now);
        Some(0)
    }

    /// Whether it is time to look for room.
    fn may_look(&self, now: Instant) -> bool {
        let rests = self.stepped_down.is_some_and(|at| now.saturating_duration_since(at) < REST);
        let waits = self.not_before.is_some_and(|at| now + LOOK_AHEAD < at);
        !rests && !waits
    }

    /// What to look for where nothing larger is wanted: room for what is played, unless there is enough.
    fn sought(&self, played: &Version<T>, path: Path) -> u64 {
        let has_room = path.estimate.is_some_and(|bits| bits as f64 >= played.bitrate as f64 * ROOM);
        if has_room { 0 } else { sought(played) }
    }
}

struct Shortage {
    is_severe: bool,
}

/// Whether neither a version nor anything beside it comes through.
fn does_not_fit<T>(version: &Version<T>, path: Path) -> bool {
    let is_short = path.estimate.is_some_and(|bits| (bits as f64) < version.bitrate as f64 * SHORT);
    (is_short || path.loss > RUINOUS) && path.is_congested()
}

fn sought<T>(version: &Version<T>) -> u64 {
    (version.bitrate as f64 * SOUGHT) as u64
}

/// What a viewer begins with: what is there at once, unless that is known not to fit while something else would.
fn first<T>(usable: &[Version<T>], most: usize, path: Path) -> usize {
    let room = path.estimate.unwrap_or(FIRST_MOST);
    let running = |version: &Version<T>| version.runs;
    let fits = usable.iter().take(most + 1).rposition(|version| running(version) && version.bitrate <= room);
    let smallest = usable.iter().position(running);
    let other = || best_fit(usable, most, path, 1.0);
    match (fits, smallest) {
        (Some(fits), _) => fits,
        (None, Some(smallest)) if path.estimate.is_none() => smallest,
        (None, smallest) => other().or(smallest).unwrap_or(0),
    }
}

/// The position of the largest up to `most` that fits `margin` times into the estimate.
fn best_fit<T>(usable: &[Version<T>], most: usize, path: Path, margin: f64) -> Option<usize> {
    let room = path.estimate.unwrap_or(FIRST_MOST) as f64;
    usable.iter().take(most + 1).rposition(|version| version.bitrate as f64 * margin <= room)
}

#[cfg(test)]
mod tests;
