//! What is seen of the targets of names: its row, its event, and who is told.

use super::outbox::About;
use super::{Ledger, LedgerError};
use crate::queue::procedure::{Recipient, notices};
use crate::queue::{
    Deed, Happening, LiveRecord, NoticeReader, NoticeValues, Role, Signature, Subject, Warning,
    Watch,
};
use crate::store::Tx;
use crate::store::watched::WatchRow;

/// The event of a warning.
fn deed_of(warning: Warning) -> Deed {
    match warning {
        Warning::Down => Deed::TargetDown,
        Warning::StillDown => Deed::TargetStillDown,
        Warning::Lost => Deed::TargetLost,
        Warning::Claimable => Deed::TargetClaimable,
        Warning::Urgent => Deed::TargetUrgent,
        Warning::Mended => Deed::TargetMended,
    }
}

/// What is held against a name, as its row has it.
pub fn watch_of(row: &WatchRow) -> Watch {
    Watch {
        strikes: row.strikes,
        struck: row.struck_ms,
        since: row.since_ms,
        claimable: row.claimable_ms,
        urgent: row.urgent,
    }
}

/// The row with what is held against the name.
pub fn with_watch(row: WatchRow, watch: &Watch) -> WatchRow {
    WatchRow {
        strikes: watch.strikes,
        struck_ms: watch.struck,
        since_ms: watch.since,
        claimable_ms: watch.claimable,
        urgent: watch.urgent,
        ..row
    }
}

impl Ledger {
    /// Writes that a look at the targets of a name led to something, and tells whom it concerns. The owner
    /// hears that a target is mended only if they heard that it was broken. `targets` are those that
    /// are wrong.
    pub fn warn_of_target(
        &self,
        tx: &Tx<'_>,
        live: &LiveRecord,
        warning: Warning,
        (before, watch): (&Watch, &Watch),
        targets: &[String],
    ) -> Result<(), LedgerError> {
        let (deed, now) = (deed_of(warning), self.now());
        let name = live.name.to_string();
        let since = watch.since.or(before.since).unwrap_or(now);
        let system = Signature::system(now);
        let happening = Happening::new(&system, deed, Subject::LiveRecord(name.clone()))
            .with("strikes", watch.strikes)
            .with("since_ms", since)
            .with("targets", targets.join(", "));
        let event = self.record(tx, &happening)?;
        let is_silent = warning == Warning::Mended && !before.is_told();
        let values = NoticeValues {
            office: live.office.clone(),
            lines: targets.to_vec(),
            due: watch.lost_at(),
            ..NoticeValues::about(&name)
        };
        for recipient in notices(deed).recipients.iter().filter(|_| !is_silent) {
            match recipient {
                Recipient::Owner => self.tell_owner_of_target(tx, &event, deed, live, &values)?,
                officers => {
                    let role = (*officers == Recipient::Operators).then_some(Role::Operator);
                    let about = About { role: Some(role), values: values.clone() };
                    self.tell_officers(tx, &event, deed, about)?;
                }
            }
        }
        if warning == Warning::Mended {
            self.settle_raised(tx, deed, live)?;
        }
        self.checkpoint(tx)
    }

    /// Tells the owner of a name, if one is known.
    fn tell_owner_of_target(
        &self,
        tx: &Tx<'_>,
        event: &crate::audit::Event,
        deed: Deed,
        live: &LiveRecord,
        values: &NoticeValues,
    ) -> Result<(), LedgerError> {
        let Some(owner) = self.owner(tx, live)? else { return Ok(()) };
        let token = Some(self.owner_link(tx, &live.name.to_string())?);
        let values = NoticeValues { token, ..values.clone() };
        let (id, to) = (format!("n{}-o", event.sequence), owner.email.as_str());
        let request = owner.request.as_deref();
        Ok(self.queue_notice(tx, &id, request, deed, (NoticeReader::Owner, to), values)?)
    }
}
