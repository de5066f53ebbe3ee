//! Push messages, as far as the browser has them.

use super::js;
use js_sys::{JSON, Uint8Array};
use wasm_bindgen::JsValue;

/// Why a browser can't be told by push.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoPush {
    /// It knows no push.
    Unknown,
    /// The person said no.
    Denied,
    /// Its push service doesn't answer.
    Failed,
}

fn navigator() -> JsValue {
    web_sys::window().map_or(JsValue::UNDEFINED, |window| js::get(&window, "navigator"))
}

/// Whether the browser knows push at all.
pub fn is_known() -> bool {
    let window = web_sys::window().map_or(JsValue::UNDEFINED, JsValue::from);
    js::get(&navigator(), "serviceWorker").is_object() && !js::get(&window, "PushManager").is_undefined()
}

fn bytes(base64url: &str) -> Vec<u8> {
    let value = |letter: u8| match letter {
        b'A'..=b'Z' => u32::from(letter - b'A'),
        b'a'..=b'z' => u32::from(letter - b'a') + 26,
        b'0'..=b'9' => u32::from(letter - b'0') + 52,
        b'-' => 62,
        _ => 63,
    };
    let mut bytes = Vec::new();
    for chunk in base64url.as_bytes().chunks(4) {
        let bits = chunk.iter().fold(0, |bits, letter| bits << 6 | value(*letter)) << (6 * (4 - chunk.len()));
        bytes.extend_from_slice(&bits.to_be_bytes()[1..chunk.len()]);
    }
    bytes
}

/// Asks the person and the push service; what the server needs to know, as JSON.
pub async fn subscribe(key: &str) -> Result<String, NoPush> {
    if !is_known() {
        return Err(NoPush::Unknown);
    }
    let window = web_sys::window().map_or(JsValue::UNDEFINED, JsValue::from);
    let asked = js::call_async(&js::get(&window, "Notification"), "requestPermission", []).await;
    if asked.ok().and_then(|said| said.as_string()).as_deref() != Some("granted") {
        return Err(NoPush::Denied);
    }
    let workers = js::get(&navigator(), "serviceWorker");
    let failed = |_| NoPush::Failed;
    js::call_async(&workers, "register", ["/sw.js".into()]).await.map_err(failed)?;
    let registration = js::settle(js::get(&workers, "ready")).await.map_err(failed)?;
    let manager = js::get(&registration, "pushManager");
    let key = Uint8Array::from(bytes(key).as_slice());
    let options = js::object([("userVisibleOnly", true.into()), ("applicationServerKey", key.into())]);
    let subscription = js::call_async(&manager, "subscribe", [options]).await.map_err(failed)?;
    let plain = js::call(&subscription, "toJSON", []).map_err(failed)?;
    // What else it says is none of the server's business.
    let needed = js::object([("endpoint", js::get(&plain, "endpoint")), ("keys", js::get(&plain, "keys"))]);
    JSON::stringify(&needed).map(String::from).map_err(failed)
}
