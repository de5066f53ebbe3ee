use super::*;

const MS: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);

/// xorshift64*: the same run for the same seed, everywhere.
struct Random(u64);

impl Random {
    fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// From 0 up to 1.
    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    fn one_in(&mut self, n: u64) -> bool {
        self.next().is_multiple_of(n)
    }

    /// Around 1, by at most `by`.
    fn noise(&mut self, by: f64) -> f64 {
        1.0 + (self.unit() * 2.0 - 1.0) * by
    }
}

fn version(track: u8, width: u16, height: u16, bitrate: u64) -> Version<u8> {
    Version { track, decodes: true, flows: true, runs: true, size: Some(Size { width, height }), bitrate }
}

/// What Chromium sends of a 720p camera.
fn ladder() -> [Version<u8>; 3] {
    [version(2, 1280, 720, 1_700_000), version(1, 640, 360, 500_000), version(0, 320, 180, 150_000)]
}

fn estimated(bits: u64) -> Path {
    Path { estimate: Some(bits), ..Path::default() }
}

/// A bottleneck with a queue of half a second, and a congestion controller that finds out about it as str0m's does: overuse
/// brings it to 85 % of what arrives, probes find at most twice what is sought, all else goes slowly.
struct Network {
    capacity: f64,
    estimate: f64,
    queue: f64,
    loss: f64,
    overloaded: u32,
    last_probe: u32,
    sought: f64,
    steps: u32,
}

impl Network {
    const STEP: Duration = Duration::from_millis(100);

    fn new(capacity: f64) -> Self {
        Self {
            capacity,
            estimate: 2e6,
            queue: 0.0,
            loss: 0.0,
            overloaded: 0,
            last_probe: 0,
            sought: 0.0,
            steps: 0,
        }
    }

    /// A tenth of a second passes, in which `sent` bits a second are sent.
    fn step(&mut self, sent: f64, desired: f64, random: &mut Random) -> Path {
        self.steps += 1;
        let sent = sent + 50_000.0;
        let before = self.queue;
        self.queue = (self.queue + (sent / self.capacity - 1.0) * 0.1).clamp(0.0, 0.5);
        self.loss = if self.queue >= 0.5 { 1.0 - self.capacity / sent } else { 0.0 };
        let grows = self.queue > before || self.queue >= 0.5;
        self.overloaded = if grows { self.overloaded + 1 } else { 0 };
        let false_alarm = random.unit() < 0.002;
        if self.overloaded >= 3 || false_alarm {
            self.estimate = self.estimate.min(0.85 * sent.min(self.capacity) * random.noise(0.05));
        } else if self.queue == 0.0 {
            let grown = (self.estimate * 1.008).min(1.5 * sent).max(self.estimate);
            let is_limited_by_us = sent < 0.65 * self.estimate;
            let since = self.steps - self.last_probe;
            let found = if desired > self.sought && desired > self.estimate {
                Some((2.0 * desired).min(2.0 * self.estimate))
            } else if (is_limited_by_us && since >= 50) || (desired > self.estimate && since >= 150) {
                Some(2.0 * desired)
            } else {
                None
            };
            self.estimate = match found.filter(|_| desired > 0.0) {
                Some(found) => {
                    self.last_probe = self.steps;
                    grown.max(found.min(self.capacity * 0.95 * random.noise(0.05)))
                }
                None => grown,
            };
        }
        self.sought = desired;
        Path {
            estimate: Some((self.estimate * random.noise(0.05)) as u64),
            loss: self.loss as f32,
            queueing: Duration::from_secs_f64(self.queue),
        }
    }
}

/// One viewer on such a network.
struct Viewer {
    selector: Selector<u8>,
    network: Network,
    random: Random,
    now: Instant,
    choice: Choice<u8>,
    switches: u32,
}

impl Viewer {
    fn new(capacity: f64, seed: u64) -> Self {
        Self {
            selector: Selector::default(),
            network: Network::new(capacity),
            random: Random::new(seed),
            now: Instant::now(),
            choice: Choice { picture: None, reason: Reason::Best, desired: 0, urgent: false },
            switches: 0,
        }
    }

    fn step(&mut self, versions: &[Version<u8>], wish: &Wish<u8>) {
        self.now += Network::STEP;
        let mut measured: Vec<Version<u8>> = versions.to_vec();
        for version in &mut measured {
            version.bitrate = (version.bitrate as f64 * self.random.noise(0.08)) as u64;
        }
        let played = measured.iter().find(|version| Some(version.track) == self.choice.picture);
        let sent = played.map_or(0.0, |version| version.bitrate as f64);
        let path = self.network.step(sent, self.choice.desired as f64, &mut self.random);
        let choice = self.selector.choose(&measured, wish, path, self.now);
        self.switches += u32::from(choice.picture != self.choice.picture);
        self.choice = choice;
    }

    fn run(&mut self, versions: &[Version<u8>], time: Duration) {
        for _ in 0..time.as_millis() / Network::STEP.as_millis() {
            self.step(versions, &Wish::default());
        }
    }
}

#[test]
fn the_largest_that_is_decoded_and_flows_is_begun_with() {
    let now = Instant::now();
    let mut versions = ladder();
    let choose = |versions: &[Version<u8>]| {
        Selector::default().choose(versions, &Wish::default(), estimated(2_000_000), now)
    };
    assert_eq!(choose(&versions).picture, Some(2));
    assert_eq!(choose(&versions).reason, Reason::Best);
    versions[0].decodes = false;
    assert_eq!((choose(&versions).picture, choose(&versions).reason), (Some(1), Reason::Best));
    versions[1].flows = false;
    assert_eq!(choose(&versions).picture, Some(0));
    versions[2].decodes = false;
    versions[1].decodes = false;
    assert_eq!((choose(&versions).picture, choose(&versions).reason), (None, Reason::Codec));
    assert_eq!(choose(&[]).picture, None);
}

#[test]
fn the_wish_of_a_person_stands_and_one_that_can_t_be_met_counts_as_none() {
    let now = Instant::now();
    let versions = ladder();
    let mut selector = Selector::default();
    let chosen = |track| Wish { chosen: Some(track), ..Wish::default() };
    let choice = selector.choose(&versions, &chosen(1), estimated(100_000), now);
    assert_eq!((choice.picture, choice.reason), (Some(1), Reason::Chosen));
    let choice = selector.choose(&versions, &chosen(9), estimated(5_000_000), now);
    assert_ne!(choice.reason, Reason::Chosen);
    assert!(choice.picture.is_some());
    let sound = Wish { audio_only: true, ..chosen(1) };
    let choice = selector.choose(&versions, &sound, estimated(5_000_000), now);
    assert_eq!((choice.picture, choice.reason, choice.desired), (None, Reason::AudioOnly, 0));
}

#[test]
fn nothing_much_larger_than_the_player_and_never_below_the_smallest() {
    let versions = ladder();
    for (width, height, track, reason) in [
        (1280, 720, 2, Reason::Best),
        (3840, 2160, 2, Reason::Best),
        (800, 450, 2, Reason::Best),
        (768, 432, 1, Reason::PlayerSize),
        (640, 1200, 1, Reason::PlayerSize),
        (320, 180, 0, Reason::PlayerSize),
        (1, 1, 0, Reason::PlayerSize),
        (0, 0, 2, Reason::Best),
        (u16::MAX, u16::MAX, 2, Reason::Best),
    ] {
        let wish = Wish { size: Some(Size { width, height }), ..Wish::default() };
        let choice = Selector::default().choose(&versions, &wish, estimated(9_000_000), Instant::now());
        assert_eq!((choice.picture, choice.reason), (Some(track), reason), "{width}x{height}");
    }
}

#[test]
fn a_hidden_page_gets_the_smallest_at_once_and_the_old_one_again_when_it_is_seen() {
    let mut viewer = Viewer::new(8e6, 1);
    viewer.run(&ladder(), SECOND * 5);
    assert_eq!(viewer.choice.picture, Some(2));
    viewer.step(&ladder(), &Wish { hidden: true, ..Wish::default() });
    assert_eq!((viewer.choice.picture, viewer.choice.reason), (Some(0), Reason::Hidden));
    viewer.run(&ladder(), SECOND * 2);
    assert_eq!(viewer.choice.picture, Some(2), "{:?}", viewer.choice);
}

#[test]
fn a_player_that_is_dragged_smaller_for_a_moment_keeps_its_picture() {
    let small = Wish { size: Some(Size { width: 300, height: 170 }), ..Wish::default() };
    let mut viewer = Viewer::new(8e6, 1);
    viewer.run(&ladder(), SECOND * 5);
    for _ in 0..10 {
        viewer.step(&ladder(), &small);
        assert_eq!(viewer.choice.picture, Some(2));
    }
    viewer.run(&ladder(), SECOND);
    for _ in 0..25 {
        viewer.step(&ladder(), &small);
    }
    assert_eq!((viewer.choice.picture, viewer.choice.reason), (Some(0), Reason::PlayerSize));
}

#[test]
fn an_encoding_that_the_publisher_pauses_is_left_and_comes_back_when_it_flows_again() {
    let mut versions = ladder();
    let mut viewer = Viewer::new(8e6, 3);
    viewer.run(&versions, SECOND * 5);
    versions[0].flows = false;
    viewer.step(&versions, &Wish::default());
    assert_eq!((viewer.choice.picture, viewer.choice.reason), (Some(1), Reason::Best));
    versions[0].flows = true;
    viewer.run(&versions, SECOND * 8);
    assert_eq!(viewer.choice.picture, Some(2), "{:?} {}", viewer.choice, viewer.network.estimate);
}

/// The largest rendition that fits a network, by its bitrate as it is sent.
fn fitting(versions: &[Version<u8>], capacity: f64) -> Option<u8> {
    versions.iter().find(|version| version.bitrate as f64 + 50_000.0 <= capacity).map(|version| version.track)
}

#[test]
fn squeezed_it_fits_within_three_seconds_and_released_it_is_back_within_fifteen() {
    for seed in 0..400 {
        let mut random = Random::new(seed);
        let scale = 0.6 + random.unit();
        let mut versions = ladder();
        for version in &mut versions {
            version.bitrate = (version.bitrate as f64 * scale) as u64;
        }
        let mut viewer = Viewer::new(6e6, seed);
        viewer.run(&versions, SECOND * 10);
        assert_eq!(viewer.choice.picture, Some(2), "seed {seed}: at first");
        let narrow = 300_000.0 + random.unit() * (versions[0].bitrate as f64 * 0.75 - 300_000.0);
        viewer.network.capacity = narrow;
        viewer.run(&versions, SECOND * 3);
        let played = viewer.choice.picture;
        let fits = versions
            .iter()
            .find(|version| Some(version.track) == played)
            .is_some_and(|version| version.track == 0 || version.bitrate as f64 * 0.95 <= narrow);
        assert!(fits, "seed {seed}: {played:?} doesn't fit {narrow}");
        viewer.run(&versions, SECOND * 20);
        viewer.network.capacity = 6e6;
        viewer.run(&versions, SECOND * 15);
        assert_eq!(
            viewer.choice.picture,
            Some(2),
            "seed {seed}: released from {narrow}, {:?}",
            viewer.network.estimate
        );
    }
}

#[test]
fn a_network_that_stays_as_it_is_brings_few_switches() {
    for seed in 0..200 {
        let mut random = Random::new(seed);
        let capacity = 250_000.0 + random.unit() * 4e6;
        let mut viewer = Viewer::new(capacity, seed);
        viewer.run(&ladder(), SECOND * 20);
        viewer.switches = 0;
        viewer.run(&ladder(), SECOND * 600);
        assert!(
            viewer.switches <= 20,
            "seed {seed}: {} switches in ten minutes at {capacity}",
            viewer.switches
        );
        let settled = viewer.choice.picture;
        assert!(settled.is_some(), "seed {seed}: no picture at {capacity}");
        let best = fitting(&ladder(), capacity / 1.45);
        assert!(
            best.is_none() || settled >= best,
            "seed {seed}: {settled:?} at {capacity}, where {best:?} fits"
        );
    }
}

#[test]
fn whatever_happens_nothing_is_chosen_that_the_viewer_can_t_have() {
    for seed in 0..300 {
        let mut random = Random::new(seed);
        let mut selector = Selector::default();
        let mut now = Instant::now();
        for _ in 0..400 {
            now += MS * (random.next() % 900) as u32;
            let versions: Vec<Version<u8>> = (0..random.next() % 6)
                .map(|track| Version {
                    track: track as u8,
                    decodes: !random.one_in(3),
                    flows: !random.one_in(4),
                    runs: !random.one_in(3),
                    size: random
                        .one_in(2)
                        .then(|| Size { width: random.next() as u16, height: random.next() as u16 }),
                    bitrate: if random.one_in(9) { random.next() } else { random.next() % 4_000_000 },
                })
                .collect();
            let wish = Wish {
                chosen: random.one_in(5).then(|| random.next() as u8 % 8),
                audio_only: random.one_in(9),
                size: random
                    .one_in(2)
                    .then(|| Size { width: random.next() as u16, height: random.next() as u16 }),
                hidden: random.one_in(7),
            };
            let path = Path {
                estimate: random.one_in(2).then(|| random.next() >> (random.next() % 64)),
                loss: random.unit() as f32,
                queueing: MS * (random.next() % 3000) as u32,
            };
            let choice = selector.choose(&versions, &wish, path, now);
            if let Some(picture) = choice.picture {
                let version = versions.iter().find(|version| version.track == picture).unwrap();
                assert!(version.decodes && version.flows && !wish.audio_only, "seed {seed}: {version:?}");
            }
            assert_eq!(choice.reason == Reason::AudioOnly, wish.audio_only);
        }
    }
}

#[test]
fn where_not_even_the_smallest_fits_the_sound_goes_on_alone_and_the_picture_comes_back() {
    for seed in 0..100 {
        let versions = [version(0, 1280, 720, 1_500_000)];
        let mut viewer = Viewer::new(5e6, seed);
        viewer.run(&versions, SECOND * 10);
        assert_eq!((viewer.choice.picture, viewer.choice.reason), (Some(0), Reason::Best));
        viewer.network.capacity = 500_000.0;
        viewer.run(&versions, SECOND * 6);
        assert_eq!((viewer.choice.picture, viewer.choice.reason), (None, Reason::Network), "seed {seed}");
        viewer.run(&versions, SECOND * 30);
        assert_eq!(viewer.choice.picture, None, "seed {seed}: {:?}", viewer.network.estimate);
        viewer.network.capacity = 5e6;
        viewer.run(&versions, SECOND * 15);
        assert_eq!(viewer.choice.picture, Some(0), "seed {seed}: {:?}", viewer.network.estimate);
    }
}

#[test]
fn what_was_chosen_gives_way_where_the_sound_would_not_pass_beside_it_and_comes_back() {
    let chosen = Wish { chosen: Some(2), ..Wish::default() };
    for seed in 0..100 {
        let mut viewer = Viewer::new(6e6, seed);
        let run = |viewer: &mut Viewer, seconds: u32| {
            (0..seconds * 10).for_each(|_| viewer.step(&ladder(), &chosen));
        };
        run(&mut viewer, 10);
        assert_eq!((viewer.choice.picture, viewer.choice.reason), (Some(2), Reason::Chosen), "seed {seed}");
        viewer.network.capacity = 700_000.0;
        run(&mut viewer, 8);
        assert_ne!(viewer.choice.picture, Some(2), "seed {seed}");
        assert_eq!(viewer.choice.reason, Reason::Network, "seed {seed}");
        run(&mut viewer, 20);
        viewer.network.capacity = 6e6;
        run(&mut viewer, 20);
        assert_eq!((viewer.choice.picture, viewer.choice.reason), (Some(2), Reason::Chosen), "seed {seed}");
    }
}

#[test]
fn a_lone_false_alarm_of_the_controller_changes_nothing() {
    let mut selector = Selector::default();
    let mut now = Instant::now();
    let versions = ladder();
    for step in 0..600 {
        now += MS * 100;
        // Down to 85 % of what is sent for some seconds, without loss or a queue.
        let bits = if (300..350).contains(&step) { 1_445_000 } else { 4_000_000 };
        let choice = selector.choose(&versions, &Wish::default(), estimated(bits), now);
        assert_eq!(choice.picture, Some(2), "step {step}");
    }
}

#[test]
fn a_step_up_that_fails_is_tried_later_each_time() {
    let mut selector = Selector::default();
    let mut now = Instant::now();
    let versions = ladder();
    let mut tries = Vec::new();
    let mut last = None;
    for _ in 0..6000 {
        now += MS * 100;
        // The controller says that there is room, until it is used.
        let path = if last == Some(2) {
            Path { estimate: Some(900_000), loss: 0.3, queueing: MS * 400 }
        } else {
            estimated(3_000_000)
        };
        let choice = selector.choose(&versions, &Wish::default(), path, now);
        if choice.picture == Some(2) && last != Some(2) {
            tries.push(now);
        }
        last = choice.picture;
    }
    let gaps: Vec<u64> = tries.windows(2).map(|pair| (pair[1] - pair[0]).as_secs()).collect();
    assert!(tries.len() <= 8, "{gaps:?}");
    assert!(gaps[1..].windows(2).all(|pair| pair[1] + 1 >= pair[0]), "{gaps:?}");
    assert!(*gaps.last().unwrap() >= 100, "{gaps:?}");
}

/// A source and what could be made of it.
fn with_prospects() -> [Version<u8>; 4] {
    let rung =
        |track, width, height, bitrate| Version { runs: false, ..version(track, width, height, bitrate) };
    [
        version(9, 1280, 720, 2_000_000),
        rung(2, 960, 540, 750_000),
        rung(1, 640, 360, 400_000),
        rung(0, 320, 180, 110_000),
    ]
}

#[test]
fn nothing_is_made_for_whom_what_is_there_suits() {
    let start = Instant::now();
    for wish in [
        Wish::default(),
        Wish { size: Some(Size { width: 300, height: 170 }), ..Wish::default() },
        Wish { hidden: true, ..Wish::default() },
    ] {
        let mut selector = Selector::default();
        for tick in 0..200 {
            let path = if tick < 5 { Path::default() } else { estimated(4_000_000) };
            let choice = selector.choose(&with_prospects(), &wish, path, start + MS * 100 * tick);
            assert_eq!(choice.picture, Some(9), "{wish:?} at {tick}");
        }
    }
}

#[test]
fn what_runs_already_suits_a_small_player() {
    let start = Instant::now();
    let mut versions = with_prospects();
    versions[2].runs = true;
    let wish = Wish { size: Some(Size { width: 300, height: 170 }), ..Wish::default() };
    let choice = Selector::default().choose(&versions, &wish, Path::default(), start);
    assert_eq!((choice.picture, choice.reason), (Some(1), Reason::PlayerSize), "360p runs, 180p doesn't");
}

#[test]
fn who_is_squeezed_gets_what_is_made_for_them_and_the_source_again() {
    let start = Instant::now();
    let mut selector = Selector::default();
    let mut at = |seconds: u32, bits: u64| {
        let mut last = None;
        for tick in 0..50 {
            let path = Path { queueing: if bits < 2_000_000 { SECOND } else { MS }, ..estimated(bits) };
            last = Some(selector.choose(
                &with_prospects(),
                &Wish::default(),
                path,
                start + SECOND * seconds + MS * 100 * tick,
            ));
        }
        last.map(|choice| (choice.picture, choice.reason))
    };
    assert_eq!(at(0, 4_000_000), Some((Some(9), Reason::Best)));
    assert_eq!(at(5, 600_000), Some((Some(1), Reason::Network)));
    assert_eq!(at(10, 200_000), Some((Some(0), Reason::Network)));
    assert_eq!(at(60, 4_000_000), Some((Some(9), Reason::Best)));
}

#[test]
fn who_decodes_nothing_of_what_is_sent_gets_the_best_that_can_be_made() {
    let mut versions = with_prospects();
    versions[0].decodes = false;
    let choice = Selector::default().choose(&versions, &Wish::default(), Path::default(), Instant::now());
    assert_eq!((choice.picture, choice.reason), (Some(2), Reason::Best));
    // One that runs is there at once.
    versions[3].runs = true;
    let choice = Selector::default().choose(&versions, &Wish::default(), Path::default(), Instant::now());
    assert_eq!(choice.picture, Some(0));
}
