//! Deleting channels and accounts, and suspending channels: what ends, what goes, what stays, and who may.

use crate::{SOON, notifications::in_database};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use weir_tests::{
    events::Events,
    http::{Request, Response},
    peer::{Offering, Peer, SDP, Source, post_whip},
    server::{Login, Weir},
};

const PASSWORD: &str = "correct horse battery";
const TWO_SECONDS: Duration = Duration::from_secs(2);
const PIXEL: &str =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

fn call(weir: &Weir, login: Option<&Login>, method: &str, path: &str, body: &Value) -> Response {
    let path = format!("/api/v1/{path}");
    let mut request = weir.same_origin(method, &path);
    if let Some(login) = login {
        request = request.header("cookie", login.cookie.as_str());
    }
    if body.is_null() { request.send(weir.http) } else { request.json(body).send(weir.http) }
}

fn ok(response: &Response) -> Value {
    assert!(response.status < 300, "{}", response.text());
    if response.body.is_empty() { Value::Null } else { response.json() }
}

fn joined(weir: &Weir, name: &str) -> Login {
    let body = json!({ "name": name, "displayName": name, "password": PASSWORD });
    let response = call(weir, None, "POST", "sign-up", &body);
    assert_eq!(response.status, 201, "{}", response.text());
    Login::from_response(&response)
}

/// An open instance of ada's, with ben, who has the channel stage, and cleo.
fn house() -> (Weir, Login, Login, Login) {
    let weir = Weir::start();
    let ada = weir.set_up("ada");
    ok(&call(&weir, Some(&ada), "PATCH", "instance/settings", &json!({ "signUp": "open" })));
    let (ben, cleo) = (joined(&weir, "ben"), joined(&weir, "cleo"));
    ok(&call(&weir, Some(&ben), "POST", "channels", &json!({ "name": "stage", "displayName": "The stage" })));
    (weir, ada, ben, cleo)
}

fn stream_key(weir: &Weir, login: &Login, channel: &str) -> String {
    let made = ok(&call(weir, Some(login), "POST", &format!("channels/{channel}/stream-key"), &Value::Null));
    made["streamKey"].as_str().expect("a key").to_owned()
}

/// What is followed on the stage, and what each is asked for as.
const TOPICS: [(&str, &str); 3] = [
    ("chat:stream_messages:v1", "chat"),
    ("channel:stream_events:v1", "events"),
    ("media:stream_rooms:v1", "rooms"),
];

/// Somebody publishes to the stage, somebody watches, and somebody follows what happens.
fn show(weir: &Weir, ben: &Login) -> (String, Peer, Peer, Events) {
    let key = stream_key(weir, ben, "stage");
    let publisher = Peer::publish(weir.http, "stage", &key, Source::new(1));
    weir.until_state("stage", "live", SOON);
    let viewer = Peer::watch(weir.http, "stage");
    viewer.more_video(3);
    let mut events = Events::open(weir.http);
    for (topic, id) in TOPICS {
        events.request(topic, id, Some("stage"));
        events.until("the start", SOON, |message| message["event"] == format!("{topic}:started"));
    }
    (key, publisher, viewer, events)
}

/// All of them are let go, and told why, within two seconds.
fn is_over((publisher, viewer, events): (&Peer, &Peer, &mut Events), status: u16) {
    let at = Instant::now();
    let left = || TWO_SECONDS.saturating_sub(at.elapsed());
    publisher.until("the publisher to be let go", left(), |seen| seen.closed.then_some(()));
    viewer.until("the viewer to be let go", left(), |seen| seen.closed.then_some(()));
    let mut topics = TOPICS.to_vec();
    while !topics.is_empty() {
        let told = events.until("a topic to be over", left(), |message| {
            message["event"].as_str().is_some_and(|event| event.ends_with(":failed"))
        });
        assert_eq!(told["payload"]["status"], status, "{told}");
        topics.retain(|(_, id)| told["id"] != *id);
    }
}

#[test]
fn a_deleted_channel_ends_at_once_and_nothing_of_it_is_left_but_the_record() {
    let (mut weir, ada, ben, cleo) = house();
    ok(&call(&weir, Some(&cleo), "PUT", "channels/stage/follow", &Value::Null));
    ok(&call(
        &weir,
        Some(&ben),
        "PUT",
        "channels/stage/subscribers/cleo",
        &json!({ "tier": "one", "days": 30 }),
    ));
    ok(&call(&weir, Some(&ben), "PUT", "channels/stage/moderators/cleo", &json!({})));
    ok(&call(&weir, Some(&ben), "PUT", "channels/stage/emotes/hype", &json!({ "image": PIXEL })));
    ok(&call(&weir, Some(&ben), "PUT", "channels/stage/avatar", &json!({ "image": PIXEL })));
    ok(&call(&weir, Some(&cleo), "POST", "channels/stage/chat/messages", &json!({ "text": "Xylophones" })));
    let (key, publisher, viewer, mut events) = show(&weir, &ben);

    let delete = |who: &Login, body: Value| call(&weir, Some(who), "POST", "channels/stage/delete", &body);
    let wrong = delete(&ben, json!({ "confirm": "stages" })).problem(422);
    assert_eq!(wrong.field.as_deref(), Some("confirm"));
    assert_eq!(delete(&cleo, json!({ "confirm": "stage" })).problem(403).kind, "/problems/not-yours");
    assert_eq!(
        call(&weir, None, "POST", "channels/stage/delete", &json!({ "confirm": "stage" })).status,
        401
    );
    viewer.more_video(3);
    assert_eq!(delete(&ben, json!({ "confirm": "Stage" })).status, 204);
    is_over((&publisher, &viewer, &mut events), 404);

    assert_eq!(call(&weir, None, "GET", "channels/stage", &Value::Null).status, 404);
    assert_eq!(delete(&ben, json!({ "confirm": "stage" })).status, 404);
    let listed = ok(&call(&weir, None, "GET", "channels", &Value::Null));
    assert!(!listed.to_string().contains("stage"), "{listed}");
    assert_eq!(post_whip(weir.http, "/whip", &key, &Offering::to_send().sdp).status, 401);
    assert_eq!(ok(&call(&weir, Some(&ben), "GET", "me", &Value::Null))["channels"], json!([]));
    assert_eq!(ok(&call(&weir, Some(&cleo), "GET", "me", &Value::Null))["moderates"], json!([]));
    assert_eq!(ok(&call(&weir, Some(&cleo), "GET", "me/following", &Value::Null))["items"], json!([]));
    let found = |query: &str| ok(&call(&weir, Some(&ada), "GET", &format!("audit?{query}"), &Value::Null));
    let record = found("action=channel.deleted");
    let entry = &record["items"][0];
    assert_eq!((&entry["actor"]["name"], &entry["channel"]["name"]), (&json!("ben"), &json!("stage")));
    assert!(found("action=moderator")["items"][0]["channel"]["name"] == "stage", "what was done there stays");

    // Its name is not given to somebody else, nor one like it; who had it may have it again.
    let make = |who: &Login, name: &str| call(&weir, Some(who), "POST", "channels", &json!({ "name": name }));
    assert_eq!(make(&cleo, "stage").problem(409).kind, "/problems/name-taken");
    assert_eq!(make(&cleo, "st-age").problem(409).kind, "/problems/look-alike");
    let made = weir.run(&["channel", "create", "stage"]);
    assert!(!made.status.success(), "the shell gives it to nobody either");
    weir.crash();
    weir.start_again();
    assert_eq!(
        call(&weir, None, "GET", "channels/stage", &Value::Null).status,
        404,
        "it outlives the process"
    );
    assert_eq!(call(&weir, Some(&ben), "POST", "channels", &json!({ "name": "stage" })).status, 201);
    let chat = ok(&call(&weir, None, "GET", "channels/stage/chat/messages", &Value::Null));
    assert_eq!(chat["items"], json!([]), "a new channel begins anew");
}

#[test]
fn who_signed_in_long_ago_shows_the_password_before_they_delete() {
    let (weir, _, ben, _) = house();
    in_database(&weir, "UPDATE logins SET created_at = created_at - 3600000");
    let delete = |body: Value| call(&weir, Some(&ben), "POST", "channels/stage/delete", &body);
    let needed = delete(json!({ "confirm": "stage" })).problem(422);
    assert_eq!(
        (needed.kind.as_str(), needed.field.as_deref()),
        ("/problems/password-needed", Some("password"))
    );
    let wrong = delete(json!({ "confirm": "stage", "password": "wrong horse battery" })).problem(422);
    assert_eq!(wrong.field.as_deref(), Some("password"));
    assert_eq!(call(&weir, None, "GET", "channels/stage", &Value::Null).status, 200);
    assert_eq!(delete(json!({ "confirm": "stage", "password": PASSWORD })).status, 204);
}

#[test]
fn a_token_deletes_nothing() {
    let (weir, ada, ben, _) = house();
    ok(&call(&weir, Some(&ada), "PATCH", "people/ben", &json!({ "role": "admin" })));
    let scopes = ["read", "channel:write", "instance:read", "instance:manage"];
    let made = ok(&call(&weir, Some(&ben), "POST", "me/tokens", &json!({ "label": "x", "scopes": scopes })));
    let secret = made["secret"].as_str().expect("a secret");
    for (path, confirm) in
        [("channels/stage/delete", "stage"), ("me/delete", "ben"), ("people/cleo/delete", "cleo")]
    {
        let path = format!("/api/v1/{path}");
        let request = Request::new("POST", &path).bearer(secret);
        let problem = request.json(&json!({ "confirm": confirm })).send(weir.http).problem(403);
        assert_eq!(problem.kind, "/problems/login-needed", "{path}");
    }
}

#[test]
fn the_shell_deletes_a_channel_beside_a_server_that_runs_and_one_that_doesn_t() {
    let (mut weir, ada, ben, _) = house();
    let (_, publisher, viewer, mut events) = show(&weir, &ben);
    let deleted = weir.run(&["channel", "delete", "stage", "--json"]);
    assert!(deleted.status.success(), "{}", String::from_utf8_lossy(&deleted.stderr));
    let said: Value = serde_json::from_slice(&deleted.stdout).expect("JSON");
    assert_eq!(said, json!({ "channel": "stage" }));
    is_over((&publisher, &viewer, &mut events), 404);
    assert_eq!(call(&weir, None, "GET", "channels/stage", &Value::Null).status, 404);
    let again = weir.run(&["channel", "delete", "stage"]);
    assert!(!again.status.success());
    assert!(String::from_utf8_lossy(&again.stderr).contains("no such channel"));
    weir.terminate(SOON);
    let deleted = weir.run(&["channel", "delete", "ada"]);
    assert!(deleted.status.success(), "{}", String::from_utf8_lossy(&deleted.stderr));
    weir.start_again();
    assert_eq!(ok(&call(&weir, Some(&ada), "GET", "me", &Value::Null))["channels"], json!([]));
    let record = ok(&call(&weir, Some(&ada), "GET", "audit?action=channel.deleted", &Value::Null));
    let entries = record["items"].as_array().expect("entries");
    assert_eq!(entries.len(), 2);
    assert!(entries.iter().all(|entry| entry["actor"].is_null()), "by the console: {record}");
}

#[test]
fn a_deleted_account_leaves_what_it_wrote_elsewhere_without_a_name() {
    let (weir, ada, ben, cleo) = house();
    ok(&call(&weir, Some(&ben), "PUT", "me/avatar", &json!({ "image": PIXEL })));
    ok(&call(&weir, Some(&ada), "PUT", "channels/ada/moderators/ben", &json!({})));
    ok(&call(&weir, Some(&ben), "PUT", "channels/ada/follow", &Value::Null));
    let say =
        |who: &Login, body: Value| ok(&call(&weir, Some(who), "POST", "channels/ada/chat/messages", &body));
    let said = say(&ben, json!({ "text": "Clay is best" }));
    say(&cleo, json!({ "text": "No, stones", "replyTo": said["id"] }));
    let (key, publisher, viewer, mut events) = show(&weir, &ben);
    let mut bens = Events::open_as(weir.http, &ben.cookie);
    bens.request("chat:stream_messages:v1", "c", Some("ada"));
    bens.until("the start", SOON, |message| message["event"] == "chat:stream_messages:v1:started");

    let delete = |body: Value| call(&weir, Some(&ben), "POST", "me/delete", &body);
    assert_eq!(delete(json!({ "confirm": "cleo" })).problem(422).field.as_deref(), Some("confirm"));
    let gone = delete(json!({ "confirm": "ben" }));
    assert_eq!(gone.status, 204);
    assert!(gone.header("set-cookie").is_some_and(|cookie| cookie.contains("Max-Age=0")));
    is_over((&publisher, &viewer, &mut events), 404);
    assert_eq!(bens.until_closed(TWO_SECONDS), Some(1008));

    assert_eq!(call(&weir, Some(&ben), "GET", "me", &Value::Null).status, 401);
    let sign_in = json!({ "name": "ben", "password": PASSWORD });
    assert_eq!(call(&weir, None, "POST", "login", &sign_in).problem(401).kind, "/problems/wrong-password");
    assert_eq!(call(&weir, None, "GET", "people/ben", &Value::Null).status, 404);
    assert_eq!(call(&weir, None, "GET", "channels/stage", &Value::Null).status, 404);
    assert_eq!(post_whip(weir.http, "/whip", &key, &Offering::to_send().sdp).status, 401);
    let followers = ok(&call(&weir, Some(&ada), "GET", "channels/ada/followers", &Value::Null));
    assert_eq!(followers["items"], json!([]));
    let moderators = ok(&call(&weir, Some(&ada), "GET", "channels/ada/moderators", &Value::Null));
    assert!(!moderators.to_string().contains("ben"), "{moderators}");

    // What was written stays, and says of nobody who wrote it; an answer to it neither.
    let chat = ok(&call(&weir, None, "GET", "channels/ada/chat/messages", &Value::Null));
    let (answer, message) = (&chat["items"][0], &chat["items"][1]);
    assert_eq!(message["fragments"][0]["text"], "Clay is best");
    assert_eq!(message["author"]["name"], "Deleted person");
    assert!(message["author"]["account"].is_null() && message["author"]["badges"].is_null(), "{message}");
    assert_eq!(
        (&answer["author"]["name"], &answer["replyTo"]["name"]),
        (&json!("cleo"), &json!("Deleted person"))
    );
    weir_tests::eventually("newcomers are given no name either", SOON, || {
        let mut newcomer = Events::open(weir.http);
        newcomer.request("chat:stream_messages:v1", "n", Some("ada"));
        let first = newcomer.until("the messages", SOON, |message| {
            message["event"].as_str().is_some_and(|event| event.ends_with(":stream"))
        });
        let text = first.to_string();
        (text.contains("Clay is best") && text.contains("Deleted person")).then_some(())
    });

    // The record has the name as it was, and nobody is given it.
    let record = ok(&call(&weir, Some(&ada), "GET", "audit?action=account.deleted", &Value::Null));
    let entry = &record["items"][0];
    assert_eq!((&entry["actor"]["name"], &entry["target"]["name"]), (&json!("ben"), &json!("ben")));
    let channels = ok(&call(&weir, Some(&ada), "GET", "audit?action=channel.deleted", &Value::Null));
    assert_eq!(channels["items"][0]["channel"]["name"], "stage");
    let body = |name: &str| json!({ "name": name, "displayName": "Somebody", "password": PASSWORD });
    for name in ["ben", "stage"] {
        assert_eq!(call(&weir, None, "POST", "sign-up", &body(name)).status, 409, "{name}");
    }
    let made = call(&weir, Some(&cleo), "POST", "channels", &json!({ "name": "stage" }));
    assert_eq!(made.problem(409).kind, "/problems/name-taken");
    let shell = weir.run(&["account", "create", "ben"]);
    assert!(!shell.status.success() && String::from_utf8_lossy(&shell.stderr).contains("exists already"));
}

#[test]
fn those_who_run_the_instance_delete_people_but_never_its_last_owner() {
    let (weir, ada, ben, cleo) = house();
    ok(&call(&weir, Some(&ada), "PATCH", "people/ben", &json!({ "role": "admin" })));
    let delete = |who: &Login, account: &str| {
        call(&weir, Some(who), "POST", &format!("people/{account}/delete"), &json!({ "confirm": account }))
    };
    assert_eq!(delete(&cleo, "ben").problem(403).kind, "/problems/not-yours");
    for account in ["ada", "ben"] {
        assert_eq!(delete(&ben, account).problem(409).kind, "/problems/untouchable", "{account}");
    }
    assert_eq!(delete(&ben, "nobody").status, 404);
    let own = call(&weir, Some(&ada), "POST", "me/delete", &json!({ "confirm": "ada" }));
    assert_eq!(own.problem(409).kind, "/problems/untouchable");
    assert_eq!(
        call(&weir, Some(&ada), "GET", "me", &Value::Null).status,
        200,
        "the owner is there all the same"
    );
    assert_eq!(delete(&ben, "cleo").status, 204);
    assert_eq!(call(&weir, Some(&cleo), "GET", "me", &Value::Null).status, 401);
    assert_eq!(delete(&ada, "ben").status, 204, "an admin by the owner");
    let record = ok(&call(&weir, Some(&ada), "GET", "audit?action=account.deleted", &Value::Null));
    let who = |n: usize| {
        (record["items"][n]["actor"]["name"].clone(), record["items"][n]["target"]["name"].clone())
    };
    assert_eq!((who(0), who(1)), ((json!("ada"), json!("ben")), (json!("ben"), json!("cleo"))));
}

#[test]
fn a_suspended_channel_can_t_publish_nor_be_watched_and_says_so() {
    let (weir, ada, ben, cleo) = house();
    let (key, publisher, viewer, mut events) = show(&weir, &ben);
    let suspend = |who: &Login, suspended: bool| {
        call(&weir, Some(who), "PATCH", "instance/channels/stage", &json!({ "suspended": suspended }))
    };
    for who in [&ben, &cleo] {
        assert_eq!(suspend(who, true).problem(403).kind, "/problems/not-yours");
    }
    let suspended = ok(&suspend(&ada, true));
    assert!(suspended["suspendedAt"].is_string() && suspended["channel"]["suspended"] == true, "{suspended}");
    is_over((&publisher, &viewer, &mut events), 403);
    for path in
        ["channels/stage", "channels/stage/state", "channels/stage/chat/messages", "channels/stage/about"]
    {
        for who in [None, Some(&cleo)] {
            let problem = call(&weir, who, "GET", path, &Value::Null).problem(403);
            assert_eq!(problem.kind, "/problems/channel-suspended", "{path}");
        }
        assert_eq!(
            call(&weir, Some(&ben), "GET", path, &Value::Null).status,
            200,
            "its owner sees it: {path}"
        );
        assert_eq!(call(&weir, Some(&ada), "GET", path, &Value::Null).status, 200, "{path}");
    }
    let offer = Offering::to_receive();
    let watched = Request::new("POST", "/whep/stage").body(SDP, offer.sdp.as_str()).send(weir.http);
    assert_eq!(watched.problem(403).kind, "/problems/channel-suspended");
    let published = post_whip(weir.http, "/whip/stage", &key, &Offering::to_send().sdp);
    assert_eq!(published.problem(403).kind, "/problems/channel-suspended");
    let listed = ok(&call(&weir, None, "GET", "channels?search=stage", &Value::Null));
    assert_eq!(listed["items"], json!([]));
    assert_eq!(ok(&call(&weir, Some(&ben), "GET", "me", &Value::Null))["channels"][0]["suspended"], true);

    ok(&suspend(&ada, false));
    assert_eq!(call(&weir, None, "GET", "channels/stage", &Value::Null).status, 200);
    let back = Peer::publish(weir.http, "stage", &key, Source::new(2));
    weir.until_state("stage", "live", SOON);
    drop(back);
    let record = ok(&call(&weir, Some(&ada), "GET", "audit?action=channel", &Value::Null));
    let actions: Vec<_> =
        record["items"].as_array().expect("entries").iter().map(|one| &one["action"]).collect();
    assert_eq!(actions[..2], [&json!("channel.restored"), &json!("channel.suspended")]);
}

#[test]
fn those_who_run_the_instance_see_every_channel_and_whose_it_is() {
    let (weir, ada, ben, cleo) = house();
    ok(&call(&weir, Some(&ben), "PATCH", "channels/stage", &json!({ "visibility": "PRIVATE" })));
    ok(&call(&weir, Some(&cleo), "POST", "channels", &json!({ "name": "cellar" })));
    ok(&call(&weir, Some(&ben), "PUT", "channels/cellar/follow", &Value::Null));
    let list =
        |query: &str| ok(&call(&weir, Some(&ada), "GET", &format!("instance/channels{query}"), &Value::Null));
    let names = |page: &Value| -> Vec<String> {
        let items = page["items"].as_array().expect("channels");
        items.iter().map(|one| one["channel"]["name"].as_str().expect("a name").to_owned()).collect()
    };
    let all = list("");
    assert_eq!(names(&all), ["ada", "cellar", "stage"]);
    let cellar = &all["items"][1];
    assert_eq!(
        (&cellar["owner"], &cellar["followers"], &cellar["state"]),
        (&json!("cleo"), &json!(1), &json!("offline"))
    );
    assert_eq!(all["items"][2]["channel"]["visibility"], "PRIVATE");
    let first = list("?limit=2");
    assert_eq!(names(&first), ["ada", "cellar"]);
    let next = first["next"].as_str().expect("a cursor");
    assert_eq!(names(&list(&format!("?limit=2&cursor={next}"))), ["stage"]);
    for (search, found) in [("STA", vec!["stage"]), ("the%20stage", vec!["stage"]), ("cleo", vec!["cellar"])]
    {
        assert_eq!(names(&list(&format!("?search={search}"))), found, "{search}");
    }
    for nothing in ["%25", "_", "nobody"] {
        assert!(names(&list(&format!("?search={nothing}"))).is_empty(), "{nothing}");
    }
    for (who, status) in [(None, 401), (Some(&ben), 403)] {
        assert_eq!(call(&weir, who, "GET", "instance/channels", &Value::Null).status, status);
    }
    assert_eq!(call(&weir, Some(&ada), "GET", "instance/channels?cursor=x", &Value::Null).status, 400);
}

#[test]
fn me_says_what_one_moderates_and_a_profile_which_channels_are_public() {
    let (weir, _, ben, cleo) = house();
    ok(&call(&weir, Some(&ben), "PUT", "channels/stage/moderators/cleo", &json!({})));
    let me = |who: &Login| ok(&call(&weir, Some(who), "GET", "me", &Value::Null));
    assert_eq!(me(&cleo)["moderates"][0]["name"], "stage");
    assert_eq!(me(&ben)["moderates"], json!([]), "one's own is one's own");
    let channels = || ok(&call(&weir, None, "GET", "people/ben", &Value::Null))["channels"].clone();
    assert_eq!(channels()[0]["name"], "stage");
    ok(&call(&weir, Some(&ben), "PATCH", "channels/stage", &json!({ "visibility": "UNLISTED" })));
    assert_eq!(channels(), json!([]), "what isn't listed isn't found this way");
    ok(&call(&weir, Some(&ben), "DELETE", "channels/stage/moderators/cleo", &Value::Null));
    assert_eq!(me(&cleo)["moderates"], json!([]));
}

#[test]
fn a_deleted_account_is_gone_with_its_picture_and_its_channels_once_that_is_said() {
    let (mut weir, ada, ben, _) = house();
    let hash = || {
        ok(&call(&weir, Some(&ada), "GET", "people?search=ben", &Value::Null))["items"][0]["avatar"].clone()
    };
    ok(&call(&weir, Some(&ben), "PUT", "me/avatar", &json!({ "image": PIXEL })));
    let picture = hash().as_str().expect("a picture").to_owned();
    assert_eq!(Request::new("GET", &picture).send(weir.http).status, 200);
    assert_eq!(call(&weir, Some(&ben), "POST", "me/delete", &json!({ "confirm": "ben" })).status, 204);
    assert_eq!(Request::new("GET", &picture).send(weir.http).status, 404);
    // What was acknowledged is on disk, and the rest of it is gone with it.
    weir.crash();
    weir.start_again();
    assert_eq!(call(&weir, None, "GET", "people/ben", &Value::Null).status, 404);
    assert_eq!(call(&weir, None, "GET", "channels/stage", &Value::Null).status, 404);
}

#[test]
fn nobody_burns_one_name_after_another() {
    let (weir, ada, ben, cleo) = house();
    let round = |n: u8| {
        let name = format!("show{n}");
        ok(&call(&weir, Some(&cleo), "POST", "channels", &json!({ "name": name })));
        let path = format!("channels/{name}/delete");
        call(&weir, Some(&cleo), "POST", &path, &json!({ "confirm": name }))
    };
    for n in 0..5 {
        assert_eq!(round(n).status, 204, "{n}");
    }
    assert_eq!(round(5).problem(429).kind, "/problems/too-fast");
    // Those who run the instance go on, and others have their own five.
    let delete = |who: &Login, name: &str| {
        let path = format!("channels/{name}/delete");
        call(&weir, Some(who), "POST", &path, &json!({ "confirm": name })).status
    };
    assert_eq!((delete(&ada, "show5"), delete(&ben, "stage")), (204, 204));
}

#[test]
fn an_editor_is_not_offered_a_channel_that_is_suspended() {
    let (weir, ada, ben, cleo) = house();
    ok(&call(&weir, Some(&ben), "PUT", "channels/stage/roles/cleo", &json!({ "role": "editor" })));
    let edits = || ok(&call(&weir, Some(&cleo), "GET", "me", &Value::Null))["edits"].clone();
    assert_eq!(edits()[0]["name"], "stage");
    ok(&call(&weir, Some(&ada), "PATCH", "instance/channels/stage", &json!({ "suspended": true })));
    assert_eq!(edits(), json!([]));
}
