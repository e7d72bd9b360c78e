//! The messages of a transfer, signed one after the other (RFC 8945 §5.3.1).

use ring::hmac;

use super::client::{Expected, ResponseFault, check, split};
use super::record::{Scope, append, begin_after};
use super::server::{Signer, room, unsigned_by};

/// How many messages in a row a server may leave unsigned (RFC 8945 §5.3.1).
pub(super) const UNSIGNED_MAX: usize = 99;

//------------ StreamSigner --------------------------------------------------

/// Signs every message of a response.
#[derive(Debug)]
pub struct StreamSigner {
    /// The key, and the signature before: at first that of the request.
    signer: Signer,
    /// Whether the first message was signed.
    is_begun: bool,
}

impl StreamSigner {
    /// Signs the messages of the response to one request.
    pub(super) fn new(signer: Signer) -> Self {
        Self { signer, is_begun: false }
    }

    /// Octets to hold back in each message.
    pub fn octets(&self) -> usize {
        room(&self.signer.key, 0)
    }

    /// Signs the next message, `length` octets at the start of `message`; the new length, or `None` without
    /// room.
    pub fn sign(&mut self, message: &mut [u8], length: usize, now: u64) -> Option<usize> {
        let bare = message.get(..length)?;
        let record = if self.is_begun {
            let Signer { key, request_mac, .. } = &self.signer;
            let mut record = unsigned_by(key, bare, now);
            record.sign(begin_after(key, request_mac), bare, Scope::Timers);
            record
        } else {
            self.signer.record(bare, now)
        };
        let end = append(&record.wire(), message, length)?;
        (self.signer.request_mac, self.is_begun) = (record.mac, true);
        Some(end)
    }
}

//------------ StreamVerifier ------------------------------------------------

/// Verifies every message of a response.
pub struct StreamVerifier {
    /// The key, and the signature before: at first that of the query.
    expected: Expected,
    /// That signature and the unsigned messages since.
    begun: hmac::Context,
    /// How many those are.
    unsigned: usize,
    /// Whether the first message was verified.
    is_begun: bool,
}

impl std::fmt::Debug for StreamVerifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "StreamVerifier({:?}, {} unsigned)", self.expected.key, self.unsigned)
    }
}

impl StreamVerifier {
    /// Verifies the messages of the response to one query.
    pub(super) fn new(expected: Expected) -> Self {
        let begun = begin_after(&expected.key, &expected.mac);
        Self { expected, begun, unsigned: 0, is_begun: false }
    }

    /// Verifies the next message and returns it without its TSIG. A message without one is believed only when
    /// a later one is good: look at [`is_complete`](Self::is_complete) before anything of it is used.
    pub fn verify(&mut self, message: &[u8], now: u64) -> Result<Vec<u8>, ResponseFault> {
        let (record, bare) = split(message)?;
        let Some(record) = record else {
            if !self.is_begun {
                return Err(ResponseFault::Unsigned);
            }
            self.unsigned += 1;
            if self.unsigned > UNSIGNED_MAX {
                return Err(ResponseFault::Gap);
            }
            self.begun.update(&bare);
            return Ok(bare);
        };
        let scope = if self.is_begun { Scope::Timers } else { Scope::Variables };
        let begun = self.begun.clone();
        check(&self.expected.key, &record, now, |record| record.is_signed(begun, &bare, scope))?;
        self.begun = begin_after(&self.expected.key, &record.mac);
        (self.unsigned, self.is_begun) = (0, true);
        Ok(bare)
    }

    /// Whether the last message was signed, so that all before it are good.
    pub fn is_complete(&self) -> bool {
        self.is_begun && self.unsigned == 0
    }
}
