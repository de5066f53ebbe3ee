//! How loud a stream is, and mixing two into one.

use super::media::{Stream, Track};
use std::cell::RefCell;
use wasm_bindgen::JsCast;
use web_sys::{AnalyserNode, AudioContext, MediaStreamAudioSourceNode};

/// Measures a stream's sound until dropped.
pub struct Meter {
    context: AudioContext,
    analyser: AnalyserNode,
    samples: RefCell<Vec<f32>>,
    _source: MediaStreamAudioSourceNode,
}

impl Meter {
    /// Listens to `stream` without playing it.
    pub fn new(stream: &Stream) -> Option<Self> {
        stream.audio()?;
        let context = AudioContext::new().ok()?;
        let source = context.create_media_stream_source(&stream.0).ok()?;
        let analyser = context.create_analyser().ok()?;
        analyser.set_fft_size(2048);
        source.connect_with_audio_node(&analyser).ok()?;
        let samples = RefCell::new(vec![0.0; 2048]);
        Some(Self { context, analyser, samples, _source: source })
    }

    /// The highest sample of the last 40 ms, 0 to 1.
    pub fn peak(&self) -> f32 {
        let mut samples = self.samples.borrow_mut();
        self.analyser.get_float_time_domain_data(&mut samples);
        samples.iter().fold(0.0, |peak, sample| sample.abs().max(peak))
    }

    /// Browsers hold sound back until a person did something: call this when they did.
    pub fn wake(&self) {
        let _ = self.context.resume();
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        let _ = self.context.close();
    }
}

/// One sound track made of several, until dropped.
pub struct Mixer {
    context: AudioContext,
    track: Track,
    _sources: Vec<MediaStreamAudioSourceNode>,
}

impl Mixer {
    /// Mixes the sound of `streams`.
    pub fn new(streams: &[&Stream]) -> Option<Self> {
        let context = AudioContext::new().ok()?;
        let output = context.create_media_stream_destination().ok()?;
        let mut sources = Vec::new();
        for stream in streams.iter().filter(|stream| stream.audio().is_some()) {
            let source = context.create_media_stream_source(&stream.0).ok()?;
            source.connect_with_audio_node(&output).ok()?;
            sources.push(source);
        }
        let _ = context.resume();
        let track = output.stream().get_audio_tracks().get(0).dyn_into().ok().map(Track)?;
        Some(Self { context, track, _sources: sources })
    }

    /// What comes out.
    pub fn track(&self) -> Track {
        self.track.clone()
    }
}

impl Drop for Mixer {
    fn drop(&mut self) {
        let _ = self.context.close();
    }
}
