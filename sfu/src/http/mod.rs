//! HTTP, without a word about any capability: problems, extractors, cookies, same-origin checks, the embedded frontend.

pub mod assets;
pub mod csrf;
pub mod endings;
pub mod extract;
pub mod fallback;
pub mod flow;
pub mod headers;
pub mod line;
pub mod login;
pub mod openapi;
pub mod outgoing;
#[cfg(test)]
mod outgoing_tests;
pub mod passes;
pub mod peer;
pub mod problem;
pub mod server;
