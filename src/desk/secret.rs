//! A status secret that was lost: whoever has the mailbox of the contact, proven when the request was sent, gets
//! another one. The old one ends.

use super::submit::new_secret;
use super::{ActError, Desk};
use crate::audit::NewEvent;
use crate::queue::person::{is_mailbox, same_mailbox};
use crate::queue::{Deed, Role, Subject};
use crate::store::Reader;

/// What a code for this is for: a number, in the browser that asked for it. Nobody else's tries spend it.
pub fn lost_secret_of(number: &str, visit: &str) -> String {
    format!("status:{}:{visit}", number.trim().to_uppercase())
}

impl Desk {
    /// Makes a code to be mailed, for the browser that asks: the proven mailbox as it was proven, and the code, if
    /// this mailbox is it. Mail goes there, and not to another way of writing it. It is counted before it is looked
    /// whether number and mailbox belong together, or what is left of the limits would say so.
    pub fn new_lost_code(
        &self,
        number: &str,
        mailbox: &str,
        visit: &str,
        network: &str,
    ) -> Result<Option<(String, String)>, ActError> {
        if !is_mailbox(mailbox.trim()) {
            return Ok(None);
        }
        let number = number.trim().to_uppercase();
        let code = self.new_mailbox_code(&lost_secret_of(&number, visit), mailbox, network)?;
        let proven = self.read(|reader| self.proven_of(reader, &number, mailbox))?;
        Ok(proven.map(|proven| (proven, code)))
    }

    /// The proven mailbox of a request as it was proven, if this one is it. What is no mailbox is that of no request,
    /// not even of one whose contact was erased.
    fn proven_of(
        &self,
        reader: &Reader<'_>,
        number: &str,
        mailbox: &str,
    ) -> Result<Option<String>, ActError> {
        let mailbox = mailbox.trim();
        let Some(stored) = self.0.ledger.request(reader, number)?.filter(|_| is_mailbox(mailbox))
        else {
            return Ok(None);
        };
        let (request, proven) = (&stored.request, &stored.request.application().contact.email);
        let is_it = request.mailbox_proven() && is_mailbox(proven.trim());
        Ok((is_it && same_mailbox(proven, mailbox)).then(|| proven.clone()))
    }

    /// Gives a request another secret, for the browser that has just entered the code that was mailed; that proof
    /// ends with it.
    pub fn replace_secret(
        &self,
        number: &str,
        mailbox: &str,
        visit: &str,
    ) -> Result<String, ActError> {
        let ledger = &self.0.ledger;
        let number = number.trim().to_uppercase();
        let (secret, now) = (new_secret()?, self.now());
        let hash = self.secret_hash(&number, &secret);
        ledger.store.write(|tx| {
            let subject = lost_secret_of(&number, visit);
            let is_proven = self.spend_mailbox_proof(tx, &subject, mailbox)?;
            if !is_proven
                || self.proven_of(tx, &number, mailbox)?.is_none()
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
