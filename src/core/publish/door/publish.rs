//! The one function through which every change passes.
//!
//! ```text
//! proposals ─► check ─► number ─► commit ─► swap ─► confirm ─┬─► published
//!  (locks held)         (serials) (one      (one    (our own │
//!                                  transaction) pointer) sockets) └─► revert, under higher serials
//! ```
//!
//! A group of zones is several proposals: all go live or none does.

use super::commit::commit;
use super::number::{Numbered, number};
use super::proposal::{
    FileFate, Held, Next, NotPublished, Numbering, Proposal, Published, Rows, SigningFate,
};
use crate::master::Finding;
use crate::publish::confirm::{Confirmation, SerialExpected, answered_by};
use crate::publish::failpoint;
use crate::publish::state::{Cause, Change, Inner, PublishError, RowEdit, Stage, Takes, ZoneState};
use crate::store::StoreError;
use crate::wire::Rtype;
use crate::zone::{Delta, Zone};

/// Publishes proposals, each for the zone that is held at its place.
pub(crate) fn publish<R: Rows>(
    inner: &Inner,
    held: &mut [Held<'_>],
    mut proposals: Vec<Proposal<R>>,
) -> Result<Vec<Published<R::Output>>, NotPublished<R::Error>> {
    if proposals.is_empty() {
        return Ok(Vec::new());
    }
    let steps = inner.stopwatch.stage(Stage::Prepare, || prepare(inner, held, &proposals))?;
    let undos: Vec<Undo> =
        held.iter().zip(&proposals).map(|(held, one)| Undo::of(&held.state, one)).collect();
    let committed = inner.stopwatch.stage(Stage::Commit, || {
        commit(inner, held, steps, |tx, index, change| proposals[index].rows.commit(tx, change))
    })?;
    let mut published = Vec::with_capacity(committed.len());
    for ((change, rows), proposal) in committed.into_iter().zip(&proposals) {
        let said = if asks(&change, proposal) {
            inner.stopwatch.stage(Stage::Confirm, || confirm(inner, &change, proposal))
        } else {
            Confirmation::default()
        };
        published.push(Published { change, said, rows });
    }
    match published.iter().position(|one| one.said.refuted.is_some()) {
        None => {
            published.iter().for_each(|one| announce(inner, &one.change));
            Ok(published)
        }
        Some(wrong) => Err(take_back(inner, held, undos, published, wrong, &mut proposals)),
    }
}

/// Publishes one proposal.
pub(crate) fn publish_one<R: Rows>(
    inner: &Inner,
    held: &mut Held<'_>,
    proposal: Proposal<R>,
) -> Result<Published<R::Output>, NotPublished<R::Error>> {
    let zone = held.slot.apex.clone();
    let published = publish(inner, std::slice::from_mut(held), vec![proposal])?;
    // One proposal makes one change.
    published.into_iter().next().ok_or(NotPublished::Door(PublishError::UnknownZone(zone)))
}

/// Judges proposals, and gives each its serial.
fn prepare<R>(
    inner: &Inner,
    held: &[Held<'_>],
    proposals: &[Proposal<R>],
) -> Result<Vec<Numbered>, PublishError> {
    for (held, proposal) in held.iter().zip(proposals) {
        judge(&held.state, proposal)?;
    }
    let zones = held.iter().zip(proposals);
    zones.map(|(held, proposal)| number(inner, &held.state, proposal)).collect()
}

//------------ Judge ---------------------------------------------------------

/// Refuses a proposal for a zone that left the settings, expired or moved on, and one with errors.
fn judge<R>(state: &ZoneState, proposal: &Proposal<R>) -> Result<(), PublishError> {
    let zone = || state.source.apex.clone();
    if state.is_gone {
        return Err(PublishError::UnknownZone(zone()));
    }
    let takes = proposal.cause.meaning().takes;
    if state.source.is_secondary() && !matches!(takes, Takes::Secondaries | Takes::Expired) {
        return Err(PublishError::Secondary(zone()));
    }
    // Signatures would say of data that is out of date that it is not.
    if state.source.is_secondary() && state.lease.is_expired && takes != Takes::Expired {
        return Err(PublishError::Expired(zone()));
    }
    if state.source.is_made() && takes != Takes::Made {
        return Err(PublishError::Made(zone()));
    }
    debug_assert!(
        lasts(state, proposal),
        "the next start would lose a {} change",
        proposal.cause.kind()
    );
    if proposal.base.as_ref().map(Zone::serial) != state.zone.as_ref().map(Zone::serial) {
        return Err(PublishError::Moved(zone()));
    }
    let errors = proposal.findings.iter().filter(|finding| finding.is_error());
    let findings: Vec<Finding> = errors.cloned().collect();
    if findings.is_empty() { Ok(()) } else { Err(PublishError::Refused { zone: zone(), findings }) }
}

/// Whether a start makes the version again that a proposal leads to. An unsigned zone with a file is made anew from the
/// file and the overlay, unless the file is held: what is in neither would be gone, under the same serial.
fn lasts<R>(state: &ZoneState, proposal: &Proposal<R>) -> bool {
    let is_made_from_file = state.signing.is_none()
        && matches!(proposal.signing, SigningFate::Kept)
        && !state.is_held
        && !state.source.is_secondary()
        && !state.source.is_made();
    let is_in_neither = matches!(proposal.file, FileFate::Kept) && proposal.overlay.is_empty();
    let Next::Edited { content, .. } = &proposal.next else { return true };
    // What gapura derives from the content is derived again.
    let mut records = content.removed.iter().chain(&content.added);
    !(is_made_from_file && is_in_neither) || records.all(|it| it.rtype == Rtype::ZONEMD)
}

//------------ Confirm -------------------------------------------------------

/// Whether our own sockets are asked for a change. A first load is not asked for, nor is an undo: there is nothing left
/// to take back to.
fn asks<R>(change: &Change, proposal: &Proposal<R>) -> bool {
    failpoint::point("confirm.before");
    let is_undo = matches!(change.cause, Cause::Unconfirmed { .. });
    proposal.base.is_some() && !is_undo && (change.is_visible() || !proposal.expect.is_empty())
}

/// Asks our own sockets whether they answer a change: the serial if what is served changed, and all
/// that the proposal expects.
fn confirm<R>(inner: &Inner, change: &Change, proposal: &Proposal<R>) -> Confirmation {
    let (serial, now_ms) = (SerialExpected::Exactly(change.to), (inner.options.now_ms)());
    let expect = answered_by(&inner.live.load(), &change.zone, &proposal.expect);
    inner.sockets.confirm(&change.zone, serial, &expect, now_ms)
}

//------------ Announce ------------------------------------------------------

/// Has the secondaries told of a change.
fn announce(inner: &Inner, change: &Change) {
    if let Some(secondaries) = inner.secondaries.get()
        && change.is_visible()
    {
        secondaries.announce(&change.zone, change.to);
    }
}

//------------ Take back -----------------------------------------------------

/// What a change can be undone with, taken before it is committed.
struct Undo {
    /// The version before it.
    zone: Option<Zone>,
    /// The promoted RRsets and masks before it.
    overlay: Vec<RowEdit>,
    /// The keys before it.
    signing: SigningFate,
    /// Whether gapura signs the zone, and so makes its serials.
    is_signed_here: bool,
}

impl Undo {
    /// What undoes a proposal.
    fn of<R>(state: &ZoneState, proposal: &Proposal<R>) -> Self {
        let signing = match (&proposal.signing, &state.signing) {
            (SigningFate::Kept | SigningFate::Renewed(_), _) => SigningFate::Kept,
            (_, Some(signing)) => SigningFate::Replaced(Box::new(signing.clone())),
            (SigningFate::Replaced(signing) | SigningFate::Ended(signing), None) => {
                SigningFate::Ended(signing.clone())
            }
        };
        let overlay = state.overlay.inverse(&proposal.overlay);
        let is_signed_here = state.signing.is_some();
        Self { zone: state.zone.clone(), overlay, signing, is_signed_here }
    }

    /// The proposal that undoes a change: the content before it under a higher serial, because a
    /// secondary may already hold the other one.
    fn proposal(
        self,
        inner: &Inner,
        live: Option<&Zone>,
        change: &Change,
        reason: &str,
    ) -> Proposal {
        if let (Cause::Transfer { .. }, Some(zone), false) =
            (&change.cause, &self.zone, self.is_signed_here)
        {
            // A secondary makes no serials: it goes back to the one before, and history begins anew.
            return Proposal {
                serial: Numbering::Exactly(zone.serial()),
                file: FileFate::Transferred,
                ..Proposal::new(
                    live.cloned(),
                    Next::Whole(zone.clone()),
                    Cause::Unconfirmed { serial: change.to, reason: reason.to_owned() },
                    &change.who,
                    (inner.options.now_ms)(),
                )
            };
        }
        let next = match (live, self.zone) {
            (Some(live), Some(zone)) if change.is_visible() => {
                let content = without_soa(live.diff(&zone));
                Next::Edited { zone, content }
            }
            _ => Next::Same,
        };
        // The file on disk must not come back by itself.
        let is_file = matches!(change.cause, Cause::File { .. });
        let cause = Cause::Unconfirmed { serial: change.to, reason: reason.to_owned() };
        let at_ms = (inner.options.now_ms)();
        Proposal {
            overlay: self.overlay,
            signing: self.signing,
            file: if is_file { FileFate::Held } else { FileFate::Kept },
            ..Proposal::new(live.cloned(), next, cause, &change.who, at_ms)
        }
    }
}

/// Takes all changes of a group back in one transaction and one swap, because the one at `wrong` was
/// not confirmed. Returns the error that says so.
fn take_back<R: Rows>(
    inner: &Inner,
    held: &mut [Held<'_>],
    undos: Vec<Undo>,
    published: Vec<Published<R::Output>>,
    wrong: usize,
    proposals: &mut [Proposal<R>],
) -> NotPublished<R::Error> {
    let Some((change, said, refuted)) = published.get(wrong).and_then(|one| {
        let refuted = one.said.refuted.clone()?;
        Some((one.change.clone(), one.said.clone(), refuted))
    }) else {
        return StoreError::Corrupt("a confirmation is missing".to_owned()).into();
    };
    let reason = refuted.to_string();
    tracing::error!(zone = %change.zone, serial = change.to, %reason,
        "our own sockets do not show the change: reverting it under a higher serial");
    let steps = held.iter().zip(undos).zip(&published).map(|((held, undo), one)| {
        let live = held.state.zone.as_ref();
        number(inner, &held.state, &undo.proposal(inner, live, &one.change, &reason))
    });
    let steps = steps.collect::<Result<Vec<Numbered>, _>>().map_err(NotPublished::Door);
    let reverted = steps.and_then(|steps| {
        commit(inner, held, steps, |tx, index, _| {
            proposals[index].rows.take_back(tx, &published[index].said)
        })
    });
    match reverted {
        Ok(reverted) => {
            reverted.iter().for_each(|(change, _)| announce(inner, change));
            let back = reverted.into_iter().nth(wrong).map_or_else(|| change.clone(), |it| it.0);
            PublishError::NotConfirmed {
                change: Box::new(change),
                reverted: Box::new(back),
                said: Box::new(said),
                reason,
            }
            .into()
        }
        Err(failed) => {
            published.iter().for_each(|one| announce(inner, &one.change));
            tracing::error!(zone = %change.zone, serial = change.to,
                "a change that was not confirmed could not be reverted and is still served");
            failed
        }
    }
}

/// A difference without the SOA records.
pub(crate) fn without_soa(mut delta: Delta) -> Delta {
    delta.removed.retain(|record| record.rtype != Rtype::SOA);
    delta.added.retain(|record| record.rtype != Rtype::SOA);
    delta
}
