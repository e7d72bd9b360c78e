//! The zones of a directory, and which of its files are ignored.
//!
//! A bad file name affects only that file.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::DirEntry;
use std::io;
use std::path::Path;

use crate::master::Finding;
use crate::publish::state::{Sources, ZoneSource, error};
use crate::wire::Name;

/// All zones of a directory: each `NAME.zone` is the zone NAME, in the order of the file names. A file
/// that is named after no zone is a finding, and so is a directory that cannot be read.
pub fn sources_in(directory: &Path) -> Sources {
    let mut sources = Sources { directory: Some(directory.to_owned()), ..Sources::default() };
    let entries = match std::fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(failed) => {
            sources.findings.push(unreadable(directory, &failed));
            return sources;
        }
    };
    let mut found = BTreeMap::new();
    for entry in entries {
        let path = match entry {
            Ok(entry) if is_zone_file(&entry) => entry.path(),
            Ok(_) => continue,
            Err(failed) => {
                // The rest of the directory is not known.
                sources.findings.push(unreadable(directory, &failed));
                break;
            }
        };
        let stem = path.file_stem().map(OsStr::as_encoded_bytes).unwrap_or_default();
        match Name::from_text(stem) {
            Ok(apex) => {
                let source = ZoneSource { by_file: true, ..ZoneSource::new(apex, path.clone()) };
                found.insert(path, source);
            }
            // A file that is left out in silence would be a zone that nobody serves.
            Err(wrong) => {
                let message = format!("{} is not named after a zone: {wrong}", path.display());
                let hint =
                    "name it after its apex, such as example.go.id.zone, or move it elsewhere";
                sources.findings.push(error("zone-file-name", message, hint));
            }
        }
    }
    sources.zones = found.into_values().collect();
    sources
}

/// Whether an entry is to be a zone. Hidden files and what editors leave are not, nor is what can never
/// be a zone file: a directory, a socket, a device. A link that leads nowhere, or a file that cannot be
/// looked at, is a zone at fault and not one that has left.
fn is_zone_file(entry: &DirEntry) -> bool {
    let path = entry.path();
    let is_hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
    let is_zone = path.extension() == Some(OsStr::new("zone"));
    is_zone && !is_hidden && !is_ignored(&path) && can_be_zone(&path)
}

/// Whether a path leads to a regular file, or to nothing that can be looked at.
fn can_be_zone(path: &Path) -> bool {
    std::fs::metadata(path).map_or(true, |found| found.is_file())
}

/// Whether a file of a directory still claims its name.
pub(super) fn still_claims(path: &Path) -> bool {
    path.symlink_metadata().is_ok() && can_be_zone(path)
}

/// A directory that cannot be read. Its zones go on as they are.
fn unreadable(directory: &Path, failed: &io::Error) -> Finding {
    let message = format!("server.zone_dir: cannot read {}: {failed}", directory.display());
    error("zone-dir-unreadable", message, "mount it, or correct the path or its permissions")
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
        let found = sources_in(directory.path());
        assert_eq!(found.zones.len(), 1);
        assert_eq!(found.zones[0].apex.to_string(), "a.example.");
        assert!(found.findings.is_empty());
    }

    #[test]
    fn a_stray_file_is_ignored_or_its_own_finding() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        for file in ["ok.id.zone", "._ok.id.zone", ".x.zone", ".zone", "#ok.id.zone#", "notes"] {
            std::fs::write(root.join(file), "").unwrap();
        }
        std::os::unix::net::UnixListener::bind(root.join("socket.id.zone")).unwrap();
        let names = |found: &Sources| -> Vec<String> {
            found.zones.iter().map(|source| source.apex.to_string()).collect()
        };
        let found = sources_in(root);
        assert_eq!(names(&found), ["ok.id."]);
        assert!(found.findings.is_empty(), "{:?}", found.findings);
        std::fs::write(root.join("bad..name.zone"), "").unwrap();
        std::fs::write(root.join(format!("{}.zone", "a".repeat(64))), "").unwrap();
        let found = sources_in(root);
        assert_eq!(names(&found), ["ok.id."]);
        let rules: Vec<_> = found.findings.iter().map(|finding| finding.rule).collect();
        assert_eq!(rules, ["zone-file-name"; 2]);
        let gone = sources_in(&root.join("gone"));
        assert!(gone.zones.is_empty());
        assert_eq!(gone.findings[0].rule, "zone-dir-unreadable");
    }
}
