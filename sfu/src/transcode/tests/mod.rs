//! The ladder with its real codecs.

mod ladder;
