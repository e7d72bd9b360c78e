//! Signs a version once it has its serial, and before it is committed (RFC 4035 §2): what changed, or
//! everything if the keys or the whole zone changed. It stores nothing; new signatures are verified before the
//! version proceeds.

use super::number::{finished, soa_record, with_serial};
use super::proposal::SigningFate;
use super::publish::without_soa;
use crate::publish::state::{Inner, PublishError, Version, ZoneState};
use crate::sign::{self, Plan, SignError, Unsound};
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
    // Only a change of keys needs more than what the difference touches.
    let is_same_plan = match fate {
        SigningFate::Replaced(after) => {
            state.signing.as_ref().is_some_and(|before| before.signs_like(after))
        }
        _ => true,
    };
    let is_same_plan = is_same_plan && state.has_own_zonemd() == plan.zonemd && !state.signs_anew;
    let step = Step {
        served: state.signed.as_ref(),
        delta: unsigned.delta.filter(|_| is_same_plan),
        renewed: if let SigningFate::Renewed(most) = fate { *most } else { 0 },
    };
    let signed = step.signed(&numbered, &plan, now).or_else(|error| {
        if step.served.is_none() || !error.is_of_served() {
            return Err(error);
        }
        // What is served may be damaged; then no change of it would ever be sound again.
        tracing::error!(zone = %apex, %error, "signing the whole zone again, because the signed change failed verification");
        Step { served: None, delta: None, renewed: 0 }.signed(&numbered, &plan, now)
    });
    let mut signed = signed.map_err(|error| match error {
        NotSound::Sign(source) => PublishError::Sign { zone: apex.clone(), source },
        NotSound::Unsound(fault) => PublishError::Unsound { zone: apex.clone(), fault },
    })?;
    let content = if state.source.is_secondary() {
        // The next transfer begins at the serial that the primary gave it.
        signed = signed.with_time_left(state.lease.left.clone());
        unsigned.content.clone()
    } else {
        numbered
    };
    Ok(Version { signed: Some(signed.with_content(&content)), content })
}

/// How a version is signed.
struct Step<'a> {
    /// What is served, of which signatures are kept; none = everything is made anew.
    served: Option<&'a Zone>,
    /// The difference from it, where nothing else needs a look.
    delta: Option<&'a Delta>,
    /// How many signatures are renewed besides.
    renewed: usize,
}

/// Why a signed version is none to be served.
#[derive(Debug, thiserror::Error)]
enum NotSound {
    /// It could not be made.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// It does not validate.
    #[error(transparent)]
    Unsound(#[from] Unsound),
}

impl NotSound {
    /// Whether what is served can be the reason: keys, times and records that cannot be signed are none of it.
    fn is_of_served(&self) -> bool {
        matches!(self, Self::Unsound(_) | Self::Sign(SignError::Zone(_)))
    }
}

impl Step<'_> {
    /// Makes the signed version of a content, and verifies it.
    fn signed(&self, content: &Zone, plan: &Plan, now: u32) -> Result<Zone, NotSound> {
        let renewed = match (self.served, self.delta) {
            // Nothing but signatures changes then.
            (Some(served), Some(_)) if self.renewed > 0 => {
                sign::renew(served, content, plan, now, self.renewed)?
            }
            _ => None,
        };
        let signed = match (renewed, self.served, self.delta) {
            (Some(renewed), ..) => renewed,
            (None, Some(served), Some(delta)) => sign::change(served, content, delta, plan, now)?,
            // On all cores.
            (None, served, _) => sign::whole(content, plan, served, now, 0)?,
        };
        sign::verify_change(self.served, &signed, plan, now)?;
        Ok(signed)
    }
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
