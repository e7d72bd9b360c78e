//! What all zones know together of the addresses of primaries: for how many zones each is asked or transferred
//! from at once, and which did not answer.
//!
//! One primary that is slow, hangs or is away must not hold up the zones of the others, nor a transfer the
//! questions of other zones: an address has places for questions and places for transfers, and one that did not
//! answer is left alone for a while. Time is a parameter.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::lock::lock;

/// Zones that one address is asked for at once.
pub(super) const QUESTIONS: usize = 4;
/// Zones that are transferred from one address at once.
pub(super) const TRANSFERS: usize = 2;
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

/// What a zone needs of an address, as far as is known.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Errand {
    /// The question for its serial; perhaps a transfer then.
    Question,
    /// A transfer.
    Transfer,
}

/// What is known of the addresses; clones share it.
#[derive(Clone, Debug, Default)]
pub(super) struct Addresses(Arc<Mutex<HashMap<SocketAddr, Known>>>);

/// What is known of one address.
#[derive(Debug, Default)]
struct Known {
    /// Zones that it is asked for now.
    questions: usize,
    /// Zones that are transferred from there now.
    transfers: usize,
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
    /// All places where it would be are taken: later.
    Full,
    /// None of its addresses answered a moment ago.
    Silent(String),
}

impl Addresses {
    /// Whether there is a place for a zone with these addresses, and where first: a primary that is busy does
    /// not hide the next one.
    pub(super) fn room(
        &self,
        addresses: impl Iterator<Item = SocketAddr>,
        errand: Errand,
        haste: Haste,
        now: Instant,
    ) -> Option<Room> {
        let known = lock(&self.0);
        let (mut silent, mut is_full) = (None, false);
        for address in addresses {
            let Some(one) = known.get(&address) else { return Some(Room::Free(address)) };
            match one.silence.as_ref().filter(|silence| silence.holds(haste, now)) {
                Some(silence) => silent = silent.or_else(|| Some(silence.why.clone())),
                None if one.has_place(errand) => return Some(Room::Free(address)),
                None => is_full = true,
            }
        }
        if is_full { Some(Room::Full) } else { silent.map(Room::Silent) }
    }

    /// A place at an address, until it is dropped; none if all are taken.
    pub(super) fn place(&self, address: SocketAddr, errand: Errand) -> Option<Place> {
        let mut known = lock(&self.0);
        let one = known.entry(address).or_default();
        one.has_place(errand).then(|| {
            *one.taken(errand) += 1;
            Place { addresses: self.clone(), address, errand }
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
            one.questions + one.transfers > 0
                || one.silence.as_ref().is_some_and(|silence| !silence.is_over(now))
        });
        let one = known.entry(address).or_default();
        let before = one.silence.as_ref().filter(|silence| !silence.is_old(now));
        let is_broken = before.is_some_and(|silence| silence.is_broken);
        one.silence = Some(Silence { since: now, why: why.to_owned(), is_broken });
    }
}

impl Known {
    /// Whether a place is free.
    fn has_place(&self, errand: Errand) -> bool {
        match errand {
            Errand::Question => self.questions < QUESTIONS,
            Errand::Transfer => self.transfers < TRANSFERS,
        }
    }

    /// The places that are taken.
    fn taken(&mut self, errand: Errand) -> &mut usize {
        match errand {
            Errand::Question => &mut self.questions,
            Errand::Transfer => &mut self.transfers,
        }
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

/// A place at an address; it is given back when dropped.
#[derive(Debug)]
pub(super) struct Place {
    /// Where it is given back.
    addresses: Addresses,
    /// Whose it is.
    pub(super) address: SocketAddr,
    /// What it is for.
    errand: Errand,
}

impl Place {
    /// This place as one for a transfer; none if all of those are taken.
    pub(super) fn for_transfer(self) -> Option<Self> {
        match self.errand {
            Errand::Transfer => Some(self),
            Errand::Question => self.addresses.place(self.address, Errand::Transfer),
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(one) = lock(&self.addresses.0).get_mut(&self.address) {
            let taken = one.taken(self.errand);
            *taken = taken.saturating_sub(1);
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
    fn an_address_has_its_places_and_no_more() {
        let (addresses, now) = (Addresses::default(), Instant::now());
        let room = |errand, of: &[u8]| {
            addresses.room(of.iter().copied().map(address), errand, Haste::Time, now)
        };
        let (question, transfer) = (Errand::Question, Errand::Transfer);
        assert_eq!(room(question, &[]), None);
        let one = addresses.place(address(1), transfer).unwrap();
        let two = addresses.place(address(1), question).unwrap().for_transfer().unwrap();
        assert!(addresses.place(address(1), transfer).is_none());
        let asking = addresses.place(address(1), question).unwrap();
        assert!(asking.for_transfer().is_none(), "and the place for the question is free again");
        assert_eq!(room(transfer, &[1]), Some(Room::Full));
        assert_eq!(room(question, &[1]), Some(Room::Free(address(1))), "nobody waits to ask");
        assert_eq!(room(transfer, &[1, 2]), Some(Room::Free(address(2))), "the second is free");
        assert_eq!(room(transfer, &[2, 1]), Some(Room::Free(address(2))));
        let all: Vec<_> = (0..9).map_while(|_| addresses.place(address(1), question)).collect();
        assert_eq!((all.len(), room(question, &[1])), (QUESTIONS, Some(Room::Full)));
        drop((one, all));
        assert_eq!(room(transfer, &[1, 2]), Some(Room::Free(address(1))));
        assert_eq!(room(question, &[1, 2]), Some(Room::Free(address(1))));
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
        let room = addresses.room(only(), Errand::Question, Haste::Notify, at(18));
        assert_eq!(room, Some(Room::Silent("gone".to_owned())));
        assert!(begin(Haste::Time, 19));
        let room =
            addresses.room([1, 2].map(address).into_iter(), Errand::Question, Haste::Time, at(18));
        assert_eq!(room, Some(Room::Free(address(2))), "the next one is asked");
        addresses.answered(address(1));
        assert_eq!(
            addresses.room(only(), Errand::Question, Haste::Time, at(9)),
            Some(Room::Free(address(1)))
        );
    }
}
