//! Checking: saved lines, a return with every fault at once, and the corrected revision.

use super::acts::{complete, empty, summary, with_notes};
use super::stages::{Assigned, NeedsCorrection, Stage};
use super::{Facts, Request, RequestResult, contact_of};
use crate::queue::act::LineInput;
use crate::queue::application::Application;
use crate::queue::fault::{Fault, Rule, TransitionError};
use crate::queue::happening::Deed;
use crate::queue::person::{Actor, Role, Signature};
use crate::queue::sheet::{LineVerdict, Sheet};

impl Request {
    /// *Simpan pemeriksaan*: lines are kept, nothing is decided.
    pub(super) fn check(
        mut self,
        lines: &[LineInput],
        actor: &Actor,
        facts: &Facts<'_>,
    ) -> RequestResult {
        let before = self.state();
        let Stage::Assigned(_) = &self.stage else {
            return Err(TransitionError::wrong_state("check", before));
        };
        let by = self.as_holder(actor, facts.now)?;
        complete(Sheet::missing_notes(lines))?;
        self.lay_in(facts);
        self.sheet.write(lines, &by, self.revision);
        let mut step = self.done(&by, Deed::Check, before)?;
        step.happening = step.happening.with("lines", summary(lines));
        Ok(with_notes(step, lines))
    }

    /// *Kembalikan*: all faults in one go; the clock of step 3 stands still.
    pub(super) fn send_back(
        mut self,
        lines: &[LineInput],
        actor: &Actor,
        facts: &Facts<'_>,
    ) -> RequestResult {
        let before = self.state();
        let Stage::Assigned(stage) = &self.stage else {
            return Err(TransitionError::wrong_state("return", before));
        };
        let assignment = stage.assignment.clone();
        let by = self.as_holder(actor, facts.now)?;
        let mut faults = Sheet::missing_notes(lines);
        if !lines.iter().any(|line| line.verdict == Some(LineVerdict::Fix)) {
            faults.push(Fault::new("lines", Rule::NoLineToFix, ""));
        }
        complete(faults)?;
        self.lay_in(facts);
        self.sheet.write(lines, &by, self.revision);
        self.stage = Stage::NeedsCorrection(NeedsCorrection { assignment, since: facts.now });
        // A question still open is dropped with the revision it was about.
        if self.clocks.running().is_some() {
            self.clocks.pause(facts.now, facts.calendar);
        }
        let mut step = self.done(&by, Deed::Return, before)?;
        step.happening = step.happening.with("lines", summary(lines));
        Ok(with_notes(step, lines))
    }

    /// *Kirim perbaikan*: a new revision, back to the same verifier.
    pub(super) fn resubmit(mut self, actor: &Actor, facts: &Facts<'_>) -> RequestResult {
        let before = self.state();
        let Stage::NeedsCorrection(stage) = &self.stage else {
            return Err(TransitionError::wrong_state("resubmit", before));
        };
        let assignment = stage.assignment.clone();
        let by = self.may_resubmit(actor, facts.now)?;
        let Some(amendment) = facts.amendment else { return Err(empty("request")) };
        self.apart(&contact_of(&amendment.application), Role::Applicant)?;
        let mut faults = amendment.faults.clone();
        if amendment.application.kind != self.application.kind {
            faults.push(Fault::new("kind", Rule::BadData, self.application.kind.as_str()));
        }
        if amendment.application.zone != self.application.zone {
            faults.push(Fault::new("zone", Rule::NotInZone, &self.application.zone));
        }
        if !faults.is_empty() {
            return Err(TransitionError::of_faults(faults));
        }
        let application =
            amendment.application.clone().parse().map_err(TransitionError::of_faults)?;
        self.sheet.reset_changed(&self.application, &application);
        let changed = changed_fields(&self.application, &application);
        self.application = application;
        self.revision += 1;
        self.lay_in(facts);
        if by.role != Role::Applicant {
            self.keyed_in_by.push(by.clone());
        }
        self.stage = Stage::Assigned(Assigned { assignment, waiting: false });
        self.clocks.resume(facts.now);
        let mut step = self.done(&by, Deed::Resubmit, before)?;
        step.happening = step.happening.with("changed", changed.join(","));
        Ok(step)
    }
}

/// Who may correct a request; also asked before its data and letter are taken in.
impl Request {
    /// Whether `actor` could send a correction now: the state first, then the person.
    pub fn awaits_correction_by(&self, actor: &Actor, now: i64) -> Result<(), TransitionError> {
        match self.stage {
            Stage::NeedsCorrection(_) => self.may_resubmit(actor, now).map(drop),
            _ => Err(TransitionError::wrong_state("resubmit", self.state())),
        }
    }

    /// The signature of the applicant, or of an officer with their letter: who joins the applicant's
    /// side now must not have routed or checked it before.
    fn may_resubmit(&self, actor: &Actor, now: i64) -> Result<Signature, TransitionError> {
        let by = self.as_applicant(actor, now)?;
        if by.role != Role::Applicant {
            self.apart(&by.identity, Role::Applicant)?;
        }
        Ok(by)
    }
}

/// The fields two revisions differ in, by their JSON names.
fn changed_fields(old: &Application, new: &Application) -> Vec<&'static str> {
    let pairs = [
        ("class", old.class != new.class),
        ("name", old.name != new.name),
        ("records", old.records != new.records),
        ("office", old.office != new.office),
        ("region", old.region != new.region),
        ("purpose", old.purpose != new.purpose),
        ("contact", old.contact != new.contact),
        ("letter", old.letter != new.letter),
        ("starts", old.starts != new.starts),
        ("ends", old.ends != new.ends),
        ("exception", old.exception != new.exception),
    ];
    pairs.into_iter().filter(|(_, differs)| *differs).map(|(field, _)| field).collect()
}
