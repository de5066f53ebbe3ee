//! One viewer's session: WHEP, which rendition, rewriting.

pub mod line;
pub mod path;
pub mod picture;
pub mod replay;
pub mod rewrite;
pub mod select;
pub mod sound;
pub mod whep;
