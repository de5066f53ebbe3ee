//! What channels need of everybody else.

use super::{
    account::Looks,
    private::{DoorPasswords, RegularsOf},
};
use crate::{
    account::{Names, store::AccountStore},
    broadcast::{
        live::{LiveBoard, LiveState},
        log::BroadcastLog,
    },
    channel::{
        Announce, BearerHash, Keys, Live, LiveControl, LiveSource, Minted, Past, PastSource, naming,
        service::Ports,
    },
    event::{StreamEventService, bus::Bus},
    fresh,
    publish::key::{Bearer, PublishToken, StreamKey},
    store::{Store, StoreError},
};
use futures_util::{FutureExt, future::BoxFuture};
use shared::{
    event::Occurrence,
    id::{AccountId, BroadcastId, ChannelId, ChannelName},
    ladder::LadderState,
    text::{DisplayName, Title},
};
use std::sync::Arc;

/// What channels need of everybody else.
pub(in crate::app) fn ports(
    store: &Store,
    board: &LiveBoard,
    log: Arc<dyn BroadcastLog>,
    bus: &Bus,
    control: Arc<dyn LiveControl>,
) -> Ports {
    Ports {
        live: Arc::new(Board(board.clone())),
        control,
        past: Arc::new(PastOf(log)),
        keys: Arc::new(PublisherKeys),
        names: Arc::new(NamesOfAccounts(AccountStore::new(store.clone()))),
        announce: Arc::new(Told(Arc::new(bus.clone()))),
        passwords: Arc::new(DoorPasswords::new()),
        regulars: Arc::new(RegularsOf::new(store)),
    }
}

/// For a process in which nothing can be live.
pub(in crate::app) struct NothingLive;

impl LiveControl for NothingLive {
    fn ladder<'a>(&'a self, _: &'a ChannelId) -> BoxFuture<'a, LadderState> {
        async { LadderState::default() }.boxed()
    }

    fn set_ladder(&self, _: &ChannelId, _: bool) {}

    fn end<'a>(&'a self, _: &'a ChannelId) -> BoxFuture<'a, bool> {
        async { false }.boxed()
    }

    fn reserve<'a>(&'a self, _: &'a ChannelId, _: &'a BroadcastId) -> BoxFuture<'a, bool> {
        async { true }.boxed()
    }

    fn titled<'a>(&'a self, _: &'a ChannelId, _: &'a Title) -> BoxFuture<'a, ()> {
        async {}.boxed()
    }

    fn hide(&self, _: &ChannelId) {}

    fn hide_from_embeds(&self, _: &ChannelId) {}

    fn let_go(&self, _: &AccountId) {}
}

struct Board(LiveBoard);

impl LiveSource for Board {
    fn of(&self, channel: &ChannelId) -> Live {
        let LiveState {
            state,
            stream_id,
            viewer_count,
            start_time,
            waiting_since,
            ended_at,
            duration,
            mut renditions,
            made,
            ladder: _,
            health: _,
        } = self.0.of(channel);
        renditions.extend(made);
        Live { state, stream_id, viewer_count, start_time, waiting_since, ended_at, duration, renditions }
    }

    fn live(&self) -> Vec<ChannelId> {
        self.0.live().into_iter().map(|(id, _)| id).collect()
    }
}

struct PastOf(Arc<dyn BroadcastLog>);

impl PastSource for PastOf {
    fn last_ended<'a>(&'a self, channel: &'a ChannelId) -> BoxFuture<'a, Result<Option<Past>, StoreError>> {
        async move {
            let past = self.0.last_ended(channel.clone()).await.map_err(|error| error.0)?;
            Ok(past.map(|past| Past { started_at: past.started_at, ended_at: past.ended_at }))
        }
        .boxed()
    }
}

struct PublisherKeys;

impl Keys for PublisherKeys {
    fn stream_key(&self) -> Minted {
        let key = StreamKey::from_random(fresh::bytes());
        Minted { text: key.reveal(), hash: key.hash() }
    }

    fn publish_token(&self) -> Minted {
        let token = PublishToken::from_random(fresh::bytes());
        Minted { text: token.reveal(), hash: token.hash() }
    }

    fn read(&self, bearer: &str) -> Option<BearerHash> {
        Bearer::parse(bearer).map(|bearer| match bearer {
            Bearer::Key(key) => BearerHash::Key(key.hash()),
            Bearer::Token(token) => BearerHash::Token(token.hash()),
        })
    }
}

struct NamesOfAccounts(AccountStore);

impl naming::Names for NamesOfAccounts {
    fn of_accounts_but<'a>(
        &'a self,
        account: Option<&'a AccountId>,
    ) -> BoxFuture<'a, Result<Vec<String>, StoreError>> {
        match account {
            Some(account) => self.0.names_but_of(account).boxed(),
            None => self.0.names().boxed(),
        }
    }

    fn is_unfit<'a>(&'a self, name: &'a DisplayName, others: &'a Arc<[String]>) -> BoxFuture<'a, bool> {
        let (name, others) = (name.clone(), others.clone());
        // Thousands of names take a while. One that can't be held against them is nobody's to have.
        let held = tokio::task::spawn_blocking(move || Looks.is_unfit(&name, &others));
        async move { held.await.unwrap_or(true) }.boxed()
    }
}

struct Told(Arc<dyn StreamEventService>);

impl Announce for Told {
    fn edited(&self, channel: &ChannelName) {
        self.0.tell(channel, Occurrence::ChannelEdited {});
    }
}
