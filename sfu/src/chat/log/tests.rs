use super::*;
use rand::{Rng, SeedableRng, rngs::StdRng};
use std::collections::BTreeMap;

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn message(n: u64) -> Item {
    Item {
        sequence: Cursor(n),
        kind: Kind::Message(format!("m{n}").parse().unwrap()),
        text: format!("{{\"m\":{n}}}").into(),
    }
}

fn deletion(n: u64, gone: &[u64]) -> Item {
    let gone: Vec<MessageId> = gone.iter().map(|n| format!("m{n}").parse().unwrap()).collect();
    let text = format!(
        "{{\"d\":{:?}}}",
        gone.iter().map(|id| id.as_str()[1..].parse().unwrap()).collect::<Vec<u64>>()
    );
    Item { sequence: Cursor(n), kind: Kind::Deleted(gone), text: text.into() }
}

/// What a page shows after a payload: messages come and go.
fn show(page: &mut BTreeMap<u64, ()>, text: &str) {
    let payload: serde_json::Value = serde_json::from_str(text).unwrap();
    for update in payload["updates"].as_array().unwrap() {
        if let Some(n) = update["m"].as_u64() {
            assert!(page.insert(n, ()).is_none(), "message {n} came twice");
        }
        for gone in update["d"].as_array().into_iter().flatten() {
            page.remove(&gone.as_u64().unwrap());
        }
    }
}

fn numbers(batch: &Batch) -> Vec<u64> {
    let payload: serde_json::Value = serde_json::from_str(&batch.text).unwrap();
    payload["updates"].as_array().unwrap().iter().filter_map(|update| update["m"].as_u64()).collect()
}

fn all_numbers(batches: &Batches) -> Vec<u64> {
    batches.iter().flat_map(|batch| numbers(batch)).collect()
}

#[test]
fn a_quiet_room_tells_at_once_and_a_busy_one_each_tenth_of_a_second() {
    let mut log = Log::new(Cursor(0), Vec::new());
    assert_eq!(log.push(message(1), ms(5)), ms(5));
    assert!(log.tell(ms(5)));
    assert!(!log.tell(ms(5)), "there is nothing more");
    assert_eq!(log.push(message(2), ms(6)), ms(105));
    assert_eq!(log.push(message(3), ms(50)), ms(105));
    assert_eq!(log.after(Cursor(1)), After::Nothing, "what is gathered is not told yet");
    assert!(log.tell(ms(105)));
    let After::Batch(batch) = log.after(Cursor(1)) else { panic!("there is a batch") };
    assert_eq!((batch.after, batch.cursor, numbers(&batch)), (Cursor(1), Cursor(3), vec![2, 3]));
    assert!(log.push(message(4), ms(300)) <= ms(300), "it was quiet meanwhile");
}

#[test]
fn what_is_forgotten_is_read_anew_and_who_has_seen_it_all_goes_on() {
    let mut log = Log::new(Cursor(0), Vec::new());
    for n in 1..=3 {
        log.push(message(n), ms(n * 200));
        log.tell(ms(n * 200));
    }
    log.forget();
    assert_eq!(log.first(), First::Unknown(Cursor(3)), "newcomers are given what the database has");
    assert_eq!(log.after(Cursor(2)), After::NotKept, "and so is who missed some of it");
    assert_eq!(log.missed(Cursor(2)), None);
    assert_eq!(log.after(Cursor(3)), After::Nothing);
    log.push(message(4), ms(2000));
    log.tell(ms(2000));
    let After::Batch(batch) = log.after(Cursor(3)) else { panic!("there is a batch") };
    assert_eq!((batch.after, numbers(&batch)), (Cursor(3), vec![4]));
}

#[test]
fn everybody_at_the_same_place_gets_the_same_text() {
    let mut log = Log::new(Cursor(0), Vec::new());
    for n in 1..=3 {
        log.push(message(n), ms(n * 200));
        log.tell(ms(n * 200));
    }
    for seen in 0..3 {
        let (After::Batch(one), After::Batch(other)) = (log.after(Cursor(seen)), log.after(Cursor(seen)))
        else {
            panic!("there is a batch")
        };
        assert!(Arc::ptr_eq(&one, &other));
        assert_eq!(one.cursor, Cursor(seen + 1), "one after the other");
    }
    let (First::Known(one, _), First::Known(other, seen)) = (log.first(), log.first()) else {
        panic!("there are messages")
    };
    assert!(Arc::ptr_eq(&one, &other));
    assert_eq!((seen, all_numbers(&one)), (Cursor(3), vec![1, 2, 3]));
}

#[test]
fn a_newcomer_gets_the_last_hundred_that_are_not_deleted() {
    let mut log = Log::new(Cursor(100), (1..=100).map(message).collect());
    for n in 101..=150 {
        log.push(message(n), ms(n * 200));
        log.tell(ms(n * 200));
    }
    log.push(deletion(151, &[150, 149]), ms(100_000));
    log.tell(ms(100_000));
    let First::Known(first, seen) = log.first() else { panic!("it is known") };
    assert_eq!((all_numbers(&first), seen), ((49..=148).collect::<Vec<_>>(), Cursor(151)));
    // When more are gone than were kept in reserve, the database is asked.
    let gone: Vec<u64> = (60..=148).collect();
    log.push(deletion(152, &gone), ms(200_000));
    log.tell(ms(200_000));
    assert_eq!(log.first(), First::Unknown(Cursor(152)));
    log.set_recent(Cursor(151), Vec::new());
    assert_eq!(log.first(), First::Unknown(Cursor(152)), "that was read too early");
    log.set_recent(Cursor(152), (1..=59).map(message).collect());
    let First::Known(first, _) = log.first() else { panic!("it is known") };
    assert_eq!(all_numbers(&first).len(), 59);
    assert_eq!(Log::new(Cursor(7), Vec::new()).first(), First::Known(Batches::default(), Cursor(7)));
}

#[test]
fn what_is_too_old_or_none_of_ours_is_not_kept() {
    let mut log = Log::new(Cursor(50), Vec::new());
    for n in 51..=60 {
        log.push(message(n), ms(n * 200));
        log.tell(ms(n * 200));
    }
    assert_eq!(log.after(Cursor(49)), After::NotKept);
    assert_eq!(log.after(Cursor(61)), After::NotKept);
    assert_eq!(log.after(Cursor(u64::MAX)), After::NotKept);
    assert_eq!(log.missed(Cursor(49)), None);
    assert_eq!(log.missed(Cursor(60)), Some(Batches::default()));
    assert_eq!(all_numbers(&log.missed(Cursor(50)).unwrap()), (51..=60).collect::<Vec<_>>());
    // Bounded in number and in bytes.
    for n in 61..=61 + 3 * KEPT as u64 {
        log.push(message(n), ms(n * 200));
        log.tell(ms(n * 200));
    }
    assert!(log.kept.len() <= KEPT && log.batches.len() <= KEPT + 1);
    let large: Arc<str> = "\"x\"".repeat(100_000).into();
    for n in 4000..4100 {
        log.push(Item { text: large.clone(), ..message(n) }, ms(n * 200));
        log.tell(ms(n * 200));
    }
    assert!(log.bytes <= BYTES_KEPT && log.kept.len() < 5 && log.batches.len() <= 5);
}

#[test]
fn who_comes_back_is_not_given_what_was_deleted_since() {
    let mut log = Log::new(Cursor(0), Vec::new());
    for n in 1..=5 {
        log.push(message(n), ms(n * 200));
        log.tell(ms(n * 200));
    }
    log.push(deletion(6, &[2, 4]), ms(5000));
    log.tell(ms(5000));
    let missed = log.missed(Cursor(2)).unwrap();
    assert_eq!(
        &*missed[0].text, r#"{"updates":[{"m":3},{"m":5},{"d":[2, 4]}]}"#,
        "and is told of what they have"
    );
}

#[test]
fn what_is_told_at_once_is_told_in_small_pieces() {
    let long: Arc<str> = format!("{{\"m\":1,\"t\":\"{}\"}}", "x".repeat(3000)).into();
    let items: Vec<Item> = (1..=10).map(|n| Item { text: long.clone(), ..message(n) }).collect();
    let pieces = batches(Cursor(0), Cursor(12), items.iter());
    assert_eq!(pieces.len(), 5);
    assert!(pieces.iter().all(|piece| piece.text.len() <= BATCH_BYTES));
    assert!(pieces.windows(2).all(|pair| pair[0].cursor == pair[1].after));
    assert_eq!((pieces[0].after, pieces[4].cursor), (Cursor(0), Cursor(12)));
    let huge: Arc<str> = format!("\"{}\"", "x".repeat(3 * BATCH_BYTES)).into();
    let items = [message(1), Item { text: huge, ..message(2) }, message(3)];
    assert_eq!(batches(Cursor(0), Cursor(3), items.iter()).len(), 3);
    assert_eq!(&*batches(Cursor(4), Cursor(5), [].iter())[0].text, r#"{"updates":[]}"#);
}

#[test]
fn after_an_uncertain_write_whoever_may_have_missed_something_comes_back_by_their_cursor() {
    for next in [12, 13, 20] {
        let mut log = Log::new(Cursor(10), Vec::new());
        log.push(message(11), ms(0));
        log.tell(ms(0));
        log.push(message(12), ms(1));
        let written = log.written();
        assert_eq!(written, Cursor(12));
        log.start_anew(Cursor(next + 1));
        log.push(message(next + 1), ms(500));
        log.tell(ms(500));
        let seen_all = log.after(Cursor(next));
        assert!(matches!(seen_all, After::Batch(batch) if numbers(&batch) == [next + 1]));
        assert_eq!(log.after(Cursor(11)), After::NotKept, "what lies between is only in the database");
        assert_eq!(log.missed(Cursor(11)), None);
        assert_eq!(log.first(), First::Unknown(Cursor(next + 1)));
        assert_eq!(log.after(Cursor(next + 1)), After::Nothing);
    }
}

/// Whoever follows, however slowly, and however often they are cut off: they see what the room shows, each message once.
#[test]
fn any_follower_ends_up_with_what_the_room_shows() {
    for seed in 0..300 {
        let mut random = StdRng::seed_from_u64(seed);
        let mut log = Log::new(Cursor(0), Vec::new());
        let mut room: BTreeMap<u64, ()> = BTreeMap::new();
        let mut page: BTreeMap<u64, ()> = BTreeMap::new();
        let mut seen = Cursor(0);
        let mut due: Option<Duration> = None;
        let mut now = ms(0);
        let mut sequence = 0;
        for _ in 0..random.random_range(10..400) {
            now += ms(random.random_range(0..60));
            if due.is_some_and(|due| due <= now) {
                log.tell(now);
                due = None;
            }
            match random.random_range(0..10) {
                0..=5 => {
                    sequence += random.random_range(1..3);
                    room.insert(sequence, ());
                    let at = log.push(message(sequence), now);
                    due = due.or(Some(at));
                }
                6 => {
                    let gone: Vec<u64> = room.keys().copied().filter(|_| random.random_bool(0.1)).collect();
                    sequence += 1;
                    room.retain(|n, ()| !gone.contains(n));
                    let at = log.push(deletion(sequence, &gone), now);
                    due = due.or(Some(at));
                }
                7 => {
                    // Cut off, and back by the cursor.
                    for missed in log.missed(seen).expect("so few are all kept").iter() {
                        assert_eq!(missed.after, seen);
                        show(&mut page, &missed.text);
                        seen = missed.cursor;
                    }
                }
                _ => {
                    if let After::Batch(batch) = log.after(seen) {
                        assert!(batch.cursor > seen);
                        show(&mut page, &batch.text);
                        seen = batch.cursor;
                    }
                }
            }
        }
        log.tell(now);
        while let After::Batch(batch) = log.after(seen) {
            show(&mut page, &batch.text);
            seen = batch.cursor;
        }
        assert_eq!(page, room, "seed {seed}");
    }
}

#[test]
fn a_pinned_message_s_words_are_told_nobody_once_it_is_gone() {
    let pin = |n: u64, message: u64| Item {
        sequence: Cursor(n),
        kind: Kind::Pinned(format!("m{message}").parse().unwrap()),
        text: format!("{{\"pin\":{message}}}").into(),
    };
    let cleared = |n: u64| Item { sequence: Cursor(n), kind: Kind::Cleared, text: "{}".into() };
    for gone in [deletion(4, &[2]), cleared(4)] {
        let mut log = Log::new(Cursor(0), Vec::new());
        for item in [message(1), message(2), pin(3, 2)] {
            log.push(item, ms(0));
        }
        log.tell(ms(0));
        let told = |log: &Log| {
            let missed = log.missed(Cursor(0)).unwrap();
            missed.iter().map(|batch| batch.text.to_string()).collect::<String>()
        };
        assert!(told(&log).contains("\"pin\":2"), "as long as it is there it is shown");
        log.push(gone.clone(), ms(200));
        log.tell(ms(200));
        assert!(!told(&log).contains("pin"), "{gone:?}: {}", told(&log));
        log.push(message(5), ms(400));
        log.push(pin(6, 5), ms(400));
        log.tell(ms(400));
        assert!(told(&log).contains("\"pin\":5"), "another one is another one");
    }
}
