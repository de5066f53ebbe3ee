//! The ladder's switch and its state, as a channel's owner uses them, and what becomes of its process. What it makes is tested
//! with real browsers.

mod film;

use crate::SOON;
use film::is_source;
use serde_json::{Value, json};
use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};
use weir_tests::{
    eventually,
    http::{Request, Response},
    peer::{Arrived, Peer, Sound, Source},
    server::{Login, Weir, signal},
};

/// A child that hangs is noticed after 1.5 s, or after 6 s on a machine that is busy, and the third follows a second later.
const CHILDREN_WITHIN: Duration = Duration::from_secs(30);

/// What is made of the film.
const RUNGS: [&str; 3] = ["540p", "360p", "180p"];
/// On a machine that is busy with other tests, rungs are given up for a while, and tried again.
const AT_WORK: Duration = Duration::from_secs(90);
/// Viewers have the source again so soon after a child's end.
const FALLS_BACK: Duration = Duration::from_secs(2);

/// The transcoding processes of a server.
fn children(weir: &Weir) -> Vec<u32> {
    let of_weir = |pid: &u32| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let command = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let parent = stat.rsplit(')').next().and_then(|rest| rest.split_whitespace().nth(1)?.parse().ok());
        parent == Some(weir.pid()) && command.windows(8).any(|word| word == b"--memory")
    };
    let entries = fs::read_dir("/proc").expect("processes");
    entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).filter(of_weir).collect()
}

#[track_caller]
fn another(weir: &Weir, than: &[u32]) -> u32 {
    eventually("a transcoding process", CHILDREN_WITHIN, || {
        children(weir).into_iter().find(|pid| !than.contains(pid))
    })
}

/// A viewer on each rung, and one on the source.
struct Audience {
    rungs: Vec<Peer>,
    source: Peer,
}

impl Audience {
    /// Watches a film, once all its rungs are offered.
    #[track_caller]
    fn of(weir: &Weir, channel: &str) -> Self {
        eventually("rungs", AT_WORK, || offers(weir, channel, &RUNGS).then_some(()));
        let watch = |rendition: &str| {
            let viewer = Peer::watch(weir.http, channel);
            viewer.more_video(3);
            chooses(weir, &viewer, &format!(r#"{{"rendition":"{rendition}"}}"#));
            viewer
        };
        Self { rungs: RUNGS.map(watch).into(), source: watch("source") }
    }

    /// Waits until each rung is made, and its viewer gets it.
    #[track_caller]
    fn gets_rungs(&self) {
        for viewer in &self.rungs {
            let before = viewer.seen().packets.len();
            viewer.until("its rung", AT_WORK, |seen| {
                let mut new = seen.packets[before..].iter().filter(|packet| packet.video);
                // What is on its way of the source may come before.
                let last = new.next_back().filter(|packet| !is_source(&packet.payload));
                (last.is_some() && new.filter(|packet| !is_source(&packet.payload)).count() > 10)
                    .then_some(())
            });
        }
    }

    /// When all viewers of rungs had the source, if the child was gone at this time.
    #[track_caller]
    fn gets_source_after(&self, gone: Instant) -> Instant {
        let came = |viewer: &Peer| {
            viewer.until("the source", SOON * 2, |seen| {
                seen.video()
                    .find(|packet| packet.at > gone && is_source(&packet.payload))
                    .map(|packet| packet.at)
            })
        };
        self.rungs.iter().map(came).max().expect("viewers")
    }

    /// The longest that the source's viewer got nothing for since then.
    fn longest_gap_since(&self, then: Instant) -> Duration {
        self.source.more_video(10);
        let seen = self.source.seen();
        let times: Vec<Instant> = seen.video().map(|packet| packet.at).filter(|at| *at >= then).collect();
        let gaps = times.windows(2).map(|pair| pair[1].saturating_duration_since(pair[0]));
        gaps.chain(times.first().map(|first| first.duration_since(then))).max().expect("packets")
    }
}

fn offers(weir: &Weir, channel: &str, wanted: &[&str]) -> bool {
    let state = weir.state(channel);
    let renditions = state["renditions"].as_array().map_or(&[][..], Vec::as_slice);
    wanted.iter().all(|name| renditions.iter().any(|rendition| rendition["name"] == *name))
}

/// Waits until a process is gone; answers when.
#[track_caller]
fn gone(pid: u32) -> Instant {
    eventually("the end of a child", CHILDREN_WITHIN, || {
        (!Path::new(&format!("/proc/{pid}")).exists()).then(Instant::now)
    })
}

#[test]
fn a_child_that_dies_or_hangs_at_work_takes_nothing_with_it() {
    let mut weir = Weir::start();
    let channel = weir.create_channel("ada");
    let _publisher = film::Publisher::start(weir.http, "ada", &channel.key);
    weir.until_state("ada", "live", SOON);
    let audience = Audience::of(&weir, "ada");
    audience.gets_rungs();
    let mut known = Vec::new();
    for name in ["KILL", "STOP"] {
        let child = another(&weir, &known);
        let told = Instant::now();
        signal(child, name);
        let ended = gone(child);
        let took = audience.gets_source_after(ended).saturating_duration_since(ended);
        assert!(took < FALLS_BACK, "{name}: the source came after {took:?}");
        // Also while a child was stopped, which takes no frames then.
        let gap = audience.longest_gap_since(told);
        assert!(gap < Duration::from_secs(1), "{name}: nothing of the source for {gap:?}");
        known.push(child);
        audience.gets_rungs();
    }
    let last = another(&weir, &known);
    let metrics = Request::new("GET", "/metrics").send(weir.http).text();
    for line in [
        r#"weir_ladder_children_ended_total{reason="killed"} 1"#,
        r#"weir_ladder_children_ended_total{reason="hung"} 1"#,
    ] {
        assert!(metrics.contains(line), "{line} in {metrics}");
    }
    assert_eq!(weir.state("ada")["viewerCount"], 4, "they are still the same views");
    weir.assert_healthy();
    // What the server had to leave behind doesn't outlive it.
    weir.crash();
    gone(last);
}

#[test]
fn a_broadcast_that_ends_its_child_harms_no_other() {
    let mut weir = Weir::start();
    let [hostile, other] = ["ada", "bob"].map(|name| weir.create_channel(name));
    let login = weir.set_up("ada");
    let breaks_off = film::Publisher::start(weir.http, "ada", &hostile.key);
    let viewer = watches_rung(&weir, "ada");
    let first = another(&weir, &[]);
    let _other = film::Publisher::start(weir.http, "bob", &other.key);
    let beside = watches_rung(&weir, "bob");
    let second = another(&weir, &[first]);
    let then = Instant::now();
    breaks_off.break_off();
    let ended = gone(first);
    let note = eventually("a word of it", SOON * 2, || {
        let state = asked(&weir, &login, "GET", None).json();
        state["note"].as_str().filter(|note| note.contains("ended")).map(str::to_owned)
    });
    assert_eq!(note, "What makes the ladder ended (it crashed (signal 6)) and is started again.");
    // Whoever watches it has what is sent, whatever that is worth.
    viewer.until("what is sent", FALLS_BACK + SOON, |seen| {
        seen.video().any(|packet| packet.at > ended).then_some(())
    });
    // The next ones end, too, while the other broadcast's goes on making its rung.
    let third = another(&weir, &[first, second]);
    gone(third);
    beside.more_video(10);
    let longest = {
        let seen = beside.seen();
        let rung = seen.video().filter(|packet| packet.at >= then);
        let times: Vec<Instant> = rung
            .inspect(|packet| assert!(!is_source(&packet.payload), "it lost its rung"))
            .map(|packet| packet.at)
            .collect();
        times.windows(2).map(|pair| pair[1].saturating_duration_since(pair[0])).max()
    };
    assert!(longest < Some(Duration::from_secs(2)), "nothing of its rung for {longest:?}");
    assert!(children(&weir).contains(&second), "the same child");
    weir.assert_healthy();
}

/// A viewer who gets 180p.
#[track_caller]
fn watches_rung(weir: &Weir, channel: &str) -> Peer {
    weir.until_state(channel, "live", SOON);
    eventually("180p", AT_WORK, || offers(weir, channel, &["180p"]).then_some(()));
    let viewer = Peer::watch(weir.http, channel);
    viewer.more_video(3);
    chooses(weir, &viewer, r#"{"rendition":"180p"}"#);
    viewer.until("180p", AT_WORK, |seen| {
        seen.video().last().filter(|packet| !is_source(&packet.payload)).map(drop)
    });
    viewer
}

#[test]
fn what_nobody_watches_any_more_is_not_made() {
    let mut weir = Weir::start();
    let channel = weir.create_channel("ada");
    let login = weir.set_up("ada");
    let _publisher = film::Publisher::start(weir.http, "ada", &channel.key);
    weir.until_state("ada", "live", SOON);
    let viewer = watches_rung(&weir, "ada");
    let child = another(&weir, &[]);
    let state = |name: &str| {
        let ladder = asked(&weir, &login, "GET", None).json();
        let rungs = ladder["rungs"].as_array().cloned().unwrap_or_default();
        rungs.iter().find(|rung| rung["name"] == name).map(|rung| rung["state"].clone())
    };
    eventually("it runs", SOON, || state("180p").filter(|state| state == "running"));
    let left = Instant::now();
    viewer.leave();
    let lasted = gone(child).duration_since(left);
    // They come back: for ten seconds it goes on, and a few more until all shards know.
    assert!((Duration::from_secs(9)..Duration::from_secs(20)).contains(&lasted), "{lasted:?}");
    eventually("there is no track of it", SOON, || state("180p").filter(|state| state == "idle"));
    assert!(children(&weir).is_empty());
    weir.assert_healthy();
}

fn chooses(weir: &Weir, viewer: &Peer, wish: &str) {
    let path = format!("{}/rendition", viewer.session);
    assert_eq!(Request::new("PUT", &path).body("application/json", wish).send(weir.http).status, 204);
}

/// Waits until a viewer hears this rendition of the sound.
#[track_caller]
fn hears(weir: &Weir, viewer: &Peer, sound: &str) {
    eventually(&format!("the sound of {sound}"), SOON * 3, || {
        let playing = Request::new("GET", &format!("{}/rendition", viewer.session)).send(weir.http).json();
        (playing["sound"] == sound).then_some(())
    });
}

/// The sound that a viewer got, from the packet at this place on.
fn heard(viewer: &Peer, from: usize) -> Vec<Arrived> {
    viewer.seen().packets.iter().filter(|packet| !packet.video).skip(from).cloned().collect()
}

#[test]
fn sound_alone_is_small_and_nothing_of_it_is_missing() {
    let mut weir = Weir::start();
    let channel = weir.create_channel("ada");
    let tone = Source { sound: Sound::Tone(0.5), keyframe_every: Some(30), ..Source::new(1) };
    let _publisher = Peer::publish(weir.http, "ada", &channel.key, tone);
    weir.until_state("ada", "live", SOON);
    let viewer = Peer::watch(weir.http, "ada");
    let other = Peer::watch(weir.http, "ada");
    viewer.more_video(30);
    hears(&weir, &viewer, "source");
    eventually("the low sound is offered", SOON, || {
        let renditions = weir.state("ada")["renditions"].as_array()?.clone();
        renditions.iter().any(|one| one["name"] == "mono" && one["codec"] == "Opus").then_some(())
    });
    chooses(&weir, &viewer, r#"{"audioOnly":true}"#);
    hears(&weir, &viewer, "mono");
    let before = heard(&viewer, 0).len();
    viewer.until("two seconds of it", SOON, |seen| {
        (seen.packets.iter().filter(|packet| !packet.video).count() >= before + 100).then_some(())
    });
    let low = heard(&viewer, before);
    let bytes: usize = low.iter().map(|packet| packet.payload.len()).sum();
    assert!((1_000..9_000).contains(&(bytes * 100 / low.len())), "{bytes} bytes of {} packets", low.len());
    for packet in &low {
        let channels = opus::packet::get_nb_channels(&packet.payload).expect("a packet of Opus");
        assert_eq!(channels, opus::Channels::Mono);
    }
    assert_eq!(children(&weir).len(), 1);
    chooses(&weir, &viewer, "{}");
    hears(&weir, &viewer, "source");
    viewer.more_video(30);
    let all = heard(&viewer, 0);
    for pair in all.windows(2) {
        assert_eq!(pair[1].sequence, pair[0].sequence + 1);
        let step = pair[1].time.wrapping_sub(pair[0].time);
        assert!((1..48_000).contains(&step), "{step} ticks from one packet to the next");
    }
    hears(&weir, &other, "source");
    weir.assert_healthy();
}

#[test]
fn a_publisher_without_keyframes_is_told_that_they_are_missing() {
    let mut weir = Weir::start();
    let channel = weir.create_channel("ada");
    let login = weir.set_up("ada");
    // What seems to be keyframes are none to a decoder.
    let _publisher = Peer::publish(weir.http, "ada", &channel.key, Source::new(1));
    weir.until_state("ada", "live", SOON);
    let viewer = Peer::watch(weir.http, "ada");
    viewer.more_video(30);
    eventually("a rung", SOON * 4, || {
        let renditions = weir.state("ada")["renditions"].as_array()?.clone();
        renditions.iter().any(|rendition| rendition["name"] == "180p").then_some(())
    });
    chooses(&weir, &viewer, r#"{"rendition":"180p"}"#);
    eventually("a word of keyframes", SOON * 2, || {
        let state = asked(&weir, &login, "GET", None).json();
        state["note"].as_str()?.contains("sends no keyframe").then_some(())
    });
    // It is the source that everybody goes on with.
    viewer.more_video(60);
    weir.assert_healthy();
}

#[test]
fn an_owner_of_the_server_who_wants_none_has_none() {
    let weir = Weir::start_with(&[("WEIR_LADDER_ENABLED", "false")]);
    let login = weir.set_up("ada");
    let channel = weir.create_channel("bob");
    let _publisher = Peer::publish(weir.http, "bob", &channel.key, Source::new(1));
    weir.until_state("bob", "live", SOON);
    let viewer = Peer::watch(weir.http, "bob");
    viewer.more_video(60);
    let renditions = weir.state("bob")["renditions"].clone();
    assert!(
        renditions.as_array().is_some_and(|all| all.iter().all(|one| one["codec"] != "AV1")),
        "{renditions}"
    );
    assert!(children(&weir).is_empty());
    assert_eq!(asked(&weir, &login, "GET", None).status, 200);
}

fn asked(weir: &Weir, login: &Login, method: &str, body: Option<&Value>) -> Response {
    let request =
        weir.same_origin(method, "/api/v1/channels/ada/ladder").header("cookie", login.cookie.as_str());
    match body {
        Some(body) => request.json(body).send(weir.http),
        None => request.send(weir.http),
    }
}

#[test]
fn the_owner_turns_it_off_for_good() {
    let mut weir = Weir::start();
    let login = weir.set_up("ada");
    let state = asked(&weir, &login, "GET", None).json();
    assert_eq!(state, json!({"enabled": true, "rungs": []}), "nothing is live");
    let off = asked(&weir, &login, "PUT", Some(&json!({"enabled": false})));
    assert_eq!(off.json()["enabled"], false);
    assert_eq!(asked(&weir, &login, "PUT", Some(&json!({"enabled": 1}))).status, 422);
    weir.crash();
    weir.start_again();
    assert_eq!(asked(&weir, &login, "GET", None).json()["enabled"], false, "also after a restart");
}

#[test]
fn nobody_else_sees_or_sets_it() {
    let weir = Weir::start();
    weir.set_up("ada");
    for method in ["GET", "PUT"] {
        let request = weir.same_origin(method, "/api/v1/channels/ada/ladder");
        assert_eq!(request.json(&json!({"enabled": false})).send(weir.http).status, 401);
    }
}
