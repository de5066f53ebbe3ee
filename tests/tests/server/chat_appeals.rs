//! Appeals: what somebody who is banned or timed out says against it, and what moderators decide.

use crate::{SOON, notifications::told};
use serde_json::{Value, json};
use weir_tests::{
    chat::{self, By, Reader, call, say},
    events::Events,
    eventually,
    http::{Request, Response},
    server::{Login, Weir},
};

/// A channel with a moderator, and somebody who wrote there.
struct Stage {
    weir: Weir,
    owner: Login,
    mia: Login,
    sam: Login,
    /// Sam's id.
    id: String,
}

impl Stage {
    fn new() -> Self {
        let weir = Weir::start();
        let owner = weir.set_up("ada");
        let (mia, sam) = (chat::account(&weir, "mia"), chat::account(&weir, "sam"));
        assert_eq!(call(weir.http, "PUT", "ada/moderators/mia", By::Login(&owner), None).status, 201);
        assert_eq!(say(weir.http, "ada", By::Login(&sam), "hello").status, 201);
        let room = call(weir.http, "GET", "ada/chat", By::Login(&sam), None).json();
        let id = room["you"]["id"].as_str().expect("an id").to_owned();
        Self { weir, owner, mia, sam, id }
    }

    #[track_caller]
    fn ban(&self) {
        let body = json!({ "person": self.id, "reason": "spam" });
        let banned = call(self.weir.http, "POST", "ada/chat/bans", By::Login(&self.owner), Some(&body));
        assert_eq!(banned.status, 201, "{}", banned.text());
    }

    fn unban(&self) {
        let path = format!("ada/chat/bans/{}", self.id);
        assert_eq!(call(self.weir.http, "DELETE", &path, By::Login(&self.owner), None).status, 204);
    }

    #[track_caller]
    fn time_out(&self, seconds: u32) {
        let body = json!({ "person": self.id, "seconds": seconds, "reason": "loud" });
        let silence = call(self.weir.http, "POST", "ada/chat/silences", By::Login(&self.mia), Some(&body));
        assert_eq!(silence.status, 201, "{}", silence.text());
    }

    fn try_appeal(&self, text: &str) -> Response {
        let body = json!({ "text": text });
        call(self.weir.http, "POST", "ada/chat/appeal", By::Login(&self.sam), Some(&body))
    }

    /// Appeals; the appeal's id.
    #[track_caller]
    fn appeal(&self, text: &str) -> String {
        let made = self.try_appeal(text);
        assert_eq!(made.status, 201, "{}", made.text());
        let appeal = &made.json()["appeal"];
        assert_eq!(
            (&appeal["state"], &appeal["text"], &appeal["answer"]),
            (&json!("waiting"), &json!(text), &json!(""))
        );
        appeal["id"].as_str().expect("an id").to_owned()
    }

    /// Where Sam's appeal stands.
    fn own(&self) -> Value {
        let answer = call(self.weir.http, "GET", "ada/chat/appeal", By::Login(&self.sam), None);
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()
    }

    fn waiting(&self) -> Vec<Value> {
        let page = call(self.weir.http, "GET", "ada/chat/appeals", By::Login(&self.mia), None).json();
        page["items"].as_array().expect("items").clone()
    }

    fn decide(&self, by: &Login, id: &str, accept: bool, answer: &str) -> Response {
        let body = json!({ "accept": accept, "answer": answer });
        call(self.weir.http, "POST", &format!("ada/chat/appeals/{id}"), By::Login(by), Some(&body))
    }

    /// How many deeds of a kind moderators see, and the last one.
    fn deeds(&self, kind: &str) -> (usize, Value) {
        let page =
            call(self.weir.http, "GET", "ada/chat/actions?limit=200", By::Login(&self.mia), None).json();
        let deeds: Vec<Value> = page["items"]
            .as_array()
            .expect("items")
            .iter()
            .filter(|one| one["kind"] == kind)
            .cloned()
            .collect();
        (deeds.len(), deeds.first().cloned().unwrap_or_default())
    }

    /// How many entries of the record have an action.
    fn entries(&self, action: &str) -> usize {
        let path = format!("ada/audit?action={action}");
        let page = call(self.weir.http, "GET", &path, By::Login(&self.owner), None).json();
        page["items"].as_array().unwrap_or_else(|| panic!("{page}")).len()
    }

    /// Waits until Sam is told something by the bell; it.
    fn bell(&self, title: &str) -> Value {
        eventually(title, SOON, || {
            told(&self.weir, &self.sam).into_iter().find(|one| one["title"].as_str() == Some(title))
        })
    }
}

#[test]
fn an_appeal_is_made_once_and_lifts_the_ban() {
    let mut stage = Stage::new();
    assert_eq!(stage.own(), json!({ "against": null, "appeal": null }));
    assert_eq!(stage.try_appeal("Why?").problem(404).kind, "/problems/nothing-to-appeal");
    stage.ban();
    assert_eq!(stage.own(), json!({ "against": "ban", "appeal": null }));
    for text in ["", " \n\u{202E}", &"é".repeat(501)] {
        assert_eq!(stage.try_appeal(text).problem(422).field.as_deref(), Some("text"), "{text:?}");
    }
    let more = json!({ "text": "x", "person": "somebody" });
    call(stage.weir.http, "POST", "ada/chat/appeal", By::Login(&stage.sam), Some(&more)).problem(422);
    let mut socket = Events::open(stage.weir.http);
    socket.request("channel:stream_events:v1", "e", Some("ada"));
    let id = stage.appeal("It was <b>not</b> meant for you.");
    let heard = socket.until("word of it", SOON, |message| message["payload"]["type"] == "ChatAppealMade");
    assert_eq!(heard["payload"]["appealId"], json!(id));
    assert!(!heard.to_string().contains("meant"), "what it says is for moderators");
    assert_eq!(stage.try_appeal("Once more").problem(409).kind, "/problems/appealed");

    let waits = stage.waiting();
    assert_eq!(waits.len(), 1);
    let fields = ["id", "person", "account", "text", "against", "reason", "byName", "until"];
    let shown: Vec<&Value> = fields.iter().map(|field| &waits[0][field]).collect();
    let ban =
        call(stage.weir.http, "GET", "ada/chat/bans", By::Login(&stage.mia), None).json()["items"][0].clone();
    assert_eq!(
        shown,
        [
            &json!(id),
            &json!(stage.id),
            &json!("sam"),
            &json!("It was <b>not</b> meant for you."),
            &json!("ban"),
            &json!("spam"),
            &json!("ada"),
            &Value::Null
        ]
    );
    assert_eq!((&waits[0]["since"], &waits[0]["by"]), (&ban["at"], &ban["by"]));

    // It outlives the process.
    stage.weir.crash();
    stage.weir.start_again();
    assert_eq!(stage.waiting(), waits);
    let mut reader = Reader::join(stage.weir.http, "ada");
    let decided = stage.decide(&stage.mia, &id, true, "  We took it for something else. ");
    assert_eq!((decided.status, &decided.json()["byName"]), (200, &json!("mia")));
    let lifted = reader.until(|update| update["type"] == "unbanned");
    assert_eq!(lifted.last().unwrap()["person"], json!(stage.id));
    assert_eq!(say(stage.weir.http, "ada", By::Login(&stage.sam), "thank you").status, 201);
    assert!(stage.waiting().is_empty());
    let (count, deed) = stage.deeds("acceptAppeal");
    assert_eq!(
        (count, &deed["personName"], &deed["detail"]),
        (1, &json!("sam"), &json!("We took it for something else."))
    );
    assert_eq!((stage.deeds("unban").0, stage.entries("chat.banLifted")), (0, 0), "it is one deed");
    assert_eq!(stage.entries("chat.appealAccepted"), 1);
    let own = stage.own();
    assert_eq!(
        (&own["against"], &own["appeal"]["state"], &own["appeal"]["answer"]),
        (&Value::Null, &json!("lifted"), &json!("We took it for something else."))
    );
    let bell = stage.bell("Your appeal in the chat of ada was accepted");
    assert_eq!(
        (&bell["kind"], &bell["detail"]),
        (&json!("moderation"), &json!("We took it for something else."))
    );
    for said in [own.to_string(), bell.to_string()] {
        assert!(!said.contains("mia"), "who decided is for moderators to know: {said}");
    }
}

#[test]
fn a_declined_appeal_is_final_for_that_ban_and_for_no_other() {
    let stage = Stage::new();
    stage.ban();
    let id = stage.appeal("Please");
    let long = stage.decide(&stage.mia, &id, false, &"x".repeat(501));
    assert_eq!(long.problem(422).field.as_deref(), Some("answer"));
    assert_eq!(stage.decide(&stage.mia, &id, false, "Not after the third time.").status, 200);
    let own = stage.own();
    assert_eq!(
        (&own["against"], &own["appeal"]["state"], &own["appeal"]["answer"]),
        (&json!("ban"), &json!("declined"), &json!("Not after the third time."))
    );
    assert_eq!(
        stage.bell("Your appeal in the chat of ada was declined")["detail"],
        "Not after the third time."
    );
    assert_eq!(stage.try_appeal("Please!").problem(409).kind, "/problems/appealed");
    assert_eq!(
        say(stage.weir.http, "ada", By::Login(&stage.sam), "me").problem(403).kind,
        "/problems/banned"
    );
    assert_eq!((stage.deeds("declineAppeal").0, stage.entries("chat.appealDeclined")), (1, 1));
    // Banned again while they are, they still are by the first ban.
    stage.ban();
    assert_eq!(stage.try_appeal("Please!").problem(409).kind, "/problems/appealed");
    stage.unban();
    assert_eq!(stage.own()["appeal"]["state"], "lifted");
    stage.ban();
    assert_eq!(stage.own(), json!({ "against": "ban", "appeal": null }), "a new ban allows a new appeal");
    stage.appeal("Please, once more");
    assert_eq!(stage.waiting().len(), 1);
}

#[test]
fn two_moderators_at_once_decide_an_appeal_once() {
    let stage = Stage::new();
    for round in 0..4 {
        stage.ban();
        let id = stage.appeal(&format!("Round {round}"));
        let mut answers: Vec<Response> = std::thread::scope(|scope| {
            let asked = [(&stage.owner, true), (&stage.mia, false)].map(|(by, accept)| {
                scope.spawn({
                    let (stage, id) = (&stage, &id);
                    move || stage.decide(by, id, accept, "")
                })
            });
            asked.into_iter().map(|one| one.join().unwrap()).collect()
        });
        answers.sort_by_key(|answer| answer.status);
        assert_eq!(answers[0].status, 200, "{}", answers[0].text());
        let (first, second) = (answers[0].json(), answers[1].problem(409));
        assert_eq!(second.kind, "/problems/appeal-decided");
        let deed = if first["accepted"] == true { "accepted" } else { "declined" };
        assert!(
            second.detail.contains(deed) && second.detail.contains(first["byName"].as_str().unwrap()),
            "{second:?}"
        );
        let is_banned =
            call(stage.weir.http, "GET", "ada/chat", By::Login(&stage.sam), None).json()["banned"].clone();
        assert_eq!(is_banned, json!(first["accepted"] != true));
        if is_banned == true {
            stage.unban();
        }
    }
    let (accepted, declined) = (stage.deeds("acceptAppeal").0, stage.deeds("declineAppeal").0);
    assert_eq!(accepted + declined, 4, "one deed each");
    assert_eq!(stage.entries("chat.appealAccepted") + stage.entries("chat.appealDeclined"), 4);
    stage.decide(&stage.mia, "nothing", true, "").problem(404);
}

#[test]
fn an_appeal_is_over_when_what_it_is_against_is() {
    let stage = Stage::new();
    // Short time-outs are over before anybody could look.
    stage.time_out(600);
    assert_eq!(stage.own()["against"], Value::Null);
    stage.try_appeal("Please").problem(404);
    stage.time_out(601);
    assert_eq!(stage.own()["against"], "timeOut");
    let id = stage.appeal("I was only loud");
    let waits = stage.waiting();
    assert_eq!(
        (&waits[0]["against"], &waits[0]["reason"], waits[0]["until"].is_string()),
        (&json!("timeOut"), &json!("loud"), true)
    );
    // Lifted in another way, it waits no more.
    let path = format!("ada/chat/silences/{}", stage.id);
    assert_eq!(call(stage.weir.http, "DELETE", &path, By::Login(&stage.mia), None).status, 204);
    assert!(stage.waiting().is_empty());
    assert_eq!(stage.own()["appeal"]["state"], "lifted");
    assert_eq!(stage.decide(&stage.mia, &id, true, "").problem(409).kind, "/problems/appeal-over");
    // Nor when another one takes its place, which can be appealed against by itself.
    stage.time_out(3600);
    let first = stage.appeal("Again");
    stage.time_out(7200);
    assert!(stage.waiting().is_empty());
    assert_eq!(stage.own(), json!({ "against": "timeOut", "appeal": null }));
    stage.decide(&stage.mia, &first, true, "").problem(409);
    let second = stage.appeal("And again");
    assert_eq!(stage.decide(&stage.owner, &second, true, "").status, 200);
    assert_eq!(say(stage.weir.http, "ada", By::Login(&stage.sam), "thank you").status, 201);
    assert_eq!(stage.deeds("acceptAppeal").0, 1);
    // A ban that is lifted closes what was said against it.
    stage.ban();
    let third = stage.appeal("Not again");
    stage.unban();
    assert!(stage.waiting().is_empty());
    stage.decide(&stage.mia, &third, false, "").problem(409);
    assert_eq!(stage.deeds("declineAppeal").0, 0);
}

#[test]
fn a_time_out_that_is_lifted_leaves_the_ban_beside_it() {
    let stage = Stage::new();
    stage.time_out(3600);
    let id = stage.appeal("I was only loud");
    stage.ban();
    assert_eq!(stage.own(), json!({ "against": "ban", "appeal": null }), "the ban is another matter");
    assert_eq!(stage.decide(&stage.mia, &id, true, "").status, 200);
    let bell = stage.bell("Your appeal in the chat of ada was accepted");
    assert!(!bell.to_string().contains("may write"), "the ban stands: {bell}");
    assert_eq!(
        say(stage.weir.http, "ada", By::Login(&stage.sam), "me").problem(403).kind,
        "/problems/banned"
    );
    let room = call(stage.weir.http, "GET", "ada/chat", By::Login(&stage.sam), None).json();
    assert_eq!((&room["banned"], &room["silencedUntil"]), (&json!(true), &Value::Null));
    assert_eq!(stage.own()["against"], "ban");
    let other = stage.appeal("Nor was I rude");
    assert_eq!(stage.decide(&stage.mia, &other, true, "").status, 200);
    assert_eq!(say(stage.weir.http, "ada", By::Login(&stage.sam), "thank you").status, 201);
}

#[test]
fn appeals_are_for_moderators_and_nobody_judges_their_own() {
    let stage = Stage::new();
    stage.ban();
    let id = stage.appeal("Please");
    let max = chat::account(&stage.weir, "max");
    let ben = chat::guest_from(stage.weir.http, "Ben", "192.0.2.77");
    let accept = json!({ "accept": true });
    let path = format!("ada/chat/appeals/{id}");
    for (by, status) in
        [(By::Login(&max), 403), (By::Login(&stage.sam), 403), (By::Guest(&ben), 401), (By::Nobody, 401)]
    {
        call(stage.weir.http, "GET", "ada/chat/appeals", by, None).problem(status);
        call(stage.weir.http, "POST", &path, by, Some(&accept)).problem(status);
    }
    for by in [By::Guest(&ben), By::Nobody] {
        call(stage.weir.http, "GET", "ada/chat/appeal", by, None).problem(401);
        call(stage.weir.http, "POST", "ada/chat/appeal", by, Some(&json!({ "text": "x" }))).problem(401);
    }
    // Somebody else's appeal is theirs alone.
    assert_eq!(
        call(stage.weir.http, "GET", "ada/chat/appeal", By::Login(&max), None).json(),
        json!({ "against": null, "appeal": null })
    );
    // Who becomes a moderator meanwhile doesn't lift their own ban by that.
    let moderators = "ada/moderators/sam";
    assert_eq!(call(stage.weir.http, "PUT", moderators, By::Login(&stage.owner), None).status, 201);
    assert_eq!(
        call(stage.weir.http, "POST", &path, By::Login(&stage.sam), Some(&accept)).problem(403).kind,
        "/problems/untouchable"
    );
    assert_eq!(
        stage.own(),
        json!({ "against": null, "appeal": null }),
        "nothing keeps a moderator from writing"
    );
    assert_eq!(call(stage.weir.http, "DELETE", moderators, By::Login(&stage.owner), None).status, 204);
    // Another channel's moderators are nobody here.
    let made = Request::new("POST", "/api/v1/channels").header("cookie", stage.owner.cookie.as_str());
    assert_eq!(made.json(&json!({ "name": "second" })).send(stage.weir.http).status, 201);
    let elsewhere = format!("second/chat/appeals/{id}");
    call(stage.weir.http, "POST", &elsewhere, By::Login(&stage.owner), Some(&accept)).problem(404);
    assert_eq!(stage.waiting().len(), 1);
}

#[test]
fn in_a_private_channel_those_appeal_who_may_see_it() {
    let stage = Stage::new();
    stage.ban();
    let edit = |visibility: &str| {
        let hide =
            Request::new("PATCH", "/api/v1/channels/ada").header("cookie", stage.owner.cookie.as_str());
        assert_eq!(hide.json(&json!({ "visibility": visibility })).send(stage.weir.http).status, 200);
    };
    edit("PRIVATE");
    assert_eq!(stage.try_appeal("Please").problem(404).kind, "/problems/unknown-channel");
    call(stage.weir.http, "GET", "ada/chat/appeal", By::Login(&stage.sam), None).problem(404);
    let listed = call(stage.weir.http, "PUT", "ada/admitted/sam", By::Login(&stage.owner), None);
    assert!([200, 201, 204].contains(&listed.status), "{}", listed.text());
    let id = stage.appeal("Please");
    assert_eq!(stage.decide(&stage.mia, &id, true, "").status, 200);
    stage.bell("Your appeal in the chat of ada was accepted");
    assert_eq!(say(stage.weir.http, "ada", By::Login(&stage.sam), "thank you").status, 201);
}

#[test]
fn many_appeals_at_once_wait() {
    let stage = Stage::new();
    for round in 0..5 {
        stage.ban();
        stage.appeal(&format!("Round {round}"));
        stage.unban();
    }
    stage.ban();
    let problem = stage.try_appeal("And again").problem(429);
    assert_eq!(problem.kind, "/problems/too-many-appeals");
    assert!(problem.retry_after.is_some_and(|seconds| seconds > 500), "{problem:?}");
    assert_eq!(stage.own(), json!({ "against": "ban", "appeal": null }), "nothing of it was taken");
}
