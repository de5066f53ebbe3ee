//! Names for what views are counted by, dates, and how wide a bar is.

use shared::analytics::{GROUP_LEAST, Share};

/// What a breakdown is by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// Type of device.
    Device,
    /// Browser.
    Browser,
    /// Country.
    Region,
    /// The site that linked here.
    Referrer,
    /// The site around the player.
    Embed,
    /// What was decoded.
    Codec,
    /// The picture's height.
    Size,
}

impl By {
    /// The heading.
    pub fn title(self) -> &'static str {
        match self {
            Self::Device => "Devices",
            Self::Browser => "Browsers",
            Self::Region => "Countries",
            Self::Referrer => "Came from",
            Self::Embed => "Watched on other sites",
            Self::Codec => "Codecs",
            Self::Size => "Picture sizes",
        }
    }

    /// What a row is.
    pub fn column(self) -> &'static str {
        match self {
            Self::Device => "Device",
            Self::Browser => "Browser",
            Self::Region => "Country",
            Self::Referrer | Self::Embed => "Site",
            Self::Codec => "Codec",
            Self::Size => "Size",
        }
    }

    /// What is said where there is nothing.
    pub fn nothing(self) -> &'static str {
        match self {
            Self::Embed => {
                "Nobody watched in a player on another site. Share → Embed shows how to put one there."
            }
            Self::Codec | Self::Size => "No player has said yet.",
            Self::Referrer => "No view came by a link from another site.",
            _ => "No views yet.",
        }
    }

    /// What a row's name means. `region` knows countries by their codes.
    pub fn name(self, name: &str, region: impl Fn(&str) -> Option<String>) -> String {
        let known = match (self, name) {
            (Self::Region, "other") => "Other countries",
            (_, "other") => "Others",
            (Self::Embed, "unknown") => "A site that doesn't tell its name",
            (_, "unknown") => "Unknown",
            (Self::Device, "desktop") => "Computer",
            (Self::Device, "phone") => "Phone",
            (Self::Device, "tablet") => "Tablet",
            (Self::Device, "tv") => "Television",
            (Self::Codec, "H264") => "H.264",
            (Self::Region, code) => return region(code).unwrap_or_else(|| code.to_owned()),
            (_, name) => name,
        };
        known.to_owned()
    }

    /// What `other` and `unknown` are here, if they are there.
    pub fn note(self, shares: &[Share]) -> Option<String> {
        let has = |name: &str| shares.iter().any(|share| share.name == name);
        match self {
            Self::Region if has("unknown") && shares.len() == 1 => Some(format!(
                "No country has {GROUP_LEAST} views yet, or this server has no GeoIP database that knows them. Addresses are never kept."
            )),
            Self::Region if has("other") => Some(format!(
                "Countries of fewer than {GROUP_LEAST} views are counted together, so that nobody is singled out."
            )),
            Self::Region if has("unknown") => Some(format!(
                "Unknown: the GeoIP database doesn't know the address, or its country has fewer than {GROUP_LEAST} views."
            )),
            Self::Referrer if !shares.is_empty() => {
                Some("Of the views that came by a link and said from where.".to_owned())
            }
            _ => None,
        }
    }
}

const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// A day and a time where people are: `Fri 20 Nov 2026, 20:15`. `offset` is how far they are ahead of UTC, in minutes.
pub fn date(millis: i64, offset: i32) -> String {
    let minutes = millis.div_euclid(60_000) + i64::from(offset);
    let (days, minute) = (minutes.div_euclid(1440), minutes.rem_euclid(1440));
    // Days to a date of the Gregorian calendar, by years that begin in March.
    let shifted = days + 719_468;
    let (era, of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = (month + 2) % 12;
    let year = year + era * 400 + i64::from(month < 2);
    let weekday = DAYS[days.rem_euclid(7) as usize];
    format!("{weekday} {day} {} {year}, {:02}:{:02}", MONTHS[month as usize], minute / 60, minute % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        assert_eq!(date(1_795_202_105_000, 60), "Fri 20 Nov 2026, 20:15");
        assert_eq!(date(0, 0), "Thu 1 Jan 1970, 00:00");
        assert_eq!(date(0, -60), "Wed 31 Dec 1969, 23:00");
        assert_eq!(date(951_782_400_000, 0), "Tue 29 Feb 2000, 00:00");
        assert_eq!(date(1_767_222_000_000, 60), "Thu 1 Jan 2026, 00:00");
        assert_eq!(date(1_709_251_199_000, 0), "Thu 29 Feb 2024, 23:59");
    }

    #[test]
    fn every_day_of_four_centuries_follows_the_one_before() {
        let day = |at: i64| date(at * 86_400_000, 0);
        let mut count = 0;
        for at in 0..146_097 {
            let text = day(at);
            let number: u32 = text.split(' ').nth(1).unwrap().parse().unwrap();
            count = if number == 1 { 1 } else { count + 1 };
            assert_eq!(number, count, "{text}");
            assert!(number <= 31);
        }
        assert_eq!(day(146_097)[4..10], day(0)[4..10]);
    }

    fn shares(names: &[&str]) -> Vec<Share> {
        names.iter().map(|name| Share { name: (*name).to_owned(), views: 9 }).collect()
    }

    #[test]
    fn small_groups_and_silence_are_explained() {
        let region = |code: &str| (code == "DE").then(|| "Germany".to_owned());
        assert_eq!(By::Region.name("DE", region), "Germany");
        assert_eq!(By::Region.name("ZZ", region), "ZZ");
        assert_eq!(By::Region.name("other", region), "Other countries");
        assert_eq!(By::Device.name("tv", region), "Television");
        assert_eq!(By::Browser.name("Firefox", region), "Firefox");
        assert!(By::Region.note(&shares(&["DE", "other", "unknown"])).unwrap().contains("fewer than 5"));
        assert!(By::Region.note(&shares(&["unknown"])).unwrap().contains("GeoIP"));
        assert_eq!(By::Region.note(&shares(&["DE"])), None);
        assert_eq!(By::Device.note(&shares(&["unknown"])), None);
    }
}
