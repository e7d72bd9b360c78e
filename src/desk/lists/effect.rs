//! What a change of a list would touch: due times of open requests, and names and requests that the rules
//! judge otherwise by it.

use crate::desk::{ActError, Desk};
use crate::queue::lists::{Basis, Table, judge};
use crate::queue::{Actor, Fault, Kind, State};
use crate::store::Reader;

/// Of each kind, so many are shown; all are counted.
const SHOWN_MAX: usize = 50;
/// Live names that are looked at in one step.
const NAMES_STEP: usize = 1_000;

/// What a change of a list touches.
#[derive(Clone, Debug, Default)]
pub struct Effect {
    /// Some open requests whose running step is due at another time.
    pub dues: Vec<MovedDue>,
    /// How many there are.
    pub dues_count: usize,
    /// Some open requests that are judged otherwise.
    pub requests: Vec<Touched>,
    /// How many there are.
    pub requests_count: usize,
    /// Some live names that are judged otherwise.
    pub names: Vec<Touched>,
    /// How many there are.
    pub names_count: usize,
}

/// An open request whose running step is due at another time.
#[derive(Clone, Debug)]
pub struct MovedDue {
    /// Its number.
    pub number: String,
    /// The name asked for, absolute.
    pub name: String,
    /// Due until now (epoch ms).
    pub before_ms: i64,
    /// Due from then on (epoch ms).
    pub after_ms: i64,
}

/// A request or a live name that is judged otherwise.
#[derive(Clone, Debug)]
pub struct Touched {
    /// The request's number; none for a live name.
    pub number: Option<String>,
    /// The name, absolute.
    pub name: String,
    /// Its office.
    pub office: String,
    /// What is said against it from then on and was not before.
    pub more: Vec<Fault>,
    /// What is not said against it any more.
    pub less: Vec<Fault>,
}

impl Desk {
    /// What it touches when a list has these rows, for the administrator.
    pub fn list_effect(&self, table: &Table, actor: &Actor) -> Result<Effect, ActError> {
        self.may_change_lists(actor)?;
        let now = self.settings().basis.clone();
        let then = now.clone().with(table);
        let mut effect = Effect::default();
        self.read(|reader| {
            self.look_at_requests(reader, (&now, &then), table, &mut effect)?;
            if !table.list.is_of_time() {
                self.look_at_names(reader, (&now, &then), &mut effect)?;
            }
            Ok(())
        })?;
        Ok(effect)
    }

    /// Open requests.
    fn look_at_requests(
        &self,
        reader: &Reader<'_>,
        (now, then): (&Basis, &Basis),
        table: &Table,
        effect: &mut Effect,
    ) -> Result<(), ActError> {
        let ledger = &self.0.ledger;
        for state in State::ALL.into_iter().filter(|state| state.is_open()) {
            for row in reader.requests_in(state)? {
                let stored = ledger.expect_request(reader, &row.number)?;
                let (request, application) = (&stored.request, stored.request.application());
                if table.list.is_of_time() {
                    let due = |basis: &Basis| request.due(&basis.calendar, &ledger.rules);
                    if let (Some(before_ms), Some(after_ms)) = (due(now), due(then))
                        && before_ms != after_ms
                    {
                        let (number, name) = (row.number, row.name);
                        let moved = MovedDue { number, name, before_ms, after_ms };
                        push(&mut effect.dues, &mut effect.dues_count, moved);
                    }
                    continue;
                }
                let records: Vec<_> = application.rrs().collect();
                let judged =
                    |basis: &Basis| judge(application, &records, (&basis.naming, &basis.targets));
                let number = Some(row.number);
                let found = touched((judged(now), judged(then)), number, row.name, &row.office);
                if let Some(found) = found {
                    push(&mut effect.requests, &mut effect.requests_count, found);
                }
            }
        }
        effect.dues.sort_by_key(|it| it.after_ms);
        Ok(())
    }

    /// Live names that somebody asked for.
    fn look_at_names(
        &self,
        reader: &Reader<'_>,
        (now, then): (&Basis, &Basis),
        effect: &mut Effect,
    ) -> Result<(), ActError> {
        let mut after = String::new();
        loop {
            let rows = reader.live_records(None, &after, NAMES_STEP)?;
            let Some(last) = rows.last() else { return Ok(()) };
            after.clone_from(&last.name);
            for row in rows {
                let live = self.0.ledger.open_live(&row)?;
                if live.state().is_gone() {
                    continue;
                }
                let application = live.asks(Kind::New);
                let records: Vec<_> = live.records.iter().collect();
                let judged =
                    |basis: &Basis| judge(&application, &records, (&basis.naming, &basis.targets));
                let found = touched((judged(now), judged(then)), None, row.name, &live.office);
                if let Some(found) = found {
                    push(&mut effect.names, &mut effect.names_count, found);
                }
            }
        }
    }
}

/// What differs between two judgements; none if nothing does.
fn touched(
    (now, then): (Vec<Fault>, Vec<Fault>),
    number: Option<String>,
    name: String,
    office: &str,
) -> Option<Touched> {
    let without = |these: &[Fault], others: &[Fault]| -> Vec<Fault> {
        these.iter().filter(|it| !others.contains(it)).cloned().collect()
    };
    let (more, less) = (without(&then, &now), without(&now, &then));
    let office = office.to_owned();
    (!more.is_empty() || !less.is_empty()).then_some(Touched { number, name, office, more, less })
}

/// Counts one, and keeps it while few are kept.
fn push<T>(kept: &mut Vec<T>, count: &mut usize, one: T) {
    *count += 1;
    if kept.len() < SHOWN_MAX {
        kept.push(one);
    }
}
