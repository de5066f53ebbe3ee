//! Signing in by an OpenID provider (OpenID Connect Core 1.0, authorization code flow with PKCE).

pub mod http;
pub mod keys;
pub mod metadata;
pub mod routes;
pub mod rules;
pub mod service;
pub mod shelf;
pub mod store;
pub mod token;
