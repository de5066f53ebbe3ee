//! Reading what is large by hand: field by field, where a derived reader would bring its own copy of every step.

use serde::de::DeserializeOwned;
use serde_json::Value;
use shared::{
    analytics::{BroadcastAnalytics, BroadcastSummary, Marker, MarkerKind, Quality, Share, Spread, Timeline},
    page::Page,
    publish::{Finding, FindingKind, PublisherHealth, Severity},
    unit::{Bitrate, Millis, Seconds, Timestamp},
    watch::{Playing, Reason},
};
use std::str::FromStr;

/// An object whose fields are read one after the other. What is wrong with one is kept, so that reading goes straight on.
struct Reader<'a> {
    value: &'a Value,
    good: bool,
}

impl<'a> Reader<'a> {
    fn of(value: &'a Value) -> Self {
        Self { value, good: value.is_object() }
    }

    /// What was read, if nothing was wrong.
    fn end<T>(&self, read: T) -> Option<T> {
        self.good.then_some(read)
    }

    fn keep<T>(&mut self, read: Option<T>) -> Option<T> {
        self.good &= read.is_some();
        read
    }

    fn field(&self, name: &str) -> &'a Value {
        self.value.get(name).unwrap_or(&Value::Null)
    }

    fn decimal(&mut self, name: &str) -> f64 {
        let read = self.field(name).as_f64();
        self.keep(read).unwrap_or_default()
    }

    fn count(&mut self, name: &str) -> u64 {
        let read = self.field(name).as_u64();
        self.keep(read).unwrap_or_default()
    }

    fn small(&mut self, name: &str) -> u32 {
        let read = small(self.field(name));
        self.keep(read).unwrap_or_default()
    }

    fn text(&mut self, name: &str) -> &'a str {
        let read = self.field(name).as_str();
        self.keep(read).unwrap_or_default()
    }

    fn parsed<T: FromStr>(&mut self, name: &str) -> Option<T> {
        let read = self.text(name).parse().ok();
        self.keep(read)
    }

    fn time(&mut self, name: &str) -> Timestamp {
        let read = serde_json::from_value(self.field(name).clone()).ok();
        self.keep(read).unwrap_or(Timestamp::from_millis(0))
    }

    /// Null, or something that `read` reads.
    fn option<T>(&mut self, name: &str, read: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        match self.value.get(name) {
            Some(Value::Null) => None,
            Some(_) => {
                let read = read(self);
                self.keep(read)
            }
            None => self.keep(None),
        }
    }

    fn list<T>(&mut self, name: &str, read: impl Fn(&'a Value) -> Option<T>) -> Vec<T> {
        let all: Option<Vec<T>> = self.field(name).as_array().and_then(|all| all.iter().map(read).collect());
        self.keep(all).unwrap_or_default()
    }

    fn counts(&mut self, name: &str) -> Vec<u32> {
        self.list(name, small)
    }

    fn shares(&mut self, name: &str) -> Vec<Share> {
        self.list(name, share)
    }
}

fn small(value: &Value) -> Option<u32> {
    value.as_u64().and_then(|count| u32::try_from(count).ok())
}

fn share(value: &Value) -> Option<Share> {
    let mut from = Reader::of(value);
    let read = Share { name: from.text("name").to_owned(), views: from.count("views") };
    from.end(read)
}

fn spread(value: &Value) -> Option<Spread> {
    let mut from = Reader::of(value);
    let read = Spread { p50: from.decimal("p50"), p95: from.decimal("p95"), samples: from.count("samples") };
    from.end(read)
}

fn marker(value: &Value) -> Option<Marker> {
    let mut from = Reader::of(value);
    let kind = match from.text("kind") {
        "started" => MarkerKind::Started,
        "interrupted" => MarkerKind::Interrupted,
        "resumed" => MarkerKind::Resumed,
        "title" => MarkerKind::Title,
        "ended" => MarkerKind::Ended,
        _ => return None,
    };
    let read = Marker { at: from.time("at"), kind, text: from.text("text").to_owned() };
    from.end(read)
}

fn quality(value: &Value) -> Option<Quality> {
    let mut from = Reader::of(value);
    let read = Quality {
        reports: from.count("reports"),
        join_time: from.option("joinTime", |from| spread(from.field("joinTime"))),
        latency: from.option("latency", |from| spread(from.field("latency"))),
        freezes: from.count("freezes"),
        frozen_time: from.decimal("frozenTime"),
        frozen_share: from.decimal("frozenShare"),
        exits_after_freeze: from.count("exitsAfterFreeze"),
        codecs: from.shares("codecs"),
        sizes: from.shares("sizes"),
    };
    from.end(read)
}

fn timeline(value: &Value) -> Option<Timeline> {
    let mut from = Reader::of(value);
    let read = Timeline {
        from: Seconds(from.count("from")),
        step: Seconds(from.count("step")),
        viewers: from.counts("viewers"),
        chat_messages: from.counts("chatMessages"),
        freezes: from.counts("freezes"),
        latency: from.list("latency", |value| match value {
            Value::Null => Some(None),
            value => small(value).map(Some),
        }),
    };
    from.end(read)
}

/// A broadcast's figures in short.
pub fn summary(value: &Value) -> Option<BroadcastSummary> {
    let mut from = Reader::of(value);
    let read = BroadcastSummary {
        stream_id: from.parsed("streamId")?,
        channel: from.parsed("channel")?,
        title: from.parsed("title")?,
        category: from.parsed("category")?,
        start_time: from.time("startTime"),
        end_time: from.option("endTime", |from| Some(from.time("endTime"))),
        duration: Seconds(from.count("duration")),
        peak_viewers: from.small("peakViewers"),
        total_views: from.count("totalViews"),
        average_watch_time: from.decimal("averageWatchTime"),
        total_watch_time: from.decimal("totalWatchTime"),
        chat_messages: from.count("chatMessages"),
    };
    from.end(read)
}

/// A broadcast's analytics.
pub fn analytics(value: Value) -> Option<BroadcastAnalytics> {
    let mut from = Reader::of(&value);
    let read = BroadcastAnalytics {
        summary: summary(&value)?,
        concurrent_viewers: from.small("concurrentViewers"),
        peak_at: from.option("peakAt", |from| Some(from.time("peakAt"))),
        chat_rate: from.decimal("chatRate"),
        chatters: from.count("chatters"),
        devices: from.shares("devices"),
        browsers: from.shares("browsers"),
        regions: from.shares("regions"),
        referrers: from.shares("referrers"),
        embeds: from.shares("embeds"),
        quality: quality(from.field("quality"))?,
        timeline: timeline(from.field("timeline"))?,
        retention: from.list("retention", Value::as_f64),
        markers: from.list("markers", marker),
        previous: from.option("previous", |from| summary(from.field("previous"))),
    };
    from.end(read)
}

/// A page of broadcasts.
pub fn broadcasts(value: Value) -> Option<Page<BroadcastSummary>> {
    let mut from = Reader::of(&value);
    let read = Page {
        items: from.list("items", summary),
        next: value.get("next").and_then(Value::as_str).map(str::to_owned),
    };
    from.end(read)
}

/// A page of another list.
pub fn page<T: DeserializeOwned>(mut value: Value) -> Option<Page<T>> {
    let next = value.get("next").and_then(Value::as_str).map(str::to_owned);
    Some(Page { items: serde_json::from_value(value.get_mut("items")?.take()).ok()?, next })
}

fn finding(value: &Value) -> Option<Finding> {
    let mut from = Reader::of(value);
    let kind = match from.text("kind") {
        "keyframeInterval" => FindingKind::KeyframeInterval,
        "bFrames" => FindingKind::BFrames,
        "loss" => FindingKind::Loss,
        "unansweredNacks" => FindingKind::UnansweredNacks,
        "audioWithoutVideo" => FindingKind::AudioWithoutVideo,
        "silence" => FindingKind::Silence,
        "clipping" => FindingKind::Clipping,
        _ => return None,
    };
    let severity = match from.text("severity") {
        "hint" => Severity::Hint,
        "warning" => Severity::Warning,
        "problem" => Severity::Problem,
        _ => return None,
    };
    let (what, advice) = (from.text("what").to_owned(), from.text("advice").to_owned());
    from.end(Finding { kind, severity, what, advice })
}

/// What arrives from a publisher.
pub fn publisher_health(value: &Value) -> Option<PublisherHealth> {
    let mut from = Reader::of(value);
    let read = PublisherHealth {
        channel: from.parsed("channel")?,
        session: from.option("session", |from| from.parsed("session")),
        user_agent: from.text("userAgent").to_owned(),
        viewers: from.small("viewers"),
        bitrate: Bitrate(from.count("bitrate")),
        frame_rate: from.decimal("frameRate") as f32,
        loss: from.decimal("loss") as f32,
        round_trip: from.option("roundTrip", |from| Some(Millis(from.count("roundTrip")))),
        keyframe_interval: from
            .option("keyframeInterval", |from| Some(Millis(from.count("keyframeInterval")))),
        renditions: serde_json::from_value(from.field("renditions").clone()).ok()?,
        findings: from.list("findings", finding),
    };
    from.end(read)
}

/// What a viewer gets, and why.
pub fn playing(text: &str) -> Option<Playing> {
    let value: Value = serde_json::from_str(text).ok()?;
    let reader = Reader::of(&value);
    let reason = match reader.field("reason").as_str()? {
        "chosen" => Reason::Chosen,
        "best" => Reason::Best,
        "network" => Reason::Network,
        "playerSize" => Reason::PlayerSize,
        "hidden" => Reason::Hidden,
        "audioOnly" => Reason::AudioOnly,
        "codec" => Reason::Codec,
        "gone" => Reason::Gone,
        _ => return None,
    };
    Some(Playing {
        rendition: reader.field("rendition").as_str().map(str::to_owned),
        reason,
        estimate: reader.field("estimate").as_u64().map(Bitrate),
        sound: reader.field("sound").as_str().map(str::to_owned),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn sample() -> Value {
        json!({
            "streamId": "b1", "channel": "ada", "title": "River", "category": "", "startTime": "2026-11-20T19:15:05Z",
            "endTime": null, "duration": 60, "peakViewers": 4, "totalViews": 3, "averageWatchTime": 1.5,
            "totalWatchTime": 4.5, "chatMessages": 7, "concurrentViewers": 1, "peakAt": "2026-11-20T19:15:15Z",
            "chatRate": 0.5, "chatters": 2, "devices": [{"name": "phone", "views": 2}], "browsers": [],
            "regions": [{"name": "DE", "views": 3}], "referrers": [], "embeds": [],
            "quality": {"reports": 3, "joinTime": {"p50": 1.0, "p95": 2.0, "samples": 3}, "latency": null, "freezes": 1,
                "frozenTime": 0.5, "frozenShare": 0.1, "exitsAfterFreeze": 0, "codecs": [], "sizes": []},
            "timeline": {"from": 0, "step": 5, "viewers": [1, 4], "chatMessages": [0, 7], "freezes": [0, 1],
                "latency": [null, 400]},
            "retention": [1.0, 0.5], "markers": [{"at": "2026-11-20T19:15:05Z", "kind": "started", "text": ""}],
            "previous": null,
        })
    }

    #[test]
    fn a_publisher_s_health_is_read_as_it_is_written() {
        use FindingKind::{
            AudioWithoutVideo, BFrames, Clipping, KeyframeInterval, Loss, Silence, UnansweredNacks,
        };
        let kinds = [KeyframeInterval, BFrames, Loss, UnansweredNacks, AudioWithoutVideo, Silence, Clipping];
        for severity in [Severity::Hint, Severity::Warning, Severity::Problem] {
            let finding =
                |kind| Finding { kind, severity, what: "What.".to_owned(), advice: "Do.".to_owned() };
            let nobody = PublisherHealth {
                channel: "ada".parse().unwrap(),
                session: None,
                user_agent: String::new(),
                viewers: 0,
                bitrate: Bitrate(0),
                frame_rate: 0.0,
                loss: 0.0,
                round_trip: None,
                keyframe_interval: None,
                renditions: Vec::new(),
                findings: kinds.into_iter().map(finding).collect(),
            };
            let somebody = PublisherHealth {
                session: Some("abcdefghijkl".parse().unwrap()),
                user_agent: "OBS-Studio/32.0".to_owned(),
                viewers: 3,
                bitrate: Bitrate(2_164_000),
                frame_rate: 29.97,
                loss: 0.015,
                round_trip: Some(Millis(14)),
                keyframe_interval: Some(Millis(8_300)),
                renditions: serde_json::from_str(
                    r#"[{"name":"h","codec":"VP8","size":{"width":1280,"height":720},"frameRate":29.5,"bitrate":9}]"#,
                )
                .unwrap(),
                findings: Vec::new(),
                ..nobody.clone()
            };
            for written in [nobody, somebody] {
                let value = serde_json::to_value(&written).unwrap();
                assert_eq!(publisher_health(&value), Some(written));
                for name in value.as_object().unwrap().keys() {
                    let mut less = value.clone();
                    less.as_object_mut().unwrap().remove(name);
                    assert_eq!(publisher_health(&less), None, "without {name}");
                }
            }
        }
    }

    #[test]
    fn what_a_viewer_gets_is_read_as_it_is_written() {
        for reason in [
            Reason::Chosen,
            Reason::Best,
            Reason::Network,
            Reason::PlayerSize,
            Reason::Hidden,
            Reason::AudioOnly,
            Reason::Codec,
            Reason::Gone,
        ] {
            for (rendition, estimate) in [(None, None), (Some("h".to_owned()), Some(Bitrate(2_500_000)))] {
                let sound = estimate.map(|_| "mono".to_owned());
                let written = Playing { rendition, reason, estimate, sound };
                assert_eq!(playing(&serde_json::to_string(&written).unwrap()), Some(written));
            }
        }
        for strange in ["", "null", "[]", "{}", r#"{"reason":"whim"}"#, r#"{"reason":7}"#] {
            assert_eq!(playing(strange), None, "{strange}");
        }
    }

    #[test]
    fn by_hand_is_the_same_as_derived() {
        let derived: BroadcastAnalytics = serde_json::from_value(sample()).unwrap();
        assert_eq!(analytics(sample()), Some(derived.clone()));
        let mut nested = sample();
        nested["previous"] = serde_json::to_value(&derived.summary).unwrap();
        assert_eq!(analytics(nested.clone()), serde_json::from_value(nested).ok());
    }

    #[test]
    fn what_lacks_a_field_is_refused_whichever_it_is() {
        let fields: Vec<String> = sample().as_object().unwrap().keys().cloned().collect();
        for field in fields {
            let mut lacking = sample();
            lacking.as_object_mut().unwrap().remove(&field);
            assert_eq!(analytics(lacking), None, "without {field}");
            // And so is one that is something else.
            let mut wrong = sample();
            wrong[&field] = json!({"unexpected": [true]});
            assert_eq!(analytics(wrong), None, "with another {field}");
        }
        assert_eq!(analytics(json!(null)), None);
        assert_eq!(analytics(json!([1])), None);
    }

    #[test]
    fn parts_of_parts_are_refused_too() {
        for (pointer, value) in [
            ("/timeline/viewers/0", json!(-1)),
            ("/timeline/latency/1", json!("400")),
            ("/quality/joinTime/p50", json!(null)),
            ("/quality/freezes", json!(1.5)),
            ("/devices/0/views", json!("2")),
            ("/markers/0/kind", json!("danced")),
            ("/markers/0/at", json!("yesterday")),
            ("/retention/1", json!("0.5")),
            ("/peakViewers", json!(5_000_000_000_u64)),
        ] {
            let mut wrong = sample();
            *wrong.pointer_mut(pointer).unwrap() = value;
            assert_eq!(analytics(wrong), None, "{pointer}");
        }
    }

    #[test]
    fn a_list_of_broadcasts_is_read_as_derived() {
        let list = json!({"items": [sample(), sample()], "next": "a b"});
        let derived: Page<BroadcastSummary> = serde_json::from_value(list.clone()).unwrap();
        assert_eq!(broadcasts(list), Some(derived));
        assert_eq!(broadcasts(json!({"items": [{}]})), None);
    }

    #[test]
    fn a_page_may_be_the_last() {
        let read = page::<u8>(json!({"items": [1, 2], "next": "x"})).unwrap();
        assert_eq!((read.items, read.next.as_deref()), (vec![1, 2], Some("x")));
        assert_eq!(page::<u8>(json!({"items": []})).unwrap().next, None);
        assert!(page::<u8>(json!({"items": ["a"]})).is_none());
        assert!(page::<u8>(json!({})).is_none());
    }
}
