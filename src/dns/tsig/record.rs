//! The TSIG record, and what is signed (RFC 8945 §4.2, §4.3).

use std::hint::black_box;

use ring::hmac;

use super::key::Key;
use crate::wire::header::HEADER_OCTETS;
use crate::wire::{Class, Name, Rtype, read_name};

/// Octets of type, class, TTL and length of a record.
const FIXED_OCTETS: usize = 10;
/// Octets of the fields of the RDATA that are always there, the algorithm's name aside.
const FIELDS_OCTETS: usize = 16;
/// Octets of a time.
pub(super) const TIME_OCTETS: usize = 6;
/// Where a message counts the records of its additional section.
const ADDITIONALS_AT: usize = 10;

//------------ Record --------------------------------------------------------

/// A TSIG record.
#[derive(Clone, Debug)]
pub(super) struct Record {
    /// The key's name.
    pub(super) key: Name,
    /// The algorithm's name.
    pub(super) algorithm: Name,
    /// When it was signed, and by how much that may differ from now.
    pub(super) timers: Timers,
    /// The signature; empty in an error that could not be signed.
    pub(super) mac: Vec<u8>,
    /// The identifier of the message that was signed.
    pub(super) original_id: u16,
    /// What was wrong with the request.
    pub(super) error: u16,
    /// The server's time, if the error is BADTIME.
    pub(super) other: Vec<u8>,
}

/// When a message was signed, and by how much that may differ from now.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Timers {
    /// Seconds since 1970.
    pub(super) signed: u64,
    /// Seconds.
    pub(super) fudge: u16,
}

impl Timers {
    /// Whether the time of signing is near enough to `now`.
    pub(super) fn hold(self, now: u64) -> bool {
        // Nothing underflows, whatever the sender wrote.
        now.abs_diff(self.signed) <= u64::from(self.fudge)
    }

    /// Both, as they are sent and signed.
    fn wire(self) -> [u8; TIME_OCTETS + 2] {
        let mut wire = [0; TIME_OCTETS + 2];
        wire[..TIME_OCTETS].copy_from_slice(&time(self.signed));
        wire[TIME_OCTETS..].copy_from_slice(&self.fudge.to_be_bytes());
        wire
    }
}

/// A time as it is sent: 48 bits, which last for nine million years.
pub(super) fn time(seconds: u64) -> [u8; TIME_OCTETS] {
    let [_, _, time @ ..] = seconds.to_be_bytes();
    time
}

impl Record {
    /// Reads the record at `at`, which ends the message; `None` if it is not what RFC 8945 §4.2 says.
    pub(super) fn read(message: &[u8], at: usize) -> Option<Self> {
        let (key, fixed) = read_name(message, at).ok()?;
        let class = Class(u16::from_be_bytes(*message.get(fixed + 2..)?.first_chunk()?));
        let ttl = u32::from_be_bytes(*message.get(fixed + 4..)?.first_chunk()?);
        if class != Class::ANY || ttl != 0 {
            return None;
        }
        let rdata = message.get(fixed + FIXED_OCTETS..)?;
        let (algorithm, used) = Name::from_wire(rdata).ok()?;
        let mut rest = rdata.get(used..)?;
        let mut take = |octets: usize| {
            let (taken, left) = rest.split_at_checked(octets)?;
            rest = left;
            Some(taken)
        };
        let mut number =
            |octets: usize| take(octets).map(|it| it.iter().fold(0, |n, b| n << 8 | u64::from(*b)));
        let (signed, fudge) = (number(TIME_OCTETS)?, number(2)? as u16);
        let octets = number(2)? as usize;
        let mac = take(octets)?.to_vec();
        let mut number = || take(2).map(|it| it.iter().fold(0, |n, b| n << 8 | u16::from(*b)));
        let (original_id, error, octets) = (number()?, number()?, usize::from(number()?));
        let other = take(octets)?.to_vec();
        let timers = Timers { signed, fudge };
        let record = Self { key, algorithm, timers, mac, original_id, error, other };
        rest.is_empty().then_some(record)
    }

    /// Octets of a record with parts of these sizes.
    pub(super) fn octets(key: usize, algorithm: usize, mac: usize, other: usize) -> usize {
        key + FIXED_OCTETS + algorithm + FIELDS_OCTETS + mac + other
    }

    /// The record as it is sent, names uncompressed.
    pub(super) fn wire(&self) -> Vec<u8> {
        let algorithm = self.algorithm.wire();
        let rdata = algorithm.len() + FIELDS_OCTETS + self.mac.len() + self.other.len();
        let mut wire = Vec::with_capacity(self.key.wire().len() + FIXED_OCTETS + rdata);
        wire.extend_from_slice(self.key.wire());
        wire.extend_from_slice(&Rtype::TSIG.0.to_be_bytes());
        wire.extend_from_slice(&Class::ANY.0.to_be_bytes());
        wire.extend_from_slice(&[0; 4]);
        // A name, a signature and a time: far below 64 KiB.
        wire.extend_from_slice(&(rdata as u16).to_be_bytes());
        wire.extend_from_slice(algorithm);
        wire.extend_from_slice(&self.timers.wire());
        wire.extend_from_slice(&(self.mac.len() as u16).to_be_bytes());
        wire.extend_from_slice(&self.mac);
        wire.extend_from_slice(&self.original_id.to_be_bytes());
        wire.extend_from_slice(&self.error.to_be_bytes());
        wire.extend_from_slice(&(self.other.len() as u16).to_be_bytes());
        wire.extend_from_slice(&self.other);
        wire
    }

    /// Signs `message`, which has no TSIG yet, after what `begun` holds already.
    pub(super) fn sign(&mut self, mut begun: hmac::Context, message: &[u8], scope: Scope) {
        digest(&mut begun, message, self, scope);
        self.mac = begun.sign().as_ref().to_vec();
    }

    /// Whether the signature is that of `message`, which is without its TSIG. A short one is compared
    /// as far as it goes.
    pub(super) fn is_signed(&self, mut begun: hmac::Context, message: &[u8], scope: Scope) -> bool {
        digest(&mut begun, message, self, scope);
        let tag = begun.sign();
        let whole = tag.as_ref();
        whole.get(..self.mac.len()).is_some_and(|ours| !ours.is_empty() && same(ours, &self.mac))
    }
}

/// Whether two signatures are the same, in a time that does not tell where they differ.
fn same(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len()
        && black_box(one.iter().zip(other).fold(0, |differs, (a, b)| differs | black_box(a ^ b)))
            == 0
}

//------------ What is signed ------------------------------------------------

/// Which fields of the TSIG record are signed with the message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Scope {
    /// All of them: in a message that stands alone, and in the first of several.
    Variables,
    /// The time and the fudge: in all messages after the first (RFC 8945 §5.3.1).
    Timers,
}

/// A signature to begin behind another: that of the request or of the message before.
pub(super) fn begin_after(key: &Key, mac: &[u8]) -> hmac::Context {
    let mut begun = key.begin();
    // It was read from a field of 16 bits.
    begun.update(&(mac.len() as u16).to_be_bytes());
    begun.update(mac);
    begun
}

/// Adds the message, then the fields of the record.
fn digest(begun: &mut hmac::Context, message: &[u8], record: &Record, scope: Scope) {
    begun.update(&record.original_id.to_be_bytes());
    begun.update(message.get(2..).unwrap_or_default());
    if scope == Scope::Timers {
        begun.update(&record.timers.wire());
        return;
    }
    begun.update(record.key.as_ref().to_lowercase().wire());
    begun.update(&Class::ANY.0.to_be_bytes());
    begun.update(&[0; 4]);
    begun.update(record.algorithm.as_ref().to_lowercase().wire());
    begun.update(&record.timers.wire());
    begun.update(&record.error.to_be_bytes());
    begun.update(&(record.other.len() as u16).to_be_bytes());
    begun.update(&record.other);
}

//------------ Messages ------------------------------------------------------

/// The message without the TSIG record that starts at `at` and ends it.
pub(super) fn without(message: &[u8], at: usize) -> Vec<u8> {
    let mut bare = message.get(..at).unwrap_or(message).to_vec();
    add_additional(&mut bare, u16::MAX);
    bare
}

/// Appends a record to a message of `length` octets in a buffer; the new length, or `None` if there is
/// no room.
pub(super) fn append(record: &[u8], message: &mut [u8], length: usize) -> Option<usize> {
    let end = length + record.len();
    message.get_mut(length..end)?.copy_from_slice(record);
    add_additional(message, 1);
    Some(end)
}

/// Counts one record more in the additional section, or (65,535 more) one less.
fn add_additional(message: &mut [u8], more: u16) {
    if let Some(count) = message.get_mut(ADDITIONALS_AT..HEADER_OCTETS)
        && let [high, low] = *count
    {
        count.copy_from_slice(&u16::from_be_bytes([high, low]).wrapping_add(more).to_be_bytes());
    }
}
