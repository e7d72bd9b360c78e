//! `gapura db move`: the tables go from a file to a server or back, with gapura stopped.
//!
//! ```text
//! the chain here is whole? ─► all rows over, in one transaction ─► the chain there is whole, with the same end?
//!   ─► what was here is put aside
//! ```
//! Until the last step what was here is as it was, and what was made there goes if anything fails. A move that was killed
//! leaves a mark: what it made is put aside by the next one, and no start works on it. The settings are the operator's: the
//! reply says what to write into them.

use std::path::Path;

use serde_json::json;

use super::error::RunError;
use super::{StateDir, options, stand_in};
use crate::config::Settings;
use crate::control::Reply;
use crate::files;
use crate::publish::Options;
use crate::store::{Location, Store, StoreError};
use crate::text::with_causes;

/// The file of the state directory that names the place a move goes to, as long as it goes on.
const MARK: &str = "moving";

/// Moves the tables to a server, or to the file of the state directory where no address is given.
pub fn move_database(settings: &Settings, to: Option<&str>) -> Reply {
    moved(settings, to).unwrap_or_else(|error| {
        Reply::failed(format!("nothing was moved: {}", with_causes(&error)))
    })
}

/// Moves them, or leaves everything as it was.
fn moved(settings: &Settings, to: Option<&str>) -> Result<Reply, RunError> {
    let options = options::publish(settings)?;
    let to = match to {
        Some(url) => options::on_server(settings, url)?,
        None => Location::File(options.state_dir.clone()),
    };
    let from = &options.database;
    if from.to_string() == to.to_string() {
        return Err(RunError::Refused(format!("the database is at {to} already")));
    }
    let _lock = StateDir::take(&options.state_dir)?;
    if !to.is_absent()? {
        if !is_interrupted(&options.state_dir, &to) || from.is_absent()? {
            return Err(RunError::Refused(format!(
                "there is a database at {to}: name another one, or take that one away"
            )));
        }
        to.put_aside()?;
    }
    let source = stand_in::usable(&options);
    let source = source.map_err(|unusable| RunError::Refused(unusable.reason))?;
    let wanted = end_of_chain(&options, &source)?;
    source.fold_log()?;
    let mark = options.state_dir.join(MARK);
    let marked = files::write_private(&mark, name_of(&to).as_bytes());
    marked.map_err(|source| StoreError::Make { path: mark.clone(), source })?;
    let rows = made(&options, (&source, &to), &wanted).inspect_err(|_| {
        // What could not be taken away is the next move's to put aside. The error counts more than the mark.
        if matches!(to.is_absent(), Ok(true)) {
            let _ = files::remove(&mark);
        }
    })?;
    drop(source);
    let aside = match from.put_aside() {
        Ok(aside) => aside,
        Err(error) => {
            // What is there is whole.
            let _ = files::remove(&mark);
            return Ok(Reply::failed(format!(
                "{rows} rows were moved from {from} to {to}{wanted}, but what was there cannot be put aside ({}): take it \
                 away yourself, it holds personal data; then name the new place in database.url",
                with_causes(&error)
            )));
        }
    };
    let marked = files::remove(&mark)
        .err()
        .map(|error| format!("  remove {} before you start gapura: {error}\n", mark.display()));
    let is_file = to.state_dir().is_some();
    let setting = if is_file { "url = \"\"" } else { "url = the address you gave" };
    let text = format!(
        "{rows} rows moved from {from} to {to}{wanted}\n  what was there is kept as {aside}: it holds personal data, \
         delete it when you are sure\n{}  write {setting} under [database] in the settings, then start gapura\n",
        marked.unwrap_or_default()
    );
    Ok(Reply::done(text, json!({ "rows": rows, "to": to.to_string(), "aside": aside })))
}

/// The name of a place in the mark.
fn name_of(place: &Location) -> String {
    if place.state_dir().is_some() { "file".to_owned() } else { place.to_string() }
}

/// Whether a move to this place was interrupted, so that nobody knows how much is there.
pub(super) fn is_interrupted(state_dir: &Path, to: &Location) -> bool {
    files::read(&state_dir.join(MARK)).is_ok_and(|mark| mark == name_of(to).as_bytes())
}

/// Makes the database at the other place and sees that it is whole; returns how many rows it has. Nothing is left there
/// if that fails.
fn made(
    options: &Options,
    (source, to): (&Store, &Location),
    wanted: &str,
) -> Result<u64, RunError> {
    let (target, rows) = to.make_from(source)?;
    is_whole(options, &target, wanted).inspect_err(|_| {
        // The error counts more than whether this can be undone.
        let _ = to.discard();
    })?;
    Ok(rows)
}

/// Sees that the chain there ends as it does here, and that all is in the file, if it is one.
fn is_whole(options: &Options, target: &Store, wanted: &str) -> Result<(), RunError> {
    let found = end_of_chain(options, target)?;
    if found != wanted {
        return Err(RunError::Refused(format!(
            "the event chain there ends{found}, and here{wanted}: write to the people who look after gapura"
        )));
    }
    Ok(target.fold_log()?)
}

/// How the event chain ends, in words, once it is verified together with all rows.
#[cfg(feature = "approval")]
fn end_of_chain(options: &Options, store: &Store) -> Result<String, RunError> {
    let failed = |error: &dyn std::error::Error| RunError::Refused(with_causes(error));
    let now = super::time::now_ms();
    if crate::audit::has_keys(&options.state_dir) {
        let opened = crate::audit::open_guarded(&options.state_dir, store, now);
        opened.map_err(|error| failed(&error))?;
        let verified = super::audit::verify_own(store, &options.state_dir, None, &[]);
        let verified = verified.map_err(|error| failed(&error))?;
        if verified.exit != 0 {
            let text = format!(
                "gapura audit verify finds something, and that is not moved:\n{}",
                verified.text
            );
            return Err(RunError::Refused(text));
        }
    }
    let head = store.read(|reader| reader.chain_head())?;
    Ok(head.map_or_else(String::new, |(sequence, hash)| format!(" with event {sequence} {hash}")))
}

/// A name server alone has none.
#[cfg(not(feature = "approval"))]
fn end_of_chain(_: &Options, _: &Store) -> Result<String, RunError> {
    Ok(String::new())
}
