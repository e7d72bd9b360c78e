//! What changed at a name, and by which way: what its owner is told.

use serde::{Deserialize, Serialize};

use super::named::named;

/// Lines of one side of a change that are shown.
const LINES_MAX: usize = 40;

named! {
    /// By which way a change of a name came.
    pub enum Way {
        /// A request was promoted.
        Request = "request",
        /// The operator's file changed.
        File = "file",
        /// An UPDATE (RFC 2136).
        Update = "update",
        /// The operator published an earlier version again.
        Rollback = "rollback",
        /// A transfer from a primary.
        Transfer = "transfer",
        /// An officer took the name out in an emergency.
        Emergency = "emergency",
        /// The approved end date has come, or gapura took the name out by a rule of the settings.
        TakenOut = "taken_out",
        /// An officer accepted what the operator's file says.
        Adoption = "adoption",
        /// A change that our own sockets did not answer was taken back.
        TakenBack = "taken_back",
    }
}

/// The records of a name before and after a change.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct NameDelta {
    /// The name, without its final dot.
    pub name: String,
    /// The records before, a line each; empty if there were none.
    pub was: Vec<String>,
    /// The records after.
    pub now_is: Vec<String>,
}

impl NameDelta {
    /// The same with as many lines as a person reads; what is left out is counted.
    pub fn shortened(mut self) -> Self {
        for lines in [&mut self.was, &mut self.now_is] {
            if lines.len() > LINES_MAX {
                let more = lines.len() - LINES_MAX;
                lines.truncate(LINES_MAX);
                lines.push(format!("… +{more}"));
            }
        }
        self
    }
}
