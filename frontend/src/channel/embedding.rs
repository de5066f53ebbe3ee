//! Which other sites may show a channel, to be changed by its owner.

use crate::{
    api::{rest, use_site},
    browser,
    ui::{Choice, Select, Tags},
};
use shared::{
    channel::{Channel, EditChannel},
    embed::{Embedding, SITES_MOST, SiteOrigin},
};
use std::rc::Rc;
use yew::prelude::*;

/// Properties of [`EmbeddingRule`].
#[derive(Properties, PartialEq)]
pub struct EmbeddingRuleProps {
    /// As it is.
    pub channel: Rc<Channel>,
}

/// Anywhere, nowhere, or a list of sites. Kept as soon as it is changed.
#[component]
pub fn EmbeddingRule(props: &EmbeddingRuleProps) -> Html {
    let site = use_site();
    let state = use_state(|| "");
    let error = use_state(|| None::<String>);
    let rule = &props.channel.embedding;
    let send = {
        let (site, state, error, name) = (site, state.clone(), error.clone(), props.channel.name.clone());
        Callback::from(move |embedding: Embedding| {
            let (site, state, error, name) = (site.clone(), state.clone(), error.clone(), name.clone());
            state.set("Saving …");
            browser::spawn(async move {
                let edit = EditChannel { embedding: Some(embedding), ..EditChannel::default() };
                match rest::edit_channel(&name, &edit).await {
                    Ok(channel) => {
                        site.put(&channel);
                        error.set(None);
                        state.set("Saved");
                    }
                    Err(failure) => {
                        error.set(Some(failure.sentence()));
                        state.set("");
                    }
                }
            });
        })
    };
    let on_rule = {
        let send = send.clone();
        Callback::from(move |value: String| {
            send.emit(match value.as_str() {
                "nowhere" => Embedding::Nowhere,
                "sites" => Embedding::Sites { sites: Vec::new() },
                _ => Embedding::Anywhere,
            });
        })
    };
    let on_sites = Callback::from(move |texts: Vec<String>| -> Option<String> {
        let parsed: Result<Vec<SiteOrigin>, _> = texts.iter().map(|text| text.parse()).collect();
        match parsed {
            Ok(sites) => {
                send.emit(Embedding::Sites { sites });
                None
            }
            Err(_) => Some(
                "That isn't a site. Write its address as the browser shows it, with https:// and no page behind it, e.g. https://example.org"
                    .to_owned(),
            ),
        }
    });
    let (value, hint) = match rule {
        Embedding::Anywhere => ("anywhere", "Any page on the web can show your player and chat."),
        Embedding::Nowhere => ("nowhere", "Your player and chat show on this server's own pages alone."),
        Embedding::Sites { sites } if sites.is_empty() => {
            ("sites", "No site is on the list yet: until one is, no other page can show them.")
        }
        Embedding::Sites { .. } => ("sites", "Only pages of these sites can show your player and chat."),
    };
    let id = |field: &str| format!("{}-{field}", props.channel.name);
    html! {
        <div class="form" data-testid="embedding">
            <Select id={id("embedding")} label="Who may show your player on other sites" value={value} hint={hint}
                on={on_rule} testid="embedding-rule" choices={vec![
                    Choice::new("anywhere", "Every site"),
                    Choice::new("sites", "Only the sites on my list"),
                    Choice::new("nowhere", "No other site"),
                ]} />
            if let Embedding::Sites { sites } = rule {
                <Tags id={id("sites")} label="Sites" most={SITES_MOST} on={on_sites}
                    tags={sites.iter().map(ToString::to_string).collect::<Vec<_>>()}
                    placeholder="https://example.org"
                    hint="One address for each: https:// and the name, with the port if it has one. www.example.org and example.org are two sites." />
            }
            if let Some(error) = &*error { <p class="field-note field-error" role="alert">{ error }</p> }
            <p class="field-note form-state" role="status" data-testid="embedding-saved">{ *state }</p>
        </div>
    }
}
