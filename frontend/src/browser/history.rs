//! The tab's history: which page its address names, and going to another one without loading it.

use super::listen::{self, Listener};
use wasm_bindgen::JsValue;
use web_sys::{Event, History};

/// The path of the page's address.
pub fn path() -> String {
    web_sys::window().and_then(|window| window.location().pathname().ok()).unwrap_or_default()
}

/// Goes to an address of this site; back leads here again.
pub fn push(address: &str) {
    go(|history| history.push_state_with_url(&JsValue::NULL, "", Some(address)));
}

/// Goes to an address of this site in place of the present one.
pub fn replace(address: &str) {
    go(|history| history.replace_state_with_url(&JsValue::NULL, "", Some(address)));
}

/// Loads a page of this site, maybe in place of the present one.
pub fn load(address: &str, instead: bool) {
    let Some(location) = web_sys::window().map(|window| window.location()) else { return };
    let _ = if instead { location.replace(address) } else { location.assign(address) };
}

/// Calls `run` when the address has changed: by going back or forward, or by [`push`] and [`replace`].
pub fn moved(run: impl FnMut() + 'static) -> Option<Listener> {
    listen::window(MOVED, run)
}

/// The browser's name for going back and forward.
const MOVED: &str = "popstate";

fn go(change: impl FnOnce(&History) -> Result<(), JsValue>) {
    let Some(window) = web_sys::window() else { return };
    if window.history().and_then(|history| change(&history)).is_ok() {
        // The browser tells of its own moves only; ours are told the same way, so that there is one to listen for.
        let _ = Event::new(MOVED).and_then(|event| window.dispatch_event(&event));
    }
}
