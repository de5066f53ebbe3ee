//! What a channel's page shows beside what is live: its pictures, what it tells of itself at length, and what it plans.

pub mod markdown;
pub mod routes;
pub mod schedule;
pub mod service;
pub mod store;

/// Where on a channel's page a picture is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Beside its name.
    Avatar,
    /// Across its page.
    Banner,
}

impl Place {
    /// As it is kept, and as requests call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Avatar => "avatar",
            Self::Banner => "banner",
        }
    }
}

/// The address of a channel's picture.
pub fn picture_url(hash: &str) -> String {
    format!("/channel-pictures/{hash}")
}
