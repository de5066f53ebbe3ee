//! The compact live API: a program announces a broadcast, is told how to begin it, and asks how it stands.

pub mod routes;
pub mod rules;
pub mod service;
pub mod store;

use crate::{actor::Actor, http::problem::ProblemResponse};
use futures_util::future::BoxFuture;
use shared::{id::BroadcastId, live::LiveAnalytics};

/// Who watched a broadcast.
pub trait Figures: Send + Sync + 'static {
    /// For one who manages its channel; `None` while nothing is known of it.
    fn of<'a>(
        &'a self,
        who: &'a Actor,
        id: &'a BroadcastId,
    ) -> BoxFuture<'a, Result<Option<LiveAnalytics>, ProblemResponse>>;
}
