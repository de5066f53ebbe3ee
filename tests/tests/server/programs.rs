//! Offers as programs other than browsers make them, and what they are answered.

use std::collections::BTreeSet;
use weir_tests::{peer::post_whip, server::Weir};

/// OBS Studio with three encodings of simulcast, H.264. Not a recording: written after the shape that its WHIP output has
/// libdatachannel make, line by line.
const OBS_SIMULCAST: &str = "v=0
o=rtc 3316845021 0 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE 0 1
a=group:LS 0 1
a=msid-semantic:WMS *
a=ice-options:ice2,trickle
a=fingerprint:sha-256 09:08:0D:79:67:1B:8E:07:C2:B5:3C:66:16:A6:4F:D6:B0:0D:0A:54:E8:5B:5A:ED:B0:C1:AB:82:BD:C4:24:B4
m=audio 43298 UDP/TLS/RTP/SAVPF 111
c=IN IP4 192.0.2.107
a=mid:0
a=sendonly
a=ssrc:1349455989 cname:u0zWTLtTJkcaDzDM
a=ssrc:1349455989 msid:qUVEoh7TF9nLCrk4 qUVEoh7TF9nLCrk4-audio
a=msid:qUVEoh7TF9nLCrk4 qUVEoh7TF9nLCrk4-audio
a=rtcp-mux
a=rtpmap:111 opus/48000/2
a=fmtp:111 minptime=10;maxaveragebitrate=96000;stereo=1;sprop-stereo=1;useinbandfec=1
a=setup:actpass
a=ice-ufrag:MjuY
a=ice-pwd:YMNSRjqsKIOvKLshUM4/tG
a=candidate:1 1 UDP 2122317823 192.0.2.107 43298 typ host
a=candidate:2 1 UDP 1686109951 198.51.100.39 43298 typ srflx raddr 0.0.0.0 rport 0
a=end-of-candidates
m=video 43298 UDP/TLS/RTP/SAVPF 96
c=IN IP4 192.0.2.107
a=mid:1
a=extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid
a=extmap:2 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id
a=sendonly
a=msid:qUVEoh7TF9nLCrk4 qUVEoh7TF9nLCrk4-video
a=rid:0 send
a=rid:1 send
a=rid:2 send
a=simulcast:send 0;1;2
a=rtcp-mux
a=rtpmap:96 H264/90000
a=rtcp-fb:96 nack
a=rtcp-fb:96 nack pli
a=rtcp-fb:96 goog-remb
a=fmtp:96 profile-level-id=42e01f;packetization-mode=1;level-asymmetry-allowed=1
a=setup:actpass
a=ice-ufrag:MjuY
a=ice-pwd:YMNSRjqsKIOvKLshUM4/tG
";

/// FFmpeg 8.1's WHIP muxer (Lavf/62.12.102), recorded: it is always the DTLS server, and names neither header extensions
/// nor parameters of Opus.
const FFMPEG: &str = "v=0
o=FFmpeg 4489045141692799359 2 IN IP4 127.0.0.1
s=FFmpegPublishSession
t=0 0
a=group:BUNDLE 0 1
a=extmap-allow-mixed
a=msid-semantic: WMS
m=audio 9 UDP/TLS/RTP/SAVPF 111
c=IN IP4 0.0.0.0
a=ice-ufrag:ac5fb87d
a=ice-pwd:bffee6451c43164803d94e1b84c1b283
a=fingerprint:sha-256 09:08:0D:79:67:1B:8E:07:C2:B5:3C:66:16:A6:4F:D6:B0:0D:0A:54:E8:5B:5A:ED:B0:C1:AB:82:BD:C4:24:B4
a=setup:passive
a=mid:0
a=sendonly
a=msid:FFmpeg audio
a=rtcp-mux
a=rtpmap:111 opus/48000/2
a=ssrc:1038489824 cname:FFmpeg
a=ssrc:1038489824 msid:FFmpeg audio
m=video 9 UDP/TLS/RTP/SAVPF 106 105
c=IN IP4 0.0.0.0
a=ice-ufrag:ac5fb87d
a=ice-pwd:bffee6451c43164803d94e1b84c1b283
a=fingerprint:sha-256 09:08:0D:79:67:1B:8E:07:C2:B5:3C:66:16:A6:4F:D6:B0:0D:0A:54:E8:5B:5A:ED:B0:C1:AB:82:BD:C4:24:B4
a=setup:passive
a=mid:1
a=sendonly
a=msid:FFmpeg video
a=rtcp-mux
a=rtcp-rsize
a=rtpmap:106 H264/90000
a=fmtp:106 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42001e
a=rtcp-fb:106 nack
a=rtpmap:105 rtx/90000
a=fmtp:105 apt=106
a=ssrc-group:FID 1038489825 1038489826
a=ssrc:1038489825 cname:FFmpeg
a=ssrc:1038489825 msid:FFmpeg video
";

/// An answer: what is said before the first line of media, and what of each.
struct Answer {
    session: Vec<String>,
    media: Vec<Vec<String>>,
}

impl Answer {
    fn to(offer: &str) -> Self {
        let weir = Weir::start();
        let key = weir.create_channel("ada").key;
        let response = post_whip(weir.http, "/whip/ada", &key, &offer.replace('\n', "\r\n"));
        assert_eq!(response.status, 201, "{}", response.text());
        let mut answer = Self { session: Vec::new(), media: Vec::new() };
        for line in response.text().lines() {
            if line.starts_with("m=") {
                answer.media.push(Vec::new());
            }
            answer.media.last_mut().unwrap_or(&mut answer.session).push(line.to_owned());
        }
        answer
    }

    /// Whatever follows `prefix` in a line of media, in order.
    fn all(&self, media: usize, prefix: &str) -> Vec<&str> {
        self.media[media].iter().filter_map(|line| line.strip_prefix(prefix)).collect()
    }

    #[track_caller]
    fn assert_has(&self, media: usize, line: &str) {
        assert!(self.media[media].iter().any(|other| other == line), "no {line} in {:#?}", self.media[media]);
    }

    /// What either program is answered: one line for each of its own, which is received, bundled, and by its numbers alone.
    #[track_caller]
    fn assert_fits(&self, [sound, picture]: [&str; 2], setup: &str) {
        assert!(self.session.iter().any(|line| line == "a=group:BUNDLE 0 1"), "{:?}", self.session);
        assert!(self.session.iter().any(|line| line == "a=ice-lite"), "{:?}", self.session);
        assert_eq!(self.media.len(), 2, "{:#?}", self.media);
        for (at, kind, formats) in [(0, "audio", sound), (1, "video", picture)] {
            let line = self.all(at, &format!("m={kind} "))[0];
            let (port, rest) = line.split_once(' ').expect("a port");
            assert_ne!(port, "0", "refused");
            assert_eq!(rest, format!("UDP/TLS/RTP/SAVPF {formats}"));
            assert_eq!(self.all(at, "a=mid:"), [at.to_string()]);
            assert_eq!(self.all(at, "a=setup:"), [setup]);
            self.assert_has(at, "a=recvonly");
            self.assert_has(at, "a=rtcp-mux");
            let mapped: BTreeSet<&str> =
                self.all(at, "a=rtpmap:").iter().filter_map(|map| map.split(' ').next()).collect();
            assert_eq!(mapped, formats.split(' ').collect(), "described are those of the line");
            let feedback = self.all(at, "a=rtcp-fb:");
            assert!(!feedback.iter().any(|line| line.ends_with("transport-cc")), "not offered: {feedback:?}");
        }
    }
}

#[test]
fn obs_with_simulcast_is_answered_with_each_of_its_encodings() {
    let answer = Answer::to(OBS_SIMULCAST);
    answer.assert_fits(["111", "96"], "passive");
    assert_eq!(answer.all(1, "a=rid:"), ["0 recv", "1 recv", "2 recv"]);
    assert_eq!(answer.all(1, "a=simulcast:"), ["recv 0;1;2"]);
    assert_eq!(answer.all(0, "a=rid:"), [""; 0]);
    // By these alone the encodings can be told apart.
    assert_eq!(
        answer.all(1, "a=extmap:"),
        ["1 urn:ietf:params:rtp-hdrext:sdes:mid", "2 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"]
    );
    answer.assert_has(1, "a=rtpmap:96 H264/90000");
    let parameters: BTreeSet<&str> = answer.all(1, "a=fmtp:96 ")[0].split(';').collect();
    assert!(
        parameters.contains("packetization-mode=1") && parameters.contains("profile-level-id=42e01f"),
        "{parameters:?}"
    );
    answer.assert_has(1, "a=rtcp-fb:96 nack");
    answer.assert_has(1, "a=rtcp-fb:96 nack pli");
    answer.assert_has(0, "a=rtpmap:111 opus/48000/2");
    assert!(answer.all(0, "a=fmtp:111 ")[0].split(';').any(|parameter| parameter == "useinbandfec=1"));
}

#[test]
fn ffmpeg_is_answered_by_a_dtls_client_that_knows_its_repairs() {
    let answer = Answer::to(FFMPEG);
    answer.assert_fits(["111", "106 105"], "active");
    for at in [0, 1] {
        assert_eq!(answer.all(at, "a=extmap:"), [""; 0], "it offered none");
        assert_eq!(answer.all(at, "a=rid:"), [""; 0]);
    }
    answer.assert_has(1, "a=rtpmap:106 H264/90000");
    let parameters: BTreeSet<&str> = answer.all(1, "a=fmtp:106 ")[0].split(';').collect();
    // The profile is to be the same; the level is what either can take (RFC 6184, 8.2.2).
    let profile = parameters.iter().find_map(|parameter| parameter.strip_prefix("profile-level-id="));
    assert!(profile.is_some_and(|profile| profile.starts_with("4200")), "{parameters:?}");
    assert!(
        parameters.contains("packetization-mode=1") && parameters.contains("level-asymmetry-allowed=1"),
        "{parameters:?}"
    );
    answer.assert_has(1, "a=rtcp-fb:106 nack");
    answer.assert_has(1, "a=rtpmap:105 rtx/90000");
    answer.assert_has(1, "a=fmtp:105 apt=106");
    answer.assert_has(0, "a=rtpmap:111 opus/48000/2");
}
