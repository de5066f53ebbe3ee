//! The instance, for those who run it: who may come, who is here, what can be typed everywhere.

use super::{instance_channels::InstanceChannels, joining::Joining, people::People};
use crate::{
    api::use_site,
    browser::page,
    route::{Link, Route},
    ui::{Notice, Shape},
};
use shared::account::{Me, Role};
use std::rc::Rc;
use yew::prelude::*;

/// Properties of [`Admin`].
#[derive(Properties, PartialEq)]
pub struct AdminProps {
    /// Who looks.
    pub me: Rc<Me>,
    /// What manages the emotes of all channels.
    pub emotes: Html,
}

/// The page.
#[component]
pub fn Admin(props: &AdminProps) -> Html {
    let site = use_site();
    use_effect_with(site.name(), |name| page::set_title(&format!("This instance · {name}")));
    if props.me.role == Role::Member {
        return html! {
            <div class="page-state">
                <Notice icon={Shape::Alert} title="This page is for those who run the instance."
                    text="Ask its owner, if you should be one of them." />
            </div>
        };
    }
    html! {
        <article class="settings">
            <h1>{ format!("Run {}", site.name()) }</h1>
            <section class="card" aria-labelledby="joining-title">
                <h2 id="joining-title">{ "Who may come" }</h2>
                <Joining />
            </section>
            <section class="card" aria-labelledby="people-title">
                <h2 id="people-title">{ "People" }</h2>
                <People me={props.me.clone()} />
            </section>
            <section class="card" aria-labelledby="channels-title">
                <h2 id="channels-title">{ "Channels" }</h2>
                <InstanceChannels />
            </section>
            <section class="card" aria-labelledby="emotes-title">
                <h2 id="emotes-title">{ "Emotes of all channels" }</h2>
                { props.emotes.clone() }
            </section>
            <Link to={Route::Audit { channel: None }} classes="button">{ "What was done here" }</Link>
        </article>
    }
}
