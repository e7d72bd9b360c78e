//! Ending: *tarik*, and the notice handed over.

use super::acts::needed;
use super::stages::{Ended, Stage};
use super::{Facts, Request, RequestResult};
use crate::queue::fault::{NotAllowed, TransitionError};
use crate::queue::happening::Deed;
use crate::queue::person::{Actor, Role};

impl Request {
    /// *Tarik*: possible until a promotion has started.
    pub(super) fn withdraw(
        mut self,
        letter: &str,
        actor: &Actor,
        facts: &Facts<'_>,
    ) -> RequestResult {
        let before = self.state();
        let open = match &self.stage {
            Stage::Submitted(_) | Stage::Assigned(_) | Stage::NeedsCorrection(_) => true,
            Stage::Verified(stage) => stage.promoting.is_none(),
            _ => false,
        };
        if !open {
            return Err(TransitionError::wrong_state("withdraw", before));
        }
        let by = self.as_applicant(actor, facts.now)?;
        self.clocks.stop(facts.now, facts.calendar);
        self.stage = Stage::Withdrawn(Ended { by: by.clone() });
        let mut step = self.done(&by, Deed::Withdraw, before)?;
        step.happening = step.happening.with_personal("letter", letter);
        Ok(step)
    }

    /// The notice was handed over by an officer: printed, or telephoned.
    pub(super) fn hand_over(self, how: &str, actor: &Actor, facts: &Facts<'_>) -> RequestResult {
        let state = self.state();
        let open = match &self.stage {
            Stage::Live(_) => true,
            Stage::Rejected(stage) => stage.notified_at.is_none(),
            _ => false,
        };
        if !open {
            return Err(TransitionError::wrong_state("notified", state));
        }
        let roles = [Role::Verifier, Role::Head, Role::Operator];
        let by = roles.into_iter().find_map(|role| actor.capacity(role, facts.now));
        let by = by.ok_or(TransitionError::NotAllowed(NotAllowed::NeedsRole(Role::Verifier)))?;
        let how = needed("how", how)?.to_owned();
        let mut step = self.notified_by(&by, facts)?;
        step.happening = step.happening.with_personal("how", &how);
        Ok(step)
    }
}
