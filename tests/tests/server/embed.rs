//! A channel on other people's pages: who may show it, and how a page finds out how.

use serde_json::{Value, json};
use weir_tests::{
    http::{Request, Response},
    server::{Login, Weir},
};

fn get(weir: &Weir, path: &str) -> Response {
    Request::new("GET", path).header("accept", "text/html").send(weir.http)
}

fn edit(weir: &Weir, login: &Login, change: Value) {
    let request = weir.same_origin("PATCH", "/api/v1/channels/ada").header("cookie", login.cookie.as_str());
    let response = request.json(&change).send(weir.http);
    assert_eq!(response.status, 200, "{}", response.text());
}

/// The last directive of the page's policy.
fn ancestors(response: &Response) -> String {
    let policy = response.header("content-security-policy").expect("a policy");
    let (_, sources) = policy.rsplit_once("frame-ancestors ").expect("who may show it");
    sources.to_owned()
}

#[test]
fn a_channel_says_which_sites_may_show_it() {
    let weir = Weir::start();
    let login = weir.set_up("ada");
    let rules = [
        (json!({ "allow": "anywhere" }), "*"),
        (json!({ "allow": "nowhere" }), "'self'"),
        (
            json!({ "allow": "sites", "sites": ["https://B.example/", "http://localhost:3000", "https://b.example"] }),
            "'self' http://localhost:3000 https://b.example",
        ),
    ];
    let mut tags = Vec::new();
    for (embedding, sources) in rules {
        edit(&weir, &login, json!({ "embedding": embedding }));
        for path in ["/embed/ada", "/embed/Ada", "/embed/ada/chat"] {
            let page = get(&weir, path);
            assert_eq!((page.status, ancestors(&page).as_str()), (200, sources), "{path}");
            assert!(page.header("content-type").is_some_and(|kind| kind.starts_with("text/html")), "{path}");
            assert_eq!(page.header("set-cookie"), None);
            assert_eq!(page.header("x-frame-options"), None);
            let permissions = page.header("permissions-policy").expect("permissions");
            assert!(permissions.contains("autoplay=(self)") && permissions.contains("camera=()"));
        }
        let page = get(&weir, "/embed/ada");
        let tag = page.header("etag").expect("a tag").to_owned();
        let again = Request::new("GET", "/embed/ada").header("if-none-match", tag.as_str()).send(weir.http);
        assert_eq!((again.status, ancestors(&again).as_str()), (304, sources));
        assert!(!tags.contains(&tag), "the rule is part of what is cached");
        tags.push(tag);
        let told = get(&weir, "/api/v1/channels/ada/embedding").json();
        assert_eq!(told["embedding"]["allow"], embedding["allow"]);
    }
    for path in ["/", "/ada", "/studio/ada", "/settings", "/embed"] {
        assert_eq!(ancestors(&get(&weir, path)), "'none'", "{path}");
    }
}

#[test]
fn what_strangers_may_not_know_of_looks_like_what_is_not_there() {
    let weir = Weir::start();
    let login = weir.set_up("ada");
    edit(&weir, &login, json!({ "visibility": "PRIVATE", "embedding": { "allow": "anywhere" } }));
    let pages: Vec<_> = ["/embed/ada", "/embed/nobody", "/embed/not%20a%20name", "/embed/a"]
        .into_iter()
        .map(|path| {
            let page = get(&weir, path);
            (page.status, ancestors(&page), page.header("etag").map(str::to_owned))
        })
        .collect();
    assert_eq!((pages[0].0, pages[0].1.as_str()), (404, "'self'"));
    assert!(pages.iter().all(|page| *page == pages[0]), "{pages:?}");
    // A login changes nothing: the page is for other people's sites.
    let own = Request::new("GET", "/embed/ada").header("cookie", login.cookie.as_str()).send(weir.http);
    assert_eq!(own.status, 404);
    get(&weir, "/api/v1/channels/ada/embedding").problem(404);
}

#[test]
fn a_hostile_site_gets_into_no_header() {
    let weir = Weir::start();
    let login = weir.set_up("ada");
    for site in ["https://a.example; script-src *", "https://a.example\r\nset-cookie: a=b", "*", "https://*"]
    {
        let body = json!({ "embedding": { "allow": "sites", "sites": [site] } });
        let request =
            weir.same_origin("PATCH", "/api/v1/channels/ada").header("cookie", login.cookie.as_str());
        assert_eq!(request.json(&body).send(weir.http).problem(422).field.as_deref(), Some("embedding"));
    }
}

fn oembed(weir: &Weir, query: &str) -> Response {
    Request::new("GET", &format!("/oembed?{query}")).send(weir.http)
}

#[test]
fn oembed_tells_how_to_show_a_channel() {
    let weir = Weir::start();
    let login = weir.set_up("ada");
    let title = "<script>alert(1)</script> & \"more\"";
    edit(&weir, &login, json!({ "title": title, "displayName": "Ada L." }));
    let base = format!("http://{}", weir.http);

    // As a consumer finds it: from the channel's page, by its Link.
    let page = get(&weir, "/ada");
    let link = page.header("link").expect("a link");
    assert!(
        link.contains("rel=\"alternate\"") && link.contains("type=\"application/json+oembed\""),
        "{link}"
    );
    let address =
        link.strip_prefix(&format!("<{base}")).and_then(|rest| rest.split_once('>')).expect("its address").0;
    let response = Request::new("GET", address).send(weir.http);
    assert_eq!(response.status, 200, "{}", response.text());
    assert_eq!(response.header("access-control-allow-origin"), Some("*"));
    let answer = response.json();
    assert_eq!(answer["type"], "video");
    assert_eq!(answer["version"], "1.0");
    assert_eq!(answer["title"], title);
    assert_eq!(answer["author_name"], "Ada L.");
    assert_eq!(answer["author_url"], format!("{base}/ada"));
    assert_eq!(answer["provider_url"], base);
    assert_eq!((&answer["width"], &answer["height"]), (&json!(640), &json!(360)));
    assert!(answer["cache_age"].is_u64() && answer["provider_name"].is_string());
    let html = answer["html"].as_str().expect("html");
    assert!(
        html.starts_with(&format!("<iframe src=\"{base}/embed/ada\" width=\"640\" height=\"360\"")),
        "{html}"
    );
    assert_eq!(html.matches('<').count(), 2, "{html}");
    assert_eq!(html.matches('"').count() % 2, 0, "{html}");

    let url = format!("url={base}/embed/ada");
    let sized = oembed(&weir, &format!("{url}&maxwidth=320&maxheight=320&format=json")).json();
    assert_eq!((&sized["width"], &sized["height"]), (&json!(320), &json!(180)));
    assert_eq!(get(&weir, "/settings").header("link"), None);
}

#[test]
fn oembed_says_why_not() {
    let weir = Weir::start();
    let login = weir.set_up("ada");
    let base = format!("http://{}", weir.http);
    let url = format!("url={base}/ada");
    oembed(&weir, &format!("{url}&format=xml")).problem(501);
    oembed(&weir, "url=https://elsewhere.example/ada").problem(404);
    oembed(&weir, &format!("url={base}/nobody")).problem(404);
    oembed(&weir, "url=%00%ff%0d%0a").problem(404);
    assert_eq!(oembed(&weir, "").problem(400).field.as_deref(), Some("url"));
    assert_eq!(oembed(&weir, &format!("{url}&maxwidth=-1")).problem(400).field.as_deref(), Some("maxwidth"));
    assert_eq!(
        oembed(&weir, &format!("{url}&maxheight=wide")).problem(400).field.as_deref(),
        Some("maxheight")
    );
    oembed(&weir, &format!("{url}&{url}")).problem(400);
    for embedding in [json!({ "allow": "nowhere" }), json!({ "allow": "sites", "sites": [] })] {
        edit(&weir, &login, json!({ "embedding": embedding }));
        assert_eq!(oembed(&weir, &url).problem(403).kind, "/problems/not-embeddable");
    }
    edit(&weir, &login, json!({ "embedding": { "allow": "sites", "sites": ["https://a.example"] } }));
    assert_eq!(oembed(&weir, &url).status, 200);
    // To a stranger, and oEmbed knows no others, a private channel isn't there.
    edit(&weir, &login, json!({ "visibility": "PRIVATE" }));
    let (private, absent) = (oembed(&weir, &url), oembed(&weir, &format!("url={base}/nobody")));
    assert_eq!((private.status, private.text()), (404, absent.text()));
}
