//! Attachments (*surat*): letters that `uploads` has read, in files only gapura can read.
//!
//! A file is written under a random name before the transaction that refers to it. The retention job
//! deletes files that no row refers to: those of a process that died.

use std::collections::HashSet;
use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::sync::MutexGuard;

use super::office::LETTERS;
use super::{ActError, Desk};
use crate::audit::{Event, NewEvent, random};
use crate::digest::{hex, sha256_hex};
use crate::lock::lock;
use crate::queue::time::{MINUTE_MS, is_recent};
use crate::queue::{Actor, Deed, Role};
use crate::store::requests::AttachmentRow;
use crate::uploads::Letter;

/// Within this time a letter shown again to the same officer is the same look.
const LOOK_MS: i64 = 8 * 60 * MINUTE_MS;

/// A letter to be downloaded.
#[derive(Clone, Debug)]
pub struct AttachmentFile {
    /// Media type by content.
    pub media: String,
    /// A name for the download.
    pub name: String,
    /// Its content.
    pub bytes: Vec<u8>,
}

impl Desk {
    /// Puts a letter on disk; its row is written by the caller's transaction.
    pub(super) fn store_letter(&self, letter: &Letter) -> Result<AttachmentRow, ActError> {
        let id = hex(&random::<12>()?);
        let file = format!("{}.{}", hex(&random::<16>()?), letter.media().ending());
        let path = self.letter_path(&file);
        self.arriving().insert(file.clone());
        let failed = |source| ActError::File { path: path.clone(), source };
        let mut out = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
            .map_err(failed)?;
        out.write_all(letter.bytes()).and_then(|()| out.sync_all()).map_err(failed)?;
        Ok(AttachmentRow {
            id,
            request: String::new(),
            media: letter.media().mime().to_owned(),
            octets: letter.bytes().len() as u64,
            sha256: sha256_hex(letter.bytes()),
            file,
            at_ms: self.now(),
            erased_ms: None,
        })
    }

    /// The letter's transaction is over: drops the file if it failed.
    pub(super) fn settle_letter<T>(
        &self,
        letter: Option<&AttachmentRow>,
        done: &Result<T, ActError>,
    ) {
        let Some(letter) = letter else { return };
        if done.as_ref().is_err_and(|error| !error.may_be_done()) {
            // The retention job deletes what could not be removed, and what no row names after all.
            drop(std::fs::remove_file(self.letter_path(&letter.file)));
        }
        self.arriving().remove(&letter.file);
    }

    /// Letters whose rows are not written yet, by file name.
    pub(super) fn arriving(&self) -> MutexGuard<'_, HashSet<String>> {
        lock(&self.0.arriving)
    }

    /// The media type of the letter of a request's current revision; none if it has none any more.
    pub fn letter_media(&self, number: &str) -> Result<Option<String>, ActError> {
        self.read(|reader| {
            let (request, _) = reader.request(number)?.ok_or(ActError::NotFound)?;
            let Some(id) = request.letter else { return Ok(None) };
            let row = reader.letter(&id)?.filter(|row| row.erased_ms.is_none());
            Ok(row.map(|row| row.media))
        })
    }

    /// The letter of a request's current revision, for kabid and kasi. Each download is an event, and
    /// so is the first look of a working day at one that is shown on the page.
    pub fn letter(
        &self,
        number: &str,
        is_shown: bool,
        actor: &Actor,
    ) -> Result<AttachmentFile, ActError> {
        let ledger = &self.0.ledger;
        let now = ledger.now();
        let row = ledger.store.write(|tx| {
            let actor = ledger.current(tx, actor)?;
            let by = actor.capacity_in(&[Role::Verifier, Role::Head], now);
            let by = by.ok_or(ActError::NotAllowed)?;
            let (request, _) = tx.request(number)?.ok_or(ActError::NotFound)?;
            let id = request.letter.ok_or(ActError::NotFound)?;
            let row = tx.letter(&id)?.filter(|row| row.erased_ms.is_none());
            let row = row.ok_or(ActError::NotFound)?;
            let subject = format!("request:{number}");
            let is_known = |event: &Event| {
                event.act == Deed::LetterDownloaded.as_str()
                    && event.person == by.person()
                    && event.payload.get("sha256") == Some(&row.sha256)
                    && is_recent(event.at_ms, now, LOOK_MS)
            };
            if is_shown && tx.events_of(&subject)?.iter().any(is_known) {
                return Ok(row);
            }
            let event =
                NewEvent::new(now, by.person(), by.role.as_str(), Deed::LetterDownloaded, &subject);
            ledger.note(tx, event.with("sha256", &row.sha256))?;
            Ok::<_, ActError>(row)
        })?;
        let path = self.letter_path(&row.file);
        let bytes =
            std::fs::read(&path).map_err(|source| ActError::File { path: path.clone(), source })?;
        if sha256_hex(&bytes) != row.sha256 {
            let what = "it is not the letter that came in: see gapura audit verify";
            return Err(ActError::File { path, source: std::io::Error::other(what) });
        }
        let ending = row.file.rsplit('.').next().unwrap_or("bin");
        Ok(AttachmentFile { media: row.media, name: format!("surat-{number}.{ending}"), bytes })
    }

    /// The path of a letter.
    pub(super) fn letter_path(&self, file: &str) -> PathBuf {
        self.0.options.state_dir.join(LETTERS).join(file)
    }
}
