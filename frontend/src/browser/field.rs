//! A field that is written in: its caret, its letters.

use super::js;
use js_sys::{Array, Function, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Element, HtmlElement};
use yew::NodeRef;

/// Where the caret stands, in UTF-16 units.
pub fn caret(node: &NodeRef) -> usize {
    let end = node.cast::<Element>().and_then(|field| js::get(&field, "selectionEnd").as_f64());
    end.unwrap_or_default() as usize
}

/// Puts `text` into it, the caret at `caret` (in UTF-16 units), and gives it the focus.
pub fn write(node: &NodeRef, text: &str, caret: usize) {
    let Some(field) = node.cast::<HtmlElement>() else { return };
    js::set(&field, "value", text);
    let _ = field.focus();
    let at = JsValue::from_f64(caret as f64);
    let _ = js::call(&field, "setSelectionRange", [at.clone(), at]);
}

/// Makes it as high as what is in it; styles say how high at most.
pub fn fit(node: &NodeRef) {
    let Some(field) = node.cast::<HtmlElement>() else { return };
    let style = js::get(&field, "style");
    js::set(&style, "height", "auto");
    if let Some(height) = js::get(&field, "scrollHeight").as_f64() {
        js::set(&style, "height", format!("{}px", height as i32));
    }
}

/// How many letters a person sees (graphemes), as far as the browser can tell: code points where it can't.
pub fn letters(text: &str) -> usize {
    let count = || -> Option<usize> {
        let intl = Reflect::get(&js_sys::global(), &"Intl".into()).ok()?;
        let class: Function = js::get(&intl, "Segmenter").dyn_into().ok()?;
        let segmenter = Reflect::construct(&class, &Array::new()).ok()?;
        let segments = js::call(&segmenter, "segment", [text.into()]).ok()?;
        Some(js_sys::try_iter(&segments).ok()??.count())
    };
    count().unwrap_or_else(|| text.chars().count())
}
