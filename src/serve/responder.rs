//! What every transport does with a query: the engine, the rate limit, the counts, the log.
//!
//! ```text
//! transport ─► Responder::respond ─► answer::respond ─► rate limit (UDP) ─► counters ─► query log
//! ```
//!
//! A [`Responder`] belongs to one worker and is not shared. Once per batch it reads the clock and what
//! may have changed (zones, identity, access list); per query it takes no lock, allocates nothing and,
//! unless the query is logged, does not read the clock again.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use arc_swap::ArcSwap;

use crate::answer::{self, CookieResult, Ede, Identity, Peer, Scratch, Transport, Verdict};
use crate::wire::{Query, Rcode};
use crate::zone::ZoneSet;

use super::acl::Acl;
use super::counters::{Counters, Lane, LimitAction, Register};
use super::limit::{Judgement, Limiter, cut_short};
use super::query_log::{Entry, LaneWriter, QueryLog};
use super::refusals::Refusals;

//------------ Shared --------------------------------------------------------

/// What all workers share; each part is read without a lock.
pub(super) struct Shared {
    /// The zones that are served now.
    pub(super) zones: Arc<ArcSwap<ZoneSet>>,
    /// What can change while the server runs, besides the zones.
    pub(super) policy: ArcSwap<Policy>,
    /// The query log; `None`: off.
    pub(super) log: Option<QueryLog>,
    /// All workers' counters.
    pub(super) counters: Register,
    /// What was refused, for the daemon's log.
    pub(super) refusals: Refusals,
}

impl Shared {
    /// Changes what the server says about itself, from the next batch on.
    pub(super) fn change_identity(&self, change: impl Fn(&Identity) -> Identity) {
        self.policy
            .rcu(|old| Policy { identity: Arc::new(change(&old.identity)), ..Policy::clone(old) });
    }
}

/// What can change while the server runs, in one piece, so that a batch loads it once.
#[derive(Clone, Debug)]
pub(super) struct Policy {
    /// What the server says about itself.
    pub(super) identity: Arc<Identity>,
    /// The clients that may query.
    pub(super) allow_query: Arc<Acl>,
    /// The rate limit; `None`: off.
    pub(super) limiter: Option<Arc<Limiter>>,
}

//------------ Moment --------------------------------------------------------

/// The time of a batch.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    /// Nanoseconds since 1970.
    nanoseconds: u64,
}

impl Moment {
    /// Now.
    pub(super) fn now() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { nanoseconds: since.as_nanos() as u64 }
    }

    /// Seconds since 1970, modulo 2³².
    fn seconds(self) -> u32 {
        (self.nanoseconds / 1_000_000_000) as u32
    }
}

//------------ Source --------------------------------------------------------

/// Where a query came from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Source {
    /// The client.
    pub(super) client: SocketAddr,
    /// Our address, if the socket knows it.
    pub(super) local: Option<SocketAddr>,
    /// The idle timeout to offer, in 100 ms; connections only.
    pub(super) keepalive: Option<u16>,
}

//------------ Responder -----------------------------------------------------

/// One worker's way from query to response.
pub(super) struct Responder {
    /// What all workers share.
    pub(super) shared: Arc<Shared>,
    /// This worker's counters.
    pub(super) counters: Arc<Counters>,
    /// How its queries come.
    transport: Transport,
    /// What holds for this batch.
    policy: Arc<Policy>,
    /// The engine's memory.
    scratch: Scratch,
    /// Its lane of the query log.
    log: Option<LaneWriter>,
    /// When the last query of this batch was done, if it was logged.
    ended: Option<Instant>,
    /// Responses limited so far, for the slip.
    limited: u32,
}

impl Responder {
    /// A responder for queries that come by this transport and address family.
    pub(super) fn new(shared: Arc<Shared>, transport: Transport, ipv6: bool) -> Self {
        let counters = shared.counters.join(Lane { transport, ipv6 });
        let policy = shared.policy.load_full();
        let scratch = Scratch::new(policy.identity.clone());
        let log = shared.log.as_ref().map(QueryLog::join);
        Self { shared, counters, transport, policy, scratch, log, ended: None, limited: 0 }
    }

    /// Begins a batch: takes over what changed since the last one.
    pub(super) fn begin(&mut self) -> Moment {
        let policy = self.shared.policy.load();
        if !Arc::ptr_eq(&policy, &self.policy) {
            self.policy = policy.clone();
            self.scratch.set_identity(policy.identity.clone());
        }
        self.ended = None;
        Moment::now()
    }

    /// Ends a batch: hands its log entries over.
    pub(super) fn finish(&mut self) {
        if let Some(log) = &mut self.log {
            log.hand_over();
        }
    }

    /// Starts afresh after a panic: discards what the engine left half done.
    pub(super) fn recover(&mut self) {
        self.scratch = Scratch::new(self.policy.identity.clone());
        self.counters.panics.add(1);
    }

    /// Answers one query into `out`; `None` is silence.
    pub(super) fn respond(
        &mut self,
        zones: &ZoneSet,
        moment: Moment,
        source: &Source,
        query: &[u8],
        out: &mut [u8],
    ) -> Option<usize> {
        let sampled = self.log.as_mut().is_some_and(LaneWriter::samples);
        // Where every query is logged, one ends when the next begins: one look at the clock each.
        let ended = self.ended.take();
        let started = sampled.then(|| ended.unwrap_or_else(Instant::now));
        let response = self.ask_engine(zones, moment, source, query, out, false);
        self.counters.count_query(query.len(), self.scratch.facts());
        let (response, limited) = match response {
            Some(length) if self.is_limitable() => {
                self.limit(zones, moment, source, query, out, length)
            }
            response => (response, false),
        };
        if matches!(self.scratch.facts().rcode, Rcode::REFUSED | Rcode::NOTAUTH) {
            self.note_refusal(moment, source.client);
        }
        if let Some(length) = response {
            self.counters.count_response(length, self.scratch.facts());
        }
        if let Some(started) = started
            && self.scratch.facts().dropped.is_none()
        {
            let id = query.first_chunk().map_or(0, |id| u16::from_be_bytes(*id));
            self.note(moment, source, id, response, limited, started);
        }
        response
    }

    /// Has the engine answer, and declines what no part of this server performs. `limited` says that
    /// the client is over its rate.
    fn ask_engine(
        &mut self,
        zones: &ZoneSet,
        moment: Moment,
        source: &Source,
        query: &[u8],
        out: &mut [u8],
        limited: bool,
    ) -> Option<usize> {
        let mut peer = Peer::new(source.client, self.transport, moment.seconds());
        peer.local = source.local;
        peer.keepalive = source.keepalive;
        peer.access = &*self.policy.allow_query;
        peer.limited = limited;
        let scratch = &mut self.scratch;
        if self.transport == Transport::Quic && has_tsig(query) {
            // The bridge encodes responses anew, which no signature survives.
            let (rcode, ede) = (Rcode::REFUSED, Some(Ede::NOT_SUPPORTED));
            return sent(answer::refuse(scratch, query, &peer, rcode, ede, out));
        }
        let verdict = answer::respond(zones, scratch, query, &peer, out);
        match declined(verdict) {
            Some((rcode, ede)) => {
                sent(answer::refuse(scratch, query, &peer, rcode, Some(ede), out))
            }
            None => sent(verdict),
        }
    }

    //--- Rate limit

    /// Whether the rate limit is for the last response: over UDP, from an address that may be forged.
    fn is_limitable(&self) -> bool {
        self.transport == Transport::Udp
            && self.policy.limiter.is_some()
            && self.scratch.facts().cookie != CookieResult::Valid
    }

    /// Lets the response in `out` pass, cuts it short, or withholds it. Returns its length, and whether
    /// it was limited.
    fn limit(
        &mut self,
        zones: &ZoneSet,
        moment: Moment,
        source: &Source,
        query: &[u8],
        out: &mut [u8],
        length: usize,
    ) -> (Option<usize>, bool) {
        let Some(limiter) = &self.policy.limiter else {
            return (Some(length), false);
        };
        let (kind, zone) = (self.scratch.facts().kind, self.scratch.zone());
        let (client, now) = (source.client.ip(), moment.nanoseconds);
        match limiter.judge(client, kind, zone, now, &mut self.limited) {
            Judgement::Pass => (Some(length), false),
            Judgement::Drop => {
                self.counters.count_limited(LimitAction::Drop);
                (None, true)
            }
            Judgement::Slip => {
                // A client with an outdated cookie gets a good one.
                if self.scratch.facts().cookie == CookieResult::Bad {
                    let told = self.ask_engine(zones, moment, source, query, out, true);
                    if told.is_some() && self.scratch.facts().rcode == Rcode::BADCOOKIE {
                        self.counters.count_limited(LimitAction::BadCookie);
                        return (told, true);
                    }
                }
                self.counters.count_limited(LimitAction::Truncate);
                let udp_size = self.policy.identity.udp_size;
                (Some(cut_short(&mut out[..length], self.scratch.facts(), udp_size)), true)
            }
        }
    }

    //--- Logs

    /// Notes a refusal in the daemon's log, if it is of an operation that somebody may be waiting for.
    #[cold]
    fn note_refusal(&self, moment: Moment, client: SocketAddr) {
        let (facts, name) = (self.scratch.facts(), self.scratch.qname());
        let second = moment.nanoseconds / 1_000_000_000;
        self.shared.refusals.note(facts, name, client, self.transport, second);
    }

    /// Notes the query in the log.
    fn note(
        &mut self,
        moment: Moment,
        source: &Source,
        id: u16,
        response: Option<usize>,
        limited: bool,
        started: Instant,
    ) {
        let Some(log) = &mut self.log else {
            return;
        };
        let now = Instant::now();
        self.ended = Some(now);
        log.note(&Entry {
            microseconds: moment.nanoseconds / 1000,
            client: source.client.ip(),
            port: source.client.port(),
            local: source.local,
            id,
            transport: self.transport,
            qname: self.scratch.qname(),
            facts: self.scratch.facts(),
            octets: response.unwrap_or(0),
            limited,
            took: u32::try_from(now.duration_since(started).as_micros()).unwrap_or(u32::MAX),
        });
    }
}

/// The octets to send.
fn sent(verdict: Verdict) -> Option<usize> {
    if let Verdict::Reply(length) = verdict { Some(length) } else { None }
}

/// The error for an operation that this server does not perform: a transfer is REFUSED (RFC 5936
/// §2.2.1), so is an UPDATE (RFC 2136 §3.3); a NOTIFY gets NOTAUTH, because no zone here has a primary
/// to heed (RFC 1996 §3.10).
fn declined(verdict: Verdict) -> Option<(Rcode, Ede)> {
    match verdict {
        Verdict::Reply(_) | Verdict::Drop => None,
        Verdict::Transfer(_) | Verdict::Update | Verdict::Signed { .. } => {
            Some((Rcode::REFUSED, Ede::PROHIBITED))
        }
        Verdict::Notify { .. } => Some((Rcode::NOTAUTH, Ede::NOT_SUPPORTED)),
    }
}

/// Whether a message carries a TSIG.
fn has_tsig(message: &[u8]) -> bool {
    Query::read(message).is_some_and(|query| query.tsig.is_some())
}
