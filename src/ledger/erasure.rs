//! Erasure of personal data (UU 27/2022): the values go, their commitments stay in the chain.

use super::{Ledger, LedgerError, Stored};
use crate::audit::{NewEvent, append_sealed};
use crate::queue::{Deed, Signature};
use crate::store::requests::AttachmentRow;
use crate::store::{StoreError, Tx};

/// What an erasure took out of the database.
pub struct ErasedRows {
    /// How many values behind commitments.
    pub values: usize,
    /// Files of papers that no row names any more: they are to be deleted.
    pub paper_files: Vec<String>,
}

impl Ledger {
    /// Marks the letters of a request as erased; returns their files, which are to be deleted.
    pub fn erase_letters(&self, tx: &Tx<'_>, number: &str) -> Result<Vec<String>, StoreError> {
        let mut files = Vec::new();
        for letter in tx.letters_of(number)?.into_iter().filter(|it| it.erased_ms.is_none()) {
            files.push(letter.file.clone());
            tx.put_letter(&AttachmentRow { erased_ms: Some(self.now()), ..letter })?;
        }
        Ok(files)
    }

    /// Erases what a request says of persons, but for its letters: the values behind commitments, the
    /// contact, purpose and reasons of every revision, officers' notes and instructions, what parties were asked, the
    /// addresses and points of notices, and the papers, which are issued anew without the person.
    ///
    /// `ground` is what an officer wrote, and may name the person: it is sealed like any other text.
    /// Without one the time for which data is kept is over.
    pub fn erase_persons(
        &self,
        tx: &Tx<'_>,
        stored: Stored,
        by: &Signature,
        ground: Option<&str>,
    ) -> Result<ErasedRows, LedgerError> {
        let Stored { request, row } = stored;
        let number = request.number().to_owned();
        let subject = format!("request:{number}");
        let notices = tx.notices_of(&number)?;
        let mut subjects = vec![subject.clone()];
        subjects.extend(notices.iter().map(|row| format!("notice:{}", row.id)));
        subjects.extend(tx.papers_of(&number)?.iter().map(|row| format!("paper:{}", row.id)));
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
        let event = NewEvent::new(by.at, by.person(), by.role.as_str(), Deed::Erase, &subject)
            .with("values", names.join(" "));
        let event = match ground {
            Some(ground) => append_sealed(tx, event, &[self.vault.commit("ground", ground)?])?,
            None => append_sealed(tx, event.with("ground", "retention"), &[])?,
        };
        tx.note_erasure()?;
        for (sequence, field) in &values {
            tx.erase_personal(*sequence, field, event.sequence)?;
        }
        for revision in 1..=request.revision() {
            if let Some(application) = self.revision(tx, &number, revision)? {
                let application = application.without_persons();
                self.rewrite_revision(tx, &number, revision, &application)?;
            }
        }
        self.save_request(tx, &request.without_persons(), &row)?;
        for row in notices {
            let mut notice = self.open_notice(tx, &row)?;
            notice.erase();
            self.save_notice(tx, &notice)?;
        }
        let paper_files = self.erase_papers(tx, &number, by)?;
        Ok(ErasedRows { values: values.len(), paper_files })
    }
}
