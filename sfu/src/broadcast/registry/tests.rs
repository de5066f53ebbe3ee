use super::*;
use shared::broadcast::BroadcastState;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(1_000_000 + seconds * 1000)
}

fn ada() -> ChannelId {
    "c1".parse().unwrap()
}

fn session(text: &str) -> SessionId {
    text.parse().unwrap()
}

fn published(name: &str) -> Input {
    Input::Published {
        channel: ada(),
        name: "ada".parse().unwrap(),
        title: "Hello".parse().unwrap(),
        category: Category::default(),
        session: session(name),
        user_agent: "test".into(),
        reserved: None,
    }
}

fn flows(name: &str, fresh: &str) -> Input {
    Input::Flows { channel: ada(), session: session(name), fresh: fresh.parse().unwrap() }
}

fn gone(name: &str, said: bool) -> Input {
    Input::PublisherGone { channel: ada(), session: session(name), said }
}

fn joined(name: &str) -> Input {
    joined_as(name, name, false)
}

fn joined_as(name: &str, view: &str, comes_back: bool) -> Input {
    let (session, view) = (session(name), view.parse().unwrap());
    Input::ViewerJoined { channel: ada(), session, view, comes_back, audience: Audience::default() }
}

fn left(name: &str) -> Input {
    Input::ViewerLeft { channel: ada(), session: session(name), quiet: Duration::ZERO }
}

/// A system's clock that runs from 0: what is shown and recorded doesn't depend on it.
fn tick() -> Input {
    Input::Tick { wall: at(0) }
}

fn records(outputs: Vec<Output>) -> Vec<Record> {
    let record = |output| match output {
        Output::Record(record) => Some(record),
        _ => None,
    };
    outputs.into_iter().filter_map(record).collect()
}

fn shown(outputs: &[Output]) -> Option<LiveState> {
    outputs.iter().rev().find_map(|output| match output {
        Output::Show(_, state) => Some(LiveState::clone(state)),
        _ => None,
    })
}

fn closed(outputs: &[Output]) -> Vec<&str> {
    let mut closed: Vec<_> = outputs
        .iter()
        .filter_map(|output| match output {
            Output::Close(session) => Some(session.as_str()),
            _ => None,
        })
        .collect();
    closed.sort_unstable();
    closed
}

fn told(outputs: &[Output]) -> Vec<&Occurrence> {
    outputs
        .iter()
        .filter_map(|output| match output {
            Output::Tell(_, occurrence) => Some(occurrence),
            _ => None,
        })
        .collect()
}

#[test]
fn the_board_is_right_before_anybody_is_told() {
    let mut registry = Registry::default();
    assert!(registry.handle(published("p"), at(0)).is_empty(), "no media yet: not live");
    let outputs = registry.handle(flows("p", "b1"), at(1));
    assert!(matches!(&outputs[0], Output::Record(Record::Heartbeat(_))));
    let outputs = &outputs[1..];
    let id: BroadcastId = "b1".parse().unwrap();
    assert!(
        matches!(&outputs[0], Output::Record(Record::BroadcastStarted { channel, .. }) if *channel == ada())
    );
    assert!(matches!(&outputs[1], Output::Show(_, state) if state.state == BroadcastState::Live));
    assert!(
        matches!(&outputs[2], Output::Tell(_, Occurrence::StreamStarted { stream_id }) if *stream_id == id)
    );
    assert_eq!(outputs.len(), 3);
}

#[test]
fn viewers_are_counted_recorded_and_let_go_when_it_ends() {
    let mut registry = Registry::default();
    assert!(registry.handle(joined("v0"), at(0)).is_empty(), "an unknown channel");
    registry.handle(published("p"), at(0));
    registry.handle(flows("p", "b1"), at(1));
    registry.handle(joined("v1"), at(2));
    let outputs = registry.handle(joined("v2"), at(2));
    assert_eq!(shown(&outputs).unwrap().viewer_count, 2);
    assert!(matches!(&outputs[0], Output::Record(Record::ViewStarted { .. })));
    let outputs = registry.handle(left("v2"), at(3));
    assert_eq!(shown(&outputs).unwrap().viewer_count, 1);
    let outputs = registry.handle(gone("p", true), at(4));
    assert!(outputs.contains(&Output::CloseViewers(ada())));
    assert!(matches!(told(&outputs)[0], Occurrence::StreamEnded { .. }));
    assert_eq!(closed(&registry.handle(joined("v3"), at(5))), ["v3"], "nothing to watch any more");
}

#[test]
fn a_second_publisher_takes_over_and_the_viewers_stay() {
    let mut registry = Registry::default();
    registry.handle(published("p1"), at(0));
    registry.handle(flows("p1", "b1"), at(1));
    registry.handle(joined("v"), at(2));
    assert!(
        closed(&registry.handle(published("p2"), at(3))).is_empty(),
        "the first goes on until media comes"
    );
    let outputs = registry.handle(flows("p2", "b2"), at(4));
    assert_eq!(closed(&outputs), ["p1"]);
    let outputs = registry.handle(gone("p1", false), at(5));
    assert!(told(&outputs).is_empty(), "its going interrupts nothing");
    let outputs = registry.handle(tick(), at(10));
    assert!(
        matches!(records(outputs)[..], [Record::Heartbeat(Heartbeat { at: seen, .. })] if seen == at(10))
    );
    assert_eq!(registry.handle(gone("p2", true), at(11)).len(), 4);
}

#[test]
fn who_vanishes_is_waited_for_and_may_come_back() {
    let mut registry = Registry::default();
    registry.handle(published("p1"), at(0));
    registry.handle(flows("p1", "b1"), at(1));
    registry.handle(joined("v"), at(2));
    let outputs = registry.handle(gone("p1", false), at(3));
    assert_eq!(shown(&outputs).unwrap().state, BroadcastState::Waiting);
    assert!(closed(&outputs).is_empty(), "viewers stay");
    registry.handle(published("p2"), at(20));
    let outputs = registry.handle(flows("p2", "b2"), at(21));
    let state = shown(&outputs).unwrap();
    assert_eq!((state.state, state.start_time), (BroadcastState::Live, Some(at(1))));
    assert!(matches!(told(&outputs)[0], Occurrence::StreamResumed { .. }));
}

#[test]
fn a_goodbye_after_the_connection_s_end_still_counts_unless_somebody_is_about_to_take_over() {
    let mut registry = Registry::default();
    registry.handle(published("p1"), at(0));
    registry.handle(flows("p1", "b1"), at(1));
    registry.handle(gone("p1", false), at(3));
    let outputs = registry.handle(gone("p1", true), at(4));
    assert!(matches!(told(&outputs)[0], Occurrence::StreamEnded { .. }));
    assert!(told(&registry.handle(gone("p1", true), at(5))).is_empty(), "once is enough");

    registry.handle(published("p2"), at(10));
    registry.handle(flows("p2", "b2"), at(11));
    registry.handle(gone("p2", false), at(12));
    registry.handle(published("p3"), at(13));
    assert!(told(&registry.handle(gone("p2", true), at(14))).is_empty(), "p3 is about to go on");
    let outputs = registry.handle(flows("p3", "b3"), at(15));
    assert!(matches!(told(&outputs)[0], Occurrence::StreamResumed { .. }));
}

#[test]
fn the_owner_s_end_closes_publishers_and_viewers_alike() {
    let mut registry = Registry::default();
    registry.handle(published("p1"), at(0));
    registry.handle(flows("p1", "b1"), at(1));
    registry.handle(joined("v"), at(2));
    assert!(registry.is_on(&ada()));
    let outputs = registry.handle(Input::End { channel: ada() }, at(9));
    assert_eq!(closed(&outputs), ["p1"]);
    assert!(outputs.contains(&Output::CloseViewers(ada())));
    assert!(told(&registry.handle(flows("p1", "b2"), at(9))).is_empty(), "what still arrives starts nothing");
    let state = shown(&outputs).unwrap();
    assert_eq!((state.state, state.duration.map(|d| d.0)), (BroadcastState::Ended, Some(8)));
}

#[test]
fn a_restarted_server_waits_for_the_publisher_or_ends_what_was_left() {
    let mut registry = Registry::default();
    let outputs = registry.recover(vec![open(at(10))], at(15), at(15));
    assert_eq!(shown(&outputs).unwrap().state, BroadcastState::Waiting);
    let written = records(outputs);
    assert!(matches!(&written[0], Record::BroadcastStarted { at: start, .. } if *start == at(0)));
    assert!(
        matches!(&written[1], Record::Marked { at: stop, mark: Mark::Interrupted, .. } if *stop == at(10))
    );
    registry.handle(published("p"), at(16));
    let outputs = registry.handle(flows("p", "b2"), at(17));
    assert!(matches!(told(&outputs)[0], Occurrence::StreamResumed { .. }));
    assert!(matches!(records(outputs)[..], [Record::Marked { mark: Mark::Resumed, .. }]));

    let mut late = Registry::default();
    let written = records(late.recover(vec![open(at(10))], at(1000), at(1000)));
    assert!(matches!(&written[2], Record::BroadcastEnded { at: end, .. } if *end == at(10)));
    late.handle(tick(), at(2000));
    assert!(late.channels.is_empty(), "nothing is kept for channels that are off");
}

fn open(last_seen_at: Timestamp) -> OpenBroadcast {
    OpenBroadcast {
        id: "b1".parse().unwrap(),
        channel: ada(),
        name: "ada".parse().unwrap(),
        title: "Hello".parse().unwrap(),
        category: Category::default(),
        started_at: at(0),
        last_seen_at,
        clock_offset: 0,
        interrupted_at: None,
        views: vec![("v2".parse().unwrap(), 3), ("v1".parse().unwrap(), 1)],
    }
}

#[test]
fn a_view_that_comes_back_goes_on_in_another_span_and_counts_once() {
    let mut registry = Registry::default();
    registry.handle(published("p"), at(0));
    registry.handle(flows("p", "b1"), at(1));
    registry.handle(joined("v"), at(2));
    let view: ViewId = "v".parse().unwrap();
    assert!(registry.has_view(&ada(), &view));
    let ended = records(registry.handle(left("v"), at(5)));
    assert_eq!(ended, [Record::ViewEnded { id: view.clone(), span: 1, at: at(5) }]);
    let outputs = registry.handle(joined_as("again", "v", true), at(8));
    assert_eq!(shown(&outputs).unwrap().viewer_count, 1);
    let broadcast = "b1".parse().unwrap();
    assert_eq!(records(outputs), [Record::ViewResumed { id: view.clone(), span: 2, broadcast, at: at(8) }]);
    // While the old session still seems to be there, the new one takes its place.
    let outputs = registry.handle(joined_as("third", "v", true), at(9));
    assert_eq!(closed(&outputs), ["again"]);
    assert!(records(outputs).is_empty(), "the span goes on");
    assert!(registry.handle(left("again"), at(10)).is_empty(), "nobody leaves");
    let ended = records(registry.handle(left("third"), at(11)));
    assert_eq!(ended, [Record::ViewEnded { id: view, span: 2, at: at(11) }]);
}

#[test]
fn who_is_missed_watched_until_it_was_last_heard() {
    let mut registry = Registry::default();
    registry.handle(published("p"), at(0));
    registry.handle(flows("p", "b1"), at(1));
    registry.handle(joined("v"), at(2));
    let quiet = Duration::from_secs(12);
    let missed = Input::ViewerLeft { channel: ada(), session: session("v"), quiet };
    let written = records(registry.handle(missed, at(30)));
    assert_eq!(written, [Record::ViewEnded { id: "v".parse().unwrap(), span: 1, at: at(18) }]);
}

#[test]
fn a_view_of_another_broadcast_is_nobody_s_to_go_on_with() {
    let mut registry = Registry::default();
    registry.handle(published("p"), at(0));
    registry.handle(flows("p", "b1"), at(1));
    registry.handle(joined("v"), at(2));
    registry.handle(Input::End { channel: ada() }, at(3));
    assert!(!registry.has_view(&ada(), &"v".parse().unwrap()));
    registry.handle(published("p"), at(4));
    registry.handle(flows("p", "b2"), at(4));
    let outputs = registry.handle(joined_as("w", "v", true), at(5));
    assert_eq!(closed(&outputs), ["w"]);
    assert!(records(outputs).is_empty());
}

#[test]
fn views_go_on_after_a_restart() {
    let mut registry = Registry::default();
    registry.recover(vec![open(at(10))], at(12), at(12));
    let broadcast: BroadcastId = "b1".parse().unwrap();
    let written = records(registry.handle(joined_as("s", "v2", true), at(13)));
    let id = "v2".parse().unwrap();
    assert_eq!(written, [Record::ViewResumed { id, span: 4, broadcast, at: at(13) }]);
}

#[test]
fn a_stop_ends_what_is_watched_and_nothing_else() {
    let mut registry = Registry::default();
    registry.handle(published("p"), at(0));
    registry.handle(flows("p", "b1"), at(1));
    registry.handle(joined("v"), at(2));
    registry.handle(joined("w"), at(3));
    let written = records(registry.handle(Input::Stop { wall: at(7) }, at(7)));
    let ended = |id: &str| Record::ViewEnded { id: id.parse().unwrap(), span: 1, at: at(7) };
    let beat = Record::Heartbeat(Heartbeat { at: at(7), wall: at(7) });
    assert_eq!(written, [ended("v"), ended("w"), beat]);
    assert!(records(registry.handle(left("v"), at(8))).is_empty(), "once is enough");
}

#[test]
fn a_title_that_changes_while_it_is_on_is_marked() {
    let titled = |text: &str| Input::Titled { channel: ada(), title: text.parse().unwrap() };
    let mut registry = Registry::default();
    registry.handle(published("p"), at(0));
    assert!(registry.handle(titled("Early"), at(0)).is_empty());
    registry.handle(flows("p", "b1"), at(1));
    assert!(registry.handle(titled("Early"), at(2)).is_empty(), "the same");
    let written = records(registry.handle(titled("Late"), at(3)));
    assert!(
        matches!(&written[..], [Record::Marked { mark: Mark::Title(title), .. }] if title.as_str() == "Late")
    );
}

#[test]
fn the_system_s_clock_may_jump_and_nothing_within_a_broadcast_notices() {
    for jump in [-900, -5, 7, 86_400 * 365] {
        let mut registry = Registry::default();
        registry.handle(published("p"), at(0));
        registry.handle(flows("p", "b1"), at(1));
        registry.handle(joined("v"), at(2));
        let beat = records(registry.handle(Input::Tick { wall: at(3 + jump) }, at(3)));
        assert_eq!(beat, [Record::Heartbeat(Heartbeat { at: at(3), wall: at(3 + jump) })]);
        let ended = records(registry.handle(left("v"), at(4)));
        assert!(matches!(ended[..], [Record::ViewEnded { at: end, .. }] if end == at(4)));
        let over = records(registry.handle(gone("p", true), at(5)));
        assert!(matches!(over[..], [Record::BroadcastEnded { at: end, .. }] if end == at(5)));
        // The next one has the right time.
        registry.handle(published("q"), at(6));
        let next = records(registry.handle(flows("q", "b2"), at(7)));
        assert!(
            matches!(next[..], [Record::Heartbeat(_), Record::BroadcastStarted { at: start, clock_offset, .. }]
                if start == at(7 + jump) && clock_offset == jump * 1000)
        );
    }
}

#[test]
fn a_restart_goes_on_by_the_clock_of_before() {
    let heartbeat = Heartbeat { at: at(100), wall: at(5000) };
    let left = |broadcasts| Left { heartbeat: Some(heartbeat), broadcasts };
    assert_eq!(Registry::clock_start(&left(vec![open(at(10))]), at(5003)), at(103));
    assert_eq!(Registry::clock_start(&left(vec![open(at(10))]), at(4)), at(100), "set back meanwhile");
    assert_eq!(Registry::clock_start(&left(Vec::new()), at(4)), at(4));
    assert_eq!(Registry::clock_start(&Left::default(), at(4)), at(4));
}

#[test]
fn an_announced_broadcast_is_the_next_that_begins_and_begins_once() {
    let id = |text: &str| text.parse::<BroadcastId>().unwrap();
    let with = |name: &str, reserved: &str| match published(name) {
        Input::Published { channel, name, title, category, session, user_agent, .. } => {
            let reserved = Some(id(reserved));
            Input::Published { channel, name, title, category, session, user_agent, reserved }
        }
        other => other,
    };
    let begun = |outputs: &[Output]| match told(outputs)[..] {
        [Occurrence::StreamStarted { stream_id }] => stream_id.to_string(),
        ref other => panic!("{other:?}"),
    };
    let mut registry = Registry::default();
    registry.handle(with("p1", "r1"), at(0));
    // Announced anew while the first publisher was about to send; the last one counts.
    registry.handle(Input::Reserved { channel: ada(), id: id("r2") }, at(1));
    registry.handle(with("p2", "r1"), at(1));
    assert_eq!(begun(&registry.handle(flows("p2", "f1"), at(2))), "r2");
    registry.handle(gone("p2", true), at(3));
    // The store may say so a little late.
    registry.handle(with("p3", "r2"), at(4));
    assert_eq!(begun(&registry.handle(flows("p3", "f2"), at(5))), "f2");
    registry.handle(gone("p3", true), at(6));
    // What was announced for a publisher that left without media is what the store says by the next one.
    registry.handle(with("p4", "r3"), at(7));
    registry.handle(gone("p4", true), at(8));
    registry.handle(published("p5"), at(9));
    assert_eq!(begun(&registry.handle(flows("p5", "f3"), at(10))), "f3");
}

#[test]
fn a_forgotten_channel_leaves_the_board_as_offline() {
    let mut registry = Registry::default();
    registry.handle(published("p"), at(0));
    registry.handle(flows("p", "b1"), at(1));
    registry.handle(gone("p", true), at(2));
    let outputs = registry.handle(tick(), at(2 + 700));
    assert_eq!(shown(&outputs).unwrap().state, BroadcastState::Offline);
    assert!(registry.channels.is_empty());
}
