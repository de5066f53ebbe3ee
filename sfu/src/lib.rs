//! Weir's server. Folders are what the product does; `app` puts them together.

pub mod broadcast;
pub mod publish;
pub mod rtc;
pub mod watch;
