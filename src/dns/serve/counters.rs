//! What the workers count, for metrics and `ctl stats`.
//!
//! Each worker has its own counters, on their own cache lines, and is the only writer: counting is a
//! load and a store, without a locked instruction. A reader adds them up.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::answer::{CookieResult, DropReason, Facts, Transport};
use crate::lock::lock;
use crate::wire::{Opcode, Rtype};

use super::zone_counts::ZoneCounts;

/// Types counted by their number; the rest share one counter.
pub const TYPES: usize = 264;
/// Response codes counted by their number; the rest share one counter.
pub const RCODES: usize = 32;
/// Upper bounds of the histogram of response sizes, octets; a transfer may have more than the last.
const SIZES: [u64; 7] = [64, 128, 256, 512, 1232, 4096, 65535];
/// Upper bounds of the histogram of response times, nanoseconds.
const TIMES: [u64; 12] = [
    1_000,
    2_000,
    5_000,
    10_000,
    20_000,
    50_000,
    100_000,
    1_000_000,
    10_000_000,
    100_000_000,
    1_000_000_000,
    10_000_000_000,
];
/// Upper bounds of the histogram of response sizes, octets.
pub const SIZE_BOUNDS: [f64; SIZES.len()] = in_units(SIZES, 1.0);
/// Upper bounds of the histogram of response times, seconds.
pub const TIME_BOUNDS: [f64; TIMES.len()] = in_units(TIMES, 1e9);

/// Numbers in another unit.
const fn in_units<const N: usize>(numbers: [u64; N], unit: f64) -> [f64; N] {
    let (mut all, mut at) = ([0.0; N], 0);
    while at < N {
        all[at] = numbers[at] as f64 / unit;
        at += 1;
    }
    all
}

//------------ Labels --------------------------------------------------------

/// Enums whose variants index an array of counters, each with the label it has in metrics.
macro_rules! labelled {
    ($($(#[$doc:meta])* $name:ident {
        $($(#[$variant_doc:meta])* $variant:ident => $label:literal,)*
    })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Eq, PartialEq)]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)*
        }

        impl $name {
            /// The labels of all variants, in their order.
            pub const LABELS: &[&str] = &[$($label),*];
        }
    )*};
}

labelled! {
    /// Why a packet got no response.
    Silence {
        /// It is shorter than a header, or a response itself.
        NotAQuery => "not_a_query",
        /// Its source must not get a reply.
        Source => "source",
        /// The buffer for the response is too small for a header and the question.
        Buffer => "buffer",
        /// It was sent to a broadcast or multicast address.
        ToMany => "to_many",
        /// The kernel gave no source address.
        NoSource => "no_source",
        /// A proxy sent it without a PROXY header.
        Proxy => "proxy",
    }

    /// What the rate limit made of a response.
    LimitAction {
        /// It went out truncated.
        Truncate => "truncate",
        /// It went out as BADCOOKIE.
        BadCookie => "badcookie",
        /// It did not go out.
        Drop => "drop",
    }

    /// A property of a query with EDNS.
    EdnsKind {
        /// It has an OPT record.
        Edns => "edns",
        /// Its DO bit is set.
        Do => "do",
    }

    /// What a query's cookie was worth.
    CookieKind {
        /// A client cookie alone.
        ClientOnly => "client_only",
        /// A server cookie of ours.
        Valid => "valid",
        /// A server cookie that is not ours, too old or too new.
        Bad => "bad",
        /// A length that no cookie has.
        Malformed => "malformed",
    }

    /// A rule that a message was refused by because it names nobody like its sender.
    AclRule {
        /// `server.allow_query`.
        Query => "query",
        /// `transfer` of a zone.
        Transfer => "transfer",
        /// `primaries` of a secondary zone.
        Notify => "notify",
        /// `update` of a zone.
        Update => "update",
    }

    /// What was wrong with a message's TSIG (RFC 8945).
    TsigKind {
        /// It is not as it must be.
        Malformed => "formerr",
        /// No such key, or not with that algorithm.
        BadKey => "badkey",
        /// The signature is wrong.
        BadSig => "badsig",
        /// The time is wrong.
        BadTime => "badtime",
        /// The signature was cut.
        BadTrunc => "badtrunc",
    }

    /// Why a connection ended.
    CloseReason {
        /// The client closed it.
        ByClient => "by_client",
        /// It was idle too long.
        Idle => "idle",
        /// A message was not completed in time.
        Stalled => "stalled",
        /// The client did not read its responses.
        Unread => "unread",
        /// What came was not a query.
        Garbage => "garbage",
        /// The transport failed.
        Error => "error",
        /// There was no room for it, or it made room for others.
        Full => "full",
        /// The TLS handshake failed or took too long.
        Handshake => "handshake",
        /// A proxy began it without a PROXY header, or too slowly.
        Proxy => "proxy",
        /// The server stopped.
        Stopping => "stopping",
    }
}

//------------ Counter -------------------------------------------------------

/// A number that one thread increases and all may read.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Increases it. Only the owning worker may: two writers would lose counts.
    pub fn add(&self, amount: u64) {
        self.0.store(self.0.load(Ordering::Relaxed).wrapping_add(amount), Ordering::Relaxed);
    }

    /// Its value now.
    pub fn value(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

//------------ Counters ------------------------------------------------------

/// Declares the same fields twice: as [`Counter`]s of a worker and as `u64` sums.
macro_rules! counted {
    ($($(#[$doc:meta])* $name:ident $([$size:expr])?,)*) => {
        /// The counters of one worker.
        #[derive(Debug)]
        #[repr(align(128))]
        pub struct Counters {
            /// Queries by zone.
            pub zones: ZoneCounts,
            $($(#[$doc])* pub $name: counted!(@type Counter $($size)?),)*
        }

        impl Default for Counters {
            fn default() -> Self {
                Self { zones: ZoneCounts::default(), $($name: counted!(@new Counter $($size)?),)* }
            }
        }

        /// Counters added up.
        #[derive(Clone, Debug)]
        pub struct Totals {
            $($(#[$doc])* pub $name: counted!(@type u64 $($size)?),)*
        }

        impl Default for Totals {
            fn default() -> Self {
                Self { $($name: counted!(@new u64 $($size)?),)* }
            }
        }

        impl Totals {
            /// Adds what one worker has counted.
            pub fn add(&mut self, counters: &Counters) {
                $(counted!(@add self, counters, $name $($size)?);)*
            }

            /// Adds other sums.
            pub fn merge(&mut self, totals: &Self) {
                $(counted!(@merge self, totals, $name $($size)?);)*
            }
        }
    };
    (@type $kind:ident) => { $kind };
    (@type $kind:ident $size:expr) => { [$kind; $size] };
    (@new $kind:ident) => { $kind::default() };
    (@new $kind:ident $size:expr) => { std::array::from_fn(|_| $kind::default()) };
    (@add $sum:ident, $from:ident, $name:ident) => { $sum.$name += $from.$name.value() };
    (@add $sum:ident, $from:ident, $name:ident $size:expr) => {
        for (sum, one) in $sum.$name.iter_mut().zip(&$from.$name) {
            *sum += one.value();
        }
    };
    (@merge $sum:ident, $from:ident, $name:ident) => { $sum.$name += $from.$name };
    (@merge $sum:ident, $from:ident, $name:ident $size:expr) => {
        for (sum, one) in $sum.$name.iter_mut().zip(&$from.$name) {
            *sum += one;
        }
    };
}

counted! {
    /// Queries that got as far as the answer engine, by operation code.
    opcodes[16],
    /// Queries by type; the last stands for all types of [`TYPES`] and above.
    types[TYPES + 1],
    /// Responses by code; the last stands for all codes of [`RCODES`] and above.
    rcodes[RCODES + 1],
    /// Responses with TC.
    truncated,
    /// Packets that got no response, by [`Silence`].
    dropped[Silence::LABELS.len()],
    /// Responses over the rate limit, by [`LimitAction`].
    limited[LimitAction::LABELS.len()],
    /// Octets of queries.
    octets_in,
    /// Octets of responses.
    octets_out,
    /// Responses by size, up to each of [`SIZE_BOUNDS`] and beyond.
    sizes[SIZES.len() + 1],
    /// Responses of the sample by time, up to each of [`TIME_BOUNDS`] and beyond.
    times[TIMES.len() + 1],
    /// Nanoseconds that those took.
    time_sum,
    /// Messages refused because nobody lets their sender, by [`AclRule`].
    denied[AclRule::LABELS.len()],
    /// Queries with EDNS, by [`EdnsKind`].
    edns[EdnsKind::LABELS.len()],
    /// Queries with a cookie, by [`CookieKind`].
    cookies[CookieKind::LABELS.len()],
    /// Messages whose TSIG is not good, by [`TsigKind`].
    tsig_failures[TsigKind::LABELS.len()],
    /// Responses the kernel would not send.
    send_failed,
    /// System calls that sent fewer responses than they were passed.
    short_sends,
    /// Batches lost by a panic.
    panics,
    /// Errors of the sockets themselves.
    socket_errors,
    /// Connections accepted.
    connections,
    /// Connections closed, by [`CloseReason`].
    closed[CloseReason::LABELS.len()],
}

impl Counters {
    /// Counts a query and what the engine did with it.
    pub fn count_query(&self, query_octets: usize, facts: &Facts) {
        self.octets_in.add(query_octets as u64);
        if let Some(reason) = facts.dropped {
            self.count_silence(match reason {
                DropReason::NotAQuery => Silence::NotAQuery,
                DropReason::Source => Silence::Source,
                DropReason::Buffer => Silence::Buffer,
            });
            return;
        }
        if let Some(zone) = facts.apex_hash {
            self.zones.count(zone.get());
        }
        self.opcodes[usize::from(facts.opcode.0 & 15)].add(1);
        self.types[usize::from(facts.qtype.0).min(TYPES)].add(1);
        if facts.edns_size.is_some() {
            self.edns[EdnsKind::Edns as usize].add(1);
            self.edns[EdnsKind::Do as usize].add(u64::from(facts.dnssec_ok));
        }
        let cookie = match facts.cookie {
            CookieResult::None => return,
            CookieResult::ClientOnly => CookieKind::ClientOnly,
            CookieResult::Valid => CookieKind::Valid,
            CookieResult::Bad => CookieKind::Bad,
            CookieResult::Malformed => CookieKind::Malformed,
        };
        self.cookies[cookie as usize].add(1);
    }

    /// Counts a packet that gets no response.
    pub fn count_silence(&self, reason: Silence) {
        self.dropped[reason as usize].add(1);
    }

    /// Counts a message whose TSIG is not good.
    pub fn count_tsig_failure(&self, kind: TsigKind) {
        self.tsig_failures[kind as usize].add(1);
    }

    /// Counts a response over the rate limit.
    pub fn count_limited(&self, action: LimitAction) {
        self.limited[action as usize].add(1);
    }

    /// Counts a connection that ended.
    pub fn count_close(&self, reason: CloseReason) {
        self.closed[reason as usize].add(1);
    }

    /// Counts a response that goes out.
    pub fn count_response(&self, octets: usize, facts: &Facts) {
        self.rcodes[usize::from(facts.rcode.0).min(RCODES)].add(1);
        self.truncated.add(u64::from(facts.truncated));
        self.octets_out.add(octets as u64);
        let bucket = SIZES.iter().position(|bound| octets as u64 <= *bound);
        self.sizes[bucket.unwrap_or(SIZES.len())].add(1);
    }

    /// Counts how long a response of the sample took.
    pub fn count_time(&self, took: Duration) {
        let nanoseconds = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        let bucket = TIMES.iter().position(|bound| nanoseconds <= *bound);
        self.times[bucket.unwrap_or(TIMES.len())].add(1);
        self.time_sum.add(nanoseconds);
    }

    /// Counts a message that was refused because nobody lets its sender.
    pub fn count_denied(&self, facts: &Facts) {
        let rule = match (facts.opcode, facts.qtype) {
            (Opcode::NOTIFY, _) => AclRule::Notify,
            (Opcode::UPDATE, _) => AclRule::Update,
            (_, Rtype::AXFR | Rtype::IXFR) => AclRule::Transfer,
            _ => AclRule::Query,
        };
        self.denied[rule as usize].add(1);
    }
}

//------------ Register ------------------------------------------------------

/// A transport and an address family: the labels that counters are summed under.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Lane {
    /// How queries come.
    pub transport: Transport,
    /// Whether by IPv6.
    pub ipv6: bool,
}

/// The counters of all workers, which join at start.
#[derive(Debug, Default)]
pub struct Register {
    /// One entry per worker and lane.
    entries: std::sync::Mutex<Vec<(Lane, Arc<Counters>)>>,
}

impl Register {
    /// New counters for a worker.
    pub fn join(&self, lane: Lane) -> Arc<Counters> {
        let counters = Arc::new(Counters::default());
        self.entries().push((lane, counters.clone()));
        counters
    }

    /// The sums per lane.
    pub fn totals(&self) -> Vec<(Lane, Totals)> {
        let mut sums: Vec<(Lane, Totals)> = Vec::new();
        for (lane, counters) in self.entries().iter() {
            let at = sums.iter().position(|(known, _)| known == lane).unwrap_or_else(|| {
                sums.push((*lane, Totals::default()));
                sums.len() - 1
            });
            sums[at].1.add(counters);
        }
        sums
    }

    /// Queries answered from zones, by the hash of their apex; those of zones that there was no place for under none.
    pub fn zone_queries(&self) -> HashMap<Option<u64>, u64> {
        let mut sums = HashMap::new();
        for (_, counters) in self.entries().iter() {
            counters.zones.each(|zone, count| *sums.entry(zone).or_default() += count);
        }
        sums
    }

    /// What each worker of a transport has counted.
    #[cfg(test)]
    pub(super) fn of_each(&self, transport: Transport) -> Vec<Totals> {
        let entries = self.entries();
        let ours = entries.iter().filter(|(lane, _)| lane.transport == transport);
        ours.map(|(_, counters)| {
            let mut totals = Totals::default();
            totals.add(counters);
            totals
        })
        .collect()
    }

    /// The entries; a panic elsewhere cannot have left them half written.
    fn entries(&self) -> std::sync::MutexGuard<'_, Vec<(Lane, Arc<Counters>)>> {
        lock(&self.entries)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workers_of_one_lane_are_summed() {
        let register = Register::default();
        let udp = Lane { transport: Transport::Udp, ipv6: false };
        let tcp = Lane { transport: Transport::Tcp, ipv6: true };
        let workers = [register.join(udp), register.join(udp), register.join(tcp)];
        for worker in &workers {
            worker.count_query(20, &Facts::default());
            worker.count_response(600, &Facts { truncated: true, ..Facts::default() });
        }
        let totals = register.totals();
        assert_eq!(totals.len(), 2);
        assert_eq!((totals[0].1.octets_in, totals[1].1.octets_in), (40, 20));
        assert_eq!((totals[0].1.truncated, totals[0].1.sizes[4]), (2, 2));
        assert_eq!(totals[0].1.opcodes[0], 2);
        let mut all = Totals::default();
        totals.iter().for_each(|(_, one)| all.merge(one));
        assert_eq!((all.octets_in, all.sizes[4], all.sizes.iter().sum::<u64>()), (60, 3, 3));
    }

    #[test]
    fn sizes_and_times_are_in_the_interval_that_holds_them() {
        let counters = Counters::default();
        for octets in [64, 65, 70_000] {
            counters.count_response(octets, &Facts::default());
        }
        for micros in [1, 3, 20_000_000] {
            counters.count_time(Duration::from_micros(micros));
        }
        let mut sums = Totals::default();
        sums.add(&counters);
        assert_eq!((sums.sizes[0], sums.sizes[1], sums.sizes[7]), (1, 1, 1));
        assert_eq!((sums.times[0], sums.times[2], sums.times[12]), (1, 1, 1));
        assert_eq!(sums.time_sum, 20_000_004_000);
        assert_eq!((TIME_BOUNDS[0], TIME_BOUNDS[11], SIZE_BOUNDS[6]), (1e-6, 10.0, 65_535.0));
    }
}
