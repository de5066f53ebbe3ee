//! The media plane: who may publish and watch, what it counts, and how the rest reaches it.

use crate::{
    account::{service::Accounts, threat::service::Threats},
    actor::{Embed, Visitor},
    app::{
        AppError, Media, MediaNeeds,
        media::{
            machine::Ladders,
            sessions::MediaSessions,
            stage::{self, StageHandle},
        },
    },
    broadcast::live::LiveBoard,
    channel::{
        LiveControl,
        access::{AccessError, PublisherGrant},
        door::pass,
        rules::Admission,
        service::Channels,
    },
    http::{
        login::{self, Logins},
        problem::ProblemResponse,
    },
    publish::whip,
    rtc::{latency::Latencies, plane::Doors, session},
    telemetry::ladder::LadderMetrics,
    transcode::admission::Limits,
    watch::whep,
};
use axum::http::HeaderMap;
use futures_util::{FutureExt, future::BoxFuture};
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric, MetricEncoder, NoLabelSet},
    metrics::{MetricType, counter::ConstCounter, gauge::ConstGauge},
};
use shared::{
    id::{AccountId, BroadcastId, ChannelId, ChannelName},
    ladder::LadderState,
    text::Title,
};
use std::sync::{Arc, atomic::Ordering::Relaxed};

/// Starts the media plane, and says how the rest reaches it.
pub(in crate::app) async fn media(needs: MediaNeeds) -> Result<Media, AppError> {
    let MediaNeeds { config, ladder, board, bus, rooms, log, heed, classify, metrics, draining, stopping } =
        needs;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let links: Arc<[_]> = session::ice_server_links(
        &config.ice_servers,
        config.ice_username.as_deref(),
        config.ice_credential.as_deref(),
    )
    .into();
    let counted = LadderMetrics::default();
    metrics.register(|registry| counted.register(registry));
    let limits = Limits {
        enabled: ladder.enabled,
        most_rungs: ladder.max_rungs.into(),
        most_cores: ladder.max_cpu.map(|hundredths| hundredths as f32 / 100.0),
        rungs: ladder.rungs,
    };
    let ladders = Ladders::new(limits, counted);
    let (stage, task) = stage::start(stage::Needs {
        ladders,
        doors: Doors { listen: config.listen, public: config.public_ip, tcp: config.tcp },
        shards: config.shards.map_or(cores, usize::from).clamp(1, 64),
        segmentation: config.segmentation,
        congestion_control: config.congestion_control,
        board: board.clone(),
        tell: Box::new(move |channel, occurrence| {
            bus.publish(channel, occurrence);
        }),
        tell_rooms: Box::new(move |channel, update| rooms.publish(channel, update)),
        log,
        heed,
        draining,
        stopping,
    })
    .await?;
    let gauges = MediaGauges { sessions: Arc::clone(&stage.sessions), board };
    metrics.register(|registry| registry.register_collector(Box::new(gauges)));
    let control = Arc::new(Stage(stage.clone()));
    let sessions = Arc::clone(&stage.sessions);
    let all = Arc::clone(&stage.sessions);
    let ready = Arc::new(move || {
        let down = sessions.plane().gauges().filter(|gauges| gauges.is_down.load(Relaxed)).count();
        if down == 0 { Ok(()) } else { Err(format!("{down} media shards have stopped: restart the server")) }
    });
    let routes = Box::new(move |channels: &Channels, accounts: &Accounts| {
        let publishers = Arc::new(PublisherGate(channels.clone(), accounts.threats().clone()));
        let watchers =
            Arc::new(WatcherGate { channels: channels.clone(), logins: Arc::new(accounts.clone()) });
        whip::routes(publishers, stage.sessions.clone(), Arc::clone(&links)).merge(whep::routes(
            watchers,
            stage.sessions,
            classify,
            links,
        ))
    });
    Ok(Media { control, ready, routes, sessions: all, task })
}

struct Stage(StageHandle);

impl LiveControl for Stage {
    fn end<'a>(&'a self, channel: &'a ChannelId) -> BoxFuture<'a, bool> {
        self.0.end(channel).boxed()
    }

    fn reserve<'a>(&'a self, channel: &'a ChannelId, id: &'a BroadcastId) -> BoxFuture<'a, bool> {
        self.0.reserve(channel, id).boxed()
    }

    fn titled<'a>(&'a self, channel: &'a ChannelId, title: &'a Title) -> BoxFuture<'a, ()> {
        self.0.titled(channel, title).boxed()
    }

    fn ladder<'a>(&'a self, channel: &'a ChannelId) -> BoxFuture<'a, LadderState> {
        self.0.ladder(channel).boxed()
    }

    fn set_ladder(&self, channel: &ChannelId, is_wanted: bool) {
        self.0.sessions.set_ladder(channel, is_wanted);
    }

    fn hide(&self, channel: &ChannelId) {
        self.0.sessions.dismiss_viewers(channel);
    }

    fn hide_from_embeds(&self, channel: &ChannelId) {
        self.0.sessions.dismiss_embeds(channel);
    }

    fn let_go(&self, account: &AccountId) {
        self.0.sessions.dismiss_person(account);
    }
}

struct PublisherGate(Channels, Threats);

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
                Ok(PublisherGrant { channel_id, channel_name, title, category, reserved, ladder }) => {
                    let (channel, name) = (channel_id, channel_name);
                    Ok(whip::Grant { channel, name, title, category, reserved, ladder })
                }
                Err(AccessError::Denied | AccessError::Unknown | AccessError::Embed(_)) => {
                    self.1.wrong_key();
                    Err(whip::Refused::WrongKey)
                }
                // OBS tries it again and again: nobody guesses.
                Err(AccessError::OwnerSuspended) => Err(whip::Refused::WrongKey),
                Err(AccessError::Suspended) => {
                    Err(whip::Refused::Unavailable(ProblemResponse::channel_suspended()))
                }
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
        token: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Option<whep::Ticket>, ProblemResponse>> {
        async move {
            let who = login::viewer(headers, self.logins.as_ref()).await?;
            let Visitor { actor, embed } = login::visitor(who.as_ref(), headers);
            // A token of the address goes before the passes that a browser sends along with everything.
            let bearer = embed.filter(|embed| !pass::are_passes(embed.token));
            let embed = bearer.or(token.map(|token| Embed { token, goes_on: false })).or(embed);
            match self.channels.watcher(channel, Visitor { actor, embed }).await {
                Ok((channel, by)) => {
                    let (by_embed, account) = (by != Admission::Anyway, actor.map(|who| who.account.clone()));
                    Ok(Some(whep::Ticket { channel, by_embed, account }))
                }
                Err(AccessError::Denied | AccessError::OwnerSuspended | AccessError::Unknown) => Ok(None),
                Err(AccessError::Suspended) => Err(ProblemResponse::channel_suspended()),
                Err(AccessError::Embed(error)) => Err(error.into()),
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

/// Times as a histogram that was counted elsewhere: their sum in seconds, and how many ended in each bucket.
struct Times(f64, Vec<(f64, u64)>);

impl EncodeMetric for Times {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> Result<(), std::fmt::Error> {
        let count = self.1.iter().map(|(_, count)| count).sum();
        encoder.encode_histogram::<NoLabelSet>(self.0, count, &self.1, None)
    }

    fn metric_type(&self) -> MetricType {
        MetricType::Histogram
    }
}

impl Collector for MediaGauges {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let gauges = self.sessions.plane().gauges();
        let (mut peers, mut dropped, mut refused, mut panics) = (0, 0, 0, 0);
        for gauge in gauges {
            peers += gauge.peers.load(Relaxed);
            dropped += gauge.dropped.load(Relaxed);
            refused += gauge.refused.load(Relaxed);
            panics += gauge.panics.load(Relaxed);
        }
        let (seconds, buckets) =
            Latencies::read(self.sessions.plane().gauges().map(|gauges| &gauges.forwarding));
        let help = "From a media packet's arrival until it is handed to the kernel for a viewer";
        let name = "media_forwarding_seconds";
        Times(seconds, buckets).encode(encoder.encode_descriptor(
            name,
            help,
            None,
            MetricType::Histogram,
        )?)?;
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
        counter("media_commands_refused", "Commands and batches that a shard had no room for", refused)?;
        let broken = crate::rtc::dtls::passed_over();
        counter("media_dtls_passed_over", "Broken DTLS datagrams, which end nothing", broken)?;
        counter("media_panics", "Panics that ended a session or a room", panics)
    }
}
