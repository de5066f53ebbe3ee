//! Who asks, in the words that every capability's rules share.

use shared::{account::Role, id::AccountId};
use std::net::IpAddr;

/// A signed-in person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// Their account.
    pub account: AccountId,
    /// What it may do on this instance.
    pub role: Role,
    /// From where they ask, where the instance keeps that beside what they do.
    pub address: Option<IpAddr>,
}

/// What somebody shows to get in, not looked at yet: a signed embed, or the passes in their cookie, which they were given when
/// they entered private channels.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Embed<'a> {
    /// Its token, or all passes.
    pub token: &'a str,
    /// It admitted this one before, to what now goes on: that it expired meanwhile is no matter.
    pub goes_on: bool,
}

impl std::fmt::Debug for Embed<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Embed(…)")
    }
}

/// Why a signed embed doesn't admit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EmbedError {
    /// It is none, is another channel's, was changed, or its key was replaced: which of them is not told.
    #[error("the signed embed is not valid")]
    Invalid,
    /// It was good.
    #[error("the signed embed has expired")]
    Expired,
}

/// Who wants to see a channel: somebody signed in, somebody who shows what lets in, or anybody.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Visitor<'a> {
    /// Signed in.
    pub actor: Option<&'a Actor>,
    /// With a signed embed or passes.
    pub embed: Option<Embed<'a>>,
}

impl<'a> From<Option<&'a Actor>> for Visitor<'a> {
    fn from(actor: Option<&'a Actor>) -> Self {
        Self { actor, embed: None }
    }
}
