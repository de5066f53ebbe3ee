//! All of a channel's broadcasts, newest first, a page at a time.

use super::{breakdown::column, engine::Snapshot, figures_state::spell, words_state::date};
use crate::{
    browser::time,
    route::{Link, Route},
    ui::{Button, el, el_with, format_state::exact, words},
};
use shared::{analytics::BroadcastSummary, id::ChannelName};
use yew::prelude::*;

/// The title as it is shown.
pub fn title(summary: &BroadcastSummary) -> &str {
    match summary.title.as_str() {
        "" => "Without a title",
        title => title,
    }
}

/// The list.
pub fn past(channel: &ChannelName, snapshot: &Snapshot, more: Callback<()>) -> Html {
    let row = |item: &BroadcastSummary| {
        let to = Route::Analytics {
            channel: Some(channel.to_string()),
            broadcast: Some(item.stream_id.to_string()),
        };
        let here = snapshot.open.as_ref() == Some(&item.stream_id);
        let start = item.start_time.as_millis();
        let mut when = vec![date(start, time::offset(start)).into()];
        if item.end_time.is_none() {
            when.insert(0, " since ".into());
            when.insert(0, words("span", "badge badge-live", "Live"));
        }
        let link = vec![words("b", "", title(item).to_owned()), el("span", "quiet", when)];
        let link = html! { <Link to={to} classes="row-link">{ for link }</Link> };
        let cells = [
            spell(item.duration.0 as f64),
            exact(item.peak_viewers.into()),
            exact(item.total_views),
            spell(item.average_watch_time),
            exact(item.chat_messages),
        ];
        let mut row = vec![el_with("th", "", &[("scope", "row")], vec![link])];
        row.extend(cells.map(|cell| words("td", "", cell)));
        el_with("tr", "", if here { &[("aria-current", "true")] } else { &[] }, row)
    };
    let head = ["Broadcast", "Length", "Peak", "Views", "Average watch", "Messages"].map(column);
    let table = vec![
        el("thead", "", vec![el("tr", "", head.into())]),
        el("tbody", "", snapshot.list.iter().map(row).collect()),
    ];
    let mut parts = vec![
        el_with("h2", "", &[("id", "past-title")], vec!["All broadcasts".into()]),
        el_with("table", "table past", &[("data-testid", "broadcasts")], table),
    ];
    if let Some(failure) = &snapshot.list_error {
        let said = vec![failure.sentence().into()];
        parts.push(el_with("p", "field-note field-error", &[("role", "alert")], said));
    }
    if snapshot.next.is_some() {
        let label = if snapshot.list_error.is_some() { "Try again" } else { "Show more" };
        let button =
            html! { <Button label={label} busy={snapshot.busy} on={more} testid="more-broadcasts" /> };
        parts.push(el("div", "", vec![button]));
    }
    el_with("section", "card", &[("aria-labelledby", "past-title")], parts)
}
