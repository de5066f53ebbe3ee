//! Carries out what [`ReportState`] decides: tells the server how well it plays.

use super::{
    report_state::{Freezes, ReportState, Sample},
    stats_state::Quality,
};
use crate::{
    api::rest,
    browser::{self, frame, page, time},
};
use shared::{
    broadcast::{BroadcastState, ChannelState, Codec},
    unit::Size,
};
use std::{cell::RefCell, rc::Rc};

/// The reports of one player.
pub struct Reports {
    state: Rc<RefCell<ReportState>>,
    freezes: RefCell<Freezes>,
}

impl Default for Reports {
    fn default() -> Self {
        let elsewhere = |address: &String| !frame::is_at(address, &page::origin());
        let (embedded_by, referrer) = if frame::is_framed() {
            let site = frame::embedder().unwrap_or_else(|| "unknown".to_owned());
            (Some(site).filter(elsewhere), None)
        } else {
            (None, frame::referrer().filter(elsewhere))
        };
        let mut state = ReportState::new(embedded_by, referrer);
        state.looked_at(!page::is_hidden(), time::now());
        Self { state: Rc::new(RefCell::new(state)), freezes: RefCell::default() }
    }
}

impl Reports {
    /// A picture is asked for; answers with the view to go on with.
    pub fn asking(&self) -> Option<String> {
        self.state.borrow_mut().asking(time::now())
    }

    /// Milliseconds that a picture has been wanted for.
    pub fn wanted_for(&self) -> Option<u64> {
        self.state.borrow().wanted_for(time::now())
    }

    /// The server took a session on as this view.
    pub fn opened(&self, view: Option<String>) {
        self.freezes.take();
        self.with(|state, _| state.opened(view));
    }

    /// The server said where the broadcast stands.
    pub fn heard(&self, channel: &ChannelState) {
        let over = matches!(channel.state, BroadcastState::Ended | BroadcastState::Offline);
        let waits = channel.state == BroadcastState::Waiting;
        self.with(|state, now| state.heard(channel.stream_id.as_ref(), over, waits, now));
    }

    /// A frame is on the screen.
    pub fn shown(&self, at: f64) {
        self.freezes.borrow_mut().shown(at);
    }

    /// The picture is seen, or not any more.
    pub fn looked_at(&self, is: bool) {
        self.freezes.borrow_mut().interrupted();
        if !is {
            self.left();
        }
        self.with(|state, now| state.looked_at(is, now));
    }

    /// The picture was stopped by the viewer, or goes on.
    pub fn paused(&self, is: bool) {
        self.freezes.borrow_mut().interrupted();
        self.with(|state, now| state.paused(is, now));
    }

    /// The picture is about to stop, or to come back, by the viewer's wish.
    pub fn rested(&self) {
        self.freezes.borrow_mut().interrupted();
        self.with(ReportState::rested);
    }

    /// The browser wants the person to press something before it shows anything.
    pub fn blocked(&self) {
        self.with(ReportState::blocked);
    }

    /// A frame is on the screen; answers whether it is the view's first.
    pub fn pictured(&self) -> bool {
        self.state.borrow_mut().pictured(time::now())
    }

    /// A second passed.
    pub fn measured(&self, quality: &Quality, latency: Option<u32>) {
        let (freezes, frozen) = quality.freezes.unwrap_or_else(|| self.freezes.borrow().totals());
        let codecs = [Codec::Av1, Codec::Vp9, Codec::Vp8, Codec::H264];
        let size = quality.size.map(|(width, height)| Size {
            width: width.min(u32::from(u16::MAX)) as u16,
            height: height.min(u32::from(u16::MAX)) as u16,
        });
        let codec = codecs.into_iter().find(|codec| codec.name() == quality.codec);
        self.with(|state, now| state.measured(Sample { freezes, frozen, latency, codec, size }, now));
    }

    /// The page is put away, maybe for good.
    pub fn left(&self) {
        self.with(ReportState::left);
    }

    fn with(&self, decide: impl FnOnce(&mut ReportState, u64)) {
        decide(&mut self.state.borrow_mut(), time::now());
        loop {
            let Some(post) = self.state.borrow_mut().poll() else { return };
            let state = self.state.clone();
            browser::spawn(async move {
                // A report that is lost loses nothing: the next one says the same and more.
                let told = rest::report_view(&post.view, &post.report, post.last).await;
                if told.is_err_and(|failure| failure.status() == Some(404)) {
                    state.borrow_mut().unknown(&post.view);
                }
            });
        }
    }
}
