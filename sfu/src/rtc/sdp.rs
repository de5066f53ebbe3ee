//! SDP for WHIP and WHEP: what Weir accepts, and the fragments of a PATCH (RFC 8840).

use std::time::Duration;
use str0m::{Candidate, RtcConfig, change::SdpOffer, format::Codec, rtp::Extension};

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
    SdpOffer::from_sdp_string(text).map_err(|error| OfferError::Malformed(error.to_string()))
}

/// What every peer has in common.
pub fn config() -> RtcConfig {
    let mut config = RtcConfig::new()
        .set_ice_lite(true)
        .set_rtp_mode(true)
        .clear_codecs()
        .enable_opus(true, false)
        .enable_av1(true)
        .enable_vp9(true)
        .enable_vp8(true)
        .enable_h264(true)
        .set_send_buffer_video(1500)
        .set_rtcp_report_interval_video(Duration::from_secs(1))
        .set_rtcp_report_interval_audio(Duration::from_secs(2));
    // What encoders that aren't browsers call their profiles: main and high without constraints, and baseline at levels
    // that only differ in numbers. The payload types are placeholders until an offer sets them.
    let codecs = config.codec_config();
    codecs.add_h264(103.into(), Some(104.into()), false, 0x64001f);
    config.set_extension(7, Extension::AbsoluteCaptureTime).set_extension(6, Extension::PlayoutDelay)
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
            ufrag = Some(token(value)?);
        } else if let Some(value) = line.strip_prefix("a=ice-pwd:") {
            pwd = Some(token(value)?);
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

/// An ICE ufrag or password: 4 to 256 ice-chars (RFC 8839, 5.4).
fn token(value: &str) -> Result<String, OfferError> {
    let fits = (4..=256).contains(&value.len())
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
    fn broken_fragments_and_offers_are_refused() {
        assert!(fragment("hello").is_err());
        assert!(fragment("a=ice-ufrag:x\r\na=ice-pwd:y").is_err());
        assert!(fragment("a=ice-ufrag:ab\u{e9}d").is_err());
        assert!(offer("").is_err());
        assert!(offer("v=0\r\nm=").is_err());
        assert!(matches!(offer(&"m=video 9 x 0\r\n".repeat(5000)), Err(OfferError::TooManyLines(5000))));
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
