//! The history of a name: what changed at it, when and by which way. For its owner, who has number and
//! secret of a request or a mailed link, and for officers.

use std::collections::BTreeMap;

use super::{ActError, Desk};
use crate::promote::Plan;
use crate::queue::{
    Actor, Application, Contact, Kind, LiveRecord, LiveState, NameDelta, Place, State, Way,
    same_office,
};
use crate::store::changes::NameChangeRow;
use crate::store::words::PromotionState;
use crate::store::{Reader, StoreError};
use crate::view::{NameChangeView, NameChangesView, rfc3339};

/// Changed names shown of a history.
const ROWS_MAX: usize = 400;
/// Requests looked through for changes from before changes were kept.
const REQUESTS_MAX: usize = 100;

impl Desk {
    /// The history behind a mailed link; `NotFound` if it cannot be used any more.
    pub fn history_by_link(&self, token: &str) -> Result<NameChangesView, ActError> {
        let name = self.read(|reader| Ok(self.0.ledger.name_of_link(reader, token)?))?;
        let place = name.and_then(|name| self.place_of(&name)).ok_or(ActError::NotFound)?;
        self.history_at(&place, |live| !live.office.is_empty())
    }

    /// The history of the name of a request that went live, for its applicant, while their office owns
    /// the name.
    pub fn history_of_request(
        &self,
        number: &str,
        actor: &Actor,
    ) -> Result<NameChangesView, ActError> {
        if actor.proved.as_deref() != Some(number) {
            return Err(ActError::NotFound);
        }
        let stored = self.read(|reader| Ok(self.0.ledger.expect_request(reader, number)?))?;
        let application = stored.request.application();
        let went_live =
            matches!(stored.request.state(), State::Live | State::Notified | State::Closed);
        if !went_live {
            return Err(ActError::NotFound);
        }
        let office = &application.office;
        self.history_at(application.place(), |live| same_office(&live.office, office))
    }

    /// The changes of a name, for officers.
    pub(super) fn changes_at(
        &self,
        reader: &Reader<'_>,
        name: &str,
    ) -> Result<Vec<NameChangeView>, ActError> {
        let rows = reader.changes_of(name, ROWS_MAX)?;
        let known: Vec<String> = rows.iter().filter_map(|row| row.request.clone()).collect();
        let mut changes = grouped(rows);
        for row in reader.requests_on(name, REQUESTS_MAX)? {
            if known.contains(&row.number) {
                continue;
            }
            let done = reader.promotion_of(&row.number)?;
            let Some(done) = done.filter(|it| it.state == PromotionState::Proven) else { continue };
            let plan: Plan = serde_json::from_str(&done.plan)
                .map_err(|error| StoreError::Corrupt(error.to_string()))?;
            changes.push((
                done.at_ms,
                NameChangeView {
                    at: rfc3339(done.at_ms),
                    way: Way::Request,
                    request: Some(row.number),
                    serial: done.serial_to,
                    names: vec![plan.changed().shortened().into()],
                    notice: None,
                },
            ));
        }
        changes.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
        Ok(changes.into_iter().map(|(_, change)| change).collect())
    }

    /// The history of a name for its owner, if the name is theirs.
    fn history_at(
        &self,
        place: &Place,
        is_theirs: impl Fn(&LiveRecord) -> bool,
    ) -> Result<NameChangesView, ActError> {
        self.read(|reader| {
            let live = self.0.register.live(reader, place)?;
            let is_kept = !matches!(live.state(), LiveState::Free | LiveState::Held);
            if !is_kept || !is_theirs(&live) {
                return Err(ActError::NotFound);
            }
            let name = live.name.to_string();
            let mut changes = self.changes_at(reader, &name)?;
            changes.iter_mut().for_each(|change| change.notice = None);
            Ok(NameChangesView {
                state: live.state(),
                office: live.office.clone(),
                since: live.since.map(rfc3339),
                ends: live.ends.map(rfc3339),
                changes,
                name,
            })
        })
    }

    /// What a request to give a name up would say, for its owner who goes on with the letter. Who may
    /// be told the contact gets it filled in.
    pub fn removal_of(
        &self,
        name: &str,
        contact: Option<Contact>,
    ) -> Result<Application, ActError> {
        let place = self.place_of(name).ok_or(ActError::NotFound)?;
        let live = self.read(|reader| Ok(self.0.register.live(reader, &place)?))?;
        let contact = contact.unwrap_or_default();
        Ok(Application { contact, ..live.asks(Kind::Remove) })
    }
}

/// One view for each change, with its time.
fn grouped(rows: Vec<NameChangeRow>) -> Vec<(i64, NameChangeView)> {
    let mut changes: BTreeMap<i64, (i64, NameChangeView)> = BTreeMap::new();
    for row in rows {
        let lines = |text: &str| text.lines().map(str::to_owned).collect();
        let delta = NameDelta {
            name: row.name.trim_end_matches('.').to_owned(),
            was: lines(&row.was),
            now_is: lines(&row.now_is),
        };
        let (_, view) = changes.entry(row.seq).or_insert_with(|| {
            let view = NameChangeView {
                at: rfc3339(row.at_ms),
                way: row.way,
                request: row.request,
                serial: row.serial,
                names: Vec::new(),
                notice: row.notice,
            };
            (row.at_ms, view)
        });
        view.names.push(delta.shortened().into());
    }
    changes.into_values().collect()
}
