//! Live records: the register, emergency suspension, the approved end, the end of a quarantine.

use super::{ActError, Desk};
use crate::publish::{Cause, Change, EditProposal, PublishError, RowsFn};
use crate::queue::fault::Stale;
use crate::queue::{
    Actor, Deed, Fault, Ground, LiveRecord, LiveState, Place, Rule, Signature, Step, Subject,
    TransitionError,
};
use crate::register::{edit_out, served_records};
use crate::store::{Reader, Tx};
use crate::view::RecordView;
use crate::wire::Name;

/// Records of a page at most.
const ROWS_MAX: usize = 500;
/// What a cursor among the names of the operator's files begins with; no name holds a space.
const IN_FILE: &str = "file ";

impl Desk {
    /// The live record of a name; none if it is free.
    pub fn record(&self, name: &str) -> Result<Option<RecordView>, ActError> {
        let Some(place) = self.place_of(name) else { return Ok(None) };
        let live = self.read(|reader| Ok(self.0.register.live(reader, &place)?))?;
        Ok((live.state() != LiveState::Free).then(|| self.with_next_question(&live)))
    }

    /// A page of live records, of one state or of all: first those that somebody asked for, by name,
    /// then names of the operator's files. Beside it where the next page begins.
    pub fn records(
        &self,
        state: Option<LiveState>,
        cursor: &str,
        limit: usize,
    ) -> Result<(Vec<RecordView>, Option<String>), ActError> {
        let (ledger, register) = (&self.0.ledger, &self.0.register);
        let limit = limit.clamp(1, ROWS_MAX);
        self.read(|reader| {
            let (mut found, mut after) = (Vec::new(), cursor.strip_prefix(IN_FILE));
            if after.is_none() {
                for row in reader.live_records(state, cursor, limit)? {
                    found.push(ledger.open_live(&row)?);
                }
                if found.len() == limit {
                    let next = found.last().map(|live| live.name.to_string());
                    return Ok((found.iter().map(RecordView::from).collect(), next));
                }
                after = Some("");
            }
            let mut next = None;
            if state.is_none_or(LiveState::is_served) {
                let after: Option<Name> = after.and_then(|after| after.parse().ok());
                let most = limit - found.len();
                let names = register.unrequested_after(reader, after.as_ref(), most)?;
                let last = names.last().filter(|_| names.len() == most);
                next = last.map(|live| format!("{IN_FILE}{}", live.name));
                found.extend(names);
            }
            Ok((found.iter().map(RecordView::from).collect(), next))
        })
    }

    /// A name with its zone; none if it is no domain name or in no zone.
    pub(super) fn place_of(&self, name: &str) -> Option<Place> {
        let name: Name = self.absolute(name).parse().ok()?;
        let zone = self.0.register.publisher().zone_of(&name)?;
        Some(Place::new(&name, &zone))
    }

    /// A name as the key of a live record: absolute, lower case; a name without the zone gets the
    /// first zone.
    pub(super) fn absolute(&self, name: &str) -> String {
        let lower = name.trim().to_lowercase();
        let dotted = if lower.ends_with('.') { lower } else { format!("{lower}.") };
        let apexes = self.0.register.publisher().apexes();
        let parsed: Option<Name> = dotted.parse().ok();
        let inside = parsed.is_some_and(|name| {
            apexes.iter().any(|apex| name.as_ref().is_at_or_below(apex.as_ref()))
        });
        match apexes.first() {
            Some(apex) if !inside => format!("{dotted}{}", apex.as_ref().to_lowercase()),
            _ => dotted,
        }
    }

    /// Emergency suspension: one officer, kasi or kabid, takes a name down at once.
    pub fn suspend(&self, name: &str, reason: &str, actor: &Actor) -> Result<RecordView, ActError> {
        let ledger = &self.0.ledger;
        let calendar = ledger.calendar();
        let reason = crate::queue::labels::clean_text(reason);
        let taken = self.take_out(
            name,
            &actor.name,
            |reader, live, tx_actor, now| {
                self.may_suspend_alone(reader, tx_actor)?;
                Ok(live.suspend_emergency(tx_actor, &reason, now, &calendar, &ledger.rules)?)
            },
            actor,
        );
        self.logged(taken, actor, name, Deed::EmergencySuspend)
    }

    /// One officer takes names down alone, but not one after the other without end: so many wait for
    /// the other officer's word at a time.
    fn may_suspend_alone(&self, reader: &Reader<'_>, actor: &Actor) -> Result<(), ActError> {
        let ledger = &self.0.ledger;
        let mut open = 0;
        for row in reader.unconfirmed_suspensions()? {
            let by = ledger.open_live(&row)?.suspension.map(|suspension| suspension.by.identity);
            open += usize::from(by.is_some_and(|by| by.same(&actor.identity)));
        }
        let most = ledger.rules.emergencies;
        if open < most {
            return Ok(());
        }
        let fault = Fault::new("name", Rule::EmergenciesOpen, most.to_string());
        Err(TransitionError::Incomplete(vec![fault]).into())
    }

    /// Emergency suspensions nobody has agreed with in time; they head the late list.
    pub fn overdue_suspensions(&self) -> Result<Vec<RecordView>, ActError> {
        let ledger = &self.0.ledger;
        let now = self.now();
        self.read(|reader| {
            let rows = reader.unconfirmed_suspensions()?;
            let late = rows.iter().filter(|row| row.confirm_by_ms.is_some_and(|by| by < now));
            late.map(|row| Ok(RecordView::from(&ledger.open_live(row)?))).collect()
        })
    }

    /// The other officer agrees with an emergency suspension.
    pub fn confirm_suspension(&self, name: &str, actor: &Actor) -> Result<RecordView, ActError> {
        let ledger = &self.0.ledger;
        let name = self.absolute(name);
        let now = ledger.now();
        let confirmed = ledger.store.write(|tx| {
            let row = tx.live_record(&name)?.ok_or(ActError::NotFound)?;
            let actor = ledger.current(tx, actor)?;
            let step = ledger.open_live(&row)?.confirm_suspension(&actor, now)?;
            Ok(ledger.apply_live(tx, step)?)
        });
        self.logged(confirmed, actor, &name, Deed::ConfirmSuspension)
    }

    /// An accepted change as shown; a turned-back attempt of an officer as an event.
    pub(super) fn logged(
        &self,
        result: Result<LiveRecord, ActError>,
        actor: &Actor,
        name: &str,
        deed: Deed,
    ) -> Result<RecordView, ActError> {
        match result {
            Ok(live) => Ok(RecordView::from(&live)),
            Err(ActError::Rule(error)) => {
                self.log_turned_back(
                    actor,
                    deed,
                    Subject::LiveRecord(self.absolute(name)),
                    &error,
                )?;
                Err(error.into())
            }
            Err(error) => Err(error),
        }
    }

    /// Takes a name out of the zone in one change with its live record.
    fn take_out(
        &self,
        name: &str,
        who: &str,
        rule: impl Fn(&Reader<'_>, LiveRecord, &Actor, i64) -> Result<Step<LiveRecord>, ActError>,
        actor: &Actor,
    ) -> Result<LiveRecord, ActError> {
        let ledger = &self.0.ledger;
        let name = self.absolute(name);
        let register = &self.0.register;
        let place = self.place_of(&name).ok_or(ActError::NotFound)?;
        let live = self.read(|reader| Ok(register.live(reader, &place)?))?;
        if live.state() == LiveState::Free {
            return Err(ActError::NotFound);
        }
        let not_loaded = |apex: &Name| ActError::Publish(PublishError::NotLoaded(apex.clone()));
        let (apex, owner) = (live.zone.clone(), live.name.clone());
        let zone = self.0.register.publisher().content(&apex).ok_or_else(|| not_loaded(&apex))?;
        let edit = edit_out(&owner, &zone);
        let served = served_records(&owner, &zone);
        // Tested before the zone is touched, and again inside the transaction.
        self.read(|reader| {
            let current = ledger.current(reader, actor)?;
            rule(reader, live, &current, ledger.now()).map(drop)
        })?;
        let rows = |tx: &Tx<'_>, change: &Change| {
            let actor = ledger.current(tx, actor)?;
            let mut live = register.live(tx, &place)?;
            let before = live.clone();
            // What is put back one day is what is served today.
            live.records.clone_from(&served);
            let mut step = rule(tx, live, &actor, ledger.now())?;
            step.happening = step.happening.with("serial", change.to);
            Ok::<_, ActError>(ledger.apply_taken_in(tx, before, step)?)
        };
        let published = self.0.register.publisher().publish(EditProposal {
            zone: &apex,
            base: None,
            edit: &edit,
            cause: Cause::Own { purpose: "suspension".to_owned() },
            who,
            expect: Vec::new(),
            rows: RowsFn(rows),
        })?;
        Ok(published.rows)
    }

    /// A rule of the settings takes a name out at once, if it is so still; an officer confirms it like an
    /// emergency of one officer.
    pub(super) fn suspend_by_rule(
        &self,
        name: &str,
        rule: &str,
        is_so_still: impl Fn(&LiveRecord) -> bool,
    ) -> Result<(), ActError> {
        let ledger = &self.0.ledger;
        let calendar = ledger.calendar();
        let out = |_: &Reader<'_>, live: LiveRecord, _: &Actor, now: i64| {
            if !is_so_still(&live) {
                return Err(TransitionError::Stale(Stale::NoCandidate).into());
            }
            Ok(live.suspend_by_rule(rule, now, &calendar, &ledger.rules)?)
        };
        match self.take_out(name, "gapura", out, &Actor::system()) {
            // It is out already, or is something else by now.
            Ok(_) | Err(ActError::Rule(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// The approved end date has come: the name is taken out.
    pub(super) fn end_name(&self, name: &str) -> Result<(), ActError> {
        let rule = |_: &Reader<'_>, live: LiveRecord, _: &Actor, now: i64| {
            let by = Signature::system(now);
            Ok(live.suspend("berlaku_sampai", Some(Ground::Ended), &by, &self.0.ledger.rules)?)
        };
        self.take_out(name, "gapura", rule, &Actor::system()).map(drop)
    }

    /// The quarantine of a name is over.
    pub(super) fn end_quarantine(&self, name: &str) -> Result<(), ActError> {
        let ledger = &self.0.ledger;
        ledger.store.write(|tx| {
            let row = tx.live_record(name)?.ok_or(ActError::NotFound)?;
            let by = Signature::system(ledger.now());
            let step = ledger.open_live(&row)?.free_again(&by)?;
            ledger.apply_live(tx, step)?;
            Ok(())
        })
    }
}
