//! Personal data: erasure that keeps the chain valid, and retention (approval.md §7, UU 27/2022).

use super::attachments::FOLDER;
use super::{ActError, Desk};
use crate::audit::{NewEvent, append};
use crate::ledger::Stored;
use crate::queue::labels::clean_text;
use crate::queue::{Actor, Fault, Role, Rule, TransitionError};
use crate::store::{StoreError, Tx};

/// Milliseconds of a day.
const DAY_MS: i64 = 86_400_000;
/// A status secret is kept this long after the end.
const SECRET_KEPT_MS: i64 = 365 * DAY_MS;
/// A contact is kept this long after its name was live, or its request ended.
const CONTACT_KEPT_MS: i64 = 365 * DAY_MS;
/// Contacts erased in one run.
const CONTACTS_MAX: usize = 1_000;
/// A letter is kept this long after it came.
const LETTER_KEPT_MS: i64 = 5 * 365 * DAY_MS;
/// A file no row names is dropped after this long: its transaction may still be under way.
const ORPHAN_KEPT_MS: i64 = DAY_MS;

/// What an erasure deleted.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Erased {
    /// Values whose commitments stay in the chain.
    pub values: usize,
    /// Revisions whose contact was blanked.
    pub revisions: u32,
    /// Letter files.
    pub letters: usize,
}

/// On whose account something is erased.
struct By<'a> {
    /// The person's id, or the system.
    person: &'a str,
    /// The role they acted in.
    role: &'a str,
}

impl Desk {
    /// Erases the personal data of an ended request: contact, notes, letters, addresses of notices.
    /// The decision, the name and the office stay. By kabid or admin, with the ground.
    pub fn erase(&self, number: &str, ground: &str, actor: &Actor) -> Result<Erased, ActError> {
        let ledger = &self.0.ledger;
        let now = ledger.now();
        let ground = clean_text(ground);
        let (erased, files) = ledger.store.write(|tx| {
            let actor = ledger.current(tx, actor)?;
            let by = [Role::Head, Role::Operator].into_iter().find_map(|r| actor.capacity(r, now));
            let by = by.ok_or(ActError::NotAllowed)?;
            let stored = ledger.expect_request(tx, number)?;
            // As long as it is worked on, the applicant must be reached.
            if stored.request.state().is_open() {
                return Err(TransitionError::wrong_state("erase", stored.request.state()).into());
            }
            if ground.is_empty() {
                let missing = vec![Fault::new("ground", Rule::Empty, "")];
                return Err(TransitionError::Incomplete(missing).into());
            }
            let by = By { person: by.person(), role: by.role.as_str() };
            let mut erased = self.erase_contact(tx, stored, &by, &ground, now)?;
            let mut files = Vec::new();
            for letter in tx.letters_of(number)? {
                if letter.erased_ms.is_none() {
                    files.push(letter.file.clone());
                    tx.put_letter(&crate::store::requests::AttachmentRow {
                        erased_ms: Some(now),
                        ..letter
                    })?;
                }
            }
            erased.letters = files.len();
            Ok::<_, ActError>((erased, files))
        })?;
        for file in files {
            let path = self.letter_path(&file);
            std::fs::remove_file(&path).map_err(|source| ActError::File { path, source })?;
        }
        Ok(erased)
    }

    /// Erases what a request says of persons, but for its letters; the event that says so is `by`'s.
    fn erase_contact(
        &self,
        tx: &Tx<'_>,
        stored: Stored,
        by: &By<'_>,
        ground: &str,
        now: i64,
    ) -> Result<Erased, ActError> {
        let ledger = &self.0.ledger;
        let number = stored.request.number().to_owned();
        let subject = format!("request:{number}");
        let notices = tx.notices_of(&number)?;
        let mut subjects = vec![subject.clone()];
        subjects.extend(notices.iter().map(|row| format!("notice:{}", row.id)));
        let mut values = Vec::new();
        for subject in subjects {
            for event in tx.events_of(&subject)? {
                for field in event.commitments.keys() {
                    if tx.personal(event.sequence, field)?.is_some() {
                        values.push((event.sequence, field.clone()));
                    }
                }
            }
        }
        let names: Vec<String> =
            values.iter().map(|(sequence, field)| format!("{sequence}:{field}")).collect();
        let event = NewEvent::new(now, by.person, by.role, "erase", &subject)
            .with("values", names.join(" "))
            .with("ground", ground);
        let event = append(tx, event)?;
        for (sequence, field) in &values {
            tx.erase_personal(*sequence, field, event.sequence)?;
        }
        let revisions = stored.request.revision();
        for revision in 1..=revisions {
            if let Some(mut application) = ledger.revision(tx, &number, revision)? {
                application.contact = crate::queue::Contact::default();
                ledger.rewrite_revision(tx, &number, revision, &application)?;
            }
        }
        ledger.save_request(tx, &stored.request.without_contact(), &stored.row)?;
        for row in notices {
            let mut outgoing = ledger.open_notice(&row)?;
            outgoing.notice.to.clear();
            outgoing.notice.next_try = i64::MAX;
            ledger.save_notice(tx, &outgoing)?;
        }
        Ok(Erased { values: values.len(), revisions, letters: 0 })
    }

    /// The retention job: status secrets, contacts, old letters, files no row names.
    pub(super) fn retain(&self) -> Result<(), ActError> {
        let ledger = &self.0.ledger;
        let now = ledger.now();
        let forgotten =
            ledger.store.write::<_, StoreError>(|tx| tx.forget_secrets(now - SECRET_KEPT_MS))?;
        if forgotten > 0 {
            tracing::info!(forgotten, "status secrets past their time were forgotten");
        }
        self.retain_contacts(now)?;
        self.retain_letters(now)
    }

    /// Contacts of names that have been gone for their time; one that is live keeps its own.
    fn retain_contacts(&self, now: i64) -> Result<(), ActError> {
        let ledger = &self.0.ledger;
        let over = self.read(|reader| {
            Ok(reader.requests_past_contact(now - CONTACT_KEPT_MS, CONTACTS_MAX)?)
        })?;
        for number in &over {
            let by = By { person: "system", role: "system" };
            ledger.store.write(|tx| {
                let stored = ledger.expect_request(tx, number)?;
                self.erase_contact(tx, stored, &by, "retention", now)
            })?;
        }
        if !over.is_empty() {
            tracing::info!(requests = over.len(), "contacts past their time were erased");
        }
        Ok(())
    }

    /// Letters past their time, and files no row names.
    fn retain_letters(&self, now: i64) -> Result<(), ActError> {
        let ledger = &self.0.ledger;
        let folder = self.0.options.state_dir.join(FOLDER);
        let listed = std::fs::read_dir(&folder)
            .map_err(|source| ActError::File { path: folder.clone(), source })?;
        for entry in listed.flatten() {
            let file = entry.file_name().to_string_lossy().into_owned();
            let row = self.read(|reader| Ok(reader.letter_by_file(&file)?))?;
            let modified = entry.metadata().and_then(|data| data.modified()).ok();
            let age = modified.and_then(|at| at.elapsed().ok()).map_or(0, |age| age.as_millis());
            let over = match &row {
                Some(row) => row.erased_ms.is_some() || row.at_ms + LETTER_KEPT_MS < now,
                None => i64::try_from(age).unwrap_or(0) > ORPHAN_KEPT_MS,
            };
            if !over {
                continue;
            }
            if let Some(row) = row.filter(|row| row.erased_ms.is_none()) {
                ledger.store.write::<_, ActError>(|tx| {
                    let subject = format!("request:{}", row.request);
                    let event = NewEvent::new(now, "system", "system", "letter_expired", &subject);
                    append(tx, event.with("sha256", &row.sha256))?;
                    tx.put_letter(&crate::store::requests::AttachmentRow {
                        erased_ms: Some(now),
                        ..row
                    })?;
                    Ok(())
                })?;
            }
            let path = entry.path();
            std::fs::remove_file(&path).map_err(|source| ActError::File { path, source })?;
        }
        Ok(())
    }
}
