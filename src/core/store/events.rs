//! Rows of the room `audit`: the chain of events, personal values, checkpoints, public keys.
//!
//! Append only: no statement here updates or deletes an event. What a hash covers and when a
//! signature is due is decided in `audit`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::sql::{Sql, Text, insert, limit, params, row, select, sql, statements};
use super::value::{Cell, ToValue, Value};
use super::{Reader, StoreError, Tx};

/// The fact of an attempt that a rule turned back: nothing changed but the chain.
pub const TURNED_BACK: &str = "turned_back";

//------------ Event ---------------------------------------------------------

row! {
    /// One link of the chain, as stored and as exported.
    #[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
    pub struct Event = "event" {
        /// 1, 2, 3 … without a gap.
        [key] pub sequence: i64,
        /// Epoch milliseconds, UTC.
        [fixed] pub at_ms: i64,
        /// Person id; empty for an applicant without an account.
        [fixed] pub person: String,
        /// The role in force.
        [fixed] pub role: String,
        /// What was done.
        [fixed] pub act: String,
        /// On what, as `kind:id`.
        [fixed] pub subject: String,
        /// The request's revision; 0 where there is none.
        [fixed] pub revision: u32,
        /// State before.
        [fixed] pub before: Option<String> = "state_before",
        /// State after.
        [fixed] pub after: Option<String> = "state_after",
        /// Facts without personal data.
        [fixed] pub payload: BTreeMap<String, String>,
        /// Field name to SHA-256 over salt and value.
        [fixed] pub commitments: BTreeMap<String, String>,
        /// Hash of the event before, in hexadecimal; 64 zeros before the first.
        [fixed] pub previous: String,
        /// SHA-256 over `previous` and the fields above, in hexadecimal.
        [fixed] pub hash: String,
    }
}

row! {
    /// A signed head of the chain.
    #[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
    pub struct Checkpoint = "checkpoint" {
        /// The last event covered.
        [key] pub sequence: i64,
        /// Its hash.
        [fixed] pub head: String,
        /// Epoch milliseconds.
        [fixed] pub at_ms: i64,
        /// Which key signed.
        [fixed] pub key_id: String,
        /// Ed25519, in base64url without padding.
        [fixed] pub signature: String,
    }
}

row! {
    /// A public key of checkpoints.
    #[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
    pub struct AuditKey = "audit_key" {
        /// First 16 hexadecimal digits of SHA-256 over the public key.
        [key] pub key_id: String,
        /// Ed25519, in hexadecimal.
        [fixed] pub public: String,
        /// Since, epoch milliseconds.
        [fixed] pub at_ms: i64,
        /// The older key that vouches for it; none for the first.
        [fixed] pub signed_by: Option<String>,
        /// That key's signature, in base64url without padding.
        [fixed] pub signature: Option<String>,
    }
}

/// Which events a list shows; every part that is set narrows it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct EventFilter {
    /// Only those of this person (person id).
    pub person: Option<String>,
    /// Only those about one of these subjects, as `kind:id`.
    pub subjects: Option<Vec<String>>,
    /// Only those at this time or later (epoch milliseconds).
    pub from_ms: Option<i64>,
    /// Only those before this time (epoch milliseconds).
    pub to_ms: Option<i64>,
    /// Whether notices being written, sent and delivered are left out.
    pub without_notices: bool,
    /// Only those before this event.
    pub before: Option<i64>,
    /// At most so many.
    pub limit: usize,
}

/// Facts as a JSON object of text to text. What does not parse was tampered with: it is kept as one
/// odd entry, so that the verifier names the event instead of giving up.
impl Cell for BTreeMap<String, String> {
    fn of(value: Value<'_>) -> Option<Self> {
        let text = String::of(value)?;
        let read = serde_json::from_str(&text);
        Some(read.unwrap_or_else(|_| Self::from([("unreadable".to_owned(), text)])))
    }
}

impl ToValue for BTreeMap<String, String> {
    fn value(&self) -> Value<'_> {
        // A map of text to text has a JSON form.
        Value::from(serde_json::to_string(self).unwrap_or_default())
    }
}

//------------ Statements ----------------------------------------------------

/// The beginning of a list; its conditions follow.
const LIST: &Text = &select::<Event>("WHERE ");

statements! {
    CHAIN_HEAD = sql("SELECT sequence, hash FROM event ORDER BY sequence DESC LIMIT 1");
    EVENTS_AFTER = select::<Event>("WHERE sequence > $1 ORDER BY sequence LIMIT $2");
    EVENTS_OF = select::<Event>("WHERE subject = $1 ORDER BY sequence");
    PAGE_OF = select::<Event>("WHERE subject = $1 AND sequence > $2 ORDER BY sequence LIMIT $3");
    // A range of the index: a colon is one less than a semicolon.
    MOVES_OF_NAMES = sql("SELECT substr(subject, 8), state_after, at_ms FROM event \
        WHERE subject >= 'record:' AND subject < 'record;' AND at_ms < $1 \
        AND state_after IS NOT NULL ORDER BY subject, sequence");
    // The condition on the act is that of the index `event_erase`.
    NEXT_ERASURE = select::<Event>("WHERE act = 'erase' AND sequence > $1 ORDER BY sequence LIMIT 1");
    HAS_EVENT_SINCE = sql("SELECT EXISTS (SELECT 1 FROM event \
        WHERE subject = $1 AND at_ms >= $2 AND (act = $3 OR act = $4))");
    PUT_EVENT = insert::<Event>(&[]);

    PERSONAL = sql("SELECT sealed FROM personal WHERE sequence = $1 AND field = $2");
    ALL_PERSONAL = sql("SELECT sequence, field, sealed FROM personal");
    PUT_PERSONAL = sql("INSERT INTO personal (sequence, field, sealed) VALUES ($1, $2, $3)");
    ERASE_PERSONAL = sql("DELETE FROM personal WHERE sequence = $1 AND field = $2");
    ERASED = sql("SELECT sequence, field, by_event FROM erased \
        WHERE sequence > $1 AND sequence <= $2 ORDER BY sequence, field");
    PUT_ERASED = sql("INSERT INTO erased (sequence, field, by_event) VALUES ($1, $2, $3)");

    CHECKPOINTS = select::<Checkpoint>(
        "WHERE sequence > $1 AND sequence <= $2 ORDER BY sequence");
    LAST_CHECKPOINT = select::<Checkpoint>("ORDER BY sequence DESC LIMIT 1");
    PUT_CHECKPOINT = insert::<Checkpoint>(&[]);

    AUDIT_KEYS = select::<AuditKey>("ORDER BY position");
    PUT_AUDIT_KEY = sql("INSERT INTO audit_key (key_id, public, at_ms, signed_by, signature, position) \
        SELECT $1, $2, $3, $4, $5, coalesce(max(position), 0) + 1 FROM audit_key");
}

//------------ Reading -------------------------------------------------------

impl Reader<'_> {
    /// Sequence and hash of the last event.
    pub fn chain_head(&self) -> Result<Option<(i64, String)>, StoreError> {
        self.one(CHAIN_HEAD, [])
    }

    /// Events after a sequence, in order.
    pub fn events_after(&self, after: i64, most: usize) -> Result<Vec<Event>, StoreError> {
        self.all(EVENTS_AFTER, params![after, limit(most)])
    }

    /// Events that a filter selects, the newest first; each condition has an index.
    pub fn events_where(&self, filter: &EventFilter) -> Result<Vec<Event>, StoreError> {
        let (mut text, mut values) = (format!("{}1 = 1", LIST.as_str()), Vec::<Value<'_>>::new());
        let mut and = |condition: &str, value: Value<'static>| {
            values.push(value);
            text.push_str(&format!(" AND {condition} ${}", values.len()));
        };
        if let Some(person) = &filter.person {
            and("person =", person.clone().into());
        }
        if let Some(from) = filter.from_ms {
            and("at_ms >=", from.into());
        }
        if let Some(to) = filter.to_ms {
            and("at_ms <", to.into());
        }
        if let Some(before) = filter.before {
            and("sequence <", before.into());
        }
        if filter.without_notices {
            text.push_str(" AND act NOT IN ('notice_queued', 'notice_sent', 'notice_delivered')");
        }
        if let Some(subjects) = &filter.subjects {
            // Always false; each subject makes an exception.
            text.push_str(" AND (1 = 0");
            for subject in subjects {
                values.push(subject.clone().into());
                text.push_str(&format!(" OR subject = ${}", values.len()));
            }
            text.push(')');
        }
        values.push(limit(filter.limit).into());
        text.push_str(&format!(" ORDER BY sequence DESC LIMIT ${}", values.len()));
        self.all(Sql(&text), &values[..])
    }

    /// Events on one subject, in order.
    pub fn events_of(&self, subject: &str) -> Result<Vec<Event>, StoreError> {
        self.all(EVENTS_OF, [subject])
    }

    /// The same after a sequence, so many at most.
    pub fn page_of(
        &self,
        subject: &str,
        after: i64,
        most: usize,
    ) -> Result<Vec<Event>, StoreError> {
        self.all(PAGE_OF, params![subject, after, limit(most)])
    }

    /// What live records became before a time: name, state and moment, name by name and in order.
    pub fn moves_of_names(&self, before_ms: i64) -> Result<Vec<(String, String, i64)>, StoreError> {
        self.all(MOVES_OF_NAMES, [before_ms])
    }

    /// The first erasure after a sequence, or the first attempt at one that was turned back.
    pub fn next_erasure(&self, after: i64) -> Result<Option<Event>, StoreError> {
        self.one(NEXT_ERASURE, [after])
    }

    /// Whether one of two acts was done on a subject at a time or later.
    pub fn has_event_since(
        &self,
        subject: &str,
        since_ms: i64,
        acts: [&str; 2],
    ) -> Result<bool, StoreError> {
        let [first, second] = acts;
        self.only(HAS_EVENT_SINCE, params![subject, since_ms, first, second])
    }

    /// The encrypted salt and value behind one commitment.
    pub fn personal(&self, sequence: i64, field: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.one(PERSONAL, params![sequence, field])
    }

    /// All values that are kept: sequence, field, sealed.
    pub fn all_personal(&self) -> Result<Vec<(i64, String, Vec<u8>)>, StoreError> {
        self.all(ALL_PERSONAL, [])
    }

    /// What was erased lawfully of the events after one and up to another: sequence, field, and the
    /// event that says so.
    pub fn erased(&self, after: i64, to: i64) -> Result<Vec<(i64, String, i64)>, StoreError> {
        self.all(ERASED, [after, to])
    }

    /// Checkpoints after an event and up to another, in order.
    pub fn checkpoints(&self, after: i64, to: i64) -> Result<Vec<Checkpoint>, StoreError> {
        self.all(CHECKPOINTS, [after, to])
    }

    /// The last checkpoint.
    pub fn last_checkpoint(&self) -> Result<Option<Checkpoint>, StoreError> {
        self.one(LAST_CHECKPOINT, [])
    }

    /// All public keys, the oldest first.
    pub fn audit_keys(&self) -> Result<Vec<AuditKey>, StoreError> {
        self.all(AUDIT_KEYS, [])
    }
}

//------------ Writing -------------------------------------------------------

impl Tx<'_> {
    /// Appends an event. Only `audit::append` calls this: it knows the chain.
    pub fn put_event(&self, event: &Event) -> Result<(), StoreError> {
        self.put(PUT_EVENT, event, &[])
    }

    /// Keeps the encrypted salt and value behind a commitment.
    pub fn put_personal(
        &self,
        sequence: i64,
        field: &str,
        sealed: &[u8],
    ) -> Result<(), StoreError> {
        self.run(PUT_PERSONAL, params![sequence, field, sealed]).map(drop)
    }

    /// Deletes salt and value, and notes which event says so. False if there was nothing.
    pub fn erase_personal(
        &self,
        sequence: i64,
        field: &str,
        by_event: i64,
    ) -> Result<bool, StoreError> {
        let gone = self.run(ERASE_PERSONAL, params![sequence, field])? > 0;
        if gone {
            self.run(PUT_ERASED, params![sequence, field, by_event])?;
        }
        Ok(gone)
    }

    /// Keeps a checkpoint.
    pub fn put_checkpoint(&self, row: &Checkpoint) -> Result<(), StoreError> {
        self.put(PUT_CHECKPOINT, row, &[])
    }

    /// Keeps a public key.
    pub fn put_audit_key(&self, row: &AuditKey) -> Result<(), StoreError> {
        self.put(PUT_AUDIT_KEY, row, &[])
    }
}
