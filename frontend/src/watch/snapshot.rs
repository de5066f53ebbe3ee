//! What the player has to show at one moment.

use super::{
    player_state::View,
    quality_state::Choice,
    sound::{self, Sound},
    stats_state::Quality,
};
use crate::browser::storage;
use shared::{broadcast::ChannelState, unit::Timestamp, watch::Playing};
use std::rc::Rc;

/// Where the browser remembers what the viewer chose.
pub const QUALITY: &str = "weir.quality";

/// What there is to show.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot {
    /// Which state the player is in.
    pub view: View,
    /// The server doesn't answer, and the picture goes on.
    pub alone: bool,
    /// It said that it restarts.
    pub restarts: bool,
    /// The last picture can stay under what is said.
    pub has_picture: bool,
    /// What the server said last.
    pub channel: Option<Rc<ChannelState>>,
    /// The server's clock minus this machine's, in milliseconds.
    pub clock_offset: i64,
    /// Milliseconds from the streamer's computer to this screen, measured.
    pub latency: Option<u32>,
    /// What the viewer chose of the picture.
    pub choice: Choice,
    /// What the server sends and why, while somebody looks at that.
    pub playing: Option<Rc<Playing>>,
    /// What the connection measures.
    pub quality: Quality,
    /// Milliseconds from asking for the picture to seeing it.
    pub first_picture: Option<u64>,
    /// Milliseconds from asking for the page to seeing the picture.
    pub page_picture: Option<u64>,
    /// The viewer stopped the picture.
    pub paused: bool,
    /// How loud it is to be.
    pub sound: Sound,
    /// The browser insists on silence until the person does something.
    pub blocked: bool,
}

impl Default for Snapshot {
    fn default() -> Self {
        Self {
            view: View::Connecting,
            alone: false,
            restarts: false,
            has_picture: false,
            channel: None,
            clock_offset: 0,
            latency: None,
            choice: Choice::remembered(storage::read(QUALITY)),
            playing: None,
            quality: Quality::default(),
            first_picture: None,
            page_picture: None,
            paused: false,
            sound: sound::remembered(),
            blocked: false,
        }
    }
}

impl Snapshot {
    /// What happened to the server, where it doesn't answer.
    pub fn away(&self) -> &'static str {
        if self.restarts {
            "The server is restarting. Reconnecting …"
        } else {
            "Lost the server. Reconnecting …"
        }
    }

    /// The viewer wants no picture, and there is sound.
    pub fn is_sound_alone(&self) -> bool {
        self.choice.is_sound_alone(self.channel.as_ref().map_or(&[], |channel| &channel.renditions))
    }

    /// What is heard now: silent as long as the browser insists.
    pub fn heard(&self) -> Sound {
        Sound { muted: self.sound.muted || self.blocked, ..self.sound }
    }

    /// Seconds since `then`, by the server's clock.
    pub fn since(&self, then: Timestamp, now: i64) -> u64 {
        Timestamp::from_millis(now + self.clock_offset).since(then).as_secs()
    }
}
