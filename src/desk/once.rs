//! Calls that are repeated because their answer got lost, and acts on what was read before.
//!
//! What a call made is written in the transaction that made it, so that no crash and no second call
//! comes between. It is kept for a day: the number of the request, and for a new one its secret.

use serde::{Deserialize, Serialize};

use super::{ActError, Desk, Submitted};
use crate::queue::time::DAY_MS;
use crate::queue::{Actor, Request, State};
use crate::store::once::OnceRow;
use crate::store::{Reader, Tx};
use crate::view::RequestView;

/// Calls that are remembered at once; the oldest give way.
const CALLS_MAX: u32 = 20_000;

/// A call that is to be done once.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Once {
    /// Keyed hash of who calls and of the key they gave.
    pub key: String,
    /// Keyed hash of what is called and sent.
    pub call: String,
}

/// On which terms an act is done.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Terms {
    /// Once, however often it is called.
    pub once: Option<Once>,
    /// Only if the request is at one of these versions.
    pub unchanged: Option<Vec<String>>,
}

/// What a call made.
#[derive(Debug, Deserialize, Serialize)]
struct Made {
    /// The number of the request.
    number: String,
    /// The secret of a new one.
    secret: Option<String>,
}

impl Once {
    /// The same key on another path.
    pub fn on(self, path: &str) -> Self {
        let call = crate::digest::sha256_hex(format!("{path}\n{}", self.call));
        Self { call, ..self }
    }
}

impl Terms {
    /// Tests that the request is as it was read.
    pub(super) fn hold(&self, request: &Request) -> Result<(), ActError> {
        let version = request.version();
        match &self.unchanged {
            Some(read) if !read.contains(&version) => Err(ActError::Changed),
            _ => Ok(()),
        }
    }
}

impl Desk {
    /// What a call made, if it was done before; the same key on another call is an error.
    fn made(&self, reader: &Reader<'_>, once: &Once) -> Result<Option<Made>, ActError> {
        let row = reader.call_once(&once.key)?;
        let Some(row) = row.filter(|row| row.at_ms > self.now() - DAY_MS) else { return Ok(None) };
        if row.call_hash != once.call {
            return Err(ActError::KeyReused);
        }
        Ok(Some(self.0.ledger.unseal(&context(once), &row.answer)?))
    }

    /// Keeps what a call made.
    pub(super) fn keep_made(
        &self,
        tx: &Tx<'_>,
        once: Option<&Once>,
        number: &str,
        secret: Option<&str>,
    ) -> Result<(), ActError> {
        let Some(once) = once else { return Ok(()) };
        let made = Made { number: number.to_owned(), secret: secret.map(str::to_owned) };
        let now = self.now();
        let row = OnceRow {
            key_hash: once.key.clone(),
            call_hash: once.call.clone(),
            at_ms: now,
            answer: self.0.ledger.seal(&context(once), &made)?,
        };
        Ok(tx.put_call_once(&row, now - DAY_MS, CALLS_MAX)?)
    }

    /// The request that a call has sent before.
    pub fn submitted_before(&self, once: &Once) -> Result<Option<Submitted>, ActError> {
        self.read(|reader| self.submitted_by(reader, once))
    }

    /// The same in a transaction.
    pub(super) fn submitted_by(
        &self,
        reader: &Reader<'_>,
        once: &Once,
    ) -> Result<Option<Submitted>, ActError> {
        let made = self.made(reader, once)?;
        Ok(made.and_then(|made| {
            let secret = made.secret?;
            Some(Submitted { number: made.number, secret, state: State::Submitted, revision: 1 })
        }))
    }

    /// Whether a call has acted before, in a transaction.
    pub(super) fn has_acted(
        &self,
        reader: &Reader<'_>,
        number: &str,
        once: Option<&Once>,
    ) -> Result<bool, ActError> {
        let Some(once) = once else { return Ok(false) };
        Ok(self.made(reader, once)?.is_some_and(|made| made.number == number))
    }

    /// The request as it is now, if a call has acted on it before.
    pub fn acted_before(
        &self,
        number: &str,
        actor: &Actor,
        once: Option<&Once>,
    ) -> Result<Option<RequestView>, ActError> {
        if !self.read(|reader| self.has_acted(reader, number, once))? {
            return Ok(None);
        }
        self.view_for(number, actor).map(Some)
    }
}

/// What an answer is sealed for.
fn context(once: &Once) -> String {
    format!("call once {}", once.key)
}
