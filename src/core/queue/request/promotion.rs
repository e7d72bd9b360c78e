//! From Verified to Live, in two steps because the commit and the read-back are two moments.
//!
//! `begin` goes into the transaction that writes the journal entry; `promoted` or `promotion_failed`
//! into the one that keeps the proof. Between them the request is Verified with `promoting` set: it
//! can no longer be withdrawn, and recovery goes on from there.

use super::Candidate;
use super::case::{Case, Transition};
use super::stages::{Approval, Live, Promoting, PromotionFailed, PromotionFault, Verified};
use crate::digest::sha256_hex;
use crate::queue::clocks::ClockStep;
use crate::queue::fault::{Fault, Rule, Stale, TransitionError};
use crate::queue::person::Signature;
use crate::queue::rules::Bind;

/// The promotion id: unique in the store, the same however often the act is repeated.
pub fn promotion_id(number: &str, revision: u32, candidate: &str, attempt: u32) -> String {
    let mut bytes = Vec::with_capacity(128);
    for field in [number, &revision.to_string(), candidate, &attempt.to_string()] {
        bytes.extend(u64::try_from(field.len()).unwrap_or(u64::MAX).to_be_bytes());
        bytes.extend(field.as_bytes());
    }
    sha256_hex(&bytes)
}

impl Verified {
    /// *Tayangkan*: everything that must hold before the commit, tested inside its transaction.
    pub(super) fn begin(self, cx: &mut Transition<'_>) -> Result<Self, TransitionError> {
        fresh(&self, cx)?;
        let (case, now) = (&mut cx.case, cx.facts.now);
        let mut faults = Vec::new();
        if self.approval.awaits_second() {
            faults.push(Fault::new("countersign", Rule::SecondSignatureNeeded, ""));
        }
        if case.starts_later(now) {
            let starts = case.application.starts.clone().unwrap_or_default();
            faults.push(Fault::new("starts", Rule::NotYet, starts));
        }
        super::acts::complete(faults)?;
        case.attempts = case.attempts.max(1);
        let attempt = case.attempts;
        let id = promotion_id(&case.number, case.revision, &self.approval.candidate, attempt);
        cx.note("promotion", &id);
        cx.note("attempt", attempt);
        cx.note("serial_approved", self.approval.serial);
        if let Some(candidate) = cx.facts.candidate {
            cx.note("candidate", &candidate.hash);
            cx.note("serial_now", candidate.serial);
        }
        let promoting = Promoting { id, attempt, at: now, by: cx.by.clone() };
        Ok(Self { promoting: Some(promoting), ..self })
    }

    /// The read-back was right: step 5 begins.
    pub(super) fn promoted(
        self,
        cx: &mut Transition<'_>,
        promoting: Promoting,
        serial: u32,
    ) -> Live {
        cx.note("promotion", &promoting.id);
        cx.note("serial", serial);
        cx.start_clock(ClockStep::Notify);
        Live { approval: self.approval, promoting, serial, at: cx.facts.now }
    }

    /// The promotion failed after it had begun, or could not begin. Step 4 runs on.
    pub(super) fn promotion_failed(
        self,
        cx: &mut Transition<'_>,
        fault: &PromotionFault,
    ) -> PromotionFailed {
        cx.note("step", &fault.step);
        cx.note("found", &fault.found);
        cx.note("attempt", cx.case.attempts);
        let Self { assignment, approval, .. } = self;
        PromotionFailed { assignment, approval, fault: fault.clone(), at: cx.facts.now }
    }
}

impl PromotionFailed {
    /// *Coba lagi*, if the approval is still fresh.
    pub(super) fn retry(self, cx: &mut Transition<'_>) -> Result<Verified, TransitionError> {
        let Self { assignment, approval, .. } = self;
        let verified = Verified { assignment, approval, promoting: None };
        fresh(&verified, cx)?;
        cx.case.attempts = cx.case.attempts.max(1) + 1;
        cx.note("attempt", cx.case.attempts);
        Ok(verified)
    }
}

/// The signatures a promotion rests on.
pub(super) fn signatures<'a>(
    case: &'a Case,
    approval: Option<&'a Approval>,
) -> impl Iterator<Item = &'a Signature> {
    let slip = case.dispositions.last().map(|slip| &slip.from);
    let second = approval.and_then(|approval| approval.second.as_ref());
    slip.into_iter().chain(approval.map(|approval| &approval.by)).chain(second)
}

/// Tests that everybody who signed could do so today.
pub(super) fn signers_hold(
    cx: &Transition<'_>,
    approval: Option<&Approval>,
) -> Result<(), TransitionError> {
    let holds = |by: &&Signature| cx.facts.signers.iter().any(|actor| actor.still_signs(by));
    match signatures(&cx.case, approval).find(|by| !holds(by)) {
        Some(gone) => Err(TransitionError::Stale(Stale::Signer { role: gone.role })),
        None => Ok(()),
    }
}

/// Tests that the approval is still about what would happen now, and by people who may give it.
fn fresh(stage: &Verified, cx: &Transition<'_>) -> Result<(), TransitionError> {
    signers_hold(cx, Some(&stage.approval))?;
    let (approval, candidate) = (&stage.approval, cx.facts.candidate);
    if approval.revision != cx.case.revision {
        let stale = Stale::Revision { seen: approval.revision, now: cx.case.revision };
        return Err(TransitionError::Stale(stale));
    }
    same_candidate(&approval.candidate, candidate)?;
    sheet_holds(cx)?;
    let serial = candidate.map_or(approval.serial, |c| c.serial);
    if cx.facts.rules.bind == Bind::Serial && serial != approval.serial {
        let stale = Stale::Serial { seen: approval.serial, now: serial };
        return Err(TransitionError::Stale(stale));
    }
    Ok(())
}

/// Tests that the sheet that was signed still says what gapura finds, where that was computed.
pub(super) fn sheet_holds(cx: &Transition<'_>) -> Result<(), TransitionError> {
    let now = cx.facts.automatic.unwrap_or_default();
    match cx.case.sheet.outlived_by(now) {
        Some(line) => Err(TransitionError::Stale(Stale::Line { line })),
        None => Ok(()),
    }
}

/// Tests that the hash that was read is the hash of now.
pub(super) fn same_candidate(
    seen: &str,
    candidate: Option<&Candidate>,
) -> Result<(), TransitionError> {
    let Some(candidate) = candidate else {
        return Err(TransitionError::Stale(Stale::NoCandidate));
    };
    if seen.eq_ignore_ascii_case(&candidate.hash) {
        return Ok(());
    }
    let now = candidate.hash.clone();
    Err(TransitionError::Stale(Stale::Candidate { seen: seen.to_owned(), now }))
}
