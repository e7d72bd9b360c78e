//! How many octets of bodies are taken in at once, in all and from one network.
//!
//! A body is held in memory until its request is answered. Thousands of uploads at once would use up
//! the memory that the name server needs.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::body::{Body, HttpBody};
use ipnet::IpNet;

use super::BODY_MAX;
use super::limits::prefix;

/// Bodies of the largest size from one network.
const PER_NETWORK: u64 = 4;
/// Bodies of the largest size in all.
const IN_ALL: u64 = 16;

/// The bodies being taken in; clones share them.
#[derive(Clone, Default)]
pub(super) struct Bodies(Arc<Mutex<Held>>);

/// Octets held.
#[derive(Default)]
struct Held {
    /// In all.
    all: u64,
    /// By network.
    by_network: HashMap<IpNet, u64>,
}

impl Bodies {
    /// Room for the body of a request from an address: as much as it says it has, or the most that is
    /// taken in if it does not say. None if there is none.
    pub(super) fn take(&self, from: IpAddr, body: &Body) -> Option<BodyRoom> {
        let largest = BODY_MAX as u64;
        let octets = body.size_hint().upper().unwrap_or(largest).min(largest);
        let network = prefix(from, 24, 56);
        let mut held = self.lock();
        let own = held.by_network.get(&network).copied().unwrap_or_default();
        let room = own + octets <= PER_NETWORK * largest && held.all + octets <= IN_ALL * largest;
        if !room {
            return None;
        }
        held.all += octets;
        if octets > 0 {
            held.by_network.insert(network, own + octets);
        }
        Some(BodyRoom { network, octets, bodies: self.clone() })
    }

    /// Ignores poisoning: the counts are whole after each statement.
    fn lock(&self) -> MutexGuard<'_, Held> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The room of one body, given back when dropped.
pub(super) struct BodyRoom {
    /// Where it comes from.
    network: IpNet,
    /// Its octets.
    octets: u64,
    /// Where they are counted.
    bodies: Bodies,
}

impl Drop for BodyRoom {
    fn drop(&mut self) {
        let mut held = self.bodies.lock();
        held.all -= self.octets;
        if let Some(own) = held.by_network.get_mut(&self.network) {
            *own -= self.octets;
            if *own == 0 {
                held.by_network.remove(&self.network);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_network_and_all_together_have_a_limit() {
        let bodies = Bodies::default();
        let take = |address: &str, octets: usize| {
            bodies.take(address.parse().unwrap(), &Body::from(vec![0; octets]))
        };
        assert!(take("192.0.2.1", 0).is_some());
        let full: Vec<_> = std::iter::from_fn(|| take("192.0.2.1", BODY_MAX)).collect();
        assert_eq!(full.len(), 4);
        assert!(take("192.0.2.77", 1).is_none(), "the same network");
        assert!(take("192.0.2.77", 0).is_some(), "a request without a body needs no room");
        assert!(take("198.51.100.1", 1).is_some());
        drop(full);
        assert!(take("192.0.2.77", BODY_MAX).is_some());
        let all: Vec<_> =
            (0..40).filter_map(|at| take(&format!("10.0.{at}.1"), BODY_MAX)).collect();
        assert_eq!(all.len(), 16);
        assert_eq!(bodies.lock().by_network.len(), 16);
        drop(all);
        let held = bodies.lock();
        assert_eq!((held.all, held.by_network.len()), (0, 0));
    }
}
