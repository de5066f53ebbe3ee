//! Names that the browser knows.

use super::js;
use js_sys::{Array, Function, Reflect};
use wasm_bindgen::JsCast;

/// A country by its code (ISO 3166-1 alpha-2), in the page's language.
pub fn region(code: &str) -> Option<String> {
    let intl = js::get(&js_sys::global(), "Intl");
    let maker: Function = js::get(&intl, "DisplayNames").dyn_into().ok()?;
    let options = js::object([("type", "region".into())]);
    let names = Reflect::construct(&maker, &Array::of2(&"en".into(), &options)).ok()?;
    js::call(&names, "of", [code.into()]).ok()?.as_string()
}
