use super::*;
use shared::{
    broadcast::Rendition,
    unit::{Bitrate, Timestamp},
};

fn is(state: BroadcastState) -> ChannelState {
    ChannelState {
        channel: "ada".parse().unwrap(),
        state,
        stream_id: None,
        title: Default::default(),
        category: Default::default(),
        viewer_count: 0,
        start_time: None,
        waiting_since: None,
        ended_at: None,
        duration: None,
        renditions: Vec::new(),
        server_time: Timestamp::from_millis(0),
    }
}

fn drain(state: &mut PlayerState) -> Vec<Output> {
    std::iter::from_fn(|| state.poll()).collect()
}

fn playing() -> PlayerState {
    let mut state = PlayerState::default();
    state.start();
    state.accepted(10);
    state.connected();
    state.channel(&is(BroadcastState::Live), 20);
    state.pictured(50);
    assert_eq!(drain(&mut state), [Output::Open]);
    assert_eq!(state.view(), View::Live);
    state
}

/// Ticks in steps of 100 ms until something is to be done; answers when.
fn next(state: &mut PlayerState, mut now: u64) -> (u64, Vec<Output>) {
    for _ in 0..1000 {
        now += 100;
        state.tick(now);
        let outputs = drain(state);
        if !outputs.is_empty() {
            return (now, outputs);
        }
    }
    (now, Vec::new())
}

#[test]
fn sound_alone_by_the_viewer_s_wish_needs_no_picture() {
    let mut state = PlayerState::default();
    state.rest(true, false, 0);
    state.start();
    state.accepted(10);
    state.connected();
    state.channel(&is(BroadcastState::Live), 20);
    assert_eq!(state.view(), View::Connecting);
    state.flowed(50);
    assert_eq!(state.view(), View::Live);
    assert!(!state.has_picture());
    state.rest(false, false, 60);
    assert_eq!(state.view(), View::Connecting, "until the picture is there");
}

#[test]
fn nothing_is_missed_of_a_hidden_page_without_sound_until_it_is_seen_again() {
    let mut state = playing();
    state.rest(false, true, 100);
    assert_eq!(next(&mut state, 100).1, []);
    let seen = 200_000;
    state.rest(false, false, seen);
    let (at, outputs) = next(&mut state, seen);
    assert_eq!((at, outputs), (seen + STALL_PATIENCE, vec![Output::Open]));
}

#[test]
fn sound_that_stops_on_a_hidden_page_is_missed() {
    let mut state = playing();
    let mut sounds = is(BroadcastState::Live);
    sounds.renditions.push(Rendition {
        name: "source".into(),
        codec: Codec::Opus,
        size: None,
        frame_rate: 0.0,
        bitrate: Bitrate(64_000),
    });
    state.channel(&sounds, 90);
    state.rest(false, true, 100);
    assert_eq!(next(&mut state, 100), (100 + STALL_PATIENCE, vec![Output::Open]));
}

#[test]
fn it_asks_for_the_picture_before_it_knows_that_there_is_one() {
    let mut state = PlayerState::default();
    state.start();
    assert_eq!(drain(&mut state), [Output::Open]);
    assert_eq!(state.view(), View::Connecting);
    state.refused(Refusal::NotLive, 30);
    state.channel(&is(BroadcastState::Offline), 40);
    assert_eq!(state.view(), View::Offline);
    assert_eq!(next(&mut state, 40).1, []);
    state.channel(&is(BroadcastState::Live), 90_000);
    assert_eq!(drain(&mut state), [Output::Open]);
}

#[test]
fn sound_alone_is_live_only_where_there_is_no_picture_to_come() {
    let mut state = PlayerState::default();
    state.start();
    state.accepted(1);
    state.connected();
    let mut live = is(BroadcastState::Live);
    state.channel(&live, 2);
    state.flowed(3);
    assert_eq!(state.view(), View::Connecting);
    let sound = Rendition {
        name: "audio".to_owned(),
        codec: Codec::Opus,
        size: None,
        frame_rate: 0.0,
        bitrate: Bitrate(64_000),
    };
    live.renditions = vec![sound];
    state.channel(&live, 4);
    assert_eq!(state.view(), View::Live);
}

#[test]
fn live_news_does_not_ask_twice() {
    let mut state = PlayerState::default();
    state.start();
    drain(&mut state);
    state.channel(&is(BroadcastState::Live), 5);
    state.channel(&is(BroadcastState::Live), 6);
    assert_eq!(drain(&mut state), []);
}

#[test]
fn a_signed_embed_that_does_not_admit_is_said_and_not_tried_again() {
    for (expired, trouble) in [(true, Trouble::EmbedExpired), (false, Trouble::EmbedInvalid)] {
        let mut state = PlayerState::default();
        state.start();
        drain(&mut state);
        state.refused(Refusal::Embed { expired }, 10);
        assert_eq!(state.view(), View::Trouble(trouble));
        assert_eq!(next(&mut state, 10).1, []);
        // The page may be told anew what to ask with only by being loaded again.
        state.retry();
        assert_eq!(drain(&mut state), [Output::Open]);
    }
}

#[test]
fn what_plays_goes_on_when_its_signed_embed_expires_and_says_so_once_it_is_lost() {
    let mut state = playing();
    state.shut_out(true, 100);
    assert_eq!((state.view(), drain(&mut state)), (View::Live, Vec::new()));
    state.failed(200);
    assert_eq!(drain(&mut state), [Output::Open]);
    state.refused(Refusal::Embed { expired: true }, 300);
    assert_eq!(state.view(), View::Trouble(Trouble::EmbedExpired));
    let mut offline = PlayerState::default();
    offline.start();
    offline.refused(Refusal::NotLive, 10);
    offline.channel(&is(BroadcastState::Offline), 20);
    offline.shut_out(false, 30);
    assert_eq!(
        offline.view(),
        View::Trouble(Trouble::EmbedInvalid),
        "nothing would be heard of the next one"
    );
}

#[test]
fn a_refusal_while_live_is_tried_again() {
    let mut state = PlayerState::default();
    state.start();
    state.channel(&is(BroadcastState::Live), 5);
    state.refused(Refusal::NotLive, 10);
    drain(&mut state);
    let (at, outputs) = next(&mut state, 10);
    assert_eq!(outputs, [Output::Open]);
    assert!((1010..1200).contains(&at));
}

#[test]
fn viewers_keep_their_session_while_the_publisher_is_waited_for() {
    let mut state = playing();
    state.channel(&is(BroadcastState::Waiting), 1000);
    assert_eq!(state.view(), View::Waiting);
    assert_eq!(next(&mut state, 1000).1, []);
    state.channel(&is(BroadcastState::Live), 60_000);
    assert_eq!(drain(&mut state), []);
    state.flowed(60_400);
    assert_eq!(state.view(), View::Live);
    assert!(state.has_picture());
}

#[test]
fn a_picture_that_does_not_come_back_gets_a_new_session() {
    let mut state = playing();
    state.channel(&is(BroadcastState::Waiting), 1000);
    state.channel(&is(BroadcastState::Live), 60_000);
    let (at, outputs) = next(&mut state, 60_000);
    assert_eq!(outputs, [Output::Open]);
    assert_eq!(at, 64_000);
}

#[test]
fn the_end_closes_the_session_and_says_so() {
    let mut state = playing();
    state.channel(&is(BroadcastState::Ended), 1000);
    assert_eq!(drain(&mut state), [Output::Close]);
    assert_eq!(state.view(), View::Ended);
    assert!(!state.has_picture());
    state.failed(1100);
    assert_eq!(next(&mut state, 1100).1, []);
}

#[test]
fn a_short_cut_heals_and_a_long_one_gets_a_new_session() {
    let mut state = playing();
    state.cut(1000);
    state.tick(2900);
    state.connected();
    state.flowed(2950);
    state.tick(3100);
    assert_eq!(drain(&mut state), []);
    state.cut(4000);
    state.cut(5000);
    state.tick(6000);
    assert_eq!(drain(&mut state), [Output::Open]);
}

#[test]
fn a_network_without_a_way_is_said_and_tried_less_and_less_often() {
    let mut state = PlayerState::default();
    state.start();
    state.channel(&is(BroadcastState::Live), 0);
    drain(&mut state);
    state.accepted(0);
    let mut now = 0;
    let mut waits = Vec::new();
    for _ in 0..6 {
        let (at, outputs) = next(&mut state, now);
        assert_eq!(outputs, [Output::Close]);
        assert_eq!(state.view(), View::Trouble(Trouble::NoRoute));
        let (again, outputs) = next(&mut state, at);
        assert_eq!(outputs, [Output::Open]);
        waits.push(again - at);
        state.accepted(again);
        now = again;
    }
    assert_eq!(waits, [1000, 2000, 4000, 8000, 15_000, 15_000]);
    state.connected();
    state.pictured(now + 100);
    assert_eq!(state.view(), View::Live);
}

#[test]
fn after_a_restart_of_the_server_a_silent_session_is_replaced_soon() {
    let mut state = playing();
    state.flowed(10_000);
    state.reachable(false, 10_100);
    assert_eq!(next(&mut state, 10_100).1, [], "the server is away: nobody to ask");
    assert!(state.is_alone());
    assert_eq!(state.view(), View::Live);
    state.reachable(true, 12_000);
    state.channel(&is(BroadcastState::Live), 12_010);
    state.tick(12_100);
    assert_eq!(drain(&mut state), [Output::Open]);
}

#[test]
fn a_restart_that_media_survives_changes_nothing() {
    let mut state = playing();
    state.reachable(false, 1000);
    for now in (1000..9000).step_by(500) {
        state.flowed(now);
        state.tick(now);
    }
    state.reachable(true, 9000);
    state.channel(&is(BroadcastState::Live), 9010);
    state.tick(9500);
    assert_eq!(drain(&mut state), []);
}

#[test]
fn a_full_server_is_asked_again_when_it_said() {
    let mut state = PlayerState::default();
    state.start();
    drain(&mut state);
    state.refused(Refusal::Full(Some(7)), 0);
    assert_eq!(state.view(), View::Trouble(Trouble::Full));
    let (at, outputs) = next(&mut state, 0);
    assert_eq!((at, outputs), (7000, vec![Output::Open]));
}

#[test]
fn a_codec_that_cannot_be_shown_is_not_asked_for_until_something_changes() {
    let mut state = PlayerState::default();
    state.start();
    state.channel(&is(BroadcastState::Live), 1);
    state.refused(Refusal::NoCodec, 5);
    drain(&mut state);
    state.channel(&is(BroadcastState::Live), 6);
    assert_eq!(next(&mut state, 6).1, []);
    assert_eq!(state.view(), View::Trouble(Trouble::NoCodec));
    state.channel(&is(BroadcastState::Waiting), 7);
    state.channel(&is(BroadcastState::Live), 8);
    assert_eq!(drain(&mut state), [Output::Open]);
    // The server makes another rendition of it.
    state.refused(Refusal::NoCodec, 9);
    let mut live = is(BroadcastState::Live);
    state.channel(&live, 10);
    assert_eq!(drain(&mut state), []);
    live.renditions.push(Rendition {
        name: "360p".to_owned(),
        codec: Codec::Av1,
        size: None,
        frame_rate: 30.0,
        bitrate: Bitrate(600_000),
    });
    state.channel(&live, 11);
    assert_eq!(drain(&mut state), [Output::Open]);
}

#[test]
fn a_server_that_returns_is_asked_at_once() {
    let mut state = PlayerState::default();
    state.start();
    drain(&mut state);
    for now in [0, 1000, 3000, 7000] {
        state.refused(Refusal::Unreachable, now);
        state.media = Media::Asking;
    }
    state.refused(Refusal::Unreachable, 15_000);
    assert_eq!(state.view(), View::Trouble(Trouble::ServerAway));
    state.reachable(true, 15_100);
    state.tick(15_150);
    assert_eq!(drain(&mut state), [Output::Open]);
}

#[test]
fn whoever_is_let_in_no_more_sees_nothing_until_they_are_again() {
    for state in
        [BroadcastState::Live, BroadcastState::Waiting, BroadcastState::Ended, BroadcastState::Offline]
    {
        let mut player = playing();
        player.channel(&is(state), 100);
        drain(&mut player);
        player.gone();
        assert_eq!(player.view(), View::Trouble(Trouble::Unknown));
        let was_on = matches!(state, BroadcastState::Live | BroadcastState::Waiting);
        assert_eq!(drain(&mut player), if was_on { vec![Output::Close] } else { vec![] });
        player.tick(1_000_000);
        assert_eq!(drain(&mut player), [], "and nothing is asked for");
        player.channel(&is(BroadcastState::Live), 1_000_001);
        assert_eq!(drain(&mut player), [Output::Open]);
    }
}

#[test]
fn late_answers_to_a_closed_session_are_ignored() {
    let mut state = playing();
    state.channel(&is(BroadcastState::Ended), 100);
    drain(&mut state);
    state.accepted(110);
    state.refused(Refusal::Unknown, 120);
    state.connected();
    assert_eq!(state.view(), View::Ended);
}
