//! Chat against those who mean harm, and against a database that can't.

use crate::SOON;
use serde_json::{Value, json};
use std::{
    io::Write,
    process::{Command, Stdio},
    time::{Duration, Instant},
};
use weir_tests::{
    chat::{self, By, Reader, call, say, text_of},
    events::{self, Events},
    eventually,
    http::Request,
    lock::Lock,
    peer::{Peer, Source},
    server::{Login, Weir},
};

#[test]
fn hostile_text_is_kept_as_the_text_it_is() {
    let weir = Weir::start();
    let owner = weir.set_up("ada");
    let owner = By::Login(&owner);
    let mut reader = Reader::join(weir.http, "ada");
    let marks: String = (0x300..0x360).filter_map(char::from_u32).collect();
    let zalgo = format!("z{marks}a{marks}");
    let family = "👨\u{200D}👩\u{200D}👧".repeat(500);
    for (typed, kept) in [
        ("<script>alert(1)</script><img src=x onerror=alert(1)>", None),
        ("'; DROP TABLE chat_messages; -- \\ \" \u{1F4A9}", None),
        ("{\"type\":\"message\"}", None),
        ("javascript:alert(1)", None),
        ("\u{202E}evil\u{202C} \u{2066}x\u{2069}", Some("evil x")),
        ("a\u{0}b\u{1B}[31mc\r\nd", Some("ab[31mc d")),
        ("\u{200B}h\u{200B}i\u{FEFF}", Some("hi")),
    ] {
        assert_eq!(say(weir.http, "ada", owner, typed).status, 201, "{typed:?}");
        let update = reader.hear();
        assert_eq!(text_of(&update), kept.unwrap_or(typed));
        assert!(update["fragments"].as_array().unwrap().iter().all(|fragment| fragment["type"] == "text"));
    }
    assert_eq!(say(weir.http, "ada", owner, &zalgo).status, 201);
    assert!(text_of(&reader.hear()).chars().count() <= 12, "zalgo covers no other line");
    // 500 graphemes fit by number, but not these by bytes; one grapheme more than fits does not.
    assert_eq!(say(weir.http, "ada", owner, &"é".repeat(500)).status, 201);
    assert_eq!(text_of(&reader.hear()).chars().count(), 500);
    for (typed, word) in [
        ("é".repeat(501), "501"),
        (family, "bytes"),
        (" \u{202E}\u{200B}\n".to_owned(), "empty"),
        (String::new(), "empty"),
    ] {
        let problem = say(weir.http, "ada", owner, &typed).problem(422);
        assert_eq!(problem.field.as_deref(), Some("text"));
        assert!(problem.detail.contains(word), "{problem:?}");
    }
    let huge = "x".repeat(70_000);
    say(weir.http, "ada", owner, &huge).problem(413);
}

#[test]
fn forged_names_and_ids_get_nobody_anywhere() {
    let weir = Weir::start();
    let owner = weir.set_up("ada");
    let ben = chat::guest(weir.http, "Ben");
    for name in ["ada", "Аda", "A D A", "𝐚𝐝𝐚", "ⓐⓓⓐ", "Moderator", "0wner"] {
        assert_eq!(
            chat::try_guest(weir.http, name, "192.0.2.4").problem(409).kind,
            "/problems/name-taken",
            "{name}"
        );
    }
    for name in ["", "\u{202E}neB", "a\u{200B}b", "!!!", &"x".repeat(41)] {
        chat::try_guest(weir.http, name, "192.0.2.5").problem(422);
    }
    // Tokens that are none, and an account's id in a guest's place.
    let owner_id = call(weir.http, "GET", "ada/chat", By::Login(&owner), None).json()["you"]["id"].clone();
    for token in ["", "x", owner_id.as_str().unwrap(), &ben.id, &"A".repeat(43), "Bearer x"] {
        let response = Request::new("POST", "/api/v1/channels/ada/chat/messages")
            .header("weir-guest", token)
            .json(&json!({ "text": "I am Ada" }))
            .send(weir.http);
        response.problem(401);
    }
    let mut socket = Events::open(weir.http);
    for (payload, kind) in [
        (json!({ "channel": "ada", "text": "x" }), "/problems/signed-out"),
        (json!({ "channel": "ada", "text": "x", "guest": "AAAA" }), "/problems/unknown-guest"),
        (json!({ "channel": "nobody", "text": "x", "guest": ben.token }), "/problems/unknown-channel"),
        (json!({ "channel": "ada", "text": "x", "guest": ben.token, "author": "ada" }), "/problems/invalid"),
        (
            json!({ "channel": "ada", "text": "x", "guest": ben.token, "replyTo": "../../x" }),
            "/problems/invalid",
        ),
        (
            json!({ "channel": "ada", "text": "x", "guest": ben.token, "replyTo": "nothing" }),
            "/problems/unknown-message",
        ),
        (json!({ "channel": "ada", "guest": ben.token }), "/problems/invalid"),
        (json!({ "channel": "ada", "text": 5, "guest": ben.token }), "/problems/invalid"),
    ] {
        socket.send(&json!({ "event": "chat:send_message:v1:requested", "id": "f", "payload": payload }));
        let failed =
            socket.until("the refusal", SOON, |message| message["event"] == "chat:send_message:v1:failed");
        assert_eq!(failed["payload"]["type"], kind, "{payload}");
    }
    for path in ["ada/chat/messages/..%2F..", "ada/chat/messages/x'y", "ada/chat/silences/%3Cb%3E"] {
        assert_eq!(call(weir.http, "DELETE", path, By::Login(&owner), None).status, 404, "{path}");
    }
    for query in ["cursor=x", "cursor=MTox", "limit=0x", "limit=-1", "what=1"] {
        let response = call(weir.http, "GET", &format!("ada/chat/messages?{query}"), By::Nobody, None);
        assert!([200, 400].contains(&response.status), "{query}: {}", response.text());
    }
    // Nothing of it was written.
    assert_eq!(call(weir.http, "GET", "ada/chat/messages", By::Nobody, None).json()["items"], json!([]));
}

#[test]
fn other_sites_pages_neither_read_nor_write() {
    let weir = Weir::start();
    let owner = weir.set_up("ada");
    assert_eq!(events::open(weir.http, Some("https://evil.example"), Some(&owner.cookie)).err(), Some(403));
    for (method, path, body) in [
        ("POST", "/api/v1/channels/ada/chat/messages", json!({ "text": "x" })),
        ("POST", "/api/v1/chat/guests", json!({ "name": "Eve" })),
        ("PATCH", "/api/v1/channels/ada/chat", json!({ "guests": false })),
        ("PUT", "/api/v1/channels/ada/moderators/ada", json!({})),
    ] {
        let response = Request::new(method, path)
            .header("origin", "https://evil.example")
            .header("sec-fetch-site", "cross-site")
            .header("cookie", owner.cookie.as_str())
            .json(&body)
            .send(weir.http);
        assert_eq!(response.problem(403).kind, "/problems/cross-origin", "{path}");
    }
}

#[test]
fn a_flood_harms_those_who_make_it_alone() {
    let mut weir = Weir::start();
    let owner = weir.set_up("ada");
    // One address makes a few names and then waits.
    let made = (0..40)
        .filter(|n| chat::try_guest(weir.http, &format!("flood {n}"), "198.51.100.1").status == 201)
        .count();
    assert!((10..=25).contains(&made), "{made}");
    let problem = chat::try_guest(weir.http, "one more", "198.51.100.1").problem(429);
    assert!(problem.retry_after.is_some());
    chat::guest_from(weir.http, "Somebody else", "198.51.100.2");

    // A socket that sends without a pause is closed; what it had acknowledged stays.
    let ben = chat::guest(weir.http, "Ben");
    let mut flooding = Events::open(weir.http);
    for n in 0..200 {
        let payload = json!({ "channel": "ada", "text": format!("flood {n}"), "guest": ben.token });
        let message =
            json!({ "event": "chat:send_message:v1:requested", "id": format!("f{n}"), "payload": payload });
        if !flooding.try_send(&message) {
            break;
        }
    }
    assert!(flooding.is_closed());
    let mut reader = Reader::join(weir.http, "ada");
    assert_eq!(say(weir.http, "ada", By::Login(&owner), "still here").status, 201);
    let told = reader.until(|update| text_of(update) == "still here");
    assert!(told.len() <= 6, "five of a burst and no more: {told:?}");
    weir.assert_healthy();
}

#[test]
fn a_slow_reader_is_bounded_and_comes_back_without_a_loss() {
    let weir = Weir::start();
    let owner = weir.set_up("ada");
    let slow = Reader::join(weir.http, "ada");
    let seen = slow.cursor;
    let mut fast = Reader::join(weir.http, "ada");
    let memory = resident(&weir);
    // Far more than sockets, queues and the room's memory hold together; the slow one reads none of it.
    let text = "x".repeat(490);
    let threads: Vec<_> = (0..8)
        .map(|thread| {
            let (server, owner, text) = (weir.http, owner.clone(), text.clone());
            std::thread::spawn(move || {
                for n in 0..250 {
                    let response = say(server, "ada", By::Login(&owner), &format!("{thread}-{n} {text}"));
                    assert_eq!(response.status, 201, "{}", response.text());
                }
            })
        })
        .collect();
    for _ in 0..2000 {
        fast.hear();
    }
    for thread in threads {
        thread.join().unwrap();
    }
    assert!(resident(&weir) < memory + 30_000_000, "what nobody reads is kept nowhere");
    drop(slow);
    // Too much was missed to be told: the last ones come, and it says so.
    let mut back = Reader::resume(weir.http, "ada", seen);
    assert!(!back.complete);
    for _ in 0..100 {
        back.hear();
    }
    assert_eq!(back.cursor, fast.cursor);
    let page = call(weir.http, "GET", "ada/chat/messages?limit=200", By::Nobody, None).json();
    assert_eq!(page["items"].as_array().unwrap().len(), 200, "and the rest can be read in pages");
}

fn resident(weir: &Weir) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", weir.pid())).expect("the process");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("its memory");
    line.split_whitespace().next().and_then(|kib| kib.parse::<u64>().ok()).expect("a number") * 1024
}

#[test]
fn a_kill_in_the_middle_of_a_flood_loses_nothing_that_was_acknowledged() {
    let mut weir = Weir::start();
    let owner = weir.set_up("ada");
    let threads: Vec<_> = (0..6)
        .map(|thread| {
            let (server, owner) = (weir.http, owner.clone());
            std::thread::spawn(move || {
                let mut acknowledged = Vec::new();
                for n in 0.. {
                    let text = json!({ "text": format!("{thread}-{n}") });
                    let request = Request::new("POST", "/api/v1/channels/ada/chat/messages")
                        .header("cookie", owner.cookie.as_str())
                        .json(&text);
                    match request.try_send(server) {
                        Ok(response) if response.status == 201 => {
                            acknowledged.push(response.json()["id"].clone())
                        }
                        // The process is gone.
                        _ => return acknowledged,
                    }
                }
                unreachable!()
            })
        })
        .collect();
    let mut reader = Reader::join(weir.http, "ada");
    let mut told: Vec<Value> = (0..150).map(|_| reader.hear()["id"].clone()).collect();
    weir.crash();
    while let Some(update) = reader.try_hear(Duration::from_secs(1)) {
        told.push(update["id"].clone());
    }
    let acknowledged: Vec<Value> = threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
    assert!(acknowledged.len() >= 100, "{}", acknowledged.len());
    weir.start_again();
    let mut kept = Vec::new();
    let mut path = "ada/chat/messages?limit=200".to_owned();
    loop {
        let page = call(weir.http, "GET", &path, By::Nobody, None).json();
        kept.extend(page["items"].as_array().unwrap().iter().map(|message| message["id"].clone()));
        let Some(next) = page["next"].as_str() else { break };
        path = format!("ada/chat/messages?limit=200&cursor={next}");
    }
    for id in acknowledged.iter().chain(&told) {
        assert!(kept.contains(id), "{id} was acknowledged or told");
    }
}

#[test]
fn the_largest_messages_leave_a_room_as_easy_to_join() {
    let weir = Weir::start();
    let owner = weir.set_up("ada");
    // Many bytes for few graphemes, in part in an address that is three times as long when it is written with percent signs.
    let large =
        format!("https://a.example/{} {}", "👨\u{200D}👩\u{200D}👧".repeat(30), "👩🏽\u{200D}🚀".repeat(440));
    assert!(large.len() > 6_000 && large.len() <= 8 * 1024, "{}", large.len());
    let mut last = json!(null);
    for _ in 0..120 {
        let response = say(weir.http, "ada", By::Login(&owner), &large);
        assert_eq!(response.status, 201, "{}", response.text());
        last = response.json()["sequence"].clone();
    }
    // A room tells what it gathered a moment after it was acknowledged. Whoever comes in the middle of so much may have to ask
    // again; from the last message but one they can only go on once all is told.
    let but_one = last.as_u64().expect("a sequence") - 1;
    let deadline = Instant::now() + SOON;
    while !Reader::resume(weir.http, "ada", but_one).complete {
        assert!(Instant::now() < deadline, "the room doesn't tell its last message");
    }
    for mut reader in [Reader::join(weir.http, "ada"), Reader::resume(weir.http, "ada", 1)] {
        let told = reader.until(|update| update["sequence"] == last);
        assert!(told.len() >= 100 && told.iter().all(|update| text_of(update) == large), "{}", told.len());
    }
}

#[test]
fn going_away_gives_no_turn_back() {
    let weir = Weir::start();
    weir.set_up("ada");
    let ben = chat::guest(weir.http, "Ben");
    let mut reader = Reader::join(weir.http, "ada");
    let began = Instant::now();
    for n in 0..20 {
        let payload = json!({ "channel": "ada", "text": format!("{n}"), "guest": ben.token });
        let id = format!("g{n}");
        let mut socket = Events::open(weir.http);
        socket.send(&json!({ "event": "chat:send_message:v1:requested", "id": id, "payload": payload }));
        // Gone before the answer; or a cancel under another label.
        if n % 2 == 0 {
            socket.send(&json!({ "event": "channel:stream_state:v1:cancelled", "id": id }));
            socket.next(SOON);
        }
    }
    // What can't be an answer to anything is nobody's turn, and gives none back.
    for _ in 0..20 {
        let body = json!({ "text": "x", "replyTo": "nothing", "key": "k" });
        call(weir.http, "POST", "ada/chat/messages", By::Guest(&ben), Some(&body)).problem(404);
    }
    say(weir.http, "ada", By::Login(&chat::account(&weir, "last")), "the end");
    let told = reader.until(|update| text_of(update) == "the end").len() as u64 - 1;
    let most = 5 + began.elapsed().as_secs() / 2;
    assert!(told <= most, "a burst and what the time allows: {told} of {most}");
}

#[test]
fn rules_changed_at_the_same_moment_are_all_changed() {
    let weir = Weir::start();
    let owner = weir.set_up("ada");
    for round in 0..10 {
        let (guests, slow) = (round % 2 == 0, 10 + round);
        let edits = [json!({ "guests": guests }), json!({ "slowSeconds": slow })];
        let threads = edits.map(|edit| {
            let (server, owner) = (weir.http, owner.clone());
            std::thread::spawn(move || {
                call(server, "PATCH", "ada/chat", By::Login(&owner), Some(&edit)).status
            })
        });
        assert_eq!(threads.map(|thread| thread.join().unwrap()), [200, 200]);
        let settings = call(weir.http, "GET", "ada/chat", By::Nobody, None).json()["settings"].clone();
        let expected = json!({
            "guests": guests, "slowSeconds": slow, "followers": false, "followersMinutes": 0,
            "subscribers": false, "emoteOnly": false, "unique": false, "raids": true,
        });
        assert_eq!(settings, expected);
    }
}

#[test]
fn a_locked_database_is_said_in_chat_and_video_goes_on() {
    let mut weir = Weir::start();
    let channel = weir.create_channel("bob");
    let owner = weir.set_up("ada");
    let ben = chat::guest(weir.http, "Ben");
    let publisher = Peer::publish(weir.http, "bob", &channel.key, Source::new(1));
    weir.until_state("bob", "live", SOON);
    let viewer = Peer::watch(weir.http, "bob");
    viewer.more_video(10);
    let mut reader = Reader::join(weir.http, "ada");
    assert_eq!(say(weir.http, "ada", By::Login(&owner), "before").status, 201);
    assert_eq!(text_of(&reader.hear()), "before");

    let lock = Lock::hold(&weir);
    let began = Instant::now();
    let mut socket = Events::open(weir.http);
    let failed = chat::send(&mut socket, "l", "ada", "during", Some(&ben));
    assert_eq!(failed["event"], "chat:send_message:v1:failed", "{failed}");
    assert_eq!(failed["payload"]["type"], "/problems/store-busy");
    assert!(failed["payload"]["retryAfter"].is_number());
    let problem = say(weir.http, "ada", By::Login(&owner), "during, too").problem(503);
    assert_eq!(problem.kind, "/problems/store-busy");
    // Reading goes on, and so does video.
    assert_eq!(call(weir.http, "GET", "ada/chat", By::Nobody, None).status, 200);
    viewer.more_video(10);
    assert!(began.elapsed() < Duration::from_secs(30));
    lock.release();

    let sent = chat::send(&mut socket, "m", "ada", "after", Some(&ben));
    assert_eq!(
        sent["event"], "chat:send_message:v1:success",
        "it is as if the failed one had never been: {sent}"
    );
    assert_eq!(text_of(&reader.hear()), "after");
    let page = call(weir.http, "GET", "ada/chat/messages", By::Nobody, None).json();
    assert_eq!(page["items"].as_array().unwrap().len(), 2, "nothing that failed was written");
    viewer.leave();
    publisher.leave();
    weir.assert_healthy();
}

/// A small file system of its own; none where this may not be made.
struct SmallDisk(std::path::PathBuf);

impl SmallDisk {
    fn mount(folder: &std::path::Path) -> Option<Self> {
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=6m", "tmpfs"])
            .arg(folder)
            .stderr(Stdio::null())
            .status();
        mounted.is_ok_and(|status| status.success()).then(|| Self(folder.to_owned()))
    }

    /// Leaves nothing free; gives what takes it up.
    fn fill(&self) -> std::path::PathBuf {
        let path = self.0.join("ballast");
        let mut file = std::fs::File::create(&path).expect("a file");
        while file.write_all(&[0; 4096]).is_ok() {}
        path
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[test]
fn a_full_disk_is_said_in_chat_and_nothing_acknowledged_is_lost() {
    let folder = tempfile::tempdir().expect("a folder");
    let Some(disk) = SmallDisk::mount(folder.path()) else {
        eprintln!("skipped: a small file system can't be mounted here");
        return;
    };
    let mut weir = Weir::start_in(folder.path(), &[]);
    let channel = weir.create_channel("bob");
    let owner = weir.set_up("ada");
    let publisher = Peer::publish(weir.http, "bob", &channel.key, Source::new(1));
    weir.until_state("bob", "live", SOON);
    let viewer = Peer::watch(weir.http, "bob");
    viewer.more_video(10);
    let ballast = disk.fill();
    let mut acknowledged = Vec::new();
    let text = "x".repeat(400);
    let problem = loop {
        let response = say(weir.http, "ada", By::Login(&owner), &format!("{} {text}", acknowledged.len()));
        if response.status != 201 {
            break response.problem(503);
        }
        acknowledged.push(response.json()["id"].clone());
        assert!(acknowledged.len() < 10_000, "the disk is full");
    };
    assert_eq!(problem.kind, "/problems/disk-full", "{problem:?}");
    assert!(problem.detail.contains("Live video goes on"), "{problem:?}");
    viewer.more_video(10);
    assert_eq!(call(weir.http, "GET", "ada/chat/messages", By::Nobody, None).status, 200);
    std::fs::remove_file(ballast).expect("to make room");
    let after = eventually("chat carries on by itself", SOON, || {
        let response = say(weir.http, "ada", By::Login(&owner), "after");
        (response.status == 201).then(|| response.json())
    });
    acknowledged.push(after["id"].clone());
    weir.crash();
    weir.start_again();
    let kept: Vec<Value> = {
        let page = call(weir.http, "GET", "ada/chat/messages?limit=200", By::Nobody, None).json();
        page["items"].as_array().unwrap().iter().map(|message| message["id"].clone()).collect()
    };
    for id in acknowledged.iter().rev().take(200) {
        assert!(kept.contains(id), "{id} was acknowledged");
    }
    drop((viewer, publisher, weir));
}

#[test]
fn ten_thousand_emotes_in_one_line_are_too_many_and_as_many_as_fit_are_fine() {
    let weir = Weir::start();
    let owner = weir.set_up("ada");
    let owner = By::Login(&owner);
    for many in [":no: ".repeat(10_000), ":no:".repeat(10_000), ":nothing".repeat(7_000)] {
        let problem = say(weir.http, "ada", owner, &many).problem(422);
        assert_eq!(problem.field.as_deref(), Some("text"));
        assert!(problem.detail.len() < 300, "what is said of it is short: {problem:?}");
    }
    let ben = chat::guest(weir.http, "Ben");
    let mut socket = Events::open(weir.http);
    let failed = chat::send(&mut socket, "e", "ada", &":no: ".repeat(2_000), Some(&ben));
    assert_eq!(failed["payload"]["type"], "/problems/invalid", "{failed}");
    // As many as a line has letters for are shown, each as what it is.
    let mut reader = Reader::join(weir.http, "ada");
    let line = ":no: ".repeat(100);
    assert_eq!(say(weir.http, "ada", owner, line.trim()).status, 201);
    let told = reader.hear();
    let fragments = told["fragments"].as_array().unwrap();
    assert_eq!(fragments.iter().filter(|fragment| fragment["type"] == "emote").count(), 100);
    assert!(fragments.len() <= 200 && text_of(&told) == line.trim());
    // Colons that begin emotes and end none take no longer than others.
    let began = Instant::now();
    for line in [":".repeat(500), ":a".repeat(250), ":no".repeat(166)] {
        assert_eq!(say(weir.http, "ada", owner, &line).status, 201);
        assert_eq!(text_of(&reader.hear()), line);
    }
    assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
}

/// What is typed behind a command to make it do something else, or nothing ever.
fn hostile_arguments() -> Vec<String> {
    let mut all: Vec<String> = [
        "",
        "   ",
        "@",
        "-1",
        "0",
        "99999999999999999999999",
        "1e309",
        "NaN",
        "0x10",
        "10m10m10m",
        "٣m",
        "' OR '1'='1",
        "\"; DROP TABLE chat_bans; --",
        "../../etc/passwd",
        "%s%s%n",
        "${7*7} {{7*7}}",
        "<script>alert(1)</script>",
        "\u{202E}ada\u{202C}",
        "\u{0}\u{1B}[2J",
        "guest-",
        "ada",
        "Аda",
        "nobody at all | and | more",
        "?|?|?|?|?|?|?|?|?|?|?|?|?|?|?|?",
        "\\ud800",
        "👨\u{200D}👩\u{200D}👧",
    ]
    .map(str::to_owned)
    .into();
    all.extend(["x".repeat(480), "@x ".repeat(150), "|".repeat(480), "9".repeat(480), "é ".repeat(240)]);
    all
}

#[test]
fn a_line_of_every_command_with_hostile_arguments_is_answered_in_a_sentence() {
    let mut weir = Weir::start();
    let owner = weir.set_up("ada");
    let ben = chat::guest_from(weir.http, "Ben", "192.0.2.40");
    let ben_says = |text: &str| {
        Request::new("POST", "/api/v1/channels/ada/chat/messages")
            .header("weir-guest", ben.token.as_str())
            .header("x-forwarded-for", "192.0.2.40")
            .json(&json!({ "text": text }))
            .send(weir.http)
            .status
    };
    assert_eq!(ben_says("hello"), 201);
    let room = call(weir.http, "GET", "ada/chat", By::Login(&owner), None).json();
    let commands: Vec<&str> = room["commands"]
        .as_array()
        .unwrap()
        .iter()
        .map(|command| command["usage"].as_str().unwrap().split_whitespace().next().unwrap())
        .collect();
    assert!(commands.len() >= 18 && commands.contains(&"/ban"), "{commands:?}");
    let arguments = hostile_arguments();
    // Names that look like a command's are none.
    for text in ["/bаn Ben", "/ｂan Ben", "/BAN\u{200B}X Ben", "/b\u{0301}an Ben"] {
        let body = json!({ "text": text });
        let problem =
            call(weir.http, "POST", "ada/chat/commands", By::Login(&owner), Some(&body)).problem(422);
        assert!(problem.detail.len() < 400, "{problem:?}");
    }
    for command in &commands {
        for argument in &arguments {
            let text = format!("{command} {argument}");
            let body = json!({ "text": text });
            let began = Instant::now();
            let answer = call(weir.http, "POST", "ada/chat/commands", By::Login(&owner), Some(&body));
            assert!(began.elapsed() < SOON, "{text:.60}");
            assert!(answer.body.len() < 8 * 1024, "{text:.60}: {} bytes", answer.body.len());
            match answer.status {
                200 => assert!(
                    answer.json()["said"].as_array().is_some_and(|said| !said.is_empty()),
                    "{text:.60}"
                ),
                status @ (400..=499) => {
                    let problem = answer.problem(status);
                    assert!(problem.detail.contains(' '), "{text:.60}: {problem:?}");
                }
                status => panic!("{text:.60}: {status} {}", answer.text()),
            }
        }
    }
    // Nobody was dealt with who wasn't named, and the room goes on once its rules are as they were.
    let actions = call(weir.http, "GET", "ada/chat/actions?limit=200", By::Login(&owner), None).json();
    for action in actions["items"].as_array().unwrap() {
        assert_ne!(action["personName"], "Ben", "{action}");
    }
    let open = json!({ "guests": true, "slowSeconds": 0, "followers": false, "subscribers": false, "emoteOnly": false, "unique": false });
    assert_eq!(call(weir.http, "PATCH", "ada/chat", By::Login(&owner), Some(&open)).status, 200);
    assert_eq!(ben_says("still here"), 201);
    weir.assert_healthy();
}

/// Two do the same at the same moment, over a connection each; what they are answered, the lower status first.
fn both(weir: &Weir, by: [&Login; 2], method: &str, path: &str, body: Option<&Value>) -> [u16; 2] {
    let mut answers = std::thread::scope(|scope| {
        by.map(|by| scope.spawn(move || call(weir.http, method, path, By::Login(by), body).status))
            .map(|asked| asked.join().expect("an answer"))
    });
    answers.sort_unstable();
    answers
}

#[test]
fn what_two_moderators_do_at_once_happens_once() {
    let weir = Weir::start();
    let owner = weir.set_up("ada");
    let mia = chat::account(&weir, "mia");
    assert_eq!(call(weir.http, "PUT", "ada/moderators/mia", By::Login(&owner), None).status, 201);
    let mut reader = Reader::join(weir.http, "ada");
    let rounds = 5;
    for round in 0..rounds {
        let ben = chat::guest(weir.http, &format!("Ben {round}"));
        let said = |text: &str| {
            let sent = say(weir.http, "ada", By::Guest(&ben), text);
            assert_eq!(sent.status, 201, "{}", sent.text());
            sent.json()["id"].as_str().unwrap().to_owned()
        };
        let (first, second) = (said(&format!("first of {round}")), said(&format!("second of {round}")));
        let at_once = |method: &str, path: &str, body: Option<Value>| {
            both(&weir, [&owner, &mia], method, path, body.as_ref())
        };
        assert_eq!(at_once("PUT", "ada/chat/pin", Some(json!({ "message": first }))), [204, 204]);
        assert_eq!(at_once("DELETE", "ada/chat/pin", None), [204, 404]);
        assert_eq!(at_once("DELETE", &format!("ada/chat/messages/{second}"), None), [204, 404]);
        let ban = json!({ "person": ben.id, "reason": "at once" });
        assert_eq!(at_once("POST", "ada/chat/bans", Some(ban)), [201, 201], "both get the ban that stands");
        let bans = call(weir.http, "GET", "ada/chat/bans", By::Login(&owner), None).json();
        assert_eq!(bans["items"].as_array().unwrap().len(), 1);
        assert_eq!(at_once("DELETE", &format!("ada/chat/bans/{}", ben.id), None), [204, 404]);
        // Told once each, too.
        let told = reader.until(|update| update["type"] == "unbanned");
        let times = |kind: &str| told.iter().filter(|update| update["type"] == kind).count();
        for (kind, wanted) in [("unpinned", 1), ("deleted", 2), ("banned", 1), ("unbanned", 1)] {
            assert_eq!(times(kind), wanted, "{kind}: {told:?}");
        }
        // Who reads of it after the ban, which took the message along, isn't told any more that it was pinned.
        assert!(times("pinned") <= 1, "{told:?}");
    }
    let actions = call(weir.http, "GET", "ada/chat/actions?limit=200", By::Login(&owner), None).json();
    let audit = call(weir.http, "GET", "ada/audit?action=chat&limit=200", By::Login(&owner), None).json();
    let count = |list: &Value, field: &str, name: &str| {
        list["items"].as_array().unwrap().iter().filter(|one| one[field] == name).count()
    };
    for (kind, action) in [
        ("pin", "chat.pinned"),
        ("unpin", "chat.unpinned"),
        ("delete", "chat.deleted"),
        ("ban", "chat.banned"),
        ("unban", "chat.banLifted"),
    ] {
        assert_eq!(
            (count(&actions, "kind", kind), count(&audit, "action", action)),
            (rounds, rounds),
            "{kind}"
        );
    }
}

#[test]
fn a_name_that_looks_like_another_is_another() {
    let weir = Weir::start();
    let owner = weir.set_up("ada");
    let says = |guest: &chat::Guest, address: &str| {
        Request::new("POST", "/api/v1/channels/ada/chat/messages")
            .header("weir-guest", guest.token.as_str())
            .header("x-forwarded-for", address)
            .json(&json!({ "text": "hello" }))
            .send(weir.http)
            .status
    };
    // The second with a letter of another script.
    let (ben, other) =
        (chat::guest_from(weir.http, "Ben", "192.0.2.41"), chat::guest_from(weir.http, "Bеn", "192.0.2.42"));
    assert_eq!((says(&ben, "192.0.2.41"), says(&other, "192.0.2.42")), (201, 201));
    let ban = json!({ "text": "/ban @Ben looks alike" });
    let done = call(weir.http, "POST", "ada/chat/commands", By::Login(&owner), Some(&ban));
    assert_eq!(done.status, 200, "{}", done.text());
    assert_eq!((says(&ben, "192.0.2.41"), says(&other, "192.0.2.42")), (403, 201));
    let bans = call(weir.http, "GET", "ada/chat/bans", By::Login(&owner), None).json();
    assert_eq!((bans["items"].as_array().unwrap().len(), &bans["items"][0]["person"]), (1, &json!(ben.id)));
}

#[test]
fn what_waits_behind_its_author_s_ban_is_not_written() {
    let weir = Weir::start();
    let owner = weir.set_up("ada");
    for round in 0..6 {
        let sam = chat::account(&weir, &format!("sam-{round}"));
        let room = call(weir.http, "GET", "ada/chat", By::Login(&sam), None).json();
        let ban = json!({ "person": room["you"]["id"], "reason": "" });
        // Four messages race the ban; whichever side of it they fall on, none is there after it.
        std::thread::scope(|scope| {
            for n in 0..4 {
                let (weir, sam) = (&weir, &sam);
                scope.spawn(move || {
                    let sent = say(weir.http, "ada", By::Login(sam), &format!("{n} of {round}"));
                    assert!(sent.status == 201 || sent.problem(403).kind == "/problems/banned");
                });
            }
            let banned = call(weir.http, "POST", "ada/chat/bans", By::Login(&owner), Some(&ban));
            assert_eq!(banned.status, 201, "{}", banned.text());
        });
        let page = call(weir.http, "GET", "ada/chat/messages", By::Nobody, None).json();
        assert_eq!(page["items"], json!([]), "round {round}");
    }
}

#[test]
fn a_message_that_waits_for_the_disk_behind_its_author_s_ban_is_refused() {
    let weir = Weir::start();
    let owner = weir.set_up("ada");
    let sam = chat::account(&weir, "sam");
    let room = call(weir.http, "GET", "ada/chat", By::Login(&sam), None).json();
    let ban = json!({ "person": room["you"]["id"], "reason": "late" });
    let until_waiting = |count: usize| {
        eventually("what waits for the disk", SOON, || {
            let metrics = Request::new("GET", "/metrics").send(weir.http).text();
            metrics.contains(&format!("weir_chat_waiting {count}\n")).then_some(())
        });
    };
    let lock = Lock::hold(&weir);
    std::thread::scope(|scope| {
        let first = scope.spawn(|| say(weir.http, "ada", By::Login(&owner), "first").status);
        until_waiting(1);
        let banned =
            scope.spawn(|| call(weir.http, "POST", "ada/chat/bans", By::Login(&owner), Some(&ban)).status);
        until_waiting(2);
        let late = scope.spawn(|| say(weir.http, "ada", By::Login(&sam), "late"));
        until_waiting(3);
        lock.release();
        assert_eq!((first.join().unwrap(), banned.join().unwrap()), (201, 201));
        assert_eq!(late.join().unwrap().problem(403).kind, "/problems/banned");
    });
    let page = call(weir.http, "GET", "ada/chat/messages", By::Nobody, None).json();
    let texts: Vec<String> = page["items"].as_array().unwrap().iter().map(text_of).collect();
    assert_eq!(texts, ["first"]);
}

#[test]
fn another_guest_who_waits_for_the_disk_behind_the_ban_of_their_network_is_refused() {
    let weir = Weir::start();
    let owner = weir.set_up("ada");
    let says = |guest: &chat::Guest, address: &str, text: &str| {
        Request::new("POST", "/api/v1/channels/ada/chat/messages")
            .header("weir-guest", guest.token.as_str())
            .header("x-forwarded-for", address)
            .json(&json!({ "text": text }))
            .send(weir.http)
    };
    let until_waiting = |count: usize| {
        eventually("what waits for the disk", SOON, || {
            let metrics = Request::new("GET", "/metrics").send(weir.http).text();
            metrics.contains(&format!("weir_chat_waiting {count}\n")).then_some(())
        });
    };
    for (n, path, kind) in
        [(1, "ada/chat/bans", "/problems/banned"), (2, "ada/chat/silences", "/problems/timed-out")]
    {
        let (here, there) = (format!("192.0.2.{n}1"), format!("192.0.2.{n}2"));
        let guest = |name: &str, address: &str| chat::guest_from(weir.http, &format!("{name} {n}"), address);
        let (one, two, other) = (guest("One", &here), guest("Two", &here), guest("Other", &there));
        assert_eq!(says(&one, &here, "hello").status, 201);
        let mut body = json!({ "person": one.id, "reason": "" });
        if n == 2 {
            body["seconds"] = json!(60);
        }
        let lock = Lock::hold(&weir);
        let text = format!("first {n}");
        std::thread::scope(|scope| {
            let first = scope.spawn(|| say(weir.http, "ada", By::Login(&owner), &text).status);
            until_waiting(1);
            let done = scope.spawn(|| call(weir.http, "POST", path, By::Login(&owner), Some(&body)).status);
            until_waiting(2);
            let late = scope.spawn(|| says(&two, &here, "late"));
            until_waiting(3);
            let apart = scope.spawn(|| says(&other, &there, "from elsewhere"));
            until_waiting(4);
            lock.release();
            assert_eq!((first.join().unwrap(), done.join().unwrap()), (201, 201));
            assert_eq!(late.join().unwrap().problem(403).kind, kind);
            assert_eq!(apart.join().unwrap().status, 201, "another network's");
        });
        assert_eq!(says(&two, &here, "later").problem(403).kind, kind);
    }
}
