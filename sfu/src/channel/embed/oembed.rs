//! oEmbed 1.0, the pure part: which channel an address shows, how large its player is, and the HTML for it.

use shared::{channel::Channel, embed::OEmbed, id::ChannelName};
use std::fmt::Write as _;

/// Pixels across if nobody says how much room there is.
const WIDTH: u32 = 640;
/// The most pixels across.
const WIDTH_MOST: u32 = 1920;
/// Seconds that an answer may be kept.
pub const CACHE_AGE: u32 = 300;

/// The channel whose page or player an address of this server is, and the token of a signed embed in it; `None` for every
/// other address.
pub fn channel_of(url: &str, base_url: &str) -> Option<(ChannelName, Option<String>)> {
    // By http or https, as a proxy may offer both.
    let authority = |url: &'_ str| {
        let lower = url.get(..8).unwrap_or(url).to_ascii_lowercase();
        ["https://", "http://"].iter().find(|scheme| lower.starts_with(**scheme)).map(|scheme| scheme.len())
    };
    let (own, given) = (base_url.get(authority(base_url)?..)?, url.get(authority(url)?..)?);
    let head = given.get(..own.len())?;
    let path = given.get(own.len()..)?.strip_prefix('/').filter(|_| head.eq_ignore_ascii_case(own))?;
    let path = path.split('#').next().unwrap_or(path);
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let path = path.strip_suffix('/').unwrap_or(path);
    let name = path.strip_prefix("embed/").unwrap_or(path).parse().ok()?;
    Some((name, token_of(query)))
}

/// The token of a signed embed in an address's query.
pub fn token_of(query: &str) -> Option<String> {
    let mut pairs = url::form_urlencoded::parse(query.as_bytes());
    pairs.find(|(name, _)| name == "token").map(|(_, token)| token.into_owned())
}

/// The largest 16:9 picture within the given room: pixels across and down.
pub fn size(max_width: Option<u32>, max_height: Option<u32>) -> (u32, u32) {
    let room = if max_width.is_none() && max_height.is_none() { WIDTH } else { WIDTH_MOST };
    let by_height = max_height.map_or(room, |height| height.saturating_mul(16) / 9);
    let width = max_width.unwrap_or(room).min(by_height).clamp(1, WIDTH_MOST);
    (width, (width * 9 / 16).max(1))
}

/// What a player's frame is called.
pub fn title(channel: &Channel) -> &str {
    if channel.title.as_str().is_empty() { channel.display_name.as_str() } else { channel.title.as_str() }
}

/// The iframe to paste.
pub fn iframe(src: &str, title: &str, (width, height): (u32, u32)) -> String {
    format!(
        "<iframe src=\"{src}\" width=\"{width}\" height=\"{height}\" title=\"{label}\" \
         allow=\"autoplay; fullscreen; picture-in-picture\" allowfullscreen loading=\"lazy\" \
         style=\"border:0\"></iframe>",
        src = escape(src),
        label = escape(title),
    )
}

/// The answer for a channel; with a token, for those alone who have it.
pub fn answer(
    channel: &Channel,
    token: Option<&str>,
    instance: &str,
    base_url: &str,
    size: (u32, u32),
) -> OEmbed {
    let name = &channel.name;
    let title = title(channel);
    let token = token.map(|token| format!("?token={token}")).unwrap_or_default();
    let html = iframe(&format!("{base_url}/embed/{name}{token}"), title, size);
    let (width, height) = size;
    OEmbed {
        kind: "video".to_owned(),
        version: "1.0".to_owned(),
        title: title.to_owned(),
        author_name: channel.display_name.to_string(),
        author_url: format!("{base_url}/{name}"),
        provider_name: instance.to_owned(),
        provider_url: base_url.to_owned(),
        html,
        width,
        height,
        cache_age: CACHE_AGE,
    }
}

/// The `Link` by which a channel's page says where its oEmbed is.
pub fn link(name: &ChannelName, base_url: &str) -> String {
    let url = encode(&format!("{base_url}/{name}"));
    format!(
        "<{base_url}/oembed?url={url}&format=json>; rel=\"alternate\"; type=\"application/json+oembed\"; title=\"{name}\""
    )
}

/// For an attribute between double quotes.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

/// For a query's value.
fn encode(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(byte as char);
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
        encoded
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: &str = "https://tv.example:8443";

    #[test]
    fn an_address_of_this_server_leads_to_a_channel() {
        let of = |url: &str| channel_of(url, BASE).map(|(name, _)| name.to_string());
        for good in [
            "https://tv.example:8443/ada",
            "http://TV.example:8443/Ada/",
            "HTTPS://tv.example:8443/embed/ada?autoplay=0#x",
        ] {
            assert_eq!(of(good).as_deref(), Some("ada"), "{good}");
        }
        for bad in [
            "",
            "ada",
            "/ada",
            "https://",
            "https://tv.example:8443",
            "https://tv.example:8443/",
            "https://tv.example/ada",
            "https://tv.example:8443.evil.example/ada",
            "https://tv.example:8443@evil.example/ada",
            "https://evil.example/https://tv.example:8443/ada",
            "https://tv.example:8443/ada/studio",
            "https://tv.example:8443/embed/ada/chat",
            "https://tv.example:8443/settings",
            "ftp://tv.example:8443/ada",
            "https://tv.example:8443/\u{e4}da",
            "httpé://tv.example:8443/ada",
        ] {
            assert_eq!(of(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_token_is_taken_out_of_an_address_s_query_alone() {
        let of = |rest: &str| channel_of(&format!("{BASE}/embed/ada{rest}"), BASE).unwrap().1;
        assert_eq!(of("?token=x").as_deref(), Some("x"));
        assert_eq!(of("/?muted=1&token=a%2Db#token=y").as_deref(), Some("a-b"));
        assert_eq!(of("?token=x&token=y").as_deref(), Some("x"));
        for none in ["", "?", "?token", "#?token=x", "?xtoken=x"] {
            assert_eq!(of(none).filter(|token| !token.is_empty()), None, "{none}");
        }
    }

    #[test]
    fn the_picture_fits_into_the_room() {
        assert_eq!(size(None, None), (640, 360));
        assert_eq!(size(Some(320), None), (320, 180));
        assert_eq!(size(None, Some(180)), (320, 180));
        assert_eq!(size(Some(1280), Some(180)), (320, 180));
        assert_eq!(size(Some(100_000), Some(u32::MAX)), (1920, 1080));
        assert_eq!(size(Some(1), Some(1)), (1, 1));
    }

    #[test]
    fn nothing_that_a_streamer_writes_leaves_the_attribute() {
        let channel = serde_json::from_value::<Channel>(serde_json::json!({
            "id": "c", "name": "ada", "displayName": "Ada", "title": "\"><script>alert('x')</script>&",
            "description": "", "category": "", "tags": [], "visibility": "PUBLIC",
            "createdAt": "2026-01-01T00:00:00Z",
        }))
        .unwrap();
        let answer = answer(&channel, None, "Weir", BASE, (640, 360));
        assert!(
            answer.html.contains("title=\"&quot;&gt;&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&amp;\"")
        );
        assert_eq!(answer.html.matches('<').count(), 2);
        assert_eq!(answer.title, "\"><script>alert('x')</script>&");
        let link = link(&channel.name, BASE);
        assert!(
            link.starts_with("<https://tv.example:8443/oembed?url=https%3A%2F%2Ftv.example%3A8443%2Fada&")
        );
    }
}
