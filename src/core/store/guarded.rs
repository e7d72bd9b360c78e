//! Which tables are guarded: everything that decides what port 53 says and who may decide.
//!
//! Each table of the database is in one of the two lists; a test holds that.

/// A table whose rows are bound to the event chain.
pub(super) struct Table {
    /// Its name.
    pub(super) name: &'static str,
    /// The columns that name a row.
    pub(super) key: &'static [&'static str],
    /// Columns that change by mere use and decide nothing.
    pub(super) used: &'static [&'static str],
}

/// A table of which every column counts.
const fn whole(name: &'static str, key: &'static [&'static str]) -> Table {
    Table { name, key, used: &[] }
}

/// The table that is guarded since a later version than the others: databases from before have rows of it that are in
/// no log.
pub(super) const JOINED: &str = "subject_request";

/// Guarded tables. The place in the list is no part of any stored value.
pub(super) const TABLES: &[Table] = &[
    // What is served.
    whole("zone", &["name"]),
    whole("zone_change", &["zone", "seq"]),
    whole("zone_copy", &["zone", "seq", "piece"]),
    whole("promoted", &["zone", "owner", "rtype"]),
    // What was decided.
    whole("request", &["number"]),
    whole("request_origin", &["number"]),
    whole("request_year", &["year"]),
    whole("revision", &["number", "revision"]),
    whole("letter", &["id"]),
    whole("probe_result", &["number"]),
    whole("party_link", &["token_hash"]),
    whole("live_record", &["name"]),
    whole("promotion", &["id"]),
    whole("notice", &["id"]),
    whole("name_change", &["zone", "seq", "name"]),
    whole("owner_link", &["name"]),
    Table {
        name: "watch",
        key: &["name"],
        used: &["targets", "every_ms", "next_ms", "looked_ms", "found"],
    },
    Table { name: "paper", key: &["id"], used: &["tries", "next_try_ms"] },
    whole("paper_year", &["kind", "year"]),
    // Who may decide.
    whole("person", &["id"]),
    Table { name: "session", key: &["token_hash"], used: &["seen_ms"] },
    Table { name: "personal_token", key: &["id"], used: &["used_ms"] },
    whole("access_link", &["token_hash"]),
    whole("acting_official", &["id"]),
    whole("web_secret", &["name"]),
    // When they work.
    whole("holiday", &["date"]),
    whole("work_override", &["first"]),
    whole("list_version", &["list", "version"]),
    // What the office says.
    whole("text", &["name", "language"]),
    // What persons asked about their own data, and by when it is to be answered.
    whole(JOINED, &["id"]),
    // What stands beside the chain.
    whole("personal", &["sequence", "field"]),
    whole("erased", &["sequence", "field"]),
    whole("checkpoint", &["sequence"]),
    whole("audit_key", &["position"]),
];

/// Tables from which nothing of a person is ever erased: they are not rewritten after an erasure, and grow large.
#[cfg(feature = "postgres")]
pub(super) const LASTING: &[&str] = &[
    "event",
    "row_log",
    "row_head",
    "migration",
    "upkeep",
    "zone",
    "zone_change",
    "zone_copy",
    "promoted",
    "query_count",
    "query_name",
    "query_live",
    "likeness",
    "signing",
    "secondary",
];

/// Tables that are not guarded, and why.
#[cfg(test)]
pub(super) const OTHERS: &[(&str, &str)] = &[
    ("event", "the chain itself: each event is hashed, and the head is under the key"),
    ("row_log", "hashed entry by entry, and its end is under the key"),
    ("row_head", "under the key"),
    ("migration", "compared with the steps of this version"),
    ("clock", "says when something is done by time, not what"),
    (
        "signing",
        "keys and rolls of zones, which the signed zones show; promises of names are not in it",
    ),
    ("secondary", "says how long a transferred zone is answered, not what; renewed at each look"),
    ("publishing", "says which node publishes, under the lock; what it publishes is guarded"),
    ("served_zone", "says what other nodes serve; the publisher makes it anew at each start"),
    ("followed", "says how far a journal was read for owners, not what they are told"),
    ("draft", "not sent yet: decides nothing"),
    ("draft_link", "leads to what was not sent yet"),
    ("query_count", "sums of queries for a page: decides nothing"),
    ("query_name", "sums of queries for a page: decides nothing"),
    ("query_live", "sums of queries for a page: decides nothing"),
    ("mailbox_code", "its proofs are under the key; lasts a day"),
    ("tally", "sums of other tables for limits, made anew each day: decides nothing else"),
    ("likeness", "an index of names for a warning; what it finds is compared again"),
    ("list_proposal", "looked at and not applied: decides nothing; lasts a day"),
    ("unsent", "forms that were not taken in: decides nothing; lasts a day"),
    ("call_once", "the first answer to a call that is repeated within a day: decides nothing"),
    ("webhook", "says how far events were told outside: decides nothing"),
    (
        "bulk",
        "brought by an officer and not filed yet: decides nothing; what is filed are requests",
    ),
    ("bulk_row", "sealed, and not filed yet: decides nothing"),
    ("bulk_letter", "sealed, and not filed yet: decides nothing"),
    ("form_key", "finds what a second press of a form made: decides nothing"),
];

/// The place of a table in the list.
pub(super) fn place_of(name: &str) -> Option<usize> {
    TABLES.iter().position(|table| table.name == name)
}
