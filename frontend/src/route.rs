//! Every page and its address.

use yew_router::prelude::*;

/// A page.
#[derive(Debug, Clone, PartialEq, Routable)]
pub enum Route {
    /// What is live.
    #[at("/")]
    Home,
    /// To go live.
    #[at("/studio")]
    Studio,
    /// To go live on one of several channels.
    #[at("/studio/:channel")]
    StudioOf {
        /// Which.
        channel: String,
    },
    /// To sign in.
    #[at("/sign-in")]
    SignIn,
    /// To make the owner's account, from the link in the console.
    #[at("/set-up")]
    SetUp,
    /// Account, logins, channels.
    #[at("/settings")]
    Settings,
    /// To watch.
    #[at("/:channel")]
    Channel {
        /// Which.
        channel: String,
    },
    /// Anything else.
    #[not_found]
    #[at("/404")]
    NotFound,
}
