//! A client of the event socket.

use serde_json::{Value, json};
use std::{
    net::{SocketAddr, TcpStream},
    time::{Duration, Instant},
};
use tungstenite::{
    Error, Message, WebSocket,
    client::IntoClientRequest,
    handshake::{HandshakeError, client::Response},
    http::HeaderValue,
};

/// An open event socket.
pub struct Events {
    socket: WebSocket<TcpStream>,
}

/// Opens the WebSocket with the given `Origin` and `Cookie`; an error is the HTTP status of the refusal.
pub fn open(server: SocketAddr, origin: Option<&str>, cookie: Option<&str>) -> Result<Events, u16> {
    let headers = [("origin", origin), ("cookie", cookie)];
    let headers: Vec<_> = headers.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
    open_with(server, &headers)
}

/// Opens the WebSocket with the given headers; an error is the HTTP status of the refusal.
pub fn open_with(server: SocketAddr, headers: &[(&'static str, &str)]) -> Result<Events, u16> {
    let mut request = format!("ws://{server}/api/v1/events").into_client_request().expect("a request");
    for (name, value) in headers {
        request.headers_mut().insert(*name, HeaderValue::from_str(value).expect("a header"));
    }
    let stream = TcpStream::connect(server).expect("a connection");
    stream.set_read_timeout(Some(Duration::from_secs(5))).expect("a timeout");
    let outcome: Result<(_, Response), _> = tungstenite::client(request, stream);
    match outcome {
        Ok((socket, _)) => Ok(Events { socket }),
        Err(HandshakeError::Failure(Error::Http(response))) => Err(response.status().as_u16()),
        Err(error) => panic!("the event socket did not open: {error}"),
    }
}

impl Events {
    /// Opens it as the app's own page does.
    pub fn open(server: SocketAddr) -> Self {
        open(server, Some(&format!("http://{server}")), None).expect("the event socket")
    }

    /// Opens it as a signed-in page does.
    pub fn open_as(server: SocketAddr, cookie: &str) -> Self {
        open(server, Some(&format!("http://{server}")), Some(cookie)).expect("the event socket")
    }

    /// Asks for a topic (`domain:action:version`).
    pub fn request(&mut self, topic: &str, id: &str, channel: Option<&str>) {
        let payload = channel.map_or_else(|| json!({}), |channel| json!({ "channel": channel }));
        self.send(&json!({ "event": format!("{topic}:requested"), "id": id, "payload": payload }));
    }

    /// Asks for a topic; `false` when the server has closed.
    pub fn try_request(&mut self, topic: &str, id: &str, channel: Option<&str>) -> bool {
        let payload = channel.map_or_else(|| json!({}), |channel| json!({ "channel": channel }));
        let message = json!({ "event": format!("{topic}:requested"), "id": id, "payload": payload });
        self.socket.send(Message::text(message.to_string())).is_ok()
    }

    /// Whether the server has closed.
    pub fn is_closed(&mut self) -> bool {
        self.socket.get_ref().set_read_timeout(Some(Duration::from_secs(2))).expect("a timeout");
        loop {
            match self.socket.read() {
                Ok(Message::Close(_)) => return true,
                Ok(_) => {}
                Err(Error::Io(error)) => {
                    return !matches!(
                        error.kind(),
                        std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut
                    );
                }
                Err(_) => return true,
            }
        }
    }

    /// Reads until the server closes; with which code, or `None` when it hasn't within `timeout`.
    pub fn until_closed(&mut self, timeout: Duration) -> Option<u16> {
        let deadline = Instant::now() + timeout;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return None;
            }
            self.socket.get_ref().set_read_timeout(Some(left)).expect("a timeout");
            match self.socket.read() {
                Ok(Message::Close(frame)) => return frame.map(|frame| frame.code.into()),
                Ok(_) => {}
                Err(_) => return None,
            }
        }
    }

    /// Sends JSON.
    pub fn send(&mut self, message: &Value) {
        self.send_text(&message.to_string());
    }

    /// Sends JSON; `false` when the server has closed.
    pub fn try_send(&mut self, message: &Value) -> bool {
        self.socket.send(Message::text(message.to_string())).is_ok()
    }

    /// Sends a text message, whatever is in it.
    pub fn send_text(&mut self, text: &str) {
        self.socket.send(Message::text(text)).expect("to send");
    }

    /// Sends a binary message.
    pub fn send_binary(&mut self, bytes: Vec<u8>) {
        self.socket.send(Message::binary(bytes)).expect("to send");
    }

    /// The next message; `None` when the server closed, or nothing came within `timeout`.
    pub fn next(&mut self, timeout: Duration) -> Option<Value> {
        let deadline = Instant::now() + timeout;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return None;
            }
            self.socket.get_ref().set_read_timeout(Some(left)).expect("a timeout");
            match self.socket.read() {
                Ok(Message::Text(text)) => return Some(serde_json::from_str(&text).expect("JSON")),
                Ok(Message::Close(_)) | Err(_) => return None,
                Ok(_) => {}
            }
        }
    }

    /// Waits for a message that fits; gives it.
    ///
    /// # Panics
    /// When none comes within `timeout`.
    #[track_caller]
    pub fn until(&mut self, what: &str, timeout: Duration, fits: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + timeout;
        let mut heard = Vec::new();
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.next(left) {
                Some(message) if fits(&message) => return message,
                Some(message) => heard.push(message),
                None => panic!("{what}: not within {timeout:?}; heard {heard:#?}"),
            }
        }
    }

    /// The connection under it, to break.
    pub fn into_stream(self) -> TcpStream {
        self.socket.get_ref().try_clone().expect("the connection")
    }
}
