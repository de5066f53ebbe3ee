//! A WHEP client: watches one channel by one session.

use super::{
    sdp_state,
    session::{self, Declined, Session},
};
use crate::{
    api::Failure,
    browser::{
        self,
        media::Track,
        rtc::{Link, Peer, Stat},
        time,
    },
};
use shared::{
    id::ChannelName,
    watch::{ChooseRendition, Playing, PlayoutClock},
};
use std::{cell::RefCell, rc::Rc};

/// One attempt to watch. Dropping it ends the session, whatever stage it has reached.
pub struct Watching {
    peer: Rc<Peer>,
    session: Rc<RefCell<Stage>>,
}

/// What a session is for.
#[derive(Debug, Clone, Copy)]
pub enum Why<'a> {
    /// The picture stands beside others: nobody is counted as watching.
    Preview,
    /// Somebody watches.
    Watch,
    /// Somebody goes on with this view.
    Return(&'a str),
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

    /// Posts the offer and takes the answer; answers with the view that it is. The offer goes out before this side has
    /// looked for ways to itself: the server answers to wherever the first check comes from.
    pub fn ask(
        &self,
        channel: &ChannelName,
        why: Why<'_>,
    ) -> impl Future<Output = Result<Option<String>, Declined>> + use<> {
        let (peer, stage) = (self.peer.clone(), self.session.clone());
        let url = match why {
            Why::Preview => format!("/whep/{channel}?preview=1"),
            Why::Watch => format!("/whep/{channel}"),
            Why::Return(view) => format!("/whep/{channel}?view={view}"),
        };
        async move {
            let refused = |_| Declined { failure: Failure::Unexpected(406), retry_after: None };
            let offer = peer.offer(sdp_state::viewer_offer).await.map_err(refused)?;
            let session = session::open(&url, super::embed_token().as_deref(), &offer).await?;
            if matches!(*stage.borrow(), Stage::Left) {
                session.delete();
                return Ok(None);
            }
            let (answer, view) = (session.answer.clone(), session.view.clone());
            *stage.borrow_mut() = Stage::Open(session);
            peer.answer(&answer).await.map_err(refused)?;
            Ok(view)
        }
    }

    fn session(&self) -> Option<Session> {
        match &*self.session.borrow() {
            Stage::Open(session) => Some(session.clone()),
            _ => None,
        }
    }

    /// The session's clock, with when it was asked and when it answered; `None` before its first picture.
    pub fn clock(&self) -> impl Future<Output = Option<(f64, f64, PlayoutClock)>> + use<> {
        let session = self.session();
        async move {
            let asked = time::now_exact();
            let reply = session?.send("GET", "/clock", None).await?;
            let came = time::now_exact();
            super::parse(&reply.text).map(|clock| (asked, came, clock))
        }
    }

    /// Says what is wanted of the picture; false while there is no session to say it to.
    pub fn choose(&self, wanted: &ChooseRendition) -> bool {
        let (Some(session), Ok(body)) = (self.session(), serde_json::to_string(wanted)) else { return false };
        browser::spawn(async move {
            session.send("PUT", "/rendition", Some(&body)).await;
        });
        true
    }

    /// What the server sends, and why.
    pub fn playing(&self) -> impl Future<Output = Option<Playing>> + use<> {
        let session = self.session();
        async move {
            let reply = session?.send("GET", "/rendition", None).await?;
            super::reading_state::playing(&reply.text)
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
