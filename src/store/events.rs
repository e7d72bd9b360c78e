//! Rows of the room `audit`: the chain of events, personal values, checkpoints, public keys.
//!
//! Append only: there is no statement here that updates or deletes an event. What a hash covers and
//! when a signature is due is decided in `evidence`.

use std::collections::BTreeMap;

use rusqlite::{OptionalExtension, Row, params};
use serde::{Deserialize, Serialize};

use super::{Reader, StoreError, Tx};

//------------ Event ---------------------------------------------------------

/// One link of the chain, as stored and as exported.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Event {
    /// 1, 2, 3 … without a gap.
    pub sequence: i64,
    /// Epoch milliseconds, UTC.
    pub at_ms: i64,
    /// Person id; empty for an applicant without an account.
    pub person: String,
    /// The role in force.
    pub role: String,
    /// What was done.
    pub act: String,
    /// On what, as `kind:id`.
    pub subject: String,
    /// The request's revision; 0 where there is none.
    pub revision: u32,
    /// State before.
    pub before: Option<String>,
    /// State after.
    pub after: Option<String>,
    /// Facts without personal data.
    pub payload: BTreeMap<String, String>,
    /// Field name to SHA-256 over salt and value.
    pub commitments: BTreeMap<String, String>,
    /// Hash of the event before, in hexadecimal; 64 zeros before the first.
    pub previous: String,
    /// SHA-256 over `previous` and the fields above, in hexadecimal.
    pub hash: String,
}

/// A signed head of the chain.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Checkpoint {
    /// The last event covered.
    pub sequence: i64,
    /// Its hash.
    pub head: String,
    /// Epoch milliseconds.
    pub at_ms: i64,
    /// Which key signed.
    pub key_id: String,
    /// Ed25519, in base64url without padding.
    pub signature: String,
}

/// A public key of checkpoints.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct AuditKey {
    /// First 16 hexadecimal digits of SHA-256 over the public key.
    pub key_id: String,
    /// Ed25519, in hexadecimal.
    pub public: String,
    /// Since, epoch milliseconds.
    pub at_ms: i64,
    /// The older key that vouches for it; none for the first.
    pub signed_by: Option<String>,
    /// That key's signature, in base64url without padding.
    pub signature: Option<String>,
}

//------------ Reading -------------------------------------------------------

/// Columns of an event, in the order [`event`] reads.
const EVENT: &str = "SELECT sequence, at_ms, person, role, act, subject, revision, state_before, \
    state_after, payload, commitments, previous, hash FROM event";

impl Reader<'_> {
    /// Sequence and hash of the last event.
    pub fn chain_head(&self) -> Result<Option<(i64, String)>, StoreError> {
        let mut statement = self
            .0
            .prepare_cached("SELECT sequence, hash FROM event ORDER BY sequence DESC LIMIT 1")?;
        Ok(statement.query_row([], |row| Ok((row.get(0)?, row.get(1)?))).optional()?)
    }

    /// Events after a sequence, in order.
    pub fn events_after(&self, after: i64, limit: usize) -> Result<Vec<Event>, StoreError> {
        let sql = format!("{EVENT} WHERE sequence > $1 ORDER BY sequence LIMIT $2");
        let mut statement = self.0.prepare_cached(&sql)?;
        let rows = statement.query_map(params![after, rows_max(limit)], event)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Events on one subject, in order.
    pub fn events_of(&self, subject: &str) -> Result<Vec<Event>, StoreError> {
        let sql = format!("{EVENT} WHERE subject = $1 ORDER BY sequence");
        let mut statement = self.0.prepare_cached(&sql)?;
        let rows = statement.query_map([subject], event)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The encrypted salt and value behind one commitment.
    pub fn personal(&self, sequence: i64, field: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let mut statement = self
            .0
            .prepare_cached("SELECT sealed FROM personal WHERE sequence = $1 AND field = $2")?;
        Ok(statement.query_row(params![sequence, field], |row| row.get(0)).optional()?)
    }

    /// All values that are kept: sequence, field, sealed.
    pub fn all_personal(&self) -> Result<Vec<(i64, String, Vec<u8>)>, StoreError> {
        let mut statement =
            self.0.prepare_cached("SELECT sequence, field, sealed FROM personal")?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// What was erased lawfully: sequence, field, and the event that says so.
    pub fn erased(&self) -> Result<Vec<(i64, String, i64)>, StoreError> {
        let mut statement = self.0.prepare_cached(
            "SELECT sequence, field, by_event FROM erased ORDER BY sequence, field",
        )?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// All checkpoints, in order.
    pub fn checkpoints(&self) -> Result<Vec<Checkpoint>, StoreError> {
        let mut statement = self.0.prepare_cached(
            "SELECT sequence, head, at_ms, key_id, signature FROM checkpoint ORDER BY sequence",
        )?;
        let rows = statement.query_map([], checkpoint)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The last checkpoint.
    pub fn last_checkpoint(&self) -> Result<Option<Checkpoint>, StoreError> {
        let mut statement = self.0.prepare_cached(
            "SELECT sequence, head, at_ms, key_id, signature FROM checkpoint \
             ORDER BY sequence DESC LIMIT 1",
        )?;
        Ok(statement.query_row([], checkpoint).optional()?)
    }

    /// All public keys, the oldest first.
    pub fn audit_keys(&self) -> Result<Vec<AuditKey>, StoreError> {
        let mut statement = self.0.prepare_cached(
            "SELECT key_id, public, at_ms, signed_by, signature FROM audit_key ORDER BY position",
        )?;
        let rows = statement.query_map([], |row| {
            Ok(AuditKey {
                key_id: row.get(0)?,
                public: row.get(1)?,
                at_ms: row.get(2)?,
                signed_by: row.get(3)?,
                signature: row.get(4)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

/// A limit SQLite understands.
pub(super) fn rows_max(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

/// Reads one event. A JSON column that does not parse was tampered with: it is kept as one odd
/// entry, so that the verifier names the event instead of giving up.
fn event(row: &Row<'_>) -> rusqlite::Result<Event> {
    let map = |text: String| {
        serde_json::from_str(&text)
            .unwrap_or_else(|_| BTreeMap::from([("unreadable".to_owned(), text)]))
    };
    Ok(Event {
        sequence: row.get(0)?,
        at_ms: row.get(1)?,
        person: row.get(2)?,
        role: row.get(3)?,
        act: row.get(4)?,
        subject: row.get(5)?,
        revision: row.get(6)?,
        before: row.get(7)?,
        after: row.get(8)?,
        payload: map(row.get(9)?),
        commitments: map(row.get(10)?),
        previous: row.get(11)?,
        hash: row.get(12)?,
    })
}

/// Reads one checkpoint.
fn checkpoint(row: &Row<'_>) -> rusqlite::Result<Checkpoint> {
    Ok(Checkpoint {
        sequence: row.get(0)?,
        head: row.get(1)?,
        at_ms: row.get(2)?,
        key_id: row.get(3)?,
        signature: row.get(4)?,
    })
}

//------------ Writing -------------------------------------------------------

impl Tx<'_> {
    /// Appends an event. Only `evidence::append` calls this: it knows the chain.
    pub fn put_event(&self, event: &Event) -> Result<(), StoreError> {
        let mut statement = self.0.0.prepare_cached(
            "INSERT INTO event (sequence, at_ms, person, role, act, subject, revision, \
             state_before, state_after, payload, commitments, previous, hash) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
        )?;
        statement.execute(params![
            event.sequence,
            event.at_ms,
            event.person,
            event.role,
            event.act,
            event.subject,
            event.revision,
            event.before,
            event.after,
            json(&event.payload)?,
            json(&event.commitments)?,
            event.previous,
            event.hash,
        ])?;
        Ok(())
    }

    /// Keeps the encrypted salt and value behind a commitment.
    pub fn put_personal(
        &self,
        sequence: i64,
        field: &str,
        sealed: &[u8],
    ) -> Result<(), StoreError> {
        let mut statement = self
            .0
            .0
            .prepare_cached("INSERT INTO personal (sequence, field, sealed) VALUES ($1, $2, $3)")?;
        statement.execute(params![sequence, field, sealed])?;
        Ok(())
    }

    /// Deletes salt and value, and notes which event says so. False if there was nothing.
    pub fn erase_personal(
        &self,
        sequence: i64,
        field: &str,
        by_event: i64,
    ) -> Result<bool, StoreError> {
        let gone = self.0.0.execute(
            "DELETE FROM personal WHERE sequence = $1 AND field = $2",
            params![sequence, field],
        )?;
        if gone > 0 {
            self.0.0.execute(
                "INSERT INTO erased (sequence, field, by_event) VALUES ($1, $2, $3)",
                params![sequence, field, by_event],
            )?;
        }
        Ok(gone > 0)
    }

    /// Keeps a checkpoint.
    pub fn put_checkpoint(&self, row: &Checkpoint) -> Result<(), StoreError> {
        self.0.0.execute(
            "INSERT INTO checkpoint (sequence, head, at_ms, key_id, signature) \
             VALUES ($1, $2, $3, $4, $5)",
            params![row.sequence, row.head, row.at_ms, row.key_id, row.signature],
        )?;
        Ok(())
    }

    /// Keeps a public key.
    pub fn put_audit_key(&self, row: &AuditKey) -> Result<(), StoreError> {
        self.0.0.execute(
            "INSERT INTO audit_key (key_id, public, at_ms, signed_by, signature) \
             VALUES ($1, $2, $3, $4, $5)",
            params![row.key_id, row.public, row.at_ms, row.signed_by, row.signature],
        )?;
        Ok(())
    }
}

/// JSON of a value that cannot fail to be written, unless memory is broken.
pub(super) fn json<T: Serialize>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::Corrupt(error.to_string()))
}

//------------ Tests ---------------------------------------------------------

#[cfg(test)]
impl super::Store {
    /// Does to the database what somebody with its file could do; for tests of the verifier.
    pub(crate) fn tamper(&self, sql: &str) {
        let path = self.0.path.clone();
        rusqlite::Connection::open(path).and_then(|db| db.execute_batch(sql)).expect("tampering");
    }
}
