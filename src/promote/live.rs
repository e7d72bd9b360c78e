//! What a promotion makes of the name's live record.

use super::plan::{Plan, Rrset};
use crate::queue::live::{LiveResult, Promise};
use crate::queue::{Kind, LiveRecord, ParsedRecord, Request, Rules, Signature, Stage};
use crate::wire::Rtype;

/// The step of the live record that goes with a promotion.
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
            // What is put back one day is what is served today, whatever the file said before.
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
