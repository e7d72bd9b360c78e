//! The promotion after its commit: read back, then proof or roll forward; and recovery.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::ask::{Read, same_rdata};
use super::plan::{Plan, Proof, Rrset};
use super::promoter::Promoter;
use super::{ActError, Asked};
use crate::answer::Transport;
use crate::audit::AuditError;
use crate::publish::Cause;
use crate::publish::failpoint::point;
use crate::queue::live::{LiveResult, Promise};
use crate::queue::{
    Kind, LiveRecord, PromotionFault, Request, RequestedRecord, Rules, Signature, Stage,
};
use crate::store::promises::PromotionRow;
use crate::store::{StoreError, Tx};
use crate::wire::{Name, Rtype, rdata};

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
                records: application.records.clone(),
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
pub(super) fn requested_of(sets: &[Rrset]) -> Vec<RequestedRecord> {
    let mut records = Vec::new();
    for set in sets {
        let Ok(rtype) = set.rtype.parse::<Rtype>() else { continue };
        let texts = set.bytes().unwrap_or_default();
        records.extend(texts.iter().map(|bytes| RequestedRecord {
            rtype: set.rtype.clone(),
            data: rdata::to_text(rtype, bytes),
            ttl: set.ttl,
        }));
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
        if row.state != "committed" {
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
            ledger.apply(tx, &stored.row, step)?;
            ledger.apply_live(tx, live_step)?;
            point("promote.settling");
            Ok(tx.settle_promotion(&row.id, "proven", &json(&proof)?, now)?)
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
        tx.settle_promotion(&row.id, "failed", &json(proof)?, now)?;
        Ok(())
    }
}

/// Whether a promotion still waits to be settled.
fn still_open(tx: &Tx<'_>, id: &str) -> Result<bool, StoreError> {
    Ok(tx.promotion(id)?.is_some_and(|row| row.state == "committed"))
}

/// The plan of a promotion.
fn read_plan(row: &PromotionRow) -> Result<Plan, StoreError> {
    serde_json::from_str(&row.plan)
        .map_err(|error| StoreError::Corrupt(format!("promotion {}: {error}", row.id)))
}

/// The types a promotion set, and the records of these types that stood there before it; none if
/// what was kept cannot be read.
pub fn records_before(row: &PromotionRow) -> Option<(Vec<String>, Vec<RequestedRecord>)> {
    let plan = read_plan(row).ok()?;
    let types = plan.inverse.iter().map(|set| set.rtype.clone()).collect();
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
        let servers = self.asker.servers();
        if servers.is_empty() {
            return Err(ActError::NoServer);
        }
        let zone: Name = plan
            .zone
            .parse()
            .map_err(|_| StoreError::Corrupt(format!("a plan's zone {}", plan.zone)))?;
        let mut proof = Proof {
            before: plan.before.clone(),
            serial: plan.serial,
            dig: dig(servers[0], plan),
            lingers: self.publisher.zone(&zone).map_or(0, |zone| zone.soa().negative_ttl()),
            already: plan.already,
            ..Proof::default()
        };
        let mut fault = None;
        'servers: for server in servers {
            for transport in [Transport::Udp, Transport::Tcp] {
                for set in &plan.expected {
                    let (asked, wrong) = self.check_set(server, transport, set);
                    proof.after.get_or_insert_with(|| asked.clone());
                    proof.asked.push(asked);
                    fault = wrong;
                    if fault.is_some() {
                        break 'servers;
                    }
                }
                let (asked, wrong) = self.check_serial(server, transport, &zone, plan.serial);
                proof.asked.push(asked);
                fault = wrong;
                if fault.is_some() {
                    break 'servers;
                }
            }
        }
        Ok((proof, fault))
    }

    /// Asks for one RRset.
    fn check_set(
        &self,
        server: SocketAddr,
        transport: Transport,
        set: &Rrset,
    ) -> (Asked, Option<PromotionFault>) {
        let (Ok(owner), Ok(rtype), Some(wanted)) =
            (set.owner.parse::<Name>(), set.rtype.parse::<Rtype>(), set.bytes())
        else {
            let fault = PromotionFault {
                step: "read_back".to_owned(),
                question: format!("{} {}", set.owner, set.rtype),
                expected: "a plan that can be read".to_owned(),
                found: "a plan that was changed".to_owned(),
            };
            return (Asked::default(), Some(fault));
        };
        let read = self.asker.ask(server, transport, &owner, rtype, self.ledger.now());
        let good = match &read.asked.error {
            Some(_) => false,
            // What does not fit is asked for over TCP anyway.
            None if read.truncated => transport == Transport::Udp,
            None if wanted.is_empty() => is_absent(&read, &owner, rtype),
            None => holds(&read, &owner, rtype, &wanted),
        };
        let fault = (!good).then(|| fault_of(&read, &expectation(rtype, &wanted)));
        (read.asked, fault)
    }

    /// Asks for the serial: ours, or one a later change made.
    fn check_serial(
        &self,
        server: SocketAddr,
        transport: Transport,
        zone: &Name,
        serial: u32,
    ) -> (Asked, Option<PromotionFault>) {
        let read = self.asker.ask(server, transport, zone, Rtype::SOA, self.ledger.now());
        let soa = read.answer.iter().find(|(_, rtype, _)| *rtype == Rtype::SOA);
        let found = soa.and_then(|(_, _, data)| {
            let at = data.len().checked_sub(20)?;
            data[at..].first_chunk::<4>().map(|bytes| u32::from_be_bytes(*bytes))
        });
        let good = match found {
            Some(found) => found.wrapping_sub(serial) < 1 << 31,
            // What is cut short over UDP is asked for over TCP anyway.
            None => read.truncated && transport == Transport::Udp,
        };
        let fault = (!good).then(|| fault_of(&read, &format!("serial {serial}")));
        (read.asked, fault)
    }
}

/// Whether the answer section, or a referral, holds exactly this RRset.
fn holds(read: &Read, owner: &Name, rtype: Rtype, wanted: &[Vec<u8>]) -> bool {
    let section = |section: &[(Name, Rtype, Vec<u8>)]| {
        let found: Vec<&Vec<u8>> = section
            .iter()
            .filter(|(name, found, _)| *found == rtype && *name == *owner)
            .map(|(_, _, data)| data)
            .collect();
        found.len() == wanted.len()
            && wanted.iter().all(|want| found.iter().any(|found| same_rdata(rtype, found, want)))
    };
    read.asked.rcode == "NOERROR"
        && (section(&read.answer) || (rtype == Rtype::NS && section(&read.authority)))
}

/// Whether the answer says that there is no such RRset.
fn is_absent(read: &Read, owner: &Name, rtype: Rtype) -> bool {
    let there = read.answer.iter().any(|(name, found, _)| *found == rtype && *name == *owner);
    let rcode = read.asked.rcode.as_str();
    rcode == "NXDOMAIN" || (rcode == "NOERROR" && !there)
}

/// What should have come, in words.
fn expectation(rtype: Rtype, wanted: &[Vec<u8>]) -> String {
    if wanted.is_empty() {
        return "NXDOMAIN or no data".to_owned();
    }
    let texts: Vec<String> = wanted.iter().map(|data| rdata::to_text(rtype, data)).collect();
    texts.join(", ")
}

/// The fault of an answer.
fn fault_of(read: &Read, expected: &str) -> PromotionFault {
    let asked = &read.asked;
    let found = match &asked.error {
        Some(error) => error.clone(),
        None => format!("{} {}", asked.rcode, asked.answer.join(" | ")),
    };
    PromotionFault {
        step: "read_back".to_owned(),
        question: format!("{} @{} {}", asked.question, asked.server, asked.transport),
        expected: expected.to_owned(),
        found: found.trim().to_owned(),
    }
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
