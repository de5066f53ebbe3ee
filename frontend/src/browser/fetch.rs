//! HTTP requests, as far as `api/` needs them.

use super::js;
use std::cell::Cell;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Headers, RequestInit, Response};

thread_local! {
    static WITHOUT_COOKIES: Cell<bool> = const { Cell::new(false) };
}

/// From now on no request of this page takes cookies along, or keeps any that it is given.
pub fn go_without_cookies() {
    WITHOUT_COOKIES.set(true);
}

/// A request.
#[derive(Default)]
pub struct Request<'a> {
    /// `GET`, `POST`…
    pub method: &'a str,
    /// Absolute, or a path of this origin.
    pub url: &'a str,
    /// Names and values.
    pub headers: &'a [(&'a str, &'a str)],
    /// Text to send.
    pub body: Option<&'a str>,
    /// Goes out even if the page is being left.
    pub keep_alive: bool,
    /// Takes no cookies along.
    pub anonymous: bool,
}

/// An answer.
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The body as text.
    pub text: String,
    /// Where the answer came from.
    pub url: String,
    headers: Headers,
}

impl Reply {
    /// One header of it.
    pub fn header(&self, name: &str) -> Option<String> {
        self.headers.get(name).ok().flatten()
    }
}

/// No answer came: the server or the network is away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unreachable;

/// Sends a request and reads the whole answer.
pub async fn fetch(request: Request<'_>) -> Result<Reply, Unreachable> {
    send(request).await.map_err(|_| Unreachable)
}

async fn send(request: Request<'_>) -> Result<Reply, JsValue> {
    let headers = Headers::new()?;
    for (name, value) in request.headers {
        headers.set(name, value)?;
    }
    let init = RequestInit::new();
    init.set_method(request.method);
    init.set_headers(headers.as_ref());
    if let Some(body) = request.body {
        init.set_body(&body.into());
    }
    if request.keep_alive {
        js::set(&init, "keepalive", true);
    }
    if request.anonymous || WITHOUT_COOKIES.get() {
        js::set(&init, "credentials", "omit");
    }
    let window = web_sys::window().ok_or(JsValue::UNDEFINED)?;
    let response: Response =
        js::settle(window.fetch_with_str_and_init(request.url, &init).into()).await?.dyn_into()?;
    let text = js::settle(response.text()?.into()).await?.as_string().unwrap_or_default();
    Ok(Reply { status: response.status(), text, url: response.url(), headers: response.headers() })
}
