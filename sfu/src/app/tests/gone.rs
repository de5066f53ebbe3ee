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

#[tokio::test]
async fn of_a_deleted_channel_no_table_has_a_row() {
    let stage = Stage::new().await;
    let (world, owner) = (&stage.world, cookie(&stage, Standing::Owner).await);
    let id = one(world, "SELECT id FROM channels WHERE name = 'stage'".to_owned()).await;
    let hook = json!({ "url": "https://hooks.example.com/", "kinds": ["ActionTaken"] });
    ok(world.call("POST", "/api/v1/channels/stage/webhooks", &owner, Some(hook)).await).await;
    let poll = json!({ "question": "Next?", "options": ["Clay", "Stones"], "seconds": 60 });
    world.call("POST", "/api/v1/channels/stage/chat/polls", &owner, Some(poll)).await;
    let before = left(world, "channel_id", &id).await;
    assert!(before.len() > 8, "{before:?}");
    let body = json!({ "confirm": "stage" });
    let gone = world.call("POST", "/api/v1/channels/stage/delete", &owner, Some(body)).await;
    assert_eq!(gone.status, StatusCode::NO_CONTENT, "{}", gone.text());
    assert_eq!(left(world, "channel_id", &id).await, Vec::<String>::new());
    let count = "SELECT CAST(COUNT(*) AS TEXT) FROM broadcasts WHERE id = 'over'".to_owned();
    assert_eq!(one(world, count).await, "0");
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
