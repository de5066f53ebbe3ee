//! Whom the teller tells by name: with whom moderators deal, and whose subscriptions change. And who hears of a private channel.

use super::notification::{AGAIN, MISSED_AT_ONCE, Teller};
use crate::{
    actor::Actor,
    channel::{rules::Record, service::Channels},
    fresh,
    notification::{
        Audience,
        rules::{Deed, Occasion, TermNews},
    },
    social::subscription::{rules, store::Ending, tenure::store::Due},
    store::StoreError,
};
use futures_util::{FutureExt, future::BoxFuture};
use shared::{
    id::{AccountId, ActionId, ChannelId, ChannelName, EventId},
    moderation::{ActionKind, ChatAction},
    subscription::Tier,
    unit::Timestamp,
};
use std::{collections::HashSet, time::Duration};
use tokio::time::sleep;

/// How often it is looked whose subscription runs out soon.
const EVERY: Duration = Duration::from_secs(10 * 60);

/// Those who may see a channel, by every way into it that needs no pass.
pub(super) struct Insiders {
    pub(super) channels: Channels,
    pub(super) channel: ChannelId,
}

impl Audience for Insiders {
    fn among<'a>(&'a self, people: &'a [Actor]) -> BoxFuture<'a, Result<HashSet<AccountId>, StoreError>> {
        async move {
            match self.channels.record_by_id(&self.channel).await? {
                Some(record) => self.channels.those_who_see(people, &record).await,
                None => Ok(HashSet::new()),
            }
        }
        .boxed()
    }
}

/// What moderators do that is told to whom they do it.
pub(super) fn deed(kind: ActionKind) -> Option<Deed> {
    match kind {
        ActionKind::TimeOut => Some(Deed::TimedOut),
        ActionKind::Ban => Some(Deed::Banned),
        ActionKind::Unban => Some(Deed::Unbanned),
        ActionKind::AcceptAppeal => Some(Deed::AppealAccepted),
        ActionKind::DeclineAppeal => Some(Deed::AppealDeclined),
        _ => None,
    }
}

impl Teller {
    pub(super) async fn moderated(&self, channel: &ChannelName, action: &ActionId) -> Result<(), StoreError> {
        let Some(record) = self.channels.record(channel).await? else { return Ok(()) };
        match self.chat.action(action).await? {
            Some(action) => self.dealt_with(&record, action).await,
            None => Ok(()),
        }
    }

    /// Tells again of all that moderators did since then; nobody hears it twice.
    pub(super) async fn missed_deeds(&self, since: Duration) -> Result<(), StoreError> {
        let from = fresh::now().as_millis().saturating_sub(since.as_millis() as i64);
        let mut after = fresh::first_id(Timestamp::from_millis(from));
        loop {
            let deeds = self.chat.deeds(&after, MISSED_AT_ONCE).await?;
            let Some((_, last)) = deeds.last() else { return Ok(()) };
            after = last.id.as_str().to_owned();
            for (channel, action) in deeds {
                if let Some(record) = self.channels.record_by_id(&channel).await? {
                    self.dealt_with(&record, action).await?;
                }
            }
        }
    }

    /// Tells somebody what was done to them, and not by whom: that is for moderators to know.
    async fn dealt_with(&self, record: &Record, action: ChatAction) -> Result<(), StoreError> {
        let Some(deed) = deed(action.kind) else { return Ok(()) };
        // A guest has no bell.
        let Some(account) = action.person.and_then(|person| person.as_str().parse::<AccountId>().ok()) else {
            return Ok(());
        };
        let Some(account) = self.accounts.by_id(&account).await? else { return Ok(()) };
        let actor = Actor { account: account.id, role: account.role, address: None };
        if !self.channels.sees(Some(&actor), record).await? {
            return Ok(());
        }
        let occasion = Occasion::Moderation {
            action: action.id,
            channel: record.channel.name.clone(),
            name: record.channel.display_name.clone(),
            deed,
            detail: action.detail,
        };
        self.notifications.tell(&actor.account, occasion).await.map(drop)
    }

    /// Tells somebody of their subscription. Who is told had it, so that this tells nothing of a private channel that they don't
    /// know.
    async fn term(
        &self,
        channel: &ChannelId,
        who: &AccountId,
        (key, news): (String, TermNews),
    ) -> Result<(), StoreError> {
        let Some(record) = self.channels.record_by_id(channel).await? else { return Ok(()) };
        let (channel, name) = (record.channel.name.clone(), record.channel.display_name.clone());
        self.notifications.tell(who, Occasion::Subscription { key, channel, name, news }).await.map(drop)
    }

    pub(super) async fn given(&self, channel: &ChannelId, who: &AccountId, gift: (&str, Tier, u32)) {
        let (receipt, tier, days) = gift;
        let news = (receipt.to_owned(), TermNews::Given { tier: tier.number(), days });
        if let Err(error) = self.term(channel, who, news).await {
            tracing::warn!(%error, account = %who, "somebody was not told of a subscription that they were given");
        }
    }

    pub(super) async fn ended(&self, channel: &ChannelId, who: &AccountId) {
        let end: EventId = fresh::id();
        if let Err(error) = self.term(channel, who, (format!("ended {end}"), TermNews::Ended)).await {
            tracing::warn!(%error, account = %who, "somebody was not told that their subscription was ended");
        }
    }

    /// Tells those whose subscription runs out, for as long as the server runs.
    pub(super) async fn watch_ends(self) {
        let mut seen = None;
        loop {
            let now = fresh::now();
            let until = Timestamp::from_millis(now.as_millis().saturating_add(rules::SOON));
            // After a start, all that end soon are looked at once more; nobody hears it twice.
            match self.told_of_ends((seen.unwrap_or(now), until), now).await {
                Ok(()) => {
                    seen = Some(until);
                    if let Err(error) = self.milestones(fresh::now()).await {
                        tracing::warn!(%error, "somebody was not told of a milestone; this is tried again");
                    }
                    sleep(EVERY).await;
                }
                Err(error) => {
                    tracing::warn!(%error, "whose subscription runs out soon could not be seen; this is tried again");
                    sleep(AGAIN).await;
                }
            }
        }
    }

    async fn told_of_ends(&self, between: (Timestamp, Timestamp), now: Timestamp) -> Result<(), StoreError> {
        let mut behind = String::new();
        loop {
            let ending = self.subscriptions.ending(between, &behind, MISSED_AT_ONCE).await?;
            let Some((_, last)) = ending.last() else { return Ok(()) };
            behind.clone_from(last);
            for (one, place) in &ending {
                let Ending { channel, account, tier, term } = one;
                let all = self.subscriptions.terms(channel, account).await?;
                let Some(days) = rules::runs_out_in(&all, (*tier, *term), now) else { continue };
                // One that was made longer runs out anew.
                let key = format!("runs out {place} {}", term.ends_at.as_millis());
                let news = TermNews::RunsOut { tier: tier.number(), days };
                self.term(channel, account, (key, news)).await?;
            }
        }
    }

    /// Tells owners who has subscribed for long. Told first, as it is told once however often: a crash in between loses nothing.
    async fn milestones(&self, now: Timestamp) -> Result<(), StoreError> {
        let mut behind = String::new();
        loop {
            let due = self.subscriptions.milestones_due(now, &behind, MISSED_AT_ONCE).await?;
            let Some((_, last)) = due.last() else { return Ok(()) };
            behind.clone_from(last);
            for (one, place) in due {
                // What one fails by holds up no other.
                let told = match one {
                    Ok(one) => self.milestone_of(&one, now).await,
                    Err(error) => Err(error),
                };
                if let Err(error) = told {
                    tracing::warn!(%error, place, "a milestone was not told; this is tried again");
                }
            }
        }
    }

    async fn milestone_of(&self, due: &Due, now: Timestamp) -> Result<(), StoreError> {
        let months = due.tenure.reached(now);
        if let Some(months) = months {
            self.milestone(&due.channel, &due.account, months).await?;
        }
        self.subscriptions.milestone_told(due, months, now).await
    }

    async fn milestone(&self, channel: &ChannelId, who: &AccountId, months: u32) -> Result<(), StoreError> {
        let Some(record) = self.channels.record_by_id(channel).await? else { return Ok(()) };
        let Some(owner) = &record.owner else { return Ok(()) };
        let Some(account) = self.accounts.by_id(who).await? else { return Ok(()) };
        let occasion = Occasion::Milestone {
            who: account.id.to_string(),
            name: account.display_name,
            channel: record.channel.name.clone(),
            months,
            picture: account.avatar,
        };
        self.notifications.tell(owner, occasion).await.map(drop)
    }
}
