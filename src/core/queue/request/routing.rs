//! Routing: *disposisi, alihkan, lepaskan*.

use super::acts::needed;
use super::case::Transition;
use super::stages::{Assigned, Assignment, Disposition, Submitted};
use crate::queue::clocks::ClockStep;
use crate::queue::fault::{Fault, NotAllowed, Rule, TransitionError};
use crate::queue::person::Role;

impl Submitted {
    /// *Disposisi*: the slip says to whom and what to do.
    pub(super) fn dispose(
        self,
        cx: &mut Transition<'_>,
        instruction: &str,
    ) -> Result<Assigned, TransitionError> {
        let assignment = assign(cx, instruction)?;
        needed("instruction", instruction)?;
        cx.start_clock(ClockStep::Check);
        Ok(Assigned { assignment, waiting: false })
    }
}

impl Assigned {
    /// *Alihkan*: to another verifier; the clock runs on.
    pub(super) fn reassign(
        self,
        cx: &mut Transition<'_>,
        reason: &str,
    ) -> Result<Self, TransitionError> {
        let assignment = assign(cx, reason)?;
        cx.note_personal("reason", needed("reason", reason)?);
        Ok(Self { assignment, ..self })
    }

    /// *Lepaskan*: the holder gives it back; the time step 3 has used still counts.
    pub(super) fn release(
        self,
        cx: &mut Transition<'_>,
        reason: &str,
    ) -> Result<Submitted, TransitionError> {
        cx.note_personal("reason", needed("reason", reason)?);
        cx.start_clock(ClockStep::Route);
        Ok(Submitted {})
    }
}

/// Writes a routing slip to the assignee of the facts, who must be an active verifier and none of
/// the other persons.
fn assign(cx: &mut Transition<'_>, instruction: &str) -> Result<Assignment, TransitionError> {
    let now = cx.facts.now;
    let Some(to) = cx.facts.assignee else {
        let unknown = Fault::new("to", Rule::UnknownOfficer, "");
        return Err(TransitionError::Incomplete(vec![unknown]));
    };
    let to = to.capacity(Role::Verifier, now);
    let to = to.ok_or(TransitionError::NotAllowed(NotAllowed::AssigneeNotVerifier))?;
    if cx.by.is_one_with(&to) {
        return Err(TransitionError::SamePerson { with: Role::Head });
    }
    cx.case.apart(&to, Role::Verifier)?;
    let used = cx.case.clocks.used(ClockStep::Route, now, cx.facts.calendar);
    let instruction = instruction.to_owned();
    cx.note("to", to.person());
    cx.note_personal("instruction", &instruction);
    let slip = Disposition { from: cx.by.clone(), to: to.clone(), instruction, used };
    cx.case.dispositions.push(slip);
    Ok(Assignment { holder: to, since: now })
}
