//! Checking: saved lines, a return with every fault at once, and the corrected revision.

use super::acts::{complete, empty};
use super::case::Transition;
use super::persons::contact_of;
use super::stages::{Assigned, NeedsCorrection};
use crate::queue::fault::{Fault, Rule, TransitionError};
use crate::queue::fields;
use crate::queue::line::{LineInput, LineVerdict};
use crate::queue::person::Role;
use crate::queue::person::same_mailbox;
use crate::queue::sheet::Sheet;

impl Assigned {
    /// *Simpan pemeriksaan*: lines are kept, nothing is decided.
    pub(super) fn check(
        self,
        cx: &mut Transition<'_>,
        lines: &[LineInput],
    ) -> Result<Self, TransitionError> {
        complete(Sheet::missing_notes(lines))?;
        cx.write_lines(lines);
        Ok(self)
    }

    /// *Kembalikan*: all faults in one go; the clock of step 3 pauses.
    pub(super) fn send_back(
        self,
        cx: &mut Transition<'_>,
        lines: &[LineInput],
    ) -> Result<NeedsCorrection, TransitionError> {
        let mut faults = Sheet::missing_notes(lines);
        if !lines.iter().any(|line| line.verdict == Some(LineVerdict::Fix)) {
            faults.push(Fault::new("lines", Rule::NoLineToFix, ""));
        }
        complete(faults)?;
        cx.write_lines(lines);
        // A question still open is dropped with the revision it was about; its clock is paused.
        if !self.waiting {
            cx.pause_clock();
        }
        let hosting_at = cx.case.application.hosting_at();
        Ok(NeedsCorrection { assignment: self.assignment, since: cx.facts.now, hosting_at })
    }
}

impl NeedsCorrection {
    /// *Kirim perbaikan*: a new revision, back to the same verifier.
    pub(super) fn resubmit(self, cx: &mut Transition<'_>) -> Result<Assigned, TransitionError> {
        let Some(amendment) = cx.facts.amendment else { return Err(empty("request")) };
        let new = &amendment.application;
        cx.case.applicant_apart(&contact_of(new))?;
        let old = &cx.case.application;
        let mut faults = amendment.faults.clone();
        if new.kind != old.kind {
            faults.push(Fault::new("kind", Rule::BadData, old.kind.as_str()));
        }
        if new.zone != old.zone {
            faults.push(Fault::new("zone", Rule::NotInZone, &old.zone));
        }
        if cx.by.role != Role::Applicant && new.letter.sha256 == old.letter.sha256 {
            faults.push(Fault::new("letter", Rule::Empty, ""));
        }
        if !faults.is_empty() {
            return Err(TransitionError::of_faults(faults));
        }
        let new = new.clone().parse().map_err(TransitionError::of_faults)?;
        cx.note("changed", fields::changed(&cx.case.application, &new).join(","));
        // What was proven is the mailbox that was named then.
        let before = &cx.case.application.contact.email;
        cx.case.mailbox_proven &= same_mailbox(&new.contact.email, before);
        cx.case.sheet.reset_changed(&cx.case.application, &new);
        cx.case.revise(new);
        cx.lay_in();
        if cx.by.role != Role::Applicant {
            cx.case.keyed_in_by.push(cx.by.clone());
        }
        cx.case.clocks.resume(cx.facts.now);
        Ok(Assigned { assignment: self.assignment, waiting: false })
    }
}
