//! VIPs, as chat keeps them itself.

pub mod store;
