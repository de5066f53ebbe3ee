//! What a browser remembers for this site. Where it refuses, in private windows and in frames on other sites, it is remembered
//! as long as the page is open.

use std::{cell::RefCell, collections::HashMap};

thread_local! {
    static KEPT: RefCell<HashMap<String, String>> = RefCell::default();
}

fn storage() -> Option<web_sys::Storage> {
    web_sys::window()?.local_storage().ok()?
}

/// What was remembered under `key`.
pub fn read(key: &str) -> Option<String> {
    let stored = storage().and_then(|storage| storage.get_item(key).ok()?);
    stored.or_else(|| KEPT.with(|kept| kept.borrow().get(key).cloned()))
}

/// Remembers `value` under `key`.
pub fn write(key: &str, value: &str) {
    let done = storage().is_some_and(|storage| storage.set_item(key, value).is_ok());
    if !done {
        KEPT.with(|kept| kept.borrow_mut().insert(key.to_owned(), value.to_owned()));
    }
}
