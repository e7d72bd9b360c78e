//! Deciding: *tolak, setujui, tanda tangan kedua, periksa ulang*.

use super::acts::{complete, empty, needed};
use super::case::Transition;
use super::promotion::{same_candidate, sheet_holds, signers_hold};
use super::stages::{Approval, Assigned, Assignment, PromotionFailed, Rejected, Verified};
use crate::queue::act::RejectReason;
use crate::queue::application::NamingClass;
use crate::queue::clocks::ClockStep;
use crate::queue::fault::{Fault, Rule, Stale, TransitionError};
use crate::queue::line::{LineInput, LineVerdict};
use crate::queue::rules::Bind;
use crate::queue::sheet::{Line, Sheet};

/// What the verifier read before approving it.
pub(super) struct Read<'a> {
    /// The revision; 0 counts as none.
    pub(super) revision: u32,
    /// The candidate hash.
    pub(super) candidate: &'a str,
    /// The SOA serial, needed under `approval.bind = "serial"`.
    pub(super) serial: Option<u32>,
}

impl Assigned {
    /// *Tolak*.
    pub(super) fn reject(
        self,
        cx: &mut Transition<'_>,
        reason: &str,
        note: &str,
        lines: &[LineInput],
    ) -> Result<Rejected, TransitionError> {
        let mut faults = Sheet::missing_notes(lines);
        let code = RejectReason::from_code(reason);
        if code.is_none() {
            let known = RejectReason::ALL.map(RejectReason::as_str);
            faults.push(Fault::new("reason", Rule::UnknownReason, known.join(", ")));
        }
        if let Err(TransitionError::Incomplete(missing)) = needed("note", note) {
            faults.extend(missing);
        }
        let saved = |line: &Line| {
            line.verdict == Some(LineVerdict::Bad) && !lines.iter().any(|l| l.code == line.code)
        };
        let bad = lines.iter().any(|line| line.verdict == Some(LineVerdict::Bad))
            || cx.case.sheet.written().iter().any(saved);
        if !bad {
            faults.push(Fault::new("lines", Rule::NoLineBad, ""));
        }
        complete(faults)?;
        let Some(reason) = code else { return Err(empty("reason")) };
        cx.write_lines(lines);
        cx.note("reason", reason);
        cx.note_personal("note", note);
        cx.start_clock(ClockStep::Notify);
        Ok(Rejected { by: cx.by.clone(), reason, note: note.to_owned(), notified_at: None })
    }

    /// *Setujui*: binds the approval to the lines of the sheet and the candidate that was read.
    pub(super) fn approve(
        self,
        cx: &mut Transition<'_>,
        read: &Read<'_>,
        lines: &[LineInput],
    ) -> Result<Verified, TransitionError> {
        signers_hold(cx, None)?;
        let serial = same_as_read(cx, read)?;
        let mut faults = Sheet::missing_notes(lines);
        if cx.facts.automatic.is_none() {
            faults.push(Fault::new("lines", Rule::LineNotChecked, "A1-A11"));
        }
        cx.write_lines(lines);
        let application = &cx.case.application;
        faults.extend(cx.case.sheet.missing(application));
        let camat = cx.facts.rules.camat
            && application.class == NamingClass::Desa
            && application.kind.brings_records();
        if self.waiting || (camat && cx.case.agreement().is_none()) {
            faults.push(Fault::new("party", Rule::ParentNotConfirmed, ""));
        }
        complete(faults)?;
        let second_needed = !cx.case.sheet.second_signature(application).is_empty();
        let now = cx.facts.now;
        let starts = application.starts_at().unwrap_or(now).max(now);
        cx.case.attempts += 1;
        cx.case.clocks.start(ClockStep::Make, starts, now, cx.facts.calendar);
        cx.note("candidate", read.candidate);
        cx.note("serial", serial);
        cx.note("second_signature", second_needed);
        if starts > now {
            let asked = cx.case.application.starts.clone().unwrap_or_default();
            cx.note("starts", asked);
        }
        let approval = Approval {
            by: cx.by.clone(),
            revision: cx.case.revision,
            candidate: read.candidate.to_ascii_lowercase(),
            serial,
            second_needed,
            second: None,
        };
        Ok(Verified { assignment: self.assignment, approval, promoting: None })
    }
}

/// Tests that what was read is what there is now; returns the serial of now.
fn same_as_read(cx: &Transition<'_>, read: &Read<'_>) -> Result<u32, TransitionError> {
    if read.revision == 0 {
        return Err(empty("revision"));
    }
    needed("candidate", read.candidate)?;
    if read.revision != cx.case.revision {
        let stale = Stale::Revision { seen: read.revision, now: cx.case.revision };
        return Err(TransitionError::Stale(stale));
    }
    same_candidate(read.candidate, cx.facts.candidate)?;
    let serial = cx.facts.candidate.map_or(0, |candidate| candidate.serial);
    let seen = read.serial.unwrap_or(0);
    if cx.facts.rules.bind == Bind::Serial && seen != serial {
        return Err(TransitionError::Stale(Stale::Serial { seen, now: serial }));
    }
    Ok(serial)
}

impl Verified {
    /// *Tanda tangan kedua*: the head, on the same hash.
    pub(super) fn countersign(
        mut self,
        cx: &mut Transition<'_>,
        candidate: &str,
    ) -> Result<Self, TransitionError> {
        needed("candidate", candidate)?;
        signers_hold(cx, Some(&self.approval))?;
        same_candidate(candidate, cx.facts.candidate)?;
        let approved = &self.approval.candidate;
        if !approved.eq_ignore_ascii_case(candidate) {
            let (seen, now) = (approved.clone(), candidate.to_owned());
            return Err(TransitionError::Stale(Stale::Candidate { seen, now }));
        }
        sheet_holds(cx)?;
        cx.note("candidate", candidate);
        self.approval.second = Some(cx.by.clone());
        Ok(self)
    }

    /// *Periksa ulang*.
    pub(super) fn reopen(self, cx: &mut Transition<'_>) -> Assigned {
        reopen(cx, self.assignment)
    }
}

impl PromotionFailed {
    /// *Periksa ulang*.
    pub(super) fn reopen(self, cx: &mut Transition<'_>) -> Assigned {
        reopen(cx, self.assignment)
    }
}

/// Back to the verifier, with the time left of step 3, at least an hour.
pub(super) fn reopen(cx: &mut Transition<'_>, assignment: Assignment) -> Assigned {
    cx.stop_clock();
    cx.case.clocks.grant(ClockStep::Check, cx.facts.rules.reopen_least, cx.facts.rules);
    cx.start_clock(ClockStep::Check);
    Assigned { assignment, waiting: false }
}

/// Records why a person reopened the request.
pub(super) fn reopened_for(cx: &mut Transition<'_>, reason: &str) -> Result<(), TransitionError> {
    cx.note_personal("reason", needed("reason", reason)?);
    Ok(())
}
