//! The HTTP side of WHIP and WHEP sessions: an offer out, an answer in, and the session's address to end it by.

use super::Failure;
use crate::browser::{
    self,
    fetch::{Reply, Request, fetch},
    page,
};
use shared::analytics::VIEW_HEADER;

/// A session that the server took on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Where it lives, absolute.
    pub url: String,
    /// The server's answer.
    pub answer: String,
    /// The view that it is, by WHEP's answer.
    pub view: Option<String>,
    token: Option<String>,
}

/// Why the server took on no session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declined {
    /// What happened.
    pub failure: Failure,
    /// Seconds after which trying again makes sense.
    pub retry_after: Option<u64>,
}

/// Posts an offer.
pub async fn open(url: &str, token: Option<&str>, offer: &str) -> Result<Session, Declined> {
    let bearer = format!("Bearer {}", token.unwrap_or_default());
    let all = [("content-type", "application/sdp"), ("authorization", &bearer)];
    let headers = if token.is_some() { &all[..] } else { &all[..1] };
    let request = Request { method: "POST", url, headers, body: Some(offer), ..Request::default() };
    let reply = fetch(request).await.map_err(|away| Declined { failure: away.into(), retry_after: None })?;
    let location = reply.header("location");
    match location.filter(|_| reply.status == 201) {
        Some(location) => {
            let url = resolve(&location, &reply.url);
            let view = reply.header(VIEW_HEADER).filter(|view| is_id(view));
            Ok(Session { url, answer: reply.text, view, token: token.map(str::to_owned) })
        }
        None => {
            let retry_after = reply.header("retry-after").and_then(|text| text.trim().parse().ok());
            Err(Declined { failure: Failure::of(&reply), retry_after })
        }
    }
}

/// It becomes a part of addresses.
fn is_id(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

/// A `Location` is absolute, a path, or beside the address that was posted to.
fn resolve(location: &str, base: &str) -> String {
    if location.contains("://") {
        location.to_owned()
    } else if location.starts_with('/') {
        page::origin() + location
    } else {
        let folder = base.rsplit_once('/').map_or("", |(folder, _)| folder);
        format!("{folder}/{location}")
    }
}

impl Session {
    /// The last part of its address.
    pub fn id(&self) -> &str {
        self.url.rsplit('/').next().unwrap_or_default()
    }

    /// Ends it, even while the page is being left.
    pub fn delete(&self) {
        let session = self.clone();
        browser::spawn(async move { session.delete_and_wait().await });
    }

    /// Ends it and waits until the server knows.
    pub async fn delete_and_wait(&self) {
        // A session that the server no longer knows is as ended as it can be.
        let _ = self.send("DELETE", "", None).await;
    }

    /// Asks something of it; `part` comes after its address. `None` if no answer came.
    pub async fn send(&self, method: &str, part: &str, body: Option<&str>) -> Option<Reply> {
        let bearer = format!("Bearer {}", self.token.as_deref().unwrap_or_default());
        let all = [("content-type", "application/json"), ("authorization", &bearer)];
        let headers = &all[usize::from(body.is_none())..1 + usize::from(self.token.is_some())];
        let url = format!("{}{part}", self.url);
        let keep_alive = method == "DELETE";
        fetch(Request { method, url: &url, headers, body, keep_alive, ..Request::default() }).await.ok()
    }
}
