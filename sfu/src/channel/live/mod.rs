//! The compact live API: a program announces a broadcast, is told how to begin it, and asks how it stands.

pub mod routes;
pub mod rules;
pub mod service;
pub mod store;
