//! Reads the browser's statistics, and shows what they say.

use super::{
    quality_state,
    snapshot::Snapshot,
    stats_state::{History, Reading, SPAN},
};
use crate::{
    browser::{rtc::Stat, time},
    ui::{IconButton, Shape, Sparkline, format_state},
};
use yew::prelude::*;

/// Takes one reading.
pub fn read(stats: &[Stat]) -> Reading {
    let mut reading = Reading { at: time::now_exact(), ..Reading::default() };
    let number = |stat: &Stat, name: &str| stat.number(name).unwrap_or_default();
    let (mut codec_id, mut way_id) = (String::new(), String::new());
    for stat in stats {
        match stat.kind().as_str() {
            "inbound-rtp" => {
                reading.bytes += number(stat, "bytesReceived");
                reading.received += number(stat, "packetsReceived");
                reading.lost += number(stat, "packetsLost");
                if stat.text("kind") == "video" {
                    reading.decoded = number(stat, "framesDecoded");
                    reading.dropped = number(stat, "framesDropped");
                    reading.buffered = number(stat, "jitterBufferDelay");
                    reading.emitted = number(stat, "jitterBufferEmittedCount");
                    let freezes = (stat.number("freezeCount"), stat.number("totalFreezesDuration"));
                    reading.freezes = freezes.0.zip(freezes.1);
                    codec_id = stat.text("codecId");
                    let size = (number(stat, "frameWidth") as u32, number(stat, "frameHeight") as u32);
                    reading.size = (size.0 > 0).then_some(size);
                }
            }
            "candidate-pair" if stat.flag("nominated") => {
                reading.round_trip = stat.number("currentRoundTripTime").or(reading.round_trip);
                way_id = stat.text("localCandidateId");
            }
            _ => {}
        }
    }
    let of = |id: &str, name: &str| {
        stats.iter().find(|stat| stat.text("id") == id).map(|stat| stat.text(name)).unwrap_or_default()
    };
    reading.codec = of(&codec_id, "mimeType").trim_start_matches("video/").to_owned();
    reading.protocol = of(&way_id, "protocol");
    reading
}

/// Properties of [`Stats`].
#[derive(Properties, PartialEq)]
pub struct StatsProps {
    /// What to show.
    pub snapshot: Snapshot,
    /// When the person has seen enough.
    pub on_close: Callback<()>,
}

/// The overlay with what the connection measures.
#[component]
pub fn Stats(props: &StatsProps) -> Html {
    let quality = &props.snapshot.quality;
    let history = use_mut_ref(History::default);
    history.borrow_mut().add(quality, props.snapshot.latency);
    let chart = |label: &'static str, now: String, values: &[f32], least_top: f32| {
        html! { <Sparkline label={label} now={now} values={values.to_vec()} span={SPAN} least_top={least_top} /> }
    };
    let unknown = || "–".to_owned();
    let millis = |value: Option<f64>| value.map_or_else(unknown, |value| format!("{value:.0} ms"));
    let picture = quality.size.map_or_else(unknown, |(width, height)| format!("{width} × {height}"));
    let codec = if quality.codec.is_empty() { unknown() } else { quality.codec.clone() };
    let bitrate = format_state::bitrate(quality.bitrate as u64);
    let latency = props.snapshot.latency.map_or_else(unknown, |ms| format!("{ms} ms"));
    let charts = {
        let history = history.borrow();
        html! {
            <div class="stats-charts">
                { chart("Bitrate", bitrate.clone(), &history.bitrates, 100_000.0) }
                if !history.latencies.is_empty() {
                    { chart("Latency", latency.clone(), &history.latencies, 100.0) }
                }
            </div>
        }
    };
    let playing = props.snapshot.playing.as_deref();
    let rendition = playing.map_or_else(unknown, |playing| {
        let why = quality_state::reason(playing.reason);
        playing.rendition.as_ref().map_or_else(|| why.to_owned(), |name| format!("{name}, {why}"))
    });
    let estimate = playing.and_then(|playing| playing.estimate);
    let rows = [
        ("Rendition", rendition),
        ("Network carries", estimate.map_or_else(unknown, |bits| format_state::bitrate(bits.0))),
        ("Codec", codec),
        ("Picture", picture),
        ("Frame rate", format!("{:.0} fps", quality.frame_rate)),
        ("Bitrate", bitrate),
        ("Loss", format_state::percent(quality.loss)),
        ("Round trip", millis(quality.round_trip)),
        (
            "Comes by",
            if quality.protocol.is_empty() { unknown() } else { quality.protocol.to_ascii_uppercase() },
        ),
        ("Jitter buffer", millis(quality.buffer)),
        ("Dropped frames", quality.dropped.to_string()),
        ("Latency", latency),
        ("First picture", props.snapshot.first_picture.map_or_else(unknown, |ms| format!("{ms} ms"))),
    ];
    html! {
        <section class="stats" aria-label="Statistics" data-testid="stats">
            <header><h2>{ "Statistics" }</h2>
                <IconButton icon={Shape::Close} label="Close statistics" on={props.on_close.clone()} /></header>
            { charts }
            <dl>{ for rows.into_iter().map(|(name, value)| html! { <><dt>{ name }</dt><dd data-figure={name}>{ value }</dd></> }) }</dl>
        </section>
    }
}
