//! A look at the parent of a zone, and the word to it that CDS records changed.

use std::sync::Arc;
use std::time::Instant;

use super::book::Seen;
use super::handle::Inner;
use crate::dns_client::Ours;
use crate::wire::{Name, Rcode};

impl Inner {
    /// Looks which DS records the parent has, and tells it of new CDS records where that is due.
    pub(super) fn look(&self, zone: &Name) {
        let Ok(state) = self.publisher.signing(zone) else { return };
        let policy = state.current.map(|(policy, _)| policy).or(state.wanted);
        let parents = policy.map(|policy| policy.parents.clone()).unwrap_or_default();
        let at = self.now_s();
        let ours = Ours::new(self.publisher.sockets().servers());
        let sight = self.finder.look(zone, &parents, &self.publisher.zones(), &ours);
        let parent = sight.parent.clone();
        let is_new = self.note(zone, |notes| {
            let is_new = notes.seen.as_ref().is_none_or(|seen| seen.sight != sight);
            notes.seen = Some(Arc::new(Seen { at, sight }));
            // Whoever waits wants to know also that it is still so.
            is_new || notes.waits_for_ds.is_some()
        });
        if is_new == Some(true) {
            self.book().turns.hurry(zone, Instant::now());
            self.wake_all();
        }
        self.tell(zone, parent);
    }

    /// Tells the parent of CDS records, if that is due.
    fn tell(&self, zone: &Name, parent: Option<Name>) {
        let now = Instant::now();
        let is_due = self
            .note(zone, |notes| notes.telling.as_ref().is_some_and(|telling| telling.at <= now));
        if is_due != Some(true) {
            return;
        }
        let told = self.finder.tell(zone, parent);
        match &told {
            Ok(all) => {
                for one in all {
                    let receiver = &one.receiver;
                    match &one.answer {
                        Ok(Rcode::NOERROR) => {
                            tracing::info!(%zone, receiver, "the parent was told of the CDS records");
                        }
                        Ok(rcode) => {
                            tracing::warn!(%zone, receiver, %rcode, "the parent does not take NOTIFY(CDS)");
                        }
                        Err(why) => {
                            tracing::warn!(%zone, receiver, why, "the parent does not answer NOTIFY(CDS)");
                        }
                    }
                }
            }
            Err(why) => tracing::debug!(%zone, why, "it is not known where the parent is told"),
        }
        // Nobody: the parent publishes no DSYNC, and may tomorrow.
        let is_heard = told.is_ok_and(|all| all.iter().all(|one| one.answer.is_ok()));
        self.note(zone, |notes| notes.telling.as_mut().map(|telling| telling.told(is_heard, now)));
    }
}
