//! When the password is asked for before a passkey is added.

use super::*;

#[tokio::test]
async fn whoever_signed_in_a_while_ago_proves_that_it_is_them() {
    let world = World::new().await;
    let cookie = world.set_up().await;
    let begin = async |body: Value| {
        let answer = world.call("POST", "/api/v1/me/passkeys/options", &cookie, Some(body)).await;
        let said = answer.json();
        (answer.status.as_u16(), said["type"].as_str().unwrap_or_default().to_owned(), said)
    };
    let (status, _, options) = begin(json!({})).await;
    assert_eq!((status, &options["publicKey"]["rp"]["id"]), (200, &json!("localhost")));

    let long_ago = fresh::now().as_millis() - 10 * 60 * 1000;
    sqlx::query("UPDATE logins SET created_at = $1")
        .bind(long_ago)
        .execute(world.server.store.pool())
        .await
        .unwrap();
    let (status, kind, said) = begin(json!({})).await;
    assert_eq!((status, kind.as_str()), (422, "/problems/password-needed"));
    assert_eq!(said["field"], "password");
    let (status, kind, said) = begin(json!({ "password": "not my password" })).await;
    assert_eq!((status, kind.as_str(), &said["field"]), (422, "/problems/invalid", &json!("password")));
    let (status, ..) = begin(json!({ "password": "correct horse" })).await;
    assert_eq!(status, 200);
    // It is asked for each time, and guessing is as slow as on the page to sign in.
    let mut last = 0;
    for _ in 0..12 {
        (last, ..) = begin(json!({ "password": "not my password" })).await;
    }
    assert_eq!(last, 429);
}
