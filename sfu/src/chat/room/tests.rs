use super::*;
use shared::{account::Role, text::DisplayName};

fn person(name: &str) -> PersonId {
    name.parse().unwrap()
}

fn guest(name: &str) -> Writer {
    Writer {
        person: person(name),
        is: Standings::GUEST,
        follows_since: None,
        network: None,
        said: said(name),
    }
}

/// Something that nobody else says.
fn said(name: &str) -> Said {
    Said { is_emotes: false, print: name.len() as u64 }
}

fn member(name: &str) -> Writer {
    Writer { is: viewer(), ..guest(name) }
}

fn viewer() -> Standings {
    Standings::of_account(Role::Member)
}

fn from(name: &str, address: &str) -> Writer {
    Writer { network: Some(address.parse().unwrap()), ..guest(name) }
}

fn at(millis: u64) -> Now {
    Now { wall: Timestamp::from_millis(1_000_000 + millis as i64), passed: Duration::from_millis(millis) }
}

fn room() -> Room {
    Room::new(ChatSettings::default(), Vec::new(), Vec::new())
}

fn silence(name: &str, until: u64) -> Silence {
    Silence {
        person: person(name),
        name: "Somebody".parse::<DisplayName>().unwrap(),
        at: Some(at(0).wall),
        until: at(until).wall,
        by: person("owner"),
        reason: String::new(),
    }
}

/// Times somebody out as moderators do: where they wrote from, too.
fn time_out(room: &mut Room, silence: Silence, now: Timestamp) {
    let network = room.network_of(&silence.person).map(|network| room.bans().hash(network));
    room.silence(silence, network, now);
}

fn key(text: &str) -> RequestId {
    text.parse().unwrap()
}

fn sent(id: &str) -> Sent {
    Sent { id: id.parse().unwrap(), sequence: shared::event::Cursor(1), held: false }
}

#[test]
fn a_burst_passes_and_then_one_each_two_seconds() {
    let mut room = room();
    for _ in 0..5 {
        assert_eq!(room.admit(&guest("g"), None, at(0)), Ok(Admitted::New));
    }
    let refused = |wait| Err(Refused::TooFast { wait: Duration::from_millis(wait) });
    assert_eq!(room.admit(&guest("g"), None, at(0)), refused(2000));
    assert_eq!(room.admit(&guest("g"), None, at(1500)), refused(500));
    assert_eq!(room.admit(&guest("h"), None, at(1500)), Ok(Admitted::New), "people don't share");
    assert_eq!(room.admit(&guest("g"), None, at(2000)), Ok(Admitted::New));
    assert_eq!(room.admit(&guest("g"), None, at(2000)), refused(2000));
}

/// However somebody times it, no more passes than the burst and one each two seconds.
#[test]
fn no_rhythm_gets_more_through() {
    for step in 1..=200u64 {
        let mut room = room();
        let tries = 60_000 / (step * 10);
        let passed =
            (0..tries).filter(|n| room.admit(&member("m"), None, at(n * step * 10)).is_ok()).count() as u64;
        let most = 5 + 60_000 / 2000;
        assert!(passed <= most, "every {} ms: {passed}", step * 10);
        assert!(passed >= tries.min(30), "every {} ms: {passed} of {tries}", step * 10);
    }
}

#[test]
fn the_wait_that_is_told_is_long_enough_and_no_longer() {
    for slow_seconds in [0, 1, 7, 60, 600] {
        for start in 0..40u64 {
            let mut room = Room::new(
                ChatSettings { guests: true, slow_seconds, ..ChatSettings::default() },
                Vec::new(),
                Vec::new(),
            );
            let mut now = start * 37;
            for _ in 0..8 {
                match room.admit(&guest("g"), None, at(now)) {
                    Ok(_) => {}
                    Err(Refused::TooFast { wait } | Refused::Slow { wait }) => {
                        let wait = wait.as_millis() as u64;
                        assert!(wait > 0);
                        assert!(
                            room.admit(&guest("g"), None, at(now + wait - 1)).is_err(),
                            "{slow_seconds} {now}"
                        );
                        now += wait;
                        let then = room.admit(&guest("g"), None, at(now));
                        // Slow mode may be over while the burst isn't, and the other way round.
                        if let Err(again) = then {
                            assert!(matches!(again, Refused::TooFast { .. }), "{again:?}");
                        }
                    }
                    Err(other) => panic!("{other:?}"),
                }
            }
        }
    }
}

#[test]
fn a_room_takes_only_so_many_of_all() {
    let mut room = room();
    let mut passed = 0;
    for n in 0..1000 {
        match room.admit(&guest(&format!("g{n}")), None, at(0)) {
            Ok(_) => passed += 1,
            Err(Refused::RoomBusy { wait }) => assert_eq!(wait, Duration::from_millis(10)),
            Err(other) => panic!("{other:?}"),
        }
    }
    assert_eq!(passed, 200);
    assert_eq!(room.admit(&guest("late"), None, at(10)), Ok(Admitted::New));
    // Who was turned away because of others has their own burst still.
    for _ in 0..5 {
        assert_eq!(room.admit(&guest("g999"), None, at(5000)), Ok(Admitted::New));
    }
}

#[test]
fn owner_and_moderators_are_exempt_from_every_limit() {
    let settings = ChatSettings { guests: false, slow_seconds: 600, ..ChatSettings::default() };
    let mut room = Room::new(settings, vec![person("mod")], vec![silence("mod", 10_000)]);
    let owner = Writer { is: viewer().and(Standing::Owner), ..member("owner") };
    for _ in 0..1000 {
        assert_eq!(room.admit(&owner, None, at(0)), Ok(Admitted::New));
        assert_eq!(room.admit(&member("mod"), None, at(0)), Ok(Admitted::New));
    }
    room.set_moderator(person("mod"), false);
    assert!(matches!(room.admit(&member("mod"), None, at(0)), Err(Refused::Silenced { .. })));
}

#[test]
fn slow_mode_counts_each_persons_last() {
    let mut room = Room::new(
        ChatSettings { guests: true, slow_seconds: 30, ..ChatSettings::default() },
        Vec::new(),
        Vec::new(),
    );
    assert_eq!(room.admit(&guest("g"), None, at(0)), Ok(Admitted::New));
    let wait = Duration::from_secs(20);
    assert_eq!(room.admit(&guest("g"), None, at(10_000)), Err(Refused::Slow { wait }));
    assert_eq!(room.admit(&guest("h"), None, at(10_000)), Ok(Admitted::New));
    assert_eq!(room.admit(&guest("g"), None, at(30_000)), Ok(Admitted::New));
    room.set_settings(ChatSettings { guests: true, slow_seconds: 0, ..ChatSettings::default() });
    assert_eq!(
        room.admit(&guest("g"), None, at(30_000)),
        Ok(Admitted::New),
        "and ends when it is switched off"
    );
}

#[test]
fn guests_can_be_kept_out() {
    let mut room = room();
    assert_eq!(room.admit(&guest("g"), None, at(0)), Ok(Admitted::New));
    room.set_settings(ChatSettings { guests: false, slow_seconds: 0, ..ChatSettings::default() });
    assert_eq!(room.admit(&guest("g"), None, at(0)), Err(Refused::GuestsOff));
    assert_eq!(room.admit(&member("m"), None, at(0)), Ok(Admitted::New));
}

#[test]
fn a_time_out_ends_at_its_time_or_when_it_is_lifted() {
    let mut room = Room::new(ChatSettings::default(), Vec::new(), vec![silence("kept", 5_000)]);
    let until = at(5_000).wall;
    assert_eq!(
        room.admit(&member("kept"), None, at(0)),
        Err(Refused::Silenced { until }),
        "it outlives a restart"
    );
    time_out(&mut room, silence("m", 1_000), at(0).wall);
    for millis in [0, 500, 999] {
        assert!(matches!(room.admit(&member("m"), None, at(millis)), Err(Refused::Silenced { .. })));
    }
    assert_eq!(room.admit(&member("m"), None, at(1_000)), Ok(Admitted::New));
    time_out(&mut room, silence("m", 100_000), at(1_000).wall);
    assert!(room.admit(&member("m"), None, at(2_000)).is_err());
    let running: Vec<_> = room.silences(at(2_000).wall).into_iter().map(|silence| silence.person).collect();
    assert_eq!(running, [person("kept"), person("m")]);
    assert!(room.unsilence(&person("m"), at(2_000).wall));
    assert!(!room.unsilence(&person("m"), at(2_000).wall), "it is lifted already");
    assert!(!room.unsilence(&person("nobody"), at(2_000).wall));
    assert_eq!(room.admit(&member("m"), None, at(2_000)), Ok(Admitted::New));
}

#[test]
fn a_guests_time_out_holds_for_new_guests_of_the_same_address() {
    let mut room = room();
    assert_eq!(room.admit(&from("g1", "192.0.2.7"), None, at(0)), Ok(Admitted::New));
    time_out(&mut room, silence("g1", 60_000), at(0).wall);
    let until = at(60_000).wall;
    assert_eq!(room.admit(&from("g2", "192.0.2.7"), None, at(1)), Err(Refused::Silenced { until }));
    assert_eq!(room.admit(&from("g3", "192.0.2.8"), None, at(1)), Ok(Admitted::New));
    let neighbour = Writer { is: viewer(), ..from("m", "192.0.2.7") };
    assert_eq!(
        room.admit(&neighbour, None, at(1)),
        Ok(Admitted::New),
        "people with an account answer for themselves"
    );
    assert_eq!(room.silenced_until(&from("g2", "192.0.2.7"), at(1).wall), Some(until));
    assert_eq!(room.admit(&from("g2", "192.0.2.7"), None, at(60_000)), Ok(Admitted::New));
    time_out(&mut room, silence("g2", 120_000), at(60_000).wall);
    // A shorter one of somebody else there takes nothing from it, nor does the end of that.
    assert_eq!(room.admit(&neighbour, None, at(60_000)), Ok(Admitted::New));
    time_out(&mut room, silence("m", 70_000), at(60_000).wall);
    let until = at(120_000).wall;
    assert_eq!(room.silenced_until(&from("g5", "192.0.2.7"), at(60_001).wall), Some(until));
    assert!(room.unsilence(&person("m"), at(60_001).wall));
    assert_eq!(room.silenced_until(&from("g5", "192.0.2.7"), at(60_001).wall), Some(until));
    assert!(room.unsilence(&person("g2"), at(61_000).wall));
    assert_eq!(
        room.admit(&from("g4", "192.0.2.7"), None, at(61_000)),
        Ok(Admitted::New),
        "lifted for all of them"
    );
    assert!(room.networks.is_empty());
}

#[test]
fn whoever_is_timed_out_as_an_account_is_no_guest_from_the_same_address() {
    let mut room = room();
    let troll = Writer { is: viewer(), ..from("troll", "192.0.2.7") };
    assert_eq!(room.admit(&troll, None, at(0)), Ok(Admitted::New));
    time_out(&mut room, silence("troll", 60_000), at(0).wall);
    assert!(matches!(room.admit(&from("g", "192.0.2.7"), None, at(0)), Err(Refused::Silenced { .. })));
}

#[test]
fn many_names_from_one_address_gain_little() {
    let mut room = room();
    let tries = |room: &mut Room, address: &str, now: u64| {
        (0..100).filter(|n| room.admit(&from(&format!("g{n}-{now}"), address), None, at(now)).is_ok()).count()
    };
    assert_eq!(tries(&mut room, "192.0.2.1", 0), 20);
    assert_eq!(tries(&mut room, "192.0.2.2", 0), 20, "other addresses are other people");
    assert_eq!(tries(&mut room, "192.0.2.1", 1_000), 2);
    let member = Writer { is: viewer(), ..from("m", "192.0.2.1") };
    assert_eq!(room.admit(&member, None, at(1_000)), Ok(Admitted::New));
    room.set_settings(ChatSettings { guests: true, slow_seconds: 60, ..ChatSettings::default() });
    assert_eq!(tries(&mut room, "192.0.2.3", 1_000), 4, "nor do they get around slow mode");
    assert_eq!(tries(&mut room, "192.0.2.3", 15_999), 0);
    assert_eq!(tries(&mut room, "192.0.2.3", 16_000), 1);
    assert_eq!(
        room.admit(&Writer { is: viewer(), ..from("n", "192.0.2.3") }, None, at(16_000)),
        Ok(Admitted::New)
    );
}

#[test]
fn the_wall_clock_may_jump() {
    let mut room = room();
    time_out(&mut room, silence("m", 10_000), at(0).wall);
    let jumped = |wall: i64, passed: u64| Now {
        wall: Timestamp::from_millis(wall),
        passed: Duration::from_millis(passed),
    };
    for _ in 0..5 {
        assert_eq!(room.admit(&guest("g"), None, jumped(5_000_000_000, 0)), Ok(Admitted::New));
    }
    // A clock that was set back a year gives no new burst, and one that leapt ahead takes none away.
    assert!(matches!(room.admit(&guest("g"), None, jumped(0, 1)), Err(Refused::TooFast { .. })));
    assert_eq!(room.admit(&guest("g"), None, jumped(0, 2000)), Ok(Admitted::New));
    assert!(room.silences(Timestamp::from_millis(0)).len() == 1);
}

#[test]
fn sent_again_with_its_key_it_is_taken_once_and_costs_nothing() {
    let mut room = room();
    let writer = member("m");
    assert_eq!(room.admit(&writer, Some(&key("k1")), at(0)), Ok(Admitted::New));
    for _ in 0..100 {
        assert_eq!(
            room.admit(&writer, Some(&key("k1")), at(0)),
            Ok(Admitted::Again(None)),
            "it is on its way"
        );
    }
    room.sent(&person("m"), "Mia", Some(&key("k1")), &sent("id1"));
    for _ in 0..100 {
        assert_eq!(room.admit(&writer, Some(&key("k1")), at(0)), Ok(Admitted::Again(Some(sent("id1")))));
    }
    assert_eq!(
        room.admit(&member("other"), Some(&key("k1")), at(0)),
        Ok(Admitted::New),
        "a key is its sender's own"
    );
    for n in 2..=5 {
        assert_eq!(room.admit(&writer, Some(&key(&format!("k{n}"))), at(0)), Ok(Admitted::New));
    }
    assert!(matches!(room.admit(&writer, Some(&key("k6")), at(0)), Err(Refused::TooFast { .. })));
    // The time-out holds for what is sent again, too.
    time_out(&mut room, silence("m", 1000), at(0).wall);
    assert!(matches!(room.admit(&writer, Some(&key("k1")), at(0)), Err(Refused::Silenced { .. })));
}

#[test]
fn what_was_not_written_counts_for_nothing() {
    let mut room = Room::new(
        ChatSettings { guests: true, slow_seconds: 60, ..ChatSettings::default() },
        Vec::new(),
        Vec::new(),
    );
    for _ in 0..50 {
        assert_eq!(room.admit(&guest("g"), Some(&key("k")), at(0)), Ok(Admitted::New));
        room.unsent(&person("g"), Some(&key("k")), Some(Said::default()));
    }
    assert_eq!(room.admit(&guest("g"), Some(&key("k")), at(0)), Ok(Admitted::New));
    for _ in 0..1000 {
        let mut other = from("h", "192.0.2.1");
        other.is = Standings::GUEST;
        assert_eq!(
            room.admit(&other, None, at(0)),
            Ok(Admitted::New),
            "not for the room nor for the address either"
        );
        room.unsent(&person("h"), None, Some(Said::default()));
    }
}

#[test]
fn a_ban_holds_for_the_person_and_for_guests_of_their_network() {
    let mut room = room();
    assert_eq!(room.admit(&from("guest-a", "192.0.2.1"), None, at(0)), Ok(Admitted::New));
    let network = room.network_of(&person("guest-a")).unwrap();
    let hash = room.bans().hash(network);
    room.bans().ban(person("guest-a"), Some(hash));
    for banned in [from("guest-a", "192.0.2.9"), guest("guest-a"), from("guest-b", "192.0.2.1")] {
        assert_eq!(room.admit(&banned, None, at(10_000)), Err(Refused::Banned), "{banned:?}");
    }
    let neighbour = Writer { is: viewer(), ..from("account", "192.0.2.1") };
    assert_eq!(room.admit(&neighbour, None, at(10_000)), Ok(Admitted::New), "an account is its own");
    room.set_moderator(person("guest-b"), true);
    assert_eq!(room.admit(&from("guest-b", "192.0.2.1"), None, at(10_000)), Ok(Admitted::New));
    room.bans().lift(&person("guest-a"));
    assert_eq!(room.admit(&from("guest-a", "192.0.2.1"), None, at(10_000)), Ok(Admitted::New));
}

#[test]
fn modes_hold_for_all_but_moderators_and_cost_no_turn() {
    let mut room = room();
    room.set_settings(ChatSettings {
        subscribers: true,
        unique: true,
        slow_seconds: 60,
        ..ChatSettings::default()
    });
    let vip = Writer { is: viewer().and(Standing::Vip), ..member("vip") };
    for _ in 0..10 {
        assert_eq!(room.admit(&member("m"), None, at(0)), Err(Refused::Barred(Barred::Subscribers)));
    }
    assert_eq!(room.admit(&vip, None, at(0)), Ok(Admitted::New));
    assert_eq!(room.admit(&vip, None, at(1)), Err(Refused::Barred(Barred::Repeated)));
    let other = Writer { said: Said { is_emotes: true, print: 99 }, ..vip.clone() };
    assert_eq!(room.admit(&other, None, at(1)), Ok(Admitted::New), "slow mode is not for VIPs");
    let owner = Writer { is: viewer().and(Standing::Owner), ..vip.clone() };
    assert_eq!(room.admit(&owner, None, at(2)), Ok(Admitted::New));
    // What could not be written was not said.
    room.unsent(&person("vip"), None, Some(other.said));
    assert_eq!(room.admit(&other, None, at(3)), Ok(Admitted::New));
}

#[test]
fn who_says_the_same_within_a_minute_is_counted() {
    let mut room = room();
    let (one, other) = (said("a"), said("bb"));
    let at = Duration::from_secs;
    let times: Vec<u32> = [(one, 0), (one, 10), (one, 20), (other, 21), (one, 22), (one, 90)]
        .into_iter()
        .map(|(said, seconds)| {
            let times = room.time_said(&person("p"), said, at(seconds));
            room.said(&person("p"), said, at(seconds));
            times
        })
        .collect();
    assert_eq!(times, [1, 2, 3, 1, 1, 1]);
    for _ in 0..10 {
        assert_eq!(room.time_said(&person("p"), one, at(91)), 2, "what is only tried is not said");
    }
    room.unsent(&person("p"), None, Some(one));
    assert_eq!(room.time_said(&person("p"), one, at(91)), 1, "nor is what could not be written");
    for n in 0..SEEN_FROM_MOST + 5 {
        room.said(&person(&format!("q{n}")), one, at(100));
    }
    assert!(room.again.len() <= SEEN_FROM_MOST);
}

#[test]
fn what_is_held_was_not_said_until_it_is_let_through() {
    let mut room = room();
    room.set_settings(ChatSettings { unique: true, ..ChatSettings::default() });
    let spoken = Writer { said: said("a"), ..member("m") };
    let other = Writer { said: said("a"), ..member("n") };
    assert_eq!(room.admit(&spoken, None, at(0)), Ok(Admitted::New));
    room.unheard(spoken.said);
    // Could it not be written, nothing that somebody else said is forgotten for it.
    assert_eq!(room.admit(&other, None, at(1)), Ok(Admitted::New));
    room.unsent(&person("m"), None, None);
    assert_eq!(room.admit(&other, None, at(2)), Err(Refused::Barred(Barred::Repeated)));
    let held = Writer { said: said("bb"), ..member("m") };
    assert_eq!(room.admit(&held, None, at(3)), Ok(Admitted::New));
    room.unheard(held.said);
    room.heard(held.said);
    assert_eq!(room.admit(&held, None, at(4)), Err(Refused::Barred(Barred::Repeated)), "now it was said");
}

#[test]
fn a_time_out_holds_for_its_network_after_a_restart() {
    let mut room = room();
    for account in ["guest-a", "troll"] {
        let writer = Writer {
            is: if account == "troll" { viewer() } else { Standings::GUEST },
            ..from(account, "192.0.2.7")
        };
        assert_eq!(room.admit(&writer, None, at(0)), Ok(Admitted::New));
        let network = room.network_of(&person(account)).map(|network| room.bans().hash(network)).unwrap();
        let kept = vec![silence(account, 60_000)];
        let mut again = Room::new(ChatSettings::default(), Vec::new(), kept)
            .silencing(vec![(person(account), network.clone()), (person("nobody"), network.clone())]);
        let until = at(60_000).wall;
        assert_eq!(again.admit(&from("guest-b", "192.0.2.7"), None, at(1)), Err(Refused::Silenced { until }));
        assert_eq!(again.admit(&from("guest-c", "192.0.2.8"), None, at(1)), Ok(Admitted::New));
        // Nobody wrote since the start: timed out again, they are of the network that was known.
        again.silence(silence(account, 90_000), None, at(2).wall);
        let until = at(90_000).wall;
        assert_eq!(again.silenced_until(&from("guest-b", "192.0.2.7"), at(60_001).wall), Some(until));
        // Once it is over, that network is nobody's any more.
        again.silence(silence(account, 200_000), None, at(100_000).wall);
        assert_eq!(again.silenced_until(&from("guest-b", "192.0.2.7"), at(100_001).wall), None);
    }
}

#[test]
fn networks_of_time_outs_are_bounded_and_people_are_still_timed_out() {
    let mut room = room();
    for n in 0..=SILENCED_NETWORKS_MOST as u32 {
        let network = room.bans().hash(std::net::Ipv4Addr::from(n).into());
        room.silence(silence(&format!("guest-{n}"), 60_000), Some(network), at(0).wall);
    }
    assert_eq!(room.networks.len(), SILENCED_NETWORKS_MOST);
    let last = guest(&format!("guest-{SILENCED_NETWORKS_MOST}"));
    assert!(matches!(room.admit(&last, None, at(1)), Err(Refused::Silenced { .. })));
}

#[test]
fn what_is_remembered_is_bounded() {
    let mut room = Room::new(
        ChatSettings { guests: true, slow_seconds: 600, ..ChatSettings::default() },
        Vec::new(),
        Vec::new(),
    );
    for n in 0..30_000u64 {
        let name = format!("g{n}");
        let network = format!("10.{}.{}.1", n / 250 % 250, n % 250);
        let _ = room.admit(&from(&name, &network), Some(&key(&name)), at(n * 10));
        room.sent(&person(&name), &name, Some(&key(&name)), &sent(&name));
    }
    assert!(room.keys.len() <= KEYS_MOST && room.keys_by_age.len() <= KEYS_MOST);
    assert!(
        room.last.len() <= LAST_MOST
            && room.seen_from.len() <= SEEN_FROM_MOST
            && room.slow_guests.len() <= SLOW_NETWORKS_MOST
    );
}
