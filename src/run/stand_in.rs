//! A start without the database: zones are served from their files, from the derived files of promoted
//! records and from the copies in `served/`; the queue stays closed, and log, status and pages say why.
//!
//! A database is not used if it does not open, is damaged, of a later version or locked, if it is missing
//! or empty though there are traces of one, and if it knows no zone that there are traces of: nothing is
//! made in the place of something lost. What stands in is in memory, so that it needs no disk.

use std::path::Path;
use std::time::Duration;

use super::RunError;
use super::restore::RESTORING;
use crate::publish::{Options, Publisher, ReloadReport, Sources};
use crate::store::{Store, StoreError};
use crate::text::with_causes;

/// How long a start looks for damage before it goes on.
const CHECK_MAX: Duration = Duration::from_secs(2);

/// The database, or one in its place that is thrown away.
pub(super) struct Database {
    /// The one to work on.
    pub(super) store: Store,
    /// Why it is not the real one, if it is not.
    pub(super) reason: Option<String>,
}

impl Database {
    /// Opens the database and the zones on it, or on one that stands in for it. `fault` is why the state
    /// directory cannot be written, if so.
    pub(super) fn open(
        sources: Sources,
        options: &Options,
        fault: Option<String>,
    ) -> Result<(Self, Publisher), RunError> {
        let reason = match fault.map_or_else(|| usable(options), Err) {
            Ok(store) => {
                guard_rows(&store, &options.state_dir);
                // The outcome for each zone is in the log; a refused zone does not stop the others.
                let (publisher, reports) =
                    Publisher::open(store.clone(), sources.clone(), options.clone())?;
                match reports.iter().find(|report| report.is_lost_by_database()) {
                    None => return Ok((Self { store, reason: None }, publisher)),
                    Some(report) => text_of(report),
                }
            }
            Err(reason) => reason,
        };
        tracing::error!(%reason, "the database is not used: zones are served from their files and \
             what is beside the database, the queue is closed; mend this and start again");
        let store = Store::in_memory()?;
        let taken = Publisher::take_in_derived(&store, &sources.zones, options)?;
        tracing::warn!(rrsets = taken, "promoted records taken from the derived files");
        let options = Options { is_stand_in: true, ..options.clone() };
        let (publisher, _) = Publisher::open(store.clone(), sources, options)?;
        // The serials it gives out are on disk before they are served, if the disk takes them.
        publisher.flush();
        Ok((Self { store, reason: Some(reason) }, publisher))
    }
}

/// The database, if it can be worked on and is the one that the zones were served from.
pub(super) fn usable(options: &Options) -> Result<Store, String> {
    let state_dir = &options.state_dir;
    if let Some(lost) = lost(state_dir) {
        return Err(lost);
    }
    let kept = Store::keep_before_upgrade(state_dir).map_err(|error| with_causes(&error))?;
    if let Some(path) = kept {
        let path = path.display();
        tracing::info!("the database is brought up to date; as it was, it is in {path}");
    }
    let store = Store::open(state_dir).map_err(|error| with_causes(&error))?;
    fault_of(&store, state_dir).map_or(Ok(store), Err)
}

/// That the database is missing, if there are traces of one.
pub(super) fn lost(state_dir: &Path) -> Option<String> {
    let has_traces = || !Publisher::published(state_dir).is_empty() || has_keys(state_dir);
    if Store::is_absent(state_dir) && state_dir.join(RESTORING).exists() {
        let path = state_dir.display();
        return Some(format!(
            "a restore into {path} was cut short: stop gapura, remove {path}/{RESTORING} and what a start has made \
             beside it, and run gapura db restore again"
        ));
    }
    (Store::is_absent(state_dir) && has_traces()).then(|| {
        format!(
            "{} is missing or empty, and there are traces of one beside it: put it back from the \
             backup of the state directory; to begin anew, remove the whole state directory",
            Store::path(state_dir).display()
        )
    })
}

/// Why a database that opens cannot be worked on: it is damaged, or not the one that the zones were served
/// from.
pub(super) fn fault_of(store: &Store, state_dir: &Path) -> Option<String> {
    let published = Publisher::published(state_dir);
    let looked = || -> Result<_, StoreError> {
        store.check(CHECK_MAX)?;
        Ok(published.is_empty() || store.knows_any(published.iter())?)
    };
    match looked() {
        Ok(true) => None,
        Ok(false) => Some(format!(
            "{} knows none of the zones that were served from this directory: it is another database; \
             put the right one back from the backup of the state directory",
            Store::path(state_dir).display()
        )),
        Err(error) => Some(with_causes(&error)),
    }
}

/// What a report says of a database that failed.
fn text_of(report: &ReloadReport) -> String {
    let findings: Vec<String> = report.findings.iter().map(|it| it.message.clone()).collect();
    format!("{}: {}", report.zone, findings.join("; "))
}

/// Whether keys are there, which are made beside a database only.
#[cfg(feature = "approval")]
fn has_keys(state_dir: &Path) -> bool {
    crate::audit::has_keys(state_dir)
}

/// There are none.
#[cfg(not(feature = "approval"))]
fn has_keys(_: &Path) -> bool {
    false
}

/// Logs the rows that are written from the first zone on. Without the key zones are served all the
/// same; road 3, which does not open without it, says why.
#[cfg(feature = "approval")]
fn guard_rows(store: &Store, state_dir: &Path) {
    let opened = crate::audit::open_guarded(state_dir, store, super::time::now_ms());
    if let Err(error) = opened {
        let error = with_causes(&error);
        tracing::error!(error, "rows are written without a log, and audit verify will say so");
    }
}

/// There is no key and no log.
#[cfg(not(feature = "approval"))]
fn guard_rows(_: &Store, _: &Path) {}
