//! Ports of one capability, filled by another.

use super::{
    AppError, Media, MediaNeeds,
    media::{
        sessions::MediaSessions,
        stage::{self, StageHandle},
    },
};
use crate::{
    account::{self, service::Accounts},
    broadcast::{
        live::{LiveBoard, LiveState},
        log::BroadcastLog,
    },
    channel::{
        Announce, BearerHash, Keys, Live, LiveControl, LiveSource, Minted, Past, PastSource,
        access::{AccessError, PublisherGrant},
        service::{ChannelError, Channels, Ports},
    },
    event::{Reading, Source, bus::Bus},
    fresh,
    http::{
        login::{self, Logins, SignedIn},
        problem::ProblemResponse,
    },
    publish::{
        key::{Bearer, PublishToken, StreamKey},
        whip,
    },
    rtc::session,
    store::StoreError,
    watch::whep,
};
use axum::http::HeaderMap;
use futures_util::{FutureExt, future::BoxFuture};
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric},
    metrics::{MetricType, counter::ConstCounter, gauge::ConstGauge},
};
use shared::{
    channel::{Channel, Visibility},
    event::{Occurrence, Payload, Topic},
    id::{AccountId, ChannelId, ChannelName},
    problem::Problem,
    publish::PublisherHealth,
    text::DisplayName,
    unit::Bitrate,
};
use std::sync::{Arc, atomic::Ordering::Relaxed};

/// Starts the media plane, and says how the rest reaches it.
pub(super) async fn media(needs: MediaNeeds) -> Result<Media, AppError> {
    let MediaNeeds { config, board, bus, log, metrics, draining } = needs;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let links: Arc<[_]> = session::ice_server_links(
        &config.ice_servers,
        config.ice_username.as_deref(),
        config.ice_credential.as_deref(),
    )
    .into();
    let (stage, task) = stage::start(stage::Needs {
        listen: config.listen,
        public: config.public_ip,
        shards: config.shards.map_or(cores, usize::from).clamp(1, 64),
        board: board.clone(),
        tell: Box::new(move |channel, occurrence| {
            bus.publish(channel, occurrence);
        }),
        log,
        draining,
    })
    .await?;
    let gauges = MediaGauges { sessions: Arc::clone(&stage.sessions), board };
    metrics.register(|registry| registry.register_collector(Box::new(gauges)));
    let control = Arc::new(Stage(stage.clone()));
    let sessions = Arc::clone(&stage.sessions);
    let ready = Arc::new(move || {
        let down = sessions.plane().gauges().filter(|gauges| gauges.is_down.load(Relaxed)).count();
        if down == 0 { Ok(()) } else { Err(format!("{down} media shards have stopped: restart the server")) }
    });
    let routes = Box::new(move |channels: &Channels, accounts: &Accounts| {
        let publishers = Arc::new(PublisherGate(channels.clone()));
        let watchers =
            Arc::new(WatcherGate { channels: channels.clone(), logins: Arc::new(accounts.clone()) });
        whip::routes(publishers, stage.sessions.clone(), Arc::clone(&links)).merge(whep::routes(
            watchers,
            stage.sessions,
            links,
        ))
    });
    Ok(Media { control, ready, routes, task })
}

struct Stage(StageHandle);

impl LiveControl for Stage {
    fn end<'a>(&'a self, channel: &'a ChannelId) -> BoxFuture<'a, bool> {
        self.0.end(channel).boxed()
    }

    fn hide(&self, channel: &ChannelId) {
        self.0.sessions.dismiss_viewers(channel);
    }
}

struct PublisherGate(Channels);

impl whip::Gate for PublisherGate {
    fn admit<'a>(
        &'a self,
        channel: Option<&'a ChannelName>,
        bearer: &'a str,
    ) -> BoxFuture<'a, Result<whip::Grant, whip::Refused>> {
        async move {
            match self.0.publisher(None, bearer).await {
                Ok(grant) if channel.is_some_and(|name| *name != grant.channel_name) => {
                    Err(whip::Refused::OtherChannel)
                }
                Ok(PublisherGrant { channel_id, channel_name, title, category }) => {
                    Ok(whip::Grant { channel: channel_id, name: channel_name, title, category })
                }
                Err(AccessError::Denied | AccessError::Unknown) => Err(whip::Refused::WrongKey),
                Err(AccessError::Store(error)) => Err(whip::Refused::Unavailable(error.into())),
            }
        }
        .boxed()
    }
}

struct WatcherGate {
    channels: Channels,
    logins: Arc<dyn Logins>,
}

impl whep::Gate for WatcherGate {
    fn admit<'a>(
        &'a self,
        channel: &'a ChannelName,
        headers: &'a HeaderMap,
    ) -> BoxFuture<'a, Result<Option<ChannelId>, ProblemResponse>> {
        async move {
            let who = login::who(headers, self.logins.as_ref()).await?;
            match self.channels.watcher(channel, who.as_ref().map(|who| &who.actor)).await {
                Ok(id) => Ok(Some(id)),
                Err(AccessError::Denied | AccessError::Unknown) => Ok(None),
                Err(AccessError::Store(error)) => Err(error.into()),
            }
        }
        .boxed()
    }
}

/// The media plane's figures, read when they are asked for.
struct MediaGauges {
    sessions: Arc<MediaSessions>,
    board: LiveBoard,
}

impl std::fmt::Debug for MediaGauges {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MediaGauges")
    }
}

impl Collector for MediaGauges {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let gauges = self.sessions.plane().gauges();
        let (mut peers, mut dropped, mut refused) = (0, 0, 0);
        for gauge in gauges {
            peers += gauge.peers.load(Relaxed);
            dropped += gauge.dropped.load(Relaxed);
            refused += gauge.refused.load(Relaxed);
        }
        let live = self.board.live();
        let viewers: u64 = live.iter().map(|(_, state)| u64::from(state.viewer_count)).sum();
        let ingest: u64 =
            live.iter().filter_map(|(_, state)| state.health.as_ref()).map(|health| health.bitrate.0).sum();
        let mut gauge = |name: &str, help: &str, value: u64| {
            ConstGauge::new(value as i64).encode(encoder.encode_descriptor(
                name,
                help,
                None,
                MetricType::Gauge,
            )?)
        };
        gauge("media_sessions", "WHIP and WHEP sessions", peers as u64)?;
        gauge("broadcasts_live", "Broadcasts that are live or waiting", live.len() as u64)?;
        gauge("viewers", "Viewers that are connected", viewers)?;
        gauge("ingest_bits_per_second", "Media that arrives from publishers", ingest)?;
        let mut counter = |name: &str, help: &str, value: u64| {
            ConstCounter::new(value).encode(encoder.encode_descriptor(
                name,
                help,
                None,
                MetricType::Counter,
            )?)
        };
        counter("media_datagrams_dropped", "Datagrams that the kernel had no room for", dropped)?;
        counter("media_commands_refused", "Commands and batches that a shard had no room for", refused)
    }
}

/// What channels need of everybody else.
pub(super) fn ports(
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
        announce: Arc::new(OnBus(bus.clone())),
    }
}

/// For a process in which nothing can be live.
pub(super) struct NothingLive;

impl LiveControl for NothingLive {
    fn end<'a>(&'a self, _: &'a ChannelId) -> BoxFuture<'a, bool> {
        async { false }.boxed()
    }

    fn hide(&self, _: &ChannelId) {}
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
            renditions,
            health: _,
        } = self.0.of(channel);
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

struct OnBus(Bus);

impl Announce for OnBus {
    fn edited(&self, channel: &ChannelName) {
        self.0.publish(channel, Occurrence::ChannelEdited {});
    }
}

/// Channels, as accounts see them.
pub(super) struct AccountChannels(pub(super) Channels);

impl account::Channels for AccountChannels {
    fn is_free<'a>(&'a self, name: &'a ChannelName) -> BoxFuture<'a, Result<bool, StoreError>> {
        self.0.is_free(name).boxed()
    }

    fn open_first<'a>(
        &'a self,
        owner: &'a AccountId,
        name: &'a ChannelName,
        display_name: &'a DisplayName,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        self.0.open_first(owner, name, display_name).boxed()
    }

    fn owned_by<'a>(&'a self, owner: &'a AccountId) -> BoxFuture<'a, Result<Vec<Channel>, StoreError>> {
        self.0.owned_by(owner).boxed()
    }
}

/// What the event socket's topics say, and to whom.
pub(super) struct Topics {
    pub(super) channels: Channels,
    pub(super) board: LiveBoard,
}

impl Topics {
    async fn may_follow(
        &self,
        who: Option<&SignedIn>,
        topic: Topic,
        channel: Option<&ChannelName>,
    ) -> Result<(), ProblemResponse> {
        let actor = who.map(|who| &who.actor);
        match (topic, channel) {
            (Topic::Directory, _) => Ok(()),
            (_, None) => Err(ChannelError::Unknown.into()),
            (Topic::ChannelState | Topic::ChannelEvents, Some(channel)) => {
                self.channels.seen(actor, channel).await?;
                Ok(())
            }
            (Topic::Webrtc, Some(channel)) => {
                let actor = actor.ok_or_else(ProblemResponse::signed_out)?;
                self.channels.managed(actor, channel).await?;
                Ok(())
            }
            (Topic::Analytics | Topic::Rooms | Topic::Peers | Topic::Chat | Topic::SendChat, Some(_)) => {
                Err(ChannelError::Unknown.into())
            }
        }
    }

    async fn payload(
        &self,
        topic: Topic,
        channel: Option<&ChannelName>,
    ) -> Result<Option<Reading>, StoreError> {
        if topic == Topic::Directory {
            let payload = Payload::Directory(self.channels.directory().await?);
            return Ok(Some(Reading { payload, restricted: false }));
        }
        let Some(channel) = channel else { return Ok(None) };
        let Some(record) = self.channels.record(channel).await? else { return Ok(None) };
        let is_private = record.channel.visibility == Visibility::Private;
        let (payload, restricted) = match topic {
            Topic::ChannelState => {
                (Payload::ChannelState(Box::new(self.channels.state_of(&record))), is_private)
            }
            Topic::Webrtc => {
                let health = health_of(channel, self.board.of(&record.channel.id));
                (Payload::PublisherHealth(Box::new(health)), true)
            }
            Topic::ChannelEvents
            | Topic::Directory
            | Topic::Analytics
            | Topic::Rooms
            | Topic::Peers
            | Topic::Chat
            | Topic::SendChat => return Ok(None),
        };
        Ok(Some(Reading { payload, restricted }))
    }
}

impl Source for Topics {
    fn authorise<'a>(
        &'a self,
        who: Option<&'a SignedIn>,
        topic: Topic,
        channel: Option<&'a ChannelName>,
    ) -> BoxFuture<'a, Result<(), Problem>> {
        async move { self.may_follow(who, topic, channel).await.map_err(Problem::from) }.boxed()
    }

    fn read<'a>(
        &'a self,
        topic: Topic,
        channel: Option<&'a ChannelName>,
    ) -> BoxFuture<'a, Result<Option<Reading>, Problem>> {
        async move {
            let read = self.payload(topic, channel).await;
            read.map_err(|error| Problem::from(ProblemResponse::from(error)))
        }
        .boxed()
    }
}

/// What arrives from a channel's publisher; nothing while nobody publishes.
fn health_of(channel: &ChannelName, live: LiveState) -> PublisherHealth {
    let health = live.health;
    PublisherHealth {
        channel: channel.clone(),
        session: health.as_ref().map(|health| health.session.clone()),
        user_agent: health.as_ref().map(|health| health.user_agent.clone()).unwrap_or_default(),
        viewers: live.viewer_count,
        bitrate: health.as_ref().map_or(Bitrate(0), |health| health.bitrate),
        frame_rate: health.as_ref().map_or(0.0, |health| health.frame_rate),
        loss: health.as_ref().map_or(0.0, |health| health.loss),
        round_trip: health.as_ref().and_then(|health| health.round_trip),
        keyframe_interval: health.as_ref().and_then(|health| health.keyframe_interval),
        renditions: live.renditions,
    }
}
