//! Where zones come from, which files are never looked at, and what the publisher is told to do.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::SerialPolicy;
use crate::wire::Name;

//------------ ZoneSource ----------------------------------------------------

/// A zone and the operator's file it is loaded from.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ZoneSource {
    /// The apex.
    pub apex: Name,
    /// The master file, as the operator named it.
    pub file: PathBuf,
    /// How strictly it is checked.
    pub checks: Strictness,
    /// How serials are chosen.
    pub serial: SerialPolicy,
    /// Rules whose warnings count as errors.
    pub errors: Vec<String>,
}

impl ZoneSource {
    /// A zone with the settings every zone has by default.
    pub fn new(apex: Name, file: impl Into<PathBuf>) -> Self {
        Self {
            apex,
            file: file.into(),
            checks: Strictness::Strict,
            serial: SerialPolicy::default(),
            errors: Vec::new(),
        }
    }
}

/// How strictly a zone is checked.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Strictness {
    /// Missing glue and the like are errors.
    #[default]
    Strict,
    /// They are warnings.
    Lenient,
}

/// All zones of a directory: each `NAME.zone` is the zone NAME, in the order of the file names. A file
/// that is named after no zone is an error.
pub fn sources_in(directory: &Path) -> io::Result<Vec<ZoneSource>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        let is_zone = path.extension() == Some(OsStr::new("zone"));
        // A link that leads nowhere, or a file that cannot be looked at, is a zone at fault and not
        // one that has left.
        if !is_zone || is_ignored(&path) || path.is_dir() {
            continue;
        }
        let stem = path.file_stem().and_then(OsStr::to_str).unwrap_or_default();
        // A file that is left out in silence would be a zone that nobody serves.
        let apex = Name::from_text(stem.as_bytes()).map_err(|error| {
            io::Error::other(format!("{} is named after no zone: {error}", path.display()))
        })?;
        found.insert(path.clone(), ZoneSource::new(apex, path));
    }
    Ok(found.into_values().collect())
}

/// Whether a file is what an editor or a copy leaves beside the real one: `*~`, `.*.sw?`, `#*#`,
/// `.#*`, `4913`, `*.bak`, `*.tmp`.
pub fn is_ignored(path: &Path) -> bool {
    let Some(name) = path.file_name().and_then(OsStr::to_str) else { return false };
    let swap = name.starts_with('.')
        && name.rsplit_once('.').is_some_and(|(_, end)| end.len() == 3 && end.starts_with("sw"));
    swap || name.ends_with('~')
        || (name.starts_with('#') && name.ends_with('#'))
        || name.starts_with(".#")
        || name == "4913"
        || name.ends_with(".bak")
        || name.ends_with(".tmp")
}

//------------ Options -------------------------------------------------------

/// What the publisher is told to do; `run` takes most of it from the settings.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where gapura keeps its own files.
    pub state_dir: PathBuf,
    /// How long a file must have been left alone before it is read.
    pub quiet: Duration,
    /// How often files are looked at besides the watch.
    pub poll: Duration,
    /// A file that still changes after this long is reported and not loaded.
    pub patience: Duration,
    /// Octets a zone file and its includes may have together.
    pub file_octets_max: u64,
    /// Changes kept in a zone's journal.
    pub journal_changes_max: u64,
    /// Octets kept in a zone's journal.
    pub journal_octets_max: u64,
    /// Milliseconds since 1970; a function, so that tests have clocks of their own.
    pub now_ms: fn() -> i64,
}

impl Options {
    /// The defaults, with gapura's own files in `state_dir`.
    pub fn new(state_dir: impl Into<PathBuf>) -> Self {
        Self {
            state_dir: state_dir.into(),
            quiet: Duration::from_millis(300),
            poll: Duration::from_secs(2),
            patience: Duration::from_secs(30),
            file_octets_max: 1 << 30,
            journal_changes_max: 10_000,
            journal_octets_max: 256 << 20,
            now_ms: system_now_ms,
        }
    }
}

/// The system's clock.
fn system_now_ms() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn editors_leavings_are_ignored() {
        for name in ["a.zone~", ".a.zone.swp", ".a.swx", "#a#", ".#a", "4913", "a.bak", "a.tmp"] {
            assert!(is_ignored(Path::new(name)), "{name}");
        }
        for name in ["a.zone", "..data", "swap.zone", "a.swp.zone", "#a.zone"] {
            assert!(!is_ignored(Path::new(name)), "{name}");
        }
    }

    #[test]
    fn a_link_that_leads_nowhere_is_a_zone_all_the_same() {
        let directory = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("gone", directory.path().join("a.example.zone")).unwrap();
        std::fs::create_dir(directory.path().join("b.example.zone")).unwrap();
        let found = sources_in(directory.path()).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].apex.to_string(), "a.example.");
    }
}
