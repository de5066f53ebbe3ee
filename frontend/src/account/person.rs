//! What everybody may know of a person.

use super::since;
use crate::{
    api::{text, use_desk, use_site},
    browser::page,
    route::{Link, Route},
    ui::{Notice, Shape, Skeleton, el, portrait, words},
};
use serde_json::Value;
use yew::prelude::*;

/// Properties of [`PersonPage`].
#[derive(Properties, PartialEq)]
pub struct PersonPageProps {
    /// What they sign in with.
    pub name: String,
}

/// Their name, their picture, what they say of themselves, and their channels that anybody may find.
#[component]
pub fn PersonPage(props: &PersonPageProps) -> Html {
    let site = use_site();
    let desk = use_desk(format!("people/{}", page::encoded(&props.name)));
    let title = format!("{} · {}", props.name, site.name());
    use_effect_with(title, |title| page::set_title(title));
    let person = &desk.data;
    if person.is_null() {
        return html! {
            <div class="page-state">
                if desk.is_pending {
                    <Skeleton class="skeleton-about" />
                } else {
                    <Notice icon={Shape::Person} title="Nobody of this name is here."
                        text="Check how it is written. They may have gone, or may not be here any more.">
                        <Link to={Route::Home} classes="button button-primary">{ "See what is live" }</Link>
                    </Notice>
                }
            </div>
        };
    }
    let name = text(person, "name").to_owned();
    let channel = |channel: &Value| {
        let (called, address) = (text(channel, "displayName").to_owned(), text(channel, "name").to_owned());
        let said =
            vec![words("b", "", called.clone()), words("p", "quiet", text(channel, "title").to_owned())];
        html! {
            <li class="login" key={address.clone()}>
                { portrait(channel["avatar"].as_str(), &called, &address, "small") }
                { el("div", "grow", said) }
                <Link to={Route::Channel { channel: address }} classes="button">{ "Open" }
                    <span class="unseen">{ format!(" {called}") }</span></Link>
            </li>
        }
    };
    let channels = person["channels"].as_array().map(Vec::as_slice).unwrap_or_default();
    html! {
        <article class="settings">
            <section class="card" aria-label="Who it is" data-testid="person">
                { portrait(person["avatar"].as_str(), &name, &props.name, "small") }
                <h1>{ name.clone() }</h1>
                <p class="quiet">{ format!("@{} · here since {}", text(person, "account"), since(person, "createdAt")) }</p>
                if !text(person, "bio").is_empty() { { words("p", "", text(person, "bio").to_owned()) } }
            </section>
            <section class="card" aria-labelledby="their-channels">
                <h2 id="their-channels">{ "Channels" }</h2>
                if channels.is_empty() {
                    { words("p", "quiet", "None that anybody may find.") }
                } else {
                    <ul class="plain-list" data-testid="their-channels">{ for channels.iter().map(channel) }</ul>
                }
            </section>
        </article>
    }
}
