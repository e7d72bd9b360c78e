//! The line made of an entry.
//!
//! Written by hand, because it is made for every query. What repeats from line to line (the second, the client, our own
//! address, what a response is like) is kept as text.

use std::fmt::Write;
use std::ops::Range;

use crate::answer::Transport;
use crate::serve::log::address_of;
use crate::tsig::code_name;
use crate::wire::{Class, Opcode, Rcode, Rtype};

use super::entry::{Head, Shape, Way, mark};
use super::spelling::{Last, Lasts, Line, Sheet, Text, key, text_key, text_of_second};
use super::{ClientDetail, LineFormat};

//------------ LineMaker -----------------------------------------------------

/// Makes lines.
pub(super) struct LineMaker {
    /// What is written of clients.
    detail: ClientDetail,
    /// How lines are spelled.
    format: LineFormat,
    /// The start of a line, up to the second.
    second: Last<u64, 48>,
    /// Clients, by the bits and the family of their address.
    clients: Lasts<(u128, bool), 64, 256>,
    /// Our addresses, and how they were asked.
    ways: Lasts<Way, 128, 16>,
    /// Types and classes.
    questions: Lasts<(u16, u16), 48, 64>,
    /// What queries and responses are like.
    shapes: Lasts<Shape, 224, 256>,
    /// Serials.
    serials: Lasts<Option<u32>, 32, 64>,
}

impl LineMaker {
    /// A maker of lines.
    pub(super) fn new(detail: ClientDetail, format: LineFormat) -> Self {
        Self {
            detail,
            format,
            second: Last::new(),
            clients: Lasts::new(),
            ways: Lasts::new(),
            questions: Lasts::new(),
            shapes: Lasts::new(),
            serials: Lasts::new(),
        }
    }

    /// Writes lines like this from now on.
    pub(super) fn configure(&mut self, detail: ClientDetail, format: LineFormat) {
        *self = Self::new(detail, format);
    }

    /// Reads the entry at the start of `block`, appends its line to `sheet` and returns the octets it
    /// took; `None` at the end of the block.
    pub(super) fn make(&mut self, block: &[u8], sheet: &mut Sheet) -> Option<usize> {
        let (head, used) = Head::read(block)?;
        let mut line = sheet.begin(self.format);
        self.put_arrival(&mut line, &head);
        if !head.name.is_empty() {
            self.put_question(&mut line, &head);
        }
        self.put_response(&mut line, &head);
        line.put_either(&const { [Text::of("}\n"), Text::of("\n")] });
        let octets = line.length();
        sheet.end(octets);
        Some(used)
    }

    /// Puts when and how a query came, and its id. The time is as RFC 3339 has it, in UTC, with microseconds.
    #[inline(always)]
    fn put_arrival(&mut self, line: &mut Line<'_>, head: &Head<'_>) {
        let (second, millionth) =
            (head.microseconds() / 1_000_000, head.microseconds() % 1_000_000);
        self.second.put(line, second, |line| {
            line.put_either(&const { [Text::of("{\"v\":1"), Text::of("v=1")] });
            line.put_either(text_key!("time"));
            line.put_slice(&text_of_second(second));
            line.put_slice(b".");
        });
        line.put_millionth(millionth as u32);
        let (client, detail) = (head.client(), self.detail);
        let mark = client.0 as u64 ^ (client.0 >> 64) as u64;
        self.clients.put(line, mark, client, |line| put_client(line, client, detail));
        if detail == ClientDetail::Address {
            line.put_number(u32::from(head.port()));
        }
        let way = head.way();
        self.ways.put(line, way.mark(), way, |line| put_way(line, way));
        line.put_number(u32::from(head.id()));
    }

    /// Puts the question, and the zone that answered.
    #[inline(always)]
    fn put_question(&mut self, line: &mut Line<'_>, head: &Head<'_>) {
        line.put_either(text_key!("qname"));
        // The apex is the end of the name.
        let zone: Range<usize> = line.put_name(head.name, head.apex_octets());
        let (qtype, class) = head.question();
        let mark = u64::from(qtype) ^ u64::from(class) << 16;
        self.questions.put(line, mark, (qtype, class), |line| {
            line.end_text();
            line.put_either(text_key!("qtype"));
            line.put_mnemonic(Rtype(qtype).mnemonic(), b"TYPE", qtype);
            line.end_text();
            line.put_either(text_key!("class"));
            line.put_mnemonic(Class(class).mnemonic(), b"CLASS", class);
            line.end_text();
        });
        if !zone.is_empty() {
            line.put_either(text_key!("zone"));
            line.repeat(zone);
            line.end_text();
        }
    }

    /// Puts the rest: what else is known of the query, and the response.
    #[inline(always)]
    fn put_response(&mut self, line: &mut Line<'_>, head: &Head<'_>) {
        let shape = head.shape();
        self.shapes.put(line, shape.mark(), shape, |line| put_shape(line, shape));
        line.put_number(head.octets());
        if head.messages() != 0 {
            line.put_either(key!("messages"));
            line.put_number(u32::from(head.messages()));
        }
        let serial = head.serial();
        let mark = u64::from(serial.unwrap_or_default());
        self.serials.put(line, mark, serial, |line| {
            if let Some(serial) = serial {
                line.put_either(key!("serial"));
                line.put_number(serial);
            }
            line.put_either(key!("us"));
        });
        line.put_number(head.took());
        if !head.key.is_empty() {
            put_signature(line, head);
        }
    }
}

/// Puts the end of the time and the client's address, up to its port.
fn put_client(line: &mut Line<'_>, (bits, is_ipv6): (u128, bool), detail: ClientDetail) {
    line.put_slice(b"Z");
    line.end_text();
    line.put_either(text_key!("client"));
    // Writing into a line cannot fail.
    let _ = write!(line, "{}", detail.of(address_of(bits, is_ipv6)));
    line.end_text();
    if detail == ClientDetail::Address {
        line.put_either(key!("port"));
    }
}

/// Puts our own address and port, and the transport, up to the id.
fn put_way(line: &mut Line<'_>, way: Way) {
    if let Some(local) = way.local() {
        line.put_either(text_key!("server"));
        // Writing into a line cannot fail.
        let _ = write!(line, "{}", local.ip());
        line.end_text();
        line.put_either(key!("server_port"));
        line.put_number(u32::from(local.port()));
    }
    line.put_either(text_key!("transport"));
    line.put_slice(transport_word(way.transport()));
    line.end_text();
    line.put_either(key!("id"));
}

/// Puts what a query and its response are like, up to the response's size.
fn put_shape(line: &mut Line<'_>, shape: Shape) {
    if shape.opcode() != Opcode::QUERY.0 {
        line.put_either(key!("opcode"));
        line.put_number(u32::from(shape.opcode()));
    }
    line.put_either(text_key!("flags"));
    line.put_flags(shape.flags());
    line.end_text();
    if shape.has(mark::EDNS) {
        line.put_either(key!("edns"));
        line.put_number(u32::from(shape.edns()));
    }
    line.put_either(key!("do"));
    line.put_truth(shape.has(mark::DNSSEC_OK));
    line.put_either(text_key!("rcode"));
    line.put_mnemonic(Rcode(shape.rcode()).mnemonic(), b"RCODE", shape.rcode());
    line.end_text();
    if shape.has(mark::EDE) {
        line.put_either(key!("ede"));
        line.put_number(u32::from(shape.ede()));
    }
    line.put_either(key!("aa"));
    line.put_truth(shape.has(mark::AUTHORITATIVE));
    line.put_either(key!("tc"));
    line.put_truth(shape.has(mark::TRUNCATED));
    if shape.has(mark::LIMITED) {
        line.put_either(key!("limited"));
        line.put_truth(true);
    }
    if shape.has(mark::COUNTS) {
        line.put_either(key!("dnssec"));
        line.put_truth(shape.has(mark::DNSSEC));
        let keys = [key!("answers"), key!("authority"), key!("additional")];
        for (key, count) in keys.into_iter().zip(shape.counts()) {
            line.put_either(key);
            line.put_number(u32::from(count));
        }
    }
    line.put_either(key!("size"));
}

/// Puts the key that a message was signed with, and what is wrong with that.
#[cold]
fn put_signature(line: &mut Line<'_>, head: &Head<'_>) {
    line.put_either(text_key!("tsig"));
    line.put_name(head.key, 0);
    line.end_text();
    let error = u16::from(head.tsig_error());
    if error != 0 {
        line.put_either(text_key!("tsig_error"));
        line.put_mnemonic(code_name(error), b"RCODE", error);
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
mod tests;
