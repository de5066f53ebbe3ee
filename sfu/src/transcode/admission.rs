//! Which rungs the machine has room for: forwarding comes first, and what is too much is given up from the most expensive.

use super::{
    cost::{Cost, Source},
    frame::{Rung, RungId},
    ladder,
    wire::Stats,
};
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

/// Of what forwarding took lately, so much is kept for it: it may need more any moment.
const FORWARDING_MAY_NEED: f32 = 1.5;
/// Kept free of rungs whatever forwarding takes: a share of all cores, and on small machines this much.
const KEPT_SHARE: f32 = 0.1;
const KEPT_LEAST: f32 = 0.25;
/// A rung that isn't made yet has to leave this share of the room free; one that is made doesn't.
const MARGIN: f32 = 0.15;
/// Pictures come one after another: decoding one and encoding it may take at most this share of the time up to the next.
const MOST_BUSY: f64 = 0.9;
/// A child whose frames wait this long is behind,
const LATE: Duration = Duration::from_millis(80);
/// if it says so so many times in a row.
const LATE_REPORTS: u8 = 3;
/// After a rung was given up, nothing else is for so long: it takes a while to show.
const SETTLES: Duration = Duration::from_secs(3);
/// What was given up isn't tried again for so long, twice as long each time, up to a limit.
const HELD: Duration = Duration::from_secs(20);
const LONGEST_HELD: Duration = Duration::from_secs(320);
/// A broadcast that had nothing given up for so long begins anew.
const FORGIVEN: Duration = Duration::from_secs(600);
/// What forwarding takes is averaged over about so many reports.
const AVERAGED: f32 = 5.0;

/// What the owner of the instance allows.
#[derive(Debug, Clone, PartialEq)]
pub struct Limits {
    /// Whether there are ladders at all.
    pub enabled: bool,
    /// Rungs of one broadcast.
    pub most_rungs: usize,
    /// Cores for all ladders together; what forwarding leaves if absent.
    pub most_cores: Option<f32>,
    /// Names of the rungs that there may be, e.g. `360p`.
    pub rungs: Vec<String>,
}

impl Default for Limits {
    fn default() -> Self {
        let rungs = (0..=ladder::HIGHEST.0).map(|id| ladder::name(RungId(id))).collect();
        Self { enabled: true, most_rungs: ladder::MOST_RUNGS, most_cores: None, rungs }
    }
}

/// Why something was given up, as metrics count it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Shed {
    /// Pictures came too late.
    Late,
    /// Forwarding or other ladders took more.
    Room,
}

/// See the module; one for the whole server. Broadcasts are known by a number.
#[derive(Debug)]
pub struct Admission {
    limits: Limits,
    cores: f32,
    cost: Cost,
    forwarding: Option<f32>,
    users: BTreeMap<u64, User>,
    settled: Option<Instant>,
}

#[derive(Debug, Default)]
struct User {
    source: Option<Source>,
    rungs: Vec<Rung>,
    stats: Option<Stats>,
    late: u8,
    held: Option<Held>,
    /// Why rungs that it could have aren't admitted, by name.
    reasons: Vec<(String, String)>,
}

/// Rungs of so many pixels and more are held back.
#[derive(Debug, Clone, Copy)]
struct Held {
    pixels: u32,
    since: Instant,
    after: Duration,
    why: Shed,
}

impl Held {
    fn holds(&self, rung: &Rung, now: Instant) -> bool {
        pixels(rung) >= self.pixels && now.saturating_duration_since(self.since) < self.after
    }
}

fn pixels(rung: &Rung) -> u32 {
    u32::from(rung.size.width) * u32::from(rung.size.height)
}

impl Admission {
    /// For a machine with so many cores.
    pub fn new(limits: Limits, cores: f32) -> Self {
        let cost = Cost::default();
        Self { limits, cores, cost, forwarding: None, users: BTreeMap::new(), settled: None }
    }

    /// What the owner allows.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// What rungs cost here; to be told what was measured.
    pub fn cost(&mut self) -> &mut Cost {
        &mut self.cost
    }

    /// Cores that all ladders together may take.
    pub fn room(&self) -> f32 {
        let forwarding = self.forwarding.unwrap_or(0.0) * FORWARDING_MAY_NEED;
        let kept = (self.cores * KEPT_SHARE).max(KEPT_LEAST).max(forwarding);
        let left = (self.cores - kept).max(0.0);
        self.limits.most_cores.map_or(left, |most| left.min(most))
    }

    /// Cores that ladders take, as far as it can be told.
    pub fn taken(&self) -> f32 {
        self.users.values().map(|user| self.takes(user)).sum()
    }

    fn takes(&self, user: &User) -> f32 {
        user.source.map_or(0.0, |source| self.cost.all(&user.rungs, source))
    }

    /// Which of the rungs that a source could have it may have: the largest that there is room for together, in a row.
    /// `possible` is from the largest.
    pub fn admitted(&mut self, who: u64, possible: &[Rung], source: Source, now: Instant) -> Vec<Rung> {
        if !self.limits.enabled {
            return Vec::new();
        }
        let user = self.users.entry(who).or_default();
        user.source = Some(source);
        let (held, running) = (user.held, user.rungs.clone());
        let others = self.taken() - self.users.get(&who).map_or(0.0, |user| self.takes(user));
        let free = (self.room() - others).max(0.0);
        let mut reasons = Vec::new();
        let most = self.limits.most_rungs.min(ladder::MOST_RUNGS);
        let mut usable = Vec::new();
        for rung in possible {
            let name = ladder::name(rung.id);
            let runs = running.iter().any(|other| other == rung);
            match self.refusal(rung, &name, source, (runs, held), now) {
                Some(why) => reasons.push((name, why)),
                None => usable.push(*rung),
            }
        }
        let mut from = 0;
        let admitted = loop {
            let window = &usable[from..usable.len().min(from + most)];
            if window.is_empty() {
                break Vec::new();
            }
            let costs = self.cost.all(window, source);
            let is_made = running.iter().any(|rung| rung.id == window[0].id);
            let fits = if is_made { costs <= free } else { costs <= free * (1.0 - MARGIN) };
            if fits {
                break window.to_vec();
            }
            // What somebody watches isn't taken away for what nobody does.
            let kept = self.kept(window, &running, source, free);
            if is_made && !kept.is_empty() {
                let left_out = window.iter().filter(|rung| !kept.contains(rung));
                reasons.extend(left_out.map(|rung| self.no_room(rung, source, free)));
                break kept;
            }
            reasons.push(self.no_room(&window[0], source, free));
            from += 1;
        };
        if let Some(user) = self.users.get_mut(&who) {
            user.reasons = reasons;
        }
        admitted
    }

    /// Those of a window that run, and of the others those that still fit, from the smallest; none if not even what runs fits.
    fn kept(&self, window: &[Rung], running: &[Rung], source: Source, free: f32) -> Vec<Rung> {
        let runs = |rung: &&Rung| running.iter().any(|other| other.id == rung.id);
        let mut kept: Vec<Rung> = window.iter().filter(runs).copied().collect();
        if self.cost.all(&kept, source) > free {
            return Vec::new();
        }
        for rung in window.iter().rev().filter(|rung| !runs(rung)) {
            kept.push(*rung);
            if self.cost.all(&kept, source) > free {
                kept.pop();
            }
        }
        kept.sort_by_key(|rung| std::cmp::Reverse(pixels(rung)));
        kept
    }

    /// The sentence for a rung that doesn't fit beside what else there is, with its name.
    fn no_room(&self, rung: &Rung, source: Source, free: f32) -> (String, String) {
        let (name, takes) = (ladder::name(rung.id), self.cost.rung(rung, source));
        let why = format!(
            "{name} takes {takes:.1} cores; forwarding and other ladders leave {free:.1} for all rungs."
        );
        (name, why)
    }

    /// Why a rung can't be, whatever else there is.
    fn refusal(
        &self,
        rung: &Rung,
        name: &str,
        source: Source,
        (runs, held): (bool, Option<Held>),
        now: Instant,
    ) -> Option<String> {
        if !self.limits.rungs.iter().any(|allowed| allowed == name) {
            return Some(format!("The owner of this server has no {name}."));
        }
        let pictures = f64::from(source.frame_rate.clamp(1.0, 240.0)) / f64::from(rung.divisor.max(1));
        let busy = self.cost.decoding(source) + self.cost.picture(rung.size);
        // Of one that runs it shows by itself whether its pictures come too late.
        if !runs && busy.as_secs_f64() * pictures > MOST_BUSY {
            let (takes, has) = (busy.as_secs_f64() * 1000.0, 1000.0 / pictures);
            return Some(format!(
                "A picture of {name} takes this machine {takes:.0} ms, and there is one every {has:.0} ms."
            ));
        }
        let held = held.filter(|held| held.holds(rung, now))?;
        let left = (held.after - now.saturating_duration_since(held.since)).as_secs() + 1;
        let why = match held.why {
            Shed::Late => "its pictures came too late",
            Shed::Room => "forwarding or other ladders needed the cores",
        };
        Some(format!("{name} was given up, as {why}; it is tried again in {left} s."))
    }

    /// Why a rung isn't admitted to a broadcast, as a sentence.
    pub fn reason(&self, who: u64, name: &str) -> Option<&str> {
        let user = self.users.get(&who)?;
        user.reasons.iter().find(|(other, _)| other == name).map(|(_, why)| &**why)
    }

    /// A broadcast has these made from now on.
    pub fn uses(&mut self, who: u64, rungs: &[Rung]) {
        let user = self.users.entry(who).or_default();
        user.rungs = rungs.to_vec();
        // What has just begun is behind for a moment.
        (user.stats, user.late) = (None, 0);
    }

    /// A broadcast is over, or its child ended: nothing of it runs.
    pub fn gone(&mut self, who: u64) {
        self.users.remove(&who);
    }

    /// What a broadcast's child told. Answers what is given up for it; [`Admission::admitted`] leaves it out from now on.
    pub fn measured(&mut self, who: u64, stats: &Stats, now: Instant) -> Option<(u64, Shed)> {
        let user = self.users.get_mut(&who)?;
        let source = user.source.map(|source| source.size);
        let is_late = match user.stats.replace(stats.clone()) {
            // Another child begins from nothing.
            Some(before) if before.cpu <= stats.cpu => {
                self.cost.learn(&before, stats, source);
                stats.waited >= LATE || stats.skipped > before.skipped
            }
            _ => false,
        };
        user.late = if is_late { user.late.saturating_add(1) } else { 0 };
        (user.late >= LATE_REPORTS).then(|| self.give_up(who, Shed::Late, now)).flatten()
    }

    /// What the server itself took since it said so last, in cores: each second. Answers what is given up, if anything is.
    pub fn load(&mut self, cores: f32, now: Instant) -> Option<(u64, Shed)> {
        let cores = if cores.is_finite() { cores.clamp(0.0, self.cores) } else { 0.0 };
        let average = self.forwarding.get_or_insert(cores);
        // More counts at once, less after a while.
        *average = if cores > *average { cores } else { *average + (cores - *average) / AVERAGED };
        if self.taken() <= self.room() {
            return None;
        }
        // The broadcast with the most expensive rung pays.
        let dearest = |(_, user): &(&u64, &User)| user.rungs.iter().map(pixels).max();
        let (who, _) = self.users.iter().max_by_key(dearest)?;
        self.give_up(*who, Shed::Room, now)
    }

    /// Holds a broadcast's most expensive rung back.
    fn give_up(&mut self, who: u64, why: Shed, now: Instant) -> Option<(u64, Shed)> {
        if self.settled.is_some_and(|at| now.saturating_duration_since(at) < SETTLES) {
            return None;
        }
        let user = self.users.get_mut(&who)?;
        let rung = *user.rungs.iter().max_by_key(|rung| pixels(rung))?;
        let before = user.held.filter(|held| now.saturating_duration_since(held.since) < FORGIVEN);
        let after = before.map_or(HELD, |held| (held.after * 2).min(LONGEST_HELD));
        user.held = Some(Held { pixels: pixels(&rung), since: now, after, why });
        user.rungs.retain(|other| other.id != rung.id);
        (user.late, user.stats) = (0, None);
        self.settled = Some(now);
        Some((who, why))
    }
}

#[cfg(test)]
mod tests;
