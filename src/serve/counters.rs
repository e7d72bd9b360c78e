//! What the workers count, for metrics and `ctl stats`.
//!
//! Each worker has counters of its own, on cache lines of their own, and is the only one who writes
//! them: a count is a load and a store, without a locked instruction. Whoever asks adds them up.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::answer::{CookieResult, DropReason, Facts, Transport};

/// Types counted by their number; the rest share one counter.
pub const TYPES: usize = 264;
/// Response codes counted by their number; the rest share one counter.
pub const RCODES: usize = 32;
/// Upper bounds of the histogram of response sizes, octets.
pub const SIZE_BOUNDS: [usize; 7] = [64, 128, 256, 512, 1232, 4096, 65535];

//------------ Counter -------------------------------------------------------

/// A number that one thread raises and all may read.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Raises it. Only the owning worker may: two writers would lose counts.
    pub fn add(&self, amount: u64) {
        self.0.store(self.0.load(Ordering::Relaxed).wrapping_add(amount), Ordering::Relaxed);
    }

    /// What it says now.
    pub fn value(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

//------------ Counters ------------------------------------------------------

/// One set of a kind of number, `T` being [`Counter`] in a worker and `u64` in a sum.
macro_rules! counted {
    ($($(#[$doc:meta])* $name:ident $([$size:expr])?,)*) => {
        /// The counters of one worker.
        #[derive(Debug)]
        #[repr(align(128))]
        pub struct Counters {
            $($(#[$doc])* pub $name: counted!(@type Counter $($size)?),)*
        }

        impl Default for Counters {
            fn default() -> Self {
                Self { $($name: counted!(@new Counter $($size)?),)* }
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
    /// Packets that got silence, in the order of [`DROP_REASONS`].
    dropped[5],
    /// Responses the rate limit let go out truncated, as BADCOOKIE, or not at all.
    limited[3],
    /// Octets of queries.
    octets_in,
    /// Octets of responses.
    octets_out,
    /// Responses by size, up to each of [`SIZE_BOUNDS`].
    sizes[7],
    /// Queries with EDNS, and of these with DO.
    edns[2],
    /// Queries by what their cookie was worth: alone, valid, bad, malformed.
    cookies[4],
    /// Responses the kernel would not send.
    send_failed,
    /// Calls that sent fewer responses than they were given.
    short_sends,
    /// Batches lost by a panic.
    panics,
    /// Errors of the socket itself.
    socket_errors,
    /// Connections accepted.
    connections,
    /// Connections closed, in the order of [`CLOSE_REASONS`].
    closed[9],
}

/// Labels of [`Counters::dropped`].
pub const DROP_REASONS: [&str; 5] = ["not_a_query", "source", "buffer", "to_many", "no_source"];
/// Labels of [`Counters::limited`].
pub const LIMIT_ACTIONS: [&str; 3] = ["truncate", "badcookie", "drop"];
/// Labels of [`Counters::closed`].
pub const CLOSE_REASONS: [&str; 9] =
    ["by_client", "idle", "stalled", "unread", "garbage", "error", "full", "handshake", "stopping"];

impl Counters {
    /// Counts a query and what the engine did with it.
    pub fn count_query(&self, query_octets: usize, facts: &Facts) {
        self.octets_in.add(query_octets as u64);
        if let Some(reason) = facts.dropped {
            let index = match reason {
                DropReason::NotAQuery => 0,
                DropReason::Source => 1,
                DropReason::Buffer => 2,
            };
            self.dropped[index].add(1);
            return;
        }
        self.opcodes[usize::from(facts.opcode.0 & 15)].add(1);
        self.types[usize::from(facts.qtype.0).min(TYPES)].add(1);
        if facts.edns_size.is_some() {
            self.edns[0].add(1);
            self.edns[1].add(u64::from(facts.dnssec_ok));
        }
        let cookie = match facts.cookie {
            CookieResult::None => return,
            CookieResult::ClientOnly => 0,
            CookieResult::Valid => 1,
            CookieResult::Bad => 2,
            CookieResult::Malformed => 3,
        };
        self.cookies[cookie].add(1);
    }

    /// Counts a response that goes out.
    pub fn count_response(&self, octets: usize, facts: &Facts) {
        self.rcodes[usize::from(facts.rcode.0).min(RCODES)].add(1);
        self.truncated.add(u64::from(facts.truncated));
        self.octets_out.add(octets as u64);
        let bucket = SIZE_BOUNDS.iter().position(|bound| octets <= *bound);
        self.sizes[bucket.unwrap_or(SIZE_BOUNDS.len() - 1)].add(1);
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

/// All counters there are. Workers join at start.
#[derive(Debug, Default)]
pub struct Register {
    /// One entry a worker and lane.
    entries: std::sync::Mutex<Vec<(Lane, Arc<Counters>)>>,
}

impl Register {
    /// New counters for a worker.
    pub fn join(&self, lane: Lane) -> Arc<Counters> {
        let counters = Arc::new(Counters::default());
        self.entries().push((lane, counters.clone()));
        counters
    }

    /// The sums, one a lane.
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

    /// The entries; a panic elsewhere cannot have left them half written.
    fn entries(&self) -> std::sync::MutexGuard<'_, Vec<(Lane, Arc<Counters>)>> {
        self.entries.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
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
    }
}
