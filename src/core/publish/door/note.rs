//! What a copy records besides the records of a zone, for a start without the database: which promoted
//! records and masks are in it, so that a lost, torn or older derived file is detected, and which operator's
//! file was rolled back and must not be loaded again.

use super::derived;
use crate::publish::state::Overlay;

/// Where nothing is to be noted.
const NONE: &str = "-";

/// The note of a copy; a comment line of it, or of a change behind it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Note {
    /// The hash of the promoted records and masks; none if there are none.
    pub(crate) promoted: Option<String>,
    /// The hash of the file that was rolled back.
    pub(crate) rolled_back: Option<String>,
}

impl Note {
    /// Of what is to be served.
    pub(super) fn of(overlay: &Overlay, rolled_back: Option<&String>) -> Self {
        let promoted = (!overlay.is_empty()).then(|| derived::hash_of(overlay));
        Self { promoted, rolled_back: rolled_back.cloned() }
    }

    /// The line, without its end.
    pub(super) fn line(&self) -> String {
        let word = |hash: &Option<String>| hash.clone().unwrap_or_else(|| NONE.to_owned());
        let (promoted, rolled_back) = (word(&self.promoted), word(&self.rolled_back));
        format!("; promoted records {promoted}, file rolled back {rolled_back}")
    }

    /// The note of a line, if it is one.
    pub(super) fn parse(line: &str) -> Option<Self> {
        let hashes = line.strip_prefix("; promoted records ")?;
        let (promoted, rolled_back) = hashes.split_once(", file rolled back ")?;
        let hash = |word: &str| (word != NONE).then(|| word.to_owned());
        Some(Self { promoted: hash(promoted), rolled_back: hash(rolled_back) })
    }
}
