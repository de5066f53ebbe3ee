//! Everybody on the instance in SQL.

use crate::{
    account::{
        profile::store::profile,
        store::{role, role_text},
    },
    actor::Actor,
    page::{Place, Wanted},
    store::{
        Store, StoreError,
        audit::{self, Entry},
        like::pattern,
    },
};
use shared::{
    account::{Person, Role},
    audit::AuditAction,
    id::AccountId,
    page::Page,
    text::AccountName,
    unit::Timestamp,
};
use sqlx::{Row, any::AnyRow};

/// Reads and writes who is on the instance.
#[derive(Debug, Clone)]
pub struct PeopleStore(Store);

fn person(row: &AnyRow) -> Result<Person, StoreError> {
    Ok(Person {
        profile: profile(row)?,
        role: role(row, 6)?,
        suspended_at: row.try_get::<Option<i64>, _>(7)?.map(Timestamp::from_millis),
    })
}

impl PeopleStore {
    /// On this database.
    pub fn new(store: Store) -> Self {
        Self(store)
    }

    /// Everybody whose names hold a text, by what they sign in with.
    pub async fn list(&self, search: &str, wanted: &Wanted) -> Result<Page<Person>, StoreError> {
        let after = wanted.after.as_ref().map_or("", |place| place.id.as_str());
        let rows = sqlx::query(
            r"SELECT id, name, display_name, bio, avatar, created_at, role, suspended_at FROM accounts
             WHERE name > $1 AND (name LIKE $2 ESCAPE '\' OR LOWER(display_name) LIKE $2 ESCAPE '\'
             OR display_name LIKE $4 ESCAPE '\')
             ORDER BY name LIMIT $3",
        )
        .bind(after)
        .bind(pattern(&search.to_lowercase()))
        .bind(wanted.rows())
        // SQLite lowers no letters but ASCII's: of others, what is typed as it is written.
        .bind(pattern(search))
        .fetch_all(self.0.pool())
        .await?;
        let people: Result<Vec<Person>, StoreError> = rows.iter().map(person).collect();
        Ok(wanted.page(people?, |one| Place { at: 0, id: one.profile.account.as_str().to_owned() }))
    }

    /// One of them.
    pub async fn one(&self, name: &AccountName) -> Result<Option<Person>, StoreError> {
        let row = sqlx::query(
            "SELECT id, name, display_name, bio, avatar, created_at, role, suspended_at FROM accounts
             WHERE name = $1",
        )
        .bind(name.as_str())
        .fetch_optional(self.0.pool())
        .await?;
        row.as_ref().map(person).transpose()
    }

    /// Writes what somebody may do on the instance.
    pub async fn set_role(&self, by: &Actor, account: &AccountId, role: Role) -> Result<(), StoreError> {
        let mut transaction = self.0.pool().begin().await?;
        let done =
            sqlx::query("UPDATE accounts SET role = $2 WHERE id = $1 AND role <> 'owner' AND role <> $2")
                .bind(account.as_str())
                .bind(role_text(role))
                .execute(&mut *transaction)
                .await?;
        if done.rows_affected() > 0 {
            let entry = Entry::new(AuditAction::AccountRole, Some(by)).to(account.as_str());
            audit::record(&mut transaction, entry.saying(role_text(role))).await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// Keeps somebody from signing in, and ends their logins and tokens; or lets them in again.
    pub async fn suspend(
        &self,
        by: &Actor,
        account: &AccountId,
        since: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        let mut transaction = self.0.pool().begin().await?;
        let changed = sqlx::query(match since {
            Some(_) => {
                "UPDATE accounts SET suspended_at = $2 WHERE id = $1 AND role <> 'owner' AND suspended_at IS NULL"
            }
            None => "UPDATE accounts SET suspended_at = $2 WHERE id = $1 AND suspended_at IS NOT NULL",
        })
        .bind(account.as_str())
        .bind(since.map(Timestamp::as_millis))
        .execute(&mut *transaction)
        .await?;
        // What is so already is no deed, and keeps its time.
        if changed.rows_affected() == 0 {
            return Ok(());
        }
        if since.is_some() {
            for statement in
                ["DELETE FROM logins WHERE account_id = $1", "DELETE FROM api_tokens WHERE account_id = $1"]
            {
                sqlx::query(statement).bind(account.as_str()).execute(&mut *transaction).await?;
            }
        }
        let action =
            if since.is_some() { AuditAction::AccountSuspended } else { AuditAction::AccountRestored };
        audit::record(&mut transaction, Entry::new(action, Some(by)).to(account.as_str())).await?;
        transaction.commit().await?;
        Ok(())
    }
}
