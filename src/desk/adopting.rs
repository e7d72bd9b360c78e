//! *Ambil dari berkas*: the operator edited in the zone file what a request had put up, and an officer
//! accepts it. Until then the file is refused with a finding that names the request.
//!
//! The change is published like any other. The rest of the file goes live by itself once nothing in it
//! clashes any more.

use super::{ActError, Desk};
use crate::publish::{By, Cause, Change, EditProposal, RowsFn};
use crate::queue::fault::Stale;
use crate::queue::{
    Actor, Deed, Fault, LiveRecord, LiveState, ParsedRecord, Place, Rule, TransitionError, labels,
};
use crate::register::adopted;
use crate::store::Tx;
use crate::view::RecordView;

impl Desk {
    /// Puts what the operator's file on disk says about a name in the place of what was promised. By
    /// kasi or kabid, with a reason; the other one gets a notice.
    pub fn adopt(&self, name: &str, reason: &str, actor: &Actor) -> Result<RecordView, ActError> {
        let place = self.place_of(name).ok_or(ActError::NotFound)?;
        let done = self.adopt_at(&place, &labels::clean_text(reason), actor);
        let shown = self.logged(done, actor, name, Deed::Adopt)?;
        // The rest of the file may go live now; its report says what still cannot.
        let by = By::person(actor.name.clone());
        for report in self.0.register.publisher().reload(Some(&place.zone), &by) {
            tracing::info!(name, "after a value of the file was accepted: {report}");
        }
        Ok(shown)
    }

    /// The change and the live record, in one transaction.
    fn adopt_at(&self, place: &Place, reason: &str, actor: &Actor) -> Result<LiveRecord, ActError> {
        let (ledger, register) = (&self.0.ledger, &self.0.register);
        // State, person and reason are tested before the file is read, and again in the transaction.
        let live = self.read(|reader| {
            let live = register.live(reader, place)?;
            if live.state() == LiveState::Free {
                return Err(ActError::NotFound);
            }
            let current = ledger.current(reader, actor)?;
            drop(live.clone().adopt(Vec::new(), &current, reason, ledger.now())?);
            Ok(live)
        })?;
        let in_file = register.publisher().in_file(&place.zone, &place.name)?;
        let nothing = || {
            let fault = Fault::new("name", Rule::NothingToAdopt, place.name.to_string());
            ActError::from(TransitionError::Incomplete(vec![fault]))
        };
        let (edit, records) = adopted(&live, in_file).ok_or_else(nothing)?;
        let rows = |tx: &Tx<'_>, change: &Change| {
            let now_is = register.live(tx, place)?;
            if now_is.version != live.version {
                return Err(TransitionError::Stale(Stale::NoCandidate).into());
            }
            let current = ledger.current(tx, actor)?;
            let mut step = now_is.adopt(records.clone(), &current, reason, ledger.now())?;
            step.happening = step
                .happening
                .with("serial", change.to)
                .with("promised", texts(&live.records))
                .with("adopted", texts(&records));
            Ok::<_, ActError>(ledger.apply_live(tx, step)?)
        };
        let published = register.publisher().publish(EditProposal {
            zone: &place.zone,
            base: None,
            edit: &edit,
            cause: Cause::Own { purpose: "adoption".to_owned() },
            who: &actor.name,
            expect: Vec::new(),
            rows: RowsFn(rows),
        })?;
        Ok(published.rows)
    }
}

/// Records in a line of text.
fn texts(records: &[ParsedRecord]) -> String {
    let one = |record: &ParsedRecord| format!("{} {}", record.rtype(), record.text().data);
    records.iter().map(one).collect::<Vec<_>>().join("; ")
}
