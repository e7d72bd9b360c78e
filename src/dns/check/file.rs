//! Checks a zone file on its own, as `gapura zone check` does, and the places of faults in a file.

use super::{Level, Locator, ZoneFault, ZoneRule};
use crate::master::{self, Finding, Input, Place, Severity};
use crate::wire::{Class, Name, RecordRef, Rtype};
use crate::zone::{BuildFault, Zone, ZoneBuilder};

/// The outcome of reading and checking a file.
#[derive(Debug)]
pub struct Checked {
    /// The zone, if one could be built; it may still have errors.
    pub zone: Option<Zone>,
    /// Everything that was found, in the order of the file.
    pub findings: Vec<Finding>,
    /// How many errors there are, also those beyond the limit of findings.
    pub errors: usize,
    /// How many warnings.
    pub warnings: usize,
    /// The last lines of the file and its includes that have no newline: they may be cut.
    pub cut: Vec<Place>,
}

/// Who signs the zone of a file.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Signer {
    /// Not gapura: signatures and proofs must be in the file, if there are any.
    Other,
    /// Gapura by a policy of the settings, if the file is not signed.
    Policy,
    /// Gapura with the keys that it has signed the zone with so far, whatever is in the file.
    Keys,
}

impl Signer {
    /// Whether gapura signs a zone whose file has this: signatures are then not looked for in it.
    fn is_gapura(self, file: &Zone) -> bool {
        match self {
            Self::Other => false,
            Self::Policy => !file.is_signed(),
            Self::Keys => true,
        }
    }
}

/// What to do about a DNSKEY in a file without signatures.
const UNSIGNED_HINT: &str = "sign the zone; or name a policy in `signing` of its [[zone]], and \
                             gapura signs it: the DNSKEY is then that of another signer";

/// Reads, builds and checks a zone file on its own. `now` is in seconds since 1970.
pub fn file(
    input: &Input<'_>,
    origin: &Name,
    options: &master::Options,
    level: &Level,
    signer: Signer,
    now: u32,
) -> Checked {
    let mut builder = ZoneBuilder::new(origin);
    let parsed = master::parse(input, origin.as_ref(), options, &mut |record, _| {
        builder.push(record);
    });
    let (built, faults) = builder.finish();
    let mut faults = match &built {
        Some(built) => {
            let mut faults = judged(built, &faults, signer, now);
            faults.extend(super::zonemd(built));
            faults
        }
        None => without_soa(input, origin, options, signer, &faults, now),
    };
    if parsed.errors > 0 {
        faults.retain(|fault| !fault.rule.is_about_absence());
    }
    let zone_file = std::iter::once((input.file, input.bytes, parsed.ends_with_newline));
    let included =
        parsed.included.iter().map(|one| (&*one.shown, &*one.bytes, one.ends_with_newline));
    let cut = zone_file.chain(included).filter(|(_, _, complete)| !complete);
    let cut = cut.map(|(file, bytes, _)| master::last_line(file, bytes)).collect();
    let mut findings = parsed.findings;
    let (mut errors, mut warnings) = (parsed.errors, parsed.warnings);
    for finding in &mut findings {
        let is_raised = level.errors.iter().any(|id| id == finding.rule);
        if finding.severity == Severity::Warning && is_raised {
            finding.severity = Severity::Error;
            (errors, warnings) = (errors + 1, warnings.saturating_sub(1));
        }
    }
    for fault in &faults {
        match fault.severity(level) {
            Severity::Error => errors += 1 + fault.more,
            Severity::Warning => warnings += 1 + fault.more,
        }
    }
    let mut placed = places(&faults, input, origin, options, level);
    if built.as_ref().is_none_or(|built| !built.is_signed()) {
        // The rule's own hint is for a zone that has signatures.
        let rule = ZoneRule::SignatureMissing.id();
        for finding in placed.iter_mut().filter(|finding| finding.rule == rule) {
            finding.hint = Some(UNSIGNED_HINT.to_owned());
        }
    }
    findings.extend(placed);
    findings.sort_by_key(super::locate::order);
    Checked { zone: built, findings, errors, warnings, cut }
}

/// The faults of a zone, by who signs it.
pub fn judged(zone: &Zone, built: &[BuildFault], signer: Signer, now: u32) -> Vec<ZoneFault> {
    if signer.is_gapura(zone) { super::content(zone, built) } else { super::zone(zone, built, now) }
}

/// The faults of a file without a SOA: the other rules are judged with one that is made up.
fn without_soa(
    input: &Input<'_>,
    origin: &Name,
    options: &master::Options,
    signer: Signer,
    built: &[BuildFault],
    now: u32,
) -> Vec<ZoneFault> {
    let mut rdata = [origin.wire(), origin.wire()].concat();
    for number in [1u32, 7200, 900, 1_209_600, 300] {
        rdata.extend_from_slice(&number.to_be_bytes());
    }
    let mut builder = ZoneBuilder::new(origin);
    let (owner, rtype, class) = (origin.as_ref(), Rtype::SOA, Class::IN);
    builder.push(RecordRef { owner, rtype, class, ttl: 3600, rdata: &rdata });
    master::parse(input, origin.as_ref(), options, &mut |record, _| builder.push(record));
    match builder.finish() {
        (Some(zone), _) => judged(&zone, built, signer, now),
        (None, _) => built.iter().map(ZoneFault::from).collect(),
    }
}

/// The faults as findings with their places, for which the file is read once more.
pub fn places(
    faults: &[ZoneFault],
    input: &Input<'_>,
    origin: &Name,
    options: &master::Options,
    level: &Level,
) -> Vec<Finding> {
    if faults.is_empty() {
        return Vec::new();
    }
    let mut spots = Vec::new();
    let mut locator = Locator::new(faults);
    let parsed = master::parse(input, origin.as_ref(), options, &mut |record, at| {
        locator.see(record, || {
            spots.push(at);
            spots.len() - 1
        });
    });
    let start = whole_file(input);
    locator.findings(level, |spot| parsed.place(input, spots[spot]), &start)
}

/// The place of a fault that no record has: the first line.
fn whole_file(input: &Input<'_>) -> Place {
    let line = input.bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    Place {
        file: input.file.into(),
        line: 1,
        column: 1,
        length: 1,
        source: String::from_utf8_lossy(line).chars().take(200).collect(),
        includes: Vec::new(),
    }
}
