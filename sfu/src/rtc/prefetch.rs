//! Memory that is looked at next is asked for ahead of time. Each viewer's state is touched once a frame, and by the next one
//! the other viewers' has pushed it out of the near caches: without this, a core waits for it line by line.

// The hint has no safe form.
#![allow(unsafe_code)]

/// Bytes that come at once.
const LINE: usize = 64;

/// Asks for all of `what`, not for what it points to. It doesn't wait, and changes nothing.
pub fn prefetch<T>(what: &T) {
    #[cfg(target_arch = "x86_64")]
    for at in (0..size_of::<T>()).step_by(LINE) {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: a hint reads nothing as far as the program can see, and never faults.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(std::ptr::from_ref(what).cast::<i8>().wrapping_add(at)) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (what, LINE);
}
