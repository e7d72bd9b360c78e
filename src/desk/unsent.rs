//! Forms of officers that came after their session had ended, or when password and code were asked for
//! first. What was typed is kept sealed until the same person comes back to the page, for a day at
//! most.

use super::{ActError, Desk};
use crate::queue::time::DAY_MS;
use crate::store::StoreError;

/// How long a form is kept.
const KEPT_MS: i64 = DAY_MS;
/// Forms of one person that are kept.
const FORMS_MAX: usize = 20;
/// Longest form that is kept, in octets of its JSON.
const OCTETS_MAX: usize = 256 * 1024;

/// Names and values of a form, in order.
pub type FormFields = Vec<(String, String)>;

impl Desk {
    /// Keeps what a person typed on a page; more than a form holds is not kept.
    pub fn keep_unsent(
        &self,
        person: &str,
        page: &str,
        fields: &FormFields,
    ) -> Result<(), ActError> {
        // Pairs of text have a JSON form.
        let json = serde_json::to_vec(fields).unwrap_or_default();
        if json.is_empty() || json.len() > OCTETS_MAX {
            return Ok(());
        }
        let ledger = &self.0.ledger;
        let body = ledger.vault.seal(&purpose(person, page), &json)?;
        let now = self.now();
        Ok(ledger.store.write::<_, StoreError>(|tx| {
            tx.put_unsent(person, page, &body, now, FORMS_MAX)?;
            tx.note_erasure()
        })?)
    }

    /// What a person typed on a page and could not send.
    pub fn unsent(&self, person: &str, page: &str) -> Result<Option<FormFields>, ActError> {
        let after = self.now() - KEPT_MS;
        let body = self.read(|reader| Ok(reader.unsent(person, page, after)?))?;
        let Some(body) = body else { return Ok(None) };
        let json = self.0.ledger.vault.unseal(&purpose(person, page), &body)?;
        Ok(serde_json::from_slice(&json).ok())
    }

    /// Everything a person typed and could not send, by the page.
    pub fn all_unsent(&self, person: &str) -> Result<Vec<(String, FormFields)>, ActError> {
        let after = self.now() - KEPT_MS;
        let rows = self.read(|reader| Ok(reader.all_unsent(person, after)?))?;
        let mut found = Vec::new();
        for (page, body) in rows {
            let json = self.0.ledger.vault.unseal(&purpose(person, &page), &body)?;
            found.extend(serde_json::from_slice(&json).ok().map(|fields| (page, fields)));
        }
        Ok(found)
    }

    /// Drops it: it was sent.
    pub fn drop_unsent(&self, person: &str, page: &str) -> Result<(), ActError> {
        if self.read(|reader| Ok(reader.unsent(person, page, i64::MIN)?))?.is_none() {
            return Ok(());
        }
        let store = &self.0.ledger.store;
        store.write::<_, StoreError>(|tx| tx.drop_unsent(person, page))?;
        Ok(())
    }

    /// Drops forms whose day is over.
    pub(super) fn sweep_unsent(&self) -> Result<(), ActError> {
        let until = self.now() - KEPT_MS;
        Ok(self.0.ledger.store.write::<_, StoreError>(|tx| {
            if tx.sweep_unsent(until)? > 0 {
                tx.note_erasure()?;
            }
            Ok(())
        })?)
    }
}

/// What a form is sealed for: it opens as this form of this person only.
fn purpose(person: &str, page: &str) -> String {
    format!("unsent:{person}:{page}")
}
