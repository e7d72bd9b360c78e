//! Rate limit of log lines per place in the code: what a stranger can repeat at will must not fill the log.

use crate::lock::lock;
use std::collections::HashMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use tracing::callsite::Identifier;

/// Lines of one place per period.
const LINES: u64 = 10;
/// The period.
const PERIOD: Duration = Duration::from_secs(60);
/// Our own modules that act on what strangers send. All others log what an operator or officer did.
const REACHABLE: [&str; 6] = [
    "gapura::serve",
    "gapura::web",
    "gapura::metrics",
    "gapura::control",
    "gapura::answer",
    "gapura::desk::probe",
];

/// The lines of each place in the code.
#[derive(Debug, Default)]
pub(super) struct Limit {
    /// The period of each.
    places: Mutex<HashMap<Identifier, Period>>,
}

/// The lines of one place in a period.
#[derive(Debug)]
struct Period {
    /// When it began.
    began: Instant,
    /// Lines, written or not.
    lines: u64,
}

impl Limit {
    /// Whether the place may write a line; if so, how many were suppressed before.
    pub(super) fn pass(&self, target: &str, place: Identifier, now: Instant) -> Option<u64> {
        if !is_limited(target) {
            return Some(0);
        }
        let mut places = lock(&self.places);
        let new = || Period { began: now, lines: 0 };
        let period = places.entry(place).or_insert_with(new);
        let mut left_out = 0;
        if now.duration_since(period.began) >= PERIOD {
            left_out = period.lines.saturating_sub(LINES);
            *period = new();
        }
        period.lines += 1;
        (period.lines <= LINES).then_some(left_out)
    }
}

/// Whether lines of this module are limited: those of dependencies, and of what strangers reach.
fn is_limited(target: &str) -> bool {
    let is_in = |room: &&str| target.strip_prefix(*room).is_some_and(|rest| !rest.starts_with('_'));
    !target.starts_with("gapura") || REACHABLE.iter().any(is_in)
}

#[cfg(test)]
mod tests {
    use tracing::Metadata;
    use tracing::callsite::Callsite;
    use tracing::subscriber::Interest;

    use super::*;

    /// A place in no code.
    struct Nowhere;

    impl Callsite for Nowhere {
        fn set_interest(&self, _: Interest) {}

        fn metadata(&self) -> &Metadata<'_> {
            unreachable!("nobody asks")
        }
    }

    #[test]
    fn a_place_that_strangers_reach_writes_a_few_lines_and_counts_the_rest() {
        let (limit, start) = (Limit::default(), Instant::now());
        let pass = |at| limit.pass("quinn", Identifier(&Nowhere), at);
        assert_eq!((0..25).filter(|_| pass(start) == Some(0)).count() as u64, LINES);
        assert_eq!((pass(start), pass(start + PERIOD)), (None, Some(16)));
        assert_eq!(pass(start + PERIOD), Some(0));
    }

    #[test]
    fn what_operators_cause_is_never_left_out() {
        for (target, limited) in [
            ("gapura::publish::source", false),
            ("gapura::run", false),
            ("gapura::serve::quic", true),
            // It limits itself, and counts what it leaves out (serve/refusals.rs).
            ("gapura::refused", false),
            ("gapura::desk", false),
            ("gapura::desk::probe", true),
            ("hickory_server", true),
        ] {
            assert_eq!(is_limited(target), limited, "{target}");
        }
    }
}
