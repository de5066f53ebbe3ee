use super::*;
use futures_util::future::join_all;

#[tokio::test]
async fn the_owner_sets_up_once_and_the_link_is_over() {
    let world = World::new().await;
    assert_eq!(world.get("/api/v1/instance", "").await.json()["needsSetUp"], true);
    let token = world.setup_token();
    world
        .call("POST", "/api/v1/setup", "", Some(set_up("guess", "ada")))
        .await
        .problem(403, "stale-set-up-link");
    let first = world.call("POST", "/api/v1/setup", "", Some(set_up(&token, "ada"))).await;
    assert_eq!(first.status, StatusCode::CREATED);
    assert_eq!(first.json()["role"], "owner");
    assert_eq!(first.json()["channels"][0]["name"], "ada");
    assert!(first.header(header::SET_COOKIE).contains("HttpOnly"));
    world
        .call("POST", "/api/v1/setup", "", Some(set_up(&token, "bob")))
        .await
        .problem(403, "stale-set-up-link");
    assert_eq!(world.get("/api/v1/instance", "").await.json()["needsSetUp"], false);
    // Nothing prints a link once there is an account.
    drop(world.server);
    let again = Server::start(config(&world.dir)).await.unwrap();
    assert!(again.setup_link().is_none());
}

#[tokio::test]
async fn a_setup_link_is_good_for_one_of_many_at_once() {
    let world = World::new().await;
    let token = world.setup_token();
    let tries = (0..4).map(|n| {
        let mut body = set_up(&token, &format!("channel{n}"));
        body["name"] = json!(format!("owner{n}"));
        world.call("POST", "/api/v1/setup", "", Some(body))
    });
    let made = join_all(tries).await.iter().filter(|answer| answer.status == StatusCode::CREATED).count();
    assert_eq!(made, 1);
}

#[tokio::test]
async fn each_start_makes_the_earlier_link_stale() {
    let world = World::new().await;
    let old = world.setup_token();
    let again = World { server: Server::start(config(&world.dir)).await.unwrap(), dir: world.dir };
    again
        .call("POST", "/api/v1/setup", "", Some(set_up(&old, "ada")))
        .await
        .problem(403, "stale-set-up-link");
    again.set_up().await;
}

#[tokio::test]
async fn people_sign_in_and_out_and_revoke_logins() {
    let world = World::new().await;
    let first = world.set_up().await;
    let right = json!({ "name": "Ada", "password": "correct horse" });
    let wrong = json!({ "name": "ada", "password": "wrong horse!" });
    let nobody = json!({ "name": "nobody", "password": "wrong horse!" });
    let refused = world.call("POST", "/api/v1/login", "", Some(wrong)).await;
    let unknown = world.call("POST", "/api/v1/login", "", Some(nobody)).await;
    refused.problem(401, "wrong-password");
    assert_eq!(refused.body, unknown.body, "an unknown account looks like a wrong password");
    let second = cookie_of(&world.call("POST", "/api/v1/login", "", Some(right)).await);
    assert_eq!(world.get("/api/v1/me", &second).await.json()["name"], "ada");

    let logins = world.get("/api/v1/me/logins", &second).await.json();
    assert_eq!(logins["items"].as_array().unwrap().len(), 2);
    let other = logins["items"].as_array().unwrap().iter().find(|login| login["current"] == false).unwrap();
    let path = format!("/api/v1/me/logins/{}", other["id"].as_str().unwrap());
    assert_eq!(world.call("DELETE", &path, &second, None).await.status, StatusCode::NO_CONTENT);
    world.call("DELETE", &path, &second, None).await.problem(404, "unknown-login");
    world.get("/api/v1/me", &first).await.problem(401, "signed-out");

    let out = world.call("POST", "/api/v1/logout", &second, None).await;
    assert_eq!(out.status, StatusCode::NO_CONTENT);
    assert!(out.header(header::SET_COOKIE).contains("Max-Age=0"));
    world.get("/api/v1/me", &second).await.problem(401, "signed-out");
    assert_eq!(world.call("POST", "/api/v1/logout", "", None).await.status, StatusCode::NO_CONTENT);
    for cookie in ["weir_login=", "weir_login=x", "weir_login=\"; DROP TABLE logins"] {
        world.get("/api/v1/me", cookie).await.problem(401, "signed-out");
    }
}

#[tokio::test]
async fn guessing_is_slowed_down() {
    let world = World::new().await;
    let guess = json!({ "name": "ada", "password": "wrong horse!" });
    for _ in 0..10 {
        world.call("POST", "/api/v1/login", "", Some(guess.clone())).await.problem(401, "wrong-password");
    }
    let answer = world.call("POST", "/api/v1/login", "", Some(guess)).await;
    let problem = answer.problem(429, "too-many-tries");
    assert_eq!(answer.header(header::RETRY_AFTER), problem["retryAfter"].to_string());
}

#[tokio::test]
async fn a_channel_is_made_edited_and_listed() {
    let world = World::new().await;
    let ada = world.set_up().await;
    let made = world.call("POST", "/api/v1/channels", &ada, Some(json!({ "name": "Second" }))).await;
    assert_eq!(made.status, StatusCode::CREATED);
    let key = made.json()["streamKey"].as_str().unwrap().to_owned();
    assert!(made.json()["whipUrl"].as_str().unwrap().ends_with("/whip/second"));
    let taken = world.call("POST", "/api/v1/channels", &ada, Some(json!({ "name": "second" }))).await;
    assert_eq!(taken.problem(409, "name-taken")["field"], "name");
    world
        .call("POST", "/api/v1/channels", "", Some(json!({ "name": "third" })))
        .await
        .problem(401, "signed-out");

    let html = "<img src=x onerror=alert(1)>";
    let edit = json!({ "title": html, "tags": ["Rust", "rust"], "description": "a\nb" });
    let edited = world.call("PATCH", "/api/v1/channels/second", &ada, Some(edit)).await;
    assert_eq!(edited.json()["title"], html, "HTML is text");
    assert_eq!(edited.json()["tags"], json!(["Rust"]));
    assert_eq!(edited.header(header::CONTENT_TYPE), "application/json");
    let read = world.get("/api/v1/channels/SECOND", "").await;
    assert_eq!(read.json(), edited.json());
    assert!(!read.text().contains(&key));
    let state = world.get("/api/v1/channels/second/state", "").await.json();
    assert_eq!((&state["state"], &state["title"]), (&json!("offline"), &json!(html)));
    let directory = world.get("/api/v1/channels", "").await.json();
    assert_eq!(directory["items"].as_array().unwrap().len(), 2);

    let long = json!({ "title": "x".repeat(141) });
    let refused = world.call("PATCH", "/api/v1/channels/second", &ada, Some(long)).await;
    assert_eq!(refused.problem(422, "invalid")["field"], "title");
    let tags: Vec<String> = (0..11).map(|n| format!("t{n}")).collect();
    let refused = world.call("PATCH", "/api/v1/channels/second", &ada, Some(json!({ "tags": tags }))).await;
    assert_eq!(refused.problem(422, "invalid")["field"], "tags");
    world.get("/api/v1/channels/nobody", "").await.problem(404, "unknown-channel");
    world.get("/api/v1/channels/%3Cb%3E", "").await.problem(404, "not-found");
}

#[tokio::test]
async fn private_and_unlisted_channels_stay_so() {
    let world = World::new().await;
    let ada = world.set_up().await;
    for (visibility, read, listed) in [("PRIVATE", 404, 0), ("UNLISTED", 200, 0), ("PUBLIC", 200, 1)] {
        let edit = json!({ "visibility": visibility });
        world.call("PATCH", "/api/v1/channels/ada", &ada, Some(edit)).await;
        for path in ["/api/v1/channels/ada", "/api/v1/channels/ada/state"] {
            assert_eq!(world.get(path, "").await.status, read, "{visibility}");
            assert_eq!(world.get(path, &ada).await.status, 200, "{visibility}");
        }
        let directory = world.get("/api/v1/channels", &ada).await.json();
        assert_eq!(directory["items"].as_array().unwrap().len(), listed, "{visibility}");
    }
}

#[tokio::test]
async fn keys_and_tokens_publish_to_their_channel_until_the_key_is_replaced() {
    let world = World::new().await;
    let ada = world.set_up().await;
    let store = world.server.store.clone();
    let log: Arc<dyn BroadcastLog> = Arc::new(SqlBroadcastLog::new(store.clone()));
    let ports =
        connect::ports(&store, &LiveBoard::default(), log, &Bus::default(), Arc::new(connect::NothingLive));
    let channels = Channels::new(store.clone(), ports);
    let made = world.call("POST", "/api/v1/channels", &ada, Some(json!({ "name": "second" }))).await.json();
    let old = made["streamKey"].as_str().unwrap().to_owned();
    let token = world.call("POST", "/api/v1/channels/second/publish-token", &ada, None).await;
    assert_eq!(token.status, StatusCode::CREATED);
    let token = token.json()["token"].as_str().unwrap().to_owned();
    let (second, first) = ("second".parse().unwrap(), "ada".parse().unwrap());
    for secret in [&old, &token] {
        assert_eq!(channels.publisher(None, secret).await.unwrap().channel_name, second);
        assert!(channels.publisher(Some(&second), secret).await.is_ok());
        assert!(channels.publisher(Some(&first), secret).await.is_err(), "another channel's");
    }
    let new = world.call("POST", "/api/v1/channels/second/stream-key", &ada, None).await.json();
    assert!(channels.publisher(None, new["streamKey"].as_str().unwrap()).await.is_ok());
    for secret in [&old, &token, "", "weir_key_x"] {
        assert!(channels.publisher(None, secret).await.is_err());
    }
    world.call("POST", "/api/v1/channels/second/stream-key", "", None).await.problem(401, "signed-out");
    let end = world.call("POST", "/api/v1/channels/second/end", &ada, None).await;
    assert_eq!(end.status, StatusCode::NO_CONTENT);
    assert!(channels.watcher(&second, crate::actor::Visitor::default()).await.is_ok());
    let file = std::fs::read(world.dir.path().join("data/weir.db")).unwrap();
    let wal = std::fs::read(world.dir.path().join("data/weir.db-wal")).unwrap_or_default();
    for secret in [&old, &token, &ada] {
        let text = &secret.as_bytes()[secret.len() - 43..];
        let found = [&file, &wal].iter().any(|file| file.windows(text.len()).any(|window| window == text));
        assert!(!found, "a secret is in the database");
    }
}

#[tokio::test]
async fn a_channel_from_the_shell_is_the_owners() {
    let dir = tempfile::tempdir().unwrap();
    let early = create_channel(config(&dir), "early".parse().unwrap(), None).await.unwrap();
    assert!(early.stream_key.starts_with("weir_key_"));
    let twice = create_channel(config(&dir), "early".parse().unwrap(), None).await.unwrap_err();
    assert!(twice.to_string().contains("exists already"));
    let world = World { server: Server::start(config(&dir)).await.unwrap(), dir };
    let body = set_up(&world.setup_token(), "early");
    let me = world.call("POST", "/api/v1/setup", "", Some(body)).await;
    assert_eq!(me.json()["channels"].as_array().unwrap().len(), 1);
    create_channel(config(&world.dir), "late".parse().unwrap(), None).await.unwrap();
    let names = world.get("/api/v1/me", &cookie_of(&me)).await.json();
    assert_eq!(names["channels"][1]["name"], "late", "made beside the running server");
    assert_eq!(world.get("/api/v1/channels/late", "").await.status, 200);
}

#[tokio::test]
async fn other_sites_pages_change_nothing() {
    let world = World::new().await;
    let ada = world.set_up().await;
    let edit = |name: &'static str, value: &'static str| {
        Request::patch("/api/v1/channels/ada")
            .header(header::COOKIE, &ada)
            .header(header::HOST, "localhost:8080")
            .header(header::CONTENT_TYPE, "application/json")
            .header(name, value)
            .body(Body::from(r#"{"title":"mine"}"#))
            .unwrap()
    };
    for (name, value) in [
        ("origin", "https://evil.example"),
        ("origin", "null"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
    ] {
        world.send(edit(name, value)).await.problem(403, "cross-origin");
    }
    assert_eq!(world.get("/api/v1/channels/ada", "").await.json()["title"], "");
    assert_eq!(world.send(edit("origin", "http://localhost:8080")).await.status, 200);
    assert_eq!(world.send(edit("sec-fetch-site", "same-origin")).await.status, 200);
}

#[tokio::test]
async fn hostile_requests_are_answered_with_problems() {
    let world = World::new().await;
    let post = |kind: &str, body: Vec<u8>| {
        Request::post("/api/v1/login").header(header::CONTENT_TYPE, kind).body(Body::from(body)).unwrap()
    };
    world.send(post("application/json", b"{".to_vec())).await.problem(400, "malformed-json");
    world.send(post("application/json", vec![0xff; 10])).await.problem(400, "malformed-json");
    world.send(post("application/json", vec![b' '; 70_000])).await.problem(413, "too-large");
    world.send(post("text/plain", b"{}".to_vec())).await.problem(415, "not-json");
    let bare = Request::post("/api/v1/login").body(Body::from("{}")).unwrap();
    world.send(bare).await.problem(415, "not-json");
    let short =
        world.send(post("application/json", br#"{"name":"ada","password":"hunter2"}"#.to_vec())).await;
    assert_eq!(short.problem(422, "invalid")["field"], "password");
    assert!(!short.text().contains("hunter2"), "the password does not come back");
    let wrong = world.call("PUT", "/api/v1/login", "", None).await;
    wrong.problem(405, "wrong-method");
    assert_eq!(wrong.header(header::ALLOW), "POST");
    for path in ["/api/v1/nothing", "/api/v1/", "/api/v2/me", "/api/"] {
        world.get(path, "").await.problem(404, "not-found");
    }
    world.get("/api/v1/events", "").await.problem(400, "not-a-websocket");
}

#[tokio::test]
async fn pages_are_served_with_their_guards() {
    let world = World::new().await;
    for path in ["/", "/ada", "/studio/ada", "/set-up?token=x"] {
        let request = Request::get(path).header(header::ACCEPT, "text/html").body(Body::empty()).unwrap();
        let page = world.send(request).await;
        assert_eq!(page.status, 200, "{path}");
        assert!(
            page.header(header::CONTENT_SECURITY_POLICY).contains("script-src 'self' 'wasm-unsafe-eval'")
        );
        assert_eq!(page.header(header::X_CONTENT_TYPE_OPTIONS), "nosniff");
        assert!(page.headers["permissions-policy"].to_str().unwrap().contains("camera=(self)"));
        assert!(!page.header(header::ETAG).is_empty());
    }
    world.get("/assets/nothing.js", "").await.problem(404, "not-found");
    world.call("POST", "/ada", "", None).await.problem(404, "not-found");
}

#[tokio::test]
async fn health_and_metrics_tell_how_it_is() {
    let world = World::new().await;
    assert_eq!(world.get("/healthz", "").await.status, 200);
    assert_eq!(world.get("/readyz", "").await.json()["ready"], true);
    world.get("/api/v1/channels/nobody", "").await;
    let metrics = world.get("/metrics", "").await.text();
    let line = r#"weir_http_requests_total{method="GET",route="/api/v1/channels/{name}",status="404"} 1"#;
    assert!(metrics.contains(line), "{metrics}");
    assert!(metrics.contains("weir_build_info{version="));
    assert!(metrics.contains("weir_event_connections 0"));
    world.server.draining.send_replace(true);
    let draining = world.get("/readyz", "").await;
    assert_eq!((draining.status.as_u16(), &draining.json()["ready"]), (503, &json!(false)));
    world.server.store.close().await;
    assert_eq!(world.get("/readyz", "").await.json()["reasons"].as_array().unwrap().len(), 2);
    assert_eq!(world.get("/healthz", "").await.status, 200);
}

#[tokio::test]
async fn a_port_in_use_is_said_so() {
    let world = World::new().await;
    let mut taken = config(&world.dir);
    taken.http.listen = world.server.addresses().to_vec();
    let error = Server::start(taken).await.err().expect("it can't start").to_string();
    assert!(error.contains("in use") && error.contains("WEIR_HTTP_LISTEN"), "{error}");
}

#[tokio::test]
async fn a_store_that_fails_is_a_problem_and_pages_go_on() {
    let world = World::new().await;
    world.server.store.close().await;
    world.get("/api/v1/channels/ada", "").await.problem(503, "store-unavailable");
    let page = Request::get("/").header(header::ACCEPT, "text/html").body(Body::empty()).unwrap();
    assert_eq!(world.send(page).await.status, 200);
}

#[tokio::test]
async fn a_channel_is_not_taken_for_somebody_else_s() {
    let world = World::new().await;
    let ada = world.set_up().await;
    let call = async |method: &str, path: &str, cookie: &str, body: Value| {
        world.call(method, &format!("/api/v1/{path}"), cookie, Some(body)).await
    };
    call("PATCH", "instance/settings", &ada, json!({ "signUp": "open" })).await;
    let ben = json!({ "name": "ben", "displayName": "Ben", "password": "correct horse" });
    let ben = cookie_of(&call("POST", "sign-up", "", ben).await);
    call("POST", "channels", &ada, json!({ "name": "evenings", "displayName": "Evenings" })).await;
    let look_alikes = ["Ada", "АDА", "a d a", "Ádä", "EvenIngs", "Moderator", "🜁", "A\u{200B}da"];
    for shown in look_alikes {
        let made = call("POST", "channels", &ben, json!({ "name": "bens", "displayName": shown })).await;
        assert_eq!(made.problem(409, "look-alike")["field"], "displayName", "{shown}");
    }
    for name in ["a-da", "even1ngs", "moderator"] {
        let made = call("POST", "channels", &ben, json!({ "name": name, "displayName": "Bees" })).await;
        assert_eq!(made.problem(409, "look-alike")["field"], "name", "{name}");
    }
    let taken = call("POST", "channels", &ben, json!({ "name": "ada" })).await;
    assert_eq!(taken.problem(409, "name-taken")["field"], "name");
    for body in [json!({ "name": "bens" }), json!({ "name": "b-e-n", "displayName": "Ben!" })] {
        let made = call("POST", "channels", &ben, body).await;
        assert_eq!(made.status, StatusCode::CREATED, "one's own names: {}", made.text());
    }
    let edit = async |who: &str, body: Value| call("PATCH", "channels/bens", who, body).await;
    for shown in look_alikes {
        let edited = edit(&ben, json!({ "displayName": shown })).await;
        assert_eq!(edited.problem(409, "look-alike")["field"], "displayName", "{shown}");
    }
    for shown in ["Ben", "bens", "Bees", "Bees"] {
        let edited = edit(&ben, json!({ "displayName": shown })).await;
        assert_eq!(edited.status, StatusCode::OK, "{shown}: {}", edited.text());
    }
    // An editor names it as its owner may, and not after themselves.
    call("PUT", "channels/bens/roles/ada", &ben, json!({ "role": "editor" })).await;
    edit(&ada, json!({ "displayName": "Ada" })).await.problem(409, "look-alike");
    assert_eq!(edit(&ada, json!({ "displayName": "Ben" })).await.status, StatusCode::OK);
    // What somebody else took meanwhile stays theirs, and keeps nobody from the rest of an edit.
    sqlx::query("UPDATE accounts SET display_name = 'Ben' WHERE name = 'ada'")
        .execute(world.server.store.pool())
        .await
        .unwrap();
    let both = json!({ "displayName": "Ben", "title": "Late" });
    assert_eq!(edit(&ben, both).await.json()["title"], "Late");
}
