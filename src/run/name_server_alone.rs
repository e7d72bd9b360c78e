//! Road 3 in a gapura that was built without it: nothing to open, start or report.

use serde_json::Value;
use tokio::runtime::Runtime;
use tokio::sync::watch;

use super::RunError;
use super::building::Parts;
use super::options::OptionError;
use crate::config::{Loaded, Settings};
use crate::control::{OfficeCommand, Reply};

/// Pages and first link: there are none.
#[derive(Default)]
pub(super) struct Site {
    /// The address of the pages.
    pub(super) url: Option<String>,
    /// How the first administrator signs in.
    pub(super) first_link: Option<String>,
}

/// Nothing.
pub(super) struct Road3;

impl Road3 {
    /// Opens nothing.
    pub(super) fn open(_: &Loaded, _: &Parts<'_>) -> Self {
        Self
    }

    /// There is no queue that could be closed.
    pub(super) fn closed(&self) -> Option<&str> {
        None
    }

    /// Starts nothing.
    pub(super) fn start(
        &self,
        _: &Runtime,
        _: &Settings,
        _: &watch::Receiver<bool>,
    ) -> Result<Site, RunError> {
        Ok(Site::default())
    }

    /// Refuses every command.
    pub(super) fn command(&self, _: OfficeCommand) -> Reply {
        Reply::failed("this gapura was built as a name server alone: it has no queue")
    }

    /// Nothing here is done by time.
    pub(super) fn clock_doubt(&self) -> Option<String> {
        None
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
    pub(super) fn reload(&self, (): (), _: &std::path::Path) {}
}
