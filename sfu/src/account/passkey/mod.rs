//! Passkeys: what people sign in with instead of a password (W3C WebAuthn Level 3).

pub mod routes;
pub mod rules;
pub mod service;
pub mod store;
pub mod webauthn;
