//! TLS towards another server (RFC 9103): version 1.3, ALPN `dot`, its certificate verified by name, our
//! own certificate where it wants one.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, RootCertStore};

use super::socket::over_stream;
use super::stream::Timed;
use crate::files;

/// The protocol by the name it has in the handshake.
const ALPN: &[u8] = b"dot";

//------------ Tls -----------------------------------------------------------

/// How TLS is spoken to one server; clones share it.
#[derive(Clone, Debug)]
pub struct Tls {
    /// Versions, trust, our certificate.
    config: Arc<ClientConfig>,
    /// The name that its certificate must have.
    name: ServerName<'static>,
}

impl Tls {
    /// For a server whose certificate has this name and is signed by an authority in the file `ca`, or,
    /// where that is empty, by one that the system trusts. With a certificate chain and key of ours, unless
    /// their paths are empty.
    pub fn load(name: &str, ca: &Path, cert: &Path, key: &Path) -> Result<Self, TlsError> {
        let server = server_name(name).ok_or_else(|| TlsError::Name(name.to_owned()))?;
        let roots = roots(ca)?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])
            .map_err(TlsError::Tls)?
            .with_root_certificates(roots);
        let mut config = if is_set(cert) {
            let chain = files::certificates(cert).map_err(|error| failed(cert, error))?;
            let private = files::private_key(key).map_err(|error| failed(key, error))?;
            let with = builder.with_client_auth_cert(chain, private);
            with.map_err(|source| TlsError::Own { cert: cert.to_owned(), source })?
        } else {
            builder.with_no_client_auth()
        };
        config.alpn_protocols = vec![ALPN.to_vec()];
        Ok(Self { config: Arc::new(config), name: server })
    }

    /// Whether a certificate can have this name.
    pub fn is_name(name: &str) -> bool {
        server_name(name).is_some()
    }

    /// Sends one query over a connection of its own and returns the response as it came; `timeout` is for all of
    /// it, the handshake too.
    pub fn exchange(
        &self,
        server: SocketAddr,
        query: &[u8],
        timeout: Duration,
    ) -> io::Result<Vec<u8>> {
        over_stream(server, Some(self), &[], query, Instant::now() + timeout)
    }

    /// Does the handshake.
    pub(super) fn shake_hands(&self, socket: &mut Timed) -> io::Result<ClientConnection> {
        let session = shake_hands(&self.config, self.name.clone(), socket)?;
        // RFC 9103 §7.1: the token must be selected.
        if session.alpn_protocol() != Some(ALPN) {
            let text = "the server did not select the protocol `dot` in the TLS handshake (ALPN)";
            return Err(io::Error::new(io::ErrorKind::InvalidData, text));
        }
        Ok(session)
    }
}

/// Does a handshake with the server of this name.
pub fn shake_hands(
    config: &Arc<ClientConfig>,
    name: ServerName<'static>,
    socket: &mut Timed,
) -> io::Result<ClientConnection> {
    let session = ClientConnection::new(Arc::clone(config), name);
    let mut session = session.map_err(io::Error::other)?;
    while session.is_handshaking() {
        session.complete_io(socket)?;
    }
    Ok(session)
}

/// A name that a certificate can have; none if it is none.
fn server_name(name: &str) -> Option<ServerName<'static>> {
    ServerName::try_from(name.trim_end_matches('.').to_owned()).ok()
}

/// Whether a path is given.
fn is_set(path: &Path) -> bool {
    !path.as_os_str().is_empty()
}

/// The authorities in the file `ca`, or, where that is empty, those the system trusts.
pub fn roots(ca: &Path) -> Result<RootCertStore, TlsError> {
    if is_set(ca) { roots_in(ca) } else { system_roots() }
}

/// The authorities in a file.
fn roots_in(path: &Path) -> Result<RootCertStore, TlsError> {
    let roots = files::certificates(path).and_then(|found| files::authorities(&found));
    roots.map_err(|error| failed(path, error))
}

/// The authorities that the system trusts.
fn system_roots() -> Result<RootCertStore, TlsError> {
    let roots = files::system_authorities();
    if roots.is_empty() { Err(TlsError::NoRoots) } else { Ok(roots) }
}

/// A file that cannot be used.
fn failed(path: &Path, source: io::Error) -> TlsError {
    TlsError::Read { path: path.to_owned(), source }
}

//------------ TlsError ------------------------------------------------------

/// Why TLS cannot be spoken as it is set.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The name is none that a certificate can have.
    #[error("{0:?} is no name that a certificate can have")]
    Name(String),
    /// A file cannot be read, or is not PEM of what it should be.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Our certificate and its key do not go together.
    #[error("the key does not fit the certificate in {}", cert.display())]
    Own {
        /// The certificate's file.
        cert: PathBuf,
        /// What TLS says.
        #[source]
        source: rustls::Error,
    },
    /// The system trusts nobody.
    #[error(
        "this system has no certificates of authorities; set tls_ca, or install ca-certificates"
    )]
    NoRoots,
    /// TLS itself.
    #[error("TLS cannot be set up")]
    Tls(#[source] rustls::Error),
}
