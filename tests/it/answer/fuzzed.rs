//! What the fuzz target `respond` and the replay of its corpus share: the zones and the properties.

use std::net::SocketAddr;
use std::sync::Arc;

use gapura::answer::{CookieSecrets, Identity, Peer, Scratch, Transport, Verdict, respond};
use gapura::wire::{Class, Name, Rcode, Record, Rtype, rdata};
use gapura::zone::{Entry, Zone, ZoneBuilder, ZoneSet};

/// An unsigned zone with every kind of corner.
const PLAIN: &str = "\
@ SOA ns1 host 1 7200 3600 1209600 300
@ NS ns1
@ MX 10 mail
ns1 A 192.0.2.1
mail AAAA 2001:db8::1
* TXT \"wild\"
a.ent A 192.0.2.2
*.w CNAME c0
c0 CNAME c1
c1 CNAME a.ent
loop CNAME loop
d DNAME e
x.e A 192.0.2.3
grow DNAME a.a.a.a.a.a.a.a.grow2
grow2 DNAME grow
cut NS ns.cut
cut NS ns.other.test.
cut DS 1 13 2 0001020304050607080900010203040506070809000102030405060708090001
ns.cut A 192.0.2.4
srv SRV 0 0 1 mail
svc SVCB 1 . port=1
big TXT \"tttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttt\"
big TXT \"uttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttt\"
big TXT \"vttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttt\"";

/// Owner, types: a signed zone in short; signatures and the chain are added.
const SIGNED: &[(&str, &[&str])] = &[
    ("@", &["SOA ns1 host 1 7200 3600 1209600 300", "NS ns1", "DNSKEY 257 3 13 AAAA"]),
    ("a.ent", &["A 192.0.2.2"]),
    ("*.w", &["A 192.0.2.3", "MX 10 ns1"]),
    ("alias", &["CNAME q.w"]),
    ("insecure", &["NS ns.insecure"]),
    ("d", &["DNAME w"]),
    ("ns1", &["A 192.0.2.1"]),
    (
        "secure",
        &["NS ns1", "DS 1 13 2 0001020304050607080900010203040506070809000102030405060708090001"],
    ),
];

//------------ Subject -------------------------------------------------------

/// The engine under test.
pub(crate) struct Subject {
    zones: ZoneSet,
    scratch: Scratch,
}

impl Subject {
    /// With one unsigned zone, one with NSEC, one with NSEC3 and one that is not loaded.
    pub(crate) fn new() -> Self {
        let plain = zone("t.", PLAIN.lines().map(str::to_owned));
        let nsec = zone("n.", signed("n.", false));
        let nsec3 = zone("h.", signed("h.", true));
        let identity = Identity {
            nsid: b"nsid".to_vec(),
            version: Some("gapura".to_owned()),
            cookies: Some(CookieSecrets { current: [1; 16], others: vec![[2; 16]] }),
            report_agent: Some("agent.test.".parse().expect("a name")),
            ..Identity::default()
        };
        let zones: ZoneSet = [plain, nsec, nsec3].into_iter().collect();
        Self {
            zones: zones.edit(&[], vec![Entry::NotLoaded("l.".parse().expect("a name"))]),
            scratch: Scratch::new(Arc::new(identity)),
        }
    }

    /// Asks, and holds the properties.
    pub(crate) fn check(&mut self, bytes: &[u8]) {
        let Some((&how, query)) = bytes.split_first() else {
            return;
        };
        let transports = [Transport::Udp, Transport::Tcp, Transport::Tls, Transport::Quic];
        let transport = transports[usize::from(how & 3)];
        let address = SocketAddr::from(([192, 0, 2, 1], 5353));
        let mut peer = Peer::new(address, transport, 1_700_000_000);
        peer.limited = how & 4 != 0;
        peer.access = if how & 8 == 0 { &true } else { &false };
        peer.keepalive = Some(100);
        let mut out = [0xee; 65_535];
        let room = if how & 16 != 0 { usize::from(how) * 3 } else { out.len() };
        let verdict = respond(&self.zones, &mut self.scratch, query, &peer, &mut out[..room]);
        let facts = self.scratch.facts();
        let Verdict::Reply(octets) = verdict else {
            assert_eq!(verdict == Verdict::Drop, facts.dropped.is_some());
            return;
        };
        let reply = &out[..octets];
        assert!(query.len() >= 12 && query[2] & 0x80 == 0, "never to a response");
        assert_eq!(reply[..2], query[..2], "the identifier");
        assert_eq!(reply[2] & 0xf9, 0x80 | query[2] & 0x79, "QR, opcode, RD");
        assert!(octets <= room && (transport != Transport::Udp || octets <= 1232));
        if facts.edns_size.is_none() && transport == Transport::Udp {
            assert!(octets <= 512);
        }
        walk(reply);
    }
}

//------------ Options -------------------------------------------------------

impl Subject {
    /// Asks with an OPT of these options: the first octet as in [`Self::check`], the next two the EDNS
    /// version and the upper flags. FORMERR is for what is malformed, and for nothing else.
    #[allow(dead_code)] // not in the fuzz target `respond`
    pub(crate) fn check_options(&mut self, bytes: &[u8]) {
        let Some((&[how, version, flags], options)) = bytes.split_first_chunk::<3>() else {
            return;
        };
        let Ok(octets) = u16::try_from(options.len()) else {
            return;
        };
        // For a name of the zone `t.` and with all the room there is.
        let how = how & 0x0f;
        let mut query = vec![how, 0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 1];
        query.extend(b"\x04mail\x01t\0\0\x1c\0\x01\0\0\x29\x04\xd0\0");
        query.extend([version, flags, 0]);
        query.extend(octets.to_be_bytes());
        query.extend(options);
        self.check(&query);
        let (rcode, well_formed) = (self.scratch.facts().rcode, are_options(options));
        let expected = match (well_formed, version) {
            (None, _) => Rcode::FORMERR,
            (Some(_), 1..) => Rcode::BADVERS,
            (Some(false), 0) => Rcode::FORMERR,
            (Some(true), 0) if how & 8 != 0 => Rcode::REFUSED,
            (Some(true), 0) if rcode == Rcode::BADCOOKIE && how & 7 == 4 => Rcode::BADCOOKIE,
            (Some(true), 0) => Rcode::NOERROR,
        };
        assert_eq!(rcode, expected, "{options:02x?}");
    }
}

/// Whether the first cookie has a length that a cookie can have; `None` where an option runs past the
/// end.
fn are_options(mut options: &[u8]) -> Option<bool> {
    let mut cookie = None;
    while !options.is_empty() {
        let &[c1, c0, l1, l0] = options.first_chunk::<4>()?;
        let octets = usize::from(u16::from_be_bytes([l1, l0]));
        options = options.get(4 + octets..)?;
        if (c1, c0) == (0, 10) {
            cookie.get_or_insert(octets);
        }
    }
    Some(cookie.is_none_or(|octets| octets == 8 || (16..=40).contains(&octets)))
}

//------------ Messages ------------------------------------------------------

/// Steps over every record; panics if a count or a length lies, or a pointer points forward.
fn walk(reply: &[u8]) {
    let word = |at: usize| u16::from_be_bytes([reply[at], reply[at + 1]]);
    let mut at = 12;
    for _ in 0..word(4) {
        at = skip_name(reply, at) + 4;
    }
    for _ in 0..u32::from(word(6)) + u32::from(word(8)) + u32::from(word(10)) {
        at = skip_name(reply, at);
        at += 10 + usize::from(word(at + 8));
    }
    assert_eq!(at, reply.len(), "octets behind the last record");
}

/// The offset behind a name; follows pointers to see that they end.
fn skip_name(reply: &[u8], start: usize) -> usize {
    let (mut at, mut end, mut octets) = (start, None, 0);
    loop {
        let length = usize::from(reply[at]);
        if length >= 0xc0 {
            let target = (length & 0x3f) << 8 | usize::from(reply[at + 1]);
            assert!(target < at, "a pointer forward");
            end.get_or_insert(at + 2);
            at = target;
            continue;
        }
        octets += 1 + length;
        assert!(octets <= 255, "a name of more than 255 octets");
        at += 1 + length;
        if length == 0 {
            return end.unwrap_or(at);
        }
    }
}

//------------ Zones ---------------------------------------------------------

/// A zone of `OWNER TYPE RDATA` lines.
fn zone(apex: &str, lines: impl Iterator<Item = String>) -> Zone {
    let apex: Name = apex.parse().expect("a name");
    let mut builder = ZoneBuilder::new(&apex);
    for line in lines {
        let mut words = line.splitn(3, ' ');
        let mut next = || words.next().expect("three words");
        let (owner, rtype, text) = (next(), next(), next());
        let owner = if owner == "@" { apex.to_string() } else { format!("{owner}.{apex}") };
        let rtype: Rtype = rtype.parse().expect("a type");
        let data = rdata::parse(rtype, text.as_bytes(), apex.as_ref());
        let record = Record {
            owner: owner.parse().expect("a name"),
            rtype,
            class: Class::IN,
            ttl: 300,
            rdata: data.unwrap_or_else(|error| panic!("{line}: {error:?}")).into(),
        };
        builder.push(record.as_ref());
    }
    builder.finish().0.expect("a zone")
}

/// The lines of [`SIGNED`] with signatures of no worth and a chain of NSEC or NSEC3.
fn signed(apex: &str, hashed: bool) -> impl Iterator<Item = String> {
    let signature =
        |t: &str| format!("RRSIG {t} 13 2 300 20300101000000 20260101000000 1 {apex} AA==");
    let mut lines = vec!["ns.insecure A 192.0.2.9".to_owned()];
    for (at, (owner, sets)) in SIGNED.iter().enumerate() {
        for set in *sets {
            lines.push(format!("{owner} {set}"));
            let rtype = set.split(' ').next().expect("a type");
            if rtype != "NS" || *owner == "@" {
                lines.push(format!("{owner} {}", signature(rtype)));
            }
        }
        let next = SIGNED[(at + 1) % SIGNED.len()].0;
        if hashed {
            let hash = |n: usize| char::from(b"048cgkos"[n % 8]).to_string().repeat(32);
            lines.push(format!("{} NSEC3 1 0 0 - {} A RRSIG", hash(at), hash(at + 1)));
            lines.push(format!("{} {}", hash(at), signature("NSEC3")));
        } else {
            lines.push(format!("{owner} NSEC {next} A RRSIG NSEC"));
            lines.push(format!("{owner} {}", signature("NSEC")));
        }
    }
    if hashed {
        lines.push("@ NSEC3PARAM 1 0 0 -".to_owned());
    }
    lines.into_iter()
}
