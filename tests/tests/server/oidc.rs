//! Signing in by an OpenID provider, from outside: with one that does as it should, and with one that lies.

use serde_json::{Value, json};
use std::{collections::BTreeMap, net::SocketAddr, time::Instant};
use weir_tests::{
    http::{Request, Response},
    oidc::{Lie, Person, Provider},
    server::{Weir, refused},
};

fn with(provider: &Provider) -> Weir {
    let environment = provider.environment();
    let pairs: Vec<(&str, &str)> = environment.iter().map(|(name, value)| (*name, value.as_str())).collect();
    Weir::start_with(&pairs)
}

fn open_to_all(weir: &Weir, owner: &Browser) {
    let answer =
        owner.clone().call(weir, "PATCH", "/api/v1/instance/settings", Some(json!({ "signUp": "open" })));
    assert_eq!(answer.status, 200, "{}", answer.text());
}

/// A browser, as far as cookies go.
#[derive(Debug, Clone, Default)]
struct Browser(BTreeMap<String, String>);

impl Browser {
    fn owner(weir: &Weir) -> Self {
        let login = weir.set_up("ada");
        let (name, value) = login.cookie.split_once('=').expect("a cookie");
        Self([(name.to_owned(), value.to_owned())].into())
    }

    fn keep(&mut self, answer: &Response) {
        for cookie in answer.headers("set-cookie") {
            let (name, rest) = cookie.split_once('=').expect("a cookie");
            let value = rest.split(';').next().unwrap_or_default();
            if value.is_empty() {
                self.0.remove(name)
            } else {
                self.0.insert(name.to_owned(), value.to_owned())
            };
        }
    }

    fn call(&mut self, weir: &Weir, method: &str, path: &str, body: Option<Value>) -> Response {
        let cookies: Vec<String> = self.0.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut request = weir.same_origin(method, path).header("cookie", cookies.join("; "));
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send(weir.http);
        self.keep(&answer);
        answer
    }

    #[track_caller]
    fn start(&mut self, weir: &Weir, path: &str, body: Value) -> String {
        let answer = self.call(weir, "POST", path, Some(body));
        assert_eq!(answer.status, 200, "{}", answer.text());
        let cookie = answer.header("set-cookie").expect("a cookie");
        assert!(cookie.contains("HttpOnly; SameSite=Lax; Max-Age=600"), "{cookie}");
        answer.json()["url"].as_str().expect("an address").to_owned()
    }

    /// Goes to the page that it is led to, and gives that page's address.
    #[track_caller]
    fn come_back(&mut self, weir: &Weir, path: &str) -> String {
        let answer = self.call(weir, "GET", path, None);
        assert_eq!(answer.status, 303, "{}", answer.text());
        answer.header("location").expect("a page").to_owned()
    }

    /// All of it.
    #[track_caller]
    fn sign_in(&mut self, weir: &Weir, provider: &Provider, body: Value) -> String {
        let url = self.start(weir, "/api/v1/oidc/start", body);
        let back = provider.visit(&url);
        self.come_back(weir, &back)
    }

    fn me(&mut self, weir: &Weir) -> Option<Value> {
        let answer = self.call(weir, "GET", "/api/v1/me", None);
        (answer.status == 200).then(|| answer.json())
    }

    #[track_caller]
    fn name(&mut self, weir: &Weir) -> String {
        self.me(weir).expect("somebody is signed in")["name"].as_str().expect("a name").to_owned()
    }
}

fn actions(weir: &Weir, owner: &mut Browser) -> Vec<String> {
    let answer = owner.call(weir, "GET", "/api/v1/audit?action=account", None).json();
    let all = answer["items"].as_array().expect("entries");
    let said = |entry: &Value| {
        format!(
            "{} {} {}",
            entry["action"].as_str().expect("a text"),
            entry["actor"]["name"].as_str().expect("a text"),
            entry["detail"].as_str().expect("a text")
        )
    };
    // Of sign-ins, those of one who runs the instance, by the provider.
    let counts =
        |said: &String| !said.starts_with("account.signedIn") || said == "account.signedIn ada by The club";
    all.iter().rev().map(said).filter(counts).collect()
}

#[test]
fn somebody_new_gets_an_account_and_is_known_again() {
    let provider = Provider::start();
    let weir = with(&provider);
    let mut owner = Browser::owner(&weir);
    open_to_all(&weir, &owner);
    let instance = Request::new("GET", "/api/v1/instance").send(weir.http).json();
    assert_eq!(instance["provider"], "The club");
    let mut browser = Browser::default();
    assert_eq!(browser.sign_in(&weir, &provider, json!({ "returnTo": "/studio?x=1" })), "/studio?x=1");
    let me = browser.me(&weir).expect("somebody");
    assert_eq!(
        (&me["name"], &me["displayName"], &me["role"]),
        (&json!("zoe"), &json!("Zoë"), &json!("member"))
    );
    assert_eq!(browser.0.len(), 1, "the cookie of the way there is taken back: {browser:?}");
    // Somewhere else, under another name there: the subject is what counts.
    provider.be(Person::new("sub-1", "zora", "Zora"));
    let mut elsewhere = Browser::default();
    assert_eq!(elsewhere.sign_in(&weir, &provider, json!({})), "/");
    assert_eq!(elsewhere.me(&weir).expect("the same")["id"], me["id"]);
    assert_ne!(browser.0["weir_login"], elsewhere.0["weir_login"], "a login of its own");
    provider.assert_content();
    // Once asked, keys and description are kept.
    assert_eq!((provider.asked("jwks"), provider.asked(".well-known/openid-configuration")), (1, 1));
    assert_eq!(actions(&weir, &mut owner), ["account.joined zoe by The club"]);
    // It has no password that could be guessed.
    for password in ["", "          ", "correct horse battery"] {
        let body = json!({ "name": "zoe", "password": password });
        let answer = Browser::default().call(&weir, "POST", "/api/v1/login", Some(body));
        assert!(matches!(answer.status, 401 | 422), "{}", answer.text());
    }
}

#[test]
fn a_provider_with_a_curve_and_few_words_is_understood_and_changes_its_keys() {
    let provider = Provider::start();
    provider.rotate(true);
    provider.be_terse();
    let weir = with(&provider);
    open_to_all(&weir, &Browser::owner(&weir));
    let mut browser = Browser::default();
    assert_eq!(browser.sign_in(&weir, &provider, json!({})), "/");
    assert_eq!((browser.name(&weir).as_str(), provider.asked("userinfo")), ("zoe", 1));
    provider.rotate(false);
    assert_eq!(Browser::default().sign_in(&weir, &provider, json!({})), "/", "with the new key");
    assert_eq!(provider.asked("jwks"), 2);
    provider.rotate(false);
    let refused = Browser::default().sign_in(&weir, &provider, json!({}));
    assert_eq!(refused, "/sign-in?return=%2F&trouble=untrue", "keys are asked for once a minute at most");
    assert_eq!(provider.asked("jwks"), 2);
    provider.assert_content();
}

#[test]
fn who_is_called_as_somebody_else_chooses_a_name() {
    let provider = Provider::start();
    let weir = with(&provider);
    open_to_all(&weir, &Browser::owner(&weir));
    let sign_up = "/api/v1/oidc/sign-up";
    let nobody = Browser::default().call(&weir, "GET", "/api/v1/oidc/newcomer", None);
    assert_eq!(nobody.problem(410).kind, "/problems/provider-expired");
    for (number, (preferred, full)) in
        [("ada", "Somebody"), ("support", "Help"), ("аda", "Аda"), ("x", "ADA"), ("adа", "ada")]
            .into_iter()
            .enumerate()
    {
        provider.be(Person::new(&format!("new-{number}"), preferred, full));
        let mut browser = Browser::default();
        let page = browser.sign_in(&weir, &provider, json!({ "returnTo": "/ada" }));
        assert_eq!(page, "/sign-up/name", "{preferred}");
        assert!(browser.me(&weir).is_none() && browser.0.contains_key("weir_oidc"));
    }
    // Even of the same e-mail address, it is nobody's but the subject's.
    provider.be(Person { email: Some("ada@example.org".to_owned()), ..Person::new("sub-ada", "ada", "Ada") });
    let mut browser = Browser::default();
    assert_eq!(browser.sign_in(&weir, &provider, json!({ "returnTo": "/ada" })), "/sign-up/name");
    let newcomer = browser.call(&weir, "GET", "/api/v1/oidc/newcomer", None).json();
    assert_eq!(
        newcomer,
        json!({ "provider": "The club", "name": "ada", "displayName": "Ada", "returnTo": "/ada" })
    );
    for (name, shown, kind) in [
        ("ada", "Eva", "/problems/name-taken"),
        ("admin", "Eva", "/problems/name-taken"),
        ("eva", "Аda", "/problems/look-alike"),
    ] {
        let answer =
            browser.call(&weir, "POST", sign_up, Some(json!({ "name": name, "displayName": shown })));
        assert_eq!(answer.problem(409).kind, kind, "{name} {shown}");
    }
    let stranger =
        Browser::default().call(&weir, "POST", sign_up, Some(json!({ "name": "eva", "displayName": "Eva" })));
    stranger.problem(410);
    let mut copy = browser.clone();
    let made = browser.call(&weir, "POST", sign_up, Some(json!({ "name": "eva", "displayName": "Eva" })));
    assert_eq!(made.status, 201, "{}", made.text());
    assert_eq!((browser.name(&weir).as_str(), browser.0.len()), ("eva", 1));
    let twice = copy.call(&weir, "POST", sign_up, Some(json!({ "name": "evi", "displayName": "Evi" })));
    twice.problem(410);
}

#[test]
fn the_door_is_the_same_as_for_everybody() {
    let provider = Provider::start();
    let weir = with(&provider);
    let mut owner = Browser::owner(&weir);
    let trouble =
        |page: &str, trouble: &str| assert!(page.ends_with(&format!("trouble={trouble}")), "{page}");
    let mut browser = Browser::default();
    // By invite, as it is unless somebody changes it.
    trouble(&browser.sign_in(&weir, &provider, json!({})), "invite");
    let page = browser.sign_in(&weir, &provider, json!({ "invite": "weir_inv_x" }));
    assert_eq!(page, "/sign-up?invite=weir_inv_x&trouble=invite");
    let invite = owner.call(&weir, "POST", "/api/v1/invites", Some(json!({}))).json()["secret"].clone();
    assert_eq!(browser.sign_in(&weir, &provider, json!({ "invite": invite })), "/");
    assert_eq!(browser.name(&weir), "zoe");
    provider.be(Person::new("sub-2", "ben", "Ben"));
    trouble(&Browser::default().sign_in(&weir, &provider, json!({ "invite": invite })), "invite");
    owner.call(&weir, "PATCH", "/api/v1/instance/settings", Some(json!({ "signUp": "closed" })));
    trouble(&Browser::default().sign_in(&weir, &provider, json!({})), "closed");
    // Who has an account comes in, unless they are kept out.
    provider.be(Person::new("sub-1", "zoe", "Zoë"));
    assert_eq!(Browser::default().sign_in(&weir, &provider, json!({})), "/");
    let out = owner.call(&weir, "PATCH", "/api/v1/people/zoe", Some(json!({ "suspended": true })));
    assert_eq!(out.status, 200, "{}", out.text());
    let mut shut_out = Browser::default();
    trouble(&shut_out.sign_in(&weir, &provider, json!({})), "suspended");
    assert!(shut_out.0.is_empty() && browser.me(&weir).is_none());
}

#[test]
fn an_account_is_connected_and_disconnected_by_who_is_signed_in_to_it() {
    let provider = Provider::start();
    let weir = with(&provider);
    let mut owner = Browser::owner(&weir);
    open_to_all(&weir, &owner);
    let mine = "/api/v1/me/oidc";
    let before = owner.call(&weir, "GET", mine, None).json();
    assert_eq!((&before["since"], &before["hasPassword"]), (&Value::Null, &json!(true)));
    assert_eq!(owner.call(&weir, "DELETE", mine, None).problem(409).kind, "/problems/only-way-in");
    let url = owner.start(&weir, mine, json!({}));
    let page = {
        let back = provider.visit(&url);
        owner.come_back(&weir, &back)
    };
    assert_eq!(page, "/settings?connected=The+club");
    let connected = owner.call(&weir, "GET", mine, None).json();
    assert_eq!((&connected["knownAs"], &connected["canDisconnect"]), (&json!("zoe"), &json!(true)));
    assert_eq!(
        owner.call(&weir, "POST", mine, Some(json!({}))).problem(409).kind,
        "/problems/already-connected"
    );
    let mut elsewhere = Browser::default();
    elsewhere.sign_in(&weir, &provider, json!({}));
    assert_eq!(elsewhere.name(&weir), "ada");

    // What somebody else began to connect connects nobody who follows their link: not their account, not one's own.
    provider.be(Person::new("sub-eve", "eve", "Eve"));
    let mut eve = Browser::default();
    eve.sign_in(&weir, &provider, json!({}));
    assert_eq!(eve.name(&weir), "eve");
    assert_eq!(owner.call(&weir, "DELETE", mine, None).status, 204);
    let back = provider.visit(&owner.start(&weir, mine, json!({})));
    assert_eq!(owner.clone().come_back(&weir, &back), "/settings?trouble=taken", "she has an account");
    provider.be(Person::new("sub-3", "cleo", "Cleo"));
    let back = provider.visit(&owner.start(&weir, mine, json!({})));
    assert_eq!(eve.come_back(&weir, &back), "/sign-in?trouble=expired");
    assert_eq!(owner.come_back(&weir, &back), "/sign-in?trouble=expired", "it is good once");
    let back = provider.visit(&owner.start(&weir, mine, json!({})));
    let mut signed_out = owner.clone();
    signed_out.0.remove("weir_login");
    assert_eq!(signed_out.come_back(&weir, &back), "/settings?trouble=signed-out");
    let back = provider.visit(&owner.start(&weir, mine, json!({})));
    let mut other = owner.clone();
    other.0.insert("weir_login".to_owned(), eve.0["weir_login"].clone());
    assert_eq!(other.come_back(&weir, &back), "/settings?trouble=signed-out", "as somebody else");

    // Who came by the provider has no other way in, until they have a password.
    let only = eve.call(&weir, "GET", mine, None).json();
    assert_eq!((&only["canDisconnect"], &only["hasPassword"]), (&json!(false), &json!(false)));
    assert_eq!(eve.call(&weir, "DELETE", mine, None).problem(409).kind, "/problems/only-way-in");
    let password = "a few words of mine";
    let guess = json!({ "current": "correct horse battery", "new": password });
    eve.call(&weir, "PUT", "/api/v1/me/password", Some(guess)).problem(422);
    let bare = owner.call(&weir, "PUT", "/api/v1/me/password", Some(json!({ "new": password })));
    bare.problem(422);
    let set =
        eve.call(&weir, "PUT", "/api/v1/me/password", Some(json!({ "current": null, "new": password })));
    assert_eq!(set.status, 204, "{}", set.text());
    assert_eq!(eve.call(&weir, "DELETE", mine, None).status, 204);
    let body = json!({ "name": "eve", "password": password });
    assert_eq!(Browser::default().call(&weir, "POST", "/api/v1/login", Some(body)).status, 200);
    assert_eq!(
        actions(&weir, &mut owner),
        [
            "account.connected ada The club, as zoe",
            "account.signedIn ada by The club",
            "account.joined eve by The club",
            "account.disconnected ada The club, as zoe",
            "account.disconnected eve The club, as eve",
        ]
    );
    provider.assert_content();
}

#[test]
fn what_comes_back_is_of_the_same_browser_and_good_once() {
    let provider = Provider::start();
    let weir = with(&provider);
    open_to_all(&weir, &Browser::owner(&weir));
    let start = "/api/v1/oidc/start";
    let expired = "/sign-in?trouble=expired";
    // Somebody hands their own way back to another: who follows it isn't signed in as them.
    let mut eve = Browser::default();
    let back = provider.visit(&eve.start(&weir, start, json!({})));
    let mut victim = Browser::default();
    assert_eq!(victim.come_back(&weir, &back), expired);
    let mut busy = Browser::default();
    busy.start(&weir, start, json!({}));
    assert_eq!(busy.come_back(&weir, &back), expired, "though something was begun there, too");
    assert!(victim.me(&weir).is_none() && busy.me(&weir).is_none());
    // Once.
    let mut browser = Browser::default();
    let back = provider.visit(&browser.start(&weir, start, json!({})));
    let mut copy = browser.clone();
    assert_eq!(browser.come_back(&weir, &back), "/");
    assert_eq!(copy.come_back(&weir, &back), expired);
    for nonsense in ["", "?", "?code=a", "?state=b", "?code=a&state=b", "?%ff", "?code=a&code=b&state=c"] {
        assert_eq!(
            browser.come_back(&weir, &format!("/api/v1/oidc/callback{nonsense}")),
            expired,
            "{nonsense}"
        );
    }
    // A new login, whatever cookie was there before.
    let mut fixed = Browser([("weir_login".to_owned(), "A".repeat(43))].into());
    fixed.sign_in(&weir, &provider, json!({}));
    assert_ne!(fixed.0["weir_login"], "A".repeat(43));
    // Nobody is sent to another site.
    for other in ["//evil.example", "https://evil.example/", "/\\evil.example", "/api/v1/me", "javascript:1"]
    {
        assert_eq!(
            Browser::default().sign_in(&weir, &provider, json!({ "returnTo": other })),
            "/",
            "{other}"
        );
    }
    // And no other site's page begins it.
    let foreign = Request::new("POST", start)
        .header("origin", "https://evil.example")
        .header("sec-fetch-site", "cross-site")
        .json(&json!({}))
        .send(weir.http);
    foreign.problem(403);
}

#[test]
fn a_provider_that_lies_signs_nobody_in_and_the_page_says_why() {
    let provider = Provider::start();
    let mut weir = with(&provider);
    open_to_all(&weir, &Browser::owner(&weir));
    for (lie, trouble) in [
        (Lie::HtmlKeys, "untrue"),
        (Lie::HtmlToken, "untrue"),
        (Lie::GiantToken, "untrue"),
        (Lie::BrokenToken, "unreachable"),
        (Lie::RefusedCode, "refused"),
        (Lie::OtherIssuer, "untrue"),
        (Lie::OtherAudience, "untrue"),
        (Lie::OtherNonce, "untrue"),
        (Lie::Expired, "untrue"),
        (Lie::Unsigned, "untrue"),
        (Lie::PublicSecret, "untrue"),
        (Lie::ForeignKey, "untrue"),
        (Lie::Nobody, "untrue"),
        (Lie::OtherMixed, "untrue"),
        (Lie::Denied, "refused"),
    ] {
        provider.lie(lie);
        if lie == Lie::HtmlToken {
            // The keys weren't read a moment ago, and aren't asked for again so soon.
            std::thread::sleep(std::time::Duration::from_secs(6));
        }
        let mut browser = Browser::default();
        let page = browser.sign_in(&weir, &provider, json!({ "returnTo": "/ada" }));
        assert_eq!(page, format!("/sign-in?return=%2Fada&trouble={trouble}"), "{lie:?}");
        assert!(browser.0.is_empty() && browser.me(&weir).is_none(), "{lie:?}");
    }
    provider.lie(Lie::None);
    assert_eq!(Browser::default().sign_in(&weir, &provider, json!({})), "/");
    weir.assert_healthy();
}

#[test]
fn a_provider_that_is_away_or_slow_or_another_is_said_to_be() {
    let provider = Provider::start();
    let mut weir = with(&provider);
    let start = |weir: &Weir| Browser::default().call(weir, "POST", "/api/v1/oidc/start", Some(json!({})));
    for lie in [Lie::HtmlDescription, Lie::OtherDescription] {
        provider.lie(lie);
        assert_eq!(start(&weir).problem(502).kind, "/problems/provider-untrue", "{lie:?}");
        std::thread::sleep(std::time::Duration::from_millis(3100));
    }
    provider.lie(Lie::Silent);
    let began = Instant::now();
    assert_eq!(start(&weir).problem(502).kind, "/problems/provider-unreachable");
    assert!(began.elapsed().as_secs() < 9, "{:?}", began.elapsed());
    // Who comes next isn't kept waiting for the same.
    let began = Instant::now();
    start(&weir).problem(502);
    assert!(began.elapsed().as_secs() < 3, "{:?}", began.elapsed());
    weir.assert_healthy();

    let closed: SocketAddr = ([127, 0, 0, 1], weir_tests::server::free_tcp_port()).into();
    let away = Weir::start_with(&[
        ("WEIR_OIDC_ISSUER", &format!("http://{closed}")),
        ("WEIR_OIDC_CLIENT_ID", "weir"),
        ("WEIR_OIDC_CLIENT_SECRET", "x"),
    ]);
    assert_eq!(start(&away).problem(502).kind, "/problems/provider-unreachable");
    assert_eq!(Request::new("GET", "/api/v1/instance").send(away.http).json()["provider"], "127.0.0.1");
}

#[test]
fn without_a_provider_there_is_none_and_half_of_one_is_refused() {
    let weir = Weir::start();
    let mut owner = Browser::owner(&weir);
    let instance = Request::new("GET", "/api/v1/instance").send(weir.http).json();
    assert_eq!(instance["provider"], Value::Null);
    for (method, path) in [
        ("POST", "/api/v1/oidc/start"),
        ("GET", "/api/v1/oidc/newcomer"),
        ("GET", "/api/v1/me/oidc"),
        ("POST", "/api/v1/me/oidc"),
    ] {
        let body = (method == "POST").then(|| json!({}));
        assert_eq!(
            owner.call(&weir, method, path, body).problem(404).kind,
            "/problems/no-provider",
            "{path}"
        );
    }
    assert_eq!(owner.come_back(&weir, "/api/v1/oidc/callback?code=a&state=b"), "/sign-in?trouble=expired");
    let half = [("WEIR_OIDC_ISSUER", "https://login.example.org"), ("WEIR_OIDC_CLIENT_SECRET", "hush-hush")];
    let (status, said) = refused(&half, &["serve"]);
    assert!(
        !status.success() && said.contains("oidc.client_id is not set") && !said.contains("hush"),
        "{said}"
    );
}
