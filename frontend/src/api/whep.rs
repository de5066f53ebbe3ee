//! A WHEP client: watches one channel by one session.

use super::{
    sdp_state,
    session::{self, Declined, Session},
};
use crate::{
    api::Failure,
    browser::{
        media::Track,
        rtc::{Link, Peer, Stat},
    },
};
use shared::id::ChannelName;
use std::{cell::RefCell, rc::Rc};

/// One attempt to watch. Dropping it ends the session, whatever stage it has reached.
pub struct Watching {
    peer: Rc<Peer>,
    session: Rc<RefCell<Stage>>,
}

enum Stage {
    Posting,
    Open(Session),
    Left,
}

impl Watching {
    /// Makes the connection's own side. [`Self::ask`] brings it to the server.
    pub fn new(on_link: impl Fn(Link) + 'static, on_track: impl Fn(Track) + 'static) -> Option<Self> {
        let mut peer = Peer::new(on_link, on_track)?;
        peer.receive();
        Some(Self { peer: Rc::new(peer), session: Rc::new(RefCell::new(Stage::Posting)) })
    }

    /// Posts the offer and takes the answer. The offer goes out before this side has looked for ways to itself:
    /// the server answers to wherever the first check comes from.
    pub fn ask(&self, channel: &ChannelName) -> impl Future<Output = Result<(), Declined>> + use<> {
        let (peer, stage, url) = (self.peer.clone(), self.session.clone(), format!("/whep/{channel}"));
        async move {
            let refused = |_| Declined { failure: Failure::Unexpected(406), retry_after: None };
            let offer = peer.offer(sdp_state::viewer_offer).await.map_err(refused)?;
            let session = session::open(&url, None, &offer).await?;
            if matches!(*stage.borrow(), Stage::Left) {
                session.delete();
                return Ok(());
            }
            let answer = session.answer.clone();
            *stage.borrow_mut() = Stage::Open(session);
            peer.answer(&answer).await.map_err(refused)
        }
    }

    /// What the browser measured.
    pub fn stats(&self) -> impl Future<Output = Vec<Stat>> + use<> {
        let peer = self.peer.clone();
        async move { peer.stats().await }
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        if let Stage::Open(session) = self.session.replace(Stage::Left) {
            session.delete();
        }
        self.peer.close();
    }
}
