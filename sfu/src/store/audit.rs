//! Writing down what was done, in the very transaction in which it is done. Read by `audit`; told to webhooks that want it.

use super::{StoreError, outbox};
use crate::{actor::Actor, fresh};
use serde_json::json;
use shared::{
    audit::AuditAction,
    id::{AccountId, ChannelId, EventId},
    webhook::WebhookKind,
};
use sqlx::{AnyConnection, Row};
use std::net::IpAddr;

/// What is kept of the words.
const DETAIL_MOST: usize = 500;

/// Something that was done.
#[derive(Debug)]
pub struct Entry<'a> {
    action: AuditAction,
    actor: Option<&'a AccountId>,
    address: Option<IpAddr>,
    channel: Option<&'a ChannelId>,
    target: Option<&'a str>,
    target_name: Option<&'a str>,
    detail: String,
}

impl<'a> Entry<'a> {
    /// Done by somebody, or on the server's own console.
    pub fn new(action: AuditAction, by: Option<&'a Actor>) -> Self {
        Self {
            action,
            actor: by.map(|actor| &actor.account),
            address: by.and_then(|actor| actor.address),
            channel: None,
            target: None,
            target_name: None,
            detail: String::new(),
        }
    }

    /// Done by an account of which no more is known.
    pub fn by_account(action: AuditAction, by: Option<&'a AccountId>) -> Self {
        Self { actor: by, ..Self::new(action, None) }
    }

    /// On a channel.
    #[must_use]
    pub fn on(mut self, channel: &'a ChannelId) -> Self {
        self.channel = Some(channel);
        self
    }

    /// To something, which is found by this id.
    #[must_use]
    pub fn to(mut self, target: &'a str) -> Self {
        self.target = Some(target);
        self
    }

    /// What that is called, where it isn't an account.
    #[must_use]
    pub fn called(mut self, name: &'a str) -> Self {
        self.target_name = Some(name);
        self
    }

    /// The rest in words.
    #[must_use]
    pub fn saying(mut self, detail: impl Into<String>) -> Self {
        self.detail = detail.into().chars().take(DETAIL_MOST).collect();
        self
    }
}

/// Writes an entry down, and for those webhooks that are told of it into the outbox.
pub async fn record(connection: &mut AnyConnection, entry: Entry<'_>) -> Result<(), StoreError> {
    let (id, at): (EventId, _) = (fresh::id(), fresh::now());
    let Entry { action, actor, address, channel, target, target_name, detail } = entry;
    sqlx::query(
        "INSERT INTO audit_log
         (id, at, action, actor_id, actor_name, channel_id, channel_name, target_id, target_name, detail, address)
         VALUES ($1, $2, $3, $4, (SELECT name FROM accounts WHERE id = $4), $5, (SELECT name FROM channels WHERE id = $5),
         $6, COALESCE($7, (SELECT name FROM accounts WHERE id = $6)), $8, $9)",
    )
    .bind(id.as_str())
    .bind(at.as_millis())
    .bind(action.name())
    .bind(actor.map(|id| id.as_str().to_owned()))
    .bind(channel.map(|id| id.as_str().to_owned()))
    .bind(target.map(str::to_owned))
    .bind(target_name.map(str::to_owned))
    .bind(detail.as_str())
    .bind(address.map(|address| address.to_canonical().to_string()))
    .execute(&mut *connection)
    .await?;
    let Some(channel) = channel else { return Ok(()) };
    let kind = WebhookKind::ActionTaken;
    let Some(name) = outbox::wanted(connection, channel, kind).await? else { return Ok(()) };
    let row = sqlx::query("SELECT actor_name, target_name FROM audit_log WHERE id = $1")
        .bind(id.as_str())
        .fetch_one(&mut *connection)
        .await?;
    let party = |id: Option<&str>, column: usize| -> Result<_, StoreError> {
        let name: Option<String> = row.try_get(column)?;
        Ok(id.map(|id| json!({ "id": id, "name": name })))
    };
    let actor = party(actor.map(AccountId::as_str), 0)?;
    let data = json!({ "action": action, "actor": actor, "target": party(target, 1)?, "detail": detail });
    outbox::put_for(connection, channel, &name, (id.as_str(), kind, at), data).await
}
