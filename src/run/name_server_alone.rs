//! Road 3 in a gapura that was built without it: nothing to open, start or report.

use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::runtime::Runtime;
use tokio::sync::watch;

use super::RunError;
use super::building::Parts;
use super::options::OptionError;
use super::time::{now_ms, utc};
use crate::config::{Loaded, Settings};
use crate::control::{OfficeCommand, Reply};
use crate::metrics::Family;
use crate::store::clock::ClockRow;
use crate::store::{Store, StoreError};

/// How often the clock is looked at.
const TURN: Duration = Duration::from_secs(5);

/// Pages and first link: there are none.
#[derive(Default)]
pub(super) struct Site {
    /// The address of the pages.
    pub(super) url: Option<String>,
    /// How the first administrator signs in.
    pub(super) first_link: Option<String>,
}

/// Nothing but the watch over the clock.
pub(super) struct Road3 {
    /// The database.
    store: Store,
}

impl Road3 {
    /// Opens nothing.
    pub(super) fn open(_: &Loaded, parts: &Parts<'_>) -> Self {
        Self { store: parts.database.store.clone() }
    }

    /// There is no queue that could be closed.
    pub(super) fn closed(&self) -> Option<&str> {
        None
    }

    /// No change waits.
    pub(super) fn obstacle(&self) -> Option<String> {
        None
    }

    /// No change will wait.
    pub(super) fn warning(&self) -> Option<String> {
        None
    }

    /// Has no figures.
    pub(super) fn figures(&self) -> Vec<Family> {
        Vec::new()
    }

    /// Starts the watch over the clock.
    pub(super) fn start(
        &self,
        runtime: &Runtime,
        _: &Settings,
        stopped: &watch::Receiver<bool>,
    ) -> Result<Site, RunError> {
        let (store, mut stopped) = (self.store.clone(), stopped.clone());
        runtime.spawn(async move {
            let (mut watch, mut last) = (ClockWatch::default(), Instant::now());
            loop {
                let ran = last.elapsed();
                last += ran;
                if let Err(error) = watch.turn(&store, ran) {
                    tracing::warn!(%error, "how far the clock is believed was not written");
                }
                tokio::select! {
                    () = tokio::time::sleep(TURN) => {}
                    _ = stopped.changed() => return,
                }
            }
        });
        Ok(Site::default())
    }

    /// Refuses every command.
    pub(super) fn command(&self, _: OfficeCommand) -> Reply {
        Reply::failed("this gapura was built as a name server alone: it has no queue")
    }

    /// The doubt about the clock, if there is one.
    pub(super) fn clock_doubt(&self) -> Option<String> {
        let row = self.store.read(|reader| reader.clock()).ok()??;
        let hours = row.left_ms()? / 3_600_000 + 1;
        Some(format!(
            "the clock jumped from {} to {}: no serial is made from it; if it is right, wait {hours} h",
            utc(row.believed_ms),
            utc(row.doubted_ms?)
        ))
    }

    /// Finds no difference: nothing was promised.
    pub(super) fn drift(&self) -> Vec<Value> {
        Vec::new()
    }

    /// Accepts any settings.
    pub(super) fn check(_: &Settings) -> Result<(), OptionError> {
        Ok(())
    }

    /// Has nothing that settings could change.
    pub(super) fn reload(&self, (): (), _: &Settings, _: &std::path::Path) {}
}

/// The row of the clock: as it is now, and as it was written last.
#[derive(Default)]
struct ClockWatch {
    /// None before the first turn.
    now: Option<ClockRow>,
    /// None before the first is written.
    written: Option<ClockRow>,
}

impl ClockWatch {
    /// Brings the row up to now, `ran` after the turn before.
    fn turn(&mut self, store: &Store, ran: Duration) -> Result<(), StoreError> {
        let now = now_ms();
        let known = match self.now {
            Some(row) => row,
            None => store.read(|reader| reader.clock())?.unwrap_or_else(|| ClockRow::believed(now)),
        };
        let row = known.turned(now, i64::try_from(ran.as_millis()).unwrap_or(i64::MAX));
        self.now = Some(row);
        if row.is_worth_writing(self.written.as_ref()) {
            store.write::<_, StoreError>(|tx| tx.put_clock(&row))?;
            self.written = Some(row);
        }
        Ok(())
    }
}
