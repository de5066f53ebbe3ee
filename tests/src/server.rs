//! The server's process: its environment, its console, its end.

use crate::{eventually, http::Request};
use serde_json::{Value, json};
use std::{
    ffi::OsStr,
    io::{BufRead, BufReader, Read},
    net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Output, Stdio},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};
use tempfile::TempDir;

const READY_WITHIN: Duration = Duration::from_secs(10);

/// The binary under test: `WEIR_BIN`, or the release build of this workspace.
pub fn binary() -> PathBuf {
    std::env::var_os("WEIR_BIN")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/release/weir"), PathBuf::from)
}

/// A TCP port on loopback that was free a moment ago.
pub fn free_tcp_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    listener.local_addr().expect("its address").port()
}

/// The first of several UDP ports in a row that were free a moment ago: the server counts up from it, one a shard.
pub fn free_udp_ports() -> u16 {
    /// Tests run at the same time: none is given what another one was given.
    static NEXT: Mutex<Option<u16>> = Mutex::new(None);
    const FIRST: u16 = 20_000;
    const LAST: u16 = 31_000;
    let shards = std::thread::available_parallelism().map_or(1, usize::from) as u16;
    let mut next = NEXT.lock().unwrap_or_else(PoisonError::into_inner);
    let mut first = next.unwrap_or_else(|| rand::random_range(FIRST..LAST));
    for _ in 0..100 {
        let bound: Vec<_> = (first..first + shards)
            .map_while(|port| UdpSocket::bind((Ipv4Addr::LOCALHOST, port)).ok())
            .collect();
        let after = if first + shards < LAST { first + shards } else { FIRST };
        *next = Some(after);
        if bound.len() == usize::from(shards) {
            return first;
        }
        first = after;
    }
    panic!("found no {shards} free UDP ports in a row");
}

/// A running server. Ends with its value, and prints what its console said when a test failed.
pub struct Weir {
    child: Child,
    console: Arc<Mutex<Vec<String>>>,
    environment: Vec<(String, String)>,
    /// Where HTTP is answered.
    pub http: SocketAddr,
    /// Where the first shard's media arrives.
    pub media: SocketAddr,
    data: Arc<Path>,
    _folder: Option<TempDir>,
}

/// What `weir channel create NAME --json` prints, as far as tests need it.
#[derive(Debug, Clone)]
pub struct NewChannel {
    /// Its name.
    pub name: String,
    /// The publisher's secret.
    pub key: String,
}

/// A signed-in person.
#[derive(Debug, Clone)]
pub struct Login {
    /// The value of the `Cookie` header.
    pub cookie: String,
}

impl Weir {
    /// A server with an empty data directory.
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// A server with an empty data directory and more in its environment.
    pub fn start_with(environment: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut weir = Self::start_in(folder.path(), environment);
        weir._folder = Some(folder);
        weir
    }

    /// A server with its data in `data`.
    pub fn start_in(data: &Path, more: &[(&str, &str)]) -> Self {
        let http = SocketAddr::from((Ipv4Addr::LOCALHOST, free_tcp_port()));
        let media = SocketAddr::from((Ipv4Addr::LOCALHOST, free_udp_ports()));
        let mut environment = vec![
            ("WEIR_DATA_DIR".to_owned(), data.display().to_string()),
            ("WEIR_HTTP_LISTEN".to_owned(), http.to_string()),
            ("WEIR_MEDIA_LISTEN".to_owned(), media.to_string()),
            ("NO_COLOR".to_owned(), "1".to_owned()),
        ];
        environment.extend(more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let console = Arc::default();
        let child = spawn(&environment, &console);
        let mut weir = Self { child, console, environment, http, media, data: data.into(), _folder: None };
        weir.ready();
        weir
    }

    fn ready(&mut self) {
        let deadline = Instant::now() + READY_WITHIN;
        loop {
            if let Some(status) = self.child.try_wait().expect("the process") {
                panic!("weir ended with {status} before it was ready:\n{}", self.console());
            }
            if Request::new("GET", "/readyz").try_send(self.http).is_ok_and(|response| response.status == 200)
            {
                return;
            }
            assert!(Instant::now() < deadline, "weir was not ready in time:\n{}", self.console());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// The process's id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The data directory.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// All that the console said so far.
    pub fn console(&self) -> String {
        self.console.lock().expect("the console").join("\n")
    }

    /// `kill -9`: no goodbye to anyone.
    pub fn crash(&mut self) {
        self.child.kill().expect("to kill it");
        self.child.wait().expect("its end");
    }

    /// Starts the process again: same ports, same data.
    pub fn start_again(&mut self) {
        self.child = spawn(&self.environment, &self.console);
        self.ready();
    }

    /// SIGTERM, and how it ended.
    ///
    /// # Panics
    /// When it takes longer than `timeout`.
    pub fn terminate(&mut self, timeout: Duration) -> ExitStatus {
        signal(self.pid(), "TERM");
        self.wait(timeout)
    }

    /// How it ends.
    ///
    /// # Panics
    /// When it takes longer than `timeout`.
    pub fn wait(&mut self, timeout: Duration) -> ExitStatus {
        eventually("the end", timeout, || self.child.try_wait().expect("the process"))
    }

    /// Whether the server still answers.
    #[track_caller]
    pub fn assert_healthy(&mut self) {
        assert!(self.child.try_wait().expect("the process").is_none(), "weir ended:\n{}", self.console());
        assert_eq!(Request::new("GET", "/healthz").send(self.http).status, 200);
        assert!(!self.console().contains("panicked at"), "{}", self.console());
    }

    /// `weir …` with the same environment.
    pub fn run<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Output {
        let environment = self.environment.iter().map(|(name, value)| (name, value));
        Command::new(binary()).args(arguments).envs(environment).output().expect("weir")
    }

    /// `weir channel create NAME --json`.
    pub fn create_channel(&self, name: &str) -> NewChannel {
        let output = self.run(&["channel", "create", name, "--json"]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let made: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        assert_eq!(made["channel"], name);
        NewChannel { name: name.to_owned(), key: made["streamKey"].as_str().expect("a key").to_owned() }
    }

    /// The token of the one-time set-up link that the console printed.
    pub fn set_up_token(&self) -> String {
        eventually("the set-up link", Duration::from_secs(5), || {
            let console = self.console();
            let (_, rest) = console.split_once("/set-up?token=")?;
            Some(rest.chars().take_while(|c| !c.is_whitespace() && *c != '"').collect())
        })
    }

    /// The owner's account, with a channel of the same name.
    pub fn set_up(&self, name: &str) -> Login {
        let body = json!({
            "token": self.set_up_token(), "name": name, "displayName": name, "password": "correct horse battery",
            "channel": name,
        });
        let response = self.same_origin("POST", "/api/v1/setup").json(&body).send(self.http);
        assert_eq!(response.status, 201, "{}", response.text());
        Login::from_response(&response)
    }

    /// A request as the app's own page makes it.
    pub fn same_origin<'a>(&self, method: &'a str, path: &'a str) -> Request<'a> {
        Request::new(method, path)
            .header("origin", format!("http://{}", self.http))
            .header("sec-fetch-site", "same-origin")
    }

    /// `GET /api/v1/channels/{name}/state`.
    pub fn state(&self, channel: &str) -> Value {
        Request::new("GET", &format!("/api/v1/channels/{channel}/state")).send(self.http).json()
    }

    /// Waits until a channel is in a state, and gives it.
    #[track_caller]
    pub fn until_state(&self, channel: &str, state: &str, timeout: Duration) -> Value {
        eventually(&format!("{channel} is {state}"), timeout, || {
            Some(self.state(channel)).filter(|seen| seen["state"] == state)
        })
    }
}

impl Login {
    /// From an answer that sets a cookie.
    pub fn from_response(response: &crate::http::Response) -> Self {
        let cookie = response.header("set-cookie").expect("a cookie");
        Self { cookie: cookie.split(';').next().unwrap_or_default().to_owned() }
    }
}

impl Drop for Weir {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            let console = self.console();
            let lines: Vec<_> = console.lines().collect();
            let tail = &lines[lines.len().saturating_sub(60)..];
            eprintln!("--- what weir said last\n{}", tail.join("\n"));
        }
    }
}

fn spawn(environment: &[(String, String)], console: &Arc<Mutex<Vec<String>>>) -> Child {
    let mut child = Command::new(binary())
        .arg("serve")
        // Where no weir.toml lies about.
        .current_dir(std::env::temp_dir())
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{}: {error}", binary().display()));
    listen(child.stdout.take(), console);
    listen(child.stderr.take(), console);
    child
}

fn listen(stream: Option<impl Read + Send + 'static>, console: &Arc<Mutex<Vec<String>>>) {
    let Some(stream) = stream else { return };
    let console = Arc::clone(console);
    std::thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            console.lock().expect("the console").push(line);
        }
    });
}

/// Sends a signal by name.
pub fn signal(pid: u32, name: &str) {
    let status = Command::new("kill").args(["-s", name, &pid.to_string()]).status().expect("kill");
    assert!(status.success());
}

/// Starts `weir` with an environment that it should refuse; gives what it said and how it ended.
///
/// # Panics
/// When it is still running after ten seconds.
pub fn refused(environment: &[(&str, &str)], arguments: &[&str]) -> (ExitStatus, String) {
    let mut child = Command::new(binary())
        .args(arguments)
        .current_dir(std::env::temp_dir())
        .env("NO_COLOR", "1")
        .envs(environment.iter().copied())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("weir");
    let console = Arc::default();
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let readers = [
        std::thread::spawn({
            let console = Arc::clone(&console);
            move || gather(out, &console)
        }),
        std::thread::spawn({
            let console = Arc::clone(&console);
            move || gather(err, &console)
        }),
    ];
    let deadline = Instant::now() + Duration::from_secs(10);
    let status = loop {
        if let Some(status) = child.try_wait().expect("the process") {
            break status;
        }
        if Instant::now() > deadline {
            let _ = child.kill();
            let _ = child.wait();
            panic!("weir started with {environment:?} {arguments:?}");
        }
        std::thread::sleep(Duration::from_millis(10));
    };
    for reader in readers {
        reader.join().expect("its console");
    }
    let said = console.lock().expect("the console").clone();
    (status, said)
}

fn gather(stream: Option<impl Read>, console: &Mutex<String>) {
    let mut text = String::new();
    if let Some(mut stream) = stream {
        let _ = stream.read_to_string(&mut text);
    }
    console.lock().expect("the console").push_str(&text);
}
