//! Who held a step, as papers call them: by the jabatan at that time, never by name.

use std::collections::HashMap;

use crate::dossier;
use crate::queue::laps::Lap;
use crate::queue::{ClockStep, Role};
use crate::store::people::{ActingRow, PersonRow};
use crate::store::{Reader, StoreError};
use crate::words::{Lang, Said, Words, office};

/// Jabatan of persons, looked up once each.
pub(super) struct Holders<'a> {
    /// The database.
    reader: &'a Reader<'a>,
    /// Everybody who ever acted for another.
    acting: Vec<ActingRow>,
    /// Accounts by id.
    people: HashMap<String, Option<PersonRow>>,
    /// Papers are in Indonesian only.
    words: Words,
}

impl<'a> Holders<'a> {
    /// Nobody looked up yet.
    pub(super) fn new(reader: &'a Reader<'a>) -> Result<Self, StoreError> {
        let acting = reader.acting_officials()?;
        Ok(Self { reader, acting, people: HashMap::new(), words: Words::of(Lang::Id) })
    }

    /// The jabatan of whoever held a step.
    pub(super) fn of(&mut self, lap: &Lap) -> Result<String, StoreError> {
        let role = match lap.step {
            ClockStep::Route => Role::Head,
            ClockStep::Check | ClockStep::Make => Role::Verifier,
            // Step 5 is the Bidang's, not one person's.
            ClockStep::Notify => return Ok(or(&office().unit, || self.words.s("report-unit"))),
        };
        let Some(id) = lap.holder.as_deref() else { return Ok(self.title(None, role)) };
        let held = |row: &&ActingRow| {
            let until = row.ended_ms.unwrap_or(row.ends_ms).min(row.ends_ms);
            row.person == id && row.role == role && (row.starts_ms..until).contains(&lap.held_at)
        };
        let own = self.person(id)?.filter(|person| person.role == role);
        let acting = self.acting.iter().find(held).cloned();
        match (own, acting) {
            (None, Some(acting)) => {
                let chair = self.person(&acting.holder)?;
                let title = self.title(chair, role);
                Ok(format!("{} {title}", acting.style.prefix()))
            }
            (person, _) => Ok(self.title(person, role)),
        }
    }

    /// A person's own jabatan, or that of the role in this office.
    fn title(&self, person: Option<PersonRow>, role: Role) -> String {
        let usual = dossier::title_of(role);
        let own = person.map(|person| person.title).unwrap_or_default();
        or(&own, || or(&usual, || role.say(self.words)))
    }

    /// An account.
    fn person(&mut self, id: &str) -> Result<Option<PersonRow>, StoreError> {
        if let Some(known) = self.people.get(id) {
            return Ok(known.clone());
        }
        let found = self.reader.person(id)?;
        self.people.insert(id.to_owned(), found.clone());
        Ok(found)
    }
}

/// A text, or another one in its place while it is empty.
fn or(text: &str, other: impl FnOnce() -> String) -> String {
    if text.is_empty() { other() } else { text.to_owned() }
}
