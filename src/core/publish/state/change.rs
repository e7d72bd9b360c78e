//! An [`Edit`] says which RRsets to serve, a [`Cause`] why, and a [`Change`] is the resulting step from
//! one serial to the next.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::sign::is_proof;
use crate::store::promoted::Origin;
use crate::wire::{Name, Rtype};
use crate::zone::Delta;

//------------ Edit ----------------------------------------------------------

/// RRsets to put in the place of what is served. Names and types not listed stay as they are.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Edit {
    /// Each owner and type at most once.
    pub set: Vec<RrsetEdit>,
}

/// One RRset as it is to be served.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RrsetEdit {
    /// The owner name.
    pub owner: Name,
    /// The type; SOA, signatures and meta types are not for edits.
    pub rtype: Rtype,
    /// Time to live in seconds.
    pub ttl: u32,
    /// RDATA, uncompressed. Empty: the RRset is taken out (of the operator's file by a mask).
    pub rdatas: Vec<Box<[u8]>>,
}

//------------ Cause ---------------------------------------------------------

/// What made a change. Kept as JSON with each journal entry.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Cause {
    /// The zone was loaded for the first time.
    Load {
        /// SHA-256 over the file and its includes, in hexadecimal.
        sha256: String,
    },
    /// The operator's file changed.
    File {
        /// SHA-256 over the file and its includes, in hexadecimal.
        sha256: String,
    },
    /// A request was promoted.
    Request {
        /// The request's number.
        number: String,
    },
    /// An UPDATE (RFC 2136) changed records.
    Update {
        /// The name of its key.
        key: String,
    },
    /// An earlier version was published again.
    Rollback {
        /// The version.
        to_serial: u32,
    },
    /// A change that our own socket did not confirm was taken back.
    Unconfirmed {
        /// The serial of the change that was taken back.
        serial: u32,
        /// What was asked and what came.
        reason: String,
    },
    /// A transfer from a primary.
    Transfer {
        /// The primary, by its name in the settings.
        primary: String,
        /// `axfr` or `ixfr`.
        transfer: String,
    },
    /// Keys or signatures changed, and nothing else.
    Signing {
        /// What was done, such as `zsk published` or `renewal`.
        what: String,
    },
    /// gapura's own records, such as the audit anchor.
    Own {
        /// What for, in one word.
        purpose: String,
    },
}

/// What a cause means to whoever handles its change.
pub(crate) struct Meaning {
    /// The word for metrics and lists; the tag in the journal.
    kind: &'static str,
    /// Whether the change is kept beside the operator's file, so that neither a reload nor a rollback
    /// of the file touches it.
    pub(crate) is_beside_file: bool,
    /// The zones of a kind of their own that it may change, besides those with a file.
    pub(crate) takes: Takes,
}

/// Which zones a cause may change, besides those with a file of the operator's.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Takes {
    /// No others.
    Files,
    /// Those that a primary owns.
    Secondaries,
    /// The same, and those that expired: it brings fresh data.
    Expired,
    /// Those that gapura makes from its settings.
    Made,
}

/// Makes the table of causes.
macro_rules! causes {
    ($($variant:ident: $kind:literal, $beside:expr, $takes:ident;)+) => {
        impl Cause {
            /// The kinds of all causes.
            pub const KINDS: &[&'static str] = &[$($kind),+];

            /// What it means.
            pub(crate) fn meaning(&self) -> Meaning {
                match self {
                    $(Self::$variant { .. } => Meaning {
                        kind: $kind,
                        is_beside_file: $beside,
                        takes: Takes::$takes,
                    },)+
                }
            }
        }
    };
}

// A cause that is added has a line here; `cause-KIND` is its word in both catalogues.
causes! {
    // variant: kind, kept beside the file, what it may change besides zones with a file
    Load: "load", false, Files;
    File: "file", false, Files;
    Request: "request", true, Files;
    Update: "update", true, Files;
    Rollback: "rollback", false, Files;
    Unconfirmed: "unconfirmed", false, Made;
    Transfer: "transfer", false, Expired;
    Signing: "signing", false, Secondaries;
    Own: "own", true, Made;
}

impl Cause {
    /// That signatures were made anew, and nothing else.
    pub(crate) fn renewal() -> Self {
        Self::Signing { what: "renewal".to_owned() }
    }

    /// The word for metrics and lists.
    pub fn kind(&self) -> &'static str {
        self.meaning().kind
    }

    /// The request that was promoted.
    pub fn request(&self) -> Option<&str> {
        match self {
            Self::Request { number } => Some(number),
            _ => None,
        }
    }

    /// The request, or the key of the update, that the change belongs to.
    pub fn about(&self) -> Option<&str> {
        match self {
            Self::Request { number } => Some(number),
            Self::Update { key } => Some(key),
            Self::Load { .. }
            | Self::File { .. }
            | Self::Rollback { .. }
            | Self::Unconfirmed { .. }
            | Self::Transfer { .. }
            | Self::Signing { .. }
            | Self::Own { .. } => None,
        }
    }

    /// Whose the RRsets are that the change puts up.
    pub(crate) fn origin(&self) -> Origin {
        match self {
            Self::Request { number } => Origin::Request(number.clone()),
            Self::Update { key } => Origin::Update(key.clone()),
            _ => Origin::Unnamed,
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Load { sha256 } => write!(f, "first load of file {}", short(sha256)),
            Self::File { sha256 } => write!(f, "file {}", short(sha256)),
            Self::Request { number } => write!(f, "request {number}"),
            Self::Update { key } => write!(f, "update by key {key}"),
            Self::Rollback { to_serial } => write!(f, "rollback to {to_serial}"),
            Self::Unconfirmed { serial, reason } => {
                write!(f, "{serial} taken back, not confirmed: {reason}")
            }
            Self::Transfer { primary, transfer } => {
                write!(f, "transfer from {primary} ({transfer})")
            }
            Self::Signing { what } => write!(f, "signing: {what}"),
            Self::Own { purpose } => write!(f, "gapura's own: {purpose}"),
        }
    }
}

/// The first digits of a hash, as people compare them.
fn short(hash: &str) -> &str {
    hash.get(..12).unwrap_or(hash)
}

//------------ By ------------------------------------------------------------

/// Who wants a file loaded, and how much.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct By {
    /// A person, or `gapura` for the watcher and the start.
    pub who: String,
    /// Whether in spite of the shrink guard, a rollback and lost marks.
    pub force: bool,
}

impl By {
    /// gapura by itself.
    pub fn gapura() -> Self {
        Self { who: "gapura".to_owned(), force: false }
    }

    /// A person who does not overrule any guard.
    pub fn person(who: impl Into<String>) -> Self {
        Self { who: who.into(), force: false }
    }
}

//------------ Change --------------------------------------------------------

/// One step of a zone from one serial to the next, durable when anybody sees it.
#[derive(Clone, Debug)]
pub struct Change {
    /// The apex.
    pub zone: Name,
    /// The serial before; none for a first load.
    pub from: Option<u32>,
    /// The serial after.
    pub to: u32,
    /// Records removed and added, the SOA record among them. Empty for a first load.
    pub delta: Delta,
    /// What made it.
    pub cause: Cause,
    /// Who made it: a person, or `gapura` for the watcher.
    pub who: String,
    /// When, in milliseconds since 1970.
    pub at_ms: i64,
}

impl Change {
    /// Whether anything that is served changed; otherwise only rows were written.
    pub fn is_visible(&self) -> bool {
        self.from != Some(self.to)
    }

    /// Records removed and added, without the SOA record, signatures and proofs.
    pub fn counts(&self) -> (usize, usize) {
        let counts = |rtype| rtype != Rtype::SOA && !is_proof(rtype);
        let count = |records: &[crate::wire::Record]| {
            records.iter().filter(|record| counts(record.rtype)).count()
        };
        (count(&self.delta.removed), count(&self.delta.added))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_of_a_cause_is_its_tag_in_the_journal() {
        let text = String::new;
        let each = [
            Cause::Load { sha256: text() },
            Cause::File { sha256: text() },
            Cause::Request { number: text() },
            Cause::Update { key: text() },
            Cause::Rollback { to_serial: 1 },
            Cause::Unconfirmed { serial: 1, reason: text() },
            Cause::Transfer { primary: text(), transfer: text() },
            Cause::Signing { what: text() },
            Cause::Own { purpose: text() },
        ];
        assert_eq!(each.each_ref().map(Cause::kind), *Cause::KINDS);
        for cause in each {
            assert_eq!(serde_json::to_value(&cause).unwrap()["kind"], cause.kind());
        }
    }
}
