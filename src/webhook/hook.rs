//! A webhook of the settings, and the events it can subscribe to.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use rustls::ClientConfig;

use super::{Address, Secret};
use crate::dns_client::{TlsError, roots};
use crate::files;
use crate::queue::Deed;

/// The protocol by the name it has in the handshake (RFC 7301).
const ALPN: &[u8] = b"http/1.1";

/// The events a webhook may subscribe to.
pub fn offered() -> Vec<Deed> {
    Deed::ALL.into_iter().filter(|deed| deed.is_for_webhooks()).collect()
}

//------------ Hook ----------------------------------------------------------

/// A webhook; clones share its secret.
#[derive(Clone)]
pub struct Hook {
    /// Its name, in commands and on the page.
    pub name: String,
    /// Where it is.
    pub address: Address,
    /// The key of its signatures.
    pub secret: Secret,
    /// The events it subscribes to, a subset of [`offered`].
    pub deeds: Vec<Deed>,
    /// Whether calls contain only the sentence: some chat programs refuse unknown fields.
    pub text_only: bool,
    /// Whether its address may be in the office's own network.
    pub private: bool,
    /// Its TLS settings; none without TLS.
    pub(super) tls: Option<Arc<ClientConfig>>,
}

impl Hook {
    /// A webhook for all events. `ca` is a file of authorities that may have signed its certificate; empty means those
    /// that the system trusts.
    pub fn new(name: &str, address: Address, secret: Secret, ca: &Path) -> Result<Self, TlsError> {
        let tls = address.is_tls.then(|| config(ca)).transpose()?;
        Ok(Self {
            name: name.to_owned(),
            address,
            secret,
            deeds: offered(),
            text_only: false,
            private: false,
            tls,
        })
    }
}

impl fmt::Debug for Hook {
    /// Without the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hook({} at {})", self.name, self.address)
    }
}

/// The TLS settings.
fn config(ca: &Path) -> Result<Arc<ClientConfig>, TlsError> {
    let mut config = files::tls_client(roots(ca)?).map_err(TlsError::Tls)?;
    config.alpn_protocols = vec![ALPN.to_vec()];
    Ok(Arc::new(config))
}
