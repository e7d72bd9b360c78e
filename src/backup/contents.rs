//! Which files of a state directory belong to a backup, and what a member may be called.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::{BackupError, MEMBERS_MAX};
use crate::files::{AUDIT_KEY, NEXT_AUDIT_KEY, PERSONAL_KEY};

/// The database.
pub const DATABASE: &str = "gapura.db";
/// The directory of the operator's own files: settings and zone files.
pub const OPERATOR: &str = "operator";
/// Files of a state directory. Keys of an unfinished key change are included: the database knows which one counts.
const FILES: [&str; 6] = [AUDIT_KEY, NEXT_AUDIT_KEY, PERSONAL_KEY, "serials", "zones", "erasures"];
/// Directories of a state directory that are included completely. Of letters and papers, those that the database names.
const WHOLE: [&str; 3] = ["keys", "served", "promoted"];
/// Directories of which the database names the files.
const NAMED: [&str; 2] = ["letters", "papers"];
/// Octets of a name.
const NAME_MAX: usize = 1_024;
/// Parts of a name.
const PARTS_MAX: usize = 4;

/// A file that goes into a backup.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Place {
    /// What the member is called.
    pub name: String,
    /// Where the file is.
    pub path: PathBuf,
}

/// The files of a state directory but the database, letters and papers, sorted. Those that are being written
/// (`.part`, `.tmp`) are none.
pub fn files_of(state_dir: &Path) -> Result<Vec<Place>, BackupError> {
    let mut found: Vec<Place> = FILES
        .iter()
        .map(|name| Place { name: (*name).to_owned(), path: state_dir.join(name) })
        .filter(|place| place.path.is_file())
        .collect();
    for directory in WHOLE {
        walk(&state_dir.join(directory), directory, &mut found)?;
    }
    Ok(found)
}

/// Adds the files of a directory and of those in it.
fn walk(directory: &Path, name: &str, found: &mut Vec<Place>) -> Result<(), BackupError> {
    let failed = |source: io::Error| BackupError::read(directory, source);
    let entries = match std::fs::read_dir(directory) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        entries => entries.map_err(failed)?,
    };
    let mut entries: Vec<std::fs::DirEntry> = entries.collect::<Result<_, _>>().map_err(failed)?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let Ok(file) = entry.file_name().into_string() else { continue };
        let (name, kind) = (format!("{name}/{file}"), entry.file_type().map_err(failed)?);
        let is_part = file.ends_with(".part") || file.ends_with(".tmp") || file.ends_with(".new");
        if kind.is_dir() && name.split('/').count() < PARTS_MAX {
            walk(&entry.path(), &name, found)?;
        } else if kind.is_file() && !is_part && is_member(&name) {
            found.push(Place { name, path: entry.path() });
        }
        if found.len() > MEMBERS_MAX {
            return Err(BackupError::Many);
        }
    }
    Ok(())
}

/// Whether a member may have this name: that of a file of a state directory, in the directory it belongs to, without
/// any path tricks.
pub fn is_member(name: &str) -> bool {
    let is_plain = |part: &str| !part.is_empty() && part != "." && part != "..";
    let parts: Vec<&str> = name.split('/').collect();
    let (Some(first), count) = (parts.first(), parts.len()) else { return false };
    let is_file = *first == DATABASE || FILES.contains(first);
    let in_directory = WHOLE.contains(first) || NAMED.contains(first) || *first == OPERATOR;
    name.len() <= NAME_MAX
        && !name.chars().any(char::is_control)
        && parts.iter().all(|part| is_plain(part))
        && ((is_file && count == 1) || (in_directory && (2..=PARTS_MAX).contains(&count)))
}
