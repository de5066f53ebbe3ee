//! The event socket over a real one, spoken to by a client of its own: what a hostile client sends, no library would.

use super::*;
use shared::event::{Occurrence, Payload, ServerMessage};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinHandle,
    time::timeout,
};

const LONG: Duration = Duration::from_secs(10);

struct Running {
    address: SocketAddr,
    bus: Bus,
    router: Router,
    setup_token: String,
    stop: watch::Sender<Ending>,
    served: JoinHandle<Result<(), AppError>>,
    _dir: tempfile::TempDir,
}

async fn run() -> Running {
    let World { server, dir } = World::new().await;
    let (stop, ending) = watch::channel(Ending::NotYet);
    let setup_token = server.setup_link().unwrap().split_once("token=").unwrap().1.to_owned();
    let (address, bus, router) = (server.addresses()[0], server.gateway.bus().clone(), server.router.clone());
    let served = tokio::spawn(server.run_until(ending));
    Running { address, bus, router, setup_token, stop, served, _dir: dir }
}

impl Running {
    async fn call(&self, method: &str, path: &str, cookie: &str, body: Value) -> Response<Body> {
        let request = Request::builder().method(method).uri(path).header(header::COOKIE, cookie);
        let request = request.header(header::CONTENT_TYPE, "application/json");
        self.router.clone().oneshot(request.body(Body::from(body.to_string())).unwrap()).await.unwrap()
    }

    async fn set_up(&self) -> String {
        let answer = self.call("POST", "/api/v1/setup", "", set_up(&self.setup_token, "ada")).await;
        assert_eq!(answer.status(), StatusCode::CREATED);
        let cookie = answer.headers()[header::SET_COOKIE].to_str().unwrap();
        cookie.split(';').next().unwrap().to_owned()
    }

    /// Stops the server; how it ended.
    async fn stop(self) {
        self.stop.send_replace(Ending::Drain);
        drop(self.router);
        timeout(LONG, self.served).await.expect("it stops in time").unwrap().unwrap();
    }
}

#[derive(Debug)]
pub(super) enum Frame {
    Text(String),
    Close(u16),
    Other,
}

pub(super) struct Client(TcpStream);

impl Client {
    /// Connects; the client, or the status it was refused with.
    pub(super) async fn connect(address: SocketAddr, headers: &str) -> Result<Self, String> {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = format!(
            "GET /api/v1/events HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{headers}\r\n"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            answer.push(stream.read_u8().await.map_err(|error| error.to_string())?);
        }
        let answer = String::from_utf8(answer).unwrap();
        if answer.starts_with("HTTP/1.1 101") { Ok(Self(stream)) } else { Err(answer) }
    }

    /// A whole frame with an opcode, masked with zeros.
    async fn frame(&mut self, opcode: u8, body: &[u8]) {
        let mut frame = vec![0x80 | opcode];
        match body.len() {
            len @ 0..126 => frame.push(0x80 | len as u8),
            len => {
                frame.push(0x80 | 127);
                frame.extend((len as u64).to_be_bytes());
            }
        }
        frame.extend([0; 4]);
        frame.extend(body);
        // A server that has closed already may refuse the rest.
        let _ = self.0.write_all(&frame).await;
    }

    pub(super) async fn send(&mut self, message: Value) {
        self.frame(1, message.to_string().as_bytes()).await;
    }

    pub(super) async fn read(&mut self) -> Frame {
        timeout(LONG, self.read_frame()).await.expect("the server says something")
    }

    async fn read_frame(&mut self) -> Frame {
        let opcode = self.0.read_u8().await.unwrap() & 0x0f;
        let len = match self.0.read_u8().await.unwrap() {
            126 => u64::from(self.0.read_u16().await.unwrap()),
            127 => self.0.read_u64().await.unwrap(),
            len => u64::from(len),
        };
        let mut body = vec![0; len as usize];
        self.0.read_exact(&mut body).await.unwrap();
        match opcode {
            1 => Frame::Text(String::from_utf8(body).unwrap()),
            8 => Frame::Close(u16::from_be_bytes([body[0], body[1]])),
            _ => Frame::Other,
        }
    }

    async fn message(&mut self) -> ServerMessage {
        loop {
            match self.read().await {
                Frame::Text(text) => return serde_json::from_str(&text).unwrap(),
                Frame::Other => {}
                Frame::Close(code) => panic!("closed with {code}"),
            }
        }
    }

    async fn closed(&mut self) -> u16 {
        loop {
            if let Frame::Close(code) = self.read().await {
                return code;
            }
        }
    }
}

fn request(topic: &str, id: &str) -> Value {
    json!({ "event": format!("{topic}:requested"), "id": id, "payload": { "channel": "ada" } })
}

#[tokio::test]
async fn a_page_follows_a_channel() {
    let server = run().await;
    let ada = server.set_up().await;
    let mut page = Client::connect(server.address, "").await.ok().unwrap();
    page.send(request("channel:stream_state:v1", "s")).await;
    assert_eq!(page.message().await.event.to_string(), "channel:stream_state:v1:started");
    let first = page.message().await;
    let (first_cursor, first) = (first.cursor.unwrap(), first.parse().unwrap());
    assert!(matches!(first, Payload::ChannelState(state) if state.title.as_str().is_empty()));
    // Told at once and not at the next second's check, by the bus.
    server.call("PATCH", "/api/v1/channels/ada", &ada, json!({ "title": "Hello" })).await;
    let second = page.message().await;
    assert!(second.cursor.unwrap() > first_cursor);
    assert!(
        matches!(second.parse().unwrap(), Payload::ChannelState(state) if state.title.as_str() == "Hello")
    );
    page.send(json!({ "event": "channel:stream_state:v1:cancelled", "id": "s" })).await;
    assert_eq!(page.message().await.event.to_string(), "channel:stream_state:v1:success");
    page.send(json!({ "event": "instance:stream_directory:v1:requested", "id": "d" })).await;
    assert_eq!(page.message().await.event.to_string(), "instance:stream_directory:v1:started");
    assert!(
        matches!(page.message().await.parse().unwrap(), Payload::Directory(list) if list.channels.len() == 1)
    );
    server.stop().await;
}

#[tokio::test]
async fn who_comes_back_gets_what_was_missed() {
    let server = run().await;
    server.set_up().await;
    let ada = "ada".parse().unwrap();
    let mut page = Client::connect(server.address, "").await.ok().unwrap();
    page.send(request("channel:stream_events:v1", "e")).await;
    let started = page.message().await;
    let cursor = started.cursor.unwrap();
    let told: Vec<_> = (0..3).map(|_| server.bus.publish(&ada, Occurrence::ChannelEdited {})).collect();
    let seen = page.message().await;
    assert!(seen.cursor.unwrap() > cursor);
    assert_eq!(seen.clone().parse(), Some(Payload::ChannelEvent(told[0].as_ref().clone())));
    drop(page);
    let mut back = Client::connect(server.address, "").await.ok().unwrap();
    let mut again = request("channel:stream_events:v1", "e");
    again["after"] = json!(seen.cursor);
    back.send(again).await;
    assert_eq!(back.message().await.payload, json!({ "complete": true }));
    for missed in &told[1..] {
        assert_eq!(back.message().await.parse(), Some(Payload::ChannelEvent(missed.as_ref().clone())));
    }
    let mut lost = request("channel:stream_events:v1", "f");
    lost["after"] = json!(1);
    back.send(lost).await;
    assert_eq!(back.message().await.payload, json!({ "complete": false }));
    server.stop().await;
}

#[tokio::test]
async fn the_owner_alone_follows_what_is_the_owners() {
    let server = run().await;
    let ada = server.set_up().await;
    let mut stranger = Client::connect(server.address, "").await.ok().unwrap();
    stranger.send(request("media:stream_webrtc:v1", "w")).await;
    assert_eq!(stranger.message().await.payload["type"], "/problems/signed-out");
    stranger.send(json!({ "event": "channel:stream_state:v1:requested", "id": "n", "payload": { "channel": "nobody" } })).await;
    assert_eq!(stranger.message().await.payload["type"], "/problems/unknown-channel");
    for topic in ["channel:stream_state:v1", "channel:stream_events:v1"] {
        stranger.send(request(topic, "s")).await;
        while stranger.message().await.event.to_string() != format!("{topic}:started") {}
        let hide = json!({ "visibility": "PRIVATE" });
        server.call("PATCH", "/api/v1/channels/ada", &ada, hide).await;
        let failed = loop {
            let message = stranger.message().await;
            if message.event.to_string().ends_with(":failed") {
                break message;
            }
        };
        assert_eq!(failed.payload["type"], "/problems/unknown-channel", "{topic}");
        server.call("PATCH", "/api/v1/channels/ada", &ada, json!({ "visibility": "PUBLIC" })).await;
    }
    let mut owner = Client::connect(server.address, &format!("Cookie: {ada}\r\n")).await.ok().unwrap();
    owner.send(request("media:stream_webrtc:v1", "w")).await;
    assert_eq!(owner.message().await.event.to_string(), "media:stream_webrtc:v1:started");
    assert!(matches!(owner.message().await.parse().unwrap(), Payload::PublisherHealth(_)));
    server.stop().await;
}

#[tokio::test]
async fn broken_frames_end_their_own_connection_alone() {
    let server = run().await;
    server.set_up().await;
    let mut good = Client::connect(server.address, "").await.ok().unwrap();
    good.send(request("channel:stream_state:v1", "s")).await;
    for (opcode, body, code) in
        [(1, b"not json".to_vec(), 1007), (2, vec![1, 2, 3], 1003), (1, vec![b' '; 20_000], 1009)]
    {
        let mut bad = Client::connect(server.address, "").await.ok().unwrap();
        bad.frame(opcode, &body).await;
        assert_eq!(bad.closed().await, code);
    }
    // Bytes that aren't frames, text that isn't UTF-8, a frame that says it has more than there is memory for.
    for bytes in [
        &[0xff; 64][..],
        &[0x81, 0x82, 0, 0, 0, 0, 0xff, 0xfe],
        &[0x82, 0xff, 0x7f, 255, 255, 255, 255, 255, 255, 255, 0, 0, 0, 0],
    ] {
        let mut bad = Client::connect(server.address, "").await.ok().unwrap();
        let _ = bad.0.write_all(bytes).await;
        let mut rest = Vec::new();
        // A reset is an end too.
        let _ = timeout(LONG, bad.0.read_to_end(&mut rest)).await.expect("the server ends it");
    }
    assert_eq!(good.message().await.event.to_string(), "channel:stream_state:v1:started");
    server.stop().await;
}

#[tokio::test]
async fn another_sites_page_gets_no_socket() {
    let server = run().await;
    let refused = Client::connect(server.address, "Origin: https://evil.example\r\n").await.err().unwrap();
    assert!(refused.starts_with("HTTP/1.1 403"), "{refused}");
    let own = format!("Origin: http://{}\r\n", server.address);
    assert!(Client::connect(server.address, &own).await.is_ok());
    server.stop().await;
}

#[tokio::test]
async fn a_stop_tells_pages_and_waits_for_nobody_long() {
    let server = run().await;
    let mut page = Client::connect(server.address, "").await.ok().unwrap();
    page.send(json!({ "event": "instance:stream_directory:v1:requested", "id": "d" })).await;
    page.message().await;
    let closed = tokio::spawn(async move { page.closed().await });
    server.stop().await;
    assert_eq!(closed.await.unwrap(), 1012);
}
