//! Raw pictures: what the ladder decodes, scales and encodes.
//!
//! A crate of its own because nearly all of the work on a picture is generic code of rav1e and of the scaler, which is
//! compiled where it is used: here it is optimised in every build, and compiled once.

pub mod alike;
pub mod decode;
pub mod footage;
pub mod rav1e;
mod raw;
mod scale;

pub use fast_image_resize::FilterType;
pub use raw::{Colour, Picture, Plane, Raw, RawPlane, UNSAID, View, sides};
pub use scale::Scaler;
