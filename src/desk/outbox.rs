//! The outbox as the sender sees it: what is due, and what became of it (approval.md §2.3).

use super::{ActError, Desk, Outgoing};
use crate::queue::notice::{NoticeResult, Tried};
use crate::queue::{Actor, Notice, Request};
use crate::store::promises::NoticeRow;
use crate::store::{Reader, StoreError, Tx};

impl Desk {
    /// Notices to be sent now, the oldest first. Those without an address wait as letters.
    pub fn notices_due(&self, limit: usize) -> Result<Vec<Outgoing>, ActError> {
        let ledger = &self.0.ledger;
        let rows = self.read(|reader| Ok(reader.notices_due("queued", self.now(), limit)?))?;
        let opened: Result<Vec<Outgoing>, _> =
            rows.iter().map(|row| ledger.open_notice(row)).collect();
        let mut due = opened?;
        due.retain(|outgoing| !outgoing.notice.to.is_empty());
        Ok(due)
    }

    /// Notices that failed, as items of the queue.
    pub fn notices_failed(&self, limit: usize) -> Result<Vec<Outgoing>, ActError> {
        let ledger = &self.0.ledger;
        let rows = self.read(|reader| Ok(reader.notices_due("failed", i64::MAX, limit)?))?;
        Ok(rows.iter().map(|row| ledger.open_notice(row)).collect::<Result<_, _>>()?)
    }

    /// Our relay took a notice: the clock of step 5 stops, the state waits for delivery.
    pub fn notice_sent(&self, id: &str) -> Result<(), ActError> {
        self.move_notice(id, |notice, now| notice.sent(now))
    }

    /// A delivery report came.
    pub fn notice_delivered(&self, id: &str) -> Result<(), ActError> {
        self.move_notice(id, |notice, now| notice.delivered(now))
    }

    /// One step of one notice.
    fn move_notice(
        &self,
        id: &str,
        rule: impl Fn(Notice, i64) -> NoticeResult,
    ) -> Result<(), ActError> {
        let ledger = &self.0.ledger;
        ledger.store.write(|tx| {
            let outgoing = ledger.expect_notice(tx, id)?;
            let step = rule(outgoing.notice.clone(), ledger.now())?;
            Ok(ledger.apply_notice(tx, &outgoing, step)?)
        })
    }

    /// A try failed: for now (it is tried again), or for good.
    pub fn notice_failed(&self, id: &str, error: &str, for_good: bool) -> Result<(), ActError> {
        let ledger = &self.0.ledger;
        ledger.store.write(|tx| {
            let now = ledger.now();
            let outgoing = ledger.expect_notice(tx, id)?;
            let notice = outgoing.notice.clone();
            let step = match for_good {
                true => notice.failed(error, now)?,
                false => match notice.try_failed(error, now)? {
                    Tried::Again(notice) => {
                        return Ok(ledger.keep_try(tx, &Outgoing { notice: *notice, ..outgoing })?);
                    }
                    Tried::GivenUp(step) => *step,
                },
            };
            Ok(ledger.apply_notice(tx, &outgoing, step)?)
        })
    }

    /// An officer printed a notice and handed it over, or telephoned.
    pub fn notice_handled(&self, id: &str, how: &str, actor: &Actor) -> Result<(), ActError> {
        let ledger = &self.0.ledger;
        ledger.store.write(|tx| {
            let actor = ledger.current(tx, actor)?;
            let outgoing = ledger.expect_notice(tx, id)?;
            let step = outgoing.notice.clone().handle(&actor, how, ledger.now())?;
            Ok(ledger.apply_notice(tx, &outgoing, step)?)
        })
    }

    /// Opening the status page with the secret delivers what was said there.
    pub(super) fn deliver_by_status(&self, number: &str) -> Result<(), ActError> {
        let ledger = &self.0.ledger;
        if self.read(|reader| Ok(open_notices(reader, number)?.is_empty()))? {
            return Ok(());
        }
        ledger.store.write(|tx| {
            for row in open_notices(tx, number)? {
                let outgoing = ledger.open_notice(&row)?;
                let step = outgoing.notice.clone().delivered(ledger.now())?;
                ledger.apply_notice(tx, &outgoing, step)?;
            }
            Ok(())
        })
    }

    /// The act `notified`: every open notice to the applicant is handed over with it.
    pub(super) fn handle_notices(
        &self,
        tx: &Tx<'_>,
        request: &Request,
        actor: &Actor,
        how: &str,
    ) -> Result<(), ActError> {
        let ledger = &self.0.ledger;
        for row in open_notices(tx, request.number())? {
            let outgoing = ledger.open_notice(&row)?;
            let step = outgoing.notice.clone().handle(actor, how, ledger.now())?;
            ledger.apply_notice(tx, &outgoing, step)?;
        }
        Ok(())
    }

    /// Sent notices that no bounce answered for 3 working days count as delivered.
    pub(super) fn settle_sent_notices(&self, limit: usize) -> Result<(), ActError> {
        let ledger = &self.0.ledger;
        let calendar = ledger.calendar();
        let rows = self.read(|reader| Ok(reader.notices_due("sent", self.now(), limit)?))?;
        for row in rows {
            let outgoing = ledger.open_notice(&row)?;
            if outgoing.notice.counts_as_delivered(ledger.now(), &calendar, &ledger.rules) {
                self.notice_delivered(&row.id)?;
            }
        }
        Ok(())
    }
}

/// The notices to the applicant that have not arrived yet.
fn open_notices(reader: &Reader<'_>, number: &str) -> Result<Vec<NoticeRow>, StoreError> {
    let mut rows = reader.notices_of(number)?;
    rows.retain(|row| {
        row.to_applicant && matches!(row.state.as_str(), "queued" | "sent" | "failed")
    });
    Ok(rows)
}
