//! Events: each accepted transition leaves exactly one, for the audit chain.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::fault::TransitionError;
use super::person::{Actor, Role, Signature};
use super::procedure::Deed;

//------------ Step ----------------------------------------------------------

/// An accepted transition: the new value and exactly one happening.
#[derive(Clone, Debug)]
#[must_use = "the new value and its event belong into one transaction"]
pub struct Step<T> {
    /// The value after the act.
    pub value: T,
    /// The event to write in the same transaction.
    pub happening: Happening,
}

//------------ Happening -----------------------------------------------------

/// One event before it has a place in the chain.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Happening {
    /// Who did it, in which role, and when.
    pub by: Signature,
    /// What was done.
    pub deed: Deed,
    /// What it was done to.
    pub subject: Subject,
    /// The request's revision; 0 where there is none.
    pub revision: u32,
    /// State before; `None` at the beginning.
    pub before: Option<String>,
    /// State after.
    pub after: Option<String>,
    /// The problem code, if the attempt was refused and nothing changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turned_back: Option<String>,
    /// Facts without personal data, kept in the chain as they are.
    pub facts: BTreeMap<String, String>,
    /// Free text and personal data: the chain keeps commitments only (docs/procedure.md, Personal
    /// data).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub personal: BTreeMap<String, String>,
}

impl Happening {
    /// An event signed by `who`, without facts.
    pub fn new(who: &Signature, deed: Deed, subject: Subject) -> Self {
        Self {
            by: who.clone(),
            deed,
            subject,
            revision: 0,
            before: None,
            after: None,
            turned_back: None,
            facts: BTreeMap::new(),
            personal: BTreeMap::new(),
        }
    }

    /// The event of a signed-in officer's attempt that was refused. Its facts are codes, lines and
    /// fields: what was found in them stays out of the chain.
    pub fn turned_back(
        actor: &Actor,
        now: i64,
        deed: Deed,
        subject: Subject,
        error: &TransitionError,
    ) -> Self {
        let by = Signature {
            name: actor.name.clone(),
            identity: actor.identity.clone(),
            role: actor.roles.first().copied().unwrap_or(Role::Applicant),
            acting: None,
            at: now,
        };
        let code = error.code().as_str().to_owned();
        Self { turned_back: Some(code), ..Self::new(&by, deed, subject) }
            .with("why", error.on_record())
    }

    /// Adds the states before and after.
    pub fn moved(mut self, before: Option<&str>, after: &str) -> Self {
        self.before = before.map(str::to_owned);
        self.after = Some(after.to_owned());
        self
    }

    /// Adds a fact.
    pub fn with(mut self, key: &str, value: impl fmt::Display) -> Self {
        self.facts.insert(key.to_owned(), value.to_string());
        self
    }

    /// Adds a text that may hold personal data, unless it is empty.
    pub fn with_personal(mut self, key: &str, value: &str) -> Self {
        if !value.is_empty() {
            self.personal.insert(key.to_owned(), value.to_owned());
        }
        self
    }
}

/// What an event is about.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// A request, by number.
    Request(String),
    /// A live record, by absolute name.
    LiveRecord(String),
    /// A notice, by id.
    Notice(String),
    /// The report of a month, `YYYY-MM`.
    Month(String),
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Request(number) => write!(f, "request:{number}"),
            Self::LiveRecord(name) => write!(f, "record:{name}"),
            Self::Notice(id) => write!(f, "notice:{id}"),
            Self::Month(month) => write!(f, "month:{month}"),
        }
    }
}
