//! The certificate of DNS over TLS and over QUIC: loaded from PEM files, and again on demand while
//! connections go on.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::ArcSwap;
use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio_rustls::TlsAcceptor;

//------------ CertificateError ----------------------------------------------

/// A certificate that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// A file cannot be read, or is not PEM of what it should be.
    #[error("cannot read {what} from {}", path.display())]
    Read {
        /// `"a certificate chain"` or `"a private key"`.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Key and certificate do not go together, or the key is of an unknown kind.
    #[error("the key in {} does not fit the certificate in {}", key.display(), cert.display())]
    Mismatch {
        /// The certificate's file.
        cert: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// What TLS says.
        #[source]
        source: rustls::Error,
    },
}

//------------ Certificate ---------------------------------------------------

/// A certificate chain with its key, and the files it comes from.
#[derive(Debug)]
pub(super) struct Certificate {
    /// The chain's file.
    cert: PathBuf,
    /// The key's file.
    key: PathBuf,
    /// What is used now.
    current: ArcSwap<CertifiedKey>,
}

impl Certificate {
    /// Loads a certificate chain and its key, both PEM.
    pub(super) fn load(cert: &Path, key: &Path) -> Result<Arc<Self>, CertificateError> {
        let current = ArcSwap::from_pointee(read(cert, key)?);
        Ok(Arc::new(Self { cert: cert.to_owned(), key: key.to_owned(), current }))
    }

    /// Loads the files again; handshakes from now on use what they hold. An error leaves everything
    /// as it was.
    pub(super) fn reload(&self) -> Result<(), CertificateError> {
        self.current.store(Arc::new(read(&self.cert, &self.key)?));
        Ok(())
    }

    /// DNS over TLS (RFC 7858) with this certificate.
    pub(super) fn acceptor(self: &Arc<Self>) -> Result<TlsAcceptor, rustls::Error> {
        let mut config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(self.clone());
        config.alpn_protocols = vec![b"dot".to_vec()];
        Ok(TlsAcceptor::from(Arc::new(config)))
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current.load_full())
    }
}

/// The one crypto provider.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// Reads chain and key, and sees that they belong together.
fn read(cert: &Path, key: &Path) -> Result<CertifiedKey, CertificateError> {
    let fail = |what, path: &Path| {
        let path = path.to_owned();
        move |source| CertificateError::Read { what, path, source }
    };
    let text = std::fs::read(cert).map_err(fail("a certificate chain", cert))?;
    let chain: Vec<_> = CertificateDer::pem_slice_iter(&text)
        .collect::<Result<_, _>>()
        .map_err(|error| fail("a certificate chain", cert)(io::Error::other(error)))?;
    if chain.is_empty() {
        let none = io::Error::other("there is no certificate in it");
        return Err(fail("a certificate chain", cert)(none));
    }
    let text = std::fs::read(key).map_err(fail("a private key", key))?;
    let private = PrivateKeyDer::from_pem_slice(&text)
        .map_err(|error| fail("a private key", key)(io::Error::other(error)))?;
    CertifiedKey::from_der(chain, private, &provider()).map_err(|source| {
        CertificateError::Mismatch { cert: cert.to_owned(), key: key.to_owned(), source }
    })
}
