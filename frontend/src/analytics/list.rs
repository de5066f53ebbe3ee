//! All of a channel's broadcasts, newest first, a page at a time.

use super::{figures_state::spell, merge_state, words_state::date};
use crate::{
    api::{Failure, rest},
    browser::{self, time},
    route::Route,
    ui::{Button, format_state::exact},
};
use shared::{
    analytics::{BroadcastAnalytics, BroadcastSummary},
    id::{BroadcastId, ChannelName},
};
use yew::prelude::*;
use yew_router::prelude::*;

/// What is known of the list.
#[derive(Clone, PartialEq)]
pub struct List {
    /// Newest first.
    pub items: Vec<BroadcastSummary>,
    /// The first page came.
    pub loaded: bool,
    /// What went wrong last.
    pub error: Option<Failure>,
    /// A page is on its way.
    busy: bool,
    more: Option<Callback<()>>,
}

#[derive(Clone, Default, PartialEq)]
struct Pages {
    items: Vec<BroadcastSummary>,
    next: Option<String>,
    loaded: bool,
    busy: bool,
    error: Option<Failure>,
}

/// The list, with the broadcast that is on as the last step tells it.
#[hook]
pub fn use_broadcasts(channel: &ChannelName, step: Option<&BroadcastAnalytics>) -> List {
    let pages = use_state(Pages::default);
    let load = {
        let (pages, channel) = (pages.clone(), channel.clone());
        Callback::from(move |()| {
            let (pages, channel) = (pages.clone(), channel.clone());
            pages.set(Pages { busy: true, ..(*pages).clone() });
            browser::spawn(async move {
                let mut next = (*pages).clone();
                next.busy = false;
                match rest::broadcasts(&channel, next.next.as_deref()).await {
                    Ok(page) => {
                        next.items.extend(page.items);
                        (next.next, next.loaded, next.error) = (page.next, true, None);
                    }
                    Err(failure) => next.error = Some(failure),
                }
                pages.set(next);
            });
        })
    };
    {
        let load = load.clone();
        use_effect_with(channel.clone(), move |_| load.emit(()));
    }
    // Away servers come back: what never loaded is asked for again.
    {
        let (load, failed) = (load.clone(), pages.error.clone().filter(|_| !pages.loaded && !pages.busy));
        use_effect_with(failed, move |failed| {
            let again = matches!(failed, Some(Failure::Unreachable | Failure::Unexpected(_)));
            let timer = again.then(|| time::after(3000, move || load.emit(())));
            move || drop(timer)
        });
    }
    let mut items = pages.items.clone();
    if let Some(step) = step {
        merge_state::list(&mut items, &step.summary);
    }
    let more = (pages.next.is_some() || pages.error.is_some()).then_some(load);
    List { items, loaded: pages.loaded, error: pages.error.clone(), busy: pages.busy, more }
}

/// Properties of [`Past`].
#[derive(Properties, PartialEq)]
pub struct PastProps {
    /// Whose.
    pub channel: ChannelName,
    /// Which.
    pub list: List,
    /// The one that is open.
    pub open: Option<BroadcastId>,
}

/// The list.
#[component]
pub fn Past(props: &PastProps) -> Html {
    let row = |item: &BroadcastSummary| {
        let to = Route::Analytics {
            channel: Some(props.channel.to_string()),
            broadcast: Some(item.stream_id.to_string()),
        };
        let here = props.open.as_ref() == Some(&item.stream_id);
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
    let list = &props.list;
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
                <tbody>{ for list.items.iter().map(row) }</tbody>
            </table>
            if let Some(failure) = &list.error { <p class="field-note field-error" role="alert">{ failure.sentence() }</p> }
            if let Some(more) = &list.more {
                <div><Button label={if list.error.is_some() { "Try again" } else { "Show more" }} busy={list.busy}
                    on={more.clone()} testid="more-broadcasts" /></div>
            }
        </section>
    }
}
