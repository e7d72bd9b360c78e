//! A start without the database: zones are served from their files, from the derived files of promoted
//! records and from the copies in `served/`; the queue stays closed, and log, status and pages say why.
//!
//! The database is not used if it cannot be opened, is damaged, locked or of a later version, if it is missing or empty
//! although other files show that there was one, or if it knows none of the zones in those files: a lost database is
//! never replaced by a new one. The stand-in is in memory, so that it needs no disk.
//!
//! On a server other nodes may go on publishing meanwhile. Then nothing is taken from the files and no serial is given out:
//! zones are served as they were last (`Publisher::keep`). So they are as well while a server is slow to open, until it is.

use std::path::Path;
use std::sync::mpsc::{self, RecvTimeoutError, SendError};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use super::RunError;
use super::moving;
use super::restore::RESTORING;
use crate::lock::lock;
use crate::publish::{By, Early, Options, Publisher, ReloadReport, Sources};
use crate::store::{Location, Store, StoreError};
use crate::text::with_causes;

/// Time limit of the damage check at a start.
const CHECK_MAX: Duration = Duration::from_secs(2);

/// How long a start waits for a server before it serves what was served last.
const OPEN_MAX: Duration = Duration::from_secs(3);

//------------ Database ------------------------------------------------------

/// The database, or a temporary stand-in.
pub(super) struct Database {
    /// The one to work on.
    pub(super) store: Store,
    /// Why it is a stand-in; `None` for the real one.
    pub(super) reason: Option<String>,
    /// What it stands in for, if that may come by itself.
    pub(super) awaited: Option<Awaited>,
}

/// A database that may be worked on later.
pub(super) struct Awaited {
    /// Where it is.
    place: Location,
    /// An attempt to open it that took too long for a start, and goes on.
    attempt: Option<JoinHandle<()>>,
}

impl Awaited {
    /// Whether a start could work on it now.
    pub(super) fn has_come(&self) -> bool {
        match &self.attempt {
            Some(attempt) => attempt.is_finished(),
            None => self.place.can_be_joined(),
        }
    }
}

/// A database with the zones on it.
type Opened = (Database, Publisher);

/// What came of an attempt that a start did not wait for: the next start in this process begins with it.
#[derive(Clone, Default)]
pub(super) struct Late(Arc<Mutex<Option<Result<Opened, Unusable>>>>);

impl Late {
    /// Takes it, with the zones as they are wanted now.
    fn take(&self, sources: &Sources) -> Option<Result<Opened, Unusable>> {
        let opened = lock(&self.0).take()?;
        Some(opened.inspect(|(database, publisher)| {
            if !database.follows() {
                publisher.set_sources(sources.clone(), &By::gapura());
            }
        }))
    }
}

impl Database {
    /// Whether nothing is changed here: another node publishes, or may while the database is away.
    pub(super) fn follows(&self) -> bool {
        self.store.is_followed()
    }

    /// Opens the database, or a stand-in, and the zones on it. `fault` is why the state directory cannot be written,
    /// if so. A server that is slow is waited for only if somebody `answers` queries meanwhile.
    pub(super) fn open(
        sources: Sources,
        options: &Options,
        fault: Option<String>,
        late: &Late,
        answers: bool,
    ) -> Result<Opened, RunError> {
        let is_shared = options.database.state_dir().is_none();
        let opened = match (fault, late.take(&sources)) {
            (Some(fault), _) => Err(fault.into()),
            (None, Some(opened)) => opened,
            (None, None) if is_shared && !answers => Self::real_in_time(&sources, options, late),
            (None, None) if is_shared => Self::real(sources.clone(), options, Early::default()),
            // What is opened and checked meanwhile is on the same machine, and no other node has read the file.
            (None, None) => Self::real(sources.clone(), options, Early::begin(&sources, options)),
        };
        let Unusable { reason, may_come, attempt } = match opened {
            Ok(opened) => return Ok(opened),
            Err(unusable) => unusable,
        };
        let awaited = may_come.then(|| Awaited { place: options.database.clone(), attempt });
        if is_shared && let Some(publisher) = Publisher::keep(options.clone(), &sources.zones)? {
            tracing::error!(%reason, "the database is not used: zones are served as they were last, the queue is closed");
            let store = publisher.store();
            return Ok((Self { store, reason: Some(reason), awaited }, publisher));
        }
        tracing::error!(%reason, "the database is not used: zones are served from their files and \
             what is beside the database, the queue is closed; mend this and start again");
        let store = Store::in_memory()?;
        let taken = Publisher::take_in_derived(&store, &sources.zones, options)?;
        tracing::warn!(rrsets = taken, "promoted records taken from the derived files");
        let options = Options { is_stand_in: true, ..options.clone() };
        let (publisher, _) = Publisher::open(store.clone(), sources, options)?;
        // Serials are on disk before they are served, if the disk can be written.
        publisher.flush();
        Ok((Self { store, reason: Some(reason), awaited }, publisher))
    }

    /// The database, if it can be used, and the zones on it, of which one may be loading already.
    fn real(sources: Sources, options: &Options, early: Early) -> Result<Opened, Unusable> {
        let store = joined(options)?;
        let database = Self { store: store.clone(), reason: None, awaited: None };
        if store.is_followed() {
            let publisher = Publisher::follow(store, options.clone());
            // What fails is tried again within a second.
            if let (_, Err(error)) = publisher.catch_up() {
                tracing::error!(error = with_causes(&error), "the database cannot be followed");
            }
            return Ok((database, publisher));
        }
        guard_rows(&store, &options.state_dir);
        // The outcome for each zone is in the log; a refused zone does not stop the others.
        let (publisher, reports) = Publisher::open_early(store, sources, options.clone(), early)
            .map_err(|error| Unusable::from(with_causes(&error)))?;
        match reports.iter().find(|report| report.is_lost_by_database()) {
            None => Ok((database, publisher)),
            // What a server did not do for one of the zones it may do later.
            Some(report) => {
                let may_come = options.database.state_dir().is_none();
                Err(Unusable { may_come, ..text_of(report).into() })
            }
        }
    }

    /// The same, if a server is not slow and copies could be served meanwhile.
    fn real_in_time(sources: &Sources, options: &Options, late: &Late) -> Result<Opened, Unusable> {
        let (done, opened) = mpsc::sync_channel(0);
        let (for_thread, of, late) = (sources.clone(), options.clone(), late.clone());
        let work = move || {
            // What nobody waits for any more.
            if let Err(SendError(opened)) = done.send(Self::real(for_thread, &of, Early::default()))
            {
                *lock(&late.0) = Some(opened);
            }
        };
        let thread = std::thread::Builder::new().name("open".to_owned()).spawn(work);
        let Ok(attempt) = thread else {
            return Self::real(sources.clone(), options, Early::default());
        };
        let most = if Publisher::has_kept(&options.state_dir) { OPEN_MAX } else { Duration::MAX };
        match opened.recv_timeout(most) {
            Ok(opened) => opened,
            Err(RecvTimeoutError::Timeout) => {
                let reason = format!("{} takes long to open", options.database);
                Err(Unusable { reason, may_come: true, attempt: Some(attempt) })
            }
            Err(RecvTimeoutError::Disconnected) => {
                Err("it could not be opened: the log says why".to_owned().into())
            }
        }
    }
}

/// The database, to publish from it; on a server on which another node does, or with other keys than its own, to follow.
fn joined(options: &Options) -> Result<Store, Unusable> {
    let place = &options.database;
    prepared(options)?;
    // What cannot be looked at says so where it is used; one of an earlier version is not followed, but waited for.
    let followed = place.follow();
    if let Ok(Some(store)) = &followed
        && keys_fault_on(store, &options.state_dir).is_some()
    {
        return Ok(store.clone());
    }
    let store = match place.publish(&options.node) {
        Err(held @ StoreError::Held(_)) => {
            return followed.ok().flatten().ok_or_else(|| held.into());
        }
        opened => opened?,
    };
    fault_of(&store, options).map_or(Ok(store), Err)
}

/// Why this node must not publish on a database that another one has worked on: it has not the same keys.
#[cfg(feature = "approval")]
pub(super) fn keys_fault_on(store: &Store, state_dir: &Path) -> Option<String> {
    let fault = crate::audit::inspect_keys(state_dir, store).err();
    let fault = fault.filter(crate::audit::AuditError::is_of_key)?;
    let path = state_dir.display();
    Some(format!(
        "{}: this node does not publish before audit.key and personal.key of the node that publishes are in {path}",
        with_causes(&fault)
    ))
}

/// A name server alone has no keys.
#[cfg(not(feature = "approval"))]
pub(super) fn keys_fault_on(_: &Store, _: &Path) -> Option<String> {
    None
}

/// The database, if it is usable and the one that the zones were served from.
pub(super) fn usable(options: &Options) -> Result<Store, Unusable> {
    prepared(options)?;
    let store = options.database.open()?;
    store.hold()?;
    fault_of(&store, options).map_or(Ok(store), Err)
}

/// Sees that the database is not lost, and keeps a copy of one that is about to be migrated.
fn prepared(options: &Options) -> Result<(), Unusable> {
    if let Some(lost) = lost(options)? {
        return Err(lost.into());
    }
    if let Some(state_dir) = options.database.state_dir()
        && let Some(path) = Store::keep_before_upgrade(state_dir)?
    {
        let path = path.display();
        tracing::info!("the database was migrated; its previous version is kept in {path}");
    }
    Ok(())
}

/// Why a database is not used.
pub(super) struct Unusable {
    /// In words.
    pub(super) reason: String,
    /// Whether its server may come back by itself.
    may_come: bool,
    /// An attempt to open it that goes on.
    attempt: Option<JoinHandle<()>>,
}

impl From<String> for Unusable {
    fn from(reason: String) -> Self {
        Self { reason, may_come: false, attempt: None }
    }
}

impl From<StoreError> for Unusable {
    fn from(error: StoreError) -> Self {
        Self { reason: with_causes(&error), may_come: error.may_pass(), attempt: None }
    }
}

/// Says that the database is missing, if other files show that there was one.
pub(super) fn lost(options: &Options) -> Result<Option<String>, StoreError> {
    let state_dir = &options.state_dir;
    let has_traces = || !Publisher::published(state_dir).is_empty() || has_keys(state_dir);
    let is_absent = options.database.is_absent()?;
    if is_absent && state_dir.join(RESTORING).exists() {
        let path = state_dir.display();
        return Ok(Some(format!(
            "a restore into {path} was interrupted: stop gapura, remove {path}/{RESTORING} and what a start has created \
             beside it, and run gapura db restore again"
        )));
    }
    if !is_absent && moving::is_interrupted(state_dir, &options.database) {
        return Ok(Some(format!(
            "a move of the database to {} was interrupted: put database.url back to what it was before, and run gapura db \
             move again",
            options.database
        )));
    }
    Ok((is_absent && has_traces()).then(|| {
        format!(
            "{} is missing or empty, and there are traces of one beside it: restore it from the \
             backup of the state directory; to begin anew, remove the whole state directory",
            options.database
        )
    }))
}

/// Why a database that opens is not used: it is damaged, or not the one that the zones were served from.
pub(super) fn fault_of(store: &Store, options: &Options) -> Option<Unusable> {
    let state_dir = &options.state_dir;
    let published = Publisher::published(state_dir);
    let looked = || -> Result<_, StoreError> {
        store.check(CHECK_MAX)?;
        Ok(published.is_empty() || store.knows_any(published.iter())?)
    };
    match looked() {
        Ok(true) => None,
        Ok(false) => {
            let reason = format!(
                "{} knows none of the zones that were served from this directory: it is another database; \
                 put the right one back from the backup of the state directory",
                options.database
            );
            Some(reason.into())
        }
        Err(error) => Some(error.into()),
    }
}

/// The text of a report about a database that failed.
fn text_of(report: &ReloadReport) -> String {
    let findings: Vec<String> = report.findings.iter().map(|it| it.message.clone()).collect();
    format!("{}: {}", report.zone, findings.join("; "))
}

/// Whether there are keys, which are only made together with a database.
#[cfg(feature = "approval")]
fn has_keys(state_dir: &Path) -> bool {
    crate::audit::has_keys(state_dir)
}

/// There are none.
#[cfg(not(feature = "approval"))]
fn has_keys(_: &Path) -> bool {
    false
}

/// Starts the row log before the first zone is written. Without its key zones are still served; road 3, which needs
/// the key, reports why it stays closed.
#[cfg(feature = "approval")]
fn guard_rows(store: &Store, state_dir: &Path) {
    let opened = crate::audit::open_guarded(state_dir, store, super::time::now_ms());
    if let Err(error) = opened {
        let error = with_causes(&error);
        tracing::error!(
            error,
            "rows are written without the row log; audit verify will report them"
        );
    }
}

/// There is no key and no log.
#[cfg(not(feature = "approval"))]
fn guard_rows(_: &Store, _: &Path) {}
