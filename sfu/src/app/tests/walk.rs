//! Evenings at random, in virtual time: viewers come, go, come back and take over from themselves; publishers vanish; the
//! system's clock is set; the server is stopped and killed. From registry to record to tally, the figures must be those of
//! a witness who keeps a list of his own.

use crate::{
    analytics::{
        store::AnalyticsStore,
        tally::{Tally, tally},
    },
    audience::Audience,
    broadcast::{
        log::{BroadcastLog, Record},
        registry::{Input, Output, Registry},
        store::SqlBroadcastLog,
    },
    store::Store,
};
use shared::{
    id::{BroadcastId, ChannelId, SessionId, ViewId},
    unit::Timestamp,
};
use std::{collections::BTreeMap, time::Duration};

const CHANNEL: &str = "c";

struct Random(u64);

impl Random {
    fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % most
    }
}

/// What the witness writes down: when each view was watched.
#[derive(Default)]
struct Witness {
    times: BTreeMap<ViewId, Vec<(i64, Option<i64>)>>,
    watching: BTreeMap<SessionId, ViewId>,
}

impl Witness {
    fn comes(&mut self, session: &SessionId, view: &ViewId, now: i64) {
        if let Some(old) = self.watching.iter().find(|(_, other)| *other == view).map(|(old, _)| old.clone())
        {
            self.watching.remove(&old);
        } else {
            self.times.entry(view.clone()).or_default().push((now, None));
        }
        self.watching.insert(session.clone(), view.clone());
    }

    fn goes(&mut self, session: &SessionId, now: i64) {
        let view = self.watching.remove(session).expect("somebody who watches");
        self.times.get_mut(&view).expect("a view").last_mut().expect("a time").1 = Some(now);
    }

    fn all_go(&mut self, now: i64) {
        for view in std::mem::take(&mut self.watching).into_values() {
            let (from, to) = self.times.get_mut(&view).expect("a view").last_mut().expect("a time");
            *to = Some(now.max(*from));
        }
    }

    fn watch_time(&self) -> i64 {
        self.times.values().flatten().map(|(from, to)| to.expect("an end") - from).sum()
    }

    fn peak(&self) -> usize {
        let at = |ms: i64| {
            let watches = |times: &Vec<(i64, Option<i64>)>| {
                times.iter().any(|(from, to)| *from <= ms && to.is_none_or(|to| ms < to))
            };
            self.times.values().filter(|times| watches(times)).count()
        };
        // It can only be reached when somebody comes.
        self.times.values().flatten().map(|(from, _)| at(*from)).max().unwrap_or(0)
    }
}

struct Evening {
    log: SqlBroadcastLog,
    registry: Registry,
    /// By the registry's clock.
    now: i64,
    /// By how much the system's is ahead.
    jump: i64,
    heartbeat: i64,
    records: Vec<Record>,
    witness: Witness,
    names: u64,
}

impl Evening {
    fn name<T: std::str::FromStr>(&mut self, kind: &str) -> T {
        self.names += 1;
        format!("{kind}{}", self.names).parse().unwrap_or_else(|_| panic!("a name"))
    }

    fn wall(&self) -> Timestamp {
        Timestamp::from_millis(self.now + self.jump)
    }

    fn take(&mut self, outputs: Vec<Output>) {
        for output in outputs {
            if let Output::Record(record) = output {
                if let Record::Heartbeat(beat) = &record {
                    self.heartbeat = beat.at.as_millis();
                }
                self.records.push(record);
            }
        }
    }

    fn handle(&mut self, input: Input) {
        let outputs = self.registry.handle(input, Timestamp::from_millis(self.now));
        self.take(outputs);
    }

    /// Time passes, second by second.
    fn pass(&mut self, ms: i64) {
        for _ in 0..ms / 1000 {
            self.now += 1000;
            self.handle(Input::Tick { wall: self.wall() });
        }
        self.now += ms % 1000;
    }

    fn publish(&mut self) {
        let session: SessionId = self.name("p");
        self.handle(Input::Published {
            channel: channel(),
            name: "ada".parse().unwrap(),
            title: "Hello".parse().unwrap(),
            category: shared::text::Category::default(),
            session: session.clone(),
            user_agent: String::new(),
            reserved: None,
        });
        let fresh: BroadcastId = self.name("b");
        self.handle(Input::Flows { channel: channel(), session, fresh });
    }

    fn come(&mut self, view: ViewId, comes_back: bool) {
        let session: SessionId = self.name("s");
        self.witness.comes(&session, &view, self.now);
        let audience = Audience::default();
        self.handle(Input::ViewerJoined { channel: channel(), session, view, comes_back, audience });
    }

    async fn write(&mut self) {
        // Written twice: the same as once.
        self.log.append(self.records.clone()).await.unwrap();
        self.log.append(std::mem::take(&mut self.records)).await.unwrap();
    }

    /// Another process takes over, `gap` after the last sign of life.
    async fn restart(&mut self, is_killed: bool, gap: i64) {
        if is_killed {
            self.witness.all_go(self.heartbeat);
        } else {
            self.witness.all_go(self.now);
            self.handle(Input::Stop { wall: self.wall() });
        }
        self.write().await;
        let last_wall = self.wall().as_millis() - (self.now - self.heartbeat);
        self.log.close_stale_spans().await.unwrap();
        let left = self.log.left(1000).await.unwrap();
        let wall = Timestamp::from_millis(last_wall + (self.now - self.heartbeat) + gap);
        self.now = Registry::clock_start(&left, wall).as_millis();
        self.registry = Registry::default();
        let outputs = self.registry.recover(left.broadcasts, Timestamp::from_millis(self.now), wall);
        self.take(outputs);
        self.publish();
    }
}

fn channel() -> ChannelId {
    CHANNEL.parse().unwrap()
}

async fn walk(store: &Store, seed: u64) -> (Tally, Witness) {
    let mut random = Random(seed);
    let mut evening = Evening {
        log: SqlBroadcastLog::new(store.clone()),
        registry: Registry::default(),
        now: 1_700_000_000_000 + seed as i64 * 100_000_000,
        jump: 0,
        heartbeat: 0,
        records: Vec::new(),
        witness: Witness::default(),
        names: seed * 10_000,
    };
    evening.publish();
    for _ in 0..60 {
        let pause = [0, 1, 700, 2300, 5000, 9999][random.below(6) as usize];
        evening.pass(pause);
        let watching: Vec<SessionId> = evening.witness.watching.keys().cloned().collect();
        let views: Vec<ViewId> = evening.witness.times.keys().cloned().collect();
        match random.below(20) {
            0..=6 => {
                let view = evening.name("v");
                evening.come(view, false);
            }
            7..=11 if !watching.is_empty() => {
                let session = watching[random.below(watching.len() as u64) as usize].clone();
                evening.witness.goes(&session, evening.now);
                evening.handle(Input::ViewerLeft { channel: channel(), session, quiet: Duration::ZERO });
            }
            12..=15 if !views.is_empty() => {
                // Whether somebody watches it or not.
                let view = views[random.below(views.len() as u64) as usize].clone();
                evening.come(view, true);
            }
            16 => {
                evening.jump += [-3_600_000, -2000, 5000, 86_400_000][random.below(4) as usize];
                // Were the server killed before the next heartbeat, nobody could know how long it was away.
                evening.pass(1000);
            }
            17 => evening.publish(),
            18 => evening.restart(false, random.below(20_000) as i64).await,
            // The next process is there a moment after the kill at the earliest.
            19 => evening.restart(true, 1 + random.below(20_000) as i64).await,
            _ => {}
        }
    }
    evening.witness.all_go(evening.now);
    evening.handle(Input::End { channel: channel() });
    evening.write().await;
    let kept = AnalyticsStore::new(store.clone(), "p");
    let listed = kept.last(&channel()).await.unwrap().unwrap();
    (tally(&kept.evidence(&listed).await.unwrap()), evening.witness)
}

#[tokio::test]
async fn whatever_happens_the_figures_are_those_of_a_witness() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open_in(dir.path()).await.unwrap();
    let insert = "INSERT INTO channels (id, name, display_name, title, description, category, tags, visibility, created_at)
                  VALUES ('c', 'ada', 'Ada', '', '', '', '[]', 'PUBLIC', 0)";
    sqlx::query(insert).execute(store.pool()).await.unwrap();
    for seed in 1..=60 {
        let (tally, witness) = walk(&store, seed).await;
        assert_eq!(tally.figures.views, witness.times.len() as u64, "views of {seed}");
        assert_eq!(tally.figures.watch_time as i64, witness.watch_time(), "watch time of {seed}");
        assert_eq!(tally.figures.peak as usize, witness.peak(), "peak of {seed}");
        assert_eq!(tally.concurrent, 0, "nobody is left of {seed}");
    }
}
