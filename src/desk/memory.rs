//! What the timers remember from one turn to the next; nothing here outlives the process.

use std::collections::BTreeSet;

use crate::wire::Name;

/// What the watch for drift saw in its last turn.
#[derive(Default)]
pub(super) struct Watched {
    /// The serial of each zone when it was compared.
    pub(super) serials: Vec<(Name, u32)>,
    /// What differed then.
    pub(super) found: BTreeSet<String>,
    /// What the log has reported.
    pub(super) told: BTreeSet<String>,
}

/// What the reminders know from the last turn.
#[derive(Default)]
pub(super) struct Reminded {
    /// When the queue was looked through last.
    pub(super) at: i64,
    /// Ids of reminders that are known to be written.
    pub(super) ids: BTreeSet<String>,
    /// The last event looked at.
    pub(super) event: Option<i64>,
}
