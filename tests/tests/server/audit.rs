//! The record of what was done: a row for each action, found again, and kept from whom it is not for.

use serde_json::{Value, json};
use weir_tests::{
    http::Response,
    server::{Login, Weir},
};

const PASSWORD: &str = "correct horse battery";

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

fn sign_up(weir: &Weir, name: &str) -> Login {
    let body = json!({ "name": name, "displayName": name, "password": PASSWORD });
    let response = call(weir, None, "POST", "sign-up", &body);
    assert_eq!(response.status, 201, "{}", response.text());
    Login::from_response(&response)
}

/// All entries that a question finds, page by page.
fn entries(weir: &Weir, login: &Login, path: &str) -> Vec<Value> {
    let (mut all, mut cursor) = (Vec::new(), String::new());
    loop {
        let join = if path.contains('?') { '&' } else { '?' };
        let page = ok(&call(weir, Some(login), "GET", &format!("{path}{join}limit=3{cursor}"), &Value::Null));
        let items = page["items"].as_array().expect("items");
        assert!(items.len() <= 3);
        all.extend(items.iter().cloned());
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return all,
        }
    }
}

/// What was done, but that somebody signed in.
fn actions(entries: &[Value]) -> Vec<&str> {
    let actions = entries.iter().rev().map(|entry| entry["action"].as_str().expect("an action"));
    actions.filter(|action| *action != "account.signedIn").collect()
}

/// A server on which everything was done once.
fn history() -> (Weir, Login, Login) {
    let weir = Weir::start();
    let ada = weir.set_up("ada");
    let act =
        |who: &Login, method: &str, path: &str, body: Value| ok(&call(&weir, Some(who), method, path, &body));
    act(&ada, "PATCH", "instance/settings", json!({ "signUp": "open" }));
    let ben = sign_up(&weir, "ben");
    let cleo = sign_up(&weir, "cleo");
    let invite = act(&ada, "POST", "invites", json!({ "label": "=cmd|x" }));
    act(&ada, "DELETE", &format!("invites/{}", invite["invite"]["id"].as_str().expect("an id")), Value::Null);
    act(&ada, "PATCH", "people/cleo", json!({ "role": "admin" }));
    act(&ada, "PATCH", "people/cleo", json!({ "role": "member" }));
    act(&ada, "PATCH", "people/cleo", json!({ "suspended": true }));
    act(&ada, "PATCH", "people/cleo", json!({ "suspended": false }));
    drop(cleo);
    act(&ben, "POST", "channels", json!({ "name": "stage" }));
    let token = act(&ben, "POST", "me/tokens", json!({ "label": "Bot", "scopes": ["read"] }));
    act(&ben, "DELETE", &format!("me/tokens/{}", token["token"]["id"].as_str().expect("an id")), Value::Null);
    act(&ben, "PATCH", "channels/stage", json!({ "title": "Late", "visibility": "UNLISTED" }));
    act(&ben, "POST", "channels/stage/stream-key", Value::Null);
    act(&ben, "DELETE", "channels/stage/embed-links", Value::Null);
    act(&ben, "PUT", "channels/stage/ladder", json!({ "enabled": false }));
    act(&ben, "PUT", "channels/stage/roles/cleo", json!({ "role": "vip" }));
    act(&ben, "DELETE", "channels/stage/roles/cleo", Value::Null);
    act(&ben, "PUT", "channels/stage/moderators/ada", json!({}));
    act(&ben, "PATCH", "channels/stage/chat", json!({ "slowSeconds": 3 }));
    let guest = ok(&call(&weir, None, "POST", "chat/guests", &json!({ "name": "Guido" })));
    let said = weir
        .same_origin("POST", "/api/v1/channels/stage/chat/messages")
        .header("weir-guest", guest["token"].as_str().expect("a token"))
        .json(&json!({ "text": "Hello" }))
        .send(weir.http);
    let message = ok(&said)["id"].as_str().expect("an id").to_owned();
    act(&ada, "DELETE", &format!("channels/stage/chat/messages/{message}"), Value::Null);
    let of_ada = act(&ada, "POST", "channels/stage/chat/messages", json!({ "text": "So much for that" }));
    let of_ada = of_ada["id"].as_str().expect("an id");
    act(&ben, "DELETE", &format!("channels/stage/chat/messages/{of_ada}"), Value::Null);
    let person = guest["author"]["id"].as_str().expect("an id");
    let silence = json!({ "person": person, "seconds": 60, "reason": "+spam" });
    act(&ada, "POST", "channels/stage/chat/silences", silence);
    act(&ada, "DELETE", &format!("channels/stage/chat/silences/{person}"), Value::Null);
    act(&ben, "DELETE", "channels/stage/moderators/ada", Value::Null);
    let hook = json!({ "url": "https://hooks.example.com/", "kinds": ["StreamEnded"] });
    let hook = act(&ben, "POST", "channels/stage/webhooks", hook);
    let at = format!("channels/stage/webhooks/{}", hook["webhook"]["id"].as_str().expect("an id"));
    act(&ben, "PATCH", &at, json!({ "label": "Sheet" }));
    act(&ben, "POST", &format!("{at}/secret"), Value::Null);
    act(&ben, "DELETE", &at, Value::Null);
    (weir, ada, ben)
}

const OF_STAGE: [&str; 18] = [
    "channel.made",
    "channel.edited",
    "channel.streamKey",
    "channel.embeds",
    "channel.ladder",
    "role.given",
    "role.taken",
    "moderator.added",
    "chat.edited",
    "chat.deleted",
    "chat.deleted",
    "chat.timedOut",
    "chat.timeOutLifted",
    "moderator.removed",
    "webhook.made",
    "webhook.edited",
    "webhook.secret",
    "webhook.removed",
];

#[test]
fn everything_that_was_done_is_on_record_and_found_again() {
    let (mut weir, ada, ben) = history();
    let stage = entries(&weir, &ben, "channels/stage/audit");
    assert_eq!(actions(&stage), OF_STAGE);
    for entry in &stage {
        assert_eq!(entry["channel"]["name"], "stage");
        assert!(entry["address"].is_null(), "addresses are not kept unless somebody says so");
    }
    let one = |action: &str| stage.iter().find(|entry| entry["action"] == action).expect("it");
    let timed_out = one("chat.timedOut");
    assert_eq!((&timed_out["actor"]["name"], &timed_out["target"]["name"]), (&json!("ada"), &json!("Guido")));
    assert!(timed_out["detail"].as_str().expect("words").ends_with(": +spam"), "{timed_out}");
    assert_eq!(one("role.given")["target"]["name"], "cleo");
    assert_eq!(one("role.given")["detail"], "vip");
    assert_eq!(one("channel.edited")["detail"], "title, visibility (UNLISTED)");
    let all = entries(&weir, &ada, "audit");
    let before = [
        "channel.made",
        "instance.edited",
        "invite.made",
        "invite.revoked",
        "account.role",
        "account.role",
        "account.suspended",
        "account.restored",
    ];
    assert_eq!(actions(&all)[..8], before);
    assert_eq!(actions(&all)[8..11], ["channel.made", "token.made", "token.revoked"]);
    assert_eq!(actions(&all)[11..], OF_STAGE[1..]);
    // By whom, what, whom, when.
    let found = |question: &str| entries(&weir, &ada, &format!("audit?{question}"));
    assert_eq!(
        actions(&found("actor=ada&action=chat")),
        ["chat.deleted", "chat.timedOut", "chat.timeOutLifted"]
    );
    assert_eq!(found("action=account.role").len(), 2);
    assert_eq!(actions(&found("target=cleo")).len(), 6);
    // Guests by the name they had, accounts by theirs; whose message was deleted, too.
    assert_eq!(actions(&found("target=Guido")), ["chat.deleted", "chat.timedOut", "chat.timeOutLifted"]);
    assert_eq!(actions(&found("target=ada&action=chat")), ["chat.deleted"]);
    let middle = &all[10];
    let at = middle["at"].as_str().expect("a time").replace(':', "%3A");
    let (since, until) = (found(&format!("since={at}")), found(&format!("until={at}")));
    assert_eq!(since.len() + until.len(), all.len());
    assert!(since.iter().any(|entry| entry["id"] == middle["id"]));
    assert!(found("actor=nobody").is_empty());
    for bad in ["action=chat.x", "since=yesterday", "cursor=x", "limit=a", "sort=at"] {
        let problem = call(&weir, Some(&ada), "GET", &format!("audit?{bad}"), &Value::Null).problem(400);
        assert_eq!(problem.field.as_deref(), bad.split('=').next(), "{bad}");
    }
    weir.crash();
    weir.start_again();
    assert_eq!(entries(&weir, &ada, "audit"), all, "it outlives the process");
}

#[test]
fn ways_in_tiers_and_codes_are_on_record_without_their_secrets() {
    let weir = Weir::start();
    let ada = weir.set_up("ada");
    ok(&call(&weir, Some(&ada), "PATCH", "instance/settings", &json!({ "signUp": "open" })));
    sign_up(&weir, "ben");
    let act = |method: &str, path: &str, body: Value| {
        ok(&call(&weir, Some(&ada), method, &format!("channels/ada/{path}"), &body))
    };
    let id = |value: &Value| value["id"].as_str().expect("an id").to_owned();
    act("PUT", "password", json!({ "password": PASSWORD }));
    act("DELETE", "password", Value::Null);
    act("PATCH", "access", json!({ "subscribers": "two" }));
    act("PUT", "admitted/ben", Value::Null);
    // Who is on the list is put there once.
    act("PUT", "admitted/ben", Value::Null);
    act("DELETE", "admitted/ben", Value::Null);
    let link = act("POST", "access-links", json!({ "label": "The band" }));
    act("DELETE", &format!("access-links/{}", id(&link["link"])), Value::Null);
    act("PUT", "subscribers/ben", json!({ "tier": "three", "days": 30 }));
    act("DELETE", "subscribers/ben", Value::Null);
    let codes =
        act("POST", "gift-codes", json!({ "label": "Raffle", "tier": "one", "days": 31, "count": 2 }));
    act("DELETE", &format!("gift-codes/{}", id(&codes["batch"])), Value::Null);
    let all = entries(&weir, &ada, "channels/ada/audit");
    let expected = [
        ("access.password", "", "set"),
        ("access.password", "", "removed"),
        ("access.subscribers", "", "tier 2 and above"),
        ("access.given", "ben", ""),
        ("access.taken", "ben", ""),
        ("access.linkMade", "The band", ""),
        ("access.linkRevoked", "The band", ""),
        ("subscription.granted", "ben", "tier 3 for 30 days"),
        ("subscription.ended", "ben", ""),
        ("subscription.codesMade", "Raffle", "2 of tier 1 for 31 days"),
        ("subscription.codesWithdrawn", "Raffle", ""),
    ];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let told: Vec<_> = all
        .iter()
        .rev()
        .map(|entry| (text(&entry["action"]), text(&entry["target"]["name"]), text(&entry["detail"])))
        .skip_while(|(action, ..)| action != "access.password")
        .collect();
    assert_eq!(told, expected.map(|(action, target, words)| (action.into(), target.into(), words.into())));
    assert!(all.iter().all(|entry| entry["actor"]["name"] == "ada"));
    let written = Value::Array(all).to_string();
    let secrets = codes["codes"].as_array().expect("codes").iter().chain([&link["secret"]]);
    for secret in secrets.map(text).chain([PASSWORD.to_owned()]) {
        assert!(!secret.is_empty() && !written.contains(&secret), "a secret is on record");
    }
}

#[test]
fn files_hold_the_same_and_no_formula() {
    let (weir, ada, ben) = history();
    let all = entries(&weir, &ada, "audit");
    let json = call(&weir, Some(&ada), "GET", "audit.json", &Value::Null);
    assert_eq!(json.header("content-disposition"), Some("attachment; filename=\"audit.json\""));
    assert_eq!(json.json(), Value::Array(all.clone()));
    let csv = call(&weir, Some(&ada), "GET", "audit.csv", &Value::Null);
    assert!(csv.header("content-type").is_some_and(|kind| kind.starts_with("text/csv")));
    let csv = csv.text();
    assert_eq!(csv.lines().count(), all.len() + 1);
    assert!(csv.contains("\"'=cmd|x\""), "{csv}");
    assert!(!csv.contains(",=") && !csv.contains(",+"), "{csv}");
    let chat = call(&weir, Some(&ben), "GET", "channels/stage/audit.csv?action=chat", &Value::Null).text();
    assert_eq!(chat.lines().count(), 6, "{chat}");
    let chat = call(&weir, Some(&ben), "GET", "channels/stage/audit.json?action=chat", &Value::Null).json();
    assert_eq!(chat.as_array().map(Vec::len), Some(5));
}

#[test]
fn the_record_is_for_those_who_answer_for_it() {
    let (weir, ada, ben) = history();
    let status = |who: Option<&Login>, path: &str| call(&weir, who, "GET", path, &Value::Null).status;
    for file in ["", ".csv", ".json"] {
        let (whole, stage) = (format!("audit{file}"), format!("channels/stage/audit{file}"));
        assert_eq!((status(Some(&ben), &whole), status(None, &whole)), (403, 401));
        // The instance's owner sees all of it; a channel's own record is its owner's.
        assert_eq!((status(Some(&ada), &stage), status(None, &stage)), (403, 401));
        assert_eq!((status(Some(&ada), &whole), status(Some(&ben), &stage)), (200, 200));
        assert_eq!(status(Some(&ben), &format!("channels/none/audit{file}")), 404);
    }
}

#[test]
fn addresses_are_kept_where_somebody_says_so_and_then_forgotten() {
    let folder = tempfile::tempdir().expect("a folder");
    let keeps = Weir::start_in(folder.path(), &[("WEIR_AUDIT_ADDRESS_DAYS", "30")]);
    let ada = keeps.set_up("ada");
    ok(&call(&keeps, Some(&ada), "PATCH", "instance/settings", &json!({ "signUp": "open" })));
    let found = entries(&keeps, &ada, "audit?action=instance");
    assert_eq!(found[0]["address"], "127.0.0.1");
    drop(keeps);
    let forgets = Weir::start_in(folder.path(), &[]);
    weir_tests::eventually("addresses are forgotten", crate::SOON, || {
        entries(&forgets, &ada, "audit").iter().all(|entry| entry["address"].is_null()).then_some(())
    });
}
