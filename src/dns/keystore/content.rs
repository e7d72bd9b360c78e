//! What a key file of another program holds, told from its text.

use super::text::KeyFileFault;
use super::{bind, pem, public};
use crate::dnssec::{Algorithm, Dnskey, PrivateKey};
use crate::wire::Name;

/// What a text is.
pub enum Content {
    /// A private key.
    Private(Private),
    /// DNSKEY records, or none.
    Public(Vec<Public>),
}

/// A private key of a file.
pub struct Private {
    /// The key.
    pub key: PrivateKey,
    /// Its algorithm, where the file tells it.
    pub algorithm: Option<Algorithm>,
    /// When it goes from the zone, in seconds since 1970: BIND notes that.
    pub deleted: Option<u32>,
}

/// A DNSKEY record of a file.
#[derive(Debug)]
pub struct Public {
    /// Its owner.
    pub owner: Name,
    /// The key.
    pub dnskey: Dnskey,
    /// The line it stands on.
    pub line: usize,
}

impl Content {
    /// Reads a text: PEM, the format of BIND and ldns, or DNSKEY records one a line.
    pub fn read(text: &[u8]) -> Result<Self, KeyFileFault> {
        if bind::is_private(text) {
            return bind::read(text).map(Self::Private);
        }
        if pem::is_pem(text) {
            let key = pem::read(text)?;
            return Ok(Self::Private(Private { algorithm: key.algorithm(), key, deleted: None }));
        }
        public::read(text).map(Self::Public)
    }
}
