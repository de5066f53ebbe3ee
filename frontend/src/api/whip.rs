//! A WHIP client: publishes one picture and one sound by one session.

use super::{
    Failure, sdp_state,
    session::{self, Declined, Session},
};
use crate::browser::{
    media::Track,
    rtc::{Link, Peer, Sending, Stat},
};
use std::{cell::RefCell, rc::Rc};

/// One attempt to publish. Dropping it closes the connection and leaves the broadcast waiting; [`Self::end`] ends it.
pub struct Publishing {
    peer: Rc<Peer>,
    session: Rc<RefCell<Option<Session>>>,
}

impl Publishing {
    /// Makes the connection's own side. [`Self::ask`] brings it to the server.
    pub fn new(
        video: Option<&Track>,
        audio: Option<&Track>,
        how: &Sending<'_>,
        on_link: impl Fn(Link) + 'static,
    ) -> Option<Self> {
        let mut peer = Peer::new(on_link, |_| ())?;
        peer.send_audio(audio);
        peer.send_video(video, how);
        Some(Self { peer: Rc::new(peer), session: Rc::default() })
    }

    /// Posts the offer and takes the answer; answers with the session's id.
    pub fn ask(&self, url: String, token: String) -> impl Future<Output = Result<String, Declined>> + use<> {
        let (peer, slot) = (self.peer.clone(), self.session.clone());
        async move {
            let refused = |_| Declined { failure: Failure::Unexpected(406), retry_after: None };
            let offer = peer.offer(sdp_state::publisher_offer).await.map_err(refused)?;
            let session = session::open(&url, Some(&token), &offer).await?;
            let (answer, id) = (sdp_state::publisher_answer(&session.answer), session.id().to_owned());
            *slot.borrow_mut() = Some(session);
            peer.answer(&answer).await.map_err(refused)?;
            Ok(id)
        }
    }

    /// What the browser measured.
    pub fn stats(&self) -> impl Future<Output = Vec<Stat>> + use<> {
        let peer = self.peer.clone();
        async move { peer.stats().await }
    }

    /// Sends another picture; `None` sends none.
    pub fn replace_video(&self, track: Option<Track>) -> impl Future<Output = ()> + use<> {
        let peer = self.peer.clone();
        async move { peer.replace_video(track.as_ref()).await }
    }

    /// Sends another sound; `None` sends none.
    pub fn replace_audio(&self, track: Option<Track>) -> impl Future<Output = ()> + use<> {
        let peer = self.peer.clone();
        async move { peer.replace_audio(track.as_ref()).await }
    }

    /// See [`Peer::degrade`].
    pub fn degrade(&self, preference: &str) {
        self.peer.degrade(preference);
    }

    /// Ends the session while the page is being left.
    pub fn leave(&self) {
        if let Some(session) = self.session.take() {
            session.delete();
        }
    }

    /// Ends the session with the server and waits until it knows.
    pub fn end(&self) -> impl Future<Output = ()> + use<> {
        let (peer, session) = (self.peer.clone(), self.session.take());
        async move {
            if let Some(session) = session {
                session.delete_and_wait().await;
            }
            peer.close();
        }
    }
}

impl Drop for Publishing {
    fn drop(&mut self) {
        self.peer.close();
    }
}
