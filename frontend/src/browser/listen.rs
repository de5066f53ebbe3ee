//! Listening to the window, the document and the keyboard.

use super::js;
use wasm_bindgen::{JsCast, closure::Closure};
use web_sys::{Element, Event, EventTarget, KeyboardEvent, ResizeObserver};
use yew::NodeRef;

/// A listener that is removed when dropped.
pub struct Listener {
    target: EventTarget,
    name: &'static str,
    closure: Closure<dyn FnMut(Event)>,
}

impl Listener {
    /// Listens on `target`.
    pub(super) fn new(target: EventTarget, name: &'static str, run: impl FnMut(Event) + 'static) -> Self {
        let closure: Closure<dyn FnMut(Event)> = Closure::new(run);
        let _ = target.add_event_listener_with_callback(name, closure.as_ref().unchecked_ref());
        Self { target, name, closure }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let _ =
            self.target.remove_event_listener_with_callback(self.name, self.closure.as_ref().unchecked_ref());
    }
}

/// Listens on the window.
pub fn window(name: &'static str, mut run: impl FnMut() + 'static) -> Option<Listener> {
    Some(Listener::new(web_sys::window()?.into(), name, move |_| run()))
}

/// Listens on the document.
pub fn document(name: &'static str, mut run: impl FnMut() + 'static) -> Option<Listener> {
    Some(Listener::new(web_sys::window()?.document()?.into(), name, move |_| run()))
}

/// Listens for a press outside of the element that `inside` selects.
pub fn press_outside(inside: &'static str, mut run: impl FnMut() + 'static) -> Option<Listener> {
    Some(Listener::new(web_sys::window()?.document()?.into(), "pointerdown", move |event| {
        let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
        let within = target.and_then(|element| element.closest(inside).ok().flatten()).is_some();
        if !within {
            run();
        }
    }))
}

/// Asks the browser to warn before this page is left, for as long as the listener lives.
pub fn warn_before_leaving() -> Option<Listener> {
    Some(Listener::new(web_sys::window()?.into(), "beforeunload", |event| {
        event.prevent_default();
        js::set(&event, "returnValue", true);
    }))
}

/// An observer of an element's size that stops when dropped.
pub struct Resized {
    observer: ResizeObserver,
    _closure: Closure<dyn FnMut()>,
}

impl Drop for Resized {
    fn drop(&mut self) {
        self.observer.disconnect();
    }
}

/// Calls `run` when an element's size changes.
pub fn resized(node: &NodeRef, run: impl FnMut() + 'static) -> Option<Resized> {
    let element = node.cast::<Element>()?;
    let closure: Closure<dyn FnMut()> = Closure::new(run);
    let observer = ResizeObserver::new(closure.as_ref().unchecked_ref()).ok()?;
    observer.observe(&element);
    Some(Resized { observer, _closure: closure })
}

/// A key that was pressed somewhere on the page.
pub struct Press {
    /// The key's name, as in `KeyboardEvent.key`.
    pub key: String,
    /// It goes to a field, a menu or a dialog, or with Ctrl, Alt or Meta: not ours.
    pub taken: bool,
    /// A button or link has focus, which Space and Enter press.
    pub on_button: bool,
    event: KeyboardEvent,
}

impl Press {
    /// Keeps the browser from acting on it too.
    pub fn prevent_default(&self) {
        self.event.prevent_default();
    }
}

/// Listens for keys on the whole page.
pub fn keys(mut run: impl FnMut(Press) + 'static) -> Option<Listener> {
    Some(Listener::new(web_sys::window()?.into(), "keydown", move |event| {
        let Ok(event) = event.dyn_into::<KeyboardEvent>() else { return };
        let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
        let within = |selector: &str| {
            target.as_ref().and_then(|element| element.closest(selector).ok().flatten()).is_some()
        };
        let taken = event.ctrl_key()
            || event.alt_key()
            || event.meta_key()
            || event.is_composing()
            || event.default_prevented()
            || within(
                "input, textarea, select, [contenteditable], [role=menu], [role=dialog], [role=application], dialog",
            );
        let on_button = within("button, a, summary");
        run(Press { key: event.key(), taken, on_button, event });
    }))
}
