//! The rules of the procedure (SOP 500.12.6.4/534/SPeGOV): states, who may do what, clocks, check sheet.
//!
//! Pure: no SQL, HTTP, clock or socket. The caller hands in the time, the actor and the evidence, and
//! gets back the new value and exactly one happening, which becomes an event in the same transaction.
//! Request, live record and notice are three machines in three files; reasons are data, never states.

pub mod act;
pub mod application;
pub mod automatic;
pub mod calendar;
pub mod change;
pub mod clocks;
pub mod fault;
pub mod fields;
#[cfg(any(test, feature = "testing"))]
#[allow(clippy::unwrap_used)] // Values of tests.
pub mod fixture;
pub mod happening;
pub mod labels;
pub mod laps;
pub mod lifecycle;
pub mod line;
pub mod lists;
pub mod live;
pub mod named;
pub mod naming;
pub mod notice;
pub mod papers;
pub mod person;
mod personal;
pub mod procedure;
pub mod reading;
pub mod record_rules;
pub mod records;
pub mod regions;
pub mod request;
pub mod reserved;
pub mod rules;
pub mod sheet;
pub mod similar;
pub mod targets;
pub mod time;
pub mod watch;

pub use act::RejectReason;
pub use application::{
    Application, Contact, Kind, Letter, NamingClass, RequestedRecord, records_to,
};
pub use automatic::{CandidateFinding, Evidence, Neighbour, Probe, QueueFacts, ZoneFacts};
pub use calendar::{Calendar, Hours};
pub use change::{NameDelta, Way};
pub use clocks::{ClockStep, Clocks, Timing};
pub use fault::{Fault, FaultCode, Rule, TransitionError};
pub use happening::{Happening, Step, Subject};
pub use lifecycle::{Call, Ground, Lifecycle, Raised, YearlyQuestion};
pub use line::{LineCode, LineInput, LineVerdict};
pub use lists::{List, Table};
pub use live::{LiveRecord, LiveState, Origin};
pub use named::UnknownWord;
pub use naming::Naming;
pub use notice::{Notice, NoticeReader, NoticeState, NoticeValues, Point};
pub use papers::PaperKind;
pub use person::{ActingOfficial, Actor, Identity, Role, Signature};
pub use procedure::{Act, ActKind, Deed, Phase};
pub use reading::{ParsedApplication, Place, Reading};
pub use records::ParsedRecord;
pub use regions::{Regions, folded, parse_offices, same_office};
pub use request::{
    Amendment, Candidate, Disposition, Facts, PromotionFault, Question, Request, RequestResult,
    Stage, State,
};
pub use request::{needed, needed_within};
pub use rules::{Bind, Rules};
pub use sheet::{AutoLine, Line, Outcome, Overrule, Sheet};
pub use targets::Targets;
pub use watch::{Sight, Warning, Watch};
