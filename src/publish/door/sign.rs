//! Signs a version once it has its serial, and before it is committed (RFC 4035 §2): what changed, or all of it
//! where the keys or the whole zone changed. Nothing is kept here; what is made is verified before it goes on.

use std::thread::available_parallelism;

use super::number::{finished, soa_record, with_serial};
use super::proposal::SigningFate;
use super::publish::without_soa;
use crate::publish::state::{Inner, PublishError, Version, ZoneState};
use crate::sign;
use crate::zone::{ApplyError, Delta, Zone};

/// A difference of more records than this, and than a quarter of the zone, is not kept as a delta.
const DELTA_RECORDS_MIN: usize = 100_000;

/// Records by which a version may differ from the live one to be kept as a delta.
pub(crate) fn delta_max(live: &Zone) -> usize {
    DELTA_RECORDS_MIN.max(live.record_count() / 4)
}

/// A version in the making.
pub(super) struct Unsigned<'a> {
    /// What it holds.
    pub(super) content: &'a Zone,
    /// The difference from the live content; none for one that has next to nothing in common with it.
    pub(super) delta: Option<&'a Delta>,
    /// Its serial.
    pub(super) serial: u32,
    /// When it is made, in milliseconds since 1970.
    pub(super) at_ms: i64,
}

/// The version as it is served: with a ZONEMD record where one is made, and signed where the zone has keys.
pub(super) fn version(
    inner: &Inner,
    state: &ZoneState,
    fate: &SigningFate,
    unsigned: &Unsigned<'_>,
) -> Result<Version, PublishError> {
    let signing = match fate {
        SigningFate::Kept | SigningFate::Renewed(_) => state.signing.as_ref(),
        SigningFate::Replaced(signing) => Some(&**signing),
        SigningFate::Ended(_) => None,
    };
    let Some(signing) = signing else {
        return Ok(Version::plain(finished(state, unsigned.content, unsigned.serial)?));
    };
    let apex = &state.source.apex;
    let numbered = with_serial(unsigned.content, unsigned.serial)?;
    let plan = signing.plan(apex, state.source.zonemd)?;
    let now = inner.signing_time(state, unsigned.at_ms)?;
    let is_same_plan = state.signing.as_ref().is_some_and(|before| before.signs_like(signing))
        && state.has_own_zonemd() == plan.zonemd;
    let signed = match (&state.signed, unsigned.delta) {
        (Some(served), Some(delta)) if is_same_plan => {
            sign::change(served, &numbered, delta, &plan, now)
        }
        (served, _) => {
            let threads = available_parallelism().map_or(1, usize::from);
            sign::whole(&numbered, &plan, served.as_ref(), now, threads)
        }
    };
    let failed = |source| PublishError::Sign { zone: apex.clone(), source };
    let mut signed = signed.map_err(failed)?;
    if let SigningFate::Renewed(most) = fate {
        let renewed = sign::renew(&signed, &numbered, &plan, now, *most).map_err(failed)?;
        signed = renewed.unwrap_or(signed);
    }
    sign::verify_change(state.signed.as_ref(), &signed, &plan, now)
        .map_err(|fault| PublishError::Unsound { zone: apex.clone(), fault })?;
    let content = if state.source.is_secondary() {
        // The next transfer begins at the serial that the primary gave it.
        signed = signed.with_time_left(state.lease.left.clone());
        unsigned.content.clone()
    } else {
        numbered
    };
    Ok(Version { signed: Some(signed.with_content(&content)), content })
}

/// The difference between two versions as they are served, with the SOA records in front; empty if it is too
/// large to be kept.
pub(super) fn difference(live: &Zone, next: &Zone) -> Result<Delta, ApplyError> {
    let Some(delta) = live.diff_within(next, delta_max(live)) else { return Ok(Delta::default()) };
    let rest = without_soa(delta);
    let front = |zone: &Zone, rest| {
        let soa = soa_record(zone, zone.serial()).ok_or(ApplyError::Soa)?;
        Ok::<_, ApplyError>([vec![soa], rest].concat())
    };
    Ok(Delta { removed: front(live, rest.removed)?, added: front(next, rest.added)? })
}
