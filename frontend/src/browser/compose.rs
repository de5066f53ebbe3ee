//! A screen with the camera in its corner, drawn into one picture.

use super::{js, listen::Listener, media::Stream, time};
use std::{cell::Cell, rc::Rc};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{CanvasRenderingContext2d, HtmlCanvasElement, HtmlVideoElement, Worker};

/// The width of the camera's picture, as a part of the whole.
const INSET: f64 = 0.24;
/// Its distance from the edges, as a part of the whole width.
const MARGIN: f64 = 0.02;

/// The worker's script: a file, as pages may start no other. What it does changes with its name, as it is kept for ever.
const TICKER: &str = "/assets/tick-1.js";

/// A picture made of two streams, until dropped.
pub struct Compositor {
    stream: Stream,
    _ticker: Ticker,
}

/// A page in the background gets timers once a second; a worker's timers go on. A page that may not start workers still
/// has its own, so both run and the sooner one draws.
struct Ticker {
    worker: Option<(Worker, Listener)>,
    _timer: time::Timer,
}

impl Drop for Ticker {
    fn drop(&mut self) {
        if let Some((worker, _)) = &self.worker {
            worker.terminate();
        }
    }
}

impl Ticker {
    fn new(run: impl Fn() + 'static) -> Self {
        let last = Cell::new(0.0);
        let tick = Rc::new(move || {
            let now = time::now_exact();
            if now - last.get() > 25.0 {
                last.set(now);
                run();
            }
        });
        let from_worker = tick.clone();
        let worker = Worker::new(TICKER).ok().map(|worker| {
            let listener = Listener::new(worker.clone().into(), "message", move |_| from_worker());
            (worker, listener)
        });
        Self { worker, _timer: time::every(33, move || tick()) }
    }
}

fn player(stream: &Stream) -> Option<HtmlVideoElement> {
    let video: HtmlVideoElement =
        web_sys::window()?.document()?.create_element("video").ok()?.dyn_into().ok()?;
    video.set_muted(true);
    js::set(&video, "playsInline", true);
    video.set_src_object(Some(&stream.0));
    let _ = video.play();
    Some(video)
}

impl Compositor {
    /// Draws `camera` into a corner of `screen`, 1280 × 720 at 30 pictures a second.
    pub fn new(screen: &Stream, camera: &Stream) -> Option<Self> {
        let canvas: HtmlCanvasElement =
            web_sys::window()?.document()?.create_element("canvas").ok()?.dyn_into().ok()?;
        canvas.set_width(1280);
        canvas.set_height(720);
        let options = js::object([("alpha", false.into())]);
        let context: CanvasRenderingContext2d =
            js::call(&canvas, "getContext", ["2d".into(), options]).ok()?.dyn_into().ok()?;
        let (screen, camera) = (player(screen)?, player(camera)?);
        let draw = move || {
            context.set_fill_style_str("black");
            context.fill_rect(0.0, 0.0, 1280.0, 720.0);
            fit(&context, &screen, [0.0, 0.0, 1280.0, 720.0]);
            let (width, margin) = (1280.0 * INSET, 1280.0 * MARGIN);
            let height = width * 9.0 / 16.0;
            fit(&context, &camera, [1280.0 - width - margin, 720.0 - height - margin, width, height]);
        };
        draw();
        let stream =
            js::call(&canvas, "captureStream", [JsValue::from(30)]).ok()?.dyn_into().ok().map(Stream)?;
        Some(Self { stream, _ticker: Ticker::new(draw) })
    }

    /// What comes out.
    pub fn stream(&self) -> &Stream {
        &self.stream
    }
}

/// Draws the whole of `video` into the box, in the middle, uncropped.
fn fit(context: &CanvasRenderingContext2d, video: &HtmlVideoElement, [x, y, width, height]: [f64; 4]) {
    let (wide, high) = (f64::from(video.video_width()), f64::from(video.video_height()));
    if wide < 1.0 || high < 1.0 {
        return;
    }
    let scale = (width / wide).min(height / high);
    let (w, h) = (wide * scale, high * scale);
    let _ = context.draw_image_with_html_video_element_and_dw_and_dh(
        video,
        x + (width - w) / 2.0,
        y + (height - h) / 2.0,
        w,
        h,
    );
}
