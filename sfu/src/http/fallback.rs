//! What has no route, what has another method, and what panicked.

use super::problem::ProblemResponse;
use axum::{
    http::{Method, StatusCode},
    response::{IntoResponse, Response},
};
use std::any::Any;

/// No such address.
pub fn not_found() -> ProblemResponse {
    ProblemResponse::new(
        StatusCode::NOT_FOUND,
        "not-found",
        "Nothing is here",
        "There is nothing at this address. Check how it is written.",
    )
}

/// The fallback of the API.
pub async fn unknown() -> ProblemResponse {
    not_found()
}

/// The fallback for a method that an address doesn't have; axum adds `Allow`.
pub async fn wrong_method(method: Method) -> ProblemResponse {
    ProblemResponse::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "wrong-method",
        "This address can't do that",
        format!("This address does not take {method}: the header “Allow” says what it takes."),
    )
}

/// A handler panicked: one request fails, nothing else.
pub fn panicked(panic: Box<dyn Any + Send + 'static>) -> Response {
    let words = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let words = words.or_else(|| panic.downcast_ref::<String>().cloned());
    let words = words.unwrap_or_else(|| "a panic without words".to_owned());
    ProblemResponse::internal(&words).into_response()
}
