//! `gapura db restore`: puts a backup into an empty state directory, ready to be served.
//!
//! ```text
//! the whole file is checked ─► STATE/restoring/: unpacked, tables migrated, people's access ended,
//!   erasures repeated ─► serials raised above what other servers have ─► moved into STATE, the database last
//! ```
//! Until the last step there is no database in the state directory, so an interrupted restore is never mistaken for a
//! complete state: a start reports it and does not begin anew.

use std::ffi::OsString;
use std::fs::DirBuilder;
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Gid, Uid, chownat};
use serde_json::{Value, json};

use super::error::{RunError, system};
use super::{StateDir, options};
use crate::backup::{self, BackupError, DATABASE, Manifest, OPERATOR};
use crate::config::Settings;
use crate::control::Reply;
use crate::files;
use crate::fleet::serial_at;
use crate::publish::{Floor, PublishError, Publisher};
use crate::store::{Location, Store};
use crate::text::{append_line, with_causes};
use crate::wire::{Name, is_ahead};

#[cfg(feature = "approval")]
use super::restore_office::{Office, check_lists};

/// The directory in which a restore works.
pub(super) const RESTORING: &str = "restoring";
/// Unanswered queries after which a remote is no longer queried.
const SILENCES_MAX: u32 = 2;

/// What is to be restored, and how.
#[derive(Clone, Debug, Default)]
pub struct Restore {
    /// The backup.
    pub file: PathBuf,
    /// Serials that were used before, as far as the operator knows.
    pub floors: Vec<(Name, u32)>,
    /// Lists of erasures, or exports of the event chain, that are newer than the backup.
    #[cfg(feature = "approval")]
    pub erasures: Vec<PathBuf>,
    /// Whether to skip asking other servers for their serials.
    pub is_alone: bool,
}

/// What the reply will say.
#[derive(Default)]
struct Told {
    /// Lines for people.
    text: String,
    /// Warnings: what is still to be done, or may be wrong.
    warnings: Vec<String>,
    /// The same facts for programs.
    json: serde_json::Map<String, Value>,
}

/// Puts a backup back.
pub fn restore(settings: &Settings, what: &Restore) -> Reply {
    restored(settings, what).unwrap_or_else(|error| {
        Reply::failed(format!("nothing was restored: {}", with_causes(&error)))
    })
}

/// Puts it back, or leaves the state directory as it was.
fn restored(settings: &Settings, what: &Restore) -> Result<Reply, RunError> {
    let state_dir = &settings.server.state_dir;
    let was_there = state_dir.exists();
    see_that_it_is_empty(state_dir)?;
    let place = options::place(settings)?;
    if !place.is_absent()? {
        let aside = match place.state_dir() {
            Some(_) => "take this one away",
            None => "put this one aside (ALTER SCHEMA gapura RENAME TO gapura_before)",
        };
        return Err(RunError::Refused(format!(
            "there is a database at {place}: stop gapura, and name another one in database.url, or {aside}"
        )));
    }
    let manifest = backup::check(&what.file)?;
    see_that_it_is_ours(&manifest)?;
    #[cfg(feature = "approval")]
    let erasures = check_lists(&what.erasures)?;
    let lock = StateDir::take(state_dir)?;
    see_that_it_is_empty(state_dir)?;
    let work = state_dir.join(RESTORING);
    let failed = |source| BackupError::write(&work, source);
    DirBuilder::new().mode(0o700).create(&work).map_err(failed)?;
    let done = (|| {
        let mut told = Told::default();
        backup::unpack(&what.file, &manifest, &work)?;
        #[cfg(feature = "approval")]
        Office { settings, work: &work }.after(&manifest, erasures, &mut |key, value, line| {
            told.json.insert(key.to_owned(), value);
            told.text += &line;
        })?;
        #[cfg(not(feature = "approval"))]
        Store::open(&work)?.fold_log()?;
        raise_serials(settings, what, &work, &mut told)?;
        give_to_owner(state_dir, &work, was_there, &mut told)?;
        let server = bring_in(&place, &work)?;
        let settled = server.as_ref().map_or(Ok(()), |_| Location::File(work.clone()).discard());
        let settled = settled.map_err(RunError::from).and_then(|()| settle(state_dir, &work));
        if settled.is_err() && server.is_some() {
            // What the error says counts more than whether this can be undone.
            let _ = place.discard();
        }
        settled?;
        Ok::<_, RunError>(told)
    })();
    let done = done.map_err(|error| cleared(error, state_dir, &work, was_there));
    drop(lock);
    Ok(reply(state_dir, &what.file, &manifest, done?))
}

/// Brings the tables to a server, if that is where they belong, and keeps daemons off it as long as what is returned is
/// open.
fn bring_in(place: &Location, work: &Path) -> Result<Option<Store>, RunError> {
    if matches!(place, Location::File(_)) {
        return Ok(None);
    }
    let (server, _) = place.make_from(&Location::File(work.to_owned()).open()?)?;
    Ok(Some(server))
}

/// Takes away what a restore that failed has made, which nobody is to take for a state; the error says what could not
/// be.
fn cleared(error: RunError, state_dir: &Path, work: &Path, was_there: bool) -> RunError {
    // Report what is left behind.
    let _ = std::fs::remove_dir_all(work);
    if !was_there {
        let _ = std::fs::remove_dir_all(state_dir);
    }
    match held_in(state_dir) {
        Ok(names) if names.is_empty() => error,
        left => RunError::Refused(format!(
            "{}; what was unpacked could not be removed: before you try again, remove {} from {}",
            with_causes(&error),
            left.map_or_else(|_| "everything".to_owned(), |names| names.join(", ")),
            state_dir.display()
        )),
    }
}

/// What a state directory holds, by name, but for what a file system has of its own and the file that keeps a second
/// daemon away.
fn held_in(state_dir: &Path) -> std::io::Result<Vec<String>> {
    let entries = match std::fs::read_dir(state_dir) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let names = entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
    let mut names: Vec<String> =
        names.filter(|name| name != "lock" && name != "lost+found").collect();
    names.sort_unstable();
    Ok(names)
}

/// Refuses a state directory that holds anything.
fn see_that_it_is_empty(state_dir: &Path) -> Result<(), RunError> {
    let others =
        system(format!("the state directory {}", state_dir.display()), held_in(state_dir))?;
    let path = state_dir.display();
    match others.first() {
        None => Ok(()),
        Some(name) if name == RESTORING && others.len() == 1 => Err(RunError::Refused(format!(
            "a restore into {path} was interrupted: remove {path}/{RESTORING} and run it again"
        ))),
        Some(name) => Err(RunError::Refused(format!(
            "the state directory {path} is not empty (it has {name}): stop gapura, move the directory away \
             (mv {path} {path}.old), and restore into a new one"
        ))),
    }
}

/// Refuses a backup of a later version.
fn see_that_it_is_ours(manifest: &Manifest) -> Result<(), RunError> {
    let (step, newest) = (manifest.database_step, Store::newest_step());
    if step > newest {
        return Err(RunError::Refused(format!(
            "the backup is of a later version of gapura ({}, database at step {step}; this one knows {newest}): \
             install that version, or take a backup of this one",
            manifest.gapura
        )));
    }
    if manifest.members.iter().all(|member| member.name != DATABASE) {
        return Err(RunError::Refused("the backup has no database".to_owned()));
    }
    Ok(())
}

//------------ Serials -------------------------------------------------------

/// Raises the serials that are stored beside the database to those that the operator names and those that other servers
/// have. The next start goes above them, by a margin for servers that could not be queried.
fn raise_serials(
    settings: &Settings,
    what: &Restore,
    work: &Path,
    told: &mut Told,
) -> Result<(), RunError> {
    let mut floors = serde_json::Map::new();
    if !what.is_alone {
        for (apex, remote, serial) in asked(settings, told)? {
            match Publisher::raise_floor_at(work, &apex, Floor::from(serial)) {
                Ok(true) => {
                    append_line!(told.text, "  {apex} serials go above {serial}, which {remote} has");
                    floors.insert(apex.to_string(), json!(serial));
                }
                Ok(false) => {}
                Err(far @ PublishError::FarFloor { .. }) => told.warnings.push(format!(
                    "{remote} says {serial} for {apex}, which is far ahead ({far}): if it was given out, start \
                     gapura and run gapura zone serial {apex} --floor {serial} --yes"
                )),
                Err(error) => return Err(error.into()),
            }
        }
    }
    for (apex, serial) in &what.floors {
        let floor = Floor { serial: *serial, is_meant: true };
        if Publisher::raise_floor_at(work, apex, floor)? {
            append_line!(told.text, "  {apex} serials go above {serial}");
            floors.insert(apex.to_string(), json!(serial));
        }
    }
    told.json.insert("floors".to_owned(), floors.into());
    Ok(())
}

/// The newest serial that any secondary of each zone has, with the name of that secondary.
fn asked(settings: &Settings, told: &mut Told) -> Result<Vec<(Name, String, u32)>, RunError> {
    let (rules, keys) = (options::fleet(settings)?, options::keyring(settings)?);
    let mut silent = std::collections::BTreeMap::<String, u32>::new();
    let mut newest = Vec::new();
    for source in options::readable_sources(settings).zones {
        let Some(rules) = rules.of(&source.apex).filter(|_| !source.is_secondary()) else {
            continue;
        };
        let mut best: Option<(String, u32)> = None;
        let mut names: Vec<&str> = Vec::new();
        for remote in rules.notify.iter().chain(&rules.transfer) {
            let is_new = !names.contains(&remote.name.as_str());
            names.push(&remote.name);
            let silences = silent.get(&remote.name).copied().unwrap_or_default();
            if !is_new || remote.addresses.is_empty() {
                continue;
            }
            if silences >= SILENCES_MAX {
                told.warnings.push(format!(
                    "{} was not queried for its serial of {}, because it did not answer for other zones",
                    remote.name, source.apex
                ));
                continue;
            }
            match serial_at(remote, &keys, &source.apex) {
                Ok(serial) if best.as_ref().is_none_or(|(_, known)| is_ahead(serial, *known)) => {
                    best = Some((remote.name.clone(), serial));
                }
                Ok(_) => {}
                Err(why) => {
                    *silent.entry(remote.name.clone()).or_default() += 1;
                    told.warnings.push(format!(
                        "cannot get the serial that {} has for {} ({why}): if it is ahead once gapura runs, \
                         gapura zone serial {} --floor N goes above it",
                        remote.name, source.apex, source.apex
                    ));
                }
            }
        }
        newest.extend(best.map(|(remote, serial)| (source.apex, remote, serial)));
    }
    Ok(newest)
}

//------------ The files -----------------------------------------------------

/// Gives the files that root has unpacked to the owner of the state directory.
fn give_to_owner(
    state_dir: &Path,
    work: &Path,
    was_there: bool,
    told: &mut Told,
) -> Result<(), RunError> {
    if !rustix::process::geteuid().is_root() {
        return Ok(());
    }
    let path = state_dir.display();
    let found = system(format!("the state directory {path}"), std::fs::metadata(state_dir))?;
    if !was_there {
        told.warnings.push(format!(
            "{path} was created and belongs to root: if gapura runs as another user, chown -R it to that user"
        ));
    }
    let owner = (Uid::from_raw(found.uid()), Gid::from_raw(found.gid()));
    let given = give(work, owner).and_then(|()| give(&state_dir.join("lock"), owner));
    Ok(given.map_err(|source| BackupError::write(work, source))?)
}

/// Gives a file, or a directory with all that is in it.
fn give(path: &Path, owner: (Uid, Gid)) -> std::io::Result<()> {
    // Never follow a symbolic link.
    chownat(CWD, path, Some(owner.0), Some(owner.1), AtFlags::SYMLINK_NOFOLLOW)?;
    if path.symlink_metadata()?.is_dir() {
        for entry in std::fs::read_dir(path)? {
            give(&entry?.path(), owner)?;
        }
    }
    Ok(())
}

/// Moves what was unpacked into the state directory, all of it or nothing.
fn settle(state_dir: &Path, work: &Path) -> Result<(), RunError> {
    let mut moved = Vec::new();
    let done = move_all(state_dir, work, &mut moved);
    if done.is_err() {
        // The database first: without it nothing of the rest is a state.
        for name in moved.iter().rev() {
            let _ = std::fs::rename(state_dir.join(name), work.join(name));
        }
    }
    Ok(done.map_err(|source| BackupError::write(state_dir, source))?)
}

/// Moves it, the database last; `moved` is what was.
fn move_all(state_dir: &Path, work: &Path, moved: &mut Vec<OsString>) -> std::io::Result<()> {
    let entries = std::fs::read_dir(work)?.collect::<Result<Vec<_>, _>>()?;
    let mut names: Vec<OsString> = entries.iter().map(std::fs::DirEntry::file_name).collect();
    names.sort_by_key(|name| (name == DATABASE, name.clone()));
    sync_tree(work)?;
    for name in names {
        if name == DATABASE {
            // Everything else is on disk before it.
            files::sync_directory(&state_dir.join(&name))?;
        }
        std::fs::rename(work.join(&name), state_dir.join(&name))?;
        moved.push(name);
    }
    files::sync_directory(&state_dir.join(DATABASE))?;
    std::fs::remove_dir(work)
}

/// Syncs a directory and those in it.
fn sync_tree(directory: &Path) -> std::io::Result<()> {
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            sync_tree(&entry.path())?;
        }
    }
    std::fs::File::open(directory)?.sync_all()
}

//------------ What is said --------------------------------------------------

/// The reply to a restore that was done.
fn reply(state_dir: &Path, file: &Path, manifest: &Manifest, told: Told) -> Reply {
    let mut text = format!(
        "{}: restored from {}, as of {}\n{}",
        state_dir.display(),
        file.display(),
        manifest.taken,
        told.text
    );
    let operator = state_dir.join(OPERATOR);
    if operator.is_dir() {
        append_line!(text, "  settings and zone files of that time are in {}", operator.display());
    }
    for name in &manifest.missing {
        append_line!(text, "  note: {name} was missing when the backup was made");
    }
    for warning in &told.warnings {
        append_line!(text, "  note: {warning}");
    }
    text += "  start gapura, then run gapura ctl status, gapura audit verify and gapura user list: what happened \
             after that time, accounts that were disabled or changed too, is not in it\n";
    let mut json = told.json;
    json.insert("restored".to_owned(), json!(state_dir));
    json.insert("taken".to_owned(), json!(manifest.taken));
    json.insert("missing".to_owned(), json!(manifest.missing));
    json.insert("warnings".to_owned(), json!(told.warnings));
    Reply::done(text, json.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_moved_in_half_is_taken_out_again() {
        let made = tempfile::tempdir().unwrap();
        let (state_dir, work) = (made.path(), made.path().join(RESTORING));
        std::fs::create_dir(&work).unwrap();
        for name in ["audit.key", DATABASE, "zones"] {
            std::fs::write(work.join(name), name).unwrap();
        }
        // Something that was put there meanwhile, where the last but one wants to go.
        std::fs::create_dir(state_dir.join("zones")).unwrap();
        let error = settle(state_dir, &work).unwrap_err();
        assert_eq!(held_in(state_dir).unwrap(), [RESTORING, "zones"]);
        let told = with_causes(&cleared(error, state_dir, &work, true));
        assert!(told.contains("before you try again, remove zones from"), "{told}");
        std::fs::remove_dir(state_dir.join("zones")).unwrap();
        assert!(held_in(state_dir).unwrap().is_empty());
    }
}
