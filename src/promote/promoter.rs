//! The promotion up to its commit: candidate, checkpoint, "before", one transaction.

use std::sync::Arc;

use super::plan::Plan;
use super::settle::live_after;
use super::{ActError, edit_of};
use crate::audit::{ANCHOR_LABEL, Anchor, AuditError};
use crate::ledger::Ledger;
use crate::publish::failpoint::point;
use crate::publish::{Asked, Candidate, Cause, Change, Edit, PublishError, Publisher, RrsetEdit};
use crate::queue::fault::Stale;
use crate::queue::{self, Actor, Fault, Request, Rule, Stage, State, TransitionError};
use crate::store::promises::PromotionRow;
use crate::store::words::PromotionState;
use crate::store::{StoreError, Tx};
use crate::wire::{Name, Rtype, rdata};

/// How often a zone may move under a promotion before it gives up.
const MOVES_MAX: usize = 50;
/// Time to live of the anchor, in seconds.
const ANCHOR_TTL: u32 = 300;

//------------ Promoter ------------------------------------------------------

/// Promotes requests; clones share everything.
#[derive(Clone)]
pub struct Promoter {
    /// The queue's rows.
    pub(super) ledger: Ledger,
    /// The door to live data.
    pub(super) publisher: Publisher,
    /// One lock a zone, so that two promotions do not chase each other's serial.
    turn: Arc<std::sync::Mutex<()>>,
}

/// What came of one attempt.
enum Attempt {
    /// It is committed under this promotion id, by us or by somebody else.
    Committed(String),
    /// The zone moved between the look and the commit: look again.
    Moved,
}

/// What a request would do now.
pub struct Draft {
    /// The edit.
    pub edit: Edit,
    /// What it does to the zone as served.
    pub candidate: Candidate,
}

impl Draft {
    /// What an approval is bound to.
    pub fn bound(&self) -> queue::Candidate {
        queue::Candidate { hash: self.candidate.hash(), serial: self.candidate.serial }
    }
}

impl Promoter {
    /// A promoter over these rooms.
    pub fn new(ledger: Ledger, publisher: Publisher) -> Self {
        Self { ledger, publisher, turn: Arc::default() }
    }

    /// The queue's rows.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// The door to live data.
    pub fn publisher(&self) -> &Publisher {
        &self.publisher
    }

    /// What a request would do now; the faults say why there is no candidate.
    pub fn draft(&self, request: &Request) -> Result<Draft, ActError> {
        let application = request.application();
        let ledger = &self.ledger;
        let live = ledger.store.read::<_, AuditError>(|r| ledger.live(r, application.place()))?;
        self.draft_of(application, Some(&live))
    }

    /// What an application would do now.
    pub fn draft_of(
        &self,
        application: &queue::ParsedApplication,
        live: Option<&queue::LiveRecord>,
    ) -> Result<Draft, ActError> {
        let apex = &application.place().zone;
        let zone = self.publisher.zone(apex).ok_or(PublishError::NotLoaded(apex.clone()))?;
        let edit = edit_of(application, live, &zone);
        let candidate = self.publisher.preview(apex, &edit)?;
        Ok(Draft { edit, candidate })
    }

    /// *Tayangkan*: commits the promotion of a request and settles it. A promotion that is committed
    /// already is settled; one that is settled already is left as it is.
    pub fn promote(&self, number: &str, actor: &Actor) -> Result<(), ActError> {
        for _ in 0..MOVES_MAX {
            let attempt = {
                // Readers of the queue do not wait here, only other promotions do.
                let _turn = self.turn.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                self.attempt(number, actor)
            };
            match attempt {
                Ok(Attempt::Committed(id)) => {
                    point("promote.committed");
                    return self.settle(&id);
                }
                Ok(Attempt::Moved) => {}
                Err(ActError::Rule(TransitionError::Stale(stale))) => {
                    self.reopen_stale(number, &stale)?;
                    return Err(TransitionError::Stale(stale).into());
                }
                Err(error) => return Err(error),
            }
        }
        Err(TransitionError::Stale(Stale::NoCandidate).into())
    }

    /// One look and, if nothing moved meanwhile, the commit.
    fn attempt(&self, number: &str, actor: &Actor) -> Result<Attempt, ActError> {
        let ledger = &self.ledger;
        let (stored, current) = ledger.store.read::<_, ActError>(|reader| {
            Ok((ledger.expect_request(reader, number)?, ledger.current(reader, actor)?))
        })?;
        let request = stored.request;
        if let Stage::Verified(stage) = request.stage()
            && let Some(promoting) = &stage.promoting
        {
            return Ok(Attempt::Committed(promoting.id.clone()));
        }
        if request.state() != State::Verified {
            return Err(TransitionError::wrong_state("promote", request.state()).into());
        }
        let draft = self.draft(&request)?;
        let bound = draft.bound();
        let now = ledger.now();
        let calendar = ledger.calendar();
        let facts = queue::Facts { candidate: Some(&bound), ..ledger.facts(now, &calendar) };
        // Everything that would be turned back in the transaction is turned back here already,
        // before anything is asked or written.
        drop(request.clone().begin_promotion(&current, &facts)?);
        if draft.candidate.has_errors() {
            let errors = draft.candidate.findings.iter();
            let fault = |finding: &crate::master::Finding| {
                Fault::new("records", Rule::CandidateFinding, finding.to_string())
            };
            return Err(TransitionError::Incomplete(errors.map(fault).collect()).into());
        }
        let before = self.ask_before(&draft.edit)?;
        let anchor = self.checkpoint()?;
        self.commit(&request, actor, draft, anchor, before)
    }

    /// The one transaction, and the swap behind it.
    fn commit(
        &self,
        request: &Request,
        actor: &Actor,
        draft: Draft,
        anchor: Option<Anchor>,
        before: Asked,
    ) -> Result<Attempt, ActError> {
        let apex = draft.candidate.zone.clone();
        let mut edit = draft.edit.clone();
        edit.set.extend(anchor.as_ref().and_then(|anchor| anchor_edit(&apex, anchor)));
        let number = request.number().to_owned();
        let cause = Cause::Request { number: number.clone() };
        let mut outcome: Result<Option<String>, ActError> = Ok(None);
        let published = self.publisher.publish(&apex, edit, cause, &actor.name, |tx, change| {
            if change.from != Some(draft.candidate.serial) {
                return Err(StoreError::GivenUp);
            }
            match self.write_promotion(tx, &number, actor, &draft, change, before) {
                Ok(id) => {
                    outcome = Ok(Some(id));
                    Ok(())
                }
                Err(error) => {
                    outcome = Err(error);
                    Err(StoreError::GivenUp)
                }
            }
        });
        match (published, outcome) {
            (_, Err(error)) => Err(error),
            (Ok(_), Ok(Some(id))) => Ok(Attempt::Committed(id)),
            (Err(PublishError::NotConfirmed { reason, .. }), Ok(Some(id))) => {
                // Taken back by the publisher itself, under a higher serial.
                self.give_up(&id, &reason)?;
                Ok(Attempt::Committed(id))
            }
            (Err(PublishError::Commit { source: StoreError::GivenUp, .. }), Ok(None)) => {
                Ok(Attempt::Moved)
            }
            (Err(error), _) => Err(error.into()),
            (Ok(_), Ok(None)) => Ok(Attempt::Moved),
        }
    }

    /// The rows that go with the journal entry.
    fn write_promotion(
        &self,
        tx: &Tx<'_>,
        number: &str,
        actor: &Actor,
        draft: &Draft,
        change: &Change,
        before: Asked,
    ) -> Result<String, ActError> {
        let ledger = &self.ledger;
        let stored = ledger.expect_request(tx, number)?;
        let current = ledger.current(tx, actor)?;
        let now = ledger.now();
        let calendar = ledger.calendar();
        let bound = draft.bound();
        let facts = queue::Facts { candidate: Some(&bound), ..ledger.facts(now, &calendar) };
        let mut step = stored.request.begin_promotion(&current, &facts)?;
        let plan = Plan::new(&draft.edit, &draft.candidate, change, Some(before));
        // The live record stays as it is until the read-back; whether it can become live is tested
        // now, while nothing has happened yet.
        let application = step.value.application();
        let live = ledger.live(tx, application.place())?;
        drop(live_after(live, &step.value, &plan, now, &ledger.rules)?);
        let Stage::Verified(stage) = step.value.stage() else {
            return Err(TransitionError::wrong_state("promote", step.value.state()).into());
        };
        let Some(promoting) = stage.promoting.clone() else {
            return Err(TransitionError::wrong_state("promote", step.value.state()).into());
        };
        step.happening = step
            .happening
            .with("serial_from", change.from.unwrap_or_default())
            .with("serial_to", change.to);
        ledger.apply(tx, &stored.row, step)?;
        let json =
            serde_json::to_string(&plan).map_err(|error| StoreError::Corrupt(error.to_string()))?;
        tx.insert_promotion(&PromotionRow {
            id: promoting.id.clone(),
            request: number.to_owned(),
            attempt: promoting.attempt,
            zone: plan.zone,
            state: PromotionState::Committed,
            serial_from: change.from,
            serial_to: change.to,
            at_ms: now,
            plan: json,
            proof: None,
            settled_ms: None,
        })?;
        Ok(promoting.id)
    }

    /// Signs the chain's head if there is news, and gives it as an anchor.
    pub(super) fn checkpoint(&self) -> Result<Option<Anchor>, ActError> {
        let ledger = &self.ledger;
        let fresh = ledger.store.read::<_, StoreError>(|reader| {
            let last = reader.last_checkpoint()?;
            let head = reader.chain_head()?.map(|(sequence, _)| sequence);
            Ok(last.filter(|last| Some(last.sequence) == head))
        })?;
        let last = match fresh {
            Some(last) => Some(last),
            None => ledger
                .store
                .write::<_, StoreError>(|tx| ledger.notary.checkpoint(tx, ledger.now()))?,
        };
        Ok(last.map(Anchor))
    }

    /// The proof of "before": one question to the first of our sockets.
    fn ask_before(&self, edit: &Edit) -> Result<Asked, ActError> {
        let sockets = self.publisher.sockets();
        let server = sockets.servers().first().copied().ok_or(ActError::NoServer)?;
        let Some(set) = edit.set.first() else { return Ok(Asked::default()) };
        Ok(sockets.look(server, &set.owner, set.rtype, self.ledger.now()))
    }

    /// Verified → Assigned because the approval is about something that has moved.
    fn reopen_stale(&self, number: &str, stale: &Stale) -> Result<(), ActError> {
        let ledger = &self.ledger;
        let calendar = ledger.calendar();
        ledger.store.write(|tx| {
            let stored = ledger.expect_request(tx, number)?;
            let facts = ledger.facts(ledger.now(), &calendar);
            let step = stored.request.reopen_stale(stale, &facts)?;
            ledger.apply(tx, &stored.row, step)?;
            Ok(())
        })
    }
}

/// The anchor as an edit of a zone.
pub fn anchor_edit(apex: &Name, anchor: &Anchor) -> Option<RrsetEdit> {
    let owner = Name::prepend(ANCHOR_LABEL.as_bytes(), apex.as_ref()).ok()?;
    let text = format!("\"{anchor}\"");
    let rdata = rdata::parse(Rtype::TXT, text.as_bytes(), apex.as_ref()).ok()?;
    let rdatas = vec![rdata.into_boxed_slice()];
    Some(RrsetEdit { owner, rtype: Rtype::TXT, ttl: ANCHOR_TTL, rdatas })
}
