//! The JSON line made of an entry.
//!
//! Written by hand into a line of fixed size, because it is made for every query: what repeats from
//! line to line (the date, the client) is kept as text. Whatever the query holds, the result is one line
//! of printable ASCII.

use std::io::Write;

use crate::answer::Transport;
use crate::serve::log::address_of;
use crate::tsig::code_name;
use crate::wire::{Class, NAME_OCTETS_MAX, NameRef, Opcode, Rcode, Rtype};

use super::ClientDetail;
use super::entry::{HEAD_OCTETS, mark};

/// The longest line: a name of 255 octets, its zone and a key, each octet escaped to five, and everything else.
const LINE_OCTETS: usize = NAME_OCTETS_MAX * 15 + 800;
/// Octets of "2026-11-24T03:45:41".
const SECOND_OCTETS: usize = 19;

//------------ LineMaker -----------------------------------------------------

/// Makes lines.
pub(super) struct LineMaker {
    /// What is written of clients.
    detail: ClientDetail,
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
    pub(super) fn new(detail: ClientDetail) -> Self {
        let mut maker = Self {
            detail,
            second: 0,
            second_text: [0; SECOND_OCTETS],
            client: None,
            client_text: Vec::with_capacity(64),
            server: None,
            server_text: Vec::with_capacity(96),
            line: Line { octets: [0; LINE_OCTETS], length: 0 },
        };
        maker.second_text = text_of_second(0);
        maker
    }

    /// Writes clients like this from now on.
    pub(super) fn set_detail(&mut self, detail: ClientDetail) {
        (self.detail, self.client) = (detail, None);
    }

    /// Reads the entry at the start of `block`, appends its line to `lines` and returns the octets it
    /// took; `None` at the end of the block.
    pub(super) fn make(&mut self, block: &[u8], lines: &mut Vec<u8>) -> Option<usize> {
        let head: &[u8; HEAD_OCTETS] = block.first_chunk()?;
        let name = block.get(HEAD_OCTETS..HEAD_OCTETS + usize::from(head[53]))?;
        let marks = head[50];
        self.line.length = 0;
        self.put_time(u64::from_le_bytes(*head.first_chunk()?));
        self.put_client(u128::from_le_bytes(*head[8..].first_chunk()?), marks & mark::IPV6);
        let line = &mut self.line;
        let number = |at: usize| u16::from_le_bytes([head[at], head[at + 1]]);
        if self.detail == ClientDetail::Address {
            line.put(b",\"port\":");
            line.put_number(u32::from(number(36)));
        }
        if head[75] != 0 {
            self.put_server(u128::from_le_bytes(*head[54..].first_chunk()?), number(70), marks);
        }
        let line = &mut self.line;
        line.put(b",\"transport\":\"");
        line.put(transport_word(head[51]));
        line.put(b"\",\"id\":");
        line.put_number(u32::from(number(72)));
        if !name.is_empty() {
            line.put(b",\"qname\":\"");
            line.put_name(name);
            line.put(b"\",\"qtype\":\"");
            line.put_word(Rtype(number(38)).mnemonic(), b"TYPE", number(38));
            line.put(b"\",\"class\":\"");
            line.put_word(Class(number(40)).mnemonic(), b"CLASS", number(40));
            line.put(b"\"");
            // The apex is the end of the name.
            if let Some(apex) =
                name.len().checked_sub(usize::from(head[74])).filter(|_| head[74] > 0)
            {
                line.put(b",\"zone\":\"");
                line.put_name(&name[apex..]);
                line.put(b"\"");
            }
        }
        put_rest(line, head, marks);
        let key = block.get(HEAD_OCTETS + name.len()..)?.get(..usize::from(head[76]))?;
        if !key.is_empty() {
            put_key(line, key, head[77]);
        }
        line.put(b"}\n");
        lines.extend_from_slice(&line.octets[..line.length]);
        Some(HEAD_OCTETS + name.len() + key.len())
    }

    /// Puts the time, as RFC 3339 has it, in UTC, with microseconds.
    fn put_time(&mut self, microseconds: u64) {
        let second = microseconds / 1_000_000;
        if second != self.second {
            (self.second, self.second_text) = (second, text_of_second(second));
        }
        self.line.put(b"{\"v\":1,\"time\":\"");
        self.line.put(&self.second_text);
        let mut fraction = *b".000000Z\",\"client\":\"";
        put_digits(&mut fraction[1..7], microseconds % 1_000_000);
        self.line.put(&fraction);
    }

    /// Puts our own address and port.
    fn put_server(&mut self, bits: u128, port: u16, marks: u8) {
        let key = (bits, port, marks & mark::IPV6);
        if self.server != Some(key) {
            self.server = Some(key);
            self.server_text.clear();
            let server = address_of(bits, key.2 != 0);
            // Writing into a vector cannot fail.
            drop(write!(self.server_text, ",\"server\":\"{server}\",\"server_port\":{port}"));
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
            drop(write!(self.client_text, "{}\"", self.detail.of(client)));
        }
        self.line.put(&self.client_text);
    }
}

/// Puts what follows the question.
fn put_rest(line: &mut Line, head: &[u8; HEAD_OCTETS], marks: u8) {
    let number = |at: usize| u16::from_le_bytes([head[at], head[at + 1]]);
    let long = |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
    if head[52] != Opcode::QUERY.0 {
        line.put(b",\"opcode\":");
        line.put_number(u32::from(head[52]));
    }
    line.put(b",\"flags\":\"");
    line.put_flags(number(42));
    if marks & mark::EDNS != 0 {
        line.put(b"\",\"edns\":");
        line.put_number(u32::from(number(44)));
        line.put(b",\"do\":");
    } else {
        line.put(b"\",\"do\":");
    }
    line.put_truth(marks & mark::DNSSEC_OK != 0);
    line.put(b",\"rcode\":\"");
    line.put_word(Rcode(number(46)).mnemonic(), b"RCODE", number(46));
    if marks & mark::EDE != 0 {
        line.put(b"\",\"ede\":");
        line.put_number(u32::from(number(48)));
        line.put(b",\"aa\":");
    } else {
        line.put(b"\",\"aa\":");
    }
    line.put_truth(marks & mark::AUTHORITATIVE != 0);
    line.put(b",\"tc\":");
    line.put_truth(marks & mark::TRUNCATED != 0);
    if marks & mark::LIMITED != 0 {
        line.put(b",\"limited\":true");
    }
    line.put(b",\"size\":");
    line.put_number(long(24));
    if number(78) != 0 {
        line.put(b",\"messages\":");
        line.put_number(u32::from(number(78)));
    }
    if marks & mark::SERIAL != 0 {
        line.put(b",\"serial\":");
        line.put_number(long(32));
    }
    line.put(b",\"us\":");
    line.put_number(long(28));
}

/// Puts the key that a message was signed with, and what is wrong with that.
#[cold]
fn put_key(line: &mut Line, key: &[u8], error: u8) {
    line.put(b",\"tsig\":\"");
    line.put_name(key);
    if error != 0 {
        line.put(b"\",\"tsig_error\":\"");
        line.put_word(code_name(error.into()), b"RCODE", error.into());
    }
    line.put(b"\"");
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

//------------ Line ----------------------------------------------------------

/// A line under construction. What would not fit is left out; nothing can be that long.
struct Line {
    /// The line so far, and room.
    octets: [u8; LINE_OCTETS],
    /// How long it is.
    length: usize,
}

impl Line {
    /// Puts text.
    #[inline]
    fn put(&mut self, text: &[u8]) {
        if let Some(room) = self.octets.get_mut(self.length..self.length + text.len()) {
            room.copy_from_slice(text);
            self.length += text.len();
        }
    }

    /// Puts a number in decimal digits.
    fn put_number(&mut self, value: u32) {
        let mut digits = [0; 10];
        let used = value.checked_ilog10().map_or(1, |log| log as usize + 1);
        put_digits(&mut digits[..used], u64::from(value));
        self.put(&digits[..used]);
    }

    /// Puts `true` or `false`.
    fn put_truth(&mut self, value: bool) {
        self.put(if value { b"true" } else { b"false" });
    }

    /// Puts a mnemonic, or the generic form where there is none (RFC 3597 §5).
    fn put_word(&mut self, mnemonic: Option<&str>, generic: &[u8], number: u16) {
        match mnemonic {
            Some(word) => self.put(word.as_bytes()),
            None => {
                self.put(generic);
                self.put_number(u32::from(number));
            }
        }
    }

    /// Puts the set flags of a query's header, as dig shows them.
    fn put_flags(&mut self, flags: u16) {
        // Most queries have none, or RD alone.
        match flags & 0x07b0 {
            0 => return,
            0x0100 => return self.put(b"rd"),
            _ => {}
        }
        let mut space: &[u8] = b"";
        for (bit, word) in [
            (0x0400, b"aa"),
            (0x0200, b"tc"),
            (0x0100, b"rd"),
            (0x0080, b"ra"),
            (0x0020, b"ad"),
            (0x0010, b"cd"),
        ] {
            if flags & bit != 0 {
                self.put(space);
                self.put(word);
                space = b" ";
            }
        }
    }

    /// Puts a name as master files write it, escaped once more for JSON.
    fn put_name(&mut self, wire: &[u8]) {
        let Ok((name, _)) = NameRef::from_wire(wire) else {
            return;
        };
        if name.is_root() {
            self.put(b".");
        }
        for label in name.labels() {
            if label.iter().all(|octet| octet.is_ascii_alphanumeric() || b"-_".contains(octet)) {
                self.put(label);
            } else {
                label.iter().for_each(|octet| self.put_octet(*octet));
            }
            self.put(b".");
        }
    }

    /// Puts one octet of a label.
    fn put_octet(&mut self, octet: u8) {
        match octet {
            b'"' => self.put(br#"\\\""#),
            b'.' | b'$' | b'(' | b')' | b';' | b'@' => self.put(&[b'\\', b'\\', octet]),
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'-' | b'_' | b'*' | b'/' => {
                self.put(&[octet])
            }
            _ => {
                let mut escape = *b"\\\\000";
                put_digits(&mut escape[2..], u64::from(octet));
                self.put(&escape);
            }
        }
    }
}

/// Fills `room` with the last digits of a number.
fn put_digits(room: &mut [u8], mut value: u64) {
    for digit in room.iter_mut().rev() {
        *digit = b'0' + (value % 10) as u8;
        value /= 10;
    }
}

//------------ Time ----------------------------------------------------------

/// A second since 1970 as "2026-11-24T03:45:41".
fn text_of_second(second: u64) -> [u8; SECOND_OCTETS] {
    let (days, of_day) = (second / 86_400, second % 86_400);
    let (year, month, day) = date_of(days);
    let mut text = *b"0000-00-00T00:00:00";
    put_digits(&mut text[..4], year);
    put_digits(&mut text[5..7], month);
    put_digits(&mut text[8..10], day);
    put_digits(&mut text[11..13], of_day / 3600);
    put_digits(&mut text[14..16], of_day / 60 % 60);
    put_digits(&mut text[17..], of_day % 60);
    text
}

/// Year, month and day of a day counted from 1970-01-01, in the Gregorian calendar: years are counted
/// from March, so that the leap day is the last one, in cycles of 400 years or 146,097 days.
fn date_of(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::super::Entry;
    use super::*;
    use crate::answer::Facts;

    #[test]
    fn dates_are_those_of_the_calendar() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00"),
            (951_782_400, "2000-02-29T00:00:00"),
            (1_795_491_941, "2026-11-24T03:45:41"),
            (4_107_542_400, "2100-03-01T00:00:00"),
        ] {
            assert_eq!(String::from_utf8_lossy(&text_of_second(seconds)), text);
        }
    }

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
            facts: &facts,
            octets: 99,
            limited: false,
            took: 3,
        };
        let (mut block, mut lines) = (Vec::new(), Vec::new());
        entry.encode(&mut block);
        let mut maker = LineMaker::new(ClientDetail::Prefix);
        assert_eq!(maker.make(&block, &mut lines), Some(block.len()));
        let value: serde_json::Value = serde_json::from_slice(&lines).unwrap();
        assert_eq!(value["qname"], name.to_string());
        assert_eq!(value["client"], "192.0.2.0");
        assert_eq!(value["port"], serde_json::Value::Null);
        assert_eq!(lines.iter().filter(|octet| **octet == b'\n').count(), 1);
        assert!(lines.iter().all(|octet| octet.is_ascii_graphic() || *octet == b'\n'));
    }

    #[test]
    fn the_longest_name_fits() {
        let label = [&[63u8][..], &[0u8; 63]].concat();
        let wire = [&label[..], &label, &label, &[61], &[0; 61], &[0]].concat();
        let (name, _) = NameRef::from_wire(&wire).unwrap();
        let mut line = Line { octets: [0; LINE_OCTETS], length: 0 };
        line.put_name(name.wire());
        assert_eq!(line.length, 250 * 5 + 4);
        line.put_name(name.wire());
        assert_eq!(line.length, 2 * (250 * 5 + 4));
    }
}
