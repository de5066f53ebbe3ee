//! What is told of a viewer, in the words that media, record and analytics share: never who it is, never from where exactly.

use shared::analytics::Device;
use std::{fmt, str::FromStr};

/// What a viewer watches with, and roughly where. Decided once, when its view begins.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Audience {
    /// The type of device.
    pub device: Device,
    /// The browser or program.
    pub browser: Browser,
    /// The country.
    pub region: Region,
}

macro_rules! browsers {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// The family of browser or program that plays.
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Browser {
            $($(#[$doc])* $variant,)*
        }

        impl Browser {
            /// As people and the record write it.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }
        }

        impl FromStr for Browser {
            type Err = NotATrait;

            fn from_str(text: &str) -> Result<Self, NotATrait> {
                match text {
                    $($name => Ok(Self::$variant),)*
                    _ => Err(NotATrait),
                }
            }
        }
    };
}

browsers! {
    /// Chrome and Chromium.
    Chrome = "Chrome",
    /// Firefox.
    Firefox = "Firefox",
    /// Safari.
    Safari = "Safari",
    /// Edge.
    Edge = "Edge",
    /// Opera.
    Opera = "Opera",
    /// Samsung's browser.
    SamsungInternet = "Samsung Internet",
    /// OBS, whose browser sources show a page within a broadcast.
    Obs = "OBS",
    /// GStreamer.
    GStreamer = "GStreamer",
    /// FFmpeg.
    Ffmpeg = "FFmpeg",
    /// It told, and is none of these.
    Other = "other",
    /// It told nothing.
    #[default]
    Unknown = "unknown",
}

/// A text is no trait that Weir writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is no trait of an audience")]
pub struct NotATrait;

/// A country by its ISO 3166-1 alpha-2 code, or unknown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Region(Option<[u8; 2]>);

impl Region {
    /// Where it isn't known.
    pub const UNKNOWN: &'static str = "unknown";

    /// From a code like `DE`; unknown for any other text.
    pub fn of(code: &str) -> Self {
        let code: Option<[u8; 2]> = code.as_bytes().try_into().ok();
        Self(code.filter(|code| code.iter().all(u8::is_ascii_uppercase)))
    }

    /// The code; `None` if it isn't known.
    pub fn code(&self) -> Option<&str> {
        self.0.as_ref().and_then(|code| std::str::from_utf8(code).ok())
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code().unwrap_or(Self::UNKNOWN))
    }
}

/// A device's name in the record: as in JSON.
pub fn device_name(device: Device) -> &'static str {
    match device {
        Device::Desktop => "desktop",
        Device::Phone => "phone",
        Device::Tablet => "tablet",
        Device::Tv => "tv",
        Device::Unknown => "unknown",
    }
}

/// The device of that name; unknown for any other text.
pub fn device_of(name: &str) -> Device {
    match name {
        "desktop" => Device::Desktop,
        "phone" => Device::Phone,
        "tablet" => Device::Tablet,
        "tv" => Device::Tv,
        _ => Device::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn traits_come_back_from_the_record_as_they_went_in() {
        for device in [Device::Desktop, Device::Phone, Device::Tablet, Device::Tv, Device::Unknown] {
            assert_eq!(device_of(device_name(device)), device);
            assert_eq!(serde_json::to_value(device).unwrap(), device_name(device));
        }
        assert_eq!("Samsung Internet".parse(), Ok(Browser::SamsungInternet));
        assert_eq!("=cmd()".parse::<Browser>(), Err(NotATrait));
        assert_eq!(Region::of("DE").to_string(), "DE");
        for text in ["", "de", "DEU", "D", "=1", "ÄÖ"] {
            assert_eq!(Region::of(text).to_string(), "unknown", "{text}");
        }
    }
}
