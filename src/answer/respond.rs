//! From a query's bytes to a response's: what is settled before any zone is looked at, the choice
//! of the zone, and the end of every response.
//!
//! ```text
//! silence   too short, QR=1, a source no reply may go to
//! error     opcode (NOTIMP) ─► form (FORMERR) ─► EDNS version (BADVERS) ─► cookie ─► TSIG (BADKEY)
//!           ─► access (REFUSED 18) ─► class and zone (REFUSED 21, 20) ─► not loaded (SERVFAIL 14)
//! verdict   NOTIFY, UPDATE, AXFR and IXFR over a stream: another room's work
//! answer    class CH, or the zone's data
//! ```

use crate::wire::header::Header;
use crate::wire::{Class, Opcode, Query, Question, Rcode, Rtype};
use crate::zone::{Entry, Zone, ZoneSet};

use super::chaos::answer_chaos;
use super::cookie::CookieResult;
use super::lookup::answer_from_zone;
use super::options::ZoneFacts;
use super::peer::{
    DropReason, Ede, Facts, Identity, Peer, ResponseKind, Transfer, Transport, Verdict,
};
use super::reply::{QNAME_OFFSET, Reply};
use super::scratch::Scratch;

/// Answers one message. Total: any bytes get a verdict, nothing panics, allocates or waits.
///
/// The response goes to the start of `out` and is never longer than `out`, than 64 KiB, or over UDP
/// than what the client and we take. Facts of it are then in `scratch`.
pub fn respond(
    zones: &ZoneSet,
    scratch: &mut Scratch,
    query: &[u8],
    peer: &Peer,
    out: &mut [u8],
) -> Verdict {
    let message = query;
    scratch.clear();
    let Some(header) = Header::of_query(message) else {
        return scratch.drop_query(DropReason::NotAQuery);
    };
    let query = Query::with_header(header, message);
    scratch.note(&query);
    if peer.is_unanswerable() {
        return scratch.drop_query(DropReason::Source);
    }
    let Scratch { identity, facts, chain, targets, .. } = scratch;
    let identity: &Identity = identity;
    facts.cookie = judge_cookie(&query, peer, identity);
    let triage = triage(&query, peer, facts.cookie);
    if let Triage::Elsewhere(verdict) = triage {
        return verdict;
    }
    let Some(mut reply) = Reply::start(&query, message, facts, identity, peer, out) else {
        facts.dropped = Some(DropReason::Buffer);
        return Verdict::Drop;
    };
    let kind = match triage {
        Triage::Error(rcode, ede) => {
            reply.error(rcode, ede);
            ResponseKind::Error
        }
        Triage::BadKey => {
            if let Some(tsig) = query.tsig {
                reply.bad_key(tsig);
            }
            ResponseKind::Error
        }
        Triage::CookieOnly | Triage::Elsewhere(_) => ResponseKind::Nodata,
        Triage::Question(question) if question.class == Class::CH => {
            answer_chaos(&mut reply, &question, identity)
        }
        Triage::Question(question) => match choose_zone(zones, &question) {
            Ok(zone) => {
                note_zone(zone, &mut reply, facts);
                answer_from_zone(zone, &question, &mut reply, chain, targets, facts)
            }
            Err((rcode, ede)) => {
                reply.error(rcode, Some(ede));
                ResponseKind::Error
            }
        },
    };
    Verdict::Reply(reply.finish(facts, kind))
}

/// Answers a message with an error, whatever it asks: for the verdicts another room takes over and
/// then declines, and for queries that are over a limit.
pub fn refuse(
    scratch: &mut Scratch,
    query: &[u8],
    peer: &Peer,
    rcode: Rcode,
    ede: Option<Ede>,
    out: &mut [u8],
) -> Verdict {
    let message = query;
    scratch.clear();
    let Some(header) = Header::of_query(message) else {
        return scratch.drop_query(DropReason::NotAQuery);
    };
    let query = Query::with_header(header, message);
    scratch.note(&query);
    let Scratch { identity, facts, .. } = scratch;
    facts.cookie = judge_cookie(&query, peer, identity);
    let Some(mut reply) = Reply::start(&query, message, facts, identity, peer, out) else {
        facts.dropped = Some(DropReason::Buffer);
        return Verdict::Drop;
    };
    reply.error(rcode, ede);
    Verdict::Reply(reply.finish(facts, ResponseKind::Error))
}

//------------ Triage --------------------------------------------------------

/// What is settled before any zone is looked at.
enum Triage<'m> {
    /// An error, with its extended code.
    Error(Rcode, Option<Ede>),
    /// A TSIG whose key nobody here knows.
    BadKey,
    /// No question, only a cookie (RFC 7873 §5.4).
    CookieOnly,
    /// Another room's work.
    Elsewhere(Verdict),
    /// A question for a zone or, in class CH, for the server itself.
    Question(Question<'m>),
}

/// Sorts a query.
fn triage<'m>(query: &Query<'m>, peer: &Peer, cookie: CookieResult) -> Triage<'m> {
    let opcode = query.header.opcode();
    if !matches!(opcode, Opcode::QUERY | Opcode::NOTIFY | Opcode::UPDATE) {
        return Triage::Error(Rcode::NOTIMP, Some(Ede::NOT_SUPPORTED));
    }
    if query.malformed {
        return Triage::Error(Rcode::FORMERR, None);
    }
    // Before the cookie: what options of another version mean nobody knows.
    if query.edns.is_some_and(|edns| edns.version > 0) {
        return Triage::Error(Rcode::BADVERS, None);
    }
    if cookie == CookieResult::Malformed {
        return Triage::Error(Rcode::FORMERR, None);
    }
    if query.tsig.is_some() {
        return Triage::BadKey;
    }
    let Some(question) = query.question else {
        return triage_without_question(opcode, cookie);
    };
    if opcode == Opcode::NOTIFY {
        return Triage::Elsewhere(Verdict::Notify { serial: query.answer_serial });
    }
    if opcode == Opcode::UPDATE {
        return Triage::Elsewhere(Verdict::Update);
    }
    if !peer.allowed {
        return Triage::Error(Rcode::REFUSED, Some(Ede::PROHIBITED));
    }
    if peer.limited && cookie == CookieResult::Bad && peer.transport == Transport::Udp {
        return Triage::Error(Rcode::BADCOOKIE, None);
    }
    if !matches!(question.class, Class::IN | Class::CH) {
        return Triage::Error(Rcode::REFUSED, Some(Ede::NOT_SUPPORTED));
    }
    triage_transfer(query, question, peer)
}

/// Sorts a query without a question: it may ask for a server cookie, or whether the one it has is
/// still good (RFC 7873 §5.4), and nothing else.
fn triage_without_question<'m>(opcode: Opcode, cookie: CookieResult) -> Triage<'m> {
    match cookie {
        CookieResult::ClientOnly | CookieResult::Valid if opcode == Opcode::QUERY => {
            Triage::CookieOnly
        }
        CookieResult::Bad if opcode == Opcode::QUERY => Triage::Error(Rcode::BADCOOKIE, None),
        _ => Triage::Error(Rcode::FORMERR, None),
    }
}

/// Sorts out AXFR and IXFR. Over UDP the first is refused, and the second is answered with the
/// current SOA, from which the client sees that it has to come by TCP (RFC 1995 §2).
fn triage_transfer<'m>(query: &Query<'m>, question: Question<'m>, peer: &Peer) -> Triage<'m> {
    if question.class != Class::IN {
        return Triage::Question(question);
    }
    let udp = peer.transport == Transport::Udp;
    match (question.rtype, query.authority_serial) {
        (Rtype::AXFR, _) if udp => Triage::Error(Rcode::REFUSED, Some(Ede::NOT_SUPPORTED)),
        (Rtype::AXFR, _) => Triage::Elsewhere(Verdict::Transfer(Transfer::Full)),
        (Rtype::IXFR, None) => Triage::Error(Rcode::FORMERR, None),
        (Rtype::IXFR, Some(_)) if udp => Triage::Question(question),
        (Rtype::IXFR, Some(serial)) => {
            Triage::Elsewhere(Verdict::Transfer(Transfer::Since(serial)))
        }
        _ => Triage::Question(question),
    }
}

/// What the query's cookie is worth.
fn judge_cookie(query: &Query<'_>, peer: &Peer, identity: &Identity) -> CookieResult {
    let payload = query.edns.and_then(|edns| edns.cookie);
    match (payload, &identity.cookies) {
        (Some(payload), Some(secrets)) => secrets
            .judge(payload, peer.address, peer.now_seconds)
            .unwrap_or(CookieResult::Malformed),
        _ => CookieResult::None,
    }
}

//------------ Zone ----------------------------------------------------------

/// The zone that answers: the longest match. DS belongs to the parent, if that is ours too (RFC 4035
/// §3.1.4.1). IXFR has come over UDP and needs the apex itself.
fn choose_zone<'z>(zones: &'z ZoneSet, question: &Question<'_>) -> Result<&'z Zone, (Rcode, Ede)> {
    let not_ours = (Rcode::REFUSED, Ede::NOT_AUTHORITATIVE);
    let mut found = zones.find(question.name).ok_or(not_ours)?;
    if question.rtype == Rtype::DS
        && found.apex() == question.name
        && let Some(parent) = question.name.parent().and_then(|name| zones.find(name))
    {
        found = parent;
    }
    if question.rtype == Rtype::IXFR && found.apex() != question.name {
        return Err((Rcode::NOTAUTH, Ede::NOT_AUTHORITATIVE));
    }
    match found {
        Entry::Loaded(zone) => Ok(zone),
        Entry::NotLoaded(_) => Err((Rcode::SERVFAIL, Ede::NOT_READY)),
    }
}

/// Notes which version of which zone answers.
fn note_zone(zone: &Zone, reply: &mut Reply<'_, '_>, facts: &mut Facts) {
    let apex = zone.apex();
    facts.apex_octets = apex.wire().len() as u8;
    reply.zone = Some(ZoneFacts {
        labels: zone.apex_labels(),
        serial: zone.serial(),
        expire: zone.soa().expire,
    });
}

//------------ Scratch -------------------------------------------------------

impl Scratch {
    /// Notes what the query says of itself.
    fn note(&mut self, query: &Query<'_>) {
        self.facts.opcode = query.header.opcode();
        self.facts.query_flags = query.header.flags;
        if let Some(question) = &query.question {
            self.facts.qtype = question.rtype;
            self.facts.qclass = question.class;
            self.chain.push(question.name, usize::from(QNAME_OFFSET));
        }
        if let Some(edns) = &query.edns {
            self.facts.edns_size = Some(edns.udp_size);
            self.facts.dnssec_ok = edns.dnssec_ok;
        }
    }

    /// Notes why nothing is sent.
    fn drop_query(&mut self, reason: DropReason) -> Verdict {
        self.facts.dropped = Some(reason);
        Verdict::Drop
    }
}
