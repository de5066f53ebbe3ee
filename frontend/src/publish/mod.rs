//! Going live: the studio.

mod arrival;
mod arrival_state;
mod charts;
mod engine;
mod ladder;
mod live;
mod obs;
mod sources;
mod studio;
mod studio_state;
mod uplink;

pub use obs::ObsCard;
pub use studio::Studio;
