//! The publisher doctor's words: what is the matter, with its figure, and what to change, in the words of the program that
//! publishes.

use super::doctor::Figure;
use shared::publish::{Finding, FindingKind};

/// Which program publishes, as far as the words for its settings go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Program {
    /// OBS Studio.
    Obs,
    /// FFmpeg.
    Ffmpeg,
    /// GStreamer.
    Gstreamer,
    /// A browser: Weir's studio.
    Browser,
    /// Any other.
    Other,
}

impl Program {
    /// By its user agent.
    pub fn of(user_agent: &str) -> Self {
        let marks = [
            // OBS calls itself Mozilla too.
            ("OBS", Self::Obs),
            ("Lavf", Self::Ffmpeg),
            ("FFmpeg", Self::Ffmpeg),
            ("GStreamer", Self::Gstreamer),
            ("Mozilla/", Self::Browser),
        ];
        marks
            .into_iter()
            .find(|(mark, _)| user_agent.contains(mark))
            .map_or(Self::Other, |(_, program)| program)
    }
}

/// A finding in words. `frame_rate` is for those who count keyframes in frames; 0 where it isn't known.
pub(super) fn finding(kind: FindingKind, figure: &Figure, program: Program, frame_rate: f32) -> Finding {
    Finding {
        kind,
        severity: figure.severity,
        what: what(kind, figure),
        advice: advice(kind, program, frame_rate),
    }
}

fn what(kind: FindingKind, figure: &Figure) -> String {
    let seconds = || span(figure.value);
    match kind {
        FindingKind::KeyframeInterval => {
            let of = figure.rendition.as_ref().map(|name| format!(" in the rendition “{name}”"));
            format!("Your keyframes are {:.1} s apart{}.", figure.value, of.unwrap_or_default())
        }
        FindingKind::BFrames => {
            format!("{} of your frames are B-frames, which arrive out of order.", percent(figure.value))
        }
        FindingKind::Loss => format!("{} of your packets get lost on the way here.", percent(figure.value)),
        FindingKind::UnansweredNacks => {
            format!("{} of the packets that got lost weren’t sent again.", percent(figure.value))
        }
        FindingKind::AudioWithoutVideo => format!("Sound arrives, and no picture for {}.", seconds()),
        FindingKind::Silence => format!("Your sound has been silent for {}.", seconds()),
        FindingKind::Clipping => {
            format!("Your sound is too loud: {} of it is cut off.", percent(figure.value))
        }
    }
}

fn advice(kind: FindingKind, program: Program, frame_rate: f32) -> String {
    // Two seconds in frames, of a rate that people set.
    let frames = match frame_rate.round() as u32 {
        0..20 => 60,
        20..28 => 50,
        28..40 => 60,
        40..56 => 100,
        _ => 120,
    };
    match (kind, program) {
        (FindingKind::KeyframeInterval, Program::Obs) => {
            "In OBS: Settings → Output → Streaming → Keyframe Interval: 2 s.".into()
        }
        (FindingKind::KeyframeInterval, Program::Ffmpeg) => {
            format!("Give FFmpeg -g {frames} -keyint_min {frames}: a keyframe every 2 s.")
        }
        (FindingKind::KeyframeInterval, Program::Gstreamer) => {
            format!("Set the encoder’s key-int-max={frames}: a keyframe every 2 s.")
        }
        (FindingKind::KeyframeInterval, _) => {
            "Set the keyframe interval to 2 s, so that viewers join and switch at once.".into()
        }
        (FindingKind::BFrames, Program::Obs) => {
            "In OBS: Settings → Output → Streaming → B-frames: 0; with x264, Tune: zerolatency.".into()
        }
        (FindingKind::BFrames, Program::Ffmpeg) => "Give FFmpeg -bf 0, or -tune zerolatency.".into(),
        (FindingKind::BFrames, Program::Gstreamer) => {
            "Set the encoder’s bframes=0 and tune=zerolatency.".into()
        }
        (FindingKind::BFrames, Program::Browser) => {
            "End, pick VP8 or AV1 as the codec, and go live again.".into()
        }
        (FindingKind::BFrames, Program::Other) => "Turn B-frames off in the encoder.".into(),
        (FindingKind::Loss, Program::Obs) => {
            "In OBS: Settings → Output → Streaming → Bitrate: set a third less. A cable loses less than Wi‑Fi.".into()
        }
        (FindingKind::Loss, Program::Ffmpeg) => {
            "Give FFmpeg a -b:v and -maxrate that are a third less. A cable loses less than Wi‑Fi.".into()
        }
        (FindingKind::Loss, Program::Gstreamer) => {
            "Set the encoder’s bitrate a third less. A cable loses less than Wi‑Fi.".into()
        }
        (FindingKind::Loss, Program::Browser) => {
            "Move closer to the router or use a cable. If that can’t be, end and pick less under “At most”.".into()
        }
        (FindingKind::Loss, Program::Other) => {
            "Lower the bitrate by a third. A cable loses less than Wi‑Fi.".into()
        }
        (FindingKind::UnansweredNacks, Program::Obs) => {
            "OBS sends the smaller encodings of simulcast only once: turn simulcast off, or lower Settings → Output → Streaming → Bitrate so that less gets lost.".into()
        }
        (FindingKind::UnansweredNacks, Program::Ffmpeg) => {
            "Update FFmpeg, as older ones send nothing again, or give it a lower -b:v so that less gets lost.".into()
        }
        (FindingKind::UnansweredNacks, Program::Gstreamer) => {
            "Set do-retransmission=true, or lower the encoder’s bitrate so that less gets lost.".into()
        }
        (FindingKind::UnansweredNacks, Program::Browser) => {
            "The way to the server is too slow for repairs: try another network, or without a VPN.".into()
        }
        (FindingKind::UnansweredNacks, Program::Other) => {
            "Turn retransmission (NACK) on, or lower the bitrate so that less gets lost.".into()
        }
        (FindingKind::AudioWithoutVideo, Program::Obs) => {
            "In OBS: see that Sources has a picture that is shown, and Settings → Output → Streaming → Video Encoder one that works.".into()
        }
        (FindingKind::AudioWithoutVideo, Program::Ffmpeg) => {
            "Give FFmpeg an input with a picture: -map 0:v, or -f lavfi -i color.".into()
        }
        (FindingKind::AudioWithoutVideo, Program::Gstreamer) => {
            "Link a video source to the sink, and see that it is playing.".into()
        }
        (FindingKind::AudioWithoutVideo, Program::Browser) => {
            "Pick a camera, or share your screen.".into()
        }
        (FindingKind::AudioWithoutVideo, Program::Other) => "Send a picture too, or see why it stopped.".into(),
        (FindingKind::Silence, Program::Obs) => {
            "In OBS: look at the Audio Mixer. Is the microphone muted, its fader down, or Settings → Audio → Mic/Auxiliary Audio another device?".into()
        }
        (FindingKind::Silence, Program::Ffmpeg) => {
            "See that -map picks the right sound; -af volumedetect tells how loud the input is.".into()
        }
        (FindingKind::Silence, Program::Gstreamer) => {
            "See that the right source is linked and not muted; the element level tells how loud it is.".into()
        }
        (FindingKind::Silence, Program::Browser) => {
            "See that the microphone isn’t muted, on itself or in the system, or pick another one.".into()
        }
        (FindingKind::Silence, Program::Other) => "See that the microphone isn’t muted.".into(),
        (FindingKind::Clipping, Program::Obs) => {
            "In OBS: pull the fader in the Audio Mixer down until the loudest sounds stay yellow, or add a Limiter under Filters.".into()
        }
        (FindingKind::Clipping, Program::Ffmpeg) => "Give FFmpeg -af volume=-6dB, or -af alimiter.".into(),
        (FindingKind::Clipping, Program::Gstreamer) => "Put volume volume=0.5 in front of the encoder.".into(),
        (FindingKind::Clipping, Program::Browser) => {
            "Turn the microphone’s volume down in the system’s settings, or move away from it.".into()
        }
        (FindingKind::Clipping, Program::Other) => "Turn the sound down by 6 dB.".into(),
    }
}

/// A part of one, as people say it.
fn percent(part: f64) -> String {
    let percent = part * 100.0;
    if percent < 0.1 {
        "Less than 0.1 %".into()
    } else if percent < 10.0 {
        format!("{percent:.1} %")
    } else {
        format!("{percent:.0} %")
    }
}

/// Seconds, as people say them.
fn span(seconds: f64) -> String {
    let seconds = seconds.round() as u64;
    match seconds {
        0..100 => format!("{seconds} s"),
        _ => format!("{} min", seconds.div_ceil(60)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::publish::Severity;

    const ALL: [FindingKind; 7] = [
        FindingKind::KeyframeInterval,
        FindingKind::BFrames,
        FindingKind::Loss,
        FindingKind::UnansweredNacks,
        FindingKind::AudioWithoutVideo,
        FindingKind::Silence,
        FindingKind::Clipping,
    ];

    fn say(kind: FindingKind, value: f64, program: Program) -> Finding {
        let figure = Figure { value, rendition: None, severity: Severity::Warning };
        finding(kind, &figure, program, 30.0)
    }

    #[test]
    fn programs_are_known_by_their_user_agents() {
        for (agent, program) in [
            ("Mozilla/5.0 (OBS-Studio/30.1.2; Linux x86_64; en-US)", Program::Obs),
            ("Lavf/61.7.100", Program::Ffmpeg),
            ("GStreamer souphttpclientsink", Program::Gstreamer),
            (
                "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/130.0.0.0 Safari/537.36",
                Program::Browser,
            ),
            ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", Program::Browser),
            ("", Program::Other),
            ("curl/8.0", Program::Other),
        ] {
            assert_eq!(Program::of(agent), program, "{agent}");
        }
    }

    #[test]
    fn what_is_the_matter_has_its_figure() {
        let what = |kind, value| say(kind, value, Program::Obs).what;
        assert_eq!(what(FindingKind::KeyframeInterval, 8.34), "Your keyframes are 8.3 s apart.");
        assert_eq!(what(FindingKind::Loss, 0.0241), "2.4 % of your packets get lost on the way here.");
        assert_eq!(what(FindingKind::Silence, 24.4), "Your sound has been silent for 24 s.");
        assert_eq!(what(FindingKind::Silence, 100.0), "Your sound has been silent for 2 min.");
        assert!(what(FindingKind::BFrames, 0.66).starts_with("66 % of your frames are B-frames"));
        assert!(what(FindingKind::Clipping, 0.0042).contains("0.4 %"));
        let figure = Figure { value: 10.0, rendition: Some("h".into()), severity: Severity::Hint };
        let words = finding(FindingKind::KeyframeInterval, &figure, Program::Other, 30.0).what;
        assert_eq!(words, "Your keyframes are 10.0 s apart in the rendition “h”.");
    }

    #[test]
    fn each_program_is_advised_in_its_own_words() {
        let advice = |kind, program| say(kind, 1.0, program).advice;
        let obs = advice(FindingKind::KeyframeInterval, Program::Obs);
        assert_eq!(obs, "In OBS: Settings → Output → Streaming → Keyframe Interval: 2 s.");
        let obs = advice(FindingKind::BFrames, Program::Obs);
        assert!(obs.contains("B-frames: 0") && obs.contains("Tune: zerolatency"));
        assert!(advice(FindingKind::KeyframeInterval, Program::Ffmpeg).contains("-g 60"));
        assert!(advice(FindingKind::BFrames, Program::Ffmpeg).contains("-bf 0"));
        assert!(advice(FindingKind::BFrames, Program::Gstreamer).contains("bframes=0"));
        for kind in ALL {
            for program in
                [Program::Obs, Program::Ffmpeg, Program::Gstreamer, Program::Browser, Program::Other]
            {
                let words = advice(kind, program);
                assert!(words.ends_with(['.', '?']) && words.len() < 200, "{words}");
                let foreign = ["OBS", "FFmpeg", "-g ", "key-int-max"].iter().any(|word| words.contains(word));
                assert!(!foreign || !matches!(program, Program::Browser | Program::Other), "{words}");
            }
        }
    }

    #[test]
    fn two_seconds_are_counted_in_the_frames_there_are() {
        for (rate, frames) in [(0.0, 60), (23.9, 50), (25.0, 50), (29.97, 60), (50.0, 100), (60.0, 120)] {
            let words = advice(FindingKind::KeyframeInterval, Program::Ffmpeg, rate);
            assert!(words.contains(&format!("-g {frames} ")), "{rate}: {words}");
        }
    }
}
