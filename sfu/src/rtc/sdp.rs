//! SDP for WHIP and WHEP: what Weir accepts, and the fragments of a PATCH (RFC 8840).

use std::{collections::HashSet, time::Duration};
use str0m::{
    Candidate, RtcConfig,
    change::SdpOffer,
    format::Codec,
    rtp::{Extension, ExtensionMap},
};

/// A browser's offer has about 10 KB; beyond this it is no honest offer.
pub const MOST_BYTES: usize = 64 << 10;
/// WHIP and WHEP carry one line of sound and one of picture; a few more are tolerated and refused.
const MOST_LINES: usize = 8;

/// Why an offer is not taken.
#[derive(Debug, thiserror::Error)]
pub enum OfferError {
    /// It isn't SDP.
    #[error("the body isn't an SDP offer: {0}")]
    Malformed(String),
    /// More m-lines than a broadcast has.
    #[error("the offer has {0} media lines; one of audio and one of video are enough")]
    TooManyLines(usize),
    /// It has no line that Weir could use.
    #[error("{0}")]
    Unusable(&'static str),
    /// The WebRTC library refuses it.
    #[error("the offer can't be answered: {0}")]
    Refused(String),
}

/// Parses an offer and looks at its outline.
pub fn offer(text: &str) -> Result<SdpOffer, OfferError> {
    let lines = text.lines().filter(|line| line.starts_with("m=")).count();
    if lines > MOST_LINES {
        return Err(OfferError::TooManyLines(lines));
    }
    if lines == 0 {
        return Err(OfferError::Malformed("it has no media line".into()));
    }
    for line in text.lines() {
        if let Some(ufrag) = line.strip_prefix("a=ice-ufrag:") {
            token(ufrag.trim(), 4)?;
        } else if let Some(pwd) = line.strip_prefix("a=ice-pwd:") {
            token(pwd.trim(), 22)?;
        } else if let Some(media) = line.strip_prefix("m=") {
            let port = media.split_whitespace().nth(1).and_then(|port| port.split('/').next());
            if port.and_then(|port| port.parse::<u16>().ok()).is_none() {
                return Err(OfferError::Malformed("a media line has no port between 0 and 65535".into()));
            }
        }
    }
    SdpOffer::from_sdp_string(text).map_err(|error| OfferError::Malformed(error.to_string()))
}

/// An offer with what some leave out: that Opus has two channels (RFC 7587 knows no other), and a packetization mode for
/// H.264. GStreamer's players name neither, and take what everybody sends.
pub fn completed(offer: &str) -> String {
    fn format(line: &str) -> Option<&str> {
        Some(line.split_once(':')?.1.split_once(' ')?.0)
    }
    let with_fmtp: HashSet<&str> =
        offer.lines().filter(|line| line.starts_with("a=fmtp:")).filter_map(format).collect();
    let h264: HashSet<&str> = offer
        .lines()
        .filter(|line| line.starts_with("a=rtpmap:") && line.to_ascii_lowercase().ends_with(" h264/90000"))
        .filter_map(format)
        .collect();
    let mut text = String::with_capacity(offer.len() + 256);
    for line in offer.lines() {
        text.push_str(line);
        let of = format(line);
        let is_h264 = of.is_some_and(|of| h264.contains(of));
        if line.starts_with("a=rtpmap:") && line.to_ascii_lowercase().ends_with(" opus/48000") {
            text.push_str("/2");
        } else if is_h264 && line.starts_with("a=fmtp:") && !line.contains("packetization-mode") {
            text.push_str(";packetization-mode=1");
        } else if is_h264 && line.starts_with("a=rtpmap:") && !of.is_some_and(|of| with_fmtp.contains(of)) {
            let of = of.unwrap_or_default();
            text.push_str(&format!(
                "\r\na=fmtp:{of} level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f"
            ));
        }
        text.push_str("\r\n");
    }
    text
}

/// The video codecs of an offer in the order that the peer prefers. str0m answers in the order of its own configuration, and
/// publishers send the first codec of the answer.
pub fn preference(offer: &str) -> Vec<shared::broadcast::Codec> {
    let mut order = Vec::new();
    let mut lines = offer.lines().skip_while(|line| !line.starts_with("m=video"));
    let formats: Vec<&str> = lines.next().unwrap_or_default().split_whitespace().skip(3).collect();
    let names: Vec<(&str, &str)> = lines
        .take_while(|line| !line.starts_with("m="))
        .filter_map(|line| line.strip_prefix("a=rtpmap:")?.split_once(' '))
        .map(|(format, name)| (format, name.split('/').next().unwrap_or(name)))
        .collect();
    for format in formats {
        let codec = names.iter().find(|(known, _)| *known == format).and_then(|(_, name)| video_codec(name));
        order.extend(codec.filter(|codec| !order.contains(codec)));
    }
    for codec in VIDEO {
        if !order.contains(&codec) {
            order.push(codec);
        }
    }
    order
}

/// In the order that suits most viewers, for a peer that prefers none.
const VIDEO: [shared::broadcast::Codec; 4] = [
    shared::broadcast::Codec::H264,
    shared::broadcast::Codec::Vp8,
    shared::broadcast::Codec::Vp9,
    shared::broadcast::Codec::Av1,
];

fn video_codec(name: &str) -> Option<shared::broadcast::Codec> {
    VIDEO.into_iter().find(|codec| codec.name().eq_ignore_ascii_case(name))
}

/// How often publishers are told how their streams arrive.
const REPORTS_EVERY: Duration = Duration::from_millis(500);

/// What every peer has in common, with its video codecs in that order.
pub fn config(order: &[shared::broadcast::Codec]) -> RtcConfig {
    let mut config = RtcConfig::new()
        .set_crypto_provider(super::dtls::provider())
        .set_ice_lite(true)
        .set_rtp_mode(true)
        .clear_codecs()
        .enable_opus(true, true)
        .set_extension_map(extensions())
        .set_rtcp_report_interval_video(REPORTS_EVERY)
        .set_rtcp_report_interval_audio(REPORTS_EVERY);
    if let Some(certificate) = super::dtls::certificate() {
        config = config.set_dtls_cert(certificate);
    }
    for codec in order {
        config = match codec {
            shared::broadcast::Codec::Av1 => config.enable_av1(true),
            shared::broadcast::Codec::Vp9 => config.enable_vp9(true),
            shared::broadcast::Codec::Vp8 => config.enable_vp8(true),
            shared::broadcast::Codec::H264 => config.enable_h264(true),
            shared::broadcast::Codec::Opus => config,
        };
    }
    config
}

/// The header extensions that are understood, by the numbers that an answer gives them where the offer has others. AV1's
/// dependency descriptor isn't one: for what has a single layer it says nothing that the payload doesn't.
fn extensions() -> ExtensionMap {
    let mut map = ExtensionMap::standard();
    map.set(9, Extension::AbsoluteCaptureTime);
    map.set(12, Extension::PlayoutDelay);
    map
}

/// A codec as the rest of Weir names it.
pub fn codec(codec: Codec) -> Option<shared::broadcast::Codec> {
    match codec {
        Codec::Av1 => Some(shared::broadcast::Codec::Av1),
        Codec::Vp9 => Some(shared::broadcast::Codec::Vp9),
        Codec::Vp8 => Some(shared::broadcast::Codec::Vp8),
        Codec::H264 => Some(shared::broadcast::Codec::H264),
        Codec::Opus => Some(shared::broadcast::Codec::Opus),
        _ => None,
    }
}

/// What a PATCH with `application/trickle-ice-sdpfrag` says.
#[derive(Debug, Default, PartialEq)]
pub struct Fragment {
    /// The sender's ufrag and password, as of now.
    pub credentials: Option<(String, String)>,
    /// Candidates that it found since.
    pub candidates: Vec<Candidate>,
}

/// The most candidates one fragment may bring.
const MOST_CANDIDATES: usize = 64;

/// Parses a fragment. Candidates of kinds that can't be used here (mDNS names, TCP) are passed over, as RFC 8838 asks.
pub fn fragment(text: &str) -> Result<Fragment, OfferError> {
    let mut fragment = Fragment::default();
    let (mut ufrag, mut pwd) = (None, None);
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if let Some(value) = line.strip_prefix("a=ice-ufrag:") {
            ufrag = Some(token(value, 4)?);
        } else if let Some(value) = line.strip_prefix("a=ice-pwd:") {
            pwd = Some(token(value, 22)?);
        } else if let Some(value) = line.strip_prefix("a=candidate:") {
            if fragment.candidates.len() < MOST_CANDIDATES {
                fragment.candidates.extend(Candidate::from_sdp_string(&format!("candidate:{value}")).ok());
            }
        } else if line.get(1..2).is_none_or(|second| second != "=") {
            return Err(OfferError::Malformed("a line isn't of the form x=…".into()));
        }
    }
    fragment.credentials = ufrag.zip(pwd);
    Ok(fragment)
}

/// An ICE ufrag or password: from 4 or 22 up to 256 ice-chars (RFC 8839, 5.4).
fn token(value: &str, least: usize) -> Result<String, OfferError> {
    let fits = (least..=256).contains(&value.len())
        && value.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'+' || b == b'/');
    if fits {
        Ok(value.to_owned())
    } else {
        Err(OfferError::Malformed("the ICE credentials are malformed".into()))
    }
}

/// The same offer with other ICE credentials, as an ICE restart asks for.
pub fn with_credentials(offer: &str, ufrag: &str, pwd: &str) -> String {
    let mut text = String::with_capacity(offer.len() + 64);
    for line in offer.lines() {
        match line {
            _ if line.starts_with("a=ice-ufrag:") => text.push_str(&format!("a=ice-ufrag:{ufrag}")),
            _ if line.starts_with("a=ice-pwd:") => text.push_str(&format!("a=ice-pwd:{pwd}")),
            _ if line.starts_with("a=candidate:") || line == "a=end-of-candidates" => continue,
            _ => text.push_str(line),
        }
        text.push_str("\r\n");
    }
    text
}

/// What a browser's encoder of pictures begins with, in kbit/s, where it can be told. Measured with 720p30 in Chromium, from the
/// answer to 2.4 Mbit/s: untold, more than 15 s in three of four (it begins with 235 kbit/s); told 1,000, 1.3 s but once 12.6; told
/// 2,000, 1.3 s each time. On an uplink of 800 kbit/s it has found the way down within a second, and nothing is lost.
const START_KBITS: u32 = 2000;

/// An answer that tells the encoders of a browser of libwebrtc's family, by its `offer`, what to begin with. Others don't know
/// the parameter, and some take whatever is in `fmtp` for a property of the codec.
pub fn with_start_bitrate(offer: &str, answer: &str) -> String {
    const FAMILY: &str = "http://www.webrtc.org/experiments/rtp-hdrext/video-timing";
    if !offer.contains(FAMILY) {
        return answer.to_owned();
    }
    let formats: Vec<&str> = answer
        .lines()
        .filter_map(|line| line.strip_prefix("a=rtpmap:")?.split_once(' '))
        .filter(|(_, name)| video_codec(name.split('/').next().unwrap_or(name)).is_some())
        .map(|(format, _)| format)
        .collect();
    let parameters = |line: &str| {
        let (format, rest) = line.strip_prefix("a=fmtp:")?.split_once(' ')?;
        (formats.contains(&format) && !rest.is_empty()).then(|| format.to_owned())
    };
    let told: HashSet<String> = answer.lines().filter_map(parameters).collect();
    let mut text = String::with_capacity(answer.len() + 256);
    for line in answer.lines() {
        text.push_str(line);
        if parameters(line).is_some() {
            text.push_str(&format!(";x-google-start-bitrate={START_KBITS}"));
        }
        let of = line.strip_prefix("a=rtpmap:").and_then(|rest| rest.split_once(' '));
        if let Some((format, _)) =
            of.filter(|(format, _)| formats.contains(format) && !told.contains(*format))
        {
            text.push_str(&format!("\r\na=fmtp:{format} x-google-start-bitrate={START_KBITS}"));
        }
        text.push_str("\r\n");
    }
    text
}

/// The fragment that answers an ICE restart (RFC 9725, 4.3.3).
pub fn answer_fragment(answer: &str) -> String {
    let mut text = String::new();
    let mut seen_media = false;
    let mut has_credentials = false;
    for line in answer.lines() {
        if line.starts_with("m=") {
            if seen_media {
                break;
            }
            seen_media = true;
            text.push_str(line);
            text.push_str("\r\n");
        }
        let of_credentials = line.starts_with("a=ice-ufrag:") || line.starts_with("a=ice-pwd:");
        has_credentials |= of_credentials;
        if of_credentials
            || line == "a=ice-lite"
            || line.starts_with("a=mid:")
            || line.starts_with("a=candidate:")
            || line == "a=end-of-candidates"
        {
            text.push_str(line);
            text.push_str("\r\n");
        }
    }
    debug_assert!(has_credentials);
    text
}

/// The ufrag in an SDP, which tells one ICE session from the next.
pub fn ufrag(sdp: &str) -> Option<&str> {
    sdp.lines().find_map(|line| line.strip_prefix("a=ice-ufrag:")).map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fragment_brings_credentials_and_usable_candidates() {
        let text = "a=ice-ufrag:EsAw\r\na=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\n\
                    a=candidate:1387637174 1 udp 2122260223 192.0.2.1 61764 typ host generation 0\r\n\
                    a=candidate:1 1 udp 2122260223 0b7e.local 61764 typ host\r\na=end-of-candidates\r\n";
        let fragment = fragment(text).unwrap();
        assert_eq!(fragment.credentials.unwrap().0, "EsAw");
        assert_eq!(fragment.candidates.len(), 1);
    }

    #[test]
    fn the_peer_s_order_of_codecs_is_kept_and_what_it_lacks_comes_last() {
        use shared::broadcast::Codec::{Av1, H264, Vp8, Vp9};
        let offer = "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=rtpmap:111 opus/48000/2\r\n\
                     m=video 9 UDP/TLS/RTP/SAVPF 98 45 97 96\r\na=rtpmap:96 VP8/90000\r\na=rtpmap:97 rtx/90000\r\n\
                     a=rtpmap:98 vp9/90000\r\na=rtpmap:45 AV1/90000\r\nm=audio 9 x 0\r\na=rtpmap:0 H264/90000\r\n";
        assert_eq!(preference(offer), [Vp9, Av1, Vp8, H264]);
        assert_eq!(preference("").len(), 4);
    }

    #[test]
    fn broken_fragments_and_offers_are_refused() {
        assert!(fragment("hello").is_err());
        assert!(fragment("a=ice-ufrag:x\r\na=ice-pwd:y").is_err());
        assert!(fragment("a=ice-ufrag:ab\u{e9}d").is_err());
        assert!(offer("").is_err());
        assert!(offer("v=0\r\nm=").is_err());
        assert!(matches!(offer(&"m=video 9 x 0\r\n".repeat(5000)), Err(OfferError::TooManyLines(5000))));
    }

    #[test]
    fn what_gstreamer_leaves_out_is_completed_and_nothing_else_is_touched() {
        let offer = "a=rtpmap:96 OPUS/48000\r\na=rtpmap:103 H264/90000\r\na=rtcp-fb:103 nack\r\n\
                     a=rtpmap:97 H264/90000\r\na=fmtp:97 profile-level-id=42e016\r\n";
        assert_eq!(
            completed(offer),
            "a=rtpmap:96 OPUS/48000/2\r\na=rtpmap:103 H264/90000\r\n\
             a=fmtp:103 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f\r\na=rtcp-fb:103 nack\r\n\
             a=rtpmap:97 H264/90000\r\na=fmtp:97 profile-level-id=42e016;packetization-mode=1\r\n"
        );
        let whole = "a=rtpmap:111 opus/48000/2\r\na=fmtp:111 minptime=10\r\na=rtpmap:102 H264/90000\r\n\
                     a=fmtp:102 packetization-mode=0;profile-level-id=42001f\r\na=rtpmap:100 VP9/90000\r\n";
        assert_eq!(completed(whole), whole);
    }

    #[test]
    fn encoders_are_told_where_to_begin_where_they_listen() {
        let answer = "m=audio 9 x 111\r\na=rtpmap:111 opus/48000/2\r\na=fmtp:111 minptime=10\r\nm=video 9 x 96 97 102\r\n\
                      a=rtpmap:96 VP8/90000\r\na=rtcp-fb:96 nack\r\na=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\n\
                      a=rtpmap:102 H264/90000\r\na=fmtp:102 packetization-mode=1\r\n";
        let chromium = "a=extmap:7 http://www.webrtc.org/experiments/rtp-hdrext/video-timing\r\n";
        assert_eq!(
            with_start_bitrate(chromium, answer),
            "m=audio 9 x 111\r\na=rtpmap:111 opus/48000/2\r\na=fmtp:111 minptime=10\r\nm=video 9 x 96 97 102\r\n\
             a=rtpmap:96 VP8/90000\r\na=fmtp:96 x-google-start-bitrate=2000\r\na=rtcp-fb:96 nack\r\n\
             a=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\na=rtpmap:102 H264/90000\r\n\
             a=fmtp:102 packetization-mode=1;x-google-start-bitrate=2000\r\n"
        );
        assert_eq!(with_start_bitrate("a=rtpmap:96 VP8/90000\r\n", answer), answer);
    }

    #[test]
    fn a_restart_changes_only_credentials_and_candidates() {
        let sdp = "v=0\r\na=ice-ufrag:old1\r\na=ice-pwd:oldoldoldoldoldoldoldold\r\na=candidate:1 1 udp 1 192.0.2.1 1 typ host\r\na=mid:0\r\n";
        assert_eq!(
            with_credentials(sdp, "new1", "pw"),
            "v=0\r\na=ice-ufrag:new1\r\na=ice-pwd:pw\r\na=mid:0\r\n"
        );
        assert_eq!(ufrag(sdp), Some("old1"));
    }
}
