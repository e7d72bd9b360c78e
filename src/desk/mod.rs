//! The desk: every acting function of road 3 (docs/procedure.md). Pages, API and
//! commands all end here.
//!
//! ```text
//! actor, act ─► gather evidence (zone, candidate, probe; nothing locked)
//!            ─► one transaction: load ─► rule of `queue`, with the actor as the database knows them
//!                                     ─► request, live record, event, notices
//!            ─► promote, where the act says so
//! ```
//! Hiding a button checks nothing: role, persons, state, sheet and freshness are tested in that
//! transaction. A refused act changes nothing; an officer's attempt is recorded as an event.

mod acts;
mod adopting;
mod around;
mod attachments;
mod bulk;
mod changes;
mod clock_watch;
mod clockwork;
mod closing;
mod drafts;
mod drifting;
mod erasures;
mod error;
mod evidence;
mod figures;
mod history;
mod holdings;
mod journals;
mod lifecycle;
mod listing;
mod lists;
mod look;
mod mailbox;
mod memory;
mod names;
mod office;
mod once;
mod outbox;
mod overview;
mod papers;
mod privacy;
mod probe;
mod records;
mod reminders;
mod resume;
mod rollback;
mod room;
mod secret;
mod settings;
mod signing;
mod strangers;
mod subjects;
mod submit;
mod texts;
mod unsent;
mod updates;
mod views;
mod watching;
mod webhooks;

pub use crate::ledger::Clock;
pub use crate::register::Drift;
pub use crate::store::events::EventFilter;
pub use attachments::AttachmentFile;
pub use bulk::{BulkFile, BulkLetter, BulkRowView, BulkTurn, BulkView};
pub use changes::ChangePage;
pub use closing::{MonthClosed, WorkFigures};
pub use drafts::{DraftContent, DraftLetter, DraftLimits};
pub use error::{ActError, PublicLimit};
pub use figures::{Figure, Figures};
pub use holdings::{Holding, requests_of};
pub use lifecycle::OwnerAnswer;
pub use listing::{COUNTED_MAX, Counts, ListFilter, Page, Sort};
pub use lists::{Change, Effect, ListOrigin, ListView, MovedDue, Touched};
pub use mailbox::TriedCode;
pub use names::{NameChange, NamePage};
pub use office::{CHAIN_READERS, Desk, LETTERS, PAPERS};
pub use once::{Once, Terms};
pub use overview::{HeldCount, MonthSoFar, Overview, step_of};
pub use papers::{About, Press};
pub use privacy::Erased;
pub use probe::ProbeUnderWay;
pub use resume::DraftLink;
pub use room::{Obstacle, Room};
pub use secret::lost_secret_of;
pub use settings::Options;
pub use signing::SigningNews;
pub use strangers::StrangerLimits;
pub use subjects::{SubjectKind, SubjectOutcome, SubjectView, SubjectWish};
pub use submit::{Pressed, Submitted, Submitter};
pub use texts::TEXT_MAX;
pub use unsent::FormFields;
pub use updates::{Proposed, UpdateWish};
pub use views::Viewer;
pub use webhooks::WebhookView;

#[cfg(test)]
mod tests;
