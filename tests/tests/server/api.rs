//! REST as a whole: lists in pages, and its own description of itself.

use crate::SOON;
use serde_json::{Value, json};
use std::collections::HashMap;
use weir_tests::{
    eventually,
    http::Request,
    peer::{Peer, Source},
    server::Weir,
};

/// All names that the list gives, page by page, and how many each page had.
fn listed(weir: &Weir, limit: usize) -> (Vec<String>, Vec<usize>) {
    let (mut names, mut sizes) = (Vec::new(), Vec::new());
    let mut path = format!("/api/v1/channels?limit={limit}");
    loop {
        let page = Request::new("GET", &path).send(weir.http).json();
        let items = page["items"].as_array().expect("items");
        sizes.push(items.len());
        let name = |item: &Value| item["channel"]["name"].as_str().expect("a name").to_owned();
        names.extend(items.iter().map(name));
        match page["next"].as_str() {
            Some(next) => path = format!("/api/v1/channels?limit={limit}&cursor={next}"),
            None => return (names, sizes),
        }
    }
}

#[test]
fn channels_are_listed_once_each_live_ones_first() {
    let weir = Weir::start();
    let mut keys: Vec<_> = ["aa", "bb", "cc", "dd", "ee", "ff"].map(|name| weir.create_channel(name)).into();
    let (dd, bb) = (keys.remove(3), keys.remove(1));
    let _publishers =
        [&dd, &bb].map(|channel| Peer::publish(weir.http, &channel.name, &channel.key, Source::new(1)));
    for channel in [&dd, &bb] {
        weir.until_state(&channel.name, "live", SOON);
    }
    let _viewer = Peer::watch(weir.http, "dd");
    _viewer.more_video(1);
    // Whoever is counted in the middle of a list moves what was listed.
    eventually("a viewer is counted", SOON, || (weir.state("dd")["viewerCount"] == 1).then_some(()));
    let all = ["dd", "bb", "aa", "cc", "ee", "ff"];
    for (limit, sizes) in [(1, vec![1; 6]), (2, vec![2; 3]), (4, vec![4, 2]), (6, vec![6]), (200, vec![6])] {
        let (names, got) = listed(&weir, limit);
        assert_eq!((names.as_slice(), got), (all.map(str::to_owned).as_slice(), sizes), "by {limit}");
    }
    for bad in ["cursor=x", "cursor=b24uMS4yLmEgYg", "limit=-1", "limit=a", "sort=name"] {
        let problem = Request::new("GET", &format!("/api/v1/channels?{bad}")).send(weir.http).problem(400);
        assert_eq!(problem.field.as_deref(), bad.split('=').next());
    }
}

/// The server's description of its API.
fn document(weir: &Weir) -> Value {
    let response = Request::new("GET", "/api/v1/openapi.json").send(weir.http);
    assert_eq!(response.status, 200, "{}", response.text());
    response.json()
}

/// Every `METHOD /path` of the document, with what is said of it.
fn operations(document: &Value) -> Vec<(String, String, &Value)> {
    let paths = document["paths"].as_object().expect("paths");
    let of_path = |(path, item): (&String, &'_ Value)| {
        let methods = item.as_object().expect("methods").keys();
        methods.map(|method| (method.to_uppercase(), path.clone())).collect::<Vec<_>>()
    };
    let names: Vec<_> = paths.iter().flat_map(of_path).collect();
    let find = |(method, path): (String, String)| {
        let operation = &paths[&path][method.to_lowercase()];
        (method, path, operation)
    };
    names.into_iter().map(find).collect()
}

#[test]
fn every_address_on_the_page_of_routes_is_described_and_nothing_else() {
    let page = include_str!("../../../sfu/src/routes.rs");
    let mut listed: Vec<String> = Vec::new();
    for comment in page.lines().filter_map(|line| line.trim().strip_prefix("// ")) {
        let words: Vec<&str> = comment.split_whitespace().collect();
        let routes = words.windows(2).filter(|pair| {
            ["GET", "POST", "PUT", "PATCH", "DELETE"].contains(&pair[0]) && pair[1].starts_with("/api/v1/")
        });
        listed.extend(routes.map(|pair| format!("{} {}", pair[0], pair[1])));
    }
    let weir = Weir::start();
    let document = document(&weir);
    let mut described: Vec<String> = operations(&document)
        .into_iter()
        .filter(|(_, path, _)| path.starts_with("/api/v1/"))
        .map(|(method, path, _)| format!("{method} {path}"))
        .collect();
    listed.sort();
    described.sort();
    assert!(listed.len() > 30, "the page is not understood: {listed:?}");
    assert_eq!(described, listed);
}

#[test]
fn the_document_is_whole() {
    let weir = Weir::start();
    let document = document(&weir);
    assert_eq!(document["openapi"], "3.1.0");
    let text = document.to_string();
    for reference in text.split("\"$ref\":\"#").skip(1).filter_map(|rest| rest.split('"').next()) {
        assert!(document.pointer(reference).is_some(), "{reference} leads nowhere");
    }
    let mut ids = Vec::new();
    for (method, path, operation) in operations(&document) {
        let name = format!("{method} {path}");
        ids.push(operation["operationId"].as_str().expect("an id").to_owned());
        assert!(operation["summary"].as_str().is_some_and(|words| !words.is_empty()), "{name}");
        for (status, answer) in operation["responses"].as_object().expect("responses") {
            let is_problem = status.starts_with(['4', '5']) || status == "default";
            let problem = &answer["content"]["application/problem+json"]["schema"]["$ref"];
            assert_eq!(is_problem, problem == "#/components/schemas/Problem", "{name} {status}");
        }
        assert!(!operation["responses"]["default"].is_null(), "{name}");
        if let Some(body) = operation.get("requestBody") {
            assert!(!body["content"]["application/json"]["example"].is_null(), "{name} has no example");
        }
        for parameter in path.split('{').skip(1).filter_map(|rest| rest.split('}').next()) {
            let parameters = operation["parameters"].as_array().expect("parameters");
            assert!(parameters.iter().any(|given| given["name"] == parameter), "{name}");
        }
    }
    let all = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), all, "an operationId is there twice");
    assert!(!text.contains("[`"), "a comment's link is left in a description");
    let page = Request::new("GET", "/api/docs").send(weir.http);
    assert!(page.text().contains("swagger-ui-bundle.js") && page.status == 200);
}

/// Whether a value is what a place in the document says.
#[track_caller]
fn assert_fits(document: &Value, pointer: &str, value: &Value) {
    assert!(document.pointer(pointer).is_some(), "{pointer} is not in the document");
    let mut schema = document.clone();
    schema["$ref"] = Value::String(format!("#{}", pointer.replace('{', "%7B").replace('}', "%7D")));
    schema["$schema"] = Value::String("https://json-schema.org/draft/2020-12/schema".to_owned());
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    let errors: Vec<String> =
        validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path)).collect();
    assert!(errors.is_empty(), "{pointer}: {errors:#?}\n{value:#}");
}

#[test]
fn what_is_answered_is_what_is_described() {
    let weir = Weir::start();
    let login = weir.set_up("ada");
    let document = document(&weir);
    let pointer = |method: &str, path: &str, status: u16, kind: &str| {
        let escape = |text: &str| text.replace('~', "~0").replace('/', "~1");
        let kind = escape(kind);
        format!("/paths/{}/{}/responses/{status}/content/{kind}/schema", escape(path), method.to_lowercase())
    };
    let ask = |method: &str, template: &str, path: &str, body: Option<Value>| -> Value {
        let request = weir.same_origin(method, path).header("cookie", login.cookie.as_str());
        let response = match &body {
            Some(body) => request.json(body).send(weir.http),
            None => request.send(weir.http),
        };
        assert!(response.status < 300, "{method} {path}: {}", response.text());
        if response.status != 204 {
            let value = response.json();
            assert_fits(&document, &pointer(method, template, response.status, "application/json"), &value);
            return value;
        }
        assert!(
            !document["paths"][template][method.to_lowercase()]["responses"]["204"].is_null(),
            "{method} {template}"
        );
        Value::Null
    };
    let get = |template: &str, path: &str| {
        ask("GET", &format!("/api/v1/{template}"), &format!("/api/v1/{path}"), None)
    };
    let post = |template: &str, path: &str, body: Value| {
        ask("POST", &format!("/api/v1/{template}"), &format!("/api/v1/{path}"), Some(body))
    };
    let name = "channels/{name}";
    let started = post("live/start", "live/start", json!({ "title": "Evening", "quality": "4K" }));
    let stream = started["streamId"].as_str().expect("an id").to_owned();
    get("live/status/{streamId}", &format!("live/status/{stream}"));
    let key = started["streamKey"].as_str().expect("a key").to_owned();
    let publisher = Peer::publish(weir.http, "ada", &key, Source::new(1));
    weir.until_state("ada", "live", SOON);
    let viewer = Peer::watch(weir.http, "ada");
    viewer.more_video(3);
    get("instance", "instance");
    get("me", "me");
    get("me/logins", "me/logins");
    post("me/tokens", "me/tokens", json!({ "label": "a test", "scopes": ["read", "chat:write"], "days": 1 }));
    post("me/tokens", "me/tokens", json!({ "label": "for ever", "scopes": ["read"] }));
    get("me/tokens", "me/tokens");
    get("channels", "channels");
    get("categories", "categories");
    get("people/{account}", "people/ada");
    get("people", "people");
    get("instance/settings", "instance/settings");
    post("invites", "invites", json!({ "label": "a test" }));
    get("invites", "invites");
    get("me/following", "me/following");
    for part in ["me/notifications", "me/notification-preferences", "me/push", "push"] {
        get(part, part);
    }
    get(&format!("{name}/follow"), "channels/ada/follow");
    get(&format!("{name}/followers"), "channels/ada/followers");
    get(&format!("{name}/roles"), "channels/ada/roles");
    ask("PATCH", "/api/v1/me", "/api/v1/me", Some(json!({ "bio": "A test" })));
    post(&format!("{name}/access-links"), "channels/ada/access-links", json!({ "uses": 2, "days": 1 }));
    let codes = json!({ "tier": "one", "days": 1, "count": 2 });
    let made = post(&format!("{name}/gift-codes"), "channels/ada/gift-codes", codes);
    post("me/subscriptions", "me/subscriptions", json!({ "code": made["codes"][0] }));
    get("me/subscriptions", "me/subscriptions");
    let admitted = "/api/v1/channels/{name}/admitted/{account}";
    ask("PUT", admitted, "/api/v1/channels/ada/admitted/ada", None);
    for part in ["access", "admitted", "access-links", "subscription", "subscribers", "gift-codes"] {
        get(&format!("{name}/{part}"), &format!("channels/ada/{part}"));
    }
    post("channels", "channels", json!({ "name": "second" }));
    get(name, "channels/ada");
    let edit = json!({ "tags": ["a"], "embedding": { "allow": "sites", "sites": ["https://a.example"] } });
    ask("PATCH", "/api/v1/channels/{name}", "/api/v1/channels/ada", Some(edit));
    for part in ["state", "embedding", "chat", "moderators", "broadcasts"] {
        get(&format!("{name}/{part}"), &format!("channels/ada/{part}"));
    }
    post(&format!("{name}/publish-token"), "channels/ada/publish-token", json!({}));
    ask(
        "PATCH",
        "/api/v1/channels/{name}/chat",
        "/api/v1/channels/ada/chat",
        Some(json!({ "slowSeconds": 0 })),
    );
    let guest = post("chat/guests", "chat/guests", json!({ "name": "Ben" }));
    let token = guest["token"].as_str().expect("a token").to_owned();
    let body = json!({ "text": "Hello @ada :wave: https://a.example/" });
    let written =
        Request::new("POST", "/api/v1/channels/ada/chat/messages").header("weir-guest", token).json(&body);
    assert_eq!(written.send(weir.http).status, 201);
    let first =
        post(&format!("{name}/chat/messages"), "channels/ada/chat/messages", json!({ "text": "First" }));
    let reply = json!({ "text": "Second", "replyTo": first["id"] });
    post(&format!("{name}/chat/messages"), "channels/ada/chat/messages", reply);
    get(&format!("{name}/chat/messages"), "channels/ada/chat/messages");
    let silence = json!({ "person": guest["author"]["id"], "seconds": 60, "reason": "A test" });
    post(&format!("{name}/chat/silences"), "channels/ada/chat/silences", silence);
    get(&format!("{name}/chat/silences"), "channels/ada/chat/silences");
    let put = |template: &str, path: &str, body: Value| {
        ask("PUT", &format!("/api/v1/{template}"), &format!("/api/v1/{path}"), Some(body))
    };
    put(&format!("{name}/chat/pin"), "channels/ada/chat/pin", json!({ "message": first["id"] }));
    get(&format!("{name}/chat"), "channels/ada/chat");
    post(&format!("{name}/chat/commands"), "channels/ada/chat/commands", json!({ "text": "/help" }));
    let ban = json!({ "person": guest["author"]["id"], "reason": "A test" });
    post(&format!("{name}/chat/bans"), "channels/ada/chat/bans", ban);
    let filters = json!({ "words": ["badword"], "links": "hold" });
    put(&format!("{name}/chat/filters"), "channels/ada/chat/filters", filters);
    let other = post("chat/guests", "chat/guests", json!({ "name": "Cid" }));
    let token = other["token"].as_str().expect("a token").to_owned();
    let held = Request::new("POST", "/api/v1/channels/ada/chat/messages").header("weir-guest", token);
    // The ban of the other guest holds for their network.
    let held = held.header("x-forwarded-for", "192.0.2.77");
    let held = held.json(&json!({ "text": "badword" })).send(weir.http);
    assert_eq!(held.status, 202);
    assert_fits(&document, "/components/schemas/Sent", &held.json());
    let poll = json!({ "question": "What next?", "options": ["Clay", "Stones"], "seconds": 60 });
    let poll = post(&format!("{name}/chat/polls"), "channels/ada/chat/polls", poll);
    let path = format!("channels/ada/chat/polls/{}/votes", poll["id"].as_str().expect("an id"));
    post(&format!("{name}/chat/polls/{{id}}/votes"), &path, json!({ "option": 1 }));
    get(&format!("{name}/chat"), "channels/ada/chat");
    ask("DELETE", "/api/v1/channels/{name}/chat/polls", "/api/v1/channels/ada/chat/polls", None);
    for list in ["chat/bans", "chat/actions", "moderators", "chat/held", "chat/filters"] {
        get(&format!("{name}/{list}"), &format!("channels/ada/{list}"));
    }
    let path = format!("channels/ada/chat/held/{}", held.json()["id"].as_str().expect("an id"));
    post(&format!("{name}/chat/held/{{id}}"), &path, json!({ "approve": true }));
    let person = guest["author"]["id"].as_str().expect("an id");
    get(&format!("{name}/chat/people/{{person}}"), &format!("channels/ada/chat/people/{person}"));
    get("broadcasts/{id}/analytics", &format!("broadcasts/{stream}/analytics"));
    get("live/analytics/{streamId}", &format!("live/analytics/{stream}"));
    get("instance/analytics", "instance/analytics");
    post(&format!("{name}/end"), "channels/ada/end", json!({}));
    publisher.until("its end", SOON, |seen| seen.closed.then_some(()));
    get(&format!("{name}/broadcasts"), "channels/ada/broadcasts");
    get("broadcasts/{id}/analytics", &format!("broadcasts/{stream}/analytics"));
    get("broadcasts/{id}/analytics.json", &format!("broadcasts/{stream}/analytics.json"));
    post(&format!("{name}/stream-key"), "channels/ada/stream-key", json!({}));
    let oembed = format!("/oembed?url=http://{}/ada", weir.http);
    ask("GET", "/oembed", &oembed, None);
    // And what fails, by its problem document.
    for (path, status) in
        [("/api/v1/channels/nobody", 404), ("/api/v1/channels?limit=x", 400), ("/api/v1/nothing", 404)]
    {
        let response = Request::new("GET", path).send(weir.http);
        assert_eq!(response.status, status);
        assert_fits(&document, "/components/schemas/Problem", &response.json());
    }
}

#[test]
fn what_an_operation_says_of_tokens_is_so() {
    let weir = Weir::start();
    let login = weir.set_up("ada");
    let document = document(&weir);
    let token = |scopes: &[&str]| {
        let request = weir.same_origin("POST", "/api/v1/me/tokens").header("cookie", login.cookie.as_str());
        let made = request.json(&json!({ "label": "a test", "scopes": scopes })).send(weir.http).json();
        made["secret"].as_str().expect("a secret").to_owned()
    };
    let scopes = [
        "read",
        "chat:write",
        "chat:moderate",
        "follow:write",
        "channel:write",
        "notifications:read",
        "instance:read",
        "instance:manage",
    ];
    // Of several scopes that let do it, each is enough.
    let mut made: HashMap<Vec<String>, String> = HashMap::new();
    let mut without = |missing: &[String]| {
        let others: Vec<&str> =
            scopes.into_iter().filter(|scope| !missing.iter().any(|one| one == scope)).collect();
        made.entry(missing.to_vec()).or_insert_with(|| token(&others)).clone()
    };
    let all = token(&scopes);
    let mut checked = 0;
    for (method, path, operation) in operations(&document) {
        let Some(ways) = operation["security"].as_array() else { continue };
        // One that nobody need prove anything for is for everybody.
        if ways.iter().any(|way| way.as_object().is_some_and(serde_json::Map::is_empty)) {
            continue;
        }
        let filled = path
            .replace("{name}", "ada")
            .replace("{account}", "ada")
            .replace("{person}", "guest-1")
            .replace("{emote}", "hype")
            .replace("{tier}", "one")
            .replace("{event}", "01m7wdz29w03j42rh873nf9zn1")
            .replace("{id}", "01m7wdz29w03j42rh873nf9zn0");
        let call = |secret: Option<&str>| {
            let mut request = Request::new(&method, &filled);
            if let Some(secret) = secret {
                request = request.bearer(secret);
            }
            match operation["requestBody"]["content"]["application/json"].get("example") {
                Some(example) => request.json(example).send(weir.http),
                None => request.send(weir.http),
            }
        };
        let name = format!("{method} {path}");
        let guests = ways.iter().any(|way| way.get("guest").is_some());
        let nobody = call(None);
        assert!(nobody.status == 401 || guests && nobody.status == 404, "{name}: {}", nobody.text());
        let wanted = ways.iter().filter_map(|way| way.get("token")?.as_array()?.first()?.as_str());
        let wanted: Vec<String> = wanted.map(str::to_owned).collect();
        assert!(wanted.iter().all(|scope| scopes.contains(&scope.as_str())), "{name}: {wanted:?}");
        let refused = match wanted.is_empty() {
            false => ("/problems/missing-scope", call(Some(&without(&wanted)))),
            true => ("/problems/login-needed", call(Some(&all))),
        };
        assert_eq!(refused.1.problem(403).kind, refused.0, "{name}");
        checked += 1;
    }
    assert!(checked > 15, "{checked}");
}
