//! After the swap our own sockets are asked. If they do not show the change, the content before it goes
//! out again under a higher serial: a secondary may already hold the other one.

use super::commit::{Locked, Step};
use super::failpoint;
use super::overlay::RowEdit;
use super::publisher::{Inner, Slot, ZoneState};
use super::{Cause, Change, PublishError, SerialExpected};
use crate::store::{StoreError, Tx};
use crate::wire::Rtype;
use crate::zone::{Delta, Zone};

/// What a change can be undone with.
struct Undo {
    /// The version before it.
    zone: Option<Zone>,
    /// The rows of the overlay before it.
    rows: Vec<RowEdit>,
}

impl Undo {
    /// What undoes `step`, taken before it is committed.
    fn of(state: &ZoneState, step: &Step) -> Self {
        Self { zone: state.zone.clone(), rows: state.overlay.inverse(&step.rows) }
    }
}

//------------ Commit and confirm --------------------------------------------

impl Inner {
    /// Commits, swaps and asks our own socket; takes the change back if that does not show it.
    pub(super) fn commit_and_confirm(
        &self,
        slot: &Slot,
        state: &mut ZoneState,
        step: Step,
        rows: impl FnOnce(&Tx<'_>, &Change) -> Result<(), StoreError>,
    ) -> Result<Change, PublishError> {
        let undo = Undo::of(state, &step);
        let change = self.commit(slot, state, step, rows)?;
        match self.ask(&change) {
            Ok(()) => Ok(change),
            Err(reason) => Err(self.take_back(slot, state, change, undo, reason)),
        }
    }

    /// The same for the zones of a group; if one is not confirmed, all are taken back.
    pub(super) fn commit_all_and_confirm(
        &self,
        mut steps: Vec<Locked<'_>>,
    ) -> Result<Vec<Change>, PublishError> {
        let undos: Vec<Undo> = steps.iter().map(|one| Undo::of(&one.state, &one.step)).collect();
        let changes = self.commit_group(&mut steps)?;
        let asked: Vec<Result<(), String>> =
            changes.iter().map(|change| self.ask(change)).collect();
        let Some(reason) = asked.into_iter().find_map(Result::err) else { return Ok(changes) };
        let mut failed = None;
        for ((one, change), undo) in steps.iter_mut().zip(changes).zip(undos) {
            let error = self.take_back(one.slot, &mut one.state, change, undo, reason.clone());
            failed.get_or_insert(error);
        }
        failed.map_or_else(|| Ok(Vec::new()), Err)
    }

    /// Asks our own socket, if there is one yet and something that is served changed.
    fn ask(&self, change: &Change) -> Result<(), String> {
        failpoint::point("confirm.before");
        if !change.is_visible() || change.from.is_none() {
            return Ok(());
        }
        let serial = SerialExpected::Exactly(change.to);
        let said = self.sockets.confirm(&change.zone, serial, &[], (self.options.now_ms)());
        said.refuted.map_or(Ok(()), |refuted| Err(refuted.to_string()))
    }

    /// Rolls forward to the content before a change, under a higher serial.
    fn take_back(
        &self,
        slot: &Slot,
        state: &mut ZoneState,
        change: Change,
        undo: Undo,
        reason: String,
    ) -> PublishError {
        tracing::error!(zone = %change.zone, serial = change.to, %reason,
            "our own socket does not show the change: taking it back under a higher serial");
        match self.undo(slot, state, &change, undo, &reason) {
            Ok(reverted) => PublishError::NotConfirmed {
                change: Box::new(change),
                reverted: Box::new(reverted),
                reason,
            },
            Err(failed) => {
                tracing::error!(zone = %change.zone, serial = change.to, error = %failed,
                    "the change that was not confirmed could not be taken back and is still served");
                failed
            }
        }
    }

    /// Commits what undoes a change.
    fn undo(
        &self,
        slot: &Slot,
        state: &mut ZoneState,
        change: &Change,
        undo: Undo,
        reason: &str,
    ) -> Result<Change, PublishError> {
        let not_loaded = || PublishError::NotLoaded(slot.apex.clone());
        let live = state.zone.clone().ok_or_else(not_loaded)?;
        let before = undo.zone.ok_or_else(not_loaded)?;
        let mut row = state.row.clone().ok_or_else(not_loaded)?;
        let from_file = matches!(change.cause, Cause::File { .. });
        if from_file {
            // The file on disk must not come back by itself.
            row.held_hash = row.file_hash.clone();
        }
        let mut content = live.diff(&before);
        content.removed.retain(|record| record.rtype != Rtype::SOA);
        content.added.retain(|record| record.rtype != Rtype::SOA);
        let mut step = Step {
            change: Change {
                cause: Cause::Unconfirmed { serial: change.to, reason: reason.to_owned() },
                delta: Delta::default(),
                at_ms: (self.options.now_ms)(),
                ..change.clone()
            },
            next: before,
            rows: undo.rows,
            row,
            holds: from_file.then_some(true),
        };
        step.renumber(&live, content, state.source.serial)?;
        self.commit(slot, state, step, |_, _| Ok(()))
    }
}
