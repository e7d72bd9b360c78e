//! The protobuf messages of `dnstap.proto`: `Dnstap` with one `Message` in it.
//!
//! Only what gapura says is written; fields keep the order of their numbers.

use std::net::IpAddr;

use super::DnstapOptions;
use super::record::Record;
use crate::serve::log::ClientDetail;

/// `Dnstap.type`: it has a `Message`.
const MESSAGE: u64 = 1;

/// `Message.type`.
mod kind {
    pub(super) const AUTH_QUERY: u64 = 1;
    pub(super) const AUTH_RESPONSE: u64 = 2;
    pub(super) const UPDATE_QUERY: u64 = 13;
    pub(super) const UPDATE_RESPONSE: u64 = 14;
}

//------------ Maker ---------------------------------------------------------

/// Makes messages.
pub(super) struct Maker {
    /// The fields before the message: who we are.
    prefix: Vec<u8>,
    /// What is said of clients.
    client: ClientDetail,
    /// The inner message in hand.
    inner: Vec<u8>,
    /// The whole.
    whole: Vec<u8>,
}

impl Maker {
    /// By these settings.
    pub(super) fn new(options: &DnstapOptions) -> Self {
        let mut prefix = Vec::new();
        if !options.identity.is_empty() {
            put_octets(&mut prefix, 1, options.identity.as_bytes());
        }
        put_octets(&mut prefix, 2, concat!("gapura ", env!("CARGO_PKG_VERSION")).as_bytes());
        Self { prefix, client: options.client, inner: Vec::new(), whole: Vec::new() }
    }

    /// Makes the messages of a record: that of its query, then that of its response.
    pub(super) fn make(&mut self, record: &Record<'_>, mut sink: impl FnMut(&[u8])) {
        if !record.query.is_empty() {
            self.fill(record, false);
            sink(&self.whole);
        }
        if !record.response.is_empty() {
            self.fill(record, true);
            sink(&self.whole);
        }
    }

    /// Writes one message.
    fn fill(&mut self, record: &Record<'_>, is_response: bool) {
        let inner = &mut self.inner;
        inner.clear();
        let kind = match (record.is_update, is_response) {
            (false, false) => kind::AUTH_QUERY,
            (false, true) => kind::AUTH_RESPONSE,
            (true, false) => kind::UPDATE_QUERY,
            (true, true) => kind::UPDATE_RESPONSE,
        };
        put_number(inner, 1, kind);
        put_number(inner, 2, if record.client.is_ipv6() { 2 } else { 1 });
        put_number(inner, 3, record.protocol());
        put_address(inner, 4, self.client.of(record.client.ip()));
        if let Some(local) = record.local {
            put_address(inner, 5, local.ip());
        }
        if self.client == ClientDetail::Address {
            put_number(inner, 6, record.client.port().into());
        }
        if let Some(local) = record.local {
            put_number(inner, 7, local.port().into());
        }
        put_time(inner, 8, record.microseconds);
        if !is_response {
            put_octets(inner, 10, record.query);
        }
        if !record.zone.is_empty() {
            put_octets(inner, 11, record.zone);
        }
        if is_response {
            put_time(inner, 12, record.microseconds + u64::from(record.took));
            put_octets(inner, 14, record.response);
        }
        self.whole.clear();
        self.whole.extend_from_slice(&self.prefix);
        put_octets(&mut self.whole, 14, inner);
        put_number(&mut self.whole, 15, MESSAGE);
    }
}

//------------ Protobuf ------------------------------------------------------

/// Puts a field that is a number.
fn put_number(to: &mut Vec<u8>, field: u64, value: u64) {
    put_varint(to, field << 3);
    put_varint(to, value);
}

/// Puts a field that is octets.
fn put_octets(to: &mut Vec<u8>, field: u64, octets: &[u8]) {
    put_varint(to, field << 3 | 2);
    put_varint(to, octets.len() as u64);
    to.extend_from_slice(octets);
}

/// Puts an address.
fn put_address(to: &mut Vec<u8>, field: u64, address: IpAddr) {
    match address {
        IpAddr::V4(v4) => put_octets(to, field, &v4.octets()),
        IpAddr::V6(v6) => put_octets(to, field, &v6.octets()),
    }
}

/// Puts a time: its seconds, and in the field after that its nanoseconds as four octets.
fn put_time(to: &mut Vec<u8>, field: u64, microseconds: u64) {
    put_number(to, field, microseconds / 1_000_000);
    put_varint(to, (field + 1) << 3 | 5);
    let nanoseconds = (microseconds % 1_000_000) as u32 * 1000;
    to.extend_from_slice(&nanoseconds.to_le_bytes());
}

/// Puts a number seven bits at a time, the lowest first.
fn put_varint(to: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        to.push(value as u8 | 0x80);
        value >>= 7;
    }
    to.push(value as u8);
}
