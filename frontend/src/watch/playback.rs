//! Playing, pausing and sound: what the viewer's buttons, keys and a page around ask of the player.

use super::{
    engine::{Engine, Inner},
    sound::{self, Sound},
};
use crate::browser::{self, video};
use std::rc::Rc;

/// What came of the wish to play.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Played {
    /// It plays, or stands still as was wished.
    AsWanted,
    /// The browser lets it play without sound alone, until the person presses something.
    Silent,
    /// Not even that.
    Not,
}

impl Engine {
    /// Plays on, at the live edge.
    pub fn play(&self, done: impl FnOnce(Played) + 'static) {
        self.inner.reports.paused(false);
        self.inner.update(|snapshot| snapshot.paused = false);
        let inner = self.inner.clone();
        browser::spawn(async move { done(inner.play().await) });
    }

    /// Stops on the picture that shows.
    pub fn pause(&self) {
        self.inner.reports.paused(true);
        self.inner.update(|snapshot| snapshot.paused = true);
        video::pause(&self.inner.video);
    }

    /// The one or the other.
    pub fn toggle(&self) {
        if self.inner.snapshot.borrow().paused { self.play(|_| ()) } else { self.pause() }
    }

    /// The picture was stopped or started by something else: a media key, its own window.
    pub fn noticed(&self) {
        let paused = video::is_paused(&self.inner.video);
        // Without media there is nothing to stop.
        if self.inner.stream.borrow().is_some() {
            self.inner.reports.paused(paused);
            self.inner.update(|snapshot| snapshot.paused = paused);
        }
    }

    /// How loud the viewer wants it; remembered.
    pub fn hear(&self, wanted: Sound) {
        let sound = Sound { volume: wanted.volume.clamp(0.0, 1.0), ..wanted };
        sound::remember(sound);
        self.set(sound);
    }

    /// A page around wants it silent or audible; not remembered. Where the browser wants the person to press something
    /// first, it stays silent.
    pub fn mute(&self, muted: bool, done: impl FnOnce(Played) + 'static) {
        let heard = self.inner.snapshot.borrow().heard();
        if heard.muted == muted {
            return done(Played::AsWanted);
        }
        self.set(Sound { muted, ..heard });
        let inner = self.inner.clone();
        browser::spawn(async move { done(inner.play().await) });
    }

    /// A page around wants it this loud, from 0 to 1; not remembered, and no less silent if it is silent.
    pub fn set_volume(&self, volume: f64) {
        let muted = self.inner.snapshot.borrow().heard().muted;
        video::set_sound(&self.inner.video, volume, muted);
        self.inner.update(|snapshot| snapshot.sound.volume = volume);
    }

    fn set(&self, sound: Sound) {
        video::set_sound(&self.inner.video, sound.volume, sound.muted);
        self.inner.update(|snapshot| {
            snapshot.sound = sound;
            snapshot.blocked = false;
        });
    }
}

impl Inner {
    /// Plays with sound, or without if the browser insists on that.
    pub(super) async fn play(self: &Rc<Self>) -> Played {
        let (sound, paused) = {
            let snapshot = self.snapshot.borrow();
            (snapshot.sound, snapshot.paused)
        };
        video::set_sound(&self.video, sound.volume, sound.muted);
        if paused {
            // A new stream would start by itself.
            video::pause(&self.video);
            return Played::AsWanted;
        }
        if video::play(&self.video).await {
            return Played::AsWanted;
        }
        video::set_sound(&self.video, sound.volume, true);
        if sound.muted || !video::play(&self.video).await {
            self.reports.blocked();
            return Played::Not;
        }
        self.update(|snapshot| snapshot.blocked = true);
        Played::Silent
    }
}
