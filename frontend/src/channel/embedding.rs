//! Which other sites may show a channel: the part of its form about that.

use crate::ui::{Choice, Select, Tags};
use shared::{
    channel::{Channel, EditChannel},
    embed::{Embedding, SITES_MOST, SiteOrigin},
};
use yew::prelude::*;

/// Anywhere, nowhere, or a list of sites.
pub fn embedding(channel: &Channel, on: &Callback<EditChannel>) -> Html {
    let send = on.reform(|rule| EditChannel { embedding: Some(rule), ..EditChannel::default() });
    let on_rule = send.reform(|value: String| match value.as_str() {
        "nowhere" => Embedding::Nowhere,
        "sites" => Embedding::Sites { sites: Vec::new() },
        _ => Embedding::Anywhere,
    });
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
    let (value, hint) = match &channel.embedding {
        Embedding::Anywhere => ("anywhere", "Any page on the web can show your player and chat."),
        Embedding::Nowhere => ("nowhere", "Your player and chat show on this server's own pages alone."),
        Embedding::Sites { sites } if sites.is_empty() => {
            ("sites", "No site is on the list yet: until one is, no other page can show them.")
        }
        Embedding::Sites { .. } => ("sites", "Only pages of these sites can show your player and chat."),
    };
    let id = |field: &str| format!("{}-{field}", channel.name);
    html! {
        <>
            <Select id={id("embedding")} label="Who may show your player on other sites" value={value} hint={hint}
                on={on_rule} testid="embedding-rule" choices={vec![
                    Choice::new("anywhere", "Every site"),
                    Choice::new("sites", "Only the sites on my list"),
                    Choice::new("nowhere", "No other site"),
                ]} />
            if let Embedding::Sites { sites } = &channel.embedding {
                <Tags id={id("sites")} label="Sites" most={SITES_MOST} on={on_sites}
                    tags={sites.iter().map(ToString::to_string).collect::<Vec<_>>()}
                    placeholder="https://example.org"
                    hint="One address for each: https:// and the name, with the port if it has one. www.example.org and example.org are two sites." />
            }
        </>
    }
}
