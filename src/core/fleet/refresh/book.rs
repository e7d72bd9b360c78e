//! The zones that are kept fresh, and whose turn it is. Without socket, clock and thread.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::time::Instant;

use super::addresses::Room;
use super::pull::{Puller, Try};
use super::watched::Watched;
use crate::fleet::rules::Rules;
use crate::wire::Name;

//------------ Book ----------------------------------------------------------

/// All that is known.
#[derive(Default)]
pub(super) struct Book {
    /// The zones by apex.
    pub(super) zones: BTreeMap<Name, Watched>,
    /// Whether zones are kept fresh at all: not before the sockets are open.
    pub(super) is_open: bool,
    /// Whether the threads were started.
    pub(super) is_running: bool,
    /// Whether it is over.
    pub(super) is_over: bool,
    /// Threads that pull.
    pub(super) pullers: usize,
    /// Of these, those that wait for a zone.
    pub(super) idle: usize,
    /// Whether the next turn is that of a zone that only time drives, as the last one was not.
    is_turn_of_time: bool,
}

impl Book {
    /// Hurries the zones that NOTIFY came for. Returns whether there are any.
    pub(super) fn hurry(&mut self, primaries: HashMap<Name, String>, now: Instant) -> bool {
        let mut any = false;
        for (zone, primary) in primaries {
            let Some(watched) = self.zones.get_mut(&zone) else { continue };
            watched.first = Some(primary);
            watched.timer.hurry(now);
            any = true;
        }
        any
    }

    /// The zone whose turn it is, of those that are due and that there is room for: those that somebody waits
    /// for, then in turns one that NOTIFY hurries and one that only time drives, each the one that has waited
    /// longest. Neither many NOTIFYs nor a primary that hangs hold up the zones of others.
    pub(super) fn take_next(
        &mut self,
        puller: &Puller,
        rules: &Rules,
        now: Instant,
    ) -> Option<Try> {
        let is_turn_of_time = self.is_turn_of_time;
        let rank = |watched: &Watched| {
            let is_urgent = watched.timer.is_urgent;
            (watched.waiting.is_empty(), is_urgent == is_turn_of_time, watched.timer.due)
        };
        let mut first: Option<(&Name, &mut Watched, Option<SocketAddr>)> = None;
        for (zone, watched) in &mut self.zones {
            let is_sooner = || first.as_ref().is_none_or(|(_, best, _)| rank(watched) < rank(best));
            if !watched.timer.is_due(now) || !is_sooner() {
                continue;
            }
            let wanted = (watched.errand(), watched.haste());
            match puller.room(rules, zone, watched.first.as_deref(), wanted, now) {
                Some(Room::Free(address)) => first = Some((zone, watched, Some(address))),
                // A try says that no primary is known.
                None => first = Some((zone, watched, None)),
                Some(Room::Full) => {}
                Some(Room::Silent(why)) => drop(watched.error.get_or_insert(why)),
            }
        }
        let (zone, watched, address) = first?;
        let wanted = Try {
            zone: zone.clone(),
            first: watched.first.clone(),
            haste: watched.haste(),
            place: address.and_then(|address| puller.addresses.place(address, watched.errand())),
        };
        self.is_turn_of_time = watched.timer.is_urgent;
        watched.timer.begin(now);
        Some(wanted)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::mpsc::channel;
    use std::time::Duration;

    use super::super::addresses::{Errand, Haste};
    use super::super::timer::Timer;
    use super::*;
    use crate::fleet::ZoneRules;
    use crate::fleet::tests::{name, remote};
    use crate::zone::TimeLeft;

    /// Bug class: zones that NOTIFY hurries all the while leave no turn to those that only time drives.
    #[test]
    fn notify_and_time_take_turns_and_a_person_goes_first() {
        let now = Instant::now();
        let (mut book, mut rules) = (Book::default(), HashMap::new());
        for (at, of) in ["n1.", "n2.", "n3.", "t1.", "t2.", "p.", "later."].iter().enumerate() {
            let due = if *of == "later." { now + Duration::from_secs(1) } else { now };
            let mut timer = Timer::new(now, due, None);
            timer.is_urgent = of.starts_with('n');
            let waiting = if *of == "p." { vec![channel().0] } else { Vec::new() };
            let watched = Watched { waiting, ..Watched::of(timer, TimeLeft::default()) };
            book.zones.insert(name(of), watched);
            let address = format!("192.0.2.{at}");
            let primaries = vec![Arc::new(remote(of, &[&address], ""))];
            rules.insert(name(of), ZoneRules { primaries, ..ZoneRules::default() });
        }
        let (puller, rules) = (Puller::default(), Rules::new(rules));
        let mut turns = Vec::new();
        while let Some(wanted) = book.take_next(&puller, &rules, now) {
            let expected = match wanted.zone.to_string().as_bytes()[0] {
                b'n' => Haste::Notify,
                b't' => Haste::Time,
                _ => Haste::Person,
            };
            assert_eq!(wanted.haste, expected);
            assert!(wanted.place.is_some());
            turns.push(wanted.zone.to_string());
        }
        assert_eq!(turns, ["p.", "n1.", "t1.", "n2.", "t2.", "n3."]);
    }

    #[test]
    fn a_zone_whose_primary_is_silent_or_full_waits_and_has_not_failed() {
        let (now, zone) = (Instant::now(), name("a."));
        let only = Arc::new(remote("ns1", &["192.0.2.1"], ""));
        let of = ZoneRules { primaries: vec![Arc::clone(&only)], ..ZoneRules::default() };
        let (puller, rules) = (Puller::default(), Rules::new(HashMap::from([(zone.clone(), of)])));
        let mut book = Book::default();
        let timer = Timer::new(now, now, None);
        let error = Some("truth".to_owned());
        let watched = Watched { error, ..Watched::of(timer.clone(), TimeLeft::default()) };
        book.zones.insert(zone.clone(), watched);
        let address = only.addresses[0];
        for errand in [Errand::Question, Errand::Transfer] {
            book.zones.get_mut(&zone).unwrap().errand = errand;
            let places = std::iter::from_fn(|| puller.addresses.place(address, errand));
            let places: Vec<_> = places.collect();
            assert!(!places.is_empty() && book.take_next(&puller, &rules, now).is_none());
        }
        // What is full for one errand is not for the other.
        let transfer = std::iter::from_fn(|| puller.addresses.place(address, Errand::Transfer));
        let places: Vec<_> = transfer.collect();
        book.zones.get_mut(&zone).unwrap().errand = Errand::Question;
        assert!(book.take_next(&puller, &rules, now).is_some());
        drop(places);
        book.zones.get_mut(&zone).unwrap().timer = timer;
        puller.addresses.silent(address, "gone", now);
        assert!(book.take_next(&puller, &rules, now).is_none(), "silent");
        assert_eq!(book.zones[&zone].error.as_deref(), Some("truth"));
        let later = now + Duration::from_secs(10);
        assert!(book.take_next(&puller, &rules, later).is_some());
    }
}
