//! The composition root: what surrounds every page, and which program has which.

pub mod backstage;
pub mod front;

use crate::{
    api::{ApiProvider, Site, Who, use_bell, use_reachable, use_site},
    browser::{page, storage},
    route::{Link, Route, go, use_route},
    ui::{IconButton, Item, Menu, Notice, Shape, Skeleton, Toasts, icon, portrait, word_mark},
};
use shared::account::{Me, Role};
use std::rc::Rc;
use yew::prelude::*;

const THEME: &str = "weir.theme";

/// Some of the pages, as one program: who opens one of them loads these and no others.
trait Program: 'static {
    /// A page; none for one that another program has, or nobody.
    fn show(route: Route) -> Option<Html>;

    /// What stands beside it on a wide screen.
    fn beside(_route: &Route) -> Option<Html> {
        None
    }

    /// A page for a window or frame of its own, which has nothing around it.
    fn alone(_route: &Route) -> Option<Html> {
        None
    }
}

fn start<P: Program>() {
    yew::Renderer::<App<P>>::new().render();
}

#[component]
fn App<P: Program>() -> Html {
    html! {
        <ApiProvider>
            <Toasts><Shell<P> /></Toasts>
        </ApiProvider>
    }
}

#[component]
fn Shell<P: Program>() -> Html {
    let route = use_route();
    let reachable = use_reachable();
    let main = use_node_ref();
    let first = use_mut_ref(|| true);
    {
        let main = main.clone();
        use_effect_with(route.clone(), move |_| {
            // A screen reader hears of the new page; the first one it reads by itself.
            if !std::mem::replace(&mut *first.borrow_mut(), false) {
                page::scroll_to_top();
                page::focus(&main);
            }
        });
    }
    let skip = {
        let main = main.clone();
        move |event: MouseEvent| {
            event.prevent_default();
            page::focus(&main);
        }
    };
    if let Some(inside) = P::alone(&route) {
        return html! { <main id="main">{ inside }</main> };
    }
    let watches = matches!(route, Route::Channel { .. });
    let beside = P::beside(&route);
    html! {
        <>
            <a class="skip" href="#main" onclick={skip}>{ "Skip to the content" }</a>
            <Header />
            if !reachable && !watches {
                <p class="away" role="status">{ "Lost the server. Reconnecting … What you see may be old." }</p>
            }
            <div class={classes!("frame", beside.is_some().then_some("frame-rail"))}>
                { beside }
                <main id="main" ref={main} tabindex="-1">{ P::show(route.clone()).unwrap_or_else(nothing) }</main>
            </div>
            <BottomBar route={route} />
        </>
    }
}

fn nothing() -> Html {
    html! {
        <div class="page-state">
            <Notice icon={Shape::Alert} title="There is no page here." text="Check the address, or start at the first page.">
                <Link to={Route::Home} classes="button button-primary">{ "See what is live" }</Link>
            </Notice>
        </div>
    }
}

#[component]
fn Header() -> Html {
    let site = use_site();
    let theme = use_state(|| storage::read(THEME).unwrap_or_default());
    use_effect_with((*theme).clone(), |theme| {
        page::set_theme(Some(theme.as_str()).filter(|theme| ["dark", "light"].contains(theme)));
    });
    let next_theme = {
        let theme = theme.clone();
        Callback::from(move |next: &'static str| {
            storage::write(THEME, next);
            theme.set(next.to_owned());
        })
    };
    let to = |route: Route| Callback::from(move |()| route.open());
    let themes = [
        ("", "Theme: as the system", Shape::Screen),
        ("dark", "Theme: dark", Shape::Moon),
        ("light", "Theme: light", Shape::Sun),
    ];
    let at = themes.iter().position(|(name, ..)| **name == **theme).unwrap_or(0);
    let (next, ..) = themes[(at + 1) % themes.len()];
    let (_, theme_label, theme_icon) = themes[at];
    let on_theme = next_theme.reform(move |()| next);
    let person = match &site.who {
        Who::Unknown => html! { <span class="header-person"></span> },
        Who::Nobody => html! {
            <Link to={Route::SignIn} classes="button button-bare header-person">
                <span data-testid="to-sign-in">{ "Sign in" }</span></Link>
        },
        Who::Somebody(me) => {
            let entry = |label: String, icon, on| Item {
                label: label.into(),
                icon: Some(icon),
                picked: None,
                on: Some(on),
                testid: None,
            };
            let mine = me.channels.iter().take(5).map(|channel| {
                let route = Route::Channel { channel: channel.name.to_string() };
                entry(channel.display_name.to_string(), Shape::Live, to(route))
            });
            let mut items: Vec<Item> = mine.collect();
            if !(me.channels.is_empty() && me.edits.is_empty()) {
                let all = Route::Analytics { channel: None, broadcast: None };
                items.push(entry("Analytics".to_owned(), Shape::Chart, to(all)));
            }
            items.extend(me.moderates.iter().take(20).map(|channel| {
                let route = Route::Moderation { channel: channel.name.to_string() };
                entry(format!("Moderate {}", channel.display_name), Shape::Shield, to(route))
            }));
            let own = Route::Person { name: me.name.to_string() };
            items.push(entry("Your page".to_owned(), Shape::Person, to(own)));
            if me.role != Role::Member {
                items.push(entry("This instance".to_owned(), Shape::People, to(Route::Admin)));
            }
            items.push(entry("Settings".to_owned(), Shape::Gear, to(Route::Settings)));
            html! {
                <div class="header-person">
                    <Menu label={format!("You: {}", me.display_name)} items={items} testid="you">
                        { portrait(me.avatar.as_deref(), me.display_name.as_str(), me.name.as_str(), "small") }
                    </Menu>
                </div>
            }
        }
    };
    html! {
        <header class="header">
            <Link to={Route::Home} classes="brand">
                { word_mark() }<span>{ site.name() }</span>
            </Link>
            <nav class="header-nav" aria-label="Main">
                if site.me().is_some() { <Bell /> }
                <IconButton icon={Shape::Search} label="Search" on={to(Route::Search { query: String::new() })} testid="to-search" />
                <IconButton icon={theme_icon} label={theme_label} on={on_theme} />
                <Link to={Route::Studio} classes="button button-primary header-live">
                    { icon(Shape::Live) }<span>{ "Go live" }</span></Link>
                { person }
            </nav>
        </header>
    }
}

/// The way to what one was told, with how much of it is new.
#[component]
fn Bell() -> Html {
    let unread = use_bell();
    let label = match unread {
        0 => "Notifications".to_owned(),
        1 => "Notifications: 1 is new".to_owned(),
        many => format!("Notifications: {many} are new"),
    };
    html! {
        <Link to={Route::Notifications} classes="icon-button bell">
            { icon(Shape::Bell) }<span class="unseen">{ label }</span>
            if unread > 0 { <span class="bell-count number" aria-hidden="true" data-testid="unread">{ unread.min(99) }</span> }
        </Link>
    }
}

#[derive(Properties, PartialEq)]
struct BottomBarProps {
    route: Route,
}

/// The places there are, on a phone.
#[component]
fn BottomBar(props: &BottomBarProps) -> Html {
    let route = &props.route;
    let is_studio = matches!(route, Route::Studio | Route::StudioOf { .. });
    let search = || Route::Search { query: String::new() };
    let place = |to: Route, here: bool, shape: Shape, label: &'static str| {
        html! {
            <Link to={to} classes={classes!("place", here.then_some("place-here"))}>
                { icon(shape) }<span>{ label }</span>
            </Link>
        }
    };
    html! {
        <nav class="bottom-bar" aria-label="Places">
            { place(Route::Home, *route == Route::Home, Shape::Live, "Live") }
            { place(Route::Following, *route == Route::Following, Shape::Heart, "Following") }
            { place(Route::Studio, is_studio, Shape::Camera, "Studio") }
            { place(search(), *route == search(), Shape::Search, "Search") }
            { place(Route::Settings, matches!(route, Route::Settings | Route::SignIn), Shape::Person, "You") }
        </nav>
    }
}

/// Sends a visitor to sign in, and back here afterwards.
fn sign_in_first() -> Html {
    html! { <ToSignIn /> }
}

#[component]
fn ToSignIn() -> Html {
    use_effect_with((), |()| {
        let back = page::encoded(&page::path_and_query());
        go(&format!("{}?return={back}", Route::SignIn.to_path()), true);
    });
    Html::default()
}

/// Who is signed in; or what to show until it is known, or to somebody who isn't.
fn signed_in(site: &Site) -> Result<Rc<Me>, Html> {
    match &site.who {
        Who::Unknown => Err(html! { <div class="settings"><Skeleton class="skeleton-about" /></div> }),
        Who::Nobody => Err(sign_in_first()),
        Who::Somebody(me) => Ok(me.clone()),
    }
}
