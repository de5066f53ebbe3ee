//! Units as types: a number never travels without what it counts.

use serde::{Deserialize, Serialize};
use std::time::Duration;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// An instant in UTC with millisecond precision; RFC 3339 text in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Timestamp(i64);

impl Timestamp {
    /// From milliseconds since 1970-01-01T00:00:00Z, clamped to the years that RFC 3339 can write.
    pub fn from_millis(millis: i64) -> Self {
        const LAST: i64 = 253_402_300_799_999; // 9999-12-31T23:59:59.999Z
        Self(millis.clamp(0, LAST))
    }

    /// Milliseconds since 1970-01-01T00:00:00Z.
    pub fn as_millis(self) -> i64 {
        self.0
    }

    /// How long after `earlier` this is; zero if it is before.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0).max(0) as u64)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let at = OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0) * 1_000_000)
            .map_err(serde::ser::Error::custom)?;
        serializer.serialize_str(&at.format(&Rfc3339).map_err(serde::ser::Error::custom)?)
    }
}

#[cfg(feature = "openapi")]
crate::openapi::schema!(Timestamp, crate::openapi::time());

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        let at = OffsetDateTime::parse(&text, &Rfc3339).map_err(serde::de::Error::custom)?;
        Ok(Self::from_millis((at.unix_timestamp_nanos() / 1_000_000) as i64))
    }
}

macro_rules! unit {
    ($(#[$doc:meta])* $name:ident($of:ty)) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[serde(transparent)]
        pub struct $name(pub $of);
    };
}

unit!(
    /// Bits in a second.
    Bitrate(u64)
);
unit!(
    /// Whole seconds.
    Seconds(u64)
);
unit!(
    /// Milliseconds.
    Millis(u64)
);

/// A picture's size in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Size {
    /// Pixels across.
    pub width: u16,
    /// Pixels down.
    pub height: u16,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_are_rfc_3339_and_come_back_the_same() {
        let at = Timestamp::from_millis(1_795_000_000_123);
        let text = serde_json::to_string(&at).unwrap();
        assert_eq!(text, "\"2026-11-18T11:06:40.123Z\"");
        assert_eq!(serde_json::from_str::<Timestamp>(&text).unwrap(), at);
        assert!(serde_json::from_str::<Timestamp>("\"yesterday\"").is_err());
    }

    #[test]
    fn a_timestamp_from_a_broken_clock_is_still_writable() {
        for millis in [i64::MIN, -1, 0, i64::MAX] {
            assert!(serde_json::to_string(&Timestamp::from_millis(millis)).is_ok());
        }
    }
}
