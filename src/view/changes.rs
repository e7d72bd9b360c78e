//! What changed at a name, as its owner and officers see it: records and ways, and no person.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

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
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct NameChangeView {
    /// When.
    #[schema(format = DateTime)]
    pub at: String,
    /// By which way it came.
    pub way: Way,
    /// The request that made it.
    pub request: Option<String>,
    /// The serial that carries it.
    pub serial: u32,
    /// The names, this one or those below it.
    pub names: Vec<ChangedName>,
    /// The notice to the owner, for officers who print it.
    pub notice: Option<String>,
}

/// The records of one name before and after a change.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct ChangedName {
    /// The name, without its final dot.
    pub name: String,
    /// The records before, a line each: type, data and time to live.
    pub before: Vec<String>,
    /// The records after.
    pub after: Vec<String>,
}

impl From<NameDelta> for ChangedName {
    fn from(delta: NameDelta) -> Self {
        Self { name: delta.name, before: delta.was, after: delta.now_is }
    }
}
