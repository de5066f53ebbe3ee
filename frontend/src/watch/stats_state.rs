//! What a viewer's connection measures, from two readings of the browser's statistics.

use shared::broadcast::Rendition;

/// One reading.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Reading {
    /// When, in milliseconds.
    pub at: f64,
    /// Bytes of picture and sound so far.
    pub bytes: f64,
    /// Packets that arrived so far.
    pub received: f64,
    /// Packets that did not.
    pub lost: f64,
    /// Frames decoded so far.
    pub decoded: f64,
    /// Frames that came too late to show.
    pub dropped: f64,
    /// Seconds that frames have waited in the jitter buffer, summed.
    pub buffered: f64,
    /// Frames that the sum is over.
    pub emitted: f64,
    /// Seconds to the server and back.
    pub round_trip: Option<f64>,
    /// What media comes by: `udp` or `tcp`.
    pub protocol: String,
    /// Times that the picture stopped so far, and seconds that it did, where the browser counts them.
    pub freezes: Option<(f64, f64)>,
    /// The picture's codec.
    pub codec: String,
    /// Pixels across and down.
    pub size: Option<(u32, u32)>,
}

/// What two readings say together.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Quality {
    /// When it was measured, in milliseconds.
    pub at: f64,
    /// The picture's codec.
    pub codec: String,
    /// Pixels across and down.
    pub size: Option<(u32, u32)>,
    /// Frames decoded a second.
    pub frame_rate: f64,
    /// Bits a second.
    pub bitrate: f64,
    /// The part of the packets that was lost.
    pub loss: f64,
    /// Milliseconds to the server and back.
    pub round_trip: Option<f64>,
    /// What media comes by: `udp` or `tcp`.
    pub protocol: String,
    /// Milliseconds in the jitter buffer.
    pub buffer: Option<f64>,
    /// Frames dropped since the start.
    pub dropped: u64,
    /// Times that the picture stopped since the session began, and milliseconds that it did, where the browser counts them.
    pub freezes: Option<(u32, u32)>,
    /// Anything arrived between the two.
    pub flows: bool,
}

/// Compares two readings. A session that started anew in between counts from zero.
pub fn quality(before: Option<&Reading>, now: &Reading) -> Quality {
    let zero = Reading::default();
    let before = before.filter(|before| before.bytes <= now.bytes && before.at < now.at).unwrap_or(&zero);
    let known = before.at > 0.0;
    let seconds = if known { (now.at - before.at) / 1000.0 } else { f64::INFINITY };
    let rate = |count: f64| if seconds.is_finite() { count.max(0.0) / seconds } else { 0.0 };
    let (lost, received) = ((now.lost - before.lost).max(0.0), (now.received - before.received).max(0.0));
    let emitted = now.emitted - before.emitted;
    Quality {
        at: now.at,
        codec: now.codec.clone(),
        size: now.size,
        frame_rate: rate(now.decoded - before.decoded),
        bitrate: rate((now.bytes - before.bytes) * 8.0),
        loss: if lost + received > 0.0 { lost / (lost + received) } else { 0.0 },
        round_trip: now.round_trip.map(|seconds| seconds * 1000.0),
        protocol: now.protocol.clone(),
        buffer: (emitted > 0.0).then(|| (now.buffered - before.buffered) / emitted * 1000.0),
        dropped: now.dropped as u64,
        freezes: now.freezes.map(|(times, seconds)| (times as u32, (seconds * 1000.0) as u32)),
        flows: now.bytes > before.bytes,
    }
}

/// Seconds that charts show.
pub const SPAN: usize = 60;

/// What the last minute measured, for charts.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct History {
    at: f64,
    /// Bits a second, oldest first.
    pub bitrates: Vec<f32>,
    /// Milliseconds glass to glass, oldest first; as before where there is no news.
    pub latencies: Vec<f32>,
}

impl History {
    /// A second passed. The same reading again changes nothing.
    pub fn add(&mut self, quality: &Quality, latency: Option<u32>) {
        if quality.at <= self.at {
            return;
        }
        self.at = quality.at;
        let latency = latency.map(|millis| millis as f32).or(self.latencies.last().copied());
        for (list, value) in
            [(&mut self.bitrates, Some(quality.bitrate as f32)), (&mut self.latencies, latency)]
        {
            if list.len() == SPAN {
                list.remove(0);
            }
            list.extend(value);
        }
    }
}

/// A rendition as the quality menu lists it: `720p · AV1 · 1.2 Mbit/s`.
pub fn rendition_label(rendition: &Rendition, bitrate: impl Fn(u64) -> String) -> String {
    let codec = match rendition.codec.name() {
        "H264" => "H.264",
        name => name,
    };
    let height = rendition.size.map(|size| {
        let fast =
            if rendition.frame_rate > 45.0 { format!("{:.0}", rendition.frame_rate) } else { String::new() };
        format!("{}p{fast}", size.height.min(size.width))
    });
    let parts = [
        height,
        Some(codec.to_owned()),
        Some(bitrate(rendition.bitrate.0)).filter(|_| rendition.bitrate.0 > 0),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::{
        broadcast::Codec,
        unit::{Bitrate, Size},
    };

    fn reading(at: f64, bytes: f64) -> Reading {
        Reading { at, bytes, received: bytes / 1000.0, decoded: at * 0.03, ..Reading::default() }
    }

    #[test]
    fn rates_come_from_two_readings() {
        let quality = quality(Some(&reading(1000.0, 100_000.0)), &reading(2000.0, 250_000.0));
        assert_eq!((quality.bitrate, quality.frame_rate), (1_200_000.0, 30.0));
        assert!(quality.flows);
    }

    #[test]
    fn one_reading_or_a_new_session_gives_no_rate_and_no_infinity() {
        let first = quality(None, &reading(1000.0, 100_000.0));
        assert_eq!(first.bitrate, 0.0);
        let again = quality(Some(&reading(1000.0, 100_000.0)), &reading(2000.0, 50.0));
        assert_eq!(again.bitrate, 0.0);
        assert!(again.flows);
        let still = quality(Some(&reading(1000.0, 100.0)), &reading(2000.0, 100.0));
        assert!(!still.flows);
    }

    #[test]
    fn charts_remember_a_minute_and_each_reading_once() {
        let mut history = History::default();
        for second in 1..=100_u32 {
            let quality = Quality { at: f64::from(second), bitrate: f64::from(second), ..Quality::default() };
            history.add(&quality, (second > 30).then_some(second));
            history.add(&quality, None);
        }
        assert_eq!((history.bitrates.len(), history.bitrates[59]), (SPAN, 100.0));
        assert_eq!((history.latencies.len(), history.latencies[0]), (SPAN, 41.0));
    }

    #[test]
    fn a_rendition_is_listed_by_what_is_known_of_it() {
        let mut rendition = Rendition {
            name: "source".to_owned(),
            codec: Codec::H264,
            size: Some(Size { width: 1280, height: 720 }),
            frame_rate: 59.9,
            bitrate: Bitrate(1_234_000),
        };
        let label = |rendition: &Rendition| rendition_label(rendition, |bits| format!("{bits}"));
        assert_eq!(label(&rendition), "720p60 · H.264 · 1234000");
        rendition.size = None;
        rendition.bitrate = Bitrate(0);
        assert_eq!(label(&rendition), "H.264");
    }
}
