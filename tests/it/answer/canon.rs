//! Responses in a form that can be compared: decoded by this file alone, names in lower case,
//! records sorted inside their section, compression undone.

use std::collections::BTreeSet;

use gapura::wire::{Class, Name, Record, Rtype};

//------------ Response ------------------------------------------------------

/// A decoded response.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Response {
    /// The response code, EDNS bits included.
    pub(crate) rcode: u16,
    /// Header flags without the response code.
    pub(crate) flags: u16,
    /// The question section, byte for byte.
    pub(crate) question: Vec<u8>,
    /// The answer section.
    pub(crate) answer: BTreeSet<String>,
    /// The authority section.
    pub(crate) authority: BTreeSet<String>,
    /// The additional section without OPT.
    pub(crate) additional: BTreeSet<String>,
    /// Whether there was an OPT record.
    pub(crate) edns: bool,
    /// Octets of the message.
    pub(crate) octets: usize,
}

/// The header's flags and the records of the three sections as they came, names uncompressed; panics
/// if the message is not well formed to the last octet.
pub(crate) fn sections(message: &[u8]) -> (u16, [Vec<Record>; 3]) {
    let word = |at: usize| u16::from_be_bytes([message[at], message[at + 1]]);
    let mut at = 12;
    for _ in 0..word(4) {
        name(message, &mut at);
        at += 4;
    }
    let sections =
        [6, 8, 10].map(|count| (0..word(count)).map(|_| record(message, &mut at)).collect());
    assert_eq!(at, message.len(), "octets behind the message");
    (word(2), sections)
}

/// Decodes a message; panics if it is not well formed to the last octet.
pub(crate) fn decode(message: &[u8]) -> Response {
    let word = |at: usize| u16::from_be_bytes([message[at], message[at + 1]]);
    let mut response = Response { octets: message.len(), ..Response::default() };
    response.rcode = word(2) & 0x0f;
    response.flags = word(2) & 0xfff0;
    let mut at = 12;
    for _ in 0..word(4) {
        let start = at;
        name(message, &mut at);
        at += 4;
        response.question.extend(&message[start..at]);
    }
    for (section, count) in [word(6), word(8), word(10)].into_iter().enumerate() {
        for _ in 0..count {
            let record = record(message, &mut at);
            if record.rtype == Rtype::OPT {
                response.edns = true;
                response.rcode |= (record.ttl >> 24 << 4) as u16;
                continue;
            }
            let set = match section {
                0 => &mut response.answer,
                1 => &mut response.authority,
                _ => &mut response.additional,
            };
            let folded = folds(record.rtype).then(|| record.rdata.to_ascii_lowercase());
            let rdata = folded.as_deref().unwrap_or(&record.rdata);
            let hex: String = rdata.iter().map(|b| format!("{b:02x}")).collect();
            let Record { owner, rtype, class, ttl, .. } = record;
            let line = format!("{} {ttl} {class} {rtype} {hex}", owner.as_ref().to_lowercase());
            if !set.insert(line.clone()) {
                set.insert(format!("{line} (again)"));
            }
        }
    }
    assert_eq!(at, message.len(), "octets behind the message");
    response
}

/// The records of AXFR messages, the closing SOA left out.
pub(crate) fn transferred(messages: &[Vec<u8>]) -> Vec<Record> {
    let mut records = Vec::new();
    for message in messages {
        let word = |at: usize| u16::from_be_bytes([message[at], message[at + 1]]);
        let mut at = 12;
        for _ in 0..word(4) {
            name(message, &mut at);
            at += 4;
        }
        for _ in 0..word(6) {
            records.push(record(message, &mut at));
        }
    }
    let last = records.pop().expect("a transfer");
    assert_eq!(last.rtype, Rtype::SOA);
    records
}

/// Reads a record; names in RDATA are uncompressed.
fn record(message: &[u8], at: &mut usize) -> Record {
    let owner = name(message, at);
    let fixed = &message[*at..*at + 10];
    let rtype = Rtype(u16::from_be_bytes([fixed[0], fixed[1]]));
    let class = Class(u16::from_be_bytes([fixed[2], fixed[3]]));
    let ttl = u32::from_be_bytes([fixed[4], fixed[5], fixed[6], fixed[7]]);
    let octets = usize::from(u16::from_be_bytes([fixed[8], fixed[9]]));
    *at += 10;
    let end = *at + octets;
    let (fixed, names) = match rtype {
        Rtype::NS | Rtype::CNAME | Rtype::PTR | Rtype::DNAME => (0, 1),
        Rtype::MX => (2, 1),
        Rtype::SRV => (6, 1),
        Rtype::SOA => (0, 2),
        _ => (0, 0),
    };
    let mut rdata = message[*at..*at + fixed].to_vec();
    *at += fixed;
    for _ in 0..names {
        rdata.extend(name(message, at).wire());
    }
    rdata.extend(&message[*at..end]);
    *at = end;
    Record { owner, rtype, class, ttl, rdata: rdata.into() }
}

/// Types whose RDATA is a name and numbers, so that folding all octets of the name's letters is
/// enough to compare; numbers are folded on both sides alike.
fn folds(rtype: Rtype) -> bool {
    use Rtype as R;
    matches!(rtype, R::NS | R::CNAME | R::PTR | R::DNAME | R::MX | R::SRV | R::SOA)
}

/// Reads a name, following pointers backwards only.
fn name(message: &[u8], at: &mut usize) -> Name {
    let (mut wire, mut from, mut end) = (Vec::new(), *at, None);
    loop {
        let length = message[from];
        if length >= 0xc0 {
            let target = usize::from(u16::from_be_bytes([length & 0x3f, message[from + 1]]));
            assert!(target < from, "a pointer forward at {from}");
            end.get_or_insert(from + 2);
            from = target;
            continue;
        }
        let next = from + 1 + usize::from(length);
        wire.extend(&message[from..next]);
        from = next;
        if length == 0 {
            break;
        }
    }
    *at = end.unwrap_or(from);
    Name::from_wire(&wire).expect("a name").0
}
