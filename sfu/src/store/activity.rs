//! Writing down what happened on a channel, in the very transaction in which it happens. Read by `social::activity`.

use super::StoreError;
use crate::fresh;
use serde_json::Value;
use shared::{
    activity::ActivityKind,
    id::{AccountId, ChannelId, EventId},
    unit::Timestamp,
};
use sqlx::AnyConnection;

/// Something that happened.
#[derive(Debug)]
pub struct Happened<'a> {
    /// What it is called: the same whenever it is written down, so that it is there once.
    pub occasion: &'a str,
    /// What it is.
    pub kind: ActivityKind,
    /// When.
    pub at: Timestamp,
    /// Whose deed it is, if it is one person's.
    pub who: Option<&'a AccountId>,
    /// The rest of the entry, as [`shared::activity::Happening`] has it.
    pub data: Value,
    /// An entry of the same name from before then makes room for this one. Without it, the first one stays.
    pub again_after: Option<Timestamp>,
}

/// Puts it into the channel's activity; whether it wasn't there. The transaction must have written something before.
pub async fn put(
    connection: &mut AnyConnection,
    channel: &ChannelId,
    happened: Happened<'_>,
) -> Result<bool, StoreError> {
    let Happened { occasion, kind, at, who, data, again_after } = happened;
    let id: EventId = fresh::id();
    // From `channels`, so that what happens where nothing is any more is left out instead of failing all.
    let done = sqlx::query(
        "INSERT INTO activities (id, channel_id, occasion, kind, at, account_id, data)
         SELECT $1, id, $3, $4, CAST($5 AS BIGINT), $6, $7 FROM channels WHERE id = $2
         ON CONFLICT (channel_id, occasion) DO UPDATE
         SET id = excluded.id, at = excluded.at, data = excluded.data WHERE activities.at <= $8",
    )
    .bind(id.as_str())
    .bind(channel.as_str())
    .bind(occasion)
    .bind(kind.name())
    .bind(at.as_millis())
    .bind(who.map(|who| who.as_str().to_owned()))
    .bind(data.to_string())
    .bind(again_after.map_or(i64::MIN, Timestamp::as_millis))
    .execute(connection)
    .await?;
    Ok(done.rows_affected() > 0)
}
