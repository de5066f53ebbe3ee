//! One publisher's session: WHIP, stream keys, what it sends, its health.

pub mod clock;
pub mod key;
pub mod whip;
