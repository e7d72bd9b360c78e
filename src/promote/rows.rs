//! The rows of a promotion: written in the transaction of its change, or of taking it back.

use super::PromotionError;
use super::live::{live_after, live_before};
use super::plan::Plan;
use super::preview::Preview;
use super::proof::Proof;
use crate::audit::{AuditError, PROOF};
use crate::digest::sha256_hex;
use crate::dossier::{Answer, Promoted};
use crate::ledger::Ledger;
use crate::publish::{Change, Confirmation, Observation, Publisher, Rows};
use crate::queue::{self, Actor, Kind, Request, Stage, Step, TransitionError};
use crate::store::promises::PromotionRow;
use crate::store::words::PromotionState;
use crate::store::{StoreError, Tx};

//------------ With the change -----------------------------------------------

/// What a promotion writes in the transaction of its change.
pub(super) struct PromotionRows<'a> {
    /// The queue's rows.
    pub(super) ledger: &'a Ledger,
    /// Whose sockets are asked.
    pub(super) publisher: &'a Publisher,
    /// The request's number.
    pub(super) number: &'a str,
    /// Who promotes.
    pub(super) actor: &'a Actor,
    /// What was drafted for the request.
    pub(super) preview: &'a Preview,
    /// What must be answered, and what takes it back.
    pub(super) plan: Plan,
    /// The promotion, once it is committed.
    pub(super) row: Option<PromotionRow>,
}

impl Rows for PromotionRows<'_> {
    type Output = (PromotionRow, Plan);
    type Error = PromotionError;

    /// The request with its promotion begun, its events, and the plan that recovery goes on with.
    fn commit(&mut self, tx: &Tx<'_>, change: &Change) -> Result<Self::Output, PromotionError> {
        let ledger = self.ledger;
        let stored = ledger.expect_request(tx, self.number)?;
        let current = ledger.current(tx, self.actor)?;
        let (now, calendar, bound) = (ledger.now(), ledger.calendar(), self.preview.bound());
        let signers = ledger.signers(tx, &stored.request)?;
        let facts = queue::Facts {
            candidate: Some(&bound),
            signers: &signers,
            ..ledger.facts(now, &calendar)
        };
        let mut step = stored.request.begin_promotion(&current, &facts)?;
        self.plan.serial = change.to;
        // The live record stays as it is until the read-back; whether it can become live is tested
        // now, while nothing has happened yet.
        let (_, before) = self.plan.before()?;
        let live = ledger.live(tx, step.value.application().place())?;
        let live = live_before(live, &step.value, &before);
        drop(live_after(live, &step.value, before, now, &ledger.rules)?);
        let promoting = match step.value.stage() {
            Stage::Verified(stage) => stage.promoting.clone(),
            _ => None,
        };
        let state = step.value.state();
        let promoting = promoting.ok_or_else(|| TransitionError::wrong_state("promote", state))?;
        step.happening = step
            .happening
            .with("serial_from", change.from.unwrap_or_default())
            .with("serial_to", change.to);
        ledger.apply(tx, &stored.row, step)?;
        let plan = serde_json::to_string(&self.plan)
            .map_err(|error| StoreError::Corrupt(error.to_string()))?;
        let row = PromotionRow {
            id: promoting.id,
            request: self.number.to_owned(),
            attempt: promoting.attempt,
            zone: self.plan.zone.clone(),
            state: PromotionState::Committed,
            serial_from: change.from,
            serial_to: change.to,
            at_ms: now,
            plan,
            proof: None,
            settled_ms: None,
        };
        tx.insert_promotion(&row)?;
        self.row = Some(row.clone());
        Ok((row, self.plan.clone()))
    }

    /// GAGAL_TAYANG: our own sockets did not show it.
    fn take_back(&mut self, tx: &Tx<'_>, said: &Confirmation) -> Result<(), PromotionError> {
        let row = self.row.as_ref().ok_or(PromotionError::NotFound)?;
        let proof = Proof::new(&self.plan, said, self.publisher);
        write_failure(self.ledger, tx, row, &proof)
    }
}

//------------ After it ------------------------------------------------------

/// Proof, request Live, live record Live, notices (SOP step 6). A promotion that is finished already
/// is left as it is.
pub(super) fn write_success(
    ledger: &Ledger,
    tx: &Tx<'_>,
    row: &PromotionRow,
    plan: &Plan,
    proof: &Proof,
) -> Result<(), PromotionError> {
    if !is_open(tx, &row.id)? {
        return Ok(());
    }
    let (now, calendar) = (ledger.now(), ledger.calendar());
    let stored = ledger.expect_request(tx, &row.request)?;
    let live = ledger.live(tx, stored.request.application().place())?;
    let (_, before) = plan.before()?;
    let live = live_before(live, &stored.request, &before);
    let live_step = live_after(live.clone(), &stored.request, before, now, &ledger.rules)?;
    let is_handed_over = stored.request.application().kind == Kind::HandOver;
    let step = stored.request.promoted(row.serial_to, &ledger.facts(now, &calendar))?;
    let proof_text = json(proof)?;
    tx.settle_promotion(&row.id, PromotionState::Proven, &proof_text, now)?;
    let step = with_proof(step, &row.id, &proof_text);
    ledger.promoted(tx, &stored.row, step, &proof.dig, &brought(row, plan, proof))?;
    if is_handed_over {
        ledger.tell_former_owner(tx, &live, &live_step.value)?;
    }
    ledger.apply_taken_in(tx, live, live_step)?;
    crate::publish::failpoint::point("promote.settling");
    Ok(())
}

/// What a promotion brought about, for the papers that report it.
fn brought(row: &PromotionRow, plan: &Plan, proof: &Proof) -> Promoted {
    let answer = |asked: &Observation| Answer {
        question: asked_where(asked),
        rcode: asked.rcode.clone(),
        answer: answered(asked),
        at_ms: asked.at_ms().unwrap_or(row.at_ms),
        as_approved: true,
    };
    Promoted {
        serial_before: row.serial_from,
        serial: row.serial_to,
        added: plan.added_lines(),
        removed: plan.removed_lines(),
        changed: plan.changed(),
        answers: proof.asked.iter().map(answer).collect(),
        lingers: proof.lingers,
    }
}

/// A question on a paper, and below it whom it was put to.
fn asked_where(asked: &Observation) -> String {
    let (name, rtype) = asked.question.split_once(' ').unwrap_or((&asked.question, ""));
    let (name, transport) = (name.trim_end_matches('.'), asked.transport.to_uppercase());
    format!("{name} {rtype}\n{} ({transport})", asked.server)
}

/// The records of an answer on a paper; the name that was asked for is not said again.
fn answered(asked: &Observation) -> String {
    let name = asked.question.split(' ').next().unwrap_or_default();
    let record = |line: &String| match line.split_once(' ') {
        Some((owner, rest)) if owner.eq_ignore_ascii_case(name) => rest.to_owned(),
        _ => line.clone(),
    };
    asked.answer.iter().map(record).collect::<Vec<_>>().join("\n")
}

/// The rows of a failed promotion; `NotFound` if it is finished already.
pub(super) fn write_failure(
    ledger: &Ledger,
    tx: &Tx<'_>,
    row: &PromotionRow,
    proof: &Proof,
) -> Result<(), PromotionError> {
    if !is_open(tx, &row.id)? {
        return Err(PromotionError::NotFound);
    }
    let fault = proof.fault.clone().ok_or(PromotionError::NotFound)?;
    let (now, calendar) = (ledger.now(), ledger.calendar());
    let stored = ledger.expect_request(tx, &row.request)?;
    let step = stored.request.promotion_failed(fault, &ledger.facts(now, &calendar))?;
    let proof_text = json(proof)?;
    tx.settle_promotion(&row.id, PromotionState::Failed, &proof_text, now)?;
    ledger.apply(tx, &stored.row, with_proof(step, &row.id, &proof_text))?;
    Ok(())
}

/// The step with its proof in the chain: the event names the promotion and the SHA-256 of its proof.
fn with_proof(mut step: Step<Request>, id: &str, proof: &str) -> Step<Request> {
    step.happening = step.happening.with("promotion", id).with(PROOF, sha256_hex(proof));
    step
}

/// Whether a promotion is committed and not finished.
fn is_open(tx: &Tx<'_>, id: &str) -> Result<bool, StoreError> {
    Ok(tx.promotion(id)?.is_some_and(|row| row.state == PromotionState::Committed))
}

/// A proof as text.
fn json(proof: &Proof) -> Result<String, AuditError> {
    Ok(serde_json::to_string(proof).map_err(|error| StoreError::Corrupt(error.to_string()))?)
}
