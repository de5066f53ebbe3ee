//! Profiles and pictures in SQL.

use crate::{
    account::store::{column, time},
    portrait::{Kind, Portrait},
    store::{Store, StoreError},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use shared::{
    account::{EditMe, Profile},
    badge::NameColour,
    id::{AccountId, LoginId},
    text::AccountName,
    unit::Timestamp,
};
use sqlx::{Row, any::AnyRow};

/// Reads and writes profiles.
#[derive(Debug, Clone)]
pub struct ProfileStore(Store);

/// Where a picture is shown, by its hash.
pub(in crate::account) fn address(row: &AnyRow, index: usize) -> Result<Option<String>, StoreError> {
    let hash: Option<String> = row.try_get(index)?;
    Ok(hash.map(|hash| format!("/avatars/{hash}")))
}

/// From `id, name, display_name, bio, avatar, created_at`.
pub(in crate::account) fn profile(row: &AnyRow) -> Result<Profile, StoreError> {
    Ok(Profile {
        id: column(row, 0)?,
        account: column(row, 1)?,
        name: column(row, 2)?,
        bio: column(row, 3)?,
        avatar: address(row, 4)?,
        created_at: time(row, 5)?,
    })
}

impl ProfileStore {
    /// On this database.
    pub fn new(store: Store) -> Self {
        Self(store)
    }

    /// What everybody may know of a person.
    pub async fn of(&self, name: &AccountName) -> Result<Option<Profile>, StoreError> {
        let row = sqlx::query(
            "SELECT id, name, display_name, bio, avatar, created_at FROM accounts
             WHERE name = $1 AND suspended_at IS NULL",
        )
        .bind(name.as_str())
        .fetch_optional(self.0.pool())
        .await?;
        row.as_ref().map(profile).transpose()
    }

    /// Writes what a person says of themselves.
    pub async fn edit(&self, account: &AccountId, edit: &EditMe) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE accounts SET display_name = COALESCE($2, display_name), bio = COALESCE($3, bio)
             WHERE id = $1",
        )
        .bind(account.as_str())
        .bind(edit.display_name.as_ref().map(|name| name.as_str().to_owned()))
        .bind(edit.bio.as_ref().map(|bio| bio.as_str().to_owned()))
        .execute(self.0.pool())
        .await?;
        Ok(())
    }

    /// Writes the colour of a person's name.
    pub async fn set_colour(
        &self,
        account: &AccountId,
        colour: Option<NameColour>,
    ) -> Result<(), StoreError> {
        sqlx::query("UPDATE accounts SET colour = $2 WHERE id = $1")
            .bind(account.as_str())
            .bind(colour.map(|colour| colour.name().to_owned()))
            .execute(self.0.pool())
            .await?;
        Ok(())
    }

    /// Puts another picture, or none, in the place of the one that is there, which goes if it is nobody else's.
    pub async fn set_avatar(
        &self,
        account: &AccountId,
        portrait: Option<(&str, &Portrait)>,
    ) -> Result<(), StoreError> {
        let mut transaction = self.0.pool().begin().await?;
        sqlx::query(
            "DELETE FROM avatars WHERE hash = (SELECT avatar FROM accounts WHERE id = $1)
             AND NOT EXISTS (SELECT 1 FROM accounts WHERE avatar = avatars.hash AND id <> $1)",
        )
        .bind(account.as_str())
        .execute(&mut *transaction)
        .await?;
        if let Some((hash, Portrait { kind, bytes })) = portrait {
            let kind = match kind {
                Kind::Png => "png",
                Kind::Jpeg => "jpeg",
            };
            sqlx::query(
                "INSERT INTO avatars (hash, kind, data) VALUES ($1, $2, $3) ON CONFLICT (hash) DO NOTHING",
            )
            .bind(hash)
            .bind(kind)
            .bind(STANDARD.encode(bytes))
            .execute(&mut *transaction)
            .await?;
        }
        sqlx::query("UPDATE accounts SET avatar = $2 WHERE id = $1")
            .bind(account.as_str())
            .bind(portrait.map(|(hash, _)| hash.to_owned()))
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// A picture by its hash.
    pub async fn avatar(&self, hash: &str) -> Result<Option<Portrait>, StoreError> {
        let row = sqlx::query("SELECT kind, data FROM avatars WHERE hash = $1")
            .bind(hash)
            .fetch_optional(self.0.pool())
            .await?;
        let Some(row) = row else { return Ok(None) };
        let kind = match row.try_get::<String, _>(0)?.as_str() {
            "png" => Kind::Png,
            _ => Kind::Jpeg,
        };
        let data: String = row.try_get(1)?;
        let bytes = STANDARD.decode(data).map_err(|error| StoreError::Row(error.to_string()))?;
        Ok(Some(Portrait { kind, bytes }))
    }

    /// A person's password's hash.
    pub async fn password_hash(&self, account: &AccountId) -> Result<Option<String>, StoreError> {
        let row = sqlx::query("SELECT password_hash FROM accounts WHERE id = $1")
            .bind(account.as_str())
            .fetch_optional(self.0.pool())
            .await?;
        Ok(row.map(|row| row.try_get(0)).transpose()?)
    }

    /// When a login was made.
    pub async fn signed_in_at(&self, login: &LoginId) -> Result<Option<Timestamp>, StoreError> {
        let row = sqlx::query("SELECT created_at FROM logins WHERE id = $1")
            .bind(login.as_str())
            .fetch_optional(self.0.pool())
            .await?;
        row.map(|row| Ok(Timestamp::from_millis(row.try_get(0)?))).transpose()
    }

    /// Writes another password in the place of a known one, and ends every login but one: both or neither. False, if it was
    /// changed meanwhile.
    pub async fn set_password(
        &self,
        account: &AccountId,
        (known, new): (&str, &str),
        keep: &LoginId,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.0.pool().begin().await?;
        let written =
            sqlx::query("UPDATE accounts SET password_hash = $2 WHERE id = $1 AND password_hash = $3")
                .bind(account.as_str())
                .bind(new)
                .bind(known)
                .execute(&mut *transaction)
                .await?;
        if written.rows_affected() == 0 {
            return Ok(false);
        }
        sqlx::query("DELETE FROM logins WHERE account_id = $1 AND id <> $2")
            .bind(account.as_str())
            .bind(keep.as_str())
            .execute(&mut *transaction)
            .await?;
        // A letter that lies somewhere, or is about to leave, would undo it.
        for statement in [
            "DELETE FROM password_resets WHERE account_id = $1",
            "DELETE FROM reset_letters WHERE account_id = $1",
        ] {
            sqlx::query(statement).bind(account.as_str()).execute(&mut *transaction).await?;
        }
        transaction.commit().await?;
        Ok(true)
    }

    /// Ends every login of a person but one.
    pub async fn end_other_logins(&self, account: &AccountId, keep: &LoginId) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM logins WHERE account_id = $1 AND id <> $2")
            .bind(account.as_str())
            .bind(keep.as_str())
            .execute(self.0.pool())
            .await?;
        Ok(())
    }
}
