//! Charts over time, drawn as SVG: panels under one another on one axis, read out by pointer, touch and keys, with a table
//! behind them.

pub mod axis_state;
pub mod draw_state;
mod panel;
mod picture;
pub mod scale_state;
mod shape;
mod table;
mod view;

pub use draw_state::Look;
pub use panel::{Panel, Unit};
pub use scale_state::{Clock, Zone};
pub use view::{Chart, Mark};
