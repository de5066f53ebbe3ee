//! Whether a state is worth telling anew, and how it is told later. Pure.

use shared::{
    broadcast::{ChannelState, Rendition},
    channel::{ChannelCard, Directory},
    event::Payload,
    unit::Timestamp,
};

/// Whether followers should hear of `new` after `old`. The clock alone is no news, nor is the jitter of a measurement.
pub fn is_news(old: &Payload, new: &Payload) -> bool {
    match (old, new) {
        (Payload::ChannelState(old), Payload::ChannelState(new)) => is_new_state(old, new),
        (Payload::Directory(old), Payload::Directory(new)) => is_new_directory(old, new),
        // While it is on, its time goes on.
        (Payload::Analytics(old), Payload::Analytics(new)) => new.summary.end_time.is_none() || old != new,
        (Payload::Activity(old), Payload::Activity(new)) => old != new,
        // What is measured every two seconds is told every two seconds.
        _ => true,
    }
}

fn is_new_directory(old: &Directory, new: &Directory) -> bool {
    let is_new_card = |(old, new): (&ChannelCard, &ChannelCard)| {
        old.channel != new.channel || is_new_state(&old.state, &new.state)
    };
    old.channels.len() != new.channels.len() || old.channels.iter().zip(&new.channels).any(is_new_card)
}

fn is_new_state(old: &ChannelState, new: &ChannelState) -> bool {
    let steady = |state: &ChannelState| ChannelState {
        renditions: Vec::new(),
        server_time: Timestamp::from_millis(0),
        ..state.clone()
    };
    old.renditions.len() != new.renditions.len()
        || old.renditions.iter().zip(&new.renditions).any(|(old, new)| is_new_rendition(old, new))
        || steady(old) != steady(new)
}

/// A fifth of the bitrate or two frames a second are more than jitter.
fn is_new_rendition(old: &Rendition, new: &Rendition) -> bool {
    (&old.name, old.codec, old.size) != (&new.name, new.codec, new.size)
        || old.bitrate.0.abs_diff(new.bitrate.0) * 5 > old.bitrate.0
        || (old.frame_rate - new.frame_rate).abs() >= 2.0
}

/// Sets the server's clock in a state that was read a while ago, as pages count from it.
pub fn set_server_time(payload: &mut Payload, now: Timestamp) {
    match payload {
        Payload::ChannelState(state) => state.server_time = now,
        Payload::Directory(directory) => {
            for card in &mut directory.channels {
                card.state.server_time = now;
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::{
        broadcast::{BroadcastState, Codec},
        text::{Category, Title},
        unit::Bitrate,
    };

    fn state(bitrate: u64, frame_rate: f32, viewers: u32, at: i64) -> ChannelState {
        ChannelState {
            channel: "ada".parse().unwrap(),
            state: BroadcastState::Live,
            stream_id: None,
            title: Title::default(),
            category: Category::default(),
            viewer_count: viewers,
            start_time: None,
            waiting_since: None,
            ended_at: None,
            duration: None,
            renditions: vec![Rendition {
                name: "source".to_owned(),
                codec: Codec::Av1,
                size: None,
                frame_rate,
                bitrate: Bitrate(bitrate),
            }],
            server_time: Timestamp::from_millis(at),
        }
    }

    #[test]
    fn time_and_jitter_are_no_news() {
        let old = state(1_000_000, 30.0, 3, 0);
        assert!(!is_new_state(&old, &state(1_150_000, 29.1, 3, 5000)));
        assert!(is_new_state(&old, &state(1_300_000, 30.0, 3, 0)));
        assert!(is_new_state(&old, &state(1_000_000, 15.0, 3, 0)));
        assert!(is_new_state(&old, &state(1_000_000, 30.0, 4, 0)));
        assert!(is_new_state(&old, &ChannelState { renditions: Vec::new(), ..old.clone() }));
        assert!(is_new_state(&state(0, 0.0, 0, 0), &state(1, 0.0, 0, 0)));
    }

    #[test]
    fn a_state_told_late_has_the_clock_of_then() {
        let mut payload = Payload::ChannelState(Box::new(state(1, 1.0, 1, 0)));
        set_server_time(&mut payload, Timestamp::from_millis(9000));
        assert_eq!(payload, Payload::ChannelState(Box::new(state(1, 1.0, 1, 9000))));
    }
}
