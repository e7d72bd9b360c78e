//! What the verifier found: counts, faults, and the words in which the command line says them.

use std::error::Error;

use crate::store::row_log::RowChange;
use crate::store::{StoreError, is_disk_full, is_unavailable};

/// Faults that the report in words lists; the JSON has all.
const LISTED_MAX: usize = 20;

//------------ Report --------------------------------------------------------

/// What the verifier found.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Events read.
    pub events: usize,
    /// First sequence read; 0 if there is none.
    pub first: i64,
    /// Last sequence read; 0 if there is none.
    pub last: i64,
    /// Hash of the last event.
    pub head: String,
    /// What is wrong, by sequence; empty is good.
    pub faults: Vec<AuditFault>,
    /// The last event a good checkpoint covers.
    pub signed_to: Option<i64>,
    /// The last event an anchor held outside covers.
    pub anchored_to: Option<i64>,
    /// Values erased lawfully (*dihapus sah*).
    pub erased: usize,
    /// Proofs of promotions that are those their events name.
    pub proofs: usize,
    /// Papers whose file is the one that was rendered.
    pub papers: usize,
    /// Directories of files that may not be mounted, each as a sentence.
    pub unmounted: Vec<String>,
    /// How many faults that explains.
    pub(super) unmounted_files: usize,
    /// The rows that were compared; none in an export, or without their key.
    pub compared: Option<Compared>,
    /// Whether the database itself was at hand.
    pub is_own: bool,
    /// Whether the keys were taken from the export itself.
    pub keys_from_export: bool,
    /// Why not all of the database could be read, though nothing is wrong with it: its server went away.
    pub(super) interrupted: Option<String>,
}

/// What the rows were compared with.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Compared {
    /// Tables.
    pub tables: usize,
    /// Rows.
    pub rows: usize,
}

/// One thing that is wrong.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AuditFault {
    /// The event it is about.
    pub sequence: i64,
    /// What is wrong with it.
    pub what: String,
    /// Of which kind that is.
    pub kind: FaultKind,
}

/// Kinds of faults, by what is to be done.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum FaultKind {
    /// An event, or the order of events.
    Chain,
    /// A checkpoint, an anchor or a key.
    Signature,
    /// A personal value, or the proof of a promotion.
    Value,
    /// A row of a table.
    Row {
        /// The table.
        table: String,
        /// The row's key.
        key: String,
        /// What happened to it.
        change: RowChange,
    },
    /// The log of rows.
    Log,
    /// A table, an index or a trigger.
    Schema {
        /// Its type and name.
        name: String,
    },
}

impl FaultKind {
    /// What an administrator does about it.
    pub fn advice(&self) -> &'static str {
        match self {
            Self::Row { .. } | Self::Schema { .. } | Self::Log => {
                "what to do: stop gapura, copy the state directory as evidence, find out who edited \
                 the database, and put back the newest backup that verifies; then repeat the acts \
                 that came after it"
            }
            Self::Chain | Self::Value => {
                "what to do: copy the state directory as evidence, compare the event with the last \
                 export, and put back the newest backup that verifies"
            }
            Self::Signature => {
                "what to do: compare the key with the public key kept outside, and the event with the \
                 anchors that secondaries hold"
            }
        }
    }
}

impl Report {
    /// Whether nothing is wrong.
    pub fn is_good(&self) -> bool {
        self.faults.is_empty()
    }

    /// The first bad sequence.
    pub fn first_bad(&self) -> Option<i64> {
        self.faults.first().map(|fault| fault.sequence)
    }

    /// The report in words, one line each.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = self.unmounted.clone();
        if self.events == 0 {
            lines.push("no events".to_owned());
        } else {
            let (first, last) = (self.first, self.last);
            lines.push(format!("{} events, {first} to {last}, head {}", self.events, self.head));
        }
        if self.first > 1 {
            lines.push(format!("events before {} are not in this export", self.first));
        }
        if let Some(first) = self.faults.first() {
            lines.push(format!("NOT GOOD: first bad sequence {}", first.sequence));
            let listed = self.faults.iter().take(LISTED_MAX);
            lines.extend(listed.map(|fault| format!("  {}: {}", fault.sequence, fault.what)));
            if self.faults.len() > LISTED_MAX {
                lines.push(format!("  and {} more", self.faults.len() - LISTED_MAX));
            }
            lines.push(if self.faults.len() == self.unmounted_files {
                "what to do: mount it, and verify again; what is gone then, too, is in a backup"
                    .to_owned()
            } else {
                first.kind.advice().to_owned()
            });
        } else {
            lines.push("GOOD: every event follows from the one before".to_owned());
        }
        lines.push(match self.compared {
            Some(Compared { tables, rows }) => {
                format!("{rows} rows of {tables} tables compared with what the chain binds")
            }
            None if self.is_own => {
                "limit: rows were not compared, their key (personal.key) is not at hand".to_owned()
            }
            None => {
                "limit: an export holds no rows of other tables: people, requests and promoted \
                     records were not compared; gapura audit verify on the machine itself does that"
                    .to_owned()
            }
        });
        if self.proofs > 0 {
            lines
                .push(format!("proofs of promotions that are those in the chain: {}", self.proofs));
        }
        if self.papers > 0 {
            lines.push(format!("files of papers that are those rendered: {}", self.papers));
        }
        lines.push(match self.signed_to {
            Some(to) => format!("signed up to {to}"),
            None => "no signature covers any event".to_owned(),
        });
        if self.keys_from_export {
            lines.push(
                "the keys were taken from what is checked: give the public key to check them too"
                    .to_owned(),
            );
        }
        if self.erased > 0 {
            lines.push(format!("{} personal values erased lawfully (dihapus sah)", self.erased));
        }
        let anchored = self.anchored_to.unwrap_or(0);
        lines.push(if anchored >= self.last {
            "every event is covered by an anchor".to_owned()
        } else {
            format!(
                "limit: events after {anchored}, the last anchor given, are only chained; whoever \
                 holds the database and the key could have rewritten them"
            )
        });
        lines
    }

    /// Notes a fault of the chain.
    pub(super) fn fault(&mut self, sequence: i64, what: impl Into<String>) {
        self.note(FaultKind::Chain, sequence, what);
    }

    /// Notes a fault.
    pub(super) fn note(&mut self, kind: FaultKind, sequence: i64, what: impl Into<String>) {
        self.faults.push(AuditFault { sequence, what: what.into(), kind });
    }

    /// What was read of a table. One that cannot be read, because it was dropped or changed, is a fault
    /// and as good as empty: the verifier goes on. If the database cannot be used at present, that says nothing of it.
    pub(super) fn read<T: Default>(&mut self, table: &str, read: Result<T, StoreError>) -> T {
        read.unwrap_or_else(|error| {
            let what = unread(table, &error);
            if is_passing(&error) {
                self.interrupted.get_or_insert(what);
            } else {
                self.note(FaultKind::Schema { name: table.to_owned() }, 1, what);
            }
            T::default()
        })
    }
}

/// Whether an error says nothing of what is in the database.
pub(super) fn is_passing(error: &StoreError) -> bool {
    is_unavailable(error) || is_disk_full(error)
}

/// That a table cannot be read, with what the database said.
pub(super) fn unread(table: &str, error: &StoreError) -> String {
    let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
    format!("table {table} cannot be read: {error}{cause}")
}
