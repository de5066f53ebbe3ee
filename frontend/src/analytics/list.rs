//! All of a channel's broadcasts, newest first, a page at a time.

use super::{engine::Snapshot, figures_state::spell, words_state::date};
use crate::{
    browser::time,
    route::Route,
    ui::{Button, format_state::exact},
};
use shared::{analytics::BroadcastSummary, id::ChannelName};
use yew::prelude::*;
use yew_router::prelude::*;

/// The list.
pub fn past(channel: &ChannelName, snapshot: &Snapshot, more: Callback<()>) -> Html {
    let row = |item: &BroadcastSummary| {
        let to = Route::Analytics {
            channel: Some(channel.to_string()),
            broadcast: Some(item.stream_id.to_string()),
        };
        let here = snapshot.open.as_ref() == Some(&item.stream_id);
        let title = match item.title.as_str() {
            "" => "Without a title",
            title => title,
        };
        let start = item.start_time.as_millis();
        html! {
            <tr key={item.stream_id.to_string()} aria-current={here.then_some("true")}>
                <th scope="row">
                    <Link<Route> to={to} classes="row-link">
                        <b>{ title }</b>
                        <span class="quiet">
                            if item.end_time.is_none() { <span class="badge badge-live">{ "Live" }</span>{ " since " } }
                            { date(start, time::offset(start)) }
                        </span>
                    </Link<Route>>
                </th>
                <td>{ spell(item.duration.0 as f64) }</td>
                <td>{ exact(item.peak_viewers.into()) }</td>
                <td>{ exact(item.total_views) }</td>
                <td>{ spell(item.average_watch_time) }</td>
                <td>{ exact(item.chat_messages) }</td>
            </tr>
        }
    };
    html! {
        <section class="card" aria-labelledby="past-title">
            <h2 id="past-title">{ "All broadcasts" }</h2>
            <table class="table past" data-testid="broadcasts">
                <thead><tr>
                    <th scope="col">{ "Broadcast" }</th>
                    <th scope="col">{ "Length" }</th>
                    <th scope="col">{ "Peak" }</th>
                    <th scope="col">{ "Views" }</th>
                    <th scope="col">{ "Average watch" }</th>
                    <th scope="col">{ "Messages" }</th>
                </tr></thead>
                <tbody>{ for snapshot.list.iter().map(row) }</tbody>
            </table>
            if let Some(failure) = &snapshot.list_error { <p class="field-note field-error" role="alert">{ failure.sentence() }</p> }
            if snapshot.next.is_some() {
                <div><Button label={if snapshot.list_error.is_some() { "Try again" } else { "Show more" }} busy={snapshot.busy}
                    on={more} testid="more-broadcasts" /></div>
            }
        </section>
    }
}
