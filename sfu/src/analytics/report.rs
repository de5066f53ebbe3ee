//! What a player's report may say of its view. Players run on other people's machines: every number is held against what
//! can be, every text becomes a site or nothing.

use shared::{analytics::ViewReport, broadcast::Codec, embed::SiteOrigin, unit::Timestamp};
use std::time::Duration;

/// Glass to glass and to the first picture, nothing takes longer.
const WAIT_MOST: u32 = 120_000;
/// A person may have wanted to watch so long before the connection stood.
const BEFORE: Duration = Duration::from_secs(20);
/// A picture that stops for less than this is no freeze.
pub const FREEZE_LEAST: Duration = Duration::from_millis(150);
/// Players report several times in this; freezes of more time than this don't come with one report.
const SINCE_MOST: Duration = Duration::from_secs(60);
/// No picture is higher.
const HEIGHT_MOST: u16 = 8640;
/// As much of an address as is kept.
const PLACE_MOST: usize = 200;
/// As much of an address as is looked at.
const TEXT_MOST: usize = 2000;
/// The page around the player is another site's, and the browser doesn't tell which.
pub const UNTOLD: &str = "unknown";

/// What a view's player has said so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Statement {
    /// The last report's; `None` before the first.
    pub sequence: Option<u32>,
    /// Milliseconds to the first picture.
    pub join_time: Option<u32>,
    /// Times that the picture stopped.
    pub freezes: u32,
    /// Milliseconds that it stopped for.
    pub frozen_time: u32,
    /// When the last freeze ended.
    pub last_freeze_at: Option<Timestamp>,
    /// Milliseconds of latency, of all reports that told it together.
    pub latency_sum: u64,
    /// How many told it.
    pub latency_count: u32,
    /// What is played.
    pub codec: Option<Codec>,
    /// The picture's height.
    pub height: Option<u16>,
    /// The page around the player: an origin and a path, or [`UNTOLD`].
    pub embedded_by: Option<Box<str>>,
    /// The origin of the site that linked here.
    pub referrer: Option<Box<str>>,
}

/// What a report adds to the moment in which it came.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct News {
    /// Freezes since the report before.
    pub freezes: u32,
    /// Milliseconds of latency.
    pub latency: Option<u32>,
}

impl Statement {
    /// Takes a report of a view that began `age` ago and of which the last report came `since`, on a server whose own pages
    /// are at `own`; `None` if it is older than one that was taken.
    pub fn take(
        &mut self,
        report: &ViewReport,
        (age, since): (Duration, Duration),
        now: Timestamp,
        own: &str,
    ) -> Option<News> {
        if self.sequence.is_some_and(|last| report.sequence <= last) {
            return None;
        }
        self.sequence = Some(report.sequence);
        let age_millis = millis(age);
        if self.join_time.is_none() {
            let most = millis(age + BEFORE).min(WAIT_MOST);
            self.join_time = report.join_time.map(|time| time.min(most));
        }
        // One may have begun before the last report and ended after it.
        let more = freezes_in(since.min(SINCE_MOST)).saturating_add(1);
        let most = freezes_in(age).min(self.freezes.saturating_add(more));
        let freezes = report.freezes.min(most).max(self.freezes);
        let news = News {
            freezes: freezes - self.freezes,
            latency: report.latency.map(|latency| latency.min(WAIT_MOST)),
        };
        self.freezes = freezes;
        self.frozen_time = report.frozen_time.min(age_millis).max(self.frozen_time);
        if let (Some(since), 1..) = (report.since_freeze, freezes) {
            let since = i64::from(since.min(age_millis));
            self.last_freeze_at = Some(Timestamp::from_millis(now.as_millis() - since));
        }
        if let Some(latency) = news.latency {
            self.latency_sum = self.latency_sum.saturating_add(latency.into());
            self.latency_count = self.latency_count.saturating_add(1);
        }
        self.codec = report.codec.filter(|codec| *codec != Codec::Opus).or(self.codec);
        let height = report.size.map(|size| size.height);
        self.height = height.filter(|height| (1..=HEIGHT_MOST).contains(height)).or(self.height);
        if let Some(text) = report.embedded_by.as_deref().filter(|text| !text.trim().is_empty()) {
            self.embedded_by = match place(text) {
                Some((origin, _)) if origin == own => None,
                Some((origin, path)) => Some(format!("{origin}{path}").into()),
                None => Some(UNTOLD.into()),
            };
        }
        let referrer = report.referrer.as_deref().and_then(place);
        self.referrer = referrer
            .filter(|(origin, _)| origin != own)
            .map(|(origin, _)| origin.into())
            .or(self.referrer.take());
        Some(news)
    }

    /// The mean of what it said of its latency, in milliseconds.
    pub fn latency(&self) -> Option<u32> {
        let mean = self.latency_sum.checked_div(self.latency_count.into())?;
        u32::try_from(mean).ok()
    }
}

/// As many freezes as there is time for.
pub fn freezes_in(time: Duration) -> u32 {
    u32::try_from(time.as_millis() / FREEZE_LEAST.as_millis()).unwrap_or(u32::MAX)
}

fn millis(duration: Duration) -> u32 {
    u32::try_from(duration.as_millis()).unwrap_or(u32::MAX)
}

/// An address's origin, and its path without query and fragment; `None` if it isn't the web's.
fn place(text: &str) -> Option<(String, String)> {
    if text.len() > TEXT_MOST {
        return None;
    }
    let text = text.trim();
    let start = text.find("://")? + 3;
    let end = text[start..].find(['/', '?', '#', '\\']).map_or(text.len(), |at| start + at);
    let origin: SiteOrigin = text[..end].parse().ok()?;
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~/%!$&'()*+,;=:@".contains(&b);
    let path: String = text[end..].bytes().take_while(|b| plain(*b)).map(char::from).collect();
    let path: String = path.chars().take(PLACE_MOST.saturating_sub(origin.as_str().len())).collect();
    let path = if path == "/" { String::new() } else { path };
    Some((origin.as_str().to_owned(), path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::unit::Size;

    const OWN: &str = "https://tv.example";

    fn now() -> Timestamp {
        Timestamp::from_millis(1_000_000_000)
    }

    fn taken(report: ViewReport, age: u64) -> (Statement, Option<News>) {
        let mut statement = Statement::default();
        let news = statement.take(&report, (Duration::from_secs(age), Duration::from_secs(age)), now(), OWN);
        (statement, news)
    }

    /// How old a view is, and how long after its last report.
    fn after(age: u64) -> (Duration, Duration) {
        (Duration::from_secs(age), Duration::from_secs(1))
    }

    #[test]
    fn a_long_view_can_t_claim_its_whole_time_s_freezes_at_once() {
        let lie = |sequence| ViewReport { sequence, freezes: u32::MAX, ..Default::default() };
        // A silence of ten hours counts as one of a minute.
        let (mut statement, news) = taken(lie(1), 36_000);
        assert_eq!(news.unwrap().freezes, 401);
        assert_eq!(statement.take(&lie(2), after(36_001), now(), OWN).unwrap().freezes, 7);
        assert_eq!(statement.freezes, 408);
        let at_once = (Duration::from_secs(36_001), Duration::ZERO);
        assert_eq!(statement.take(&lie(3), at_once, now(), OWN).unwrap().freezes, 1);
    }

    #[test]
    fn an_honest_report_is_kept_as_it_is() {
        let report = ViewReport {
            sequence: 3,
            join_time: Some(420),
            freezes: 2,
            frozen_time: 900,
            since_freeze: Some(4000),
            latency: Some(310),
            codec: Some(Codec::Vp9),
            size: Some(Size { width: 1280, height: 720 }),
            embedded_by: Some("https://Blog.example/2026/a-post?token=secret#top".into()),
            referrer: Some("https://search.example/find?q=weir".into()),
        };
        let (statement, news) = taken(report, 60);
        assert_eq!(news, Some(News { freezes: 2, latency: Some(310) }));
        assert_eq!((statement.join_time, statement.freezes, statement.frozen_time), (Some(420), 2, 900));
        assert_eq!(statement.last_freeze_at.unwrap().as_millis(), 1_000_000_000 - 4000);
        assert_eq!(
            (statement.latency(), statement.codec, statement.height),
            (Some(310), Some(Codec::Vp9), Some(720))
        );
        assert_eq!(statement.embedded_by.as_deref(), Some("https://blog.example/2026/a-post"));
        assert_eq!(statement.referrer.as_deref(), Some("https://search.example"));
    }

    #[test]
    fn a_report_that_is_late_changes_nothing_and_totals_never_shrink() {
        let (mut statement, _) =
            taken(ViewReport { sequence: 5, freezes: 3, frozen_time: 600, ..Default::default() }, 60);
        let before = statement.clone();
        for sequence in [0, 4, 5] {
            let late = ViewReport { sequence, freezes: 9, ..Default::default() };
            assert_eq!(statement.take(&late, after(61), now(), OWN), None);
        }
        assert_eq!(statement, before);
        let less = ViewReport { sequence: 6, freezes: 1, frozen_time: 1, ..Default::default() };
        let news = statement.take(&less, after(62), now(), OWN).unwrap();
        assert_eq!((news.freezes, statement.freezes, statement.frozen_time), (0, 3, 600));
        let more = ViewReport { sequence: 7, freezes: 5, ..Default::default() };
        assert_eq!(statement.take(&more, after(63), now(), OWN).unwrap().freezes, 2);
        // A first report may have any number.
        assert!(taken(ViewReport::default(), 1).1.is_some());
    }

    #[test]
    fn lies_are_cut_down_to_what_can_be() {
        let most = u32::MAX;
        let report = ViewReport {
            sequence: most,
            join_time: Some(most),
            freezes: most,
            frozen_time: most,
            since_freeze: Some(most),
            latency: Some(most),
            codec: Some(Codec::Opus),
            size: Some(Size { width: 65535, height: 65535 }),
            ..Default::default()
        };
        let (statement, news) = taken(report, 3);
        assert_eq!(statement.join_time, Some(23_000));
        assert_eq!((statement.freezes, statement.frozen_time), (20, 3000));
        assert_eq!(statement.last_freeze_at.unwrap().as_millis(), 1_000_000_000 - 3000);
        assert_eq!(news.unwrap().latency, Some(120_000));
        assert_eq!((statement.codec, statement.height), (None, None));
        let (statement, _) = taken(
            ViewReport { join_time: Some(most), frozen_time: most, ..Default::default() },
            u64::MAX / 2000,
        );
        assert_eq!(statement.join_time, Some(120_000), "however old the view is");
        let (statement, _) =
            taken(ViewReport { size: Some(Size { width: 1, height: 0 }), ..Default::default() }, 3);
        assert_eq!(statement.height, None);
        let (statement, _) = taken(ViewReport { since_freeze: Some(1), ..Default::default() }, 3);
        assert_eq!(statement.last_freeze_at, None, "no freeze");
    }

    #[test]
    fn texts_become_sites_or_nothing() {
        let embed = |text: &str| {
            taken(ViewReport { embedded_by: Some(text.into()), ..Default::default() }, 3).0.embedded_by
        };
        let referrer = |text: &str| {
            taken(ViewReport { referrer: Some(text.into()), ..Default::default() }, 3).0.referrer
        };
        for hostile in [
            "=HYPERLINK(\"http://evil.example\")",
            "javascript://%0aalert(1)",
            "https://user:pw@a.example/",
            "<script>alert(1)</script>",
            "data:text/html,x",
            "https://",
            "http://a b/",
            "\u{202E}https://a.example",
            &format!("https://{}.example/", "a".repeat(3000)),
        ] {
            assert_eq!(embed(hostile).as_deref(), Some(UNTOLD), "{hostile}");
            assert_eq!(referrer(hostile), None, "{hostile}");
        }
        assert_eq!(embed("unknown").as_deref(), Some(UNTOLD));
        assert_eq!(embed("  "), None);
        assert_eq!(embed("https://tv.example/ada"), None, "our own page embeds nothing");
        assert_eq!(referrer("https://tv.example/"), None);
        assert_eq!(embed("http://localhost:3000/").as_deref(), Some("http://localhost:3000"));
        assert_eq!(embed("https://a.example/b\"><img>").as_deref(), Some("https://a.example/b"));
        assert_eq!(embed("https://a.example\\@evil.example/").as_deref(), Some("https://a.example"));
        let long = embed(&format!("https://a.example/{}", "x".repeat(1000))).unwrap();
        assert_eq!(long.len(), 200);
        assert!(embed("https://a.example/ü/x").unwrap().is_ascii());
    }
}
