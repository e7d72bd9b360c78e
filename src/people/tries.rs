//! How often a name, a password or a code may be tried, and by whom.
//!
//! No count belongs to an account alone: a stranger who tries a name uses up what their own network may
//! try, and keeps nobody out. A browser in which somebody signed in before and a session have counts
//! of their own. Counts are kept for whatever name is tried, so they tell nothing of which exist, and
//! they fade: each one allows a burst and then one more try per interval.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Mutex;

use ipnet::IpNet;

use crate::lock::lock;
use crate::queue::time::MINUTE_MS;

/// Counts of one generation; the older generation is dropped when the newer one is full.
const COUNTS_MAX: usize = 20_000;
/// Characters of a name that count; no account has a longer one.
const NAME_MAX: usize = 64;

//------------ Origin --------------------------------------------------------

/// Where a try comes from.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Origin {
    /// Somebody at the server's own command line.
    Console,
    /// A network, from a browser nobody is known to have signed in with.
    Network(IpNet),
    /// A browser in which this very account has signed in before.
    Device(String),
    /// A session, by the hash of its token.
    Session(String),
}

impl Origin {
    /// The network of an address, as far as its tries count together.
    pub fn network(address: IpAddr) -> Self {
        let address = address.to_canonical();
        let bits = if address.is_ipv4() { 32 } else { 56 };
        Self::Network(IpNet::new_assert(address, bits).trunc())
    }
}

//------------ Try -----------------------------------------------------------

/// What is tried, and what it counts against.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(super) enum Try {
    /// A password for a name, from somewhere.
    Password(String, Origin),
    /// A code for an account, from a known browser or a session.
    Code(String, Origin),
    /// A code for an account, from anywhere else: whoever tries knows the password.
    CodeFromAfar(String),
    /// A code in one half-finished sign-in, by the hash of its token.
    HalfSession(String),
    /// A password for a name, from browsers nobody has signed in with; it only slows down.
    Anywhere(String),
}

impl Try {
    /// A password for a name.
    pub(super) fn password(name: &str, origin: &Origin) -> Self {
        Self::Password(name.chars().take(NAME_MAX).collect(), origin.clone())
    }

    /// A password for a name from afar.
    pub(super) fn anywhere(name: &str) -> Self {
        Self::Anywhere(name.chars().take(NAME_MAX).collect())
    }

    /// A code for an account.
    pub(super) fn code(person: &str, origin: &Origin) -> Self {
        match origin {
            Origin::Network(_) => Self::CodeFromAfar(person.to_owned()),
            known => Self::Code(person.to_owned(), known.clone()),
        }
    }

    /// Tries at once, and the time after which one more is allowed.
    fn limit(&self) -> (i64, i64) {
        match self {
            Self::Password(_, Origin::Network(_)) => (20, 3 * MINUTE_MS),
            Self::Password(..) => (20, MINUTE_MS),
            Self::Code(..) => (10, 5 * MINUTE_MS),
            Self::CodeFromAfar(_) => (10, 10 * MINUTE_MS),
            Self::HalfSession(_) => (5, 24 * 60 * MINUTE_MS),
            Self::Anywhere(_) => (100, MINUTE_MS),
        }
    }
}

//------------ Tries ---------------------------------------------------------

/// The counts, two generations of them: memory and time per try have a bound.
#[derive(Debug, Default)]
pub(super) struct Tries(Mutex<[HashMap<Try, i64>; 2]>);

impl Tries {
    /// Takes one try; the error is the time until the next one, in milliseconds. It counts until it is
    /// given back, so that tries sent all at once count each other.
    pub(super) fn take(&self, what: &Try, now_ms: i64) -> Result<(), i64> {
        let (burst, interval) = what.limit();
        let mut counts = lock(&self.0);
        // The time at which all tries so far are forgotten.
        let forgotten = counts.iter().find_map(|counts| counts.get(what)).copied();
        // One that no burst reaches was counted by a clock that ran ahead.
        let forgotten = forgotten.filter(|&at| at <= now_ms + burst * interval);
        let forgotten = forgotten.unwrap_or(now_ms).max(now_ms) + interval;
        let ahead = forgotten - now_ms - burst * interval;
        if ahead > 0 {
            return Err(ahead);
        }
        if counts[0].len() >= COUNTS_MAX && !counts[0].contains_key(what) {
            counts.swap(0, 1);
            counts[0].clear();
        }
        counts[0].insert(what.clone(), forgotten);
        Ok(())
    }

    /// Gives back a try that was right.
    pub(super) fn give_back(&self, what: &Try) {
        let (_, interval) = what.limit();
        let mut counts = lock(&self.0);
        if let Some(forgotten) = counts.iter_mut().find_map(|counts| counts.get_mut(what)) {
            *forgotten -= interval;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_allows_a_burst_then_one_each_interval_and_fades() {
        let tries = Tries::default();
        let here = Try::password("kasi", &Origin::network("192.0.2.1".parse().unwrap()));
        let there = Try::password("kasi", &Origin::network("192.0.2.2".parse().unwrap()));
        for _ in 0..20 {
            tries.take(&here, 0).unwrap();
        }
        assert_eq!(tries.take(&here, 0), Err(3 * MINUTE_MS));
        assert_eq!(tries.take(&here, MINUTE_MS), Err(2 * MINUTE_MS));
        tries.take(&there, 0).unwrap();
        tries.take(&here, 3 * MINUTE_MS).unwrap();
        assert!(tries.take(&here, 3 * MINUTE_MS).is_err());
        tries.give_back(&here);
        tries.take(&here, 3 * MINUTE_MS).unwrap();
        for _ in 0..20 {
            tries.take(&here, 200 * MINUTE_MS).unwrap();
        }
    }

    #[test]
    fn memory_has_a_bound() {
        let tries = Tries::default();
        for number in 0..3 * COUNTS_MAX {
            tries.take(&Try::Anywhere(number.to_string()), 0).unwrap();
        }
        let kept = tries.0.lock().unwrap().iter().map(HashMap::len).sum::<usize>();
        assert!(kept <= 2 * COUNTS_MAX, "{kept}");
    }

    #[test]
    fn addresses_of_one_network_count_together() {
        let of = |text: &str| Origin::network(text.parse().unwrap());
        assert_eq!(of("2001:db8::1"), of("2001:db8:0:ff::1"));
        assert_ne!(of("2001:db8::1"), of("2001:db8:0:100::1"));
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
    }
}
