//! Clocks and timers.

use super::js;
use js_sys::{Function, Promise};
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use wasm_bindgen_futures::JsFuture;

/// Milliseconds since 1970 by this machine's clock.
pub fn wall() -> i64 {
    js_sys::Date::now() as i64
}

/// How far this machine's time is ahead of UTC at an instant, in minutes.
pub fn offset(millis: i64) -> i32 {
    -js_sys::Date::new(&(millis as f64).into()).get_timezone_offset() as i32
}

/// Milliseconds since the page was asked for, by a clock that only goes forward.
pub fn now() -> u64 {
    now_exact() as u64
}

/// [`now`] with its fraction.
pub fn now_exact() -> f64 {
    web_sys::window().and_then(|window| window.performance()).map_or_else(js_sys::Date::now, |p| p.now())
}

/// A number from 0 up to 1, for jitter.
pub fn random() -> f64 {
    js_sys::Math::random()
}

/// A timer that stops when dropped.
pub struct Timer {
    id: i32,
    repeats: bool,
    _closure: Closure<dyn FnMut()>,
}

impl Drop for Timer {
    fn drop(&mut self) {
        if let Some(window) = web_sys::window() {
            if self.repeats {
                window.clear_interval_with_handle(self.id);
            } else {
                window.clear_timeout_with_handle(self.id);
            }
        }
    }
}

/// Calls `run` every `millis` until the timer is dropped.
pub fn every(millis: i32, run: impl FnMut() + 'static) -> Timer {
    start(millis, Closure::new(run), true)
}

/// Calls `run` once after `millis`, unless the timer is dropped before.
pub fn after(millis: i32, run: impl FnOnce() + 'static) -> Timer {
    let mut run = Some(run);
    start(
        millis,
        Closure::new(move || {
            if let Some(run) = run.take() {
                run();
            }
        }),
        false,
    )
}

fn start(millis: i32, closure: Closure<dyn FnMut()>, repeats: bool) -> Timer {
    let function: &Function = closure.as_ref().unchecked_ref();
    let id = web_sys::window()
        .and_then(|window| {
            if repeats {
                window.set_interval_with_callback_and_timeout_and_arguments_0(function, millis)
            } else {
                window.set_timeout_with_callback_and_timeout_and_arguments_0(function, millis)
            }
            .ok()
        })
        .unwrap_or_default();
    Timer { id, repeats, _closure: closure }
}

/// What is done with the next frame, unless it is dropped before.
pub struct Frame {
    id: i32,
    _closure: Closure<dyn FnMut()>,
}

impl Drop for Frame {
    fn drop(&mut self) {
        if let Some(window) = web_sys::window() {
            let _ = window.cancel_animation_frame(self.id);
        }
    }
}

/// Calls `run` once, just before the next frame is drawn. A page that can't be seen draws none.
pub fn next_frame(run: impl FnOnce() + 'static) -> Frame {
    let mut run = Some(run);
    let closure: Closure<dyn FnMut()> = Closure::new(move || {
        if let Some(run) = run.take() {
            run();
        }
    });
    let id = web_sys::window()
        .and_then(|window| window.request_animation_frame(closure.as_ref().unchecked_ref()).ok())
        .unwrap_or_default();
    Frame { id, _closure: closure }
}

/// The day here of milliseconds since 1970: of the week, 0 being Sunday; of the month; and the month, 0 being January.
pub fn day_of(millis: i64) -> (u32, u32, u32) {
    let date = js_sys::Date::new(&JsValue::from_f64(millis as f64));
    (date.get_day(), date.get_date(), date.get_month())
}

/// Milliseconds since 1970 of a time as the server writes it.
pub fn parsed(text: &str) -> Option<i64> {
    let millis = js_sys::Date::parse(text);
    (!millis.is_nan()).then_some(millis as i64)
}

/// The time zone here, as the IANA database calls it.
pub fn zone() -> String {
    let intl = js::get(&js_sys::global(), "Intl");
    let format = js::call(&intl, "DateTimeFormat", []).unwrap_or(JsValue::UNDEFINED);
    let options = js::call(&format, "resolvedOptions", []).unwrap_or(JsValue::UNDEFINED);
    js::get(&options, "timeZone").as_string().unwrap_or_else(|| "UTC".to_owned())
}

/// The time of day here, `9:05`, of milliseconds since 1970.
pub fn of_day(millis: i64) -> String {
    let date = js_sys::Date::new(&JsValue::from_f64(millis as f64));
    format!("{}:{:02}", date.get_hours(), date.get_minutes())
}

/// Waits.
pub async fn sleep(millis: i32) {
    let promise = Promise::new(&mut |resolve, _| {
        if let Some(window) = web_sys::window() {
            let _ = window.set_timeout_with_callback_and_timeout_and_arguments_0(&resolve, millis);
        } else {
            let _ = resolve.call0(&JsValue::UNDEFINED);
        }
    });
    let _ = JsFuture::from(promise).await;
}
