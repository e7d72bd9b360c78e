//! What a file means for what is live: complete, merged, checked, not shrunk, numbered.
//!
//! The guards of a load in their order, as far as they need to know the zone as served. Nothing is
//! written here; what comes out is a step for the commit, or why there is none.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::commit::{Step, with_serial};
use super::compile::{Loaded, Unread, error, warning};
use super::draft::{soa_record, zonemd};
use super::judge;
use super::overlay::RowEdit;
use super::publisher::{Inner, ZoneState, lock};
use super::read::Seen;
use super::report::{Guard, Outcome};
use super::serial::{self, Known, Note, is_ahead};
use super::{Cause, Change};
use crate::master::{Finding, Included, Severity, last_line};
use crate::store::StoreError;
use crate::store::zones::ZoneRow;
use crate::wire::{Name, Rtype};
use crate::zone::{ApplyError, Delta, NodeRef, Zone};

/// The shrink guard speaks when more than this part of the RRsets would vanish, in percent …
const SHRINK_PERCENT: usize = 30;
/// … and more than this many.
const SHRINK_RRSETS: usize = 10;
/// A difference of more records than this, and than a quarter of the zone, is not kept as a delta.
const DELTA_RECORDS_MIN: usize = 100_000;

//------------ Prepared ------------------------------------------------------

/// What is to be done about a file.
pub(super) struct Prepared {
    /// The decision.
    pub(super) kind: Kind,
    /// Errors, warnings and notes.
    pub(super) findings: Vec<Finding>,
    /// The files as they were seen.
    pub(super) seen: Vec<Seen>,
    /// The serial of the file.
    pub(super) file_serial: Option<u32>,
    /// SHA-256 of the zone file alone.
    pub(super) file_sha256: Option<String>,
    /// The zone as the file has it. Freeing it takes its time, so that is left for later.
    pub(super) leftover: Option<Zone>,
}

/// The decision about a file.
pub(super) enum Kind {
    /// Nothing is to be committed.
    Done(Outcome),
    /// This is to be committed.
    Step(Box<Step>),
}

/// The guard that refused, on the way out of the checks.
type Refused = Guard;

impl Prepared {
    /// A zone whose database rows cannot be read.
    pub(super) fn failed(failed: &StoreError) -> Self {
        let hint = "check the database, then reload";
        Self {
            kind: Kind::Done(Outcome::Refused { serial: None, guard: Guard::Commit }),
            findings: vec![error("database", failed.to_string(), hint)],
            seen: Vec::new(),
            file_serial: None,
            file_sha256: None,
            leftover: None,
        }
    }
}

impl Inner {
    /// Decides what a file means for what is live.
    pub(super) fn prepare(
        &self,
        state: &ZoneState,
        loaded: Result<Loaded, Box<Unread>>,
        who: &str,
        force: bool,
    ) -> Prepared {
        let loaded = match &state.doubled {
            Some(finding) => Err(Box::new(Unread {
                guard: Guard::Doubled,
                finding: finding.clone(),
                seen: vec![Seen::now(&state.source.file)],
            })),
            None => loaded,
        };
        let mut loaded = match loaded {
            Ok(loaded) => loaded,
            Err(unread) => {
                let Unread { guard, finding, seen } = *unread;
                return Prepared {
                    kind: Kind::Done(Outcome::Refused { serial: state.serial(), guard }),
                    findings: vec![finding],
                    seen,
                    file_serial: None,
                    file_sha256: None,
                    leftover: None,
                };
            }
        };
        let mut prepared = Prepared {
            kind: Kind::Done(Outcome::Removed),
            findings: std::mem::take(&mut loaded.findings),
            seen: std::mem::take(&mut loaded.seen),
            file_serial: loaded.zone.as_ref().map(Zone::serial),
            file_sha256: Some(loaded.file_sha256.clone()),
            leftover: loaded.zone.clone(),
        };
        let case = Case { inner: self, state, loaded: &loaded, who, force };
        prepared.kind = case
            .decide(&mut prepared.findings)
            .unwrap_or_else(|guard| Kind::Done(Outcome::Refused { serial: state.serial(), guard }));
        prepared
    }
}

/// One file before one state.
struct Case<'a> {
    /// The publisher.
    inner: &'a Inner,
    /// What is live.
    state: &'a ZoneState,
    /// The file.
    loaded: &'a Loaded,
    /// Who asked.
    who: &'a str,
    /// Whether in spite of the shrink guard and a rollback.
    force: bool,
}

impl Case<'_> {
    /// The guards in their order.
    fn decide(&self, findings: &mut Vec<Finding>) -> Result<Kind, Refused> {
        if let Some(done) = self.known_bytes(findings) {
            return Ok(Kind::Done(done));
        }
        self.complete(findings)?;
        let source = &self.state.source;
        let Some(file) = &self.loaded.zone else {
            findings.extend(judge::built(source, self.loaded));
            return Err(Guard::Check);
        };
        let merged = match self.state.overlay.merge(file) {
            Ok(merged) => merged,
            Err(failed) => {
                findings.push(error("promoted-clash", failed.to_string(), "see the promoted file"));
                return Err(Guard::Merge);
            }
        };
        if file.is_signed() && !self.state.overlay.is_empty() {
            let message = "the zone is signed elsewhere, and promoted records would break it";
            findings.push(error(
                "presigned-merge",
                message.to_owned(),
                "remove the records by request first",
            ));
            return Err(Guard::Merge);
        }
        let clashes = !merged.clashes.is_empty();
        findings.extend(merged.clashes);
        let now_ms = (self.inner.options.now_ms)();
        let (overlay, zone) = (&self.state.overlay, &merged.zone);
        // Both walk the whole zone; a second core has nothing else to do for this zone.
        let (found, delta) = std::thread::scope(|scope| {
            let diff = self.state.zone.as_ref().map(|live| {
                let max = DELTA_RECORDS_MIN.max(live.record_count() / 4);
                scope.spawn(move || live.diff_within(zone, max))
            });
            let found = judge::whole(source, self.loaded, overlay, file, zone, now_ms);
            (found, diff.and_then(|diff| diff.join().ok()).flatten())
        });
        findings.extend(found);
        if clashes {
            return Err(Guard::Merge);
        }
        if findings.iter().any(|finding| finding.severity == Severity::Error) {
            return Err(Guard::Check);
        }
        self.number(file, merged.zone, delta, merged.edits, findings)
    }

    /// The same bytes as what is live, or as what was rolled back: nothing to do.
    fn known_bytes(&self, findings: &mut Vec<Finding>) -> Option<Outcome> {
        let row = self.state.row.as_ref()?;
        let serial = self.state.serial()?;
        if self.force {
            return None;
        }
        if row.held_hash.as_deref() == Some(self.loaded.hash.as_str()) {
            findings.push(warning(
                "file-rolled-back",
                "the file on disk was rolled back; it is loaded when its bytes change, or by reload --force"
                    .to_owned(),
            ));
            return Some(Outcome::Held { serial });
        }
        let same = row.file_hash.as_deref() == Some(self.loaded.hash.as_str());
        same.then_some(Outcome::Unchanged { serial })
    }

    /// Newline, marker and ZONEMD, and that none of them was lost.
    fn complete(&self, findings: &mut Vec<Finding>) -> Result<(), Refused> {
        if self.loaded.guard == Some(Guard::Incomplete) {
            return Err(Guard::Incomplete);
        }
        let Some(row) = self.state.row.as_ref().filter(|_| !self.force) else {
            return Ok(());
        };
        let hint = "put it back, or load the file without it by reload --force";
        let before = findings.len();
        if row.marker && !self.loaded.marker {
            let message =
                "the last line is not \"; gapura: end of zone\" any more: the file may be cut";
            let file = &self.state.source.file;
            let place = Some(last_line(file, &self.loaded.bytes));
            findings.push(Finding { place, ..error("marker-lost", message.to_owned(), hint) });
        }
        // Without a zone its ZONEMD cannot be missed.
        if row.zonemd && !self.loaded.zonemd && self.loaded.zone.is_some() {
            let message = "the zone has no ZONEMD record any more: the file may be cut";
            findings.push(error("zonemd-lost", message.to_owned(), hint));
        }
        let marked: BTreeSet<&str> = self.loaded.marked_includes.lines().collect();
        for include in row.marked_includes.lines() {
            let still_included = self.loaded.included.contains(&PathBuf::from(include));
            if still_included && !marked.contains(include) {
                let message = format!("the include {include} lost its end marker: it may be cut");
                let found = |one: &&Included| one.path == Path::new(include);
                let place = self.loaded.parsed.included.iter().find(found);
                let place = place.map(|one| last_line(&one.shown, &one.bytes));
                findings.push(Finding { place, ..error("marker-lost", message, hint) });
            }
        }
        if findings.len() > before { Err(Guard::Incomplete) } else { Ok(()) }
    }

    /// Compares with what is live and chooses the serial.
    fn number(
        &self,
        file: &Zone,
        mut merged: Zone,
        delta: Option<Delta>,
        rows: Vec<RowEdit>,
        findings: &mut Vec<Finding>,
    ) -> Result<Kind, Refused> {
        let options = &self.inner.options;
        let now_ms = (options.now_ms)();
        let is_whole = self.state.overlay.is_empty();
        let Some(live) = self.state.zone.as_ref() else {
            let serial = self.first_serial(file.serial(), now_ms);
            if !is_whole || serial != file.serial() {
                merged = without_zonemd(merged).map_err(|failed| internal(findings, failed))?;
            }
            let next = with_serial(&merged, serial).map_err(|failed| internal(findings, failed))?;
            return Ok(Kind::Step(Box::new(self.step(next, rows, serial, file.serial(), now_ms))));
        };
        let Some(delta) = delta else {
            return self.replace(live, file, merged, rows, findings);
        };
        let mut content = content_of(delta);
        let differs = !content.is_empty() || soa_differs(live, &merged);
        self.shrink(live, file, &content, findings)?;
        let known = self.known(live);
        let choice =
            serial::choose(file.serial(), differs, known, self.state.source.serial, now_ms);
        self.tell(choice.note, file.serial(), findings);
        let mut step = self.step(live.clone(), rows, live.serial(), file.serial(), now_ms);
        step.change.from = Some(live.serial());
        let Some(serial) = choice.serial else {
            return Ok(Kind::Step(Box::new(step)));
        };
        self.signed_serial(live, file, serial, findings)?;
        let outdated = !is_whole || serial != file.serial();
        if outdated && !zonemd(&merged).is_empty() {
            merged = without_zonemd(merged).map_err(|failed| internal(findings, failed))?;
            content = content_of(live.diff(&merged));
        }
        // A small difference shares all else with what is live; a large one shares nothing anyway.
        let count = content.removed.len() + content.added.len();
        let small = count * 4 < live.record_count() && !soa_differs(live, &merged);
        step.next = match small {
            true => live.apply(&content).map_err(|failed| internal(findings, failed))?,
            false => merged,
        };
        step.set_serial(live, content, serial).map_err(|failed| internal(findings, failed))?;
        Ok(Kind::Step(Box::new(step)))
    }

    /// The whole zone is another one: it goes live without a delta, so that neither memory nor journal
    /// has to hold two zones' worth of records. Secondaries get it whole, and the history begins anew.
    fn replace(
        &self,
        live: &Zone,
        file: &Zone,
        mut merged: Zone,
        rows: Vec<RowEdit>,
        findings: &mut Vec<Finding>,
    ) -> Result<Kind, Refused> {
        let has = |node: &NodeRef<'_>, rtype| merged.rrset(node.owner(), rtype).is_some();
        let counts = counted(live, file);
        let lost = |node: NodeRef<'_>| {
            let sets = node.rrsets().filter(|set| counts(set.rtype()));
            sets.filter(|set| !has(&node, set.rtype())).count()
        };
        self.shrinks(live.nodes().map(lost).sum(), live, file, findings)?;
        let now_ms = (self.inner.options.now_ms)();
        let policy = self.state.source.serial;
        let choice = serial::choose(file.serial(), true, self.known(live), policy, now_ms);
        self.tell(choice.note, file.serial(), findings);
        let serial = choice.serial.unwrap_or_else(|| live.serial());
        self.signed_serial(live, file, serial, findings)?;
        if !self.state.overlay.is_empty() || serial != file.serial() {
            merged = without_zonemd(merged).map_err(|failed| internal(findings, failed))?;
        }
        let next = with_serial(&merged, serial).map_err(|failed| internal(findings, failed))?;
        let mut step = self.step(next, rows, serial, file.serial(), now_ms);
        step.change.from = Some(live.serial());
        Ok(Kind::Step(Box::new(step)))
    }

    /// A zone that was signed elsewhere cannot be renumbered.
    fn signed_serial(
        &self,
        live: &Zone,
        file: &Zone,
        serial: u32,
        findings: &mut Vec<Finding>,
    ) -> Result<(), Refused> {
        if !file.is_signed() || serial == file.serial() {
            return Ok(());
        }
        let message = format!(
            "the zone is signed elsewhere and cannot be renumbered: its serial {} must rise above {}",
            file.serial(),
            live.serial()
        );
        findings.push(error("presigned-serial", message, "sign it again with a higher serial"));
        Err(Guard::Check)
    }

    /// What is known of the serials.
    fn known(&self, live: &Zone) -> Known {
        let row = self.state.row.as_ref();
        Known {
            live: live.serial(),
            high_water: row.map_or_else(|| live.serial(), |row| row.high_water),
            last_file: row.and_then(|row| row.file_serial),
        }
    }

    /// The serial of a first load: the file's own, unless a serial was published before that is not
    /// behind it (a database that was lost or restored).
    fn first_serial(&self, file: u32, now_ms: i64) -> u32 {
        let marks = lock(&self.inner.marks);
        let mark = marks.get(&self.state.source.apex).copied();
        let kept = self.state.row.as_ref().map(|row| row.high_water);
        let newest = match (mark, kept) {
            (Some(mark), Some(kept)) => Some(serial::later(mark, kept)),
            (mark, kept) => mark.or(kept),
        };
        match newest {
            Some(newest) if !is_ahead(file, newest) => {
                self.state.source.serial.next(newest, newest, now_ms)
            }
            None if file == 0 => 1,
            _ => file,
        }
    }

    /// A step to `next`, with what is kept of the file.
    fn step(
        &self,
        next: Zone,
        rows: Vec<RowEdit>,
        serial: u32,
        file_serial: u32,
        now_ms: i64,
    ) -> Step {
        let (state, loaded) = (self.state, self.loaded);
        let old = state.row.as_ref();
        let sha256 = loaded.hash.clone();
        let cause = match old {
            None => Cause::Load { sha256 },
            Some(_) => Cause::File { sha256 },
        };
        let row = ZoneRow {
            serial,
            high_water: old.map_or(serial, |row| serial::later(row.high_water, serial)),
            file_serial: Some(file_serial),
            file_hash: Some(loaded.hash.clone()),
            held_hash: None,
            marker: loaded.marker,
            zonemd: loaded.zonemd,
            marked_includes: loaded.marked_includes.clone(),
            copy_seq: old.and_then(|row| row.copy_seq),
            changed_ms: old.map_or(now_ms, |row| row.changed_ms),
        };
        let change = Change {
            zone: state.source.apex.clone(),
            from: old.map(|row| row.serial),
            to: serial,
            delta: Delta::default(),
            cause,
            who: self.who.to_owned(),
            at_ms: now_ms,
        };
        Step { next, change, rows, row, holds: Some(false) }
    }

    /// The shrink guard.
    fn shrink(
        &self,
        live: &Zone,
        file: &Zone,
        content: &Delta,
        findings: &mut Vec<Finding>,
    ) -> Result<(), Refused> {
        let counts = counted(live, file);
        let removed = content.removed.iter().filter(|record| counts(record.rtype));
        let gone: BTreeSet<(&Name, Rtype)> =
            removed.map(|record| (&record.owner, record.rtype)).collect();
        let come: BTreeSet<(&Name, Rtype)> =
            content.added.iter().map(|record| (&record.owner, record.rtype)).collect();
        let vanished = gone.difference(&come).count();
        // RRsets of which some records stay have not vanished.
        let vanished = vanished.saturating_sub(self.still_there(live, content, &gone, &come));
        self.shrinks(vanished, live, file, findings)
    }

    /// Judges how many RRsets would vanish.
    fn shrinks(
        &self,
        vanished: usize,
        live: &Zone,
        file: &Zone,
        findings: &mut Vec<Finding>,
    ) -> Result<(), Refused> {
        if vanished <= SHRINK_RRSETS {
            return Ok(());
        }
        let counts = counted(live, file);
        let all = match stays_signed(live, file) {
            true => {
                live.nodes().flat_map(NodeRef::rrsets).filter(|set| counts(set.rtype())).count()
            }
            false => live.rrset_count(),
        };
        if vanished * 100 <= all * SHRINK_PERCENT {
            return Ok(());
        }
        let message = format!("{vanished} of {all} RRsets would vanish");
        if self.force {
            findings.push(warning("zone-shrinks", format!("{message}; forced by {}", self.who)));
            return Ok(());
        }
        let hint = "if this is meant, load it by reload --force";
        findings.push(error("zone-shrinks", message, hint));
        Err(Guard::Shrink)
    }

    /// RRsets that lose some records only.
    fn still_there(
        &self,
        live: &Zone,
        content: &Delta,
        gone: &BTreeSet<(&Name, Rtype)>,
        come: &BTreeSet<(&Name, Rtype)>,
    ) -> usize {
        let mut counts = BTreeMap::new();
        for record in &content.removed {
            *counts.entry((&record.owner, record.rtype)).or_insert(0usize) += 1;
        }
        let partly = |key: &&(&Name, Rtype)| {
            let had = live.rrset(key.0.as_ref(), key.1).map_or(0, |set| set.count());
            counts.get(*key).is_some_and(|lost| *lost < had)
        };
        gone.difference(come).filter(partly).count()
    }

    /// Puts in words what there is to say about the file's serial.
    fn tell(&self, note: Option<Note>, file: u32, findings: &mut Vec<Finding>) {
        let last = self.state.row.as_ref().and_then(|row| row.file_serial).unwrap_or_default();
        let finding = match note {
            None => return,
            Some(Note::NotRaised) => warning(
                "serial-not-raised",
                format!("serial not raised: the file still has {file}; gapura chose the next one"),
            ),
            Some(Note::Backwards) => warning(
                "serial-backwards",
                format!("the file's serial {file} is not after the last file's, {last}"),
            ),
            Some(Note::FarAhead) => warning(
                "serial-far-ahead",
                format!(
                    "the serial {file} is more than 2^30 ahead of {last}; secondaries cannot go back"
                ),
            ),
        };
        findings.push(finding);
    }
}

/// A delta that does not apply.
fn internal(findings: &mut Vec<Finding>, failed: ApplyError) -> Refused {
    findings.push(error("internal", failed.to_string(), "this is a fault in gapura"));
    Guard::Check
}

/// A difference without the SOA record.
fn content_of(mut delta: Delta) -> Delta {
    delta.removed.retain(|record| record.rtype != Rtype::SOA);
    delta.added.retain(|record| record.rtype != Rtype::SOA);
    delta
}

/// Whether the SOA records differ in more than the serial.
pub(super) fn soa_differs(a: &Zone, b: &Zone) -> bool {
    soa_record(a, 0) != soa_record(b, 0)
}

/// Which types the shrink guard counts: signatures and proofs of a zone that stays signed are the
/// signer's, and a new salt or another kind of chain replaces them all.
pub(super) fn counted(live: &Zone, file: &Zone) -> impl Fn(Rtype) -> bool + use<> {
    let stays_signed = stays_signed(live, file);
    move |rtype| !(stays_signed && [Rtype::RRSIG, Rtype::NSEC, Rtype::NSEC3].contains(&rtype))
}

/// Whether a zone is signed and stays so.
fn stays_signed(live: &Zone, file: &Zone) -> bool {
    live.is_signed() && file.is_signed()
}

/// The zone without the ZONEMD records that would not hold for it.
fn without_zonemd(zone: Zone) -> Result<Zone, ApplyError> {
    let removed = zonemd(&zone);
    match removed.is_empty() {
        true => Ok(zone),
        false => zone.apply(&Delta { removed, added: Vec::new() }),
    }
}
