//! Edits: previews one, or publishes it.

use super::candidate::Candidate;
use super::draft::{Draft, Ground};
use crate::lock::lock;
use crate::master::Finding;
use crate::publish::confirm::Expectation;
use crate::publish::door::{self, Held, Next, NotPublished, Proposal, Published, Rows};
use crate::publish::state::{
    Cause, Change, Edit, Inner, PublishError, Publisher, RrsetEdit, ZoneState,
};
use crate::store::promoted::Origin;
use crate::wire::{Class, Name, Record, Rtype};
use crate::zone::Zone;

/// RRsets that are to be served, with all that goes with them.
pub struct EditProposal<'a, R> {
    /// The zone's apex.
    pub zone: &'a Name,
    /// The serial the edit was made for; none: whatever is live.
    pub base: Option<u32>,
    /// The RRsets.
    pub edit: &'a Edit,
    /// What makes the change.
    pub cause: Cause,
    /// Who makes it.
    pub who: &'a str,
    /// What our own sockets must answer afterwards besides the serial.
    pub expect: Vec<Expectation>,
    /// The caller's rows, written in the same transaction.
    pub rows: R,
}

impl Publisher {
    /// What an edit would do, without doing it.
    pub fn preview(&self, zone: &Name, edit: &Edit) -> Result<Candidate, PublishError> {
        let slot = self.0.slot(zone)?;
        let state = lock(&slot.state);
        state.source.must_be_edited_here()?;
        let live = state.zone.as_ref().ok_or_else(|| PublishError::NotLoaded(zone.clone()))?;
        let draft = draft(&self.0, &state, live, edit, &Origin::Unnamed)?;
        Ok(Candidate::new(live, edit, draft))
    }

    /// Makes an edit live under a new serial. When this returns `Ok` the change is durable, served
    /// and confirmed by our own sockets.
    ///
    /// If the records are served already, the rows are still written, but no serial is used: the
    /// change then has the same serial before and after and no delta.
    pub fn publish<R: Rows>(
        &self,
        wanted: EditProposal<'_, R>,
    ) -> Result<Published<R::Output>, NotPublished<R::Error>> {
        let EditProposal { zone, base, edit, cause, who, expect, rows } = wanted;
        let slot = self.0.slot(zone)?;
        let mut held = Held::new(&slot);
        let live = held.state.zone.clone().ok_or_else(|| PublishError::NotLoaded(zone.clone()))?;
        if base.is_some_and(|base| base != live.serial()) {
            return Err(PublishError::Moved(zone.clone()).into());
        }
        let draft = draft(&self.0, &held.state, &live, edit, &cause.origin())?;
        let proposal = proposal(&self.0, live, draft, cause, who).with_rows(rows);
        let proposal = Proposal { expect, ..proposal };
        door::publish_one(&self.0, &mut held, proposal)
    }
}

//------------ Decided on what is served -------------------------------------

/// Why an edit that was decided on what is served came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum NotDecided<E> {
    /// It was decided that nothing is to be done.
    #[error("it was decided against")]
    Against(E),
    /// The door refused, or took the change back.
    #[error(transparent)]
    Door(#[from] PublishError),
}

impl Publisher {
    /// Makes the edit live that `decide` makes of the version as served: nobody else changes the zone from
    /// the decision to the end. When this returns `Ok` the change is durable, served and confirmed.
    ///
    /// An edit without effect writes nothing and uses no serial; there is no change then. What a request
    /// put up, or took out, is not changed.
    pub fn publish_decided<E>(
        &self,
        zone: &Name,
        (cause, who): (Cause, &str),
        decide: impl FnOnce(&Zone) -> Result<Edit, E>,
    ) -> Result<Option<Change>, NotDecided<E>> {
        let slot = self.0.slot(zone)?;
        let mut held = Held::new(&slot);
        let live = held.state.zone.clone().ok_or_else(|| PublishError::NotLoaded(zone.clone()))?;
        let edit = decide(&live).map_err(NotDecided::Against)?;
        if edit.set.is_empty() {
            return Ok(None);
        }
        if self.0.options.is_stand_in {
            return Err(PublishError::NotKept(zone.clone()).into());
        }
        for RrsetEdit { owner, rtype, .. } in &edit.set {
            if let Some(row) = held.state.overlay.held(owner, *rtype) {
                let (owner, rtype, by) = (owner.clone(), *rtype, row.origin.to_string());
                return Err(PublishError::Held { owner, rtype, by }.into());
            }
        }
        if let Some(rtype) = of_signing(&held.state, &edit) {
            return Err(PublishError::OfSigning { zone: zone.clone(), rtype }.into());
        }
        let draft = draft(&self.0, &held.state, &live, &edit, &cause.origin())?;
        let has_errors = draft.findings.iter().any(Finding::is_error);
        if draft.delta.is_empty() && draft.rows.is_empty() && !has_errors {
            return Ok(None);
        }
        let proposal = proposal(&self.0, live, draft, cause, who);
        let published = door::publish_one(&self.0, &mut held, proposal);
        Ok(Some(published.map_err(PublishError::from)?.change))
    }
}

/// The type of the first record of an edit that the signing of the zone makes: as content it would outlive its key.
fn of_signing(state: &ZoneState, edit: &Edit) -> Option<Rtype> {
    let apex = state.source.apex.as_ref();
    let makes = state.signing.as_ref()?.makes(apex);
    let is_made = |set: &&RrsetEdit| {
        set.rdatas.iter().any(|rdata| {
            makes(&Record {
                owner: set.owner.clone(),
                rtype: set.rtype,
                class: Class::IN,
                ttl: set.ttl,
                rdata: rdata.clone(),
            })
        })
    };
    edit.set.iter().find(is_made).map(|set| set.rtype)
}

/// The proposal of a draft on what is served.
fn proposal(inner: &Inner, live: Zone, draft: Draft, cause: Cause, who: &str) -> Proposal {
    let after = draft.after.filter(|_| !draft.delta.is_empty());
    let next = after.map_or(Next::Same, |zone| Next::Edited { zone, content: draft.delta });
    Proposal {
        overlay: draft.rows,
        findings: draft.findings,
        ..Proposal::new(Some(live), next, cause, who, (inner.options.now_ms)())
    }
}

/// The draft of an edit on what is served.
fn draft(
    inner: &Inner,
    state: &ZoneState,
    live: &Zone,
    edit: &Edit,
    origin: &Origin,
) -> Result<Draft, PublishError> {
    let ground = Ground {
        live,
        overlay: &state.overlay,
        source: &state.source,
        now_ms: (inner.options.now_ms)(),
    };
    ground.draft(edit, origin)
}
