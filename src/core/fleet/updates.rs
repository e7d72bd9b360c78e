//! Performs UPDATE (RFC 2136): who may, then prerequisites and change on the version as served, as one change of
//! the zone; or, where the grant says so, a request in the queue.
//!
//! A key may nothing that no grant covers. What a request put up or took out is the request's: no update
//! changes it. NOERROR is answered when the change is durable, served and confirmed by our own sockets, or when
//! all that is asked for is so already.

use super::Fleet;
use super::proposal::{NotProposed, Proposal, Queue};
use super::rules::UpdateRules;
use crate::answer::Ede;
use crate::publish::{Cause, Edit, NotDecided, PublishError, RrsetEdit, is_guard};
use crate::serve::{Refusal, Requester};
use crate::update::{Denied, How, Rrset, Unmet, Update, UpdateFault, View};
use crate::wire::{Name, Rcode, Rtype};
use crate::zone::{Entry, RrsetRef, Zone};

/// Why an update is not performed as it was asked for.
enum Against {
    /// No grant covers it.
    Denied(Denied),
    /// A prerequisite does not hold.
    Unmet(Unmet),
    /// It may only be proposed.
    Propose(Vec<RrsetEdit>),
    /// The procedure keeps a name out of the zone.
    KeptOut(Name),
    /// Whether it does could not be found out.
    Unknown(String),
}

//------------ Who may at all ------------------------------------------------

impl Fleet {
    /// Whether a requester may change anything of a zone. Does not wait: what fails here is never queued.
    pub(super) fn allows_update(&self, requester: &Requester, zone: &Name) -> Result<(), Refusal> {
        if self.0.publisher.zones().get(zone.as_ref()).is_none() {
            return Err(Refusal::new(Rcode::NOTAUTH, Ede::NOT_AUTHORITATIVE));
        }
        if self.0.publisher.follows() {
            return Err(refused("this node follows another one: send the update to that one"));
        }
        let Some(key) = &requester.key else {
            return Err(refused("an update needs the signature of a key (TSIG)"));
        };
        let rules = self.0.rules.load();
        let rules = rules.of(zone).and_then(|rules| rules.updates.as_ref());
        if rules.is_some_and(|rules| rules.grants.has(key)) {
            Ok(())
        } else {
            Err(refused("this key may change nothing of the zone"))
        }
    }
}

//------------ Performing ----------------------------------------------------

impl Fleet {
    /// Performs an update, or proposes it.
    pub(super) fn perform_update(
        &self,
        requester: &Requester,
        message: &[u8],
    ) -> Result<(), Refusal> {
        let update = Update::read(message).map_err(|fault| malformed(&fault))?;
        self.allows_update(requester, &update.zone)?;
        let rules = self.rules();
        let rules = rules.of(&update.zone).and_then(|rules| rules.updates.as_ref());
        let (Some(rules), Some(key)) = (rules, &requester.key) else {
            return Err(Refusal::new(Rcode::REFUSED, Ede::PROHIBITED));
        };
        if self.0.queue.get().is_none() {
            return Err(unable(
                "gapura is starting, and does not know yet which names are kept out",
            ));
        }
        // Where all that is asked for is not the key's, nobody waits for the zone's lock.
        if let Some(Entry::Loaded(zone)) = self.0.publisher.zones().get(update.zone.as_ref()) {
            let judged = rules.grants.judge(key, &update, &view(zone.content()));
            let _how = judged.map_err(|denied| refused(denied.to_string()))?;
        }
        let cause = Cause::Update { key: key.to_string() };
        let who = format!("key:{key}");
        let done = self.0.publisher.publish_decided(&update.zone, (cause, &who), |zone| {
            self.decide(rules, key, &update, zone)
        });
        match done {
            Ok(Some(change)) => {
                let (removed, added) = change.counts();
                tracing::info!(zone = %update.zone, %key, peer = %requester.address, serial = change.to,
                    removed, added, "updated");
                Ok(())
            }
            Ok(None) => Ok(()),
            Err(NotDecided::Against(Against::Propose(changed))) => {
                self.propose(rules, (key, requester), &update.zone, changed)
            }
            Err(NotDecided::Against(against)) => Err(against.refusal()),
            Err(NotDecided::Door(error)) => Err(of_door(&update.zone, key, &error)),
        }
    }

    /// What an update means for a version of its zone.
    fn decide(
        &self,
        rules: &UpdateRules,
        key: &Name,
        update: &Update,
        zone: &Zone,
    ) -> Result<Edit, Against> {
        let view = view(zone);
        let how = rules.grants.judge(key, update, &view).map_err(Against::Denied)?;
        let changed = update.apply(&view).map_err(Against::Unmet)?;
        let changed: Vec<RrsetEdit> = changed.into_iter().map(edit).collect();
        if how == How::Propose && !changed.is_empty() {
            return Err(Against::Propose(changed));
        }
        for set in changed.iter().filter(|set| !set.rdatas.is_empty()) {
            let kept_out = self.queue().map(|queue| queue.is_kept_out(&set.owner));
            match kept_out {
                None | Some(Ok(false)) => {}
                Some(Ok(true)) => return Err(Against::KeptOut(set.owner.clone())),
                Some(Err(why)) => return Err(Against::Unknown(why)),
            }
        }
        Ok(Edit { set: changed })
    }

    /// The queue, if it is open.
    fn queue(&self) -> Option<&dyn Queue> {
        self.0.queue.get()?.as_deref()
    }

    /// Makes a request of what an update asks for. The answer is a refusal in any case: nothing is served yet.
    fn propose(
        &self,
        rules: &UpdateRules,
        (key, requester): (&Name, &Requester),
        zone: &Name,
        changed: Vec<RrsetEdit>,
    ) -> Result<(), Refusal> {
        let closed = || unable("the queue is closed, so nothing can be proposed");
        let queue = self.queue().ok_or_else(closed)?;
        let applicant = rules.applicant(key).ok_or_else(closed)?.clone();
        let Some(owner) = changed.first().map(|set| set.owner.clone()) else { return Ok(()) };
        if changed.iter().any(|set| set.owner != owner) {
            return Err(refused("a request is about one name: send an update for each"));
        }
        let proposal = Proposal { zone: zone.clone(), owner, changed, key: key.clone(), applicant };
        match queue.propose(&proposal) {
            Ok(number) => {
                tracing::info!(%zone, %key, peer = %requester.address, request = number,
                    "an update became a request");
                Err(refused(format!("proposed as request {number}: it waits for approval")))
            }
            Err(NotProposed::TurnedBack(why)) => Err(refused(why)),
            Err(NotProposed::Failed(why)) => {
                tracing::error!(%zone, %key, why, "an update could not be proposed");
                Err(unable("the queue could not take the request"))
            }
        }
    }
}

/// An RRset of an update as one of an edit.
fn edit(Rrset { owner, rtype, ttl, rdatas }: Rrset) -> RrsetEdit {
    RrsetEdit { owner, rtype, ttl, rdatas }
}

/// A zone as clients of UPDATE see it: without guards under wildcards and ZONEMD, which are gapura's own.
fn view(zone: &Zone) -> View<'_> {
    let hides = |set: RrsetRef<'_>| set.rtype() == Rtype::ZONEMD || is_guard(set);
    View { zone, hides }
}

//------------ Refusals ------------------------------------------------------

/// What the key may not have.
fn refused(text: impl Into<String>) -> Refusal {
    Refusal { text: Some(text.into()), ..Refusal::new(Rcode::REFUSED, Ede::PROHIBITED) }
}

/// What cannot be done now.
fn unable(text: &str) -> Refusal {
    Refusal { text: Some(text.to_owned()), ..Refusal::new(Rcode::SERVFAIL, Ede::OTHER) }
}

/// A message that is no update of ours.
fn malformed(fault: &UpdateFault) -> Refusal {
    let (rcode, text) = (fault.rcode(), Some(fault.to_string()));
    let ede = match fault {
        UpdateFault::Class(_) => Some(Ede::NOT_SUPPORTED),
        UpdateFault::TooMany => Some(Ede::PROHIBITED),
        _ => None,
    };
    Refusal { rcode, ede, text }
}

impl Against {
    /// What the requester is told.
    fn refusal(self) -> Refusal {
        match self {
            Self::Denied(denied) => refused(denied.to_string()),
            Self::Unmet(unmet) => {
                Refusal { rcode: unmet.rcode, ede: None, text: Some(unmet.to_string()) }
            }
            Self::KeptOut(owner) => refused(format!(
                "{owner} is kept out of the zone, itself or by the name above it: that comes back by request"
            )),
            Self::Propose(_) => refused("this may only be proposed"),
            Self::Unknown(why) => {
                tracing::error!(why, "an update is not performed");
                unable("the database does not answer")
            }
        }
    }
}

/// What the requester is told of a change that the door did not make.
fn of_door(zone: &Name, key: &Name, error: &PublishError) -> Refusal {
    match error {
        PublishError::UnknownZone(_) => {
            return Refusal::new(Rcode::NOTAUTH, Ede::NOT_AUTHORITATIVE);
        }
        PublishError::NotLoaded(_) => return Refusal::new(Rcode::SERVFAIL, Ede::NOT_READY),
        PublishError::Presigned(_) => {
            return refused("the zone is signed elsewhere: records cannot be put into it");
        }
        PublishError::OfSigning { rtype, .. } => {
            return refused(format!("{rtype} records of the zone's own keys are made here"));
        }
        PublishError::Held { owner, rtype, by } => {
            tracing::info!(%zone, %key, %owner, %rtype, by, "an update of what is held elsewhere");
            return refused(format!("{owner} {rtype} is held by a request"));
        }
        PublishError::Refused { findings, .. } => {
            let first = findings.first().map(|finding| finding.message.clone());
            return refused(first.unwrap_or_default());
        }
        _ => {}
    }
    let why = crate::text::with_causes(error);
    tracing::error!(%zone, %key, why, "an update could not be performed");
    unable("the change could not be made durable")
}
