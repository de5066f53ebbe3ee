//! Running it: starting, refusing to start, being killed, running out of disk.

use crate::SOON;
use serde_json::json;
use std::{
    fs,
    net::{Ipv4Addr, TcpListener, UdpSocket},
    os::unix::fs::MetadataExt,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};
use weir_tests::{
    http::Request,
    peer::{Peer, Source, post_whip},
    server::{Weir, free_tcp_port, free_udp_ports, refused},
};

/// Starts with everything in order but for what the test changes.
fn refusal(change: &[(&str, &str)]) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let (http, media) = (free_tcp_port(), free_udp_ports());
    let (http, media) = (format!("127.0.0.1:{http}"), format!("127.0.0.1:{media}"));
    let data = folder.path().display().to_string();
    let mut environment =
        vec![("WEIR_DATA_DIR", data.as_str()), ("WEIR_HTTP_LISTEN", &http), ("WEIR_MEDIA_LISTEN", &media)];
    environment.retain(|(name, _)| change.iter().all(|(other, _)| other != name));
    environment.extend_from_slice(change);
    let (status, said) = refused(&environment, &["serve"]);
    assert!(!status.success());
    assert!(!said.contains("panicked"), "{said}");
    assert!(!said.contains("RUST_BACKTRACE"), "{said}");
    said
}

#[test]
fn a_port_in_use_is_named() {
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let address = taken.local_addr().expect("its address").to_string();
    let said = refusal(&[("WEIR_HTTP_LISTEN", &address)]);
    assert!(said.contains(&address), "{said}");
    let taken = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let address = taken.local_addr().expect("its address").to_string();
    let said = refusal(&[("WEIR_MEDIA_LISTEN", &address)]);
    assert!(said.contains(&address), "{said}");
}

#[test]
fn a_wrong_value_is_named_with_what_would_be_right() {
    for (name, value) in [
        ("WEIR_HTTP_LISTEN", "banana"),
        ("WEIR_HTTP_LISTEN", "127.0.0.1:99999"),
        ("WEIR_MEDIA_LISTEN", "localhost"),
        ("WEIR_HTTP_LISTEN", ""),
    ] {
        let said = refusal(&[(name, value)]);
        let key = name.trim_start_matches("WEIR_").to_lowercase().replace('_', ".");
        assert!(said.contains(name) || said.contains(&key), "{name}={value}: {said}");
    }
}

#[test]
fn a_data_directory_that_cannot_be_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("file");
    fs::write(&file, "x").expect("a file");
    for path in [
        file.clone(),
        file.join("below"),
        Path::new("/proc/weir").to_owned(),
        Path::new("/sys/weir").to_owned(),
    ] {
        let text = path.display().to_string();
        let said = refusal(&[("WEIR_DATA_DIR", &text)]);
        assert!(said.contains(&text), "{text}: {said}");
    }
}

#[test]
fn a_config_that_cannot_be_read_is_named_with_the_place() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = folder.path().join("weir.toml");
    let text = config.display().to_string();
    let cases: [(&[u8], &str); 6] = [
        (b"[http\nlisten = 1", "line"),
        (b"[http]\nlisten = 7\n", "listen"),
        (b"[http]\nlisten = \"banana\"\n", "listen"),
        (b"[http]\nlistne = \"127.0.0.1:1\"\n", "listne"),
        (b"[nothing]\nx = 1\n", "nothing"),
        (b"\xff\xfe\x00", "weir.toml"),
    ];
    for (content, named) in cases {
        fs::write(&config, content).expect("a file");
        let data = folder.path().display().to_string();
        let (status, said) = refused(&[("WEIR_DATA_DIR", &data)], &["serve", "--config", &text]);
        assert!(!status.success());
        assert!(
            said.contains("weir.toml") && said.contains(named),
            "{}: {said}",
            String::from_utf8_lossy(content)
        );
    }
    let missing = folder.path().join("missing.toml").display().to_string();
    let (status, said) = refused(&[], &["serve", "--config", &missing]);
    assert!(!status.success() && said.contains("missing.toml"), "{said}");
    // A folder where a file should be: not readable by anyone, root included.
    let path = folder.path().display().to_string();
    let (status, said) = refused(&[], &["serve", "--config", &path]);
    assert!(!status.success() && said.contains(&path), "{said}");
}

#[test]
fn the_shell_makes_channels_and_says_why_not() {
    let weir = Weir::start();
    let made = weir.create_channel("ada");
    assert!(made.key.len() >= 43, "256 bits take 43 letters: {}", made.key.len());
    for name in ["ada", "studio", "a", "No Such", "<b>"] {
        let output = weir.run(&["channel", "create", name, "--json"]);
        assert!(!output.status.success(), "{name}");
        let said =
            format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(said.contains(' ') && !said.contains("panicked"), "{name}: {said}");
    }
    let output = weir.run(&["--version"]);
    assert!(String::from_utf8_lossy(&output.stdout).contains(char::is_numeric));
    let output = weir.run(&["nonsense"]);
    assert!(!output.status.success());
}

#[test]
fn it_is_ready_and_says_how_it_is() {
    let weir = Weir::start();
    let channel = weir.create_channel("ada");
    let _publisher = Peer::publish(weir.http, "ada", &channel.key, Source::new(1));
    weir.until_state("ada", "live", SOON);
    assert_eq!(Request::new("GET", "/healthz").send(weir.http).status, 200);
    assert_eq!(Request::new("GET", "/readyz").send(weir.http).status, 200);
    let metrics = Request::new("GET", "/metrics").send(weir.http);
    assert_eq!(metrics.status, 200);
    let text = metrics.text();
    assert!(text.contains("# TYPE weir_") && text.contains("# HELP weir_"), "{text}");
    assert!(!text.contains(&channel.key));
}

#[test]
fn the_app_is_served_at_every_page_of_it() {
    let weir = Weir::start();
    let page = |path: &str| Request::new("GET", path).header("accept", "text/html").send(weir.http);
    let home = page("/");
    assert_eq!(home.status, 200);
    assert!(home.header("content-type").is_some_and(|kind| kind.starts_with("text/html")));
    // The pages of streamers and of those who run the instance are a program of their own.
    let backstage = page("/studio");
    assert!(backstage.status == 200 && backstage.body != home.body);
    for (paths, program) in [
        (&["/ada", "/ada/x", "/sign-in", "/set-up?token=x"], &home),
        (&["/studio/ada", "/analytics/ada", "/settings", "/admin"], &backstage),
    ] {
        for path in paths {
            let response = page(path);
            assert_eq!((response.status, response.body == program.body), (200, true), "{path}");
        }
    }
    assert!(home.header("content-security-policy").is_some(), "what may run on the page is said");
    assert_eq!(home.header("x-content-type-options"), Some("nosniff"));
    let cache = home.header("cache-control").unwrap_or_default();
    assert!(
        cache.contains("no-cache") || cache.contains("no-store") || cache.contains("max-age=0"),
        "{cache}"
    );
    let text = home.text();
    let (_, rest) = text.split_once("/assets/").expect("an asset");
    let name: String = rest.chars().take_while(|c| c.is_ascii_alphanumeric() || "-_.".contains(*c)).collect();
    let asset = format!("/assets/{name}");
    let plain = Request::new("GET", &asset).send(weir.http);
    assert_eq!(plain.status, 200, "{asset}");
    assert!(plain.header("cache-control").is_some_and(|cache| cache.contains("immutable")), "{asset}");
    let packed = Request::new("GET", &asset).header("accept-encoding", "gzip, br").send(weir.http);
    assert_eq!(packed.header("content-encoding"), Some("br"), "{asset}");
    assert!(packed.body.len() < plain.body.len(), "{asset}");
    assert_eq!(
        Request::new("GET", "/assets/nothing.js").header("accept", "text/html").send(weir.http).status,
        404
    );
}

#[test]
fn what_was_acknowledged_survives_kill_9() {
    let mut weir = Weir::start();
    let login = weir.set_up("ada");
    let change = json!({ "title": "Kept", "tags": ["one", "two"] });
    let request = weir.same_origin("PATCH", "/api/v1/channels/ada").header("cookie", login.cookie.as_str());
    assert_eq!(request.json(&change).send(weir.http).status, 200);
    let bob = weir.create_channel("bob");
    let publisher = Peer::publish(weir.http, "bob", &bob.key, Source::new(1));
    let broadcast = weir.until_state("bob", "live", SOON)["streamId"].as_str().expect("an id").to_owned();
    let viewer = Peer::watch(weir.http, "bob");
    viewer.more_video(10);
    weir_tests::eventually("the view to be recorded", SOON, || (rows(weir.data(), "view") > 0).then_some(()));
    weir.crash();
    assert_eq!(integrity(weir.data()), "ok");
    weir.start_again();
    let channel = Request::new("GET", "/api/v1/channels/ada").send(weir.http).json();
    assert_eq!((&channel["title"], &channel["tags"]), (&change["title"], &change["tags"]));
    let me = Request::new("GET", "/api/v1/me").header("cookie", login.cookie.as_str()).send(weir.http);
    assert_eq!(me.status, 200, "the login goes on");
    assert!(holds(weir.data(), "broadcast", &broadcast), "the broadcast is in the record");
    assert!(rows(weir.data(), "view") > 0, "the view is in the record");
    // The same key still opens the door.
    let offer = weir_tests::peer::Offering::to_send();
    assert_eq!(post_whip(weir.http, "/whip/bob", &bob.key, &offer.sdp).status, 201);
    drop((publisher, viewer));
}

#[test]
fn after_kill_9_the_same_key_goes_live_and_viewers_come_back() {
    let mut weir = Weir::start();
    let channel = weir.create_channel("ada");
    let publisher = Peer::publish(weir.http, "ada", &channel.key, Source::new(1));
    weir.until_state("ada", "live", SOON);
    weir.crash();
    weir.start_again();
    let again = Peer::publish(weir.http, "ada", &channel.key, Source::new(2));
    weir.until_state("ada", "live", SOON);
    let viewer = Peer::watch(weir.http, "ada");
    viewer.more_video(30);
    drop((publisher, again));
}

#[test]
fn sigterm_says_goodbye_within_ten_seconds() {
    let mut weir = Weir::start();
    let channel = weir.create_channel("ada");
    let publisher = Peer::publish(weir.http, "ada", &channel.key, Source::new(1));
    weir.until_state("ada", "live", SOON);
    let viewer = Peer::watch(weir.http, "ada");
    viewer.more_video(10);
    let mut events = weir_tests::events::Events::open(weir.http);
    events.request("channel:stream_state:v1", "s1", Some("ada"));
    let status = weir.terminate(Duration::from_secs(10));
    assert!(status.success(), "{status}: {}", weir.console());
    assert!(!weir.console().contains("panicked"), "{}", weir.console());
    assert_eq!(integrity(weir.data()), "ok");
    drop((publisher, viewer));
}

#[test]
fn it_starts_within_two_hundred_milliseconds_and_idles_below_forty_megabytes() {
    // Loose by a factor for a machine that runs other tests: `cargo xtask bench start` measures it.
    let started = Instant::now();
    let weir = Weir::start();
    assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
    let status = fs::read_to_string(format!("/proc/{}/status", weir.pid())).expect("its status");
    let kilobytes: u64 = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .and_then(|line| line.split_whitespace().next()?.parse().ok())
        .expect("its memory");
    assert!(kilobytes < 60_000, "{kilobytes} kB");
}

#[test]
fn a_full_disk_is_told_and_the_picture_goes_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let Some(_mount) = Mount::new(folder.path(), "6m") else {
        println!("skipped: a small file system can't be mounted here (needs root)");
        return;
    };
    let data = folder.path().join("data");
    let mut weir = Weir::start_in(&data, &[]);
    let login = weir.set_up("ada");
    let response = weir
        .same_origin("POST", "/api/v1/channels/ada/stream-key")
        .header("cookie", login.cookie.as_str())
        .json(&json!({}))
        .send(weir.http);
    let key = response.json()["streamKey"].as_str().expect("a key").to_owned();
    let _publisher = Peer::publish(weir.http, "ada", &key, Source::new(1));
    weir.until_state("ada", "live", SOON);
    let viewer = Peer::watch(weir.http, "ada");
    viewer.more_video(10);
    fill(folder.path());
    // A text that needs new pages, and that many times: at some point there is no room.
    let mut told = None;
    for i in 0..200 {
        let change =
            json!({ "description": format!("{i} {}", "long ".repeat(390)), "title": format!("{i}") });
        let request =
            weir.same_origin("PATCH", "/api/v1/channels/ada").header("cookie", login.cookie.as_str());
        let response = request.json(&change).send(weir.http);
        if response.status != 200 {
            told = Some(response);
            break;
        }
    }
    let told = told.expect("a full disk goes unnoticed");
    assert!(matches!(told.status, 500 | 503 | 507), "{}", told.status);
    let problem = told.problem(told.status);
    assert!(
        problem.detail.to_lowercase().contains("disk") || problem.detail.to_lowercase().contains("room"),
        "{problem:?}"
    );
    viewer.more_video(30);
    let newcomer = Peer::watch(weir.http, "ada");
    newcomer.more_video(10);
    weir.assert_healthy();
    let errors = weir.console().lines().filter(|line| line.contains("ERROR")).count();
    assert!(errors <= 20, "one cause, {errors} errors in the log");
    // Room again: it goes on by itself.
    fs::remove_file(folder.path().join("ballast")).expect("to make room");
    let request = weir.same_origin("PATCH", "/api/v1/channels/ada").header("cookie", login.cookie.as_str());
    assert_eq!(request.json(&json!({ "title": "room again" })).send(weir.http).status, 200);
    drop(weir);
}

#[test]
fn a_disk_that_turns_read_only_is_told_and_the_picture_goes_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let Some(mount) = Mount::new(folder.path(), "32m") else {
        println!("skipped: a file system can't be mounted here (needs root)");
        return;
    };
    let data = folder.path().join("data");
    {
        let weir = Weir::start_in(&data, &[]);
        weir.create_channel("ada");
    }
    if !mount.read_only() {
        println!("skipped: the file system can't be made read-only here");
        return;
    }
    let text = data.display().to_string();
    let said = refusal(&[("WEIR_DATA_DIR", &text)]);
    assert!(said.contains(&text), "{said}");
}

struct Mount<'a>(&'a Path);

impl<'a> Mount<'a> {
    fn new(path: &'a Path, size: &str) -> Option<Self> {
        let option = format!("size={size}");
        let status =
            Command::new("mount").args(["-t", "tmpfs", "-o", &option, "tmpfs"]).arg(path).output().ok()?;
        status.status.success().then_some(Self(path))
    }

    fn read_only(&self) -> bool {
        Command::new("mount")
            .args(["-o", "remount,ro"])
            .arg(self.0)
            .output()
            .is_ok_and(|out| out.status.success())
    }
}

impl Drop for Mount<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0).output();
    }
}

/// Leaves no room on the file system.
fn fill(folder: &Path) {
    let ballast = folder.join("ballast");
    let mut file = fs::File::create(&ballast).expect("a file");
    for size in [65_536, 4096, 512] {
        let block = vec![b'x'; size];
        while std::io::Write::write_all(&mut file, &block).is_ok() {}
    }
    assert!(fs::metadata(&ballast).expect("the ballast").size() > 0);
}

/// Runs SQL on the database file, read-only.
fn sql(data: &Path, script: &str) -> String {
    let code = format!(
        "import sqlite3,glob,sys\n\
         path=[p for p in glob.glob(sys.argv[1]+'/*') if open(p,'rb').read(15)==b'SQLite format 3'][0]\n\
         db=sqlite3.connect(path, timeout=5)\n{script}"
    );
    let output = Command::new("python3").args(["-c", &code]).arg(data).output().expect("python3");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

fn integrity(data: &Path) -> String {
    sql(data, "print(db.execute('pragma integrity_check').fetchone()[0])")
}

/// Rows of the table whose name holds `word`.
fn rows(data: &Path, word: &str) -> usize {
    let script = format!(
        "t=[r[0] for r in db.execute(\"select name from sqlite_master where type='table'\") if '{word}' in r[0]][0]\n\
         print(db.execute(f'select count(*) from \"{{t}}\"').fetchone()[0])"
    );
    sql(data, &script).parse().expect("a number")
}

/// Whether a row of the table whose name holds `word` has `value` somewhere.
fn holds(data: &Path, word: &str, value: &str) -> bool {
    let script = format!(
        "t=[r[0] for r in db.execute(\"select name from sqlite_master where type='table'\") if '{word}' in r[0]][0]\n\
         print(any('{value}' in map(str, row) for row in db.execute(f'select * from \"{{t}}\"')))"
    );
    sql(data, &script) == "True"
}
