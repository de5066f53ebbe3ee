//! What chat needs of everybody else, and what the event socket needs of chat.

use crate::{
    account::{
        service::{AccountError, Accounts},
        store::Account,
    },
    actor::{Actor, Embed, Visitor},
    analytics::{ChatSource, ChatTotal},
    broadcast::live::LiveBoard,
    channel::{
        role::{self, store::Set},
        rules,
        service::{ChannelError, Channels},
    },
    chat::{
        self, Person, Place, Tie, VipRefused,
        error::ChatError,
        feed::{Follower, News},
        service::{By, Chat, Followed},
        store::ChatStore,
    },
    event::{self, RoomFollowed, RoomNews, RoomReader, StreamEventService, ToSend, bus::Bus},
    fresh,
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
    chat::{NameColour, Sent},
    event::{Cursor, Occurrence},
    id::{AccountId, ActionId, AppealId, BroadcastId, ChannelId, ChannelName, MessageId},
    moderation::ActionKind,
    problem::Problem,
    text::AccountName,
    unit::Timestamp,
};
use sqlx::AnyConnection;
use std::{collections::HashMap, net::IpAddr, sync::Arc};
use tokio::sync::broadcast::{self, error::RecvError};

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
            events: Arc::new(bus.clone()),
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
    Person { id: account.id, account: account.name, name: account.display_name, colour: account.colour }
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

    fn set_colour<'a>(
        &'a self,
        who: &'a AccountId,
        colour: Option<NameColour>,
    ) -> BoxFuture<'a, Result<(), ChatError>> {
        async move {
            self.0.set_colour(who, colour).await.map_err(|error| match error {
                AccountError::Store(error) => error.into(),
                AccountError::TooMany { wait } => ChatError::TooManyColours { wait },
                _ => ChatError::Nobody,
            })
        }
        .boxed()
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
        connection: &'a mut AnyConnection,
        (by, channel): (&'a Actor, &'a ChannelId),
        account: &'a AccountName,
        is_vip: bool,
    ) -> BoxFuture<'a, Result<Result<bool, VipRefused>, StoreError>> {
        async move {
            let set = role::store::set_vip(connection, (by, channel), account, is_vip, fresh::now()).await?;
            Ok(match set {
                Set::Changed => Ok(true),
                Set::Same => Ok(false),
                Set::Nobody => Err(VipRefused::UnknownAccount),
                Set::IsOwner => Err(VipRefused::IsOwner),
                Set::IsEditor => Err(VipRefused::IsEditor),
                Set::TooMany => Err(VipRefused::TooMany),
            })
        }
        .boxed()
    }
}

struct OfServer {
    board: LiveBoard,
    events: Arc<dyn StreamEventService>,
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
        self.events.tell(channel, Occurrence::ChatMessageSent { message_id: message.clone() });
    }

    fn vip_changed(&self, channel: &ChannelName, is_vip: bool) {
        self.channels.vip_changed(channel, is_vip);
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
        self.events.tell(channel, Occurrence::ChatMessageHeld { message_id: message.clone() });
    }

    fn appealed(&self, channel: &ChannelName, appeal: &AppealId) {
        self.events.tell(channel, Occurrence::ChatAppealMade { appeal_id: appeal.clone() });
    }

    fn moderated(&self, channel: &ChannelName, action: &ActionId, kind: ActionKind) {
        self.events.tell(channel, Occurrence::ChatModerated { action_id: action.clone(), action: kind });
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
pub(in crate::app) async fn follow_edits(chat: Chat, events: Arc<dyn StreamEventService>) {
    let mut occurrences = events.hear_all();
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

/// Lets chat ask again who somebody is, each time that they change what others see of them.
pub(in crate::app) async fn follow_people(chat: Chat, mut edited: broadcast::Receiver<AccountId>) {
    loop {
        match edited.recv().await {
            Ok(account) => chat.person_changed(Some(&account)),
            Err(RecvError::Lagged(_)) => chat.person_changed(None),
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
