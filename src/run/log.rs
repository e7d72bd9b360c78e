//! The daemon's own log: one line per event on standard error, in English, without secrets.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

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
}

/// Starts logging. `GAPURA_LOG` overrides the level, in the form `gapura=debug`.
pub fn start(level: Level) {
    let filter = EnvFilter::try_from_env("GAPURA_LOG").unwrap_or_else(|_| {
        // hickory-server writes two lines per query at level info.
        EnvFilter::new(match level {
            Level::Quiet => "error",
            Level::Normal => "warn,gapura=info",
            Level::Verbose => "info,gapura=debug,hickory_server=warn",
            Level::Everything => "debug,gapura=trace,hickory_server=warn",
        })
    });
    let colour = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    // A second start in one process (tests) keeps the first.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(colour)
        .with_target(false)
        .try_init();
}
