//! *Kirim permohonan* and *Kirim perbaikan*: taking in an application and its letter.

use serde::Serialize;

use super::around::RequestContext;
use super::evidence::ZoneEvidence;
use super::{ActError, Desk, Once, Terms};
use crate::audit::random;
use crate::ledger::NewRequest;
use crate::queue::time::year_of;
use crate::queue::{
    Act, ActKind, Actor, Amendment, Application, Deed, Facts, Fault, Probe, Reading, Request, Rule,
    State, Subject, automatic,
};
use crate::store::origins::OriginRow;
use crate::store::requests::AttachmentRow;
use crate::store::{StoreError, Tx};
use crate::uploads::Letter;
use crate::view::RequestView;

/// Letters and digits that are not mistaken for one another.
const SECRET_ALPHABET: &[u8; 32] = b"ABCDEFGHJKMNPQRSTUVWXYZ23456789@";
/// Characters of a secret.
const SECRET_CHARS: usize = 8;

/// On whose behalf a request is sent.
#[derive(Clone, Debug)]
pub struct Submitter {
    /// The applicant, or the officer who keys in a paper letter.
    pub actor: Actor,
    /// Whether the mailbox of the contact is proven.
    pub mailbox_proven: bool,
    /// By whose code it is; that proof ends with the request.
    pub proof_of: Option<String>,
    /// The network it was sent from, where that is known and counts.
    pub network: Option<String>,
    /// Whether the letter is on paper and no file comes with it: the sheet says so (A11).
    pub letter_on_paper: bool,
}

/// What the applicant gets.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Submitted {
    /// The number.
    pub number: String,
    /// The secret, shown once.
    pub secret: String,
    /// The state.
    pub state: State,
    /// 1.
    pub revision: u32,
}

/// What pressing the button of a form led to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Pressed {
    /// A request was sent.
    Sent(Submitted),
    /// The number of the request an earlier press of the same form has sent.
    Before(String),
}

/// A new request on its way in: read, its letter on disk, the zone looked at.
pub(super) struct Arrival {
    /// What was sent.
    application: Reading,
    /// The letter.
    letter: Option<AttachmentRow>,
    /// What the zone says of it.
    outside: ZoneEvidence,
    /// The status secret.
    secret: String,
}

impl Desk {
    /// *Kirim permohonan*: returns number and secret, holds a new name.
    pub fn submit(
        &self,
        application: Application,
        letter: Option<Letter>,
        by: &Submitter,
    ) -> Result<Submitted, ActError> {
        self.send(application, letter, by, |tx, arrival| self.write_new(tx, arrival, by, false))
    }

    /// *Kirim permohonan* by a call that may be repeated: done once, and answered alike.
    pub fn submit_once(
        &self,
        once: &Once,
        application: Application,
        letter: Option<Letter>,
        by: &Submitter,
    ) -> Result<Submitted, ActError> {
        self.send(application, letter, by, |tx, arrival| {
            if let Some(before) = self.submitted_by(tx, once)? {
                return Ok(before);
            }
            let sent = self.write_new(tx, arrival, by, false)?;
            self.keep_made(tx, Some(once), &sent.number, Some(&sent.secret))?;
            Ok(sent)
        })
    }

    /// *Kirim permohonan* from a form that may be sent once. The hash of its key is kept in the same
    /// transaction as the request, so that a press that was turned back may be repeated.
    pub fn submit_form(
        &self,
        key_hash: &str,
        application: Application,
        letter: Option<Letter>,
        by: &Submitter,
    ) -> Result<Pressed, ActError> {
        self.send(application, letter, by, |tx, arrival| {
            if let Some(number) = tx.form_outcome(key_hash)? {
                return Ok(Pressed::Before(number));
            }
            let sent = self.write_new(tx, arrival, by, false)?;
            tx.use_form_key(key_hash, &sent.number, self.now())?;
            Ok(Pressed::Sent(sent))
        })
    }

    /// The number of the request a form has sent.
    pub fn sent_before(&self, key_hash: &str) -> Result<Option<String>, ActError> {
        self.read(|reader| Ok(reader.form_outcome(key_hash)?))
    }

    /// The faults a request would be turned back with, for the page before it is sent; writes nothing.
    pub fn rehearse(
        &self,
        application: Application,
        has_letter: bool,
    ) -> Result<Vec<Fault>, ActError> {
        let application = self.read_application(application)?;
        // No candidate is made for a stranger's form: A10 turns nothing back.
        let zone = self.zone_facts(&application);
        let outside = ZoneEvidence { zone, preview: None, probe: Probe::Off };
        let standing = RequestContext::new(true, None, self.now());
        let faults = self.read(|reader| {
            Ok(self.lines_and_refusals(reader, &application, standing, &outside, has_letter)?.1)
        })?;
        Ok(faults.into_iter().map(Fault::for_stranger).collect())
    }

    /// Tidies what was sent, fills in what a rollback brings, and reads it, once and for all.
    pub(super) fn read_application(&self, mut sent: Application) -> Result<Reading, ActError> {
        // The hash is ours to say, not the sender's, and so is what we ask for ourselves.
        sent.letter.sha256 = None;
        sent.raised = None;
        let tidied = automatic::tidy(sent, &self.naming());
        Ok(Reading::of(self.with_rollback(tidied)?))
    }

    /// Reads the data and puts the letter on disk.
    fn take_in(
        &self,
        application: Application,
        letter: Option<Letter>,
    ) -> Result<(Reading, Option<AttachmentRow>), ActError> {
        let application = self.read_application(application)?;
        let letter = letter.map(|letter| self.store_letter(&letter)).transpose()?;
        let sha256 = letter.as_ref().map(|letter| letter.sha256.clone());
        Ok((application.with_letter(sha256), letter))
    }

    /// Takes a new request in, and writes it with `write` in one transaction.
    pub(super) fn send<T>(
        &self,
        application: Application,
        letter: Option<Letter>,
        by: &Submitter,
        write: impl FnOnce(&Tx<'_>, &Arrival) -> Result<T, ActError>,
    ) -> Result<T, ActError> {
        let origin = self.origin(&application, by);
        self.read(|reader| self.room_for(reader, origin.as_ref(), by))?;
        let (application, letter) = self.take_in(application, letter)?;
        let file = letter.clone();
        let sent = (|| {
            let outside = self.look_outside(&application, Probe::Off)?;
            let arrival = Arrival { application, letter, outside, secret: new_secret()? };
            self.0.ledger.store.write(|tx| write(tx, &arrival))
        })();
        self.settle_letter(file.as_ref(), &sent);
        self.turned_back(&by.actor, Deed::Submit, "new", sent)
    }

    /// The outcome, once a refused attempt is on record. Strangers do not learn numbers
    /// of others' requests.
    fn turned_back<T>(
        &self,
        actor: &Actor,
        deed: Deed,
        number: &str,
        outcome: Result<T, ActError>,
    ) -> Result<T, ActError> {
        let Err(ActError::Rule(error)) = outcome else { return outcome };
        self.log_turned_back(actor, deed, Subject::Request(number.to_owned()), &error)?;
        let is_stranger = actor.identity.person.is_none();
        Err(if is_stranger { error.for_stranger() } else { error }.into())
    }

    /// Writes a new request, if no rule stands against it; of one of many officers are told with the others.
    pub(super) fn write_new(
        &self,
        tx: &Tx<'_>,
        arrival: &Arrival,
        by: &Submitter,
        in_bulk: bool,
    ) -> Result<Submitted, ActError> {
        let Arrival { application, letter, outside, secret } = arrival;
        let ledger = &self.0.ledger;
        let calendar = ledger.calendar();
        let now = ledger.now();
        let proven = by.mailbox_proven;
        let origin = self.origin(application, by);
        self.room_for(tx, origin.as_ref(), by)?;
        let actor = ledger.current(tx, &by.actor)?;
        let standing = RequestContext::new(proven, Some(&actor), now);
        let has_letter = letter.is_some() || by.letter_on_paper;
        let (automatic, mut faults) =
            self.lines_and_refusals(tx, application, standing, outside, has_letter)?;
        faults.extend(sent_already(tx, application, origin.as_ref(), by)?);
        if let Some(subject) = &by.proof_of {
            let email = &application.contact.email;
            if !self.spend_mailbox_proof(tx, subject, email)? && proven {
                // Another request took it since it was looked at.
                faults.push(Fault::new("contact.email", Rule::MailboxCodeOver, ""));
            }
        }
        let facts = Facts { automatic: Some(&automatic), ..ledger.facts(now, &calendar) };
        let (number, place) = next_number(tx, now)?;
        let step = Request::submit(&number, application.clone(), faults, proven, &actor, &facts)?;
        let new = NewRequest {
            place,
            secret_hash: self.secret_hash(&number, secret),
            attachment: letter.as_ref(),
            in_bulk,
        };
        let request = ledger.submit(tx, step, new)?;
        if let Some(origin) = origin {
            tx.put_origin(&OriginRow { number: number.clone(), ..origin })?;
        }
        Ok(Submitted {
            number,
            secret: secret.clone(),
            state: request.state(),
            revision: request.revision(),
        })
    }

    /// *Kirim perbaikan*: a new revision, with the old letter unless a new one came.
    pub fn resubmit(
        &self,
        number: &str,
        application: Application,
        letter: Option<Letter>,
        actor: &Actor,
    ) -> Result<RequestView, ActError> {
        self.resubmit_on(number, application, letter, actor, &Terms::default())
    }

    /// The same, on terms.
    pub fn resubmit_on(
        &self,
        number: &str,
        application: Application,
        letter: Option<Letter>,
        actor: &Actor,
        terms: &Terms,
    ) -> Result<RequestView, ActError> {
        self.may_correct(number, actor)?;
        if letter.is_some() && !actor.is_officer(self.now()) {
            self.read(|reader| self.room_for_letter(reader))?;
        }
        let (application, letter) = self.take_in(application, letter)?;
        let result = self.resubmit_taken(number, application, letter.clone(), actor, terms);
        self.settle_letter(letter.as_ref(), &result);
        self.probe_ahead(&result?);
        self.view_for(number, actor)
    }

    /// The state and the person are tested before the data is read at all, and again in the
    /// transaction.
    pub fn may_correct(&self, number: &str, actor: &Actor) -> Result<(), ActError> {
        let ledger = &self.0.ledger;
        let tested = self.read(|reader| {
            let stored = ledger.expect_request(reader, number)?;
            let actor = ledger.current(reader, actor)?;
            Ok(stored.request.may(ActKind::Resubmit, &actor, ledger.now())?)
        });
        self.turned_back(actor, Deed::Resubmit, number, tested)
    }

    /// Resubmits data whose letter is on disk.
    fn resubmit_taken(
        &self,
        number: &str,
        mut application: Reading,
        letter: Option<AttachmentRow>,
        actor: &Actor,
        terms: &Terms,
    ) -> Result<Request, ActError> {
        let stored = self.read(|reader| Ok(self.0.ledger.expect_request(reader, number)?))?;
        if application.letter.sha256.is_none() {
            let sha256 = stored.request.application().letter.sha256.clone();
            application = application.with_letter(sha256);
        }
        let outside = self.look_outside(&application, Probe::Off)?;
        let ledger = &self.0.ledger;
        let calendar = ledger.calendar();
        let now = ledger.now();
        let written = ledger.store.write(|tx| {
            let stored = ledger.expect_request(tx, number)?;
            terms.hold(&stored.request)?;
            let actor = ledger.current(tx, actor)?;
            let standing = RequestContext::of(&stored.request);
            // Of a request that came without its file the letter is on paper, now as then.
            let on_paper = stored.request.application().letter.sha256.is_none();
            let (automatic, faults) =
                self.lines_and_refusals(tx, &application, standing, &outside, on_paper)?;
            let amendment = Amendment { application: application.clone(), faults };
            let facts = Facts {
                amendment: Some(&amendment),
                automatic: Some(&automatic),
                ..ledger.facts(now, &calendar)
            };
            let step = stored.request.act(&Act::Resubmit {}, &actor, &facts)?;
            let request = ledger.resubmit(tx, &stored.row, step, letter.as_ref())?;
            self.keep_made(tx, terms.once.as_ref(), number, None)?;
            Ok::<_, ActError>(request)
        });
        self.turned_back(actor, Deed::Resubmit, number, written)
    }

    /// The form in which a secret is stored; a stolen database alone does not tell it.
    pub(super) fn secret_hash(&self, number: &str, secret: &str) -> String {
        let plain: String = secret
            .chars()
            .filter(|c| !c.is_whitespace() && *c != '-')
            .map(|c| c.to_ascii_uppercase())
            .collect();
        self.0.ledger.vault.tag("status secret", &format!("{number}\n{plain}"))
    }
}

/// The fault that the same office has sent the same kind of request on this name from the same
/// network and with the same mailbox, and that one is open, taken or not: a second press, not a
/// second wish.
fn sent_already(
    tx: &Tx<'_>,
    application: &Reading,
    origin: Option<&OriginRow>,
    by: &Submitter,
) -> Result<Option<Fault>, ActError> {
    let origin = origin.filter(|_| by.network.is_some());
    let (Some(origin), Some(place)) = (origin, application.place()) else { return Ok(None) };
    let before = tx.same_request(&place.name.to_string(), application.kind, origin)?;
    Ok(before.map(|number| Fault::new("name", Rule::OtherRequest, number)))
}

/// The number of the next request, with its year and serial.
pub(super) fn next_number(tx: &Tx<'_>, now: i64) -> Result<(String, (i32, i64)), StoreError> {
    let year = year_of(now);
    let serial = tx.next_request_serial(year)?;
    Ok((format!("GPR-{year}-{serial:05}"), (year, serial)))
}

/// A secret of 8 characters, 39 bits: guesses are limited by rate, not by length.
pub(super) fn new_secret() -> Result<String, ActError> {
    let mut secret = String::with_capacity(SECRET_CHARS);
    while secret.len() < SECRET_CHARS {
        for byte in random::<16>()? {
            let letter = SECRET_ALPHABET[usize::from(byte % 32)];
            // The last place of the alphabet only fills it up to a power of two.
            if letter != b'@' && secret.len() < SECRET_CHARS {
                secret.push(char::from(letter));
            }
        }
    }
    Ok(secret)
}
