//! A raw WebSocket of text messages.

use super::{js, listen::Listener};
use wasm_bindgen::JsCast;
use web_sys::{MessageEvent, WebSocket};

/// What happens on a [`Socket`].
pub enum SocketEvent {
    /// It is open.
    Opened,
    /// A text arrived.
    Text(String),
    /// It is gone, or never came to be; with the code that it was closed with (RFC 6455, 7.4).
    Closed(u16),
}

/// A WebSocket that closes when dropped.
pub struct Socket {
    socket: WebSocket,
    _listeners: [Listener; 3],
}

impl Socket {
    /// Opens `path` of this page's origin.
    pub fn open(path: &str, on: impl Fn(SocketEvent) + Clone + 'static) -> Option<Self> {
        let url = format!("ws{}{path}", super::page::origin().strip_prefix("http")?);
        let socket = WebSocket::new(&url).ok()?;
        let (opened, text, closed) = (on.clone(), on.clone(), on);
        let listeners = [
            Listener::new(socket.clone().into(), "open", move |_| opened(SocketEvent::Opened)),
            Listener::new(socket.clone().into(), "message", move |event| {
                let data = event.dyn_into::<MessageEvent>().ok().and_then(|event| event.data().as_string());
                if let Some(data) = data {
                    text(SocketEvent::Text(data));
                }
            }),
            Listener::new(socket.clone().into(), "close", move |event| {
                closed(SocketEvent::Closed(js::get(&event, "code").as_f64().unwrap_or_default() as u16));
            }),
        ];
        Some(Self { socket, _listeners: listeners })
    }

    /// Sends a text; lost if the socket isn't open, as its closing will tell.
    pub fn send(&self, text: &str) {
        let _ = self.socket.send_with_str(text);
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        let _ = self.socket.close();
    }
}
