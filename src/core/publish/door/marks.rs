//! `state/serials`: the newest serial of each zone, outside the database. A database restored from a backup
//! must not go below them.
//!
//! The file records its own identity, and each serial makes it a new file: a backup copied over it names a
//! file that no longer exists, which reveals that the state was restored.

use std::collections::{BTreeSet, HashMap};
use std::fs::File;
use std::path::{Path, PathBuf};

use super::own_file::replace;
use super::served;
use crate::files;
use crate::lock::lock;
use crate::publish::state::serial::{is_ahead, later};
use crate::publish::state::{Inner, PublishError};
use crate::wire::Name;

/// How the line begins that says which file it is.
const FILE: &str = "# file ";

/// Where the serials are.
pub(super) fn marks_path(state_dir: &Path) -> PathBuf {
    state_dir.join("serials")
}

/// The file as it is; empty if it cannot be read.
fn text(state_dir: &Path) -> String {
    let bytes = files::read(&marks_path(state_dir)).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Reads the newest serial of each zone.
pub(crate) fn read_marks(state_dir: &Path) -> HashMap<Name, u32> {
    let text = text(state_dir);
    let pairs = text.lines().filter(|line| !line.starts_with(FILE)).filter_map(|line| {
        let (name, serial) = line.split_once(' ')?;
        Some((name.parse().ok()?, serial.parse().ok()?))
    });
    pairs.collect()
}

/// The zones that there are copies or promoted records of beside the database.
pub(crate) fn copied(state_dir: &Path) -> BTreeSet<Name> {
    let mut names: BTreeSet<Name> = served::names(state_dir).into_iter().collect();
    names.extend(served::names_in(&state_dir.join("promoted")));
    names
}

/// Which file the serials say to be in, if that is another one than they are in.
fn other_file(state_dir: &Path) -> Option<String> {
    let found = std::fs::metadata(marks_path(state_dir)).ok()?;
    let text = text(state_dir);
    let said = text.lines().find_map(|line| line.strip_prefix(FILE))?;
    (said != files::identity(&found)).then(|| said.to_owned())
}

/// Whether the serials are a copy: put back or moved.
pub(crate) fn are_marks_copied(state_dir: &Path) -> bool {
    other_file(state_dir).is_some()
}

/// Notes the newest serial of a zone.
pub(crate) fn raise_mark(inner: &Inner, zone: Name, serial: u32) {
    let mut marks = lock(&inner.marks);
    let mark = marks.entry(zone).or_insert(serial);
    *mark = later(*mark, serial);
}

/// Writes them, one zone a line. They are read under the lock of the file, so that older ones never
/// replace newer ones.
pub(super) fn write_marks(inner: &Inner) -> Result<(), PublishError> {
    let _one_at_a_time = lock(&inner.files);
    // Another daemon writes them now.
    if inner.store.is_left() {
        return Ok(());
    }
    let lines = lines(&lock(&inner.marks));
    write(&inner.options.state_dir, &lines, None)
}

/// Raises the newest serial of a zone while no daemon runs; the next start goes above it. Returns whether
/// it was behind.
pub(crate) fn raise_mark_at(
    state_dir: &Path,
    zone: &Name,
    floor: u32,
) -> Result<bool, PublishError> {
    let mut marks = read_marks(state_dir);
    let mark = marks.entry(zone.clone()).or_insert_with(|| floor.wrapping_sub(1));
    if !is_ahead(floor, *mark) {
        return Ok(false);
    }
    *mark = floor;
    // The next start is to see that it was put back.
    write(state_dir, &lines(&marks), other_file(state_dir))?;
    Ok(true)
}

/// The lines of the zones.
fn lines(marks: &HashMap<Name, u32>) -> String {
    let mut lines: Vec<_> =
        marks.iter().map(|(name, serial)| format!("{name} {serial}\n")).collect();
    lines.sort_unstable();
    lines.concat()
}

/// Writes the file, unless it is so already; it says which file it is, or that it is `other`.
fn write(state_dir: &Path, lines: &str, other: Option<String>) -> Result<(), PublishError> {
    let path = marks_path(state_dir);
    let whole = |file: &str| format!("{FILE}{file}\n{lines}");
    let own = std::fs::metadata(&path).map(|found| files::identity(&found));
    if own.is_ok_and(|own| text(state_dir) == whole(&own)) {
        return Ok(());
    }
    replace(&path, "serials", |file: &File| {
        let own = files::identity(&file.metadata()?);
        Ok(whole(&other.unwrap_or(own)).into_bytes())
    })
}
