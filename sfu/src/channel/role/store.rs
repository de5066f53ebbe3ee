//! Roles on channels in SQL.

use crate::{
    actor::Actor,
    channel::store::column,
    page::{Place, Wanted},
    store::{
        Store, StoreError,
        audit::{self, Entry},
    },
};
use shared::{
    audit::AuditAction,
    channel::{ChannelRole, ROLES_MOST, RoleHolder},
    id::{AccountId, ChannelId},
    page::Page,
    text::AccountName,
    unit::Timestamp,
};
use sqlx::{AnyConnection, Row, any::AnyRow};

/// Reads and writes roles.
#[derive(Debug, Clone)]
pub struct RoleStore(Store);

/// What became of a wish to give a role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Given {
    /// They have it.
    Done,
    /// Nobody has an account of this name.
    Nobody,
    /// It is the channel's owner.
    IsOwner,
    /// The channel has as many as it may.
    TooMany,
}

/// What became of a wish to make somebody a VIP, or to take that away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Set {
    /// It is so now.
    Changed,
    /// It was so before.
    Same,
    /// Nobody has an account of this name; or it is no VIP that could be taken from it.
    Nobody,
    /// It is the channel's owner.
    IsOwner,
    /// It is an editor, who is left one.
    IsEditor,
    /// The channel has as many roles as it may.
    TooMany,
}

fn text(role: ChannelRole) -> &'static str {
    match role {
        ChannelRole::Editor => "editor",
        ChannelRole::Vip => "vip",
    }
}

fn role(row: &AnyRow, index: usize) -> Result<ChannelRole, StoreError> {
    match row.try_get::<String, _>(index)?.as_str() {
        "editor" => Ok(ChannelRole::Editor),
        "vip" => Ok(ChannelRole::Vip),
        other => Err(StoreError::Row(format!("the role {other}"))),
    }
}

impl RoleStore {
    /// On this database.
    pub fn new(store: Store) -> Self {
        Self(store)
    }

    /// Everybody with a role on a channel.
    pub async fn of(&self, channel: &ChannelId) -> Result<Vec<(AccountId, ChannelRole)>, StoreError> {
        let rows = sqlx::query("SELECT account_id, role FROM channel_roles WHERE channel_id = $1")
            .bind(channel.as_str())
            .fetch_all(self.0.pool())
            .await?;
        rows.iter().map(|row| Ok((column(row, 0)?, role(row, 1)?))).collect()
    }

    /// The same with their names, by what they sign in with.
    pub async fn holders(
        &self,
        channel: &ChannelId,
        wanted: &Wanted,
    ) -> Result<Page<RoleHolder>, StoreError> {
        let after = wanted.after.as_ref().map_or("", |place| place.id.as_str());
        let rows = sqlx::query(
            "SELECT accounts.id, accounts.name, accounts.display_name, channel_roles.role
             FROM channel_roles JOIN accounts ON accounts.id = channel_roles.account_id
             WHERE channel_roles.channel_id = $1 AND accounts.name > $2 ORDER BY accounts.name LIMIT $3",
        )
        .bind(channel.as_str())
        .bind(after)
        .bind(wanted.rows())
        .fetch_all(self.0.pool())
        .await?;
        let holders: Result<Vec<RoleHolder>, StoreError> = rows.iter().map(holder).collect();
        Ok(wanted.page(holders?, |holder| Place { at: 0, id: holder.account.as_str().to_owned() }))
    }

    /// Gives somebody a role in the place of the one that they may have.
    pub async fn give(
        &self,
        by: &Actor,
        channel: &ChannelId,
        account: &AccountName,
        role: ChannelRole,
        at: Timestamp,
    ) -> Result<Given, StoreError> {
        let mut transaction = self.0.pool().begin().await?;
        if give(&mut transaction, (by, channel), account, role, at).await? {
            transaction.commit().await?;
            return Ok(Given::Done);
        }
        why_not(&mut transaction, channel, account).await
    }

    /// Somebody's role with their names.
    pub async fn holder(
        &self,
        channel: &ChannelId,
        account: &AccountName,
    ) -> Result<Option<RoleHolder>, StoreError> {
        let row = sqlx::query(
            "SELECT accounts.id, accounts.name, accounts.display_name, channel_roles.role
             FROM channel_roles JOIN accounts ON accounts.id = channel_roles.account_id
             WHERE channel_roles.channel_id = $1 AND accounts.name = $2",
        )
        .bind(channel.as_str())
        .bind(account.as_str())
        .fetch_optional(self.0.pool())
        .await?;
        row.as_ref().map(holder).transpose()
    }

    /// Takes somebody's role away; whether they had one.
    pub async fn take(
        &self,
        by: &Actor,
        channel: &ChannelId,
        account: &AccountName,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.0.pool().begin().await?;
        let is_taken = take(&mut transaction, (by, channel), account).await?;
        if is_taken {
            transaction.commit().await?;
        }
        Ok(is_taken)
    }
}

/// Makes somebody a VIP who has no role, or takes that away from one, and writes down that it was done, in the transaction of
/// whoever asks. It must have written something before.
pub async fn set_vip(
    connection: &mut AnyConnection,
    (by, channel): (&Actor, &ChannelId),
    account: &AccountName,
    is_vip: bool,
    at: Timestamp,
) -> Result<Set, StoreError> {
    let row = sqlx::query(
        "SELECT channel_roles.role FROM channel_roles JOIN accounts ON accounts.id = channel_roles.account_id
         WHERE channel_roles.channel_id = $1 AND accounts.name = $2",
    )
    .bind(channel.as_str())
    .bind(account.as_str())
    .fetch_optional(&mut *connection)
    .await?;
    let has = row.as_ref().map(|row| role(row, 0)).transpose()?;
    match (is_vip, has) {
        (true, Some(ChannelRole::Vip)) => Ok(Set::Same),
        (true, Some(ChannelRole::Editor)) => Ok(Set::IsEditor),
        (true, None) => {
            if give(connection, (by, channel), account, ChannelRole::Vip, at).await? {
                return Ok(Set::Changed);
            }
            Ok(match why_not(connection, channel, account).await? {
                Given::Nobody => Set::Nobody,
                Given::IsOwner => Set::IsOwner,
                Given::Done | Given::TooMany => Set::TooMany,
            })
        }
        (false, Some(ChannelRole::Vip)) => {
            let is_taken = take(connection, (by, channel), account).await?;
            Ok(if is_taken { Set::Changed } else { Set::Nobody })
        }
        (false, _) => Ok(Set::Nobody),
    }
}

/// Gives somebody a role and writes it down; whether they could have it.
async fn give(
    connection: &mut AnyConnection,
    (by, channel): (&Actor, &ChannelId),
    account: &AccountName,
    role: ChannelRole,
    at: Timestamp,
) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "INSERT INTO channel_roles (channel_id, account_id, role, added_at)
         SELECT $1, accounts.id, $3, $4 FROM accounts WHERE accounts.name = $2
         AND accounts.id NOT IN (SELECT owner_id FROM channels WHERE id = $1 AND owner_id IS NOT NULL)
         AND ((SELECT COUNT(*) FROM channel_roles WHERE channel_id = $1) < $5
         OR EXISTS (SELECT 1 FROM channel_roles WHERE channel_id = $1 AND account_id = accounts.id))
         ON CONFLICT (channel_id, account_id) DO UPDATE SET role = excluded.role",
    )
    .bind(channel.as_str())
    .bind(account.as_str())
    .bind(text(role))
    .bind(at.as_millis())
    .bind(ROLES_MOST as i64)
    .execute(&mut *connection)
    .await?;
    if done.rows_affected() == 0 {
        return Ok(false);
    }
    let id = id_of(connection, account).await?;
    let entry = Entry::new(AuditAction::RoleGiven, Some(by)).on(channel).to(&id);
    audit::record(connection, entry.saying(text(role))).await?;
    Ok(true)
}

/// Why somebody could not have a role.
async fn why_not(
    connection: &mut AnyConnection,
    channel: &ChannelId,
    account: &AccountName,
) -> Result<Given, StoreError> {
    let known = sqlx::query(
        "SELECT COUNT(channels.id) FROM accounts
         LEFT JOIN channels ON channels.owner_id = accounts.id AND channels.id = $2
         WHERE accounts.name = $1 GROUP BY accounts.id",
    )
    .bind(account.as_str())
    .bind(channel.as_str())
    .fetch_optional(connection)
    .await?;
    Ok(match known {
        None => Given::Nobody,
        Some(row) if row.try_get::<i64, _>(0)? > 0 => Given::IsOwner,
        Some(_) => Given::TooMany,
    })
}

/// Takes somebody's role away and writes it down; whether they had one.
async fn take(
    connection: &mut AnyConnection,
    (by, channel): (&Actor, &ChannelId),
    account: &AccountName,
) -> Result<bool, StoreError> {
    let row = sqlx::query(
        "DELETE FROM channel_roles WHERE channel_id = $1
         AND account_id IN (SELECT id FROM accounts WHERE name = $2) RETURNING account_id, role",
    )
    .bind(channel.as_str())
    .bind(account.as_str())
    .fetch_optional(&mut *connection)
    .await?;
    let Some(row) = row else { return Ok(false) };
    let (id, role): (String, String) = (row.try_get(0)?, row.try_get(1)?);
    let entry = Entry::new(AuditAction::RoleTaken, Some(by)).on(channel).to(&id);
    audit::record(connection, entry.saying(role)).await?;
    Ok(true)
}

/// Whom a name belongs to that was just found.
async fn id_of(connection: &mut AnyConnection, account: &AccountName) -> Result<String, StoreError> {
    let row = sqlx::query("SELECT id FROM accounts WHERE name = $1")
        .bind(account.as_str())
        .fetch_one(connection)
        .await?;
    Ok(row.try_get(0)?)
}

fn holder(row: &AnyRow) -> Result<RoleHolder, StoreError> {
    Ok(RoleHolder {
        id: column(row, 0)?,
        account: column(row, 1)?,
        name: column(row, 2)?,
        role: role(row, 3)?,
    })
}
