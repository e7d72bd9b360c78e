//! The whole-zone check of a candidate, with the positions of its faults.
//!
//! Positions are determined only if there are faults: the same bytes are then parsed once more.

use super::loaded::Loaded;
use crate::check::{self, Level, Signer, ZoneFault, ZoneRule};
use crate::master::{self, Finding, Input};
use crate::publish::state::{Overlay, Strictness, ZoneSource};
use crate::store::promoted::Origin;
use crate::zone::Zone;

/// How strictly a zone is judged. What is undefined where it is unsigned does not validate where it is signed.
pub(crate) fn level(source: &ZoneSource) -> Level {
    let mut errors = source.errors.clone();
    errors.extend(source.signing.iter().map(|_| ZoneRule::WildcardNs.id().to_owned()));
    Level { strict: source.checks == Strictness::Strict, errors }
}

/// What is judged of a file.
pub(crate) struct Subject<'a> {
    /// The zone as the file has it.
    pub(crate) file: &'a Zone,
    /// The same merged with what requests put up.
    pub(crate) merged: &'a Zone,
    /// Who signs it.
    pub(crate) signer: Signer,
}

/// All findings about a file that makes a zone, merged with what requests put up.
pub(crate) fn whole(
    source: &ZoneSource,
    loaded: &Loaded,
    overlay: &Overlay,
    subject: &Subject<'_>,
    now_ms: i64,
) -> Vec<Finding> {
    let mut faults = check::zonemd(subject.file);
    let now = u32::try_from(now_ms.div_euclid(1000)).unwrap_or(u32::MAX);
    faults.extend(check::judged(subject.merged, &loaded.faults, subject.signer, now));
    for fault in &mut faults {
        let entry = overlay.rows().find(|row| row.owner == fault.owner && !overlay.is_empty());
        if let Some(row) = entry.filter(|row| row.origin != Origin::Unnamed) {
            fault.message = format!("{}: {}", row.origin, fault.message);
        }
    }
    let mut findings = located(source, loaded, &faults);
    findings.extend(source.no_zonemd(subject.merged));
    findings
}

/// All findings about a file that does not even make a zone.
pub(crate) fn built(source: &ZoneSource, loaded: &Loaded) -> Vec<Finding> {
    let faults: Vec<ZoneFault> = loaded.faults.iter().map(ZoneFault::from).collect();
    located(source, loaded, &faults)
}

/// Finds the places of faults.
fn located(source: &ZoneSource, loaded: &Loaded, faults: &[ZoneFault]) -> Vec<Finding> {
    if faults.is_empty() {
        return Vec::new();
    }
    let includes = loaded.parsed.memory();
    let input = Input { file: &source.file, bytes: &loaded.bytes, loader: &includes };
    let options = master::Options::default();
    let mut faults = faults.to_vec();
    if loaded.parsed.errors > 0 {
        // Without all of its records a zone lacks what parsing has reported already.
        faults.retain(|fault| !fault.rule.is_about_absence());
    }
    check::places(&faults, &input, &source.apex, &options, &level(source))
}
