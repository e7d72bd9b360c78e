//! Turns a file into a proposal: complete, merged, checked, not shrunk, with its serial considered.
//!
//! Runs those guards of a load, in order, that depend on the zone as served. It writes nothing; the result is
//! a proposal for `door`, or the reason why there is none.

use super::floor::renumbered;
use super::guards::counted;
use super::judge;
use super::loaded::{Loaded, Unread};
use crate::master::Finding;
use crate::publish::door::{
    AcceptedFile, FileFate, Next, Numbering, Proposal, delta_max, soa_record, without_soa,
};
use crate::publish::failpoint;
use crate::publish::state::{
    By, Cause, Guard, Inner, Lack, Outcome, RowEdit, Seen, ZoneState, error, left_out_zonemd,
};
use crate::store::StoreError;
use crate::threads::{both, free_beside};
use crate::wire::Rtype;
use crate::zone::{ApplyError, Delta, NodeRef, Zone};

/// Octets of a text from which on nobody waits until it is freed.
const FREED_BESIDE: usize = 4 << 20;

//------------ Prepared ------------------------------------------------------

/// What is to be done about a file.
pub(crate) struct Prepared {
    /// The decision.
    pub(crate) kind: Kind,
    /// Errors, warnings and notes.
    pub(crate) findings: Vec<Finding>,
    /// The files as they were seen.
    pub(crate) seen: Vec<Seen>,
    /// The serial of the file.
    pub(crate) file_serial: Option<u32>,
    /// SHA-256 of the zone file alone.
    pub(crate) file_sha256: Option<String>,
    /// The zone as the file has it. Freeing it takes its time, so that is left for later.
    pub(crate) leftover: Option<Zone>,
    /// The memory that the file wants for.
    pub(crate) lack: Option<Lack>,
}

/// The decision about a file.
pub(crate) enum Kind {
    /// Nothing is to be published.
    Done(Outcome),
    /// This is to be published.
    Propose(Box<Proposal>),
}

/// The guard that refused, on the way out of the checks.
pub(super) type Refused = Guard;

impl Prepared {
    /// A file that is refused before it is compared with anything.
    fn refused(serial: Option<u32>, guard: Guard, finding: Finding, seen: Vec<Seen>) -> Self {
        Self {
            kind: Kind::Done(Outcome::Refused { serial, guard }),
            findings: vec![finding],
            seen,
            file_serial: None,
            file_sha256: None,
            leftover: None,
            lack: None,
        }
    }

    /// Nothing is to be published, and nothing was found.
    pub(crate) fn done(outcome: Outcome) -> Self {
        Self {
            kind: Kind::Done(outcome),
            findings: Vec::new(),
            seen: Vec::new(),
            file_serial: None,
            file_sha256: None,
            leftover: None,
            lack: None,
        }
    }

    /// A zone whose database rows cannot be read.
    pub(crate) fn failed(failed: &StoreError) -> Self {
        let finding = error("database", failed.to_string(), "check the database, then reload");
        Self::refused(None, Guard::Database, finding, Vec::new())
    }
}

/// Decides what a file means for what is live.
pub(crate) fn prepare(
    inner: &Inner,
    state: &ZoneState,
    loaded: Result<Loaded, Box<Unread>>,
    by: &By,
) -> Prepared {
    if let Some(frozen) = &state.frozen {
        let seen = vec![Seen::now(&state.source.file)];
        return Prepared::refused(state.serial(), frozen.guard, frozen.finding.clone(), seen);
    }
    let mut loaded = match loaded {
        Ok(loaded) => loaded,
        Err(unread) => {
            let Unread { guard, finding, seen, lack } = *unread;
            let refused = Prepared::refused(state.serial(), guard, finding, seen);
            return Prepared { lack, ..refused };
        }
    };
    let mut prepared = Prepared {
        kind: Kind::Done(Outcome::Removed),
        findings: std::mem::take(&mut loaded.findings),
        seen: std::mem::take(&mut loaded.seen),
        file_serial: loaded.zone.as_ref().map(Zone::serial),
        file_sha256: Some(loaded.file_sha256.clone()),
        leftover: loaded.zone.clone(),
        lack: None,
    };
    let case = Case { inner, state, loaded: &loaded, by, now_ms: (inner.options.now_ms)() };
    prepared.kind = case
        .decide(&mut prepared.findings)
        .unwrap_or_else(|guard| Kind::Done(Outcome::Refused { serial: state.serial(), guard }));
    if loaded.bytes.len() > FREED_BESIDE {
        free_beside(loaded);
    }
    prepared
}

//------------ Case ----------------------------------------------------------

/// One file before one state.
pub(super) struct Case<'a> {
    /// The publisher.
    pub(super) inner: &'a Inner,
    /// What is live.
    pub(super) state: &'a ZoneState,
    /// The file.
    pub(super) loaded: &'a Loaded,
    /// Who wants it loaded, and whether in spite of the shrink guard and a rollback.
    pub(super) by: &'a By,
    /// The time of the decision.
    pub(super) now_ms: i64,
}

/// How a file, merged with what requests put up, differs from what is live.
pub(super) enum Difference {
    /// Nothing is live.
    First,
    /// By these records.
    Small(Delta),
    /// By so much that it is not kept.
    Whole,
}

impl Difference {
    /// Compares a zone with the live one; this may walk both zones.
    pub(super) fn between(live: &Zone, zone: &Zone) -> Self {
        failpoint::point("decide.difference");
        live.diff_within(zone, delta_max(live)).map_or(Self::Whole, Self::Small)
    }
}

impl Case<'_> {
    /// The guards in their order.
    fn decide(&self, findings: &mut Vec<Finding>) -> Result<Kind, Refused> {
        if let Some(done) = self.known_bytes(findings) {
            return Ok(self.rehashed(findings)?.unwrap_or(Kind::Done(done)));
        }
        self.complete(findings)?;
        let source = &self.state.source;
        let Some(read) = &self.loaded.zone else {
            findings.extend(judge::built(source, self.loaded));
            return Err(Guard::Check);
        };
        self.still_signed(read, findings)?;
        let signing = self.state.signing.as_ref();
        let stripped = signing.map_or_else(|| Ok(read.clone()), |signing| signing.strip(read));
        let file = &stripped.map_err(|failed| internal(findings, failed))?;
        let mut merged = match super::merge::merge(&self.state.overlay, file) {
            Ok(merged) => merged,
            Err(failed) => {
                findings.push(error("promoted-clash", failed.to_string(), "see the promoted file"));
                return Err(Guard::Merge);
            }
        };
        if file.is_signed() && !self.state.overlay.is_empty() {
            let message = "the zone is signed elsewhere, and promoted records would break it";
            let hint = "remove the records by request first";
            findings.push(error("presigned-merge", message.to_owned(), hint));
            return Err(Guard::Merge);
        }
        let clashes = !merged.clashes.is_empty();
        findings.append(&mut merged.clashes);
        if source.makes_zonemd(&merged.zone) {
            // One that came with the file is verified below, and ours takes its place.
            merged.zone = without_zonemd(&merged.zone).map_err(|it| internal(findings, it))?;
        }
        let (overlay, zone, live) = (&self.state.overlay, &merged.zone, self.state.zone.as_ref());
        // Both walk the whole zone; a second core has nothing else to do for this zone.
        let judge = || {
            let subject = judge::Subject { file: read, merged: zone, signer: self.state.signer() };
            judge::whole(source, self.loaded, overlay, &subject, self.now_ms)
        };
        let (difference, found) = match live {
            // A panic there is ours too: what was not compared must not pass for another zone.
            Some(live) => both(|| Difference::between(live, zone), judge),
            None => (Difference::First, judge()),
        };
        findings.extend(found);
        if source.is_made() {
            // What is odd about it by the rules for files is as it is to be.
            findings.retain(Finding::is_error);
        }
        if clashes {
            return Err(Guard::Merge);
        }
        if findings.iter().any(Finding::is_error) {
            return Err(Guard::Check);
        }
        let proposal = match (difference, live) {
            (Difference::Small(delta), Some(live)) => {
                self.edited(live, file, merged.zone, delta, findings)
            }
            (Difference::Whole, Some(live)) => self.replaced(live, file, merged.zone, findings),
            (_, _) => self.first(file, merged.zone, findings),
        };
        let (next, serial) = proposal?;
        Ok(Kind::Propose(Box::new(self.proposal(file, next, serial, merged.edits))))
    }

    /// Refuses a file without signatures in the place of a signed version that gapura has no keys for: whoever
    /// knows a DS of the zone would believe nothing of it.
    fn still_signed(&self, file: &Zone, findings: &mut Vec<Finding>) -> Result<(), Refused> {
        let is_signed = self.state.zone.as_ref().is_some_and(Zone::is_signed);
        let signs = self.state.signing.is_some() || self.by.force;
        if !is_signed || file.is_signed() || signs {
            return Ok(());
        }
        let apex = &self.state.source.apex;
        let message = format!(
            "{apex} is served signed, and the file is not signed: with a DS at the parent, resolvers would \
             believe nothing of it"
        );
        let hint = format!(
            "sign the file, or put the keys of the zone back (docs/signing.md); if no parent has a DS of it: \
             gapura ctl reload {apex} --force"
        );
        findings.push(error("signatures-lost", message, &hint));
        Err(Guard::Check)
    }

    /// A first version.
    fn first(
        &self,
        file: &Zone,
        merged: Zone,
        findings: &mut Vec<Finding>,
    ) -> Result<(Next, Numbering), Refused> {
        let serial = self.first_serial(file, findings);
        let merged = self.still_hashed(file, merged, serial, findings)?;
        Ok((Next::Whole(merged), Numbering::Exactly(serial)))
    }

    /// A version that differs from the live one by some records, or not at all.
    fn edited(
        &self,
        live: &Zone,
        file: &Zone,
        merged: Zone,
        delta: Delta,
        findings: &mut Vec<Finding>,
    ) -> Result<(Next, Numbering), Refused> {
        let mut content = without_soa(delta);
        let makes = self.state.source.makes_zonemd(&merged);
        if makes {
            // The door renews it.
            let apex = live.apex().to_name();
            content.removed.retain(|it| it.rtype != Rtype::ZONEMD || it.owner != apex);
        }
        let is_due = makes && !self.state.has_own_zonemd();
        let differs = !content.is_empty() || soa_differs(live, &merged) || is_due;
        self.shrink(live, file, &content, findings)?;
        let Some(serial) = self.choose(live, file, differs, findings) else {
            return Ok((Next::Same, Numbering::Exactly(live.serial())));
        };
        self.signed_serial(live, file, serial, findings)?;
        let had_zonemd = !merged.zonemd().is_empty();
        let merged = self.still_hashed(file, merged, serial, findings)?;
        if had_zonemd && merged.zonemd().is_empty() {
            content = without_soa(live.diff(&merged));
        }
        // A small difference shares all else with what is live; a large one shares nothing anyway.
        let count = content.removed.len() + content.added.len();
        let small = count * 4 < live.record_count() && !soa_differs(live, &merged);
        let zone = if small {
            live.apply(&content).map_err(|failed| internal(findings, failed))?
        } else {
            merged
        };
        Ok((Next::Edited { zone, content }, Numbering::Exactly(serial)))
    }

    /// The whole zone is another one: it goes live without a delta, so that neither memory nor journal
    /// has to hold two zones' worth of records. Secondaries get it whole, and the history begins anew.
    fn replaced(
        &self,
        live: &Zone,
        file: &Zone,
        merged: Zone,
        findings: &mut Vec<Finding>,
    ) -> Result<(Next, Numbering), Refused> {
        let has = |node: &NodeRef<'_>, rtype| merged.rrset(node.owner(), rtype).is_some();
        let counts = counted(live, file);
        let lost = |node: NodeRef<'_>| {
            let sets = node.rrsets().filter(|set| counts(set.rtype()));
            sets.filter(|set| !has(&node, set.rtype())).count()
        };
        self.shrinks(live.nodes().map(lost).sum(), live, file, findings)?;
        let chosen = self.choose(live, file, true, findings);
        let serial = chosen.unwrap_or_else(|| live.serial());
        self.signed_serial(live, file, serial, findings)?;
        let merged = self.still_hashed(file, merged, serial, findings)?;
        Ok((Next::Whole(merged), Numbering::Exactly(serial)))
    }

    /// The proposal of a file.
    fn proposal(
        &self,
        file: &Zone,
        next: Next,
        serial: Numbering,
        overlay: Vec<RowEdit>,
    ) -> Proposal {
        let loaded = self.loaded;
        let sha256 = loaded.hash.clone();
        let cause = match &self.state.row {
            _ if self.state.source.is_made() => Cause::Own { purpose: "catalog".to_owned() },
            None => Cause::Load { sha256 },
            Some(_) => Cause::File { sha256 },
        };
        let accepted = AcceptedFile {
            serial: file.serial(),
            hash: loaded.hash.clone(),
            marker: loaded.marker,
            zonemd: loaded.zonemd,
            marked_includes: loaded.marked_includes.clone(),
        };
        let base = self.state.zone.clone();
        Proposal {
            serial,
            overlay,
            file: FileFate::Accepted(accepted),
            ..Proposal::new(base, next, cause, &self.by.who, self.now_ms)
        }
    }

    /// The zone with its ZONEMD records, or without them where they would not hold: records were
    /// merged in, or the serial is not the file's.
    fn still_hashed(
        &self,
        file: &Zone,
        merged: Zone,
        serial: u32,
        findings: &mut Vec<Finding>,
    ) -> Result<Zone, Refused> {
        let holds = self.state.overlay.is_empty() && serial == file.serial();
        if holds || merged.zonemd().is_empty() {
            return Ok(merged);
        }
        findings.push(left_out_zonemd());
        without_zonemd(&merged).map_err(|failed| internal(findings, failed))
    }

    /// The change that a setting asks for while the file is as it was: a ZONEMD record of ours comes or
    /// goes. None if it is there, or not, as it should be.
    fn rehashed(&self, findings: &mut Vec<Finding>) -> Result<Option<Kind>, Refused> {
        let Some(live) = &self.state.zone else { return Ok(None) };
        if self.state.source.makes_zonemd(live) == self.state.has_own_zonemd() {
            return Ok(None);
        }
        let next = renumbered(live).map_err(|failed| internal(findings, failed))?;
        let cause = Cause::Own { purpose: "zonemd".to_owned() };
        let proposal = Proposal::new(Some(live.clone()), next, cause, &self.by.who, self.now_ms);
        Ok(Some(Kind::Propose(Box::new(proposal))))
    }
}

/// A zone without the ZONEMD records at its apex.
fn without_zonemd(zone: &Zone) -> Result<Zone, ApplyError> {
    let removed = zone.zonemd();
    if removed.is_empty() {
        return Ok(zone.clone());
    }
    zone.apply(&Delta { removed, added: Vec::new() })
}

/// A delta that does not apply.
fn internal(findings: &mut Vec<Finding>, failed: ApplyError) -> Refused {
    findings.push(error("internal", failed.to_string(), "this is a fault in gapura"));
    Guard::Check
}

/// Whether the SOA records differ in more than the serial.
pub(super) fn soa_differs(a: &Zone, b: &Zone) -> bool {
    soa_record(a, 0) != soa_record(b, 0)
}
