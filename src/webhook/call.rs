//! One call: connect, with TLS if the address says so, send, and read the head of the answer (RFC 9112).
//!
//! Redirects are not followed, and only status and `Retry-After` are used, so an answer can influence nothing but the
//! delivery of its own events. One deadline covers the whole call.

use std::io::{self, ErrorKind, Read, Write};
use std::time::{Duration, Instant};

use rustls::StreamOwned;
use rustls::pki_types::ServerName;

use super::{Answer, Hook, Message, Said, signature};
use crate::dns_client::{Timed, shake_hands};

/// Deadline of a whole call.
const CALL: Duration = Duration::from_secs(10);
/// The share of it for resolving the name, and again for connecting.
const CONNECT: Duration = Duration::from_secs(5);
/// Octets of an answer's head at most, including interim (1xx) responses before it.
const HEAD_MAX: usize = 16 * 1024;

/// Sends a message to a webhook at this time (epoch seconds).
pub fn call(hook: &Hook, message: &Message, now_s: i64) -> Answer {
    let address = match hook.address.resolve(hook.private, CONNECT) {
        Ok(address) => address,
        Err(said) => return Answer::of(said),
    };
    let deadline = Instant::now() + CALL;
    let mut socket = match Timed::connect(address, CONNECT, deadline) {
        Ok(socket) => socket,
        Err(error) => return failed(&error, Said::Unreachable),
    };
    let request = request(hook, message, now_s);
    let Some(config) = &hook.tls else { return exchange(socket, &request) };
    let name = ServerName::try_from(hook.address.host.clone()).map_err(io::Error::other);
    match name.and_then(|name| shake_hands(config, name, &mut socket)) {
        Ok(session) => exchange(StreamOwned::new(session, socket), &request),
        Err(error) => failed(&error, Said::Tls),
    }
}

/// The whole request.
fn request(hook: &Hook, message: &Message, now_s: i64) -> Vec<u8> {
    let Message { id, body } = message;
    let signature = signature(&hook.secret, id, now_s, body);
    let (path, host) = (&hook.address.path, hook.address.authority());
    let (version, octets) = (env!("CARGO_PKG_VERSION"), body.len());
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: gapura/{version}\r\nAccept: */*\r\n\
         Content-Type: application/json\r\nContent-Length: {octets}\r\nConnection: close\r\n\
         webhook-id: {id}\r\nwebhook-timestamp: {now_s}\r\nwebhook-signature: {signature}\r\n\r\n"
    );
    [head.as_bytes(), body].concat()
}

/// Sends the request and reads the answer.
fn exchange(mut stream: impl Read + Write, request: &[u8]) -> Answer {
    // The peer may answer before it has read everything; that answer counts.
    let sent = stream.write_all(request).and_then(|()| stream.flush());
    match read_head(&mut stream) {
        Ok(answer) => answer,
        Err(error) => failed(&sent.err().unwrap_or(error), Said::NoHttp),
    }
}

/// Reads heads until one is the answer's.
fn read_head(stream: &mut impl Read) -> io::Result<Answer> {
    let (mut head, mut octet) = (Vec::new(), [0_u8; 1]);
    let mut buffered = io::BufReader::with_capacity(2_048, stream);
    for _ in 0..HEAD_MAX {
        buffered.read_exact(&mut octet)?;
        head.push(octet[0]);
        if !head.ends_with(b"\r\n\r\n") && !head.ends_with(b"\n\n") {
            continue;
        }
        let answer = answer(&head).ok_or_else(|| io::Error::from(ErrorKind::InvalidData))?;
        // Skip interim responses (RFC 9110 §15.2).
        if !matches!(answer.said, Said::Status(100..=199)) {
            return Ok(answer);
        }
        head.clear();
    }
    Err(ErrorKind::InvalidData.into())
}

/// Status and `Retry-After` of a head.
fn answer(head: &[u8]) -> Option<Answer> {
    let head = String::from_utf8_lossy(head);
    let mut lines = head.lines();
    let status = lines.next()?.strip_prefix("HTTP/1.")?.get(2..5)?.parse().ok()?;
    let fields = lines.filter_map(|line| line.split_once(':'));
    let wait = fields.filter(|(name, _)| name.eq_ignore_ascii_case("retry-after"));
    let retry_after = wait.filter_map(|(_, value)| value.trim().parse().ok()).next();
    (100..=599)
        .contains(&status)
        .then(|| Answer { retry_after, ..Answer::of(Said::Status(status)) })
}

/// The result of a call without an answer: a timeout, or `otherwise`.
fn failed(error: &io::Error, otherwise: Said) -> Answer {
    let said = match error.kind() {
        ErrorKind::TimedOut | ErrorKind::WouldBlock => Said::Late,
        _ => otherwise,
    };
    Answer { detail: error.to_string(), ..Answer::of(said) }
}
