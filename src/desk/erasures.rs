//! The list of erasures beside the database, and what it is for: a database that was put back from before an erasure
//! does not bring the person back.

use std::time::Duration;

use super::{ActError, Desk};
use crate::files;
use crate::ledger::{ERASURES, Erasures};
use crate::store::Store;
use crate::text::with_causes;

/// How long the database of before an upgrade is kept.
const BEFORE_UPGRADE_KEPT: Duration = Duration::from_secs(30 * 86_400);

impl Desk {
    /// Deletes databases of before an upgrade whose time is over.
    pub(super) fn retain_old_copies(&self) -> Result<(), ActError> {
        Store::drop_before_upgrade(&self.0.options.state_dir, BEFORE_UPGRADE_KEPT);
        Ok(())
    }

    /// What follows from an erasure for what lies beside the database: the list has it, and no older database does.
    pub(super) fn forget_beside(&self) {
        self.keep_erasures();
        Store::drop_before_upgrade(&self.0.options.state_dir, Duration::ZERO);
    }

    /// Erases again what an older database brought back, at a start; and brings the list up to date. Where there is
    /// nothing to erase, nothing is written: another program may have the database locked.
    pub(super) fn repeat_erasures(&self) -> Result<(), ActError> {
        let Some(kept) = self.kept_erasures() else { return Ok(()) };
        let ledger = &self.0.ledger;
        let (known, brings_back) = self.read(|reader| {
            let known = ledger.erasures(reader)?;
            let brings_back = ledger.brings_back(reader, &kept, &known)?;
            Ok::<_, ActError>((known, brings_back))
        })?;
        if !brings_back {
            self.write_erasures(&kept, known);
            return Ok(());
        }
        let left = ledger.store.write::<_, ActError>(|tx| Ok(ledger.erase_again(tx, &kept)?))?;
        let requests = left.requests.join(", ");
        tracing::warn!(requests, "erased again: the database is from before their erasure");
        self.delete_paper_files(&left.papers)?;
        for file in &left.letters {
            // A file that is gone already is what was wanted.
            let _ = std::fs::remove_file(self.letter_path(file));
        }
        // The erasure is done; what it left in free pages goes with the daily job at the latest.
        if let Err(error) = ledger.store.scrub() {
            let error = with_causes(&error);
            tracing::warn!(
                error,
                "the database could not be scrubbed after an erasure; it is tried again"
            );
        }
        self.forget_beside();
        Ok(())
    }

    /// Brings the list up to date. An erasure is done without it, so what fails is told only.
    fn keep_erasures(&self) {
        let Some(kept) = self.kept_erasures() else { return };
        match self.read(|reader| Ok(self.0.ledger.erasures(reader)?)) {
            Ok(known) => self.write_erasures(&kept, known),
            Err(error) => {
                tracing::warn!(error = with_causes(&error), "the list of erasures is not written");
            }
        }
    }

    /// Writes the list, unless it has all of them already.
    fn write_erasures(&self, kept: &Erasures, known: Erasures) {
        let mut all = kept.clone();
        all.add(known);
        if all == *kept {
            return;
        }
        let path = self.0.options.state_dir.join(ERASURES);
        if let Err(error) = files::write_private(&path, all.text().as_bytes()) {
            tracing::warn!(%error, path = %path.display(), "the list of erasures is not written");
        }
    }

    /// The list as it is; empty where there is no file. None where it cannot be read: it may be the only one that
    /// knows of an erasure, and stays as it is.
    fn kept_erasures(&self) -> Option<Erasures> {
        let path = self.0.options.state_dir.join(ERASURES);
        let read = match files::read(&path) {
            Ok(octets) => Erasures::read(&String::from_utf8_lossy(&octets)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Some(Erasures::default()),
            Err(_) => None,
        };
        if read.is_none() {
            tracing::error!(path = %path.display(), "the list of erasures does not read: it is left as it is");
        }
        read
    }
}
