//! What changed at a name, as its owner and officers see it: records and ways, and no person.

use serde::{Deserialize, Serialize};

use crate::queue::{LiveState, NameDelta, Way};

/// A name and every change of its records that is kept.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct NameChangesView {
    /// The absolute name.
    pub name: String,
    /// Its state.
    pub state: LiveState,
    /// The office that owns it.
    pub office: String,
    /// RFC 3339.
    pub since: Option<String>,
    /// RFC 3339.
    pub ends: Option<String>,
    /// The changes, the newest first.
    pub changes: Vec<NameChangeView>,
}

/// One change.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct NameChangeView {
    /// When, RFC 3339.
    pub at: String,
    /// By which way it came.
    pub way: Way,
    /// The request that made it.
    pub request: Option<String>,
    /// The serial that carries it.
    pub serial: u32,
    /// The names, this one or those below it, with their records before and after.
    pub names: Vec<NameDelta>,
    /// The notice to the owner, for officers who print it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notice: Option<String>,
}
