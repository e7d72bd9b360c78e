//! Persons as the database knows them, in the transaction at hand.

use super::Ledger;
use crate::queue::{Actor, Request, Role};
use crate::store::{Reader, StoreError};

impl Ledger {
    /// The actor with this person id as the database knows them now; none when unknown, or when the
    /// account is not as gapura left it: nobody acts by an edited password, role or second factor.
    pub fn actor(&self, reader: &Reader<'_>, person: &str) -> Result<Option<Actor>, StoreError> {
        let Some(row) = reader.acting_person(person)? else { return Ok(None) };
        Ok(Some(row.actor(&reader.acting_officials()?)))
    }

    /// The actor with this account name.
    pub fn actor_named(
        &self,
        reader: &Reader<'_>,
        name: &str,
    ) -> Result<Option<Actor>, StoreError> {
        let Some(row) = reader.person_by_name(name)? else { return Ok(None) };
        Ok(Some(row.actor(&reader.acting_officials()?)))
    }

    /// The persons whose signatures a promotion of the request rests on, as the database knows them now.
    pub fn signers(
        &self,
        reader: &Reader<'_>,
        request: &Request,
    ) -> Result<Vec<Actor>, StoreError> {
        let people = request.signatures().map(|by| self.actor(reader, by.person()));
        Ok(people.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
    }

    /// The actor again, as the database knows them in this transaction: an account that was
    /// disabled, deleted or changed since the page was opened counts as it is now. Applicants and
    /// gapura itself have no account.
    pub fn current(&self, reader: &Reader<'_>, actor: &Actor) -> Result<Actor, StoreError> {
        let has_account = actor.roles.iter().chain(actor.acting.iter().map(|held| &held.role));
        let has_account = has_account.clone().any(|role| Role::OFFICERS.contains(role));
        let Some(person) = actor.identity.person.as_deref().filter(|_| has_account) else {
            return Ok(actor.clone());
        };
        match self.actor(reader, person)? {
            Some(current) => Ok(Actor { proved: actor.proved.clone(), ..current }),
            None => Ok(Actor { disabled: true, ..actor.clone() }),
        }
    }
}
