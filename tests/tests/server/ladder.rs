//! The ladder's switch and its state, as a channel's owner uses them. What it makes is tested with real browsers.

use serde_json::{Value, json};
use weir_tests::{
    http::Response,
    server::{Login, Weir},
};

fn asked(weir: &Weir, login: &Login, method: &str, body: Option<&Value>) -> Response {
    let request =
        weir.same_origin(method, "/api/v1/channels/ada/ladder").header("cookie", login.cookie.as_str());
    match body {
        Some(body) => request.json(body).send(weir.http),
        None => request.send(weir.http),
    }
}

#[test]
fn the_owner_turns_it_off_for_good() {
    let mut weir = Weir::start();
    let login = weir.set_up("ada");
    let state = asked(&weir, &login, "GET", None).json();
    assert_eq!(state, json!({"enabled": true, "rungs": []}), "nothing is live");
    let off = asked(&weir, &login, "PUT", Some(&json!({"enabled": false})));
    assert_eq!(off.json()["enabled"], false);
    assert_eq!(asked(&weir, &login, "PUT", Some(&json!({"enabled": 1}))).status, 400);
    weir.crash();
    weir.start_again();
    assert_eq!(asked(&weir, &login, "GET", None).json()["enabled"], false, "also after a restart");
}

#[test]
fn nobody_else_sees_or_sets_it() {
    let weir = Weir::start();
    weir.set_up("ada");
    for method in ["GET", "PUT"] {
        let request = weir.same_origin(method, "/api/v1/channels/ada/ladder");
        assert_eq!(request.json(&json!({"enabled": false})).send(weir.http).status, 401);
    }
}
