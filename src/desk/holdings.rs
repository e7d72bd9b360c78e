//! What is kept of persons: of one who asks, and of all, for the notice after a breach (UU 27/2022; docs/procedure.md,
//! "Personal data"). Each look is an event that says how much was shown, and nothing of whom.

use std::collections::BTreeSet;

use super::{ActError, Desk};
use crate::audit::NewEvent;
use crate::queue::person::same_mailbox;
use crate::queue::{Actor, Contact, Deed, NoticeReader, Role, Signature, State};
use crate::store::Reader;
use crate::store::requests::{RequestFilter, Sort};

/// Requests that are read at a time.
const READ_AT_ONCE: usize = 500;
/// The shortest text that is looked for among names of persons, in characters.
const NAME_MIN: usize = 3;
/// The subject of the events.
const SUBJECT: &str = "personal:data";

/// What is kept of a person behind a request: one who is or was responsible for it, or was asked about it. Or of one
/// who asked about their own data.
#[derive(Clone, Debug)]
pub struct Holding {
    /// The request; empty for a row of a table that is not filed yet.
    pub number: String,
    /// The absolute name it is about; empty where somebody asked about their data.
    pub name: String,
    /// The office.
    pub office: String,
    /// Its state.
    pub state: State,
    /// When it came (epoch ms).
    pub submitted_ms: i64,
    /// The person.
    pub contact: Contact,
    /// Versions of the data, each with a contact.
    pub revisions: u32,
    /// Files of letters.
    pub letters: usize,
    /// Papers that name those who are or were responsible.
    pub papers: usize,
    /// Notices with the person's mailbox.
    pub notices: usize,
}

impl Holding {
    /// Which fields are filled in, by their names in the API.
    pub fn fields(&self) -> Vec<&'static str> {
        let contact = &self.contact;
        let filled = [
            ("contact.name", !contact.name.is_empty()),
            ("contact.position", !contact.position.is_empty()),
            ("contact.email", !contact.email.is_empty()),
            ("contact.phone", !contact.phone.is_empty()),
            ("contact.nip", contact.nip.is_some()),
            ("letter", self.letters > 0),
            ("papers", self.papers > 0),
            ("notices", self.notices > 0),
        ];
        filled.into_iter().filter(|(_, is_there)| *is_there).map(|(name, _)| name).collect()
    }

    /// Whether it is what somebody looks for: a request, a name, a mailbox, or part of a person's name.
    fn fits(&self, asked: &str) -> bool {
        let asked = asked.trim().to_lowercase();
        if asked.is_empty() {
            return false;
        }
        let name = self.name.trim_end_matches('.');
        let of_person =
            asked.chars().count() >= NAME_MIN && self.contact.name.to_lowercase().contains(&asked);
        self.number.to_lowercase() == asked
            || name == asked.trim_end_matches('.')
            || same_mailbox(&self.contact.email, &asked)
            || of_person
    }
}

impl Desk {
    /// What is kept of whoever is behind a request, a name, a mailbox or a person's name. By those who see
    /// contacts.
    pub fn holdings_of(&self, asked: &str, actor: &Actor) -> Result<Vec<Holding>, ActError> {
        let roles = [Role::Head, Role::Verifier];
        self.look_at_holdings(actor, &roles, Deed::PersonalShown, |holding| holding.fits(asked))
    }

    /// What is kept of everybody, for the notice of a breach within 3 × 24 hours. By the head.
    pub fn all_holdings(&self, actor: &Actor) -> Result<Vec<Holding>, ActError> {
        self.look_at_holdings(actor, &[Role::Head], Deed::BreachExported, |_| true)
    }

    /// Looks, and notes it.
    fn look_at_holdings(
        &self,
        actor: &Actor,
        roles: &[Role],
        deed: Deed,
        wanted: impl Fn(&Holding) -> bool,
    ) -> Result<Vec<Holding>, ActError> {
        let (ledger, now) = (&self.0.ledger, self.now());
        let by: Signature = self.read(|reader| {
            let actor = ledger.current(reader, actor)?;
            let mut held = roles.iter().filter_map(|role| actor.capacity(*role, now));
            held.next().ok_or(ActError::NotAllowed)
        })?;
        let mut found = self.read(|reader| {
            let mut found = self.holdings(reader)?;
            found.extend(self.bulk_holdings(reader)?);
            found.extend(self.subject_holdings(reader)?);
            Ok(found)
        })?;
        found.retain(|holding| !holding.fields().is_empty() && wanted(holding));
        ledger.store.write::<_, ActError>(|tx| {
            let event = NewEvent::new(now, by.person(), by.role.as_str(), deed, SUBJECT);
            ledger.note(tx, event.with("requests", requests_of(&found).to_string()))?;
            Ok(())
        })?;
        Ok(found)
    }

    /// What every request holds, as they came in.
    fn holdings(&self, reader: &Reader<'_>) -> Result<Vec<Holding>, ActError> {
        let mut found = Vec::new();
        let mut filter =
            RequestFilter { sort: Sort::Submitted, limit: READ_AT_ONCE, ..Default::default() };
        loop {
            let rows = reader.requests(&filter)?;
            let Some(last) = rows.last() else { return Ok(found) };
            filter.after = Some((last.place(Sort::Submitted), last.number.clone()));
            for row in &rows {
                found.extend(self.holdings_behind(reader, &row.number)?);
            }
        }
    }

    /// What one request holds, a person at a time: whoever is responsible now comes first.
    fn holdings_behind(&self, reader: &Reader<'_>, number: &str) -> Result<Vec<Holding>, ActError> {
        let ledger = &self.0.ledger;
        let Some(stored) = ledger.request(reader, number)? else { return Ok(Vec::new()) };
        let request = &stored.request;
        let mut persons = vec![request.application().contact.clone()];
        for revision in (1..request.revision()).rev() {
            let former = ledger.revision(reader, number, revision)?;
            persons.extend(former.map(|application| application.contact));
        }
        let responsible = persons.len();
        persons.extend(request.questions().iter().map(|question| Contact {
            name: question.party.clone(),
            email: question.email.clone(),
            ..Contact::default()
        }));
        let letters = reader.letters_of(number)?;
        let letters = letters.iter().filter(|letter| letter.erased_ms.is_none()).count();
        let papers = reader.papers_of(number)?;
        let papers = papers.iter().filter(|paper| paper.file.is_some()).count();
        let notices = self.notices_to_others(reader, number)?;
        let mut found: Vec<Holding> = Vec::new();
        for (at, contact) in persons.into_iter().enumerate() {
            let is_known = |other: &Holding| is_same_person(&other.contact, &contact);
            // What is left after an erasure names nobody.
            let is_nobody = contact.name.is_empty() && contact.email.is_empty();
            if at > 0 && (is_nobody || found.iter().any(is_known)) {
                continue;
            }
            let names = |count: usize| if is_nobody || at >= responsible { 0 } else { count };
            found.push(Holding {
                number: number.to_owned(),
                name: request.application().place().name.to_string(),
                office: request.application().office.clone(),
                state: request.state(),
                submitted_ms: stored.row.submitted_ms,
                revisions: request.revision(),
                letters: if at == 0 { letters } else { names(letters) },
                papers: names(papers),
                notices: notices.iter().filter(|to| same_mailbox(to, &contact.email)).count(),
                contact,
            });
        }
        Ok(found)
    }

    /// The mailboxes of the notices of a request that went to nobody of the office, one for each.
    fn notices_to_others(
        &self,
        reader: &Reader<'_>,
        number: &str,
    ) -> Result<Vec<String>, ActError> {
        let mut mailboxes = Vec::new();
        for row in reader.notices_of(number)? {
            let notice = self.0.ledger.open_notice(reader, &row)?;
            if notice.reader != NoticeReader::Officer && !notice.to.is_empty() {
                mailboxes.push(notice.to);
            }
        }
        Ok(mailboxes)
    }
}

/// How many requests, or rows without one, are among what was found: several persons may be behind one.
pub fn requests_of(found: &[Holding]) -> usize {
    let (filed, others): (Vec<_>, Vec<_>) = found.iter().partition(|it| !it.number.is_empty());
    let numbers: BTreeSet<&str> = filed.iter().map(|it| it.number.as_str()).collect();
    numbers.len() + others.len()
}

/// Whether two contacts are of one person, as far as what is kept of them goes.
fn is_same_person(one: &Contact, other: &Contact) -> bool {
    one.name == other.name && same_mailbox(&one.email, &other.email)
}
