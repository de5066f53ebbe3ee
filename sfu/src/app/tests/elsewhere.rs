//! Every operation again, asked by another site's page, and for what is somebody else's: neither does anything.

use super::{
    matrix::{Somebody, Stage, ok, sql},
    *,
};
use crate::permission::Standing;

fn of(stage: &Stage, standing: Standing) -> &Somebody {
    stage.people.iter().find(|one| one.standing == standing).unwrap()
}

#[tokio::test]
async fn no_operation_is_done_for_another_site_s_page() {
    let stage = Stage::new().await;
    let owner = of(&stage, Standing::Owner);
    let (mut checked, mut wrong) = (0, Vec::new());
    for (id, method, path, body) in stage.operations().await {
        // Players on other sites' pages say how it went, by what only they know.
        if method == "GET" || id == "reportView" {
            continue;
        }
        for headers in [
            &[("origin", "https://elsewhere.example")][..],
            &[("origin", "null")],
            &[("sec-fetch-site", "cross-site"), ("origin", "https://elsewhere.example")],
            &[("sec-fetch-site", "same-site")],
        ] {
            let mut request =
                Request::builder().method(method.as_str()).uri(&path).header(header::COOKIE, &owner.cookie);
            for (name, value) in headers {
                request = request.header(*name, *value);
            }
            if body.is_some() {
                request = request.header(header::CONTENT_TYPE, "application/json");
            }
            let body = body.as_ref().map_or(Body::empty(), |body| Body::from(body.to_string()));
            let answer = stage.world.send(request.body(body).unwrap()).await;
            let kind = answer.json()["type"].clone();
            if (answer.status, &kind) != (StatusCode::FORBIDDEN, &json!("/problems/cross-origin")) {
                wrong.push(format!("{id} {headers:?}: {} {kind}", answer.status));
            }
            checked += 1;
        }
    }
    assert!(checked > 200, "{checked}");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// What somebody has who has a channel: each list by its path, and an id on it.
async fn belongings(stage: &Stage, who: &Somebody, channel: &str) -> Vec<(String, String)> {
    let call = async |method: &str, path: &str, body: Value| {
        ok(stage.world.call(method, &format!("/api/v1/{path}"), &who.cookie, Some(body)).await).await
    };
    call("POST", "channels", json!({ "name": channel })).await;
    let at = |rest: &str| format!("channels/{channel}/{rest}");
    let text = |value: &Value| value.as_str().unwrap_or_else(|| panic!("{value}")).to_owned();
    let hook = json!({ "url": "https://hooks.example.com/", "kinds": ["StreamStarted"] });
    let hook = call("POST", &at("webhooks"), hook).await;
    let codes = json!({ "tier": "one", "days": 30, "count": 2 });
    let codes = call("POST", &at("gift-codes"), codes).await;
    let link = call("POST", &at("access-links"), json!({})).await;
    let message = call("POST", &at("chat/messages"), json!({ "text": "Hello" })).await;
    let poll = json!({ "question": "What next?", "options": ["Clay", "Stones"], "seconds": 60 });
    let poll = call("POST", &at("chat/polls"), poll).await;
    let token = call("POST", "me/tokens", json!({ "label": "Deck", "scopes": ["read"] })).await;
    let login = ok(stage.world.get("/api/v1/me/logins", &who.cookie).await).await;
    vec![
        (at("webhooks"), text(&hook["webhook"]["id"])),
        (at("gift-codes"), text(&codes["batch"]["id"])),
        (at("access-links"), text(&link["link"]["id"])),
        (at("chat/messages"), text(&message["id"])),
        (at("chat"), text(&poll["id"])),
        ("me/tokens".to_owned(), text(&token["token"]["id"])),
        ("me/logins".to_owned(), text(&login["items"][0]["id"])),
    ]
}

#[tokio::test]
async fn nothing_of_somebody_else_s_is_to_be_had_by_its_id() {
    let stage = Stage::new().await;
    let (owner, rival) = (of(&stage, Standing::Owner), of(&stage, Standing::Viewer));
    let things = belongings(&stage, rival, "rivals").await;
    sql(
        &stage.world,
        "INSERT INTO broadcasts (id, channel_id, title, category, started_at, ended_at, clock_offset)
         SELECT 'theirs', id, '', '', 1000, 2000, 0 FROM channels WHERE name = 'rivals'",
    )
    .await;
    let lists = async || {
        let mut all = Vec::new();
        for (list, _) in &things {
            let mut list = ok(stage.world.get(&format!("/api/v1/{list}"), &rival.cookie).await).await;
            // When they were seen last is by the minute, and no part of it.
            list["items"]
                .as_array_mut()
                .into_iter()
                .flatten()
                .for_each(|item| item["lastSeen"] = Value::Null);
            all.push(list);
        }
        all
    };
    let before = lists().await;
    let document = ok(stage.world.get("/api/v1/openapi.json", "").await).await;
    let (mut checked, mut wrong) = (0, Vec::new());
    for (path, item) in document["paths"].as_object().unwrap() {
        // Invites are the instance's, and whether a broadcast is on anybody may ask.
        let is_anybodys = path.starts_with("/api/v1/invites") || path.contains("/live/status/");
        if is_anybodys || !(path.contains("{id}") || path.contains("{streamId}")) {
            continue;
        }
        for (method, operation) in item.as_object().unwrap() {
            let ids = things.iter().map(|(_, id)| id.as_str()).chain(["theirs"]);
            for id in ids {
                let filled = path
                    .replace("{name}", "stage")
                    .replace("{event}", id)
                    .replace("{streamId}", id)
                    .replace("{id}", id);
                let body = operation["requestBody"]["content"]["application/json"].get("example").cloned();
                let answer = stage.world.call(&method.to_uppercase(), &filled, &owner.cookie, body).await;
                // Whose it is, is told by 403 where everybody may know that it is there.
                if !matches!(answer.status.as_u16(), 403 | 404) {
                    wrong.push(format!("{method} {filled}: {} {}", answer.status, answer.text()));
                }
                checked += 1;
            }
        }
    }
    assert!(checked > 100, "{checked}");
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(lists().await, before);
}
