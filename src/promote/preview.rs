//! What a request would do: the edit it asks for, and the candidate that comes of it.

use crate::publish::{Candidate, Edit, is_only_guard};
use crate::queue::{self, Kind, LiveRecord, ParsedApplication};
use crate::register::{edit_out, replacing, rrsets, served_records};
use crate::zone::Zone;

/// What a request would do now.
pub struct Preview {
    /// The edit.
    pub edit: Edit,
    /// What it does to the zone as served.
    pub candidate: Candidate,
}

impl Preview {
    /// What an approval is bound to.
    pub fn bound(&self) -> queue::Candidate {
        queue::Candidate { hash: self.candidate.hash(), serial: self.candidate.serial }
    }
}

/// The edit a request asks for, on the zone as served. `live` is the name's live record.
pub(super) fn edit_of(
    application: &ParsedApplication,
    live: Option<&LiveRecord>,
    zone: &Zone,
) -> Edit {
    let owner = &application.place().name;
    match application.kind {
        Kind::New => Edit { set: rrsets(owner, application.rrs()) },
        Kind::Change => replacing(rrsets(owner, application.rrs()), owner, zone),
        Kind::Suspend if application.lift => {
            let suspended = live.into_iter().flat_map(|live| &live.records);
            replacing(rrsets(owner, suspended), owner, zone)
        }
        Kind::Suspend | Kind::Remove => edit_out(owner, zone),
        // What is served stays, and the read-back proves it; of a suspended name nothing is.
        Kind::HandOver | Kind::Renew if is_only_guard(zone, owner) => Edit { set: Vec::new() },
        Kind::HandOver | Kind::Renew => {
            Edit { set: rrsets(owner, served_records(owner, zone).iter()) }
        }
    }
}
