//! A start without the database: zones are served from their files and from the derived files of promoted
//! records, the queue stays closed, and log, status and pages say why.
//!
//! A database is not used if it does not open, is damaged, of a later version or locked, and also if it is
//! missing, empty or knows no zone although serials were given out: nothing is made in the place of something
//! lost. The one that stands in is thrown away at the stop.

use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ring::rand::{SecureRandom, SystemRandom};

use super::RunError;
use super::daemon::system;
use crate::digest::hex;
use crate::publish::{Options, Publisher, ReloadReport, Sources, ZoneSource};
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
    /// Where the one in its place is.
    folder: Option<PathBuf>,
}

impl Database {
    /// Opens the database and the zones on it, or on one that stands in for it.
    pub(super) fn open(sources: Sources, options: &Options) -> Result<(Self, Publisher), RunError> {
        let reason = match usable(options) {
            Ok(store) => {
                guard_rows(&store, &options.state_dir);
                // The outcome for each zone is in the log; a refused zone does not stop the others.
                let (publisher, reports) =
                    Publisher::open(store.clone(), sources.clone(), options.clone())?;
                match reports.iter().find(|report| report.is_lost_by_database()) {
                    None => return Ok((Self { store, reason: None, folder: None }, publisher)),
                    Some(report) => text_of(report),
                }
            }
            Err(reason) => reason,
        };
        tracing::error!(%reason, "the database is not used: zones are served from their files and \
            the files in promoted/, the queue is closed; put the database back and start again");
        let database = Self::stand_in(reason, &sources.zones, options)?;
        let options = Options { is_stand_in: true, ..options.clone() };
        let (publisher, _) = Publisher::open(database.store.clone(), sources, options)?;
        Ok((database, publisher))
    }

    /// A database in place of the real one, with what the derived files hold.
    fn stand_in(
        reason: String,
        sources: &[ZoneSource],
        options: &Options,
    ) -> Result<Self, RunError> {
        let folder = folder(&options.state_dir)?;
        let store = Store::open(&folder)?;
        let taken = Publisher::take_in_derived(&store, sources, options)?;
        tracing::warn!(rrsets = taken, "promoted records taken from the derived files");
        Ok(Self { store, reason: Some(reason), folder: Some(folder) })
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if let Some(folder) = &self.folder {
            remove(folder);
        }
    }
}

/// The database, if it can be worked on and is the one that the zones were served from.
pub(super) fn usable(options: &Options) -> Result<Store, String> {
    let state_dir = &options.state_dir;
    let path = Store::path(state_dir);
    let published = Publisher::published(state_dir);
    if Store::is_absent(state_dir) && !published.is_empty() {
        return Err(format!(
            "{} is missing or empty, and serials were given out; to begin anew, remove the whole \
             state directory",
            path.display()
        ));
    }
    let opened = || -> Result<_, StoreError> {
        let store = Store::open(state_dir)?;
        store.check(CHECK_MAX)?;
        let known = published.is_empty() || store.knows_any(published.iter())?;
        Ok((store, known))
    };
    match opened() {
        Ok((store, true)) => Ok(store),
        Ok((_, false)) => Err(format!(
            "{} knows none of the zones whose serials were given out: it is another database",
            path.display()
        )),
        Err(error) => Err(with_causes(&error)),
    }
}

/// What a report says of a database that failed.
fn text_of(report: &ReloadReport) -> String {
    let findings: Vec<String> = report.findings.iter().map(|it| it.message.clone()).collect();
    format!("{}: {}", report.zone, findings.join("; "))
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

/// A new folder for the database that stands in: in the state directory, which is locked, so that one
/// left behind by a crash is ours to remove; in the system's own if that cannot be written.
fn folder(state_dir: &Path) -> Result<PathBuf, RunError> {
    let make = |folder: &Path| DirBuilder::new().mode(0o700).create(folder);
    let ours = state_dir.join("stand-in");
    if ours.exists() {
        remove(&ours);
    }
    if make(&ours).is_ok() {
        return Ok(ours);
    }
    // Nobody can foresee the name and be there first.
    let mut random = [0; 16];
    let drawn = SystemRandom::new().fill(&mut random).map_err(|_| io::ErrorKind::Other.into());
    let folder = std::env::temp_dir().join(format!("gapura-{}", hex(&random)));
    let made = drawn.and_then(|()| make(&folder));
    system(format!("cannot make {} for a database that stands in", folder.display()), made)?;
    Ok(folder)
}

/// Removes the folder; what cannot be removed is the system's to clean up.
fn remove(folder: &Path) {
    if let Err(error) = std::fs::remove_dir_all(folder) {
        tracing::warn!(folder = %folder.display(), %error, "not removed");
    }
}
