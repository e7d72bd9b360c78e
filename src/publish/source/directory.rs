//! The zones of a directory, and which of its files are never looked at.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io;
use std::path::Path;

use crate::publish::state::ZoneSource;
use crate::wire::Name;

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
