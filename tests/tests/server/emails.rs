//! What people are told by e-mail: where they confirmed an address, once each, also over a crash, and no more when they say so.

use crate::{
    SOON,
    notifications::{call, follow, in_database, joined, make_due, ok, told, wishes},
};
use serde_json::{Value, json};
use weir_tests::{
    eventually,
    http::Request,
    mail::{MailServer, Manner, header, link, plain},
    server::Weir,
};

#[test]
fn letters_go_to_confirmed_addresses_together_once_and_can_be_stopped() {
    let server = MailServer::start(&[]);
    let mail = [("WEIR_SMTP_URL", server.url.as_str()), ("WEIR_SMTP_FROM", "Weir <weir@tv.example>")];
    let mut weir = Weir::start_with(&mail);
    let owner = weir.set_up("ada");
    ok(&call(&weir, &owner, "PUT", "me/notification-preferences", &wishes(true, false, true)));
    let follower = |name: &str| follow(&weir, &joined(&weir, &owner, name), "ada");
    follower("before");
    assert_eq!(make_due(&weir, "mail_outbox"), 0, "nothing goes to an address that isn't there");
    for bad in ["ada", "a b@example.org", "ada@example.org\r\nBcc: all@example.org", ""] {
        call(&weir, &owner, "PUT", "me/email", &json!({ "address": bad })).problem(422);
    }
    let state = ok(&call(&weir, &owner, "PUT", "me/email", &json!({ "address": "ada@example.org" })));
    assert_eq!((&state["confirmed"], &state["available"]), (&json!(false), &json!(true)));
    let asked = server.next();
    assert!(asked.starts_with("RCPT TO:<ada@example.org>"), "{asked}");
    let token = link(&asked, "confirm-email");
    let confirm = |token: &str| {
        weir.same_origin("POST", "/api/v1/email/confirm").json(&json!({ "token": token })).send(weir.http)
    };
    assert_eq!(confirm("nonsense").problem(403).kind, "/problems/stale-link");
    assert_eq!((confirm(&token).status, confirm(&token).status), (204, 403), "it works once");
    ok(&call(&weir, &owner, "PUT", "me/notifications/read", &json!({ "until": "2100-01-01T00:00:00Z" })));
    follower("ben");
    let cleo = joined(&weir, &owner, "cleo");
    ok(&call(&weir, &cleo, "POST", "channels/ada/chat/messages", &json!({ "text": "Good evening @ada" })));
    eventually("the mention is there", SOON, || {
        told(&weir, &owner).iter().any(|one| one["kind"] == "mention").then_some(())
    });
    assert!(server.letters.try_recv().is_err(), "letters gather for a minute");
    // A crash, and the minute is over.
    weir.crash();
    assert_eq!(make_due(&weir, "mail_outbox"), 2);
    weir.start_again();
    let letter = server.next();
    let text = plain(&letter);
    assert!(text.contains("ben follows ada") && text.contains("cleo mentioned you"), "{text}");
    assert!(text.contains("List-Unsubscribe-Post: List-Unsubscribe=One-Click"), "{text}");
    assert!(text.contains("Message-ID: <"), "{text}");
    eventually("the outbox is empty", SOON, || (make_due(&weir, "mail_outbox") == 0).then_some(()));
    assert!(server.letters.try_recv().is_err(), "one letter for all of it");
    // What the letter says of each kind stops that kind: on a page that asks first, as mail programs look at links, too.
    let (_, written) = letter.split_once("\r\n\r\n").expect("a text");
    let stop = link(written, "unsubscribe");
    let address = format!("/unsubscribe?token={stop}");
    let page = Request::new("GET", &address).header("accept", "text/html").send(weir.http);
    assert!(page.header("content-type").is_some_and(|kind| kind.starts_with("text/html")), "{}", page.status);
    let kept = || ok(&call(&weir, &owner, "GET", "me/notification-preferences", &Value::Null));
    let stopped = || ["mention", "follower"].iter().filter(|kind| kept()[**kind]["email"] == false).count();
    assert_eq!(stopped(), 0);
    let press = weir.same_origin("POST", "/api/v1/email/unsubscribe").json(&json!({ "token": stop }));
    assert_eq!(press.send(weir.http).status, 204);
    assert_eq!(stopped(), 1, "that kind, and no other: {}", kept());
    ok(&call(&weir, &owner, "PUT", "me/notification-preferences", &wishes(true, false, true)));
    ok(&call(&weir, &owner, "PUT", "me/notifications/read", &json!({ "until": "2100-01-01T00:00:00Z" })));
    follow(&weir, &joined(&weir, &owner, "dora"), "ada");
    assert_eq!(in_database(&weir, "SELECT COUNT(*) FROM mail_outbox"), 1);
    // As a mail program presses it: a form of another site's, without a login. It is for all that is in the letter.
    let stop = link(&header(&letter, "List-Unsubscribe"), "unsubscribe");
    let path = format!("/unsubscribe?token={stop}");
    let press = |path: &str| {
        let request = Request::new("POST", path).header("origin", "https://mail.example");
        request.body("application/x-www-form-urlencoded", "List-Unsubscribe=One-Click").send(weir.http).status
    };
    assert_eq!((press(&path), press("/unsubscribe?token=ada.mention.00")), (200, 403));
    assert_eq!(stopped(), 2, "{}", kept());
    make_due(&weir, "mail_outbox");
    weir.crash();
    weir.start_again();
    eventually("what waited doesn't go any more", SOON, || {
        (in_database(&weir, "SELECT COUNT(*) FROM mail_outbox") == 0).then_some(())
    });
    assert!(server.letters.try_recv().is_err());
    let state = ok(&call(&weir, &owner, "DELETE", "me/email", &Value::Null));
    assert!(state["address"].is_null());
}

#[test]
fn an_address_opens_a_way_into_an_account_to_who_proves_themselves_alone() {
    let server = MailServer::start(&[]);
    let mail = [("WEIR_SMTP_URL", server.url.as_str()), ("WEIR_SMTP_FROM", "weir@tv.example")];
    let weir = Weir::start_with(&mail);
    let owner = weir.set_up("ada");
    in_database(&weir, "UPDATE logins SET created_at = created_at - 600000");
    let set = |password: Option<&str>| {
        let mut body = json!({ "address": "ada@example.org" });
        if let Some(password) = password {
            body["password"] = json!(password);
        }
        call(&weir, &owner, "PUT", "me/email", &body)
    };
    let needed = set(None).problem(422);
    assert_eq!(
        (needed.kind.as_str(), needed.field.as_deref()),
        ("/problems/password-needed", Some("password"))
    );
    assert_eq!(set(Some("not the password")).problem(422).field.as_deref(), Some("password"));
    assert_eq!(ok(&call(&weir, &owner, "GET", "me/email", &Value::Null))["address"], Value::Null);
    assert_eq!(ok(&set(Some("correct horse battery")))["address"], "ada@example.org");
}

#[test]
fn a_mail_server_that_is_busy_gets_the_same_letter_later() {
    let server = MailServer::start(&[]);
    let mail = [("WEIR_SMTP_URL", server.url.as_str()), ("WEIR_SMTP_FROM", "weir@tv.example")];
    let mut weir = Weir::start_with(&mail);
    let owner = weir.set_up("ada");
    ok(&call(&weir, &owner, "PUT", "me/email", &json!({ "address": "ada@example.org" })));
    let token = link(&server.next(), "confirm-email");
    let confirm = weir.same_origin("POST", "/api/v1/email/confirm").json(&json!({ "token": token }));
    assert_eq!(confirm.send(weir.http).status, 204);
    ok(&call(&weir, &owner, "PUT", "me/notification-preferences", &wishes(true, false, true)));
    let ben = joined(&weir, &owner, "ben");
    follow(&weir, &ben, "ada");
    for limit in 0..3 {
        // Written otherwise it is another one, which the mailbox needn't know.
        let status = call(&weir, &owner, "PUT", "me/email", &json!({ "address": "Ada@example.org" })).status;
        assert_eq!(status == 429, limit == 2, "nobody's mailbox is filled with questions");
    }
    let status = call(&weir, &ben, "PUT", "me/email", &json!({ "address": "ADA@example.org" })).status;
    assert_eq!(status, 429, "by nobody else either");
    let token = link(&server.letters.iter().nth(1).expect("the newest question"), "confirm-email");
    let confirm = weir.same_origin("POST", "/api/v1/email/confirm").json(&json!({ "token": token }));
    assert_eq!(confirm.send(weir.http).status, 204);
    weir.crash();
    let busy = MailServer::start(&[Manner::IsBusy]);
    let data = weir.data().to_owned();
    assert_eq!(make_due(&weir, "mail_outbox"), 1);
    let mail = [("WEIR_SMTP_URL", busy.url.as_str()), ("WEIR_SMTP_FROM", "weir@tv.example")];
    let mut again = Weir::start_in(&data, &mail);
    eventually("the first try has failed", SOON, || {
        let metrics = Request::new("GET", "/metrics").send(again.http).text();
        metrics.contains("weir_mail_failed_total 1").then_some(())
    });
    again.crash();
    eventually("it waits for its next try", SOON, || (make_due(&again, "mail_outbox") == 1).then_some(()));
    again.start_again();
    assert!(plain(&busy.next()).contains("ben follows ada"));
}

#[test]
fn without_a_mail_server_nobody_is_asked_for_an_address() {
    let weir = Weir::start();
    let owner = weir.set_up("ada");
    assert_eq!(ok(&call(&weir, &owner, "GET", "me/email", &Value::Null))["available"], false);
    let problem =
        call(&weir, &owner, "PUT", "me/email", &json!({ "address": "ada@example.org" })).problem(409);
    assert_eq!(problem.kind, "/problems/no-email");
}

#[test]
fn a_letter_that_a_crash_cut_off_goes_once_more_as_it_was() {
    let server = MailServer::start(&[Manner::Takes, Manner::IsMute]);
    let mail = [("WEIR_SMTP_URL", server.url.as_str()), ("WEIR_SMTP_FROM", "weir@tv.example")];
    let mut weir = Weir::start_with(&mail);
    let owner = weir.set_up("ada");
    ok(&call(&weir, &owner, "PUT", "me/email", &json!({ "address": "ada@example.org" })));
    let token = link(&server.next(), "confirm-email");
    let confirm = weir.same_origin("POST", "/api/v1/email/confirm").json(&json!({ "token": token }));
    assert_eq!(confirm.send(weir.http).status, 204);
    ok(&call(&weir, &owner, "PUT", "me/notification-preferences", &wishes(true, false, true)));
    let ben = joined(&weir, &owner, "ben");
    follow(&weir, &ben, "ada");
    weir.crash();
    make_due(&weir, "mail_outbox");
    weir.start_again();
    // The mail server has it, and the server doesn't know.
    let first = server.next();
    ok(&call(&weir, &ben, "POST", "channels/ada/chat/messages", &json!({ "text": "Good evening @ada" })));
    let waiting = "SELECT COUNT(*) FROM mail_outbox";
    eventually("the mention waits for a letter", SOON, || (in_database(&weir, waiting) == 2).then_some(()));
    weir.crash();
    make_due(&weir, "mail_outbox");
    weir.start_again();
    let (one, other) = (server.next(), server.next());
    let id = |letter: &str| header(letter, "Message-ID");
    let (again, next) = if id(&one) == id(&first) { (one, other) } else { (other, one) };
    assert_eq!(id(&again), id(&first), "by which mail programs keep it one");
    assert!(plain(&again).contains("ben follows ada") && !plain(&again).contains("mentioned"), "{again}");
    assert_ne!(id(&next), id(&first));
    assert!(plain(&next).contains("ben mentioned you") && !plain(&next).contains("follows"), "{next}");
    eventually("all is done", SOON, || (in_database(&weir, waiting) == 0).then_some(()));
}

#[test]
fn a_new_address_takes_the_place_of_the_old_one_once_it_is_confirmed() {
    let server = MailServer::start(&[]);
    let mail = [("WEIR_SMTP_URL", server.url.as_str()), ("WEIR_SMTP_FROM", "weir@tv.example")];
    let weir = Weir::start_with(&mail);
    let owner = weir.set_up("ada");
    let set = |address: &str| ok(&call(&weir, &owner, "PUT", "me/email", &json!({ "address": address })));
    let confirm = |token: &str| {
        weir.same_origin("POST", "/api/v1/email/confirm")
            .json(&json!({ "token": token }))
            .send(weir.http)
            .status
    };
    set("old@example.org");
    assert_eq!(confirm(&link(&server.next(), "confirm-email")), 204);
    let state = set("new@example.org");
    assert_eq!(
        (&state["address"], &state["confirmed"], &state["pending"]),
        (&json!("old@example.org"), &json!(true), &json!("new@example.org"))
    );
    let asked = server.next();
    assert!(asked.starts_with("RCPT TO:<new@example.org>"), "{asked}");
    // A forgotten password goes where it went.
    let ask = json!({ "account": "ada" });
    assert_eq!(weir.same_origin("POST", "/api/v1/password-reset").json(&ask).send(weir.http).status, 202);
    assert!(server.next().starts_with("RCPT TO:<old@example.org>"));
    // Thought better of it: the link that was sent is none any more, and no other letter goes.
    let state = set("old@example.org");
    assert_eq!((&state["confirmed"], &state["pending"]), (&json!(true), &Value::Null));
    assert_eq!(confirm(&link(&asked, "confirm-email")), 403);
    set("new@example.org");
    assert_eq!(confirm(&link(&server.next(), "confirm-email")), 204);
    let state = ok(&call(&weir, &owner, "GET", "me/email", &Value::Null));
    assert_eq!(
        (&state["address"], &state["confirmed"], &state["pending"]),
        (&json!("new@example.org"), &json!(true), &Value::Null)
    );
}
