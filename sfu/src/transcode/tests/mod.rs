//! The ladder with its real codecs.

mod footage;
mod ladder;
