//! Panics: where one happened is logged once, with what it ended.

use std::{
    any::Any,
    cell::{Cell, RefCell},
    fmt,
    panic::{self, AssertUnwindSafe},
};

thread_local! {
    /// How many [`caught`] are around this thread's work.
    static DEPTH: Cell<u32> = const { Cell::new(0) };
    /// Where the last panic inside of them happened.
    static PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// A panic that was caught.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Panic {
    place: Option<String>,
    words: String,
}

impl fmt::Display for Panic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Some(place) => write!(f, "panicked at {place}: {}", self.words),
            None => write!(f, "panicked: {}", self.words),
        }
    }
}

/// Logs panics that nobody catches by [`caught`], and leaves those to who does. Once for the process.
pub fn install() {
    panic::set_hook(Box::new(|info| {
        let place = info.location().map(ToString::to_string);
        if DEPTH.get() > 0 {
            PLACE.set(place);
        } else {
            let place = place.unwrap_or_else(|| "an unknown place".to_owned());
            let thread = std::thread::current();
            let thread = thread.name().unwrap_or("without a name");
            tracing::error!("thread {thread} panicked at {place}: {}", words(info.payload()));
        }
    }));
}

fn words(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_else(|| "without words".to_owned())
}

/// Does something that may panic. What it was working on must be thrown away then, as it may be half changed.
///
/// # Errors
/// The panic, which the caller is to log.
pub fn caught<T>(act: impl FnOnce() -> T) -> Result<T, Panic> {
    DEPTH.set(DEPTH.get() + 1);
    let done = panic::catch_unwind(AssertUnwindSafe(act));
    DEPTH.set(DEPTH.get() - 1);
    done.map_err(|payload| Panic { place: PLACE.take(), words: words(&*payload) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_caught_with_its_words_and_the_next_act_goes_on() {
        let panic = caught(|| -> u8 { panic!("on {}", "purpose") }).unwrap_err();
        assert!(panic.to_string().ends_with(": on purpose"), "{panic}");
        assert_eq!(caught(|| 7), Ok(7));
        assert!(caught(|| caught(|| panic!("inside")).is_err()).is_ok_and(|inside| inside));
    }
}
