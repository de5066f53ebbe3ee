//! A peer connection, closed when dropped.

use super::{js, listen::Listener, media::Track};
use js_sys::Array;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{
    MediaStreamTrack, RtcPeerConnection, RtcPeerConnectionState, RtcRtpTransceiver,
    RtcRtpTransceiverDirection, RtcRtpTransceiverInit, RtcSdpType, RtcSessionDescriptionInit, RtcTrackEvent,
};

/// Where a connection stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Link {
    /// Looking for a way.
    Connecting,
    /// Media can flow.
    Connected,
    /// Nothing comes through at the moment.
    Disconnected,
    /// Given up.
    Failed,
}

/// The browser refused a description or a track.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused;

/// How a picture is to be sent.
pub struct Sending<'a> {
    /// The codec to put first; `None` leaves it to the browser.
    pub codec: Option<&'a str>,
    /// The most bits a second, of the largest where it is sent in several sizes.
    pub bitrate: u32,
    /// In three sizes, so that viewers' networks have a choice.
    pub several: bool,
}

/// A peer connection.
pub struct Peer {
    peer: RtcPeerConnection,
    video: Option<RtcRtpTransceiver>,
    audio: Option<RtcRtpTransceiver>,
    _listeners: [Listener; 2],
}

impl Peer {
    /// Makes one that reports where it stands and what arrives.
    pub fn new(on_link: impl Fn(Link) + 'static, on_track: impl Fn(Track) + 'static) -> Option<Self> {
        let peer = RtcPeerConnection::new().ok()?;
        let source = peer.clone();
        let listeners = [
            Listener::new(peer.clone().into(), "connectionstatechange", move |_| {
                on_link(match source.connection_state() {
                    RtcPeerConnectionState::Connected => Link::Connected,
                    RtcPeerConnectionState::Disconnected => Link::Disconnected,
                    RtcPeerConnectionState::Failed | RtcPeerConnectionState::Closed => Link::Failed,
                    _ => Link::Connecting,
                });
            }),
            Listener::new(peer.clone().into(), "track", move |event| {
                if let Ok(event) = event.dyn_into::<RtcTrackEvent>() {
                    on_track(Track(event.track()));
                }
            }),
        ];
        Some(Self { peer, video: None, audio: None, _listeners: listeners })
    }

    fn init(direction: RtcRtpTransceiverDirection) -> RtcRtpTransceiverInit {
        let init = RtcRtpTransceiverInit::new();
        init.set_direction(direction);
        init
    }

    /// Asks for sound and picture, as soon after their arrival as they can be shown.
    pub fn receive(&mut self) {
        for kind in ["audio", "video"] {
            let init = Self::init(RtcRtpTransceiverDirection::Recvonly);
            let line = self.peer.add_transceiver_with_str_and_init(kind, &init);
            let receiver = line.receiver();
            js::set(&receiver, "jitterBufferTarget", 0);
            js::set(&receiver, "playoutDelayHint", 0);
            if kind == "audio" { self.audio = Some(line) } else { self.video = Some(line) }
        }
    }

    /// Offers a picture. Without a track it can be put in later.
    pub fn send_video(&mut self, track: Option<&Track>, how: &Sending<'_>) {
        let init = Self::init(RtcRtpTransceiverDirection::Sendonly);
        let encoding = |rid: &str, by: u32, bitrate: u32| {
            let all = js::object([
                ("maxBitrate", bitrate.into()),
                ("maxFramerate", 30.into()),
                ("scaleResolutionDownBy", by.into()),
            ]);
            if how.several {
                js::set(&all, "rid", rid);
                // Chromium takes several encodings of VP9 and AV1 for layers of one, unless each says that it has none.
                js::set(&all, "scalabilityMode", "L1T1");
            }
            all
        };
        let largest = encoding("f", 1, how.bitrate);
        let list: Array = if how.several {
            // The smallest first: where the way out is narrow, that one goes out.
            [encoding("q", 4, how.bitrate / 14), encoding("h", 2, how.bitrate / 4), largest].iter().collect()
        } else {
            [largest].iter().collect()
        };
        init.set_send_encodings(&list);
        let line = self.add("video", track, &init);
        if let Some(codec) = how.codec {
            prefer(&line, codec);
        }
        self.video = Some(line);
        // A connection begins by guessing its speed: a picture made small for that takes ten seconds to grow again.
        self.degrade("maintain-resolution");
    }

    /// Says what gives way when the picture can't be sent as it is: `maintain-framerate`, `maintain-resolution` or
    /// `balanced`.
    pub fn degrade(&self, preference: &str) {
        let Some(sender) = self.video.as_ref().map(RtcRtpTransceiver::sender) else { return };
        let parameters = js::call(&sender, "getParameters", []).unwrap_or_default();
        js::set(&parameters, "degradationPreference", preference);
        if let Ok(done) = js::call(&sender, "setParameters", [parameters]) {
            // A browser that doesn't know the preference keeps its own.
            super::spawn(async move {
                let _ = js::settle(done).await;
            });
        }
    }

    /// Offers sound.
    pub fn send_audio(&mut self, track: Option<&Track>) {
        let init = Self::init(RtcRtpTransceiverDirection::Sendonly);
        self.audio = Some(self.add("audio", track, &init));
    }

    fn add(&self, kind: &str, track: Option<&Track>, init: &RtcRtpTransceiverInit) -> RtcRtpTransceiver {
        match track {
            Some(track) => {
                let track: &MediaStreamTrack = &track.0;
                self.peer.add_transceiver_with_media_stream_track_and_init(track, init)
            }
            None => self.peer.add_transceiver_with_str_and_init(kind, init),
        }
    }

    /// Puts another picture in the place of the one that is sent; `None` sends nothing.
    pub async fn replace_video(&self, track: Option<&Track>) {
        replace(self.video.as_ref(), track).await;
    }

    /// Puts another sound in the place of the one that is sent; `None` sends nothing.
    pub async fn replace_audio(&self, track: Option<&Track>) {
        replace(self.audio.as_ref(), track).await;
    }

    /// Makes an offer, lets `edit` change its text, and takes it as this side's description.
    pub async fn offer(&self, edit: impl Fn(&str) -> String) -> Result<String, Refused> {
        let offer = js::settle(self.peer.create_offer().into()).await.map_err(|_| Refused)?;
        let sdp = edit(&js::get(&offer, "sdp").as_string().ok_or(Refused)?);
        let description = RtcSessionDescriptionInit::new(RtcSdpType::Offer);
        description.set_sdp(&sdp);
        js::settle(self.peer.set_local_description(&description).into()).await.map_err(|_| Refused)?;
        Ok(sdp)
    }

    /// Takes the other side's answer.
    pub async fn answer(&self, sdp: &str) -> Result<(), Refused> {
        let description = RtcSessionDescriptionInit::new(RtcSdpType::Answer);
        description.set_sdp(sdp);
        js::settle(self.peer.set_remote_description(&description).into()).await.map_err(|_| Refused)?;
        Ok(())
    }

    /// What the browser measured.
    pub async fn stats(&self) -> Vec<Stat> {
        let Ok(report) = js::settle(self.peer.get_stats().into()).await else { return Vec::new() };
        // A report is like a Map without being one.
        let values = js::call(&report, "values", []).unwrap_or_default();
        let Ok(Some(values)) = js_sys::try_iter(&values) else { return Vec::new() };
        values.filter_map(Result::ok).map(Stat).collect()
    }

    /// Closes it now. Dropping does the same.
    pub fn close(&self) {
        self.peer.close();
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.peer.close();
    }
}

async fn replace(line: Option<&RtcRtpTransceiver>, track: Option<&Track>) {
    if let Some(line) = line {
        let track = track.map_or(JsValue::NULL, |track| track.0.clone().into());
        let _ = js::call_async(&line.sender(), "replaceTrack", [track]).await;
    }
}

fn codecs(side: &str) -> Vec<JsValue> {
    let Some(window) = web_sys::window() else { return Vec::new() };
    let class = js::get(&window, side);
    let capabilities = js::call(&class, "getCapabilities", ["video".into()]).unwrap_or_default();
    let list = js::get(&capabilities, "codecs");
    if list.is_object() { Array::from(&list).iter().collect() } else { Vec::new() }
}

fn mime(codec: &JsValue) -> String {
    js::get(codec, "mimeType").as_string().unwrap_or_default().to_ascii_uppercase()
}

/// Puts one codec first and leaves the rest as they are.
fn prefer(line: &RtcRtpTransceiver, codec: &str) {
    let wanted = format!("VIDEO/{codec}");
    let (first, rest): (Vec<_>, Vec<_>) =
        codecs("RTCRtpSender").into_iter().partition(|codec| mime(codec) == wanted);
    if first.is_empty() {
        return;
    }
    // Retransmission and the like carry whichever codec is first; other codecs stay out, so that the choice is kept.
    let helps = |codec: &JsValue| {
        ["VIDEO/RTX", "VIDEO/RED", "VIDEO/ULPFEC", "VIDEO/FLEXFEC-03"].contains(&&*mime(codec))
    };
    let list: Array = first.into_iter().chain(rest.into_iter().filter(helps)).collect();
    let _ = js::call(line, "setCodecPreferences", [list.into()]);
}

/// Whether this browser can send a codec.
pub fn can_send(codec: &str) -> bool {
    can("RTCRtpSender", codec)
}

/// Whether this browser can show a codec.
pub fn can_receive(codec: &str) -> bool {
    can("RTCRtpReceiver", codec)
}

fn can(what: &str, codec: &str) -> bool {
    let wanted = format!("VIDEO/{codec}");
    codecs(what).iter().any(|codec| mime(codec) == wanted)
}

/// One entry of a statistics report.
pub struct Stat(JsValue);

impl Stat {
    /// What the entry is about: `inbound-rtp`, `candidate-pair`…
    pub fn kind(&self) -> String {
        self.text("type")
    }

    /// A text of it, or an empty one.
    pub fn text(&self, name: &str) -> String {
        js::get(&self.0, name).as_string().unwrap_or_default()
    }

    /// A number of it.
    pub fn number(&self, name: &str) -> Option<f64> {
        js::get(&self.0, name).as_f64()
    }

    /// A flag of it.
    pub fn flag(&self, name: &str) -> bool {
        js::get(&self.0, name).is_truthy()
    }
}
