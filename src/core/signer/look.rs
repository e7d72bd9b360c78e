//! A look at the parent of a zone, and the word to it that CDS records changed.

use std::sync::Arc;
use std::time::Instant;

use super::book::{Notes, Seen};
use super::facts;
use super::handle::Inner;
use super::parent::Ds;
use crate::dns_client::Ours;
use crate::wire::{Name, Rcode};

impl Inner {
    /// Looks which DS records the parent has.
    pub(super) fn look(&self, zone: &Name) {
        let Ok(state) = self.publisher.signing(zone) else { return };
        let policy = state.current.as_ref().map(|(policy, _)| policy).or(state.wanted.as_ref());
        let parents = policy.map(|policy| policy.parents.clone()).unwrap_or_default();
        let keys = facts::dnskeys(&state);
        let is_own = |ds: &Ds| keys.iter().any(|key| facts::fits(ds, zone.as_ref(), key));
        let at = self.now_s();
        let ours = Ours::new(self.publisher.sockets().servers());
        let sight = self.finder.look(zone, &parents, &self.publisher.zones(), &ours, &is_own);
        let noted = self.note(zone, |notes| {
            let is_new = notes.seen.as_ref().is_none_or(|seen| seen.sight != sight);
            notes.seen = Some(Arc::new(Seen { at, sight }));
            // Whoever waits wants to know also that it is still so.
            let hurries = is_new || notes.waits_for_ds.is_some();
            (hurries, notes.telling.as_ref().map(|telling| telling.at))
        });
        let Some((hurries, tell_at)) = noted else { return };
        let mut book = self.book();
        if hurries {
            book.turns.hurry(zone, Instant::now());
        }
        // It may have waited for the look.
        tell_at.into_iter().for_each(|at| book.tells.hurry(zone, at));
        drop(book);
        self.wake_all();
    }

    /// Tells the parent of CDS records, if that is due, and it was looked at: whom it names is judged by where it is.
    pub(super) fn tell(&self, zone: &Name) {
        let now = Instant::now();
        let due = |notes: &mut Notes| {
            let telling = notes.telling.as_ref().filter(|telling| telling.at <= now)?;
            Some((telling.cds.clone(), notes.seen.clone()?))
        };
        let Some((cds, seen)) = self.note(zone, due).flatten() else { return };
        let told = self.finder.tell(zone, Some(&seen.sight));
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
        let now = Instant::now();
        self.note(zone, |notes| {
            // They may say something else meanwhile, which is still to be told.
            let telling = notes.telling.as_mut().filter(|telling| telling.cds == cds);
            telling.into_iter().for_each(|telling| telling.told(is_heard, now));
        });
    }
}
