//! The composition root: makes every part, and connects what must not know of each other.

mod connect;
mod end;
pub mod media;
#[cfg(test)]
mod tests;

use self::media::sessions::MediaSessions;
use crate::{
    account::{
        oidc::service::Oidc,
        reset,
        service::{AccountError, Accounts},
        store::AccountStore,
    },
    analytics::{
        maxminddb::{Regions, RegionsError},
        service::{Analytics, Desk},
        store::AnalyticsStore,
    },
    audit::{self, service::Audit},
    broadcast::{live::LiveBoard, log::BroadcastLog, store::SqlBroadcastLog},
    channel::{
        LiveControl,
        routes::whip_url,
        service::{ChannelError, Channels},
    },
    chat::{service::Chat, store::ChatStore},
    config::Config,
    event::{
        bus::{Bus, Rooms},
        websocket::Gateway,
    },
    fresh,
    http::{
        assets::{Assets, EMBEDDED},
        endings::Endings,
        login::Logins,
        outgoing::Outgoing,
        peer::Site,
        server::{self, Places},
    },
    notification::{mail::smtp::MailSetUpError, service::Notifications},
    routes::{self, Parts},
    social::{
        activity::{self, service::Activities},
        service::Social,
        subscription::{
            self,
            gift::{service::BuiltIn, store::GiftStore},
            service::Subscriptions,
            store::SubscriptionStore,
        },
    },
    store::{Store, StoreError},
    telemetry::{
        health::{Check, Readiness},
        metrics::Metrics,
    },
    transcode::{child, measure},
    watch::whep::Classify,
    webhook::{self, service::Webhooks},
};
use axum::Router;
use shared::{
    channel::NewChannel,
    id::{AccountId, ChannelName, EventId},
    text::{AccountName, DisplayName, Password},
};
use std::{io, net::SocketAddr, process::ExitCode, sync::Arc, time::Duration};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
    sync::watch,
    task::{JoinHandle, JoinSet},
    time::sleep,
};

/// How often a server that drains looks whether anybody is left.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// Why the server did not start, or stopped.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// Something else has the port.
    #[error(
        "{0} is in use already, perhaps by another Weir: stop it, or choose another address with WEIR_HTTP_LISTEN"
    )]
    InUse(SocketAddr),
    /// The address can't be listened on.
    #[error("Weir can't listen on {address}: {source}. Choose another address with WEIR_HTTP_LISTEN")]
    Listen {
        /// Which.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// The database can't be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// An account could not be made.
    #[error(transparent)]
    Account(#[from] AccountError),
    /// A channel could not be made.
    #[error(transparent)]
    Channel(#[from] ChannelError),
    /// The media plane can't start.
    #[error(transparent)]
    Media(#[from] crate::rtc::plane::StartError),
    /// The OpenID provider is half set.
    #[error(transparent)]
    Oidc(#[from] crate::config::oidc::Missing),
    /// The mail server can't be used as it is set.
    #[error(transparent)]
    Mail(#[from] MailSetUpError),
    /// The GeoIP database can't be used.
    #[error(transparent)]
    Regions(#[from] RegionsError),
    /// The broadcast log can't be used.
    #[error(transparent)]
    Log(#[from] crate::broadcast::log::LogError),
    /// The system failed.
    #[error("the server stopped: {0}")]
    System(#[from] io::Error),
}

/// What the media plane needs to start.
pub struct MediaNeeds {
    /// How it is reached.
    pub config: crate::config::Media,
    /// What renditions may be made.
    pub ladder: crate::config::Ladder,
    /// To write what is live.
    pub board: LiveBoard,
    /// To tell what happens; after the board says so.
    pub bus: Bus,
    /// To tell what happens in media rooms.
    pub rooms: Rooms,
    /// To write down broadcasts and views.
    pub log: Arc<dyn BroadcastLog>,
    /// Hears of what is written down.
    pub heed: media::stage::Heed,
    /// To tell viewers apart.
    pub classify: Arc<dyn Classify>,
    /// To count.
    pub metrics: Metrics,
    /// Turns true when nobody new is taken on.
    pub draining: watch::Receiver<bool>,
    /// Turns true when all sessions are to end.
    pub stopping: watch::Receiver<bool>,
}

/// How far the server was told to end. Each signal takes it at least one step further.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ending {
    /// Not at all.
    NotYet,
    /// Take nobody on; who is on goes on for a while.
    Drain,
    /// End all sessions, and write down what happened.
    Stop,
    /// Leave everything as it is.
    AtOnce,
}

impl Ending {
    fn next(self) -> Self {
        match self {
            Self::NotYet => Self::Drain,
            Self::Drain => Self::Stop,
            Self::Stop | Self::AtOnce => Self::AtOnce,
        }
    }
}

/// Makes the WHIP and WHEP routes, given who may publish and who watches.
pub type MediaRoutes = Box<dyn FnOnce(&Channels, &Accounts) -> Router + Send>;

/// What the rest of the server needs of the media plane.
pub struct Media {
    /// Ends what is live.
    pub control: Arc<dyn LiveControl>,
    /// Whether it is up.
    pub ready: Check,
    /// Makes the WHIP and WHEP routes.
    pub routes: MediaRoutes,
    /// Everybody who publishes and watches.
    pub sessions: Arc<MediaSessions>,
    /// Ends when the server drains and everything is written down.
    pub task: JoinHandle<()>,
}

/// A server that listens.
pub struct Server {
    listeners: Vec<TcpListener>,
    addresses: Vec<SocketAddr>,
    setup_link: Option<String>,
    base_url: String,
    router: Router,
    gateway: Gateway,
    store: Store,
    draining: watch::Sender<bool>,
    stopping: watch::Sender<bool>,
    drain: Duration,
    places: Places,
    sessions: Arc<MediaSessions>,
    media: JoinHandle<()>,
    desk: Desk,
    chat: Chat,
    outbox: JoinHandle<()>,
    threats: JoinHandle<()>,
}

impl Server {
    /// Makes everything. What can't work says so before anything is served.
    pub async fn start(config: Config) -> Result<Self, AppError> {
        let (listeners, addresses) = listen(&config.http.listen).await?;
        let store = open_store(&config).await?;
        let site = Site {
            public_url: config.http.public_url.clone().map(Into::into),
            trusted_proxies: config.http.trusted_proxies.clone().into(),
            keeps_addresses: config.http.address_days > 0,
        };
        let places = Places::new(site.trusted_proxies.clone());
        let base_url = base_url(&config, addresses.first());
        let (draining, is_draining) = watch::channel(false);
        let (stopping, is_stopping) = watch::channel(false);
        let metrics = Metrics::new(fresh::now().as_millis() / 1000);
        let (bus, rooms) = (Bus::default(), Rooms::default());
        let board = LiveBoard::default();

        let log: Arc<dyn BroadcastLog> = Arc::new(SqlBroadcastLog::new(store.clone()));
        let left_open = log.close_stale_spans().await?;
        if left_open > 0 {
            tracing::info!(views = left_open, "views that the last run left open were closed");
        }
        let regions = config.geoip_database.as_deref().map(Regions::open).transpose()?;
        let process: EventId = fresh::id();
        let analytics_store = AnalyticsStore::new(store.clone(), process.as_str());
        let desk = Desk::start(analytics_store.clone());
        let heeding = desk.clone();

        let media = connect::media(MediaNeeds {
            config: config.media.clone(),
            ladder: config.ladder.clone(),
            board: board.clone(),
            bus: bus.clone(),
            rooms: rooms.clone(),
            log: log.clone(),
            heed: Box::new(move |record| {
                if let Some(fact) = connect::fact(record) {
                    heeding.heed(fact);
                }
            }),
            classify: Arc::new(connect::Classifier(regions.unwrap_or_default())),
            metrics: metrics.clone(),
            draining: is_draining.clone(),
            stopping: is_stopping,
        })
        .await?;

        let ports = connect::ports(&store, &board, log, &bus, media.control);
        let channels = Channels::new(store.clone(), ports);
        let owned = Arc::new(connect::AccountChannels(channels.clone()));
        let endings = Endings::default();
        let notifications = Notifications::new(store.clone());
        let (push, mail) =
            connect::outboxes(&store, &config, base_url.clone(), &notifications, &stopping).await?;
        let accounts = Accounts::new(store.clone(), owned, Arc::new(connect::Looks), endings.clone())
            .mailing(Arc::new(connect::ResetLetters(mail.clone())))
            .warning(Arc::new(connect::Warnings(notifications.clone())));
        let threats = tokio::spawn(accounts.threats().clone().run(stopping.subscribe()));
        tokio::spawn(reset::task::run(accounts.clone(), stopping.subscribe()));
        let oidc = Oidc::new(store.clone(), accounts.clone(), config.oidc.provider()?);
        let owners = Arc::new(connect::ChannelOwners(channels.clone()));
        let written = Arc::new(connect::ChatFigures(ChatStore::new(store.clone())));
        let analytics = Analytics::new(analytics_store, desk.clone(), owners, written);
        let chat_ports = connect::chat_ports(&channels, &accounts, &board, &bus, &store);
        let chat = Chat::new(store.clone(), chat_ports);
        tokio::spawn(connect::follow_edits(chat.clone(), Arc::new(bus.clone())));
        tokio::spawn(connect::follow_people(chat.clone(), accounts.edited()));
        let teller = connect::Teller {
            events: Arc::new(bus.clone()),
            board: board.clone(),
            channels: channels.clone(),
            accounts: accounts.clone(),
            chat: ChatStore::new(store.clone()),
            subscriptions: SubscriptionStore::new(store.clone()),
            notifications: Arc::new(notifications.clone()),
        };
        tokio::spawn(teller.clone().run());
        let followable = Arc::new(connect::Followable(channels.clone()));
        let leavings = connect::Leavings {
            store: store.clone(),
            channels: channels.clone(),
            chat: chat.clone(),
            endings: endings.clone(),
        };
        tokio::spawn(leavings.run(stopping.subscribe()));
        let social = Social::new(
            store.clone(),
            followable,
            Arc::new(connect::FollowsHeard { teller: teller.clone(), chat: chat.clone() }),
            push.key_for("recommendations"),
        );
        let billing = Arc::new(BuiltIn::new(GiftStore::new(store.clone())));
        let subscribable = Arc::new(connect::Subscribable { channels: channels.clone(), chat: chat.clone() });
        tokio::spawn(subscription::task::run(
            SubscriptionStore::new(store.clone()),
            subscribable.clone(),
            stopping.subscribe(),
        ));
        let subscriptions = Subscriptions::new(
            store.clone(),
            billing,
            subscribable,
            Arc::new(connect::SubscriptionsHeard {
                events: Arc::new(bus.clone()),
                chat: chat.clone(),
                teller,
            }),
        );
        let own_channels = Arc::new(connect::OwnChannels(channels.clone()));
        let audit = Audit::new(store.clone(), own_channels.clone());
        let stopping_soon = stopping.subscribe();
        tokio::spawn(audit::task::run(
            audit.store().clone(),
            config.http.address_days,
            stopping_soon.clone(),
        ));
        let outgoing = Outgoing::new(config.http.outgoing_allow.clone().into());
        let said = Arc::new(connect::Said(ChatStore::new(store.clone())));
        let webhooks = Webhooks::new(store.clone(), own_channels, said, outgoing);
        let outbox = tokio::spawn(webhook::task::run(webhooks.clone(), stopping_soon));
        let activities = Activities::new(store.clone(), Arc::new(connect::Watched(chat.clone())));
        tokio::spawn(activity::task::run(activities.store().clone(), stopping.subscribe()));
        let topics = Arc::new(connect::Topics {
            channels: channels.clone(),
            board,
            analytics: analytics.clone(),
            activities: activities.clone(),
            sessions: media.sessions.clone(),
        });
        let chat_topic = Arc::new(connect::ChatTopic(chat.clone()));
        let bells = Arc::new(connect::BellsOf(notifications.clone()));
        let logins = (Arc::new(accounts.clone()) as Arc<dyn Logins>, endings);
        let gateway =
            Gateway::new(topics, chat_topic, bells, logins, (bus, rooms), site.clone(), is_draining.clone());
        metrics.register(|registry| {
            gateway.register(registry);
            chat.register(registry);
            desk.register(registry);
            push.register(registry);
            mail.register(registry);
        });

        let setup_token = accounts.new_setup_token().await?;
        let setup_link = setup_token.map(|token| format!("{base_url}/set-up?token={}", token.reveal()));
        let router = routes::router(Parts {
            name: config.name,
            site,
            media: (media.routes)(&channels, &accounts),
            accounts,
            oidc,
            channels,
            figures: Arc::new(connect::LiveFigures(analytics.clone())),
            analytics,
            social,
            activities,
            notifications,
            push,
            mail,
            subscriptions,
            audit,
            webhooks,
            chat: chat.clone(),
            gateway: gateway.clone(),
            assets: Assets::new(EMBEDDED),
            metrics,
            readiness: Readiness { store: store.clone(), media: media.ready, draining: is_draining },
        });
        Ok(Self {
            listeners,
            addresses,
            setup_link,
            base_url,
            router,
            gateway,
            store,
            draining,
            stopping,
            drain: config.drain,
            places,
            sessions: media.sessions,
            media: media.task,
            desk,
            chat,
            outbox,
            threats,
        })
    }

    /// Where it listens.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// The one-time link, while nobody has an account.
    pub fn setup_link(&self) -> Option<&str> {
        self.setup_link.as_deref()
    }

    /// Serves until it is told to end. First nobody new is taken on, and those who follow events are told; who publishes or
    /// watches goes on for the time to drain, if anybody does. Then all sessions are closed, and what is under way finishes and
    /// the store closes, for at most ten seconds.
    pub async fn run_until(self, ending: watch::Receiver<Ending>) -> Result<(), AppError> {
        let mut servers = JoinSet::new();
        for listener in self.listeners {
            let stopping = self.stopping.subscribe();
            servers.spawn(server::serve(listener, self.router.clone(), self.places.clone(), stopping));
        }
        drop(self.router);
        reached(&ending, Ending::Drain).await;
        self.draining.send_replace(true);
        if *ending.borrow() < Ending::Stop && !self.drain.is_zero() && !self.sessions.is_idle() {
            tracing::info!(seconds = self.drain.as_secs(), "draining: nobody new is taken on");
            let everybody_left = async {
                while !self.sessions.is_idle() {
                    sleep(LOOK_AGAIN).await;
                }
            };
            tokio::select! {
                () = sleep(self.drain) => {}
                () = everybody_left => {}
                () = reached(&ending, Ending::Stop) => {}
            }
        }
        tracing::info!("stopping: what is under way may finish");
        self.stopping.send_replace(true);
        let finish = async {
            while servers.join_next().await.is_some() {}
            self.gateway.closed().await;
            self.chat.written().await;
            let _ = self.media.await;
            let _ = self.outbox.await;
            let _ = self.threats.await;
            if let Err(error) = self.desk.flush().await {
                tracing::error!(%error, "the last of players' reports could not be written down");
            }
        };
        tokio::select! {
            ended = end::within(end::MOST, finish, self.store.close()) => ended.report(),
            () = reached(&ending, Ending::AtOnce) => {
                tracing::warn!("the server ends at once: some of what happened last may not be written down");
            }
        }
        Ok(())
    }
}

/// Waits until the server is told to go as far as `least`; if nobody can say so any more, it is.
async fn reached(ending: &watch::Receiver<Ending>, least: Ending) {
    let _ = ending.clone().wait_for(|ending| *ending >= least).await;
}

/// Makes one broadcast's ladder, as a child of a server, with at most so many bytes of memory; or only measures what that costs,
/// at low priority or eagerly.
pub fn transcode(memory: u64, measure: Option<bool>) -> ExitCode {
    measure.map_or_else(|| child::main(memory), measure::main)
}

/// Serves until the process is told to stop.
pub async fn serve(config: Config) -> Result<(), AppError> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let server = Server::start(config).await?;
    println!("Weir is at {}", server.base_url);
    if let Some(link) = server.setup_link() {
        println!("Set it up with this link, which works once: {link}");
    }
    let (told, ending) = watch::channel(Ending::NotYet);
    tokio::spawn(async move {
        loop {
            // Whoever presses Ctrl-C waits for nobody's picture.
            let least = tokio::select! {
                _ = terminate.recv() => Ending::Drain,
                _ = interrupt.recv() => Ending::Stop,
            };
            told.send_modify(|ending| *ending = ending.next().max(least));
        }
    });
    server.run_until(ending).await
}

/// Makes a channel from the shell, beside a server that runs or doesn't. It belongs to the instance's owner.
pub async fn create_channel(
    config: Config,
    name: ChannelName,
    display_name: Option<DisplayName>,
) -> Result<NewChannel, AppError> {
    let store = open_store(&config).await?;
    let log: Arc<dyn BroadcastLog> = Arc::new(SqlBroadcastLog::new(store.clone()));
    let ports =
        connect::ports(&store, &LiveBoard::default(), log, &Bus::default(), Arc::new(connect::NothingLive));
    let owner = AccountStore::new(store.clone()).owner().await?;
    let made = Channels::new(store.clone(), ports).create(owner.as_ref(), name, display_name).await;
    store.close().await;
    let (channel, stream_key) = made?;
    let whip_url = whip_url(&base_url(&config, config.http.listen.first()), &channel.name);
    Ok(NewChannel { channel, stream_key, whip_url })
}

/// Deletes a channel from the shell, beside a server that runs or doesn't: one that runs ends what goes on there within seconds.
pub async fn delete_channel(config: Config, name: ChannelName) -> Result<(), AppError> {
    let store = open_store(&config).await?;
    let log: Arc<dyn BroadcastLog> = Arc::new(SqlBroadcastLog::new(store.clone()));
    let ports =
        connect::ports(&store, &LiveBoard::default(), log, &Bus::default(), Arc::new(connect::NothingLive));
    let deleted = Channels::new(store.clone(), ports).delete_from_shell(&name).await;
    store.close().await;
    Ok(deleted?)
}

/// Makes an account from the shell, beside a server that runs or doesn't. It may moderate where owners let it.
pub async fn create_account(
    config: Config,
    name: AccountName,
    display_name: DisplayName,
    password: Password,
) -> Result<AccountId, AppError> {
    let store = open_store(&config).await?;
    let made = accounts_alone(&store).create(name, display_name, password).await;
    store.close().await;
    Ok(made?)
}

/// Sets somebody's password from the shell, or makes a link by which they do it themselves, beside a server that runs or doesn't.
pub async fn reset_password(
    config: Config,
    name: AccountName,
    password: Option<Password>,
) -> Result<Option<String>, AppError> {
    let store = open_store(&config).await?;
    let accounts =
        accounts_alone(&store).warning(Arc::new(connect::Warnings(Notifications::new(store.clone()))));
    let done = match password {
        Some(password) => accounts.set_password_of(&name, password).await.map(|()| None),
        None => accounts.reset_link(&name).await.map(Some),
    };
    store.close().await;
    let base_url = base_url(&config, config.http.listen.first());
    Ok(done?.map(|token| format!("{base_url}/reset-password?token={}", token.reveal())))
}

/// Accounts in a process that serves nothing.
fn accounts_alone(store: &Store) -> Accounts {
    let log: Arc<dyn BroadcastLog> = Arc::new(SqlBroadcastLog::new(store.clone()));
    let ports =
        connect::ports(store, &LiveBoard::default(), log, &Bus::default(), Arc::new(connect::NothingLive));
    let channels = connect::AccountChannels(Channels::new(store.clone(), ports));
    Accounts::new(store.clone(), Arc::new(channels), Arc::new(connect::Looks), Endings::default())
}

async fn open_store(config: &Config) -> Result<Store, StoreError> {
    match &config.database_url {
        Some(url) => Store::open(url).await,
        None => Store::open_in(&config.data_dir).await,
    }
}

async fn listen(addresses: &[SocketAddr]) -> Result<(Vec<TcpListener>, Vec<SocketAddr>), AppError> {
    let mut listeners = Vec::new();
    let mut bound = Vec::new();
    for &address in addresses {
        let listener = TcpListener::bind(address).await.map_err(|source| match source.kind() {
            io::ErrorKind::AddrInUse => AppError::InUse(address),
            _ => AppError::Listen { address, source },
        })?;
        bound.push(listener.local_addr()?);
        listeners.push(listener);
    }
    Ok((listeners, bound))
}

/// The address to print: as configured, or as this machine's own browser would reach it.
fn base_url(config: &Config, address: Option<&SocketAddr>) -> String {
    match (&config.http.public_url, address) {
        (Some(url), _) => url.clone(),
        (None, Some(address)) if address.ip().is_loopback() || address.ip().is_unspecified() => {
            format!("http://localhost:{}", address.port())
        }
        (None, Some(address)) => format!("http://{address}"),
        (None, None) => "http://localhost".to_owned(),
    }
}
