//! Bringing a live step into what was loaded.

use shared::analytics::{BroadcastAnalytics, BroadcastSummary, Timeline};

/// Takes in an update whose timeline holds the last minute alone. `None` if something between the two is missing, or the
/// update is of another broadcast: then all has to be loaded again.
pub fn merge(loaded: &BroadcastAnalytics, update: &BroadcastAnalytics) -> Option<BroadcastAnalytics> {
    if loaded.summary.stream_id != update.summary.stream_id {
        return None;
    }
    let timeline = joined(&loaded.timeline, &update.timeline)?;
    // Retention is of all minutes, which an update of one minute can't tell.
    Some(BroadcastAnalytics { timeline, retention: loaded.retention.clone(), ..update.clone() })
}

fn joined(loaded: &Timeline, update: &Timeline) -> Option<Timeline> {
    if update.viewers.is_empty() {
        return Some(loaded.clone());
    }
    if loaded.viewers.is_empty() && update.from <= loaded.from {
        return Some(update.clone());
    }
    let step = loaded.step.0;
    let ahead = update.from.0.checked_sub(loaded.from.0)?;
    if step == 0 || update.step.0 != step || !ahead.is_multiple_of(step) {
        return None;
    }
    let at = usize::try_from(ahead / step).ok()?;
    Some(Timeline {
        viewers: over(&loaded.viewers, at, &update.viewers)?,
        chat_messages: over(&loaded.chat_messages, at, &update.chat_messages)?,
        freezes: over(&loaded.freezes, at, &update.freezes)?,
        latency: over(&loaded.latency, at, &update.latency)?,
        ..*loaded
    })
}

/// `new` in the place of what was there from `at` on. An update that was overtaken by a later one leaves that one's end.
fn over<T: Copy>(old: &[T], at: usize, new: &[T]) -> Option<Vec<T>> {
    let before = old.get(..at)?;
    let after = old.get(at + new.len()..).unwrap_or_default();
    Some([before, new, after].concat())
}

/// Another broadcast's viewers in steps of this one's length, to lie under them.
pub fn aligned(other: &Timeline, step: u64) -> Vec<u32> {
    let (from, to) = (other.step.0.max(1) as usize, step.max(1) as usize);
    let count = (other.viewers.len() * from).div_ceil(to);
    let most = |at: usize| {
        let end = ((at + 1) * to).div_ceil(from).min(other.viewers.len());
        other.viewers[(at * to / from).min(end)..end].iter().copied().max().unwrap_or_default()
    };
    (0..count).map(most).collect()
}

/// Brings the broadcast that is on into the list, newest first.
pub fn list(items: &mut Vec<BroadcastSummary>, now: &BroadcastSummary) {
    if let Some(item) = items.iter_mut().find(|item| item.stream_id == now.stream_id) {
        *item = now.clone();
    } else if items.first().is_none_or(|first| first.start_time < now.start_time) {
        // An older one than the newest is on a page that isn't loaded yet.
        items.insert(0, now.clone());
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use serde_json::json;

    /// A broadcast whose viewers in steps of 5 s are these.
    pub fn broadcast(from: u64, viewers: &[u32]) -> BroadcastAnalytics {
        let zeros = vec![0; viewers.len()];
        let latency: Vec<Option<u32>> =
            viewers.iter().map(|viewers| (*viewers > 0).then_some(viewers * 10)).collect();
        serde_json::from_value(json!({
            "streamId": "b1", "channel": "ada", "title": "River", "category": "", "startTime": "2026-11-20T19:15:05Z",
            "endTime": null, "duration": 60, "peakViewers": viewers.iter().max().unwrap_or(&0), "totalViews": 3,
            "averageWatchTime": 1.5, "totalWatchTime": 4.5, "chatMessages": 0, "concurrentViewers": 1, "peakAt": null,
            "chatRate": 0.0, "chatters": 0, "devices": [], "browsers": [], "regions": [], "referrers": [], "embeds": [],
            "quality": {"reports": 0, "joinTime": null, "latency": null, "freezes": 0, "frozenTime": 0.0,
                "frozenShare": 0.0, "exitsAfterFreeze": 0, "codecs": [], "sizes": []},
            "timeline": {"from": from, "step": 5, "viewers": viewers, "chatMessages": zeros, "freezes": zeros,
                "latency": latency},
            "retention": [1.0], "markers": [], "previous": null,
        }))
        .unwrap()
    }

    fn viewers(merged: Option<BroadcastAnalytics>) -> Option<Vec<u32>> {
        let timeline = merged?.timeline;
        assert_eq!(timeline.viewers.len(), timeline.latency.len());
        assert_eq!(timeline.viewers.len(), timeline.freezes.len());
        assert_eq!(timeline.viewers.len(), timeline.chat_messages.len());
        Some(timeline.viewers)
    }

    #[test]
    fn a_step_extends_what_is_there_and_corrects_its_end() {
        let loaded = broadcast(0, &[1, 2, 3]);
        let merge = |from, update: &[u32]| viewers(merge(&loaded, &broadcast(from, update)));
        assert_eq!(merge(10, &[4, 5]), Some(vec![1, 2, 4, 5]));
        assert_eq!(merge(15, &[4]), Some(vec![1, 2, 3, 4]));
        assert_eq!(merge(0, &[9, 9, 9, 9]), Some(vec![9, 9, 9, 9]));
        assert_eq!(merge(5, &[]), Some(vec![1, 2, 3]));
    }

    #[test]
    fn a_late_step_does_not_take_away_a_later_one() {
        let loaded = broadcast(0, &[1, 2, 3, 4, 5]);
        assert_eq!(viewers(merge(&loaded, &broadcast(5, &[7, 7]))), Some(vec![1, 7, 7, 4, 5]));
    }

    #[test]
    fn a_gap_another_step_or_another_broadcast_is_loaded_anew() {
        let loaded = broadcast(0, &[1, 2, 3]);
        assert_eq!(merge(&loaded, &broadcast(20, &[4])), None);
        assert_eq!(merge(&loaded, &broadcast(7, &[4])), None);
        assert_eq!(merge(&broadcast(10, &[1]), &broadcast(0, &[1])), None);
        let mut other = broadcast(15, &[4]);
        other.summary.stream_id = "b2".parse().unwrap();
        assert_eq!(merge(&loaded, &other), None);
        let mut slow = broadcast(15, &[4]);
        slow.timeline.step.0 = 10;
        assert_eq!(merge(&loaded, &slow), None);
    }

    #[test]
    fn numbers_are_the_updates_and_retention_stays() {
        let loaded = broadcast(0, &[1, 2, 3]);
        let mut update = broadcast(15, &[4]);
        update.summary.total_views = 99;
        update.retention = vec![];
        let merged = merge(&loaded, &update).unwrap();
        assert_eq!((merged.summary.total_views, merged.retention), (99, vec![1.0]));
    }

    #[test]
    fn the_first_step_of_a_broadcast_that_had_none() {
        assert_eq!(viewers(merge(&broadcast(0, &[]), &broadcast(0, &[1]))), Some(vec![1]));
        assert_eq!(merge(&broadcast(0, &[]), &broadcast(60, &[1])), None);
    }

    #[test]
    fn the_list_has_each_broadcast_once() {
        let one = |id: &str, start: i64, views: u64| {
            let mut summary = broadcast(0, &[]).summary;
            summary.stream_id = id.parse().unwrap();
            summary.start_time = shared::unit::Timestamp::from_millis(start);
            summary.total_views = views;
            summary
        };
        let mut items = vec![];
        list(&mut items, &one("b1", 10, 1));
        list(&mut items, &one("b1", 10, 2));
        list(&mut items, &one("b2", 20, 1));
        list(&mut items, &one("b0", 5, 1));
        let seen: Vec<_> = items.iter().map(|item| (item.stream_id.as_str(), item.total_views)).collect();
        assert_eq!(seen, [("b2", 1), ("b1", 2)]);
    }

    #[test]
    fn broadcasts_of_other_steps_lie_on_the_same_times() {
        let mut other = broadcast(0, &[1, 5, 2, 7, 3]).timeline;
        assert_eq!(aligned(&other, 5), [1, 5, 2, 7, 3]);
        assert_eq!(aligned(&other, 10), [5, 7, 3]);
        assert_eq!(aligned(&other, 60), [7]);
        other.step.0 = 10;
        assert_eq!(aligned(&other, 5), [1, 1, 5, 5, 2, 2, 7, 7, 3, 3]);
        assert_eq!(aligned(&broadcast(0, &[]).timeline, 5), [0; 0]);
        for step in 0..40 {
            assert_eq!(aligned(&other, step).iter().max(), Some(&7), "no peak is lost in steps of {step} s");
        }
    }

    /// Every way to cut an evening into updates of a minute ends in the whole evening.
    #[test]
    fn updates_of_a_minute_make_the_whole() {
        let whole: Vec<u32> = (0..240).map(|at| at * 7919 % 31).collect();
        for every in 1..=12_usize {
            let mut at = broadcast(0, &whole[..3]);
            let mut known = 3;
            while known < whole.len() {
                known = (known + every).min(whole.len());
                let from = known.saturating_sub(12);
                at = merge(&at, &broadcast(from as u64 * 5, &whole[from..known])).unwrap();
            }
            assert_eq!(at.timeline.viewers, whole, "each {every} steps");
        }
    }
}
