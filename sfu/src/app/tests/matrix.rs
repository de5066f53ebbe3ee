//! Every operation and every topic, asked for by everybody that there can be: what the table of permissions says must be what
//! happens. An operation that is missing here fails the test.

use super::{
    socket::{Client, Frame},
    *,
};
use crate::{
    chat::command::{SPECS, Word},
    permission::{Permission, STANDINGS, Standing, Standings},
};
use shared::{account::Role, channel::ChannelRole, event::Topic};

/// What an operation asks of whoever wants it.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Need {
    /// A permission.
    May(Permission),
    /// What one proves oneself by is in the request itself: these open the door.
    Door,
}

use Need::{Door, May};

fn need(operation: &str) -> Need {
    use Permission::*;
    May(match operation {
        "askPasswordReset" | "resetPassword" | "setUp" | "signIn" | "signUp" | "reportView"
        | "confirmEmail" | "unsubscribeEmail" | "enterChannel" | "startPasskeySignIn"
        | "signInWithPasskey" | "startOidc" | "finishOidc" | "readOidcNewcomer" | "signUpByOidc" => {
            return Door;
        }
        "readInstance" | "readOpenApi" | "listChannels" | "readChannel" | "readChannelState"
        | "readEmbedding" | "readLiveStatus" | "openEvents" | "signOut" | "createGuest" | "readChat"
        | "listMessages" | "listEmotes" | "readProfile" | "listCategories" | "readFollow"
        | "readSubscription" | "readAbout" | "readSchedule" | "listBadges" | "listInstanceEmotes" => SeeOpen,
        "sendMessage" | "votePoll" => WriteChat,
        "deleteMessage" | "clearChat" | "pinMessage" | "unpinMessage" | "listSilences" | "silencePerson"
        | "unsilencePerson" | "listBans" | "banPerson" | "unbanPerson" | "listModerators"
        | "readChatFilters" | "listHeldMessages" | "decideHeldMessage" | "readPersonCard" | "listAppeals"
        | "decideAppeal" | "listChatActions" | "startPoll" | "endPoll" => ModerateChat,
        // What the commands need is asked of each of them below.
        "giveCommand" => WriteChat,
        "editChat" | "setChatFilters" => RuleChat,
        "setEmote"
        | "removeEmote"
        | "setEmoteTier"
        | "setBadge"
        | "removeBadge"
        | "previewAbout"
        | "setSchedule"
        | "setChannelAvatar"
        | "removeChannelAvatar"
        | "setChannelBanner"
        | "removeChannelBanner" => EditChannel,
        "startRaid" | "endRaid" => Raid,
        "setRole" | "removeRole" | "addModerator" | "removeModerator" => Appoint,
        "listRoles" => SeeRoles,
        "editChannel"
        | "createEmbedLink"
        | "revokeEmbedLinks"
        | "readAccess"
        | "editAccess"
        | "setChannelPassword"
        | "removeChannelPassword"
        | "listAdmitted"
        | "admitPerson"
        | "unadmitPerson"
        | "listAccessLinks"
        | "createAccessLink"
        | "revokeAccessLink" => Admit,
        "listSubscribers" | "grantSubscription" | "endSubscription" | "listGiftCodes" | "createGiftCodes"
        | "withdrawGiftCodes" => GrantTiers,
        "rotateStreamKey" | "createPublishToken" | "startLive" => Publish,
        "endBroadcast" => EndBroadcast,
        "deleteChannel" => DeleteChannel,
        "listBroadcasts"
        | "readAnalytics"
        | "exportAnalyticsCsv"
        | "exportAnalyticsJson"
        | "readLiveAnalytics" => SeeFigures,
        "readLadder" | "setLadder" => SetLadder,
        "readMe"
        | "listLogins"
        | "revokeLogin"
        | "listTokens"
        | "createToken"
        | "revokeToken"
        | "createChannel"
        | "editMe"
        | "setColour"
        | "setAvatar"
        | "removeAvatar"
        | "changePassword"
        | "endOtherLogins"
        | "deleteMe"
        | "listSubscriptions"
        | "redeemCode"
        | "readAppeal"
        | "makeAppeal"
        | "listRecommendations" => OwnAccount,
        "listPasskeys" | "startPasskey" | "addPasskey" | "renamePasskey" | "removePasskey" => OwnAccount,
        "readOidcConnection" | "connectOidc" | "disconnectOidc" => OwnAccount,
        "readEmail" | "setEmail" | "removeEmail" => OwnAccount,
        "readPushKey" => SeeOpen,
        "listNotifications"
        | "markNotificationsRead"
        | "readNotificationPreferences"
        | "setNotificationPreferences"
        | "listPushBrowsers"
        | "addPushBrowser"
        | "removePushBrowser" => OwnAccount,
        "follow" | "unfollow" | "listFollowed" => Follow,
        "listFollowers" => SeeFollowers,
        "listActivity" => SeeActivity,
        "listPeople"
        | "deletePerson"
        | "listInstanceChannels"
        | "editInstanceChannel"
        | "editPerson"
        | "readInstanceSettings"
        | "editInstanceSettings"
        | "listInvites"
        | "createInvite"
        | "revokeInvite"
        | "setInstanceEmote"
        | "removeInstanceEmote" => RunInstance,
        "readInstanceAnalytics" => SeeInstanceFigures,
        "listAudit" | "exportAuditCsv" | "exportAuditJson" => SeeInstanceAudit,
        "listChannelAudit" | "exportChannelAuditCsv" | "exportChannelAuditJson" => SeeAudit,
        "listWebhooks"
        | "createWebhook"
        | "editWebhook"
        | "removeWebhook"
        | "replaceWebhookSecret"
        | "testWebhook"
        | "listDeliveries"
        | "replayDelivery" => SetWebhooks,
        other => panic!("{other} is not in the matrix: say who may do it"),
    })
}

fn topic_need(topic: Topic) -> Permission {
    match topic {
        Topic::Directory | Topic::ChannelState | Topic::ChannelEvents | Topic::Rooms | Topic::Chat => {
            Permission::SeeOpen
        }
        Topic::Webrtc | Topic::Analytics | Topic::Peers => Permission::SeeFigures,
        Topic::Activity => Permission::SeeActivity,
        Topic::Bell => Permission::OwnAccount,
        Topic::SendChat => Permission::WriteChat,
    }
}

/// Somebody of each standing.
pub(super) struct Somebody {
    pub(super) standing: Standing,
    is: Standings,
    pub(super) cookie: String,
}

/// A world with a channel, `stage`, and somebody of each standing there.
pub(super) struct Stage {
    pub(super) world: World,
    pub(super) people: Vec<Somebody>,
    /// The token of a guest.
    guest: String,
    /// Another guest, whom moderators deal with.
    troll: String,
    /// A broadcast that is over, and a message.
    broadcast: String,
    message: String,
}

pub(super) async fn sql(world: &World, statement: &'static str) {
    sqlx::query(statement).execute(world.server.store.pool()).await.unwrap();
}

pub(super) async fn ok(answer: Answer) -> Value {
    assert!(answer.status.is_success(), "{} {}", answer.status, answer.text());
    if answer.body.is_empty() { Value::Null } else { answer.json() }
}

impl Stage {
    pub(super) async fn new() -> Self {
        let world = World::new().await;
        let boss = world.set_up().await;
        let log: Arc<dyn BroadcastLog> = Arc::new(SqlBroadcastLog::new(world.server.store.clone()));
        let ports = connect::ports(
            &world.server.store,
            &LiveBoard::default(),
            log,
            &Bus::default(),
            Arc::new(connect::NothingLive),
        );
        let channels = Channels::new(world.server.store.clone(), ports);
        let accounts = Accounts::new(
            world.server.store.clone(),
            Arc::new(connect::AccountChannels(channels)),
            Arc::new(connect::Looks),
            Endings::default(),
        );
        for standing in STANDINGS.into_iter().chain([Standing::Guest]) {
            let name = format!("{standing:?}").to_lowercase();
            if standing == Standing::InstanceOwner
                || accounts.by_name(&name.parse().unwrap()).await.unwrap().is_some()
            {
                continue;
            }
            let password = Password::try_from("correct horse".to_owned()).unwrap();
            let named = format!("The {standing:?}").parse().unwrap();
            accounts.create(name.parse().unwrap(), named, password).await.unwrap();
        }
        sql(&world, "UPDATE accounts SET role = 'admin' WHERE name = 'admin'").await;
        let mut people = Vec::new();
        for standing in STANDINGS {
            let name = format!("{standing:?}").to_lowercase();
            let role = match standing {
                Standing::Admin => Role::Admin,
                Standing::InstanceOwner => Role::Owner,
                _ => Role::Member,
            };
            let (is, cookie) = match standing {
                Standing::Guest => (Standings::GUEST, String::new()),
                Standing::InstanceOwner => (Standings::of_account(role), boss.clone()),
                _ => {
                    let body = json!({ "name": name, "password": "correct horse" });
                    let answer = world.call("POST", "/api/v1/login", "", Some(body)).await;
                    (Standings::of_account(role).and(standing), cookie_of(&answer))
                }
            };
            people.push(Somebody { standing, is, cookie });
        }
        let owner = people.iter().find(|one| one.standing == Standing::Owner).unwrap().cookie.clone();
        let call = async |method: &str, path: &str, body: Value| {
            ok(world.call(method, &format!("/api/v1/{path}"), &owner, Some(body)).await).await
        };
        call("POST", "channels", json!({ "name": "stage" })).await;
        for (account, role) in [("editor", ChannelRole::Editor), ("vip", ChannelRole::Vip)] {
            call("PUT", &format!("channels/stage/roles/{account}"), json!({ "role": role })).await;
        }
        call("PUT", "channels/stage/moderators/moderator", json!({})).await;
        for (account, tier) in [("tier1", "one"), ("tier2", "two"), ("tier3", "three")] {
            let body = json!({ "tier": tier, "days": 30 });
            call("PUT", &format!("channels/stage/subscribers/{account}"), body).await;
        }
        let message = call("POST", "channels/stage/chat/messages", json!({ "text": "Hello" })).await;
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let guest = async |name: &str| {
            let made = world.call("POST", "/api/v1/chat/guests", "", Some(json!({ "name": name }))).await;
            let made = ok(made).await;
            (text(&made["token"]), text(&made["author"]["id"]))
        };
        let (ben, _) = guest("Ben").await;
        let (token, troll) = guest("Eve").await;
        let said = Request::post("/api/v1/channels/stage/chat/messages")
            .header("weir-guest", token)
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(json!({ "text": "Boo" }).to_string()));
        ok(world.send(said.unwrap()).await).await;
        sql(
            &world,
            "INSERT INTO broadcasts (id, channel_id, title, category, started_at, ended_at, clock_offset)
             SELECT 'over', id, '', '', 1000, 2000, 0 FROM channels WHERE name = 'stage'",
        )
        .await;
        Self { people, guest: ben, troll, broadcast: "over".to_owned(), message: text(&message["id"]), world }
    }

    /// Operations of the API, as the server describes them: id, method, path with everything filled in, body.
    pub(super) async fn operations(&self) -> Vec<(String, String, String, Option<Value>)> {
        let document = self.world.get("/api/v1/openapi.json", "").await.json();
        let mut all = Vec::new();
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                let id = operation["operationId"].as_str().unwrap().to_owned();
                if !path.starts_with("/api/v1/") {
                    continue;
                }
                let thing = if path.contains("/messages/") { &self.message } else { &self.broadcast };
                let filled = path
                    .replace("{name}", "stage")
                    .replace("{account}", "guest")
                    .replace("{person}", &self.troll)
                    .replace("{streamId}", &self.broadcast)
                    .replace("{view}", "v")
                    .replace("{event}", "e")
                    .replace("{emote}", "hype")
                    .replace("{tier}", "one")
                    .replace("{id}", thing);
                let mut body =
                    operation["requestBody"]["content"]["application/json"].get("example").cloned();
                match id.as_str() {
                    "silencePerson" => body = Some(json!({ "person": self.troll, "seconds": 60 })),
                    "banPerson" => body = Some(json!({ "person": self.troll })),
                    "pinMessage" => body = Some(json!({ "message": self.message })),
                    // That of which the room takes one after the other is asked of all.
                    "giveCommand" => body = Some(json!({ "text": "/help" })),
                    "sendMessage" => body = Some(json!({ "text": "Hello" })),
                    "startLive" => body = Some(json!({ "title": "Evening", "channel": "stage" })),
                    _ => {}
                }
                all.push((id, method.to_uppercase(), filled, body));
            }
        }
        // What takes away what others are asked about comes late, and what ends logins last.
        all.sort_by_key(|(id, ..)| (id == "signOut", id == "clearChat", id.clone()));
        all
    }

    async fn ask(&self, who: &Somebody, method: &str, path: &str, body: Option<&Value>) -> Answer {
        let mut request = Request::builder().method(method).uri(path).header(header::COOKIE, &who.cookie);
        let speaks = ["/chat/messages", "/chat/commands", "/votes"].iter().any(|end| path.ends_with(end));
        if who.standing == Standing::Guest && method == "POST" && speaks {
            request = request.header("weir-guest", &self.guest);
        }
        if body.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        let body = body.map_or(Body::empty(), |body| Body::from(body.to_string()));
        self.world.send(request.body(body).unwrap()).await
    }

    /// Everybody, those first who are to be refused, so that what is asked for is still there for them.
    fn in_turn(&self, permission: Permission) -> Vec<&Somebody> {
        let mut people: Vec<&Somebody> = self.people.iter().collect();
        people.sort_by_key(|one| one.is.may(permission));
        people
    }

    async fn assert_as_the_table_says(
        &self,
        permission: Permission,
        (id, method, path): (&str, &str, &str),
        body: Option<&Value>,
    ) {
        for one in self.in_turn(permission) {
            let answer = self.ask(one, method, path, body).await;
            let status = answer.status.as_u16();
            let case = format!("{id} by {:?}: {status} {}", one.standing, answer.text());
            if one.is.may(permission) {
                assert!(!matches!(status, 401 | 403 | 500..), "{case}");
            } else if one.standing == Standing::Guest {
                assert_eq!(status, 401, "{case}");
            } else {
                assert_eq!(status, 403, "{case}");
            }
        }
    }
}

#[tokio::test]
async fn every_operation_does_for_everybody_what_the_table_says() {
    let stage = Stage::new().await;
    let title = json!({ "title": "Late shift" });
    let edit = ("editChannel", "PATCH", "/api/v1/channels/stage");
    stage.assert_as_the_table_says(Permission::EditChannel, edit, Some(&title)).await;
    for (id, method, path, body) in stage.operations().await {
        let May(permission) = need(&id) else { continue };
        stage.assert_as_the_table_says(permission, (&id, &method, &path), body.as_ref()).await;
    }
}

#[tokio::test]
async fn every_command_is_for_those_whom_the_table_names() {
    let stage = Stage::new().await;
    let path = "/api/v1/channels/stage/chat/commands";
    for spec in SPECS {
        let about = match spec.word {
            Word::Timeout | Word::Ban | Word::Unban => &stage.troll,
            Word::Delete | Word::Pin => &stage.message,
            Word::Mod | Word::Unmod | Word::Vip | Word::Unvip => "guest",
            Word::Poll => "Next? | Clay | Stones",
            Word::Raid => "grace",
            Word::Color => "teal",
            _ => "",
        };
        let body = json!({ "text": format!("/{} {about}", spec.name) });
        for one in stage.in_turn(spec.needs) {
            let answer = stage.ask(one, "POST", path, Some(&body)).await;
            let status = answer.status.as_u16();
            let case = format!("/{} by {:?}: {status} {}", spec.name, one.standing, answer.text());
            if one.is.may(spec.needs) {
                assert!(!matches!(status, 401 | 403 | 500..), "{case}");
            } else {
                assert_eq!(status, 403, "{case}");
            }
        }
    }
}

#[tokio::test]
async fn a_private_channel_is_there_for_those_alone_whom_the_table_names() {
    let stage = Stage::new().await;
    let owner = stage.people.iter().find(|one| one.standing == Standing::Owner).unwrap();
    let hide = json!({ "visibility": "PRIVATE" });
    ok(stage.ask(owner, "PATCH", "/api/v1/channels/stage", Some(&hide)).await).await;
    let mut seen = 0;
    for (id, method, path, body) in stage.operations().await {
        let May(permission) = need(&id) else { continue };
        // Those who run the instance see all of them; to anybody else that is refused, whichever there are.
        if !path.contains("/stage") || id == "editChannel" || permission == Permission::RunInstance {
            continue;
        }
        seen += 1;
        for one in stage.in_turn(permission) {
            if one.is.may(Permission::SeePrivate) {
                continue;
            }
            let answer = stage.ask(one, &method, &path, body.as_ref()).await;
            let status = answer.status.as_u16();
            // Nobody is told to sign in where it would be of use, and nothing where it wouldn't.
            let hidden = status == 404 || status == 401 && one.standing == Standing::Guest;
            assert!(hidden, "{id} by {:?}: {status} {}", one.standing, answer.text());
        }
    }
    assert!(seen > 15, "{seen}");
    for one in &stage.people {
        let status = stage.ask(one, "GET", "/api/v1/channels/stage", None).await.status.as_u16();
        let expected = if one.is.may(Permission::SeePrivate) { 200 } else { 404 };
        assert_eq!(status, expected, "{:?}", one.standing);
    }
}

#[tokio::test]
async fn subscribers_get_into_a_private_channel_that_is_theirs_by_their_tier() {
    let stage = Stage::new().await;
    let owner = stage.people.iter().find(|one| one.standing == Standing::Owner).unwrap();
    let hide = json!({ "visibility": "PRIVATE" });
    ok(stage.ask(owner, "PATCH", "/api/v1/channels/stage", Some(&hide)).await).await;
    for (least, let_in) in [
        (json!("one"), &[Standing::Tier1, Standing::Tier2, Standing::Tier3][..]),
        (json!("three"), &[Standing::Tier3]),
        (Value::Null, &[]),
    ] {
        let access = json!({ "subscribers": least });
        ok(stage.ask(owner, "PATCH", "/api/v1/channels/stage/access", Some(&access)).await).await;
        for one in &stage.people {
            let status = stage.ask(one, "GET", "/api/v1/channels/stage", None).await.status.as_u16();
            let sees = one.is.may(Permission::SeePrivate) || let_in.contains(&one.standing);
            assert_eq!(status, if sees { 200 } else { 404 }, "{:?} {least}", one.standing);
        }
    }
}

#[tokio::test]
async fn every_topic_is_followed_by_those_whom_the_table_names() {
    let stage = Stage::new().await;
    let (stop, ending) = watch::channel(Ending::NotYet);
    let Stage { world: World { server, dir: _dir }, people, guest, .. } = stage;
    let address = server.addresses()[0];
    let served = tokio::spawn(server.run_until(ending));
    for one in &people {
        let cookie = match one.cookie.as_str() {
            "" => String::new(),
            cookie => format!("Cookie: {cookie}\r\n"),
        };
        let mut client = Client::connect(address, &cookie).await.expect("a socket");
        for (number, topic) in Topic::ALL.into_iter().enumerate() {
            let id = format!("r{number}");
            let mut payload = json!({});
            if topic.is_of_channel() {
                payload["channel"] = json!("stage");
            }
            if topic == Topic::SendChat {
                payload["text"] = json!("Hello");
                if one.standing == Standing::Guest {
                    payload["guest"] = json!(guest);
                }
            }
            client
                .send(json!({ "event": format!("{}:requested", topic.name()), "id": id, "payload": payload }))
                .await;
            let outcome = loop {
                let Frame::Text(text) = client.read().await else { continue };
                let message: Value = serde_json::from_str(&text).unwrap();
                let phase = message["event"].as_str().unwrap().rsplit(':').next().unwrap().to_owned();
                // Writing begins before it is known whether it may be.
                let is_decided = phase == "failed"
                    || phase == if topic == Topic::SendChat { "success" } else { "started" };
                if message["id"] == id.as_str() && is_decided {
                    break message;
                }
            };
            let event = outcome["event"].as_str().unwrap();
            let granted = !event.ends_with(":failed");
            assert_eq!(granted, one.is.may(topic_need(topic)), "{topic:?} for {:?}: {outcome}", one.standing);
            if !granted {
                let expected = if one.standing == Standing::Guest { 401 } else { 403 };
                assert_eq!(outcome["payload"]["status"], expected, "{outcome}");
            }
        }
    }
    stop.send_replace(Ending::Stop);
    served.await.unwrap().unwrap();
}
