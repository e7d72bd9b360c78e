//! The differential test (T1b): generated zones and queries, answered by `respond` and by Knot and
//! NSD as real processes; where those two agree and gapura differs, the test fails.
//!
//! A short run by default; `GAPURA_DIFFERENTIAL_ROUNDS=N` makes a long one (each round is 24 zones
//! and 4,800 queries) and `GAPURA_DIFFERENTIAL_SEED=S` starts it elsewhere. Without the peers it says
//! "skipped"; with `GAPURA_REQUIRE_PEERS=1` it then fails.
//!
//! # What is compared
//!
//! Response code, AA, TC, RD, RA, AD, CD, question, presence of OPT, and the answer and authority
//! sections as sets, unless all three set TC. The additional section is compared where the peers
//! agree on it.
//!
//! # Decisions: where gapura differs on purpose
//!
//! - `class`: a class other than IN (and CH) is REFUSED, never answered with the IN data as Knot
//!   does, nor with an empty NOERROR as NSD does (docs/dns.md, Before the lookup).
//! - `hashed`: the owner names of NSEC3 records do not exist (RFC 5155 §7.2.8). Names below one have
//!   the apex as closest encloser and may be covered by its wildcard, with the whole proof; the
//!   peers take the hashed name for the closest encloser and prove half of it.
//! - `loop`: DNAMEs that lead into each other make longer names for ever; each server stops elsewhere,
//!   gapura after 18 names or where the message is full.
//! - `ent`: a wildcard that exists only because names below it do is an empty non-terminal. NODATA from
//!   it is proven like any other wildcard NODATA, with the NSEC that shows it to be empty (RFC 4035
//!   §3.1.3.4); the peers leave that one out. Where it finds no room, ours is cut.
//! - `cut`: ours is cut and one of the peers is too; the other left out what did not fit and says
//!   nothing of it. What stands in a message that was cut means nothing.
//! - `fits`: whole and without TC where both peers are cut: more is compressed here, and the addresses
//!   of a name server below *another* cut are no glue that a referral cannot do without (RFC 9471 §3.2).
//! - `case`: names in RDATA keep the zone's case, so they do not point into a QNAME of other case
//!   and the message is some octets longer; where the peers' only just fits, ours is cut.

pub(crate) mod generate;
mod peers;
mod random;
pub(crate) use self::random::Random;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use self::generate::GeneratedZone;
pub(crate) use self::peers::Peer;
use gapura::answer::{Identity, Peer as Client, Scratch, Transport, Verdict, respond};
use gapura::wire::{Name, Record};
use gapura::zone::{ZoneBuilder, ZoneSet};

use crate::answer::canon::{self, Response, decode};
use crate::support::peers::{Program, are_here, is_client_here};

/// Zones of a round.
const ZONES: usize = 24;
/// Queries to each zone of a round.
const QUERIES: usize = 200;

#[test]
fn unsigned_zones_are_answered_as_knot_and_nsd_do() {
    run(Signing::None);
}

#[test]
fn zones_signed_with_nsec_are_answered_as_knot_and_nsd_do() {
    run(Signing::Nsec);
}

#[test]
fn zones_signed_with_nsec3_are_answered_as_knot_and_nsd_do() {
    run(Signing::Nsec3);
}

/// How the zones of a run are signed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Signing {
    None,
    Nsec,
    Nsec3,
}

/// Compares in as many rounds as the environment says.
fn run(signing: Signing) {
    if !are_here(&[Program::Knot, Program::Nsd])
        || signing != Signing::None && !is_client_here("dnssec-signzone")
    {
        return;
    }
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
    let rounds: u64 = number("GAPURA_DIFFERENTIAL_ROUNDS").unwrap_or(1);
    let seed: u64 = number("GAPURA_DIFFERENTIAL_SEED").unwrap_or(1);
    let mut report = Report::default();
    for round in seed..seed + rounds {
        compare_round(signing, round, &mut report);
    }
    println!("{signing:?}: {report}");
    assert_eq!(report.differences, 0, "{signing:?}: differences where Knot and NSD agree");
}

/// One start of the peers: its zones, its queries.
fn compare_round(signing: Signing, round: u64, report: &mut Report) {
    let directory = tempfile::tempdir().unwrap();
    std::fs::create_dir(directory.path().join("knot")).unwrap();
    let mut zones: Vec<GeneratedZone> = (0..ZONES)
        .map(|index| generate::zone(&format!("z{index}.test."), round * 1000 + index as u64))
        .collect();
    for zone in &zones {
        let file = directory.path().join(format!("{}zone", zone.apex));
        std::fs::write(&file, &zone.text).unwrap();
        if signing != Signing::None {
            sign(directory.path(), &zone.apex, signing);
        }
    }
    let apexes: Vec<Name> = zones.iter().map(|zone| zone.apex.clone()).collect();
    let (knot, nsd) = (Peer::knot(directory.path(), &apexes), Peer::nsd(directory.path(), &apexes));
    if signing != Signing::None {
        for zone in &mut zones {
            zone.records = canon::transferred(&knot.transfer(&zone.apex));
        }
    }
    let set: ZoneSet = zones.iter().map(|zone| build(&zone.apex, &zone.records)).collect();
    let mut scratch = Scratch::new(Arc::new(Identity::default()));
    let mut random = Random::new(round);
    for zone in &zones {
        for _ in 0..QUERIES {
            let query = generate::query(zone, &mut random, signing != Signing::None);
            let theirs = (knot.ask(&query), nsd.ask(&query));
            let ours = ask_ourselves(&set, &mut scratch, &query);
            report.add(&zone.text, &query, ours.as_deref(), theirs);
        }
    }
}

/// Signs a zone file in place with keys of its own.
fn sign(directory: &Path, apex: &Name, signing: Signing) {
    let run = |program: &str, arguments: &[&str]| {
        let output = Command::new(program).args(arguments).current_dir(directory).output().unwrap();
        assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    };
    let (apex, file) = (apex.to_string(), format!("{apex}zone"));
    run("dnssec-keygen", &["-q", "-a", "13", "-f", "KSK", &apex]);
    run("dnssec-keygen", &["-q", "-a", "13", &apex]);
    let mut arguments = vec!["-q", "-S", "-P", "-o", &apex, "-f", &file];
    if signing == Signing::Nsec3 {
        arguments.extend(["-3", "-", "-H", "0"]);
    }
    arguments.push(&file);
    run("dnssec-signzone", &arguments);
}

/// A zone of these records.
pub(crate) fn build(apex: &Name, records: &[Record]) -> gapura::zone::Zone {
    let mut builder = ZoneBuilder::new(apex);
    records.iter().for_each(|record| builder.push(record.as_ref()));
    let (zone, _) = builder.finish();
    zone.expect("a zone")
}

/// The engine's own response.
fn ask_ourselves(zones: &ZoneSet, scratch: &mut Scratch, query: &[u8]) -> Option<Vec<u8>> {
    let client = Client::new(SocketAddr::from(([127, 0, 0, 1], 5353)), Transport::Udp, 0);
    let mut out = [0; 65535];
    match respond(zones, scratch, query, &client, &mut out) {
        Verdict::Reply(octets) => Some(out[..octets].to_vec()),
        _ => None,
    }
}

//------------ Report --------------------------------------------------------

/// What came of the comparison.
#[derive(Default)]
struct Report {
    /// Queries asked.
    queries: usize,
    /// Queries on which all three agree.
    agreed: usize,
    /// Queries on which the peers differ from each other.
    peers_differ: usize,
    /// Of these, those on which gapura is with neither.
    alone: usize,
    /// Printed so far.
    printed: usize,
    /// Queries on which the peers agree and gapura differs.
    differences: usize,
    /// Those that a decision at the head of this file explains, by its name.
    decided: BTreeMap<&'static str, usize>,
}

impl Report {
    /// Compares one query's responses.
    fn add(
        &mut self,
        zone: &str,
        query: &[u8],
        ours: Option<&[u8]>,
        theirs: (Option<Vec<u8>>, Option<Vec<u8>>),
    ) {
        self.queries += 1;
        let (ours, knot, nsd) = match (ours, &theirs.0, &theirs.1) {
            (Some(ours), Some(knot), Some(nsd)) => (decode(ours), decode(knot), decode(nsd)),
            (None, None, None) => return self.agreed += 1,
            (_, knot, nsd) if knot.is_some() != nsd.is_some() => return self.peers_differ += 1,
            _ => return self.differ(zone, query, "silence", &[]),
        };
        let Some(what) = first_difference(&knot, &nsd, &ours) else {
            return self.agreed += 1;
        };
        if what == "peers" {
            self.peers_differ += 1;
            let same = |theirs: &Response| first_difference(theirs, theirs, &ours).is_none();
            if !same(&knot) && !same(&nsd) {
                self.alone += 1;
                if std::env::var_os("GAPURA_DIFFERENTIAL_ALONE").is_some() {
                    let all = [("ours", &ours), ("knot", &knot), ("nsd", &nsd)];
                    self.print(zone, query, "all three differ", &all);
                }
            }
            return;
        }
        match decision(query, &ours, &knot, &nsd) {
            Some(name) => *self.decided.entry(name).or_default() += 1,
            None => {
                self.differ(zone, query, what, &[("ours", &ours), ("knot", &knot), ("nsd", &nsd)])
            }
        }
    }

    /// Counts a difference and prints the first of them.
    fn differ(&mut self, zone: &str, query: &[u8], what: &str, all: &[(&str, &Response)]) {
        self.differences += 1;
        self.print(zone, query, &format!("{what} differs"), all);
    }

    /// Prints the first few.
    fn print(&mut self, zone: &str, query: &[u8], what: &str, all: &[(&str, &Response)]) {
        self.printed += 1;
        if self.printed > 6 {
            return;
        }
        println!("--- {what}; query {}", describe(query));
        for (name, response) in all {
            println!(
                "{name}: rcode {} flags {:04x} octets {}",
                response.rcode, response.flags, response.octets
            );
            for (section, set) in [
                ("answer", &response.answer),
                ("authority", &response.authority),
                ("additional", &response.additional),
            ] {
                set.iter()
                    .for_each(|line| println!("    {section} {}", &line[..line.len().min(150)]));
            }
        }
        println!(
            "zone:\n{}",
            zone.lines().map(|l| &l[..l.len().min(120)]).collect::<Vec<_>>().join("\n")
        );
    }
}

impl std::fmt::Display for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { queries, agreed, peers_differ, alone, differences, decided, .. } = self;
        write!(
            f,
            "{queries} queries: {agreed} agreed, {peers_differ} on which Knot and NSD differ \
             ({alone} with neither), \
             {decided:?} decided, {differences} differences"
        )
    }
}

/// The first part in which we differ from both peers, or "peers" where they differ themselves;
/// `None` if all agree.
fn first_difference(knot: &Response, nsd: &Response, ours: &Response) -> Option<&'static str> {
    type Part = (&'static str, fn(&Response) -> String);
    const PARTS: &[Part] = &[
        ("rcode", |r| r.rcode.to_string()),
        ("flags", |r| format!("{:04x}", r.flags)),
        ("question", |r| format!("{:?}", r.question)),
        ("edns", |r| r.edns.to_string()),
        ("answer", |r| format!("{:?}", r.answer)),
        ("authority", |r| format!("{:?}", r.authority)),
        ("additional", |r| format!("{:?}", r.additional)),
    ];
    let mut peers_differ = false;
    // What stands in a message that was cut means nothing; each cuts elsewhere.
    let cut = [knot, nsd, ours].iter().all(|response| response.flags & 0x0200 != 0);
    let parts = if cut { &PARTS[..4] } else { PARTS };
    for (name, part) in parts {
        let (knot, nsd, ours) = (part(knot), part(nsd), part(ours));
        if knot == nsd && ours != knot {
            return Some(name);
        }
        peers_differ |= knot != nsd && *name != "additional";
    }
    peers_differ.then_some("peers")
}

/// The written decision that explains a difference, if one does.
fn decision(
    query: &[u8],
    ours: &Response,
    knot: &Response,
    nsd: &Response,
) -> Option<&'static str> {
    let (name, used) = Name::from_wire(&query[12..]).ok()?;
    let class = u16::from_be_bytes([query[14 + used], query[15 + used]]);
    if class != 1 && ours.rcode == 5 {
        return Some("class");
    }
    if name.as_ref().labels().any(|label| label.len() == 32) {
        return Some("hashed");
    }
    let aliases = |r: &Response| r.answer.iter().filter(|line| line.contains(" CNAME ")).count();
    if aliases(knot) >= 5 && knot.answer.iter().any(|line| line.contains(" DNAME ")) {
        return Some("loop");
    }
    let cut = |r: &Response| r.flags & 0x0200 != 0;
    let whole = |r: &Response| r.answer.is_subset(&ours.answer) && r.rcode == ours.rcode;
    if cut(knot) && cut(nsd) && !cut(ours) && whole(knot) && whole(nsd) {
        return Some("fits");
    }
    let more: Vec<_> = ours.authority.difference(&knot.authority).collect();
    let nsec = more.len() == 2 && more.iter().any(|line| line.contains(" NSEC "));
    if nsec && ours.rcode == 0 && knot.authority.is_subset(&ours.authority) {
        return Some("ent");
    }
    if cut(ours) && cut(knot) != cut(nsd) && ours.rcode == knot.rcode {
        return Some("cut");
    }
    let same = ours.answer == knot.answer && ours.authority == knot.authority;
    let proven = ours.authority.iter().any(|line| line.contains(" NSEC "));
    if cut(ours) && ours.rcode == 0 && same && proven && limit(query) < ours.octets + 200 {
        return Some("ent");
    }
    let mixed = query[12..12 + used].iter().any(u8::is_ascii_uppercase);
    let shorter = cut(ours) || ours.additional.is_subset(&knot.additional);
    if mixed && shorter && limit(query) < knot.octets.max(nsd.octets) + 64 {
        return Some("case");
    }
    None
}

/// Octets a response may have.
fn limit(query: &[u8]) -> usize {
    let (_, used) = Name::from_wire(&query[12..]).unwrap_or_else(|_| (Name::root(), 1));
    let size = query.get(16 + used + 3..16 + used + 5);
    size.map_or(512, |size| u16::from_be_bytes([size[0], size[1]]).clamp(512, 1232).into())
}

/// A query as people read it.
fn describe(query: &[u8]) -> String {
    let (name, used) = Name::from_wire(&query[12..]).unwrap();
    let word = |at: usize| u16::from_be_bytes([query[at], query[at + 1]]);
    let (rtype, class) = (word(12 + used), word(14 + used));
    let edns = query.get(16 + used + 3..).filter(|rest| rest.len() >= 6);
    let edns = edns.map(|opt| format!("size {} do {}", word(16 + used + 3), opt[4] >> 7));
    format!(
        "{name} {} {} flags {:04x} {}",
        gapura::wire::Class(class),
        gapura::wire::Rtype(rtype),
        word(2),
        edns.unwrap_or_default()
    )
}
