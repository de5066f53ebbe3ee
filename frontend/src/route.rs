//! Every page and its address, and the ways from one to another.

use crate::browser::{history, page};
use yew::prelude::*;

/// A page.
#[derive(Debug, Clone, PartialEq)]
pub enum Route {
    /// What is live.
    Home,
    /// To go live.
    Studio,
    /// To go live on one of several channels.
    StudioOf {
        /// Which.
        channel: String,
    },
    /// To sign in.
    SignIn,
    /// What one was told.
    Notifications,
    /// Where links in letters lead.
    Letter {
        /// It confirms an address; or else it unsubscribes.
        confirms: bool,
    },
    /// What one follows.
    Following,
    /// To look for channels.
    Search {
        /// What is looked for, as the address has it: `q=`, `category=` or `tag=`.
        query: String,
    },
    /// What everybody may know of a person.
    Person {
        /// What they sign in with.
        name: String,
    },
    /// To get a new password: to ask for a link, and where it leads.
    ResetPassword,
    /// To make an account.
    SignUp,
    /// To choose a name, coming from the provider.
    NewName,
    /// To run the instance.
    Admin,
    /// What was done.
    Audit {
        /// On which channel; on the instance if absent.
        channel: Option<String>,
    },
    /// To make the owner's account, from the link in the console.
    SetUp,
    /// Account, logins, channels.
    Settings,
    /// Who watched.
    Analytics {
        /// On which channel; the first of one's own if absent.
        channel: Option<String>,
        /// Which broadcast; the live or last one if absent.
        broadcast: Option<String>,
    },
    /// To watch.
    Channel {
        /// Which.
        channel: String,
    },
    /// To moderate a channel's chat.
    Moderation {
        /// Whose.
        channel: String,
    },
    /// Chat alone: in a window or a frame of its own, or over a picture.
    Chat {
        /// Whose.
        channel: String,
    },
    /// Anything else.
    NotFound,
}

impl Route {
    /// Goes there; back leads here again.
    pub fn open(&self) {
        go(&self.to_path(), false);
    }

    /// The page's address on this site.
    pub fn to_path(&self) -> String {
        match self {
            Self::Home => "/".to_owned(),
            Self::Studio => "/studio".to_owned(),
            Self::StudioOf { channel } => format!("/studio/{channel}"),
            Self::SignIn => "/sign-in".to_owned(),
            Self::Notifications => "/notifications".to_owned(),
            Self::Letter { confirms: true } => "/confirm-email".to_owned(),
            Self::Letter { confirms: false } => "/unsubscribe".to_owned(),
            Self::Following => "/following".to_owned(),
            Self::Search { query } if query.is_empty() => "/search".to_owned(),
            Self::Search { query } => format!("/search?{query}"),
            Self::Person { name } => format!("/people/{name}"),
            Self::ResetPassword => "/reset-password".to_owned(),
            Self::SignUp => "/sign-up".to_owned(),
            Self::NewName => "/sign-up/name".to_owned(),
            Self::Admin => "/admin".to_owned(),
            Self::Audit { channel: None } => "/admin/audit".to_owned(),
            Self::Audit { channel: Some(channel) } => format!("/settings/audit/{channel}"),
            Self::SetUp => "/set-up".to_owned(),
            Self::Settings => "/settings".to_owned(),
            Self::Analytics { channel, broadcast } => {
                let parts = [channel, broadcast].into_iter().flatten();
                parts.fold("/analytics".to_owned(), |path, part| path + "/" + part)
            }
            Self::Channel { channel } => format!("/{channel}"),
            Self::Moderation { channel } => format!("/moderation/{channel}"),
            Self::Chat { channel } => format!("/embed/{channel}/chat"),
            Self::NotFound => "/404".to_owned(),
        }
    }

    /// The page at an address.
    pub fn recognize(pathname: &str) -> Self {
        let path = pathname.trim_matches('/');
        let (first, rest) = path.split_once('/').map_or((path, None), |(first, rest)| (first, Some(rest)));
        match (first, rest) {
            ("", None) => Self::Home,
            ("studio", None) => Self::Studio,
            ("studio", Some(channel)) if !channel.contains('/') => {
                Self::StudioOf { channel: channel.to_owned() }
            }
            ("embed", Some(rest)) => match rest.strip_suffix("/chat") {
                Some(channel) if !channel.contains('/') => Self::Chat { channel: channel.to_owned() },
                _ => Self::NotFound,
            },
            ("moderation", Some(channel)) if !channel.contains('/') => {
                Self::Moderation { channel: channel.to_owned() }
            }
            ("sign-in", None) => Self::SignIn,
            ("notifications", None) => Self::Notifications,
            ("confirm-email", None) => Self::Letter { confirms: true },
            ("unsubscribe", None) => Self::Letter { confirms: false },
            ("following", None) => Self::Following,
            // The page reads the rest of its address itself.
            ("search", None) => Self::Search { query: String::new() },
            ("people", Some(name)) if !name.contains('/') => Self::Person { name: name.to_owned() },
            ("reset-password", None) => Self::ResetPassword,
            ("sign-up", None) => Self::SignUp,
            ("sign-up", Some("name")) => Self::NewName,
            ("admin", None) => Self::Admin,
            ("admin", Some("audit")) => Self::Audit { channel: None },
            ("settings", Some(rest)) => match rest.strip_prefix("audit/") {
                Some(channel) if !channel.contains('/') => Self::Audit { channel: Some(channel.to_owned()) },
                _ => Self::NotFound,
            },
            ("set-up", None) => Self::SetUp,
            ("settings", None) => Self::Settings,
            ("analytics", rest) => {
                let mut parts = rest.into_iter().flat_map(|rest| rest.split('/')).map(str::to_owned);
                let (channel, broadcast) = (parts.next(), parts.next());
                if parts.next().is_some() { Self::NotFound } else { Self::Analytics { channel, broadcast } }
            }
            ("404", None) | (_, Some(_)) => Self::NotFound,
            (channel, None) => Self::Channel { channel: channel.to_owned() },
        }
    }
}

/// The page that the address names, now and after every move. One component asks and hands it on.
#[hook]
pub fn use_route() -> Route {
    let here = || Route::recognize(&history::path());
    let route = use_state_eq(here);
    let set = route.setter();
    use_effect_with((), move |()| {
        let moved = history::moved({
            let set = set.clone();
            move || set.set(here())
        });
        // What is inside may have gone elsewhere before anyone listened.
        set.set(here());
        move || drop(moved)
    });
    (*route).clone()
}

/// Whether a path is that of a page backstage.
fn is_backstage(path: &str) -> bool {
    let end = path.find(['?', '#']).unwrap_or(path.len());
    let first = path[..end].trim_start_matches('/').split('/').next().unwrap_or_default();
    shared::id::BACKSTAGE.contains(&first.to_ascii_lowercase().as_str())
}

/// Whether an address is one of the other program's, which the browser has to load.
fn is_elsewhere(address: &str) -> bool {
    is_backstage(address) != is_backstage(&history::path())
}

/// Goes to an address of the app, maybe in place of the present one.
pub fn go(address: &str, instead: bool) {
    match (is_elsewhere(address), instead) {
        (true, _) => history::load(address, instead),
        (false, true) => history::replace(address),
        (false, false) => history::push(address),
    }
}

/// Sends a visitor to sign in, and back here afterwards.
pub fn to_sign_in() {
    let back = page::encoded(&page::path_and_query());
    go(&format!("{}?return={back}", Route::SignIn.to_path()), false);
}

/// Where a link leads, and what it looks like.
#[derive(Properties, PartialEq)]
pub struct LinkProps {
    /// The page it opens.
    pub to: Route,
    /// Its CSS classes.
    #[prop_or_default]
    pub classes: Classes,
    /// What it shows.
    pub children: Html,
}

/// A link to a page of the app. With a modifier key, the browser opens it in a tab or window of its own.
#[component]
pub fn Link(props: &LinkProps) -> Html {
    let address = AttrValue::from(props.to.to_path());
    let onclick = {
        let address = address.clone();
        move |event: MouseEvent| {
            let modified = event.meta_key() || event.ctrl_key() || event.shift_key() || event.alt_key();
            // What another program has, the browser loads as it does any page.
            if event.button() == 0 && !modified && !is_elsewhere(&address) {
                event.prevent_default();
                history::push(&address);
            }
        }
    };
    html! { <a class={props.classes.clone()} href={address} onclick={onclick}>{ props.children.clone() }</a> }
}

/// Where to go instead.
#[derive(Properties, PartialEq)]
pub struct RedirectProps {
    /// The page to open.
    pub to: Route,
}

/// Opens another page as soon as it is shown.
#[component]
pub fn Redirect(props: &RedirectProps) -> Html {
    let to = props.to.clone();
    use_effect_with((), move |()| to.open());
    Html::default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_in_one_program() {
        for address in [
            "/studio",
            "/studio/ada",
            "/settings",
            "/admin?x=/",
            "/moderation/ada",
            "/Analytics/ada/x#y",
            "/notifications",
            "/reset-password?token=x",
        ] {
            assert!(is_backstage(address), "{address}");
        }
        for address in ["/", "", "/ada", "/sign-in?return=/studio", "/search#settings", "/embed/studio/chat"]
        {
            assert!(!is_backstage(address), "{address}");
        }
    }

    #[test]
    fn every_page_is_found_at_its_address() {
        let channel = || "ada".to_owned();
        let pages = [
            Route::Home,
            Route::Studio,
            Route::StudioOf { channel: channel() },
            Route::SignIn,
            Route::Notifications,
            Route::Letter { confirms: true },
            Route::Letter { confirms: false },
            Route::Following,
            Route::Search { query: String::new() },
            Route::Person { name: channel() },
            Route::ResetPassword,
            Route::SignUp,
            Route::NewName,
            Route::Admin,
            Route::Audit { channel: None },
            Route::Audit { channel: Some(channel()) },
            Route::SetUp,
            Route::Settings,
            Route::Analytics { channel: None, broadcast: None },
            Route::Analytics { channel: Some(channel()), broadcast: None },
            Route::Analytics { channel: Some(channel()), broadcast: Some("b1".to_owned()) },
            Route::Channel { channel: channel() },
            Route::Chat { channel: channel() },
            Route::Moderation { channel: channel() },
            Route::NotFound,
        ];
        for page in pages {
            assert_eq!(Route::recognize(&page.to_path()), page);
        }
        assert_eq!(Route::recognize("/ada/"), Route::Channel { channel: channel() });
        for wrong in [
            "/a/b/c",
            "/settings/x",
            "/studio/a/b",
            "/analytics/a/b/c",
            "/ada/videos",
            "/embed/a/b/chat",
            "/embed/chat",
            "/moderation/a/b",
            "/people/a/b",
        ] {
            assert_eq!(Route::recognize(wrong), Route::NotFound, "{wrong}");
        }
    }
}
