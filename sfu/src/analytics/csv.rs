//! A broadcast's figures as one table for spreadsheets. Pure.

use crate::csv::cell;
pub use crate::csv::time;
use shared::{
    analytics::{BroadcastAnalytics, MarkerKind, Share},
    unit::Timestamp,
};

const HEAD: &str = "section,name,value,time,viewers,chatMessages,freezes,latency";

/// RFC 4180, with a row for each figure, part, marker, minute of retention and step of the timeline.
pub fn csv(analytics: &BroadcastAnalytics) -> String {
    let mut table = Table(format!("{HEAD}\r\n"));
    let summary = &analytics.summary;
    let quality = &analytics.quality;
    let text = |value: &dyn ToString| value.to_string();
    for (name, value) in [
        ("streamId", text(&summary.stream_id)),
        ("channel", text(&summary.channel)),
        ("title", text(&summary.title)),
        ("category", text(&summary.category)),
        ("startTime", time(summary.start_time)),
        ("endTime", summary.end_time.map(time).unwrap_or_default()),
        ("duration", text(&summary.duration.0)),
        ("totalViews", text(&summary.total_views)),
        ("concurrentViewers", text(&analytics.concurrent_viewers)),
        ("peakViewers", text(&summary.peak_viewers)),
        ("peakAt", analytics.peak_at.map(time).unwrap_or_default()),
        ("averageWatchTime", text(&summary.average_watch_time)),
        ("totalWatchTime", text(&summary.total_watch_time)),
        ("chatMessages", text(&summary.chat_messages)),
        ("chatRate", text(&analytics.chat_rate)),
        ("chatters", text(&analytics.chatters)),
    ] {
        table.row(&["summary", name, &value]);
    }
    let spread = |name: &str, spread: Option<shared::analytics::Spread>| {
        spread.map_or_else(Vec::new, |spread| {
            vec![
                (format!("{name}P50"), spread.p50.to_string()),
                (format!("{name}P95"), spread.p95.to_string()),
                (format!("{name}Samples"), spread.samples.to_string()),
            ]
        })
    };
    let mut said = vec![
        ("reports".to_owned(), text(&quality.reports)),
        ("freezes".to_owned(), text(&quality.freezes)),
        ("frozenTime".to_owned(), text(&quality.frozen_time)),
        ("frozenShare".to_owned(), text(&quality.frozen_share)),
        ("exitsAfterFreeze".to_owned(), text(&quality.exits_after_freeze)),
    ];
    said.extend(spread("joinTime", quality.join_time));
    said.extend(spread("latency", quality.latency));
    for (name, value) in &said {
        table.row(&["quality", name, value]);
    }
    table.shares("devices", &analytics.devices);
    table.shares("browsers", &analytics.browsers);
    table.shares("regions", &analytics.regions);
    table.shares("referrers", &analytics.referrers);
    table.shares("embeds", &analytics.embeds);
    table.shares("codecs", &quality.codecs);
    table.shares("sizes", &quality.sizes);
    for marker in &analytics.markers {
        table.row(&["markers", kind(marker.kind), &marker.text, &time(marker.at)]);
    }
    for (minute, part) in analytics.retention.iter().enumerate() {
        table.row(&["retention", &minute.to_string(), &part.to_string()]);
    }
    let timeline = &analytics.timeline;
    for (index, viewers) in timeline.viewers.iter().enumerate() {
        let second = timeline.from.0 + index as u64 * timeline.step.0;
        let at = summary.start_time.as_millis().saturating_add_unsigned(second * 1000);
        let of = |list: &[u32]| list.get(index).copied().unwrap_or(0).to_string();
        let latency = timeline.latency.get(index).copied().flatten();
        table.row(&[
            "timeline",
            &second.to_string(),
            "",
            &time(Timestamp::from_millis(at)),
            &viewers.to_string(),
            &of(&timeline.chat_messages),
            &of(&timeline.freezes),
            &latency.map(|latency| latency.to_string()).unwrap_or_default(),
        ]);
    }
    table.0
}

fn kind(kind: MarkerKind) -> &'static str {
    match kind {
        MarkerKind::Started => "started",
        MarkerKind::Interrupted => "interrupted",
        MarkerKind::Resumed => "resumed",
        MarkerKind::Title => "title",
        MarkerKind::Ended => "ended",
    }
}

struct Table(String);

impl Table {
    fn shares(&mut self, section: &str, shares: &[Share]) {
        for share in shares {
            self.row(&[section, &share.name, &share.views.to_string()]);
        }
    }

    fn row(&mut self, cells: &[&str]) {
        let width = HEAD.matches(',').count() + 1;
        for column in 0..width {
            if column > 0 {
                self.0.push(',');
            }
            self.0.push_str(&cell(cells.get(column).copied().unwrap_or_default()));
        }
        self.0.push_str("\r\n");
    }
}
