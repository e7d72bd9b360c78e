//! A zone of which it is not clear any more what is to be served: two files claim it, or the settings do
//! not have it any more and nobody confirmed that. It goes on as it is, and its files are not looked at.

use super::{Guard, ZoneSource, error};
use crate::master::Finding;
use crate::wire::Name;

//------------ Frozen --------------------------------------------------------

/// Why a zone goes on as it is.
#[derive(Clone, Debug)]
pub(crate) struct Frozen {
    /// The guard that keeps it.
    pub(crate) guard: Guard,
    /// What to tell about it.
    pub(crate) finding: Finding,
    /// What claims the zone; of a zone that left, what claimed it last.
    pub(crate) claims: Vec<ZoneSource>,
}

impl Frozen {
    /// More than one file claims the zone.
    pub(crate) fn doubled(apex: &Name, claims: Vec<ZoneSource>) -> Self {
        let files: Vec<String> =
            claims.iter().map(|source| source.file.display().to_string()).collect();
        let message = format!("{apex} is claimed by {}", files.join(" and "));
        let hint = "keep one file for each name; case and escapes do not make a difference";
        Self { guard: Guard::Doubled, finding: error("zone-doubled", message, hint), claims }
    }

    /// The settings do not have the zone any more.
    pub(crate) fn left(source: ZoneSource) -> Self {
        let (apex, file) = (&source.apex, source.file.display());
        let message = if source.by_file {
            format!("{file} is gone, and {apex} with it: a directory emptied or not mounted?")
        } else {
            format!("no [[zone]] names {apex} any more")
        };
        let hint = format!("put it back, or let the zone go: gapura ctl reload {apex} --force");
        let finding = error("zone-left", message, &hint);
        Self { guard: Guard::Left, finding, claims: vec![source] }
    }
}
