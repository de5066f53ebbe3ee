//! Bodies and paths, parsed into types; what can't be is answered with a problem that names the field.

use super::problem::ProblemResponse;
use crate::page::{Place, Wanted};
use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Request},
    http::{HeaderMap, StatusCode, header, request::Parts},
};
use serde::de::{DeserializeOwned, IgnoredAny};
use shared::page::PageQuery;

/// A JSON body.
#[derive(Debug)]
pub struct Json<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = ProblemResponse;

    async fn from_request(request: Request, state: &S) -> Result<Self, ProblemResponse> {
        if !is_json(request.headers()) {
            return Err(unsupported_media_type());
        }
        let body = Bytes::from_request(request, state).await.map_err(|rejection| {
            if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
                too_large()
            } else {
                ProblemResponse::new(
                    StatusCode::BAD_REQUEST,
                    "broken-body",
                    "The request broke off",
                    "The request's body could not be read to its end. Send it again.",
                )
            }
        })?;
        parse(&body).map(Self)
    }
}

/// Whether the body says that it is JSON.
pub fn is_json(headers: &HeaderMap) -> bool {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let media_type = content_type.and_then(|text| text.split(';').next()).unwrap_or_default().trim();
    media_type.eq_ignore_ascii_case("application/json")
}

/// The body is not what is spoken here.
pub fn unsupported_media_type() -> ProblemResponse {
    ProblemResponse::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "not-json",
        "JSON is needed",
        "Send the body as JSON, with the header “Content-Type: application/json”.",
    )
}

/// The body is larger than anything that is asked for here.
pub fn too_large() -> ProblemResponse {
    ProblemResponse::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        "too-large",
        "The request is too large",
        "The request's body is larger than this address takes. Send less.",
    )
}

/// A JSON object in its type.
pub fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, ProblemResponse> {
    // serde takes an array for an object, field by field in order: nobody means that.
    if body.trim_ascii_start().first() == Some(&b'[') {
        return Err(malformed("it is an array, and must be an object"));
    }
    let mut json = serde_json::Deserializer::from_slice(body);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = error.path().to_string();
        let inner = error.into_inner();
        // serde_json adds where in the text it was, which means nothing to a person with a form.
        let message = inner.to_string();
        let message = message.split(" at line ").next().unwrap_or_default();
        // It says of an array where an enum should be that it expected a value, as of JSON that is broken.
        let message = match inner.is_data() {
            true => message,
            false if message == "expected value" && serde_json::from_slice::<IgnoredAny>(body).is_ok() => {
                "this is of another kind than what is taken here"
            }
            false => return malformed(message),
        };
        let problem = ProblemResponse::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "invalid",
            "Something in the request can't be taken",
            sentence(message),
        );
        match field_of(&path, message) {
            Some(field) => problem.field(&field),
            None => problem,
        }
    })?;
    json.end().map_err(|_| malformed("there is something after the JSON's end"))?;
    Ok(value)
}

fn malformed(message: &str) -> ProblemResponse {
    ProblemResponse::new(
        StatusCode::BAD_REQUEST,
        "malformed-json",
        "The JSON is broken",
        format!("The body is not JSON: {message}."),
    )
}

/// The path to the value, or the name that serde's words carry when a field is missing or unknown.
fn field_of(path: &str, message: &str) -> Option<String> {
    let quoted = |rest: &str| rest.split('`').next().map(str::to_owned);
    for words in ["missing field `", "unknown field `"] {
        if let Some(rest) = message.strip_prefix(words) {
            return quoted(rest).filter(|name| name.len() <= 64);
        }
    }
    // `tags[3]` is at fault in `tags`.
    let field = path.split(['[', '.']).next().unwrap_or_default();
    (!field.is_empty() && field.len() <= 64).then(|| field.to_owned())
}

fn sentence(message: &str) -> String {
    let mut text: String = message.chars().take(300).collect();
    if let Some(first) = text.chars().next() {
        text.replace_range(..first.len_utf8(), &first.to_uppercase().to_string());
    }
    if !text.ends_with('.') {
        text.push('.');
    }
    text
}

/// A path's variable parts. One that can't be what it must be does not exist: 404.
#[derive(Debug)]
pub struct Path<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = ProblemResponse;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ProblemResponse> {
        let path = axum::extract::Path::<T>::from_request_parts(parts, state).await;
        path.map(|axum::extract::Path(value)| Self(value)).map_err(|_| super::fallback::not_found())
    }
}

/// A query's parameters. Those that can't be taken are answered with the problem `invalid-query`.
#[derive(Debug)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = ProblemResponse;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ProblemResponse> {
        axum::extract::Query::<T>::try_from_uri(&parts.uri).map(|query| Self(query.0)).map_err(|rejection| {
            // axum's words, then the parameter and what is wrong with it, as far as serde could tell which.
            let text = rejection.body_text();
            let text = text.strip_prefix("Failed to deserialize query string: ").unwrap_or(&text);
            let named = text.split_once(": ").filter(|(name, _)| name.len() <= 64 && !name.contains(' '));
            let (field, message) =
                named.map_or((field_of("", text), text), |(name, rest)| (Some(name.to_owned()), rest));
            invalid_query(field.as_deref(), &sentence(message))
        })
    }
}

/// A query has something that can't be taken.
pub fn invalid_query(field: Option<&str>, detail: &str) -> ProblemResponse {
    let title = "The question can't be taken";
    let problem = ProblemResponse::new(StatusCode::BAD_REQUEST, "invalid-query", title, detail);
    match field {
        Some(field) => problem.field(field),
        None => problem,
    }
}

/// Which part of a list is asked for: `?cursor=` and `?limit=`.
#[derive(Debug)]
pub struct Paging(pub Wanted);

impl<S: Send + Sync> FromRequestParts<S> for Paging {
    type Rejection = ProblemResponse;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ProblemResponse> {
        let Query(query) = Query::<PageQuery>::from_request_parts(parts, state).await?;
        Ok(Self(wanted(query)?))
    }
}

/// The part of a list that a query asks for, for lists that take more words than these.
pub fn wanted(query: PageQuery) -> Result<Wanted, ProblemResponse> {
    let after = query.cursor.as_deref().map(|text| Place::parse(text).ok_or_else(bad_cursor)).transpose()?;
    Ok(Wanted { after, limit: query.limit() })
}

/// The cursor is none that this list gave.
pub fn bad_cursor() -> ProblemResponse {
    invalid_query(
        Some("cursor"),
        "This cursor is not one that this list gave. Leave it out, to begin with the first page.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::{account::SignIn, channel::EditChannel};

    fn fault<T: DeserializeOwned>(body: &str) -> (u16, Option<String>, String) {
        let problem = *parse::<T>(body.as_bytes()).err().expect("it is refused").0;
        (problem.status, problem.field, problem.detail)
    }

    #[test]
    fn the_field_at_fault_is_named() {
        let (status, field, detail) = fault::<SignIn>(r#"{"name":"a b","password":"long enough"}"#);
        assert_eq!((status, field.as_deref()), (422, Some("name")));
        assert!(detail.starts_with("An account name has 2 to 25"), "{detail}");
        assert_eq!(fault::<SignIn>(r#"{"name":"ada"}"#).1.as_deref(), Some("password"));
        assert_eq!(fault::<SignIn>(r#"{"nam":"ada"}"#).1.as_deref(), Some("nam"));
        assert_eq!(fault::<EditChannel>(r#"{"tags":["ok",""]}"#).1.as_deref(), Some("tags"));
    }

    #[test]
    fn broken_json_is_told_from_wrong_json() {
        for broken in ["", "{", "[]", "\u{0}", r#"{"title":"ada""#, r#"{} {}"#] {
            assert_eq!(fault::<EditChannel>(broken).0, 400, "{broken:?}");
        }
        let deep = r#"{"a":"#.repeat(50_000);
        assert_eq!(fault::<serde_json::Value>(&deep).0, 400);
    }
}
