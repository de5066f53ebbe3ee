//! The control plane as a whole: over the router for HTTP, over a real socket where one is needed.

mod api;
mod elsewhere;
mod gone;
mod matrix;
mod passkeys;
mod socket;
mod walk;

use super::*;
use axum::{
    body::Body,
    http::{Request, Response, StatusCode, header},
};
use serde_json::{Value, json};
use tower::ServiceExt;

/// A server on a data directory of its own, with nobody signed in.
struct World {
    server: Server,
    dir: tempfile::TempDir,
}

/// An answer, read to its end.
struct Answer {
    status: StatusCode,
    headers: axum::http::HeaderMap,
    body: Vec<u8>,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("not JSON: {:?}", self.text()))
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    fn header(&self, name: header::HeaderName) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// It is a problem of this kind.
    fn problem(&self, status: u16, kind: &str) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.text());
        assert_eq!(self.header(header::CONTENT_TYPE), "application/problem+json");
        let problem = self.json();
        assert_eq!(problem["type"], format!("/problems/{kind}"));
        assert_eq!(problem["status"], status);
        problem
    }
}

fn config(dir: &tempfile::TempDir) -> Config {
    let mut config = Config { data_dir: dir.path().join("data"), ..Config::default() };
    config.http.listen = vec![SocketAddr::from(([127, 0, 0, 1], 0))];
    config.media.listen = SocketAddr::from(([127, 0, 0, 1], 0));
    config.media.shards = Some(1);
    config
}

impl World {
    async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let server = Server::start(config(&dir)).await.unwrap();
        Self { server, dir }
    }

    fn setup_token(&self) -> String {
        self.server.setup_link().unwrap().split_once("token=").unwrap().1.to_owned()
    }

    async fn send(&self, request: Request<Body>) -> Answer {
        let response: Response<Body> = self.server.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap().to_vec();
        Answer { status: parts.status, headers: parts.headers, body }
    }

    async fn get(&self, path: &str, cookie: &str) -> Answer {
        let request =
            Request::get(path).header(header::COOKIE, cookie).header(header::ACCEPT, "application/json");
        self.send(request.body(Body::empty()).unwrap()).await
    }

    async fn call(&self, method: &str, path: &str, cookie: &str, body: Option<Value>) -> Answer {
        let mut request = Request::builder().method(method).uri(path).header(header::COOKIE, cookie);
        if body.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        let body = body.map_or(Body::empty(), |body| Body::from(body.to_string()));
        self.send(request.body(body).unwrap()).await
    }

    /// Sets up as Ada with the channel `ada`; the login cookie.
    async fn set_up(&self) -> String {
        let answer = self.call("POST", "/api/v1/setup", "", Some(set_up(&self.setup_token(), "ada"))).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text());
        cookie_of(&answer)
    }
}

fn set_up(token: &str, channel: &str) -> Value {
    json!({ "token": token, "name": "ada", "displayName": "Ada", "password": "correct horse", "channel": channel })
}

fn cookie_of(answer: &Answer) -> String {
    answer.header(header::SET_COOKIE).split(';').next().unwrap().to_owned()
}
