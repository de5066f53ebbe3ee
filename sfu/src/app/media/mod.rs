//! The composition root of the media plane: it joins sessions that publish and watch with the hub between them, on the
//! shards of `rtc`. `app` is the same for everything that isn't media.

mod chooser;
pub mod ingest;
mod ladder;
pub mod machine;
mod room;
mod router;
pub mod sessions;
pub mod stage;
mod ward;

pub use room::Measurement;
pub use router::{Report, RoomKey, ShardRouter, Usher};
