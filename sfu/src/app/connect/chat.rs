//! What chat needs of everybody else, and what the event socket needs of chat.

use crate::{
    account::{service::Accounts, store::Account},
    actor::{Actor, Embed, Visitor},
    analytics::{ChatSource, ChatTotal},
    broadcast::live::LiveBoard,
    channel::{
        rules,
        service::{ChannelError, Channels},
    },
    chat::{
        self, Person, Place, Tie,
        error::ChatError,
        feed::{Follower, News},
        service::{By, Chat, Followed},
        store::ChatStore,
    },
    event::{self, RoomFollowed, RoomNews, RoomReader, ToSend, bus::Bus},
    http::{
        login::{self, SignedIn},
        problem::ProblemResponse,
    },
    social::store::FollowStore,
    store::{Store, StoreError},
};
use futures_util::{FutureExt, future::BoxFuture};
use shared::{
    account::Scope,
    broadcast::BroadcastState,
    chat::Sent,
    event::{Cursor, Occurrence},
    id::{AccountId, ActionId, BroadcastId, ChannelId, ChannelName, MessageId},
    moderation::ActionKind,
    problem::Problem,
    text::AccountName,
    unit::Timestamp,
};
use std::{collections::HashMap, net::IpAddr, sync::Arc};
use tokio::sync::broadcast::error::RecvError;

/// What chat needs of everybody else.
pub(in crate::app) fn chat_ports(
    channels: &Channels,
    accounts: &Accounts,
    board: &LiveBoard,
    bus: &Bus,
    store: &Store,
) -> chat::Ports {
    chat::Ports {
        community: Arc::new(OfCommunity {
            channels: channels.clone(),
            follows: FollowStore::new(store.clone()),
        }),
        channels: Arc::new(OfChannels(channels.clone())),
        accounts: Arc::new(OfAccounts(accounts.clone())),
        surroundings: Arc::new(OfServer {
            board: board.clone(),
            bus: bus.clone(),
            channels: channels.clone(),
        }),
    }
}

struct OfChannels(Channels);

impl chat::Channels for OfChannels {
    fn place<'a>(
        &'a self,
        who: Visitor<'a>,
        channel: &'a ChannelName,
    ) -> BoxFuture<'a, Result<Place, ChatError>> {
        async move {
            let record = self.0.seen(who, channel).await.map_err(|error| match error {
                ChannelError::Store(error) => error.into(),
                ChannelError::Embed(error) => ChatError::Embed(error),
                ChannelError::Suspended => ChatError::Suspended,
                _ => ChatError::UnknownChannel,
            })?;
            Ok(Place {
                channel: record.channel.id.clone(),
                name: record.channel.name.clone(),
                display_name: record.channel.display_name.clone(),
                owner: record.owner.clone(),
                is: rules::standings(who.actor, &record),
            })
        }
        .boxed()
    }

    fn names(&self) -> BoxFuture<'_, Result<Vec<String>, StoreError>> {
        self.0.names().boxed()
    }
}

struct OfAccounts(Accounts);

fn person(account: Account) -> Person {
    Person { id: account.id, account: account.name, name: account.display_name }
}

impl chat::Accounts for OfAccounts {
    fn by_id<'a>(&'a self, id: &'a AccountId) -> BoxFuture<'a, Result<Option<Person>, StoreError>> {
        async move { Ok(self.0.by_id(id).await?.map(person)) }.boxed()
    }

    fn by_name<'a>(&'a self, name: &'a AccountName) -> BoxFuture<'a, Result<Option<Person>, StoreError>> {
        async move { Ok(self.0.by_name(name).await?.map(person)) }.boxed()
    }

    fn names(&self) -> BoxFuture<'_, Result<Vec<String>, StoreError>> {
        self.0.names().boxed()
    }
}

/// Who follows a channel, who subscribes to it, and whom its owner made a VIP.
struct OfCommunity {
    channels: Channels,
    follows: FollowStore,
}

impl chat::Community for OfCommunity {
    fn tie<'a>(
        &'a self,
        channel: &'a ChannelId,
        account: &'a AccountId,
    ) -> BoxFuture<'a, Result<Tie, StoreError>> {
        async move {
            let follows_since = self.follows.since(channel, account).await?;
            Ok(Tie { follows_since, tier: self.channels.tier(channel, account).await? })
        }
        .boxed()
    }

    fn set_vip<'a>(
        &'a self,
        who: &'a Actor,
        channel: &'a ChannelName,
        account: &'a AccountName,
        is_vip: bool,
    ) -> BoxFuture<'a, Result<bool, ChatError>> {
        async move {
            let changed = self.channels.set_vip(who, channel, account, is_vip).await;
            changed.map_err(|error| match error {
                ChannelError::Store(error) => error.into(),
                ChannelError::NotYours => ChatError::NotOwner,
                ChannelError::UnknownAccount => ChatError::UnknownAccount,
                ChannelError::IsOwner => ChatError::IsOwner,
                ChannelError::IsEditor => ChatError::IsEditor,
                ChannelError::TooManyRoles => ChatError::TooManyRoles,
                _ => ChatError::UnknownChannel,
            })
        }
        .boxed()
    }
}

struct OfServer {
    board: LiveBoard,
    bus: Bus,
    channels: Channels,
}

impl chat::Surroundings for OfServer {
    fn broadcast(&self, channel: &ChannelId) -> Option<BroadcastId> {
        let live = self.board.of(channel);
        let is_on = matches!(live.state, BroadcastState::Live | BroadcastState::Waiting);
        live.stream_id.filter(|_| is_on)
    }

    fn viewers(&self, channel: &ChannelId) -> u32 {
        self.board.of(channel).viewer_count
    }

    fn sent(&self, channel: &ChannelName, message: &MessageId) {
        self.bus.publish(channel, Occurrence::ChatMessageSent { message_id: message.clone() });
    }

    fn moderator_left(&self, channel: &ChannelId, who: &AccountId) {
        let (channels, channel, who) = (self.channels.clone(), channel.clone(), who.clone());
        tokio::spawn(async move {
            if let Err(error) = channels.regular_left(&channel, &who).await {
                tracing::warn!(%error, "somebody who doesn't moderate any more could not be asked for anew");
            }
        });
    }

    fn held(&self, channel: &ChannelName, message: &MessageId) {
        self.bus.publish(channel, Occurrence::ChatMessageHeld { message_id: message.clone() });
    }

    fn moderated(&self, channel: &ChannelName, action: &ActionId, kind: ActionKind) {
        self.bus.publish(channel, Occurrence::ChatModerated { action_id: action.clone(), action: kind });
    }
}

/// What was written during broadcasts, for analytics.
pub(in crate::app) struct ChatFigures(pub(in crate::app) ChatStore);

impl ChatSource for ChatFigures {
    fn totals<'a>(
        &'a self,
        broadcasts: &'a [BroadcastId],
    ) -> BoxFuture<'a, Result<HashMap<BroadcastId, ChatTotal>, StoreError>> {
        async move {
            let totals = self.0.totals(broadcasts).await?;
            let total = |(id, messages, chatters)| (id, ChatTotal { messages, chatters });
            Ok(totals.into_iter().map(total).collect())
        }
        .boxed()
    }

    fn seconds<'a>(
        &'a self,
        broadcast: &'a BroadcastId,
        start: Timestamp,
    ) -> BoxFuture<'a, Result<Vec<(u64, u32)>, StoreError>> {
        self.0.seconds(broadcast, start).boxed()
    }
}

/// Lets a channel's chat ask again who may follow it, each time that the channel is edited.
pub(in crate::app) async fn follow_edits(chat: Chat, bus: Bus) {
    let mut occurrences = bus.subscribe_all();
    loop {
        match occurrences.recv().await {
            Ok((_, event)) => {
                if let Occurrence::ChannelEdited {} = event.occurrence {
                    chat.ask_again(Some(&event.channel)).await;
                }
            }
            Err(RecvError::Lagged(_)) => chat.ask_again(None).await,
            Err(RecvError::Closed) => return,
        }
    }
}

/// Chat on the event socket.
pub(in crate::app) struct ChatTopic(pub(in crate::app) Chat);

impl event::Chat for ChatTopic {
    fn follow<'a>(
        &'a self,
        who: Option<&'a SignedIn>,
        embed: Option<Embed<'a>>,
        channel: &'a ChannelName,
        after: Option<Cursor>,
    ) -> BoxFuture<'a, Result<RoomFollowed, Problem>> {
        async move {
            let visitor = Visitor { actor: login::reader(who), embed };
            let followed = self.0.follow(visitor, channel, after).await;
            let Followed { complete, cursor, follower } = followed.map_err(problem)?;
            Ok(RoomFollowed { complete, cursor, reader: Box::new(Reader(follower)) })
        }
        .boxed()
    }

    fn may_follow<'a>(
        &'a self,
        who: Option<&'a SignedIn>,
        embed: Option<Embed<'a>>,
        channel: &'a ChannelName,
    ) -> BoxFuture<'a, Result<(), Problem>> {
        let visitor = Visitor { actor: login::reader(who), embed };
        async move { self.0.may_follow(visitor, channel).await.map_err(problem) }.boxed()
    }

    fn send<'a>(
        &'a self,
        who: Option<&'a SignedIn>,
        embed: Option<Embed<'a>>,
        address: Option<IpAddr>,
        channel: &'a ChannelName,
        ToSend { message, guest }: ToSend,
    ) -> BoxFuture<'a, Result<Sent, Problem>> {
        async move {
            if let Some(who) = who {
                who.may(Scope::ChatWrite)?;
            }
            let by = By { who: who.map(|who| &who.actor), guest: guest.as_deref(), embed, address };
            self.0.send(by, channel, message).await.map_err(problem)
        }
        .boxed()
    }
}

fn problem(error: ChatError) -> Problem {
    ProblemResponse::from(error).into()
}

struct Reader(Follower);

impl RoomReader for Reader {
    fn next(&mut self) -> BoxFuture<'_, RoomNews> {
        async move {
            match self.0.next().await {
                News::Batch(batch) => RoomNews::Updates(batch.cursor, batch.text.clone()),
                News::AskAgain => RoomNews::AskAgain,
                News::FellBehind => RoomNews::FellBehind,
            }
        }
        .boxed()
    }
}
