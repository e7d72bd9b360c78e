//! How a request ends: withdrawn, expired, or notified and entered in the monthly report.

use super::acts::{letter_number, needed};
use super::case::Transition;
use super::stages::{Closed, Ended, Live, NeedsCorrection, Notified, Rejected};
use crate::queue::clocks::ClockStep;
use crate::queue::fault::TransitionError;
use crate::queue::person::Role;

/// *Tarik*: possible in every stage until a promotion has started. Whoever is not the applicant names
/// the applicant's letter.
pub(super) fn withdraw(cx: &mut Transition<'_>, letter: &str) -> Result<Ended, TransitionError> {
    if cx.by.role != Role::Applicant {
        letter_number(letter)?;
    }
    cx.note_personal("letter", letter);
    cx.stop_clock();
    Ok(Ended { by: cx.by.clone() })
}

impl NeedsCorrection {
    /// The applicant did not answer in time.
    pub(super) fn expire(self, cx: &mut Transition<'_>) -> Ended {
        cx.stop_clock();
        Ended { by: cx.by.clone() }
    }
}

impl Live {
    /// The applicant is notified: step 5 ends.
    pub(super) fn notified(self, cx: &mut Transition<'_>) -> Notified {
        stop_notifying(cx);
        Notified { live: self, at: cx.facts.now }
    }
}

impl Rejected {
    /// The applicant is notified: step 5 ends, and the request stays rejected.
    pub(super) fn notified(self, cx: &mut Transition<'_>) -> Self {
        stop_notifying(cx);
        Self { notified_at: Some(cx.facts.now), ..self }
    }
}

impl Notified {
    /// A monthly report includes it.
    pub(super) fn close(self, cx: &mut Transition<'_>, report: &str) -> Closed {
        cx.note("report", report);
        Closed { live: self.live, report: report.to_owned(), at: cx.facts.now }
    }
}

/// Records how the notice was handed over, on paper or by telephone.
pub(super) fn handed_over(cx: &mut Transition<'_>, how: &str) -> Result<(), TransitionError> {
    cx.note_personal("how", needed("how", how)?);
    Ok(())
}

/// Stops the clock of step 5.
fn stop_notifying(cx: &mut Transition<'_>) {
    if cx.case.clocks.running() == Some(ClockStep::Notify) {
        cx.stop_clock();
    }
}
