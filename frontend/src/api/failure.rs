//! Why a request did not succeed, in words for a person.

use crate::browser::fetch::{Reply, Unreachable};
use shared::problem::Problem;

/// A request that did not succeed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// The server said what is wrong.
    Problem(Box<Problem>),
    /// No answer came.
    Unreachable,
    /// An answer came that isn't Weir's.
    Unexpected(u16),
}

impl Failure {
    /// What a reply that isn't a success says.
    pub fn of(reply: &Reply) -> Self {
        match super::parse::<Problem>(&reply.text) {
            Some(problem) => Self::Problem(Box::new(problem)),
            None => Self::Unexpected(reply.status),
        }
    }

    /// What happened and what to do.
    pub fn sentence(&self) -> String {
        match self {
            Self::Problem(problem) if problem.detail.is_empty() => format!("{}.", problem.title),
            Self::Problem(problem) => problem.detail.clone(),
            Self::Unreachable => {
                "The server can't be reached. Check your connection; this page tries again by itself."
                    .to_owned()
            }
            Self::Unexpected(status) => format!(
                "Something between you and the server answered in its place (status {status}). Try again in a moment."
            ),
        }
    }

    /// The same of something that a person asked for: nothing tries that again by itself.
    pub fn refusal(&self) -> String {
        match self {
            Self::Unreachable => {
                "The server can't be reached. Check your connection, then try again.".to_owned()
            }
            other => other.sentence(),
        }
    }

    /// Whether it may go away by itself.
    pub fn may_pass(&self) -> bool {
        self.status().is_none_or(|status| !(400..500).contains(&status))
    }

    /// The HTTP status, if an answer came.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Problem(problem) => Some(problem.status),
            Self::Unexpected(status) => Some(*status),
            Self::Unreachable => None,
        }
    }

    /// Whether it is the problem of this name.
    pub fn is(&self, name: &str) -> bool {
        matches!(self, Self::Problem(problem) if problem.kind.strip_prefix("/problems/") == Some(name))
    }

    /// Why the signed embed of this page doesn't admit: whether because it has expired. `None` if it is something else.
    pub fn embed_expired(&self) -> Option<bool> {
        let expired = self.is("embed-link-expired");
        (expired || self.is("embed-link-invalid")).then_some(expired)
    }

    /// The field that is at fault, if one is.
    pub fn field(&self) -> Option<&str> {
        match self {
            Self::Problem(problem) => problem.field.as_deref(),
            _ => None,
        }
    }
}

impl From<Unreachable> for Failure {
    fn from(_: Unreachable) -> Self {
        Self::Unreachable
    }
}
