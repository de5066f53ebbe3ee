//! Virtual time: every kind, each second, through appearing, wavering and going.

use super::*;

const SECOND: Duration = Duration::from_secs(1);

/// A publisher all is well with, by the second.
fn healthy() -> Vitals {
    let video = TrackVitals {
        rendition: "source".into(),
        is_audio: false,
        quiet: Duration::from_millis(20),
        expected: 300,
        missed: 0,
        lost: 0,
        frames: 30,
        b_frames: 0,
        keyframe_interval: Some(Duration::from_secs(2)),
    };
    let audio =
        TrackVitals { is_audio: true, expected: 50, frames: 50, keyframe_interval: None, ..video.clone() };
    Vitals { tracks: vec![video, audio], asked: 0 }
}

const SPEECH: Level = Level { mean: -24.0, peak: -6.0, clipped: 0.0 };
const SILENT: Level = Level { mean: -90.0, peak: -80.0, clipped: 0.0 };

/// A doctor, and the second that it is.
struct Ward {
    doctor: Doctor,
    program: Program,
    start: Instant,
    second: u32,
}

impl Ward {
    fn new(program: Program) -> Self {
        Self { doctor: Doctor::default(), program, start: Instant::now(), second: 0 }
    }

    /// A second passes; what is told at its end.
    fn pass(&mut self, vitals: &Vitals, level: Option<Level>) -> Vec<Finding> {
        self.second += 1;
        let now = self.start + SECOND * self.second;
        if let Some(level) = level {
            self.doctor.heard(level, now);
        }
        self.doctor.look(vitals, self.program, now);
        self.doctor.findings(self.program)
    }

    /// Seconds of the same until `kind` is told, or isn't any more.
    fn until(&mut self, kind: FindingKind, there: bool, vitals: &Vitals, level: Level) -> u32 {
        (1..60)
            .find(|_| {
                let found = self.pass(vitals, Some(level));
                found.iter().any(|finding| finding.kind == kind) == there
            })
            .unwrap_or_else(|| panic!("{kind:?} there: {there}, not within a minute"))
    }
}

/// What each kind looks like.
fn ill(kind: FindingKind) -> (Vitals, Level) {
    let mut vitals = healthy();
    let mut level = SPEECH;
    let video = &mut vitals.tracks[0];
    match kind {
        FindingKind::KeyframeInterval => video.keyframe_interval = Some(Duration::from_secs(10)),
        FindingKind::BFrames => video.b_frames = 20,
        FindingKind::Loss => (video.missed, video.lost) = (12, 12),
        FindingKind::UnansweredNacks => {
            (video.missed, video.lost) = (12, 12);
            (video.expected, vitals.asked) = (3000, 3);
        }
        FindingKind::AudioWithoutVideo => drop(vitals.tracks.remove(0)),
        FindingKind::Silence => level = SILENT,
        FindingKind::Clipping => level = Level { mean: -2.0, peak: 0.4, clipped: 0.05 },
    }
    (vitals, level)
}

#[test]
fn there_is_nothing_to_find_where_all_is_well() {
    for program in [Program::Obs, Program::Ffmpeg, Program::Gstreamer, Program::Browser, Program::Other] {
        let mut ward = Ward::new(program);
        for _ in 0..300 {
            assert_eq!(ward.pass(&healthy(), Some(SPEECH)), []);
        }
    }
}

#[test]
fn each_thing_is_told_once_it_has_held_and_no_more_once_it_has_been_gone() {
    for (kind, appears, goes) in WATCHED {
        let (vitals, level) = ill(kind);
        let mut ward = Ward::new(Program::Obs);
        for _ in 0..10 {
            ward.pass(&healthy(), Some(SPEECH));
        }
        let lag = match kind {
            // Until the part of the window that was well says no more than the other.
            FindingKind::Loss | FindingKind::UnansweredNacks => 5,
            _ => 1,
        };
        let seconds = u64::from(ward.until(kind, true, &vitals, level));
        let bounds = appears.as_secs()..=appears.as_secs() + lag;
        assert!(bounds.contains(&seconds), "{kind:?} after {seconds} s");
        for _ in 0..20 {
            let findings = ward.pass(&vitals, Some(level));
            assert_eq!(findings.len(), 1, "{findings:?}");
            assert_eq!(findings[0].kind, kind);
            assert!(findings[0].what.contains(|c: char| c.is_ascii_digit()), "{}", findings[0].what);
            assert!(!findings[0].advice.is_empty());
        }
        let seconds = u64::from(ward.until(kind, false, &healthy(), SPEECH));
        // The window of what was lost has to empty first.
        let bounds = goes.as_secs()..=goes.as_secs() + 7;
        assert!(bounds.contains(&seconds), "{kind:?} gone after {seconds} s");
        for _ in 0..100 {
            assert_eq!(ward.pass(&healthy(), Some(SPEECH)), []);
        }
    }
}

#[test]
fn what_comes_for_a_moment_is_never_told() {
    for (kind, appears, _) in WATCHED {
        // What is lost stays in the window for longer than a moment.
        if matches!(kind, FindingKind::Loss | FindingKind::UnansweredNacks) || appears <= SECOND {
            continue;
        }
        let (vitals, level) = ill(kind);
        let mut ward = Ward::new(Program::Obs);
        for round in 0..200 {
            let moment = round % 12 < appears.as_secs() && round % 12 < 9;
            let found =
                if moment { ward.pass(&vitals, Some(level)) } else { ward.pass(&healthy(), Some(SPEECH)) };
            assert_eq!(found, [], "{kind:?} in second {round}");
        }
    }
}

#[test]
fn what_was_told_stays_while_it_comes_and_goes() {
    for (kind, _, goes) in WATCHED {
        if goes <= SECOND {
            continue;
        }
        let (vitals, level) = ill(kind);
        let mut ward = Ward::new(Program::Obs);
        ward.until(kind, true, &vitals, level);
        for round in 0..200 {
            let found = if round % 4 == 0 {
                ward.pass(&vitals, Some(level))
            } else {
                ward.pass(&healthy(), Some(SPEECH))
            };
            assert_eq!(found.len(), 1, "{kind:?} in second {round}");
        }
    }
}

#[test]
fn all_at_once_are_told_the_gravest_first() {
    let mut vitals = healthy();
    let video = &mut vitals.tracks[0];
    (video.keyframe_interval, video.b_frames) = (Some(Duration::from_secs(5)), 10);
    (video.missed, video.lost, vitals.asked) = (40, 40, 40);
    let mut ward = Ward::new(Program::Obs);
    let mut found = Vec::new();
    for _ in 0..30 {
        found = ward.pass(&vitals, Some(Level { clipped: 0.03, ..SPEECH }));
    }
    assert_eq!(found.len(), 5, "{found:?}");
    assert!(found.is_sorted_by_key(|finding| std::cmp::Reverse(finding.severity)));
    assert_eq!((found[0].severity, found[4].severity), (Severity::Problem, Severity::Hint));
}

#[test]
fn loss_is_told_by_what_is_not_repaired() {
    let mut ward = Ward::new(Program::Obs);
    // A tenth is missed, and all of it comes again.
    let mut vitals = healthy();
    (vitals.tracks[0].missed, vitals.asked) = (30, 30);
    for _ in 0..60 {
        assert_eq!(ward.pass(&vitals, Some(SPEECH)), []);
    }
    // Between the thresholds nothing appears, and what is there stays.
    let mut between = healthy();
    (between.tracks[0].missed, between.tracks[0].lost) = (3, 3);
    for _ in 0..60 {
        assert_eq!(ward.pass(&between, Some(SPEECH)), []);
    }
    ward.until(FindingKind::Loss, true, &ill(FindingKind::Loss).0, SPEECH);
    for _ in 0..60 {
        assert_eq!(ward.pass(&between, Some(SPEECH)).len(), 1);
    }
}

#[test]
fn grave_loss_is_a_problem_and_the_figure_is_that_of_the_last_seconds() {
    let mut vitals = healthy();
    (vitals.tracks[0].missed, vitals.tracks[0].lost) = (35, 35);
    let mut ward = Ward::new(Program::Obs);
    ward.until(FindingKind::Loss, true, &vitals, SPEECH);
    for _ in 0..10 {
        ward.pass(&vitals, Some(SPEECH));
    }
    let found = ward.pass(&vitals, Some(SPEECH));
    assert_eq!(found[0].severity, Severity::Problem);
    assert_eq!(found[0].what, "10 % of your packets get lost on the way here.");
}

#[test]
fn nobody_is_blamed_for_not_answering_what_was_not_asked() {
    let mut vitals = ill(FindingKind::UnansweredNacks).0;
    vitals.asked = 0;
    let mut ward = Ward::new(Program::Ffmpeg);
    for _ in 0..60 {
        assert_eq!(ward.pass(&vitals, Some(SPEECH)), []);
    }
}

#[test]
fn a_browser_need_not_send_keyframes_that_nobody_asked_for() {
    let vitals = ill(FindingKind::KeyframeInterval).0;
    let mut ward = Ward::new(Program::Browser);
    for _ in 0..60 {
        assert_eq!(ward.pass(&vitals, Some(SPEECH)), []);
    }
}

#[test]
fn the_rendition_with_the_longest_interval_is_named() {
    let mut vitals = healthy();
    let mut small = vitals.tracks[0].clone();
    small.rendition = "l".into();
    small.keyframe_interval = Some(Duration::from_secs(8));
    vitals.tracks.push(small);
    let mut ward = Ward::new(Program::Obs);
    ward.until(FindingKind::KeyframeInterval, true, &vitals, SPEECH);
    let found = ward.pass(&vitals, Some(SPEECH));
    assert_eq!(found[0].what, "Your keyframes are 8.0 s apart in the rendition “l”.");
    assert_eq!(found[0].severity, Severity::Warning);
}

#[test]
fn a_picture_that_stops_is_graver_than_one_that_never_was() {
    let mut never = Ward::new(Program::Other);
    let (alone, _) = ill(FindingKind::AudioWithoutVideo);
    never.until(FindingKind::AudioWithoutVideo, true, &alone, SPEECH);
    assert_eq!(never.pass(&alone, Some(SPEECH))[0].severity, Severity::Warning);

    let mut stopped = Ward::new(Program::Other);
    for _ in 0..10 {
        stopped.pass(&healthy(), Some(SPEECH));
    }
    let mut vitals = healthy();
    vitals.tracks[0].quiet = Duration::from_secs(4);
    stopped.until(FindingKind::AudioWithoutVideo, true, &vitals, SPEECH);
    let found = stopped.pass(&vitals, Some(SPEECH));
    assert_eq!(found[0].severity, Severity::Problem);
    assert_eq!(found.len(), 1, "of a picture that isn't there, nothing else is said: {found:?}");
}

#[test]
fn sound_that_stops_is_silent_too_and_sound_that_nobody_heard_is_not() {
    let mut ward = Ward::new(Program::Obs);
    let mut vitals = healthy();
    vitals.tracks[1].quiet = Duration::from_secs(5);
    for _ in 0..12 {
        ward.pass(&vitals, None);
    }
    assert_eq!(ward.pass(&vitals, None)[0].kind, FindingKind::Silence);

    // The listening thread had no room: nothing is known.
    let mut unheard = Ward::new(Program::Obs);
    for _ in 0..60 {
        assert_eq!(unheard.pass(&healthy(), None), []);
    }
    // Without a line of sound there is nothing that could be silent.
    let mut mute = Ward::new(Program::Obs);
    vitals.tracks.remove(1);
    for _ in 0..60 {
        assert_eq!(mute.pass(&vitals, None), []);
    }
}

#[test]
fn silence_is_counted_from_its_beginning() {
    let mut ward = Ward::new(Program::Obs);
    ward.pass(&healthy(), Some(SPEECH));
    for _ in 0..24 {
        ward.pass(&healthy(), Some(SILENT));
    }
    let found = ward.pass(&healthy(), Some(SILENT));
    assert_eq!(found[0].what, "Your sound has been silent for 24 s.");
    // One word ends it, and the next silence begins anew.
    ward.until(FindingKind::Silence, false, &healthy(), SPEECH);
    let seconds = ward.until(FindingKind::Silence, true, &healthy(), SILENT);
    assert!(seconds >= 10, "{seconds}");
}

#[test]
fn a_look_after_a_long_pause_says_nothing_rash() {
    for (kind, ..) in WATCHED {
        let (vitals, level) = ill(kind);
        let mut ward = Ward::new(Program::Obs);
        ward.pass(&healthy(), Some(SPEECH));
        ward.second += 3600;
        assert_eq!(ward.pass(&vitals, Some(level)), [], "{kind:?}");
    }
}

#[test]
fn no_vitals_whatever_make_it_panic_or_talk_nonsense() {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = move |below: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % below
    };
    for _ in 0..300 {
        let mut ward = Ward::new(Program::Ffmpeg);
        for _ in 0..40 {
            let tracks = (0..random(9))
                .map(|_| TrackVitals {
                    rendition: random(99).to_string(),
                    is_audio: random(2) == 0,
                    quiet: Duration::from_millis(random(9000)),
                    expected: random(u64::from(u32::MAX)) as u32,
                    missed: random(u64::from(u32::MAX)) as u32,
                    lost: random(u64::from(u32::MAX)) as u32,
                    frames: random(999) as u32,
                    b_frames: random(999) as u32,
                    keyframe_interval: (random(2) == 0).then(|| Duration::from_millis(random(90_000))),
                })
                .collect();
            let level = Level {
                mean: random(100) as f32 - 100.0,
                peak: random(110) as f32 - 100.0,
                clipped: random(100) as f32 / 100.0,
            };
            let vitals = Vitals { tracks, asked: random(u64::from(u32::MAX)) as u32 };
            let found = ward.pass(&vitals, (random(3) > 0).then_some(level));
            assert!(found.len() <= WATCHED.len());
            for finding in found {
                for nonsense in ["NaN", "inf", " -", "101 %"] {
                    assert!(!finding.what.contains(nonsense), "{finding:?}");
                }
            }
        }
    }
}
