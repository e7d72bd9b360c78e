//! A webhook as the settings have it, and the events there are.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use rustls::ClientConfig;

use super::{Address, Secret};
use crate::dns_client::{TlsError, roots};
use crate::queue::Deed;

/// The protocol by the name it has in the handshake (RFC 7301).
const ALPN: &[u8] = b"http/1.1";

/// The events a webhook may be told, by their words in the chain.
pub const OFFERED: &[Deed] = &[
    Deed::Submit,
    Deed::Raise,
    Deed::Dispose,
    Deed::Reassign,
    Deed::Release,
    Deed::Consult,
    Deed::Confirm,
    Deed::Deny,
    Deed::ConsultLapsed,
    Deed::Return,
    Deed::Resubmit,
    Deed::Expire,
    Deed::Reject,
    Deed::Approve,
    Deed::Countersign,
    Deed::Reopen,
    Deed::Promoted,
    Deed::PromotionFailed,
    Deed::Retry,
    Deed::Withdraw,
    Deed::Settle,
    Deed::Notified,
    Deed::Close,
    Deed::Suspend,
    Deed::EmergencySuspend,
    Deed::ConfirmSuspension,
    Deed::Lift,
    Deed::Remove,
    Deed::Reconfirm,
    Deed::Renew,
    Deed::HandOver,
    Deed::Free,
    Deed::Adopt,
    Deed::OwnerAssigned,
];

//------------ Hook ----------------------------------------------------------

/// A webhook; clones share its secret.
#[derive(Clone)]
pub struct Hook {
    /// Its name, in commands and on the page.
    pub name: String,
    /// Where it is.
    pub address: Address,
    /// What calls are signed with.
    pub secret: Secret,
    /// The events it is told, some of [`OFFERED`].
    pub deeds: Vec<Deed>,
    /// Whether it is told the sentence alone: some chat programs refuse fields they do not know.
    pub text_only: bool,
    /// Whether its address may be one of the office's own network.
    pub private: bool,
    /// How TLS is spoken to it; none without TLS.
    pub(super) tls: Option<Arc<ClientConfig>>,
}

impl Hook {
    /// A webhook that is told everything. `ca` names the authorities that may have signed its certificate; empty
    /// stands for those the system trusts.
    pub fn new(name: &str, address: Address, secret: Secret, ca: &Path) -> Result<Self, TlsError> {
        let tls = address.is_tls.then(|| config(ca)).transpose()?;
        Ok(Self {
            name: name.to_owned(),
            address,
            secret,
            deeds: OFFERED.to_vec(),
            text_only: false,
            private: false,
            tls,
        })
    }
}

impl fmt::Debug for Hook {
    /// Without what nobody is to see.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hook({} at {})", self.name, self.address)
    }
}

/// How TLS is spoken.
fn config(ca: &Path) -> Result<Arc<ClientConfig>, TlsError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(TlsError::Tls)?;
    let mut config = builder.with_root_certificates(roots(ca)?).with_no_client_auth();
    config.alpn_protocols = vec![ALPN.to_vec()];
    Ok(Arc::new(config))
}
