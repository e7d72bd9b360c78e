//! A small HTTP/1.1 client for the JSON API: one request a connection, as an outside check would do it.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;

/// Separates the parts of a form with files.
const BOUNDARY: &str = "gapura-test-boundary";

/// A response.
#[derive(Debug)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// The header lines.
    pub head: String,
    /// The body.
    pub body: Vec<u8>,
}

impl Response {
    /// The body as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|_| panic!("not JSON: {} {}", self.status, self.text()))
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The JSON of a success; a refusal ends the test.
    #[track_caller]
    pub fn ok(&self) -> Value {
        assert!((200..300).contains(&self.status), "{} {}", self.status, self.text());
        self.json()
    }

    /// The value of a header; empty if it is not there.
    pub fn header(&self, name: &str) -> &str {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(key, _)| key.eq_ignore_ascii_case(name)).map_or("", |(_, value)| value)
    }

    /// Status and problem code of a refusal.
    #[track_caller]
    pub fn refused(&self) -> (u16, String) {
        assert!(self.head.to_lowercase().contains("application/problem+json"), "{}", self.head);
        (self.status, self.json()["code"].as_str().unwrap_or_default().to_owned())
    }
}

/// Someone who talks to the API.
pub struct Caller {
    /// Where the server is.
    at: String,
    /// Host and port that are asked for.
    host: String,
    /// Header lines sent with every call.
    headers: String,
}

impl Caller {
    /// A caller of the site at `web` (`http://host:port`) with these extra header lines.
    pub fn new(web: &str, headers: &[(&str, &str)]) -> Self {
        let host = web.trim_start_matches("http://").trim_end_matches('/').to_owned();
        let headers = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        Self { at: host.clone(), host, headers }
    }

    /// A caller at a server of a site of another name.
    #[cfg_attr(not(feature = "postgres"), allow(dead_code))]
    pub fn asking_for(at: &str, host: &str) -> Self {
        Self { at: at.to_owned(), host: host.to_owned(), headers: String::new() }
    }

    /// A caller with a personal token.
    pub fn with_token(web: &str, token: &str) -> Self {
        Self::new(web, &[("Authorization", &format!("Bearer {token}"))])
    }

    /// GET.
    pub fn get(&self, path: &str) -> Response {
        self.send("GET", path, "", &[])
    }

    /// POST of JSON.
    pub fn post(&self, path: &str, body: &Value) -> Response {
        self.send("POST", path, "Content-Type: application/json\r\n", body.to_string().as_bytes())
    }

    /// POST of a request with its letter (`letter` may be empty: not sent then).
    #[track_caller]
    pub fn post_request(&self, path: &str, request: &Value, letter: &[u8]) -> Response {
        let (kind, body) = form(request, letter);
        self.send("POST", path, &kind, &body)
    }

    /// Sends and reads to the end.
    #[track_caller]
    pub fn send(&self, method: &str, path: &str, kind: &str, body: &[u8]) -> Response {
        self.try_send(method, path, kind, body).unwrap()
    }

    /// The same with a server that may go away meanwhile.
    pub fn try_send(
        &self,
        method: &str,
        path: &str,
        kind: &str,
        body: &[u8],
    ) -> io::Result<Response> {
        let mut stream = TcpStream::connect(&self.at)?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Length: {}\r\n{}{kind}\r\n",
            self.host,
            body.len(),
            self.headers
        );
        stream.write_all(head.as_bytes())?;
        // A server may refuse before it has read everything.
        let _ = stream.write_all(body);
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes);
        let no_head = || io::Error::other("no response head");
        let split = bytes.windows(4).position(|w| w == b"\r\n\r\n").ok_or_else(no_head)?;
        let head = String::from_utf8_lossy(&bytes[..split]).into_owned();
        let status = head.split(' ').nth(1).and_then(|it| it.parse().ok()).ok_or_else(no_head)?;
        let body = bytes[split + 4..].to_vec();
        let chunked = head.to_lowercase().contains("transfer-encoding: chunked");
        Ok(Response { status, head, body: if chunked { unchunk(&body) } else { body } })
    }
}

/// A request with its letter as a form with files: the line of its kind, and the body.
pub fn form(request: &Value, letter: &[u8]) -> (String, Vec<u8>) {
    let mut body = format!(
        "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"request\"\r\n\
         Content-Type: application/json\r\n\r\n{request}\r\n"
    )
    .into_bytes();
    if !letter.is_empty() {
        body.extend_from_slice(
            format!(
                "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"letter\"; \
                 filename=\"surat.pdf\"\r\nContent-Type: application/pdf\r\n\r\n"
            )
            .as_bytes(),
        );
        body.extend_from_slice(letter);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{BOUNDARY}--\r\n").as_bytes());
    let kind = format!("Content-Type: multipart/form-data; boundary={BOUNDARY}\r\n");
    (kind, body)
}

/// Joins the chunks of a chunked body.
fn unchunk(mut body: &[u8]) -> Vec<u8> {
    let mut whole = Vec::new();
    while let Some(end) = body.windows(2).position(|w| w == b"\r\n") {
        let size = usize::from_str_radix(String::from_utf8_lossy(&body[..end]).trim(), 16).unwrap();
        if size == 0 {
            break;
        }
        whole.extend_from_slice(&body[end + 2..end + 2 + size]);
        body = &body[end + 2 + size + 2..];
    }
    whole
}
