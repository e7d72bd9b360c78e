//! Names for officers: searched, looked at with everything that ever changed them, given an office,
//! and kept out of the public list.

use std::collections::HashMap;

use super::views::history;
use super::{ActError, Desk};
use crate::promote::Plan;
use crate::queue::{
    Actor, Deed, Kind, LiveRecord, LiveState, NamingClass, State, Step, TransitionError, labels,
};
use crate::store::{Reader, StoreError, Tx};
use crate::view::{HistoryView, NameChangeView, RecordView, Sees, WatchView, rfc3339};

/// Names read at once while a text is searched for.
const BATCH: usize = 500;
/// Batches read at most in one search.
const BATCHES_MAX: usize = 200;
/// Requests shown of a name.
const CHANGES_MAX: usize = 50;

/// A name and everything that ever changed it.
#[derive(Clone, Debug)]
pub struct NamePage {
    /// As it is now.
    pub record: RecordView,
    /// The requests about it, the newest first.
    pub changes: Vec<NameChange>,
    /// What is seen of its targets; none if it is not watched.
    pub watch: Option<WatchView>,
    /// What changed at it, the newest first.
    pub served: Vec<NameChangeView>,
    /// What else happened to it, the oldest first.
    pub history: Vec<HistoryView>,
    /// Whether what is served differs from what was approved.
    pub drifts: bool,
}

/// A request about a name and what it changed.
#[derive(Clone, Debug)]
pub struct NameChange {
    /// Its number.
    pub number: String,
    /// Its kind.
    pub kind: Kind,
    /// Its state.
    pub state: State,
    /// When it came in, RFC 3339.
    pub submitted: String,
    /// Records that went, as master file text.
    pub removed: Vec<String>,
    /// Records that came, as master file text.
    pub added: Vec<String>,
}

impl Desk {
    /// The jabatan of the contacts of requests, by number, without the persons; none of one that was erased.
    pub fn contact_positions(
        &self,
        numbers: &[String],
    ) -> Result<HashMap<String, String>, ActError> {
        let ledger = &self.0.ledger;
        self.read(|reader| {
            let mut found = HashMap::new();
            for number in numbers {
                if let Some(stored) = ledger.request(reader, number)? {
                    let contact = &stored.request.application().contact;
                    let names_somebody =
                        !contact.name.is_empty() && contact.position.contains(&contact.name);
                    let position = if names_somebody { "" } else { &contact.position };
                    found.insert(number.clone(), position.to_owned());
                }
            }
            Ok(found)
        })
    }

    /// A page of names that hold a text in name or office; as [`Desk::records`], which it narrows.
    pub fn search_records(
        &self,
        text: &str,
        state: Option<LiveState>,
        cursor: &str,
        limit: usize,
    ) -> Result<(Vec<RecordView>, Option<String>), ActError> {
        let text = text.trim().to_lowercase();
        if text.is_empty() {
            return self.records(state, cursor, limit);
        }
        let fits =
            |it: &RecordView| it.name.contains(&text) || it.office.to_lowercase().contains(&text);
        let (mut found, mut cursor) = (Vec::new(), cursor.to_owned());
        for _ in 0..BATCHES_MAX {
            let (batch, next) = self.records(state, &cursor, BATCH)?;
            found.extend(batch.into_iter().filter(fits));
            match next {
                Some(next) if found.len() < limit => cursor = next,
                next => return Ok((found, next)),
            }
        }
        Ok((found, Some(cursor)))
    }

    /// A name with its history, for officers.
    pub fn name_page(&self, name: &str, actor: &Actor) -> Result<NamePage, ActError> {
        let sees = Sees::of_officer(actor, self.now()).ok_or(ActError::NotAllowed)?;
        let place = self.place_of(name).ok_or(ActError::NotFound)?;
        let name = place.name.to_string();
        let page = self.read(|reader| {
            let live = self.0.register.live(reader, &place)?;
            let mut changes = Vec::new();
            for row in reader.requests_on(&name, CHANGES_MAX)? {
                let plan = reader.promotion_of(&row.number)?.map(|row| row.plan);
                let plan = plan.map(|plan| serde_json::from_str::<Plan>(&plan)).transpose();
                let plan = plan.map_err(|error| StoreError::Corrupt(error.to_string()))?;
                changes.push(NameChange {
                    number: row.number,
                    kind: row.kind,
                    state: row.state,
                    submitted: rfc3339(row.submitted_ms),
                    removed: plan.as_ref().map(Plan::removed_lines).unwrap_or_default(),
                    added: plan.as_ref().map(Plan::added_lines).unwrap_or_default(),
                });
            }
            let history = history(reader, &format!("record:{name}"), sees)?;
            let record = self.with_next_question(&live);
            let served = self.changes_at(reader, &name)?;
            let watch = self.watch_view(reader, &name)?;
            Ok(NamePage { record, changes, watch, served, history, drifts: false })
        })?;
        if page.record.state == LiveState::Free && page.changes.is_empty() {
            return Err(ActError::NotFound);
        }
        let drifts = self.drift()?.iter().any(|drift| drift.name == name);
        Ok(NamePage { drifts, ..page })
    }

    /// What changed at a name, the newest first, and what is seen of its targets; for officers.
    pub fn name_changes(
        &self,
        name: &str,
        actor: &Actor,
    ) -> Result<(Vec<NameChangeView>, Option<WatchView>), ActError> {
        Sees::of_officer(actor, self.now()).ok_or(ActError::NotAllowed)?;
        let place = self.place_of(name).ok_or(ActError::NotFound)?;
        let name = place.name.to_string();
        self.read(|reader| {
            let is_free = self.0.register.live(reader, &place)?.state() == LiveState::Free;
            if is_free && reader.requests_on(&name, 1)?.is_empty() {
                return Err(ActError::NotFound);
            }
            Ok((self.changes_at(reader, &name)?, self.watch_view(reader, &name)?))
        })
    }

    /// Gives a name of the operator's file an office and a class. By the administrator or the head.
    pub fn assign_owner(
        &self,
        name: &str,
        (office, class): (&str, NamingClass),
        actor: &Actor,
    ) -> Result<RecordView, ActError> {
        let office = labels::clean_text(office);
        let now = self.now();
        self.on_name(name, actor, Deed::OwnerAssigned, |live, actor| {
            live.assign(&office, class, actor, now)
        })
    }

    /// Takes a name out of the public list, or puts it back. By the head; taking it out needs a
    /// reason.
    pub fn unlist(
        &self,
        name: &str,
        reason: Option<&str>,
        actor: &Actor,
    ) -> Result<RecordView, ActError> {
        let reason = reason.map(labels::clean_text);
        let deed = if reason.is_some() { Deed::Unlisted } else { Deed::Listed };
        let now = self.now();
        self.on_name(name, actor, deed, |live, actor| live.unlist(reason.clone(), actor, now))
    }

    /// A step on a live record that changes nothing in the zone.
    pub(super) fn on_name(
        &self,
        name: &str,
        actor: &Actor,
        deed: Deed,
        rule: impl Fn(LiveRecord, &Actor) -> Result<Step<LiveRecord>, TransitionError>,
    ) -> Result<RecordView, ActError> {
        let (ledger, register) = (&self.0.ledger, &self.0.register);
        let place = self.place_of(name).ok_or(ActError::NotFound)?;
        let done = ledger.store.write::<_, ActError>(|tx: &Tx<'_>| {
            let reader: &Reader<'_> = tx;
            let live = register.live(reader, &place)?;
            if live.state() == LiveState::Free {
                return Err(ActError::NotFound);
            }
            let current = ledger.current(tx, actor)?;
            let step = rule(live.clone(), &current)?;
            if tx.live_record(&place.name.to_string())?.is_none() {
                return Ok(ledger.apply_taken_in(tx, live, step)?);
            }
            Ok(ledger.apply_live(tx, step)?)
        });
        self.logged(done, actor, name, deed)
    }
}
