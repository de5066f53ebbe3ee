//! The analytics of a channel: one broadcast open, and the list of all.

use super::{
    dashboard::dashboard,
    engine::{Engine, Snapshot},
    list::past,
};
use crate::{
    api::use_events,
    route::{Link, Route},
    ui::{Notice, Shape, Skeleton},
};
use shared::{channel::Channel, id::BroadcastId};
use std::rc::Rc;
use yew::prelude::*;

/// Properties of [`Analytics`].
#[derive(Properties, PartialEq)]
pub struct AnalyticsProps {
    /// Whose.
    pub channel: Rc<Channel>,
    /// Which broadcast, as it stands in the address; the live or last one if absent.
    pub broadcast: Option<AttrValue>,
    /// What else stands beside the heading.
    #[prop_or_default]
    pub switch: Html,
}

/// The live or last broadcast, or a chosen one, over the list of all.
#[component]
pub fn Analytics(props: &AnalyticsProps) -> Html {
    let channel = &props.channel;
    let events = use_events();
    let snapshot = use_state(Snapshot::default);
    let engine = {
        let report = snapshot.setter();
        use_memo((channel.name.clone(), events), move |(name, events)| {
            Engine::new(name.clone(), events, Callback::from(move |next| report.set(next)))
        })
    };
    let wanted = props.broadcast.as_ref().map(|id| id.parse::<BroadcastId>());
    let unreadable = matches!(wanted, Some(Err(_)));
    {
        let engine = engine.clone();
        use_effect_with(wanted.and_then(Result::ok), move |wanted| engine.show(wanted.clone()));
    }
    let more = {
        let engine = engine.clone();
        Callback::from(move |()| engine.more())
    };
    let compare = Callback::from(move |on| engine.compare(on));
    let studio = Route::StudioOf { channel: channel.name.to_string() };
    let empty = snapshot.listed && snapshot.list.is_empty();
    html! {
        <article class="analytics">
            <header class="analytics-head">
                <h1>{ "Analytics" }</h1>
                { props.switch.clone() }
                <Link to={studio.clone()} classes="button button-bare"><span>{ "Studio" }</span></Link>
            </header>
            if unreadable {
                <Notice icon={Shape::Alert} title="There is no broadcast here." text="Check the address, or pick one from the list." />
            } else if snapshot.open.is_some() {
                { dashboard(&snapshot, compare) }
            } else if empty {
                <div class="page-state">
                    <Notice icon={Shape::Chart} title="No broadcast yet."
                        text="Go live once, and this page shows who watched, for how long, and how well it played.">
                        <Link to={studio} classes="button button-primary">{ "Go live in the studio" }</Link>
                    </Notice>
                </div>
            } else if let Some(failure) = &snapshot.list_error {
                <Notice icon={Shape::Alert} title="The list of broadcasts didn't come." text={failure.sentence()} />
            } else {
                <Skeleton class="skeleton-hero" />
            }
            if !snapshot.list.is_empty() { { past(&channel.name, &snapshot, more) } }
        </article>
    }
}
