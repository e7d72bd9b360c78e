//! What is shown of a request and of a live record, and to whom: the JSON of the API, which pages
//! render too.
//!
//! Views are built from the values of `queue` alone; `desk` adds candidate, proof, notices and history. [`Sees`] decides what a viewer may know of persons. No field is ever renamed;
//! more may be added.

mod changes;
mod paper;
mod parts;
mod record;
mod request;
mod sees;
mod watch;

#[cfg(test)]
mod tests;

use time::OffsetDateTime;
use time::macros::format_description;

pub use changes::{ChangedName, NameChangeView, NameChangesView};
pub use paper::{PaperCheck, PaperView};
pub use parts::{
    ApprovalView, CandidateView, ChangeView, DispositionView, FaultView, HistoryView, LineView,
    NoticeView, ObservationView, ProofView, QuestionView, ReasonView, RevisedView, SecondaryView,
};
pub use record::{RecordView, SuspensionView, YearlyQuestionView};
pub use request::{RequestView, Summary};
pub use sees::Sees;
pub use watch::{TargetView, WatchView};

/// Epoch milliseconds as RFC 3339 in UTC, always with three digits behind the second: such texts sort
/// as the times do.
pub fn rfc3339(at: i64) -> String {
    let form =
        format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");
    let moment = OffsetDateTime::from_unix_timestamp_nanos(i128::from(at) * 1_000_000);
    moment.ok().and_then(|moment| moment.format(form).ok()).unwrap_or_default()
}
