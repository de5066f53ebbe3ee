//! Ways to pass a channel on: its address, and the code that shows it on other pages.

use crate::{
    browser::page,
    ui::{CopyField, Dialog},
};
use shared::{
    channel::{Channel, Visibility},
    embed::Embedding,
};
use yew::prelude::*;

/// A dialog with what there is to copy; `mine` if the owner looks at it.
pub fn share(channel: &Channel, mine: bool, on_close: Callback<()>) -> Html {
    let (origin, name) = (page::origin(), &channel.name);
    // A channel's name is letters, digits, hyphens and underscores: there is nothing to escape.
    let frame = |path: &str, title: &str, width: u32, height: u32| {
        format!(
            "<iframe src=\"{origin}/embed/{path}\" width=\"{width}\" height=\"{height}\" title=\"{title}\" \
             allow=\"autoplay; fullscreen; picture-in-picture\" allowfullscreen loading=\"lazy\" style=\"border:0\"></iframe>"
        )
    };
    let player = frame(name.as_str(), &format!("{name}, live on Weir"), 640, 360);
    let chat = frame(&format!("{name}/chat"), &format!("Chat of {name}"), 340, 600);
    let script = format!(
        "<script src=\"{origin}/embed.js\" async></script>\n<weir-player channel=\"{name}\"></weir-player>"
    );
    let rule = match &channel.embedding {
        _ if channel.visibility == Visibility::Private => {
            Some("This channel is private: only its owner can watch it.".to_owned())
        }
        Embedding::Anywhere => None,
        Embedding::Nowhere => {
            Some("This channel's player shows on no other site: its owner wants it so.".to_owned())
        }
        Embedding::Sites { sites } if sites.is_empty() => {
            Some("This channel's player shows on no other site yet.".to_owned())
        }
        Embedding::Sites { sites } => {
            let list: Vec<&str> = sites.iter().map(|site| site.as_str()).collect();
            Some(format!("Only these sites can show the player: {}.", list.join(", ")))
        }
    };
    let shows = channel.embedding != Embedding::Nowhere && channel.visibility != Visibility::Private;
    let fields = [
        ("share-link", "Link", format!("{origin}/{name}"), 1),
        ("share-frame", "Player in an iframe", player, 3),
        ("share-script", "Player as a tag, which fits its place", script, 3),
        ("share-chat", "Chat in an iframe", chat, 3),
    ];
    let field = |(id, label, value, rows): (&'static str, &'static str, String, u32)| {
        html! { <CopyField id={id} label={label} value={value} rows={rows} testid={id} /> }
    };
    html! {
        <Dialog title={format!("Share {}", channel.display_name)} on_close={on_close}>
            if let Some(rule) = rule {
                <p class="callout" data-testid="share-rule">
                    { rule }{ if mine { " You can change this in the settings." } else { "" } }</p>
            }
            { for fields.into_iter().take(if shows { 4 } else { 1 }).map(field) }
        </Dialog>
    }
}
