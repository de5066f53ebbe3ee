//! Appeals in SQL.

use super::rules::{self, Fate};
use crate::{
    chat::{
        commit::{
            store::Commit,
            work::{Closed, NewAppealed},
        },
        store::{ChatStore, broken, column, optional},
    },
    page::Wanted,
    store::StoreError,
};
use shared::{
    appeal::{Against, Appeal, AppealDecided, Appealing, OwnAppeal},
    id::{AppealId, ChannelId, PersonId},
    text::DisplayName,
    unit::Timestamp,
};
use sqlx::{AnyConnection, Row, any::AnyRow};

/// What keeps somebody from writing, and since when.
type Barrier = (Against, Timestamp);

/// The ban of somebody, or else the long time-out.
async fn barrier(
    connection: &mut AnyConnection,
    channel: &ChannelId,
    person: &PersonId,
    now: Timestamp,
) -> Result<Option<Barrier>, StoreError> {
    let ban = sqlx::query("SELECT banned_at FROM chat_bans WHERE channel_id = $1 AND person_id = $2")
        .bind(channel.as_str())
        .bind(person.as_str())
        .fetch_optional(&mut *connection)
        .await?;
    if let Some(row) = ban {
        return Ok(Some((Against::Ban, time(&row, 0)?)));
    }
    let silence = sqlx::query(
        "SELECT silenced_at, until_at FROM chat_silences
         WHERE channel_id = $1 AND person_id = $2 AND until_at > $3",
    )
    .bind(channel.as_str())
    .bind(person.as_str())
    .bind(now.as_millis())
    .fetch_optional(connection)
    .await?;
    let Some(row) = silence else { return Ok(None) };
    let began = time(&row, 0)?;
    let is_long = rules::is_long(rules::beginning(began.as_millis()), time(&row, 1)?, now);
    Ok(is_long.then_some((Against::TimeOut, began)))
}

/// Whether a ban or a time-out that began then holds still.
async fn holds(
    connection: &mut AnyConnection,
    channel: &ChannelId,
    person: &PersonId,
    (against, began): Barrier,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let query = sqlx::query(match against {
        Against::Ban => "SELECT 1 FROM chat_bans WHERE channel_id = $1 AND person_id = $2 AND banned_at = $3",
        Against::TimeOut => {
            "SELECT 1 FROM chat_silences
             WHERE channel_id = $1 AND person_id = $2 AND silenced_at = $3 AND until_at > $4"
        }
    });
    let query = query.bind(channel.as_str()).bind(person.as_str()).bind(began.as_millis());
    let query = match against {
        Against::Ban => query,
        Against::TimeOut => query.bind(now.as_millis()),
    };
    Ok(query.fetch_optional(connection).await?.is_some())
}

fn time(row: &AnyRow, index: usize) -> Result<Timestamp, StoreError> {
    Ok(Timestamp::from_millis(row.try_get(index)?))
}

fn against(row: &AnyRow, index: usize) -> Result<Against, StoreError> {
    let name: String = row.try_get(index)?;
    Against::of_name(&name).ok_or_else(|| broken(format!("an appeal against {name}")))
}

fn fate(row: &AnyRow, index: usize) -> Result<Fate, StoreError> {
    let name: String = row.try_get(index)?;
    Fate::of_name(&name).ok_or_else(|| broken(format!("an appeal that is {name}")))
}

impl ChatStore {
    /// What somebody can appeal against in a room, and the appeal that they made.
    pub async fn appealing(
        &self,
        channel: &ChannelId,
        person: &PersonId,
        now: Timestamp,
    ) -> Result<Appealing, StoreError> {
        let mut connection = self.pool().acquire().await?;
        let barrier = barrier(&mut connection, channel, person, now).await?;
        let (name, began) = barrier.map_or(("", 0), |(against, began)| (against.name(), began.as_millis()));
        let row = sqlx::query(
            "SELECT id, made_at, against, message, state, answer, began_at FROM chat_appeals
             WHERE channel_id = $1 AND person_id = $2 AND ($3 = '' OR (against = $3 AND began_at = $4))
             ORDER BY made_at DESC, id DESC LIMIT 1",
        )
        .bind(channel.as_str())
        .bind(person.as_str())
        .bind(name)
        .bind(began)
        .fetch_optional(&mut *connection)
        .await?;
        let appeal = match row {
            None => None,
            Some(row) => {
                let against = against(&row, 2)?;
                let is_held = holds(&mut connection, channel, person, (against, time(&row, 6)?), now).await?;
                Some(OwnAppeal {
                    id: column(&row, 0)?,
                    at: time(&row, 1)?,
                    against,
                    text: row.try_get(3)?,
                    state: fate(&row, 4)?.state(is_held),
                    answer: row.try_get(5)?,
                })
            }
        };
        Ok(Appealing { against: barrier.map(|(against, _)| against), appeal })
    }

    /// Appeals that wait in a room, oldest first: those against what holds still.
    pub async fn appeals(
        &self,
        channel: &ChannelId,
        wanted: &Wanted,
        now: Timestamp,
    ) -> Result<Vec<Appeal>, StoreError> {
        let (at, id) = wanted.after.as_ref().map_or((i64::MIN, ""), |place| (place.at, place.id.as_str()));
        let rows = sqlx::query(
            "SELECT appeals.id, appeals.made_at, appeals.person_id, appeals.name, accounts.name, appeals.message,
             appeals.against, appeals.began_at, silences.until_at, COALESCE(bans.reason, silences.reason),
             COALESCE(bans.banned_by, silences.silenced_by), moderators.display_name
             FROM chat_appeals appeals
             JOIN accounts ON accounts.id = appeals.person_id
             LEFT JOIN chat_bans bans ON appeals.against = 'ban' AND bans.channel_id = appeals.channel_id
             AND bans.person_id = appeals.person_id AND bans.banned_at = appeals.began_at
             LEFT JOIN chat_silences silences ON appeals.against = 'timeOut'
             AND silences.channel_id = appeals.channel_id AND silences.person_id = appeals.person_id
             AND silences.silenced_at = appeals.began_at AND silences.until_at > $5
             LEFT JOIN accounts moderators ON moderators.id = COALESCE(bans.banned_by, silences.silenced_by)
             WHERE appeals.channel_id = $1 AND appeals.state = 'waiting'
             AND (appeals.made_at > $2 OR (appeals.made_at = $2 AND appeals.id > $3))
             AND (bans.person_id IS NOT NULL OR silences.person_id IS NOT NULL)
             ORDER BY appeals.made_at, appeals.id LIMIT $4",
        )
        .bind(channel.as_str())
        .bind(at)
        .bind(id)
        .bind(wanted.rows())
        .bind(now.as_millis())
        .fetch_all(self.pool())
        .await?;
        let appeal = |row: &AnyRow| {
            Ok(Appeal {
                id: column(row, 0)?,
                at: time(row, 1)?,
                person: column(row, 2)?,
                name: column(row, 3)?,
                account: column(row, 4)?,
                text: row.try_get(5)?,
                against: against(row, 6)?,
                since: rules::beginning(row.try_get(7)?),
                until: row.try_get::<Option<i64>, _>(8)?.map(Timestamp::from_millis),
                reason: row.try_get(9)?,
                by: column(row, 10)?,
                by_name: optional(row, 11)?,
            })
        };
        rows.iter().map(appeal).collect()
    }

    /// Whose an appeal is.
    pub async fn appeal_by(
        &self,
        channel: &ChannelId,
        appeal: &AppealId,
    ) -> Result<Option<(PersonId, DisplayName)>, StoreError> {
        let row = sqlx::query("SELECT person_id, name FROM chat_appeals WHERE channel_id = $1 AND id = $2")
            .bind(channel.as_str())
            .bind(appeal.as_str())
            .fetch_optional(self.pool())
            .await?;
        row.map(|row| Ok((column(&row, 0)?, column(&row, 1)?))).transpose()
    }
}

/// What became of a wish to decide an appeal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tried {
    /// It is decided now: whose it was, and what it was against.
    Decided(PersonId, Against),
    /// It was before.
    Before(Closed),
    /// There is no such appeal.
    Unknown,
}

impl Commit {
    /// Writes an appeal against what keeps its author from writing; whether it is the first against that, and `None` if nothing
    /// does.
    pub async fn appeal(
        &mut self,
        channel: &ChannelId,
        new: &NewAppealed,
        now: Timestamp,
    ) -> Result<Option<bool>, StoreError> {
        let Some((against, began)) = barrier(self.transaction(), channel, &new.person, now).await? else {
            return Ok(None);
        };
        let done = sqlx::query(
            "INSERT INTO chat_appeals
             (id, channel_id, person_id, against, began_at, made_at, name, message, state, answer)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'waiting', '')
             ON CONFLICT (channel_id, person_id, against, began_at) DO NOTHING",
        )
        .bind(new.id.as_str())
        .bind(channel.as_str())
        .bind(new.person.as_str())
        .bind(against.name())
        .bind(began.as_millis())
        .bind(now.as_millis())
        .bind(new.name.as_str())
        .bind(new.text.as_str())
        .execute(&mut **self.transaction())
        .await?;
        Ok(Some(done.rows_affected() > 0))
    }

    /// Decides an appeal that waits, and lifts what it is against if it is accepted.
    pub async fn decide_appeal(
        &mut self,
        channel: &ChannelId,
        appeal: &AppealId,
        (decided, answer): (&AppealDecided, &str),
        now: Timestamp,
    ) -> Result<Tried, StoreError> {
        let row = sqlx::query(
            "SELECT person_id, against, began_at, state, decided_by, by_name FROM chat_appeals
             WHERE channel_id = $1 AND id = $2",
        )
        .bind(channel.as_str())
        .bind(appeal.as_str())
        .fetch_optional(&mut **self.transaction())
        .await?;
        let Some(row) = row else { return Ok(Tried::Unknown) };
        let fate = fate(&row, 3)?;
        if fate != Fate::Waiting {
            let by: Option<(PersonId, DisplayName)> = optional(&row, 4)?.zip(optional(&row, 5)?);
            return Ok(Tried::Before(by.map_or(Closed::Over, |(by, by_name)| {
                Closed::Decided(AppealDecided { accepted: fate == Fate::Accepted, by, by_name })
            })));
        }
        let person: PersonId = column(&row, 0)?;
        let (against, began) = (against(&row, 1)?, time(&row, 2)?);
        if !holds(self.transaction(), channel, &person, (against, began), now).await? {
            self.close_appeals(channel, &person, against).await?;
            return Ok(Tried::Before(Closed::Over));
        }
        let fate = if decided.accepted { Fate::Accepted } else { Fate::Declined };
        sqlx::query(
            "UPDATE chat_appeals SET state = $3, decided_at = $4, decided_by = $5, by_name = $6, answer = $7
             WHERE channel_id = $1 AND id = $2",
        )
        .bind(channel.as_str())
        .bind(appeal.as_str())
        .bind(fate.name())
        .bind(now.as_millis())
        .bind(decided.by.as_str())
        .bind(decided.by_name.as_str())
        .bind(answer)
        .execute(&mut **self.transaction())
        .await?;
        match against {
            Against::Ban if decided.accepted => self.unban(channel, &person).await?,
            Against::TimeOut if decided.accepted => self.unsilence(channel, &person, now).await?,
            _ => false,
        };
        Ok(Tried::Decided(person, against))
    }

    /// What somebody's appeals were against holds no more, or another one took its place: those that wait are over.
    pub async fn close_appeals(
        &mut self,
        channel: &ChannelId,
        person: &PersonId,
        against: Against,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE chat_appeals SET state = 'over'
             WHERE channel_id = $1 AND person_id = $2 AND against = $3 AND state = 'waiting'",
        )
        .bind(channel.as_str())
        .bind(person.as_str())
        .bind(against.name())
        .execute(&mut **self.transaction())
        .await?;
        Ok(())
    }
}
