//! Requests of persons about their own data (UU 27/2022; docs/procedure.md, "Personal data"): recorded
//! when they come, answered by the head within 3 × 24 hours, and an event each time.

use serde::{Deserialize, Serialize};

use super::{ActError, Desk, Holding};
use crate::audit::NewEvent;
use crate::queue::labels::clean_text;
use crate::queue::named::named;
use crate::queue::person::is_mailbox;
use crate::queue::time::{DAY_MS, first_day, midnight, year_of};
use crate::queue::{
    Actor, Contact, Deed, Fault, Role, Rule, Signature, State, TransitionError, needed,
};
use crate::store::subjects::SubjectRow;
use crate::store::{Reader, StoreError};

/// Within this time a request has to be answered.
const ANSWER_MS: i64 = 3 * DAY_MS;
/// How long before that it counts as urgent.
const URGENT_MS: i64 = DAY_MS;
/// What was asked and answered is kept this long after the answer.
const KEPT_MS: i64 = 365 * DAY_MS;
/// Requests that are listed.
const LISTED_MAX: usize = 200;
/// Longest text, in characters.
const TEXT_MAX: usize = 2_000;

named! {
    /// What a person asks for.
    pub enum SubjectKind {
        /// To see their data.
        See = "see",
        /// To have them corrected.
        Correct = "correct",
        /// To have their use suspended.
        Suspend = "suspend",
        /// To have them erased.
        Erase = "erase",
    }
}

named! {
    /// What became of it.
    pub enum SubjectOutcome {
        /// It was done.
        Granted = "granted",
        /// It was refused, on a ground that the answer names.
        Refused = "refused",
    }
}

/// What is recorded when a request comes.
#[derive(Clone, Debug)]
pub struct SubjectWish {
    /// What is asked for.
    pub kind: Option<SubjectKind>,
    /// Who asks.
    pub name: String,
    /// How they are reached.
    pub contact: String,
    /// In their own words.
    pub text: String,
    /// The request for a name it is about; may be empty.
    pub request: String,
}

/// A request of a person as officers see it.
#[derive(Clone, Debug)]
pub struct SubjectView {
    /// Its number.
    pub id: String,
    /// What is asked for.
    pub kind: SubjectKind,
    /// The request for a name it is about.
    pub request: Option<String>,
    /// When it came (epoch ms).
    pub came_ms: i64,
    /// When it is to be answered (epoch ms).
    pub due_ms: i64,
    /// When it was answered (epoch ms).
    pub answered_ms: Option<i64>,
    /// What the answer was.
    pub outcome: Option<SubjectOutcome>,
    /// Who asked what, and the answer; none once it was blanked.
    pub said: Option<SubjectSaid>,
}

/// Who asked what, and what was answered.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct SubjectSaid {
    /// Who asked.
    pub name: String,
    /// How they are reached.
    pub contact: String,
    /// What they asked.
    pub text: String,
    /// What was answered.
    pub answer: String,
}

impl Desk {
    /// Records a request; its number. By any officer but the auditor, who writes nothing.
    pub fn record_subject_request(
        &self,
        wish: &SubjectWish,
        actor: &Actor,
    ) -> Result<String, ActError> {
        let (ledger, now) = (&self.0.ledger, self.now());
        ledger.store.write(|tx| {
            let actor = ledger.current(tx, actor)?;
            let by = actor.capacity_in(&[Role::Head, Role::Verifier, Role::Operator], now);
            let by = by.ok_or(ActError::NotAllowed)?;
            let said = checked(wish)?;
            let Some(kind) = wish.kind else { return Err(missing("kind")) };
            let request = wish.request.trim().to_uppercase();
            if !request.is_empty() && tx.request(&request)?.is_none() {
                let fault = Fault::new("request", Rule::UnknownRequest, request);
                return Err(TransitionError::Incomplete(vec![fault]).into());
            }
            let year = year_of(now);
            let first = first_day(year, 1).unwrap_or_default();
            let number = tx.subject_requests_since(midnight(first))? + 1;
            let id = format!("PDP-{year}-{number:04}");
            let row = SubjectRow {
                kind: kind.as_str().to_owned(),
                request: (!request.is_empty()).then_some(request),
                came_ms: now,
                due_ms: now + ANSWER_MS,
                answered_ms: None,
                outcome: None,
                body: Some(self.seal_said(&id, &said)?),
                id: id.clone(),
            };
            tx.put_subject_request(&row)?;
            ledger
                .note(tx, event(&by, now, Deed::SubjectAsked, &id).with("asked", kind.as_str()))?;
            Ok(id)
        })
    }

    /// Answers a request. By the head; a refusal says on what ground. To grant an erasure erases the
    /// contact of the request it is about.
    pub fn answer_subject_request(
        &self,
        id: &str,
        (outcome, answer): (Option<SubjectOutcome>, &str),
        actor: &Actor,
    ) -> Result<(), ActError> {
        let (ledger, now) = (&self.0.ledger, self.now());
        let answer = clean_text(answer);
        let known = self.subject_request(id, actor)?;
        if known.answered_ms.is_some() {
            let error = TransitionError::WrongState { act: "answer", state: "answered" };
            return Err(error.into());
        }
        let outcome = outcome.ok_or_else(|| missing("outcome"))?;
        needed("answer", &answer)?;
        let erases = known.kind == SubjectKind::Erase && outcome == SubjectOutcome::Granted;
        let erased = ledger.store.write(|tx| {
            let current = ledger.current(tx, actor)?;
            let by = current.capacity(Role::Head, now).ok_or(ActError::NotAllowed)?;
            let row = tx.subject_request(id)?.filter(|row| row.answered_ms.is_none());
            let row = row.ok_or(ActError::NotFound)?;
            let said =
                SubjectSaid { answer: answer.clone(), ..known.said.clone().unwrap_or_default() };
            tx.put_subject_request(&SubjectRow {
                answered_ms: Some(now),
                outcome: Some(outcome.as_str().to_owned()),
                body: Some(self.seal_said(id, &said)?),
                ..row
            })?;
            let event = event(&by, now, Deed::SubjectAnswered, id);
            let event = event.with("asked", known.kind.as_str());
            ledger.note(tx, event.with("outcome", outcome.as_str()))?;
            // With the answer or not at all: another head may have answered meanwhile.
            let number = known.request.as_ref().filter(|_| erases);
            let ground = format!("{id}: {answer}");
            number.map(|number| self.erase_in(tx, number, &ground, actor)).transpose()
        })?;
        erased.map_or(Ok(()), |erased| self.finish_erasure(erased).map(drop))
    }

    /// A request by its number. For those who see contacts, and the administrator, who records them.
    pub fn subject_request(&self, id: &str, actor: &Actor) -> Result<SubjectView, ActError> {
        self.may_read_subjects(actor)?;
        let row = self.read(|reader| Ok(reader.subject_request(id)?))?;
        self.subject_view(row.ok_or(ActError::NotFound)?)
    }

    /// Open requests, the most urgent first, then answered ones, the newest first.
    pub fn subject_requests(&self, actor: &Actor) -> Result<Vec<SubjectView>, ActError> {
        self.may_read_subjects(actor)?;
        let rows = self.read(|reader| Ok(reader.subject_requests(LISTED_MAX)?))?;
        rows.into_iter().map(|row| self.subject_view(row)).collect()
    }

    /// Numbers of requests that have to be answered within a day, or should have been.
    pub fn urgent_subject_requests(&self, most: usize) -> Result<Vec<String>, ActError> {
        let by = self.now() + URGENT_MS;
        self.read(|reader| Ok(reader.subject_requests_due(by, most)?))
    }

    /// Whether somebody may read who asked what.
    fn may_read_subjects(&self, actor: &Actor) -> Result<(), ActError> {
        let now = self.now();
        let holds = |role| actor.capacity(role, now).is_some();
        let may = holds(Role::Head) || holds(Role::Verifier) || holds(Role::Operator);
        if may { Ok(()) } else { Err(ActError::NotAllowed) }
    }

    /// Blanks what was asked and answered long ago.
    pub(super) fn retain_subjects(&self) -> Result<(), ActError> {
        let until = self.now() - KEPT_MS;
        Ok(self.0.ledger.store.write::<_, StoreError>(|tx| {
            if tx.blank_subject_requests(until)? > 0 {
                tx.note_erasure()?;
            }
            Ok(())
        })?)
    }

    /// What is kept of those who asked.
    pub(super) fn subject_holdings(&self, reader: &Reader<'_>) -> Result<Vec<Holding>, ActError> {
        let mut found = Vec::new();
        for row in reader.subject_requests(usize::MAX)? {
            let view = self.subject_view(row)?;
            let Some(said) = view.said else { continue };
            let mut words = said.contact.split([' ', ',', ';', '/', '<', '>']);
            let email = words.find(|word| is_mailbox(word)).unwrap_or_default().to_owned();
            let phone = if email == said.contact { String::new() } else { said.contact };
            found.push(Holding {
                number: view.id,
                name: String::new(),
                office: String::new(),
                state: view.answered_ms.map_or(State::Submitted, |_| State::Closed),
                submitted_ms: view.came_ms,
                contact: Contact { name: said.name, email, phone, ..Contact::default() },
                revisions: 1,
                letters: 0,
                papers: 0,
                notices: 0,
            });
        }
        Ok(found)
    }

    /// What was said, sealed for one request.
    fn seal_said(&self, id: &str, said: &SubjectSaid) -> Result<Vec<u8>, ActError> {
        // Texts have a JSON form.
        let json = serde_json::to_vec(said).unwrap_or_default();
        Ok(self.0.ledger.vault.seal(&purpose(id), &json)?)
    }

    /// A row as officers see it.
    fn subject_view(&self, row: SubjectRow) -> Result<SubjectView, ActError> {
        let said = match &row.body {
            Some(body) => {
                let json = self.0.ledger.vault.unseal(&purpose(&row.id), body)?;
                serde_json::from_slice(&json).ok()
            }
            None => None,
        };
        let corrupt = || StoreError::Corrupt(format!("the request {} of a person", row.id));
        Ok(SubjectView {
            kind: SubjectKind::from_name(&row.kind).ok_or_else(corrupt)?,
            outcome: row.outcome.as_deref().and_then(SubjectOutcome::from_name),
            request: row.request,
            came_ms: row.came_ms,
            due_ms: row.due_ms,
            answered_ms: row.answered_ms,
            said,
            id: row.id,
        })
    }
}

/// What is recorded, cleaned; every part is needed and no longer than it may be.
fn checked(wish: &SubjectWish) -> Result<SubjectSaid, ActError> {
    let parts = [("name", &wish.name), ("contact", &wish.contact), ("text", &wish.text)];
    let fault = |(field, text): &(&'static str, &String)| match text.trim().chars().count() {
        0 => Some(Fault::new(*field, Rule::Empty, "")),
        long if long > TEXT_MAX => Some(Fault::new(*field, Rule::TooLong, TEXT_MAX.to_string())),
        _ => None,
    };
    let faults: Vec<Fault> = parts.iter().filter_map(fault).collect();
    if !faults.is_empty() {
        return Err(TransitionError::Incomplete(faults).into());
    }
    let [name, contact, text] = parts.map(|(_, text)| clean_text(text.trim()));
    Ok(SubjectSaid { name, contact, text, answer: String::new() })
}

/// The error of a field that was left empty.
fn missing(field: &str) -> ActError {
    TransitionError::Incomplete(vec![Fault::new(field, Rule::Empty, "")]).into()
}

/// An event about a request of a person.
fn event(by: &Signature, now: i64, deed: Deed, id: &str) -> NewEvent {
    NewEvent::new(now, by.person(), by.role.as_str(), deed, &format!("privacy:{id}"))
}

/// What the texts of a request are sealed for.
fn purpose(id: &str) -> String {
    format!("subject:{id}")
}
