use super::*;
use crate::transcode::wire::RungStats;
use shared::unit::Size;

const SECOND: Duration = Duration::from_secs(1);

fn limits() -> Limits {
    Limits::default()
}

fn source(width: u16, height: u16) -> Source {
    Source { size: Size { width, height }, frame_rate: 30.0 }
}

fn hd() -> Source {
    source(1280, 720)
}

fn possible(source: Source) -> Vec<Rung> {
    ladder::rungs(source.size, source.frame_rate)
}

fn names(rungs: &[Rung]) -> Vec<String> {
    rungs.iter().map(|rung| ladder::name(rung.id)).collect()
}

fn admit(admission: &mut Admission, who: u64, source: Source, now: Instant) -> Vec<String> {
    names(&admission.admitted(who, &possible(source), source, now))
}

fn late() -> Stats {
    Stats { waited: LATE, ..Stats::default() }
}

#[test]
fn a_large_machine_has_the_largest_three_and_a_small_one_what_fits() {
    let now = Instant::now();
    let of = |cores| admit(&mut Admission::new(limits(), cores), 1, hd(), now);
    assert_eq!(of(16.0), ["540p", "360p", "180p"]);
    assert_eq!(of(1.0), ["360p", "180p"]);
    assert_eq!(of(0.6), ["180p"]);
    assert_eq!(of(0.2), [""; 0]);
    let mut large = Admission::new(limits(), 16.0);
    large.cost().calibrate(Size { width: 640, height: 360 }, Duration::from_millis(2));
    assert_eq!(admit(&mut large, 1, source(3840, 2160), now), ["1080p", "720p", "540p"]);
}

#[test]
fn the_owner_has_the_last_word() {
    let now = Instant::now();
    let with = |limits| Admission::new(limits, 16.0);
    assert!(admit(&mut with(Limits { enabled: false, ..limits() }), 1, hd(), now).is_empty());
    assert_eq!(admit(&mut with(Limits { most_rungs: 1, ..limits() }), 1, hd(), now), ["540p"]);
    let mut few = with(Limits { rungs: vec!["360p".to_owned()], ..limits() });
    assert_eq!(admit(&mut few, 1, hd(), now), ["360p"]);
    assert_eq!(few.reason(1, "540p"), Some("The owner of this server has no 540p."));
    let mut poor = with(Limits { most_cores: Some(0.4), ..limits() });
    assert_eq!(admit(&mut poor, 1, hd(), now), ["180p"]);
    assert!(
        poor.reason(1, "360p").is_some_and(|why| why.contains("leave 0.4 for all rungs")),
        "{:?}",
        poor.users
    );
}

#[test]
fn what_can_not_be_made_in_time_is_refused_however_many_cores_there_are() {
    let now = Instant::now();
    let mut admission = Admission::new(limits(), 64.0);
    let rungs = admit(&mut admission, 1, source(1920, 1080), now);
    assert!(!rungs.contains(&"720p".to_owned()), "{rungs:?}");
    let why = admission.reason(1, "720p").expect("a reason");
    assert!(why.contains("there is one every 33 ms"), "{why}");
}

/// As long as it is in time and what runs fits, a rung that somebody watches is not taken away by another estimate.
#[test]
fn what_runs_outlives_what_is_learned_of_its_cost() {
    let now = Instant::now();
    let mut admission = Admission::new(limits(), 2.0);
    let middle = Size { width: 640, height: 360 };
    admission.cost().calibrate(middle, Duration::from_millis(18));
    let admitted = admission.admitted(1, &possible(hd()), hd(), now);
    assert_eq!(names(&admitted), ["360p", "180p"]);
    admission.uses(1, &admitted[..1]);
    // More than there is time for, if it were true.
    admission.cost().calibrate(middle, Duration::from_millis(40));
    assert_eq!(admit(&mut admission, 1, hd(), now), ["360p"], "and no room for the other one");
    assert!(admission.reason(1, "180p").is_some_and(|why| why.contains("takes")), "{admission:?}");
    assert_eq!(admit(&mut admission, 2, hd(), now), [""; 0], "what isn't made yet is refused");
    admission.cost().calibrate(middle, Duration::from_millis(18));
    assert_eq!(admit(&mut admission, 1, hd(), now), ["360p", "180p"]);
}

#[test]
fn several_broadcasts_share_and_forwarding_comes_first() {
    let now = Instant::now();
    let mut admission = Admission::new(limits(), 4.0);
    for who in 1..=8 {
        let rungs = admission.admitted(who, &possible(hd()), hd(), now);
        admission.uses(who, &rungs);
        assert!(admission.taken() <= admission.room());
    }
    let before = admission.taken();
    assert!(before > 2.0, "{before}");
    // Forwarding takes two cores and may need three: what is dearest goes, one after another.
    let mut given_up = 0;
    for second in 0..60 {
        given_up += u32::from(admission.load(2.0, now + SECOND * second).is_some());
    }
    assert!(given_up >= 2 && admission.taken() <= 1.0, "{given_up}, {} cores", admission.taken());
    let sizes: Vec<u32> = admission.users.values().flat_map(|user| user.rungs.iter().map(pixels)).collect();
    assert!(!sizes.is_empty() && sizes.iter().all(|pixels| *pixels <= 640 * 360), "{sizes:?}");
    // It isn't taken back at once, and not before there is room to spare.
    let later = now + SECOND * 60;
    assert!(!admit(&mut admission, 1, hd(), later).contains(&"540p".to_owned()));
    for second in 60..120 {
        admission.load(0.1, now + SECOND * second);
    }
    for who in 2..=8 {
        admission.gone(who);
    }
    assert!(admit(&mut admission, 1, hd(), now + SECOND * 400).contains(&"540p".to_owned()));
}

#[test]
fn one_that_is_behind_gives_its_dearest_up_and_tries_it_again_later_each_time() {
    let mut now = Instant::now();
    let mut admission = Admission::new(limits(), 16.0);
    for wait in [20, 40, 80] {
        let rungs = admission.admitted(7, &possible(hd()), hd(), now);
        assert_eq!(names(&rungs), ["540p", "360p", "180p"]);
        admission.uses(7, &rungs);
        assert_eq!(admission.measured(7, &late(), now), None, "it has just begun");
        let shed = (0..10).find_map(|_| {
            now += SECOND;
            admission.measured(7, &late(), now)
        });
        assert_eq!(shed, Some((7, Shed::Late)));
        let rungs = admission.admitted(7, &possible(hd()), hd(), now);
        assert_eq!(names(&rungs), ["360p", "180p"]);
        let why = admission.reason(7, "540p").expect("a reason");
        assert!(why.starts_with("540p was given up, as its pictures came too late"), "{why}");
        admission.uses(7, &rungs);
        now += SECOND * (wait - 1);
        assert_eq!(admit(&mut admission, 7, hd(), now), ["360p", "180p"]);
        now += SECOND;
    }
}

#[test]
fn a_moment_of_lateness_costs_nothing() {
    let mut now = Instant::now();
    let mut admission = Admission::new(limits(), 16.0);
    let rungs = admission.admitted(7, &possible(hd()), hd(), now);
    admission.uses(7, &rungs);
    for second in 0..100 {
        now += SECOND;
        let stats = if second % 3 == 0 { Stats::default() } else { late() };
        assert_eq!(admission.measured(7, &stats, now), None);
    }
}

/// Whatever is asked and measured, what is admitted fits, and sentences are there for what isn't.
#[test]
fn never_more_than_there_is_room_for() {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut below = |most: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % most
    };
    for _ in 0..200 {
        let mut now = Instant::now();
        let cores = 1.0 + below(16) as f32;
        let most_cores = (below(3) == 0).then(|| below(40) as f32 / 10.0);
        let limits = Limits { most_cores, most_rungs: 1 + below(3) as usize, ..limits() };
        let mut admission = Admission::new(limits, cores);
        for _ in 0..200 {
            now += Duration::from_millis(below(2000));
            let who = below(6);
            match below(10) {
                0 => admission.gone(who),
                1..=3 => drop(admission.load(below(100) as f32 / 100.0 * cores, now)),
                4..=6 => {
                    let encoded = below(90);
                    let rung = RungStats {
                        rung: RungId(3),
                        size: Size { width: 640, height: 360 },
                        encoded,
                        dropped: 0,
                        encoding: Duration::from_millis(encoded * below(30)),
                        bytes: 0,
                    };
                    let stats = Stats {
                        rungs: vec![rung],
                        decoded: encoded,
                        cpu: Duration::from_millis(below(4000)),
                        waited: Duration::from_millis(below(160)),
                        ..Stats::default()
                    };
                    admission.measured(who, &stats, now);
                }
                _ => {
                    let sizes = [(3840, 2160), (1920, 1080), (1280, 720), (720, 1280), (640, 480), (2, 2)];
                    let (width, height) = sizes[below(6) as usize];
                    let source = Source { frame_rate: below(120) as f32, ..source(width, height) };
                    let possible = possible(source);
                    let rungs = admission.admitted(who, &possible, source, now);
                    for rung in &possible {
                        let name = ladder::name(rung.id);
                        let below_all = rungs.len() == admission.limits().most_rungs;
                        let is_in = rungs.iter().any(|other| other.id == rung.id);
                        assert!(is_in || below_all || admission.reason(who, &name).is_some(), "{name}");
                    }
                    admission.uses(who, &rungs);
                    let others = admission.taken() - admission.takes(&admission.users[&who]);
                    assert!(rungs.is_empty() || admission.taken() <= admission.room().max(others) + 1e-3);
                }
            }
        }
    }
}
