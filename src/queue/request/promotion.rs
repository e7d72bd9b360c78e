//! From Verified to Live (§2.5), in two steps because the commit and the read-back are two moments.
//!
//! `begin_promotion` goes into the transaction that writes the journal entry; `promoted` or
//! `promotion_failed` into the one that keeps the proof. Between them the request is Verified with
//! `promoting` set: it can no longer be withdrawn, and recovery goes on from there.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::stages::{Live, Promoting, PromotionFailed, Stage, Verified};
use super::{Candidate, Facts, Request, RequestResult, in_role};
use crate::queue::clocks::ClockStep;
use crate::queue::fault::{Fault, NotAllowed, Rule, Stale, TransitionError};
use crate::queue::happening::{Deed, Step};
use crate::queue::person::{Actor, Role, Signature};
use crate::queue::rules::{Bind, Rules};

/// The step that failed, with question, expected and found answer.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct PromotionFault {
    /// Which step of §2.5: `candidate`, `commit`, `swap`, `read_back`.
    pub step: String,
    /// What was asked.
    pub question: String,
    /// What should have come.
    pub expected: String,
    /// What came.
    pub found: String,
}

/// The promotion id: unique in the store, the same for every press of the same button.
pub fn promotion_id(number: &str, revision: u32, candidate: &str, attempt: u32) -> String {
    let mut hash = Sha256::new();
    for field in [number, &revision.to_string(), candidate, &attempt.to_string()] {
        hash.update(u64::try_from(field.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(field.as_bytes());
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Request {
    /// *Tayangkan*: everything that must hold before the commit, tested inside its transaction.
    pub fn begin_promotion(mut self, actor: &Actor, facts: &Facts<'_>) -> RequestResult {
        let now = facts.now;
        let before = self.state();
        let Stage::Verified(stage) = &self.stage else {
            return Err(TransitionError::wrong_state("promote", before));
        };
        if stage.promoting.is_some() {
            return Err(TransitionError::wrong_state("promote", before));
        }
        let by = self.promoter(actor, now)?;
        // Scheduled: the clock of step 4 stands until then, and so does the promotion.
        fresh(stage, self.revision, facts.candidate, facts.rules)?;
        let mut faults = Vec::new();
        if stage.approval.second_needed && stage.approval.second.is_none() {
            faults.push(Fault::new("countersign", Rule::SecondSignatureNeeded, ""));
        }
        if self.application.starts_at().is_some_and(|starts| starts > now) {
            let starts = self.application.starts.clone().unwrap_or_default();
            faults.push(Fault::new("starts", Rule::NotYet, starts));
        }
        if !faults.is_empty() {
            return Err(TransitionError::Incomplete(faults));
        }
        self.attempts = self.attempts.max(1);
        let attempt = self.attempts;
        let id = promotion_id(&self.number, self.revision, &stage.approval.candidate, attempt);
        let seen = stage.approval.serial;
        let promoting = Promoting { id, attempt, at: now, by: by.clone() };
        self = self.in_stage(|stage| match stage {
            Stage::Verified(stage) => {
                Stage::Verified(Verified { promoting: Some(promoting.clone()), ..stage })
            }
            other => other,
        });
        self.changed_at = now;
        let mut happening = self
            .happening(&by, Deed::Promote, Some(before))
            .with("promotion", &promoting.id)
            .with("attempt", attempt)
            .with("serial_approved", seen);
        if let Some(candidate) = facts.candidate {
            happening =
                happening.with("candidate", &candidate.hash).with("serial_now", candidate.serial);
        }
        Ok(Step { value: self, happening })
    }

    /// The read-back was right: Live, and step 5 begins.
    pub fn promoted(mut self, serial: u32, facts: &Facts<'_>) -> RequestResult {
        let now = facts.now;
        let before = self.state();
        let Stage::Verified(Verified { approval, promoting: Some(promoting), .. }) = self.stage
        else {
            return Err(TransitionError::wrong_state("promoted", before));
        };
        let id = promoting.id.clone();
        self.stage = Stage::Live(Live { approval, promoting, serial, at: now });
        self.clocks.start(ClockStep::Tell, now, now, facts.calendar);
        self.changed_at = now;
        let by = Signature::system(now);
        let happening = self
            .happening(&by, Deed::Promoted, Some(before))
            .with("promotion", id)
            .with("serial", serial);
        Ok(Step { value: self, happening })
    }

    /// The promotion failed after it had begun, or could not begin: GAGAL_TAYANG. Step 4 runs on.
    pub fn promotion_failed(mut self, fault: PromotionFault, facts: &Facts<'_>) -> RequestResult {
        let now = facts.now;
        let before = self.state();
        let Stage::Verified(Verified { assignment, approval, .. }) = self.stage else {
            return Err(TransitionError::wrong_state("promotion_failed", before));
        };
        let step = fault.step.clone();
        let found = fault.found.clone();
        self.stage =
            Stage::PromotionFailed(PromotionFailed { assignment, approval, fault, at: now });
        self.changed_at = now;
        let happening = self
            .happening(&Signature::system(now), Deed::PromotionFailed, Some(before))
            .with("step", step)
            .with("found", found)
            .with("attempt", self.attempts);
        Ok(Step { value: self, happening })
    }

    /// *Coba lagi*: PromotionFailed → Verified by kasi or admin, if the approval is still fresh.
    pub(super) fn retry(mut self, actor: &Actor, facts: &Facts<'_>) -> RequestResult {
        let now = facts.now;
        let before = self.state();
        let Stage::PromotionFailed(failed) = &self.stage else {
            return Err(TransitionError::wrong_state("retry", before));
        };
        // An operator removes the fault of a machine; they decide nothing, and the approval stands.
        let by = match in_role(actor, Role::Operator, now) {
            Ok(by) if !actor.roles.contains(&Role::Verifier) => by,
            _ => self.as_holder(actor, now)?,
        };
        let verified = Verified {
            assignment: failed.assignment.clone(),
            approval: failed.approval.clone(),
            promoting: None,
        };
        fresh(&verified, self.revision, facts.candidate, facts.rules)?;
        self.stage = Stage::Verified(verified);
        self.attempts = self.attempts.max(1) + 1;
        self.changed_at = now;
        let happening =
            self.happening(&by, Deed::Retry, Some(before)).with("attempt", self.attempts);
        Ok(Step { value: self, happening })
    }

    /// The kasi who holds it, or gapura's own scheduler.
    fn promoter(&self, actor: &Actor, now: i64) -> Result<Signature, TransitionError> {
        if actor.disabled {
            return Err(TransitionError::NotAllowed(NotAllowed::Disabled));
        }
        match actor.capacity(Role::System, now) {
            Some(by) => Ok(by),
            None => self.as_holder(actor, now),
        }
    }
}

/// Whether the approval is still about what would happen now (§2.4, rule 4).
fn fresh(
    stage: &Verified,
    revision: u32,
    candidate: Option<&Candidate>,
    rules: &Rules,
) -> Result<(), TransitionError> {
    let approval = &stage.approval;
    if approval.revision != revision {
        let stale = Stale::Revision { seen: approval.revision, now: revision };
        return Err(TransitionError::Stale(stale));
    }
    same_candidate(&approval.candidate, candidate)?;
    let serial = candidate.map_or(approval.serial, |c| c.serial);
    if rules.bind == Bind::Serial && serial != approval.serial {
        let stale = Stale::Serial { seen: approval.serial, now: serial };
        return Err(TransitionError::Stale(stale));
    }
    Ok(())
}

/// Whether the hash that was read is the hash of now.
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

impl Request {
    /// Replaces the stage by what `with` makes of it.
    pub(super) fn in_stage(self, with: impl FnOnce(Stage) -> Stage) -> Self {
        Self { stage: with(self.stage), ..self }
    }
}
