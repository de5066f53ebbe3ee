//! Moderation of chats: commands, modes, bans, the pinned message, and the record of it all.

use serde_json::{Value, json};
use shared::problem::Problem;
use weir_tests::{
    chat::{self, By, Guest, Reader, call, say, text_of},
    events::Events,
    http::{Request, Response},
    server::{Login, Weir},
};

fn command(weir: &Weir, by: By<'_>, text: &str) -> Response {
    call(weir.http, "POST", "ada/chat/commands", by, Some(&json!({ "text": text })))
}

/// Gives a command that must be carried out; what is said of it.
#[track_caller]
fn done(weir: &Weir, by: By<'_>, text: &str) -> String {
    let response = command(weir, by, text);
    assert_eq!(response.status, 200, "{text}: {}", response.text());
    let said = response.json()["said"].as_array().expect("sentences").clone();
    said.iter().map(|line| line.as_str().expect("a sentence")).collect::<Vec<_>>().join("\n")
}

#[track_caller]
fn refused(weir: &Weir, by: By<'_>, text: &str, status: u16, kind: &str) -> Problem {
    let problem = command(weir, by, text).problem(status);
    assert_eq!(problem.kind, format!("/problems/{kind}"), "{text}: {problem:?}");
    problem
}

#[track_caller]
fn says(weir: &Weir, by: By<'_>, text: &str) -> Value {
    let response = say(weir.http, "ada", by, text);
    assert_eq!(response.status, 201, "{text}: {}", response.text());
    response.json()
}

fn says_from(weir: &Weir, guest: &Guest, address: &str, text: &str) -> Response {
    Request::new("POST", "/api/v1/channels/ada/chat/messages")
        .header("weir-guest", guest.token.as_str())
        .header("x-forwarded-for", address)
        .json(&json!({ "text": text }))
        .send(weir.http)
}

/// The kinds in the record, newest first.
fn record(weir: &Weir, owner: &Login) -> Vec<(String, String)> {
    let page = call(weir.http, "GET", "ada/chat/actions?limit=200", By::Login(owner), None).json();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let items = page["items"].as_array().expect("items");
    items.iter().map(|item| (text(&item["kind"]), text(&item["personName"]))).collect()
}

#[test]
fn every_command_does_what_it_says_and_is_on_record() {
    let weir = Weir::start();
    let owner = weir.set_up("ada");
    let mia = chat::account(&weir, "mia");
    let (by_owner, by_mia) = (By::Login(&owner), By::Login(&mia));
    let ben = chat::guest(weir.http, "Ben Li");
    let mut reader = Reader::join(weir.http, "ada");
    let first = says(&weir, By::Guest(&ben), "spam");
    reader.hear();

    assert!(done(&weir, by_owner, "/mod mia").contains("is a moderator now"));
    assert!(done(&weir, by_mia, "/timeout @Ben Li 10m too loud").contains("10 min"));
    assert_eq!(reader.hear()["type"], "silenced");
    assert_eq!(reader.hear()["messages"], json!([first["id"]]));
    let listed = call(weir.http, "GET", "ada/chat/silences", by_mia, None).json();
    assert_eq!(listed["items"][0]["reason"], "too loud");
    assert!(done(&weir, by_mia, "/unban Ben Li").contains("may write again"));
    assert_eq!(reader.hear()["type"], "unsilenced");
    let second = says(&weir, By::Guest(&ben), "more spam");
    reader.hear();
    let about = |id: &Value, text: &str| json!({ "text": text, "replyTo": id });
    let path = "ada/chat/commands";
    let pinned = call(weir.http, "POST", path, by_mia, Some(&about(&second["id"], "/pin")));
    assert_eq!(pinned.status, 200, "{}", pinned.text());
    assert_eq!(reader.hear()["pin"]["id"], second["id"]);
    assert_eq!(call(weir.http, "GET", "ada/chat", By::Nobody, None).json()["pin"]["id"], second["id"]);
    done(&weir, by_mia, &format!("/delete {}", second["id"].as_str().unwrap()));
    assert_eq!(reader.hear()["type"], "deleted");
    assert_eq!(reader.hear()["type"], "unpinned", "what is deleted is pinned no more");
    refused(&weir, by_mia, "/unpin", 404, "not-pinned");
    refused(&weir, by_mia, "/pin", 422, "command");
    assert!(done(&weir, by_mia, "/ban Ben Li").contains("is banned"));
    assert_eq!(reader.hear()["type"], "banned");
    assert_eq!(say(weir.http, "ada", By::Guest(&ben), "hi").problem(403).kind, "/problems/banned");
    assert_eq!(call(weir.http, "GET", "ada/chat", By::Guest(&ben), None).json()["banned"], true);
    done(&weir, by_mia, &format!("/unban {}", ben.id));
    assert_eq!(reader.hear()["type"], "unbanned");
    refused(&weir, by_mia, "/unban Ben Li", 404, "not-banned");
    for (text, field, value) in [
        ("/slow 5", "slowSeconds", json!(5)),
        ("/slow off", "slowSeconds", json!(0)),
        ("/followers 1h", "followersMinutes", json!(60)),
        ("/followers off", "followers", json!(false)),
        ("/subscribers", "subscribers", json!(true)),
        ("/subscribers off", "subscribers", json!(false)),
        ("/emoteonly", "emoteOnly", json!(true)),
        ("/emoteonly off", "emoteOnly", json!(false)),
        ("/unique", "unique", json!(true)),
        ("/unique off", "unique", json!(false)),
    ] {
        done(&weir, by_mia, text);
        assert_eq!(reader.hear()["settings"][field], value, "{text}");
    }
    done(&weir, by_mia, "/unique off");
    says(&weir, by_owner, "soon gone");
    assert_eq!(text_of(&reader.hear()), "soon gone");
    done(&weir, by_mia, "/clear");
    assert_eq!(reader.hear()["type"], "cleared");
    assert_eq!(call(weir.http, "GET", "ada/chat/messages", By::Nobody, None).json()["items"], json!([]));
    assert!(Reader::join(weir.http, "ada").complete);
    let sent = says(&weir, By::Guest(&ben), "/me waves");
    let told = reader.hear();
    assert_eq!((&told["id"], &told["action"], text_of(&told).as_str()), (&sent["id"], &json!(true), "waves"));
    done(&weir, by_owner, "/vip mia");
    done(&weir, by_owner, "/unvip mia");
    done(&weir, by_owner, "/unmod mia");
    refused(&weir, by_mia, "/clear", 403, "not-moderator");

    let kinds: Vec<String> = record(&weir, &owner).into_iter().map(|(kind, _)| kind).rev().collect();
    let mut expected = vec!["addModerator", "timeOut", "liftTimeOut", "pin", "delete", "ban", "unban"];
    expected.extend(["rules"; 10]);
    expected.extend(["clear", "addVip", "removeVip", "removeModerator"]);
    assert_eq!(kinds, expected, "each deed once, and what changed nothing not at all");
    let people: Vec<String> = record(&weir, &owner).into_iter().map(|(_, name)| name).collect();
    assert_eq!(people.iter().filter(|name| *name == "Ben Li").count(), 6);
    let mut page = call(weir.http, "GET", "ada/chat/actions?limit=5", by_owner, None).json();
    let mut seen = page["items"].as_array().unwrap().len();
    while let Some(next) = page["next"].as_str() {
        let path = format!("ada/chat/actions?limit=5&cursor={next}");
        page = call(weir.http, "GET", &path, by_owner, None).json();
        seen += page["items"].as_array().unwrap().len();
    }
    assert_eq!(seen, expected.len());
}

#[test]
fn commands_are_for_those_who_may_and_told_in_sentences() {
    let weir = Weir::start();
    let owner = weir.set_up("ada");
    let sam = chat::account(&weir, "sam");
    let ben = chat::guest(weir.http, "Ben");
    says(&weir, By::Guest(&ben), "hello");
    let moderators = [
        "/timeout ben",
        "/ban ben",
        "/unban ben",
        "/delete x",
        "/clear",
        "/slow",
        "/followers",
        "/subscribers",
        "/emoteonly",
        "/unique",
        "/pin x",
        "/unpin",
    ];
    for by in [By::Guest(&ben), By::Login(&sam)] {
        for text in moderators {
            refused(&weir, by, text, 403, "not-moderator");
        }
        for text in ["/mod sam", "/unmod sam", "/vip sam", "/unvip sam"] {
            refused(&weir, by, text, 403, "not-yours");
        }
        let help = done(&weir, by, "/help");
        assert!(help.contains("/me WORDS") && !help.contains("/ban"), "{help}");
    }
    refused(&weir, By::Nobody, "/help", 401, "signed-out");
    assert!(done(&weir, By::Login(&owner), "/help").contains("/mod ACCOUNT"));
    let owner = By::Login(&owner);
    for (text, words) in [
        ("/tiemout ben", "There is no command “/tiemout”"),
        ("/timeout", "/timeout NAME [TIME] [REASON]"),
        ("/timeout nobody", "nobody"),
        ("/timeout ben 15d", "two weeks"),
        ("/slow 11m", "ten minutes"),
        ("/mod a b", "/mod ACCOUNT"),
        ("/help nothing", "There is no command"),
    ] {
        let problem = refused(&weir, owner, text, 422, "command");
        assert!(problem.detail.contains(words), "{text}: {}", problem.detail);
    }
    refused(&weir, owner, "no command", 422, "invalid");
    refused(&weir, owner, "/timeout ada", 403, "untouchable");
    refused(&weir, owner, "/mod ada", 422, "invalid");
    refused(&weir, owner, "/mod nobody", 404, "unknown-account");
    // A command that is sent as a message is not shown to everybody.
    for text in ["/ban ben", " /CLEAR", "/slow"] {
        let problem = say(weir.http, "ada", owner, text).problem(422);
        assert!(problem.detail.contains("is a command"), "{problem:?}");
    }
    for text in ["/etc/hosts", "/shrug", "//ban ben", "/ ban ben"] {
        says(&weir, owner, text);
    }
    let listed = call(weir.http, "GET", "ada/chat/messages", By::Nobody, None).json();
    assert_eq!(listed["items"].as_array().unwrap().len(), 5);
}

/// What is put into a command to make it another one, or more than one.
#[test]
fn what_is_put_into_a_command_stays_what_it_is() {
    let weir = Weir::start();
    let owner = weir.set_up("ada");
    let ben = chat::guest(weir.http, "Ben");
    let cid = chat::guest(weir.http, "Cid");
    says(&weir, By::Guest(&ben), "hello");
    says(&weir, By::Guest(&cid), "hello");
    let owner_is = By::Login(&owner);
    for reason in [
        "10m\n/clear",
        "1m ; /ban Cid",
        "1m '); DROP TABLE chat_bans; --",
        "1m \u{202E}/mod cid",
        "1m ${/ban Cid} $(/clear) `/clear`",
        "1m <script>alert(1)</script>",
        "1m \u{0}/clear",
        "1m | /unban Ben && /clear",
    ] {
        done(&weir, owner_is, &format!("/timeout Ben {reason}"));
    }
    let page = call(weir.http, "GET", "ada/chat/actions", owner_is, None).json();
    let items = page["items"].as_array().unwrap();
    assert!(
        items.len() == 8 && items.iter().all(|item| item["kind"] == "timeOut" && item["personName"] == "Ben")
    );
    for item in items {
        let detail = item["detail"].as_str().unwrap();
        assert!(!detail.contains(['\u{202E}', '\n', '\u{0}']), "{detail:?}");
    }
    assert_eq!(says_from(&weir, &cid, "192.0.2.50", "still here").status, 201);
    for text in [
        "/ban *",
        "/ban %",
        "/ban _",
        "/ban ' OR 1=1",
        "/ban guest-",
        "/ban ../ada",
        "/ban Ben,Cid",
        "/ban @@Ben",
    ] {
        refused(&weir, owner_is, text, 422, "command");
    }
    let long = format!("/ban Ben {}", "x".repeat(201));
    assert_eq!(refused(&weir, owner_is, &long, 422, "invalid").field.as_deref(), Some("reason"));
    for body in [json!({}), json!({ "text": 5 }), json!({ "text": "/clear", "as": "ada" }), json!(["/clear"])]
    {
        let status = call(weir.http, "POST", "ada/chat/commands", owner_is, Some(&body)).status;
        assert!([400, 422].contains(&status), "{body}: {status}");
    }
}

#[test]
fn modes_hold_for_everybody_but_those_who_keep_order() {
    let weir = Weir::start();
    let owner = weir.set_up("ada");
    let mia = chat::account(&weir, "mia");
    let vip = chat::account(&weir, "vip");
    let sam = chat::account(&weir, "sam");
    done(&weir, By::Login(&owner), "/mod mia");
    done(&weir, By::Login(&owner), "/vip vip");
    let try_say = |login: &Login, text: &str| say(weir.http, "ada", By::Login(login), text);
    for (on, off, kind, for_vips) in [
        ("/followers", "/followers off", "followers-only", false),
        ("/followers 10m", "/followers off", "followers-only", false),
        ("/subscribers", "/subscribers off", "subscribers-only", false),
        ("/emoteonly", "/emoteonly off", "emotes-only", true),
    ] {
        done(&weir, By::Login(&mia), on);
        assert_eq!(try_say(&sam, "words").problem(403).kind, format!("/problems/{kind}"));
        assert_eq!(try_say(&vip, &format!("words {on}")).status, if for_vips { 403 } else { 201 }, "{on}");
        assert_eq!(try_say(&mia, "words").status, 201);
        done(&weir, By::Login(&mia), off);
    }
    done(&weir, By::Login(&mia), "/emoteonly");
    assert_eq!(try_say(&sam, ":wave: :heart:").status, 201);
    done(&weir, By::Login(&mia), "/emoteonly off");
    done(&weir, By::Login(&mia), "/unique");
    assert_eq!(try_say(&sam, "Words!").problem(403).kind, "/problems/said-lately");
    assert_eq!(try_say(&sam, "other words").status, 201);
    done(&weir, By::Login(&mia), "/unique off");
    // Whoever follows may write from that moment on, unless it takes longer.
    done(&weir, By::Login(&mia), "/followers");
    try_say(&sam, "not yet").problem(403);
    assert_eq!(call(weir.http, "PUT", "ada/follow", By::Login(&sam), None).status, 200);
    assert_eq!(try_say(&sam, "now I follow").status, 201);
    done(&weir, By::Login(&mia), "/followers 10m");
    let early = try_say(&sam, "for a moment").problem(403);
    assert_eq!(early.kind, "/problems/followers-only");
    assert!(early.retry_after.is_some_and(|seconds| (500..=600).contains(&seconds)), "{early:?}");
    done(&weir, By::Login(&mia), "/followers off");
    done(&weir, By::Login(&mia), "/unique");
    // Rules are kept.
    let room = call(weir.http, "GET", "ada/chat", By::Nobody, None).json();
    assert_eq!(room["settings"]["unique"], true);
    let problem =
        call(weir.http, "PATCH", "ada/chat", By::Login(&mia), Some(&json!({ "followersMinutes": 129_601 })));
    assert_eq!(problem.problem(422).field.as_deref(), Some("followersMinutes"));
    call(weir.http, "PATCH", "ada/chat", By::Login(&sam), Some(&json!({ "unique": false }))).problem(403);
}

#[test]
fn vips_are_the_channels_own_by_command_and_by_settings() {
    let weir = Weir::start();
    let owner = weir.set_up("ada");
    let mia = chat::account(&weir, "mia");
    chat::account(&weir, "ed");
    let owner = By::Login(&owner);
    let give = |role: &str, account: &str| {
        let body = json!({ "role": role });
        assert_eq!(call(weir.http, "PUT", &format!("ada/roles/{account}"), owner, Some(&body)).status, 200);
    };
    let roles = || call(weir.http, "GET", "ada/roles", owner, None).json()["items"].clone();
    let badges = || call(weir.http, "GET", "ada/chat", By::Login(&mia), None).json()["you"]["badges"].clone();
    assert!(done(&weir, owner, "/vip mia").contains("is a VIP now"));
    assert!(done(&weir, owner, "/vip mia").contains("is a VIP already"));
    assert_eq!((&roles()[0]["account"], &roles()[0]["role"]), (&json!("mia"), &json!("vip")));
    assert_eq!(badges(), json!(["vip"]));
    done(&weir, owner, "/unvip mia");
    assert_eq!((roles(), badges()), (json!([]), Value::Null));
    refused(&weir, owner, "/unvip mia", 404, "unknown-account");
    give("vip", "mia");
    assert_eq!(badges(), json!(["vip"]));
    // Nobody loses what is more by a slip.
    give("editor", "ed");
    refused(&weir, owner, "/vip ed", 409, "is-editor");
    refused(&weir, owner, "/unvip ed", 404, "unknown-account");
    assert_eq!(roles()[0]["role"], "editor");
}

#[test]
fn a_ban_holds_across_names_connections_and_restarts() {
    let mut weir = Weir::start();
    let owner = weir.set_up("ada");
    let sam = chat::account(&weir, "sam");
    let ben = chat::guest_from(weir.http, "Ben", "192.0.2.9");
    assert_eq!(says_from(&weir, &ben, "192.0.2.9", "spam").status, 201);
    says(&weir, By::Login(&sam), "spam, too");
    let ban = |person: &Value| {
        let body = json!({ "person": person, "reason": "spam" });
        call(weir.http, "POST", "ada/chat/bans", By::Login(&owner), Some(&body))
    };
    assert_eq!(ban(&json!(ben.id)).status, 201);
    let sams = call(weir.http, "GET", "ada/chat", By::Login(&sam), None).json()["you"]["id"].clone();
    assert_eq!(ban(&sams).status, 201);
    ban(&json!("guest-nobody")).problem(404);
    let own = call(weir.http, "GET", "ada/chat", By::Login(&owner), None).json()["you"]["id"].clone();
    ban(&own).problem(403);
    for round in 0..2 {
        let again = chat::guest_from(weir.http, &format!("Not Ben {round}"), "192.0.2.9");
        assert_eq!(says_from(&weir, &again, "192.0.2.9", "me again").problem(403).kind, "/problems/banned");
        assert_eq!(
            says_from(&weir, &ben, "192.0.2.77", "from elsewhere").problem(403).kind,
            "/problems/banned"
        );
        assert_eq!(say(weir.http, "ada", By::Login(&sam), "me too").problem(403).kind, "/problems/banned");
        // An account that is banned doesn't come back without one.
        let out = chat::guest_from(weir.http, &format!("Not Sam {round}"), "192.0.2.1");
        assert_eq!(says_from(&weir, &out, "192.0.2.1", "me again").problem(403).kind, "/problems/banned");
        let cid = chat::guest_from(weir.http, &format!("Cid {round}"), "192.0.2.10");
        assert_eq!(says_from(&weir, &cid, "192.0.2.10", &format!("hello {round}")).status, 201);
        weir.crash();
        weir.start_again();
    }
    let bans = call(weir.http, "GET", "ada/chat/bans?limit=1", By::Login(&owner), None).json();
    assert_eq!((&bans["items"][0]["person"], bans["next"].is_string()), (&sams, true));
    let path = format!("ada/chat/bans/{}", ben.id);
    assert_eq!(call(weir.http, "DELETE", &path, By::Login(&owner), None).status, 204);
    call(weir.http, "DELETE", &path, By::Login(&owner), None).problem(404);
    let again = chat::guest_from(weir.http, "Not Ben", "192.0.2.9");
    assert_eq!(says_from(&weir, &again, "192.0.2.9", "thank you").status, 201);
}

#[test]
fn what_moderators_do_goes_over_the_bus_and_is_kept_from_others() {
    let weir = Weir::start();
    let owner = weir.set_up("ada");
    let sam = chat::account(&weir, "sam");
    let mut socket = Events::open(weir.http);
    socket.request("channel:stream_events:v1", "e", Some("ada"));
    done(&weir, By::Login(&owner), "/slow 5");
    let told = socket.until("the deed", crate::SOON, |message| message["payload"]["type"] == "ChatModerated");
    assert_eq!(told["payload"]["action"], "rules");
    let page = call(weir.http, "GET", "ada/chat/actions", By::Login(&owner), None).json();
    assert_eq!(page["items"][0]["id"], told["payload"]["actionId"]);
    assert!(page["items"][0]["detail"].as_str().unwrap().contains("\"slowSeconds\":5"));
    for path in ["ada/chat/actions", "ada/chat/bans", "ada/chat/silences", "ada/moderators"] {
        call(weir.http, "GET", path, By::Login(&sam), None).problem(403);
        call(weir.http, "GET", path, By::Nobody, None).problem(401);
        assert_eq!(call(weir.http, "GET", path, By::Login(&owner), None).status, 200);
    }
    // Another channel's owner is nobody here, and another channel's messages are none of this one's.
    let made = Request::new("POST", "/api/v1/channels").header("cookie", owner.cookie.as_str());
    assert_eq!(made.json(&json!({ "name": "second" })).send(weir.http).status, 201);
    let other = call(
        weir.http,
        "POST",
        "second/chat/messages",
        By::Login(&owner),
        Some(&json!({ "text": "elsewhere" })),
    )
    .json();
    let pin = json!({ "message": other["id"] });
    assert_eq!(
        call(weir.http, "PUT", "ada/chat/pin", By::Login(&owner), Some(&pin)).problem(404).kind,
        "/problems/unknown-message"
    );
    let id = other["id"].as_str().unwrap();
    call(weir.http, "DELETE", &format!("ada/chat/messages/{id}"), By::Login(&owner), None).problem(404);
    refused(&weir, By::Login(&owner), &format!("/pin {id}"), 404, "unknown-message");
    refused(&weir, By::Login(&owner), &format!("/delete {id}"), 404, "unknown-message");
    for (method, path, body) in [
        ("PUT", "ada/chat/pin", Some(pin)),
        ("DELETE", "ada/chat/pin", None),
        ("DELETE", "ada/chat/messages", None),
        ("POST", "ada/chat/bans", Some(json!({ "person": "guest-1" }))),
        ("DELETE", "ada/chat/bans/guest-1", None),
    ] {
        call(weir.http, method, path, By::Login(&sam), body.as_ref()).problem(403);
        call(weir.http, method, path, By::Nobody, body.as_ref()).problem(401);
    }
}
