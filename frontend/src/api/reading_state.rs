//! Reading what is large by hand: field by field, where a derived reader would bring its own copy of every step.

use serde::de::DeserializeOwned;
use serde_json::Value;
use shared::{analytics::BroadcastAnalytics, page::Page};

/// Takes a field; what is wrong with it is kept in `good`, so that reading goes straight on.
#[inline(never)]
fn take<T: DeserializeOwned + Default>(value: &mut Value, field: &str, good: &mut bool) -> T {
    let read = value.get_mut(field).map(Value::take).and_then(|field| serde_json::from_value(field).ok());
    *good &= read.is_some();
    read.unwrap_or_default()
}

/// A broadcast's analytics.
pub fn analytics(mut value: Value) -> Option<BroadcastAnalytics> {
    let (all, good) = (&mut value, &mut true);
    // It holds everything that the analytics have no field of their own for.
    let summary = serde_json::from_value(all.clone()).ok()?;
    let read = BroadcastAnalytics {
        summary,
        concurrent_viewers: take(all, "concurrentViewers", good),
        peak_at: take(all, "peakAt", good),
        chat_rate: take(all, "chatRate", good),
        chatters: take(all, "chatters", good),
        devices: take(all, "devices", good),
        browsers: take(all, "browsers", good),
        regions: take(all, "regions", good),
        referrers: take(all, "referrers", good),
        embeds: take(all, "embeds", good),
        quality: take(all, "quality", good),
        timeline: take(all, "timeline", good),
        retention: take(all, "retention", good),
        markers: take(all, "markers", good),
        previous: take(all, "previous", good),
    };
    good.then_some(read)
}

/// A page of a list.
pub fn page<T: DeserializeOwned>(mut value: Value) -> Option<Page<T>> {
    let next = value.get_mut("next").and_then(|next| next.as_str().map(str::to_owned));
    let mut good = true;
    let items = take(&mut value, "items", &mut good);
    good.then_some(Page { items, next })
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
            // serde takes an absent option for none; by hand it is wrong in the analytics' own fields.
            if field != "endTime" {
                assert_eq!(analytics(lacking), None, "without {field}");
            }
        }
        assert_eq!(analytics(json!(null)), None);
        assert_eq!(analytics(json!([1])), None);
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
