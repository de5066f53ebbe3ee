//! Reaching what has no typed binding: properties and methods by name. A missing one is `undefined`, never a panic.

use js_sys::{Array, Function, Object, Promise, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

pub fn get(object: &JsValue, name: &str) -> JsValue {
    Reflect::get(object, &name.into()).unwrap_or(JsValue::UNDEFINED)
}

pub fn set(object: &JsValue, name: &str, value: impl Into<JsValue>) {
    // Fails on frozen objects alone, which these never are.
    let _ = Reflect::set(object, &name.into(), &value.into());
}

pub fn object<const N: usize>(pairs: [(&str, JsValue); N]) -> JsValue {
    let object = Object::new();
    for (name, value) in pairs {
        set(&object, name, value);
    }
    object.into()
}

pub fn has(object: &JsValue, name: &str) -> bool {
    get(object, name).is_function()
}

pub fn call<const N: usize>(
    object: &JsValue,
    name: &str,
    arguments: [JsValue; N],
) -> Result<JsValue, JsValue> {
    let function: Function = get(object, name).dyn_into()?;
    let list = Array::new();
    for argument in arguments {
        list.push(&argument);
    }
    function.apply(object, &list)
}

/// Awaits a promise, or passes on what isn't one.
pub async fn settle(value: JsValue) -> Result<JsValue, JsValue> {
    JsFuture::from(Promise::resolve(&value)).await
}

/// Calls a method that answers with a promise, and awaits it.
pub async fn call_async<const N: usize>(
    object: &JsValue,
    name: &str,
    arguments: [JsValue; N],
) -> Result<JsValue, JsValue> {
    settle(call(object, name, arguments)?).await
}
