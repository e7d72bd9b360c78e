//! Limits where the daemon may write and which programs it may run, as far as the kernel supports it (Landlock). The
//! limits are permanent, and apply to the programs it starts and to its successor. Reading is not limited: zone files
//! may be links to anywhere, and a reload may name new ones.
//!
//! A rule covers the directory above each place, so that a file that is replaced or a disk that is mounted while the
//! daemon runs is still covered. Sockets are not limited: peers may be anywhere.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use landlock::{
    ABI, Access, AccessFs, BitFlags, PathBeneath, PathFd, Ruleset, RulesetAttr, RulesetCreated,
    RulesetCreatedAttr, RulesetError, RulesetStatus,
};

/// The newest version of Landlock's rights that is requested; an older kernel enforces those it knows. Not the fifth,
/// which limits ioctl on devices.
const RIGHTS: ABI = ABI::V4;
/// Where programs and their libraries are.
const PROGRAMS: [&str; 7] = ["/usr", "/bin", "/sbin", "/lib", "/lib64", "/opt", "/nix"];

/// Where this process may write; unset: everywhere.
static WRITABLE: OnceLock<BTreeSet<PathBuf>> = OnceLock::new();

/// The files and directories that the settings name.
#[derive(Debug, Default)]
pub struct Places {
    /// Files and directories to write.
    pub written: Vec<PathBuf>,
    /// Programs to be run.
    pub run: Vec<PathBuf>,
}

/// Confines this thread and those that it starts later, permanently. Returns the result in words.
pub fn confine(places: &Places) -> String {
    let above =
        |paths: &[PathBuf]| paths.iter().filter_map(|it| above(it)).collect::<BTreeSet<_>>();
    let mut written = above(&places.written);
    // Scanners of letters have files of their own there, and SQLite those of a sort or of VACUUM.
    written.extend([std::env::temp_dir(), PathBuf::from("/var/tmp")]);
    written.extend(std::env::var_os("SQLITE_TMPDIR").map(PathBuf::from));
    match restrict(&written, &above(&places.run)) {
        Ok(RulesetStatus::NotEnforced) => "landlock: this kernel has none".to_owned(),
        Ok(status) => {
            let is_full = status == RulesetStatus::FullyEnforced;
            // A process is confined once.
            let _ = WRITABLE.set(written);
            format!(
                "landlock: {}",
                if is_full { "in force" } else { "in force as far as this kernel can" }
            )
        }
        // The kernel stacks at most sixteen rulesets, and those of our predecessors still apply.
        Err(error) => format!("landlock: not in force ({error})"),
    }
}

/// Whether the rules of this process allow it to write a file there.
pub fn may_write(path: &Path) -> bool {
    let Some(writable) = WRITABLE.get() else { return true };
    let path = whole(path);
    path.starts_with("/dev") || writable.iter().any(|it| path.starts_with(it))
}

/// Puts the rules in force.
fn restrict(
    written: &BTreeSet<PathBuf>,
    run: &BTreeSet<PathBuf>,
) -> Result<RulesetStatus, RulesetError> {
    let (all, reads) = (AccessFs::from_all(RIGHTS), AccessFs::from_read(RIGHTS));
    let (look, run_too) = (reads & !AccessFs::Execute, reads);
    let mut rules = Ruleset::default().handle_access(all)?.create()?;
    let paths = |all: &[&str]| all.iter().map(PathBuf::from).collect::<Vec<_>>();
    for path in paths(&PROGRAMS).iter().chain(run) {
        rules = allow(rules, path, run_too)?;
    }
    rules = allow(rules, Path::new("/"), look)?;
    for path in written {
        rules = allow(rules, path, all & !AccessFs::Execute)?;
    }
    rules = allow(rules, Path::new("/dev"), look | AccessFs::WriteFile)?;
    Ok(rules.restrict_self()?.ruleset)
}

/// Adds a rule. A missing place needs none.
fn allow(
    rules: RulesetCreated,
    path: &Path,
    access: BitFlags<AccessFs>,
) -> Result<RulesetCreated, RulesetError> {
    match PathFd::new(path) {
        Ok(opened) => rules.add_rule(PathBeneath::new(opened, access)),
        Err(_) => Ok(rules),
    }
}

/// The directory above a place, or the place itself directly below the root, because a rule for `/` would allow
/// everything. `None` for an empty path.
fn above(path: &Path) -> Option<PathBuf> {
    if path.as_os_str().is_empty() {
        return None;
    }
    let path = whole(path);
    let parent = path.parent().filter(|parent| parent.parent().is_some());
    Some(parent.map_or_else(|| path.clone(), Path::to_owned))
}

/// A path from the root, without links where it is there, and where its directory is.
fn whole(path: &Path) -> PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    if let Ok(real) = absolute.canonicalize() {
        return real;
    }
    let real = absolute.parent().zip(absolute.file_name());
    real.and_then(|(parent, name)| Some(parent.canonicalize().ok()?.join(name))).unwrap_or(absolute)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_for_the_directory_above_and_never_for_the_root() {
        let above = |path: &str| above(Path::new(path)).map(|it| it.display().to_string());
        assert_eq!(above("/var/lib/gapura-of-nobody").as_deref(), Some("/var/lib"));
        assert_eq!(above("/state-of-nobody").as_deref(), Some("/state-of-nobody"));
        assert_eq!(above(""), None);
    }

    #[test]
    fn a_confined_process_writes_where_it_may_and_runs_programs_of_the_system() {
        let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("target");
        std::fs::create_dir_all(&target).unwrap();
        let directory = tempfile::tempdir_in(target).unwrap();
        let (ours, theirs) = (directory.path().join("a/state"), directory.path().join("b"));
        std::fs::create_dir_all(&ours).unwrap();
        std::fs::create_dir_all(&theirs).unwrap();
        let program = ours.join("program");
        std::fs::copy("/bin/true", &program).unwrap();
        // Rules are of a thread and its children.
        let worked = std::thread::spawn(move || {
            let places = Places { written: vec![ours.clone()], ..Places::default() };
            let words = confine(&places);
            if words.contains("none") {
                return Some(words);
            }
            // Replaced while it runs.
            std::fs::rename(&ours, ours.with_file_name("old")).unwrap();
            std::fs::create_dir(&ours).unwrap();
            std::fs::write(ours.join("file"), "x").unwrap();
            assert!(std::fs::write(theirs.join("file"), "x").is_err(), "{words}");
            // Where SQLite has its own, whatever TMPDIR says.
            tempfile::tempfile_in("/var/tmp").unwrap();
            assert!(may_write(&ours.join("new")) && !may_write(&theirs.join("new")));
            let old = ours.with_file_name("old").join("program");
            assert!(std::process::Command::new(&old).status().is_err(), "a program it could write");
            assert!(std::process::Command::new("/bin/true").status().unwrap().success());
            None
        });
        if let Some(words) = worked.join().unwrap() {
            crate::skipped::skipped(&words);
        }
    }
}
