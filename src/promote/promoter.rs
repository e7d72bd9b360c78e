//! The promotion of a request: preview, checkpoint, "before", publication.

use std::sync::{Arc, Mutex, MutexGuard};

use super::PromotionError;
use super::plan::Plan;
use super::preview::{Preview, edit_of};
use super::rows::PromotionRows;
use crate::audit::{Anchor, AuditError};
use crate::ledger::Ledger;
use crate::lock::lock;
use crate::publish::failpoint::point;
use crate::publish::{
    Cause, Confirmation, Edit, EditProposal, NotPublished, Observation, PublishError, Published,
    Publisher,
};
use crate::queue::fault::Stale;
use crate::queue::sheet::AutoLine;
use crate::queue::{self, Actor, Fault, Request, Rule, Stage, State, TransitionError};
use crate::register::{Register, anchor_edit};
use crate::store::promises::PromotionRow;

/// How often a zone may move under a promotion before it gives up.
const MOVES_MAX: usize = 50;

//------------ Promoter ------------------------------------------------------

/// Promotes requests; clones share everything.
#[derive(Clone)]
pub struct Promoter {
    /// What is live at each name.
    register: Register,
    /// The queue's rows.
    pub(super) ledger: Ledger,
    /// The only way to change live data.
    pub(super) publisher: Publisher,
    /// Held by one promotion at a time, so that two do not chase each other's serial and none is
    /// finished twice.
    turn: Arc<Mutex<()>>,
}

/// What came of one attempt.
enum Attempt {
    /// It is committed, served, and confirmed by our own sockets.
    Published(Box<PromotionRow>, Box<Plan>, Confirmation),
    /// Our own sockets did not show it: the door took it back, with the rows of the failure.
    TakenBack,
    /// Somebody began it before, under this promotion id.
    Begun(String),
    /// The request is in this state, in which nothing is promoted.
    Over(State),
    /// The zone changed between preview and commit: preview again.
    Moved,
}

impl Promoter {
    /// A promoter over the register.
    pub fn new(register: Register) -> Self {
        let (ledger, publisher) = (register.ledger().clone(), register.publisher().clone());
        Self { register, ledger, publisher, turn: Arc::default() }
    }

    /// What a request would do now; the faults say why there is no candidate.
    pub fn preview(&self, request: &Request) -> Result<Preview, PromotionError> {
        let application = request.application();
        let ledger = &self.ledger;
        let live = ledger
            .store
            .read::<_, AuditError>(|reader| self.register.live(reader, application.place()))?;
        self.preview_of(application, Some(&live))
    }

    /// What an application would do now.
    pub fn preview_of(
        &self,
        application: &queue::ParsedApplication,
        live: Option<&queue::LiveRecord>,
    ) -> Result<Preview, PromotionError> {
        let apex = &application.place().zone;
        let zone = self.publisher.content(apex).ok_or(PublishError::NotLoaded(apex.clone()))?;
        let edit = edit_of(application, live, &zone);
        let candidate = self.publisher.preview(apex, &edit)?;
        Ok(Preview { edit, candidate })
    }

    /// *Tayangkan*: publishes what a request asks for and keeps the proof. A promotion that is committed
    /// already is finished; one that is finished already is left as it is.
    ///
    /// `seen` is the request as the caller saw it. If it was verified then and somebody else promoted it
    /// meanwhile, the caller gets that result. `automatic` are the lines of the sheet as gapura finds them
    /// now.
    pub fn promote(
        &self,
        seen: &Request,
        actor: &Actor,
        automatic: Option<&[AutoLine]>,
    ) -> Result<(), PromotionError> {
        let (number, was_verified) = (seen.number(), seen.state() == State::Verified);
        // Readers of the queue do not wait here, only other promotions do.
        let _turn = self.turn();
        for _ in 0..MOVES_MAX {
            match self.attempt(number, actor, automatic) {
                Ok(Attempt::Published(row, plan, said)) => {
                    point("promote.committed");
                    return self.keep_proof(&row, &plan, &said);
                }
                Ok(Attempt::Begun(id)) => return self.finish_by_id(&id),
                Ok(Attempt::TakenBack) => return Ok(()),
                // Whoever had the turn before finished it.
                Ok(Attempt::Over(state)) if was_verified && is_outcome(state) => return Ok(()),
                Ok(Attempt::Over(state)) => {
                    return Err(TransitionError::wrong_state("promote", state).into());
                }
                Ok(Attempt::Moved) => {}
                Err(PromotionError::Rule(TransitionError::Stale(stale))) => {
                    self.reopen_stale(number, &stale)?;
                    return Err(TransitionError::Stale(stale).into());
                }
                Err(error) => return Err(error),
            }
        }
        Err(TransitionError::Stale(Stale::NoCandidate).into())
    }

    /// Waits until no other promotion is under way.
    pub(super) fn turn(&self) -> MutexGuard<'_, ()> {
        lock(&self.turn)
    }

    /// Drafts the request and, if nothing moved meanwhile, publishes it.
    fn attempt(
        &self,
        number: &str,
        actor: &Actor,
        automatic: Option<&[AutoLine]>,
    ) -> Result<Attempt, PromotionError> {
        let ledger = &self.ledger;
        let (stored, current, signers) = ledger.store.read::<_, PromotionError>(|reader| {
            let stored = ledger.expect_request(reader, number)?;
            let signers = ledger.signers(reader, &stored.request)?;
            Ok((stored, ledger.current(reader, actor)?, signers))
        })?;
        let request = stored.request;
        if let Stage::Verified(stage) = request.stage()
            && let Some(promoting) = &stage.promoting
        {
            return Ok(Attempt::Begun(promoting.id.clone()));
        }
        if request.state() != State::Verified {
            return Ok(Attempt::Over(request.state()));
        }
        let preview = self.preview(&request)?;
        let bound = preview.bound();
        let (now, calendar) = (ledger.now(), ledger.calendar());
        let facts = queue::Facts {
            candidate: Some(&bound),
            signers: &signers,
            automatic,
            ..ledger.facts(now, &calendar)
        };
        // Everything that would be turned back in the transaction is turned back here already,
        // before anything is asked or written.
        drop(request.begin_promotion(&current, &facts)?);
        if preview.candidate.has_errors() {
            let errors = preview.candidate.findings.iter();
            let fault = |finding: &crate::master::Finding| {
                Fault::new("records", Rule::CandidateFinding, finding.to_string())
            };
            return Err(TransitionError::Incomplete(errors.map(fault).collect()).into());
        }
        let before = self.ask_before(&preview.edit)?;
        let anchor = ledger.sign_head()?;
        self.publish(number, actor, &preview, anchor, before)
    }

    /// Publishes a preview: the change and the rows of the promotion in one transaction, confirmed by
    /// our own sockets.
    fn publish(
        &self,
        number: &str,
        actor: &Actor,
        preview: &Preview,
        anchor: Option<Anchor>,
        before: Observation,
    ) -> Result<Attempt, PromotionError> {
        let apex = &preview.candidate.zone;
        let plan = Plan::new(&preview.edit, &preview.candidate, before);
        let mut edit = preview.edit.clone();
        edit.set.extend(anchor.as_ref().and_then(|anchor| anchor_edit(apex, anchor)));
        let published = self.publisher.publish(EditProposal {
            zone: apex,
            base: Some(preview.candidate.serial),
            edit: &edit,
            cause: Cause::Request { number: number.to_owned() },
            who: &actor.name,
            expect: plan.expectations()?,
            rows: PromotionRows {
                ledger: &self.ledger,
                publisher: &self.publisher,
                number,
                actor,
                preview,
                plan,
                row: None,
            },
        });
        match published {
            Ok(Published { rows: (row, plan), said, .. }) => {
                Ok(Attempt::Published(Box::new(row), Box::new(plan), said))
            }
            Err(NotPublished::Door(PublishError::Moved(_))) => Ok(Attempt::Moved),
            Err(NotPublished::Door(PublishError::NotConfirmed { .. })) => Ok(Attempt::TakenBack),
            Err(error) => Err(error.into()),
        }
    }

    /// The proof of "before": one question to the first of our sockets.
    fn ask_before(&self, edit: &Edit) -> Result<Observation, PromotionError> {
        let sockets = self.publisher.sockets();
        let server = sockets.servers().first().copied().ok_or(PromotionError::NoServer)?;
        let Some(set) = edit.set.first() else { return Ok(Observation::default()) };
        Ok(sockets.look(server, &set.owner, set.rtype, self.ledger.now()))
    }

    /// Verified → Assigned because the approval is about something that has moved.
    pub fn reopen_stale(&self, number: &str, stale: &Stale) -> Result<(), PromotionError> {
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

/// Whether a promotion leads to this state.
fn is_outcome(state: State) -> bool {
    matches!(state, State::Live | State::Notified | State::Closed | State::PromotionFailed)
}
