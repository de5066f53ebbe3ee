//! Deleting channels and accounts with all that is theirs, within one transaction: whoever was told that it is done finds nothing
//! of it again, and after a crash it is wholly there or wholly gone. What belongs to them goes with their row, as the tables
//! say; here is what doesn't.

use super::{
    StoreError,
    audit::{self, Entry},
    like,
};
use crate::{actor::Actor, fresh};
use futures_util::TryStreamExt;
use serde_json::Value;
use shared::{
    audit::AuditAction,
    chat::DELETED_PERSON,
    id::{AccountId, ChannelId},
    unit::Timestamp,
};
use sqlx::{AnyConnection, Row};
use std::collections::HashSet;

/// Nobody else is given the name of what is gone for this long: links to it lie about.
const KEPT: i64 = 30 * 24 * 60 * 60 * 1000;

/// Whose name it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A channel's.
    Channel,
    /// A person's.
    Account,
}

impl Kind {
    fn text(self) -> &'static str {
        match self {
            Self::Channel => "channel",
            Self::Account => "account",
        }
    }
}

/// Something that was deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gone {
    /// What it was.
    pub kind: Kind,
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// When.
    pub at: Timestamp,
}

/// Whether a name is kept from somebody: only who had a channel of it may have it again.
pub async fn is_kept(
    connection: &mut AnyConnection,
    (kind, name): (Kind, &str),
    wanted_by: Option<&AccountId>,
) -> Result<bool, StoreError> {
    let row = sqlx::query(
        "SELECT 1 FROM kept_names WHERE kind = $1 AND name = $2 AND until_at > $3
         AND (owner_id IS NULL OR owner_id <> $4)",
    )
    .bind(kind.text())
    .bind(name)
    .bind(fresh::now().as_millis())
    // No id is empty.
    .bind(wanted_by.map_or("", AccountId::as_str))
    .fetch_optional(connection)
    .await?;
    Ok(row.is_some())
}

/// Names that are kept from somebody, as addresses and as people read them, so that nobody looks like who is gone, either.
pub async fn kept(
    connection: &mut AnyConnection,
    kind: Kind,
    wanted_by: Option<&AccountId>,
) -> Result<Vec<String>, StoreError> {
    let rows = sqlx::query(
        "SELECT name, display_name FROM kept_names WHERE kind = $1 AND until_at > $2
         AND (owner_id IS NULL OR owner_id <> $3)",
    )
    .bind(kind.text())
    .bind(fresh::now().as_millis())
    .bind(wanted_by.map_or("", AccountId::as_str))
    .fetch_all(connection)
    .await?;
    let pairs = rows.iter().map(|row| Ok([row.try_get(0)?, row.try_get(1)?]));
    Ok(pairs.collect::<Result<Vec<_>, sqlx::Error>>()?.into_iter().flatten().collect())
}

/// What was deleted from then on, oldest first.
pub async fn gone_since(connection: &mut AnyConnection, since: Timestamp) -> Result<Vec<Gone>, StoreError> {
    let rows = sqlx::query(
        "SELECT kind, gone_id, name, gone_at FROM kept_names WHERE gone_at >= $1 ORDER BY gone_at, gone_id LIMIT 1000",
    )
    .bind(since.as_millis())
    .fetch_all(connection)
    .await?;
    rows.iter()
        .map(|row| {
            let kind = match row.try_get::<String, _>(0)?.as_str() {
                "channel" => Kind::Channel,
                _ => Kind::Account,
            };
            let at = Timestamp::from_millis(row.try_get(3)?);
            Ok(Gone { kind, id: row.try_get(1)?, name: row.try_get(2)?, at })
        })
        .collect()
}

/// Forgets names that are kept no longer.
async fn forget_old(connection: &mut AnyConnection, now: Timestamp) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM kept_names WHERE until_at <= $1")
        .bind(now.as_millis())
        .execute(connection)
        .await?;
    Ok(())
}

/// Deletes a channel with all that is its own; false, and nothing is written, if there is none. `with_owner`: its owner goes,
/// too, so that nobody may have its name again; neither may its owner if it was suspended, or that would lift it.
pub async fn channel(
    connection: &mut AnyConnection,
    by: Option<&Actor>,
    channel: &ChannelId,
    with_owner: bool,
) -> Result<bool, StoreError> {
    let now = fresh::now();
    forget_old(connection, now).await?;
    let kept = sqlx::query(
        "INSERT INTO kept_names (kind, name, display_name, owner_id, gone_id, gone_at, until_at)
         SELECT 'channel', name, display_name, CASE WHEN CAST($2 AS BIGINT) = 1 OR suspended_at IS NOT NULL THEN NULL ELSE owner_id END, id,
             CAST($3 AS BIGINT), CAST($4 AS BIGINT) FROM channels WHERE id = $1
         ON CONFLICT (kind, name) DO UPDATE SET display_name = excluded.display_name, owner_id = excluded.owner_id,
             gone_id = excluded.gone_id, gone_at = excluded.gone_at, until_at = excluded.until_at",
    )
    .bind(channel.as_str())
    .bind(i64::from(with_owner))
    .bind(now.as_millis())
    .bind(now.as_millis() + KEPT)
    .execute(&mut *connection)
    .await?;
    if kept.rows_affected() == 0 {
        return Ok(false);
    }
    let entry = Entry::new(AuditAction::ChannelDeleted, by).on(channel);
    let detail = if with_owner { "with its owner's account" } else { "" };
    audit::record(connection, entry.saying(detail)).await?;
    sqlx::query("DELETE FROM channels WHERE id = $1")
        .bind(channel.as_str())
        .execute(&mut *connection)
        .await?;
    pictures(connection).await?;
    Ok(true)
}

/// What neither an emote nor a badge of any channel shows any more is kept no longer: two channels may show the same picture.
pub async fn pictures(connection: &mut AnyConnection) -> Result<(), StoreError> {
    sqlx::query(
        "DELETE FROM chat_pictures
         WHERE NOT EXISTS (SELECT 1 FROM chat_emotes WHERE chat_emotes.hash = chat_pictures.hash)
         AND NOT EXISTS (SELECT 1 FROM chat_badges WHERE chat_badges.hash = chat_pictures.hash)",
    )
    .execute(&mut *connection)
    .await?;
    Ok(())
}

/// Deletes an account with its channels and all that is its own, and leaves what it wrote elsewhere without a name; false, and
/// nothing is written, if there is none or it is the last that runs the instance.
pub async fn account(
    connection: &mut AnyConnection,
    by: Option<&Actor>,
    account: &AccountId,
) -> Result<bool, StoreError> {
    let now = fresh::now();
    // Written first, so that of two owners who go at once one stays.
    let may_go = sqlx::query(
        "UPDATE accounts SET role = role WHERE id = $1
         AND (role <> 'owner' OR (SELECT COUNT(*) FROM accounts WHERE role = 'owner') > 1)",
    )
    .bind(account.as_str())
    .execute(&mut *connection)
    .await?;
    if may_go.rows_affected() == 0 {
        return Ok(false);
    }
    let entry = Entry::new(AuditAction::AccountDeleted, by).to(account.as_str());
    audit::record(connection, entry).await?;
    let owned = sqlx::query("SELECT id FROM channels WHERE owner_id = $1 ORDER BY created_at, id")
        .bind(account.as_str())
        .fetch_all(&mut *connection)
        .await?;
    for row in &owned {
        let id: ChannelId =
            row.try_get::<String, _>(0)?.parse().map_err(|_| StoreError::Row("a channel's id".to_owned()))?;
        channel(connection, by, &id, true).await?;
    }
    forget_old(connection, now).await?;
    sqlx::query(
        "INSERT INTO kept_names (kind, name, display_name, gone_id, gone_at, until_at)
         SELECT 'account', name, display_name, id, CAST($2 AS BIGINT), CAST($3 AS BIGINT) FROM accounts WHERE id = $1
         ON CONFLICT (kind, name) DO UPDATE SET display_name = excluded.display_name, owner_id = NULL,
             gone_id = excluded.gone_id, gone_at = excluded.gone_at, until_at = excluded.until_at",
    )
    .bind(account.as_str())
    .bind(now.as_millis())
    .bind(now.as_millis() + KEPT)
    .execute(&mut *connection)
    .await?;
    unname(connection, account).await?;
    sqlx::query(
        "DELETE FROM avatars WHERE hash = (SELECT avatar FROM accounts WHERE id = $1)
         AND NOT EXISTS (SELECT 1 FROM accounts WHERE avatar = avatars.hash AND id <> $1)",
    )
    .bind(account.as_str())
    .execute(&mut *connection)
    .await?;
    sqlx::query("DELETE FROM accounts WHERE id = $1")
        .bind(account.as_str())
        .execute(&mut *connection)
        .await?;
    Ok(true)
}

/// The channels where somebody wrote.
macro_rules! written_in {
    () => {
        "(SELECT channels.id FROM channels WHERE EXISTS (SELECT 1 FROM chat_messages theirs
          WHERE theirs.channel_id = channels.id AND theirs.person_id = $1))"
    };
}

/// What somebody wrote in others' chats stays, by nobody, also what waits for a moderator there, and so does what they did and
/// was done to them; what keeps them from writing goes.
async fn unname(connection: &mut AnyConnection, account: &AccountId) -> Result<(), StoreError> {
    let names = sqlx::query(
        "SELECT DISTINCT author_name FROM chat_messages
         WHERE channel_id IN (SELECT id FROM channels) AND person_id = $1",
    )
    .bind(account.as_str())
    .fetch_all(&mut *connection)
    .await?;
    let names: HashSet<String> = names.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?;
    unname_held(connection, account).await?;
    unname_answers(connection, account, &names).await?;
    unname_held_answers(connection, account, &names).await?;
    for statement in [
        "UPDATE chat_messages SET author_name = $2, author_account = NULL, badges = '[]', author_colour = NULL
         WHERE channel_id IN (SELECT id FROM channels) AND person_id = $1",
        "UPDATE chat_actions SET by_name = $2 WHERE done_by = $1",
        "UPDATE chat_actions SET person_name = $2
         WHERE channel_id IN (SELECT id FROM channels) AND person_id = $1",
        "UPDATE chat_held SET by_name = $2 WHERE decided_by = $1",
        "UPDATE chat_appeals SET by_name = $2 WHERE decided_by = $1",
    ] {
        sqlx::query(statement)
            .bind(account.as_str())
            .bind(DELETED_PERSON)
            .execute(&mut *connection)
            .await?;
    }
    // Who comes back to a room is told of it no more. It is looked for where the record has something of them.
    sqlx::query(
        r"DELETE FROM chat_changes WHERE channel_id IN
          (SELECT channels.id FROM channels WHERE EXISTS (SELECT 1 FROM chat_actions
           WHERE chat_actions.channel_id = channels.id AND chat_actions.person_id = $1))
          AND change LIKE $2 ESCAPE '\'",
    )
    .bind(account.as_str())
    .bind(like::pattern(&format!("\"person\":{}", Value::from(account.as_str()))))
    .execute(&mut *connection)
    .await?;
    for statement in [
        "DELETE FROM chat_silences WHERE channel_id IN (SELECT id FROM channels) AND person_id = $1",
        "DELETE FROM chat_bans WHERE channel_id IN (SELECT id FROM channels) AND person_id = $1",
    ] {
        sqlx::query(statement).bind(account.as_str()).execute(&mut *connection).await?;
    }
    Ok(())
}

async fn unname_held(connection: &mut AnyConnection, account: &AccountId) -> Result<(), StoreError> {
    let rows = sqlx::query(
        "SELECT id, message FROM chat_held
         WHERE channel_id IN (SELECT id FROM channels) AND person_id = $1",
    )
    .bind(account.as_str())
    .fetch_all(&mut *connection)
    .await?;
    for row in &rows {
        let Ok(mut held) = serde_json::from_str::<Value>(&row.try_get::<String, _>(1)?) else { continue };
        if let Some(author) = held.get_mut("author").and_then(Value::as_object_mut) {
            author.insert("name".to_owned(), DELETED_PERSON.into());
            author.remove("account");
            author.remove("badges");
            author.remove("colour");
        }
        sqlx::query("UPDATE chat_held SET message = $2 WHERE id = $1")
            .bind(row.try_get::<String, _>(0)?)
            .bind(held.to_string())
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

/// Answers to what somebody wrote under these names say whom they answer.
async fn unname_answers(
    connection: &mut AnyConnection,
    account: &AccountId,
    names: &HashSet<String>,
) -> Result<(), StoreError> {
    let query = concat!(
        "SELECT id, reply_to FROM chat_messages WHERE reply_to IS NOT NULL AND channel_id IN ",
        written_in!()
    );
    let answers = answers(connection, account, query, names).await?;
    for (id, mut answer) in answers {
        if unname_answer(connection, account, &mut answer).await? {
            sqlx::query("UPDATE chat_messages SET reply_to = $2 WHERE id = $1")
                .bind(id)
                .bind(answer.to_string())
                .execute(&mut *connection)
                .await?;
        }
    }
    Ok(())
}

/// The same of answers that are held.
async fn unname_held_answers(
    connection: &mut AnyConnection,
    account: &AccountId,
    names: &HashSet<String>,
) -> Result<(), StoreError> {
    let query = concat!("SELECT id, message FROM chat_held WHERE channel_id IN ", written_in!());
    let held = answers(connection, account, query, names).await?;
    for (id, mut held) in held {
        if let Some(answer) = held.get_mut("reply_to")
            && unname_answer(connection, account, answer).await?
        {
            sqlx::query("UPDATE chat_held SET message = $2 WHERE id = $1")
                .bind(id)
                .bind(held.to_string())
                .execute(&mut *connection)
                .await?;
        }
    }
    Ok(())
}

/// Answers to these names by their rows' ids; no others are kept. Of a held message the answer is within it.
async fn answers(
    connection: &mut AnyConnection,
    account: &AccountId,
    query: &'static str,
    names: &HashSet<String>,
) -> Result<Vec<(String, Value)>, StoreError> {
    let mut rows = sqlx::query(query).bind(account.as_str()).fetch(connection);
    let mut wanted = Vec::new();
    while let Some(row) = rows.try_next().await? {
        let Ok(value) = serde_json::from_str::<Value>(&row.try_get::<String, _>(1)?) else { continue };
        let answer = value.get("reply_to").unwrap_or(&value);
        if answer["name"].as_str().is_some_and(|name| names.contains(name)) {
            wanted.push((row.try_get(0)?, value));
        }
    }
    Ok(wanted)
}

/// Takes the name out of an answer, if what it answers is somebody's; whether it was.
async fn unname_answer(
    connection: &mut AnyConnection,
    account: &AccountId,
    answer: &mut Value,
) -> Result<bool, StoreError> {
    let is_theirs = sqlx::query("SELECT 1 FROM chat_messages WHERE id = $1 AND person_id = $2")
        .bind(answer["id"].as_str().unwrap_or_default().to_owned())
        .bind(account.as_str())
        .fetch_optional(connection)
        .await?
        .is_some();
    if is_theirs {
        answer["name"] = DELETED_PERSON.into();
    }
    Ok(is_theirs)
}
