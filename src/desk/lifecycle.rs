//! A name's life after it went live (docs/procedure.md, "After going live"): the yearly question, notices
//! of the end date, what gapura asks for by itself, and the owner's answers.
//!
//! What a name's year calls for is decided in `queue::lifecycle`; here it is done, each name in a
//! transaction of its own that looks again. All of it waits while the clock is doubted.

use super::around::{RequestContext, asked_by_somebody};
use super::submit::{new_secret, next_number};
use super::{ActError, Desk};
use crate::ledger::NewRequest;
use crate::lock::lock;
use crate::queue::time::{DAY_MS, MINUTE_MS, is_recent};
use crate::queue::{
    Actor, Application, Call, Contact, Deed, Facts, Fault, Ground, Kind, LiveRecord, Place, Probe,
    Raised, Reading, Request, Rule, Signature, TransitionError, labels, lifecycle,
};
use crate::store::{Reader, Tx};
use crate::view::{RecordView, rfc3339};

/// Names looked at in one turn; the next turn goes on behind them.
const BATCH: usize = 500;
/// How often the names are looked through, in milliseconds.
const EVERY_MS: i64 = 60 * MINUTE_MS;

/// What an owner says of a name.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum OwnerAnswer {
    /// It is in use, and the contact is right.
    InUse,
    /// It is not needed any more.
    NotNeeded,
}

//------------ The turn ------------------------------------------------------

impl Desk {
    /// One turn through the years of names.
    pub(super) fn look_through_years(&self) -> Result<(), ActError> {
        let now = self.now();
        let mut years = lock(&self.0.years);
        let after = match years.after.take() {
            Some(after) => after,
            None if is_recent(years.at, now, EVERY_MS - 1) => return Ok(()),
            None => {
                years.at = now;
                String::new()
            }
        };
        let ledger = &self.0.ledger;
        let rows = self.read(|reader| Ok(reader.names_with_a_year(&after, BATCH)?))?;
        for row in &rows {
            let done = ledger.open_live(row).map_err(ActError::from);
            let done = done.and_then(|live| self.one_year(&live, now));
            if let Err(error) = done {
                tracing::error!(name = row.name, %error, "the year of a name does not go on");
            }
        }
        let last = rows.last().filter(|_| rows.len() == BATCH);
        years.after = last.map(|row| row.name.clone());
        Ok(())
    }

    /// What the year of one name calls for now.
    fn one_year(&self, live: &LiveRecord, now: i64) -> Result<(), ActError> {
        let ledger = &self.0.ledger;
        let rules = &ledger.rules.lifecycle;
        if let Some(days) = live.end_notice(now, rules)
            && !self.read(|reader| Ok(ledger.is_told_of_end(reader, live, days)?))?
        {
            ledger.store.write::<_, ActError>(|tx| Ok(ledger.tell_of_end(tx, live, days)?))?;
        }
        let place = Place::new(&live.name, &live.zone);
        match live.call(now, rules) {
            None => Ok(()),
            Some(Call::Raise(kind, raised)) => self.raise(&place, kind, raised).map(drop),
            Some(_) => self.step_of_year(&place),
        }
    }

    /// Asks, reminds, or notes that the anniversary has come; by what the name calls for in the
    /// transaction.
    fn step_of_year(&self, place: &Place) -> Result<(), ActError> {
        let ledger = &self.0.ledger;
        ledger.store.write(|tx| {
            let now = ledger.now();
            let (live, by) = (ledger.live(tx, place)?, Signature::system(now));
            let step = match live.call(now, &ledger.rules.lifecycle) {
                Some(Call::Ask(due)) => live.ask_owner(due, &by)?,
                Some(Call::Remind) => live.remind_owner(&by)?,
                Some(Call::Reconfirm) => live.reconfirm_due(&by)?,
                Some(Call::Raise(..)) | None => return Ok(()),
            };
            ledger.apply_live(tx, step)?;
            Ok(())
        })
    }
}

//------------ What gapura asks for ------------------------------------------

impl Desk {
    /// gapura asks for a suspension or a removal by itself, in the name of nobody: it begins with the
    /// routing like any other request. None while somebody's request on the name is open, or gapura has
    /// asked already.
    pub fn raise(
        &self,
        place: &Place,
        kind: Kind,
        raised: Raised,
    ) -> Result<Option<String>, ActError> {
        let wish = self.read(|reader| self.raised_on(reader, place, kind, raised))?;
        let Some(Wish { application, .. }) = wish else { return Ok(None) };
        let outside = self.look_outside(&application, Probe::Off)?;
        let ledger = &self.0.ledger;
        let calendar = ledger.calendar();
        ledger.store.write(|tx: &Tx<'_>| {
            let wish = self.raised_on(tx, place, kind, raised)?;
            let Some(Wish { live, application, instead_of }) = wish else { return Ok(None) };
            let now = ledger.now();
            for number in instead_of {
                let stored = ledger.expect_request(tx, &number)?;
                let step = stored.request.settled(&ledger.facts(now, &calendar))?;
                ledger.apply(tx, &stored.row, step)?;
            }
            let context = RequestContext::new(false, None, now);
            let (automatic, faults) =
                self.lines_and_refusals(tx, &application, context, &outside, false)?;
            let facts = Facts { automatic: Some(&automatic), ..ledger.facts(now, &calendar) };
            let (number, place) = next_number(tx, now)?;
            let step = Request::raise(&number, application, faults, &facts)?;
            // Nobody has the secret; the contact gets one at `/status/kode`.
            let secret_hash = self.secret_hash(&number, &new_secret()?);
            let new = NewRequest { place, secret_hash, attachment: None, in_bulk: false };
            ledger.submit(tx, step, new)?;
            let by = Signature::system(now);
            ledger.apply_live(tx, live.raised(&number, raised.cause, &by)?)?;
            Ok(Some(number))
        })
    }

    /// The name and what gapura would ask for on it; none where it is not to ask now.
    fn raised_on(
        &self,
        reader: &Reader<'_>,
        place: &Place,
        kind: Kind,
        raised: Raised,
    ) -> Result<Option<Wish>, ActError> {
        let ledger = &self.0.ledger;
        let live = ledger.live(reader, place)?;
        if live.contact_request().is_none() || !live.state().may_be_given_up() {
            return Ok(None);
        }
        // What the owner says counts whenever it is said; all else is what the clock calls for.
        let is_owners = raised.cause == Ground::NotNeeded;
        let by_clock = !is_owners
            && (matches!(raised.cause, Ground::Unconfirmed | Ground::Ended)
                || live.suspension.is_some());
        let call = live.call(ledger.now(), &ledger.rules.lifecycle);
        if by_clock && call != Some(Call::Raise(kind, raised)) {
            return Ok(None);
        }
        let name = place.name.to_string();
        if asked_by_somebody(ledger, reader, &name)?.is_some() {
            return Ok(None);
        }
        let mut instead_of = Vec::new();
        for row in reader.open_requests_on(&name)?.into_iter().filter(|row| row.raised.is_some()) {
            // A suspension for silence is answered by whoever needs the name no more.
            if !is_owners || row.kind != Kind::Suspend {
                return Ok(None);
            }
            instead_of.push(row.number);
        }
        let contact = match live.contact_request() {
            Some(number) => ledger.request(reader, number)?,
            None => None,
        };
        let contact = contact.map(|stored| stored.request.application().contact.clone());
        let application =
            lifecycle::raised(&live, kind, raised, contact.unwrap_or_else(Contact::default));
        Ok(Some(Wish { live, application: Reading::of(application), instead_of }))
    }
}

/// What gapura would ask for on a name.
struct Wish {
    /// The name.
    live: LiveRecord,
    /// What it asks for.
    application: Reading,
    /// Its own requests that are taken back for it.
    instead_of: Vec<String>,
}

//------------ Shown -----------------------------------------------------------

impl Desk {
    /// A name as it is shown by itself, with the day on which its owner is asked next.
    pub(super) fn with_next_question(&self, live: &LiveRecord) -> RecordView {
        let rules = &self.0.ledger.rules.lifecycle;
        let asks = live.state().is_served() && live.question.is_none();
        let next = live.anniversary(self.now(), rules).filter(|_| asks);
        let next_question = next.map(|at| rfc3339(at - rules.ask_days * DAY_MS));
        RecordView { next_question, ..RecordView::from(live) }
    }

    /// What a renewal of a name would say, for its owner who begins one by the mailed link or with the
    /// secret: everything as it is recorded, without the letter.
    pub fn renewal_of(&self, name: &str, actor: &Actor) -> Result<Application, ActError> {
        let (ledger, now) = (&self.0.ledger, self.now());
        let place = self.place_of(name).ok_or(ActError::NotFound)?;
        self.read(|reader| {
            let live = ledger.live(reader, &place)?;
            live.owner(actor, now).ok_or(ActError::NotAllowed)?;
            let number = live.contact_request().ok_or(ActError::NotFound)?;
            let recorded = ledger.expect_request(reader, number)?.request.application().clone();
            let (purpose, contact) = (recorded.purpose.clone(), recorded.contact.clone());
            let class = live.class.unwrap_or(recorded.class);
            Ok(Application { class, purpose, contact, ..live.asks(Kind::Renew) })
        })
    }

    /// The request whose contact speaks for a name.
    pub fn contact_request_of(&self, name: &str) -> Result<Option<String>, ActError> {
        let Some(place) = self.place_of(name) else { return Ok(None) };
        let live = self.read(|reader| Ok(self.0.ledger.live(reader, &place)?))?;
        Ok(live.contact_request().map(str::to_owned))
    }

    /// The name an owner's link is about; none of a link that asks another office.
    pub fn name_of_link(&self, actor: &Actor) -> Option<String> {
        actor.proved.as_deref()?.strip_prefix("record:").map(str::to_owned)
    }
}

//------------ Answers -------------------------------------------------------

impl Desk {
    /// The owner's answer for a name, by the mailed link or with the secret of its request; an officer
    /// names the owner's letter.
    pub fn answer_for_name(
        &self,
        name: &str,
        answer: OwnerAnswer,
        letter: &str,
        actor: &Actor,
    ) -> Result<RecordView, ActError> {
        match answer {
            OwnerAnswer::InUse => {
                let letter = labels::clean_line(letter);
                let now = self.now();
                self.on_name(name, actor, Deed::Renew, |live, actor| {
                    live.confirm(actor, &letter, now)
                })
            }
            OwnerAnswer::NotNeeded => self.not_needed(name, actor),
        }
    }

    /// The owner does not need a name any more: gapura asks for its removal.
    fn not_needed(&self, name: &str, actor: &Actor) -> Result<RecordView, ActError> {
        let place = self.place_of(name).ok_or(ActError::NotFound)?;
        let now = self.now();
        let live = self.read(|reader| Ok(self.0.ledger.live(reader, &place)?))?;
        live.owner(actor, now).ok_or(ActError::NotAllowed)?;
        let raised = Raised { cause: Ground::NotNeeded, since: now };
        if self.raise(&place, Kind::Remove, raised)?.is_none() {
            self.is_removal_asked_for(&place)?;
        }
        self.record(name)?.ok_or(ActError::NotFound)
    }

    /// That a removal of gapura's is open; else the answer came while another request is decided.
    fn is_removal_asked_for(&self, place: &Place) -> Result<(), ActError> {
        let name = place.name.to_string();
        let open = self.read(|reader| Ok(reader.open_requests_on(&name)?))?;
        if open.iter().any(|row| row.raised.is_some() && row.kind == Kind::Remove) {
            return Ok(());
        }
        let fault = Fault::new("name", Rule::OtherRequest, "");
        Err(TransitionError::of_faults(vec![fault]).into())
    }
}
