//! A listener for three paths: as much of HTTP/1.1 as they need.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use super::Registry;
use super::text::Form;

/// Clients at once; a scraper needs one.
const CLIENTS_MAX: usize = 16;
/// Octets of a request's head.
const HEAD_OCTETS_MAX: usize = 8 * 1024;
/// How long a client may take for all of it.
const CLIENT_SECONDS_MAX: u64 = 10;

/// Whether the daemon is ready; the text is the answer, or says what is missing.
pub type Health = Arc<dyn Fn() -> Result<String, String> + Send + Sync>;

/// Serves until the task is dropped.
pub async fn serve(listener: TcpListener, registry: Arc<Registry>, ready: Health) {
    let places = Arc::new(Semaphore::new(CLIENTS_MAX));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, _)) => {
                let (registry, ready) = (Arc::clone(&registry), Arc::clone(&ready));
                tokio::spawn(async move {
                    let work = client(stream, &registry, &ready);
                    let limit = Duration::from_secs(CLIENT_SECONDS_MAX);
                    // A client that went away or took too long is no event.
                    let _ = tokio::time::timeout(limit, work).await;
                    drop(place);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "metrics: accept failed");
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
    }
}

/// Reads one request and answers it.
async fn client(mut stream: TcpStream, registry: &Registry, ready: &Health) -> io::Result<()> {
    let mut head = Vec::new();
    while !head.windows(4).any(|four| four == b"\r\n\r\n") {
        if head.len() > HEAD_OCTETS_MAX || stream.read_buf(&mut head).await? == 0 {
            return Ok(());
        }
    }
    let line = head.split(|byte| *byte == b'\r').next().unwrap_or_default();
    let mut words = line.split(|byte| *byte == b' ');
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let (status, kind, body) = answer(method, path, Form::wanted(&head), registry, ready);
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await?;
    if method != b"HEAD" {
        stream.write_all(body.as_bytes()).await?;
    }
    stream.shutdown().await
}

/// Status, content type and body.
fn answer(
    method: &[u8],
    path: &[u8],
    form: Form,
    registry: &Registry,
    ready: &Health,
) -> (&'static str, &'static str, String) {
    let plain = "text/plain; charset=utf-8";
    if method != b"GET" && method != b"HEAD" {
        return ("405 Method Not Allowed", plain, "GET only\n".to_owned());
    }
    match path {
        b"/metrics" => ("200 OK", form.media(), form.text(registry)),
        b"/healthz" => ("200 OK", plain, "ok\n".to_owned()),
        b"/readyz" => match ready() {
            Ok(text) => ("200 OK", plain, text),
            Err(missing) => ("503 Service Unavailable", plain, missing),
        },
        _ => ("404 Not Found", plain, "/metrics, /healthz, /readyz\n".to_owned()),
    }
}
