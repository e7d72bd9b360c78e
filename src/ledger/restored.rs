//! What follows for the queue when an older state was put back: what was ended, told or erased since is so again.
//!
//! Nobody knows what happened after the backup, so nothing is done twice that could have been done: a mail that
//! waited is left to be printed, and no webhook is told an event of before. Links by which other offices and owners
//! answer stay: what they said since is lost, and they are to say it again.

use super::erasures::first_event;
use super::{ErasedRows, Erasures, Ledger, LedgerError};
use crate::audit::{NewEvent, append};
use crate::queue::{Deed, Notice, NoticeState, Role, Signature};
use crate::store::Tx;
use crate::store::webhooks::WebhookRow;

/// The subject of the event.
const SUBJECT: &str = "state:backup";
/// Why something is erased again.
const GROUND: &str = "erased before an older state was put back";

/// The backup that was put back.
#[derive(Clone, Debug)]
pub struct Restored {
    /// SHA-256 of its manifest, in hexadecimal.
    pub sha256: String,
    /// When it was made, in milliseconds since 1970.
    pub taken_ms: i64,
}

/// What was done.
#[derive(Clone, Debug, Default)]
pub struct AfterRestore {
    /// Notices that waited to be mailed.
    pub notices: usize,
    /// Webhooks that are told from now on only.
    pub webhooks: usize,
    /// Links to drafts that lead nowhere any more.
    pub draft_links: usize,
    /// What was erased again.
    pub leftover: Leftover,
}

/// Requests that were erased again, and the files that are to be deleted for it.
#[derive(Clone, Debug, Default)]
pub struct Leftover {
    /// Their numbers.
    pub requests: Vec<String>,
    /// Those of them that are open.
    pub open: Vec<String>,
    /// Files of letters.
    pub letters: Vec<String>,
    /// Files of papers.
    pub papers: Vec<String>,
}

impl Ledger {
    /// Does all of it, and leaves an event that says so under a signature.
    pub fn after_restore(
        &self,
        tx: &Tx<'_>,
        restored: &Restored,
        erasures: &Erasures,
    ) -> Result<AfterRestore, LedgerError> {
        let now = self.now();
        let event = NewEvent::new(now, "console", Role::Operator.as_str(), Deed::Restored, SUBJECT);
        let event = event.with("sha256", &restored.sha256).with("taken_ms", restored.taken_ms);
        append(tx, event)?;
        let leftover = self.erase_again(tx, erasures)?;
        tx.spend_all_codes()?;
        let draft_links = tx.cut_all_draft_links()?;
        let notices = self.hold_notices(tx)?;
        let webhooks = tx.webhooks()?;
        let sequence = tx.chain_head()?.map_or(0, |(sequence, _)| sequence);
        for row in &webhooks {
            let WebhookRow { name, previous, delivered, given_up, .. } = row.clone();
            let fresh = WebhookRow::default();
            tx.put_webhook(&WebhookRow { name, sequence, previous, delivered, given_up, ..fresh })?;
        }
        self.notary.checkpoint(tx, now)?;
        Ok(AfterRestore { notices, webhooks: webhooks.len(), draft_links, leftover })
    }

    /// Erases what was erased before and is there again.
    pub fn erase_again(&self, tx: &Tx<'_>, erasures: &Erasures) -> Result<Leftover, LedgerError> {
        let known = self.erasures(tx)?;
        let mut leftover = Leftover::default();
        for (number, hash) in erasures.without(&known) {
            // Another request may have the number by now.
            if first_event(tx, number)?.as_ref() != Some(hash) {
                continue;
            }
            let Some(stored) = self.request(tx, number)? else { continue };
            if stored.request.state().is_open() {
                leftover.open.push(number.clone());
            }
            let by = Signature::system(self.now());
            let ErasedRows { paper_files, .. } =
                self.erase_persons(tx, stored, &by, Some(GROUND))?;
            leftover.papers.extend(paper_files);
            leftover.letters.extend(self.erase_letters(tx, number)?);
            leftover.requests.push(number.clone());
        }
        Ok(leftover)
    }

    /// Leaves all mail that waits to be printed; returns its count.
    fn hold_notices(&self, tx: &Tx<'_>) -> Result<usize, LedgerError> {
        // Those that are to be printed already are at the end of time.
        let rows = tx.notices_due(NoticeState::Queued, i64::MAX - 2, usize::MAX)?;
        for row in &rows {
            let notice: Notice = self.open_notice(tx, row)?;
            self.keep_try(tx, &notice.put_aside())?;
        }
        Ok(rows.len())
    }
}
