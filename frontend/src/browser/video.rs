//! A `<video>` element, by its `NodeRef`.

use super::{js, media::Stream};
use std::{cell::RefCell, rc::Rc};
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use web_sys::HtmlVideoElement;
use yew::NodeRef;

fn element(node: &NodeRef) -> Option<HtmlVideoElement> {
    node.cast()
}

/// Shows a stream, or nothing.
pub fn attach(node: &NodeRef, stream: Option<&Stream>) {
    if let Some(video) = element(node) {
        video.set_src_object(stream.map(|stream| &stream.0));
    }
}

/// Starts to play; false if the browser wants the person to press something first.
pub async fn play(node: &NodeRef) -> bool {
    let Some(video) = element(node) else { return false };
    js::call_async(&video, "play", []).await.is_ok()
}

/// Stops on the picture that shows.
pub fn pause(node: &NodeRef) {
    if let Some(video) = element(node) {
        let _ = video.pause();
    }
}

/// Whether it is stopped.
pub fn is_paused(node: &NodeRef) -> bool {
    element(node).is_none_or(|video| video.paused())
}

/// Sets how loud it is, 0 to 1, and whether it is silent.
pub fn set_sound(node: &NodeRef, volume: f64, muted: bool) {
    if let Some(video) = element(node) {
        video.set_volume(volume.clamp(0.0, 1.0));
        video.set_muted(muted);
    }
}

/// One frame that was put on the screen.
#[derive(Debug, Clone, Copy)]
pub struct Shown {
    /// When, by the page's clock.
    pub at: f64,
    /// Its RTP timestamp, if the browser tells.
    pub rtp_timestamp: Option<u32>,
}

type FrameClosure = Closure<dyn FnMut(f64, JsValue)>;

/// Watches a video's frames until dropped.
pub struct Frames {
    video: HtmlVideoElement,
    closure: Rc<RefCell<Option<FrameClosure>>>,
}

/// Calls `run` for each frame that is put on the screen. Where the browser can't tell frames, only the first one counts.
pub fn frames(node: &NodeRef, mut run: impl FnMut(Shown) + 'static) -> Option<Frames> {
    const NEXT: &str = "requestVideoFrameCallback";
    let video = element(node)?;
    let closure: Rc<RefCell<Option<FrameClosure>>> = Rc::default();
    let (again, target) = (closure.clone(), video.clone());
    let number = |data: &JsValue, name: &str| js::get(data, name).as_f64();
    *closure.borrow_mut() = Some(Closure::new(move |at: f64, data: JsValue| {
        run(Shown {
            at: number(&data, "expectedDisplayTime").unwrap_or(at),
            rtp_timestamp: number(&data, "rtpTimestamp").map(|ticks| ticks as u32),
        });
        if let Some(closure) = again.borrow().as_ref() {
            let _ = js::call(&target, NEXT, [closure.as_ref().clone()]);
        }
    }));
    if let Some(closure) = closure.borrow().as_ref() {
        if js::has(&video, NEXT) {
            let _ = js::call(&video, NEXT, [closure.as_ref().clone()]);
        } else {
            video.set_onloadeddata(Some(closure.as_ref().unchecked_ref()));
        }
    }
    Some(Frames { video, closure })
}

impl Drop for Frames {
    fn drop(&mut self) {
        self.video.set_onloadeddata(None);
        // A frame that is already announced finds no closure to call again; dropping it later keeps it callable once.
        if let Some(closure) = self.closure.borrow_mut().take() {
            closure.forget();
        }
    }
}
