//! Asks primaries for a zone: its serial first, then what changed, or all of it.
//!
//! Primaries are asked in the order of the settings, beginning with the one that sent NOTIFY, each at all
//! its addresses, until one has what is wanted. Whatever a primary sends, the zone that is served stays
//! until a whole transfer was checked and published.

use std::time::Instant;

use super::addresses::{Addresses, Haste, Room, Share};
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
    /// The share of the address that is to be asked first.
    pub(super) share: Option<Share>,
}

impl Try {
    /// Whether somebody asks for the whole zone, whatever its serial.
    fn is_forced(&self) -> bool {
        self.haste == Haste::Person
    }
}

/// What a try came to.
#[derive(Debug)]
pub(super) struct Pulled {
    /// The primary that answered.
    pub(super) primary: String,
    /// What was published; none if the primary has what we have.
    pub(super) report: Option<ReloadReport>,
}

/// Why a try came to nothing.
#[derive(Debug)]
pub(super) enum NotPulled {
    /// How it failed, and each primary's reason.
    Failed(Failure, String),
    /// It could not be made now.
    Postponed(String),
}

impl Puller {
    /// Whether there is room to try for a zone; none if nobody could be asked.
    pub(super) fn room(
        &self,
        rules: &Rules,
        zone: &Name,
        first: Option<&str>,
        haste: Haste,
        now: Instant,
    ) -> Option<Room> {
        let primaries = in_order(rules, zone, first);
        let addresses = primaries.flat_map(|remote| remote.addresses.iter().copied());
        self.addresses.room(addresses, haste, now)
    }

    /// Tries to bring a zone up to its primaries.
    pub(super) fn pull(&self, fleet: &Inner, mut wanted: Try) -> Result<Pulled, NotPulled> {
        let rules = fleet.rules.load_full();
        // Whoever wants the whole zone anyway wants it from the first that the settings name.
        let first = wanted.first.as_deref().filter(|_| !wanted.is_forced());
        let primaries = in_order(&rules, &wanted.zone, first);
        let addresses =
            primaries.flat_map(|remote| remote.addresses.iter().map(move |it| (remote, *it)));
        let (mut failure, mut reasons, mut is_full) = (None, Vec::new(), false);
        for (remote, address) in addresses {
            let mut because = |why: &str| reasons.push(format!("{} {address}: {why}", remote.name));
            if let Err(why) = self.addresses.begin(address, wanted.haste, Instant::now()) {
                because(&format!("{why} (a moment ago)"));
                continue;
            }
            let share = wanted.share.take().filter(|share| share.address == address);
            let Some(_share) = share.or_else(|| self.addresses.share(address)) else {
                is_full = true;
                because("it is busy with other zones");
                continue;
            };
            let asked = Asked { puller: self, fleet, remote, address, wanted: &wanted };
            match asked.pull() {
                Ok(report) => return Ok(Pulled { primary: remote.name.clone(), report }),
                Err(why) => {
                    let is_refused = why.failure == Failure::Refused;
                    failure = failure.filter(|_| !is_refused).or(Some(why.failure));
                    because(&why.text);
                }
            }
        }
        let is_unknown = reasons.is_empty();
        if is_unknown {
            reasons.push("the settings name no primary that can be reached".to_owned());
        }
        let reasons = reasons.join("; ");
        match failure {
            // Whoever is busy now may have it in a moment.
            Some(Failure::Unheard) if is_full => Err(NotPulled::Postponed(reasons)),
            Some(failure) => Err(NotPulled::Failed(failure, reasons)),
            None if is_unknown => Err(NotPulled::Failed(Failure::Unheard, reasons)),
            None => Err(NotPulled::Postponed(reasons)),
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
    fn pull(&self) -> Result<Option<ReloadReport>, Why> {
        let pulled = match self.serial() {
            Ok(Told::Same) => self.refreshed().map(|()| None),
            Ok(Told::Newer(serial)) => self.transfer(Some(serial)),
            Ok(Told::Unasked) => self.transfer(None),
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
    fn transfer(&self, told: Option<u32>) -> Result<Option<ReloadReport>, Why> {
        if let Some(ours) = self.ours().filter(|_| !self.wanted.is_forced()) {
            match self.received(Wanted::Since(ours)) {
                Ok(received) => {
                    if let Taken::Done(report) = self.take(received, told)? {
                        return Ok(report);
                    }
                }
                Err(Broken::Anyway(why)) => return Err(why),
                // Servers fail at IXFR in many ways: with a code, with half an answer, with none.
                Err(broken) => {
                    tracing::info!(zone = %self.wanted.zone, primary = %self.remote.name,
                        why = broken.why().text,
                        "no changes can be had: the whole zone is transferred");
                }
            }
        }
        let received = self.received(Wanted::Whole).map_err(Broken::why)?;
        match self.take(received, told)? {
            Taken::Done(report) => Ok(report),
            Taken::Misfit => Err(Why::unheard("the zone changed meanwhile")),
        }
    }

    /// Publishes what came. A transfer of what we have from a primary that has something newer by its SOA record
    /// is no refresh: EXPIRE would never be reached while nothing new ever comes.
    fn take(&self, received: Received, told: Option<u32>) -> Result<Taken, Why> {
        let contradicts = |serial: u32| match told {
            Some(told) => Err(Why::unheard(format!(
                "the question for SOA it answers with serial {told}, the transfer with {serial}"
            ))),
            None => self.refreshed().map(|()| Taken::Done(None)),
        };
        if let Received::Current { serial } = received {
            return contradicts(serial);
        }
        let (zone, force) = (&self.wanted.zone, self.wanted.is_forced());
        let (primary, kind) = (self.remote.name.as_str(), received.word());
        let transfer = TransferIn { zone, received, primary, force };
        let report = match self.fleet.publisher.take_transfer(transfer) {
            Ok(report) => report,
            Err(PublishError::Apply(why)) if kind == "ixfr" => {
                tracing::warn!(%zone, primary, %why,
                    "the changes do not fit the version that is served: the whole zone is transferred");
                return Ok(Taken::Misfit);
            }
            Err(error) => return Err(Why::unpublished(&error)),
        };
        match report.outcome {
            Outcome::Refused { guard, .. } => {
                let first = report.first_error().unwrap_or_default();
                let text = format!("the transfer is refused: {first}");
                // A disk of ours that is full is no fault of the primary's zone.
                let is_ours = matches!(guard, Guard::Commit | Guard::Unconfirmed);
                Err(if is_ours { Why::unheard(text) } else { Why::refused(text) })
            }
            Outcome::Unchanged { serial } => contradicts(serial),
            _ => Ok(Taken::Done(Some(report))),
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

/// What a primary says it has.
enum Told {
    /// What we have.
    Same,
    /// Something newer: its serial.
    Newer(u32),
    /// It was not asked.
    Unasked,
}
