//! Read access to a request.

use super::stages::{Approval, Disposition, Question, Stage};
use super::{Request, State};
use crate::queue::calendar::Calendar;
use crate::queue::clocks::{Clocks, Timing};
use crate::queue::person::Signature;
use crate::queue::procedure::Phase;
use crate::queue::reading::ParsedApplication;
use crate::queue::rules::Rules;
use crate::queue::sheet::Sheet;

impl Request {
    /// The number.
    pub fn number(&self) -> &str {
        &self.case.number
    }

    /// The revision.
    pub fn revision(&self) -> u32 {
        self.case.revision
    }

    /// The data asked for.
    pub fn application(&self) -> &ParsedApplication {
        &self.case.application
    }

    /// The state.
    pub fn state(&self) -> State {
        self.stage.state()
    }

    /// The phase of the procedure it is in.
    pub fn phase(&self, now: i64) -> Phase {
        match self.stage.phase() {
            Phase::Verified if self.case.starts_later(now) => Phase::Scheduled,
            phase => phase,
        }
    }

    /// The stage with its own data.
    pub fn stage(&self) -> &Stage {
        &self.stage
    }

    /// The check sheet.
    pub fn sheet(&self) -> &Sheet {
        &self.case.sheet
    }

    /// The clocks.
    pub fn clocks(&self) -> &Clocks {
        &self.case.clocks
    }

    /// The routing slips, oldest first.
    pub fn dispositions(&self) -> &[Disposition] {
        &self.case.dispositions
    }

    /// The questions to other parties, oldest first.
    pub fn questions(&self) -> &[Question] {
        &self.case.questions
    }

    /// When an officer first took it: keyed it in or routed it. Until then it is a stranger's word,
    /// and others may ask for the same name.
    pub fn taken_at(&self) -> Option<i64> {
        let keyed = self.case.keyed_in_by.first().map(|by| by.at);
        let routed = self.case.dispositions.first().map(|slip| slip.from.at);
        keyed.into_iter().chain(routed).min()
    }

    /// Whether the applicant's mailbox is proven.
    pub fn mailbox_proven(&self) -> bool {
        self.case.mailbox_proven
    }

    /// The officers who keyed in a paper letter, oldest first.
    pub fn keyed_in_by(&self) -> &[Signature] {
        &self.case.keyed_in_by
    }

    /// Epoch milliseconds.
    pub fn submitted_at(&self) -> i64 {
        self.case.submitted_at
    }

    /// Epoch milliseconds of the last accepted act.
    pub fn changed_at(&self) -> i64 {
        self.case.changed_at
    }

    /// Names what the acts on it have led to: whoever acts on another version has not read this one.
    pub fn version(&self) -> String {
        format!("{:x}-{}-{}", self.changed_at(), self.revision(), self.state())
    }

    /// The verifier who holds it, as long as one does.
    pub fn holder(&self) -> Option<&Signature> {
        self.stage.assignment().map(|assignment| &assignment.holder)
    }

    /// The approval in force, if there is one.
    pub fn approval(&self) -> Option<&Approval> {
        self.stage.approval()
    }

    /// Whether some party has agreed since the current revision came in.
    pub fn agreement(&self) -> Option<&Question> {
        self.case.agreement()
    }

    /// The step it is in and the time left to it.
    pub fn timing(&self, now: i64, calendar: &Calendar, rules: &Rules) -> Timing {
        Timing::of(self.state(), self.due(calendar, rules), now, calendar)
    }

    /// When a running step is due, epoch milliseconds.
    pub fn due(&self, calendar: &Calendar, rules: &Rules) -> Option<i64> {
        match &self.stage {
            Stage::NeedsCorrection(stage) => Some(stage.lapses_at(calendar, rules)),
            _ => self.case.clocks.due(calendar, rules),
        }
    }
}
