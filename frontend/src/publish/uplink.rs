//! The way to the server: a token, a session, what is put into it and what it measures.

use super::{
    engine::Inner,
    sources::Mode,
    studio_state::{Qualities, Refusal, Stage},
};
use crate::{
    api::{Failure, rest, session::Declined, whip::Publishing},
    browser::{
        self,
        rtc::{Link, Sending},
        time,
    },
};
use std::rc::Rc;

/// After so many milliseconds a connection knows its speed.
const SPEED_KNOWN: i32 = 5_000;

impl Inner {
    /// Puts the tracks as they are now into the running session.
    pub(super) fn send_again(&self) {
        if let Some(publishing) = self.publishing.borrow().as_ref() {
            let sources = self.sources.borrow();
            browser::spawn(publishing.replace_video(sources.video()));
            browser::spawn(publishing.replace_audio(sources.audio()));
        }
    }

    pub(super) fn get_token(self: &Rc<Self>) {
        let inner = self.clone();
        browser::spawn(async move {
            match rest::publish_token(&inner.channel).await {
                Ok(token) => {
                    *inner.token.borrow_mut() = token.token;
                    inner.with(|state, _| state.token());
                }
                Err(failure) => inner.refused(&failure, None),
            }
        });
    }

    fn refused(self: &Rc<Self>, failure: &Failure, retry_after: Option<u64>) {
        let refusal = match failure.status() {
            None => Refusal::Later(None),
            Some(401 | 403) => Refusal::Token,
            Some(429 | 502 | 503 | 504) => Refusal::Later(retry_after),
            Some(_) => Refusal::Final,
        };
        self.with(|state, now| state.refused(refusal, now));
        let stopped = self.state.borrow().stage() == Stage::Ready;
        let words = failure.sentence();
        self.update(|snapshot| snapshot.error = stopped.then_some(words));
    }

    pub(super) fn publish(self: &Rc<Self>) {
        let generation = self.generation.get() + 1;
        self.generation.set(generation);
        self.publishing.take();
        let (codec, bitrate, mode, several) = {
            let snapshot = self.snapshot.borrow();
            let several = snapshot.qualities == Qualities::Several;
            (snapshot.codec.clone(), snapshot.bitrate, snapshot.mode, several)
        };
        let how = Sending { codec: Some(codec.as_str()).filter(|codec| !codec.is_empty()), bitrate, several };
        // Words on a screen have to stay readable; a face has to keep moving.
        let degradation = if mode == Mode::Camera { "maintain-framerate" } else { "balanced" };
        let (video, audio) = {
            let sources = self.sources.borrow();
            (sources.video(), sources.audio())
        };
        let links = Rc::downgrade(self);
        let publishing = Publishing::new(video.as_ref(), audio.as_ref(), &how, move |link| {
            let Some(inner) = links.upgrade().filter(|inner| inner.generation.get() == generation) else {
                return;
            };
            inner.with(|state, now| match link {
                Link::Connected => state.connected(now),
                Link::Disconnected => state.cut(now),
                Link::Failed => state.failed(now),
                Link::Connecting => {}
            });
        });
        let Some(publishing) = publishing else {
            self.state.borrow_mut().refused(Refusal::Final, time::now());
            return self.update(|snapshot| {
                snapshot.error = Some(
                    "This browser can't publish video. A current Chrome, Edge, Firefox or Safari can."
                        .to_owned(),
                );
            });
        };
        let asking = publishing.ask(format!("/whip/{}", self.channel), self.token.borrow().clone());
        let publishing = Rc::new(publishing);
        let later = Rc::downgrade(&publishing);
        *self.publishing.borrow_mut() = Some(publishing);
        let inner = self.clone();
        browser::spawn(async move {
            let answer = asking.await;
            if inner.generation.get() != generation {
                return;
            }
            match answer {
                Ok(session) => {
                    inner.with(|state, now| state.accepted(&session, now));
                    drop(inner);
                    time::sleep(SPEED_KNOWN).await;
                    if let Some(publishing) = later.upgrade() {
                        publishing.degrade(degradation);
                    }
                }
                Err(Declined { failure, retry_after }) => inner.refused(&failure, retry_after),
            }
        });
    }

    pub(super) fn finish(&self) {
        self.generation.set(self.generation.get() + 1);
        let (publishing, channel) = (self.publishing.take(), self.channel.clone());
        browser::spawn(async move {
            if let Some(publishing) = publishing {
                publishing.end().await;
            }
            // Ends the broadcast also where the session was lost before; one that is over already stays so.
            let _ = rest::end(&channel).await;
        });
    }

    pub(super) fn measure(self: &Rc<Self>) {
        let Some(publishing) = self.publishing.borrow().clone() else { return };
        let (inner, generation) = (self.clone(), self.generation.get());
        browser::spawn(async move {
            let stats = publishing.stats().await;
            if inner.generation.get() == generation {
                let now = time::now_exact();
                inner.update(|snapshot| {
                    let mut last = inner.last.get();
                    let mut charts = (*snapshot.charts).clone();
                    snapshot.sends = charts.add(&stats, now, &mut last).unwrap_or_default();
                    snapshot.charts = Rc::new(charts);
                    inner.last.set(last);
                });
            }
        });
    }
}
