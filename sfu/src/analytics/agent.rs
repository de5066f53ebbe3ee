//! What a `User-Agent` says of a viewer's device and browser. Everybody may say anything: the answer is one of a few words.

use crate::audience::Browser;
use shared::analytics::Device;

/// As much of a user agent as is looked at.
const MOST: usize = 512;

/// The device and the browser, as far as the user agent tells.
pub fn classify(user_agent: &str) -> (Device, Browser) {
    let mut most = user_agent.len().min(MOST);
    while !user_agent.is_char_boundary(most) {
        most -= 1;
    }
    let text = &user_agent[..most];
    (device(text), browser(text))
}

/// Most browsers also say that they are others: the first that fits is it.
fn browser(text: &str) -> Browser {
    const MARKS: &[(&str, Browser)] = &[
        ("OBS/", Browser::Obs),
        ("obs-browser", Browser::Obs),
        ("GStreamer", Browser::GStreamer),
        ("souphttpsrc", Browser::GStreamer),
        ("whepsrc", Browser::GStreamer),
        ("Lavf/", Browser::Ffmpeg),
        ("FFmpeg", Browser::Ffmpeg),
        ("SamsungBrowser/", Browser::SamsungInternet),
        ("Edg/", Browser::Edge),
        ("EdgA/", Browser::Edge),
        ("EdgiOS/", Browser::Edge),
        ("Edge/", Browser::Edge),
        ("OPR/", Browser::Opera),
        ("OPT/", Browser::Opera),
        ("OPX/", Browser::Opera),
        ("Opera", Browser::Opera),
        ("FxiOS/", Browser::Firefox),
        ("Firefox/", Browser::Firefox),
        ("CriOS/", Browser::Chrome),
        // Those that are built on Chromium and have a name that isn't in this list.
        ("YaBrowser/", Browser::Other),
        ("Vivaldi/", Browser::Other),
        ("UCBrowser/", Browser::Other),
        ("DuckDuckGo/", Browser::Other),
        ("Ddg/", Browser::Other),
        ("Chrome/", Browser::Chrome),
        ("Chromium/", Browser::Chrome),
        ("Android", Browser::Other),
    ];
    if let Some((_, browser)) = MARKS.iter().find(|(mark, _)| text.contains(mark)) {
        return *browser;
    }
    if text.contains("Safari/") && text.contains("Version/") {
        return Browser::Safari;
    }
    if text.trim().is_empty() { Browser::Unknown } else { Browser::Other }
}

fn device(text: &str) -> Device {
    let says = |marks: &[&str]| marks.iter().any(|mark| text.contains(mark));
    if says(&[
        "SMART-TV",
        "SmartTV",
        "Smart TV",
        "HbbTV",
        "AppleTV",
        "Apple TV",
        "GoogleTV",
        "Google TV",
        "Android TV",
        "BRAVIA",
        "Tizen/",
        "Web0S",
        "webOS",
        "CrKey",
        "AFT",
        "Roku",
        "NetCast",
        "PlayStation",
        "Xbox",
    ]) && !says(&["Mobile"])
    {
        return Device::Tv;
    }
    if says(&["iPad", "Tablet", "PlayBook", "Kindle", "Silk/"]) {
        return Device::Tablet;
    }
    if says(&["iPhone", "iPod", "Windows Phone"]) {
        return Device::Phone;
    }
    // Android's phones say Mobile, and its tablets don't; so does Firefox on either.
    if says(&["Android"]) {
        return if says(&["Mobile"]) { Device::Phone } else { Device::Tablet };
    }
    if says(&["Windows", "Macintosh", "Mac OS X", "CrOS", "X11", "Linux", "OBS/", "obs-browser"]) {
        return Device::Desktop;
    }
    if says(&["Mobile"]) { Device::Phone } else { Device::Unknown }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn real_user_agents_are_told_apart() {
        use {Browser as B, Device as D};
        let cases = [
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
                D::Desktop,
                B::Chrome,
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0",
                D::Desktop,
                B::Edge,
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36 OPR/122.0.0.0",
                D::Desktop,
                B::Opera,
            ),
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15",
                D::Desktop,
                B::Safari,
            ),
            (
                "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
                D::Desktop,
                B::Firefox,
            ),
            (
                "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
                D::Desktop,
                B::Chrome,
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1",
                D::Phone,
                B::Safari,
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/140.0.0.0 Mobile/15E148 Safari/604.1",
                D::Phone,
                B::Chrome,
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) FxiOS/140.0 Mobile/15E148 Safari/605.1.15",
                D::Phone,
                B::Firefox,
            ),
            (
                "Mozilla/5.0 (iPad; CPU OS 17_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.0 Mobile/15E148 Safari/604.1",
                D::Tablet,
                B::Safari,
            ),
            (
                "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36",
                D::Phone,
                B::Chrome,
            ),
            (
                "Mozilla/5.0 (Linux; Android 14; SM-X710) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
                D::Tablet,
                B::Chrome,
            ),
            (
                "Mozilla/5.0 (Linux; Android 14; SAMSUNG SM-S918B) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/27.0 Chrome/125.0.0.0 Mobile Safari/537.36",
                D::Phone,
                B::SamsungInternet,
            ),
            ("Mozilla/5.0 (Android 15; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0", D::Phone, B::Firefox),
            ("Mozilla/5.0 (Android 15; Tablet; rv:140.0) Gecko/140.0 Firefox/140.0", D::Tablet, B::Firefox),
            (
                "Mozilla/5.0 (SMART-TV; LINUX; Tizen 8.0) AppleWebKit/537.36 (KHTML, like Gecko) 108.0.5359.1/8.0 TV Safari/537.36",
                D::Tv,
                B::Other,
            ),
            (
                "Mozilla/5.0 (Web0S; Linux/SmartTV) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36 WebAppManager",
                D::Tv,
                B::Chrome,
            ),
            (
                "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/127.0.0.0 Safari/537.36 OBS/31.0.0",
                D::Desktop,
                B::Obs,
            ),
            ("GStreamer souphttpsrc 1.24.2 libsoup/3.4", D::Unknown, B::GStreamer),
            ("Lavf/61.7.100", D::Unknown, B::Ffmpeg),
            ("curl/8.5.0", D::Unknown, B::Other),
            ("", D::Unknown, B::Unknown),
        ];
        for (agent, device, browser) in cases {
            assert_eq!(classify(agent), (device, browser), "{agent}");
        }
    }

    #[test]
    fn anything_else_is_answered_too() {
        for agent in
            ["=cmd|' /C calc'!A0", "<script>", "\u{202E}\u{0}", &"ü".repeat(10_000), &"Chrome/".repeat(9000)]
        {
            let (_, browser) = classify(agent);
            assert!(matches!(browser, Browser::Other | Browser::Chrome), "{browser:?}");
        }
    }
}
