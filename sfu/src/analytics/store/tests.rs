use super::*;
use crate::analytics::{
    ChatSource, ChatTotal, Owners,
    service::{Analytics, Desk, ReportError},
    statements::Fact,
};
use crate::{actor::Actor, http::problem::ProblemResponse};
use futures_util::{FutureExt, future::BoxFuture};
use shared::analytics::{BroadcastAnalytics, ViewReport};
use std::time::Instant;

struct Nobody;

impl Owners for Nobody {
    fn managed<'a>(
        &'a self,
        _: &'a Actor,
        _: &'a ChannelName,
    ) -> BoxFuture<'a, Result<ChannelId, ProblemResponse>> {
        async { Ok("c".parse().unwrap()) }.boxed()
    }
}

impl ChatSource for Nobody {
    fn totals<'a>(
        &'a self,
        _: &'a [BroadcastId],
    ) -> BoxFuture<'a, Result<HashMap<BroadcastId, ChatTotal>, StoreError>> {
        async { Ok(HashMap::new()) }.boxed()
    }

    fn seconds<'a>(
        &'a self,
        _: &'a BroadcastId,
        _: Timestamp,
    ) -> BoxFuture<'a, Result<Vec<(u64, u32)>, StoreError>> {
        async { Ok(Vec::new()) }.boxed()
    }
}

async fn analytics() -> (tempfile::TempDir, Store, Analytics) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open_in(dir.path()).await.unwrap();
    let insert = "INSERT INTO channels (id, name, display_name, title, description, category, tags, visibility, created_at)
                  VALUES ('c', 'ada', 'Ada', '', '', '', '[]', 'PUBLIC', 0)";
    sqlx::query(insert).execute(store.pool()).await.unwrap();
    let kept = AnalyticsStore::new(store.clone(), "p");
    let desk = Desk::start(kept.clone());
    let analytics = Analytics::new(kept, desk, Arc::new(Nobody), Arc::new(Nobody));
    (dir, store, analytics)
}

async fn run(store: &Store, statement: &'static str) {
    sqlx::query(statement).execute(store.pool()).await.unwrap();
}

/// A broadcast of twelve hours with 50,000 views, each of two spans and with a report.
async fn evening(store: &Store) {
    run(store, "INSERT INTO broadcasts (id, channel_id, title, category, started_at) VALUES ('b', 'c', '', '', 1000000)").await;
    run(
        store,
        "WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 49999)
         INSERT INTO views (id, broadcast_id, started_at, device, browser, region)
         SELECT 'v0123456789abcdefghi' || i, 'b', 1000000 + i * 800, 'phone', 'Chrome', 'DE' FROM n",
    )
    .await;
    for span in [
        "1, broadcast_id, started_at, started_at + 600000",
        "2, broadcast_id, started_at + 700000, started_at + 900000",
    ] {
        let insert = format!("INSERT INTO view_spans SELECT id, {span} FROM views");
        sqlx::query(sqlx::AssertSqlSafe(insert)).execute(store.pool()).await.unwrap();
    }
    run(
        store,
        "INSERT INTO view_reports SELECT id, 'b', 1, 200, 0, 0, NULL, 300, 1, 'VP8', 720, NULL, NULL FROM views",
    )
    .await;
    run(store, "INSERT INTO heartbeat (only_row, at, wall) VALUES (1, 44200000, 44200000)").await;
}

/// Measures; what is asserted is that the figures are right.
#[tokio::test]
async fn a_long_evening_with_many_views_is_tallied_in_time() {
    let (_dir, store, analytics) = analytics().await;
    evening(&store).await;
    let kept = AnalyticsStore::new(store.clone(), "p");
    let listed = kept.last(&"c".parse().unwrap()).await.unwrap().unwrap();
    let began = Instant::now();
    let evidence = kept.evidence(&listed).await.unwrap();
    println!("of that, read: {:?}", began.elapsed());
    let began = Instant::now();
    crate::analytics::tally::tally(&evidence);
    println!("and tallied: {:?}", began.elapsed());
    let began = Instant::now();
    let figures: BroadcastAnalytics = analytics.latest(&"c".parse().unwrap()).await.unwrap().unwrap();
    println!("50,000 views of 12 h, from the database to the figures: {:?}", began.elapsed());
    assert_eq!(figures.summary.total_views, 50_000);
    assert_eq!(figures.quality.reports, 50_000);
    // Whoever asks meanwhile is told the same.
    run(&store, "DELETE FROM view_reports WHERE view_id LIKE '%9'").await;
    let began = Instant::now();
    let again = analytics.latest(&"c".parse().unwrap()).await.unwrap().unwrap();
    println!("the same once more: {:?}", began.elapsed());
    assert_eq!(again, figures);
    // Nobody's times go beyond what is known.
    assert!(figures.summary.total_watch_time <= 50_000.0 * 800.0);
    run(&store, "UPDATE broadcasts SET ended_at = 1000000 + 43200000").await;
    let began = Instant::now();
    let wanted = Wanted { after: None, limit: 50 };
    let list = analytics.list(&"c".parse().unwrap(), &wanted).await.unwrap();
    println!("a list with it, the first time: {:?}", began.elapsed());
    assert_eq!(list.items[0].total_views, 50_000);
    let began = Instant::now();
    let again = analytics.list(&"c".parse().unwrap(), &wanted).await.unwrap();
    println!("a list with it, from then on: {:?}", began.elapsed());
    assert_eq!(again, list);
}

#[tokio::test]
async fn sums_are_whole_numbers_in_postgresql_too_and_find_open_spans_by_their_index() {
    let (_dir, store, analytics) = analytics().await;
    evening(&store).await;
    run(&store, "INSERT INTO views (id, broadcast_id, started_at) VALUES ('now', 'b', 44100000)").await;
    run(&store, "INSERT INTO view_spans VALUES ('now', 1, 'b', 44100000, NULL)").await;
    let sums = analytics.instance().await.unwrap();
    assert_eq!((sums.broadcasts, sums.concurrent_viewers, sums.total_views), (1, 1, 50_001));
    assert_eq!(sums.total_watch_time, 50_000.0 * 800.0 + 100.0);
    // Where nothing was live since there are heartbeats, what is over counts all the same.
    run(&store, "DELETE FROM heartbeat").await;
    assert_eq!(analytics.instance().await.unwrap().total_watch_time, 50_000.0 * 800.0);
    let is_cast = |(at, _)| SUMS[..at].ends_with("CAST(COALESCE(");
    assert_eq!(SUMS.match_indices("SUM(").filter(|sum| is_cast(*sum)).count(), SUMS.matches("SUM(").count());
    for query in [SUMS, "UPDATE view_spans SET ended_at = started_at WHERE ended_at IS NULL"] {
        let explain = format!("EXPLAIN QUERY PLAN {query}");
        let plan = sqlx::query(sqlx::AssertSqlSafe(explain)).fetch_all(store.pool()).await.unwrap();
        let plan: Vec<String> = plan.iter().map(|row| row.get(3)).collect();
        assert!(plan.iter().any(|step| step.contains("view_spans_open")), "{plan:?}");
    }
}

#[tokio::test]
async fn a_report_before_its_view_is_written_is_not_acknowledged_and_not_lost() {
    let (_dir, store, analytics) = analytics().await;
    let desk = analytics.desk();
    let (view, broadcast): (ViewId, BroadcastId) = ("v".parse().unwrap(), "b".parse().unwrap());
    let at = Timestamp::from_millis(1_000_000);
    desk.heed(Fact::BroadcastStarted { id: broadcast.clone(), at });
    desk.heed(Fact::ViewStarted { id: view.clone(), broadcast, at });
    let said = ViewReport { sequence: 1, latency: Some(100), ..Default::default() };
    let refused = desk.report(&view, &said, "https://tv.example").await;
    assert!(matches!(refused, Err(ReportError::Store(StoreError::Busy))), "{refused:?}");
    run(&store, "INSERT INTO broadcasts (id, channel_id, title, category, started_at) VALUES ('b', 'c', '', '', 1000000)").await;
    run(&store, "INSERT INTO views (id, broadcast_id, started_at) VALUES ('v', 'b', 1000000)").await;
    // Said again, it is taken already: acknowledged when it is on disk.
    desk.report(&view, &said, "https://tv.example").await.unwrap();
    for table in ["view_reports WHERE latency_sum = 100", "broadcast_steps WHERE samples = 1"] {
        let count = format!("SELECT COUNT(*) FROM {table}");
        let row = sqlx::query(sqlx::AssertSqlSafe(count)).fetch_one(store.pool()).await.unwrap();
        assert_eq!(row.get::<i64, _>(0), 1, "{table}");
    }
}

/// A broadcast of a minute, with a view, that is over.
async fn minute(store: &Store) {
    run(store, "INSERT INTO broadcasts (id, channel_id, title, category, started_at, ended_at) VALUES ('b', 'c', '', '', 1000000, 1060000)").await;
    run(store, "INSERT INTO views (id, broadcast_id, started_at) VALUES ('v', 'b', 1000000)").await;
    run(store, "INSERT INTO view_spans VALUES ('v', 1, 'b', 1000000, 1060000)").await;
}

#[tokio::test]
async fn a_broadcast_that_is_over_is_tallied_once() {
    let (_dir, store, analytics) = analytics().await;
    minute(&store).await;
    let channel = "c".parse().unwrap();
    let figures = analytics.latest(&channel).await.unwrap().unwrap();
    assert_eq!((figures.summary.total_views, figures.summary.total_watch_time), (1, 60.0));
    run(&store, "DELETE FROM view_spans").await;
    assert_eq!(analytics.latest(&channel).await.unwrap().unwrap(), figures);
    // Another end is another broadcast.
    run(&store, "UPDATE broadcasts SET ended_at = 1070000").await;
    let figures = analytics.latest(&channel).await.unwrap().unwrap();
    assert_eq!((figures.summary.duration.0, figures.quality.reports), (70, 0));
}

#[tokio::test]
async fn last_words_after_the_end_are_told() {
    let (_dir, store, analytics) = analytics().await;
    minute(&store).await;
    let (channel, desk) = ("c".parse().unwrap(), analytics.desk());
    let (view, broadcast): (ViewId, BroadcastId) = ("v".parse().unwrap(), "b".parse().unwrap());
    let at = Timestamp::from_millis(1_000_000);
    desk.heed(Fact::BroadcastStarted { id: broadcast.clone(), at });
    desk.heed(Fact::ViewStarted { id: view.clone(), broadcast: broadcast.clone(), at });
    desk.heed(Fact::BroadcastEnded { id: broadcast });
    assert_eq!(analytics.latest(&channel).await.unwrap().unwrap().quality.reports, 0);
    let said = ViewReport { sequence: 1, ..Default::default() };
    desk.report(&view, &said, "https://tv.example").await.unwrap();
    let told = async {
        while analytics.latest(&channel).await.unwrap().unwrap().quality.reports == 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(60), told).await.expect("the last words");
}
