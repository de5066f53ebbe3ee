//! The browser, in the few words that Weir needs: the only folder that names `web_sys` and `js_sys`.

pub mod audio;
pub mod compose;
pub mod fetch;
pub mod field;
pub mod file;
pub mod frame;
pub mod history;
mod js;
pub mod listen;
pub mod media;
pub mod names;
pub mod page;
pub mod passkey;
pub mod push;
pub mod rtc;
pub mod scroll;
pub mod socket;
pub mod storage;
pub mod time;
pub mod video;

/// Runs a future on the page's event loop.
pub use wasm_bindgen_futures::spawn_local as spawn;
