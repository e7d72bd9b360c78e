//! Why the daemon did not start, or had to stop.

use std::io;

use super::StateDirError;
use super::options::OptionError;
use crate::backup::BackupError;
use crate::publish::PublishError;
use crate::serve::StartError;
use crate::store::StoreError;

/// Why the daemon did not start, or had to stop.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The state directory cannot be used.
    #[error(transparent)]
    StateDir(#[from] StateDirError),
    /// The database cannot be used.
    #[error("the database cannot be used")]
    Store(#[from] StoreError),
    /// Invalid settings, one per line.
    #[error("{0}")]
    Settings(String),
    /// An invalid setting.
    #[error("settings")]
    Options(#[from] OptionError),
    /// Zones cannot be opened.
    #[error("the zones cannot be opened")]
    Publish(#[from] PublishError),
    /// A backup cannot be made or used.
    #[error(transparent)]
    Backup(#[from] BackupError),
    /// The command is refused; the text says why.
    #[error("{0}")]
    Refused(String),
    /// A listener of the name server cannot be started.
    #[error(transparent)]
    Listen(#[from] StartError),
    /// The system refused another listener, a thread or a signal.
    #[error("{what}")]
    System {
        /// What was tried, and what to do.
        what: String,
        /// What the system said.
        source: io::Error,
    },
    /// The takeover from the running daemon failed.
    #[error("cannot take over: {0}")]
    Follow(String),
    /// Road 3 cannot be opened.
    #[cfg(feature = "approval")]
    #[error("the queue cannot be opened")]
    Queue(#[source] anyhow::Error),
}

impl RunError {
    /// Whether the same start may succeed a moment later on its own: an address comes up, memory is free again.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Settings(_) | Self::Options(_) => false,
            Self::Listen(error) => error.may_pass(),
            _ => true,
        }
    }
}

/// Adds a description of what was tried to an error of the system.
pub(super) fn system<T>(what: impl Into<String>, result: io::Result<T>) -> Result<T, RunError> {
    result.map_err(|source| RunError::System { what: what.into(), source })
}
