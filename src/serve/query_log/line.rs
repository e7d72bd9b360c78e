//! The line made of an entry.
//!
//! Written by hand into a line of fixed size, because it is made for every query: what repeats from
//! line to line (the date, the client) is kept as text.

use std::io::Write;

use crate::answer::Transport;
use crate::serve::log::address_of;
use crate::tsig::code_name;
use crate::wire::{Class, Opcode, Rcode, Rtype};

use super::entry::{HEAD_OCTETS, mark};
use super::spelling::{Line, SECOND_OCTETS, key, put_digits, text_key, text_of_second};
use super::{ClientDetail, LineFormat};

//------------ LineMaker -----------------------------------------------------

/// Makes lines.
pub(super) struct LineMaker {
    /// What is written of clients.
    detail: ClientDetail,
    /// How lines are spelled.
    format: LineFormat,
    /// The second that `second_text` is of.
    second: u64,
    /// A time up to its second.
    second_text: [u8; SECOND_OCTETS],
    /// The client that `client_text` is of: bits of the address, and its family.
    client: Option<(u128, u8)>,
    /// Its text.
    client_text: Vec<u8>,
    /// The address of ours that `server_text` is of: bits, port, family.
    server: Option<(u128, u16, u8)>,
    /// Its text.
    server_text: Vec<u8>,
    /// The line in hand.
    line: Line,
}

impl LineMaker {
    /// A maker of lines.
    pub(super) fn new(detail: ClientDetail, format: LineFormat) -> Self {
        let mut maker = Self {
            detail,
            format,
            second: 0,
            second_text: text_of_second(0),
            client: None,
            client_text: Vec::with_capacity(64),
            server: None,
            server_text: Vec::with_capacity(96),
            line: Line::new(),
        };
        maker.configure(detail, format);
        maker
    }

    /// Writes lines like this from now on.
    pub(super) fn configure(&mut self, detail: ClientDetail, format: LineFormat) {
        (self.detail, self.format) = (detail, format);
        (self.client, self.server) = (None, None);
        self.line.set_format(format);
    }

    /// Reads the entry at the start of `block`, appends its line to `lines` and returns the octets it
    /// took; `None` at the end of the block.
    pub(super) fn make(&mut self, block: &[u8], lines: &mut Vec<u8>) -> Option<usize> {
        let head: &[u8; HEAD_OCTETS] = block.first_chunk()?;
        let name = block.get(HEAD_OCTETS..HEAD_OCTETS + usize::from(head[53]))?;
        let key = block.get(HEAD_OCTETS + name.len()..)?.get(..usize::from(head[76]))?;
        let marks = head[50];
        let number = |at: usize| u16::from_le_bytes([head[at], head[at + 1]]);
        self.line.begin();
        self.put_time(u64::from_le_bytes(*head.first_chunk()?));
        self.put_client(u128::from_le_bytes(*head[8..].first_chunk()?), marks & mark::IPV6);
        if self.detail == ClientDetail::Address {
            self.line.put_key(key!("port"));
            self.line.put_number(u32::from(number(36)));
        }
        if head[75] != 0 {
            self.put_server(u128::from_le_bytes(*head[54..].first_chunk()?), number(70), marks);
        }
        let line = &mut self.line;
        line.put_key(text_key!("transport"));
        line.put(transport_word(head[51]));
        line.end_text();
        line.put_key(key!("id"));
        line.put_number(u32::from(number(72)));
        if !name.is_empty() {
            put_question(line, head, name);
        }
        put_query(line, head, marks);
        put_response(line, head, marks);
        if !key.is_empty() {
            put_key(line, key, head[77]);
        }
        lines.extend_from_slice(line.end());
        Some(HEAD_OCTETS + name.len() + key.len())
    }

    /// Puts the time, as RFC 3339 has it, in UTC, with microseconds.
    fn put_time(&mut self, microseconds: u64) {
        let second = microseconds / 1_000_000;
        if second != self.second {
            (self.second, self.second_text) = (second, text_of_second(second));
        }
        let mut fraction = *b".000000Z";
        put_digits(&mut fraction[1..7], microseconds % 1_000_000);
        self.line.put_key(text_key!("time"));
        self.line.put(&self.second_text);
        self.line.put(&fraction);
        self.line.end_text();
    }

    /// Puts our own address and port.
    fn put_server(&mut self, bits: u128, port: u16, marks: u8) {
        let key = (bits, port, marks & mark::IPV6);
        if self.server != Some(key) {
            self.server = Some(key);
            self.server_text.clear();
            let server = address_of(bits, key.2 != 0);
            // Writing into a vector cannot fail.
            drop(match self.format {
                LineFormat::Json => {
                    write!(self.server_text, ",\"server\":\"{server}\",\"server_port\":{port}")
                }
                LineFormat::Text => {
                    write!(self.server_text, " server={server} server_port={port}")
                }
            });
        }
        self.line.put(&self.server_text);
    }

    /// Puts the client's address.
    fn put_client(&mut self, bits: u128, family: u8) {
        if self.client != Some((bits, family)) {
            let client = address_of(bits, family != 0);
            self.client = Some((bits, family));
            self.client_text.clear();
            // Writing into a vector cannot fail.
            drop(write!(self.client_text, "{}", self.detail.of(client)));
        }
        self.line.put_key(text_key!("client"));
        self.line.put(&self.client_text);
        self.line.end_text();
    }
}

/// Puts the question, and the zone that answered.
fn put_question(line: &mut Line, head: &[u8; HEAD_OCTETS], name: &[u8]) {
    let number = |at: usize| u16::from_le_bytes([head[at], head[at + 1]]);
    line.put_key(text_key!("qname"));
    line.put_name(name);
    line.end_text();
    line.put_key(text_key!("qtype"));
    line.put_word(Rtype(number(38)).mnemonic(), b"TYPE", number(38));
    line.end_text();
    line.put_key(text_key!("class"));
    line.put_word(Class(number(40)).mnemonic(), b"CLASS", number(40));
    line.end_text();
    // The apex is the end of the name.
    if let Some(apex) = name.len().checked_sub(usize::from(head[74])).filter(|_| head[74] > 0) {
        line.put_key(text_key!("zone"));
        line.put_name(&name[apex..]);
        line.end_text();
    }
}

/// Puts what else is known of the query.
fn put_query(line: &mut Line, head: &[u8; HEAD_OCTETS], marks: u8) {
    let number = |at: usize| u16::from_le_bytes([head[at], head[at + 1]]);
    if head[52] != Opcode::QUERY.0 {
        line.put_key(key!("opcode"));
        line.put_number(u32::from(head[52]));
    }
    line.put_key(text_key!("flags"));
    line.put_flags(number(42));
    line.end_text();
    if marks & mark::EDNS != 0 {
        line.put_key(key!("edns"));
        line.put_number(u32::from(number(44)));
    }
    line.put_key(key!("do"));
    line.put_truth(marks & mark::DNSSEC_OK != 0);
}

/// Puts the response.
fn put_response(line: &mut Line, head: &[u8; HEAD_OCTETS], marks: u8) {
    let number = |at: usize| u16::from_le_bytes([head[at], head[at + 1]]);
    let long = |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
    line.put_key(text_key!("rcode"));
    line.put_word(Rcode(number(46)).mnemonic(), b"RCODE", number(46));
    line.end_text();
    if marks & mark::EDE != 0 {
        line.put_key(key!("ede"));
        line.put_number(u32::from(number(48)));
    }
    line.put_key(key!("aa"));
    line.put_truth(marks & mark::AUTHORITATIVE != 0);
    line.put_key(key!("tc"));
    line.put_truth(marks & mark::TRUNCATED != 0);
    if marks & mark::LIMITED != 0 {
        line.put_key(key!("limited"));
        line.put_truth(true);
    }
    if head[86] & mark::COUNTS != 0 {
        line.put_key(key!("dnssec"));
        line.put_truth(head[86] & mark::DNSSEC != 0);
        for (key, at) in [(key!("answers"), 80), (key!("authority"), 82), (key!("additional"), 84)]
        {
            line.put_key(key);
            line.put_number(u32::from(number(at)));
        }
    }
    line.put_key(key!("size"));
    line.put_number(long(24));
    if number(78) != 0 {
        line.put_key(key!("messages"));
        line.put_number(u32::from(number(78)));
    }
    if marks & mark::SERIAL != 0 {
        line.put_key(key!("serial"));
        line.put_number(long(32));
    }
    line.put_key(key!("us"));
    line.put_number(long(28));
}

/// Puts the key that a message was signed with, and what is wrong with that.
#[cold]
fn put_key(line: &mut Line, key: &[u8], error: u8) {
    line.put_key(text_key!("tsig"));
    line.put_name(key);
    line.end_text();
    if error != 0 {
        line.put_key(text_key!("tsig_error"));
        line.put_word(code_name(error.into()), b"RCODE", error.into());
        line.end_text();
    }
}

/// The transport of that number.
fn transport_word(number: u8) -> &'static [u8] {
    const WORDS: [(Transport, &[u8]); 4] = [
        (Transport::Udp, b"udp"),
        (Transport::Tcp, b"tcp"),
        (Transport::Tls, b"tls"),
        (Transport::Quic, b"quic"),
    ];
    WORDS.iter().find(|(transport, _)| *transport as u8 == number).map_or(b"?", |(_, word)| word)
}

#[cfg(test)]
mod tests {
    use super::super::Entry;
    use super::*;
    use crate::answer::Facts;

    #[test]
    fn a_hostile_name_stays_one_json_string() {
        let name: crate::wire::Name =
            r#"a\"b.c\\d.\010\000\255.\$include.x y"#.replace(' ', "\\032").parse().unwrap();
        let facts = Facts { qtype: Rtype::A, qclass: Class::IN, ..Facts::default() };
        let entry = Entry {
            microseconds: 1,
            client: [192, 0, 2, 77].into(),
            port: 4242,
            local: None,
            id: 77,
            transport: Transport::Udp,
            qname: Some(name.as_ref()),
            key: None,
            tsig_error: 0,
            messages: 0,
            counts: Some([1, 0, 2]),
            facts: &facts,
            octets: 99,
            limited: false,
            took: 3,
        };
        let (mut block, mut lines) = (Vec::new(), Vec::new());
        entry.encode(&mut block);
        let mut maker = LineMaker::new(ClientDetail::Prefix, LineFormat::Json);
        assert_eq!(maker.make(&block, &mut lines), Some(block.len()));
        let value: serde_json::Value = serde_json::from_slice(&lines).unwrap();
        assert_eq!(value["qname"], name.to_string());
        assert_eq!(value["client"], "192.0.2.0");
        assert_eq!(value["port"], serde_json::Value::Null);
        assert_eq!(lines.iter().filter(|octet| **octet == b'\n').count(), 1);
        assert!(lines.iter().all(|octet| octet.is_ascii_graphic() || *octet == b'\n'));
        // The same as text: no value has a space.
        maker.configure(ClientDetail::Prefix, LineFormat::Text);
        lines.clear();
        assert_eq!(maker.make(&block, &mut lines), Some(block.len()));
        let text = String::from_utf8(lines).unwrap();
        let qname = text.split(' ').find_map(|word| word.strip_prefix("qname="));
        assert_eq!(qname, Some(&*name.to_string()));
        assert!(
            text.starts_with("v=1 time=1970-01-01T00:00:00.000001Z client=192.0.2.0 "),
            "{text}"
        );
        assert!(text.contains(" answers=1 authority=0 additional=2 "), "{text}");
    }
}
