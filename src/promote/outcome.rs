//! The end of a promotion that is committed: its proof, or the inverse under a higher serial. And
//! recovery after a crash, which knows of it only what the database holds.

use std::time::Duration;

use super::plan::Plan;
use super::proof::{Proof, Reached};
use super::rows::{write_failure, write_success};
use super::{Promoter, PromotionError};
use crate::publish::failpoint::point;
use crate::publish::{
    Cause, Change, Confirmation, EditProposal, NotPublished, RowsFn, SerialExpected,
};
use crate::queue::ParsedRecord;
use crate::store::promises::PromotionRow;
use crate::store::words::PromotionState;
use crate::store::{StoreError, Tx};
use crate::wire::{Name, Rtype};

/// How long a proof waits for secondaries that kept up so far. The change is live before.
const SECONDARIES_MAX: Duration = Duration::from_secs(1);

impl Promoter {
    /// Finishes every promotion that was committed and not finished: after a crash, and on a timer.
    /// Returns the count of those found.
    pub fn recover(&self) -> Result<usize, PromotionError> {
        let _turn = self.turn();
        let rows =
            self.ledger.store.read::<_, StoreError>(|reader| reader.unsettled_promotions())?;
        for row in &rows {
            self.finish(row)?;
        }
        Ok(rows.len())
    }

    /// Finishes one promotion, if it is not finished.
    pub(super) fn finish_by_id(&self, id: &str) -> Result<(), PromotionError> {
        let row = self.ledger.store.read::<_, StoreError>(|reader| reader.promotion(id))?;
        let row = row.ok_or(PromotionError::NotFound)?;
        if row.state == PromotionState::Committed { self.finish(&row) } else { Ok(()) }
    }

    /// Reads a committed promotion back, then keeps the proof or takes it back.
    fn finish(&self, row: &PromotionRow) -> Result<(), PromotionError> {
        let plan = read_plan(row)?;
        let said = self.read_back(&plan)?;
        if said.refuted.is_some() {
            point("promote.read_back");
            return self.take_back(row, &plan, &said);
        }
        self.keep_proof(row, &plan, &said)
    }

    /// Writes what goes with a promotion that our own sockets answer.
    pub(super) fn keep_proof(
        &self,
        row: &PromotionRow,
        plan: &Plan,
        said: &Confirmation,
    ) -> Result<(), PromotionError> {
        point("promote.read_back");
        let mut proof = Proof::new(plan, said, &self.publisher);
        let (zone, serial) = (zone_of(plan)?, plan.serial);
        let known = self.publisher.wait_for_secondaries(&zone, serial, SECONDARIES_MAX);
        proof.secondaries = known.into_iter().map(|it| Reached::of(it, serial)).collect();
        let ledger = &self.ledger;
        ledger.store.write(|tx| write_success(ledger, tx, row, plan, &proof))
    }

    /// Asks every socket over UDP and TCP for everything the plan says, as the door did or would
    /// have done.
    fn read_back(&self, plan: &Plan) -> Result<Confirmation, PromotionError> {
        let sockets = self.publisher.sockets();
        if sockets.servers().is_empty() {
            return Err(PromotionError::NoServer);
        }
        let expect = plan.expectations()?;
        let serial = SerialExpected::AtLeast(plan.serial);
        Ok(sockets.confirm(&zone_of(plan)?, serial, &expect, self.ledger.now()))
    }

    /// Publishes the inverse under a higher serial, with the rows of the failure.
    fn take_back(
        &self,
        row: &PromotionRow,
        plan: &Plan,
        said: &Confirmation,
    ) -> Result<(), PromotionError> {
        let proof = Proof::new(plan, said, &self.publisher);
        let reason = said.refuted.as_ref().map(ToString::to_string).unwrap_or_default();
        tracing::error!(
            request = row.request,
            serial = row.serial_to,
            %reason,
            "a promotion is not answered as it should be: it is taken back"
        );
        let published = self.publisher.publish(EditProposal {
            zone: &zone_of(plan)?,
            base: None,
            edit: &plan.inverse_edit()?,
            cause: Cause::Unconfirmed { serial: row.serial_to, reason },
            who: "gapura",
            expect: Vec::new(),
            rows: RowsFn(|tx: &Tx<'_>, _: &Change| write_failure(&self.ledger, tx, row, &proof)),
        });
        match published {
            // Finished by somebody else meanwhile.
            Err(NotPublished::Rows(PromotionError::NotFound)) | Ok(_) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

/// The zone of a plan.
fn zone_of(plan: &Plan) -> Result<Name, StoreError> {
    plan.zone.parse().map_err(|_| plan.corrupt())
}

/// The plan of a promotion.
fn read_plan(row: &PromotionRow) -> Result<Plan, StoreError> {
    serde_json::from_str(&row.plan)
        .map_err(|error| StoreError::Corrupt(format!("promotion {}: {error}", row.id)))
}

/// The types a promotion set, and the records of these types that were served before it; none if
/// what was kept cannot be read.
pub fn records_before(row: &PromotionRow) -> Option<(Vec<Rtype>, Vec<ParsedRecord>)> {
    read_plan(row).ok()?.before().ok()
}
