//! Deciding: *tolak, setujui, tanda tangan kedua, periksa ulang*.

use super::acts::{complete, empty, needed, summary, with_notes};
use super::promotion::same_candidate;
use super::stages::{Approval, Rejected, Stage, Verified};
use super::{Facts, Request, RequestResult};
use crate::queue::act::{Act, LineInput, RejectReason};
use crate::queue::application::NamingClass;
use crate::queue::clocks::ClockStep;
use crate::queue::fault::{Fault, Rule, Stale, TransitionError};
use crate::queue::happening::Deed;
use crate::queue::person::{Actor, Role};
use crate::queue::rules::Bind;
use crate::queue::sheet::{Line, LineVerdict, Sheet};

impl Request {
    /// *Tolak*: Assigned → Rejected.
    pub(super) fn reject(
        mut self,
        reason: &str,
        note: &str,
        lines: &[LineInput],
        actor: &Actor,
        facts: &Facts<'_>,
    ) -> RequestResult {
        let before = self.state();
        let Stage::Assigned(_) = &self.stage else {
            return Err(TransitionError::wrong_state("reject", before));
        };
        let by = self.as_holder(actor, facts.now)?;
        let mut faults = Sheet::missing_notes(lines);
        let code = RejectReason::from_code(reason);
        if code.is_none() {
            let known: Vec<&str> = RejectReason::ALL.iter().map(|r| r.as_str()).collect();
            faults.push(Fault::new("reason", Rule::UnknownReason, known.join(", ")));
        }
        if let Err(TransitionError::Incomplete(missing)) = needed("note", note) {
            faults.extend(missing);
        }
        let saved = |line: &&Line| {
            line.verdict == Some(LineVerdict::Bad) && !lines.iter().any(|l| l.code == line.code)
        };
        let bad = lines.iter().any(|line| line.verdict == Some(LineVerdict::Bad))
            || self.sheet.written().iter().any(|line| saved(&line));
        if !bad {
            faults.push(Fault::new("lines", Rule::NoLineBad, ""));
        }
        complete(faults)?;
        let Some(reason) = code else { return Err(empty("reason")) };
        self.lay_in(facts);
        self.sheet.write(lines, &by, self.revision);
        let rejected =
            Rejected { by: by.clone(), reason, note: note.to_owned(), notified_at: None };
        self.stage = Stage::Rejected(rejected);
        self.clocks.start(ClockStep::Tell, facts.now, facts.now, facts.calendar);
        let mut step = self.done(&by, Deed::Reject, before)?;
        step.happening = step
            .happening
            .with("reason", reason.as_str())
            .with("lines", summary(lines))
            .with_personal("note", note);
        Ok(with_notes(step, lines))
    }

    /// *Setujui*: Assigned → Verified, with every line of §4 and the candidate that was seen.
    pub(super) fn approve(mut self, act: &Act, actor: &Actor, facts: &Facts<'_>) -> RequestResult {
        let before = self.state();
        let now = facts.now;
        let (Stage::Assigned(stage), Act::Approve { revision, candidate, serial, lines }) =
            (&self.stage, act)
        else {
            return Err(TransitionError::wrong_state("approve", before));
        };
        let (waiting, assignment) = (stage.waiting, stage.assignment.clone());
        let by = self.as_holder(actor, now)?;
        if *revision == 0 {
            return Err(empty("revision"));
        }
        needed("candidate", candidate)?;
        if *revision != self.revision {
            let stale = Stale::Revision { seen: *revision, now: self.revision };
            return Err(TransitionError::Stale(stale));
        }
        same_candidate(candidate, facts.candidate)?;
        let current = facts.candidate.map_or(0, |c| c.serial);
        if facts.rules.bind == Bind::Serial {
            let seen = serial.unwrap_or(0);
            if seen != current {
                return Err(TransitionError::Stale(Stale::Serial { seen, now: current }));
            }
        }
        let mut faults = Sheet::missing_notes(lines);
        if facts.automatic.is_none() {
            faults.push(Fault::new("lines", Rule::LineNotChecked, "A1-A11"));
        }
        self.lay_in(facts);
        self.sheet.write(lines, &by, self.revision);
        faults.extend(self.sheet.missing(&self.application));
        let camat = facts.rules.camat && self.application.class == NamingClass::Desa;
        if waiting || (camat && self.application.kind.brings_records() && !self.party_confirmed()) {
            faults.push(Fault::new("party", Rule::ParentNotConfirmed, ""));
        }
        complete(faults)?;
        let reasons = self.sheet.second_signature(&self.application);
        let approval = Approval {
            by: by.clone(),
            revision: self.revision,
            candidate: candidate.to_ascii_lowercase(),
            serial: current,
            second_needed: !reasons.is_empty(),
            second: None,
        };
        self.attempts += 1;
        self.stage = Stage::Verified(Verified { assignment, approval, promoting: None });
        let starts = self.application.starts_at().unwrap_or(now).max(now);
        self.clocks.start(ClockStep::Make, starts, now, facts.calendar);
        let mut step = self.done(&by, Deed::Approve, before)?;
        step.happening = step
            .happening
            .with("candidate", candidate)
            .with("serial", current)
            .with("lines", summary(lines))
            .with("second_signature", !reasons.is_empty());
        Ok(with_notes(step, lines))
    }

    /// *Tanda tangan kedua*: the head, on the same hash.
    pub(super) fn countersign(
        mut self,
        candidate: &str,
        actor: &Actor,
        facts: &Facts<'_>,
    ) -> RequestResult {
        let before = self.state();
        let open = matches!(&self.stage, Stage::Verified(stage)
            if stage.promoting.is_none()
                && stage.approval.second_needed
                && stage.approval.second.is_none());
        if !open {
            return Err(TransitionError::wrong_state("countersign", before));
        }
        let by = self.as_head(actor, facts.now)?;
        needed("candidate", candidate)?;
        let approved = self.approval().map(|a| a.candidate.clone()).unwrap_or_default();
        same_candidate(candidate, facts.candidate)?;
        if !approved.eq_ignore_ascii_case(candidate) {
            let now = candidate.to_owned();
            return Err(TransitionError::Stale(Stale::Candidate { seen: approved, now }));
        }
        let second = by.clone();
        self = self.in_stage(|stage| match stage {
            Stage::Verified(mut stage) => {
                stage.approval.second = Some(second);
                Stage::Verified(stage)
            }
            other => other,
        });
        let mut step = self.done(&by, Deed::Countersign, before)?;
        step.happening = step.happening.with("candidate", candidate);
        Ok(step)
    }

    /// *Periksa ulang* by the kasi who holds it or a kabid.
    pub(super) fn reopen(self, reason: &str, actor: &Actor, facts: &Facts<'_>) -> RequestResult {
        let state = self.state();
        let open = match &self.stage {
            Stage::Verified(stage) => stage.promoting.is_none(),
            Stage::PromotionFailed(_) => true,
            _ => false,
        };
        if !open {
            return Err(TransitionError::wrong_state("reopen", state));
        }
        // Somebody who stands in for the head may hold neither this request nor its holder's place.
        let by = match self.as_holder(actor, facts.now) {
            Err(_) if actor.capacity(Role::Head, facts.now).is_some() => {
                self.as_head(actor, facts.now)?
            }
            by => by?,
        };
        let reason = needed("reason", reason)?.to_owned();
        let mut step = self.reopen_by(&by, facts)?;
        step.happening = step.happening.with_personal("reason", &reason);
        Ok(step)
    }
}
