//! *Ubah jadwal*: another start time for what is approved and waits for its time.

use super::acts::letter_number;
use super::case::Transition;
use super::deciding::reopen;
use super::stages::{Assigned, Verified};
use crate::queue::application::Application;
use crate::queue::fault::{Fault, Rule, TransitionError};
use crate::queue::fields;
use crate::queue::person::Role;
use crate::queue::reading::Reading;

impl Verified {
    /// A new revision with another start time, or with none, judged anew. Whoever is not the applicant
    /// names the applicant's letter.
    pub(super) fn reschedule(
        self,
        cx: &mut Transition<'_>,
        starts: &str,
        letter: &str,
    ) -> Result<Assigned, TransitionError> {
        if cx.by.role != Role::Applicant {
            letter_number(letter)?;
        }
        let mut sent = Application::clone(&cx.case.application);
        sent.starts = Some(starts.trim().to_owned()).filter(|text| !text.is_empty());
        let new = Reading::of(sent);
        let mut faults = new.bad_dates();
        let begins = new.starts_at().unwrap_or(cx.facts.now).max(cx.facts.now);
        if new.ends_at().is_some_and(|ends| ends <= begins) {
            faults.push(Fault::new("starts", Rule::EndsBeforeStart, ""));
        }
        if !faults.is_empty() {
            return Err(TransitionError::of_faults(faults));
        }
        let new = new.parse().map_err(TransitionError::of_faults)?;
        cx.note("changed", fields::changed(&cx.case.application, &new).join(","));
        cx.note("starts", new.starts.clone().unwrap_or_default());
        cx.note_personal("letter", letter);
        cx.case.sheet.reset_changed(&cx.case.application, &new);
        cx.case.revise(new);
        Ok(reopen(cx, self.assignment))
    }
}
