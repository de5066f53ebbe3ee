//! How far other encoders are, where their pictures and ours look the same: always told, also where that can't be.

use super::{number, verdict, word};
use serde_json::{Value, json};

/// How many times as fast as librav1e at speed 10 the ladder is to be, where both look the same.
pub const TIMES_LIBRAV1E: f64 = 2.0;
/// Whom the ladder is compared with, and how many times as fast it is to be.
const OTHERS: [(&str, Option<f64>); 2] =
    [("librav1e speed 10", Some(TIMES_LIBRAV1E)), ("SVT-AV1 preset 12", None)];
/// How far another encoder is, on a clip at a rung's size and rate.
pub struct Distance {
    clip: String,
    rung: String,
    other: &'static str,
    aim: Option<f64>,
    found: Found,
}

enum Found {
    /// So many times as fast is the ladder, once it has the bits that make its pictures as alike, and so much more alike its
    /// pictures are at the same rate.
    Times(f64, f64),
    /// Even with half as many bits again, pictures are less alike by so much.
    OutOfReach(f64),
    /// ffmpeg hasn't got it.
    Nothing,
}

impl Distance {
    /// As it is kept.
    pub fn json(&self) -> Value {
        let (times, more, short) = match self.found {
            Found::Times(times, more) => (Some(times), Some(more), None),
            Found::OutOfReach(short) => (None, None, Some(short)),
            Found::Nothing => (None, None, None),
        };
        json!({
            "clip": self.clip, "rung": self.rung, "other": self.other, "timesAsFast": times, "ssimMoreAtSameRate": more,
            "ssimShortAt1.5TimesTheRate": short,
        })
    }
}

/// Every distance that there is to tell, also those that can't be measured.
pub fn distances(rows: &[Value]) -> Vec<Distance> {
    let ours = rows.iter().filter(|row| word(row, "encoder") == "the ladder");
    let of_row = |row: &Value| {
        let (clip, rung) = (word(row, "clip").to_owned(), word(row, "rung").to_owned());
        OTHERS.map(|(other, aim)| Distance {
            found: distance(rows, &clip, &rung, other),
            clip: clip.clone(),
            rung: rung.clone(),
            other,
            aim,
        })
    };
    ours.flat_map(of_row).collect()
}

/// Between two rates, CPU time goes as SSIM does.
fn distance(rows: &[Value], clip: &str, rung: &str, other: &str) -> Found {
    let find = |encoder: &str| {
        rows.iter().find(|row| {
            word(row, "clip") == clip && word(row, "rung") == rung && word(row, "encoder") == encoder
        })
    };
    let (Some(plain), Some(more), Some(other)) =
        (find("the ladder"), find("the ladder, 1.5 times the rate"), find(other))
    else {
        return Found::Nothing;
    };
    let cost = |row: &Value| number(row, "/cpuSecondsPerMinute");
    let wanted = number(other, "/ssim");
    let (low, high) = (number(plain, "/ssim"), number(more, "/ssim"));
    let reached = low.max(high);
    if wanted > reached {
        return Found::OutOfReach(wanted - reached);
    }
    let share = if high > low { ((wanted - low) / (high - low)).max(0.0) } else { 0.0 };
    Found::Times(cost(other) / (cost(plain) + share * (cost(more) - cost(plain))), low - wanted)
}

/// A line for each.
pub fn of_distances(distances: &[Distance]) -> String {
    let mut text =
        "The ladder's speed at equal SSIM, with up to 1.5 times the rate where it needs that\n".to_owned();
    for Distance { clip, rung, other, aim, found } in distances {
        let verdict =
            |met: bool| aim.map_or(String::new(), |aim| format!("  aim {aim:.1}: {}", verdict(met)));
        let said = match found {
            Found::Times(times, more) => {
                let met = aim.is_none_or(|aim| *times >= aim);
                format!(
                    "{times:.2} times as fast as {other} (at the same rate {more:+.4} SSIM){}",
                    verdict(met)
                )
            }
            Found::OutOfReach(short) => {
                format!(
                    "out of reach of {other} even at 1.5 times the rate, by {short:.4} SSIM{}",
                    verdict(false)
                )
            }
            Found::Nothing => format!("not measured beside {other}, which this ffmpeg doesn't have"),
        };
        text.push_str(&format!("{clip:<9} {rung:<8} {said}\n"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(encoder: &str, cpu: f64, ssim: f64) -> Value {
        json!({
            "clip": "film", "rung": "360p30", "encoder": encoder, "picturesPerSecond": 60.0, "cpuSecondsPerMinute": cpu,
            "kilobitsPerSecond": 600.0, "rateErrorPercent": -4.0, "largestOfHalfSecond": 0.4, "psnr": 38.0, "ssim": ssim,
        })
    }

    #[test]
    fn speed_is_compared_where_pictures_are_as_alike() {
        let rows = [
            row("the ladder", 20.0, 0.90),
            row("the ladder, 1.5 times the rate", 30.0, 0.94),
            row("librav1e speed 10", 75.0, 0.92),
            row("SVT-AV1 preset 12", 10.0, 0.89),
        ];
        let text = of_distances(&distances(&rows));
        assert!(
            text.contains(
                "3.00 times as fast as librav1e speed 10 (at the same rate -0.0200 SSIM)  aim 2.0: met"
            ),
            "{text}"
        );
        assert!(
            text.contains("0.50 times as fast as SVT-AV1 preset 12 (at the same rate +0.0100 SSIM)\n"),
            "{text}"
        );
    }

    #[test]
    fn what_is_out_of_reach_is_told_and_missed() {
        let rows = [
            row("the ladder", 20.0, 0.90),
            row("the ladder, 1.5 times the rate", 30.0, 0.94),
            row("librav1e speed 10", 500.0, 0.9425),
        ];
        let distances = distances(&rows);
        let text = of_distances(&distances);
        let line =
            "out of reach of librav1e speed 10 even at 1.5 times the rate, by 0.0025 SSIM  aim 2.0: MISSED";
        assert!(text.contains(line), "{text}");
        assert!(text.contains("not measured beside SVT-AV1 preset 12"), "{text}");
        assert_eq!(distances[0].json()["timesAsFast"], Value::Null);
        assert!(distances[0].json()["ssimShortAt1.5TimesTheRate"].as_f64() > Some(0.002));
    }
}
