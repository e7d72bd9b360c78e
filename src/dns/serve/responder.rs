//! What every transport does with a query: the engine, the rate limit, the counts, the log.
//!
//! ```text
//! transport ─► Responder::respond ─► answer::respond ─► rate limit (UDP) ─► counters ─► query log, dnstap
//!                                        └► signed, or not for the engine: `unusual`
//! ```
//!
//! A [`Responder`] belongs to one worker and is not shared. Once per batch it reads the clock and what
//! may have changed (zones, identity, access list); per query it takes no lock, allocates nothing and,
//! unless the query is logged, does not read the clock again.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use arc_swap::ArcSwap;

use crate::answer::{
    self, CookieResult, Ede, Identity, Peer, Scratch, Signature, Transport, Verdict,
};
use crate::tsig::{Keyring, TsigFault};
use crate::wire::{Name, Opcode, Rcode};
use crate::zone::{Near, ZoneSet};

use super::acl::Acl;
use super::client_ca::ClientIdentity;
use super::counters::{Counters, Lane, LimitAction, Register};
use super::dnstap::{Dnstap, DnstapLane};
use super::errand::{Errand, Queue, Slots};
use super::limit::{Judgement, Limiter, cut_short};
use super::operations::Operations;
use super::places::Places;
use super::proxies::Proxies;
use super::query_log::{Entry, LaneWriter, QueryLog};
use super::refusals::{Refusals, Refused};
use super::samples::{Sampler, Samples};

/// One query in this many has its time taken.
const TIMED_EVERY: u32 = 64;

//------------ Shared --------------------------------------------------------

/// What all workers share; each part is read without a lock.
pub(super) struct Shared {
    /// The zones that are served now.
    pub(super) zones: Arc<ArcSwap<ZoneSet>>,
    /// What can change while the server runs, besides the zones.
    pub(super) policy: ArcSwap<Policy>,
    /// The query log; `None`: off.
    pub(super) log: Option<QueryLog>,
    /// dnstap; `None`: off.
    pub(super) dnstap: Option<Dnstap>,
    /// All workers' counters.
    pub(super) counters: Register,
    /// The sample for statistics; `None`: off.
    pub(super) samples: Option<Samples>,
    /// What was refused, for the daemon's log.
    pub(super) refusals: Refusals,
    /// Performs what the engine does not; `None`: nobody does.
    pub(super) operations: Option<Arc<dyn Operations>>,
    /// Errands of UDP that wait.
    pub(super) errands: Queue,
    /// Errands of connections that are under way.
    pub(super) slots: Slots,
    /// Transfers that are under way.
    pub(super) places: Arc<Places>,
    /// Listeners that ended by themselves and were started again.
    pub(super) restarts: AtomicU64,
}

impl Shared {
    /// A server of these zones that knows nothing else.
    #[cfg(any(test, fuzzing))]
    pub(super) fn plain(zones: Arc<ArcSwap<ZoneSet>>) -> Self {
        Self {
            zones,
            policy: ArcSwap::from_pointee(Policy {
                identity: Arc::default(),
                allow_query: Arc::new(Acl::everybody()),
                limiter: None,
                keyring: Arc::default(),
                rolls_cookies: true,
                proxies: Proxies::default(),
            }),
            log: None,
            dnstap: None,
            counters: Register::default(),
            samples: None,
            refusals: Refusals::default(),
            operations: None,
            errands: Queue::default(),
            slots: Slots::default(),
            places: Arc::default(),
            restarts: AtomicU64::new(0),
        }
    }

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
    /// The TSIG keys.
    pub(super) keyring: Arc<Keyring>,
    /// Whether the cookie secret is our own, to be rolled.
    pub(super) rolls_cookies: bool,
    /// Who speaks for others.
    pub(super) proxies: Proxies,
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
        self.unix() as u32
    }

    /// The moment so long before.
    fn earlier(self, by: Duration) -> Self {
        Self { nanoseconds: self.nanoseconds.saturating_sub(by.as_nanos() as u64) }
    }

    /// Seconds since 1970.
    pub(super) fn unix(self) -> u64 {
        self.nanoseconds / 1_000_000_000
    }
}

//------------ Source --------------------------------------------------------

/// Where a query came from.
#[derive(Clone, Debug)]
pub(super) struct Source {
    /// The client.
    pub(super) client: SocketAddr,
    /// Our address, if the socket knows it.
    pub(super) local: Option<SocketAddr>,
    /// The idle timeout to offer, in 100 ms; connections only.
    pub(super) keepalive: Option<u16>,
    /// What the client showed of itself over TLS, if it was asked.
    pub(super) identity: Option<Arc<ClientIdentity>>,
}

//------------ Answer --------------------------------------------------------

/// What becomes of a message.
pub(super) enum Answer {
    /// A response of that many octets.
    Reply(usize),
    /// Silence.
    Silence,
    /// A response when this is done.
    Errand(Box<Errand>),
}

impl Answer {
    /// What the engine made of it.
    pub(super) fn of(response: Option<usize>) -> Self {
        response.map_or(Self::Silence, Self::Reply)
    }
}

/// What is known of a message that is signed, or that is not for the engine.
#[derive(Debug, Default)]
pub(super) struct Unusual {
    /// The key it names; of use only if the facts say that it was signed.
    pub(super) key: Option<Name>,
    /// What is wrong with its TSIG.
    pub(super) fault: Option<TsigFault>,
    /// Why it is refused, if that is more than the extended error says; none of any other response, whose
    /// reason nobody would take away before the next refusal.
    pub(super) reason: Option<String>,
    /// Messages of a transfer.
    pub(super) messages: u16,
}

//------------ Responder -----------------------------------------------------

/// One worker's way from query to response.
pub(super) struct Responder {
    /// What all workers share.
    pub(super) shared: Arc<Shared>,
    /// This worker's counters.
    pub(super) counters: Arc<Counters>,
    /// How its queries come.
    pub(super) transport: Transport,
    /// What holds for this batch.
    pub(super) policy: Arc<Policy>,
    /// The engine's memory.
    pub(super) scratch: Scratch,
    /// What is known of the last message that was not an ordinary query.
    pub(super) unusual: Unusual,
    /// Its lane of the query log.
    log: Option<LaneWriter>,
    /// Its lane of dnstap.
    dnstap: Option<DnstapLane>,
    /// Its lane of the sample for statistics.
    sampler: Option<Sampler>,
    /// When the last query of this batch was done, if it was logged.
    ended: Option<Instant>,
    /// Responses limited so far, for the slip.
    limited: u32,
    /// Queries so far, for the sample of times.
    untimed: u32,
}

impl Responder {
    /// A responder for queries that come by this transport and address family.
    pub(super) fn new(shared: Arc<Shared>, transport: Transport, ipv6: bool) -> Self {
        let counters = shared.counters.join(Lane { transport, ipv6 });
        let policy = shared.policy.load_full();
        let scratch = Scratch::new(policy.identity.clone());
        Self {
            log: shared.log.as_ref().map(QueryLog::join),
            dnstap: shared.dnstap.as_ref().map(Dnstap::join),
            sampler: shared.samples.as_ref().map(Samples::join),
            shared,
            counters,
            transport,
            policy,
            scratch,
            unusual: Unusual::default(),
            ended: None,
            limited: 0,
            untimed: 0,
        }
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

    /// Who speaks for others in this batch.
    #[inline]
    pub(super) fn proxies(&self) -> &Proxies {
        &self.policy.proxies
    }

    /// Ends a batch: hands over its entries for log and statistics.
    pub(super) fn finish(&mut self) {
        if let Some(log) = &mut self.log {
            log.hand_over();
        }
        if let Some(dnstap) = &mut self.dnstap {
            dnstap.hand_over();
        }
        if let Some(sampler) = &mut self.sampler {
            sampler.hand_over();
        }
    }

    /// Starts afresh after a panic: discards what the engine left half done.
    pub(super) fn recover(&mut self) {
        self.scratch = Scratch::new(self.policy.identity.clone());
        self.counters.panics.add(1);
    }

    /// Answers one query into `out`.
    pub(super) fn respond(
        &mut self,
        zones: &ZoneSet,
        moment: Moment,
        source: &Source,
        query: &[u8],
        out: &mut [u8],
    ) -> Answer {
        self.respond_near((zones, None), moment, source, query, out)
    }

    /// The same, with what was found of the QNAME ahead.
    pub(super) fn respond_near(
        &mut self,
        (zones, near): (&ZoneSet, Option<Near<'_>>),
        moment: Moment,
        source: &Source,
        query: &[u8],
        out: &mut [u8],
    ) -> Answer {
        let sampled = self.samples();
        // Where every query is logged, one ends when the next begins: one look at the clock each.
        let ended = self.ended.take();
        let started = sampled.any().then(|| ended.unwrap_or_else(Instant::now));
        let answer = self.ask_engine((zones, near), moment, source, query, out, false);
        self.counters.count_query(query.len(), self.scratch.facts());
        let (response, limited) = match answer {
            Answer::Reply(length) if self.is_limitable() => {
                self.limit(zones, moment, source, query, out, length)
            }
            Answer::Reply(length) => (Some(length), false),
            Answer::Silence => (None, false),
            Answer::Errand(_) => return answer,
        };
        let sent = response.and_then(|length| out.get(..length)).unwrap_or_default();
        let messages = Messages { query, sent, limited };
        self.account(moment, source, &messages, response, sampled, started);
        Answer::of(response)
    }

    /// Which logs the next query belongs to.
    #[inline]
    fn samples(&mut self) -> Sampled {
        self.untimed = self.untimed.wrapping_add(1);
        Sampled {
            time: self.untimed.is_multiple_of(TIMED_EVERY),
            log: self.log.as_mut().is_some_and(LaneWriter::samples),
            dnstap: self.dnstap.as_mut().is_some_and(DnstapLane::samples),
        }
    }

    /// Counts a response, of which `response` is the length, and writes the logs.
    fn account(
        &mut self,
        moment: Moment,
        source: &Source,
        messages: &Messages<'_>,
        response: Option<usize>,
        sampled: Sampled,
        started: Option<Instant>,
    ) {
        if is_refusal(self.scratch.facts().rcode) {
            self.note_refusal(moment, source.client);
        }
        if let Some(length) = response {
            self.counters.count_response(length, self.scratch.facts());
        }
        if let Some(sampler) = &mut self.sampler
            && self.scratch.facts().dropped.is_none()
        {
            sampler.count(moment.unix(), &self.scratch);
        }
        if let Some(started) = started
            && self.scratch.facts().dropped.is_none()
        {
            self.note(moment, source, messages, response, sampled, started);
        }
    }

    /// The same for what an errand made of a message.
    pub(super) fn account_errand(
        &mut self,
        moment: Moment,
        errand: &Errand,
        response: Option<usize>,
        sent: &[u8],
    ) {
        let sampled = self.samples();
        let started = sampled.any().then_some(errand.started);
        let moment = moment.earlier(errand.started.elapsed());
        let messages = Messages { query: &errand.message, sent, limited: false };
        self.account(moment, &errand.source, &messages, response, sampled, started);
        // Of the next message nothing is known yet.
        self.unusual = Unusual::default();
    }

    /// Has the engine answer. `limited` says that the client is over its rate.
    fn ask_engine(
        &mut self,
        (zones, near): (&ZoneSet, Option<Near<'_>>),
        moment: Moment,
        source: &Source,
        query: &[u8],
        out: &mut [u8],
        limited: bool,
    ) -> Answer {
        let mut peer = peer_of(&self.policy, self.transport, moment, source);
        peer.limited = limited;
        match answer::respond_near(zones, near, &mut self.scratch, query, &peer, out) {
            Verdict::Reply(length) => Answer::Reply(length),
            Verdict::Drop => Answer::Silence,
            verdict => self.answer_unusual(zones, moment, source, query, verdict, out),
        }
    }

    //--- Rate limit

    /// Whether the rate limit is for the last response: over UDP, from an address that may be forged.
    pub(super) fn is_limitable(&self) -> bool {
        self.transport == Transport::Udp
            && self.policy.limiter.is_some()
            && self.scratch.facts().cookie != CookieResult::Valid
            && self.scratch.facts().signature != Signature::Good
    }

    /// Whether the rate lets the response to an errand pass.
    pub(super) fn passes_limit(&mut self, moment: Moment, source: &Source) -> bool {
        let Some(limiter) = self.policy.limiter.as_ref().filter(|_| self.is_limitable()) else {
            return true;
        };
        let (kind, zone) = (self.scratch.facts().kind, self.scratch.zone());
        let client = source.client.ip();
        let judged = limiter.judge(client, kind, zone, moment.nanoseconds, &mut self.limited);
        let passes = matches!(judged, Judgement::Pass);
        if !passes {
            self.counters.count_limited(LimitAction::Drop);
        }
        passes
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
                if self.may_be_told_its_cookie() {
                    // What comes of the second question counts, not what came of the first.
                    self.unusual = Unusual::default();
                    let told = self.ask_engine((zones, None), moment, source, query, out, true);
                    if let Answer::Reply(told) = told
                        && self.scratch.facts().rcode == Rcode::BADCOOKIE
                    {
                        self.counters.count_limited(LimitAction::BadCookie);
                        return (Some(told), true);
                    }
                }
                self.counters.count_limited(LimitAction::Truncate);
                let udp_size = self.policy.identity.udp_size;
                (Some(cut_short(&mut out[..length], self.scratch.facts(), udp_size)), true)
            }
        }
    }

    /// Whether a client with an outdated cookie is told a good one: the query is put again for that, so
    /// nothing may have been done that is not to be done twice.
    fn may_be_told_its_cookie(&self) -> bool {
        let facts = self.scratch.facts();
        facts.cookie == CookieResult::Bad
            && facts.opcode == Opcode::QUERY
            && facts.signature == Signature::None
    }

    //--- Logs

    /// Notes a refusal in the daemon's log, if it is of an operation that somebody may be waiting for.
    #[cold]
    fn note_refusal(&mut self, moment: Moment, client: SocketAddr) {
        if self.scratch.facts().ede.is_some_and(|ede| ede.code == Ede::PROHIBITED.code) {
            self.counters.count_denied(self.scratch.facts());
        }
        let reason = self.unusual.reason.take();
        let is_signed = self.scratch.facts().signature != Signature::None;
        self.shared.refusals.note(
            &Refused {
                facts: self.scratch.facts(),
                qname: self.scratch.qname(),
                key: self.unusual.key.as_ref().filter(|_| is_signed),
                reason: reason.as_deref(),
                client,
                transport: self.transport,
            },
            moment.unix(),
        );
    }

    /// Notes the query in the logs.
    fn note(
        &mut self,
        moment: Moment,
        source: &Source,
        messages: &Messages<'_>,
        response: Option<usize>,
        sampled: Sampled,
        started: Instant,
    ) {
        let now = Instant::now();
        self.ended = Some(now);
        if sampled.time && response.is_some() {
            self.counters.count_time(now.duration_since(started));
        }
        if !sampled.log && !sampled.dnstap {
            return;
        }
        let signed = self.scratch.facts().signature != Signature::None;
        let unusual = signed.then_some(&self.unusual);
        let entry = Entry {
            microseconds: moment.nanoseconds / 1000,
            client: source.client.ip(),
            port: source.client.port(),
            local: source.local,
            id: messages.query.first_chunk().map_or(0, |id| u16::from_be_bytes(*id)),
            transport: self.transport,
            qname: self.scratch.qname(),
            key: unusual.and_then(|it| it.key.as_ref()).map(Name::as_ref),
            tsig_error: unusual.and_then(|it| it.fault).map_or(0, log_code),
            facts: self.scratch.facts(),
            messages: self.unusual.messages,
            counts: counts_of(messages.sent),
            octets: response.unwrap_or(0),
            limited: messages.limited,
            took: u32::try_from(now.duration_since(started).as_micros()).unwrap_or(u32::MAX),
        };
        if let Some(log) = self.log.as_mut().filter(|_| sampled.log) {
            log.note(&entry);
        }
        if let Some(dnstap) = self.dnstap.as_mut().filter(|_| sampled.dnstap) {
            dnstap.note(&entry, messages.query, messages.sent);
        }
    }
}

/// Which logs a query belongs to.
#[derive(Clone, Copy, Debug)]
struct Sampled {
    /// How long responses take.
    time: bool,
    /// The query log.
    log: bool,
    /// dnstap.
    dnstap: bool,
}

impl Sampled {
    /// Whether it belongs to one.
    fn any(self) -> bool {
        self.time || self.log || self.dnstap
    }
}

/// What came and what goes out.
struct Messages<'a> {
    /// The query.
    query: &'a [u8],
    /// The response; empty: none, or one of many messages.
    sent: &'a [u8],
    /// Whether the rate limit changed or withheld it.
    limited: bool,
}

/// The sender of a query, as the engine wants to know it.
#[inline]
pub(super) fn peer_of<'p>(
    policy: &'p Policy,
    transport: Transport,
    moment: Moment,
    source: &Source,
) -> Peer<'p> {
    let mut peer = Peer::new(source.client, transport, moment.seconds());
    peer.local = source.local;
    peer.keepalive = source.keepalive;
    peer.access = &*policy.allow_query;
    peer
}

/// Records of the answer, authority and additional sections, by a message's header.
fn counts_of(message: &[u8]) -> Option<[u16; 3]> {
    let [.., a, b, c, d, e, f] = *message.first_chunk::<12>()?;
    let number = |high, low| u16::from_be_bytes([high, low]);
    Some([number(a, b), number(c, d), number(e, f)])
}

/// Whether a response code refuses, so that [`Responder::account`] asks for the reason.
pub(super) fn is_refusal(rcode: Rcode) -> bool {
    matches!(rcode, Rcode::REFUSED | Rcode::NOTAUTH)
}

/// The number of a fault of TSIG in the query log.
fn log_code(fault: TsigFault) -> u16 {
    if fault == TsigFault::Malformed { Rcode::FORMERR.0 } else { fault.code() }
}
