//! The certificate of DNS over TLS and over QUIC: loaded from PEM files, and again whenever these change
//! or somebody asks for it, while connections go on.
//!
//! Files that cannot be used change nothing: the certificate before goes on, or, where there was none, every
//! handshake is refused. Zones are answered over everything else.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;
use rustls::crypto::CryptoProvider;
use rustls::crypto::ring::Ticketer;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{ServerConfig, ServerConnection};
use tokio::net::TcpStream;
use tokio_rustls::{Accept, TlsAcceptor};

use super::client_ca::{ClientAuthorities, ClientIdentity};
use super::start::Secured;
use super::validity::{Trouble, Validity};
use crate::files;
use crate::lock::lock;
use crate::text::with_causes;

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
    /// What is used now; none while there was nothing that could be.
    current: ArcSwapOption<CertifiedKey>,
    /// The files and what is known of them; never held while a file is looked at.
    known: Mutex<Known>,
    /// Held while the files are read.
    loading: Mutex<()>,
    /// Who may have signed the certificates of clients.
    clients: Arc<ClientAuthorities>,
}

/// The files of a certificate and what is known of them.
#[derive(Debug)]
struct Known {
    /// The chain's file.
    cert: PathBuf,
    /// The key's file.
    key: PathBuf,
    /// How both looked when they were last read.
    read: [Option<Stamp>; 2],
    /// When that was.
    at: Instant,
    /// How both looked at the last glance.
    seen: [Option<Stamp>; 2],
    /// Why the files are not used, if they are not.
    fault: Option<String>,
    /// The time of the certificate in use, if it can be read.
    validity: Option<Validity>,
    /// What was last told of its time.
    told: Option<Trouble>,
}

/// What changes when a file or who may read it does: inode, size, time of its last change of any kind.
type Stamp = (u64, u64, i64, i64);

/// How often files that cannot be used are tried again, though they look the same.
const FAULT_REST: Duration = Duration::from_secs(10);

/// What is to be known of a certificate.
#[derive(Clone, Debug)]
pub struct CertificateState {
    /// The chain's file.
    pub file: PathBuf,
    /// Whether there is one in use.
    pub is_in_use: bool,
    /// Why the files are not used as they are now, if so.
    pub fault: Option<String>,
    /// The time of the certificate in use, if it can be read.
    pub validity: Option<Validity>,
}

/// What came of loading a certificate again.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Loading {
    /// It is another one now.
    New,
    /// It is the same.
    Same,
    /// The files cannot be used; the state says why.
    Refused,
}

impl Certificate {
    /// Loads a certificate chain and its key, both PEM, as far as they can be used.
    pub(super) fn load(secured: &Secured) -> Arc<Self> {
        let known = Known {
            cert: secured.cert.clone(),
            key: secured.key.clone(),
            read: [None; 2],
            at: Instant::now(),
            seen: [None; 2],
            fault: None,
            validity: None,
            told: None,
        };
        let (known, loading) = (Mutex::new(known), Mutex::default());
        let clients = ClientAuthorities::load(&secured.client_ca, provider());
        let certificate = Self { current: ArcSwapOption::empty(), known, loading, clients };
        certificate.reload();
        Arc::new(certificate)
    }

    /// Loads the files again; handshakes from now on use what they hold. A fault leaves everything as it
    /// was. Of the authorities of clients there is nothing to say where the settings name none.
    pub(super) fn reload(&self) -> (Loading, Option<Loading>) {
        let _turn = lock(&self.loading);
        let clients = self.clients.reload();
        (self.reload_own(), clients)
    }

    /// Loads chain and key again.
    fn reload_own(&self) -> Loading {
        let (cert, key) = self.files();
        let stamps = stamps(&cert, &key);
        let found = read(&cert, &key);
        let mut known = self.known();
        (known.read, known.seen, known.at) = (stamps, stamps, Instant::now());
        match found {
            Err(error) => {
                known.fault = Some(with_causes(&error));
                Loading::Refused
            }
            Ok(found) => {
                known.fault = None;
                known.validity = found.cert.first().and_then(Validity::of);
                let before = self.current.swap(Some(Arc::new(found)));
                let now = self.current.load();
                let chain =
                    |one: &Option<Arc<CertifiedKey>>| one.as_ref().map(|it| it.cert.clone());
                if chain(&before) == chain(&now) { Loading::Same } else { Loading::New }
            }
        }
    }

    /// Loads the files again if they have changed and were left alone since the last glance: chain and key
    /// are rarely exchanged in the same instant. None: there was nothing to do, or nothing to say.
    pub(super) fn glance(&self) -> Option<Loading> {
        let (cert, key) = self.files();
        let now = stamps(&cert, &key);
        let mut known = self.known();
        let is_settled = std::mem::replace(&mut known.seen, now) == now;
        let is_new = now != known.read;
        let before = known.fault.clone();
        let is_tried_again = before.is_some() && known.at.elapsed() >= FAULT_REST;
        drop(known);
        if !(is_new && is_settled || is_tried_again) {
            return None;
        }
        // The authorities of clients come from a file of their own, which only a reload looks at.
        let turn = lock(&self.loading);
        let loading = self.reload_own();
        drop(turn);
        let is_news = is_new || loading != Loading::Refused || self.known().fault != before;
        is_news.then_some(loading)
    }

    /// What is to be told of its time at a moment, in seconds since 1970: once for each kind of trouble.
    pub(super) fn news(&self, now: i64) -> Option<Trouble> {
        let mut known = self.known();
        let trouble = known.validity.and_then(|validity| validity.trouble(now));
        let before = std::mem::replace(&mut known.told, trouble);
        trouble.filter(|_| before != trouble)
    }

    /// Takes its files from other paths from the next loading on.
    pub(super) fn set_files(&self, secured: &Secured) {
        self.clients.set_file(&secured.client_ca);
        let mut known = self.known();
        (known.cert, known.key) = (secured.cert.clone(), secured.key.clone());
    }

    /// What is to be known of it.
    pub(super) fn state(&self) -> CertificateState {
        let known = self.known();
        CertificateState {
            file: known.cert.clone(),
            is_in_use: self.current.load().is_some(),
            fault: known.fault.clone(),
            validity: known.validity,
        }
    }

    /// What is to be known of who signs the certificates of clients; none if the settings name nobody.
    pub(super) fn clients_state(&self) -> Option<CertificateState> {
        self.clients.state()
    }

    /// DNS over TLS (RFC 7858) with this certificate.
    pub(super) fn acceptor(self: &Arc<Self>) -> Result<Handshakes, rustls::Error> {
        let mut config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()?
            .with_client_cert_verifier(self.clients.clone())
            .with_cert_resolver(self.clone());
        config.alpn_protocols = vec![b"dot".to_vec()];
        // A client that comes again needs no signature, however many came in between. Its tickets hold the session: what
        // is kept here is a key, which is another one every few hours and after each start.
        config.ticketer = Ticketer::new()?;
        let tls = TlsAcceptor::from(Arc::new(config));
        Ok(Handshakes { tls, clients: self.clients.clone() })
    }

    /// The files, chain and key.
    fn files(&self) -> (PathBuf, PathBuf) {
        let known = self.known();
        (known.cert.clone(), known.key.clone())
    }

    /// The files and what is known of them.
    fn known(&self) -> MutexGuard<'_, Known> {
        lock(&self.known)
    }
}

/// Does handshakes.
#[derive(Clone)]
pub(super) struct Handshakes {
    /// Does them.
    tls: TlsAcceptor,
    /// Who may have signed the certificates of clients.
    clients: Arc<ClientAuthorities>,
}

impl Handshakes {
    /// Does a handshake.
    pub(super) fn accept(&self, stream: TcpStream) -> Accept<TcpStream> {
        self.tls.accept(stream)
    }

    /// What a client showed of itself in its handshake.
    pub(super) fn identity(&self, session: &ServerConnection) -> Arc<ClientIdentity> {
        Arc::new(ClientIdentity::of(session, &self.clients))
    }
}

/// How both files look now.
fn stamps(cert: &Path, key: &Path) -> [Option<Stamp>; 2] {
    [cert, key].map(|path| {
        let found = std::fs::metadata(path).ok()?;
        Some((found.ino(), found.size(), found.ctime(), found.ctime_nsec()))
    })
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.current.load_full()
    }
}

/// Sees that chain and key can be used, and for what time; the time is none where it cannot be read.
pub fn certificate_validity(cert: &Path, key: &Path) -> Result<Option<Validity>, CertificateError> {
    let read = read(cert, key)?;
    Ok(read.cert.first().and_then(Validity::of))
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
    let chain = files::certificates(cert).map_err(fail("a certificate chain", cert))?;
    let private = files::private_key(key).map_err(fail("a private key", key))?;
    CertifiedKey::from_der(chain, private, &provider()).map_err(|source| {
        CertificateError::Mismatch { cert: cert.to_owned(), key: key.to_owned(), source }
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_glance_leaves_the_authorities_of_clients_alone() {
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("serve/tests");
        let folder = tempfile::tempdir().unwrap();
        let [cert, key, client_ca] = ["localhost.crt", "localhost.key", "ca.crt"].map(|name| {
            std::fs::copy(from.join(name), folder.path().join(name)).unwrap();
            folder.path().join(name)
        });
        let secured = Secured { listen: Vec::new(), cert: cert.clone(), key, client_ca };
        let certificate = Certificate::load(&secured);
        let fault = || certificate.clients_state().unwrap().fault;
        // A renewed certificate beside a file that somebody is still writing.
        std::fs::write(&secured.client_ca, "nothing").unwrap();
        let chain = std::fs::read(&cert).unwrap();
        std::fs::write(&cert, [&chain[..], b"\n"].concat()).unwrap();
        assert_eq!([certificate.glance(), certificate.glance()], [None, Some(Loading::Same)]);
        assert_eq!(fault(), None);
        // A certificate that cannot be used is tried again and again.
        std::fs::write(&cert, "nothing").unwrap();
        assert_eq!([certificate.glance(), certificate.glance()], [None, Some(Loading::Refused)]);
        assert_eq!(fault(), None);
        assert_eq!(certificate.reload(), (Loading::Refused, Some(Loading::Refused)));
        assert!(fault().is_some());
    }

    #[test]
    fn who_may_read_a_file_is_part_of_how_it_looks() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        std::fs::write(&path, "key").unwrap();
        let set = |mode| {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        };
        set(0o600);
        let before = stamps(&path, &path);
        // The time of a file advances with the ticks of the kernel.
        std::thread::sleep(Duration::from_millis(30));
        set(0o640);
        assert_ne!(stamps(&path, &path), before);
    }
}
