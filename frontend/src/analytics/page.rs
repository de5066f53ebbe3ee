//! The analytics of a channel: one broadcast open, and the list of all.

use super::{
    dashboard::Dashboard,
    feed::use_steps,
    list::{Past, use_broadcasts},
};
use crate::{
    api::use_site,
    browser::page,
    route::Route,
    ui::{Notice, Shape, Skeleton},
};
use shared::{channel::Channel, id::BroadcastId};
use std::rc::Rc;
use yew::prelude::*;
use yew_router::prelude::*;

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
    let site = use_site().name();
    use_effect_with(site, |name| page::set_title(&format!("Analytics · {name}")));
    let channel = &props.channel;
    let step = use_steps(&channel.name);
    let list = use_broadcasts(&channel.name, step.as_deref());
    let wanted = props.broadcast.as_ref().map(|id| id.parse::<BroadcastId>());
    let first = list.items.first().map(|summary| summary.stream_id.clone());
    let open = match &wanted {
        Some(Ok(id)) => Some(id.clone()),
        Some(Err(_)) => None,
        None => first,
    };
    let studio = Route::StudioOf { channel: channel.name.to_string() };
    let empty = list.loaded && list.items.is_empty();
    html! {
        <article class="analytics">
            <header class="analytics-head">
                <h1>{ "Analytics" }</h1>
                { props.switch.clone() }
                <Link<Route> to={studio.clone()} classes="button button-bare"><span>{ "Studio" }</span></Link<Route>>
            </header>
            if let Some(id) = &open {
                <Dashboard key={id.to_string()} channel={channel.name.clone()} id={id.clone()} step={step.clone()} />
            } else if wanted.is_some() {
                <Notice icon={Shape::Alert} title="There is no broadcast here." text="Check the address, or pick one from the list." />
            } else if empty {
                <div class="page-state">
                    <Notice icon={Shape::Chart} title="No broadcast yet."
                        text="Go live once, and this page shows who watched, for how long, and how well it played.">
                        <Link<Route> to={studio} classes="button button-primary">{ "Go live in the studio" }</Link<Route>>
                    </Notice>
                </div>
            } else if let Some(failure) = &list.error {
                <Notice icon={Shape::Alert} title="The list of broadcasts didn't come." text={failure.sentence()} />
            } else {
                <Skeleton class="skeleton-figures" />
            }
            if !list.items.is_empty() {
                <Past channel={channel.name.clone()} list={list} open={open} />
            }
        </article>
    }
}
