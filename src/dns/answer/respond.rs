//! From the bytes of a query to those of its response: what is decided before any zone is looked at,
//! the choice of the zone, and the end of every response.
//!
//! ```text
//! silence   too short, QR=1, a source that must not get a reply
//! verdict   signed (TSIG): asked again without its TSIG, once that is verified
//! error     opcode (NOTIMP) ─► form (FORMERR) ─► EDNS version (BADVERS) ─► cookie
//!           ─► access (REFUSED 18) ─► class and zone (REFUSED 21, 20) ─► not loaded (SERVFAIL 14)
//! verdict   NOTIFY, UPDATE, AXFR over a stream, IXFR: performed outside the engine
//! answer    class CH, or the zone's data
//! ```

use std::ops::ControlFlow::{self, Break, Continue};

use crate::wire::header::Header;
use crate::wire::{Class, Opcode, Query, Question, Rcode, Rtype};
use crate::zone::{Entry, Near, NodeRef, Zone, ZoneSet};

use super::chaos::answer_chaos;
use super::cookie::CookieResult;
use super::lookup::answer_from_zone;
use super::peer::{
    DropReason, Ede, Facts, Identity, Outcome, Peer, ResponseKind, Transfer, Transport, Verdict,
};
use super::reply::Reply;
use super::scratch::Scratch;

/// Answers one message. Total: any bytes get a verdict; nothing panics, allocates or waits.
///
/// The response goes to the start of `out` and is never longer than `out`, than 64 KiB, or over UDP
/// than what the client and we accept. Facts about it are then in `scratch`.
pub fn respond(
    zones: &ZoneSet,
    scratch: &mut Scratch,
    message: &[u8],
    peer: &Peer<'_>,
    out: &mut [u8],
) -> Verdict {
    respond_near(zones, None, scratch, message, peer, out)
}

/// The same, with what was found of the QNAME ahead ([`crate::zone::look_ahead`]).
pub fn respond_near<'z>(
    zones: &'z ZoneSet,
    near: Option<Near<'z>>,
    scratch: &mut Scratch,
    message: &[u8],
    peer: &Peer<'_>,
    out: &mut [u8],
) -> Verdict {
    process(scratch, message, peer, out, |query, cookie| triage(query, peer, cookie, zones, near))
}

/// Answers a message with an error, whatever it asks: for an operation that this server does not
/// perform, and for what a transport cannot carry.
pub fn refuse(
    scratch: &mut Scratch,
    message: &[u8],
    peer: &Peer<'_>,
    rcode: Rcode,
    ede: Option<Ede>,
    out: &mut [u8],
) -> Verdict {
    conclude(scratch, message, peer, Outcome { rcode, ede, text: "", authoritative: false }, out)
}

/// Answers a message with what came of an operation that was performed outside the engine: header and
/// question (RFC 1996 §3.7, RFC 2136 §3.8).
#[cold]
pub fn conclude(
    scratch: &mut Scratch,
    message: &[u8],
    peer: &Peer<'_>,
    outcome: Outcome<'_>,
    out: &mut [u8],
) -> Verdict {
    process(scratch, message, peer, out, |_, _| Continue(Task::Outcome(outcome)))
}

/// Answers a message with all but the records, which a transfer of the zone writes: header, question, OPT.
#[cold]
pub fn frame(
    scratch: &mut Scratch,
    message: &[u8],
    peer: &Peer<'_>,
    zone: &Zone,
    out: &mut [u8],
) -> Verdict {
    process(scratch, message, peer, out, |_, _| Continue(Task::Frame(zone)))
}

/// Reads a message, has `triage` decide what to do with it, and writes the response.
#[inline]
fn process<'a>(
    scratch: &mut Scratch,
    message: &'a [u8],
    peer: &Peer<'_>,
    out: &mut [u8],
    triage: impl FnOnce(&Query<'a>, CookieResult) -> ControlFlow<Verdict, Task<'a>>,
) -> Verdict {
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
    let task = match triage(&query, facts.cookie) {
        Continue(task) => task,
        Break(verdict) => return verdict,
    };
    let Some(mut reply) = Reply::start(&query, message, facts, identity, peer, out) else {
        facts.dropped = Some(DropReason::Buffer);
        return Verdict::Drop;
    };
    let kind = match task {
        Task::Error(rcode, ede) => {
            reply.error(rcode, ede);
            ResponseKind::Error
        }
        Task::Outcome(outcome) => {
            reply.error(outcome.rcode, outcome.ede);
            reply.note = outcome.text;
            if outcome.authoritative {
                reply.set_authoritative();
            }
            ResponseKind::Error
        }
        Task::Frame(zone) => {
            note_zone(zone, &mut reply, facts);
            reply.set_authoritative();
            reply.leave_out_padding();
            ResponseKind::Positive
        }
        Task::CookieOnly => ResponseKind::Nodata,
        Task::Chaos(question) => answer_chaos(&mut reply, &question, identity),
        Task::Question(zones, near, question) => match choose_zone(zones, near, &question) {
            Ok((zone, node)) => {
                note_zone(zone, &mut reply, facts);
                answer_from_zone((zone, node), &question, &mut reply, chain, targets, facts)
            }
            Err((rcode, ede)) => {
                reply.error(rcode, Some(ede));
                ResponseKind::Error
            }
        },
    };
    Verdict::Reply(reply.finish(facts, kind))
}

//------------ Triage --------------------------------------------------------

/// What the response is made of.
enum Task<'a> {
    /// An error, with its extended code.
    Error(Rcode, Option<Ede>),
    /// What came of an operation outside the engine.
    Outcome(Outcome<'a>),
    /// All but the records of a transfer of this zone.
    Frame(&'a Zone),
    /// A cookie and nothing else (RFC 7873 §5.4).
    CookieOnly,
    /// What the server says about itself, in class CH.
    Chaos(Question<'a>),
    /// The data of a zone, and what was found ahead.
    Question(&'a ZoneSet, Option<Near<'a>>, Question<'a>),
}

/// Decides what to do with a query. Breaks off with the verdict for operations that are performed
/// outside the engine.
fn triage<'a>(
    query: &Query<'a>,
    peer: &Peer<'_>,
    cookie: CookieResult,
    zones: &'a ZoneSet,
    near: Option<Near<'a>>,
) -> ControlFlow<Verdict, Task<'a>> {
    let error = |rcode, ede| Continue(Task::Error(rcode, ede));
    // First of all, because any response to it has to be signed.
    if let Some(at) = query.tsig
        && !query.malformed
    {
        return Break(Verdict::Signed { at });
    }
    let opcode = query.header.opcode();
    if !matches!(opcode, Opcode::QUERY | Opcode::NOTIFY | Opcode::UPDATE) {
        return error(Rcode::NOTIMP, Some(Ede::NOT_SUPPORTED));
    }
    if query.malformed {
        return error(Rcode::FORMERR, None);
    }
    // Before the cookie: options of another EDNS version may mean anything.
    if query.edns.is_some_and(|edns| edns.version > 0) {
        return error(Rcode::BADVERS, None);
    }
    if cookie == CookieResult::Malformed {
        return error(Rcode::FORMERR, None);
    }
    let Some(question) = query.question else {
        return Continue(triage_without_question(opcode, cookie));
    };
    if opcode != Opcode::QUERY {
        return triage_of_zone(query, &question);
    }
    if !peer.access.allows(peer.address, question.name) {
        return error(Rcode::REFUSED, Some(Ede::PROHIBITED));
    }
    let udp = peer.transport == Transport::Udp;
    if udp && peer.limited && cookie == CookieResult::Bad {
        return error(Rcode::BADCOOKIE, None);
    }
    match question.class {
        Class::CH => return Continue(Task::Chaos(question)),
        Class::IN => {}
        _ => return error(Rcode::REFUSED, Some(Ede::NOT_SUPPORTED)),
    }
    match (question.rtype, query.authority_serial) {
        // RFC 5936 §4.2; IXFR may come over UDP (RFC 1995 §2).
        (Rtype::AXFR, _) if udp => error(Rcode::REFUSED, Some(Ede::NOT_SUPPORTED)),
        (Rtype::AXFR, _) => Break(Verdict::Transfer(Transfer::Full)),
        (Rtype::IXFR, None) => error(Rcode::FORMERR, None),
        (Rtype::IXFR, Some(serial)) => Break(Verdict::Transfer(Transfer::Since(serial))),
        _ => Continue(Task::Question(zones, near, question)),
    }
}

/// Decides on a NOTIFY or an UPDATE: its question is the SOA of a zone (RFC 1996 §3.7, RFC 2136 §3.1).
#[cold]
fn triage_of_zone<'a>(
    query: &Query<'a>,
    question: &Question<'_>,
) -> ControlFlow<Verdict, Task<'a>> {
    match question.class {
        _ if question.rtype != Rtype::SOA => Continue(Task::Error(Rcode::FORMERR, None)),
        // No zone is of these.
        Class::ANY | Class::NONE => Continue(Task::Error(Rcode::FORMERR, None)),
        Class::IN if query.header.opcode() == Opcode::UPDATE => Break(Verdict::Update),
        Class::IN => Break(Verdict::Notify { serial: query.answer_serial }),
        _ => Continue(Task::Error(Rcode::NOTAUTH, Some(Ede::NOT_AUTHORITATIVE))),
    }
}

/// Decides on a query without a question: it may ask for a server cookie, or whether the one it has
/// is still valid (RFC 7873 §5.4), and nothing else.
fn triage_without_question<'a>(opcode: Opcode, cookie: CookieResult) -> Task<'a> {
    match cookie {
        CookieResult::ClientOnly | CookieResult::Valid if opcode == Opcode::QUERY => {
            Task::CookieOnly
        }
        CookieResult::Bad if opcode == Opcode::QUERY => Task::Error(Rcode::BADCOOKIE, None),
        _ => Task::Error(Rcode::FORMERR, None),
    }
}

/// Checks the query's cookie.
fn judge_cookie(query: &Query<'_>, peer: &Peer<'_>, identity: &Identity) -> CookieResult {
    let payload = query.edns.and_then(|edns| edns.cookie);
    match (payload, &identity.cookies) {
        (Some(payload), Some(secrets)) => secrets
            .judge(payload, peer.address, peer.now_seconds)
            .unwrap_or(CookieResult::Malformed),
        _ => CookieResult::None,
    }
}

//------------ Zone ----------------------------------------------------------

/// The zone that answers, and the node of the QNAME if that was found ahead: the longest match. DS belongs to the
/// parent, if that is ours too (RFC 4035 §3.1.4.1).
fn choose_zone<'z>(
    zones: &'z ZoneSet,
    near: Option<Near<'z>>,
    question: &Question<'_>,
) -> Result<(&'z Zone, Option<NodeRef<'z>>), (Rcode, Ede)> {
    if let Some((zone, node)) = near.and_then(|near| near.of(question.name))
        && question.rtype != Rtype::DS
    {
        return Ok((zone, Some(node)));
    }
    let not_ours = (Rcode::REFUSED, Ede::NOT_AUTHORITATIVE);
    let mut found = zones.find(question.name).ok_or(not_ours)?;
    if question.rtype == Rtype::DS
        && found.apex() == question.name
        && let Some(parent) = question.name.parent().and_then(|name| zones.find(name))
    {
        found = parent;
    }
    match found {
        Entry::Loaded(zone) => Ok((zone, None)),
        Entry::NotLoaded(_) => Err((Rcode::SERVFAIL, Ede::NOT_READY)),
        // RFC 8914 §4.25.
        Entry::Expired(_) => Err((Rcode::SERVFAIL, Ede::INVALID_DATA)),
    }
}

/// Notes which version of which zone answers.
fn note_zone<'m>(zone: &'m Zone, reply: &mut Reply<'m, '_>, facts: &mut Facts) {
    facts.apex_octets = zone.apex().wire().len() as u8;
    facts.apex_hash = Some(zone.apex_hash());
    facts.proofs = facts.dnssec_ok && zone.is_signed();
    reply.zone = Some(zone);
}
