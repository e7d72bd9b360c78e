//! The server's side: requests verified, one response signed (RFC 8945 §5.2, §5.3).

use std::fmt;
use std::sync::Arc;

use super::key::{Key, Keyring};
use super::record::{Record, Scope, TIME_OCTETS, Timers, append, begin_after, time, without};
use super::stream::StreamSigner;
use super::{FUDGE_SECONDS, code_name};
use crate::wire::Name;

//------------ TsigFault -----------------------------------------------------

/// What is wrong with a request's TSIG.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum TsigFault {
    /// It is not as RFC 8945 §4.2 has it; the reaction is FORMERR.
    Malformed,
    /// No such key here, or not with that algorithm.
    BadKey,
    /// The signature is not that of the message.
    BadSig,
    /// It was signed too long ago, or in the future.
    BadTime,
    /// The signature was cut, which RFC 8945 §5.2.2.1 permits and we do not.
    BadTrunc,
}

impl TsigFault {
    /// The number in the TSIG record of the response; 0 where there is none.
    pub fn code(self) -> u16 {
        match self {
            Self::Malformed => 0,
            Self::BadSig => 16,
            Self::BadKey => 17,
            Self::BadTime => 18,
            Self::BadTrunc => 22,
        }
    }

    /// Its name in the registry.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Malformed => "FORMERR",
            // Each of them has one.
            _ => code_name(self.code()).unwrap_or_default(),
        }
    }
}

impl fmt::Display for TsigFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

//------------ Request -------------------------------------------------------

/// A request whose signature is good.
#[derive(Debug)]
pub struct Request {
    /// The message without its TSIG.
    pub message: Vec<u8>,
    /// Signs the response, or the first of several.
    pub signer: Signer,
}

impl Request {
    /// The key it was signed with.
    pub fn key(&self) -> &Arc<Key> {
        &self.signer.key
    }
}

/// A request whose TSIG is not good: what it asks for is not done.
#[derive(Debug)]
pub struct Rejected {
    /// What is wrong.
    pub fault: TsigFault,
    /// The key it names, if its TSIG could be read.
    pub key: Option<Name>,
    /// The message without its TSIG.
    pub message: Vec<u8>,
    /// The TSIG of the response, which is NOTAUTH; `None` for FORMERR.
    reaction: Option<Reaction>,
}

/// The TSIG of a response to a request that is not good.
#[derive(Debug)]
enum Reaction {
    /// Unsigned: there is no key to sign with, or nobody to sign for (RFC 8945 §5.3.2).
    Unsigned(Box<Record>),
    /// Signed: the requester does have the key.
    Signed(Box<Signer>),
}

impl Rejected {
    /// Octets to hold back for the TSIG of the response.
    pub fn octets(&self) -> usize {
        match &self.reaction {
            None => 0,
            Some(Reaction::Unsigned(record)) => record.wire().len(),
            Some(Reaction::Signed(signer)) => signer.octets(),
        }
    }

    /// Appends the TSIG to the response, a NOTAUTH of `length` octets; the new length, or `None` without
    /// room.
    pub fn sign(self, response: &mut [u8], length: usize, now: u64) -> Option<usize> {
        match self.reaction {
            None => Some(length),
            Some(Reaction::Unsigned(record)) => append(&record.wire(), response, length),
            Some(Reaction::Signed(signer)) => signer.sign(response, length, now),
        }
    }
}

//------------ verify_request ------------------------------------------------

/// Verifies a request whose TSIG record starts at `at`, as `wire::Query` found it. `now` is in seconds since
/// 1970.
///
/// The order is that of RFC 8945 §5.2: form, key, signature, time, length of the signature.
pub fn verify_request(
    message: &[u8],
    at: usize,
    keyring: &Keyring,
    now: u64,
) -> Result<Request, Rejected> {
    let bare = without(message, at);
    let Some(record) = Record::read(message, at).filter(|record| record.error == 0) else {
        let fault = TsigFault::Malformed;
        return Err(Rejected { fault, key: None, message: bare, reaction: None });
    };
    let named = Some(record.key.clone());
    let reject = |fault, message, reaction| Rejected { fault, key: named, message, reaction };
    let fits =
        |key: &&Arc<Key>| key.algorithm().wire().eq_ignore_ascii_case(record.algorithm.wire());
    let Some(key) = keyring.get(record.key.as_ref()).filter(fits).cloned() else {
        let reaction = unsigned(record, TsigFault::BadKey);
        return Err(reject(TsigFault::BadKey, bare, Some(reaction)));
    };
    let whole = key.algorithm().octets();
    if !(key.algorithm().octets_min()..=whole).contains(&record.mac.len()) {
        return Err(reject(TsigFault::Malformed, bare, None));
    }
    if !record.is_signed(key.begin(), &bare, Scope::Variables) {
        let reaction = unsigned(record, TsigFault::BadSig);
        return Err(reject(TsigFault::BadSig, bare, Some(reaction)));
    }
    let fault = if !record.timers.hold(now) {
        Some(TsigFault::BadTime)
    } else if record.mac.len() < whole {
        Some(TsigFault::BadTrunc)
    } else {
        None
    };
    let signer = Signer { key, request_mac: record.mac, told: fault.map(|it| (it, record.timers)) };
    match fault {
        None => Ok(Request { message: bare, signer }),
        Some(fault) => Err(reject(fault, bare, Some(Reaction::Signed(Box::new(signer))))),
    }
}

/// The TSIG of a response that cannot be signed: the request's, without a signature, and the error.
fn unsigned(request: Record, fault: TsigFault) -> Reaction {
    let record = Record { mac: Vec::new(), other: Vec::new(), error: fault.code(), ..request };
    Reaction::Unsigned(Box::new(record))
}

//------------ Signer --------------------------------------------------------

/// Signs the response to one request.
#[derive(Clone, Debug)]
pub struct Signer {
    /// The request's key.
    pub(super) key: Arc<Key>,
    /// The request's signature, as it came.
    pub(super) request_mac: Vec<u8>,
    /// What the response tells of the request's TSIG, and its timers; `None` if that was good.
    told: Option<(TsigFault, Timers)>,
}

impl Signer {
    /// Octets to hold back for the TSIG of the response.
    pub fn octets(&self) -> usize {
        let is_time = matches!(self.told, Some((TsigFault::BadTime, _)));
        room(&self.key, if is_time { TIME_OCTETS } else { 0 })
    }

    /// Signs the response of `length` octets at the start of `response`; the new length, or `None` without
    /// room.
    pub fn sign(&self, response: &mut [u8], length: usize, now: u64) -> Option<usize> {
        let message = response.get(..length)?;
        let record = self.record(message, now);
        append(&record.wire(), response, length)
    }

    /// Signs all messages of a response.
    pub fn into_stream(self) -> StreamSigner {
        StreamSigner::new(self)
    }

    /// The TSIG of a message.
    pub(super) fn record(&self, message: &[u8], now: u64) -> Record {
        let mut record = unsigned_by(&self.key, message, now);
        if let Some((fault, timers)) = self.told {
            record.error = fault.code();
            if fault == TsigFault::BadTime {
                // So that the requester, by its own clock, can verify it (RFC 8945 §5.2.3).
                (record.timers, record.other) = (timers, time(now).to_vec());
            }
        }
        record.sign(begin_after(&self.key, &self.request_mac), message, Scope::Variables);
        record
    }
}

/// Octets of a record signed with this key.
pub(super) fn room(key: &Key, other: usize) -> usize {
    let algorithm = key.algorithm();
    Record::octets(key.name().wire().len(), algorithm.wire().len(), algorithm.octets(), other)
}

/// A record for a message, ready to be signed.
pub(super) fn unsigned_by(key: &Key, message: &[u8], now: u64) -> Record {
    let id = message.first_chunk().map_or(0, |id| u16::from_be_bytes(*id));
    Record {
        key: key.name().clone(),
        algorithm: key.algorithm().name(),
        timers: Timers { signed: now, fudge: FUDGE_SECONDS },
        mac: Vec::new(),
        original_id: id,
        error: 0,
        other: Vec::new(),
    }
}
