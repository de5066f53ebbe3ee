//! Load for `cargo xtask bench chat`: many readers of one room and some who write, on one thread and in a process of its own,
//! so that the server's CPU seconds are the server's alone. Prints JSON.

use mio::{Events, Interest, Poll, Token, net::TcpStream};
use serde_json::{Value, json};
use std::{
    collections::HashMap,
    io::{ErrorKind, Read, Write},
    net::SocketAddr,
    rc::Rc,
    time::{Duration, Instant},
};
use weir_tests::{
    chat::{self, By},
    server::{Login, Weir},
};

const CONNECTIONS: [usize; 4] = [100, 1_000, 5_000, 10_000];
const RATES: [u32; 3] = [1, 10, 100];
/// People who write, each within what one person may: no rule of the room is waived for them.
const WRITERS: usize = 250;
const WARM: Duration = Duration::from_secs(1);
/// With few messages it takes longer to see a hundredth of them.
const SLOW: Duration = Duration::from_secs(10);
const BUSY: Duration = Duration::from_secs(6);
/// The kernel counts CPU time in hundredths of a second.
const TICKS: f64 = 100.0;

/// Times in steps of 0.1 ms, up to ten seconds.
struct Times(Vec<u32>);

impl Times {
    fn new() -> Self {
        Self(vec![0; 100_001])
    }

    fn add(&mut self, took: Duration) {
        let last = self.0.len() - 1;
        self.0[(took.as_micros() as usize / 100).min(last)] += 1;
    }

    fn count(&self) -> u64 {
        self.0.iter().map(|count| u64::from(*count)).sum()
    }

    /// Milliseconds below which this share lies.
    fn quantile(&self, share: f64) -> f64 {
        let wanted = (self.count() as f64 * share).ceil() as u64;
        let mut seen = 0;
        let at = self.0.iter().position(|count| {
            seen += u64::from(*count);
            seen >= wanted
        });
        at.unwrap_or_default() as f64 / 10.0
    }
}

/// Somebody without an account who writes.
struct Guest {
    address: String,
    token: String,
}

impl Guest {
    fn new(weir: &Weir, number: usize) -> Self {
        let address = format!("2001:db8:{number:x}::1");
        let made = chat::try_guest(weir.http, &format!("Writer {number}"), &address);
        let token = made.json()["token"].as_str().expect("a token").to_owned();
        Self { address, token }
    }
}

/// Turns the room's rules on: a full list of words, every filter, and nothing said twice.
fn moderate(weir: &Weir, owner: &Login) {
    let words: Vec<String> = (0..200).map(|n| format!("*forbidden word {n}*")).collect();
    let filters = json!({ "words": words, "links": "hold", "hosts": ["weir.example"], "repeats": true, "capitals": true,
        "lookAlikes": true });
    let owner = By::Login(owner);
    let set = chat::call(weir.http, "PUT", "ada/chat/filters", owner, Some(&filters));
    assert_eq!(set.status, 200, "{}", set.text());
    let set = chat::call(weir.http, "PATCH", "ada/chat", owner, Some(&json!({ "unique": true })));
    assert_eq!(set.status, 200, "{}", set.text());
}

struct Client {
    stream: TcpStream,
    /// What came of a frame that isn't whole yet.
    rest: Vec<u8>,
    is_open: bool,
    is_writer: bool,
}

struct Load {
    poll: Poll,
    clients: Vec<Client>,
    /// What proves who writes, writer by writer.
    guests: Vec<String>,
    buffer: Vec<u8>,
    began: Instant,
    /// When the messages of a batch were sent, by its cursor: read once and not by each of its readers.
    batches: HashMap<u64, Rc<[u64]>>,
    waiting: HashMap<u64, Instant>,
    next: u64,
    deliveries: Times,
    acknowledgements: Times,
    refused: u64,
    is_counting: bool,
}

impl Load {
    fn new() -> Self {
        Self {
            poll: Poll::new().expect("epoll"),
            clients: Vec::new(),
            guests: Vec::new(),
            buffer: vec![0; 256 * 1024],
            began: Instant::now(),
            batches: HashMap::new(),
            waiting: HashMap::new(),
            next: 0,
            deliveries: Times::new(),
            acknowledgements: Times::new(),
            refused: 0,
            is_counting: false,
        }
    }

    fn connect(&mut self, server: SocketAddr, guest: Option<&Guest>) {
        // Each from a network of its own, as far as the server can tell.
        let from = guest.map(|guest| format!("X-Forwarded-For: {}\r\n", guest.address)).unwrap_or_default();
        let request = format!(
            "GET /api/v1/events HTTP/1.1\r\nHost: {server}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{from}\r\n"
        );
        let mut stream = std::net::TcpStream::connect(server).expect("a connection");
        stream.write_all(request.as_bytes()).expect("to ask");
        stream.set_nodelay(true).expect("no delay");
        stream.set_nonblocking(true).expect("a stream that doesn't block");
        let mut stream = TcpStream::from_std(stream);
        let token = Token(self.clients.len());
        self.poll.registry().register(&mut stream, token, Interest::READABLE).expect("to listen");
        self.clients.push(Client { stream, rest: Vec::new(), is_open: false, is_writer: guest.is_some() });
        self.guests.extend(guest.map(|guest| guest.token.clone()));
    }

    /// Hears what comes until then.
    fn hear(&mut self, until: Instant, events: &mut Events) {
        loop {
            let left = until.saturating_duration_since(Instant::now());
            match self.poll.poll(events, Some(left)) {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => panic!("{error}"),
            }
            for event in events.iter() {
                self.read(event.token().0);
            }
            if Instant::now() >= until {
                return;
            }
        }
    }

    fn read(&mut self, number: usize) {
        let mut buffer = std::mem::take(&mut self.buffer);
        loop {
            let client = &mut self.clients[number];
            let kept = client.rest.len();
            buffer[..kept].copy_from_slice(&client.rest);
            client.rest.clear();
            match client.stream.read(&mut buffer[kept..]) {
                Ok(0) => panic!("the server closed a connection"),
                Ok(read) => {
                    let is_all = kept + read < buffer.len();
                    let used = self.take(number, &buffer[..kept + read]);
                    self.clients[number].rest.extend_from_slice(&buffer[used..kept + read]);
                    if is_all {
                        break;
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    client.rest.extend_from_slice(&buffer[..kept]);
                    break;
                }
                Err(error) => panic!("{error}"),
            }
        }
        self.buffer = buffer;
    }

    /// Takes whole frames; how many bytes they were.
    fn take(&mut self, number: usize, bytes: &[u8]) -> usize {
        let mut used = 0;
        if !self.clients[number].is_open {
            let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else { return 0 };
            assert!(bytes.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&bytes[..end]));
            self.clients[number].is_open = true;
            if !self.clients[number].is_writer {
                let ask = r#"{"event":"chat:stream_messages:v1:requested","id":"chat","payload":{"channel":"ada"}}"#;
                self.send(number, 1, ask.as_bytes());
            }
            used = end + 4;
        }
        while let Some((opcode, start, end)) = frame(&bytes[used..]) {
            let body = &bytes[used + start..used + end];
            match opcode {
                1 => self.text(body),
                9 => self.send(number, 10, body),
                8 => panic!("the server closed a connection"),
                _ => {}
            }
            used += end;
        }
        used
    }

    fn send(&mut self, number: usize, opcode: u8, body: &[u8]) {
        let mut frame = vec![0x80 | opcode];
        match body.len() {
            len @ 0..126 => frame.push(0x80 | len as u8),
            len => {
                frame.push(0x80 | 126);
                frame.extend((len as u16).to_be_bytes());
            }
        }
        // A mask of zeros leaves the body as it is.
        frame.extend([0; 4]);
        frame.extend(body);
        self.clients[number].stream.write_all(&frame).expect("to send");
    }

    fn text(&mut self, text: &[u8]) {
        const STREAM: &[u8] = br#"{"event":"chat:stream_messages:v1:stream""#;
        const SENT: &[u8] = br#"{"event":"chat:send_message:v1:success","id":""#;
        const FAILED: &[u8] = br#"{"event":"chat:send_message:v1:failed""#;
        let now = Instant::now();
        if text.starts_with(STREAM) {
            let cursor = number_after(text, b"\"cursor\":").expect("a cursor");
            let sent = self.batches.entry(cursor).or_insert_with(|| times_of(text)).clone();
            if self.is_counting {
                for micros in sent.iter() {
                    let at = self.began + Duration::from_micros(*micros);
                    self.deliveries.add(now.saturating_duration_since(at));
                }
            }
        } else if text.starts_with(SENT) {
            let id = number_after(text, b"\"id\":\"").expect("an id");
            if let Some(at) = self.waiting.remove(&id)
                && self.is_counting
            {
                self.acknowledgements.add(now - at);
            }
        } else if text.starts_with(FAILED) {
            self.refused += 1;
        }
    }

    fn say(&mut self) {
        let writer = (self.next % WRITERS as u64) as usize;
        let now = Instant::now();
        let micros = now.duration_since(self.began).as_micros();
        let text =
            format!("{micros} is when this was written, and @ada likes it :wave: https://weir.example/");
        let message = json!({
            "event": "chat:send_message:v1:requested", "id": self.next.to_string(),
            "payload": { "channel": "ada", "text": text, "guest": self.guests[writer] },
        });
        self.waiting.insert(self.next, now);
        self.next += 1;
        self.send(writer, 1, message.to_string().as_bytes());
    }

    /// Writes at a rate for a while.
    fn run(&mut self, rate: u32, lasts: Duration, events: &mut Events) {
        let step = Duration::from_secs(1) / rate;
        let end = Instant::now() + lasts;
        let mut next = Instant::now();
        while next < end {
            self.hear(next, events);
            self.say();
            next += step;
        }
        self.hear(end, events);
        self.batches.clear();
    }
}

/// The opcode of a whole frame, and where its body is.
fn frame(bytes: &[u8]) -> Option<(u8, usize, usize)> {
    let (opcode, short) = (bytes.first()? & 0x0f, usize::from(*bytes.get(1)?));
    let (start, len) = match short {
        126 => (4, usize::from(u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?))),
        127 => (10, u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?) as usize),
        len => (2, len),
    };
    (bytes.len() >= start + len).then_some((opcode, start, start + len))
}

fn number_after(text: &[u8], name: &[u8]) -> Option<u64> {
    let head = &text[..text.len().min(200)];
    let at = head.windows(name.len()).position(|window| window == name)? + name.len();
    let digits: Vec<u8> = text[at..].iter().copied().take_while(u8::is_ascii_digit).collect();
    std::str::from_utf8(&digits).ok()?.parse().ok()
}

/// When the messages of a payload were sent, as they say.
fn times_of(text: &[u8]) -> Rc<[u64]> {
    let message: Value = serde_json::from_slice(text).expect("JSON");
    let updates = message["payload"]["updates"].as_array().cloned().unwrap_or_default();
    let time = |update: &Value| update["fragments"][0]["text"].as_str()?.split(' ').next()?.parse().ok();
    updates.iter().filter_map(time).collect()
}

/// Seconds that a process has used of any core.
fn cpu_seconds(pid: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).expect("the process");
    let (_, fields) = stat.rsplit_once(')').expect("its name");
    let field =
        |number: usize| fields.split_whitespace().nth(number).and_then(|text| text.parse::<f64>().ok());
    // User and system time are fields 14 and 15 of all, and the name is the second.
    (field(11).expect("user time") + field(12).expect("system time")) / TICKS
}

fn resident(pid: u32) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("the process");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("its memory");
    line.split_whitespace().next().and_then(|kib| kib.parse::<f64>().ok()).expect("a number") * 1024.0
}

fn main() {
    let weir = Weir::start();
    let owner = weir.set_up("ada");
    let own = std::process::id();
    let mut load = Load::new();
    let mut events = Events::with_capacity(1024);
    moderate(&weir, &owner);
    for number in 0..WRITERS {
        load.connect(weir.http, Some(&Guest::new(&weir, number)));
    }
    load.run(10, WARM, &mut events);
    let empty = resident(weir.pid());
    let mut rows = Vec::new();
    for connections in CONNECTIONS {
        while load.clients.len() < WRITERS + connections {
            load.connect(weir.http, None);
            if load.clients.len().is_multiple_of(64) {
                load.hear(Instant::now(), &mut events);
            }
        }
        load.run(10, WARM, &mut events);
        let memory = (resident(weir.pid()) - empty) / connections as f64;
        for rate in RATES {
            load.run(rate, WARM, &mut events);
            (load.deliveries, load.acknowledgements, load.refused) = (Times::new(), Times::new(), 0);
            load.is_counting = true;
            let (began, before, own_before) = (Instant::now(), cpu_seconds(weir.pid()), cpu_seconds(own));
            load.run(rate, if rate == 1 { SLOW } else { BUSY }, &mut events);
            let (cpu, own_cpu) = (cpu_seconds(weir.pid()) - before, cpu_seconds(own) - own_before);
            let seconds = began.elapsed().as_secs_f64();
            load.is_counting = false;
            assert_eq!(load.refused, 0, "messages were refused");
            let deliveries = load.deliveries.count();
            rows.push(json!({
                "connections": connections,
                "messagesPerSecond": rate,
                "deliveriesPerSecond": (deliveries as f64 / seconds).round(),
                "deliveriesPerCoreSecond": (deliveries as f64 / cpu.max(0.01)).round(),
                "serverCores": round(cpu / seconds),
                "loadCores": round(own_cpu / seconds),
                "deliveryMs": { "p50": load.deliveries.quantile(0.5), "p99": load.deliveries.quantile(0.99) },
                "acknowledgedMs": { "p50": load.acknowledgements.quantile(0.5), "p99": load.acknowledgements.quantile(0.99) },
                "bytesPerConnection": memory.round(),
            }));
            eprint!(".");
        }
    }
    eprintln!();
    println!("{}", Value::Array(rows));
}

fn round(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}
