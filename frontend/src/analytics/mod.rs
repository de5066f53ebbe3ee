//! Who watched a broadcast, and how well it played.

mod breakdown;
mod dashboard;
mod engine;
pub mod figures_state;
mod list;
pub mod loads_state;
pub mod merge_state;
mod page;
pub mod words_state;

pub use page::Analytics;
