//! The daemon's own log: one line per event, in English, with fields and without secrets.
//!
//! Lines go to standard error as text or JSON, or to systemd's journal in its native protocol (`journal`), as chosen by
//! `[log] format`; the default is the journal if standard error is connected to it. Lines that strangers can cause are
//! rate limited (`limit`), so that they cannot fill a disk.

mod events;
mod journal;
mod limit;
mod line;

use std::io::{IsTerminal, Write};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Instant;

use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, Targets, filter_fn};
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

use crate::config::LogFormat;
pub use events::EVENTS;
use journal::Journal;
use limit::Limit;
use line::{Facts, Shape};

/// How much is logged.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Level {
    /// Errors only.
    Quiet,
    /// What an operator needs.
    Normal,
    /// Also what a developer needs.
    Verbose,
    /// Everything of ours.
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

    /// The level per crate. hickory-server warns of every connection that a client closes properly, and writes two lines
    /// per query at level info; gapura itself logs a listener that ends.
    fn filter(self) -> &'static str {
        match self {
            Self::Quiet => "error",
            Self::Normal => "warn,gapura=info,hickory_server=error,hickory_net=error",
            Self::Verbose => "info,gapura=debug,hickory_server=error,hickory_net=error",
            Self::Everything => "info,gapura=trace,hickory_server=warn",
        }
    }
}

/// Starts logging in this form. `GAPURA_LOG` overrides the level, in the form `gapura=debug`.
pub fn start(level: Level, format: LogFormat) {
    let filter = targets(std::env::var("GAPURA_LOG").ok(), level);
    let log = Log { output: Output::of(format), limit: Limit::default() };
    // A second start in one process (tests) keeps the first.
    let _ =
        tracing_subscriber::registry().with(filter).with(filter_fn(is_safe)).with(log).try_init();
}

/// Whether an event may be in the log, whatever the level. Other crates do not know what is secret here: below these
/// levels lettre writes out whole mails, with the codes and links in them, and hyper what it reads.
fn is_safe(place: &Metadata<'_>) -> bool {
    let most = match place.target().split("::").next() {
        Some("gapura") => LevelFilter::TRACE,
        Some("lettre") => LevelFilter::WARN,
        _ => LevelFilter::INFO,
    };
    *place.level() <= most
}

/// The level per module: that of the variable, unless it is empty or cannot be read.
fn targets(variable: Option<String>, level: Level) -> Targets {
    let wanted = variable.filter(|it| !it.is_empty()).and_then(|it| it.parse().ok());
    wanted.or_else(|| level.filter().parse().ok()).unwrap_or_default()
}

//------------ Log -----------------------------------------------------------

/// Where lines go.
#[derive(Debug)]
enum Output {
    /// Standard error.
    Errors(Shape),
    /// The journal.
    Journal(Journal),
}

impl Output {
    /// The output that the settings ask for. Without a journal socket, text with priorities goes to standard error.
    fn of(format: LogFormat) -> Self {
        let wants_journal =
            format == LogFormat::Journal || (format == LogFormat::Auto && is_journal());
        if wants_journal {
            let journal = Journal::connect(Path::new(journal::SOCKET));
            return journal.map_or(Self::Errors(Shape::Priority), Self::Journal);
        }
        let colour = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        let is_json = format == LogFormat::Json;
        Self::Errors(if is_json { Shape::Json } else { Shape::Text { colour } })
    }
}

/// Takes events and writes lines.
#[derive(Debug)]
struct Log {
    /// Where to.
    output: Output,
    /// How many there may be.
    limit: Limit,
}

impl<S: Subscriber> Layer<S> for Log {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let place = event.metadata();
        let passed = self.limit.pass(place.target(), place.callsite(), Instant::now());
        let Some(left_out) = passed else { return };
        let mut facts = Facts::default();
        event.record(&mut facts);
        if left_out > 0 {
            facts.put("left_out", left_out.into());
        }
        let (level, target) = (*place.level(), place.target());
        let shape = match &self.output {
            Output::Errors(shape) => *shape,
            // A journal that is gone or hangs: standard error may still go somewhere.
            Output::Journal(journal) => match journal.send(&facts, level, target) {
                Ok(()) => return,
                Err(_) => Shape::Priority,
            },
        };
        let line = facts.line(shape, level, target, time::OffsetDateTime::now_utc());
        // A failure to write standard error cannot be reported anywhere.
        let _ = std::io::stderr().lock().write_all(line.as_bytes());
    }
}

/// Whether standard error goes to the journal: JOURNAL_STREAM holds its device and inode (systemd.exec(5)).
fn is_journal() -> bool {
    let Ok(stream) = std::env::var("JOURNAL_STREAM") else { return false };
    std::fs::metadata("/proc/self/fd/2")
        .is_ok_and(|found| stream == format!("{}:{}", found.dev(), found.ino()))
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use tracing::Level as Severity;

    use super::*;

    /// Keeps the targets of what passes.
    #[derive(Clone, Default)]
    struct Passed(Arc<Mutex<Vec<String>>>);

    impl<S: Subscriber> Layer<S> for Passed {
        fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
            let place = event.metadata();
            self.0.lock().unwrap().push(format!("{} {}", place.target(), place.level()));
        }
    }

    #[test]
    fn no_level_lets_other_crates_write_what_they_read_and_send() {
        let passed = Passed::default();
        let log = tracing_subscriber::registry()
            .with(LevelFilter::TRACE)
            .with(filter_fn(is_safe))
            .with(passed.clone());
        tracing::subscriber::with_default(log, || {
            tracing::debug!(target: "lettre::transport::smtp::client::connection", "Wrote: 410755");
            tracing::info!(target: "lettre::transport", "a mail");
            tracing::debug!(target: "hyper::proto::h1::io", "read 44 bytes");
            tracing::trace!(target: "h2::codec", "a frame");
            tracing::info!(target: "rustls", "ready");
            tracing::trace!(target: "gapura::publish", "ours");
        });
        let passed = passed.0.lock().unwrap().clone();
        assert_eq!(passed, ["rustls INFO", "gapura::publish TRACE"]);
    }

    #[test]
    fn a_variable_that_can_be_read_overrides_the_level() {
        let ours = |variable: Option<&str>, level| {
            let targets = targets(variable.map(str::to_owned), level);
            let most = [Severity::TRACE, Severity::DEBUG, Severity::INFO, Severity::ERROR];
            most.into_iter().find(|it| targets.would_enable("gapura::publish::door", it))
        };
        for (level, most) in [
            (Level::Quiet, Severity::ERROR),
            (Level::Normal, Severity::INFO),
            (Level::Verbose, Severity::DEBUG),
            (Level::Everything, Severity::TRACE),
        ] {
            for useless in [None, Some(""), Some("gapura=loud")] {
                assert_eq!(ours(useless, level), Some(most), "{level:?} {useless:?}");
            }
            assert_eq!(ours(Some("gapura=debug"), level), Some(Severity::DEBUG), "{level:?}");
            assert_eq!(ours(Some("warn,gapura::publish=trace"), level), Some(Severity::TRACE));
            assert_eq!(ours(Some("hickory_server=debug"), level), None, "{level:?}");
        }
        let usual = targets(None, Level::Normal);
        assert!(!usual.would_enable("hickory_server", &Severity::WARN));
        assert!(usual.would_enable("rustls", &Severity::WARN));
    }
}
