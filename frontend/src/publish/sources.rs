//! What the streamer sends: camera, microphone, screen, and what is made of them.

use crate::browser::{
    audio::{Meter, Mixer},
    compose::Compositor,
    listen::Listener,
    media::{self, Refused, Stream, Track},
};

/// What the picture is made of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Mode {
    /// The camera.
    #[default]
    Camera,
    /// The screen.
    Screen,
    /// The screen, and the camera in its corner.
    Both,
}

impl Mode {
    /// What the list of what is ready calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Camera => "Camera",
            Self::Screen => "Screen",
            Self::Both => "Screen and camera",
        }
    }
}

/// Why a source is missing, with what to do.
pub fn words(refused: Refused, what: &str) -> String {
    match refused {
        Refused::Denied => {
            format!("The browser keeps the {what} from this page: allow it next to the address")
        }
        Refused::Missing => format!("No {what} was found: plug one in"),
        Refused::Busy => format!("Another program uses the {what}: close it there"),
        Refused::Insecure => format!("Browsers give a {what} to pages with HTTPS only, or on localhost"),
    }
}

/// Everything that is captured at the moment.
#[derive(Default)]
pub struct Sources {
    /// See [`Mode`].
    pub mode: Mode,
    /// The camera's picture.
    pub camera: Option<Track>,
    /// The microphone's sound.
    pub microphone: Option<Track>,
    /// The screen, with its sound if it has any.
    pub screen: Option<Stream>,
    meter: Option<Meter>,
    compositor: Option<Compositor>,
    mixer: Option<Mixer>,
    /// Called when the person stops sharing in the browser's own bar.
    pub screen_ended: Option<Listener>,
    paused: bool,
}

impl Sources {
    /// Puts another camera in.
    pub fn set_camera(&mut self, track: Option<Track>) {
        if let Some(track) = &track {
            track.hint("motion");
        }
        replace(&mut self.camera, track);
        self.rebuild();
    }

    /// Puts another microphone in.
    pub fn set_microphone(&mut self, track: Option<Track>) {
        replace(&mut self.microphone, track);
        self.meter = self.microphone.as_ref().and_then(Stream::of).as_ref().and_then(Meter::new);
        self.rebuild();
    }

    /// Shares a screen, or stops to.
    pub fn set_screen(&mut self, screen: Option<Stream>, mode: Mode) {
        if screen.is_none() {
            self.screen_ended = None;
        }
        if self.screen != screen
            && let Some(before) = std::mem::replace(&mut self.screen, screen)
        {
            before.stop();
        }
        if let Some(track) = self.screen.as_ref().and_then(Stream::video) {
            track.hint("detail");
        }
        self.mode = mode;
        self.rebuild();
    }

    fn rebuild(&mut self) {
        self.compositor = match (self.mode, &self.screen, self.camera.as_ref().and_then(Stream::of)) {
            (Mode::Both, Some(screen), Some(camera)) => Compositor::new(screen, &camera),
            _ => None,
        };
        let screen_sound =
            self.screen.as_ref().filter(|screen| self.mode != Mode::Camera && screen.audio().is_some());
        self.mixer = match (screen_sound, self.microphone.as_ref().and_then(Stream::of)) {
            (Some(screen), Some(microphone)) => Mixer::new(&[screen, &microphone]),
            _ => None,
        };
        self.pause(self.paused);
    }

    /// The picture that goes out.
    pub fn video(&self) -> Option<Track> {
        match self.mode {
            Mode::Camera => self.camera.clone(),
            Mode::Screen => self.screen.as_ref().and_then(Stream::video),
            Mode::Both => match &self.compositor {
                Some(compositor) => compositor.stream().video(),
                None => self.screen.as_ref().and_then(Stream::video),
            },
        }
    }

    /// The sound that goes out.
    pub fn audio(&self) -> Option<Track> {
        if let Some(mixer) = &self.mixer {
            return Some(mixer.track());
        }
        let screen = self.screen.as_ref().filter(|_| self.mode != Mode::Camera).and_then(Stream::audio);
        self.microphone.clone().or(screen)
    }

    /// Black and silence, or what there is.
    pub fn pause(&mut self, paused: bool) {
        self.paused = paused;
        for track in self.video().into_iter().chain(self.audio()) {
            track.enable(!paused);
        }
    }

    /// How loud the microphone is, 0 to 1.
    pub fn peak(&self) -> f32 {
        self.meter.as_ref().map_or(0.0, Meter::peak)
    }

    /// See [`Meter::wake`].
    pub fn wake(&self) {
        if let Some(meter) = &self.meter {
            meter.wake();
        }
    }

    /// Whether this browser can share a screen.
    pub fn can_share() -> bool {
        media::can_share_screen()
    }

    /// Gives all devices back.
    pub fn stop(&mut self) {
        self.set_screen(None, Mode::Camera);
        self.set_camera(None);
        self.set_microphone(None);
    }
}

fn replace(slot: &mut Option<Track>, track: Option<Track>) {
    if let Some(before) = std::mem::replace(slot, track) {
        before.stop();
    }
}
