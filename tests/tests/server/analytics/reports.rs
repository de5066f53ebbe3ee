//! What players report: honest ones, liars, chatterers, strangers.

use super::{Evening, SOON, Viewer};
use serde_json::{Value, json};
use weir_tests::{
    eventually,
    http::{Request, Response},
    lock::Lock,
};

fn report(evening: &Evening, view: &str, report: &Value) -> Response {
    Request::new("POST", &format!("/api/v1/views/{view}/report")).json(report).send(evening.weir.http)
}

fn honest(sequence: u32) -> Value {
    json!({ "sequence": sequence, "joinTime": 250, "freezes": 0, "frozenTime": 0, "latency": 180, "codec": "VP8",
        "size": { "width": 1280, "height": 720 } })
}

#[test]
fn what_honest_players_say_is_told_and_survives_a_kill() {
    let (mut evening, publisher) = Evening::begin();
    let one = evening.come("", &[], 1);
    let two = evening.come("", &[], 2);
    let mut said = honest(1);
    said["referrer"] = json!("https://blog.example/a/post?utm=1");
    said["embeddedBy"] = json!("https://news.example/today?reader=42#top");
    assert_eq!(report(&evening, &one.view, &said).status, 204);
    assert_eq!(report(&evening, &two.view, &json!({ "sequence": 0, "latency": 320 })).status, 204);
    // Acknowledged: on disk.
    evening.weir.crash();
    evening.weir.start_again();
    let quality = evening.figures()["quality"].clone();
    assert_eq!(quality["reports"], 2);
    assert_eq!(quality["joinTime"], json!({ "p50": 250.0, "p95": 250.0, "samples": 1 }));
    assert_eq!(quality["latency"], json!({ "p50": 180.0, "p95": 320.0, "samples": 2 }));
    assert_eq!(quality["sizes"], json!([{ "name": "720p", "views": 1 }]));
    drop(publisher);
    let publisher = evening.publish();
    let back = evening.come(&format!("?view={}", one.view), &[], 1);
    // The player goes on counting, and so does the server: an older report changes nothing, a newer one does.
    assert_eq!(report(&evening, &back.view, &honest(1)).status, 204);
    let mut newer = honest(2);
    (newer["freezes"], newer["frozenTime"], newer["sinceFreeze"]) = (json!(1), json!(300), json!(200));
    assert_eq!(report(&evening, &back.view, &newer).status, 204);
    let figures = evening.until("the freeze", |seen| seen["quality"]["freezes"] == 1);
    let freezes: u64 =
        figures["timeline"]["freezes"].as_array().expect("steps").iter().filter_map(Value::as_u64).sum();
    assert_eq!(freezes, 1);
    assert!(figures["timeline"]["latency"].as_array().expect("steps").iter().any(|step| *step == 180));
    evening.leave(back, 0);
    // A last word after the end is heard; the freeze was just before.
    assert_eq!(report(&evening, &one.view, &json!({ "sequence": 3, "freezes": 1 })).status, 204);
    evening.until("who left because of it", |seen| seen["quality"]["exitsAfterFreeze"] == 1);
    let figures = evening.end(publisher);
    assert_eq!(figures["referrers"], json!([{ "name": "https://blog.example", "views": 1 }]));
    assert_eq!(figures["embeds"], json!([{ "name": "https://news.example/today", "views": 1 }]));
}

#[test]
fn liars_distort_their_own_line_alone() {
    let (evening, publisher) = Evening::begin();
    let honest_one = evening.come("", &[], 1);
    let liar = evening.come("", &[], 2);
    assert_eq!(report(&evening, &honest_one.view, &honest(1)).status, 204);
    let most = u32::MAX;
    let lie = json!({ "sequence": most, "joinTime": most, "freezes": most, "frozenTime": most, "sinceFreeze": most,
        "latency": most, "codec": "Opus", "size": { "width": 65535, "height": 65535 },
        "embeddedBy": "=HYPERLINK(\"http://evil.example\",\"x\")", "referrer": "javascript:alert(1)" });
    assert_eq!(report(&evening, &liar.view, &lie).status, 204);
    let figures = evening.until("both", |seen| seen["quality"]["reports"] == 2);
    let quality = &figures["quality"];
    assert_eq!(quality["latency"], json!({ "p50": 180.0, "p95": 120_000.0, "samples": 2 }));
    assert_eq!(quality["joinTime"]["p50"], 250.0);
    let frozen = quality["frozenTime"].as_f64().expect("seconds");
    assert!(frozen <= figures["totalWatchTime"].as_f64().expect("seconds"), "{figures:#}");
    assert!((0.0..=1.0).contains(&quality["frozenShare"].as_f64().expect("a part")));
    assert_eq!(quality["codecs"], json!([{ "name": "VP8", "views": 1 }]));
    assert_eq!(figures["referrers"], json!([]));
    assert_eq!(figures["embeds"], json!([{ "name": "unknown", "views": 1 }]));
    assert_eq!((&figures["totalViews"], &figures["peakViewers"]), (&json!(2), &json!(2)));
    for wrong in [
        json!({ "sequence": -1 }),
        json!({ "sequence": 1.5 }),
        json!({ "latency": 1 }),
        json!({ "sequence": 9, "views": 100 }),
        json!({ "sequence": 9, "codec": "<script>" }),
    ] {
        report(&evening, &liar.view, &wrong).problem(422);
    }
    evening.end(publisher);
}

#[test]
fn strangers_chatterers_and_broken_words_are_refused() {
    let (mut evening, _publisher) = Evening::begin();
    let Viewer { peer, view, came } = evening.come("", &[], 1);
    for unknown in ["01forged", "x", "a%20b", "%27%3B--", &"x".repeat(100)] {
        report(&evening, unknown, &honest(1)).problem(404);
    }
    let path = format!("/api/v1/views/{view}/report");
    let post =
        |kind: &str, body: Vec<u8>| Request::new("POST", &path).body(kind, body).send(evening.weir.http);
    post("application/json", b"{".to_vec()).problem(400);
    post("application/json", b"[]".to_vec()).problem(400);
    post("application/json", vec![b' '; 5000]).problem(413);
    post("application/x-www-form-urlencoded", b"sequence=1".to_vec()).problem(415);
    for method in ["GET", "PUT", "DELETE"] {
        Request::new(method, &path).send(evening.weir.http).problem(405);
    }
    // As `navigator.sendBeacon` sends a text.
    assert_eq!(post("text/plain;charset=UTF-8", honest(1).to_string().into()).status, 204);
    let refused = (2..40)
        .map(|sequence| report(&evening, &view, &honest(sequence)))
        .find(|answer| answer.status != 204);
    let refused = refused.expect("an end to patience");
    let wait = refused.problem(429).retry_after.expect("when again");
    assert!((1..=10).contains(&wait), "{wait}");
    assert_eq!(refused.header("retry-after"), Some(wait.to_string().as_str()));
    evening.leave(Viewer { peer, view, came }, 0);
    evening.weir.assert_healthy();
}

#[test]
fn a_player_on_any_page_may_report_without_cookies() {
    let (evening, _publisher) = Evening::begin();
    let viewer = evening.come("", &[], 1);
    let path = format!("/api/v1/views/{}/report", viewer.view);
    for origin in ["https://elsewhere.example", "null"] {
        let asked = Request::new("OPTIONS", &path)
            .header("origin", origin)
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "content-type")
            .send(evening.weir.http);
        assert_eq!(asked.status, 204);
        let allowed = asked.header("access-control-allow-headers").unwrap_or_default();
        assert!(allowed.contains("content-type"), "{allowed}");
        let told = Request::new("POST", &path)
            .header("origin", origin)
            .header("sec-fetch-site", "cross-site")
            .json(&honest(1))
            .send(evening.weir.http);
        assert_eq!(told.status, 204, "{}", told.text());
        assert_eq!(told.header("access-control-allow-origin"), Some("*"));
        assert_eq!(told.header("access-control-allow-credentials"), None);
    }
    let response = evening.offer("", &[("origin", "https://elsewhere.example")]).1;
    let exposed = response.header("access-control-expose-headers").unwrap_or_default();
    assert!(exposed.contains("weir-view"), "{exposed}");
}

#[test]
fn the_files_to_keep_are_safe_to_open() {
    let (mut evening, publisher) = Evening::begin();
    let edit = evening.weir.same_origin("PATCH", "/api/v1/channels/ada");
    let title = "=cmd|' /C calc'!A0,\"x\"<script>";
    let edit = edit.header("cookie", evening.login.cookie.as_str()).json(&json!({ "title": title }));
    assert_eq!(edit.send(evening.weir.http).status, 200);
    let viewer = evening.come("", &[], 1);
    let hostile = json!({ "sequence": 1, "referrer": "https://-evil.example", "embeddedBy": "https://a.example/,=1+1\"" });
    assert_eq!(report(&evening, &viewer.view, &hostile).status, 204);
    evening.leave(viewer, 0);
    let figures = evening.end(publisher);
    let file =
        |ending: &str| evening.get(&format!("/api/v1/broadcasts/{}/analytics.{ending}", evening.broadcast));
    let kept = file("json");
    assert_eq!(kept.json(), figures);
    let csv = file("csv");
    for (answer, ending) in [(&kept, "json"), (&csv, "csv")] {
        let name = answer.header("content-disposition").expect("a name");
        assert!(
            name.starts_with("attachment; filename=\"ada-2") && name.ends_with(&format!(".{ending}\"")),
            "{name}"
        );
    }
    assert_eq!(csv.header("content-type"), Some("text/csv; charset=utf-8"));
    assert_eq!(csv.header("x-content-type-options"), Some("nosniff"));
    let rows = rows(&csv.text());
    let width = rows[0].len();
    for row in &rows {
        assert_eq!(row.len(), width, "{row:?}");
        for cell in row {
            let formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r']);
            assert!(!formula || cell.parse::<f64>().is_ok(), "{cell}");
        }
    }
    let value = |section: &str, name: &str| {
        let row = rows.iter().find(|row| row[0] == section && row[1] == name);
        row.unwrap_or_else(|| panic!("no {name}"))[2].clone()
    };
    assert_eq!(value("markers", "title"), format!("'{title}"));
    assert_eq!(value("summary", "totalViews"), "1");
    assert_eq!(value("summary", "totalWatchTime").parse::<f64>().ok(), figures["totalWatchTime"].as_f64());
    let steps = rows.iter().filter(|row| row[0] == "timeline").count();
    assert_eq!(Some(steps), figures["timeline"]["viewers"].as_array().map(Vec::len));
}

/// As a spreadsheet reads it (RFC 4180).
fn rows(text: &str) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut cell, mut quoted) = (Vec::new(), Vec::new(), String::new(), false);
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        match (c, quoted) {
            ('"', true) if characters.peek() == Some(&'"') => {
                characters.next();
                cell.push('"');
            }
            ('"', _) => quoted = !quoted,
            (',', false) => row.push(std::mem::take(&mut cell)),
            ('\r', false) => {}
            ('\n', false) => {
                row.push(std::mem::take(&mut cell));
                rows.push(std::mem::take(&mut row));
            }
            (c, _) => cell.push(c),
        }
    }
    rows
}

#[test]
fn reports_of_a_view_that_ended_are_heard_for_a_moment() {
    let (mut evening, _publisher) = Evening::begin();
    let viewer = evening.come("", &[], 1);
    let view = viewer.view.clone();
    evening.leave(viewer, 0);
    assert_eq!(report(&evening, &view, &honest(1)).status, 204);
    eventually("its line", SOON, || (evening.figures()["quality"]["reports"] == 1).then_some(()));
}

#[test]
fn a_locked_database_is_said_to_players_and_nothing_that_happened_is_lost() {
    let (mut evening, publisher) = Evening::begin();
    let first = evening.come("", &[], 1);
    let lock = Lock::hold(&evening.weir);
    // Nobody waits for the database to watch; only what wants to be on disk does.
    let before = std::time::Instant::now();
    let (offering, response) = evening.offer("", &[]);
    let view = response.header("weir-view").expect("a view").to_owned();
    let peer = offering.start(evening.weir.http, &response, None, None);
    peer.more_video(10);
    first.peer.more_video(10);
    let problem = report(&evening, &first.view, &honest(1)).problem(503);
    assert_eq!(problem.kind, "/problems/store-busy");
    assert_eq!(evening.figures()["concurrentViewers"], 1, "what is known can be read");
    lock.release();
    evening.watching(2);
    let second = Viewer { peer, view, came: (before, std::time::Instant::now()) };
    let seen = evening.until("the report", |seen| seen["quality"]["reports"] == 1);
    assert_eq!(seen["totalViews"], 2);
    evening.leave(first, 1);
    evening.leave(second, 0);
    let figures = evening.end(publisher);
    evening.holds(&figures);
    evening.weir.assert_healthy();
}
