//! What everybody sees: what is live, a channel, looking for one, and the way in.

use super::{Program, signed_in};
use crate::{
    account::{NewNamePage, PersonPage, SetUpPage, SignInPage, SignUpPage},
    api::use_site,
    browser::page,
    channel::{Door, Follow, FollowingPage, Home, Rail, SearchPage, Subscribe},
    chat::{ChatPanel, Place},
    route::Route,
    watch::ChannelPage,
};
use shared::id::ChannelName;
use yew::prelude::*;

/// Starts it in the page's body.
pub fn start() {
    super::start::<Front>();
}

struct Front;

impl Program for Front {
    fn show(route: Route) -> Option<Html> {
        Some(match route {
            Route::Home => html! { <Home /> },
            Route::SignIn => html! { <SignInPage /> },
            Route::Following => html! { <OwnFollowing /> },
            Route::Search { .. } => html! { <SearchPage /> },
            Route::SignUp => html! { <SignUpPage /> },
            Route::NewName => html! { <NewNamePage /> },
            Route::SetUp => html! { <SetUpPage /> },
            Route::Person { name } => html! { <PersonPage key={name.clone()} name={name.clone()} /> },
            Route::Channel { channel } => {
                let chat = Callback::from(|(channel, on_hide): (ChannelName, Callback<()>)| {
                    html! { <ChatPanel channel={channel} place={Place::Beside} on_hide={on_hide} /> }
                });
                let follow = Callback::from(|(channel, own): (ChannelName, bool)| {
                    html! {
                        <>
                            <Follow channel={channel.clone()} own={own} />
                            if !own { <Subscribe channel={channel} /> }
                        </>
                    }
                });
                let door = Callback::from(|channel: ChannelName| html! { <Door channel={channel} /> });
                html! {
                    <ChannelPage key={channel.clone()} name={channel.clone()} chat={chat} follow={follow} door={door} />
                }
            }
            _ => return None,
        })
    }

    fn beside(route: &Route) -> Option<Html> {
        let has_rail = matches!(
            route,
            Route::Home | Route::Channel { .. } | Route::Following | Route::Search { .. } | Route::NotFound
        );
        has_rail.then(|| html! { <Rail /> })
    }

    fn alone(route: &Route) -> Option<Html> {
        let Route::Chat { channel } = route else { return None };
        let place = if page::query("overlay").is_some() { Place::Over } else { Place::Alone };
        Some(match channel.parse::<ChannelName>() {
            Ok(channel) => html! { <ChatPanel channel={channel} place={place} /> },
            Err(_) => html! { <p class="chat-state">{ "There is no channel here. Check the address." }</p> },
        })
    }
}

#[component]
fn OwnFollowing() -> Html {
    match signed_in(&use_site()) {
        Ok(_) => html! { <FollowingPage /> },
        Err(instead) => instead,
    }
}
