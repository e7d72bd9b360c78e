//! Road 3 in a gapura that was built without it: nothing to open, start or report.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::Value;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::watch;

use super::RunError;
use super::clock::Clock;
use super::node;
use super::options::OptionError;
use super::stand_in::Database;
use super::state_dir::StateDir;
use crate::config::{Loaded, Settings};
use crate::control::{OfficeCommand, Reply};
use crate::fleet::{Fleet, Queue};
use crate::metrics::Family;
use crate::publish::Publisher;
use crate::serve::Tap;
use crate::signer::Signer;
use crate::wire::Name;

/// Pages and first link: there are none.
#[derive(Default)]
pub(super) struct Site {
    /// The address of the pages.
    pub(super) url: Option<String>,
    /// How the first administrator signs in.
    pub(super) first_link: Option<String>,
    /// The pages.
    pub(super) pages: Option<tokio::task::JoinHandle<()>>,
}

/// Nothing but the watch over the clock.
pub(super) struct Road3 {
    /// The clock, from which serials may be made.
    clock: Clock,
}

/// Settings of the queue that were checked: none.
pub(super) struct Checked;

impl Road3 {
    /// Opens nothing.
    pub(super) fn open(
        _: &Loaded,
        _: &StateDir,
        (database, _): (&Database, node::Publisher),
        _: &Publisher,
    ) -> Self {
        Self { clock: Clock::new(database.store.clone()) }
    }

    /// There is no queue.
    pub(super) fn proposals(&self) -> Option<Box<dyn Queue>> {
        None
    }

    /// There is no queue that could be closed.
    pub(super) fn closed(&self) -> Option<&str> {
        None
    }

    /// There are no pages.
    pub(super) fn reaches_publisher(&self) -> bool {
        true
    }

    /// No change waits.
    pub(super) fn obstacle(&self) -> Option<String> {
        None
    }

    /// No change will wait.
    pub(super) fn warnings(&self) -> Vec<String> {
        Vec::new()
    }

    /// Tells no webhooks.
    pub(super) fn webhooks(&self) -> Vec<Value> {
        Vec::new()
    }

    /// Has no figures.
    pub(super) fn figures(&self) -> Vec<Family> {
        Vec::new()
    }

    /// Starts the watch over the clock.
    pub(super) fn start(
        &self,
        (runtime, _): (&Runtime, impl FnOnce(SocketAddr) -> Result<TcpListener, RunError>),
        _: &Settings,
        _: (&Fleet, &Signer),
        _: Tap,
        (stopped, _): (&watch::Receiver<bool>, watch::Receiver<Option<Duration>>),
    ) -> Result<Site, RunError> {
        self.clock.start(runtime, stopped);
        Ok(Site::default())
    }

    /// Keeps nothing: there are metrics.
    pub(super) fn keep_statistics(&self) {}

    /// Refuses every command but the one about the clock.
    pub(super) fn command(&self, command: OfficeCommand) -> Reply {
        match command {
            OfficeCommand::ClockConfirm => self.clock.confirm(),
            _ => Reply::failed("this gapura was built as a name server alone: it has no queue"),
        }
    }

    /// There is no event chain that would hold it.
    pub(super) fn note_keys_command(&self, _: &Name, _: &str, _: &str) {}

    /// The doubt about the clock, if there is one.
    pub(super) fn clock_doubt(&self) -> Option<String> {
        self.clock.doubt()
    }

    /// Watches no targets.
    pub(super) fn targets(&self) -> Vec<Value> {
        Vec::new()
    }

    /// Finds no difference: nothing was promised.
    pub(super) fn drift(&self) -> Vec<Value> {
        Vec::new()
    }

    /// Accepts any settings.
    pub(super) fn check(_: &Settings) -> Result<Checked, OptionError> {
        Ok(Checked)
    }

    /// Has nothing that settings could change.
    pub(super) fn reload(&self, _: Checked, _: &Settings, _: &std::path::Path) {}
}
