//! What scrolls, what is seen of the page, and what was pressed in a list.

use super::{js, listen::Listener};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Element, HtmlElement};
use yew::NodeRef;

/// How far a list that grows upwards from its end is scrolled away from it, in pixels.
pub fn from_end(node: &NodeRef) -> f64 {
    node.cast::<Element>().and_then(|list| js::get(&list, "scrollTop").as_f64()).map_or(0.0, f64::abs)
}

/// Goes to the end of a list that grows upwards from it.
pub fn to_end(node: &NodeRef) {
    if let Some(list) = node.cast::<Element>() {
        list.set_scroll_top(0);
    }
}

/// Brings the element with this id into the middle, gives it the focus; false if there is none.
pub fn show(id: &str) -> bool {
    let element = web_sys::window().and_then(|window| window.document()?.get_element_by_id(id));
    let Some(element) = element.and_then(|element| element.dyn_into::<HtmlElement>().ok()) else {
        return false;
    };
    let _ = js::call(&element, "scrollIntoView", [js::object([("block", "center".into())])]);
    let _ = js::call(&element, "focus", [js::object([("preventScroll", true.into())])]);
    true
}

/// The element that an event came from, or the nearest around it, which has the attribute `act`; its value, and that of
/// the nearest `of`.
pub fn pressed(event: &yew::Event, act: &str, of: &str) -> Option<(String, String)> {
    let target = event.target()?.dyn_into::<Element>().ok()?;
    let nearest = |name: &str| target.closest(&format!("[{name}]")).ok()??.get_attribute(name);
    Some((nearest(act)?, nearest(of)?))
}

/// Moves the focus among the elements in `node` that `selector` names: `by` steps, and no further than the ends. Without
/// one that has it, it begins at the last. Answers whether there is one to go to.
pub fn walk(node: &NodeRef, selector: &str, by: i32) -> bool {
    let go = || -> Option<()> {
        let items = node.cast::<Element>()?.query_selector_all(selector).ok()?;
        let count = items.length() as i32;
        let focused = web_sys::window()?.document()?.active_element();
        let within = focused.and_then(|element| element.closest(selector).ok()?);
        let is = |at: &i32| {
            let item = items.item(*at as u32).and_then(|item| item.dyn_into::<Element>().ok());
            item.is_some() && item == within
        };
        let next = (0..count).find(is).map_or(count - 1, |at| (at + by).clamp(0, count - 1));
        items.item(u32::try_from(next).ok()?)?.dyn_into::<HtmlElement>().ok()?.focus().ok()
    };
    go().is_some()
}

/// Whether what has the focus is what `selector` names.
pub fn has_focus(selector: &str) -> bool {
    focused().0.is_some_and(|element| element.matches(selector).unwrap_or(false))
}

/// What has the focus now, to give it back later.
pub struct Focused(Option<HtmlElement>);

/// Remembers what has the focus: in a list the line, as what can be pressed there comes and goes.
pub fn focused() -> Focused {
    let element = web_sys::window().and_then(|window| window.document()?.active_element());
    let line = |element: &Element| element.closest("li[tabindex]").ok().flatten();
    let kept = element.map(|element| line(&element).unwrap_or(element));
    Focused(kept.and_then(|element| element.dyn_into().ok()))
}

impl Focused {
    /// Gives the focus back, if what had it is still there; answers whether.
    pub fn give_back(&self) -> bool {
        self.0.as_ref().is_some_and(|element| element.is_connected() && element.focus().is_ok())
    }
}

/// Gives the focus to the first element in `node` that `selector` names.
pub fn focus_first(node: &NodeRef, selector: &str) {
    let first = node.cast::<Element>().and_then(|node| node.query_selector(selector).ok()?);
    if let Some(first) = first.and_then(|element| element.dyn_into::<HtmlElement>().ok()) {
        let _ = first.focus();
    }
}

/// Whether a media query holds.
pub fn matches(query: &str) -> bool {
    let answer = web_sys::window().and_then(|window| js::call(&window, "matchMedia", [query.into()]).ok());
    answer.is_some_and(|answer| js::get(&answer, "matches").is_truthy())
}

/// Keeps `--seen` and `--seen-top` on the page: how much of it a keyboard on the screen leaves to see, and from where;
/// and marks it `data-keyboard` while one is there.
pub struct Seen(#[allow(dead_code, reason = "they listen until they are dropped")] Vec<Listener>);

/// Begins to; until dropped.
pub fn seen() -> Seen {
    let listeners = || -> Option<Vec<Listener>> {
        let window = web_sys::window()?;
        let viewport = js::get(&window, "visualViewport");
        let target = viewport.clone().dyn_into::<web_sys::EventTarget>().ok()?;
        let run = move || note(&viewport);
        run();
        let listener = |name| {
            let run = run.clone();
            Listener::new(target.clone(), name, move |_| run())
        };
        Some(vec![listener("resize"), listener("scroll")])
    };
    Seen(listeners().unwrap_or_default())
}

fn note(viewport: &JsValue) {
    let number = |of: &JsValue, name| js::get(of, name).as_f64().unwrap_or_default();
    let Some(window) = web_sys::window() else { return };
    let Some(root) = window.document().and_then(|page| page.document_element()) else { return };
    let (height, top, scale) =
        (number(viewport, "height"), number(viewport, "offsetTop"), number(viewport, "scale"));
    // Zoomed by hand, less is seen too, and that is what was wanted.
    let whole = number(&window, "innerHeight");
    let covered = scale < 1.05 && whole - height > 120.0;
    let style = js::get(&root, "style");
    for (name, value) in [("--seen", height), ("--seen-top", top)] {
        let value = if covered { format!("{}px", value as i32) } else { String::new() };
        let _ = js::call(&style, "setProperty", [name.into(), value.into()]);
    }
    let _ = root.toggle_attribute_with_force("data-keyboard", covered);
}

impl Drop for Seen {
    fn drop(&mut self) {
        self.0.clear();
        if let Some(root) = web_sys::window().and_then(|window| window.document()?.document_element()) {
            let _ = root.remove_attribute("data-keyboard");
            let style = js::get(&root, "style");
            for name in ["--seen", "--seen-top"] {
                let _ = js::call(&style, "removeProperty", [name.into()]);
            }
        }
    }
}

/// Opens a small window of its own for an address of this site.
pub fn open_window(url: &str, name: &str) {
    if let Some(window) = web_sys::window() {
        let _ = window.open_with_url_and_target_and_features(url, name, "popup,width=400,height=680");
    }
}
