//! Routing: *disposisi, alihkan, lepaskan*.

use super::acts::needed;
use super::stages::{Assigned, Assignment, Disposition, Stage, Submitted};
use super::{Facts, Request, RequestResult};
use crate::queue::clocks::ClockStep;
use crate::queue::fault::{NotAllowed, TransitionError};
use crate::queue::happening::{Deed, Step};
use crate::queue::person::{Actor, Role, Signature};

impl Request {
    /// *Disposisi*: Submitted → Assigned. The slip says to whom and what to do.
    pub(super) fn dispose(
        mut self,
        instruction: &str,
        actor: &Actor,
        facts: &Facts<'_>,
    ) -> RequestResult {
        let before = self.state();
        let Stage::Submitted(Submitted {}) = self.stage else {
            return Err(TransitionError::wrong_state("dispose", before));
        };
        let by = self.as_head(actor, facts.now)?;
        self.assign(&by, instruction, facts)?;
        needed("instruction", instruction)?;
        self.clocks.start(ClockStep::Check, facts.now, facts.now, facts.calendar);
        let step = self.done(&by, Deed::Dispose, before)?;
        Ok(with_slip(step))
    }

    /// *Alihkan*: to another verifier; the clock runs on.
    pub(super) fn reassign(
        mut self,
        reason: &str,
        actor: &Actor,
        facts: &Facts<'_>,
    ) -> RequestResult {
        let before = self.state();
        let Stage::Assigned(_) = &self.stage else {
            return Err(TransitionError::wrong_state("reassign", before));
        };
        let by = self.as_head(actor, facts.now)?;
        let waiting = matches!(&self.stage, Stage::Assigned(stage) if stage.waiting);
        self.assign(&by, reason, facts)?;
        let reason = needed("reason", reason)?.to_owned();
        self = self.in_stage(|stage| match stage {
            Stage::Assigned(stage) => Stage::Assigned(Assigned { waiting, ..stage }),
            other => other,
        });
        let mut step = with_slip(self.done(&by, Deed::Reassign, before)?);
        step.happening = step.happening.with_personal("reason", &reason);
        Ok(step)
    }

    /// *Lepaskan*: the holder gives it back; what step 3 has used stays used.
    pub(super) fn release(
        mut self,
        reason: &str,
        actor: &Actor,
        facts: &Facts<'_>,
    ) -> RequestResult {
        let before = self.state();
        let Stage::Assigned(_) = &self.stage else {
            return Err(TransitionError::wrong_state("release", before));
        };
        let by = self.as_holder(actor, facts.now)?;
        let reason = needed("reason", reason)?.to_owned();
        self.stage = Stage::Submitted(Submitted {});
        self.clocks.start(ClockStep::Route, facts.now, facts.now, facts.calendar);
        let mut step = self.done(&by, Deed::Release, before)?;
        step.happening = step.happening.with_personal("reason", &reason);
        Ok(step)
    }

    /// Puts the request with the assignee of the facts, who must be an active verifier and none of
    /// the others.
    fn assign(
        &mut self,
        by: &Signature,
        instruction: &str,
        facts: &Facts<'_>,
    ) -> Result<(), TransitionError> {
        let unfit = TransitionError::NotAllowed(NotAllowed::AssigneeNotVerifier);
        let to =
            facts.assignee.and_then(|to| to.capacity(Role::Verifier, facts.now)).ok_or(unfit)?;
        if by.identity.same(&to.identity) {
            return Err(TransitionError::SamePerson { with: Role::Head });
        }
        self.apart(&to.identity, Role::Verifier)?;
        let used = self.clocks.used(ClockStep::Route, facts.now, facts.calendar);
        self.dispositions.push(Disposition {
            from: by.clone(),
            to: to.clone(),
            instruction: instruction.to_owned(),
            used,
        });
        let assignment = Assignment { holder: to, since: facts.now };
        self.stage = Stage::Assigned(Assigned { assignment, waiting: false });
        Ok(())
    }
}

/// Adds the newest routing slip to the event.
fn with_slip(mut step: Step<Request>) -> Step<Request> {
    if let Some(slip) = step.value.dispositions.last() {
        step.happening = step
            .happening
            .with("to", slip.to.person())
            .with_personal("instruction", &slip.instruction);
    }
    step
}
