//! A very small HTTP/1.1 client for our own listener: one call, one connection.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail};
use serde_json::Value;

use crate::text::append;

/// How long the daemon may take for one call: an approval waits for the read-back.
const PATIENCE: Duration = Duration::from_secs(60);
/// Octets of a reply; a list of requests is far smaller.
const REPLY_OCTETS_MAX: u64 = 64 * 1024 * 1024;

//------------ Call ----------------------------------------------------------

/// One call.
#[derive(Debug)]
pub(super) struct Call {
    /// `GET` or `POST`.
    method: &'static str,
    /// Path and query.
    path: String,
    /// The media type of the body.
    media: String,
    /// The body.
    body: Vec<u8>,
    /// Further header lines.
    headers: String,
}

impl Call {
    /// A GET.
    pub(super) fn get(path: &str) -> Self {
        let (media, body) = (String::new(), Vec::new());
        Self { method: "GET", path: path.to_owned(), media, body, headers: String::new() }
    }

    /// Sends JSON.
    pub(super) fn post(path: &str, body: &Value) -> Self {
        let media = "application/json".to_owned();
        let body = body.to_string().into_bytes();
        Self { method: "POST", path: path.to_owned(), media, body, headers: String::new() }
    }

    /// Sends a request and its letter.
    pub(super) fn multipart(
        path: &str,
        request: &[u8],
        letter: Option<&Path>,
    ) -> anyhow::Result<Self> {
        let read = |path: &Path| {
            std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))
        };
        let letter = letter.map(read).transpose()?;
        Ok(Self::with_letter(path, request, letter.as_deref()))
    }

    /// The same with a letter that was read.
    pub(super) fn with_letter(path: &str, request: &[u8], letter: Option<&[u8]>) -> Self {
        // Neither single-line JSON nor a file has a line that starts with this by chance.
        let boundary = "----gapura-request-5c1d7a90b2e84f63";
        let mut body = Vec::new();
        let mut part = |head: &str, content: &[u8]| {
            body.extend_from_slice(format!("--{boundary}\r\n{head}\r\n\r\n").as_bytes());
            body.extend_from_slice(content);
            body.extend_from_slice(b"\r\n");
        };
        let head = "Content-Disposition: form-data; name=\"request\"\r\n\
                    Content-Type: application/json";
        part(head, request);
        if let Some(content) = letter {
            let head = "Content-Disposition: form-data; name=\"letter\"; filename=\"letter\"\r\n\
                        Content-Type: application/octet-stream";
            part(head, content);
        }
        body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
        let media = format!("multipart/form-data; boundary={boundary}");
        Self { method: "POST", path: path.to_owned(), media, body, headers: String::new() }
    }

    /// With one more header line.
    pub(super) fn header(mut self, name: &str, value: &str) -> Self {
        append!(self.headers, "{name}: {value}\r\n");
        self
    }
}

/// Percent-encodes what is not allowed in a path segment or a query value.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            append!(escaped, "%{byte:02X}");
        }
    }
    escaped
}

//------------ Client --------------------------------------------------------

/// The daemon's address, and the credentials.
pub(super) struct Client {
    /// The daemon's listener.
    address: SocketAddr,
    /// The header lines with the credentials.
    credentials: String,
}

/// What came back.
#[derive(Debug)]
pub(super) struct Reply {
    /// The status code.
    pub(super) status: u16,
    /// The body, decoded.
    pub(super) body: Vec<u8>,
}

impl Client {
    /// A client that sends the token and secret from the environment.
    pub(super) fn new(address: SocketAddr) -> anyhow::Result<Self> {
        let mut credentials = String::new();
        for (variable, before) in
            [("GAPURA_TOKEN", "Authorization: Bearer "), ("GAPURA_SECRET", "Gapura-Secret: ")]
        {
            let value = std::env::var(variable).unwrap_or_default();
            let value = value.trim();
            if !value.bytes().all(|byte| byte.is_ascii_graphic()) {
                bail!(
                    "{variable} contains a character that no token or secret of gapura has: copy it again"
                );
            }
            if !value.is_empty() {
                credentials.push_str(&format!("{before}{value}\r\n"));
            }
        }
        Ok(Self { address, credentials })
    }

    /// Whether it sends a token.
    pub(super) fn has_token(&self) -> bool {
        self.credentials.contains("Authorization:")
    }

    /// Makes the call and waits for the whole reply.
    pub(super) fn send(&self, call: &Call) -> anyhow::Result<Reply> {
        let address = self.address;
        let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(5))
            .with_context(|| {
                format!("no daemon answers at {address}: is `gapura serve` running?")
            })?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let media = match call.media.as_str() {
            "" => String::new(),
            media => format!("Content-Type: {media}\r\n"),
        };
        let head = format!(
            "{} {} HTTP/1.1\r\nHost: {address}\r\nAccept: application/json\r\nConnection: close\r\n\
             {}{}{media}Content-Length: {}\r\n\r\n",
            call.method,
            call.path,
            self.credentials,
            call.headers,
            call.body.len()
        );
        stream.write_all(head.as_bytes())?;
        // A refusal may come before the daemon has read the whole body; read it anyway.
        let written = stream.write_all(&call.body);
        let mut bytes = Vec::new();
        match stream.take(REPLY_OCTETS_MAX).read_to_end(&mut bytes) {
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::ConnectionReset && !bytes.is_empty() => {}
            Err(error) => return Err(error).context("the daemon did not finish its answer"),
        }
        if bytes.is_empty() {
            written.context("the daemon closed the connection")?;
        }
        read_reply(&bytes)
    }
}

/// Parses a reply.
fn read_reply(bytes: &[u8]) -> anyhow::Result<Reply> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n");
    let end = end.context("the daemon's answer has an incomplete header")?;
    let head = std::str::from_utf8(&bytes[..end]).context("the daemon's answer is not HTTP")?;
    let mut lines = head.split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).unwrap_or("");
    let status: u16 = status.parse().context("the daemon's answer has no status")?;
    let mut chunked = false;
    let mut length = None;
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        match name.to_ascii_lowercase().as_str() {
            "transfer-encoding" => chunked = value.to_ascii_lowercase().contains("chunked"),
            "content-length" => length = value.trim().parse::<usize>().ok(),
            _ => {}
        }
    }
    let rest = &bytes[end + 4..];
    let body = if chunked { unchunk(rest)? } else { rest.to_vec() };
    if length.is_some_and(|length| body.len() < length) {
        bail!("the daemon's answer was cut short");
    }
    Ok(Reply { status, body })
}

/// Undoes the chunked transfer coding (RFC 9112 §7.1).
fn unchunk(mut rest: &[u8]) -> anyhow::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let end = rest.windows(2).position(|window| window == b"\r\n");
        let end = end.context("the daemon's answer was cut short")?;
        let size = std::str::from_utf8(&rest[..end]).unwrap_or("").split(';').next().unwrap_or("");
        let size = usize::from_str_radix(size.trim(), 16).context("a bad chunk size")?;
        rest = &rest[end + 2..];
        if size == 0 {
            return Ok(body);
        }
        let chunk = rest.get(..size).context("the daemon's answer was cut short")?;
        body.extend_from_slice(chunk);
        rest = rest.get(size + 2..).context("the daemon's answer was cut short")?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_are_taken_apart() {
        let plain = b"HTTP/1.1 409 Conflict\r\nContent-Length: 2\r\n\r\n{}";
        let reply = read_reply(plain).unwrap();
        assert_eq!((reply.status, reply.body.as_slice()), (409, b"{}".as_slice()));
        let chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{\"\r\n3;x=y\r\na\"}\r\n0\r\n\r\n";
        assert_eq!(read_reply(chunked).unwrap().body, b"{\"a\"}");
        for cut in [
            b"HTTP/1.1 200 OK\r\n".as_slice(),
            b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{}",
            b"HTTP/1.1 x\r\n\r\n",
        ] {
            assert!(read_reply(cut).is_err());
        }
        assert_eq!(escape("a b/ä.id"), "a%20b%2F%C3%A4.id");
    }
}
