//! The client's side: queries signed, the response verified (RFC 8945 §5.1, §5.4).

use std::sync::Arc;

use super::code_name;
use super::key::Key;
use super::record::{Record, Scope, append, begin_after, without};
use super::server::{room, unsigned_by};
use super::stream::StreamVerifier;
use crate::wire::{Header, Query, Rcode};

//------------ sign_query ----------------------------------------------------

/// Signs a query and returns what its response must agree with. `now` is in seconds since 1970.
pub fn sign_query(key: &Arc<Key>, query: &mut Vec<u8>, now: u64) -> Expected {
    let mut record = unsigned_by(key, query, now);
    record.sign(key.begin(), query, Scope::Variables);
    let length = query.len();
    query.resize(length + room(key, 0), 0);
    // The room was just made.
    let _ = append(&record.wire(), query, length);
    Expected { key: key.clone(), mac: record.mac }
}

//------------ Expected ------------------------------------------------------

/// What the response to a signed query must agree with.
#[derive(Clone, Debug)]
pub struct Expected {
    /// The query's key.
    pub(super) key: Arc<Key>,
    /// The query's signature.
    pub(super) mac: Vec<u8>,
}

impl Expected {
    /// Verifies a response and returns it without its TSIG.
    pub fn verify(&self, response: &[u8], now: u64) -> Result<Vec<u8>, ResponseFault> {
        let (record, bare) = split(response)?;
        let record = record.ok_or(ResponseFault::Unsigned)?;
        check(&self.key, &record, now, |record| {
            record.is_signed(begin_after(&self.key, &self.mac), &bare, Scope::Variables)
        })?;
        Ok(bare)
    }

    /// Verifies all messages of a response.
    pub fn into_stream(self) -> StreamVerifier {
        StreamVerifier::new(self)
    }
}

/// A response's TSIG, if it has one, and the response without it.
pub(super) fn split(response: &[u8]) -> Result<(Option<Record>, Vec<u8>), ResponseFault> {
    let header = Header::read(response).filter(|header| header.is_response());
    let header = header.ok_or(ResponseFault::Malformed)?;
    let read = Query::with_header(header, response);
    match read.tsig {
        _ if read.malformed => Err(ResponseFault::Malformed),
        None => Ok((None, response.to_vec())),
        Some(at) => {
            let record = Record::read(response, at).ok_or(ResponseFault::Malformed)?;
            Ok((Some(record), without(response, at)))
        }
    }
}

/// Checks a response's TSIG: key, signature, error, time.
pub(super) fn check(
    key: &Key,
    record: &Record,
    now: u64,
    is_signed: impl FnOnce(&Record) -> bool,
) -> Result<(), ResponseFault> {
    let (algorithm, whole) = (key.algorithm(), key.algorithm().octets());
    let ours =
        record.key == *key.name() && record.algorithm.wire().eq_ignore_ascii_case(algorithm.wire());
    if record.mac.is_empty() && record.error != 0 {
        // Nobody signed it, so it proves nothing; it is most likely the reason all the same.
        return Err(ResponseFault::Rejected { code: Rcode(record.error), server_time: None });
    }
    if !ours {
        return Err(ResponseFault::OtherKey);
    }
    if record.mac.len() != whole || !is_signed(record) {
        return Err(ResponseFault::BadSignature);
    }
    if record.error != 0 {
        let code = Rcode(record.error);
        let server_time = (code == Rcode::BADTIME && record.other.len() == 6)
            .then(|| record.other.iter().fold(0, |n, b| n << 8 | u64::from(*b)));
        return Err(ResponseFault::Rejected { code, server_time });
    }
    if !record.timers.hold(now) {
        return Err(ResponseFault::BadTime { signed: record.timers.signed, now });
    }
    Ok(())
}

//------------ ResponseFault -------------------------------------------------

/// Why a response to a signed query is not believed.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ResponseFault {
    /// It is no response, or its TSIG is not as RFC 8945 §4.2 has it.
    #[error("the response or its TSIG cannot be read")]
    Malformed,
    /// It has no TSIG.
    #[error(
        "the response is not signed: the server may not know the key, or somebody else answered"
    )]
    Unsigned,
    /// It is signed with another key or algorithm.
    #[error("the response is signed with another key or algorithm than the query")]
    OtherKey,
    /// Its signature is wrong.
    #[error("the signature of the response is wrong: the secrets of both servers may differ")]
    BadSignature,
    /// It was signed too long ago, or in the future.
    #[error(
        "the response was signed at {signed} and it is {now} here (seconds since 1970): see that both clocks are right"
    )]
    BadTime {
        /// When, in seconds since 1970.
        signed: u64,
        /// Now.
        now: u64,
    },
    /// The server does not accept the query's TSIG.
    #[error("the server refuses our TSIG ({}): {}{}", word(*.code), hint(*.code), time_there(*.server_time))]
    Rejected {
        /// BADKEY, BADSIG, BADTIME or BADTRUNC.
        code: Rcode,
        /// The server's time, if that is what differs.
        server_time: Option<u64>,
    },
    /// Too many messages in a row, or the last one, are not signed.
    #[error("messages of the response that must be signed are not")]
    Gap,
}

/// An error of TSIG in a word.
fn word(code: Rcode) -> String {
    code_name(code.0).map_or_else(|| code.to_string(), str::to_owned)
}

/// What the server's clock says, behind the hint.
fn time_there(seconds: Option<u64>) -> String {
    seconds.map_or_else(String::new, |it| format!(": it is {it} there (seconds since 1970)"))
}

/// What to do about an error of TSIG.
fn hint(code: Rcode) -> &'static str {
    match code {
        Rcode::BADVERS => "the secrets of both servers differ",
        Rcode::BADKEY => "it does not know this key by this name and algorithm",
        Rcode::BADTIME => "the clocks of both servers differ",
        _ => "its log may say why",
    }
}
