//! A status secret that was lost: whoever has the mailbox of the contact, proven when the request was sent, gets
//! another one. The old one ends.

use super::submit::new_secret;
use super::{ActError, Desk};
use crate::audit::NewEvent;
use crate::queue::person::same_mailbox;
use crate::queue::{Deed, Role, Subject};
use crate::store::Reader;

/// What a code for this is for.
pub fn lost_secret_of(number: &str) -> String {
    format!("status:{}", number.trim().to_uppercase())
}

impl Desk {
    /// Whether a mailbox is the proven one of a request.
    pub fn is_mailbox_of(&self, number: &str, mailbox: &str) -> Result<bool, ActError> {
        let number = number.trim().to_uppercase();
        self.read(|reader| self.is_proven_of(reader, &number, mailbox))
    }

    /// The same, in a transaction.
    fn is_proven_of(
        &self,
        reader: &Reader<'_>,
        number: &str,
        mailbox: &str,
    ) -> Result<bool, ActError> {
        let stored = self.0.ledger.request(reader, number)?;
        Ok(stored.is_some_and(|stored| {
            let request = &stored.request;
            request.mailbox_proven() && same_mailbox(&request.application().contact.email, mailbox)
        }))
    }

    /// Gives a request another secret, for whoever has just entered the code that was mailed; that proof
    /// ends with it.
    pub fn replace_secret(&self, number: &str, mailbox: &str) -> Result<String, ActError> {
        let ledger = &self.0.ledger;
        let number = number.trim().to_uppercase();
        let (secret, now) = (new_secret()?, self.now());
        let hash = self.secret_hash(&number, &secret);
        ledger.store.write(|tx| {
            let is_proven = self.spend_mailbox_proof(tx, &lost_secret_of(&number), mailbox)?;
            if !is_proven
                || !self.is_proven_of(tx, &number, mailbox)?
                || !tx.replace_secret(&number, &hash)?
            {
                return Err(ActError::NotFound);
            }
            let (role, subject) = (Role::Applicant.as_str(), Subject::Request(number).to_string());
            ledger.note(tx, NewEvent::new(now, role, role, Deed::SecretReplaced, &subject))?;
            Ok(secret)
        })
    }
}
