//! A start without the database: zones are served from their files and from the derived files of promoted
//! records, the queue stays closed, and log, status and pages say why.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use super::RunError;
use super::daemon::system;
use crate::publish::{Options, Publisher, ZoneSource};
use crate::store::Store;

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
    /// Opens the database. If it does not open, or is not there while there are promoted records, one
    /// stands in for it; at the very first start a database that does not open is fatal.
    pub(super) fn open(sources: &[ZoneSource], options: &Options) -> Result<Self, RunError> {
        let state_dir = &options.state_dir;
        let is_lost =
            !state_dir.join("gapura.db").exists() && Publisher::has_derived(state_dir, sources);
        let is_first = !state_dir.join("serials").exists();
        let reason = if is_lost {
            let path = state_dir.join("gapura.db");
            format!("{} is missing, and there are promoted records", path.display())
        } else {
            match Store::open(state_dir) {
                Ok(store) => {
                    guard_rows(&store, state_dir);
                    return Ok(Self { store, reason: None, folder: None });
                }
                Err(error) if is_first => return Err(error.into()),
                Err(error) => format!("{:#}", anyhow::Error::from(error)),
            }
        };
        tracing::error!(%reason, "the database is not used: zones are served from their files and \
            the files in promoted/, the queue is closed; put the database back and start again");
        let folder = std::env::temp_dir().join(format!("gapura-stand-in-{}", std::process::id()));
        let made = DirBuilder::new().mode(0o700).create(&folder);
        system(format!("cannot make {} for a database that stands in", folder.display()), made)?;
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

/// Logs the rows that are written from the first zone on. Without the key zones are served all the
/// same; road 3, which does not open without it, says why.
#[cfg(feature = "approval")]
fn guard_rows(store: &Store, state_dir: &Path) {
    use crate::audit::{Vault, guard};
    let guarded =
        Vault::open(state_dir).and_then(|vault| guard(store, &vault, super::time::now_ms()));
    if let Err(error) = guarded {
        let error = format!("{:#}", anyhow::Error::from(error));
        tracing::error!(error, "rows are written without a log, and audit verify will say so");
    }
}

/// There is no key and no log.
#[cfg(not(feature = "approval"))]
fn guard_rows(_: &Store, _: &Path) {}

/// Removes the folder; what cannot be removed is the system's to clean up.
fn remove(folder: &Path) {
    if let Err(error) = std::fs::remove_dir_all(folder) {
        tracing::warn!(folder = %folder.display(), %error, "not removed");
    }
}
