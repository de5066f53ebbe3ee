//! One WebSocket, read and written by one task: what is to be sent is asked for when there is room for it, so that nothing
//! waits here but one message on its way.

use axum::extract::ws::{CloseFrame, Message, WebSocket};
use futures_util::{Sink, StreamExt};
use std::{
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::time::{Instant, timeout};

/// How long the other end has to take part in the closing.
const CLOSING: Duration = Duration::from_secs(1);

/// A WebSocket.
pub struct Line {
    socket: WebSocket,
    /// Since when a message is on its way.
    writing_since: Option<Instant>,
}

/// What happens on it.
#[derive(Debug)]
pub enum Heard {
    /// A message came.
    Message(Message),
    /// What was to be sent is with the system.
    Written,
    /// The frames are broken or too large.
    Broken(axum::Error),
    /// It is over.
    Over,
}

impl Line {
    /// On a socket that was just opened.
    pub fn new(socket: WebSocket) -> Self {
        Self { socket, writing_since: None }
    }

    /// Since when the other end has taken nothing.
    pub fn writing_since(&self) -> Option<Instant> {
        self.writing_since
    }

    /// Sends what `next` gives, while there is room, and reads.
    pub fn poll(&mut self, context: &mut Context<'_>, next: impl FnMut() -> Option<Message>) -> Poll<Heard> {
        match self.poll_write(context, next) {
            Poll::Ready(Ok(true)) => return Poll::Ready(Heard::Written),
            Poll::Ready(Err(_)) => return Poll::Ready(Heard::Over),
            Poll::Ready(Ok(false)) | Poll::Pending => {}
        }
        Poll::Ready(match ready!(self.socket.poll_next_unpin(context)) {
            Some(Ok(message)) => Heard::Message(message),
            Some(Err(error)) => Heard::Broken(error),
            None => Heard::Over,
        })
    }

    /// Whether something was written to its end.
    fn poll_write(
        &mut self,
        context: &mut Context<'_>,
        mut next: impl FnMut() -> Option<Message>,
    ) -> Poll<Result<bool, axum::Error>> {
        let mut socket = Pin::new(&mut self.socket);
        if self.writing_since.is_none() {
            ready!(socket.as_mut().poll_ready(context))?;
            let Some(message) = next() else { return Poll::Ready(Ok(false)) };
            socket.as_mut().start_send(message)?;
            self.writing_since = Some(Instant::now());
        }
        ready!(socket.poll_flush(context))?;
        self.writing_since = None;
        Poll::Ready(Ok(true))
    }

    /// Says why it ends, and reads what still comes, or the reset that follows could overtake the reason.
    pub async fn close(mut self, reason: Option<CloseFrame>) {
        if let Some(frame) = reason {
            let _ = timeout(CLOSING, self.socket.send(Message::Close(Some(frame)))).await;
        }
        let _ = timeout(CLOSING, async { while let Some(Ok(_)) = self.socket.next().await {} }).await;
    }
}
