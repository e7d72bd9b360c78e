//! What a request asks for, as an edit of the zone.

use crate::publish::Edit;
use crate::queue::{Kind, LiveRecord, ParsedApplication};
use crate::register::{edit_out, replacing, rrsets};
use crate::zone::Zone;

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
    }
}
