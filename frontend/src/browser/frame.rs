//! The page around this one, if this one stands in a frame of it.

use super::{js, listen::Listener};
use js_sys::{Array, JSON, JsString};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Event, MessageEvent, Window};

/// Longer texts from outside are not read.
const TEXT_MOST: u32 = 256;

fn parent() -> Option<Window> {
    let window = web_sys::window()?;
    let parent = window.parent().ok().flatten()?;
    (!js_sys::Object::is(&parent, &window)).then_some(parent)
}

/// Whether there is a page around.
pub fn is_framed() -> bool {
    parent().is_some()
}

/// The page around, or at least its site, as far as the browser tells.
pub fn embedder() -> Option<String> {
    let ancestors = js::get(&web_sys::window()?.location(), "ancestorOrigins");
    // A list that is no array; browsers that don't have it tell by the referrer alone.
    let site = js::get(&ancestors, "0").as_string().filter(|origin| origin != "null");
    let address = referrer();
    match site {
        // Most sites let browsers tell no more than themselves.
        Some(site) => Some(address.filter(|address| is_at(address, &site)).unwrap_or(site)),
        None => address,
    }
}

/// The page that led here, or at least its site, as far as the browser tells; without what follows a `?`.
pub fn referrer() -> Option<String> {
    let address = web_sys::window()?.document()?.referrer();
    let page = address.split(['?', '#']).next().unwrap_or_default();
    page.contains("://").then(|| page.to_owned())
}

/// Whether an address is of a site.
pub fn is_at(address: &str, origin: &str) -> bool {
    address.strip_prefix(origin).is_some_and(|path| path.is_empty() || path.starts_with('/'))
}

/// A message of another window, in the only fields that are read.
pub struct Message {
    /// It is the page around that sent it.
    pub from_parent: bool,
    /// The sender's origin, as the browser vouches for it.
    pub origin: String,
    /// `weir`.
    pub version: Option<f64>,
    /// `type`.
    pub kind: String,
    /// `volume`.
    pub volume: Option<f64>,
}

/// A text that isn't long.
fn text(value: &JsValue) -> Option<String> {
    let text = value.dyn_ref::<JsString>()?;
    (text.length() <= TEXT_MOST).then(|| String::from(text))
}

/// Where `embed.html` keeps what came before anything listened.
const EARLY: &str = "weirEarly";

/// Listens for messages that could be meant: objects with a `weir`, or JSON of one. Those that came before this are heard at
/// once.
pub fn messages(run: impl FnMut(Message) + 'static) -> Option<Listener> {
    let window = web_sys::window()?;
    let mut hear = hearing(run);
    let early = js::get(&window, EARLY);
    js::set(&window, EARLY, JsValue::NULL);
    if early.is_object() {
        Array::from(&early).iter().for_each(|event| hear(event.unchecked_into()));
    }
    Some(Listener::new(window.into(), "message", hear))
}

fn hearing(mut run: impl FnMut(Message)) -> impl FnMut(Event) {
    move |event| {
        let Ok(event) = event.dyn_into::<MessageEvent>() else { return };
        let data = event.data();
        let data = if data.is_string() {
            text(&data).and_then(|text| JSON::parse(&text).ok()).unwrap_or_default()
        } else {
            data
        };
        let (version, kind) = (js::get(&data, "weir"), text(&js::get(&data, "type")));
        let (Some(kind), false) = (kind, version.is_undefined()) else { return };
        let from_parent = event
            .source()
            .is_some_and(|source| parent().is_some_and(|parent| js_sys::Object::is(&source, &parent)));
        run(Message {
            from_parent,
            origin: event.origin(),
            version: version.as_f64(),
            kind,
            volume: js::get(&data, "volume").as_f64(),
        });
    }
}

/// Tells the page around a message in JSON, as an object, if that page is of this origin.
pub fn tell_parent(origin: &str, json: &str) {
    let (Some(parent), Ok(message)) = (parent(), JSON::parse(json)) else { return };
    // An origin that isn't one is refused by the browser: then nobody hears it.
    let _ = parent.post_message(&message, origin);
}
