//! What a transition must know of the world outside the request.

use serde::{Deserialize, Serialize};

use crate::queue::calendar::Calendar;
use crate::queue::fault::Fault;
use crate::queue::person::Actor;
use crate::queue::reading::Reading;
use crate::queue::rules::Rules;
use crate::queue::sheet::AutoLine;

//------------ Facts ---------------------------------------------------------

/// What the acting function knows in its transaction, handed in because this room reads no
/// database, clock or zone.
#[derive(Clone, Copy)]
pub struct Facts<'a> {
    /// Epoch milliseconds.
    pub now: i64,
    /// Working time.
    pub calendar: &'a Calendar,
    /// The settings in force.
    pub rules: &'a Rules,
    /// For `dispose` and `reassign`: the account named under `to`, if there is one.
    pub assignee: Option<&'a Actor>,
    /// The automatic lines, computed now; required by `approve`, welcome at `check`, `submit`.
    pub automatic: Option<&'a [AutoLine]>,
    /// The candidate as it would be built now, for every act that is bound to one.
    pub candidate: Option<&'a Candidate>,
    /// The persons of [`Request::signatures`](super::Request::signatures), as they are known now; whoever is missing signs no more.
    pub signers: &'a [Actor],
    /// For `resubmit`: the new data, and the faults that were found in it.
    pub amendment: Option<&'a Amendment>,
}

impl<'a> Facts<'a> {
    /// Facts with nothing but the time, the calendar and the rules.
    pub fn at(now: i64, calendar: &'a Calendar, rules: &'a Rules) -> Self {
        Self {
            now,
            calendar,
            rules,
            assignee: None,
            automatic: None,
            candidate: None,
            signers: &[],
            amendment: None,
        }
    }
}

/// What an approval is bound to (docs/procedure.md, Freshness of an approval).
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Candidate {
    /// SHA-256 in hexadecimal over everything the approval must not see change.
    pub hash: String,
    /// The SOA serial it was built on.
    pub serial: u32,
}

/// New data of the applicant with what the automatic rules say about it.
#[derive(Clone, Debug)]
pub struct Amendment {
    /// The data, as far as it parses.
    pub application: Reading,
    /// Faults that keep it from being sent (`automatic::refusals`); empty is good.
    pub faults: Vec<Fault>,
}
