//! The handle [`Ledger`], and the sealed rows of requests, live records and events.
//!
//! A body is JSON, sealed with the vault's key and bound to its number or name. Only this room
//! writes rows; `apply` says which ones belong together.

use std::sync::{Arc, PoisonError, RwLock};

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::Notify;

use super::LedgerError;
use crate::audit::{AuditError, Event, NewEvent, Notary, Sealed, Vault, append_sealed};
use crate::queue::similar::likeness;
use crate::queue::{Calendar, Facts, Happening, LiveRecord, Place, Request, Rules, State, labels};
use crate::store::promises::LiveRow;
use crate::store::requests::RequestRow;
use crate::store::{Reader, Store, StoreError, Tx};

/// The time, in epoch milliseconds.
pub type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

//------------ Ledger --------------------------------------------------------

/// What `promote` and `desk` need to read and write the queue; clones share it.
#[derive(Clone)]
pub struct Ledger {
    /// The database.
    pub store: Store,
    /// Seals personal data.
    pub vault: Vault,
    /// Signs the chain's head.
    pub notary: Notary,
    /// The time.
    pub clock: Clock,
    /// The settings the machines depend on.
    pub rules: Arc<Rules>,
    /// Working time; replaced when the table of holidays changes.
    calendar: Arc<RwLock<Arc<Calendar>>>,
    /// How people reach the site, for the codes on papers.
    site: Arc<RwLock<String>>,
    /// Told when papers wait to be rendered; the transaction that made them may still be open.
    pub papers_wanted: Arc<Notify>,
}

/// A request as stored: the value and its columns.
#[derive(Clone, Debug)]
pub struct Stored {
    /// The request.
    pub request: Request,
    /// Its columns.
    pub row: RequestRow,
}

impl Ledger {
    /// A ledger over a database.
    pub fn new(
        store: Store,
        vault: Vault,
        notary: Notary,
        clock: Clock,
        rules: Rules,
        calendar: Calendar,
    ) -> Self {
        let calendar = Arc::new(RwLock::new(Arc::new(calendar)));
        let rules = Arc::new(rules);
        let (site, papers_wanted) = (Arc::default(), Arc::default());
        Self { store, vault, notary, clock, rules, calendar, site, papers_wanted }
    }

    /// How people reach the site, without a slash at the end.
    pub fn site(&self) -> String {
        self.site.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Tells how people reach the site, once that is known.
    pub fn set_site(&self, url: &str) {
        url.clone_into(&mut self.site.write().unwrap_or_else(PoisonError::into_inner));
    }

    /// The time now.
    pub fn now(&self) -> i64 {
        (self.clock)()
    }

    /// Working time as it is in force.
    pub fn calendar(&self) -> Arc<Calendar> {
        Arc::clone(&self.calendar.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts another table of working time in force.
    pub fn set_calendar(&self, calendar: Calendar) {
        *self.calendar.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(calendar);
    }

    /// Facts with nothing but time and rules.
    pub fn facts<'a>(&'a self, now: i64, calendar: &'a Calendar) -> Facts<'a> {
        Facts::at(now, calendar, &self.rules)
    }

    /// Writes a happening as an event; its personal texts become commitments.
    pub(super) fn record(&self, tx: &Tx<'_>, happening: &Happening) -> Result<Event, AuditError> {
        let sealed: Result<Vec<Sealed>, AuditError> = happening
            .personal
            .iter()
            .map(|(field, value)| self.vault.commit(field, value))
            .collect();
        Ok(append_sealed(tx, NewEvent::from(happening), &sealed?)?)
    }

    /// Seals a value as JSON.
    pub fn seal<T: Serialize>(&self, context: &str, value: &T) -> Result<Vec<u8>, AuditError> {
        let json = serde_json::to_vec(value)
            .map_err(|error| StoreError::Corrupt(format!("{context}: {error}")))?;
        self.vault.seal(context, &json)
    }

    /// Opens what [`Ledger::seal`] made.
    pub fn unseal<T: DeserializeOwned>(&self, context: &str, body: &[u8]) -> Result<T, AuditError> {
        let json = self.vault.unseal(context, body)?;
        Ok(serde_json::from_slice(&json)
            .map_err(|error| StoreError::Corrupt(format!("{context}: {error}")))?)
    }
}

//--- Requests

/// What a request's body is sealed as.
fn request_context(number: &str) -> String {
    format!("request:{number}")
}

/// What a revision's body is sealed as.
fn revision_context(number: &str, revision: u32) -> String {
    format!("revision:{number}:{revision}")
}

impl Ledger {
    /// A request, if there is one of this number.
    pub fn request(&self, reader: &Reader<'_>, number: &str) -> Result<Option<Stored>, AuditError> {
        let Some((row, body)) = reader.request(number)? else { return Ok(None) };
        let request = self.unseal(&request_context(number), &body)?;
        Ok(Some(Stored { request, row }))
    }

    /// A request, or the error that there is none.
    pub fn expect_request(&self, reader: &Reader<'_>, number: &str) -> Result<Stored, LedgerError> {
        self.request(reader, number)?.ok_or(LedgerError::NotFound)
    }

    /// Adds the row of a new request; `row` holds what the request itself does not know.
    pub(super) fn insert_request(
        &self,
        tx: &Tx<'_>,
        request: &Request,
        row: &mut RequestRow,
        (year, serial): (i32, i64),
    ) -> Result<(), AuditError> {
        self.fill(row, request);
        let body = self.seal(&request_context(request.number()), request)?;
        Ok(tx.insert_request(row, year, serial, &body)?)
    }

    /// Keeps the current revision as it came in.
    pub(super) fn add_revision(
        &self,
        tx: &Tx<'_>,
        request: &Request,
        letter: Option<&str>,
    ) -> Result<(), AuditError> {
        let (number, revision) = (request.number(), request.revision());
        let body = self.seal(&revision_context(number, revision), request.application())?;
        Ok(tx.put_revision(number, revision, request.changed_at(), letter, &body)?)
    }

    /// The data of one revision.
    pub fn revision(
        &self,
        reader: &Reader<'_>,
        number: &str,
        revision: u32,
    ) -> Result<Option<crate::queue::Application>, AuditError> {
        let Some((body, ..)) = reader.revision(number, revision)? else { return Ok(None) };
        Ok(Some(self.unseal(&revision_context(number, revision), &body)?))
    }

    /// Writes a revision again, after an erasure.
    pub(super) fn rewrite_revision(
        &self,
        tx: &Tx<'_>,
        number: &str,
        revision: u32,
        application: &crate::queue::Application,
    ) -> Result<(), AuditError> {
        let body = self.seal(&revision_context(number, revision), application)?;
        Ok(tx.put_revision(number, revision, 0, None, &body)?)
    }

    /// Writes a request as it is now; `row` keeps what the request itself does not know.
    pub(super) fn save_request(
        &self,
        tx: &Tx<'_>,
        request: &Request,
        row: &RequestRow,
    ) -> Result<(), AuditError> {
        let mut row = row.clone();
        self.fill(&mut row, request);
        let body = self.seal(&request_context(request.number()), request)?;
        Ok(tx.update_request(&row, &body)?)
    }

    /// Brings the columns up to the request.
    fn fill(&self, row: &mut RequestRow, request: &Request) {
        let application = request.application();
        let state = request.state();
        let holder = request.holder();
        let ended = matches!(
            state,
            State::Rejected | State::Withdrawn | State::Expired | State::Closed | State::Notified
        );
        row.number = request.number().to_owned();
        row.state = state;
        row.open = state.is_open();
        row.kind = application.kind;
        row.class = application.class;
        row.name = application.place().name.to_string();
        row.zone = application.place().zone.to_string();
        row.office = application.office.clone();
        row.revision = request.revision();
        row.holder_id = holder.map(|holder| holder.person().to_owned());
        row.holder = holder.map(|holder| holder.name.clone());
        row.due_ms = request.due(&self.calendar(), &self.rules);
        row.starts_ms = (state == State::Verified).then(|| application.starts_at()).flatten();
        row.submitted_ms = request.submitted_at();
        row.changed_ms = request.changed_at();
        row.taken_ms = request.taken_at();
        row.phase = Some(request.stage().phase());
        row.raised = application.raised.map(|raised| raised.cause);
        row.ended_ms = ended.then(|| row.ended_ms.unwrap_or_else(|| request.changed_at()));
    }
}

//--- Live records

impl Ledger {
    /// The live record of a name; a name nobody asked for is free.
    pub fn live(&self, reader: &Reader<'_>, place: &Place) -> Result<LiveRecord, AuditError> {
        match reader.live_record(&place.name.to_string())? {
            Some(row) => self.open_live(&row),
            None => Ok(LiveRecord::free(place.clone())),
        }
    }

    /// Opens a live record's row.
    pub fn open_live(&self, row: &LiveRow) -> Result<LiveRecord, AuditError> {
        self.unseal(&format!("live:{}", row.name), &row.body)
    }

    /// Writes a live record.
    pub(super) fn save_live(&self, tx: &Tx<'_>, live: &LiveRecord) -> Result<(), AuditError> {
        let open = live.suspension.as_ref().filter(|s| s.emergency && s.confirmed.is_none());
        let name = live.name.to_string();
        if !tx.is_known(&name)? {
            put_likeness(tx, &name, &live.zone.to_string())?;
        }
        let row = LiveRow {
            zone: live.zone.to_string(),
            state: live.state(),
            office: live.office.clone(),
            class: live.class,
            origin: live.origin,
            request: live.request.clone(),
            ends_ms: live.ends,
            confirm_by_ms: open.and_then(|suspension| suspension.confirm_by),
            quarantined_until_ms: live.quarantined_until,
            body: self.seal(&format!("live:{name}"), live)?,
            name,
        };
        Ok(tx.put_live_record(&row)?)
    }
}

impl Ledger {
    /// Makes the names that an older version kept ones that a new name is compared with.
    pub fn fill_likeness(&self) -> Result<(), StoreError> {
        if !self.store.read(|reader| reader.has_no_likeness())? {
            return Ok(());
        }
        let names = self.store.read(|reader| reader.all_asked_for())?;
        if names.is_empty() {
            return Ok(());
        }
        self.store
            .write(|tx| names.iter().try_for_each(|(name, zone)| put_likeness(tx, name, zone)))
    }
}

impl Ledger {
    /// Keeps the phase of open requests that an earlier version wrote.
    pub fn fill_phases(&self) -> Result<(), LedgerError> {
        for number in self.store.read::<_, StoreError>(|reader| reader.requests_without_phase())? {
            self.store.write::<_, LedgerError>(|tx| {
                let stored = self.expect_request(tx, &number)?;
                Ok(self.save_request(tx, &stored.request, &stored.row)?)
            })?;
        }
        Ok(())
    }
}

/// Makes a name one that new names of its zone are compared with.
fn put_likeness(tx: &Tx<'_>, name: &str, zone: &str) -> Result<(), StoreError> {
    let (label, keys) = likeness(zone, labels::below(name, zone));
    tx.put_likeness(name, &label, &keys)
}
