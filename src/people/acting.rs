//! Acting officials (Plh., Plt.): somebody who holds another's role for a while.
//!
//! Whoever acts takes over the role with all its limits, and never both roles on one request; that
//! rule is enforced where the act happens. Nobody holds two roles for others at a time, or one chair twice. Only the
//! head (kabid) records one, on a letter.

use super::PeopleError;
use super::account::{Account, By};
use super::roster::People;
use crate::audit::random;
use crate::digest::hex;
use crate::queue::{Actor, Deed, Role};
pub use crate::store::people::ActingRow as ActingOfficial;
use crate::store::people::PersonRow;
pub use crate::store::words::ActingStyle;
use crate::store::{Reader, Tx};

//------------ ActingOfficial ------------------------------------------------

/// What a new acting official is made of.
#[derive(Clone, Debug)]
pub struct NewActing {
    /// Sign-in name of who acts.
    pub name: String,
    /// The role taken over: kabid or kasi.
    pub role: Role,
    /// Sign-in name of the officer whose chair it is; may be empty where only one has the role, or
    /// nobody.
    pub holder: String,
    /// Plh. or Plt.
    pub style: ActingStyle,
    /// Number of the letter.
    pub letter: String,
    /// Start (epoch ms).
    pub starts_ms: i64,
    /// End (epoch ms).
    pub ends_ms: i64,
}

//------------ People: acting officials --------------------------------------

impl People {
    /// Records an acting official. Only the head's own account may, never an acting one.
    pub fn record_acting(&self, by: &Account, new: &NewActing) -> Result<(), PeopleError> {
        let by = By::Officer(by.clone());
        let letter = new.letter.trim().to_owned();
        let decides = matches!(new.role, Role::Head | Role::Verifier);
        if letter.is_empty() || letter.len() > 120 || new.starts_ms >= new.ends_ms || !decides {
            return Err(PeopleError::BadActing);
        }
        let id = format!("a-{}", hex(&random::<8>()?));
        let now = self.now_ms();
        self.store.write(|tx| {
            if !by.holds(tx, Role::Head)? {
                return Err(PeopleError::NotAllowed);
            }
            let person = tx.person_by_name(&new.name)?.ok_or(PeopleError::UnknownPerson)?;
            let able = person.disabled_ms.is_none() && person.role != Role::Auditor;
            if !able || person.role == new.role {
                return Err(PeopleError::NotAllowed);
            }
            let row = ActingOfficial {
                id,
                holder: holder_of(tx, new, &person.id)?,
                person: person.id,
                role: new.role,
                style: new.style,
                letter,
                starts_ms: new.starts_ms,
                ends_ms: new.ends_ms,
                made_by: by.id().to_owned(),
                ended_ms: None,
            };
            let at_once = |other: &&ActingOfficial| {
                let held = other.held();
                other.person == row.person && held.starts < row.ends_ms && row.starts_ms < held.ends
            };
            let all = tx.acting_officials()?;
            for other in all.iter().filter(at_once) {
                if other.role != row.role {
                    return Err(PeopleError::ActingTwice);
                }
                if other.holder == row.holder {
                    return Err(PeopleError::ActingAlready(other.letter.clone()));
                }
            }
            tx.put_acting(&row)?;
            let (starts, ends) = (row.starts_ms.to_string(), row.ends_ms.to_string());
            let facts = [
                ("role", row.role.as_str()),
                ("holder", row.holder.as_str()),
                ("style", row.style.as_str()),
                ("letter", row.letter.as_str()),
                ("starts_ms", starts.as_str()),
                ("ends_ms", ends.as_str()),
            ];
            by.leave(tx, now, Deed::ActingRecorded, &row.person, &facts)
        })
    }

    /// Ends an acting official early: the head, or an administrator when the head is away.
    pub fn end_acting(&self, by: &By, id: &str) -> Result<(), PeopleError> {
        let now = self.now_ms();
        self.store.write(|tx| {
            if !by.holds(tx, Role::Head)? {
                by.may_manage(tx)?;
            }
            let rows = tx.acting_officials()?;
            let row = rows.into_iter().find(|row| row.id == id);
            let mut row = row.ok_or(PeopleError::UnknownPerson)?;
            // Pressed again, or when the time was over anyhow: nothing ends twice.
            if is_over(&row, now) {
                return Ok(());
            }
            end(tx, by, &mut row, now)
        })
    }

    /// All acting officials ever recorded, the newest first.
    pub fn acting_officials(&self) -> Result<Vec<ActingOfficial>, PeopleError> {
        self.store.read(|reader| Ok(reader.acting_officials()?))
    }

    /// A person as the procedure sees them, with the roles they take over just now.
    pub(super) fn actor_now(&self, person: &PersonRow, officials: &[ActingOfficial]) -> Actor {
        let mut actor = person.actor(officials);
        let now = self.now_ms();
        actor.acting.retain(|held| held.in_force(now));
        actor
    }
}

/// Ends the appointments of a person: they rest on the account and its role, and neither brings them back.
pub(super) fn end_appointments(
    tx: &Tx<'_>,
    by: &By,
    person: &str,
    now_ms: i64,
) -> Result<(), PeopleError> {
    let rows = tx.acting_officials()?.into_iter();
    for mut row in rows.filter(|row| row.person == person && !is_over(row, now_ms)) {
        end(tx, by, &mut row, now_ms)?;
    }
    Ok(())
}

/// Whether an appointment was ended, or its time is over.
fn is_over(row: &ActingOfficial, now_ms: i64) -> bool {
    row.ended_ms.is_some() || row.ends_ms <= now_ms
}

/// Ends one appointment, with its event.
fn end(tx: &Tx<'_>, by: &By, row: &mut ActingOfficial, now_ms: i64) -> Result<(), PeopleError> {
    row.ended_ms = Some(now_ms);
    tx.put_acting(row)?;
    by.leave(tx, now_ms, Deed::ActingEnded, &row.person, &[("letter", &row.letter)])
}

/// The person id of the officer stood in for: the one chosen, or the only one with the role.
fn holder_of(reader: &Reader<'_>, new: &NewActing, person: &str) -> Result<String, PeopleError> {
    let all = reader.people()?;
    let mut fit = all.into_iter().filter(|it| it.role == new.role && it.id != person);
    let chosen = new.holder.trim();
    if !chosen.is_empty() {
        let holder = fit.find(|it| it.name == chosen);
        return holder.map(|it| it.id).ok_or(PeopleError::ActingHolder);
    }
    let mut enabled = fit.filter(|it| it.disabled_ms.is_none());
    match (enabled.next(), enabled.next()) {
        (only, None) => Ok(only.map(|it| it.id).unwrap_or_default()),
        (_, Some(_)) => Err(PeopleError::ActingHolder),
    }
}
