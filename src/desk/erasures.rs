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

    /// Erases again what an older database brought back, at a start; and brings the list up to date.
    pub(super) fn repeat_erasures(&self) -> Result<(), ActError> {
        let kept = self.kept_erasures();
        if !kept.is_empty() {
            let ledger = &self.0.ledger;
            let left =
                ledger.store.write::<_, ActError>(|tx| Ok(ledger.erase_again(tx, &kept)?))?;
            if !left.requests.is_empty() {
                let requests = left.requests.join(", ");
                tracing::warn!(requests, "erased again: the database is from before their erasure");
                self.delete_paper_files(&left.papers)?;
                for file in &left.letters {
                    // A file that is gone already is what was wanted.
                    let _ = std::fs::remove_file(self.letter_path(file));
                }
                ledger.store.scrub()?;
                self.forget_beside();
            }
        }
        self.keep_erasures();
        Ok(())
    }

    /// Writes the list, unless it is so already. An erasure is done without it, so what fails is told only.
    fn keep_erasures(&self) {
        let path = self.0.options.state_dir.join(ERASURES);
        let mut all = self.kept_erasures();
        let was = all.clone();
        match self.read(|reader| Ok(self.0.ledger.erasures(reader)?)) {
            Ok(known) => all.add(known),
            Err(error) => {
                tracing::warn!(error = with_causes(&error), "the list of erasures is not written");
                return;
            }
        }
        if all == was {
            return;
        }
        if let Err(error) = files::write_private(&path, all.text().as_bytes()) {
            tracing::warn!(%error, path = %path.display(), "the list of erasures is not written");
        }
    }

    /// The list as it is; empty where there is none, or none that reads.
    fn kept_erasures(&self) -> Erasures {
        let path = self.0.options.state_dir.join(ERASURES);
        let Ok(octets) = files::read(&path) else { return Erasures::default() };
        Erasures::read(&String::from_utf8_lossy(&octets)).unwrap_or_else(|| {
            tracing::warn!(path = %path.display(), "not the list of erasures: it is left aside");
            Erasures::default()
        })
    }
}
