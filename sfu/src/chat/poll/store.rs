//! Polls and votes in SQL.

use crate::{
    chat::{
        commit::store::Commit,
        store::{ChatStore, broken, column, json},
    },
    store::StoreError,
};
use shared::{
    id::{ChannelId, PollId},
    poll::{Poll, PollOption},
    unit::Timestamp,
};
use sqlx::{Row, any::AnyRow};

fn poll(row: &AnyRow) -> Result<Poll, StoreError> {
    let options: Vec<String> = serde_json::from_str(&row.try_get::<String, _>(2)?).map_err(broken)?;
    Ok(Poll {
        id: column(row, 0)?,
        question: row.try_get(1)?,
        options: options.into_iter().map(|text| PollOption { text, votes: 0 }).collect(),
        ends_at: Timestamp::from_millis(row.try_get(3)?),
        ended: row.try_get::<Option<i64>, _>(4)?.is_some(),
    })
}

fn count(poll: &mut Poll, rows: &[AnyRow]) -> Result<(), StoreError> {
    for row in rows {
        let at = usize::try_from(row.try_get::<i64, _>(0)?).unwrap_or(usize::MAX);
        if let Some(option) = poll.options.get_mut(at) {
            option.votes = row.try_get::<i64, _>(1)?.clamp(0, i64::from(u32::MAX)) as u32;
        }
    }
    Ok(())
}

const VOTES: &str = "SELECT option_index, COUNT(*) FROM chat_votes WHERE poll_id = $1 GROUP BY option_index";

impl ChatStore {
    /// A room's last poll, with what was answered.
    pub async fn last_poll(&self, channel: &ChannelId) -> Result<Option<Poll>, StoreError> {
        let row = sqlx::query(concat!(
            "SELECT id, question, options, ends_at, ended_at FROM chat_polls WHERE channel_id = $1 ",
            "ORDER BY started_at DESC LIMIT 1"
        ))
        .bind(channel.as_str())
        .fetch_optional(self.pool())
        .await?;
        let Some(row) = row else { return Ok(None) };
        let mut poll = poll(&row)?;
        let rows = sqlx::query(VOTES).bind(poll.id.as_str()).fetch_all(self.pool()).await?;
        count(&mut poll, &rows)?;
        Ok(Some(poll))
    }

    /// What somebody voted.
    pub async fn vote_of(&self, poll: &PollId, voter: &str) -> Result<Option<u32>, StoreError> {
        let row = sqlx::query("SELECT option_index FROM chat_votes WHERE poll_id = $1 AND voter = $2")
            .bind(poll.as_str())
            .bind(voter)
            .fetch_optional(self.pool())
            .await?;
        row.map(|row| Ok(row.try_get::<i64, _>(0)?.clamp(0, i64::from(u32::MAX)) as u32)).transpose()
    }
}

impl Commit {
    /// Begins a poll, unless one is open; whether it did.
    pub async fn start_poll(
        &mut self,
        channel: &ChannelId,
        poll: &Poll,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        let texts: Vec<&str> = poll.options.iter().map(|option| option.text.as_str()).collect();
        let done = sqlx::query(
            "INSERT INTO chat_polls (id, channel_id, question, options, started_at, ends_at)
             SELECT $1, $2, $3, $4, $5, $6
             WHERE NOT EXISTS (SELECT 1 FROM chat_polls WHERE channel_id = $2 AND ended_at IS NULL)",
        )
        .bind(poll.id.as_str())
        .bind(channel.as_str())
        .bind(poll.question.as_str())
        .bind(json(&texts)?)
        .bind(at.as_millis())
        .bind(poll.ends_at.as_millis())
        .execute(&mut **self.transaction())
        .await?;
        Ok(done.rows_affected() > 0)
    }

    /// Counts a vote, unless the voter gave one before; the one that stands. `None` if the poll isn't open.
    pub async fn vote(
        &mut self,
        channel: &ChannelId,
        id: &PollId,
        voter: &str,
        option: u32,
    ) -> Result<Option<u32>, StoreError> {
        sqlx::query(
            "INSERT INTO chat_votes (poll_id, voter, option_index)
             SELECT $1, $2, $3 WHERE EXISTS
             (SELECT 1 FROM chat_polls WHERE id = $1 AND channel_id = $4 AND ended_at IS NULL)
             ON CONFLICT (poll_id, voter) DO NOTHING",
        )
        .bind(id.as_str())
        .bind(voter)
        .bind(i64::from(option))
        .bind(channel.as_str())
        .execute(&mut **self.transaction())
        .await?;
        let row = sqlx::query("SELECT option_index FROM chat_votes WHERE poll_id = $1 AND voter = $2")
            .bind(id.as_str())
            .bind(voter)
            .fetch_optional(&mut **self.transaction())
            .await?;
        row.map(|row| Ok(row.try_get::<i64, _>(0)?.clamp(0, i64::from(u32::MAX)) as u32)).transpose()
    }

    /// Ends a poll, if it is open; whether it was.
    pub async fn end_poll(
        &mut self,
        channel: &ChannelId,
        id: &PollId,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "UPDATE chat_polls SET ended_at = $3 WHERE channel_id = $1 AND id = $2 AND ended_at IS NULL",
        )
        .bind(channel.as_str())
        .bind(id.as_str())
        .bind(at.as_millis())
        .execute(&mut **self.transaction())
        .await?;
        Ok(done.rows_affected() > 0)
    }

    /// A poll with what was answered so far.
    pub async fn poll(&mut self, channel: &ChannelId, id: &PollId) -> Result<Option<Poll>, StoreError> {
        let row = sqlx::query(POLL_BY_ID)
            .bind(channel.as_str())
            .bind(id.as_str())
            .fetch_optional(&mut **self.transaction())
            .await?;
        let Some(row) = row else { return Ok(None) };
        let mut found = poll(&row)?;
        let rows = sqlx::query(VOTES).bind(id.as_str()).fetch_all(&mut **self.transaction()).await?;
        count(&mut found, &rows)?;
        Ok(Some(found))
    }
}

const POLL_BY_ID: &str =
    "SELECT id, question, options, ends_at, ended_at FROM chat_polls WHERE channel_id = $1 AND id = $2";
