//! Acting officials (Plh., Plt.): somebody who holds another's role for a while.
//!
//! Whoever acts takes over the role with all its limits, and never both roles on one request; that
//! rule is kept where the act happens. Only the head (kabid) records one, on a letter.

use super::PeopleError;
use super::account::{Account, By, role_from};
use super::roster::People;
use crate::audit::random;
use crate::digest::hex;
use crate::queue::{self, Role};
use crate::store::people::ActingRow;

//------------ ActingOfficial ------------------------------------------------

/// Why somebody acts.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ActingStyle {
    /// Pelaksana harian: the holder is away.
    Plh,
    /// Pelaksana tugas: the post is vacant.
    Plt,
}

impl ActingStyle {
    /// The word kept in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Plh => "plh",
            Self::Plt => "plt",
        }
    }

    /// What papers print before the title.
    pub fn prefix(self) -> &'static str {
        match self {
            Self::Plh => "Plh.",
            Self::Plt => "Plt.",
        }
    }
}

/// A recorded acting official.
#[derive(Clone, Debug)]
pub struct ActingOfficial {
    /// Id, for ending it early.
    pub id: String,
    /// Who acts (person id).
    pub person: String,
    /// The role taken over.
    pub role: Role,
    /// Person id of the officer stood in for; empty while the post is vacant.
    pub holder: String,
    /// Plh. or Plt.
    pub style: ActingStyle,
    /// Number of the letter that orders it.
    pub letter: String,
    /// Start (epoch ms).
    pub starts_ms: i64,
    /// End (epoch ms); the moment itself is outside.
    pub ends_ms: i64,
    /// Whether it was ended early.
    pub ended: bool,
}

impl ActingOfficial {
    /// Whether it holds at this time.
    pub fn holds(&self, now_ms: i64) -> bool {
        !self.ended && self.starts_ms <= now_ms && now_ms < self.ends_ms
    }
}

impl ActingOfficial {
    /// The appointment as the procedure sees it.
    pub(super) fn as_held(&self) -> queue::ActingOfficial {
        queue::ActingOfficial {
            role: self.role,
            holder: self.holder.clone(),
            starts: self.starts_ms,
            ends: self.ends_ms,
            letter: self.letter.clone(),
        }
    }
}

/// What a new acting official is made of.
#[derive(Clone, Debug)]
pub struct NewActing {
    /// Sign-in name of who acts.
    pub name: String,
    /// The role taken over: kabid or kasi.
    pub role: Role,
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
        if by.role != Role::Head || !by.enabled {
            return Err(PeopleError::NotAllowed);
        }
        let letter = new.letter.trim().to_owned();
        let decides = matches!(new.role, Role::Head | Role::Verifier);
        if letter.is_empty() || letter.len() > 120 || new.starts_ms >= new.ends_ms || !decides {
            return Err(PeopleError::BadActing);
        }
        let person = self.by_name(&new.name)?;
        if !person.enabled || person.role == new.role || person.role == Role::Auditor {
            return Err(PeopleError::NotAllowed);
        }
        let holder = self.list()?.into_iter().find(|it| it.role == new.role && it.enabled);
        let row = ActingRow {
            id: format!("a-{}", hex(&random::<8>()?)),
            person: person.id,
            role: new.role.as_str().to_owned(),
            holder: holder.map(|account| account.id).unwrap_or_default(),
            style: new.style.as_str().to_owned(),
            letter,
            starts_ms: new.starts_ms,
            ends_ms: new.ends_ms,
            made_by: by.id.clone(),
            ended_ms: None,
        };
        let now = self.now_ms();
        self.store.write(|tx| {
            tx.put_acting(&row)?;
            let (starts, ends) = (row.starts_ms.to_string(), row.ends_ms.to_string());
            let facts = [
                ("role", row.role.as_str()),
                ("style", row.style.as_str()),
                ("letter", row.letter.as_str()),
                ("starts_ms", starts.as_str()),
                ("ends_ms", ends.as_str()),
            ];
            let by = By::Officer(by.clone());
            by.leave(tx, now, "acting_recorded", &row.person, &facts)
        })
    }

    /// Ends an acting official early: the head, or an administrator when the head is away.
    pub fn end_acting(&self, by: &By, id: &str) -> Result<(), PeopleError> {
        let head = matches!(by, By::Officer(account) if account.role == Role::Head);
        if !head {
            by.may_manage()?;
        }
        let now = self.now_ms();
        self.store.write(|tx| {
            let rows = tx.acting_officials()?;
            let row = rows.into_iter().find(|row| row.id == id);
            let mut row = row.ok_or(PeopleError::UnknownPerson)?;
            row.ended_ms = Some(now);
            tx.put_acting(&row)?;
            by.leave(tx, now, "acting_ended", &row.person, &[("letter", &row.letter)])
        })
    }

    /// All acting officials ever recorded, the newest first.
    pub fn acting_officials(&self) -> Result<Vec<ActingOfficial>, PeopleError> {
        let rows = self.store.read::<_, PeopleError>(|reader| Ok(reader.acting_officials()?))?;
        rows.iter().map(from_row).collect()
    }

    /// The roles this person takes over just now.
    pub(super) fn acting_now(
        &self,
        rows: &[ActingRow],
        person: &str,
    ) -> Result<Vec<ActingOfficial>, PeopleError> {
        let now = self.now_ms();
        let own = rows.iter().filter(|row| row.person == person).map(from_row);
        Ok(own.collect::<Result<Vec<_>, _>>()?.into_iter().filter(|it| it.holds(now)).collect())
    }
}

/// Reads a row back.
fn from_row(row: &ActingRow) -> Result<ActingOfficial, PeopleError> {
    let style = if row.style == "plt" { ActingStyle::Plt } else { ActingStyle::Plh };
    Ok(ActingOfficial {
        id: row.id.clone(),
        person: row.person.clone(),
        role: role_from(&row.role)?,
        holder: row.holder.clone(),
        style,
        letter: row.letter.clone(),
        starts_ms: row.starts_ms,
        ends_ms: row.ends_ms,
        ended: row.ended_ms.is_some(),
    })
}
