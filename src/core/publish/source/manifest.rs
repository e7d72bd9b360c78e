//! Zones that must change together. A file `zones.manifest` beside the zone files lists them with their
//! hashes, as `sha256sum` prints them, and is written last; all go live in one swap or none does.
//!
//! ```text
//! 9f86d081884c7d65…  cirebonkab.go.id.zone
//! 60303ae22b998861…  2.0.192.in-addr.arpa.zone
//! ```
//!
//! While the list itself cannot be read completely, no zone beside it changes, because it is not known which
//! ones it names.

use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use super::compile::{self, Pace, directory_of};
use super::read::{self, ReadFault};
use super::reload::{decide, failure, outcome_of, report};
use super::start::Begun;
use crate::digest::sha256_hex;
use crate::lock::lock;
use crate::master::Finding;
use crate::publish::door::{self, Held, Proposal};
use crate::publish::propose::{Kind, Prepared};
use crate::publish::state::{
    By, Cause, Guard, Inner, Options, Outcome, ReloadReport, Seen, Slot, ZoneSource, error,
};
use crate::wire::Name;

/// The name of the list.
const FILE_NAME: &str = "zones.manifest";
/// Octets a list may have.
const OCTETS_MAX: u64 = 16 << 20;

//------------ Group ---------------------------------------------------------

/// Zones that are loaded together.
pub(super) struct Group {
    /// The list; none for a zone by itself.
    pub(super) manifest: Option<List>,
    /// The zones, in canonical order.
    pub(super) slots: Vec<Arc<Slot>>,
}

/// A list that is there.
pub(super) struct List {
    /// Where it is.
    path: PathBuf,
    /// Hashes by file, or why they are not known.
    hashes: Result<BTreeMap<PathBuf, String>, Finding>,
}

/// Where the list of a zone file would be.
pub(super) fn path_of(file: &Path) -> PathBuf {
    directory_of(file).join(FILE_NAME)
}

impl List {
    /// Reads a list; none if there is none.
    fn read(path: &Path) -> Option<Self> {
        let hashes = match read::read(path, OCTETS_MAX) {
            Ok((bytes, _)) => hashes(path, &bytes).map_err(|why| damaged(path, why)),
            Err(ReadFault::Io(failed)) if failed.kind() == ErrorKind::NotFound => return None,
            Err(ReadFault::Io(failed)) => Err(damaged(path, &failed.to_string())),
            Err(ReadFault::Changing) => Err(damaged(path, "it changes")),
            Err(ReadFault::Holes) => Err(damaged(path, "it has parts that were never written")),
            Err(ReadFault::TooLarge(octets)) => {
                Err(damaged(path, &format!("it has {octets} octets")))
            }
        };
        Some(Self { path: path.to_owned(), hashes })
    }

    /// Whether the zone of a file is bound by the list.
    fn binds(&self, file: &Path) -> bool {
        match &self.hashes {
            Ok(hashes) => hashes.contains_key(file),
            Err(_) => path_of(file) == self.path,
        }
    }

    /// Judges zones that are fine by themselves, of which all go live or none. Returns why none does.
    fn judge<'p>(
        &self,
        sources: &[ZoneSource],
        octets_max: u64,
        bound: impl Iterator<Item = (&'p ZoneSource, &'p mut Prepared)>,
    ) -> Vec<Finding> {
        let mut faults = self.faults(sources, octets_max);
        let mut any_refused = false;
        for (source, one) in bound {
            self.judge_one(&source.file, one);
            any_refused |= is_refused(one);
        }
        if any_refused {
            faults.push(held_up(&self.path));
        }
        faults
    }

    /// Why not even what is fine by itself goes live: the list is damaged, or a listed file that is no
    /// zone of ours (an include) is not as it says.
    fn faults(&self, sources: &[ZoneSource], octets_max: u64) -> Vec<Finding> {
        match &self.hashes {
            Ok(hashes) => unlisted_mismatch(hashes, sources, octets_max),
            Err(finding) => vec![finding.clone()],
        }
    }

    /// Refuses a zone that is fine by itself and is not the one of the list.
    fn judge_one(&self, file: &Path, one: &mut Prepared) {
        // The manifest is written last: its change alone must bring all of them back here.
        one.seen.push(Seen::now(&self.path));
        let expected = self.hashes.as_ref().ok().and_then(|hashes| hashes.get(file));
        let differs = expected.is_some() && one.file_sha256.as_ref() != expected;
        if differs && !is_refused(one) {
            one.findings.push(mismatch(file));
            one.kind = Kind::Done(Outcome::Refused { serial: None, guard: Guard::Manifest });
        }
    }
}

/// What the lists beside these zones' files say that is not so, for `gapura check`.
pub fn manifest_faults(sources: &[ZoneSource]) -> Vec<Finding> {
    let octets_max = Options::new("").file_octets_max;
    let paths = lists_of(sources);
    let lists = paths.iter().filter_map(|path| List::read(path));
    lists
        .flat_map(|list| {
            let mut faults = list.faults(sources, octets_max);
            let listed = list.hashes.unwrap_or_default();
            let ours = sources.iter().map(|source| &source.file).collect::<BTreeSet<_>>();
            let differs = ours.into_iter().filter(|file| {
                let read = || read::read(file, octets_max).ok();
                let hash = listed.get(*file);
                hash.is_some_and(|hash| read().is_none_or(|(bytes, _)| sha256_hex(&bytes) != *hash))
            });
            faults.extend(differs.map(|file| mismatch(file)));
            faults
        })
        .collect()
}

/// Where lists beside the files of zones would be.
fn lists_of(sources: &[ZoneSource]) -> BTreeSet<PathBuf> {
    let files = sources.iter().filter(|source| source.has_file());
    files.map(|source| path_of(&source.file)).collect()
}

/// The hashes by file, or what is wrong with the text.
fn hashes(path: &Path, bytes: &[u8]) -> Result<BTreeMap<PathBuf, String>, &'static str> {
    let text = std::str::from_utf8(bytes).map_err(|_| "it is not UTF-8")?;
    let directory = directory_of(path);
    let mut hashes = BTreeMap::new();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let (hash, name) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let name = name.trim_start().trim_start_matches('*').trim_start_matches("./");
        let is_hash = hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !is_hash || name.is_empty() {
            return Err("a line is not a SHA-256 and the name of a file");
        }
        let hash = hash.to_ascii_lowercase();
        if hashes.insert(directory.join(name), hash.clone()).is_some_and(|other| other != hash) {
            return Err("a file is listed with two hashes");
        }
    }
    match (hashes.is_empty(), text.ends_with('\n')) {
        (true, _) => Err("it lists nothing"),
        (_, false) => Err("its last line has no newline"),
        _ => Ok(hashes),
    }
}

/// Puts zones in groups. A list brings in all zones that it names, asked for or not.
pub(super) fn groups(inner: &Inner, slots: &[Arc<Slot>]) -> Vec<Group> {
    let mut lists: BTreeMap<PathBuf, Option<List>> = BTreeMap::new();
    let mut together: BTreeMap<PathBuf, Vec<Arc<Slot>>> = BTreeMap::new();
    let mut groups = Vec::new();
    let all = inner.all_slots();
    for slot in slots {
        let (file, has_file) = {
            let state = lock(&slot.state);
            (state.source.file.clone(), state.source.has_file())
        };
        if !has_file {
            groups.push(Group { manifest: None, slots: vec![Arc::clone(slot)] });
            continue;
        }
        let path = path_of(&file);
        let list = lists.entry(path.clone()).or_insert_with(|| List::read(&path));
        match list {
            Some(list) if list.binds(&file) => {
                together.entry(path).or_insert_with(|| {
                    let bound = |slot: &&Arc<Slot>| list.binds(&lock(&slot.state).source.file);
                    all.iter().filter(bound).cloned().collect()
                });
            }
            _ => groups.push(Group { manifest: None, slots: vec![Arc::clone(slot)] }),
        }
    }
    for (path, slots) in together {
        let manifest = lists.remove(&path).flatten();
        groups.push(Group { manifest, slots });
    }
    groups
}

//------------ Loading together ----------------------------------------------

/// Loads the zones of a list: all or none.
pub(super) fn reload(inner: &Inner, group: &Group, pace: Pace, by: &By) -> Vec<ReloadReport> {
    let began = Instant::now();
    let sources: Vec<_> = group.slots.iter().map(|slot| lock(&slot.state).source.clone()).collect();
    let loaded: Vec<_> =
        sources.iter().map(|source| compile::load(source, &inner.options, pace)).collect();
    // The slots are in canonical order, so two groups can never wait for each other.
    let mut all: Vec<Held<'_>> = group.slots.iter().map(|slot| Held::new(slot)).collect();
    let mut prepared: Vec<Prepared> =
        all.iter_mut().zip(loaded).map(|(held, loaded)| decide(inner, held, loaded, by)).collect();
    let octets_max = inner.options.file_octets_max;
    let faults = match &group.manifest {
        Some(list) => list.judge(&sources, octets_max, sources.iter().zip(&mut prepared)),
        None => Vec::new(),
    };
    let (mut changing, mut proposals) = (Vec::new(), Vec::new());
    let mut reports: BTreeMap<Name, (Outcome, Vec<Finding>)> = BTreeMap::new();
    for ((mut held, one), source) in all.into_iter().zip(prepared).zip(&sources) {
        held.state.note(&one, (inner.options.now_ms)());
        let Prepared { kind, mut findings, .. } = one;
        let serial = held.state.serial();
        let outcome = match kind {
            Kind::Propose(proposal) if faults.is_empty() => {
                reports.insert(
                    source.apex.clone(),
                    (Outcome::Refused { serial, guard: Guard::Commit }, findings),
                );
                changing.push(held);
                proposals.push(*proposal);
                continue;
            }
            Kind::Propose(_) => {
                findings.extend(faults.iter().cloned());
                Outcome::Refused { serial, guard: Guard::Manifest }
            }
            Kind::Done(Outcome::Refused { guard, .. }) => Outcome::Refused { serial, guard },
            Kind::Done(outcome) => outcome,
        };
        let report = report(source, outcome, findings, began);
        held.state.conclude(&report, (inner.options.now_ms)());
        reports.insert(source.apex.clone(), (report.outcome, report.findings));
    }
    publish(inner, changing, proposals, &mut reports);
    conclude(inner, group, &sources, reports, began)
}

/// Holds up zones that are started: of those of one list, all that change go live or none does.
pub(super) fn hold_up(begun: &mut [Begun], octets_max: u64) {
    let sources: Vec<ZoneSource> =
        begun.iter().map(|one| lock(&one.slot.state).source.clone()).collect();
    let paths = lists_of(&sources);
    for list in paths.iter().filter_map(|path| List::read(path)) {
        let mut bound: Vec<_> = sources
            .iter()
            .zip(&mut *begun)
            .filter(|(source, _)| list.binds(&source.file))
            .collect();
        let prepared = bound.iter_mut().map(|(source, one)| (*source, &mut one.prepared));
        let faults = list.judge(&sources, octets_max, prepared);
        if faults.is_empty() {
            continue;
        }
        for (_, one) in bound {
            let serial = lock(&one.slot.state).serial();
            match &mut one.prepared.kind {
                Kind::Done(Outcome::Refused { serial: served, .. }) => *served = serial,
                Kind::Done(_) => {}
                // No change of a file: a serial that a restored database is behind of.
                Kind::Propose(one) if matches!(one.cause, Cause::Own { .. }) => {}
                kind @ Kind::Propose(_) => {
                    *kind = Kind::Done(Outcome::Refused { serial, guard: Guard::Manifest });
                    one.prepared.findings.extend(faults.iter().cloned());
                }
            }
        }
    }
}

/// Publishes what is fine, in one transaction and one swap.
fn publish(
    inner: &Inner,
    mut held: Vec<Held<'_>>,
    proposals: Vec<Proposal>,
    reports: &mut BTreeMap<Name, (Outcome, Vec<Finding>)>,
) {
    match door::publish(inner, &mut held, proposals) {
        Ok(published) => {
            for one in published {
                if let Some((outcome, _)) = reports.get_mut(&one.change.zone) {
                    *outcome = outcome_of(&one.change, None);
                }
            }
        }
        Err(failed) => {
            let (guard, finding) = failure(&failed.into());
            for held in held {
                if let Some((outcome, findings)) = reports.get_mut(&held.slot.apex) {
                    if let Outcome::Refused { guard: why, .. } = outcome {
                        *why = guard;
                    }
                    findings.push(finding.clone());
                }
            }
        }
    }
}

/// Writes down what came of those that were to be committed, and makes the reports.
fn conclude(
    inner: &Inner,
    group: &Group,
    sources: &[ZoneSource],
    mut reports: BTreeMap<Name, (Outcome, Vec<Finding>)>,
    began: Instant,
) -> Vec<ReloadReport> {
    let mut all = Vec::new();
    for (slot, source) in group.slots.iter().zip(sources) {
        let Some((outcome, findings)) = reports.remove(&source.apex) else { continue };
        let report = report(source, outcome, findings, began);
        let mut state = lock(&slot.state);
        if report.result() == "live" || state.refusal.is_some() {
            state.conclude(&report, (inner.options.now_ms)());
        }
        all.push(report);
    }
    all
}

/// Whether a file was refused by itself.
fn is_refused(prepared: &Prepared) -> bool {
    matches!(prepared.kind, Kind::Done(Outcome::Refused { .. }))
}

/// Listed files that are no zones of ours (includes) and are not as the list says.
fn unlisted_mismatch(
    hashes: &BTreeMap<PathBuf, String>,
    sources: &[ZoneSource],
    octets_max: u64,
) -> Vec<Finding> {
    let ours: BTreeSet<&PathBuf> = sources.iter().map(|source| &source.file).collect();
    hashes
        .iter()
        .filter(|(file, _)| !ours.contains(file))
        .filter(|(file, hash)| {
            let read = read::read(file, octets_max);
            !read.is_ok_and(|(bytes, _)| sha256_hex(&bytes) == **hash)
        })
        .map(|(file, _)| mismatch(file))
        .collect()
}

/// A file that is not as the list says.
fn mismatch(file: &Path) -> Finding {
    error(
        "manifest-mismatch",
        format!("{} is not the file that {FILE_NAME} lists", file.display()),
        "write all files first and the manifest last",
    )
}

/// A list that cannot be used.
fn damaged(path: &Path, why: &str) -> Finding {
    error(
        "manifest-damaged",
        format!("{} cannot be used: {why}", path.display()),
        "write it as sha256sum prints it, or remove it if zones need not change together",
    )
}

/// A zone that waits for another one of its list.
fn held_up(path: &Path) -> Finding {
    error(
        "manifest-incomplete",
        format!("another zone of {} was refused, and they go live together", path.display()),
        "repair the other zone, or take this one out of the manifest",
    )
}
