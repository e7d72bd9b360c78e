//! Persons as the database knows them, in the transaction at hand.

use std::collections::BTreeSet;

use super::Ledger;
use crate::queue::{Actor, Deed, Request, Role, Signature};
use crate::store::people::ActingRow;
use crate::store::{Reader, StoreError};

impl Ledger {
    /// The actor with this person id as the database knows them now; none when unknown, or when the
    /// account is not as gapura left it: nobody acts by an edited password, role or second factor.
    pub fn actor(&self, reader: &Reader<'_>, person: &str) -> Result<Option<Actor>, StoreError> {
        actor_among(reader, person, &reader.acting_officials()?)
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
    /// A signature no longer counts once its signer has lost the account or the role, even if it was given back.
    pub fn signers(
        &self,
        reader: &Reader<'_>,
        request: &Request,
    ) -> Result<Vec<Actor>, StoreError> {
        let officials = reader.acting_officials()?;
        let mut signers = Vec::new();
        let mut lost = BTreeSet::new();
        for by in request.signatures() {
            signers.extend(actor_among(reader, by.person(), &officials)?);
            if lost_since(reader, by)? {
                lost.insert(by.person());
            }
        }
        for signer in &mut signers {
            signer.disabled |=
                signer.identity.person.as_deref().is_some_and(|it| lost.contains(it));
        }
        Ok(signers)
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

/// The actor with this person id, with the appointments in force.
fn actor_among(
    reader: &Reader<'_>,
    person: &str,
    officials: &[ActingRow],
) -> Result<Option<Actor>, StoreError> {
    Ok(reader.acting_person(person)?.map(|row| row.actor(officials)))
}

/// Whether the account of somebody was switched off, or given another role, since they signed.
fn lost_since(reader: &Reader<'_>, by: &Signature) -> Result<bool, StoreError> {
    let ends = [Deed::AccountDisabled, Deed::RoleChanged].map(Deed::as_str);
    reader.has_event_since(&format!("person:{}", by.person()), by.at, ends)
}
