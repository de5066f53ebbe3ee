//! The ladder: renditions in AV1 that the server makes of what a publisher sends, in a child process per broadcast.

pub mod frame;
