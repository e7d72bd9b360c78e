//! One request to another node, on a connection of its own.
//!
//! None is used again: a request on a connection that the other side just closed would be lost, and it may not be sent
//! twice. Certificates are those of authorities that the system trusts.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::http::HeaderValue;
use axum::http::uri::{Scheme, Uri};
use axum::response::Response;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::away::Away;
use super::fields;
use crate::files;

/// How long connecting may take, with TLS.
const CONNECT_MAX: Duration = Duration::from_secs(5);

/// Makes connections.
pub(super) struct Calls {
    /// For `https`; none where the system trusts nobody.
    tls: Option<TlsConnector>,
}

impl Calls {
    /// None is made yet.
    pub(super) fn new() -> Self {
        Self { tls: connector() }
    }

    /// A connection to the pages of a node.
    pub(super) async fn reach(&self, url: &str) -> io::Result<Node> {
        let reached = tokio::time::timeout(CONNECT_MAX, self.connect(url)).await;
        reached.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
    }

    /// Connects.
    async fn connect(&self, url: &str) -> io::Result<Node> {
        let url: Uri = url.parse().map_err(io::Error::other)?;
        let no_host = || io::Error::other("the url names no host");
        let authority = fields::authority(&url).ok_or_else(no_host)?;
        let host = url.host().ok_or_else(no_host)?.trim_matches(['[', ']']);
        let is_tls = url.scheme() == Some(&Scheme::HTTPS);
        let port = url.port_u16().unwrap_or(if is_tls { 443 } else { 80 });
        let stream = TcpStream::connect((host, port)).await?;
        stream.set_nodelay(true)?;
        let sender = if is_tls {
            let no_one = "the system trusts no authority (install ca-certificates)";
            let tls = self.tls.as_ref().ok_or_else(|| io::Error::other(no_one))?;
            let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
            speak(tls.connect(name, stream).await?).await?
        } else {
            speak(stream).await?
        };
        Ok(Node { sender, authority })
    }
}

/// What `https` is spoken with.
fn connector() -> Option<TlsConnector> {
    let roots = files::system_authorities();
    if roots.is_empty() {
        return None;
    }
    files::tls_client(roots).ok().map(|config| Arc::new(config).into())
}

/// Begins HTTP/1.1 on a connection, which lives until its answer is read.
async fn speak(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
) -> io::Result<SendRequest<Body>> {
    let begun = http1::handshake(TokioIo::new(stream)).await;
    let (sender, connection) = begun.map_err(io::Error::other)?;
    // Its end is the end of the answer's body, and told there.
    tokio::spawn(async move { drop(connection.await) });
    Ok(sender)
}

/// A connection to a node that nothing was sent on.
pub(super) struct Node {
    /// Sends the request.
    sender: SendRequest<Body>,
    /// Host and port of its pages.
    authority: HeaderValue,
}

impl Node {
    /// Host and port of its pages.
    pub(super) fn authority(&self) -> &HeaderValue {
        &self.authority
    }

    /// Sends the request; the answer as soon as its head is there.
    pub(super) async fn send(mut self, request: Request) -> Result<Response, Away> {
        match self.sender.send_request(request).await {
            Ok(response) => Ok(response.map(Body::new)),
            Err(error) => {
                tracing::debug!(%error, "the publishing node gave no answer");
                Err(Away::Unanswered)
            }
        }
    }
}
