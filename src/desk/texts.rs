//! Texts of pages and papers that an administrator writes in the place of those shipped. Which there are, and what
//! the shipped ones say, is known by `words`; here they are kept, and each change is an event.

use super::{ActError, Desk};
use crate::audit::NewEvent;
use crate::digest::sha256_hex;
use crate::queue::labels::clean_text;
use crate::queue::{Actor, Deed, Role};
use crate::store::texts::TextRow;

/// The subject of events about texts.
const TEXTS: &str = "settings:text";
/// Longest text, in characters.
pub const TEXT_MAX: usize = 20_000;

impl Desk {
    /// All texts that are not as shipped.
    pub fn texts(&self) -> Result<Vec<TextRow>, ActError> {
        self.read(|reader| Ok(reader.texts()?))
    }

    /// Puts a text in the place of the shipped one; none goes back to it. By an administrator; the chain keeps
    /// the SHA-256 of what it says from now on.
    pub fn set_text(
        &self,
        name: &str,
        language: &str,
        body: Option<&str>,
        actor: &Actor,
    ) -> Result<(), ActError> {
        let ledger = &self.0.ledger;
        let now = ledger.now();
        let body = body.map(clean_text).filter(|body| !body.is_empty());
        ledger.store.write(|tx| {
            let current = ledger.current(tx, actor)?;
            let by = current.capacity(Role::Operator, now).ok_or(ActError::NotAllowed)?;
            let known =
                tx.texts()?.into_iter().find(|it| it.name == name && it.language == language);
            if known.map(|row| row.body) == body {
                return Ok(());
            }
            let (person, role) = (by.person().to_owned(), by.role.as_str());
            let mut event = NewEvent::new(now, &person, role, Deed::TextChanged, TEXTS)
                .with("name", format!("{name} ({language})"));
            match body {
                Some(body) => {
                    event = event.with("sha256", sha256_hex(&body));
                    let (name, language) = (name.to_owned(), language.to_owned());
                    tx.put_text(&TextRow { name, language, body, person, changed_ms: now })?;
                }
                None => {
                    tx.drop_text(name, language)?;
                }
            }
            ledger.note(tx, event)?;
            Ok(())
        })
    }
}
