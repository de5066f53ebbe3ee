//! The configuration: `weir.toml`, and the environment, which beats it. Pure: text and variables in, types out.

pub mod oidc;

use ipnet::IpNet;
use std::{
    collections::HashMap,
    fmt,
    net::{IpAddr, Ipv6Addr, SocketAddr},
    path::PathBuf,
    time::Duration,
};
use toml::de::{DeTable, DeValue};

/// Everything that can be set, in types that can't hold a wrong value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The instance's name, as pages show it.
    pub name: String,
    /// HTTP.
    pub http: Http,
    /// Media.
    pub media: Media,
    /// Renditions that the server makes.
    pub ladder: Ladder,
    /// How long sessions go on once the process is told to end, and no new ones are taken: at most 20 s.
    pub drain: Duration,
    /// The data directory: the database is there, unless it has a URL.
    pub data_dir: PathBuf,
    /// The MaxMind DB file that tells countries by addresses.
    pub geoip_database: Option<PathBuf>,
    /// Where the database is instead.
    pub database_url: Option<String>,
    /// Logs.
    pub log: Log,
    /// The OpenID provider that people may sign in by, as far as it is set: see [`oidc::Settings::provider`].
    pub oidc: oidc::Settings,
}

/// How pages, the API, WHIP and WHEP are reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Http {
    /// TCP addresses; at least one.
    pub listen: Vec<SocketAddr>,
    /// What people have in their address bar, where it is not what they connect to: scheme, host and port.
    pub public_url: Option<String>,
    /// Proxies that are believed when they say where a request comes from, besides those on this machine.
    pub trusted_proxies: Vec<IpNet>,
    /// The mail server, and who its letters are from; none is sent without both.
    pub smtp: (Option<String>, Option<String>),
    /// Networks that aren't public and may be called all the same, where people give the server an address to call.
    pub outgoing_allow: Vec<IpNet>,
    /// For how many days the record of what was done keeps the addresses it was done from; 0 for not at all.
    pub address_days: u32,
}

/// How media is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Media {
    /// The first shard's address; the next shards count its port up. `[::]` is IPv4, too.
    pub listen: SocketAddr,
    /// Addresses that are offered to publishers and viewers; those of this machine if there are none.
    pub public_ip: Vec<IpAddr>,
    /// Whether the same ports are open for TCP, for publishers and viewers without UDP.
    pub tcp: bool,
    /// Threads that forward; one per core if absent.
    pub shards: Option<u16>,
    /// Whether one send carries several datagrams, where the kernel can cut it.
    pub segmentation: bool,
    /// Whether it is estimated what viewers' networks carry, to send no more.
    pub congestion_control: bool,
    /// STUN and TURN servers that WHIP and WHEP clients are told of, for networks that let nothing else through.
    pub ice_servers: Vec<String>,
    /// For the TURN servers.
    pub ice_username: Option<String>,
    /// For the TURN servers. Told to every viewer, so it guards no secret.
    pub ice_credential: Option<String>,
}

/// Which renditions the server may make beside what is published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ladder {
    /// Whether there are any.
    pub enabled: bool,
    /// Of one broadcast.
    pub max_rungs: u8,
    /// Hundredths of a core for all of them together; what forwarding leaves if absent.
    pub max_cpu: Option<u32>,
    /// Their names: `360p`, `180p` …
    pub rungs: Vec<String>,
}

/// The rungs that there can be.
const RUNGS: [&str; 5] = ["1080p", "720p", "540p", "360p", "180p"];

/// What is logged, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log {
    /// E.g. `info,sfu=debug`.
    pub filter: String,
    /// As lines for people or objects for programs.
    pub format: LogFormat,
}

/// How a log line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// Text.
    Text,
    /// One JSON object each.
    Json,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            name: "Weir".to_owned(),
            http: Http {
                listen: vec![SocketAddr::from(([127, 0, 0, 1], 8080))],
                public_url: None,
                trusted_proxies: Vec::new(),
                smtp: (None, None),
                outgoing_allow: Vec::new(),
                address_days: 0,
            },
            media: Media {
                listen: SocketAddr::from((Ipv6Addr::UNSPECIFIED, 7880)),
                public_ip: Vec::new(),
                tcp: true,
                shards: None,
                segmentation: true,
                congestion_control: true,
                ice_servers: Vec::new(),
                ice_username: None,
                ice_credential: None,
            },
            ladder: Ladder {
                enabled: true,
                max_rungs: 3,
                max_cpu: None,
                rungs: RUNGS.map(str::to_owned).to_vec(),
            },
            drain: Duration::from_secs(5),
            data_dir: PathBuf::from("data"),
            geoip_database: None,
            database_url: None,
            // sqlx tells of each statement, which belongs to whoever looks for it.
            log: Log { filter: "info,sqlx=warn".to_owned(), format: LogFormat::Text },
            oidc: oidc::Settings::default(),
        }
    }
}

/// The longest that sessions go on once the process is told to end.
pub const MOST_DRAIN: Duration = Duration::from_secs(20);

/// Why a configuration is refused: where, what was given, what is expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// A value is wrong.
    #[error("{place}: {setting} is {given}, but must be {expected}")]
    Value {
        /// Where.
        place: Place,
        /// The setting's key.
        setting: &'static str,
        /// What was given.
        given: String,
        /// What would be right.
        expected: &'static str,
    },
    /// There is no such setting.
    #[error("{place}: there is no setting {key}; there are {}", keys())]
    UnknownKey {
        /// Where.
        place: Place,
        /// What was given.
        key: String,
    },
    /// Of settings that need each other one is missing.
    #[error(transparent)]
    Half(#[from] oidc::Missing),
    /// It is not TOML.
    #[error("{place}: this is not TOML: {message}")]
    Syntax {
        /// Where.
        place: Place,
        /// What the parser says.
        message: String,
    },
}

/// Where a value is from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A line of a file.
    Line {
        /// The file as it was named.
        file: String,
        /// From 1.
        line: usize,
    },
    /// An environment variable.
    Variable(&'static str),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line { file, line } => write!(f, "{file}, line {line}"),
            Self::Variable(name) => write!(f, "the environment variable {name}"),
        }
    }
}

/// A value as text: lists have several.
type Texts<'a> = &'a [String];

struct Setting {
    key: &'static str,
    variable: &'static str,
    is_list: bool,
    expected: &'static str,
    set: fn(&mut Config, Texts<'_>) -> Option<()>,
}

const SETTINGS: &[Setting] = &[
    Setting {
        key: "name",
        variable: "WEIR_NAME",
        is_list: false,
        expected: "1 to 60 characters",
        set: |config, texts| {
            let name = one(texts)?.trim();
            let fits = (1..=60).contains(&name.chars().count()) && !name.chars().any(char::is_control);
            fits.then(|| config.name = name.to_owned())
        },
    },
    Setting {
        key: "http.listen",
        variable: "WEIR_HTTP_LISTEN",
        is_list: true,
        expected: "one or more TCP addresses like 127.0.0.1:8080 or [::]:8080",
        set: |config, texts| {
            config.http.listen = all(texts)?;
            (!config.http.listen.is_empty()).then_some(())
        },
    },
    Setting {
        key: "http.public_url",
        variable: "WEIR_HTTP_PUBLIC_URL",
        is_list: false,
        expected: "an http or https address without a path, like https://live.example.org",
        set: |config, texts| {
            config.http.public_url = Some(origin(one(texts)?)?);
            Some(())
        },
    },
    Setting {
        key: "trusted_proxies",
        variable: "WEIR_TRUSTED_PROXIES",
        is_list: true,
        expected: "addresses or networks of reverse proxies, like 10.0.0.2 or 2001:db8::/64, and not all there are",
        set: |config, texts| {
            config.http.trusted_proxies =
                texts.iter().map(|text| network(text.trim())).collect::<Option<_>>()?;
            Some(())
        },
    },
    Setting {
        key: "smtp.url",
        variable: "WEIR_SMTP_URL",
        is_list: false,
        expected: "a mail server, like smtps://name:password@mail.example.org",
        set: |config, texts| {
            let url = one(texts)?;
            let fits = url.starts_with("smtp://") || url.starts_with("smtps://");
            fits.then(|| config.http.smtp.0 = Some(url.to_owned()))
        },
    },
    Setting {
        key: "smtp.from",
        variable: "WEIR_SMTP_FROM",
        is_list: false,
        expected: "who letters are from, like Weir <weir@example.org>",
        set: |config, texts| {
            let from = one(texts)?;
            from.contains('@').then(|| config.http.smtp.1 = Some(from.to_owned()))
        },
    },
    Setting {
        key: "outgoing_allow",
        variable: "WEIR_OUTGOING_ALLOW",
        is_list: true,
        expected: "addresses or networks that aren't public and may be called, like 10.1.0.0/16, and not all there are",
        set: |config, texts| {
            config.http.outgoing_allow =
                texts.iter().map(|text| network(text.trim())).collect::<Option<_>>()?;
            Some(())
        },
    },
    Setting {
        key: "audit.address_days",
        variable: "WEIR_AUDIT_ADDRESS_DAYS",
        is_list: false,
        expected: "for how many days addresses are kept beside what was done from them, from 0 (not at all) to 365",
        set: |config, texts| {
            let days: u32 = one(texts)?.trim().parse().ok()?;
            (days <= 365).then(|| config.http.address_days = days)
        },
    },
    Setting {
        key: "media.listen",
        variable: "WEIR_MEDIA_LISTEN",
        is_list: false,
        expected: "the address of the first shard, like [::]:7880 or 0.0.0.0:7880",
        set: |config, texts| one(texts)?.trim().parse().ok().map(|listen| config.media.listen = listen),
    },
    Setting {
        key: "media.public_ip",
        variable: "WEIR_MEDIA_PUBLIC_IP",
        is_list: true,
        expected: "IP addresses that viewers can reach, like 203.0.113.7",
        set: |config, texts| {
            let addresses: Vec<IpAddr> = all(texts)?;
            let fit = addresses.iter().all(|address| !address.is_unspecified() && !address.is_multicast());
            fit.then(|| config.media.public_ip = addresses)
        },
    },
    Setting {
        key: "media.tcp",
        variable: "WEIR_MEDIA_TCP",
        is_list: false,
        expected: "true or false",
        set: |config, texts| one(texts)?.trim().parse().ok().map(|tcp| config.media.tcp = tcp),
    },
    Setting {
        key: "media.shards",
        variable: "WEIR_MEDIA_SHARDS",
        is_list: false,
        expected: "a number of threads from 1 to 64",
        set: |config, texts| {
            let shards: u16 = one(texts)?.trim().parse().ok()?;
            (1..=64).contains(&shards).then(|| config.media.shards = Some(shards))
        },
    },
    Setting {
        key: "media.segmentation",
        variable: "WEIR_MEDIA_SEGMENTATION",
        is_list: false,
        expected: "on or off",
        set: |config, texts| on_or_off(texts).map(|on| config.media.segmentation = on),
    },
    Setting {
        key: "media.congestion_control",
        variable: "WEIR_MEDIA_CONGESTION_CONTROL",
        is_list: false,
        expected: "on or off",
        set: |config, texts| on_or_off(texts).map(|on| config.media.congestion_control = on),
    },
    Setting {
        key: "media.ice_servers",
        variable: "WEIR_MEDIA_ICE_SERVERS",
        is_list: true,
        expected: "STUN or TURN addresses like stun:stun.example.org:3478 or turn:turn.example.org:3478?transport=udp",
        set: |config, texts| {
            let servers: Vec<String> = texts.iter().map(|text| text.trim().to_owned()).collect();
            let known = |server: &String| {
                ["stun:", "stuns:", "turn:", "turns:"].iter().any(|kind| server.starts_with(kind))
            };
            let plain =
                |server: &String| server.bytes().all(|b| b.is_ascii_graphic() && !b"<>\"".contains(&b));
            let fit = servers.iter().all(|server| known(server) && plain(server));
            fit.then(|| config.media.ice_servers = servers)
        },
    },
    Setting {
        key: "media.ice_username",
        variable: "WEIR_MEDIA_ICE_USERNAME",
        is_list: false,
        expected: "what the TURN servers know this instance by, in plain ASCII without quotes",
        set: |config, texts| quotable(one(texts)?).map(|text| config.media.ice_username = Some(text)),
    },
    Setting {
        key: "media.ice_credential",
        variable: "WEIR_MEDIA_ICE_CREDENTIAL",
        is_list: false,
        expected: "the TURN servers' password, in plain ASCII without quotes",
        set: |config, texts| quotable(one(texts)?).map(|text| config.media.ice_credential = Some(text)),
    },
    Setting {
        key: "ladder.enabled",
        variable: "WEIR_LADDER_ENABLED",
        is_list: false,
        expected: "true or false",
        set: |config, texts| one(texts)?.trim().parse().ok().map(|enabled| config.ladder.enabled = enabled),
    },
    Setting {
        key: "ladder.max_rungs",
        variable: "WEIR_LADDER_MAX_RUNGS",
        is_list: false,
        expected: "how many rungs a broadcast may have, from 1 to 3",
        set: |config, texts| {
            let rungs: u8 = one(texts)?.trim().parse().ok()?;
            (1..=3).contains(&rungs).then(|| config.ladder.max_rungs = rungs)
        },
    },
    Setting {
        key: "ladder.max_cpu",
        variable: "WEIR_LADDER_MAX_CPU",
        is_list: false,
        expected: "cores for all ladders together, like 2 or 0.5, from 0.05 to 1024",
        set: |config, texts| {
            let cores: f64 = one(texts)?.trim().parse().ok()?;
            (0.05..=1024.0)
                .contains(&cores)
                .then(|| config.ladder.max_cpu = Some((cores * 100.0).round() as u32))
        },
    },
    Setting {
        key: "ladder.rungs",
        variable: "WEIR_LADDER_RUNGS",
        is_list: true,
        expected: "one or more of 1080p, 720p, 540p, 360p and 180p",
        set: |config, texts| {
            let rungs: Vec<String> = texts.iter().map(|text| text.trim().to_owned()).collect();
            let fit = !rungs.is_empty() && rungs.iter().all(|rung| RUNGS.contains(&&**rung));
            fit.then(|| config.ladder.rungs = rungs)
        },
    },
    Setting {
        key: "drain_seconds",
        variable: "WEIR_DRAIN_SECONDS",
        is_list: false,
        expected: "a number of seconds from 0 to 20",
        set: |config, texts| {
            let seconds: u64 = one(texts)?.trim().parse().ok()?;
            (seconds <= MOST_DRAIN.as_secs()).then(|| config.drain = Duration::from_secs(seconds))
        },
    },
    Setting {
        key: "data_dir",
        variable: "WEIR_DATA_DIR",
        is_list: false,
        expected: "a directory's path",
        set: |config, texts| {
            let path = one(texts)?;
            (!path.is_empty()).then(|| config.data_dir = PathBuf::from(path))
        },
    },
    Setting {
        key: "database_url",
        variable: "WEIR_DATABASE_URL",
        is_list: false,
        expected: "a URL like sqlite:///var/lib/weir/weir.db",
        set: |config, texts| {
            let url = one(texts)?;
            url.starts_with("sqlite:").then(|| config.database_url = Some(url.to_owned()))
        },
    },
    Setting {
        key: "geoip_database",
        variable: "WEIR_GEOIP_DATABASE",
        is_list: false,
        expected: "the path of a MaxMind DB file of countries or cities, like GeoLite2-Country.mmdb",
        set: |config, texts| {
            let path = one(texts)?;
            (!path.is_empty()).then(|| config.geoip_database = Some(PathBuf::from(path)))
        },
    },
    Setting {
        key: "oidc.issuer",
        variable: "WEIR_OIDC_ISSUER",
        is_list: false,
        expected: "the provider's address as it names itself, like https://login.example.org/realms/all; http only where nobody else is in between",
        set: |config, texts| {
            config.oidc.issuer = Some(oidc::issuer(one(texts)?)?);
            Some(())
        },
    },
    Setting {
        key: "oidc.client_id",
        variable: "WEIR_OIDC_CLIENT_ID",
        is_list: false,
        expected: "what the provider knows this instance by",
        set: |config, texts| oidc::plain(one(texts)?).map(|text| config.oidc.client_id = Some(text)),
    },
    Setting {
        key: "oidc.client_secret",
        variable: "WEIR_OIDC_CLIENT_SECRET",
        is_list: false,
        expected: "the secret that the provider gave with the client_id",
        set: |config, texts| {
            oidc::plain(one(texts)?).map(|text| config.oidc.client_secret = Some(text.into()))
        },
    },
    Setting {
        key: "oidc.name",
        variable: "WEIR_OIDC_NAME",
        is_list: false,
        expected: "what people call the provider, in 1 to 40 characters",
        set: |config, texts| {
            oidc::plain(one(texts)?)
                .filter(|name| name.chars().count() <= 40)
                .map(|name| config.oidc.name = Some(name))
        },
    },
    Setting {
        key: "log.filter",
        variable: "WEIR_LOG",
        is_list: false,
        expected: "a filter like info or info,sfu=debug",
        set: |config, texts| {
            let filter = one(texts)?;
            let fits = !filter.is_empty() && crate::telemetry::log::check_filter(filter).is_ok();
            fits.then(|| config.log.filter = filter.to_owned())
        },
    },
    Setting {
        key: "log.format",
        variable: "WEIR_LOG_FORMAT",
        is_list: false,
        expected: "text or json",
        set: |config, texts| {
            config.log.format = match one(texts)? {
                "text" => LogFormat::Text,
                "json" => LogFormat::Json,
                _ => return None,
            };
            Some(())
        },
    },
];

/// A network, or an address by itself. All addresses there are would be anybody, who could then make up any other.
fn network(text: &str) -> Option<IpNet> {
    let network = text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))?;
    (network.prefix_len() > 0).then(|| network.trunc())
}

/// Text that fits between the quotes of a header's parameter.
fn quotable(text: &str) -> Option<String> {
    let fits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic() && b != b'"' && b != b'\\');
    fits.then(|| text.to_owned())
}

fn keys() -> String {
    SETTINGS.iter().map(|setting| setting.key).collect::<Vec<_>>().join(", ")
}

fn one(texts: Texts<'_>) -> Option<&str> {
    match texts {
        [text] => Some(text),
        _ => None,
    }
}

fn on_or_off(texts: Texts<'_>) -> Option<bool> {
    match one(texts)?.trim() {
        "on" => Some(true),
        "off" => Some(false),
        _ => None,
    }
}

fn all<T: std::str::FromStr>(texts: Texts<'_>) -> Option<Vec<T>> {
    texts.iter().map(|text| text.trim().parse().ok()).collect()
}

/// Scheme, host and port, as a browser would write them.
fn origin(text: &str) -> Option<String> {
    let text = text.trim().trim_end_matches('/');
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"))?;
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"-.:[]".contains(&b);
    (!host.is_empty() && host.bytes().all(allowed)).then(|| text.to_ascii_lowercase())
}

/// Reads the configuration from a file's name and text, if there is one, and the environment.
pub fn parse(file: Option<(&str, &str)>, variables: &HashMap<String, String>) -> Result<Config, ConfigError> {
    let mut config = Config::default();
    if let Some((name, text)) = file {
        let at = |offset: usize| Place::Line {
            file: name.to_owned(),
            line: 1 + text.as_bytes().iter().take(offset).filter(|byte| **byte == b'\n').count(),
        };
        let table = DeTable::parse(text).map_err(|error| ConfigError::Syntax {
            place: at(error.span().map_or(0, |span| span.start)),
            message: error.message().to_owned(),
        })?;
        read_table(&mut config, "", table.get_ref(), &at)?;
    }
    for setting in SETTINGS {
        let Some(text) = variables.get(setting.variable) else { continue };
        let texts: Vec<String> = if setting.is_list {
            text.split(',').map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect()
        } else {
            vec![text.clone()]
        };
        set(&mut config, setting, Some(&texts), Place::Variable(setting.variable), shown(text))?;
    }
    config.oidc.provider()?;
    Ok(config)
}

fn read_table(
    config: &mut Config,
    prefix: &str,
    table: &DeTable<'_>,
    at: &dyn Fn(usize) -> Place,
) -> Result<(), ConfigError> {
    for (key, value) in table.iter() {
        let path = format!("{prefix}{}", key.get_ref());
        if let Some(setting) = SETTINGS.iter().find(|setting| setting.key == path) {
            let given = match value.get_ref() {
                DeValue::String(text) => shown(text),
                DeValue::Integer(number) => number.as_str().to_owned(),
                DeValue::Float(number) => number.as_str().to_owned(),
                other => format!("{} {}", article(other.type_str()), other.type_str()),
            };
            set(config, setting, texts_of(value.get_ref()).as_deref(), at(value.span().start), given)?;
            continue;
        }
        let path_and_dot = format!("{path}.");
        let is_section = SETTINGS.iter().any(|setting| setting.key.starts_with(&path_and_dot));
        match value.get_ref() {
            DeValue::Table(inner) if is_section => read_table(config, &path_and_dot, inner, at)?,
            _ => return Err(ConfigError::UnknownKey { place: at(key.span().start), key: path }),
        }
    }
    Ok(())
}

fn texts_of(value: &DeValue<'_>) -> Option<Vec<String>> {
    match value {
        DeValue::String(text) => Some(vec![text.to_string()]),
        DeValue::Integer(number) => Some(vec![number.as_str().to_owned()]),
        DeValue::Float(number) => Some(vec![number.as_str().to_owned()]),
        DeValue::Boolean(value) => Some(vec![value.to_string()]),
        DeValue::Array(items) => {
            items.iter().map(|item| item.get_ref().as_str().map(str::to_owned)).collect()
        }
        _ => None,
    }
}

fn set(
    config: &mut Config,
    setting: &'static Setting,
    texts: Option<Texts<'_>>,
    place: Place,
    given: String,
) -> Result<(), ConfigError> {
    let given = if setting.key.ends_with("secret") { "something (not shown)".to_owned() } else { given };
    let done = texts.and_then(|texts| (setting.set)(config, texts));
    done.ok_or(ConfigError::Value { place, setting: setting.key, given, expected: setting.expected })
}

/// As it was given, made short; a URL may have a password in it.
fn shown(text: &str) -> String {
    if text.contains('@') {
        return "something with “@” (not shown)".to_owned();
    }
    format!("{:?}", text.chars().take(80).collect::<String>())
}

fn article(word: &str) -> &'static str {
    if word.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" }
}

#[cfg(test)]
mod tests;
