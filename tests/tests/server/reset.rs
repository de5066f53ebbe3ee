//! New passwords for those who forgot theirs: by a letter, from the shell, and what strangers try.

use crate::{
    SOON,
    notifications::{call, in_database, joined, ok, told},
};
use serde_json::{Value, json};
use std::{
    io::Write,
    process::{Command, Stdio},
    time::Duration,
};
use weir_tests::{
    eventually,
    http::Response,
    mail::{MailServer, Manner, link, plain},
    server::{Login, Weir, binary},
};

const NEW: &str = "another horse battery";
const OLD: &str = "correct horse battery";

fn with_mail(manners: &[Manner]) -> (MailServer, Weir) {
    let server = MailServer::start(manners);
    let weir = Weir::start_with(&[
        ("WEIR_SMTP_URL", server.url.as_str()),
        ("WEIR_SMTP_FROM", "Weir <weir@tv.example>"),
    ]);
    (server, weir)
}

fn post_from(weir: &Weir, address: &str, path: &str, body: &Value) -> Response {
    let path = format!("/api/v1/{path}");
    weir.same_origin("POST", &path).header("x-forwarded-for", address).json(body).send(weir.http)
}

fn ask(weir: &Weir, account: &str) -> Response {
    post_from(weir, "192.0.2.1", "password-reset", &json!({ "account": account }))
}

fn reset(weir: &Weir, token: &str, password: &str) -> Response {
    let body = json!({ "token": token, "password": password });
    post_from(weir, "192.0.2.1", "password-reset/confirm", &body)
}

fn sign_in(weir: &Weir, name: &str, password: &str) -> u16 {
    post_from(weir, "192.0.2.9", "login", &json!({ "name": name, "password": password })).status
}

/// Gives somebody an address that is theirs.
fn confirmed(weir: &Weir, server: &MailServer, login: &Login, address: &str) {
    ok(&call(weir, login, "PUT", "me/email", &json!({ "address": address })));
    let token = link(&server.next(), "confirm-email");
    assert_eq!(post_from(weir, "192.0.2.1", "email/confirm", &json!({ "token": token })).status, 204);
}

#[test]
fn a_letter_s_link_sets_a_new_password_once_and_ends_every_login() {
    let (server, mut weir) = with_mail(&[]);
    let owner = weir.set_up("ada");
    let ben = joined(&weir, &owner, "ben");
    confirmed(&weir, &server, &ben, "Ben@example.org");
    assert_eq!(ask(&weir, "ben").status, 202);
    let letter = server.next();
    assert!(letter.starts_with("RCPT TO:<Ben@example.org>"), "{letter}");
    assert!(plain(&letter).contains("the account ben on"), "{letter}");
    let token = link(&letter, "reset-password");
    let kept =
        in_database(&weir, &format!("SELECT COUNT(*) FROM password_resets WHERE token_hash = '{token}'"));
    assert_eq!(kept, 0, "of a link its hash is kept alone");
    // It outlives the process. What the server refuses leaves the link as it is.
    weir.crash();
    weir.start_again();
    assert_eq!(reset(&weir, &token, "short").status, 422);
    assert_eq!(reset(&weir, &token, NEW).status, 204);
    assert_eq!(reset(&weir, &token, NEW).problem(403).kind, "/problems/stale-link");
    assert_eq!(call(&weir, &ben, "GET", "me", &Value::Null).status, 401, "every login has ended");
    assert_eq!((sign_in(&weir, "ben", OLD), sign_in(&weir, "ben", NEW)), (401, 200));
    let body = json!({ "name": "ben", "password": NEW });
    let back = Login::from_response(&post_from(&weir, "192.0.2.9", "login", &body));
    eventually("it is told", SOON, || {
        told(&weir, &back).iter().any(|one| one["title"] == "Your password was changed").then_some(())
    });
    // By the address, too, however it is written.
    assert_eq!(ask(&weir, " BEN@EXAMPLE.ORG ").status, 202);
    assert_eq!(reset(&weir, &link(&server.next(), "reset-password"), OLD).status, 204);
    let audit = ok(&call(&weir, &owner, "GET", "audit?action=account.password", &Value::Null));
    assert_eq!(audit["items"].as_array().map(Vec::len), Some(2), "{audit}");
    assert_eq!(audit["items"][0]["target"]["name"], "ben");
}

#[test]
fn one_link_that_was_used_takes_all_others_along_and_all_are_over_after_an_hour() {
    let (server, weir) = with_mail(&[]);
    let owner = weir.set_up("ada");
    confirmed(&weir, &server, &owner, "ada@example.org");
    let links = ["ada", "ada@example.org"].map(|account| {
        assert_eq!(ask(&weir, account).status, 202);
        link(&server.next(), "reset-password")
    });
    assert_ne!(links[0], links[1]);
    assert_eq!(reset(&weir, &links[1], NEW).status, 204);
    assert_eq!(reset(&weir, &links[0], OLD).problem(403).kind, "/problems/stale-link");
    let output = weir.run(&["account", "password", "ada", "--json"]);
    let made: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let (_, token) = made["link"].as_str().expect("a link").split_once("token=").expect("a token");
    in_database(&weir, "UPDATE password_resets SET expires_at = expires_at - 3600000");
    assert_eq!(reset(&weir, token, OLD).problem(403).kind, "/problems/stale-link");
    assert_eq!(sign_in(&weir, "ada", NEW), 200);
}

#[test]
fn asking_tells_nobody_whether_there_is_such_an_account() {
    let (server, weir) = with_mail(&[]);
    let owner = weir.set_up("ada");
    let [ben, cleo, _] = ["ben", "cleo", "dora"].map(|name| joined(&weir, &owner, name));
    confirmed(&weir, &server, &ben, "ben@example.org");
    // Cleo's address isn't confirmed: nothing goes there but the letter that asks for that. Dora has none.
    ok(&call(&weir, &cleo, "PUT", "me/email", &json!({ "address": "cleo@example.org" })));
    server.next();
    let known = ask(&weir, "ben");
    for nobody in ["cleo", "cleo@example.org", "dora", "nobody", "nobody@example.org", "", "' OR 1=1 --", "%"]
    {
        let answer = ask(&weir, nobody);
        assert_eq!((answer.status, &answer.body), (known.status, &known.body), "{nobody}");
    }
    assert!(server.next().starts_with("RCPT TO:<ben@example.org>"));
    std::thread::sleep(Duration::from_millis(500));
    assert!(server.letters.try_recv().is_err(), "nobody else gets a letter");
    assert_eq!(in_database(&weir, "SELECT COUNT(*) FROM password_resets"), 1);
    // Who is suspended gets none, and a link that they have doesn't work.
    ok(&call(&weir, &owner, "PATCH", "people/ben", &json!({ "suspended": true })));
    assert_eq!(ask(&weir, "ben@example.org").status, 202);
    std::thread::sleep(Duration::from_millis(500));
    assert!(server.letters.try_recv().is_err());
}

#[test]
fn nobody_s_mailbox_is_filled_and_no_link_is_guessed() {
    let (server, weir) = with_mail(&[]);
    let owner = weir.set_up("ada");
    let ben = joined(&weir, &owner, "ben");
    confirmed(&weir, &server, &ben, "ben@example.org");
    // From many networks, by both of their names.
    let asked = |n: usize, account: &str| {
        post_from(&weir, &format!("198.51.{n}.1"), "password-reset", &json!({ "account": account })).status
    };
    for account in ["ben", "ben@example.org", "nobody"] {
        let answers: Vec<u16> = (0..6).map(|n| asked(n, account)).collect();
        assert_eq!(answers, [202, 202, 202, 429, 429, 429], "{account}: alike for who isn't there");
    }
    for _ in 0..3 {
        server.next();
    }
    std::thread::sleep(Duration::from_millis(500));
    assert!(server.letters.try_recv().is_err(), "three letters, whichever name was used");
    // One network has few tries, whomever it asks for.
    let many: Vec<u16> = (0..12)
        .map(|n| {
            post_from(&weir, "203.0.113.7", "password-reset", &json!({ "account": format!("p{n}x") })).status
        })
        .collect();
    assert_eq!(many.iter().filter(|status| **status == 202).count(), 10, "{many:?}");
    for bad in ["", "x", "../../x", &"A".repeat(43), &"A".repeat(5000)] {
        assert_eq!(reset(&weir, bad, NEW).problem(403).kind, "/problems/stale-link", "{bad}");
    }
    let guesses: Vec<u16> = (0..40)
        .map(|_| {
            let body = json!({ "token": "A".repeat(43), "password": NEW });
            post_from(&weir, "203.0.113.9", "password-reset/confirm", &body).status
        })
        .collect();
    assert!(guesses.contains(&429), "{guesses:?}");
    // A page of another site can ask for nothing.
    let path = "/api/v1/password-reset";
    let foreign = weir_tests::http::Request::new("POST", path)
        .header("origin", "https://evil.example")
        .header("sec-fetch-site", "cross-site")
        .json(&json!({ "account": "ben" }))
        .send(weir.http);
    assert_eq!(foreign.status, 403, "{}", foreign.text());
    for body in [json!({}), json!({ "account": 1 }), json!({ "account": "ben", "more": 1 })] {
        assert_eq!(post_from(&weir, "203.0.113.11", "password-reset", &body).status, 422);
    }
}

#[test]
fn a_letter_waits_for_a_mail_server_that_is_busy() {
    let (server, weir) = with_mail(&[Manner::Takes, Manner::IsBusy]);
    let owner = weir.set_up("ada");
    confirmed(&weir, &server, &owner, "ada@example.org");
    assert_eq!(ask(&weir, "ada").status, 202, "the answer doesn't wait for it");
    eventually("it failed first", SOON, || {
        let metrics = weir_tests::http::Request::new("GET", "/metrics").send(weir.http).text();
        metrics.contains("weir_mail_failed_total 1").then_some(())
    });
    let letter = eventually("it comes half a minute later", Duration::from_secs(60), || {
        server.letters.try_recv().ok()
    });
    assert_eq!(reset(&weir, &link(&letter, "reset-password"), NEW).status, 204);
}

#[test]
fn without_a_mail_server_the_shell_lets_people_in() {
    let mut weir = Weir::start();
    let owner = weir.set_up("ada");
    let ben = joined(&weir, &owner, "ben");
    assert_eq!(ask(&weir, "ben").problem(409).kind, "/problems/no-email");
    assert_eq!(ask(&weir, "nobody").problem(409).kind, "/problems/no-email");
    // Beside the server that runs, and printed for a person.
    let output = weir.run(&["account", "password", "ben"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let (_, token) = said.trim().rsplit_once("/reset-password?token=").expect("a link");
    assert_eq!((reset(&weir, token, NEW).status, reset(&weir, token, NEW).status), (204, 403));
    assert_eq!(call(&weir, &ben, "GET", "me", &Value::Null).status, 401);
    // While it is stopped, with a password on standard input.
    weir.crash();
    let set = |weir: &Weir, password: &str| {
        let mut child = Command::new(binary())
            .args(["account", "password", "ben", "--password-stdin", "--json"])
            .env("WEIR_DATA_DIR", weir.data())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("weir");
        writeln!(child.stdin.take().expect("its input"), "{password}").expect("a pipe");
        child.wait_with_output().expect("an end")
    };
    let done = set(&weir, "a third horse battery");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let said: Value = serde_json::from_slice(&done.stdout).expect("JSON");
    assert_eq!(said, json!({ "account": "ben", "link": null }));
    assert!(!set(&weir, "short").status.success());
    weir.start_again();
    assert_eq!((sign_in(&weir, "ben", NEW), sign_in(&weir, "ben", "a third horse battery")), (401, 200));
    let unknown = weir.run(&["account", "password", "nobody"]);
    assert!(!unknown.status.success());
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("nobody of this name"));
    let audit = ok(&call(&weir, &owner, "GET", "audit", &Value::Null));
    let count = |action: &str| {
        audit["items"].as_array().expect("a page").iter().filter(|one| one["action"] == action).count()
    };
    assert_eq!((count("account.passwordLink"), count("account.password")), (1, 2), "{audit}");
}

#[test]
fn a_letter_that_waits_outlives_the_server_and_its_link_is_made_as_it_leaves() {
    let (server, mut weir) = with_mail(&[Manner::Takes, Manner::IsBusy]);
    let owner = weir.set_up("ada");
    confirmed(&weir, &server, &owner, "ada@example.org");
    assert_eq!(ask(&weir, "ada").status, 202);
    eventually("it failed first", SOON, || {
        let metrics = weir_tests::http::Request::new("GET", "/metrics").send(weir.http).text();
        metrics.contains("weir_mail_failed_total 1").then_some(())
    });
    assert_eq!(in_database(&weir, "SELECT COUNT(*) FROM reset_letters WHERE tries = 1"), 1);
    weir.crash();
    // Half a minute later.
    assert_eq!(in_database(&weir, "UPDATE reset_letters SET due_at = 0"), 1);
    weir.start_again();
    let letter = server.next();
    let token = link(&letter, "reset-password");
    eventually("the outbox is empty", SOON, || {
        (in_database(&weir, "SELECT COUNT(*) FROM reset_letters") == 0).then_some(())
    });
    assert!(server.letters.try_recv().is_err(), "one letter");
    assert_eq!(reset(&weir, &token, NEW).status, 204);
    // What was asked for and didn't leave in time doesn't any more, and neither does what a link made needless.
    weir.crash();
    in_database(
        &weir,
        "INSERT INTO reset_letters (id, account_id, asked_at, due_at, tries)
         SELECT 'late', id, 1000, 0, 0 FROM accounts WHERE name = 'ada'",
    );
    weir.start_again();
    eventually("it is given up", SOON, || {
        (in_database(&weir, "SELECT COUNT(*) FROM reset_letters") == 0).then_some(())
    });
    assert!(server.letters.try_recv().is_err());
}
