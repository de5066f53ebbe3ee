//! Files that a person picks.

use super::js;
use js_sys::Uint8Array;
use wasm_bindgen::{JsCast, JsValue};

const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// A file that was picked.
pub struct Picked(JsValue);

/// What was picked, by an event of the field. The field forgets it, so that the same file can be picked again.
pub fn picked(event: &yew::Event) -> Option<Picked> {
    let field = event.target()?;
    let file = js::get(&js::get(&field, "files"), "0");
    let file = file.is_object().then_some(Picked(file));
    js::set(&field, "value", "");
    file
}

impl Picked {
    /// How many bytes it has.
    pub fn size(&self) -> f64 {
        js::get(&self.0, "size").as_f64().unwrap_or_default()
    }

    /// All of it, in base64.
    pub async fn base64(&self) -> Option<String> {
        let buffer = js::call_async(&self.0, "arrayBuffer", []).await.ok()?;
        let bytes = Uint8Array::new(buffer.unchecked_ref::<JsValue>()).to_vec();
        let mut text = String::with_capacity(bytes.len() / 3 * 4 + 4);
        for chunk in bytes.chunks(3) {
            let bits =
                chunk.iter().fold(0u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
            for place in 0..4 {
                let letter = LETTERS[(bits >> (18 - 6 * place)) as usize & 63];
                text.push(if place <= chunk.len() { char::from(letter) } else { '=' });
            }
        }
        Some(text)
    }
}
