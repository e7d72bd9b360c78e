//! The chain: canonical bytes, hash, append.
//!
//! ```text
//! canonical = "gapura event 1", sequence, at, person, role, act, subject, revision,
//!             before, after, payload hash, number of commitments, (field, hash)…
//! ```
//! each field with its length in front as a 32-bit big-endian number. A state that is absent is the
//! empty field; one that is there starts with the byte 1. The payload hash is SHA-256 over the
//! payload's keys and values, sorted by key, each with its length in front.

use std::collections::BTreeMap;

use super::canonical::{field, length};
use super::vault::Sealed;
use crate::digest::{hex, sha256, sha256_of, unhex};
use crate::queue::{Deed, Happening};
use crate::store::events::{Event, TURNED_BACK};
use crate::store::{StoreError, Tx};

/// The fact of an event that states where the row log ends.
pub const ROW_LOG: &str = "row_log";
/// The fact of the event of a promotion's end: SHA-256 of its proof.
pub const PROOF: &str = "proof_sha256";
/// The hash before the first event.
pub(super) const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

//------------ NewEvent ------------------------------------------------------

/// An event before it has a place in the chain.
#[derive(Clone, Debug, Default)]
pub struct NewEvent {
    /// Epoch milliseconds.
    pub at_ms: i64,
    /// Person id; `system` for gapura itself, empty for an applicant without an account.
    pub person: String,
    /// The role in force.
    pub role: String,
    /// What was done, in snake_case.
    pub act: String,
    /// On what, as `kind:id`.
    pub subject: String,
    /// The request's revision; 0 where there is none.
    pub revision: u32,
    /// State before.
    pub before: Option<String>,
    /// State after.
    pub after: Option<String>,
    /// Facts; never personal data.
    pub payload: BTreeMap<String, String>,
}

impl NewEvent {
    /// An event of a person in a role.
    pub fn new(at_ms: i64, person: &str, role: &str, deed: Deed, subject: &str) -> Self {
        Self {
            at_ms,
            person: person.to_owned(),
            role: role.to_owned(),
            act: deed.as_str().to_owned(),
            subject: subject.to_owned(),
            ..Self::default()
        }
    }

    /// Adds a fact.
    pub fn with(mut self, key: &str, value: impl ToString) -> Self {
        self.payload.insert(key.to_owned(), value.to_string());
        self
    }
}

/// Whether an event is an attempt that was turned back, so that nothing was done.
pub fn was_turned_back(event: &Event) -> bool {
    event.payload.contains_key(TURNED_BACK)
}

/// A happening of a request, a live record or a notice; the caller seals its personal texts.
impl From<&Happening> for NewEvent {
    fn from(happening: &Happening) -> Self {
        let mut payload = happening.facts.clone();
        if let Some(acting) = &happening.by.acting {
            payload.insert("acting".to_owned(), acting.letter.clone());
        }
        if let Some(code) = &happening.turned_back {
            payload.insert(TURNED_BACK.to_owned(), code.clone());
        }
        Self {
            at_ms: happening.by.at,
            person: happening.by.person().to_owned(),
            role: happening.by.role.as_str().to_owned(),
            act: happening.deed.as_str().to_owned(),
            subject: happening.subject.to_string(),
            revision: happening.revision,
            before: happening.before.clone(),
            after: happening.after.clone(),
            payload,
        }
    }
}

//------------ append --------------------------------------------------------

/// Appends an event to the chain, in the caller's transaction.
pub fn append(tx: &Tx<'_>, new: NewEvent) -> Result<Event, StoreError> {
    append_sealed(tx, new, &[])
}

/// Appends an event with commitments to personal values, and keeps the values encrypted. The event
/// states where the row log ends: it binds the rows written before it.
pub fn append_sealed(
    tx: &Tx<'_>,
    mut new: NewEvent,
    sealed: &[Sealed],
) -> Result<Event, StoreError> {
    if let Some((place, hash)) = tx.log_rows()? {
        new = new.with(ROW_LOG, format!("{place}:{}", hex(&hash)));
    }
    let (last, previous) = tx.chain_head()?.unwrap_or_else(|| (0, GENESIS.to_owned()));
    let commitments =
        sealed.iter().map(|item| (item.field.clone(), item.commitment.clone())).collect();
    let mut event = Event {
        sequence: last + 1,
        at_ms: new.at_ms,
        person: new.person,
        role: new.role,
        act: new.act,
        subject: new.subject,
        revision: new.revision,
        before: new.before,
        after: new.after,
        payload: new.payload,
        commitments,
        previous,
        hash: String::new(),
    };
    event.hash = event_hash(&event, &payload_hash(&event.payload));
    tx.put_event(&event)?;
    for item in sealed {
        tx.put_personal(event.sequence, &item.field, &item.blob)?;
    }
    Ok(event)
}

//------------ Hashes --------------------------------------------------------

/// The hash of an event, in hexadecimal, from its fields and the hash of its payload.
pub(super) fn event_hash(event: &Event, payload_hash: &[u8]) -> String {
    let mut bytes = Vec::with_capacity(512);
    field(&mut bytes, b"gapura event 1");
    field(&mut bytes, &event.sequence.to_be_bytes());
    field(&mut bytes, &event.at_ms.to_be_bytes());
    for text in [&event.person, &event.role, &event.act, &event.subject] {
        field(&mut bytes, text.as_bytes());
    }
    field(&mut bytes, &event.revision.to_be_bytes());
    for state in [&event.before, &event.after] {
        let marked = state.as_ref().map(|state| [&[1], state.as_bytes()].concat());
        field(&mut bytes, &marked.unwrap_or_default());
    }
    field(&mut bytes, payload_hash);
    field(&mut bytes, &length(event.commitments.len()).to_be_bytes());
    for (name, hash) in &event.commitments {
        field(&mut bytes, name.as_bytes());
        field(&mut bytes, hash.as_bytes());
    }
    let previous = unhex(&event.previous).unwrap_or_default();
    hex(&sha256_of(&[&previous, &bytes]))
}

/// SHA-256 over a payload's keys and values.
pub(super) fn payload_hash(payload: &BTreeMap<String, String>) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(256);
    for (key, value) in payload {
        field(&mut bytes, key.as_bytes());
        field(&mut bytes, value.as_bytes());
    }
    sha256(&bytes).to_vec()
}
