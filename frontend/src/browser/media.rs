//! Cameras, microphones and screens.

use super::{js, listen::Listener};
use js_sys::Array;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{MediaDevices, MediaStream, MediaStreamTrack};

/// Pictures and sound that arrive together. Equal if they are the same stream.
#[derive(Clone, PartialEq)]
pub struct Stream(pub(super) MediaStream);

/// One camera, microphone or screen picture.
#[derive(Clone, PartialEq)]
pub struct Track(pub(super) MediaStreamTrack);

/// Why a device was not given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// The person, or the browser's settings, said no.
    Denied,
    /// There is no such device.
    Missing,
    /// Another program has it.
    Busy,
    /// The page came without HTTPS.
    Insecure,
}

impl Refused {
    fn new(error: &JsValue) -> Self {
        match js::get(error, "name").as_string().unwrap_or_default().as_str() {
            "NotAllowedError" | "SecurityError" => Self::Denied,
            "NotReadableError" | "AbortError" => Self::Busy,
            _ => Self::Missing,
        }
    }
}

/// What a device is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeviceKind {
    /// A camera.
    Camera,
    /// A microphone.
    Microphone,
}

/// One device to pick.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// Stable within this browser and site.
    pub id: String,
    /// What the system calls it; empty before permission is given.
    pub label: String,
    /// What it is.
    pub kind: DeviceKind,
}

fn media() -> Result<MediaDevices, Refused> {
    let window = web_sys::window().ok_or(Refused::Insecure)?;
    // Without HTTPS the property is missing, whatever its type says.
    js::get(&window.navigator(), "mediaDevices").dyn_into().map_err(|_| Refused::Insecure)
}

async fn ask(method: &str, constraints: JsValue) -> Result<Stream, Refused> {
    let media = media()?;
    if !js::has(&media, method) {
        return Err(Refused::Missing);
    }
    let stream = js::call_async(&media, method, [constraints]).await.map_err(|error| Refused::new(&error))?;
    stream.dyn_into().map(Stream).map_err(|_| Refused::Missing)
}

fn ideal(value: impl Into<JsValue>) -> JsValue {
    js::object([("ideal", value.into())])
}

fn camera_wish(device: Option<&str>) -> JsValue {
    let video = js::object([("width", ideal(1280)), ("height", ideal(720)), ("frameRate", ideal(30))]);
    if let Some(device) = device {
        js::set(&video, "deviceId", ideal(device));
    }
    video
}

fn microphone_wish(device: Option<&str>) -> JsValue {
    let audio = js::object([("channelCount", ideal(2)), ("echoCancellation", ideal(true))]);
    if let Some(device) = device {
        js::set(&audio, "deviceId", ideal(device));
    }
    audio
}

/// Both at once, so that the browser asks the person once.
pub async fn camera_and_microphone(
    camera: Option<&str>,
    microphone: Option<&str>,
) -> Result<Stream, Refused> {
    let wish = js::object([("video", camera_wish(camera)), ("audio", microphone_wish(microphone))]);
    ask("getUserMedia", wish).await
}

/// A camera at 720p, 30 pictures a second, or as near as it comes.
pub async fn camera(device: Option<&str>) -> Result<Stream, Refused> {
    ask("getUserMedia", js::object([("video", camera_wish(device))])).await
}

/// A microphone, with the browser's echo and noise filters.
pub async fn microphone(device: Option<&str>) -> Result<Stream, Refused> {
    ask("getUserMedia", js::object([("audio", microphone_wish(device))])).await
}

/// A screen, a window or a tab that the person picks, with its sound where the browser has it.
pub async fn screen() -> Result<Stream, Refused> {
    let video = js::object([("frameRate", ideal(30)), ("width", js::object([("max", 1920.into())]))]);
    let audio = js::object([("echoCancellation", false.into()), ("noiseSuppression", false.into())]);
    ask("getDisplayMedia", js::object([("video", video), ("audio", audio)])).await
}

/// Whether this browser can share a screen: phones can't.
pub fn can_share_screen() -> bool {
    media().is_ok_and(|media| js::has(&media, "getDisplayMedia"))
}

/// The cameras and microphones there are.
pub async fn devices() -> Vec<Device> {
    let Ok(media) = media() else { return Vec::new() };
    let list = js::call_async(&media, "enumerateDevices", []).await.unwrap_or_default();
    let text = |device: &JsValue, name: &str| js::get(device, name).as_string().unwrap_or_default();
    Array::from(&list)
        .iter()
        .filter_map(|device| {
            let kind = match text(&device, "kind").as_str() {
                "videoinput" => DeviceKind::Camera,
                "audioinput" => DeviceKind::Microphone,
                _ => return None,
            };
            Some(Device { id: text(&device, "deviceId"), label: text(&device, "label"), kind })
        })
        .collect()
}

/// Calls `run` when a device is plugged in or out.
pub fn on_devices_change(mut run: impl FnMut() + 'static) -> Option<Listener> {
    Some(Listener::new(media().ok()?.into(), "devicechange", move |_| run()))
}

impl Stream {
    /// An empty one, to put tracks in.
    pub fn empty() -> Option<Self> {
        MediaStream::new().ok().map(Self)
    }

    /// Its first picture track.
    pub fn video(&self) -> Option<Track> {
        self.0.get_video_tracks().get(0).dyn_into().ok().map(Track)
    }

    /// Its first sound track.
    pub fn audio(&self) -> Option<Track> {
        self.0.get_audio_tracks().get(0).dyn_into().ok().map(Track)
    }

    /// A stream of this one track.
    pub fn of(track: &Track) -> Option<Self> {
        let stream = Self::empty()?;
        stream.add(track);
        Some(stream)
    }

    /// Adds a track that isn't in it yet.
    pub fn add(&self, track: &Track) {
        self.0.add_track(&track.0);
    }

    /// Lets go of its devices.
    pub fn stop(&self) {
        for track in self.0.get_tracks().iter() {
            if let Ok(track) = track.dyn_into::<MediaStreamTrack>() {
                track.stop();
            }
        }
    }
}

impl Track {
    /// Picture or sound.
    pub fn is_video(&self) -> bool {
        self.0.kind() == "video"
    }

    /// The id of the device that it comes from.
    pub fn device(&self) -> Option<String> {
        js::get(&js::call(&self.0, "getSettings", []).ok()?, "deviceId").as_string()
    }

    /// Calls `run` when the device goes away or the person stops sharing.
    pub fn on_ended(&self, mut run: impl FnMut() + 'static) -> Listener {
        Listener::new(self.0.clone().into(), "ended", move |_| run())
    }

    /// Switched off, it gives black or silence.
    pub fn enable(&self, on: bool) {
        self.0.set_enabled(on);
    }

    /// Gives its device back.
    pub fn stop(&self) {
        self.0.stop();
    }

    /// Tells encoders whether to keep motion or detail.
    pub fn hint(&self, hint: &str) {
        js::set(&self.0, "contentHint", hint);
    }
}
