//! The daemon's own log: one line per event on standard error, in English, without secrets.
//!
//! As text; with priorities where standard error is the journal's (sd-daemon(3)); as JSON lines for
//! `serve --json`. What strangers can cause is limited (`limit`), so that nobody fills a disk with it.

mod limit;
mod line;

use std::io::IsTerminal;
use std::os::unix::fs::MetadataExt;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use line::{Lines, Shape};

/// How much is logged.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Level {
    /// Errors only.
    Quiet,
    /// What an operator needs.
    Normal,
    /// Also what a developer needs.
    Verbose,
    /// Everything.
    Everything,
}

impl Level {
    /// The level for the command line's `--quiet` and count of `--verbose`.
    pub fn from_flags(quiet: bool, verbose: u8) -> Self {
        match (quiet, verbose) {
            (true, _) => Self::Quiet,
            (false, 0) => Self::Normal,
            (false, 1) => Self::Verbose,
            (false, _) => Self::Everything,
        }
    }

    /// What is logged of which crate. hickory-server warns of every connection that a client closes as it
    /// should, and writes two lines per query at level info; gapura logs a listener that ends.
    fn filter(self) -> &'static str {
        match self {
            Self::Quiet => "error",
            Self::Normal => "warn,gapura=info,hickory_server=error,hickory_net=error",
            Self::Verbose => "info,gapura=debug,hickory_server=error,hickory_net=error",
            Self::Everything => "debug,gapura=trace,hickory_server=warn",
        }
    }
}

/// Starts logging, as JSON lines or as text. `GAPURA_LOG` overrides the level, in the form `gapura=debug`.
pub fn start(level: Level, json: bool) {
    let filter =
        EnvFilter::try_from_env("GAPURA_LOG").unwrap_or_else(|_| EnvFilter::new(level.filter()));
    let colour = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let shape = match (json, is_journal()) {
        (true, _) => Shape::Json,
        (false, true) => Shape::Journal,
        (false, false) => Shape::Text { colour },
    };
    // A second start in one process (tests) keeps the first.
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .event_format(Lines::new(shape))
        // It would tell standard error that standard error cannot be written, and panic.
        .log_internal_errors(false);
    let _ = tracing_subscriber::registry().with(filter).with(lines).try_init();
}

/// Whether standard error goes to the journal: JOURNAL_STREAM holds its device and inode (systemd.exec(5)).
fn is_journal() -> bool {
    let Ok(stream) = std::env::var("JOURNAL_STREAM") else { return false };
    std::fs::metadata("/proc/self/fd/2")
        .is_ok_and(|found| stream == format!("{}:{}", found.dev(), found.ino()))
}
