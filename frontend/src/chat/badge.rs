//! Badges as they are drawn beside a name: an icon, a few letters, or the channel's own picture. Each says in words what it is.

use super::text_state;
use crate::ui::{Shape, named_icon};
use shared::{
    chat::{Badge, BadgePicture, FollowAge, NameColour},
    id::PersonId,
    subscription::Tier,
};
use yew::prelude::*;

/// What a badge says of somebody.
pub fn meaning(badge: Badge) -> &'static str {
    match badge {
        Badge::Owner => "Owner",
        Badge::Moderator => "Moderator",
        Badge::Vip => "VIP",
        Badge::Staff => "Staff of this instance",
        Badge::Subscriber(Tier::One) => "Subscriber, tier 1",
        Badge::Subscriber(Tier::Two) => "Subscriber, tier 2",
        Badge::Subscriber(Tier::Three) => "Subscriber, tier 3",
        Badge::Follower(age) => match age {
            FollowAge::New => "Follower",
            FollowAge::Month1 => "Follower for 1 month",
            FollowAge::Months3 => "Follower for 3 months",
            FollowAge::Months6 => "Follower for 6 months",
            FollowAge::Year1 => "Follower for 1 year",
            FollowAge::Years2 => "Follower for 2 years",
            FollowAge::Years3 => "Follower for 3 years",
            FollowAge::Years5 => "Follower for 5 years",
        },
        Badge::Guest => "Guest",
    }
}

/// How long, in as few letters as fit; none of who is new.
fn short(age: FollowAge) -> Option<&'static str> {
    Some(match age {
        FollowAge::New => return None,
        FollowAge::Month1 => "1m",
        FollowAge::Months3 => "3m",
        FollowAge::Months6 => "6m",
        FollowAge::Year1 => "1y",
        FollowAge::Years2 => "2y",
        FollowAge::Years3 => "3y",
        FollowAge::Years5 => "5y",
    })
}

/// A badge. `own` are the channel's own pictures.
pub fn badge(badge: Badge, own: &[BadgePicture]) -> Html {
    let words = meaning(badge);
    let drawn = |class: &'static str, shape: Shape| {
        html! { <span class={classes!("chat-badge", class)} title={words}>{ named_icon(shape, words) }</span> }
    };
    match badge {
        Badge::Owner => drawn("chat-badge-owner", Shape::Star),
        Badge::Moderator => drawn("chat-badge-moderator", Shape::Shield),
        Badge::Vip => drawn("chat-badge-vip", Shape::Gem),
        Badge::Staff => drawn("chat-badge-staff", Shape::Gear),
        Badge::Subscriber(tier) => {
            let own = own.iter().find(|one| one.tier == tier).filter(|one| text_state::is_own(&one.url));
            match own {
                Some(BadgePicture { url, .. }) => picture(url, words),
                None => match tier {
                    Tier::One => drawn("chat-badge-subscriber", Shape::Heart),
                    Tier::Two => drawn("chat-badge-subscriber chat-badge-two", Shape::Heart),
                    Tier::Three => drawn("chat-badge-subscriber chat-badge-three", Shape::Heart),
                },
            }
        }
        Badge::Follower(age) => match short(age) {
            None => drawn("chat-badge-follower", Shape::Bell),
            Some(short) => html! {
                <span class="chat-badge chat-badge-age" role="img" aria-label={words} title={words}>{ short }</span>
            },
        },
        Badge::Guest => drawn("chat-badge-guest", Shape::Person),
    }
}

/// A picture of the channel's own. One that moves stands still for who wants less motion.
fn picture(url: &str, words: &'static str) -> Html {
    let image = html! {
        <img class="chat-badge chat-badge-own" src={url.to_owned()} alt={words} title={words} height="18" decoding="async" />
    };
    match text_state::still(url) {
        Some(still) => html! {
            <picture><source srcset={still} media="(prefers-reduced-motion: reduce)" />{ image }</picture>
        },
        None => image,
    }
}

/// The colour of somebody's name, for the attribute `style`.
pub fn colour(chosen: Option<NameColour>, person: &PersonId) -> String {
    format!("color:var(--name-{})", text_state::name_colour(chosen, person.as_str()))
}

/// Badges with what they say, as on a card.
pub fn said(badges: &[Badge], own: &[BadgePicture]) -> Html {
    let one = |of: &Badge| {
        // The words are beside it: said once is enough.
        html! { <li><span aria-hidden="true">{ badge(*of, own) }</span>{ meaning(*of) }</li> }
    };
    html! {
        if !badges.is_empty() {
            <ul class="plain-list chat-badges" aria-label="Badges" data-testid="chat-badges">{ for badges.iter().map(one) }</ul>
        }
    }
}
