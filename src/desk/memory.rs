//! What the desk remembers between turns of the timers and between calls; nothing here outlives the
//! process.

use std::collections::{BTreeSet, HashMap};

use crate::queue::FaultCode;
use crate::queue::procedure::Deed;
use crate::queue::time::MINUTE_MS;
use crate::register::Looked;

/// Attempts of one kind by one person at one thing that are written within an hour.
const WRITTEN_MAX: u32 = 5;
/// That hour.
const HOUR_MS: i64 = 60 * MINUTE_MS;
/// Kinds of attempts that are kept before old ones are forgotten.
const KINDS_MAX: usize = 10_000;

/// What the watch for drift saw in its last turn.
#[derive(Default)]
pub(super) struct Watched {
    /// The zones as they were looked at last.
    pub(super) looked: Looked,
    /// What differed in that turn.
    pub(super) found: BTreeSet<String>,
    /// What the log has reported.
    pub(super) told: BTreeSet<String>,
}

/// Where the look through the years of names goes on.
#[derive(Default)]
pub(super) struct Years {
    /// When it began last.
    pub(super) at: i64,
    /// The name it goes on behind.
    pub(super) after: Option<String>,
}

/// What the reminders know from the last turn.
#[derive(Default)]
pub(super) struct Reminded {
    /// When the queue was looked through last.
    pub(super) at: i64,
    /// Where the look through it goes on: rank and number.
    pub(super) after: Option<(i64, String)>,
    /// Ids of reminders that are known to be written.
    pub(super) ids: BTreeSet<String>,
    /// The last event looked at.
    pub(super) event: Option<i64>,
}

/// Attempts that were turned back lately, so that a program that goes on trying does not swell the
/// chain and the history of a request.
#[derive(Default)]
pub(super) struct TurnedBack(HashMap<Attempt, (i64, u32)>);

/// Who tried what on what, and with which refusal.
pub(super) type Attempt = (String, Deed, String, FaultCode);

impl TurnedBack {
    /// Whether an attempt is written: the first few of its kind in an hour. The value is how many of
    /// the hour before were not.
    pub(super) fn is_written(&mut self, attempt: Attempt, now: i64) -> Option<u32> {
        if self.0.len() >= KINDS_MAX {
            self.0.retain(|_, (since, _)| now - *since < HOUR_MS);
            if self.0.len() >= KINDS_MAX {
                self.0.clear();
            }
        }
        let (since, count) = self.0.entry(attempt).or_insert((now, 0));
        let mut left_out = 0;
        if now - *since >= HOUR_MS {
            left_out = count.saturating_sub(WRITTEN_MAX);
            (*since, *count) = (now, 0);
        }
        *count = count.saturating_add(1);
        (*count <= WRITTEN_MAX).then_some(left_out)
    }
}
