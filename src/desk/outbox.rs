//! The outbox for the mailer, the status page and officers: notices that are due, and what became of
//! them (docs/procedure.md, "Notices").

use super::{ActError, Desk};
use crate::queue::notice::{NoticeResult, Tried};
use crate::queue::{Actor, Notice, NoticeState, Request, Role};
use crate::store::promises::NoticeRow;
use crate::store::{Reader, StoreError, Tx};

impl Desk {
    /// Notices to be sent now, the oldest first. Those without an address wait as letters.
    pub fn notices_due(&self, limit: usize) -> Result<Vec<Notice>, ActError> {
        let ledger = &self.0.ledger;
        self.read(|reader| {
            let rows = reader.notices_due(NoticeState::Queued, self.now(), limit)?;
            let opened = rows.iter().map(|row| ledger.open_notice(reader, row));
            let mut due: Vec<Notice> = opened.collect::<Result<_, _>>()?;
            due.retain(|notice| !notice.to.is_empty());
            Ok(due)
        })
    }

    /// Those of them that are news still. The others wait as letters from now on: a relay that is switched on, or
    /// comes back, sends nothing stale.
    pub fn notices_to_mail(&self, limit: usize) -> Result<Vec<Notice>, ActError> {
        let ledger = &self.0.ledger;
        let (mut news, mut stale) = (Vec::new(), Vec::new());
        for notice in self.notices_due(limit)? {
            let (state, is_reminder_over) = match &notice.request {
                Some(number) => self.read(|reader| {
                    let Some(stored) = ledger.request(reader, number)? else {
                        return Ok((None, false));
                    };
                    let is_over = ledger.is_reminder_over(reader, &notice, &stored.request)?;
                    Ok::<_, ActError>((Some(stored.request.state()), is_over))
                })?,
                None => (None, false),
            };
            let is_stale = is_reminder_over || notice.is_stale(state, self.now());
            if is_stale { stale.push(notice) } else { news.push(notice) }
        }
        if !stale.is_empty() {
            let count = stale.len();
            tracing::info!(count, "notices that are no news any more are not mailed");
            ledger.store.write::<_, ActError>(|tx| {
                let mut stale = stale.into_iter().map(Notice::put_aside);
                stale.try_for_each(|notice| Ok(ledger.keep_try(tx, &notice)?))
            })?;
        }
        Ok(news)
    }

    /// One notice, for kabid and kasi who print it, without its link: whoever follows that speaks as the reader.
    pub fn notice(&self, id: &str, actor: &Actor) -> Result<Notice, ActError> {
        let ledger = &self.0.ledger;
        self.read(|reader| {
            let actor = ledger.current(reader, actor)?;
            let may = |role| actor.capacity(role, ledger.now()).is_some();
            if !(may(Role::Verifier) || may(Role::Head)) {
                return Err(ActError::NotAllowed);
            }
            let mut notice = ledger.expect_notice(reader, id)?;
            notice.values.token = None;
            Ok(notice)
        })
    }

    /// The relay took a notice: the clock of step 5 stops.
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
            let step = rule(ledger.expect_notice(tx, id)?, ledger.now())?;
            Ok(ledger.apply_notice(tx, step)?)
        })
    }

    /// A try failed: for now (it is tried again), or for good.
    pub fn notice_failed(&self, id: &str, error: &str, for_good: bool) -> Result<(), ActError> {
        let ledger = &self.0.ledger;
        ledger.store.write(|tx| {
            let now = ledger.now();
            let notice = ledger.expect_notice(tx, id)?;
            let step = if for_good {
                notice.failed(error, now)?
            } else {
                match notice.try_failed(error, now)? {
                    Tried::Again(notice) => return Ok(ledger.keep_try(tx, &notice)?),
                    Tried::GivenUp(step) => *step,
                }
            };
            Ok(ledger.apply_notice(tx, step)?)
        })
    }

    /// An officer printed a notice and handed it over, or telephoned.
    pub fn notice_handled(&self, id: &str, how: &str, actor: &Actor) -> Result<(), ActError> {
        let ledger = &self.0.ledger;
        ledger.store.write(|tx| {
            let actor = ledger.current(tx, actor)?;
            let step = ledger.expect_notice(tx, id)?.handle(&actor, how, ledger.now())?;
            Ok(ledger.apply_notice(tx, step)?)
        })
    }

    /// Marks the notices of a request delivered: its status page was opened with the secret.
    pub(super) fn deliver_by_status(&self, number: &str) -> Result<(), ActError> {
        let ledger = &self.0.ledger;
        if self.read(|reader| Ok(open_notices(reader, number)?.is_empty()))? {
            return Ok(());
        }
        ledger.store.write(|tx| {
            for row in open_notices(tx, number)? {
                let step = ledger.open_notice(tx, &row)?.delivered(ledger.now())?;
                ledger.apply_notice(tx, step)?;
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
            let step = ledger.open_notice(tx, &row)?.handle(actor, how, ledger.now())?;
            ledger.apply_notice(tx, step)?;
        }
        Ok(())
    }

    /// Sent notices that no bounce answered for 3 working days count as delivered.
    pub(super) fn count_unbounced_as_delivered(&self, limit: usize) -> Result<(), ActError> {
        let ledger = &self.0.ledger;
        let calendar = ledger.calendar();
        let arrived = self.read(|reader| {
            let rows = reader.notices_due(NoticeState::Sent, self.now(), limit)?;
            let opened = rows.iter().map(|row| ledger.open_notice(reader, row));
            let mut sent: Vec<Notice> = opened.collect::<Result<_, _>>()?;
            sent.retain(|it| it.counts_as_delivered(ledger.now(), &calendar, &ledger.rules));
            Ok(sent)
        })?;
        arrived.iter().try_for_each(|notice| self.notice_delivered(&notice.id))
    }
}

/// The notices to the applicant that have not arrived yet.
fn open_notices(reader: &Reader<'_>, number: &str) -> Result<Vec<NoticeRow>, StoreError> {
    let mut rows = reader.notices_of(number)?;
    rows.retain(|row| {
        row.to_applicant
            && matches!(row.state, NoticeState::Queued | NoticeState::Sent | NoticeState::Failed)
    });
    Ok(rows)
}
