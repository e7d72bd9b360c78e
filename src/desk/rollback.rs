//! *Kembalikan perubahan*: a change that takes an earlier one back (docs/procedure.md, Live record,
//! `inverse_of`).
//!
//! The sender does not choose its records: they are those the name had before the change, as the
//! promotion kept them. Otherwise it is a request like any other.

use super::{ActError, Desk};
use crate::promote::records_before;
use crate::queue::{
    Actor, Application, Contact, Fault, Kind, Letter, ParsedRecord, Reading, Role, Rule,
    TransitionError,
};
use crate::store::words::PromotionState;
use crate::wire::Name;

impl Desk {
    /// The data with the records a rollback brings; any other request as it is.
    pub(super) fn with_rollback(&self, application: Application) -> Result<Application, ActError> {
        match (&application.inverse_of, application.kind) {
            (Some(undone), Kind::Change) => {
                let records = self.records_before(undone, &application)?;
                let records = records.iter().map(|record| record.text().clone()).collect();
                Ok(Application { records, ..application })
            }
            _ => Ok(application),
        }
    }

    /// What a request that takes the change `undone` back would say: the data of that change with the
    /// records that stood before it, for an officer who keys in the letter. Letter and contact are left open:
    /// the form is kept for weeks, on a computer that others use, and not everybody who may begin it sees contacts.
    pub fn rollback_of(
        &self,
        name: &str,
        undone: &str,
        actor: &Actor,
    ) -> Result<Application, ActError> {
        let (ledger, now) = (&self.0.ledger, self.now());
        let may = [Role::Head, Role::Verifier, Role::Operator];
        if may.into_iter().all(|role| actor.capacity(role, now).is_none()) {
            return Err(ActError::NotAllowed);
        }
        let stored = self.read(|reader| Ok(ledger.expect_request(reader, undone)?))?;
        let of: &Application = stored.request.application();
        let asked = name.parse::<Name>();
        if !asked.is_ok_and(|asked| asked == stored.request.application().place().name) {
            return Err(ActError::NotFound);
        }
        let application = Application {
            kind: Kind::Change,
            inverse_of: Some(undone.to_owned()),
            letter: Letter { number: String::new(), date: String::new(), sha256: None },
            contact: Contact::default(),
            starts: None,
            ..of.clone()
        };
        self.with_rollback(application)
    }

    /// What stood at the name before the change `undone`: the RRsets it replaced, beside those it
    /// left alone.
    fn records_before(
        &self,
        undone: &str,
        application: &Application,
    ) -> Result<Vec<ParsedRecord>, ActError> {
        let ledger = &self.0.ledger;
        let unknown = || {
            let fault = Fault::new("inverse_of", Rule::RollbackUnknown, undone);
            ActError::from(TransitionError::of_faults(vec![fault]))
        };
        let place = Reading::of(application.clone()).place().cloned().ok_or_else(unknown)?;
        let (stored, row, live) = self.read(|reader| {
            let stored = ledger.request(reader, undone)?;
            let row = reader.promotion_of(undone)?;
            Ok((stored, row, ledger.live(reader, &place)?))
        })?;
        let of_this_name = stored.is_some_and(|stored| {
            let undone = stored.request.application();
            undone.kind == Kind::Change && *undone.place() == place
        });
        let row = row.filter(|row| of_this_name && row.state == PromotionState::Proven);
        let Some((touched, mut before)) = row.as_ref().and_then(records_before) else {
            return Err(unknown());
        };
        let untouched = |record: &ParsedRecord| !touched.contains(&record.rtype());
        before.extend(live.records.into_iter().filter(untouched));
        Ok(before)
    }
}
