//! The promotion after its commit: read back, then proof or roll forward; and recovery.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::ActError;
use super::plan::{Plan, Proof, Rrset};
use super::promoter::Promoter;
use crate::audit::AuditError;
use crate::publish::failpoint::point;
use crate::publish::{Cause, Refuted, SerialExpected};
use crate::queue::live::{LiveResult, Promise};
use crate::queue::{
    Kind, LiveRecord, ParsedRecord, PromotionFault, Request, Rules, Signature, Stage,
};
use crate::store::promises::PromotionRow;
use crate::store::words::PromotionState;
use crate::store::{StoreError, Tx};
use crate::wire::{Name, Rtype};

//------------ Live record ---------------------------------------------------

/// What a promotion makes of the name's live record.
pub(super) fn live_after(
    mut live: LiveRecord,
    request: &Request,
    plan: &Plan,
    now: i64,
    rules: &Rules,
) -> LiveResult {
    let application = request.application();
    let by = signer(request, now);
    match application.kind {
        Kind::New | Kind::Change => {
            let promise = Promise {
                office: application.office.clone(),
                class: application.class,
                region: application.region.clone(),
                records: application.rrs().cloned().collect(),
                ends: application.ends_at(),
            };
            live.go_live(request.number(), promise, &by)
        }
        Kind::Suspend if application.lift => live.lift(request.number(), &by),
        Kind::Suspend => {
            // What is put back one day is what stands there today, whatever the file said before.
            live.records = requested_of(&plan.inverse);
            live.suspend(&application.purpose, &by)
        }
        Kind::Remove => live.remove(request.number(), &by, rules),
    }
}

/// Who promoted, at this time.
fn signer(request: &Request, now: i64) -> Signature {
    let promoting = match request.stage() {
        Stage::Verified(stage) => stage.promoting.as_ref(),
        Stage::Live(stage) => Some(&stage.promoting),
        _ => None,
    };
    match promoting {
        Some(promoting) => Signature { at: now, ..promoting.by.clone() },
        None => Signature::system(now),
    }
}

/// RRsets of a plan as records of a request.
pub(super) fn requested_of(sets: &[Rrset]) -> Vec<ParsedRecord> {
    let mut records = Vec::new();
    for set in sets {
        let Ok(rtype) = set.rtype.parse::<Rtype>() else { continue };
        let rdatas = set.bytes().unwrap_or_default();
        records.extend(rdatas.iter().map(|rdata| ParsedRecord::served(rtype, set.ttl, rdata)));
    }
    records
}

//------------ Settling ------------------------------------------------------

impl Promoter {
    /// Goes on with every promotion that was committed and not settled: after a crash, and on a
    /// timer. Gives how many there were.
    pub fn recover(&self) -> Result<usize, ActError> {
        let rows =
            self.ledger.store.read::<_, StoreError>(|reader| reader.unsettled_promotions())?;
        for row in &rows {
            self.settle(&row.id)?;
        }
        Ok(rows.len())
    }

    /// Reads a committed promotion back, then keeps the proof, or takes it back under a higher
    /// serial. Settled ones are left alone, so this may be called any number of times.
    pub fn settle(&self, id: &str) -> Result<(), ActError> {
        let row = self.ledger.store.read::<_, StoreError>(|reader| reader.promotion(id))?;
        let row = row.ok_or(ActError::NotFound)?;
        if row.state != PromotionState::Committed {
            return Ok(());
        }
        let plan = read_plan(&row)?;
        let (proof, fault) = self.read_back(&plan)?;
        point("promote.read_back");
        match fault {
            None => self.keep_proof(&row, &plan, proof),
            Some(fault) => self.roll_forward(&row, &plan, Proof { fault: Some(fault), ..proof }),
        }
    }

    /// Step 6: proof, request Live, live record Live, notice Queued.
    fn keep_proof(&self, row: &PromotionRow, plan: &Plan, proof: Proof) -> Result<(), ActError> {
        let ledger = &self.ledger;
        let calendar = ledger.calendar();
        ledger.store.write(|tx| {
            if !still_open(tx, &row.id)? {
                return Ok(());
            }
            let now = ledger.now();
            let stored = ledger.expect_request(tx, &row.request)?;
            let application = stored.request.application().clone();
            let live = ledger.live(tx, application.place())?;
            let live_step = live_after(live, &stored.request, plan, now, &ledger.rules)?;
            let step = stored.request.promoted(row.serial_to, &ledger.facts(now, &calendar))?;
            ledger.promoted(tx, &stored.row, step, &proof.dig)?;
            ledger.apply_live(tx, live_step)?;
            point("promote.settling");
            Ok(tx.settle_promotion(&row.id, PromotionState::Proven, &json(&proof)?, now)?)
        })
    }

    /// The inverse under a higher serial, then GAGAL_TAYANG.
    fn roll_forward(&self, row: &PromotionRow, plan: &Plan, proof: Proof) -> Result<(), ActError> {
        let Some(fault) = proof.fault.clone() else { return Ok(()) };
        tracing::error!(
            request = row.request,
            serial = row.serial_to,
            question = fault.question,
            expected = fault.expected,
            found = fault.found,
            "a promotion was not answered as it should be: it is taken back"
        );
        let zone: Name = plan
            .zone
            .parse()
            .map_err(|_| StoreError::Corrupt(format!("promotion {}: zone", row.id)))?;
        let cause = Cause::Unconfirmed { serial: row.serial_to, reason: fault.found.clone() };
        let mut outcome: Result<(), ActError> = Ok(());
        let inverse = plan.inverse_edit();
        let published = self.publisher.publish(&zone, inverse, cause, "gapura", |tx, _| {
            outcome = self.write_failure(tx, row, &proof, &fault);
            if outcome.is_ok() { Ok(()) } else { Err(StoreError::GivenUp) }
        });
        match (published, outcome) {
            // Somebody else settled it meanwhile.
            (_, Err(ActError::NotFound)) => Ok(()),
            (_, Err(error)) => Err(error),
            (Err(error), Ok(())) => Err(error.into()),
            (Ok(_), Ok(())) => Ok(()),
        }
    }

    /// The publisher itself took the change back: only the rows are left to write.
    pub(super) fn give_up(&self, id: &str, reason: &str) -> Result<(), ActError> {
        let row = self.ledger.store.read::<_, StoreError>(|reader| reader.promotion(id))?;
        let row = row.ok_or(ActError::NotFound)?;
        let plan = read_plan(&row)?;
        let fault = PromotionFault {
            step: "swap".to_owned(),
            question: format!("{} SOA", plan.zone),
            expected: format!("serial {}", row.serial_to),
            found: reason.to_owned(),
        };
        let proof = Proof {
            before: plan.before,
            serial: row.serial_to,
            fault: Some(fault.clone()),
            ..Proof::default()
        };
        match self.ledger.store.write(|tx| self.write_failure(tx, &row, &proof, &fault)) {
            Err(ActError::NotFound) => Ok(()),
            other => other,
        }
    }

    /// The rows of a failed promotion; `NotFound` if it is settled already.
    fn write_failure(
        &self,
        tx: &Tx<'_>,
        row: &PromotionRow,
        proof: &Proof,
        fault: &PromotionFault,
    ) -> Result<(), ActError> {
        if !still_open(tx, &row.id)? {
            return Err(ActError::NotFound);
        }
        let ledger = &self.ledger;
        let calendar = ledger.calendar();
        let now = ledger.now();
        let stored = ledger.expect_request(tx, &row.request)?;
        let facts = ledger.facts(now, &calendar);
        let step = stored.request.promotion_failed(fault.clone(), &facts)?;
        ledger.apply(tx, &stored.row, step)?;
        tx.settle_promotion(&row.id, PromotionState::Failed, &json(proof)?, now)?;
        Ok(())
    }
}

/// Whether a promotion still waits to be settled.
fn still_open(tx: &Tx<'_>, id: &str) -> Result<bool, StoreError> {
    Ok(tx.promotion(id)?.is_some_and(|row| row.state == PromotionState::Committed))
}

/// The plan of a promotion.
fn read_plan(row: &PromotionRow) -> Result<Plan, StoreError> {
    serde_json::from_str(&row.plan)
        .map_err(|error| StoreError::Corrupt(format!("promotion {}: {error}", row.id)))
}

/// The types a promotion set, and the records of these types that stood there before it; none if
/// what was kept cannot be read.
pub fn records_before(row: &PromotionRow) -> Option<(Vec<Rtype>, Vec<ParsedRecord>)> {
    let plan = read_plan(row).ok()?;
    let types = plan.inverse.iter().filter_map(|set| set.rtype.parse().ok()).collect();
    Some((types, requested_of(&plan.inverse)))
}

/// A proof as text.
fn json(proof: &Proof) -> Result<String, AuditError> {
    Ok(serde_json::to_string(proof).map_err(|error| StoreError::Corrupt(error.to_string()))?)
}

//------------ Read-back -----------------------------------------------------

impl Promoter {
    /// Asks every socket over UDP and TCP for everything the plan says; stops at the first answer
    /// that is wrong.
    pub(super) fn read_back(
        &self,
        plan: &Plan,
    ) -> Result<(Proof, Option<PromotionFault>), ActError> {
        let sockets = self.publisher.sockets();
        let server = sockets.servers().first().copied().ok_or(ActError::NoServer)?;
        let corrupt = || StoreError::Corrupt(format!("a plan of the zone {}", plan.zone));
        let zone: Name = plan.zone.parse().map_err(|_| corrupt())?;
        let expect = plan.expectations().ok_or_else(corrupt)?;
        let serial = SerialExpected::AtLeast(plan.serial);
        let said = sockets.confirm(&zone, serial, &expect, self.ledger.now());
        let proof = Proof {
            before: plan.before.clone(),
            after: said.asked.first().cloned(),
            serial: plan.serial,
            asked: said.asked,
            dig: dig(server, plan),
            lingers: self.publisher.zone(&zone).map_or(0, |zone| zone.soa().negative_ttl()),
            already: plan.already,
            fault: None,
        };
        Ok((proof, said.refuted.map(fault_of)))
    }
}

/// The fault of a promotion that our own sockets refuted.
fn fault_of(refuted: Refuted) -> PromotionFault {
    let Refuted { question, expected, found } = refuted;
    PromotionFault { step: "read_back".to_owned(), question, expected, found }
}

/// The line that repeats the first question.
fn dig(server: SocketAddr, plan: &Plan) -> String {
    let address = match server.ip() {
        IpAddr::V4(v4) if v4.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(v6) if v6.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        other => other,
    };
    let port = match server.port() {
        53 => String::new(),
        port => format!(" -p {port}"),
    };
    match plan.expected.first() {
        Some(set) => format!("dig @{address}{port} +norecurse {} {}", set.owner, set.rtype),
        None => format!("dig @{address}{port} +norecurse {} SOA", plan.zone),
    }
}
