//! REST as a whole: lists in pages, and its own description of itself.

use crate::SOON;
use serde_json::Value;
use weir_tests::{
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
