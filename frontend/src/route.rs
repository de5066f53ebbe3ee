//! Every page and its address.

use std::collections::HashMap;
use yew_router::prelude::*;

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
    /// Chat alone: in a window or a frame of its own, or over a picture.
    Chat {
        /// Whose.
        channel: String,
    },
    /// Anything else.
    NotFound,
}

/// By hand: what the macro derives brings a matcher of patterns with it, which weighs more than a page.
impl Routable for Route {
    fn from_path(path: &str, _: &HashMap<&str, &str>) -> Option<Self> {
        Self::recognize(path)
    }

    fn to_path(&self) -> String {
        match self {
            Self::Home => "/".to_owned(),
            Self::Studio => "/studio".to_owned(),
            Self::StudioOf { channel } => format!("/studio/{channel}"),
            Self::SignIn => "/sign-in".to_owned(),
            Self::SetUp => "/set-up".to_owned(),
            Self::Settings => "/settings".to_owned(),
            Self::Analytics { channel, broadcast } => {
                let parts = [channel, broadcast].into_iter().flatten();
                parts.fold("/analytics".to_owned(), |path, part| path + "/" + part)
            }
            Self::Channel { channel } => format!("/{channel}"),
            Self::Chat { channel } => format!("/embed/{channel}/chat"),
            Self::NotFound => "/404".to_owned(),
        }
    }

    fn routes() -> Vec<&'static str> {
        vec![
            "/",
            "/studio",
            "/studio/:channel",
            "/sign-in",
            "/set-up",
            "/settings",
            "/analytics",
            "/:channel",
            "/embed/:channel/chat",
            "/404",
        ]
    }

    fn not_found_route() -> Option<Self> {
        Some(Self::NotFound)
    }

    fn recognize(pathname: &str) -> Option<Self> {
        let path = pathname.trim_matches('/');
        let (first, rest) = path.split_once('/').map_or((path, None), |(first, rest)| (first, Some(rest)));
        Some(match (first, rest) {
            ("", None) => Self::Home,
            ("studio", None) => Self::Studio,
            ("studio", Some(channel)) if !channel.contains('/') => {
                Self::StudioOf { channel: channel.to_owned() }
            }
            ("embed", Some(rest)) => match rest.strip_suffix("/chat") {
                Some(channel) if !channel.contains('/') => Self::Chat { channel: channel.to_owned() },
                _ => Self::NotFound,
            },
            ("sign-in", None) => Self::SignIn,
            ("set-up", None) => Self::SetUp,
            ("settings", None) => Self::Settings,
            ("analytics", rest) => {
                let mut parts = rest.into_iter().flat_map(|rest| rest.split('/')).map(str::to_owned);
                let (channel, broadcast) = (parts.next(), parts.next());
                if parts.next().is_some() { Self::NotFound } else { Self::Analytics { channel, broadcast } }
            }
            ("404", None) | (_, Some(_)) => Self::NotFound,
            (channel, None) => Self::Channel { channel: channel.to_owned() },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_is_found_at_its_address() {
        let channel = || "ada".to_owned();
        let pages = [
            Route::Home,
            Route::Studio,
            Route::StudioOf { channel: channel() },
            Route::SignIn,
            Route::SetUp,
            Route::Settings,
            Route::Analytics { channel: None, broadcast: None },
            Route::Analytics { channel: Some(channel()), broadcast: None },
            Route::Analytics { channel: Some(channel()), broadcast: Some("b1".to_owned()) },
            Route::Channel { channel: channel() },
            Route::Chat { channel: channel() },
            Route::NotFound,
        ];
        for page in pages {
            assert_eq!(Route::recognize(&page.to_path()), Some(page));
        }
        assert_eq!(Route::recognize("/ada/"), Some(Route::Channel { channel: channel() }));
        for wrong in [
            "/a/b/c",
            "/settings/x",
            "/studio/a/b",
            "/analytics/a/b/c",
            "/ada/videos",
            "/embed/a/b/chat",
            "/embed/chat",
        ] {
            assert_eq!(Route::recognize(wrong), Some(Route::NotFound), "{wrong}");
        }
    }
}
