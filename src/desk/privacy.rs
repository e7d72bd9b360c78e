//! Personal data (UU 27/2022; docs/procedure.md, "Personal data"): erasure that keeps the event chain
//! valid, and retention.

use std::time::Duration;

use super::clockwork::Job;
use super::office::{LETTERS, PAPERS};
use super::{ActError, Desk};
use crate::audit::NewEvent;
use crate::files;
use crate::ledger::ErasedRows;
use crate::queue::labels::clean_text;
use crate::queue::time::DAY_MS;
use crate::queue::{Actor, Deed, Role, Signature, TransitionError, needed};
use crate::store::requests::AttachmentRow;
use crate::store::{StoreError, Tx};

/// A status secret is kept this long after the end.
const SECRET_KEPT_MS: i64 = 365 * DAY_MS;
/// A contact is kept this long after its name was live, or its request ended.
const CONTACT_KEPT_MS: i64 = 365 * DAY_MS;
/// Contacts erased in one run.
const CONTACTS_MAX: usize = 1_000;
/// A file of letters that no row names is kept this long.
const ORPHAN_KEPT: Duration = Duration::from_secs(7 * 86_400);
/// A letter is kept this long after it came.
const LETTER_KEPT_MS: i64 = 5 * 365 * DAY_MS;

/// What an erasure deleted, and the files of letters and papers that are to go.
type Written = (Erased, Vec<String>, Vec<String>);

/// What an erasure deleted.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Erased {
    /// Values whose commitments stay in the chain.
    pub values: usize,
    /// Revisions whose contact was blanked.
    pub revisions: u32,
    /// Letter files.
    pub letters: usize,
    /// Files of papers that were issued anew without the person.
    pub papers: usize,
}

impl Desk {
    /// Papers past their time, and files no row names: as with letters.
    fn retain_papers(&self, now: i64) -> Result<(), ActError> {
        let folder = self.0.options.state_dir.join(PAPERS);
        let listed = std::fs::read_dir(&folder)
            .map_err(|source| ActError::File { path: folder.clone(), source })?;
        for entry in listed.flatten() {
            let file = entry.file_name().to_string_lossy().into_owned();
            let row = self.read(|reader| Ok(reader.paper_by_file(&file)?))?;
            let is_kept = match &row {
                Some(row) => row.at_ms + LETTER_KEPT_MS >= now,
                None => is_fresh(&entry),
            };
            if is_kept {
                continue;
            }
            if let Some(row) = row {
                self.0.ledger.store.write(|tx| self.expire_paper(tx, row))?;
            }
            self.delete_paper_files(&[file])?;
        }
        Ok(())
    }

    /// Erases the personal data of an ended request: contact, notes, letters, addresses of notices.
    /// The decision, the name and the office stay. By kabid, with the ground: it takes evidence away,
    /// and an administrator decides nothing.
    pub fn erase(&self, number: &str, ground: &str, actor: &Actor) -> Result<Erased, ActError> {
        let written = self.0.ledger.store.write(|tx| self.erase_in(tx, number, ground, actor))?;
        self.finish_erasure(written)
    }

    /// The rows of an erasure, in a transaction. What is returned has to be finished once it is committed.
    pub(super) fn erase_in(
        &self,
        tx: &Tx<'_>,
        number: &str,
        ground: &str,
        actor: &Actor,
    ) -> Result<Written, ActError> {
        let ledger = &self.0.ledger;
        let now = ledger.now();
        let ground = clean_text(ground);
        let actor = ledger.current(tx, actor)?;
        let by = actor.capacity(Role::Head, now).ok_or(ActError::NotAllowed)?;
        let stored = ledger.expect_request(tx, number)?;
        // While a request is open, its applicant must be reachable.
        if stored.request.state().is_open() {
            return Err(TransitionError::wrong_state("erase", stored.request.state()).into());
        }
        needed("ground", &ground)?;
        let revisions = stored.request.revision();
        let ErasedRows { values, paper_files } =
            ledger.erase_persons(tx, stored, &by, Some(&ground))?;
        let files = ledger.erase_letters(tx, number)?;
        let (letters, papers) = (files.len(), paper_files.len());
        Ok((Erased { values, revisions, letters, papers }, files, paper_files))
    }

    /// Removes the files of an erasure that is written.
    pub(super) fn finish_erasure(
        &self,
        (erased, files, papers): Written,
    ) -> Result<Erased, ActError> {
        self.forget_beside();
        self.delete_paper_files(&papers)?;
        for file in files {
            let path = self.letter_path(&file);
            files::remove(&path).map_err(|source| ActError::File { path, source })?;
        }
        // The erasure is done; what it left in free pages goes with the daily job at the latest.
        if let Err(error) = self.0.ledger.store.scrub() {
            tracing::warn!(%error, "the database could not be scrubbed after an erasure; it is tried again");
        }
        Ok(erased)
    }

    /// The jobs of retention. What they erase leaves the file with the last.
    pub(super) const RETENTION: &'static [Job] = &[
        Self::retain_secrets,
        |desk| Ok(desk.0.ledger.store.write::<_, StoreError>(|tx| tx.tidy_origins())?),
        |desk| desk.sweep_mailbox_codes(desk.now()),
        Self::retain_drafts,
        Self::retain_list_proposals,
        Self::sweep_unsent,
        Self::retain_bulks,
        Self::retain_subjects,
        Self::retain_old_copies,
        |desk| desk.retain_contacts(desk.now()),
        |desk| desk.retain_letters(desk.now()),
        |desk| desk.retain_papers(desk.now()),
        |desk| Ok(desk.0.ledger.store.scrub()?),
    ];

    /// Status secrets.
    fn retain_secrets(&self) -> Result<(), ActError> {
        let before = self.now() - SECRET_KEPT_MS;
        let store = &self.0.ledger.store;
        let forgotten = store.write::<_, StoreError>(|tx| tx.forget_secrets(before))?;
        if forgotten > 0 {
            tracing::info!(forgotten, "expired status secrets were deleted");
        }
        Ok(())
    }

    /// Contacts of names that have been gone for their time; one that is live keeps its own.
    fn retain_contacts(&self, now: i64) -> Result<(), ActError> {
        let ledger = &self.0.ledger;
        let over = self.read(|reader| {
            Ok(reader.requests_past_contact(now - CONTACT_KEPT_MS, CONTACTS_MAX)?)
        })?;
        for number in &over {
            let files = ledger.store.write::<_, ActError>(|tx| {
                let stored = ledger.expect_request(tx, number)?;
                let erased = ledger.erase_persons(tx, stored, &Signature::system(now), None)?;
                Ok(erased.paper_files)
            })?;
            self.delete_paper_files(&files)?;
        }
        if !over.is_empty() {
            tracing::info!(requests = over.len(), "contacts whose retention had ended were erased");
        }
        Ok(())
    }

    /// Letters past their time, and files no row names.
    fn retain_letters(&self, now: i64) -> Result<(), ActError> {
        let ledger = &self.0.ledger;
        let folder = self.0.options.state_dir.join(LETTERS);
        let listed = std::fs::read_dir(&folder)
            .map_err(|source| ActError::File { path: folder.clone(), source })?;
        for entry in listed.flatten() {
            let file = entry.file_name().to_string_lossy().into_owned();
            // Before the row is looked for: what has left the list since has its row.
            if self.arriving().contains(&file) {
                continue;
            }
            let row = self.read(|reader| Ok(reader.letter_by_file(&file)?))?;
            let is_kept =
                |row: &AttachmentRow| row.erased_ms.is_none() && row.at_ms + LETTER_KEPT_MS >= now;
            if row.as_ref().is_some_and(is_kept) || (row.is_none() && is_fresh(&entry)) {
                continue;
            }
            if let Some(row) = row.filter(|row| row.erased_ms.is_none()) {
                ledger.store.write::<_, ActError>(|tx| {
                    let subject = format!("request:{}", row.request);
                    let event =
                        NewEvent::new(now, "system", "system", Deed::LetterExpired, &subject);
                    ledger.note(tx, event.with("sha256", &row.sha256))?;
                    tx.put_letter(&AttachmentRow { erased_ms: Some(now), ..row })?;
                    Ok(())
                })?;
            }
            let path = entry.path();
            files::remove(&path).map_err(|source| ActError::File { path, source })?;
        }
        Ok(())
    }
}

/// Whether a file of letters or papers is young enough to be kept without a row: an older database may have been
/// started by mistake, and the right one put back still names it.
fn is_fresh(entry: &std::fs::DirEntry) -> bool {
    let modified = entry.metadata().and_then(|found| found.modified());
    modified.is_ok_and(|at| at.elapsed().map_or(true, |age| age < ORPHAN_KEPT))
}
