//! What is deleted is deleted everywhere: every table is asked, also those that are added later.

use super::{
    matrix::{Stage, ok, sql},
    *,
};
use crate::permission::Standing;
use sqlx::{AssertSqlSafe, Row};

async fn one(world: &World, statement: String) -> String {
    let row = sqlx::query(AssertSqlSafe(statement)).fetch_one(world.server.store.pool()).await.unwrap();
    row.try_get(0).unwrap()
}

/// The tables that have a row of this, by the column that says so; the record keeps its own.
async fn left(world: &World, column: &str, id: &str) -> Vec<String> {
    let tables = sqlx::query(
        "SELECT m.name FROM sqlite_master m JOIN pragma_table_info(m.name) c ON c.name = $1
         WHERE m.type = 'table' AND m.name <> 'audit_log' ORDER BY m.name",
    )
    .bind(column.to_owned())
    .fetch_all(world.server.store.pool())
    .await
    .unwrap();
    assert!(!tables.is_empty(), "{column}");
    let mut left = Vec::new();
    for table in tables {
        let table: String = table.try_get(0).unwrap();
        let count = format!("SELECT CAST(COUNT(*) AS TEXT) FROM {table} WHERE {column} = '{id}'");
        if one(world, count).await != "0" {
            left.push(table);
        }
    }
    left
}

async fn assert_whole(world: &World) {
    let broken = sqlx::query("PRAGMA foreign_key_check").fetch_all(world.server.store.pool()).await.unwrap();
    assert!(broken.is_empty(), "{} rows refer to what is gone", broken.len());
}

async fn cookie(stage: &Stage, standing: Standing) -> String {
    stage.people.iter().find(|one| one.standing == standing).unwrap().cookie.clone()
}

async fn run(world: &World, statement: String) {
    sqlx::query(AssertSqlSafe(statement)).execute(world.server.store.pool()).await.unwrap();
}

/// The columns of text that hold one of these, as `table.column`.
async fn that_hold(world: &World, texts: &[&str]) -> Vec<String> {
    let columns = sqlx::query(
        "SELECT m.name, c.name FROM sqlite_master m JOIN pragma_table_info(m.name) c ON c.type = 'TEXT'
         WHERE m.type = 'table' ORDER BY m.name, c.name",
    )
    .fetch_all(world.server.store.pool())
    .await
    .unwrap();
    assert!(columns.len() > 100, "{}", columns.len());
    let mut hold = Vec::new();
    for row in columns {
        let (table, column): (String, String) = (row.try_get(0).unwrap(), row.try_get(1).unwrap());
        for text in texts {
            let count =
                format!("SELECT CAST(COUNT(*) AS TEXT) FROM {table} WHERE INSTR({column}, '{text}') > 0");
            if one(world, count).await != "0" {
                hold.push(format!("{table}.{column}"));
                break;
            }
        }
    }
    hold
}

#[tokio::test]
async fn of_a_deleted_channel_no_table_has_a_row() {
    let stage = Stage::new().await;
    let (world, owner) = (&stage.world, cookie(&stage, Standing::Owner).await);
    let id = one(world, "SELECT id FROM channels WHERE name = 'stage'".to_owned()).await;
    let hook = json!({ "url": "https://hooks.example.com/", "kinds": ["ActionTaken"] });
    ok(world.call("POST", "/api/v1/channels/stage/webhooks", &owner, Some(hook)).await).await;
    let poll = json!({ "question": "Next?", "options": ["Clay", "Stones"], "seconds": 60 });
    ok(world.call("POST", "/api/v1/channels/stage/chat/polls", &owner, Some(poll)).await).await;
    // A badge of another channel's shows a picture that no emote shows.
    sql(world, "INSERT INTO chat_pictures (hash, still) VALUES ('theirs', 'x'), ('own', 'x')").await;
    for (channel, hash) in [("ada", "theirs"), ("stage", "own")] {
        let badge = "INSERT INTO chat_badges (channel_id, tier, hash, set_at) SELECT id, 1";
        run(world, format!("{badge}, '{hash}', 0 FROM channels WHERE name = '{channel}'")).await;
    }
    let before = left(world, "channel_id", &id).await;
    assert!(before.len() > 8, "{before:?}");
    let body = json!({ "confirm": "stage" });
    let gone = world.call("POST", "/api/v1/channels/stage/delete", &owner, Some(body)).await;
    assert_eq!(gone.status, StatusCode::NO_CONTENT, "{}", gone.text());
    assert_eq!(left(world, "channel_id", &id).await, Vec::<String>::new());
    let count = "SELECT CAST(COUNT(*) AS TEXT) FROM broadcasts WHERE id = 'over'".to_owned();
    assert_eq!(one(world, count).await, "0");
    assert_eq!(one(world, "SELECT GROUP_CONCAT(hash) FROM chat_pictures".to_owned()).await, "theirs");
    assert_whole(world).await;
}

#[tokio::test]
async fn a_suspended_channel_is_not_made_anew_by_its_owner() {
    let stage = Stage::new().await;
    let (world, owner) = (&stage.world, cookie(&stage, Standing::Owner).await);
    let admin = cookie(&stage, Standing::Admin).await;
    let suspend = Some(json!({ "suspended": true }));
    ok(world.call("PATCH", "/api/v1/instance/channels/stage", &admin, suspend).await).await;
    let delete = async |who: &str| {
        let body = json!({ "confirm": "stage" });
        world.call("POST", "/api/v1/channels/stage/delete", who, Some(body)).await
    };
    delete(&owner).await.problem(403, "channel-suspended");
    assert_eq!(delete(&admin).await.status, StatusCode::NO_CONTENT);
    let again = world.call("POST", "/api/v1/channels", &owner, Some(json!({ "name": "stage" }))).await;
    assert_eq!(again.status, StatusCode::CONFLICT, "{}", again.text());
}

#[tokio::test]
async fn channels_of_those_who_run_the_instance_are_spared_as_their_accounts_are() {
    let stage = Stage::new().await;
    let (world, admin) = (&stage.world, cookie(&stage, Standing::Admin).await);
    let boss = cookie(&stage, Standing::InstanceOwner).await;
    ok(world.call("POST", "/api/v1/channels", &admin, Some(json!({ "name": "harbour" }))).await).await;
    let suspend = async |who: &str, channel: &str, suspended: bool| {
        let body = json!({ "suspended": suspended });
        world.call("PATCH", &format!("/api/v1/instance/channels/{channel}"), who, Some(body)).await
    };
    suspend(&admin, "ada", true).await.problem(409, "untouchable");
    let body = json!({ "confirm": "ada" });
    let gone = world.call("POST", "/api/v1/channels/ada/delete", &admin, Some(body)).await;
    gone.problem(409, "untouchable");
    // An admin whose channel the owner suspended doesn't let it in again.
    ok(suspend(&boss, "harbour", true).await).await;
    suspend(&admin, "harbour", false).await.problem(409, "untouchable");
    sql(world, "UPDATE accounts SET role = 'admin' WHERE name = 'editor'").await;
    let other = cookie(&stage, Standing::Editor).await;
    suspend(&other, "harbour", false).await.problem(403, "not-yours");
    ok(suspend(&boss, "harbour", false).await).await;
}

#[tokio::test]
async fn of_a_deleted_account_no_text_has_the_name_but_where_it_is_said_that_it_stays() {
    let stage = Stage::new().await;
    let (world, vip) = (&stage.world, cookie(&stage, Standing::Vip).await);
    let owner = cookie(&stage, Standing::Owner).await;
    sql(
        world,
        "UPDATE accounts SET name = 'quilla', display_name = 'Quilla Quoin', colour = 'teal' WHERE name = 'vip'",
    )
    .await;
    let id = one(world, "SELECT id FROM accounts WHERE name = 'quilla'".to_owned()).await;
    let channel = one(world, "SELECT id FROM channels WHERE name = 'stage'".to_owned()).await;
    let say = async |who: &str, body: Value| {
        ok(world.call("POST", "/api/v1/channels/stage/chat/messages", who, Some(body)).await).await
    };
    let said = say(&vip, json!({ "text": "Hi" })).await["id"].as_str().unwrap().to_owned();
    say(&owner, json!({ "text": "Hello you", "replyTo": said })).await;
    run(world, format!("UPDATE chat_rooms SET pinned = '{said}' WHERE channel_id = '{channel}'")).await;
    let author = r#"{"id":"guest-x","name":"Ben"}"#;
    let answer = json!({ "id": said, "name": "Quilla Quoin", "excerpt": "Hi" });
    let own =
        json!({ "id": id, "name": "Quilla Quoin", "account": "quilla", "badges": ["vip"], "colour": "teal" });
    for (held, person, author) in [("h1", "guest-x", author.to_owned()), ("h2", id.as_str(), own.to_string())]
    {
        run(
            world,
            format!(
                "INSERT INTO chat_held (id, channel_id, held_at, person_id, message, reasons, decided_by, by_name)
                 VALUES ('{held}', '{channel}', 0, '{person}',
                 '{{\"author\":{author},\"fragments\":[],\"reply_to\":{answer},\"action\":false}}', '[]', '{id}', 'Quilla Quoin')"
            ),
        )
        .await;
    }
    let silenced = json!({ "type": "silenced", "person": id, "name": "Quilla Quoin", "until": "x" });
    for statement in [
        format!("INSERT INTO chat_changes VALUES ('{channel}', 900, 0, '{silenced}')"),
        format!(
            "INSERT INTO chat_actions (id, channel_id, done_at, done_by, by_name, kind, person_id, person_name, detail)
             VALUES ('00a1', '{channel}', 0, '{id}', 'Quilla Quoin', 'timeOut', '{id}', 'Quilla Quoin', '')"
        ),
        format!(
            "INSERT INTO chat_appeals (id, channel_id, person_id, against, began_at, made_at, name, message, state, answer)
             VALUES ('p1', '{channel}', '{id}', 'ban', 0, 0, 'Quilla Quoin', 'Please', 'waiting', '')"
        ),
        format!(
            "INSERT INTO chat_appeals (id, channel_id, person_id, against, began_at, made_at, name, message, state,
             decided_by, by_name, answer) SELECT 'p2', '{channel}', id, 'ban', 0, 0, 'The Tier1', 'Please', 'declined',
             '{id}', 'Quilla Quoin', '' FROM accounts WHERE name = 'tier1'"
        ),
        format!("INSERT INTO activities VALUES ('x1', '{channel}', 'follow {id}', 'follow', 0, '{id}', '{{}}')"),
        format!("INSERT INTO subscription_tenures VALUES ('{channel}', '{id}', 0, 0, 0, 0, NULL)"),
        format!("INSERT INTO reset_letters VALUES ('l1', '{id}', 0, 0, 0)"),
    ] {
        run(world, statement).await;
    }
    let texts = [id.as_str(), "quilla", "Quilla Quoin"];
    let before = that_hold(world, &texts).await;
    for column in
        ["chat_held.message", "chat_messages.author_name", "chat_messages.reply_to", "chat_changes.change"]
    {
        assert!(before.iter().any(|held| held == column), "{column}: {before:?}");
    }
    let gone = world.call("POST", "/api/v1/me/delete", &vip, Some(json!({ "confirm": "quilla" }))).await;
    assert_eq!(gone.status, StatusCode::NO_CONTENT, "{}", gone.text());
    let names = that_hold(world, &["quilla", "Quilla Quoin"]).await;
    let stay = |held: &String| held.starts_with("audit_log.") || held.starts_with("kept_names.");
    assert!(names.iter().all(stay), "{names:?}");
    // Of whom no more is known, the id stays: what they wrote is one person's.
    let ids = [
        "chat_actions.done_by",
        "chat_actions.person_id",
        "chat_appeals.decided_by",
        "chat_held.decided_by",
        "chat_held.message",
        "chat_held.person_id",
        "chat_messages.person_id",
    ];
    let hold = that_hold(world, &[id.as_str()]).await;
    assert!(hold.iter().all(|held| stay(held) || ids.contains(&held.as_str())), "{hold:?}");
    let coloured =
        "SELECT CAST(COUNT(*) AS TEXT) FROM chat_messages WHERE author_colour IS NOT NULL".to_owned();
    assert_eq!(one(world, coloured).await, "0");
    let held = one(world, "SELECT message FROM chat_held WHERE id = 'h2'".to_owned()).await;
    assert!(!held.contains("teal") && !held.contains("badges"), "{held}");
    assert_whole(world).await;
}

#[tokio::test]
async fn of_a_deleted_account_no_table_has_a_row_and_its_words_no_name() {
    let stage = Stage::new().await;
    let (world, vip) = (&stage.world, cookie(&stage, Standing::Vip).await);
    let id = one(world, "SELECT id FROM accounts WHERE name = 'vip'".to_owned()).await;
    let call = async |path: &str, body: Value| {
        ok(world.call("POST", &format!("/api/v1/{path}"), &vip, Some(body)).await).await
    };
    call("channels", json!({ "name": "vips" })).await;
    call("channels/stage/chat/messages", json!({ "text": "Hi" })).await;
    call("me/tokens", json!({ "label": "x", "scopes": ["read"] })).await;
    sql(world, "UPDATE accounts SET display_name = '50%_\"\\Ö' WHERE name = 'vip'").await;
    let mine = call("channels/vips/chat/messages", json!({ "text": "Own" })).await;
    assert!(mine["id"].is_string());
    sql(world, "UPDATE chat_messages SET author_name = '50%_\"\\Ö' WHERE author_account = 'vip'").await;
    let answered = one(world, "SELECT id FROM chat_messages WHERE fragments LIKE '%Hi%'".to_owned()).await;
    let owner = cookie(&stage, Standing::Owner).await;
    let reply = json!({ "text": "Hello you", "replyTo": answered });
    ok(world.call("POST", "/api/v1/channels/stage/chat/messages", &owner, Some(reply)).await).await;
    assert!(left(world, "account_id", &id).await.len() > 2);
    let gone = world.call("POST", "/api/v1/me/delete", &vip, Some(json!({ "confirm": "vip" }))).await;
    assert_eq!(gone.status, StatusCode::NO_CONTENT, "{}", gone.text());
    assert_eq!(left(world, "account_id", &id).await, Vec::<String>::new());
    assert_eq!(left(world, "owner_id", &id).await, Vec::<String>::new());
    for (what, text) in [
        ("chat_messages", "SELECT author_name FROM chat_messages WHERE fragments LIKE '%Hi%'"),
        ("an answer", "SELECT reply_to FROM chat_messages WHERE fragments LIKE '%Hello you%'"),
    ] {
        let text = one(world, text.to_owned()).await;
        assert!(text.contains("Deleted person") && !text.contains("50%"), "{what}: {text}");
    }
    let named = "SELECT CAST(COUNT(*) AS TEXT) FROM chat_messages WHERE author_account = 'vip'".to_owned();
    assert_eq!(one(world, named).await, "0");
    assert_whole(world).await;
}

#[tokio::test]
async fn what_can_t_be_written_to_its_end_is_not_deleted_at_all() {
    let stage = Stage::new().await;
    let (world, owner) = (&stage.world, cookie(&stage, Standing::Owner).await);
    let id = one(world, "SELECT id FROM channels WHERE name = 'stage'".to_owned()).await;
    let before = left(world, "channel_id", &id).await;
    // The last of what is deleted fails.
    sql(world, "CREATE TRIGGER broken BEFORE DELETE ON channels BEGIN SELECT RAISE(ABORT, 'broken'); END")
        .await;
    let body = json!({ "confirm": "stage" });
    let failed = world.call("POST", "/api/v1/channels/stage/delete", &owner, Some(body.clone())).await;
    assert!(failed.status.is_server_error(), "{}", failed.text());
    assert_eq!(left(world, "channel_id", &id).await, before);
    let kept = "SELECT CAST(COUNT(*) AS TEXT) FROM kept_names".to_owned();
    let noted = "SELECT CAST(COUNT(*) AS TEXT) FROM audit_log WHERE action = 'channel.deleted'".to_owned();
    assert_eq!((one(world, kept).await, one(world, noted).await), ("0".to_owned(), "0".to_owned()));
    assert_eq!(world.get("/api/v1/channels/stage", "").await.status, StatusCode::OK);
    sql(world, "DROP TRIGGER broken").await;
    let done = world.call("POST", "/api/v1/channels/stage/delete", &owner, Some(body)).await;
    assert_eq!(done.status, StatusCode::NO_CONTENT, "{}", done.text());
}
