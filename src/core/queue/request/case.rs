//! What stays the same while a request moves: its data, sheet, clocks and slips; and one transition.

use serde::{Deserialize, Serialize};

use super::persons::contact_of;
use super::stages::{Disposition, Question, Stage};
use super::{Facts, Request, State};
use crate::queue::clocks::{ClockStep, Clocks};
use crate::queue::fault::TransitionError;
use crate::queue::happening::{Happening, Step, Subject};
use crate::queue::line::LineInput;
use crate::queue::person::{Identity, Role, Signature};
use crate::queue::procedure::Deed;
use crate::queue::reading::ParsedApplication;
use crate::queue::sheet::Sheet;

//------------ Case ----------------------------------------------------------

/// A request without its stage.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct Case {
    /// Letters, digits and hyphens.
    pub(super) number: String,
    /// 1 at submit, raised by each resubmit.
    pub(super) revision: u32,
    /// The data of the current revision; rows of version 0.1.0 call it `ask`.
    #[serde(alias = "ask")]
    pub(super) application: ParsedApplication,
    /// Whether the applicant's mailbox is proven.
    pub(super) mailbox_proven: bool,
    /// The officers who keyed in a paper letter: they count as applicants.
    pub(super) keyed_in_by: Vec<Signature>,
    /// Epoch milliseconds.
    pub(super) submitted_at: i64,
    /// Epoch milliseconds of the last accepted act.
    pub(super) changed_at: i64,
    /// The check sheet.
    pub(super) sheet: Sheet,
    /// The clocks.
    pub(super) clocks: Clocks,
    /// All routing slips, oldest first.
    pub(super) dispositions: Vec<Disposition>,
    /// All questions to other parties, oldest first.
    pub(super) questions: Vec<Question>,
    /// The number of promotions started.
    pub(super) attempts: u32,
    /// Everybody who acted on it as head or verifier, in whichever capacity, once each.
    #[serde(default)]
    pub(super) took_part: Vec<Signature>,
    /// The persons responsible in earlier revisions: who asked for a name does not become its judge by a correction.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) former_contacts: Vec<Identity>,
}

impl Case {
    /// The applicant's side: the persons responsible in all revisions, and the officers who keyed in letters.
    pub(super) fn applicants(&self) -> Vec<Identity> {
        let mut sides = self.former_contacts.clone();
        sides.push(contact_of(&self.application));
        sides.extend(self.keyed_in_by.iter().map(|by| by.identity.clone()));
        sides
    }

    /// Tests that an officer joins `side` only: applicant, head and verifier are three persons.
    /// Compared are all who acted, all who were to check it, and those they stood in for.
    pub(super) fn apart(&self, by: &Signature, side: Role) -> Result<(), TransitionError> {
        if self.applicants().iter().any(|applicant| applicant.same(&by.identity)) {
            return Err(TransitionError::SamePerson { with: Role::Applicant });
        }
        none_is(self.officers().filter(|part| part.role != side && part.is_one_with(by)))
    }

    /// Tests that somebody who joins the applicant's side has not acted as head or verifier.
    pub(super) fn applicant_apart(&self, who: &Identity) -> Result<(), TransitionError> {
        none_is(self.officers().filter(|part| part.identity.same(who)))
    }

    /// All heads and verifiers of this request so far.
    fn officers(&self) -> impl Iterator<Item = &Signature> {
        self.dispositions.iter().flat_map(|slip| [&slip.from, &slip.to]).chain(&self.took_part)
    }

    /// Puts another revision of the data in the place of this one.
    pub(super) fn revise(&mut self, application: ParsedApplication) {
        let before = contact_of(&self.application);
        self.application = application;
        self.revision += 1;
        let is_known = |who: &Identity| self.former_contacts.contains(who);
        if before != contact_of(&self.application) && !is_known(&before) {
            self.former_contacts.push(before);
        }
    }

    /// Keeps who acted as head or verifier.
    fn remember(&mut self, by: &Signature) {
        let same = |part: &Signature| {
            part.role == by.role && part.identity == by.identity && part.acting == by.acting
        };
        if matches!(by.role, Role::Head | Role::Verifier) && !self.took_part.iter().any(same) {
            self.took_part.push(by.clone());
        }
    }
}

impl Case {
    /// The case without contact, notes, instructions and what parties were asked.
    pub(super) fn without_persons(mut self) -> Self {
        self.application = self.application.without_persons();
        self.former_contacts.clear();
        self.sheet.erase_notes();
        for slip in &mut self.dispositions {
            slip.instruction.clear();
        }
        for question in &mut self.questions {
            for text in [&mut question.party, &mut question.email, &mut question.letter] {
                text.clear();
            }
            question.answered = question.answered.take().map(Signature::without_applicant);
        }
        self
    }

    /// Whether the start time asked for lies ahead.
    pub(super) fn starts_later(&self, now: i64) -> bool {
        self.application.starts_at().is_some_and(|starts| starts > now)
    }

    /// The question to which a party has agreed last, since the current revision came in.
    pub(super) fn agreement(&self) -> Option<&Question> {
        let agreed = |q: &&Question| q.revision == self.revision && q.agreed == Some(true);
        self.questions.iter().rev().find(agreed)
    }
}

/// The error of the first officer who is on another side already, if there is one.
fn none_is<'a>(mut others: impl Iterator<Item = &'a Signature>) -> Result<(), TransitionError> {
    others.next().map_or(Ok(()), |other| Err(TransitionError::SamePerson { with: other.role }))
}

//------------ Transition ----------------------------------------------------

/// A transition under way: phase and person are tested, and the old stage is consumed.
pub(super) struct Transition<'a> {
    /// The request without its stage.
    pub(super) case: Case,
    /// Who does it.
    pub(super) by: Signature,
    /// What the acting function knows.
    pub(super) facts: &'a Facts<'a>,
    /// Facts of the event.
    noted: Vec<(String, String)>,
    /// Facts of the event that may name persons.
    personal: Vec<(String, String)>,
}

impl<'a> Transition<'a> {
    /// A transition that has just begun.
    pub(super) fn new(case: Case, by: Signature, facts: &'a Facts<'a>) -> Self {
        Self { case, by, facts, noted: Vec::new(), personal: Vec::new() }
    }

    /// Keeps on the request that its actor was one of its heads or verifiers.
    pub(super) fn takes_part(&mut self) {
        self.case.remember(&self.by);
    }

    /// Adds a fact to the event.
    pub(super) fn note(&mut self, key: &str, value: impl ToString) {
        self.noted.push((key.to_owned(), value.to_string()));
    }

    /// Adds a text that may hold personal data to the event.
    pub(super) fn note_personal(&mut self, key: &str, value: &str) {
        self.personal.push((key.to_owned(), value.to_owned()));
    }

    /// Enters the automatic lines, if they were computed.
    pub(super) fn lay_in(&mut self) {
        if let Some(automatic) = self.facts.automatic {
            self.case.sheet.lay_in(automatic.to_vec());
        }
    }

    /// Writes an officer's lines on the sheet, and their verdicts and notes on the event.
    pub(super) fn write_lines(&mut self, lines: &[LineInput]) {
        self.lay_in();
        self.case.sheet.write(lines, &self.by, self.case.revision);
        let word = |line: &LineInput| line.verdict.map_or("none", |verdict| verdict.as_str());
        let texts: Vec<String> =
            lines.iter().map(|line| format!("{} {}", line.code, word(line))).collect();
        self.note("lines", texts.join(", "));
        for line in lines {
            self.note_personal(&format!("note_{}", line.code), line.note.as_deref().unwrap_or(""));
        }
    }

    /// Starts the clock of a step now.
    pub(super) fn start_clock(&mut self, step: ClockStep) {
        self.case.clocks.start(step, self.facts.now, self.facts.now, self.facts.calendar);
    }

    /// Stops the running clock.
    pub(super) fn stop_clock(&mut self) {
        self.case.clocks.stop(self.facts.now, self.facts.calendar);
    }

    /// Pauses the running clock until somebody else has acted.
    pub(super) fn pause_clock(&mut self) {
        self.case.clocks.pause(self.facts.now, self.facts.calendar);
    }

    /// The request in its new stage, with the one event of the transition.
    pub(super) fn end(self, deed: Deed, before: State, stage: Stage) -> Step<Request> {
        let Self { mut case, by, noted, personal, .. } = self;
        case.changed_at = by.at;
        let mut happening = Happening::new(&by, deed, Subject::Request(case.number.clone()))
            .moved(Some(before.as_str()), stage.state().as_str());
        happening.revision = case.revision;
        for (key, value) in noted {
            happening = happening.with(&key, value);
        }
        for (key, value) in personal {
            happening = happening.with_personal(&key, &value);
        }
        Step { value: Request { case, stage }, happening }
    }
}
