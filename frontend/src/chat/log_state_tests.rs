//! The log by its rules: in order, each once, bounded, still while somebody reads.

use super::log_state::*;
use shared::{
    chat::{Badge, ChatAuthor, ChatMessage, ChatSettings, ChatUpdate, Fragment, ReplyTo},
    event::Cursor,
    id::MessageId,
    unit::Timestamp,
};

const START: i64 = 1_000_000;

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(START + millis)
}

fn id(sequence: u64) -> MessageId {
    format!("m{sequence}").parse().unwrap()
}

fn message(sequence: u64, person: &str) -> ChatMessage {
    ChatMessage {
        id: id(sequence),
        sequence: Cursor(sequence),
        at: at(sequence as i64),
        author: ChatAuthor {
            id: person.parse().unwrap(),
            name: person.parse().unwrap(),
            account: None,
            badges: vec![Badge::Guest],
            colour: None,
        },
        fragments: vec![Fragment::Text { text: format!("text {sequence}") }],
        reply_to: None,
        action: false,
    }
}

fn wrote(sequence: u64) -> ChatUpdate {
    ChatUpdate::Message(Box::new(message(sequence, "ben")))
}

fn deleted(sequences: &[u64]) -> ChatUpdate {
    ChatUpdate::Deleted { messages: sequences.iter().map(|&sequence| id(sequence)).collect() }
}

fn log_of(sequences: impl IntoIterator<Item = u64>) -> LogState {
    let mut log = LogState::default();
    log.started(true, at(-1), 0);
    for sequence in sequences {
        log.apply(wrote(sequence), at(sequence as i64), 0);
    }
    log
}

fn shown(log: &LogState) -> Vec<u64> {
    log.shown().iter().filter_map(|line| line.message().map(|message| message.sequence.0)).collect()
}

fn gaps(log: &LogState) -> usize {
    log.shown().iter().filter(|line| line.what == What::Gap).count()
}

#[test]
fn messages_stand_in_the_rooms_order_each_once_however_they_come() {
    assert_eq!(shown(&log_of([1, 2, 2, 1, 4, 3, 4])), [1, 2, 3, 4]);
}

#[test]
fn keys_are_unique_and_stay() {
    let mut log = log_of([5, 3, 4]);
    let keys = |log: &LogState| log.shown().iter().map(|line| (line.sequence, line.key)).collect::<Vec<_>>();
    let before = keys(&log);
    log.apply(wrote(6), at(6), 0);
    assert_eq!(keys(&log)[..3], before[..]);
    let mut all: Vec<_> = keys(&log).into_iter().map(|(_, key)| key).collect();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), 4);
}

#[test]
fn the_oldest_go_and_do_not_come_back() {
    let mut log = log_of(1..=500);
    assert_eq!(shown(&log), (301..=500).collect::<Vec<_>>());
    log.apply(wrote(7), at(0), 0);
    log.apply(wrote(300), at(0), 0);
    assert_eq!(shown(&log).len(), LINES_MOST);
    assert_eq!(shown(&log)[0], 301);
}

#[test]
fn what_is_deleted_vanishes_and_stays_away() {
    let mut log = log_of(1..=5);
    log.apply(deleted(&[2, 4, 99]), at(6), 0);
    assert_eq!(shown(&log), [1, 3, 5]);
    log.apply(wrote(2), at(6), 0);
    assert_eq!(shown(&log), [1, 3, 5], "told again after a lost connection");
}

#[test]
fn an_answer_stops_quoting_what_was_deleted() {
    let mut log = log_of(1..=1);
    let mut answer = message(2, "eve");
    answer.reply_to =
        Some(ReplyTo { id: id(1), name: "ben".parse().unwrap(), excerpt: "something bad".to_owned() });
    log.apply(ChatUpdate::Message(Box::new(answer)), at(2), 0);
    log.apply(deleted(&[1]), at(3), 0);
    let lines = log.shown();
    assert_eq!(lines[0].message().unwrap().reply_to.as_ref().unwrap().excerpt, "");
}

#[test]
fn reading_further_up_holds_what_is_new_and_counts_it() {
    let mut log = log_of(1..=3);
    log.pause(true);
    for sequence in 4..=8 {
        log.apply(wrote(sequence), at(0), 0);
    }
    assert_eq!((shown(&log), log.unseen()), (vec![1, 2, 3], 5));
    log.apply(deleted(&[2, 5]), at(0), 0);
    assert_eq!((shown(&log), log.unseen()), (vec![1, 3], 4), "deletions wait for nobody");
    log.pause(false);
    assert_eq!((shown(&log), log.unseen()), (vec![1, 3, 4, 6, 7, 8], 0));
}

#[test]
fn what_waits_for_a_reader_is_bounded_and_counted_whole() {
    let mut log = log_of(1..=200);
    log.pause(true);
    for sequence in 201..=2000 {
        log.apply(wrote(sequence), at(0), 0);
    }
    assert_eq!(shown(&log), (1..=200).collect::<Vec<_>>(), "what is read stays");
    assert_eq!(log.unseen(), 1800);
    log.pause(false);
    assert_eq!(shown(&log), (1801..=2000).collect::<Vec<_>>());
    log.apply(wrote(50), at(0), 0);
    assert_eq!(shown(&log)[0], 1801);
}

#[test]
fn the_same_message_is_not_taken_twice_across_a_pause() {
    let mut log = log_of(1..=3);
    log.pause(true);
    for sequence in [3, 4, 4, 2, 5] {
        log.apply(wrote(sequence), at(0), 0);
    }
    assert_eq!(log.unseen(), 2);
    log.pause(false);
    assert_eq!(shown(&log), [1, 2, 3, 4, 5]);
}

#[test]
fn a_late_message_finds_its_place_after_a_pause() {
    let mut log = log_of([1, 2, 6]);
    log.pause(true);
    log.apply(wrote(4), at(0), 0);
    log.pause(false);
    assert_eq!(shown(&log), [1, 2, 4, 6]);
}

#[test]
fn a_return_that_is_not_complete_leaves_a_mark_where_it_lacks() {
    let mut log = log_of(1..=3);
    log.started(false, at(100), 0);
    log.started(false, at(200), 0);
    log.apply(wrote(90), at(90), 0);
    let whats: Vec<_> = log.shown().into_iter().map(|line| line.what == What::Gap).collect();
    assert_eq!(whats, [true, false], "what was deleted meanwhile must not stay");
}

#[test]
fn after_a_database_was_restored_new_messages_are_shown() {
    let mut log = log_of(1..=LINES_MOST as u64 + 50);
    log.apply(deleted(&[3]), at(0), 0);
    log.started(false, at(300), 0);
    for sequence in 2..=4 {
        log.apply(wrote(sequence), at(300), 0);
    }
    assert_eq!((gaps(&log), shown(&log), log.newest()), (1, vec![2, 3, 4], 4));
}

#[test]
fn a_room_is_loaded_with_its_first_message_or_when_none_comes() {
    let mut log = LogState::default();
    assert!(!log.is_loaded(9000));
    log.started(true, at(0), 1000);
    assert!(!log.is_loaded(1499));
    assert!(log.is_loaded(1500));
    log.apply(wrote(1), at(1), 1500);
    assert!(log_of([1]).is_loaded(0));
}

#[test]
fn a_return_that_is_complete_leaves_none_and_neither_does_the_beginning() {
    let mut log = LogState::default();
    log.started(false, at(0), 0);
    assert_eq!(gaps(&log), 0);
    log.apply(wrote(1), at(0), 0);
    log.started(true, at(10), 0);
    assert_eq!(gaps(&log), 0);
}

#[test]
fn a_gap_that_comes_while_somebody_reads_takes_them_to_what_there_is() {
    let mut log = log_of(1..=2);
    log.pause(true);
    log.started(false, at(10), 0);
    log.apply(wrote(9), at(0), 0);
    assert_eq!((gaps(&log), log.unseen(), log.is_paused()), (1, 0, false));
    assert_eq!(shown(&log), [9]);
}

#[test]
fn history_is_not_announced_and_what_follows_is() {
    let mut log = LogState::default();
    log.started(true, at(100), 1000);
    assert!(!log.announces(1000));
    log.apply(wrote(7), at(101), 1400);
    assert!(!log.announces(1899), "it is older than the request");
    assert!(log.announces(1900));
    log.apply(wrote(101), at(101), 2000);
    assert!(log.announces(2000), "it is news");
    log.pause(true);
    assert!(!log.announces(3000), "whoever reads further up reads");
}

#[test]
fn a_return_is_not_announced_line_by_line() {
    let mut log = log_of(1..=2);
    log.started(true, at(50), 9000);
    log.apply(wrote(40), at(50), 9010);
    assert!(!log.announces(9011));
}

#[test]
fn a_rush_is_not_read_out_and_what_follows_it_is() {
    let mut log = log_of([]);
    for sequence in 1..=8 {
        assert!(log.announces(10_000));
        log.apply(wrote(sequence), at(sequence as i64), 10_000);
    }
    assert!(!log.announces(11_999));
    assert!(log.announces(12_000));
}

#[test]
fn a_time_out_is_said_with_its_length_and_an_old_one_is_not() {
    let mut log = log_of(1..=1);
    let silenced = |until| ChatUpdate::Silenced {
        person: "ben".parse().unwrap(),
        name: "Ben".parse().unwrap(),
        until: at(until),
    };
    log.apply(silenced(600_020), at(20), 0);
    log.apply(silenced(10), at(20), 0);
    log.apply(ChatUpdate::Unsilenced { person: "ben".parse().unwrap() }, at(30), 0);
    let last: Vec<_> = log.shown().into_iter().skip(1).map(|line| line.what).collect();
    assert_eq!(last, [What::Silenced("Ben".parse().unwrap(), 600)]);
}

#[test]
fn rules_are_said_when_they_change_and_only_what_changed() {
    let rules = |guests, slow_seconds| ChatUpdate::Settings {
        settings: ChatSettings { guests, slow_seconds, ..ChatSettings::default() },
    };
    let mut log = log_of([]);
    log.apply(rules(true, 5), at(0), 0);
    assert!(log.shown().is_empty(), "nobody knew what was before");
    for (guests, slow) in [(true, 5), (false, 5), (true, 10), (true, 0)] {
        log.apply(rules(guests, slow), at(0), 0);
    }
    let said: Vec<_> = log.shown().into_iter().map(|line| line.what).collect();
    let wanted = [(GUESTS_MAY_NOT, 0), (GUESTS_MAY, 0), (SLOW, 10), (NOT_SLOW, 0)];
    assert_eq!(said, wanted.map(|(what, slow)| What::Rules(what, slow)));
}

#[test]
fn what_a_moderator_takes_away_is_gone_at_once_and_back_if_it_fails() {
    let mut log = log_of(1..=3);
    log.hide(&[id(2)]);
    assert_eq!(shown(&log), [1, 3]);
    log.unhide(&[id(2)]);
    assert_eq!(shown(&log), [1, 2, 3]);
    log.hide(&[id(2)]);
    log.apply(deleted(&[2]), at(0), 0);
    log.unhide(&[id(2)]);
    assert_eq!(shown(&log), [1, 3], "the room said so");
}

#[test]
fn a_time_out_takes_ten_minutes_of_one_person_away() {
    let mut log = log_of([]);
    for (sequence, person) in [(1, "ben"), (2, "eve"), (3, "ben")] {
        log.apply(ChatUpdate::Message(Box::new(message(sequence, person))), at(0), 0);
    }
    let ben = "ben".parse().unwrap();
    assert_eq!(log.lately_by(&ben, at(600_002)), [id(3)]);
    assert_eq!(log.lately_by(&ben, at(3)), [id(1), id(3)]);
}

#[test]
fn people_are_listed_once_who_wrote_last_first() {
    let mut log = log_of([]);
    for (sequence, person) in [(1, "ben"), (2, "eve"), (3, "ben"), (4, "ann")] {
        log.apply(ChatUpdate::Message(Box::new(message(sequence, person))), at(0), 0);
    }
    assert_eq!(log.people(), ["ann", "ben", "eve"]);
}

#[test]
fn an_overlay_lets_go_of_what_is_old() {
    let mut log = log_of(1..=5);
    log.expire(at(4));
    assert_eq!(shown(&log), [4, 5]);
    log.apply(wrote(3), at(4), 0);
    assert_eq!(shown(&log), [4, 5]);
}

/// SplitMix64: the same sequence for the same seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % most
    }
}

/// However connections are lost, repeated and paused over, the log ends as the room is: nothing lost, nothing twice.
#[test]
fn three_hundred_evenings_end_as_the_room_is() {
    for seed in 0..300 {
        let mut dice = Dice(seed);
        let total = 20 + dice.below(400);
        let mut log = LogState::default();
        log.started(true, at(-1), 0);
        let (mut seen, mut gone) = (0, Vec::new());
        while seen < total {
            match dice.below(12) {
                // A connection is lost: some of what was told is told again.
                0 => {
                    seen = seen.saturating_sub(dice.below(20));
                    log.started(true, at(seen as i64), 0);
                }
                1 => log.pause(true),
                2 | 3 => log.pause(false),
                4 if seen > 0 => {
                    let one = seen - dice.below(seen.min(30));
                    gone.push(one);
                    log.apply(deleted(&[one]), at(0), 0);
                }
                _ => {
                    for _ in 0..1 + dice.below(10) {
                        if seen < total {
                            seen += 1;
                            log.apply(wrote(seen), at(0), 0);
                        }
                    }
                }
            }
            assert!(log.shown().len() <= LINES_MOST, "seed {seed}");
        }
        log.pause(false);
        let shown = shown(&log);
        let wanted: Vec<u64> = (1..=total).filter(|one| !gone.contains(one)).collect();
        assert!(wanted.ends_with(&shown), "seed {seed}: {shown:?}");
        assert!(shown.len() + gone.len() >= wanted.len().min(LINES_MOST), "seed {seed}");
        if total <= LINES_MOST as u64 {
            assert_eq!(shown, wanted, "seed {seed}");
        }
    }
}

#[test]
fn a_cleared_room_shows_nothing_of_before_whatever_comes_late() {
    let mut log = log_of(1..=5);
    log.pause(true);
    log.apply(wrote(6), at(6), 0);
    log.apply(ChatUpdate::Cleared {}, at(7), 0);
    log.apply(wrote(4), at(7), 0);
    log.apply(wrote(8), at(8), 0);
    log.pause(false);
    assert_eq!(shown(&log), [8]);
    assert!(log.shown().iter().any(|line| matches!(line.what, What::Rules(..))), "it says what happened");
}

#[test]
fn each_mode_that_changes_is_said_once() {
    let mut log = log_of(1..=1);
    log.set_settings(ChatSettings::default());
    let modes = ChatSettings {
        followers: true,
        followers_minutes: 10,
        subscribers: true,
        emote_only: true,
        unique: true,
        ..ChatSettings::default()
    };
    log.apply(ChatUpdate::Settings { settings: modes }, at(2), 0);
    log.apply(ChatUpdate::Settings { settings: modes }, at(3), 0);
    let rules =
        |log: &LogState| log.shown().iter().filter(|line| matches!(line.what, What::Rules(..))).count();
    assert_eq!(rules(&log), 5);
    log.apply(ChatUpdate::Settings { settings: ChatSettings::default() }, at(4), 0);
    assert_eq!(rules(&log), 9);
    log.say("for me alone".to_owned());
    assert!(matches!(&log.shown().last().unwrap().what, What::Said(words) if words == "for me alone"));
}
