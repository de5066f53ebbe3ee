//! Invites, and whether people may come, in SQL.

use super::rules::{INVITES_MOST, Way};
use crate::{
    account::store::{Account, column, insert, time},
    actor::Actor,
    page::{Place, Wanted},
    secret::SecretHash,
    store::{
        Store, StoreError,
        audit::{self, Entry},
    },
};
use shared::{
    account::Invite,
    audit::AuditAction,
    id::InviteId,
    instance::{InstanceSettings, SignUp},
    page::Page,
    unit::Timestamp,
};
use sqlx::{AnyConnection, Row, any::AnyRow};

/// Reads and writes invites and the instance's settings.
#[derive(Debug, Clone)]
pub struct JoinStore(Store);

fn text(mode: SignUp) -> &'static str {
    match mode {
        SignUp::Open => "open",
        SignUp::Invite => "invite",
        SignUp::Closed => "closed",
    }
}

fn mode(row: &AnyRow, index: usize) -> Result<SignUp, StoreError> {
    match row.try_get::<String, _>(index)?.as_str() {
        "open" => Ok(SignUp::Open),
        "invite" => Ok(SignUp::Invite),
        "closed" => Ok(SignUp::Closed),
        other => Err(StoreError::Row(format!("the mode {other}"))),
    }
}

impl JoinStore {
    /// On this database.
    pub fn new(store: Store) -> Self {
        Self(store)
    }

    /// How the instance runs.
    pub async fn settings(&self) -> Result<InstanceSettings, StoreError> {
        let row = sqlx::query("SELECT sign_up FROM instance_settings WHERE only_row = 1")
            .fetch_optional(self.0.pool())
            .await?;
        let sign_up = row.as_ref().map(|row| mode(row, 0)).transpose()?;
        Ok(InstanceSettings { sign_up: sign_up.unwrap_or_default() })
    }

    /// Writes how it runs.
    pub async fn set(&self, by: &Actor, settings: &InstanceSettings) -> Result<(), StoreError> {
        let mut transaction = self.0.pool().begin().await?;
        sqlx::query(
            "INSERT INTO instance_settings (only_row, sign_up) VALUES (1, $1)
             ON CONFLICT (only_row) DO UPDATE SET sign_up = excluded.sign_up",
        )
        .bind(text(settings.sign_up))
        .execute(&mut *transaction)
        .await?;
        let entry = Entry::new(AuditAction::InstanceEdited, Some(by));
        let words = format!("sign-up: {}", text(settings.sign_up));
        audit::record(&mut transaction, entry.saying(words)).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Writes a new account, and uses the invite up that it takes: both or neither. False if the invite doesn't work, as
    /// those of people who don't run the instance any more.
    pub async fn join(
        &self,
        way: &Way,
        account: &Account,
        password_hash: &str,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.0.pool().begin().await?;
        let entered = enter(&mut transaction, way, account, password_hash, at).await?;
        if entered {
            transaction.commit().await?;
        }
        Ok(entered)
    }

    /// Whether an invite would let somebody in now.
    pub async fn is_good(&self, hash: &SecretHash, now: Timestamp) -> Result<bool, StoreError> {
        let row = sqlx::query(
            "SELECT 1 FROM invites WHERE token_hash = $1 AND uses < uses_most AND expires_at > $2
             AND EXISTS (SELECT 1 FROM accounts WHERE accounts.id = invites.made_by
             AND accounts.suspended_at IS NULL AND accounts.role IN ('owner', 'admin'))",
        )
        .bind(hash.to_hex())
        .bind(now.as_millis())
        .fetch_optional(self.0.pool())
        .await?;
        Ok(row.is_some())
    }

    /// Writes a new invite; false if there are as many as there may be.
    pub async fn add(&self, invite: &Invite, by: &Actor, hash: &SecretHash) -> Result<bool, StoreError> {
        let mut transaction = self.0.pool().begin().await?;
        let added = sqlx::query(
            "INSERT INTO invites (id, token_hash, label, made_by, created_at, expires_at, uses, uses_most)
             SELECT $1, $2, $3, $4, $5, $6, 0, $7 WHERE (SELECT COUNT(*) FROM invites) < $8",
        )
        .bind(invite.id.as_str())
        .bind(hash.to_hex())
        .bind(invite.label.as_str())
        .bind(by.account.as_str())
        .bind(invite.created_at.as_millis())
        .bind(invite.expires_at.as_millis())
        .bind(i64::from(invite.uses_most))
        .bind(INVITES_MOST)
        .execute(&mut *transaction)
        .await?;
        if added.rows_affected() == 0 {
            return Ok(false);
        }
        let entry = Entry::new(AuditAction::InviteMade, Some(by)).to(invite.id.as_str());
        let words = format!("for {} people at most", invite.uses_most);
        audit::record(&mut transaction, entry.called(invite.label.as_str()).saying(words)).await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// All invites, newest first.
    pub async fn invites(&self, wanted: &Wanted) -> Result<Page<Invite>, StoreError> {
        let (at, id) = wanted.before();
        let rows = sqlx::query(
            "SELECT invites.id, invites.label, accounts.name, invites.created_at, invites.expires_at,
             invites.uses, invites.uses_most
             FROM invites JOIN accounts ON accounts.id = invites.made_by
             WHERE invites.created_at < $1 OR (invites.created_at = $1 AND invites.id < $2)
             ORDER BY invites.created_at DESC, invites.id DESC LIMIT $3",
        )
        .bind(at)
        .bind(id)
        .bind(wanted.rows())
        .fetch_all(self.0.pool())
        .await?;
        let invites: Result<Vec<Invite>, StoreError> = rows.iter().map(invite).collect();
        Ok(wanted.page(invites?, |invite| Place {
            at: invite.created_at.as_millis(),
            id: invite.id.as_str().to_owned(),
        }))
    }

    /// Ends an invite; whether there was one.
    pub async fn revoke(&self, by: &Actor, id: &InviteId) -> Result<bool, StoreError> {
        let mut transaction = self.0.pool().begin().await?;
        let row = sqlx::query("DELETE FROM invites WHERE id = $1 RETURNING label")
            .bind(id.as_str())
            .fetch_optional(&mut *transaction)
            .await?;
        let Some(row) = row else { return Ok(false) };
        let label: String = row.try_get(0)?;
        let entry = Entry::new(AuditAction::InviteRevoked, Some(by)).to(id.as_str());
        audit::record(&mut transaction, entry.called(&label)).await?;
        transaction.commit().await?;
        Ok(true)
    }
}

/// The steps of [`JoinStore::join`], for who writes more with them. Without a commit nothing of it is done.
pub(in crate::account) async fn enter(
    connection: &mut AnyConnection,
    way: &Way,
    account: &Account,
    password_hash: &str,
    at: Timestamp,
) -> Result<bool, StoreError> {
    if let Way::ByInvite(hash) = way {
        let used = sqlx::query(
            "UPDATE invites SET uses = uses + 1
             WHERE token_hash = $1 AND uses < uses_most AND expires_at > $2
             AND EXISTS (SELECT 1 FROM accounts WHERE accounts.id = invites.made_by
             AND accounts.suspended_at IS NULL AND accounts.role IN ('owner', 'admin'))",
        )
        .bind(hash.to_hex())
        .bind(at.as_millis())
        .execute(&mut *connection)
        .await?;
        if used.rows_affected() == 0 {
            return Ok(false);
        }
    }
    insert(account, password_hash, at).execute(&mut *connection).await?;
    if let Way::ByInvite(hash) = way {
        sqlx::query(
            "UPDATE accounts SET invite_id = (SELECT id FROM invites WHERE token_hash = $2) WHERE id = $1",
        )
        .bind(account.id.as_str())
        .bind(hash.to_hex())
        .execute(&mut *connection)
        .await?;
    }
    Ok(true)
}

fn invite(row: &AnyRow) -> Result<Invite, StoreError> {
    let number = |index: usize| -> Result<u32, StoreError> {
        let number: i64 = row.try_get(index)?;
        u32::try_from(number).map_err(|error| StoreError::Row(error.to_string()))
    };
    Ok(Invite {
        id: column(row, 0)?,
        label: column(row, 1)?,
        made_by: column(row, 2)?,
        created_at: time(row, 3)?,
        expires_at: time(row, 4)?,
        uses: number(5)?,
        uses_most: number(6)?,
    })
}
