//! Random signed zones, served by the daemon and validated by a real Unbound: no answer may be bogus.
//!
//! The zones are those of the differential test, signed by BIND, Knot, ldns and our own signer with NSEC, NSEC3 and
//! NSEC3 with opt-out. Every delegation has its child here, signed or not. The daemon loads the signed
//! files, so its checks are held against what four signers write, too.
//!
//! `GAPURA_VALIDATED_SEED=S` starts elsewhere, `GAPURA_VALIDATED_ROUNDS=N` runs longer. Without the
//! programs it says "skipped"; with `GAPURA_REQUIRE_PEERS=1` it then fails.

mod resolver;
mod world;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use gapura::dns_client::{Transport, exchange};
use gapura::wire::{Name, NameRef, Record, Rtype, rdata};
use gapura::zone::{NodeRef, Zone};

use self::resolver::Resolver;
use self::world::{Proof, SignedZone, World};
use super::canon;
use super::differential::{Random, generate};
use super::engine::Query;

/// Queries to each zone of a round.
const QUERIES: usize = 120;
/// Wrong answers that are printed.
const PRINTED: usize = 6;
/// How long a round may ask.
const ROUND: Duration = Duration::from_secs(10);

#[test]
fn no_answer_is_bogus_to_unbound() {
    if let Err(missing) = world::installed() {
        return crate::skipped::skipped(&format!("{missing} not found"));
    }
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
    let rounds: u64 = number("GAPURA_VALIDATED_ROUNDS").unwrap_or(1);
    let seed: u64 = number("GAPURA_VALIDATED_SEED").unwrap_or(1);
    let mut tally = Tally::default();
    for round in seed..seed + rounds {
        let world = World::start(round);
        let resolver = Resolver::start(&world);
        let mut random = Random::new(round);
        let until = Instant::now() + ROUND;
        // In turns, so that a slow machine asks all zones, only less.
        for _ in 0..QUERIES {
            for zone in &world.zones {
                if Instant::now() < until {
                    tally.ask(world.server, resolver.address, zone, &mut random);
                }
            }
        }
    }
    println!("{tally:?}");
    assert_eq!(tally.wrong, 0, "{tally:?}");
    // Nothing validated would be nothing shown.
    assert!(tally.secure * 3 > tally.asked && tally.insecure > 0, "{tally:?}");
}

/// What came of the queries.
#[derive(Debug, Default)]
struct Tally {
    /// Queries asked.
    asked: usize,
    /// Answers that Unbound found secure.
    secure: usize,
    /// Answers that Unbound found insecure: opt-out, unsigned children.
    insecure: usize,
    /// Answers, of aliases mostly, that Unbound is known not to follow.
    unfollowed: usize,
    /// Names whose absence nothing proves to Unbound.
    unprovable: usize,
    /// Answers that Unbound did not accept.
    wrong: usize,
}

impl Tally {
    /// Asks one random query about a zone.
    fn ask(
        &mut self,
        server: SocketAddr,
        resolver: SocketAddr,
        zone: &SignedZone,
        random: &mut Random,
    ) {
        let name = generate::query_name(&zone.generated, random);
        let rtype = Rtype(*random.pick(&[
            1, 1, 1, 1, 1, 28, 16, 5, 2, 43, 43, 15, 33, 39, 6, 47, 12, 257, 64, 65280, 48,
        ]));
        let apex = zone.generated.apex.as_ref();
        // The zone above is unsigned; it is asked for the DS, too.
        if !name.as_ref().is_at_or_below(apex) || rtype == Rtype::DS && name.as_ref() == apex {
            return;
        }
        self.asked += 1;
        let (direct, _) = ask(server, &name, rtype);
        // Unbound takes the CNAME that a DNAME makes for unsigned where its type, or DNAME, is asked for.
        let is_redirect = matches!(rtype, Rtype::CNAME | Rtype::DNAME) && direct.has_dname();
        let last = direct.aliases().pop().unwrap_or_else(|| name.clone());
        let is_apex_ds = rtype == Rtype::DS && last.as_ref() == apex;
        let is_odd = direct.repeats_dname() || direct.makes_asterisk(&zone.zone);
        let is_chain = is_endless(&direct) || is_redirect || below_alias(&zone.zone, &last);
        if is_apex_ds || is_odd || is_chain {
            return self.unfollowed += 1;
        }
        let (validated, rcode) = ask(resolver, &name, rtype);
        if rcode == 2 && is_unprovable(&zone.zone, &last) {
            return self.unprovable += 1;
        }
        let is_secure = validated.flags & 0x0020 != 0;
        self.secure += usize::from(is_secure);
        self.insecure += usize::from(!is_secure);
        // YXDOMAIN is never secure.
        let is_whole = zone.proof != Proof::OptOut
            && direct.flags & 15 != 6
            && zone.zone.lookup(name.as_ref()).cut().is_none();
        let must_be_secure =
            is_whole && direct.ends_in(&zone.zone) && validated.ends_in(&zone.zone);
        if rcode == 2 || must_be_secure && !is_secure {
            self.wrong += 1;
            if self.wrong <= PRINTED {
                let (proof, signer) = (zone.proof, zone.signer);
                println!("--- {name} {rtype}: rcode {rcode} ad {is_secure}; {proof:?} by {signer}");
                println!("{direct}{validated}{}", zone.generated.text);
            }
        }
    }
}

/// A response, as far as it is looked at here.
struct Answer {
    /// The header's flags.
    flags: u16,
    /// The three sections.
    sections: [Vec<Record>; 3],
}

impl Answer {
    /// The targets of its CNAMEs, in their order.
    fn aliases(&self) -> Vec<Name> {
        let aliases = self.sections[0].iter().filter(|record| record.rtype == Rtype::CNAME);
        aliases.map(|record| Name::from_wire(&record.rdata).unwrap().0).collect()
    }

    /// Whether a DNAME redirects.
    fn has_dname(&self) -> bool {
        let mut records = self.sections[0].iter();
        !self.aliases().is_empty() && records.any(|record| record.rtype == Rtype::DNAME)
    }

    /// Whether a chain passes one DNAME twice. It stands in the answer once (RFC 2181 §5), and Unbound
    /// looks for it right before each CNAME that it makes.
    fn repeats_dname(&self) -> bool {
        let of = |rtype| self.sections[0].iter().filter(move |record| record.rtype == rtype);
        of(Rtype::DNAME).any(|dname| {
            let owner = dname.owner.as_ref();
            let below = |name: NameRef<'_>| name != owner && name.is_at_or_below(owner);
            of(Rtype::CNAME).filter(|cname| below(cname.owner.as_ref())).count() > 1
        })
    }

    /// Whether a name that begins with an asterisk is made from a wildcard further up: Unbound takes the
    /// asterisk for that of the wildcard.
    fn makes_asterisk(&self, zone: &Zone) -> bool {
        let owners = self.sections[0].iter().map(|record| record.owner.as_ref());
        owners.into_iter().any(|owner| owner.is_wildcard() && zone.node(owner).is_none())
    }

    /// Whether the chain of aliases ends in the zone itself, not in a child and not outside.
    fn ends_in(&self, zone: &Zone) -> bool {
        let is_here = |name: &Name| {
            name.as_ref().is_at_or_below(zone.apex()) && zone.lookup(name.as_ref()).cut().is_none()
        };
        self.aliases().last().is_none_or(is_here)
    }
}

impl std::fmt::Display for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "flags {:04x}", self.flags)?;
        for (section, records) in ["answer", "authority", "additional"].iter().zip(&self.sections) {
            for Record { owner, rtype, rdata, .. } in records {
                let text = rdata::to_text(*rtype, rdata);
                writeln!(f, "    {section} {owner} {rtype} {}", &text[..text.len().min(120)])?;
            }
        }
        Ok(())
    }
}

/// Asks with DO; over TCP what is truncated.
fn ask(server: SocketAddr, name: &Name, rtype: Rtype) -> (Answer, u16) {
    let query = Query::new(&name.to_string(), rtype).flags(0x0100).edns(1232, 0x8000, &[]).bytes();
    let over = |transport| exchange(server, &query, transport, Duration::from_secs(10));
    let mut reply = over(Transport::Udp).unwrap_or_else(|error| panic!("{name} {rtype}: {error}"));
    if reply[2] & 2 != 0 {
        reply = over(Transport::Tcp).unwrap_or_else(|error| panic!("{name} {rtype}: {error}"));
    }
    let (flags, sections) = canon::sections(&reply);
    (Answer { flags, sections }, flags & 15)
}

/// Whether a chain of aliases is longer than resolvers follow, or comes back to where it was.
fn is_endless(answer: &Answer) -> bool {
    let aliases = answer.aliases();
    let again = |last: &Name| {
        answer.sections[0].iter().any(|record| match record.rtype {
            Rtype::CNAME => record.owner == *last,
            Rtype::DNAME => last.as_ref().is_at_or_below(record.owner.as_ref()),
            _ => false,
        })
    };
    aliases.len() > 7 || aliases.last().is_some_and(again)
}

/// Whether a child is below an alias: on its way down Unbound asks for the DS there, too, and follows it,
/// loops included.
fn below_alias(zone: &Zone, name: &Name) -> bool {
    if !name.as_ref().is_at_or_below(zone.apex()) || zone.lookup(name.as_ref()).cut().is_none() {
        return false;
    }
    let mut above = name.as_ref().parent();
    while let Some(name) = above {
        if zone.node(name).is_some_and(|node| node.rrset(Rtype::CNAME).is_some()) {
            return true;
        }
        above = name.parent();
    }
    false
}

/// Whether no proof satisfies Unbound. With NSEC: a wildcard that exists only because names below it do;
/// Unbound does not take the NSEC before it for a proof that it is empty. With NSEC3: a name that is absent
/// below an empty non-terminal which opt-out leaves out of the chain, beside a wildcard; the only encloser
/// that the chain can prove has that wildcard, which then seems to answer.
fn is_unprovable(zone: &Zone, name: &Name) -> bool {
    if !name.as_ref().is_at_or_below(zone.apex()) {
        return false;
    }
    let found = zone.lookup(name.as_ref());
    let Some(params) = zone.nsec3_params() else {
        return found.wildcard().is_some_and(NodeRef::is_empty_non_terminal);
    };
    let is_proven = |name| zone.nsec3(&params.hash(name)).is_some_and(|found| found.matches);
    let mut encloser = Some(found.encloser().owner());
    while let Some(name) = encloser.filter(|name| !is_proven(*name)) {
        encloser = name.parent();
    }
    let proven = encloser.and_then(|name| zone.node(name));
    let is_higher = |node: &NodeRef<'_>| node.owner() != found.encloser().owner();
    found.exact().is_none() && proven.filter(is_higher).is_some_and(NodeRef::has_wildcard_child)
}
