//! Zones that must change together. A file `zones.manifest` beside the zone files lists them with a hash
//! each, as `sha256sum` prints it, and is written last; all go live in one swap or none does.
//!
//! ```text
//! 9f86d081884c7d65…  cirebonkab.go.id.zone
//! 60303ae22b998861…  2.0.192.in-addr.arpa.zone
//! ```

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use ring::digest::{SHA256, digest};

use super::commit::Locked;
use super::compile::{self, Pace, directory_of, error};
use super::decide::{Kind, Prepared};
use super::publisher::{Inner, Slot, lock};
use super::read::{self, Seen};
use super::reload::{failure, outcome_of, report};
use super::report::{Guard, Outcome, ReloadReport};
use crate::master::Finding;
use crate::wire::Name;

/// The name of the list.
const FILE_NAME: &str = "zones.manifest";
/// Octets a list may have.
const OCTETS_MAX: u64 = 16 << 20;

//------------ Group ---------------------------------------------------------

/// Zones that are loaded together.
pub(super) struct Group {
    /// The list; none for a zone by itself.
    pub(super) manifest: Option<Manifest>,
    /// The zones, in canonical order.
    pub(super) slots: Vec<Arc<Slot>>,
}

/// A list as it was read.
pub(super) struct Manifest {
    /// Where it is.
    path: PathBuf,
    /// Hashes by file.
    hashes: BTreeMap<PathBuf, String>,
}

/// Where the list of a zone file would be.
pub(super) fn path_of(file: &Path) -> PathBuf {
    directory_of(file).join(FILE_NAME)
}

impl Manifest {
    /// Reads a list; none if there is none.
    fn read(path: PathBuf) -> Option<Self> {
        let (bytes, _) = read::read(&path, OCTETS_MAX).ok()?;
        let text = String::from_utf8(bytes).ok()?;
        let directory = directory_of(&path);
        let pairs = text.lines().filter_map(|line| {
            let (hash, name) = line.split_once(char::is_whitespace)?;
            let name = name.trim_start().trim_start_matches('*').trim_start_matches("./");
            Some((directory.join(name), hash.to_ascii_lowercase()))
        });
        Some(Self { hashes: pairs.collect(), path })
    }
}

/// Puts zones in groups. A list brings in all zones that it names, asked for or not.
pub(super) fn groups(inner: &Inner, slots: &[Arc<Slot>]) -> Vec<Group> {
    let mut lists: BTreeMap<PathBuf, Option<Manifest>> = BTreeMap::new();
    let mut together: BTreeMap<PathBuf, Vec<Arc<Slot>>> = BTreeMap::new();
    let mut groups = Vec::new();
    let all: Vec<Arc<Slot>> = lock(&inner.slots).values().cloned().collect();
    for slot in slots {
        let file = lock(&slot.state).source.file.clone();
        let path = path_of(&file);
        let list = lists.entry(path.clone()).or_insert_with(|| Manifest::read(path.clone()));
        match list {
            Some(list) if list.hashes.contains_key(&file) => {
                together.entry(path).or_insert_with(|| {
                    let listed = |slot: &&Arc<Slot>| {
                        list.hashes.contains_key(&lock(&slot.state).source.file)
                    };
                    all.iter().filter(listed).cloned().collect()
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
pub(super) fn reload(
    inner: &Inner,
    group: &Group,
    pace: Pace,
    force_by: Option<&str>,
) -> Vec<ReloadReport> {
    let began = Instant::now();
    let sources: Vec<_> = group.slots.iter().map(|slot| lock(&slot.state).source.clone()).collect();
    let loaded: Vec<_> =
        sources.iter().map(|source| compile::load(source, &inner.options, pace)).collect();
    // The slots are in canonical order, so two groups can never wait for each other.
    let mut states: Vec<_> = group.slots.iter().map(|slot| lock(&slot.state)).collect();
    let mut prepared: Vec<Prepared> = Vec::new();
    for (state, loaded) in states.iter().zip(loaded) {
        prepared.push(inner.prepare(
            state,
            loaded,
            force_by.unwrap_or("gapura"),
            force_by.is_some(),
        ));
    }
    let listed = group.manifest.as_ref();
    let missing = listed
        .map(|list| unlisted_mismatch(list, &sources, inner.options.file_octets_max))
        .unwrap_or_default();
    for (one, source) in prepared.iter_mut().zip(&sources) {
        if let Some(list) = listed {
            // The manifest is written last: its change alone must bring all of them back here.
            one.seen.push(Seen::now(&list.path));
        }
        let expected = listed.and_then(|list| list.hashes.get(&source.file));
        let differs = expected.is_some() && one.file_sha256.as_ref() != expected;
        if differs && !is_refused(one) {
            one.findings.push(mismatch(&source.file));
            one.kind = Kind::Done(Outcome::Refused { serial: None, guard: Guard::Manifest });
        }
    }
    let all_fine = missing.is_empty() && !prepared.iter().any(is_refused);
    let mut locked = Vec::new();
    let mut reports: BTreeMap<Name, (Outcome, Vec<Finding>)> = BTreeMap::new();
    for (((slot, mut state), one), source) in
        group.slots.iter().zip(states.drain(..)).zip(prepared).zip(&sources)
    {
        state.note(&one);
        let Prepared { kind, mut findings, .. } = one;
        let serial = state.serial();
        let outcome = match kind {
            Kind::Step(step) if all_fine => {
                reports.insert(
                    source.apex.clone(),
                    (Outcome::Refused { serial, guard: Guard::Commit }, findings),
                );
                locked.push(Locked { slot, state, step: *step });
                continue;
            }
            Kind::Step(_) => {
                findings.extend(missing.iter().cloned());
                findings.push(held_up(listed));
                Outcome::Refused { serial, guard: Guard::Manifest }
            }
            Kind::Done(Outcome::Refused { guard, .. }) => Outcome::Refused { serial, guard },
            Kind::Done(outcome) => outcome,
        };
        let report = report(source, outcome, findings, began);
        state.conclude(&report, (inner.options.now_ms)());
        reports.insert(source.apex.clone(), (report.outcome, report.findings));
    }
    commit(inner, locked, &mut reports);
    conclude(inner, group, &sources, reports, began)
}

/// Commits what is fine, in one transaction and one swap.
fn commit(
    inner: &Inner,
    locked: Vec<Locked<'_>>,
    reports: &mut BTreeMap<Name, (Outcome, Vec<Finding>)>,
) {
    if locked.is_empty() {
        return;
    }
    let apexes: Vec<Name> = locked.iter().map(|one| one.slot.apex.clone()).collect();
    match inner.commit_all_and_confirm(locked) {
        Ok(changes) => {
            for change in changes {
                if let Some((outcome, _)) = reports.get_mut(&change.zone) {
                    *outcome = outcome_of(&change, None);
                }
            }
        }
        Err(failed) => {
            let (guard, finding) = failure(&failed);
            for apex in apexes {
                if let Some((outcome, findings)) = reports.get_mut(&apex) {
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
    sources: &[super::ZoneSource],
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
    list: &Manifest,
    sources: &[super::ZoneSource],
    octets_max: u64,
) -> Vec<Finding> {
    list.hashes
        .iter()
        .filter(|(file, _)| !sources.iter().any(|source| source.file == **file))
        .filter(|(file, hash)| {
            let read = read::read(file, octets_max);
            !read.is_ok_and(|(bytes, _)| super::hex(digest(&SHA256, &bytes).as_ref()) == **hash)
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

/// A zone that waits for another one of its list.
fn held_up(list: Option<&Manifest>) -> Finding {
    let path = list.map_or_else(|| FILE_NAME.to_owned(), |list| list.path.display().to_string());
    error(
        "manifest-incomplete",
        format!("another zone of {path} was refused, and they go live together"),
        "repair the other zone, or take this one out of the manifest",
    )
}
