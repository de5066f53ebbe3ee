use super::*;
use crate::{
    audience::Audience,
    broadcast::{
        log::{BroadcastLog, Heartbeat, Mark, Record},
        store::SqlBroadcastLog,
    },
    fresh,
};
use shared::{
    id::{BroadcastId, ViewId},
    text::Title,
    unit::Timestamp,
};
use sqlx::Row;
use std::{
    io::{BufRead, BufReader},
    process::{Command, Stdio},
};

async fn store() -> (tempfile::TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open_in(&dir.path().join("a ü%20b/data")).await.unwrap();
    (dir, store)
}

async fn add_channel(store: &Store) {
    let insert = "INSERT INTO channels (id, name, display_name, title, description, category, tags, visibility, created_at)
                  VALUES ('c', 'ada', 'Ada', '', '', '', '[]', 'PUBLIC', 0)";
    sqlx::query(insert).execute(store.pool()).await.unwrap();
}

fn started(id: &str, at: i64) -> Record {
    Record::BroadcastStarted {
        id: id.parse().unwrap(),
        channel: "c".parse().unwrap(),
        title: "<b>Hello</b>".parse::<Title>().unwrap(),
        category: Default::default(),
        at: Timestamp::from_millis(at),
        clock_offset: 0,
    }
}

#[tokio::test]
async fn connections_are_durable_and_checked() {
    let (_dir, store) = store().await;
    for (pragma, expected) in
        [("PRAGMA synchronous", 2), ("PRAGMA foreign_keys", 1), ("PRAGMA busy_timeout", 5000)]
    {
        let row = sqlx::query(sqlx::AssertSqlSafe(pragma)).fetch_one(store.pool()).await.unwrap();
        assert_eq!(row.get::<i64, _>(0), expected, "{pragma}");
    }
    let mode = sqlx::query("PRAGMA journal_mode").fetch_one(store.pool()).await.unwrap();
    assert_eq!(mode.get::<String, _>(0), "wal");
    store.ping().await.unwrap();
}

fn view(id: &str) -> ViewId {
    id.parse().unwrap()
}

fn joined(id: &str, broadcast: &str, at: i64) -> Record {
    let audience = Audience::default();
    let at = Timestamp::from_millis(at);
    Record::ViewStarted { id: view(id), broadcast: broadcast.parse().unwrap(), audience, at }
}

fn left(id: &str, span: u32, at: i64) -> Record {
    Record::ViewEnded { id: view(id), span, at: Timestamp::from_millis(at) }
}

fn resumed(id: &str, span: u32, at: i64) -> Record {
    let broadcast = "b1".parse().unwrap();
    Record::ViewResumed { id: view(id), span, broadcast, at: Timestamp::from_millis(at) }
}

fn beat(at: i64) -> Record {
    let at = Timestamp::from_millis(at);
    Record::Heartbeat(Heartbeat { at, wall: at })
}

async fn spans(store: &Store) -> Vec<(String, i64, i64, Option<i64>)> {
    let rows =
        sqlx::query("SELECT view_id, span, started_at, ended_at FROM view_spans ORDER BY view_id, span")
            .fetch_all(store.pool())
            .await
            .unwrap();
    rows.iter().map(|row| (row.get(0), row.get(1), row.get(2), row.get(3))).collect()
}

#[tokio::test]
async fn records_written_twice_count_once() {
    let (_dir, store) = store().await;
    add_channel(&store).await;
    let log = SqlBroadcastLog::new(store.clone());
    let at = Timestamp::from_millis;
    let first: BroadcastId = "b1".parse().unwrap();
    let marked = |at: i64, mark| Record::Marked {
        broadcast: "b1".parse().unwrap(),
        at: Timestamp::from_millis(at),
        mark,
    };
    let records = vec![
        started("b1", 1000),
        joined("v1", "b1", 1100),
        joined("v2", "b1", 1200),
        joined("v3", "unknown", 1200),
        left("v1", 1, 1500),
        marked(1510, Mark::Title("Other".parse().unwrap())),
        marked(1520, Mark::Interrupted),
        marked(1530, Mark::Resumed),
        resumed("v1", 2, 1550),
        beat(1600),
    ];
    log.append(records.clone()).await.unwrap();
    log.append(records).await.unwrap();
    let there = log.left(10).await.unwrap();
    assert_eq!(there.heartbeat, Some(Heartbeat { at: at(1600), wall: at(1600) }));
    let open = &there.broadcasts;
    assert_eq!(open.len(), 1);
    assert_eq!((open[0].started_at, open[0].last_seen_at), (at(1000), at(1600)));
    assert_eq!((open[0].title.as_str(), open[0].interrupted_at), ("Other", None));
    assert_eq!(open[0].views, [(view("v1"), 2), (view("v2"), 1)]);
    assert_eq!(log.left(1).await.unwrap().broadcasts[0].views, [(view("v1"), 2)], "the newest");
    log.append(vec![marked(1700, Mark::Interrupted)]).await.unwrap();
    assert_eq!(log.left(0).await.unwrap().broadcasts[0].interrupted_at, Some(at(1700)));
    assert_eq!(log.last_ended("c".parse().unwrap()).await.unwrap(), None);
    log.append(vec![Record::BroadcastEnded { id: first.clone(), at: at(2000) }]).await.unwrap();
    log.append(vec![Record::BroadcastEnded { id: first, at: at(9000) }]).await.unwrap();
    log.append(vec![left("v2", 1, 9000), joined("v4", "b1", 9000)]).await.unwrap();
    let past = log.last_ended("c".parse().unwrap()).await.unwrap().unwrap();
    assert_eq!((past.started_at, past.ended_at), (at(1000), at(2000)));
    let expected = [
        ("v1".to_owned(), 1, 1100, Some(1500)),
        ("v1".to_owned(), 2, 1550, Some(2000)),
        ("v2".to_owned(), 1, 1200, Some(2000)),
    ];
    assert_eq!(spans(&store).await, expected);
}

#[tokio::test]
async fn a_broadcast_of_a_channel_that_is_gone_spoils_nothing() {
    let (_dir, store) = store().await;
    let log = SqlBroadcastLog::new(store);
    log.append(vec![started("b1", 1)]).await.unwrap();
    assert!(log.left(1).await.unwrap().broadcasts.is_empty());
}

#[tokio::test]
async fn spans_of_a_process_that_is_gone_end_at_its_last_heartbeat() {
    let (_dir, store) = store().await;
    add_channel(&store).await;
    let log = SqlBroadcastLog::new(store.clone());
    let mut ahead = started("b1", 5010);
    if let Record::BroadcastStarted { clock_offset, .. } = &mut ahead {
        *clock_offset = 5000;
    }
    let records = vec![
        started("b", 10),
        ahead,
        beat(50),
        joined("v", "b", 20),
        joined("w", "b", 60),
        joined("x", "b1", 5020),
    ];
    log.append(records).await.unwrap();
    assert_eq!(log.close_stale_spans().await.unwrap(), 3);
    assert_eq!(log.close_stale_spans().await.unwrap(), 0);
    let ends: Vec<_> = spans(&store).await.into_iter().map(|(view, .., end)| (view, end.unwrap())).collect();
    let expected = [("v", 50), ("w", 60), ("x", 5050)].map(|(view, end)| (view.to_owned(), end));
    assert_eq!(ends, expected, "each by its broadcast's clock, and none before it began");
    let there = log.left(9).await.unwrap().broadcasts;
    assert_eq!(there.len(), 2, "their broadcasts may still be resumed");
    assert_eq!((there[1].clock_offset, there[1].last_seen_at.as_millis()), (5000, 5050));
}

const CHILD: &str = "WEIR_STORE_TEST_CHILD";

/// The other half of the next test: writes and acknowledges until it is killed.
#[tokio::test]
async fn child_that_writes_until_it_is_killed() {
    let Some(dir) = std::env::var_os(CHILD) else { return };
    let store = Store::open_in(Path::new(&dir)).await.unwrap();
    add_channel(&store).await;
    let log = SqlBroadcastLog::new(store);
    for n in 0.. {
        log.append(vec![started(&format!("b{n}"), n)]).await.unwrap();
        println!("\nacknowledged {n}");
    }
}

#[tokio::test]
async fn what_was_acknowledged_survives_a_kill() {
    let dir = tempfile::tempdir().unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "store::tests::child_that_writes_until_it_is_killed", "--nocapture"])
        .env(CHILD, dir.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let mut acknowledged = lines.filter_map(|line| line.strip_prefix("acknowledged ")?.parse::<usize>().ok());
    let last = acknowledged.find(|n| *n >= 25).expect("the child writes");
    child.kill().unwrap();
    child.wait().unwrap();
    let store = Store::open_in(dir.path()).await.unwrap();
    let open = SqlBroadcastLog::new(store).left(1).await.unwrap().broadcasts;
    assert!(open.len() > last, "{} broadcasts are there and {last} was acknowledged", open.len());
}

#[tokio::test]
async fn a_full_disk_a_read_only_file_and_a_file_that_is_no_database_are_told_apart() {
    let (dir, store) = store().await;
    add_channel(&store).await;
    store.close().await;
    let file = dir.path().join("a ü%20b/data/weir.db");

    // One connection, as the limit on pages is a connection's own.
    let url = sqlite::url(&file);
    let full = Store::open(&url).await.unwrap();
    let mut connection = full.pool().acquire().await.unwrap();
    sqlx::query("PRAGMA max_page_count = 1").execute(&mut *connection).await.unwrap();
    let mut fill = Ok(());
    for n in 0..2000 {
        let insert = sqlx::query(
            "INSERT INTO setup_token (only_row, token_hash) VALUES (1, $1) ON CONFLICT (only_row) DO UPDATE SET token_hash = excluded.token_hash",
        );
        fill = insert.bind("x".repeat(5000 * (n + 1))).execute(&mut *connection).await.map(drop);
        if fill.is_err() {
            break;
        }
    }
    assert!(matches!(fill.map_err(StoreError::from), Err(StoreError::Full)));
    drop(connection);
    full.close().await;

    let read_only = Store::open(&url.replace("mode=rwc", "mode=ro")).await.unwrap();
    let write = sqlx::query("DELETE FROM channels").execute(read_only.pool()).await.map(drop);
    assert!(matches!(write.map_err(StoreError::from), Err(StoreError::ReadOnly)));

    let other = dir.path().join("other");
    std::fs::create_dir(&other).unwrap();
    std::fs::write(other.join("weir.db"), "this is a text and no database at all. ".repeat(100)).unwrap();
    let error = Store::open_in(&other).await.unwrap_err();
    assert!(matches!(error, StoreError::Damaged), "{error:?}");
}

#[tokio::test]
async fn a_data_directory_that_cannot_be_says_so_with_its_path() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    std::fs::write(&file, "").unwrap();
    let error = Store::open_in(&file.join("data")).await.unwrap_err().to_string();
    assert!(error.contains("file/data") && error.contains("WEIR_DATA_DIR"), "{error}");
    // Not even root can write there.
    let error = Store::open_in(Path::new("/proc/weir")).await.unwrap_err().to_string();
    assert!(error.contains("/proc/weir"), "{error}");
}

#[tokio::test]
async fn writers_at_once_wait_for_each_other() {
    let (_dir, store) = store().await;
    add_channel(&store).await;
    let log = SqlBroadcastLog::new(store);
    let writes = (0..40).map(|n| {
        let log = log.clone();
        tokio::spawn(async move { log.append(vec![started(&format!("b{n}"), n)]).await })
    });
    for write in futures_util::future::join_all(writes).await {
        write.unwrap().unwrap();
    }
    assert_eq!(log.left(1).await.unwrap().broadcasts.len(), 40);
    let _: BroadcastId = fresh::id();
}
