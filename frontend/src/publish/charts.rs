//! The last minute of what is sent, from the browser's statistics.

use super::arrival_state::Sent;
use crate::browser::rtc::Stat;

/// Seconds that the charts show.
const CHART: usize = 60;

/// The last minute, a value a second.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Charts {
    /// Bits a second.
    pub bitrate: Vec<f32>,
    /// Frames a second.
    pub frame_rate: Vec<f32>,
    /// Milliseconds.
    pub round_trip: Vec<f32>,
    /// Of one.
    pub loss: Vec<f32>,
    /// Pixels across and down that are sent now; of several encodings the largest.
    pub size: Option<(u32, u32)>,
}

impl Charts {
    /// What is sent now.
    pub fn sent(&self) -> Sent {
        let last = |values: &[f32]| values.last().copied().unwrap_or_default();
        // What arrives is measured over the last seconds, too.
        let mean = |values: &[f32]| {
            let lately = &values[values.len().saturating_sub(3)..];
            lately.iter().sum::<f32>() / lately.len().max(1) as f32
        };
        Sent {
            bitrate: mean(&self.bitrate),
            frame_rate: mean(&self.frame_rate),
            size: self.size,
            loss: last(&self.loss),
            round_trip: last(&self.round_trip),
        }
    }

    /// Adds a reading; `last` is when the one before was taken and how many bytes had been sent. Answers with the codec.
    pub fn add(&mut self, stats: &[Stat], now: f64, last: &mut Option<(f64, f64)>) -> Option<String> {
        let number = |stat: &Stat, name: &str| stat.number(name).unwrap_or_default();
        let (mut bytes, mut frame_rate, mut loss, mut round_trip) = (0.0, 0.0, 0.0, 0.0);
        let mut codec_id = String::new();
        let mut size = (0, 0);
        for stat in stats {
            let is_video = stat.text("kind") == "video";
            match stat.kind().as_str() {
                "outbound-rtp" => {
                    bytes += number(stat, "bytesSent");
                    if is_video {
                        frame_rate = number(stat, "framesPerSecond").max(frame_rate);
                        size =
                            size.max((number(stat, "frameWidth") as u32, number(stat, "frameHeight") as u32));
                        codec_id = stat.text("codecId");
                    }
                }
                "remote-inbound-rtp" if is_video => {
                    loss = number(stat, "fractionLost");
                    round_trip = number(stat, "roundTripTime") * 1000.0;
                }
                _ => {}
            }
        }
        let codec = stats.iter().find(|stat| stat.text("id") == codec_id).map(|stat| stat.text("mimeType"));
        self.size = Some(size).filter(|size| size.0 > 0);
        // A session that started anew counts from zero: its first reading gives no rate.
        let before = last.replace((now, bytes)).filter(|(at, sent)| *at < now && *sent <= bytes);
        if let Some((at, sent)) = before {
            let bitrate = (bytes - sent) * 8000.0 / (now - at);
            for (chart, value) in [
                (&mut self.bitrate, bitrate),
                (&mut self.frame_rate, frame_rate),
                (&mut self.round_trip, round_trip),
                (&mut self.loss, loss),
            ] {
                chart.push(value as f32);
                let over = chart.len().saturating_sub(CHART);
                chart.drain(..over);
            }
        }
        codec.map(|codec| codec.trim_start_matches("video/").to_owned())
    }
}
