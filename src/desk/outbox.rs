//! The outbox as the sender sees it: what is due, and what became of it (approval.md §2.3).

use super::{ActError, Desk, Outgoing};
use crate::queue::notice::Tried;
use crate::queue::{Actor, Request};
use crate::store::Tx;

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
        let ledger = &self.0.ledger;
        let calendar = ledger.calendar();
        ledger.store.write(|tx| {
            let now = ledger.now();
            let mut outgoing = ledger.expect_notice(tx, id)?;
            let step = outgoing.notice.sent(now)?;
            ledger.record(tx, &step.happening)?;
            outgoing.notice = step.value;
            ledger.save_notice(tx, &outgoing)?;
            let number = outgoing.notice.request.as_deref();
            if let Some(number) = number.filter(|_| outgoing.notice.to_applicant) {
                let stored = ledger.expect_request(tx, number)?;
                let request = stored.request.notice_sent(&ledger.facts(now, &calendar));
                ledger.save_request(tx, &request, &stored.row)?;
            }
            Ok(())
        })
    }

    /// A try failed: for now (it is tried again), or for good.
    pub fn notice_failed(&self, id: &str, error: &str, for_good: bool) -> Result<(), ActError> {
        let ledger = &self.0.ledger;
        ledger.store.write(|tx| {
            let now = ledger.now();
            let mut outgoing = ledger.expect_notice(tx, id)?;
            let step = match for_good {
                true => Some(outgoing.notice.clone().failed(error, now)?),
                false => match outgoing.notice.clone().try_failed(error, now)? {
                    Tried::Again(notice) => {
                        outgoing.notice = *notice;
                        None
                    }
                    Tried::GivenUp(step) => Some(*step),
                },
            };
            if let Some(step) = step {
                ledger.record(tx, &step.happening)?;
                outgoing.notice = step.value;
            }
            Ok(ledger.save_notice(tx, &outgoing)?)
        })
    }

    /// A delivery report came.
    pub fn notice_delivered(&self, id: &str) -> Result<(), ActError> {
        self.0.ledger.store.write(|tx| self.deliver(tx, id))
    }

    /// An officer printed a notice and handed it over, or telephoned.
    pub fn notice_handled(&self, id: &str, how: &str, actor: &Actor) -> Result<(), ActError> {
        let ledger = &self.0.ledger;
        ledger.store.write(|tx| {
            let actor = ledger.current(tx, actor)?;
            let mut outgoing = ledger.expect_notice(tx, id)?;
            let step = outgoing.notice.handle(&actor, how, ledger.now())?;
            ledger.record(tx, &step.happening)?;
            outgoing.notice = step.value;
            ledger.save_notice(tx, &outgoing)?;
            self.applicant_knows(tx, &outgoing.notice)
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
        for row in tx.notices_of(request.number())? {
            let open = matches!(row.state.as_str(), "queued" | "sent" | "failed");
            if !row.to_applicant || !open {
                continue;
            }
            let mut outgoing = ledger.open_notice(&row)?;
            let step = outgoing.notice.handle(actor, how, ledger.now())?;
            ledger.record(tx, &step.happening)?;
            outgoing.notice = step.value;
            ledger.save_notice(tx, &outgoing)?;
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
