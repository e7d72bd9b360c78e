//! What all floors share: the publisher's handle, the state of each zone, and the types for changes,
//! errors and reports.

mod change;
mod error;
pub mod failpoint;
mod finding;
mod frozen;
mod jobs;
mod lease;
mod next_serial;
mod note;
mod options;
pub(super) mod overlay;
mod publisher;
mod report;
mod secondaries;
mod seen;
pub(super) mod serial;
mod signatures;
mod signing;
mod signing_time;
mod times;
mod version;

pub(crate) use change::Takes;
pub use change::{By, Cause, Change, Edit, RrsetEdit};
pub use error::PublishError;
pub use options::{Listing, Options, Sources, Strictness, ZoneSource, now_ms};
pub use overlay::{is_guard, is_only_guard};
pub use publisher::Publisher;
pub use report::{Guard, LastChange, Outcome, Refusal, ReloadReport, ZoneStatus, unanswered};
pub use secondaries::{Secondaries, Secondary};
pub use serial::SerialPolicy;
pub use times::{Durations, TIME_BOUNDS, Times};

pub(super) use finding::{error, left_out_zonemd, warning};
pub(super) use frozen::{Claims, Frozen};
pub(super) use jobs::{Job, Jobs};
pub(super) use lease::Lease;
pub(super) use overlay::{Overlay, RowEdit};
pub(super) use publisher::{Copied, ForeignFile, Inner, Listed, Slot, ZoneState};
pub(super) use report::Lack;
pub(super) use seen::{Seen, Stamp};
pub(super) use signatures::Signatures;
pub(super) use signing::{KeptKeys, ZoneSigning};
pub(super) use times::{Stage, Stopwatch};
pub(super) use version::Version;
