//! What people ask the record, step by step.

use super::{
    Channels,
    rules::{EXPORT_MOST, Filter},
    store::AuditStore,
};
use crate::{
    actor::Actor,
    http::problem::ProblemResponse,
    page::Wanted,
    permission::{Permission, Standings},
    store::Store,
};
use axum::http::StatusCode;
use shared::{
    audit::AuditEntry,
    id::{ChannelId, ChannelName},
    page::Page,
};
use std::sync::Arc;

/// The service; cheap to clone.
#[derive(Clone)]
pub struct Audit {
    store: AuditStore,
    channels: Arc<dyn Channels>,
}

/// What of the record somebody may see.
#[derive(Debug, Clone)]
pub struct View(Option<ChannelId>);

impl Audit {
    /// On this database, with these channels.
    pub fn new(store: Store, channels: Arc<dyn Channels>) -> Self {
        Self { store: AuditStore::new(store), channels }
    }

    /// Where the record is read.
    pub fn store(&self) -> &AuditStore {
        &self.store
    }

    /// All of it, for those who run the instance.
    pub fn whole(&self, who: &Actor) -> Result<View, ProblemResponse> {
        if Standings::of_account(who.role).may(Permission::SeeInstanceAudit) {
            return Ok(View(None));
        }
        Err(ProblemResponse::new(
            StatusCode::FORBIDDEN,
            "not-yours",
            "For those who run the instance",
            "Only those who run this instance may see what was done on it. The owner of a channel may see what was done there.",
        ))
    }

    /// What is of one channel.
    pub async fn of(&self, who: &Actor, channel: &ChannelName) -> Result<View, ProblemResponse> {
        Ok(View(Some(self.channels.audited(who, channel).await?)))
    }

    /// A page of it.
    pub async fn list(
        &self,
        view: &View,
        filter: &Filter,
        wanted: &Wanted,
    ) -> Result<Page<AuditEntry>, ProblemResponse> {
        Ok(self.store.list(view.0.as_ref(), filter, wanted).await?)
    }

    /// As much of it as goes into one file.
    pub async fn export(&self, view: &View, filter: &Filter) -> Result<Vec<AuditEntry>, ProblemResponse> {
        let all = Wanted { after: None, limit: EXPORT_MOST };
        Ok(self.store.list(view.0.as_ref(), filter, &all).await?.items)
    }
}
