//! Asks primaries for a zone: its serial first, then what changed, or all of it.
//!
//! Primaries are asked in the order of the settings, beginning with the one that sent NOTIFY, each at all
//! its addresses, until one has what is wanted. Whatever a primary sends, the zone that is served stays
//! until a whole transfer was checked and published.

use std::time::{Duration, Instant};

use super::addresses::{Addresses, Errand, Haste, Place, Room};
use super::ask::{Asked, Limits};
use super::timer::Failure;
use super::why::{Broken, Why};
use crate::fleet::flight::Connections;
use crate::fleet::handle::Inner;
use crate::fleet::message;
use crate::fleet::rules::{Remote, Rules};
use crate::publish::{Guard, Outcome, PublishError, ReloadReport, TransferIn};
use crate::transfer::{Received, Wanted};
use crate::wire::{Name, is_ahead};

//------------ Puller --------------------------------------------------------

/// What all zones share that are pulled.
#[derive(Default)]
pub(super) struct Puller {
    /// How TLS is spoken.
    pub(super) connections: Connections,
    /// What is known of the addresses.
    pub(super) addresses: Addresses,
    /// How long a transfer may take.
    pub(super) limits: Limits,
}

/// One try for a zone.
#[derive(Debug)]
pub(super) struct Try {
    /// The zone.
    pub(super) zone: Name,
    /// The primary to begin with, by its name: the one that sent NOTIFY, or the one that answered last.
    pub(super) first: Option<String>,
    /// Who asks for it; a person has the whole zone, whatever its serial.
    pub(super) haste: Haste,
    /// A place at the address that is to be asked first.
    pub(super) place: Option<Place>,
}

impl Try {
    /// Whether somebody asks for the whole zone, whatever its serial.
    fn is_forced(&self) -> bool {
        self.haste == Haste::Person
    }

    /// What an address is needed for: without a version of ours nobody needs to be asked.
    fn errand(&self, fleet: &Inner) -> Errand {
        let is_asked = !self.is_forced() && fleet.publisher.secondary_soa(&self.zone).is_some();
        if is_asked { Errand::Question } else { Errand::Transfer }
    }
}

/// What a try came to.
#[derive(Debug)]
pub(super) struct Pulled {
    /// The primary that answered.
    pub(super) primary: String,
    /// What was published; none if the primary has what we have.
    pub(super) report: Option<ReloadReport>,
    /// What primaries before it sent that cannot be used, if they did.
    pub(super) passed_over: Option<String>,
}

/// Why a try came to nothing.
#[derive(Debug)]
pub(super) enum NotPulled {
    /// How it failed, and each primary's reason.
    Failed(Failure, String),
    /// It could not be made now.
    Postponed {
        /// Why.
        why: String,
        /// What it would be next.
        errand: Errand,
    },
}

impl Puller {
    /// Whether there is room to try for a zone; none if nobody could be asked.
    pub(super) fn room(
        &self,
        rules: &Rules,
        zone: &Name,
        first: Option<&str>,
        (errand, haste): (Errand, Haste),
        now: Instant,
    ) -> Option<Room> {
        let primaries = in_order(rules, zone, first);
        let addresses = primaries.flat_map(|remote| remote.addresses.iter().copied());
        self.addresses.room(addresses, errand, haste, now)
    }

    /// Tries to bring a zone up to its primaries.
    pub(super) fn pull(&self, fleet: &Inner, mut wanted: Try) -> Result<Pulled, NotPulled> {
        let rules = fleet.rules.load_full();
        // Whoever wants the whole zone anyway wants it from the first that the settings name.
        let first = wanted.first.as_deref().filter(|_| !wanted.is_forced());
        let primaries = in_order(&rules, &wanted.zone, first);
        let addresses =
            primaries.flat_map(|remote| remote.addresses.iter().map(move |it| (remote, *it)));
        let (mut so_far, now) = (SoFar::default(), Instant::now);
        for (remote, address) in addresses {
            let reason = |why: &str| format!("{} {address}: {why}", remote.name);
            if let Err(why) = self.addresses.begin(address, wanted.haste, now()) {
                so_far.reasons.push(reason(&format!("{why} (a moment ago)")));
                continue;
            }
            let place = wanted.place.take_if(|place| place.address == address);
            let errand = wanted.errand(fleet);
            let place = place.or_else(|| self.addresses.place(address, errand));
            let place = place.ok_or_else(|| Why::busy(errand));
            let began = now();
            let asked = Asked { puller: self, fleet, remote, address, wanted: &wanted, began };
            match place.and_then(|place| asked.pull(place)) {
                Ok(report) => {
                    let (primary, passed_over) = (remote.name.clone(), so_far.unusable());
                    return Ok(Pulled { primary, report, passed_over });
                }
                Err(why) => so_far.note(&why, reason(&why.text)),
            }
        }
        Err(so_far.in_vain())
    }
}

/// What was heard of the primaries so far.
#[derive(Default)]
struct SoFar {
    /// How the try fails, if it does.
    failure: Option<Failure>,
    /// Each one's reason.
    reasons: Vec<String>,
    /// The reasons of those that sent what cannot be used.
    unusable: Vec<String>,
    /// For what one would have to be waited for, if any; a transfer before a question.
    busy: Option<Errand>,
}

impl SoFar {
    /// An address did not have what is wanted.
    fn note(&mut self, why: &Why, reason: String) {
        if let Some(errand) = why.busy {
            self.busy = self.busy.filter(|it| *it == Errand::Transfer).or(Some(errand));
        } else {
            let is_refused = why.failure == Failure::Refused;
            self.failure = self.failure.filter(|_| !is_refused).or(Some(why.failure));
            self.unusable.extend(is_refused.then(|| reason.clone()));
        }
        self.reasons.push(reason);
    }

    /// What is to be said of primaries that were passed over for one that has what is wanted.
    fn unusable(self) -> Option<String> {
        (!self.unusable.is_empty()).then(|| self.unusable.join("; "))
    }

    /// No primary had what is wanted.
    fn in_vain(mut self) -> NotPulled {
        let is_unknown = self.reasons.is_empty();
        if is_unknown {
            self.reasons.push("the settings name no primary that can be reached".to_owned());
        }
        let why = self.reasons.join("; ");
        let errand = self.busy.unwrap_or(Errand::Question);
        match self.failure {
            // Whoever is busy now may have it in a moment.
            Some(Failure::Unheard) if self.busy.is_some() => NotPulled::Postponed { why, errand },
            Some(failure) => NotPulled::Failed(failure, why),
            None if is_unknown => NotPulled::Failed(Failure::Unheard, why),
            None => NotPulled::Postponed { why, errand },
        }
    }
}

/// The primaries of a zone, beginning with this one. Copies nothing: it is asked for each zone that is due.
fn in_order<'a>(
    rules: &'a Rules,
    zone: &Name,
    first: Option<&'a str>,
) -> impl Iterator<Item = &'a Remote> {
    let primaries = rules.of(zone).map_or(&[][..], |rules| &rules.primaries);
    let having = move |is_first: bool| {
        let is_meant = move |it: &&Remote| (Some(it.name.as_str()) == first) == is_first;
        primaries.iter().map(|remote| &**remote).filter(is_meant)
    };
    having(true).chain(having(false))
}

//------------ Asked ---------------------------------------------------------

impl Asked<'_> {
    /// Asks for the serial, and transfers what is newer.
    fn pull(&self, place: Place) -> Result<Option<ReloadReport>, Why> {
        let pulled = match self.serial() {
            Ok(Told::Same) => self.refreshed().map(|()| None),
            Ok(told) if self.fleet.publisher.follows() => Err(told.left_to_another_node()),
            Ok(Told::Newer(serial)) => self.transfer(place, Some(serial)),
            Ok(Told::Unasked) => self.transfer(place, None),
            Err(why) => Err(why),
        };
        match &pulled {
            Err(why) if why.is_silent => {
                self.puller.addresses.silent(self.address, &why.text, Instant::now());
            }
            _ => self.puller.addresses.answered(self.address),
        }
        pulled
    }

    /// What the primary says it has. Without a version of ours, or if the whole zone is wanted anyway,
    /// nobody needs to be asked. A serial behind ours is no use.
    fn serial(&self) -> Result<Told, Why> {
        let zone = &self.wanted.zone;
        let Some(ours) = self.ours().filter(|_| !self.wanted.is_forced()) else {
            return Ok(Told::Unasked);
        };
        let response = self.look()?;
        match message::serial(&response, zone).map_err(Why::unheard)? {
            serial if serial == ours => Ok(Told::Same),
            serial if is_ahead(serial, ours) => Ok(Told::Newer(serial)),
            serial => Err(Why::unheard(format!(
                "its serial {serial} is behind {ours}, which is served; if it is meant: \
                 gapura zone retransfer {zone}"
            ))),
        }
    }

    /// The serial that is live.
    fn ours(&self) -> Option<u32> {
        self.fleet.publisher.secondary_soa(&self.wanted.zone).map(|soa| soa.serial)
    }

    /// The primary has what we have.
    fn refreshed(&self) -> Result<(), Why> {
        self.fleet.publisher.refreshed(&self.wanted.zone).map_err(|error| Why::unpublished(&error))
    }

    //--- Transfer

    /// Transfers what changed, or the whole zone where that cannot be had or does not fit. `told` is the serial
    /// that the primary was asked for.
    fn transfer(&self, place: Place, told: Option<u32>) -> Result<Option<ReloadReport>, Why> {
        // The place for the question is free again: others ask meanwhile.
        let Some(_place) = place.for_transfer() else {
            return Err(Why::busy(Errand::Transfer));
        };
        let mut patience = self.puller.limits.message;
        if let Some(ours) = self.ours().filter(|_| !self.wanted.is_forced()) {
            match self.counted(Wanted::Since(ours), patience / 2) {
                Ok(received) => {
                    if let Taken::Done(report) = self.take(received, told)? {
                        return Ok(report);
                    }
                }
                Err(Broken::Anyway(why)) => return Err(why),
                // Servers fail at IXFR in many ways: with a code, with half an answer, with none.
                Err(broken) => {
                    if matches!(broken, Broken::Stalled) {
                        patience /= 2;
                    }
                    tracing::info!(zone = %self.wanted.zone, primary = %self.remote.name,
                        why = broken.why().text,
                        "no changes can be had: the whole zone is transferred");
                }
            }
        }
        let received = self.counted(Wanted::Whole, patience).map_err(Broken::why)?;
        match self.take(received, told)? {
            Taken::Done(report) => Ok(report),
            Taken::Misfit => Err(Why::unheard("the zone changed meanwhile")),
        }
    }

    /// A transfer; one that did not come whole is counted.
    fn counted(&self, wanted: Wanted, patience: Duration) -> Result<Received, Broken> {
        let received = self.received(wanted, patience);
        if received.is_err() {
            let kind = if wanted == Wanted::Whole { "axfr" } else { "ixfr" };
            self.fleet.counts.came(&self.wanted.zone, kind, "broken");
        }
        received
    }

    /// Publishes what came, and counts it. A transfer of what we have from a primary that has something newer by
    /// its SOA record is no refresh: EXPIRE would never be reached while nothing new ever comes. And asking as
    /// often would be the same transfer again and again.
    fn take(&self, received: Received, told: Option<u32>) -> Result<Taken, Why> {
        let kind = received.word();
        let count = |result| self.fleet.counts.came(&self.wanted.zone, kind, result);
        let unchanged = |serial: u32| {
            count("unchanged");
            match told {
                Some(told) => Err(Why::refused(format!(
                    "the question for SOA it answers with serial {told}, the transfer with {serial}"
                ))),
                None => self.refreshed().map(|()| Taken::Done(None)),
            }
        };
        if let Received::Current { serial } = received {
            return unchanged(serial);
        }
        let (zone, force) = (&self.wanted.zone, self.wanted.is_forced());
        let primary = self.remote.name.as_str();
        let transfer = TransferIn { zone, received, primary, force };
        let report = match self.fleet.publisher.take_transfer(transfer) {
            Ok(report) => report,
            Err(PublishError::Apply(why)) if kind == "ixfr" => {
                count("refused");
                tracing::warn!(%zone, primary, %why,
                    "the changes do not fit the version that is served: the whole zone is transferred");
                return Ok(Taken::Misfit);
            }
            Err(error) => return Err(Why::unpublished(&error)),
        };
        match report.outcome {
            Outcome::Refused { guard, .. } => {
                count("refused");
                let first = report.first_error().unwrap_or_default();
                let text = format!("the transfer is refused: {first}");
                // A disk of ours that is full is no fault of the primary's zone.
                let is_ours = matches!(guard, Guard::Commit | Guard::Unconfirmed);
                Err(if is_ours { Why::unheard(text) } else { Why::refused(text) })
            }
            Outcome::Unchanged { serial } => unchanged(serial),
            _ => {
                count("published");
                Ok(Taken::Done(Some(report)))
            }
        }
    }
}

/// What came of a transfer that came.
enum Taken {
    /// It was published, or what it brings is served already.
    Done(Option<ReloadReport>),
    /// Its changes do not fit what is served.
    Misfit,
}

impl Told {
    /// Why a node that follows does not transfer it.
    fn left_to_another_node(&self) -> Why {
        let what = match self {
            Self::Newer(serial) => format!("its serial {serial} is newer"),
            Self::Same | Self::Unasked => "nothing is served yet".to_owned(),
        };
        Why::unheard(format!(
            "{what}: the node that publishes transfers it once the database is there"
        ))
    }
}

/// What a primary says it has.
enum Told {
    /// What we have.
    Same,
    /// Something newer: its serial.
    Newer(u32),
    /// It was not asked.
    Unasked,
}
