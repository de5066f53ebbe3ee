//! One viewer's session: WHEP, which rendition, rewriting.

pub mod line;
pub mod rewrite;
pub mod whep;
