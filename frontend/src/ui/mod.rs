//! Components that know no word of what Weir does.

pub mod button;
pub mod chart;
pub mod copy_field;
pub mod delayed;
pub mod dialog;
pub mod element;
pub mod field;
pub mod format_state;
pub mod icon;
pub mod menu;
pub mod meter;
pub mod monogram;
pub mod notice;
pub mod sparkline;
pub mod tags;
pub mod toast;
pub mod toggle;

pub use button::{Button, IconButton, Kind};
pub use chart::{Chart, Clock, Look, Mark, Panel, Unit, Zone};
pub use copy_field::CopyField;
pub use delayed::{Delayed, Skeleton, use_seconds, use_settled};
pub use dialog::Dialog;
pub use element::{alert, el, el_with, words};
pub use field::{Choice, Lines, Select, TextField};
pub use icon::{Shape, icon, named_icon, word_mark};
pub use menu::{Item, Menu};
pub use meter::Meter;
pub use monogram::{monogram, portrait};
pub use notice::Notice;
pub use sparkline::Sparkline;
pub use tags::Tags;
pub use toast::{Toasts, use_toast};
pub use toggle::Toggle;
