//! The record in SQL.

use super::rules::Filter;
use crate::{
    page::{Place, Wanted},
    store::{Store, StoreError},
};
use shared::{
    audit::{AuditEntry, AuditParty},
    id::ChannelId,
    page::Page,
    unit::Timestamp,
};
use sqlx::{Row, any::AnyRow};
use std::str::FromStr;

/// Reads the record.
#[derive(Debug, Clone)]
pub struct AuditStore(Store);

/// A statement on the columns that [`entry`] reads, newest first. By channel it finds them by an index.
macro_rules! select {
    ($of:literal) => {
        concat!(
            "SELECT id, at, action, actor_id, actor_name, channel_id, channel_name, target_id, target_name, detail, ",
            "address FROM audit_log WHERE ",
            $of,
            " AND (at < $2 OR (at = $2 AND id < $3)) AND at >= $4 AND at < $5 ",
            "AND ($6 = '' OR actor_id = $6 OR actor_name = $6) AND ($7 = '' OR action = $7 OR action LIKE $8) ",
            "AND ($9 = '' OR target_id = $9 OR target_name = $9) ORDER BY at DESC, id DESC LIMIT $10"
        )
    };
}

fn parsed<T: FromStr<Err: ToString>>(row: &AnyRow, column: usize) -> Result<T, StoreError> {
    let text: String = row.try_get(column)?;
    text.parse().map_err(|error: T::Err| StoreError::Row(error.to_string()))
}

fn party(row: &AnyRow, column: usize) -> Result<Option<AuditParty>, StoreError> {
    let id: Option<String> = row.try_get(column)?;
    let name: Option<String> = row.try_get(column + 1)?;
    Ok(id.map(|id| AuditParty { id, name }))
}

fn entry(row: &AnyRow) -> Result<AuditEntry, StoreError> {
    Ok(AuditEntry {
        id: parsed(row, 0)?,
        at: Timestamp::from_millis(row.try_get(1)?),
        action: parsed(row, 2)?,
        actor: party(row, 3)?,
        channel: party(row, 5)?,
        target: party(row, 7)?,
        detail: row.try_get(9)?,
        address: row.try_get(10)?,
    })
}

impl AuditStore {
    /// On this database.
    pub fn new(store: Store) -> Self {
        Self(store)
    }

    /// What was done on one channel or anywhere, newest first.
    pub async fn list(
        &self,
        channel: Option<&ChannelId>,
        filter: &Filter,
        wanted: &Wanted,
    ) -> Result<Page<AuditEntry>, StoreError> {
        let (at, id) = wanted.before();
        let query = match channel {
            Some(channel) => sqlx::query(select!("channel_id = $1")).bind(channel.as_str()),
            None => sqlx::query(select!("$1 = ''")).bind(""),
        };
        let rows = query
            .bind(at)
            .bind(id)
            .bind(filter.since)
            .bind(filter.until)
            .bind(filter.actor.as_str())
            .bind(filter.action.as_str())
            .bind(format!("{}.%", filter.action))
            .bind(filter.target.as_str())
            .bind(wanted.rows())
            .fetch_all(self.0.pool())
            .await?;
        let entries: Result<Vec<AuditEntry>, StoreError> = rows.iter().map(entry).collect();
        Ok(wanted
            .page(entries?, |entry| Place { at: entry.at.as_millis(), id: entry.id.as_str().to_owned() }))
    }

    /// Forgets from where things were done before a time.
    pub async fn forget_addresses(&self, before: Timestamp) -> Result<u64, StoreError> {
        let done = sqlx::query("UPDATE audit_log SET address = NULL WHERE address IS NOT NULL AND at < $1")
            .bind(before.as_millis())
            .execute(self.0.pool())
            .await?;
        Ok(done.rows_affected())
    }
}
