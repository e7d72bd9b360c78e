//! The settings the procedure depends on; each has the shipped default of docs/procedure.md.

use super::lifecycle::Lifecycle;
use super::named::named;
use super::time::{DAY_MS, MINUTE_MS};

/// Rules the owner may change.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Rules {
    /// One working day of working time, in milliseconds: 480 minutes.
    pub working_day: i64,
    /// Step 2, *disposisi*: 15 minutes of working time.
    pub route: i64,
    /// Step 3, check: 1 working day.
    pub check: i64,
    /// Step 4, make and report: 1 working day.
    pub make: i64,
    /// Step 5, notify the applicant: 15 minutes of working time.
    pub notify: i64,
    /// `correction.days`: working days without an answer until a request expires.
    pub correction_days: i64,
    /// Working days until an unanswered question goes back to the kasi.
    pub ask_days: i64,
    /// The least time left to step 3 after `reopen`, in milliseconds.
    pub reopen_least: i64,
    /// `approval.bind`.
    pub bind: Bind,
    /// `approval.camat`: a kecamatan confirms a desa's request.
    pub camat: bool,
    /// `approval.emergencies`: emergency suspensions of one officer that the other has not agreed with.
    pub emergencies: usize,
    /// How long a removed name stays in quarantine, in milliseconds of calendar time.
    pub quarantine_ms: i64,
    /// `lifecycle.*`: the year of a name.
    pub lifecycle: Lifecycle,
}

impl Default for Rules {
    fn default() -> Self {
        let working_day = 480 * MINUTE_MS;
        Self {
            working_day,
            route: 15 * MINUTE_MS,
            check: working_day,
            make: working_day,
            notify: 15 * MINUTE_MS,
            correction_days: 14,
            ask_days: 5,
            reopen_least: 60 * MINUTE_MS,
            bind: Bind::Candidate,
            camat: false,
            emergencies: 10,
            quarantine_ms: 180 * DAY_MS,
            lifecycle: Lifecycle::default(),
        }
    }
}

named! {
    /// What an approval is bound to (docs/procedure.md, Freshness of an approval).
    #[derive(Default)]
    pub enum Bind {
        /// The candidate hash: another serial with the same hash is accepted.
        #[default]
        Candidate = "candidate",
        /// The serial too: any change of the zone makes the approval stale.
        Serial = "serial",
    }
}
