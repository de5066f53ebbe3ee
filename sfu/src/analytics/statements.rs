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
    calm_at: Duration,
}

#[derive(Debug)]
struct Broadcast {
    started_at: Timestamp,
    steps: BTreeMap<u64, Step>,
    dirty: HashSet<u64>,
    is_over: bool,
}

#[derive(Debug, Default)]
struct Step {
    freezes: u32,
    latencies: HashMap<ViewId, u32>,
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
    parting: Vec<(ViewId, BroadcastId, Statement)>,
    ticket: u64,
}

impl Statements {
    /// Hears of something that happened.
    pub fn heed(&mut self, fact: Fact, now: Duration) {
        match fact {
            Fact::BroadcastStarted { id, at } => {
                let broadcast = Broadcast {
                    started_at: at,
                    steps: BTreeMap::new(),
                    dirty: HashSet::new(),
                    is_over: false,
                };
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
            calm_at: now,
        };
        self.views.insert(id, view);
    }

    fn ended(&mut self, id: ViewId, now: Duration) {
        let Some(view) = self.views.get_mut(&id) else { return };
        view.ended_at = Some(now);
        self.over.push_back((now, id));
        if self.over.len() > OVER_MOST {
            self.forget_first();
        }
    }

    fn forget_first(&mut self) {
        let Some((at, id)) = self.over.pop_front() else { return };
        // It may have been opened again since, and ended again.
        if self.views.get(&id).is_none_or(|view| view.ended_at != Some(at)) {
            return;
        }
        if let Some(View { broadcast, statement: Some(statement), is_dirty: true, .. }) =
            self.views.remove(&id)
        {
            self.parting.push((id, broadcast, statement));
        }
    }

    /// Forgets what is over for long enough.
    pub fn tick(&mut self, now: Duration) {
        while self.over.front().is_some_and(|(at, _)| now.saturating_sub(*at) >= LAST_WORDS) {
            self.forget_first();
        }
        let watched: HashSet<&BroadcastId> = self.views.values().map(|view| &view.broadcast).collect();
        self.broadcasts.retain(|id, broadcast| {
            !broadcast.is_over || !broadcast.dirty.is_empty() || watched.contains(id)
        });
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
        let Some(news) = statement.take(report, age, at, own) else { return Ok(self.ticket) };
        if !view.is_dirty {
            view.is_dirty = true;
            self.dirty.push(id.clone());
        }
        self.ticket += 1;
        if let Some(broadcast) = self.broadcasts.get_mut(&view.broadcast) {
            broadcast.add(id, news, at);
        }
        Ok(self.ticket)
    }

    /// Everything that is not written yet.
    pub fn take(&mut self) -> Batch {
        let statements = std::mem::take(&mut self.parting);
        let mut batch = Batch { statements, ticket: self.ticket, steps: Vec::new() };
        for id in std::mem::take(&mut self.dirty) {
            let Some(view) = self.views.get_mut(&id) else { continue };
            view.is_dirty = false;
            if let Some(statement) = &view.statement {
                batch.statements.push((id, view.broadcast.clone(), statement.clone()));
            }
        }
        for (id, broadcast) in &mut self.broadcasts {
            let dirty = std::mem::take(&mut broadcast.dirty);
            let rows = dirty.iter().filter_map(|step| Some((*step, broadcast.steps.get(step)?)));
            batch.steps.extend(rows.map(|(number, step)| step.row(id, number)));
            // A report belongs to the step in which it comes: only the last can still change.
            let last = broadcast.steps.keys().next_back().copied();
            broadcast.steps.retain(|step, _| Some(*step) == last);
        }
        batch.steps.sort_by(|a, b| (&a.broadcast, a.step).cmp(&(&b.broadcast, b.step)));
        batch
    }

    /// The view itself is not written yet: its statement is to be written again later.
    pub fn put_back(&mut self, ids: impl IntoIterator<Item = ViewId>) {
        for id in ids {
            if let Some(view) = self.views.get_mut(&id)
                && !view.is_dirty
            {
                view.is_dirty = true;
                self.dirty.push(id);
            }
        }
    }

    /// Whether anything waits to be written.
    pub fn is_dirty(&self) -> bool {
        !self.dirty.is_empty() || !self.parting.is_empty()
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
    fn add(&mut self, view: &ViewId, news: News, at: Timestamp) {
        let number = at.since(self.started_at).as_secs() / STEP.as_secs();
        // Of a broadcast that is over, no step comes after the last. One that was written can't be changed any more.
        let last = self.steps.keys().next_back().copied().unwrap_or(number);
        let number = if self.is_over { last } else { number.max(last) };
        if news == News::default() {
            return;
        }
        let step = self.steps.entry(number).or_default();
        step.freezes = step.freezes.saturating_add(news.freezes);
        if let Some(latency) = news.latency {
            step.latencies.insert(view.clone(), latency);
        }
        self.dirty.insert(number);
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
        statements.tick(s(140));
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
        statements.put_back([view("v"), view("gone")]);
        assert!(statements.is_dirty());
        statements.heed(Fact::ViewEnded { id: view("v") }, s(3));
        statements.tick(s(90));
        assert_eq!(statements.take().statements.len(), 1, "not forgotten before it is written");
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
