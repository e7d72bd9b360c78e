//! What all zones know together of the addresses of primaries: how many zones are asked for there at once,
//! and which did not answer.
//!
//! One primary that is slow, hangs or is away must not hold up the zones of the others: an address has a
//! share of the threads, and one that did not answer is left alone for a while. Time is a parameter.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::lock::lock;

/// Zones that are asked for at one address at once.
pub(super) const SHARE: usize = 2;
/// How long an address that did not answer is left alone.
const SILENCE: Duration = Duration::from_secs(10);

/// How much a try matters to somebody.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Haste {
    /// Only time drives it.
    Time,
    /// NOTIFY came, or a reload by hand: it breaks a silence, but each only once.
    Notify,
    /// A person waits for it: it breaks any silence.
    Person,
}

/// What is known of the addresses; clones share it.
#[derive(Clone, Debug, Default)]
pub(super) struct Addresses(Arc<Mutex<HashMap<SocketAddr, Known>>>);

/// What is known of one address.
#[derive(Debug, Default)]
struct Known {
    /// Zones that are asked for there now.
    zones: usize,
    /// That it did not answer.
    silence: Option<Silence>,
}

/// An address that did not answer.
#[derive(Debug)]
struct Silence {
    /// Since when.
    since: Instant,
    /// What happened.
    why: String,
    /// Whether NOTIFY broke it; what follows from that is the same silence still.
    is_broken: bool,
}

/// Whether a zone can be asked for now.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Room {
    /// Yes, here first.
    Free(SocketAddr),
    /// Others are asked for where it would be: later.
    Full,
    /// None of its addresses answered a moment ago.
    Silent(String),
}

impl Addresses {
    /// Whether a zone with these addresses can be asked for, and where first: a primary that is busy does not
    /// hide the next one.
    pub(super) fn room(
        &self,
        addresses: impl Iterator<Item = SocketAddr>,
        haste: Haste,
        now: Instant,
    ) -> Option<Room> {
        let known = lock(&self.0);
        let (mut silent, mut is_full) = (None, false);
        for address in addresses {
            let Some(one) = known.get(&address) else { return Some(Room::Free(address)) };
            match one.silence.as_ref().filter(|silence| silence.holds(haste, now)) {
                Some(silence) => silent = silent.or_else(|| Some(silence.why.clone())),
                None if one.zones < SHARE => return Some(Room::Free(address)),
                None => is_full = true,
            }
        }
        if is_full { Some(Room::Full) } else { silent.map(Room::Silent) }
    }

    /// A share of an address, until it is dropped; none if all are taken.
    pub(super) fn share(&self, address: SocketAddr) -> Option<Share> {
        let mut known = lock(&self.0);
        let zones = &mut known.entry(address).or_default().zones;
        (*zones < SHARE).then(|| {
            *zones += 1;
            Share { addresses: self.clone(), address }
        })
    }

    /// Asks to ask. Refused, with what happened there, if it did not answer a moment ago.
    pub(super) fn begin(
        &self,
        address: SocketAddr,
        haste: Haste,
        now: Instant,
    ) -> Result<(), String> {
        let mut known = lock(&self.0);
        let Some(silence) = known.get_mut(&address).and_then(|one| one.silence.as_mut()) else {
            return Ok(());
        };
        if silence.holds(haste, now) {
            return Err(silence.why.clone());
        }
        silence.is_broken |= haste == Haste::Notify;
        Ok(())
    }

    /// An address answered.
    pub(super) fn answered(&self, address: SocketAddr) {
        if let Some(one) = lock(&self.0).get_mut(&address) {
            one.silence = None;
        }
    }

    /// An address did not answer.
    pub(super) fn silent(&self, address: SocketAddr, why: &str, now: Instant) {
        let mut known = lock(&self.0);
        // Addresses that are in no settings any more are forgotten.
        known.retain(|_, one| {
            one.zones > 0 || one.silence.as_ref().is_some_and(|silence| !silence.is_over(now))
        });
        let one = known.entry(address).or_default();
        let before = one.silence.as_ref().filter(|silence| !silence.is_old(now));
        let is_broken = before.is_some_and(|silence| silence.is_broken);
        one.silence = Some(Silence { since: now, why: why.to_owned(), is_broken });
    }
}

impl Silence {
    /// Whether it keeps a try from asking.
    fn holds(&self, haste: Haste, now: Instant) -> bool {
        let breaks = match haste {
            Haste::Time => false,
            Haste::Notify => !self.is_broken,
            Haste::Person => true,
        };
        !breaks && !self.is_over(now)
    }

    /// Whether its time is over.
    fn is_over(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.since) >= SILENCE
    }

    /// Whether what is silent now is another silence: a try that broke this one would have ended.
    fn is_old(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.since) >= SILENCE * 2
    }
}

/// A share of an address; it is given back when dropped.
#[derive(Debug)]
pub(super) struct Share {
    /// Where it is given back.
    addresses: Addresses,
    /// Whose it is.
    pub(super) address: SocketAddr,
}

impl Drop for Share {
    fn drop(&mut self) {
        if let Some(one) = lock(&self.addresses.0).get_mut(&self.address) {
            one.zones = one.zones.saturating_sub(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An address.
    fn address(last: u8) -> SocketAddr {
        ([192, 0, 2, last], 53).into()
    }

    #[test]
    fn an_address_has_its_share_and_no_more() {
        let (addresses, now) = (Addresses::default(), Instant::now());
        let room = |of: &[u8]| addresses.room(of.iter().copied().map(address), Haste::Time, now);
        assert_eq!(room(&[]), None);
        let one = addresses.share(address(1)).unwrap();
        let two = addresses.share(address(1)).unwrap();
        assert!(addresses.share(address(1)).is_none());
        assert_eq!(room(&[1]), Some(Room::Full));
        assert_eq!(room(&[1, 2]), Some(Room::Free(address(2))), "the second has a share");
        assert_eq!(room(&[2, 1]), Some(Room::Free(address(2))));
        drop(one);
        assert_eq!(room(&[1, 2]), Some(Room::Free(address(1))));
        drop(two);
    }

    /// Bug class: a flood of NOTIFY keeps all threads at a primary that is away.
    #[test]
    fn notify_breaks_a_silence_once() {
        let (addresses, now) = (Addresses::default(), Instant::now());
        let at = |seconds: u64| now + Duration::from_secs(seconds);
        let begin = |haste, seconds| addresses.begin(address(1), haste, at(seconds)).is_ok();
        assert!(begin(Haste::Time, 0));
        addresses.silent(address(1), "gone", at(0));
        assert!(!begin(Haste::Time, 1) && begin(Haste::Notify, 1) && !begin(Haste::Notify, 2));
        // What NOTIFY brought about is the same silence.
        addresses.silent(address(1), "gone", at(9));
        assert!(!begin(Haste::Notify, 10) && begin(Haste::Person, 10) && !begin(Haste::Time, 18));
        let only = || [address(1)].into_iter();
        let room = addresses.room(only(), Haste::Notify, at(18));
        assert_eq!(room, Some(Room::Silent("gone".to_owned())));
        assert!(begin(Haste::Time, 19));
        let room = addresses.room([1, 2].map(address).into_iter(), Haste::Time, at(18));
        assert_eq!(room, Some(Room::Free(address(2))), "the next one is asked");
        addresses.answered(address(1));
        assert_eq!(addresses.room(only(), Haste::Time, at(9)), Some(Room::Free(address(1))));
    }
}
