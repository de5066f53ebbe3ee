//! The views that may be reported of: those that are watched, and those that ended a moment ago. What their players said
//! waits here to be written, one statement a view and one row a step however often they report. Pure; times are arguments.
//!
//! Two clocks meet: records carry the broadcast's (a [`Timestamp`]), and what passed since is measured by the process's own
//! (a [`Duration`] since any start), as a broadcast's clock and the system's may differ.

use super::report::{News, Statement};
use shared::{
    analytics::ViewReport,
    id::{BroadcastId, ViewId},
    unit::Timestamp,
};
use std::{
    collections::{BTreeMap, HashMap, HashSet, VecDeque},
    time::Duration,
};

/// How long after its end a view is still reported of: a page that is left says its last then.
pub const LAST_WORDS: Duration = Duration::from_secs(60);
/// The most views that ended and are still reported of. Beyond that the first is forgotten early.
const OVER_MOST: usize = 50_000;
/// The most statements of views that are forgotten, and the most steps that are over, that wait to be written. Beyond that
/// the oldest is dropped, and counted.
const PARTING_MOST: usize = 10_000;
const STEPS_MOST: usize = 20_000;
/// How long what is said of something that isn't written itself waits for it, once nobody can add to it.
const EARLY_MOST: Duration = Duration::from_secs(60);
/// As long as somebody may ask whether a dropped report is on disk.
const LOST_FOR: Duration = Duration::from_secs(10);
/// A step of time.
pub const STEP: Duration = Duration::from_secs(5);
/// Reports of a view in a row, and after which time one more.
const BURST: u32 = 10;
const ONE_MORE_EACH: Duration = Duration::from_secs(1);

/// What is heard of broadcasts and views.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    /// A broadcast began, or was taken up again after a restart.
    BroadcastStarted {
        /// Which.
        id: BroadcastId,
        /// When it began.
        at: Timestamp,
    },
    /// A broadcast is over, and all that watched it.
    BroadcastEnded {
        /// Which.
        id: BroadcastId,
    },
    /// A view began.
    ViewStarted {
        /// Which.
        id: ViewId,
        /// Of what.
        broadcast: BroadcastId,
        /// When.
        at: Timestamp,
    },
    /// A view goes on.
    ViewResumed {
        /// Which.
        id: ViewId,
        /// Of what.
        broadcast: BroadcastId,
        /// When.
        at: Timestamp,
    },
    /// A view is not watched any more.
    ViewEnded {
        /// Which.
        id: ViewId,
    },
}

/// Why a report is not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused {
    /// No view of this id is watched, or was a moment ago.
    Unknown,
    /// The view was there before this process knew it: what was said of it must be read first.
    Unread,
    /// Its player reports too often.
    TooMany {
        /// When it may again.
        after: Duration,
    },
}

/// One step of a broadcast, as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepRow {
    /// Of what.
    pub broadcast: BroadcastId,
    /// Counted from the broadcast's start.
    pub step: u64,
    /// Freezes that were reported.
    pub freezes: u32,
    /// The median of the players' latencies in milliseconds.
    pub latency: Option<u32>,
    /// How many players told it.
    pub samples: u32,
}

/// What is to be written. Each row is whole: written twice it is the same.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Batch {
    /// Views, their broadcasts, and what was said.
    pub statements: Vec<(ViewId, BroadcastId, Statement)>,
    /// Steps of time.
    pub steps: Vec<StepRow>,
    /// Every report up to this one is in it, or was written before.
    pub ticket: u64,
}

impl Batch {
    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.statements.is_empty() && self.steps.is_empty()
    }
}

#[derive(Debug)]
struct View {
    broadcast: BroadcastId,
    /// By the broadcast's clock, when the process's was `heard`.
    at: Timestamp,
    heard: Duration,
    /// By the broadcast's clock.
    started_at: Timestamp,
    /// By the process's clock; `None` while it is watched.
    ended_at: Option<Duration>,
    /// `None` while it is only in the database.
    statement: Option<Statement>,
    is_dirty: bool,
    /// When its last report came, by the process's clock.
    reported: Option<Duration>,
    calm_at: Duration,
}

#[derive(Debug)]
struct Broadcast {
    started_at: Timestamp,
    /// The step in which reports come. A report belongs to that in which it comes: those before can't change.
    step: Option<(u64, Step)>,
    is_dirty: bool,
    is_over: bool,
}

#[derive(Debug, Default)]
struct Step {
    freezes: u32,
    latencies: HashMap<ViewId, u32>,
}

/// What waits for what it is of.
#[derive(Debug, PartialEq, Eq, Hash)]
enum Early {
    View(ViewId),
    Step(BroadcastId, u64),
}

/// See the module.
#[derive(Debug, Default)]
pub struct Statements {
    views: HashMap<ViewId, View>,
    broadcasts: HashMap<BroadcastId, Broadcast>,
    /// Views that ended, and when by the process's clock.
    over: VecDeque<(Duration, ViewId)>,
    dirty: Vec<ViewId>,
    /// Statements that are to be written, of views that are forgotten.
    parting: BTreeMap<ViewId, (BroadcastId, Statement)>,
    /// Steps that are to be written and that can't change any more.
    rows: BTreeMap<(BroadcastId, u64), StepRow>,
    /// What could not be written because what it is of is not: since when.
    early: HashMap<Early, Duration>,
    /// Views of which something was dropped, and when.
    lost: HashMap<ViewId, Duration>,
    /// How much was dropped since it was last asked.
    dropped: u64,
    ticket: u64,
}

impl Statements {
    /// Hears of something that happened.
    pub fn heed(&mut self, fact: Fact, now: Duration) {
        match fact {
            Fact::BroadcastStarted { id, at } => {
                let broadcast = Broadcast { started_at: at, step: None, is_dirty: false, is_over: false };
                self.broadcasts.entry(id).or_insert(broadcast);
            }
            Fact::BroadcastEnded { id } => {
                if let Some(broadcast) = self.broadcasts.get_mut(&id) {
                    broadcast.is_over = true;
                }
                let of_it = |(view, entry): (&ViewId, &View)| {
                    (entry.ended_at.is_none() && entry.broadcast == id).then(|| view.clone())
                };
                let views: Vec<ViewId> = self.views.iter().filter_map(of_it).collect();
                for view in views {
                    self.ended(view, now);
                }
            }
            Fact::ViewStarted { id, broadcast, at } => {
                self.opened(id, broadcast, at, Some(Statement::default()), now);
            }
            Fact::ViewResumed { id, broadcast, at } => self.opened(id, broadcast, at, None, now),
            Fact::ViewEnded { id } => self.ended(id, now),
        }
    }

    fn opened(
        &mut self,
        id: ViewId,
        broadcast: BroadcastId,
        at: Timestamp,
        statement: Option<Statement>,
        now: Duration,
    ) {
        if let Some(view) = self.views.get_mut(&id) {
            (view.at, view.heard, view.ended_at) = (at, now, None);
            return;
        }
        let view = View {
            broadcast,
            at,
            heard: now,
            started_at: at,
            ended_at: None,
            statement,
            is_dirty: false,
            reported: None,
            calm_at: now,
        };
        self.views.insert(id, view);
    }

    fn ended(&mut self, id: ViewId, now: Duration) {
        let Some(view) = self.views.get_mut(&id) else { return };
        view.ended_at = Some(now);
        self.over.push_back((now, id));
        if self.over.len() > OVER_MOST {
            self.forget_first(now);
        }
    }

    fn forget_first(&mut self, now: Duration) {
        let Some((at, id)) = self.over.pop_front() else { return };
        // It may have been opened again since, and ended again.
        if self.views.get(&id).is_none_or(|view| view.ended_at != Some(at)) {
            return;
        }
        if let Some(View { broadcast, statement: Some(statement), is_dirty: true, .. }) =
            self.views.remove(&id)
        {
            self.parting.insert(id, (broadcast, statement));
            self.bound(now);
        }
    }

    /// Drops the oldest of what is too much.
    fn bound(&mut self, now: Duration) {
        while self.parting.len() > PARTING_MOST
            && let Some((id, _)) = self.parting.pop_first()
        {
            self.lost.insert(id, now);
            self.dropped += 1;
        }
        while self.rows.len() > STEPS_MOST && self.rows.pop_first().is_some() {
            self.dropped += 1;
        }
    }

    /// Forgets what is over for long enough.
    pub fn tick(&mut self, now: Duration) {
        while self.over.front().is_some_and(|(at, _)| now.saturating_sub(*at) >= LAST_WORDS) {
            self.forget_first(now);
        }
        self.lost.retain(|_, at| now.saturating_sub(*at) < LOST_FOR);
        let watched: HashSet<&BroadcastId> = self.views.values().map(|view| &view.broadcast).collect();
        self.broadcasts
            .retain(|id, broadcast| !broadcast.is_over || broadcast.is_dirty || watched.contains(id));
    }

    /// What the database has of a view that was [`Refused::Unread`]: when it began, and what was said.
    pub fn read(&mut self, id: &ViewId, known: Option<(Timestamp, Statement)>) {
        let Some(view) = self.views.get_mut(id) else { return };
        if view.statement.is_none() {
            let (started_at, statement) = known.unwrap_or((view.at, Statement::default()));
            view.started_at = started_at.min(view.at);
            view.statement = Some(statement);
        }
    }

    /// Takes a report. The number that comes back is in a [`Batch`] once everything that was said is.
    pub fn report(
        &mut self,
        id: &ViewId,
        report: &ViewReport,
        own: &str,
        now: Duration,
    ) -> Result<u64, Refused> {
        let view = self.views.get_mut(id).ok_or(Refused::Unknown)?;
        let statement = view.statement.as_mut().ok_or(Refused::Unread)?;
        let calm_at = view.calm_at.max(now) + ONE_MORE_EACH;
        if calm_at > now + ONE_MORE_EACH * BURST {
            return Err(Refused::TooMany { after: calm_at - now - ONE_MORE_EACH * BURST });
        }
        view.calm_at = calm_at;
        let passed = i64::try_from(now.saturating_sub(view.heard).as_millis()).unwrap_or(i64::MAX);
        let at = Timestamp::from_millis(view.at.as_millis().saturating_add(passed));
        let age = at.since(view.started_at);
        let since = view.reported.map_or(age, |reported| now.saturating_sub(reported));
        let Some(news) = statement.take(report, (age, since), at, own) else { return Ok(self.ticket) };
        view.reported = Some(now);
        if !view.is_dirty {
            view.is_dirty = true;
            self.dirty.push(id.clone());
        }
        self.ticket += 1;
        if let Some(broadcast) = self.broadcasts.get_mut(&view.broadcast) {
            let over = broadcast.add(id, news, at);
            self.rows.extend(
                over.map(|(number, step)| {
                    ((view.broadcast.clone(), number), step.row(&view.broadcast, number))
                }),
            );
            self.bound(now);
        }
        Ok(self.ticket)
    }

    /// Everything that is not written yet.
    pub fn take(&mut self) -> Batch {
        let parting = std::mem::take(&mut self.parting).into_iter();
        let statements = parting.map(|(id, (broadcast, statement))| (id, broadcast, statement)).collect();
        let steps = std::mem::take(&mut self.rows).into_values().collect();
        let mut batch = Batch { statements, ticket: self.ticket, steps };
        for id in std::mem::take(&mut self.dirty) {
            let Some(view) = self.views.get_mut(&id) else { continue };
            view.is_dirty = false;
            if let Some(statement) = &view.statement {
                batch.statements.push((id, view.broadcast.clone(), statement.clone()));
            }
        }
        for (id, broadcast) in &mut self.broadcasts {
            if std::mem::take(&mut broadcast.is_dirty) {
                batch.steps.extend(broadcast.step.iter().map(|(number, step)| step.row(id, *number)));
            }
        }
        batch.steps.sort_by(|a, b| (&a.broadcast, a.step).cmp(&(&b.broadcast, b.step)));
        batch
    }

    /// The rest of a batch was written; of these the view or the broadcast itself is not written yet: they are to be written
    /// again later. What nobody can add to any more is dropped if that takes too long.
    pub fn put_back(&mut self, early: Batch, now: Duration) {
        // All that waited was in the batch: what is not early again is written.
        let before = std::mem::take(&mut self.early);
        let since = |key: &Early| before.get(key).copied().unwrap_or(now);
        let is_over = |at: Duration| now.saturating_sub(at) >= EARLY_MOST;
        for (id, broadcast, statement) in early.statements {
            let key = Early::View(id.clone());
            let at = since(&key);
            if let Some(view) = self.views.get_mut(&id) {
                if !std::mem::replace(&mut view.is_dirty, true) {
                    self.dirty.push(id);
                }
            } else if is_over(at) {
                self.dropped += 1;
                self.lost.insert(id, now);
                continue;
            } else {
                // What was said later is there already.
                self.parting.entry(id).or_insert((broadcast, statement));
            }
            self.early.insert(key, at);
        }
        for row in early.steps {
            let key = Early::Step(row.broadcast.clone(), row.step);
            let at = since(&key);
            let known = self.broadcasts.get_mut(&row.broadcast);
            if let Some(broadcast) = known.filter(|broadcast| broadcast.is_in(row.step)) {
                broadcast.is_dirty = true;
            } else if is_over(at) {
                self.dropped += 1;
                continue;
            } else {
                self.rows.entry((row.broadcast.clone(), row.step)).or_insert(row);
            }
            self.early.insert(key, at);
        }
        self.bound(now);
    }

    /// Whether all that a view's player said is on disk, when a batch with it was written.
    pub fn is_written(&self, id: &ViewId) -> bool {
        !self.early.contains_key(&Early::View(id.clone())) && !self.lost.contains_key(id)
    }

    /// Whether something may still be said of a broadcast, or waits to be written.
    pub fn may_change(&self, id: &BroadcastId) -> bool {
        self.broadcasts.contains_key(id)
            || self.rows.keys().any(|(broadcast, _)| broadcast == id)
            || self.parting.values().any(|(broadcast, _)| broadcast == id)
            || self.views.values().any(|view| view.broadcast == *id)
    }

    /// How many statements and steps were dropped since this was last asked.
    pub fn take_dropped(&mut self) -> u64 {
        std::mem::take(&mut self.dropped)
    }

    /// Whether anything waits to be written.
    pub fn is_dirty(&self) -> bool {
        let is_waiting = !self.dirty.is_empty() || !self.parting.is_empty() || !self.rows.is_empty();
        is_waiting || self.broadcasts.values().any(|broadcast| broadcast.is_dirty)
    }

    /// How many views may be reported of.
    pub fn len(&self) -> usize {
        self.views.len()
    }

    /// Whether none may.
    pub fn is_empty(&self) -> bool {
        self.views.is_empty()
    }
}

impl Broadcast {
    /// Gives the step before, if this begins another one and that isn't written yet.
    fn add(&mut self, view: &ViewId, news: News, at: Timestamp) -> Option<(u64, Step)> {
        let number = at.since(self.started_at).as_secs() / STEP.as_secs();
        // Of a broadcast that is over, no step comes after the last. One that was written can't be changed any more.
        let last = self.step.as_ref().map_or(number, |(last, _)| *last);
        let number = if self.is_over { last } else { number.max(last) };
        if news == News::default() {
            return None;
        }
        let before = self.step.take_if(|(last, _)| *last != number).filter(|_| self.is_dirty);
        let (_, step) = self.step.get_or_insert_with(|| (number, Step::default()));
        step.freezes = step.freezes.saturating_add(news.freezes);
        if let Some(latency) = news.latency {
            step.latencies.insert(view.clone(), latency);
        }
        self.is_dirty = true;
        before
    }

    fn is_in(&self, number: u64) -> bool {
        self.step.as_ref().is_some_and(|(step, _)| *step == number)
    }
}

impl Step {
    fn row(&self, broadcast: &BroadcastId, number: u64) -> StepRow {
        let mut latencies: Vec<u32> = self.latencies.values().copied().collect();
        latencies.sort_unstable();
        StepRow {
            broadcast: broadcast.clone(),
            step: number,
            freezes: self.freezes,
            latency: super::tally::quantile(&latencies, 50).copied(),
            samples: u32::try_from(latencies.len()).unwrap_or(u32::MAX),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: &str = "https://tv.example";

    fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    /// By a broadcast's clock, which is years away from the process's.
    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_millis(1_700_000_000_000 + seconds as i64 * 1000)
    }

    fn view(id: &str) -> ViewId {
        id.parse().unwrap()
    }

    fn broadcast() -> BroadcastId {
        "b".parse().unwrap()
    }

    fn statements(views: &[&str]) -> Statements {
        let mut statements = Statements::default();
        statements.heed(Fact::BroadcastStarted { id: broadcast(), at: at(0) }, s(0));
        for id in views {
            statements.heed(Fact::ViewStarted { id: view(id), broadcast: broadcast(), at: at(1) }, s(1));
        }
        statements
    }

    fn said(sequence: u32, freezes: u32, latency: Option<u32>) -> ViewReport {
        ViewReport { sequence, freezes, latency, ..Default::default() }
    }

    #[test]
    fn many_reports_of_a_view_are_one_line_and_one_step() {
        let mut statements = statements(&["v", "w"]);
        assert_eq!(statements.report(&view("v"), &said(1, 1, Some(100)), OWN, s(6)), Ok(1));
        assert_eq!(statements.report(&view("v"), &said(2, 3, Some(300)), OWN, s(7)), Ok(2));
        assert_eq!(statements.report(&view("w"), &said(1, 0, Some(200)), OWN, s(8)), Ok(3));
        let batch = statements.take();
        assert_eq!((batch.statements.len(), batch.ticket), (2, 3));
        assert_eq!((batch.statements[0].2.freezes, batch.statements[0].2.latency()), (3, Some(200)));
        let row = StepRow { broadcast: broadcast(), step: 1, freezes: 3, latency: Some(200), samples: 2 };
        assert_eq!(batch.steps, std::slice::from_ref(&row));
        assert!(statements.take().is_empty());
        // More in the same step makes the row whole again.
        statements.report(&view("w"), &said(2, 1, None), OWN, s(9)).unwrap();
        assert_eq!(statements.take().steps, [StepRow { freezes: 4, ..row }]);
        statements.report(&view("w"), &said(3, 1, Some(50)), OWN, s(10)).unwrap();
        let row = StepRow { broadcast: broadcast(), step: 2, freezes: 0, latency: Some(50), samples: 1 };
        assert_eq!(statements.take().steps, [row]);
    }

    #[test]
    fn strangers_are_unknown_and_chatterers_wait() {
        let mut statements = statements(&["v"]);
        assert_eq!(statements.report(&view("x"), &said(1, 0, None), OWN, s(2)), Err(Refused::Unknown));
        for sequence in 0..BURST {
            assert!(statements.report(&view("v"), &said(sequence, 0, None), OWN, s(2)).is_ok());
        }
        let refused = statements.report(&view("v"), &said(99, 9, None), OWN, s(2));
        assert_eq!(refused, Err(Refused::TooMany { after: s(1) }));
        assert!(statements.report(&view("v"), &said(100, 0, None), OWN, s(3)).is_ok());
    }

    #[test]
    fn last_words_are_heard_for_a_minute() {
        let mut statements = statements(&["v", "w"]);
        statements.heed(Fact::ViewEnded { id: view("v") }, s(10));
        statements.tick(s(69));
        assert!(statements.report(&view("v"), &said(1, 1, None), OWN, s(69)).is_ok());
        statements.take();
        statements.tick(s(70));
        assert_eq!(statements.report(&view("v"), &said(2, 1, None), OWN, s(70)), Err(Refused::Unknown));
        statements.heed(Fact::BroadcastEnded { id: broadcast() }, s(80));
        assert!(statements.report(&view("w"), &said(1, 1, None), OWN, s(100)).is_ok());
        assert_eq!(statements.take().steps.len(), 1);
        assert!(statements.may_change(&broadcast()));
        statements.tick(s(140));
        assert!(!statements.may_change(&broadcast()));
        assert!(statements.is_empty() && statements.broadcasts.is_empty());
    }

    #[test]
    fn a_view_that_comes_back_goes_on_with_what_was_said() {
        let mut statements = statements(&["v"]);
        statements.report(&view("v"), &said(4, 2, None), OWN, s(5)).unwrap();
        statements.heed(Fact::ViewEnded { id: view("v") }, s(6));
        statements.heed(Fact::ViewResumed { id: view("v"), broadcast: broadcast(), at: at(9) }, s(9));
        statements.tick(s(100));
        assert!(statements.report(&view("v"), &said(5, 3, None), OWN, s(100)).is_ok(), "it is watched");
        let batch = statements.take();
        assert_eq!(
            (batch.statements[0].2.freezes, batch.steps.iter().map(|step| step.freezes).sum::<u32>()),
            (3, 3)
        );

        // Another process: it must be read first.
        let mut later = Statements::default();
        later.heed(Fact::BroadcastStarted { id: broadcast(), at: at(0) }, s(0));
        later.heed(Fact::ViewResumed { id: view("v"), broadcast: broadcast(), at: at(200) }, s(1));
        assert_eq!(later.report(&view("v"), &said(6, 4, None), OWN, s(2)), Err(Refused::Unread));
        later.read(&view("v"), Some((at(1), batch.statements[0].2.clone())));
        assert!(later.report(&view("v"), &said(6, 4, None), OWN, s(2)).is_ok());
        let batch = later.take();
        assert_eq!((batch.statements[0].2.freezes, batch.steps[0].freezes, batch.steps[0].step), (4, 1, 40));
    }

    #[test]
    fn what_could_not_be_written_waits() {
        let mut statements = statements(&["v"]);
        statements.report(&view("v"), &said(1, 0, None), OWN, s(2)).unwrap();
        assert_eq!(statements.take().statements.len(), 1);
        statements.report(&view("v"), &said(2, 1, None), OWN, s(3)).unwrap();
        let batch = statements.take();
        assert!(!statements.is_dirty() && statements.is_written(&view("v")));
        statements.put_back(batch.clone(), s(3));
        assert!(statements.is_dirty() && !statements.is_written(&view("v")));
        statements.heed(Fact::ViewEnded { id: view("v") }, s(3));
        statements.tick(s(90));
        assert_eq!(statements.take(), batch, "not forgotten before it is written");
        // And not when it is early again after it was forgotten.
        statements.heed(Fact::BroadcastEnded { id: broadcast() }, s(4));
        statements.tick(s(91));
        statements.put_back(batch.clone(), s(50));
        let again = statements.take();
        assert_eq!(again, batch);
        statements.put_back(Batch::default(), s(50));
        assert!(!statements.is_dirty() && statements.is_written(&view("v")));
        // What it is of never comes: it is dropped, and nobody is told that it is on disk.
        statements.put_back(again, s(100));
        let again = statements.take();
        statements.put_back(again, s(160));
        assert!(!statements.is_dirty() && !statements.is_written(&view("v")));
        assert_eq!((statements.take_dropped(), statements.take_dropped()), (2, 0));
    }

    #[test]
    fn a_step_that_goes_on_is_not_overwritten_by_what_comes_back() {
        let mut statements = statements(&["v"]);
        statements.report(&view("v"), &said(1, 1, None), OWN, s(2)).unwrap();
        let first = statements.take();
        statements.report(&view("v"), &said(2, 2, None), OWN, s(3)).unwrap();
        // The next step begins while the first is being written.
        statements.report(&view("v"), &said(3, 3, None), OWN, s(8)).unwrap();
        statements.put_back(first, s(8));
        let steps: Vec<(u64, u32)> =
            statements.take().steps.iter().map(|row| (row.step, row.freezes)).collect();
        assert_eq!(steps, [(0, 2), (1, 1)]);
    }

    #[test]
    fn reports_that_can_t_be_written_cost_bounded_memory() {
        let mut statements = statements(&["v"]);
        for n in 0..STEPS_MOST as u64 + 10 {
            statements.report(&view("v"), &said(n as u32, 0, Some(1)), OWN, s(5 + n * 5)).unwrap();
        }
        assert_eq!(statements.rows.len(), STEPS_MOST);
        assert_eq!(statements.broadcasts[&broadcast()].step.as_ref().unwrap().1.latencies.len(), 1);
        assert_eq!(statements.take_dropped(), 9);
        let mut leaving = self::statements(&[]);
        for n in 0..PARTING_MOST + 10 {
            let id = view(&format!("v{n:06}"));
            leaving.heed(Fact::ViewStarted { id: id.clone(), broadcast: broadcast(), at: at(1) }, s(1));
            leaving.report(&id, &said(1, 0, None), OWN, s(1)).unwrap();
            leaving.heed(Fact::ViewEnded { id }, s(2));
        }
        leaving.tick(s(62));
        assert_eq!((leaving.parting.len(), leaving.take_dropped()), (PARTING_MOST, 10));
        assert!(!leaving.is_written(&view("v000009")) && leaving.is_written(&view("v000010")));
        leaving.tick(s(72));
        assert!(leaving.lost.is_empty());
    }

    #[test]
    fn a_crowd_that_leaves_costs_bounded_memory() {
        let mut statements = statements(&[]);
        for n in 0..120_000 {
            let id = view(&format!("v{n}"));
            statements.heed(Fact::ViewStarted { id: id.clone(), broadcast: broadcast(), at: at(1) }, s(1));
            statements.heed(Fact::ViewEnded { id }, s(2));
        }
        assert_eq!(statements.len(), OVER_MOST);
    }
}
