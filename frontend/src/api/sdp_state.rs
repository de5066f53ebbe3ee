//! Small changes to session descriptions, as text. Line by line, so that what isn't known passes through unchanged.

/// Adds parameters to the `fmtp` line of every payload type of Opus, where they are missing.
fn with(sdp: &str, parameters: &[(&str, &str)]) -> String {
    let is_meant =
        |codec: &str| codec.split('/').next().is_some_and(|name| name.eq_ignore_ascii_case("opus"));
    let payload_types: Vec<&str> = sdp
        .lines()
        .filter_map(|line| line.strip_prefix("a=rtpmap:")?.split_once(' '))
        .filter(|(_, codec)| is_meant(codec))
        .map(|(payload_type, _)| payload_type)
        .collect();
    let mut out = String::with_capacity(sdp.len() + 256);
    for line in sdp.lines() {
        out.push_str(line);
        let of = |attribute: &str| {
            let pair = line.strip_prefix(attribute).and_then(|rest| rest.split_once(' '));
            pair.filter(|(payload_type, _)| payload_types.contains(payload_type))
        };
        if let Some((_, have)) = of("a=fmtp:") {
            for (name, value) in parameters {
                let known = have.split(';').any(|part| part.trim().split('=').next() == Some(name));
                if !known {
                    out.push_str(&format!(";{name}={value}"));
                }
            }
        }
        // A codec without parameters has no line for them yet.
        if let Some((payload_type, _)) = of("a=rtpmap:")
            && !sdp.contains(&format!("a=fmtp:{payload_type} "))
        {
            let list: Vec<String> =
                parameters.iter().map(|(name, value)| format!("{name}={value}")).collect();
            out.push_str(&format!("\r\na=fmtp:{payload_type} {}", list.join(";")));
        }
        out.push_str("\r\n");
    }
    out
}

/// A viewer's offer that takes stereo sound: browsers mix down to mono unless told.
pub fn viewer_offer(sdp: &str) -> String {
    with(sdp, &[("stereo", "1")])
}

/// A publisher's offer that announces stereo sound.
pub fn publisher_offer(sdp: &str) -> String {
    with(sdp, &[("stereo", "1"), ("sprop-stereo", "1")])
}

/// The answer to a publisher, asking its own encoder for stereo at music quality.
pub fn publisher_answer(sdp: &str) -> String {
    with(sdp, &[("stereo", "1"), ("maxaveragebitrate", "128000")])
}

#[cfg(test)]
mod tests {
    use super::*;

    const SDP: &str = "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111 63\r\na=rtpmap:111 opus/48000/2\r\n\
        a=fmtp:111 minptime=10;useinbandfec=1\r\na=rtpmap:63 red/48000/2\r\na=fmtp:63 111/111\r\n";

    #[test]
    fn only_opus_gets_stereo_and_only_once() {
        let once = viewer_offer(SDP);
        assert!(once.contains("a=fmtp:111 minptime=10;useinbandfec=1;stereo=1\r\n"));
        assert!(once.contains("a=fmtp:63 111/111\r\n"));
        assert_eq!(viewer_offer(&once), once);
    }

    #[test]
    fn what_is_set_already_stays() {
        let sdp = "a=rtpmap:96 OPUS/48000/2\r\na=fmtp:96 stereo=0\r\n";
        assert_eq!(publisher_offer(sdp), "a=rtpmap:96 OPUS/48000/2\r\na=fmtp:96 stereo=0;sprop-stereo=1\r\n");
    }

    #[test]
    fn a_description_without_opus_passes_unchanged() {
        let sdp = "v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=rtpmap:96 VP8/90000\r\n";
        assert_eq!(viewer_offer(sdp), sdp);
    }
}
