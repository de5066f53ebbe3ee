//! One publisher's session: what it may publish with, what it sends, how it does.

pub mod key;
