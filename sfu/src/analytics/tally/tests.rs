use super::*;
use crate::audience::Browser;
use shared::{analytics::Device, broadcast::Codec};

const START: i64 = 1_700_000_000_000;

fn at(ms: i64) -> Timestamp {
    Timestamp::from_millis(START + ms)
}

fn span(view: u32, from: i64, to: i64) -> Span {
    Span { view, from: at(from), to: Some(at(to)) }
}

fn open(view: u32, from: i64) -> Span {
    Span { view, from: at(from), to: None }
}

/// A broadcast that is over, with as many views as its spans have.
fn evidence(length: i64, spans: Vec<Span>) -> Evidence {
    let views: std::collections::HashSet<u32> = spans.iter().map(|span| span.view).collect();
    Evidence {
        started_at: at(0),
        until: at(length),
        is_on: false,
        spans,
        audiences: vec![(Audience::default(), views.len() as u64)],
        statements: Vec::new(),
        heard: Vec::new(),
        chat: Chat::default(),
        marks: Vec::new(),
    }
}

/// Counts the slow way: at every millisecond, who watches.
fn counted(evidence: &Evidence, length: i64) -> (u32, Option<i64>, Vec<u32>, u64) {
    let watches = |span: &Span, ms: i64| {
        let to = span.to.filter(|_| true).map_or(i64::MAX, |to| to.as_millis() - START);
        let to = if span.to.is_none() && !evidence.is_on { length } else { to };
        let to = if evidence.is_on { to } else { to.min(length) };
        let from = (span.from.as_millis() - START).clamp(0, length);
        from <= ms && ms < to
    };
    let views: std::collections::BTreeSet<u32> = evidence.spans.iter().map(|span| span.view).collect();
    let steps = (length as u64).div_ceil(5000).max(1);
    let (mut peak, mut peak_at, mut most, mut time) = (0, None, vec![0u32; steps as usize], 0u64);
    for ms in 0..=length {
        let mut now = 0;
        for view in &views {
            if evidence.spans.iter().any(|span| span.view == *view && watches(span, ms)) {
                now += 1;
                time += u64::from(ms < length);
            }
        }
        // The last moment belongs to a broadcast that is on, as does whoever came in it.
        if ms == length && !evidence.is_on {
            break;
        }
        let step = (ms as u64 / 5000).min(steps - 1) as usize;
        most[step] = most[step].max(now);
        if now > peak {
            (peak, peak_at) = (now, Some(ms));
        }
    }
    (peak, peak_at, most, time)
}

#[track_caller]
fn agrees(evidence: &Evidence, length: i64) {
    let tally = tally(evidence);
    let (peak, peak_at, viewers, time) = counted(evidence, length);
    assert_eq!(tally.figures.peak, peak, "peak of {:?}", evidence.spans);
    assert_eq!(tally.peak_at.map(|at| at.as_millis() - START), peak_at, "when, of {:?}", evidence.spans);
    assert_eq!(tally.timeline.viewers, viewers, "timeline of {:?}", evidence.spans);
    assert_eq!(tally.figures.watch_time, time, "watch time of {:?}", evidence.spans);
    assert_eq!(viewers.iter().max().copied().unwrap_or(0), peak);
}

struct Random(u64);

impl Random {
    fn below(&mut self, most: u64) -> i64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) % most.max(1)) as i64
    }
}

/// Random walks of viewers who come, go, come back, overlap with themselves, and stand on the edges of steps.
#[test]
fn the_sweep_counts_as_one_that_looks_at_every_millisecond() {
    let mut random = Random(7);
    for case in 0..700 {
        let length = [0, 1, 4999, 5000, 5001, 10_000, 12_345][random.below(7) as usize];
        let edge = |random: &mut Random| match random.below(4) {
            0 => random.below(4) * 5000,
            1 => random.below(4) * 5000 - 1,
            _ => random.below(length as u64 + 2000) - 500,
        };
        let mut spans = Vec::new();
        for _ in 0..random.below(12) {
            let view = random.below(5) as u32;
            let from = edge(&mut random);
            let to = from + [0, 1, 300, 5000, 20_000][random.below(5) as usize];
            let is_open = random.below(5) == 0;
            spans.push(if is_open { open(view, from.min(length)) } else { span(view, from, to) });
        }
        let mut evidence = evidence(length, spans);
        evidence.is_on = case % 2 == 0;
        if evidence.is_on {
            // Nobody has left yet who leaves later.
            for span in &mut evidence.spans {
                span.from = span.from.min(at(length));
                span.to = span.to.map(|to| to.min(at(length)));
            }
        }
        agrees(&evidence, length);
    }
}

#[test]
fn who_comes_as_another_goes_makes_no_peak() {
    let tally = tally(&evidence(20_000, vec![span(0, 0, 5000), span(1, 5000, 9000), span(2, 5000, 5000)]));
    assert_eq!((tally.figures.peak, tally.timeline.viewers), (1, vec![1, 1, 0, 0]));
    assert_eq!(tally.figures.views, 3, "one that was nothing is a view");
}

#[test]
fn a_view_that_comes_back_counts_once_and_its_times_add_up() {
    let tally =
        tally(&evidence(180_000, vec![span(0, 1000, 31_000), span(0, 40_000, 80_000), span(1, 0, 180_000)]));
    assert_eq!((tally.figures.views, tally.figures.peak), (2, 2));
    assert_eq!(tally.figures.watch_time, 30_000 + 40_000 + 180_000);
    assert_eq!(tally.peak_at, Some(at(1000)));
    assert_eq!(tally.timeline.viewers[7], 1, "while it was away");
    assert_eq!(tally.retention, [1.0, 1.0, 0.5, 0.5]);
}

#[test]
fn those_who_watch_are_counted_now_and_the_clock_can_t_run_out_on_them() {
    let mut on = evidence(7000, vec![open(0, 1000), open(1, 7000), open(2, 90_000), span(3, 0, 2000)]);
    on.is_on = true;
    let tally = tally(&on);
    assert_eq!((tally.concurrent, tally.figures.peak), (3, 3));
    assert_eq!(tally.figures.watch_time, 6000 + 2000);
}

#[test]
fn what_goes_beyond_the_end_is_cut_off() {
    let tally =
        tally(&evidence(10_000, vec![span(0, -5000, 4000), span(1, 9000, 70_000), span(2, 30_000, 60_000)]));
    assert_eq!(tally.figures, Figures { views: 3, peak: 1, watch_time: 4000 + 1000 });
    assert_eq!(tally.concurrent, 0);
}

#[test]
fn a_broadcast_of_nothing_has_figures_too() {
    let tally = tally(&evidence(0, Vec::new()));
    assert_eq!(tally.figures, Figures::default());
    assert_eq!((tally.peak_at, tally.timeline.viewers, tally.retention), (None, vec![0], Vec::new()));
    assert_eq!(tally.markers.len(), 2);
    assert_eq!(tally.quality, Quality::default());
}

#[test]
fn countries_of_few_views_are_one() {
    let from = |code: &str, views| (Audience { region: Region::of(code), ..Audience::default() }, views);
    let mut known = evidence(1000, Vec::new());
    known.audiences = vec![from("DE", 5), from("FR", 4), from("IT", 1), from("AT", 9), from("", 2)];
    let share = |name: &str, views| Share { name: name.to_owned(), views };
    let expected = [share("AT", 9), share("DE", 5), share("other", 5), share("unknown", 2)];
    assert_eq!(tally(&known).regions, expected);
    known.audiences = vec![from("FR", 1)];
    assert_eq!(tally(&known).regions, [share("unknown", 1)], "even a single one isn't named");
    // A group that is small itself would stand out beside the exact numbers.
    known.audiences = vec![from("DE", 5), from("FR", 3), from("IT", 1), from("", 2)];
    assert_eq!(tally(&known).regions, [share("unknown", 6), share("DE", 5)]);
    // The same country by different devices is one country.
    let phone = Audience { device: Device::Phone, region: Region::of("FR"), ..Audience::default() };
    known.audiences = vec![from("FR", 4), (phone, 1)];
    assert_eq!(tally(&known).regions, [share("FR", 5)]);
    assert_eq!(tally(&known).devices, [share("unknown", 4), share("phone", 1)]);
}

#[test]
fn breakdowns_are_bounded_and_complete() {
    let statements = (0..200).map(|n| {
        let statement =
            Statement { referrer: Some(format!("https://s{n:03}.example").into()), ..Statement::default() };
        (n, statement)
    });
    let mut told = evidence(1000, Vec::new());
    told.statements = statements.collect();
    let referrers = tally(&told).referrers;
    assert_eq!(referrers.len(), PARTS_MOST);
    assert_eq!(referrers[0], Share { name: "other".to_owned(), views: 151 });
    assert_eq!(referrers.iter().map(|share| share.views).sum::<u64>(), 200);
    let audience = Audience { browser: Browser::SamsungInternet, ..Audience::default() };
    told.audiences = vec![(audience, 3)];
    assert_eq!(tally(&told).browsers[0].name, "Samsung Internet");
}

#[test]
fn quality_is_of_those_who_said_something() {
    let mut told = evidence(
        100_000,
        vec![span(0, 0, 50_000), span(1, 0, 100_000), span(2, 0, 70_000), span(3, 0, 9000)],
    );
    let statement = |join_time, freezes, frozen_time, last: Option<i64>, latency: u64| Statement {
        sequence: Some(1),
        join_time,
        freezes,
        frozen_time,
        last_freeze_at: last.map(at),
        latency_sum: latency * 2,
        latency_count: 2,
        codec: Some(Codec::Av1),
        height: Some(720),
        ..Statement::default()
    };
    told.statements = vec![
        // Left 4 s after a freeze.
        (0, statement(Some(100), 2, 5000, Some(46_000), 200)),
        // Was there at the end: nobody left.
        (1, statement(Some(300), 1, 1000, Some(99_000), 400)),
        // Left long after one; and says to have been frozen for longer than it was there.
        (2, statement(None, 1, 900_000, Some(10_000), 300)),
    ];
    let mut lied = told.clone();
    lied.statements[2].1.freezes = u32::MAX;
    assert_eq!(tally(&lied).quality.freezes, 3 + 70_000 / 150, "no more than there was time for");
    let quality = tally(&told).quality;
    assert_eq!((quality.reports, quality.freezes, quality.exits_after_freeze), (3, 4, 1));
    assert_eq!(quality.frozen_time, 5.0 + 1.0 + 70.0);
    assert!((quality.frozen_share - 76.0 / 220.0).abs() < 1e-9);
    assert_eq!(quality.join_time, Some(Spread { p50: 100.0, p95: 300.0, samples: 2 }));
    assert_eq!(quality.latency, Some(Spread { p50: 300.0, p95: 400.0, samples: 3 }));
    assert_eq!(quality.codecs, [Share { name: "AV1".to_owned(), views: 3 }]);
    assert_eq!(quality.sizes, [Share { name: "720p".to_owned(), views: 3 }]);
}

#[test]
fn chat_freezes_and_latency_fall_into_their_steps() {
    let mut told = evidence(12_000, Vec::new());
    told.chat.seconds = vec![(0, 2), (4, 1), (5, 7), (900, 1)];
    let heard = |step, freezes, latency, samples| Heard { step, freezes, latency, samples };
    told.heard = vec![
        heard(0, 1, Some(100), 3),
        heard(0, 2, Some(500), 1),
        heard(1, 0, None, 0),
        heard(70, 5, Some(9), 1),
    ];
    let timeline = tally(&told).timeline;
    assert_eq!(timeline.chat_messages, [3, 7, 1]);
    assert_eq!(timeline.freezes, [3, 0, 5]);
    assert_eq!(timeline.latency, [Some(100), None, Some(9)]);
    assert_eq!((timeline.from, timeline.step), (Seconds(0), Seconds(5)));
}

#[test]
fn a_broadcast_that_is_longer_than_a_day_has_longer_steps() {
    const HOUR: i64 = 60 * 60 * 1000;
    for (hours, step, count) in [(24, 5, 17_280), (25, 10, 9000), (24 * 30, 150, 17_280)] {
        let mut long = evidence(hours * HOUR, vec![span(0, 0, HOUR)]);
        long.heard = vec![Heard { step: 720, freezes: 3, latency: None, samples: 0 }];
        let timeline = tally(&long).timeline;
        assert_eq!((timeline.step.0, timeline.viewers.len()), (step, count));
        assert_eq!(timeline.viewers.iter().sum::<u32>() as u64, 3600 / step);
        assert_eq!(timeline.freezes[3600 / step as usize], 3);
    }
}

#[test]
fn quantiles_are_of_the_values_themselves() {
    assert_eq!(quantile::<u32>(&[], 50), None);
    assert_eq!(quantile(&[7], 50), Some(&7));
    assert_eq!(quantile(&[1, 2, 3, 4], 50), Some(&2));
    let hundred: Vec<u32> = (1..=100).collect();
    assert_eq!((quantile(&hundred, 50), quantile(&hundred, 95)), (Some(&50), Some(&95)));
}

#[test]
fn marks_stand_in_order_between_start_and_end() {
    let mark = |ms, kind| Marker { at: at(ms), kind, text: String::new() };
    let mut marked = evidence(9000, Vec::new());
    marked.marks = vec![
        mark(5000, MarkerKind::Resumed),
        mark(3000, MarkerKind::Interrupted),
        mark(9000, MarkerKind::Interrupted),
    ];
    let kinds: Vec<MarkerKind> = tally(&marked).markers.into_iter().map(|marker| marker.kind).collect();
    let order = [MarkerKind::Started, MarkerKind::Interrupted, MarkerKind::Resumed, MarkerKind::Ended];
    assert_eq!(kinds, order);
}
