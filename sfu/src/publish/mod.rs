//! One publisher's session: WHIP, stream keys, what it sends, its health.

pub mod advice;
pub mod clock;
pub mod doctor;
pub mod key;
pub mod level;
pub mod opus;
pub mod vitals;
pub mod whip;
