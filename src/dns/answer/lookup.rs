//! Finding the answer in one zone: outcome × section (RFC 1034 §4.3.2, RFC 4592, RFC 6672).
//!
//! ```text
//! answer      step ─► Follow ─► step ─► … ─► Hit │ Nodata │ Nxdomain │ Referral │ Stop │ TooLong │ Full
//! authority   by the last outcome: nothing │ SOA │ NS at the cut; with DO the proofs
//! additional  by the last outcome: glue │ addresses of the hosts named in the answer
//! ```
//!
//! Each name of a CNAME or DNAME chain is one step. The outcome of the last one determines the
//! response code and the authority section (RFC 6604).

use crate::wire::{NAME_OCTETS_MAX, NameRef, Question, Rcode, Rtype};
use crate::zone::{Found, NodeRef, RrsetRef, Zone};

use super::chain::Chain;
use super::peer::{Facts, ResponseKind};
use super::proof::Proofs;
use super::put::{Owner, Put, Targets};
use super::reply::{Reply, Section};

//------------ Outcome -------------------------------------------------------

/// The outcome of one name of the chain.
#[derive(Clone, Copy, Debug)]
enum Outcome<'z> {
    /// Data of the type asked for; with the node and the set if they name hosts in the zone.
    Hit(Option<(NodeRef<'z>, RrsetRef<'z>)>),
    /// The name exists and has no such type.
    Nodata(NodeRef<'z>),
    /// The name does not exist.
    Nxdomain,
    /// The name is at or below this zone cut.
    Referral(NodeRef<'z>),
    /// The chain has got another name.
    Follow,
    /// The chain ends: it leaves the zone, comes back to itself or is too long.
    Stop,
    /// The name a DNAME makes is too long (RFC 6672 §2.2).
    TooLong,
    /// The answer does not fit.
    Full,
}

//------------ Lookup --------------------------------------------------------

/// The state of one query's lookup in a zone.
pub(crate) struct Lookup<'z, 'o, 's> {
    /// The zone.
    pub(super) zone: &'z Zone,
    /// The type asked for.
    qtype: Rtype,
    /// Whether signatures and proofs are wanted.
    pub(super) dnssec: bool,
    /// The response.
    pub(super) reply: &'s mut Reply<'z, 'o>,
    /// The names so far.
    pub(super) chain: &'s mut Chain,
    /// Where the hosts are that the answer names.
    pub(super) targets: &'s mut Targets,
    /// Bit n: the name n of the chain was answered from a wildcard.
    wildcards: u32,
}

/// Answers `question`, whose name begins the chain, from `zone`, where its node may be known already; the response
/// then lacks its OPT and header.
#[inline]
pub(crate) fn answer_from_zone<'z>(
    (zone, node): (&'z Zone, Option<NodeRef<'z>>),
    question: &Question<'_>,
    reply: &mut Reply<'z, '_>,
    chain: &mut Chain,
    targets: &mut Targets,
    facts: &mut Facts,
) -> ResponseKind {
    targets.clear();
    // IXFR over UDP gets the current serial (RFC 1995 §2).
    let qtype = if question.rtype == Rtype::IXFR { Rtype::SOA } else { question.rtype };
    let dnssec = facts.dnssec_ok && zone.is_signed();
    let mut lookup = Lookup { zone, qtype, dnssec, reply, chain, targets, wildcards: 0 };
    let kind = lookup.run(node);
    facts.wildcard = lookup.wildcards != 0;
    kind
}

impl<'z> Lookup<'z, '_, '_> {
    /// The three sections in wire order. `node` is the first name's, if it is known.
    fn run(&mut self, mut node: Option<NodeRef<'z>>) -> ResponseKind {
        let (found, outcome) = loop {
            let found = match node.take() {
                Some(node) => self.zone.at(node),
                None => self.zone.lookup(self.chain.name(self.chain.last())),
            };
            match self.step(&found) {
                Outcome::Follow => {}
                outcome => break (found, outcome),
            }
        };
        let first = self.chain.last() == 0;
        if !(first && matches!(outcome, Outcome::Referral(_))) {
            self.reply.set_authoritative();
        }
        let whole = !matches!(outcome, Outcome::Full)
            && self.authority(&found, outcome)
            && self.additional(outcome);
        if !whole {
            self.reply.set_truncated();
        }
        match outcome {
            Outcome::Nodata(_) => ResponseKind::Nodata,
            Outcome::Nxdomain => ResponseKind::Nxdomain,
            Outcome::Referral(_) if first => ResponseKind::Referral,
            _ => ResponseKind::Positive,
        }
    }

    //--- Answer

    /// Looks at the last name of the chain and puts what belongs into the answer section.
    fn step(&mut self, found: &Found<'z>) -> Outcome<'z> {
        let exact = found.exact();
        if let Some(cut) = found.cut() {
            // RFC 4035 §3.1.4.1: DS belongs to this side of the cut.
            let here = exact.is_some_and(|node| node.is_cut());
            if !(here && self.qtype == Rtype::DS) {
                return Outcome::Referral(cut);
            }
        } else if let Some(dname) = found.dname() {
            return self.step_dname(dname);
        }
        let node = match exact {
            Some(node) => node,
            None => {
                let Some(source) = found.wildcard() else {
                    return Outcome::Nxdomain;
                };
                self.wildcards |= 1 << self.chain.last();
                source
            }
        };
        self.step_node(node)
    }

    /// Puts the data of the node that answers for the last name of the chain.
    fn step_node(&mut self, node: NodeRef<'z>) -> Outcome<'z> {
        let set = match self.qtype {
            Rtype::ANY => any_of(node),
            Rtype::RRSIG => return self.step_signatures(node),
            qtype => node.rrset(qtype),
        };
        if let Some(set) = set {
            let wants_targets = set.has_target_in_zone();
            let targets = if wants_targets { Some(&mut *self.targets) } else { None };
            let put = Put::new(Section::Answer, self.chain.owner(self.chain.last()));
            return if self.reply.put_rrset(set, put.signed(self.dnssec), targets) {
                Outcome::Hit(wants_targets.then_some((node, set)))
            } else {
                Outcome::Full
            };
        }
        match node.rrset(Rtype::CNAME) {
            Some(cname) => self.step_cname(cname),
            None => Outcome::Nodata(node),
        }
    }

    /// QTYPE RRSIG: the signatures of one RRset (RFC 8482 §7 in spirit).
    fn step_signatures(&mut self, node: NodeRef<'z>) -> Outcome<'z> {
        let Some(set) = node.rrsets().find(|set| set.signature_count() > 0) else {
            return Outcome::Nodata(node);
        };
        let put = Put::new(Section::Answer, self.chain.owner(self.chain.last()));
        if self.reply.put_only_signatures(set, put) { Outcome::Hit(None) } else { Outcome::Full }
    }

    /// Puts a CNAME and continues at its target, if that is in the zone and new.
    fn step_cname(&mut self, cname: RrsetRef<'z>) -> Outcome<'z> {
        let put = Put::new(Section::Answer, self.chain.owner(self.chain.last()));
        if !self.reply.put_rrset(cname, put.signed(self.dnssec), Some(&mut *self.targets)) {
            return Outcome::Full;
        }
        let Ok((target, _)) = NameRef::from_wire(cname.first()) else {
            return Outcome::Stop;
        };
        let offset = match self.targets.owner(0, target) {
            Some(Owner::At(offset)) => usize::from(offset),
            _ => usize::MAX,
        };
        self.targets.clear();
        self.follow(target, offset)
    }

    /// Puts a DNAME and the CNAME synthesized from it, and continues at the target.
    fn step_dname(&mut self, node: NodeRef<'z>) -> Outcome<'z> {
        let Some(dname) = node.rrset(Rtype::DNAME) else {
            return Outcome::Nxdomain;
        };
        let Ok((suffix, _)) = NameRef::from_wire(dname.first()) else {
            return Outcome::Stop;
        };
        let put = Put::new(Section::Answer, Owner::Spelled(node.owner()));
        let known = self.chain.note_redirect(node.owner());
        let fits = known || self.reply.put_rrset(dname, put.signed(self.dnssec), None);
        let mut room = [0; NAME_OCTETS_MAX];
        let Some(target) = self.chain.substitute(node.owner(), suffix, &mut room) else {
            if !fits {
                self.reply.set_truncated();
            }
            return Outcome::TooLong;
        };
        if !fits {
            return Outcome::Full;
        }
        let owner = self.chain.owner(self.chain.last());
        match self.reply.put_synthesised_cname(owner, dname.ttl(), target.wire()) {
            Some(_) if self.qtype == Rtype::CNAME => Outcome::Hit(None),
            // It would redirect its own target, a longer name each time.
            Some(_) if suffix.is_at_or_below(node.owner()) => Outcome::Stop,
            Some(offset) => self.follow(target, offset),
            None => Outcome::Full,
        }
    }

    /// Makes `target` the next name of the chain.
    fn follow(&mut self, target: NameRef<'_>, offset: usize) -> Outcome<'z> {
        let inside = target.is_at_or_below(self.zone.apex());
        if !inside || self.chain.is_full() || self.chain.holds(target) {
            return Outcome::Stop;
        }
        self.chain.push(target, offset);
        Outcome::Follow
    }

    //--- Authority

    /// Fills the authority section; false if something that belongs there did not fit.
    fn authority(&mut self, found: &Found<'z>, outcome: Outcome<'z>) -> bool {
        let done = match outcome {
            Outcome::Nodata(_) => self.reply.put_negative_soa(self.zone, self.dnssec),
            Outcome::Nxdomain => {
                self.reply.rcode = Rcode::NXDOMAIN;
                self.reply.put_negative_soa(self.zone, self.dnssec)
            }
            Outcome::Referral(cut) => self.put_cut(cut),
            Outcome::TooLong => {
                self.reply.rcode = Rcode::YXDOMAIN;
                true
            }
            Outcome::Hit(_) | Outcome::Follow | Outcome::Stop | Outcome::Full => true,
        };
        done && (!self.dnssec || self.prove(found, outcome))
    }

    /// The NS of a cut, and with DO its DS.
    fn put_cut(&mut self, cut: NodeRef<'z>) -> bool {
        let Some(ns) = cut.rrset(Rtype::NS) else {
            return true;
        };
        self.targets.clear();
        let put = Put::new(Section::Authority, Owner::Spelled(cut.owner()));
        if !self.reply.put_rrset(ns, put, Some(&mut *self.targets)) {
            return false;
        }
        match cut.rrset(Rtype::DS).filter(|_| self.dnssec) {
            Some(ds) => self.reply.put_rrset(ds, put.signed(true), None),
            None => true,
        }
    }

    /// The proofs of a signed zone (RFC 4035 §3.1.3, RFC 5155 §7.2).
    fn prove(&mut self, found: &Found<'z>, outcome: Outcome<'z>) -> bool {
        let mut proofs = Proofs::new();
        proofs.prove_wildcards(self.zone, self.chain, self.wildcards);
        let name = self.chain.name(self.chain.last());
        match outcome {
            Outcome::Nodata(node) => {
                proofs.prove_nodata(self.zone, name, found, node);
            }
            Outcome::Nxdomain => proofs.prove_nxdomain(self.zone, name, found),
            Outcome::Referral(cut) if cut.rrset(Rtype::DS).is_none() => {
                proofs.prove_no_ds(self.zone, cut);
            }
            _ => {}
        }
        proofs.iter().all(|(owner, set)| {
            let put = Put::new(Section::Authority, Owner::Spelled(owner)).signed(true);
            self.reply.put_rrset(set, put, None)
        })
    }

    //--- Additional

    /// Fills the additional section; false if glue that is not optional did not fit (RFC 9471).
    fn additional(&mut self, outcome: Outcome<'z>) -> bool {
        match outcome {
            Outcome::Referral(cut) => match cut.rrset(Rtype::NS) {
                Some(ns) => self.put_glue(cut, ns),
                None => true,
            },
            Outcome::Hit(Some((node, set))) => {
                self.put_targets(node, set);
                true
            }
            _ => true,
        }
    }
}

/// The one RRset that QTYPE ANY gets (RFC 8482 §4.1): the first by type, as Knot and NSD where they give
/// but one, and of the zone's own data as long as there is any besides the chain of NSEC.
fn any_of(node: NodeRef<'_>) -> Option<RrsetRef<'_>> {
    node.rrsets().find(|set| set.rtype() != Rtype::NSEC).or_else(|| node.rrset(Rtype::NSEC))
}
