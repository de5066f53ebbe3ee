//! Polls in a chat: one at a time, a vote a person.

use crate::{id::PollId, unit::Timestamp};
use serde::{Deserialize, Serialize};

/// Options of a poll.
pub const OPTIONS: std::ops::RangeInclusive<usize> = 2..=6;
/// The most characters of a question or an option.
pub const POLL_TEXT_MOST: usize = 100;
/// How long a poll may be open, in seconds.
pub const POLL_SECONDS: std::ops::RangeInclusive<u32> = 10..=3600;

/// `POST /api/v1/channels/{name}/chat/polls` by the owner or a moderator: a poll. Answered 201 with [`Poll`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewPoll {
    /// What is asked, 1 to 100 characters.
    pub question: String,
    /// What can be answered: 2 to 6, each of 1 to 100 characters.
    pub options: Vec<String>,
    /// For how long it is open, 10 to 3,600.
    pub seconds: u32,
}

/// An answer that can be given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct PollOption {
    /// It.
    pub text: String,
    /// How many gave it.
    pub votes: u32,
}

/// A poll, with what was answered so far.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Poll {
    /// Stable.
    pub id: PollId,
    /// What is asked.
    pub question: String,
    /// What can be answered.
    pub options: Vec<PollOption>,
    /// When it ends by itself.
    pub ends_at: Timestamp,
    /// It is over.
    pub ended: bool,
}

/// `POST /api/v1/channels/{name}/chat/polls/{id}/votes`: a vote, of whoever may write. It stands, and counts once: of guests, once
/// a network. Answered with [`Voted`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Vote {
    /// Which option, counted from 0.
    pub option: u32,
}

/// The vote that stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Voted {
    /// Which option, counted from 0: the one that was given first.
    pub option: u32,
}
