use super::*;
use crate::{
    fresh,
    store::outbox::{self, WAITING_MOST},
    webhook::schedule,
};
use serde_json::json;
use shared::account::Role;

const HOUR: i64 = 3_600_000;

struct World {
    store: Store,
    hooks: WebhookStore,
    channel: ChannelId,
    actor: Actor,
    _dir: tempfile::TempDir,
}

impl World {
    async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open_in(dir.path()).await.unwrap();
        let insert =
            "INSERT INTO channels (id, name, display_name, title, description, category, tags, visibility, created_at)
             VALUES ('c', 'ada', 'Ada', '', '', '', '[]', 'PUBLIC', 0)";
        sqlx::query(insert).execute(store.pool()).await.unwrap();
        let actor = Actor { account: "a".parse().unwrap(), role: Role::Member, address: None };
        let hooks = WebhookStore::new(store.clone());
        Self { store, hooks, channel: "c".parse().unwrap(), actor, _dir: dir }
    }

    async fn hook(&self, id: &str, kinds: &[WebhookKind]) -> WebhookId {
        let hook = Webhook {
            id: id.parse().unwrap(),
            label: Default::default(),
            url: "https://example.com/".to_owned(),
            kinds: kinds.to_vec(),
            created_at: fresh::now(),
            failing_since: None,
            disabled_at: None,
            disabled_by: None,
        };
        let secret = SigningSecret::from_random([1; 32]);
        assert!(self.hooks.add(&self.actor, &self.channel, &hook, &secret).await.unwrap());
        hook.id
    }

    /// Puts something into the outbox, with or without the end of its transaction.
    async fn happens(&self, event: &str, kind: WebhookKind, commits: bool) {
        let mut transaction = self.store.pool().begin().await.unwrap();
        sqlx::query("UPDATE channels SET title = 'x'").execute(&mut *transaction).await.unwrap();
        let what = (event, kind, Timestamp::from_millis(5));
        outbox::put(&mut transaction, &self.channel, what, json!({ "x": 1 })).await.unwrap();
        if commits {
            transaction.commit().await.unwrap();
        }
    }

    async fn listed(&self, hook: &WebhookId) -> Vec<Delivery> {
        let all = Wanted { after: None, limit: 100 };
        self.hooks.deliveries(&self.channel, hook, &all).await.unwrap().unwrap().items
    }
}

#[tokio::test]
async fn what_happens_is_told_once_to_those_that_chose_it() {
    let world = World::new().await;
    let both = world.hook("both", &[WebhookKind::StreamStarted, WebhookKind::StreamEnded]).await;
    let ended = world.hook("ended", &[WebhookKind::StreamEnded]).await;
    for _ in 0..2 {
        world.happens("e1", WebhookKind::StreamStarted, true).await;
        world.happens("e2", WebhookKind::StreamEnded, true).await;
    }
    world.happens("e3", WebhookKind::StreamEnded, false).await;
    world.happens("e4", WebhookKind::FollowCreated, true).await;
    let mut ids: Vec<String> =
        world.listed(&both).await.iter().map(|one| one.id.as_str().to_owned()).collect();
    ids.sort();
    assert_eq!(ids, ["e1", "e2"]);
    let told = world.listed(&ended).await;
    assert_eq!(told.len(), 1);
    let body: serde_json::Value = serde_json::from_str(&told[0].body).unwrap();
    let expected = json!({
        "type": "StreamEnded", "timestamp": "1970-01-01T00:00:00.005Z", "data": { "channel": "ada", "x": 1 },
    });
    assert_eq!(body, expected);
    assert_eq!(world.hooks.due(fresh::now(), 10).await.unwrap().len(), 2);
}

#[tokio::test]
async fn days_of_failures_disable_it_and_its_owner_lets_it_go_on() {
    let world = World::new().await;
    let hook = world.hook("h", &[WebhookKind::StreamEnded]).await;
    let start = fresh::now().as_millis();
    let at = |millis: i64| Timestamp::from_millis(start + millis);
    let mut now = at(1000);
    let mut tries = 0;
    // Something new comes twice a day, and each is tried when it is due, by a clock of our own.
    for half_day in 0..20 {
        world.happens(&format!("e{half_day}"), WebhookKind::StreamEnded, true).await;
        let until = at(1000 + half_day * 12 * HOUR);
        while now < until {
            now = Timestamp::from_millis(now.as_millis() + 60_000);
            while let Some(due) = world.hooks.next(&hook, now).await.unwrap() {
                tries += 1;
                let next = schedule::next(due.tries + 1, now, None, 0);
                let hopeless = due.failing_since.is_some_and(|since| schedule::is_hopeless(since, now));
                let tried = Tried {
                    state: if next.is_some() { DeliveryState::Waiting } else { DeliveryState::Failed },
                    next_at: next.unwrap_or(now),
                    at: now,
                    status: Some(500),
                    error: Some("answered 500".to_owned()),
                    took: 1,
                    ends: hopeless.then_some(WebhookEnd::Failing),
                };
                world.hooks.tried(&hook, &due.event, &tried).await.unwrap();
            }
        }
    }
    assert!(tries > 20, "{tries}");
    let known = &world.hooks.list(&world.channel).await.unwrap()[0];
    assert_eq!(known.disabled_by, Some(WebhookEnd::Failing));
    let days =
        (known.disabled_at.unwrap().as_millis() - known.failing_since.unwrap().as_millis()) / (24 * HOUR);
    assert_eq!(days, 5);
    assert!(world.hooks.due(now, 10).await.unwrap().is_empty());
    world.happens("late", WebhookKind::StreamEnded, true).await;
    assert!(!world.listed(&hook).await.iter().any(|one| one.id.as_str() == "late"));
    let on = EditWebhook { enabled: Some(true), ..EditWebhook::default() };
    let known = world.hooks.edit(&world.actor, (&world.channel, &hook), &on, now).await.unwrap().unwrap();
    assert_eq!((known.disabled_at, known.failing_since), (None, None));
    assert!(world.listed(&hook).await.iter().any(|one| one.state == DeliveryState::Waiting));
}

#[tokio::test]
async fn a_clock_that_was_set_back_holds_nothing_for_long() {
    let world = World::new().await;
    let hook = world.hook("h", &[WebhookKind::StreamEnded]).await;
    world.happens("e", WebhookKind::StreamEnded, true).await;
    let now = fresh::now().as_millis();
    let due = async |at: i64| world.hooks.next(&hook, Timestamp::from_millis(at)).await.unwrap().is_some();
    assert!(due(now + 1000).await);
    assert!(!due(now - HOUR).await, "an hour is waited for");
    assert!(due(now - 30 * HOUR).await, "days are not");
}

#[tokio::test]
async fn the_outbox_of_one_webhook_is_bounded() {
    let world = World::new().await;
    let hook = world.hook("h", &[WebhookKind::StreamEnded]).await;
    let other = world.hook("o", &[WebhookKind::StreamEnded]).await;
    sqlx::query(
        "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < $1)
         INSERT INTO webhook_deliveries (webhook_id, event_id, kind, body, created_at, state, tries, next_at)
         SELECT 'h', 'n' || x, 'StreamEnded', '{}', 0, 'waiting', 0, 0 FROM n",
    )
    .bind(WAITING_MOST)
    .execute(world.store.pool())
    .await
    .unwrap();
    world.happens("e", WebhookKind::StreamEnded, true).await;
    assert!(!world.listed(&hook).await.iter().any(|one| one.id.as_str() == "e"));
    assert_eq!(world.listed(&other).await.len(), 1);
    assert_eq!(world.hooks.forget(Timestamp::from_millis(1)).await.unwrap(), WAITING_MOST as u64);
}

#[tokio::test]
async fn both_secrets_sign_until_the_old_one_is_over() {
    let world = World::new().await;
    let hook = world.hook("h", &[WebhookKind::StreamEnded]).await;
    world.happens("e", WebhookKind::StreamEnded, true).await;
    let (now, new) =
        (Timestamp::from_millis(fresh::now().as_millis() + 1000), SigningSecret::from_random([2; 32]));
    let until = Timestamp::from_millis(now.as_millis() + HOUR);
    world.hooks.replace_secret(&world.actor, (&world.channel, &hook), &new, until).await.unwrap().unwrap();
    let secrets = async |at| world.hooks.next(&hook, at).await.unwrap().unwrap().secrets;
    assert_eq!(secrets(now).await, [new.clone(), SigningSecret::from_random([1; 32])]);
    assert_eq!(secrets(until).await, [new]);
}

/// Something is written in chat, at a place.
async fn said(world: &World, id: &str, place: i64) {
    let mut transaction = world.store.pool().begin().await.unwrap();
    sqlx::query("UPDATE channels SET title = 'x'").execute(&mut *transaction).await.unwrap();
    let (kind, at) = (WebhookKind::ChatMessageSent, Timestamp::from_millis(5));
    let interest = world.store.interest();
    if let Some(name) = interest.of_channel(&mut transaction, &world.channel, kind).await.unwrap() {
        let (ids, places) = ((id, id), Some((place, place)));
        let one = outbox::Gathered { kind, ids, count: 1, of: "", places, at, data: json!({}) };
        outbox::gather(&mut transaction, (&world.channel, &name), one).await.unwrap();
    }
    transaction.commit().await.unwrap();
}

/// Has what gathers go on for so long, however slow the machine is.
async fn gathers_for(world: &World, millis: i64) {
    sqlx::query("UPDATE webhook_deliveries SET next_at = $1 WHERE gathers = 1")
        .bind(fresh::now().as_millis() + millis)
        .execute(world.store.pool())
        .await
        .unwrap();
}

#[tokio::test]
async fn what_is_said_in_one_commit_goes_as_one_and_a_webhook_that_is_made_hears_of_it_at_once() {
    let world = World::new().await;
    said(&world, "before", 1).await;
    let hook = world.hook("h", &[WebhookKind::ChatMessageSent, WebhookKind::StreamEnded]).await;
    let mut transaction = world.store.pool().begin().await.unwrap();
    sqlx::query("UPDATE channels SET title = 'x'").execute(&mut *transaction).await.unwrap();
    let (kind, at) = (WebhookKind::ChatMessageSent, Timestamp::from_millis(5));
    let interest = world.store.interest();
    let name = interest.of_channel(&mut transaction, &world.channel, kind).await.unwrap();
    let name = name.expect("what nobody was interested in before is asked anew");
    let (ids, places) = (("m2", "m6"), Some((2, 6)));
    let some = outbox::Gathered { kind, ids, count: 5, of: "", places, at, data: json!({}) };
    outbox::gather(&mut transaction, (&world.channel, &name), some).await.unwrap();
    transaction.commit().await.unwrap();
    gathers_for(&world, HOUR).await;
    said(&world, "m7", 7).await;
    // What was gathered comes after the rest, even if it is due earlier.
    world.happens("e", WebhookKind::StreamEnded, true).await;
    let later = Timestamp::from_millis(fresh::now().as_millis() + 2 * HOUR);
    sqlx::query("UPDATE webhook_deliveries SET next_at = next_at + $1 WHERE event_id = 'e'")
        .bind(HOUR + HOUR / 2)
        .execute(world.store.pool())
        .await
        .unwrap();
    assert_eq!(world.hooks.next(&hook, later).await.unwrap().unwrap().event.as_str(), "e");
    sqlx::query("DELETE FROM webhook_deliveries WHERE event_id = 'e'")
        .execute(world.store.pool())
        .await
        .unwrap();
    let due = world.hooks.next(&hook, later).await.unwrap().unwrap();
    let places = due.said.as_ref().map(|said| (said.places, said.count));
    assert_eq!((due.event.as_str(), places), ("m2-on", Some(((2, 7), 6))));
}

#[tokio::test]
async fn what_happens_often_is_gathered_until_it_leaves_and_nothing_is_twice_or_lost() {
    let world = World::new().await;
    let hook = world.hook("h", &[WebhookKind::ChatMessageSent]).await;
    let other = world.hook("o", &[WebhookKind::StreamEnded]).await;
    said(&world, "m1", 1).await;
    gathers_for(&world, HOUR).await;
    for (id, place) in [("m2", 2), ("m2", 2), ("m4", 4)] {
        said(&world, id, place).await;
    }
    assert!(world.listed(&other).await.is_empty());
    let told = world.listed(&hook).await;
    assert_eq!(told.len(), 1);
    let body: serde_json::Value = serde_json::from_str(&told[0].body).unwrap();
    assert_eq!(body["data"], json!({ "channel": "ada", "count": 3 }));
    let now = fresh::now().as_millis();
    assert!(world.hooks.next(&hook, Timestamp::from_millis(now)).await.unwrap().is_none(), "it gathers");
    let due = world.hooks.next(&hook, Timestamp::from_millis(now + 2 * HOUR)).await.unwrap().unwrap();
    let places = due.said.as_ref().map(|said| (said.places, said.count));
    assert_eq!((due.event.as_str(), places), ("m1-on", Some(((1, 4), 3))));
    // It has left: what comes goes with another, though this one's time isn't over by the clock.
    said(&world, "m5", 5).await;
    let mut counts: Vec<(String, bool)> = world
        .listed(&hook)
        .await
        .iter()
        .map(|one| (one.id.as_str().to_owned(), one.body.contains("\"count\":3")))
        .collect();
    counts.sort();
    assert_eq!(counts, [("m1-on".to_owned(), true), ("m5-on".to_owned(), false)]);
}

#[tokio::test]
async fn a_delivery_holds_so_many_messages_and_a_webhook_so_many_deliveries_of_them() {
    let world = World::new().await;
    let hook = world.hook("h", &[WebhookKind::ChatMessageSent, WebhookKind::StreamEnded]).await;
    said(&world, "m1", 1).await;
    gathers_for(&world, HOUR).await;
    for place in 2..=101 {
        said(&world, &format!("m{place}"), place).await;
    }
    let counts = async |event: &str| {
        let all = world.listed(&hook).await;
        let one = all.iter().find(|one| one.id.as_str() == event)?;
        serde_json::from_str::<serde_json::Value>(&one.body).ok()?["data"]["count"].as_i64()
    };
    assert_eq!((counts("m1-on").await, counts("m101-on").await), (Some(outbox::GATHERED_MOST), Some(1)));
    assert_eq!(world.listed(&hook).await.len(), 2);
    sqlx::query(
        "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < $1)
         INSERT INTO webhook_deliveries (webhook_id, event_id, kind, body, created_at, state, tries, next_at)
         SELECT 'h', 'n' || x, 'ChatMessageSent', '{}', 0, 'waiting', 0, 0 FROM n",
    )
    .bind(outbox::GATHERED_WAITING_MOST)
    .execute(world.store.pool())
    .await
    .unwrap();
    sqlx::query("UPDATE webhook_deliveries SET gathers = 0").execute(world.store.pool()).await.unwrap();
    said(&world, "late", 500).await;
    assert!(!world.listed(&hook).await.iter().any(|one| one.id.as_str() == "late-on"));
    world.happens("e", WebhookKind::StreamEnded, true).await;
    let rest = Wanted { after: None, limit: 2000 };
    let all = world.hooks.deliveries(&world.channel, &hook, &rest).await.unwrap().unwrap().items;
    assert!(all.iter().any(|one| one.id.as_str() == "e"), "the rest has its room");
}
