//! What a promotion makes of the live record of a name.

use crate::queue::live::{LiveResult, Promise};
use crate::queue::{Kind, LiveRecord, ParsedRecord, Request, Rules, Signature, Stage};

/// The live record before a promotion of `request` is settled. A name that nobody had asked for is what
/// was served there, `before`.
pub(super) fn live_before(
    live: LiveRecord,
    request: &Request,
    before: &[ParsedRecord],
) -> LiveRecord {
    let application = request.application();
    if application.kind == Kind::New || !live.follows_file() {
        return live;
    }
    // Office and class may be known of it.
    LiveRecord::of_file(application.place().clone(), before.to_vec()).with_owner_of(&live)
}

/// The step of the live record that goes with a promotion; `before` are the records that were served
/// until then.
pub(super) fn live_after(
    mut live: LiveRecord,
    request: &Request,
    before: Vec<ParsedRecord>,
    now: i64,
    rules: &Rules,
) -> LiveResult {
    let application = request.application();
    let by = signer(request, now);
    let promise = || Promise {
        office: application.office.clone(),
        class: application.class,
        region: application.region.clone(),
        records: application.rrs().cloned().collect(),
        ends: application.ends_at(),
    };
    match application.kind {
        Kind::New | Kind::Change => live.go_live(request.number(), promise(), &by),
        Kind::HandOver => live.hand_over(request.number(), promise(), &by),
        Kind::Renew => live.renew(Some(request.number()), application.ends_at(), &by),
        Kind::Suspend if application.lift => {
            live.lift(request.number(), application.ends_at(), &by)
        }
        Kind::Suspend => {
            // What is put back one day is what is served today, whatever the file said before.
            live.records = before;
            let cause = application.raised.map(|raised| raised.cause);
            live.suspend(&application.purpose, cause, &by, rules)
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
