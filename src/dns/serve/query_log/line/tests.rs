//! Lines octet for octet: what a hostile name does, and all that an entry can hold.

use std::fmt::Write;

use super::super::Entry;
use super::*;
use crate::answer::{Ede, Facts};
use crate::wire::Name;

#[test]
fn a_hostile_name_stays_one_json_string() {
    let name: Name =
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
    let (mut block, mut sheet) = (Vec::new(), Sheet::new());
    entry.encode(&mut block);
    let mut maker = LineMaker::new(ClientDetail::Prefix, LineFormat::Json);
    assert_eq!(maker.make(&block, &mut sheet), Some(block.len()));
    let lines = sheet.octets();
    let value: serde_json::Value = serde_json::from_slice(lines).unwrap();
    assert_eq!(value["qname"], name.to_string());
    assert_eq!(value["client"], "192.0.2.0");
    assert_eq!(value["port"], serde_json::Value::Null);
    assert_eq!(lines.iter().filter(|octet| **octet == b'\n').count(), 1);
    assert!(lines.iter().all(|octet| octet.is_ascii_graphic() || *octet == b'\n'));
    // The same as text: no value has a space.
    maker.configure(ClientDetail::Prefix, LineFormat::Text);
    sheet.clear();
    assert_eq!(maker.make(&block, &mut sheet), Some(block.len()));
    let text = std::str::from_utf8(sheet.octets()).unwrap();
    let qname = text.split(' ').find_map(|word| word.strip_prefix("qname="));
    assert_eq!(qname, Some(&*name.to_string()));
    assert!(text.starts_with("v=1 time=1970-01-01T00:00:00.000001Z client=192.0.2.0 "), "{text}");
    assert!(text.contains(" answers=1 authority=0 additional=2 "), "{text}");
}

//------------ All that an entry can hold --------------------------------------

/// Numbers that look like chance and are the same each time.
struct Dice(u64);

impl Dice {
    /// A number below `limit`.
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (self.0 >> 33) % limit
    }

    /// One of these.
    fn of<T: Clone>(&mut self, all: &[T]) -> T {
        all[self.below(all.len() as u64) as usize].clone()
    }
}

/// A key, its value, and whether that is a text.
type Field = (&'static str, String, bool);

/// The fields of an entry, in the order of a line.
fn fields(entry: &Entry<'_>, detail: ClientDetail, separator: &str) -> Vec<Field> {
    let facts = entry.facts;
    let second = entry.microseconds / 1_000_000;
    let time = String::from_utf8_lossy(&text_of_second(second)).into_owned();
    let whole = detail == ClientDetail::Address;
    let mut fields: Vec<Field> = Vec::new();
    let mut put = |is_there: bool, key, value: String, is_text| {
        if is_there {
            fields.push((key, value, is_text));
        }
    };
    put(true, "v", "1".into(), false);
    put(true, "time", format!("{time}.{:06}Z", entry.microseconds % 1_000_000), true);
    put(true, "client", detail.of(entry.client).to_string(), true);
    put(whole, "port", entry.port.to_string(), false);
    if let Some(local) = entry.local {
        put(true, "server", local.ip().to_string(), true);
        put(true, "server_port", local.port().to_string(), false);
    }
    put(true, "transport", format!("{:?}", entry.transport).to_lowercase(), true);
    put(true, "id", entry.id.to_string(), false);
    if let Some(name) = entry.qname {
        put(true, "qname", name.to_string(), true);
        put(true, "qtype", facts.qtype.to_string(), true);
        put(true, "class", facts.qclass.to_string(), true);
        let apex = name.wire().len() - usize::from(facts.apex_octets);
        let apex = name.wire().get(apex..).and_then(|apex| Name::from_wire(apex).ok());
        put(apex.is_some(), "zone", apex.map_or_else(String::new, |(it, _)| it.to_string()), true);
    }
    put(facts.opcode != Opcode::QUERY, "opcode", facts.opcode.0.to_string(), false);
    let flags =
        [(0x400, "aa"), (0x200, "tc"), (0x100, "rd"), (0x80, "ra"), (0x20, "ad"), (0x10, "cd")];
    let flags = flags.iter().filter(|(bit, _)| facts.query_flags & bit != 0);
    put(true, "flags", flags.map(|it| it.1).collect::<Vec<_>>().join(separator), true);
    let edns = facts.edns_size;
    put(edns.is_some(), "edns", edns.unwrap_or_default().to_string(), false);
    put(true, "do", facts.dnssec_ok.to_string(), false);
    put(true, "rcode", facts.rcode.to_string(), true);
    put(facts.ede.is_some(), "ede", facts.ede.map_or(0, |it| it.code).to_string(), false);
    put(true, "aa", facts.authoritative.to_string(), false);
    put(true, "tc", facts.truncated.to_string(), false);
    put(entry.limited, "limited", "true".into(), false);
    if let Some(counts) = entry.counts {
        let says = counts[0].saturating_add(counts[1]) > 0;
        put(true, "dnssec", (facts.proofs && says).to_string(), false);
        for (key, count) in ["answers", "authority", "additional"].into_iter().zip(counts) {
            put(true, key, count.to_string(), false);
        }
    }
    put(true, "size", entry.octets.to_string(), false);
    put(entry.messages > 0, "messages", entry.messages.to_string(), false);
    put(facts.serial.is_some(), "serial", facts.serial.unwrap_or_default().to_string(), false);
    put(true, "us", entry.took.to_string(), false);
    if let Some(key) = entry.key {
        put(true, "tsig", key.to_string(), true);
        let fault = code_name(entry.tsig_error);
        let fault = fault.map_or_else(|| format!("RCODE{}", entry.tsig_error), str::to_owned);
        put(entry.tsig_error > 0, "tsig_error", fault, true);
    }
    fields
}

/// The line of an entry, put together slowly.
fn line_of(entry: &Entry<'_>, detail: ClientDetail, format: LineFormat) -> String {
    let mut line = String::new();
    let separator = if format == LineFormat::Json { " " } else { "," };
    for (key, value, is_text) in fields(entry, detail, separator) {
        if format == LineFormat::Text {
            let space = if line.is_empty() { "" } else { " " };
            write!(line, "{space}{key}={value}").unwrap();
            continue;
        }
        let value = if is_text { serde_json::to_string(&value).unwrap() } else { value };
        write!(line, "{}\"{key}\":{value}", if line.is_empty() { '{' } else { ',' }).unwrap();
    }
    line + if format == LineFormat::Json { "}\n" } else { "\n" }
}

/// Facts of all kinds, some often and some rarely.
fn some_facts(dice: &mut Dice) -> Facts {
    let edge = [0_u16, 1, 9, 10, 99, 100, 512, 1232, 9999, 10_000, 65_535];
    let edns = [None, Some(dice.of(&edge))];
    let ede = [None, None, Some(Ede { code: dice.of(&edge), text: "" })];
    Facts {
        opcode: Opcode(dice.of(&[0, 0, 0, 4, 5, 15])),
        qtype: Rtype(dice.of(&[1, 28, 2, 15, 51, 255, 0, 65_280, 65_535])),
        qclass: Class(dice.of(&[1, 1, 1, 3, 255, 65_535])),
        query_flags: dice.of(&[0, 0x100, 0x110, 0x7b0, 0x8590]),
        edns_size: dice.of(&edns),
        dnssec_ok: dice.of(&[true, false]),
        rcode: Rcode(dice.of(&[0, 3, 5, 16, 23, 4095])),
        ede: dice.of(&ede),
        authoritative: dice.of(&[true, false]),
        truncated: dice.of(&[true, false, false]),
        proofs: dice.of(&[true, false]),
        serial: dice.of(&[
            None,
            Some(0),
            Some(99_999_999),
            Some(100_000_000),
            Some(2_026_112_401),
            Some(u32::MAX),
        ]),
        ..Facts::default()
    }
}

#[test]
fn lines_are_the_same_however_they_are_made() {
    let names = [
        ".",
        "a.",
        "www.Example.",
        "*._tcp.x-y.cirebonkab.go.id.",
        r#"a\"b\\.\046.\000\255.example."#,
        r"x\@y.z\032.example.",
    ];
    let names = names.map(|name| name.parse::<Name>().unwrap());
    let long: Name = format!("{0}.{0}.{0}.b.", "\\007".repeat(63)).parse().unwrap();
    let clients =
        ["127.0.0.1", "192.0.2.77", "2001:db8::53", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"];
    let mut dice = Dice(7);
    let mut maker = LineMaker::new(ClientDetail::Address, LineFormat::Json);
    let mut sheet = Sheet::new();
    for round in 0..8_000_u64 {
        let detail = dice.of(&[ClientDetail::Address, ClientDetail::Prefix]);
        let format = dice.of(&[LineFormat::Json, LineFormat::Text]);
        // Mostly the same settings go on, so that what a maker remembers is used.
        if round % 500 == 0 {
            maker.configure(detail, format);
        }
        let (detail, format) = (maker.detail, maker.format);
        let name = if dice.below(50) == 0 { long.clone() } else { dice.of(&names) };
        let mut facts = some_facts(&mut dice);
        let suffixes: Vec<usize> = std::iter::successors(Some(name.as_ref()), |it| it.parent())
            .map(|it| it.wire().len())
            .chain([0])
            .collect();
        facts.apex_octets = dice.of(&suffixes) as u8;
        let transports = [Transport::Udp, Transport::Tcp, Transport::Tls, Transport::Quic];
        let local = ["192.0.2.1:53", "[2001:db8:1111:2222:3333:4444:5555:6666]:65535"];
        let client: std::net::IpAddr = dice.of(&clients).parse().unwrap();
        let local = local[usize::from(client.is_ipv6())].parse().unwrap();
        let counts = [dice.below(3) as u16, dice.of(&[0, 0, 1, 65_535]), dice.below(2) as u16];
        let entry = Entry {
            microseconds: 1_795_491_941_000_000 + round * 7_919 + dice.below(3) * 999_999,
            client,
            port: dice.below(65_536) as u16,
            local: dice.of(&[Some(local), Some(local), None]),
            id: dice.of(&[0, 7, 10, 4_242, 65_535]),
            transport: dice.of(&transports),
            qname: dice.of(&[Some(name.as_ref()), Some(name.as_ref()), None]),
            key: dice.of(&[None, None, None, Some(names[2].as_ref())]),
            tsig_error: dice.of(&[0, 16, 17, 18, 1]),
            messages: dice.of(&[0, 0, 0, 17]),
            counts: dice.of(&[None, Some(counts), Some(counts)]),
            facts: &facts,
            octets: dice.of(&[0, 9, 45, 512, 12_345, 1_234_567, u32::MAX as usize]),
            limited: dice.below(9) == 0,
            took: dice.of(&[0, 0, 3, 12, 123_456_789, u32::MAX]),
        };
        let mut block = Vec::new();
        entry.encode(&mut block);
        sheet.clear();
        assert_eq!(maker.make(&block, &mut sheet), Some(block.len()));
        let line = std::str::from_utf8(sheet.octets()).unwrap();
        assert_eq!(line, line_of(&entry, detail, format), "{entry:?}");
    }
}
