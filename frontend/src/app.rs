//! The composition root: which page shows what, and what surrounds every page.

use crate::{
    account::{SetUpPage, Settings, SignInPage},
    analytics::Analytics,
    api::{ApiProvider, Site, Who, use_reachable, use_site},
    browser::{history, page, storage},
    channel::{CreateForm, Details, Home, Rail},
    chat::{ChatPanel, Moderation, Place},
    publish::{ObsCard, Studio},
    route::{Link, Route, use_route},
    ui::{
        Choice, IconButton, Item, Menu, Notice, Select, Shape, Skeleton, Toasts, icon, monogram, word_mark,
    },
    watch::ChannelPage,
};
use shared::{account::Me, channel::Channel, id::ChannelName};
use std::rc::Rc;
use yew::prelude::*;

const THEME: &str = "weir.theme";

/// Starts the app in the page's body.
pub fn start() {
    yew::Renderer::<App>::new().render();
}

#[component]
fn App() -> Html {
    html! {
        <ApiProvider>
            <Toasts><Shell /></Toasts>
        </ApiProvider>
    }
}

#[component]
fn Shell() -> Html {
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
    // A window or frame of its own has nothing around it.
    if let Route::Chat { channel } = &route {
        let place = if page::query("overlay").is_some() { Place::Over } else { Place::Alone };
        let inside = match channel.parse::<ChannelName>() {
            Ok(channel) => html! { <ChatPanel channel={channel} place={place} /> },
            Err(_) => html! { <p class="chat-state">{ "There is no channel here. Check the address." }</p> },
        };
        return html! { <main id="main">{ inside }</main> };
    }
    let watches = matches!(route, Route::Channel { .. });
    let has_rail = matches!(route, Route::Home | Route::Channel { .. } | Route::NotFound);
    html! {
        <>
            <a class="skip" href="#main" onclick={skip}>{ "Skip to the content" }</a>
            <Header />
            if !reachable && !watches {
                <p class="away" role="status">{ "Lost the server. Reconnecting … What you see may be old." }</p>
            }
            <div class={classes!("frame", has_rail.then_some("frame-rail"))}>
                if has_rail { <Rail /> }
                <main id="main" ref={main} tabindex="-1">{ show(route.clone()) }</main>
            </div>
            <BottomBar route={route} />
        </>
    }
}

fn show(route: Route) -> Html {
    match route {
        Route::Home => html! { <Home /> },
        Route::Studio => html! { <OwnPage studio=true /> },
        Route::StudioOf { channel } => html! { <OwnPage studio=true channel={channel} /> },
        Route::SignIn => html! { <SignInPage /> },
        Route::SetUp => html! { <SetUpPage /> },
        Route::Settings => html! { <SettingsPage /> },
        Route::Analytics { channel, broadcast } => {
            html! { <OwnPage studio=false channel={channel} broadcast={broadcast} /> }
        }
        Route::Channel { channel } => {
            let chat = Callback::from(|(channel, on_hide): (ChannelName, Callback<()>)| {
                html! { <ChatPanel channel={channel} place={Place::Beside} on_hide={on_hide} /> }
            });
            html! { <ChannelPage key={channel.clone()} name={channel.clone()} chat={chat} /> }
        }
        Route::Moderation { channel } => match channel.parse::<ChannelName>() {
            Ok(channel) => html! { <Moderation key={channel.to_string()} channel={channel.clone()} /> },
            Err(_) => show(Route::NotFound),
        },
        // Shown without what surrounds the other pages.
        Route::Chat { .. } => Html::default(),
        Route::NotFound => html! {
            <div class="page-state">
                <Notice icon={Shape::Alert} title="There is no page here." text="Check the address, or start at the first page.">
                    <Link to={Route::Home} classes="button button-primary">{ "See what is live" }</Link>
                </Notice>
            </div>
        },
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
    let go = |route: Route| Callback::from(move |()| route.open());
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
                entry(channel.display_name.to_string(), Shape::Live, go(route))
            });
            let mut items: Vec<Item> = mine.collect();
            if !me.channels.is_empty() {
                let all = Route::Analytics { channel: None, broadcast: None };
                items.push(entry("Analytics".to_owned(), Shape::Chart, go(all)));
            }
            items.push(entry("Settings".to_owned(), Shape::Gear, go(Route::Settings)));
            html! {
                <div class="header-person">
                    <Menu label={format!("You: {}", me.display_name)} items={items} testid="you">
                        { monogram(&me.display_name.to_string(), &me.name.to_string(), "small") }
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
                <IconButton icon={theme_icon} label={theme_label} on={on_theme} />
                <Link to={Route::Studio} classes="button button-primary header-live">
                    { icon(Shape::Live) }<span>{ "Go live" }</span></Link>
                { person }
            </nav>
        </header>
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
            { place(Route::Studio, is_studio, Shape::Camera, "Studio") }
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
        history::replace(&format!("{}?return={back}", Route::SignIn.to_path()));
    });
    Html::default()
}

/// One of the visitor's own channels, with a way to another one if there are several; or what to show in its place.
fn own_channel(
    site: &Site,
    wanted: Option<&str>,
    only: &'static str,
    home: Route,
    other: Callback<String>,
) -> Result<(Rc<Channel>, Html), Html> {
    let me = match &site.who {
        Who::Unknown => return Err(html! { <div class="studio"><Skeleton class="skeleton-hero" /></div> }),
        Who::Nobody => return Err(sign_in_first()),
        Who::Somebody(me) => me,
    };
    let Some(channel) = pick(me, wanted) else {
        return Err(match wanted {
            Some(_) => html! {
                <div class="page-state">
                    <Notice icon={Shape::Alert} title="This channel isn't yours." text={only}>
                        <Link to={home} classes="button button-primary">{ "Go to yours" }</Link>
                    </Notice>
                </div>
            },
            None => html! {
                <div class="page-state">
                    <section class="card sheet">
                        <h1>{ "Make your channel" }</h1>
                        <p class="quiet">{ "It is the address where people watch you." }</p>
                        <CreateForm />
                    </section>
                </div>
            },
        });
    };
    let switch = if me.channels.len() > 1 {
        let choices: Vec<_> =
            me.channels.iter().map(|one| Choice::new(one.name.as_str(), one.display_name.as_str())).collect();
        html! { <Select id="own-channel" label="Channel" value={channel.name.to_string()} choices={choices} on={other} /> }
    } else {
        Html::default()
    };
    Ok((channel, switch))
}

/// A page about one of the visitor's own channels.
#[derive(Properties, PartialEq)]
struct OwnPageProps {
    /// To go live on it; or who watched it.
    studio: bool,
    #[prop_or_default]
    channel: Option<AttrValue>,
    #[prop_or_default]
    broadcast: Option<AttrValue>,
}

#[component]
fn OwnPage(props: &OwnPageProps) -> Html {
    let site = use_site();
    let (studio, title) = (props.studio, if props.studio { "Studio" } else { "Analytics" });
    use_effect_with((title, site.name()), |(title, name)| page::set_title(&format!("{title} · {name}")));
    let at = move |channel: Option<String>| match channel {
        channel if !studio => Route::Analytics { channel, broadcast: None },
        Some(channel) => Route::StudioOf { channel },
        None => Route::Studio,
    };
    let other = Callback::from(move |name: String| at(Some(name)).open());
    let only = if studio { "Only its owner can go live on it." } else { "Only its owner sees who watched." };
    let (channel, switch) = match own_channel(&site, props.channel.as_deref(), only, at(None), other) {
        Ok(own) => own,
        Err(instead) => return instead,
    };
    let key = channel.name.to_string();
    if studio {
        let details = html! { <Details channel={channel.clone()} /> };
        let chat = html! {
            <div class="studio-chat"><ChatPanel channel={channel.name.clone()} place={Place::Beside} /></div>
        };
        html! { <Studio key={key} channel={channel} details={details} chat={chat} switch={switch} /> }
    } else {
        html! { <Analytics key={key} channel={channel} broadcast={props.broadcast.clone()} switch={switch} /> }
    }
}

fn pick(me: &Me, wanted: Option<&str>) -> Option<Rc<Channel>> {
    let found = match wanted {
        Some(name) => me.channels.iter().find(|channel| channel.name.as_str() == name.to_ascii_lowercase()),
        None => me.channels.first(),
    };
    found.cloned().map(Rc::new)
}

#[component]
fn SettingsPage() -> Html {
    let site = use_site();
    let me = match &site.who {
        Who::Unknown => return html! { <div class="settings"><Skeleton class="skeleton-about" /></div> },
        Who::Nobody => return sign_in_first(),
        Who::Somebody(me) => me.clone(),
    };
    let channel = |(at, channel): (usize, &Channel)| {
        html! {
            <details class="card more" key={channel.id.to_string()} open={at == 0}>
                <summary>
                    <h2>{ channel.display_name.as_str() }<span class="quiet">{ format!("/{}", channel.name) }</span></h2>
                </summary>
                <Details channel={Rc::new(channel.clone())} full=true />
                <details class="more"><summary>{ "Stream key and OBS" }</summary>
                    <ObsCard channel={channel.name.clone()} /></details>
            </details>
        }
    };
    let channels = html! {
        <>
            { for me.channels.iter().enumerate().map(channel) }
            <section class="card" aria-labelledby="another-title">
                <h2 id="another-title">{ if me.channels.is_empty() { "Make your channel" } else { "Make another channel" } }</h2>
                <CreateForm />
            </section>
        </>
    };
    html! { <Settings me={me.clone()} channels={channels} /> }
}
