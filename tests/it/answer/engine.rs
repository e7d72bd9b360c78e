//! What the tests of this binary share: a zone from text, queries from parts, one call of `respond`.

use std::net::SocketAddr;
use std::sync::Arc;

use gapura::answer::{Facts, Identity, Peer, Scratch, Transport, Verdict, respond};
use gapura::wire::{Class, Name, Record, Rtype, rdata};
use gapura::zone::{Zone, ZoneBuilder, ZoneSet};

//------------ Zones ---------------------------------------------------------

/// A zone of `OWNER [TTL] TYPE RDATA` lines; names without a final dot end in the apex.
pub(crate) fn zone<'a>(apex: &str, lines: impl Iterator<Item = &'a str>) -> Zone {
    let apex: Name = apex.parse().unwrap();
    let mut builder = ZoneBuilder::new(&apex);
    for line in lines.filter(|line| !line.trim().is_empty() && !line.starts_with(';')) {
        builder.push(record(line, &apex).as_ref());
    }
    let (zone, faults) = builder.finish();
    zone.unwrap_or_else(|| panic!("{faults:?}"))
}

/// One line as a record.
fn record(line: &str, apex: &Name) -> Record {
    let (owner, rest) = word(line);
    let (second, after) = word(rest);
    let (ttl, rest) = second.parse().map_or((3600, rest), |ttl| (ttl, after));
    let (rtype, text) = word(rest);
    let rtype: Rtype = rtype.parse().unwrap_or_else(|_| panic!("no type: {line}"));
    let rdata = rdata::parse(rtype, text.as_bytes(), apex.as_ref())
        .unwrap_or_else(|error| panic!("{line}: {error:?}"));
    Record { owner: absolute(owner, apex), rtype, class: Class::IN, ttl, rdata: rdata.into() }
}

/// The first word of a line, and what follows.
pub(crate) fn word(line: &str) -> (&str, &str) {
    let line = line.trim_start();
    line.split_once(char::is_whitespace).unwrap_or((line, ""))
}

/// A name of a test's text; `@` is the apex.
pub(crate) fn absolute(text: &str, apex: &Name) -> Name {
    match text {
        "@" => apex.clone(),
        _ if text.ends_with('.') => text.parse().unwrap(),
        _ => format!("{text}.{apex}").parse().unwrap(),
    }
}

//------------ Query ---------------------------------------------------------

/// A query in its parts.
#[derive(Clone, Debug)]
pub(crate) struct Query {
    /// The header's flags.
    pub(crate) flags: u16,
    /// The question.
    pub(crate) question: Option<(Name, Rtype, Class)>,
    /// The OPT record: UDP size, TTL field, options.
    pub(crate) edns: Option<(u16, u32, Vec<u8>)>,
    /// Records of the authority section, uncompressed, and how many.
    pub(crate) authority: (u16, Vec<u8>),
}

impl Query {
    /// A plain query.
    pub(crate) fn new(name: &str, rtype: Rtype) -> Self {
        Self {
            flags: 0,
            question: Some((name.parse().unwrap(), rtype, Class::IN)),
            edns: None,
            authority: (0, Vec::new()),
        }
    }

    /// With these header flags.
    pub(crate) fn flags(self, flags: u16) -> Self {
        Self { flags, ..self }
    }

    /// With an OPT record.
    pub(crate) fn edns(self, size: u16, ttl: u32, options: &[u8]) -> Self {
        Self { edns: Some((size, ttl, options.to_vec())), ..self }
    }

    /// In this class.
    pub(crate) fn class(mut self, class: Class) -> Self {
        if let Some(question) = &mut self.question {
            question.2 = class;
        }
        self
    }

    /// The bytes.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let questions = u16::from(self.question.is_some());
        let counts = [questions, 0, self.authority.0, u16::from(self.edns.is_some())];
        let mut bytes = [0x1234u16.to_be_bytes(), self.flags.to_be_bytes()].concat();
        bytes.extend(counts.iter().flat_map(|count| count.to_be_bytes()));
        if let Some((name, rtype, class)) = &self.question {
            bytes.extend(name.wire());
            bytes.extend(rtype.0.to_be_bytes());
            bytes.extend(class.0.to_be_bytes());
        }
        bytes.extend(&self.authority.1);
        if let Some((size, ttl, options)) = &self.edns {
            bytes.extend([0, 0, 41]);
            bytes.extend(size.to_be_bytes());
            bytes.extend(ttl.to_be_bytes());
            bytes.extend((options.len() as u16).to_be_bytes());
            bytes.extend(options);
        }
        bytes
    }
}

/// One EDNS option.
pub(crate) fn option(code: u16, payload: &[u8]) -> Vec<u8> {
    [&code.to_be_bytes()[..], &(payload.len() as u16).to_be_bytes(), payload].concat()
}

//------------ Engine --------------------------------------------------------

/// The engine with zones, ready to be asked.
pub(crate) struct Engine {
    /// The zones.
    pub(crate) zones: ZoneSet,
    /// The worker's memory.
    pub(crate) scratch: Scratch,
    /// Who asks.
    pub(crate) peer: Peer<'static>,
}

impl Engine {
    /// With these zones, over UDP.
    pub(crate) fn new(zones: impl IntoIterator<Item = Zone>) -> Self {
        Self::with_identity(zones, Identity::default())
    }

    /// The same, answering as `identity`.
    pub(crate) fn with_identity(zones: impl IntoIterator<Item = Zone>, identity: Identity) -> Self {
        let address = SocketAddr::from(([192, 0, 2, 53], 5353));
        Self {
            zones: zones.into_iter().collect(),
            scratch: Scratch::new(Arc::new(identity)),
            peer: Peer::new(address, Transport::Udp, 1_700_000_000),
        }
    }

    /// Over this transport from now on.
    pub(crate) fn over(mut self, transport: Transport) -> Self {
        self.peer.transport = transport;
        self
    }

    /// The verdict on some bytes, and what was written.
    pub(crate) fn verdict(&mut self, query: &[u8]) -> (Verdict, Vec<u8>) {
        let udp = self.peer.transport == Transport::Udp;
        let mut out = vec![0xee; if udp { 1500 } else { 65_535 }];
        let verdict = respond(&self.zones, &mut self.scratch, query, &self.peer, &mut out);
        let octets = if let Verdict::Reply(octets) = verdict { octets } else { 0 };
        out.truncate(octets);
        (verdict, out)
    }

    /// The response to a query that must get one.
    pub(crate) fn ask(&mut self, query: &Query) -> Reply {
        let (verdict, bytes) = self.verdict(&query.bytes());
        assert!(matches!(verdict, Verdict::Reply(_)), "{query:?}: {verdict:?}");
        Reply::read(&bytes)
    }

    /// Facts of the last query.
    pub(crate) fn facts(&self) -> &Facts {
        self.scratch.facts()
    }
}

//------------ Reply ---------------------------------------------------------

/// A response as tests look at it.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    /// The bytes.
    pub(crate) bytes: Vec<u8>,
    /// The response code with its EDNS bits.
    pub(crate) rcode: u16,
    /// The header's flags without the response code.
    pub(crate) flags: u16,
    /// The records of answer, authority and additional section, OPT left out.
    pub(crate) sections: [Vec<Record>; 3],
    /// UDP size, TTL field and options of the OPT record.
    pub(crate) edns: Option<(u16, u32, Vec<(u16, Vec<u8>)>)>,
}

impl Reply {
    /// Reads a response; panics if it is not well formed to the last octet, or has a record twice in
    /// whatever sections (RFC 2181 §5).
    pub(crate) fn read(bytes: &[u8]) -> Self {
        let (flags, sections) = crate::answer::canon::sections(bytes);
        let mut seen = std::collections::HashSet::new();
        for record in sections.iter().flatten() {
            let key = (record.owner.as_ref().to_lowercase(), record.rtype, record.rdata.to_vec());
            assert!(seen.insert(key), "twice: {record:?}");
        }
        let mut reply = Self {
            bytes: bytes.to_vec(),
            rcode: flags & 15,
            flags: flags & !15,
            sections,
            edns: None,
        };
        let additional = &mut reply.sections[2];
        if let Some(at) = additional.iter().position(|record| record.rtype == Rtype::OPT) {
            let opt = additional.remove(at);
            assert!(additional.iter().all(|record| record.rtype != Rtype::OPT), "two OPTs");
            reply.rcode |= (opt.ttl >> 24 << 4) as u16;
            reply.edns = Some((opt.class.0, opt.ttl & 0x00ff_ffff, options(&opt.rdata)));
        }
        reply
    }

    /// The payload of an option.
    pub(crate) fn option(&self, code: u16) -> Option<&[u8]> {
        let (_, _, options) = self.edns.as_ref()?;
        options.iter().find(|(known, _)| *known == code).map(|(_, payload)| &payload[..])
    }

    /// The INFO-CODE of the extended error.
    pub(crate) fn ede(&self) -> Option<u16> {
        self.option(15).map(|payload| u16::from_be_bytes([payload[0], payload[1]]))
    }

    /// Whether AA is set.
    pub(crate) fn aa(&self) -> bool {
        self.flags & 0x0400 != 0
    }

    /// Whether TC is set.
    pub(crate) fn tc(&self) -> bool {
        self.flags & 0x0200 != 0
    }
}

/// The options of an OPT record.
fn options(mut rdata: &[u8]) -> Vec<(u16, Vec<u8>)> {
    let mut options = Vec::new();
    while let Some(head) = rdata.first_chunk::<4>() {
        let octets = usize::from(u16::from_be_bytes([head[2], head[3]]));
        options.push((u16::from_be_bytes([head[0], head[1]]), rdata[4..4 + octets].to_vec()));
        rdata = &rdata[4 + octets..];
    }
    assert!(rdata.is_empty(), "octets behind the options");
    options
}
