//! The page itself: where it is, its title, focus, dialogs, full screen, clipboard.

use super::js;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{
    Document, Element, HtmlDialogElement, HtmlElement, HtmlInputElement, HtmlVideoElement, UrlSearchParams,
    Window,
};
use yew::NodeRef;

fn window() -> Option<Window> {
    web_sys::window()
}

fn page() -> Option<Document> {
    window()?.document()
}

/// Scheme, host and port.
pub fn origin() -> String {
    window().and_then(|window| window.location().origin().ok()).unwrap_or_default()
}

/// Path and query of the page's address.
pub fn path_and_query() -> String {
    let Some(location) = window().map(|window| window.location()) else { return String::new() };
    location.pathname().unwrap_or_default() + &location.search().unwrap_or_default()
}

/// Whether nobody can see the page.
pub fn is_hidden() -> bool {
    page().is_some_and(|page| js::get(&page, "hidden").is_truthy())
}

/// One parameter of the page's address.
pub fn query(name: &str) -> Option<String> {
    let search = window()?.location().search().ok()?;
    UrlSearchParams::new_with_str(&search).ok()?.get(name)
}

/// One parameter of what stands behind `#` in the page's address, which no server is sent.
pub fn fragment(name: &str) -> Option<String> {
    let hash = window()?.location().hash().ok()?;
    UrlSearchParams::new_with_str(hash.strip_prefix('#')?).ok()?.get(name)
}

/// A text as part of an address.
pub fn encoded(text: &str) -> String {
    js_sys::encode_uri_component(text).into()
}

/// Whether the page is inside another one.
pub fn is_framed() -> bool {
    window().is_some_and(|window| js::get(&window, "parent") != JsValue::from(window.clone()))
}

/// Names the tab.
pub fn set_title(title: &str) {
    if let Some(page) = page() {
        page.set_title(title);
    }
}

/// Forces `dark` or `light`; `None` follows the system.
pub fn set_theme(theme: Option<&str>) {
    let Some(root) = page().and_then(|page| page.document_element()) else { return };
    let _ = match theme {
        Some(theme) => root.set_attribute("data-theme", theme),
        None => root.remove_attribute("data-theme"),
    };
}

/// Marks the whole page, for styles that reach beyond a component.
pub fn mark(name: &str, on: bool) {
    if let Some(root) = page().and_then(|page| page.document_element()) {
        let _ = root.toggle_attribute_with_force(name, on);
    }
}

/// Puts `text` on the clipboard; false if the browser refuses.
pub async fn copy(text: String) -> bool {
    let Some(window) = window() else { return false };
    let clipboard = js::get(&window.navigator(), "clipboard");
    js::call_async(&clipboard, "writeText", [text.into()]).await.is_ok()
}

/// Scrolls the page to its top, as a new page starts.
pub fn scroll_to_top() {
    if let Some(window) = window() {
        window.scroll_to_with_x_and_y(0.0, 0.0);
    }
}

/// Gives an element the focus.
pub fn focus(node: &NodeRef) {
    if let Some(element) = node.cast::<HtmlElement>() {
        let _ = element.focus();
    }
}

/// Gives the focus to the element with this id.
pub fn focus_id(id: &str) {
    let element = page().and_then(|page| page.get_element_by_id(id));
    if let Some(element) = element.and_then(|element| element.dyn_into::<HtmlElement>().ok()) {
        let _ = element.focus();
    }
}

/// Moves the focus among the items of a menu: `by` steps, around the ends.
pub fn move_focus(list: &NodeRef, by: i32) {
    let Some(list) = list.cast::<Element>() else { return };
    let Ok(items) = list.query_selector_all("[role^=menuitem]") else { return };
    let count = items.length() as i32;
    if count == 0 {
        return;
    }
    let focused = page().and_then(|page| page.active_element());
    let at = (0..count).find(|&at| {
        let item = items.item(at as u32).and_then(|item| item.dyn_into::<Element>().ok());
        item.is_some() && item == focused
    });
    let next = match at {
        Some(at) => (at + by).rem_euclid(count),
        None if by < 0 => count - 1,
        None => 0,
    };
    if let Some(item) = items.item(next as u32).and_then(|item| item.dyn_into::<HtmlElement>().ok()) {
        let _ = item.focus();
    }
}

/// Opens a `<dialog>`: the browser keeps focus inside, closes on Escape and gives focus back.
pub fn show_dialog(node: &NodeRef) {
    if let Some(dialog) = node.cast::<HtmlDialogElement>()
        && !dialog.open()
    {
        let _ = dialog.show_modal();
    }
}

/// Closes a `<dialog>`.
pub fn close_dialog(node: &NodeRef) {
    if let Some(dialog) = node.cast::<HtmlDialogElement>() {
        dialog.close();
    }
}

/// What a field holds, by an event of it.
pub fn value_of(event: &yew::Event) -> String {
    event
        .target()
        .map(|target| js::get(&target, "value"))
        .and_then(|value| value.as_string())
        .unwrap_or_default()
}

/// Lets a list to pick from show one of its values.
pub fn show_value(node: &NodeRef, value: &str) {
    let Some(list) = node.cast::<Element>() else { return };
    // Set to what it shows already, one that is open would lose its place.
    if js::get(&list, "value").as_string().as_deref() != Some(value) {
        js::set(&list, "value", value);
    }
}

/// What a field holds while a person types.
pub fn typed(event: &yew::InputEvent) -> String {
    event
        .target()
        .map(|target| js::get(&target, "value"))
        .and_then(|value| value.as_string())
        .unwrap_or_default()
}

/// Whether a check box is ticked, by an event of it.
pub fn is_checked(event: &yew::Event) -> bool {
    event
        .target()
        .and_then(|target| target.dyn_into::<HtmlInputElement>().ok())
        .is_some_and(|input| input.checked())
}

/// Whether a `<details>` is open, by an event of it.
pub fn is_open(event: &yew::Event) -> bool {
    event.target().is_some_and(|target| js::get(&target, "open").is_truthy())
}

/// How wide an element is, in pixels.
pub fn width(node: &NodeRef) -> f64 {
    node.cast::<Element>().map_or(0.0, |element| f64::from(element.client_width()))
}

/// How large an element is in the pixels of the screen, which browsers count several of as one.
pub fn device_pixels(node: &NodeRef) -> (f64, f64) {
    let scale = web_sys::window().map_or(1.0, |window| window.device_pixel_ratio());
    node.cast::<Element>().map_or((0.0, 0.0), |element| {
        (f64::from(element.client_width()) * scale, f64::from(element.client_height()) * scale)
    })
}

/// Whether nobody can see what is on the page: not even in a window of its own.
pub fn is_out_of_sight() -> bool {
    is_hidden() && page().is_some_and(|page| !js::get(&page, "pictureInPictureElement").is_truthy())
}

/// Whether something fills the screen.
pub fn is_full_screen() -> bool {
    page().is_some_and(|page| page.fullscreen_element().is_some())
}

/// Fills the screen with `node`, or leaves full screen. A phone that can only fill it with a video gets `video`.
pub fn toggle_full_screen(node: &NodeRef, video: &NodeRef) {
    if is_full_screen() {
        if let Some(page) = page() {
            page.exit_fullscreen();
        }
        return;
    }
    let Some(element) = node.cast::<Element>() else { return };
    if js::has(&element, "requestFullscreen") {
        let _ = element.request_fullscreen();
    } else if let Some(video) = video.cast::<Element>() {
        let _ = js::call(&video, "webkitEnterFullscreen", []);
    }
}

/// Whether the browser can show a video in a window of its own.
pub fn has_picture_in_picture() -> bool {
    page().is_some_and(|page| js::get(&page, "pictureInPictureEnabled").is_truthy())
}

/// Puts the video into a window of its own, or back.
pub async fn toggle_picture_in_picture(video: &NodeRef) {
    let Some(page) = page() else { return };
    let _ = if js::get(&page, "pictureInPictureElement").is_truthy() {
        js::call_async(&page, "exitPictureInPicture", []).await
    } else if let Some(video) = video.cast::<HtmlVideoElement>() {
        js::call_async(&video, "requestPictureInPicture", []).await
    } else {
        Ok(JsValue::UNDEFINED)
    };
}
