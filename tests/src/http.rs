//! A client for HTTP/1.1 with nothing in between: what is sent is what the test wrote, even where that is wrong.

use serde_json::Value;
use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

/// An answer takes longer than this only if there is a fault.
const PATIENCE: Duration = Duration::from_secs(15);

/// A request to be sent.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    method: &'a str,
    path: &'a str,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

/// What came back.
#[derive(Debug, Clone)]
pub struct Response {
    /// The status code.
    pub status: u16,
    headers: Vec<(String, String)>,
    /// The body as it came.
    pub body: Vec<u8>,
}

impl<'a> Request<'a> {
    /// A request without headers or body.
    pub fn new(method: &'a str, path: &'a str) -> Self {
        Self { method, path, headers: Vec::new(), body: Vec::new() }
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// Adds `Authorization: Bearer …`.
    #[must_use]
    pub fn bearer(self, key: &str) -> Self {
        self.header("authorization", format!("Bearer {key}"))
    }

    /// Adds a body and its type.
    #[must_use]
    pub fn body(mut self, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self.header("content-type", content_type)
    }

    /// Adds a JSON body.
    #[must_use]
    pub fn json(self, body: &Value) -> Self {
        self.body("application/json", body.to_string())
    }

    /// Sends it on a connection of its own.
    ///
    /// # Panics
    /// When there is no answer.
    pub fn send(self, server: SocketAddr) -> Response {
        self.try_send(server).unwrap_or_else(|error| panic!("{} {}: {error}", self.method, self.path))
    }

    /// Sends it; an error when the server doesn't answer.
    ///
    /// # Errors
    /// When the connection fails or what comes back isn't HTTP.
    pub fn try_send(&self, server: SocketAddr) -> std::io::Result<Response> {
        let mut stream = TcpStream::connect_timeout(&server, PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let mut head =
            format!("{} {} HTTP/1.1\r\nhost: {server}\r\nconnection: close\r\n", self.method, self.path);
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if !self.body.is_empty() || !matches!(self.method, "GET" | "HEAD" | "OPTIONS" | "DELETE") {
            head.push_str(&format!("content-length: {}\r\n", self.body.len()));
        }
        head.push_str("\r\n");
        stream.write_all(head.as_bytes())?;
        // A server that refuses a body may stop reading it: what counts is what it says.
        let _ = stream.write_all(&self.body);
        read_response(&mut stream, self.method == "HEAD")
    }
}

/// Reads one answer from a connection that is closed after it.
///
/// # Errors
/// When the connection fails or what comes back isn't HTTP.
pub fn read_response(stream: &mut impl Read, headless: bool) -> std::io::Result<Response> {
    let mut all = Vec::new();
    let outcome = stream.read_to_end(&mut all);
    let Some(end) = find(&all, b"\r\n\r\n") else {
        outcome?;
        return Err(std::io::Error::other(format!("not an HTTP answer: {} bytes", all.len())));
    };
    let head = String::from_utf8_lossy(&all[..end]);
    let mut lines = head.split("\r\n");
    let status = lines
        .next()
        .and_then(|line| line.split(' ').nth(1))
        .and_then(|code| code.parse().ok())
        .ok_or_else(|| std::io::Error::other("no status"))?;
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.trim().to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let rest = &all[end + 4..];
    let chunked =
        headers.iter().any(|(name, value)| name == "transfer-encoding" && value.contains("chunked"));
    let body = match (headless, chunked) {
        (true, _) => Vec::new(),
        (false, true) => unchunk(rest).ok_or_else(|| std::io::Error::other("a broken chunk"))?,
        (false, false) => rest.to_vec(),
    };
    Ok(Response { status, headers, body })
}

fn find(all: &[u8], wanted: &[u8]) -> Option<usize> {
    all.windows(wanted.len()).position(|window| window == wanted)
}

fn unchunk(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let end = find(rest, b"\r\n")?;
        let size =
            usize::from_str_radix(std::str::from_utf8(&rest[..end]).ok()?.split(';').next()?, 16).ok()?;
        rest = &rest[end + 2..];
        if size == 0 {
            return Some(body);
        }
        body.extend_from_slice(rest.get(..size)?);
        rest = rest.get(size + 2..)?;
    }
}

impl Response {
    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    /// Every value of a header that may come more than once.
    pub fn headers(&self, name: &str) -> Vec<&str> {
        self.headers.iter().filter(|(other, _)| other == name).map(|(_, value)| value.as_str()).collect()
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// When it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// Asserts that this is a problem document of the given status, with a sentence a person understands; gives it.
    ///
    /// # Panics
    /// When it isn't.
    #[track_caller]
    pub fn problem(&self, status: u16) -> shared::problem::Problem {
        assert_eq!(self.status, status, "{}", self.text());
        let kind = self.header("content-type").unwrap_or_default();
        assert!(
            kind.starts_with(shared::problem::PROBLEM_MEDIA_TYPE),
            "content-type {kind}: {}",
            self.text()
        );
        let problem: shared::problem::Problem =
            serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()));
        assert_eq!(problem.status, status);
        assert!(problem.kind.starts_with('/'), "{problem:?}");
        assert!(problem.detail.contains(' '), "a sentence: {problem:?}");
        problem
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chunked_answer_is_put_together() {
        let text = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nWeir\r\n1\r\n!\r\n0\r\n\r\n";
        let response = read_response(&mut text.as_bytes(), false).unwrap();
        assert_eq!((response.status, response.text().as_str()), (200, "Weir!"));
        assert!(read_response(&mut "hello".as_bytes(), false).is_err());
    }
}
