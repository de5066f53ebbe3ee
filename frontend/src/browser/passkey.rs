//! Passkeys, as far as the browser has them: W3C WebAuthn Level 3, section 5.1.

use super::js;
use js_sys::JSON;
use wasm_bindgen::JsValue;

/// Why there is no passkey.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoPasskey {
    /// The person chose none, or had none to choose.
    GivenUp,
    /// This device has one of the account already.
    Known,
    /// The browser can't, or its device can't.
    Failed,
}

fn window() -> JsValue {
    web_sys::window().map_or(JsValue::UNDEFINED, JsValue::from)
}

/// Whether the browser takes passkeys here: it is new enough, the connection is safe, and the address is a name.
pub fn is_known() -> bool {
    let kind = js::get(&window(), "PublicKeyCredential");
    let host = js::get(&js::get(&window(), "location"), "hostname").as_string().unwrap_or_default();
    let last = host.rsplit('.').next().unwrap_or_default();
    // Of addresses that are numbers, the last part is one, or there are colons.
    let is_name = last.bytes().any(|byte| !byte.is_ascii_digit()) && !last.contains(':');
    is_name && js::has(&kind, "parseCreationOptionsFromJSON") && js::has(&kind, "parseRequestOptionsFromJSON")
}

/// Makes a passkey by the server's options; what the server needs to know of it, as JSON.
pub async fn make(options: &str) -> Result<String, NoPasskey> {
    ask("parseCreationOptionsFromJSON", "create", options).await
}

/// Lets the person choose a passkey; what the server needs to believe it, as JSON.
pub async fn choose(options: &str) -> Result<String, NoPasskey> {
    ask("parseRequestOptionsFromJSON", "get", options).await
}

async fn ask(parse: &str, method: &str, options: &str) -> Result<String, NoPasskey> {
    let why = |error: JsValue| match js::get(&error, "name").as_string().as_deref() {
        Some("NotAllowedError" | "AbortError") => NoPasskey::GivenUp,
        Some("InvalidStateError") => NoPasskey::Known,
        _ => NoPasskey::Failed,
    };
    let kind = js::get(&window(), "PublicKeyCredential");
    let credentials = js::get(&js::get(&window(), "navigator"), "credentials");
    let options = JSON::parse(options).map_err(why)?;
    let options = js::call(&kind, parse, [options]).map_err(why)?;
    let asked = js::object([("publicKey", options)]);
    let credential = js::call_async(&credentials, method, [asked]).await.map_err(why)?;
    let plain = js::call(&credential, "toJSON", []).map_err(why)?;
    JSON::stringify(&plain).map(String::from).map_err(why)
}
