//! Notices: who is told of what, and the rows they wait in (approval.md §2.3).
//!
//! A notice belongs to an event. Its body is sealed, because it holds an address; sending it is the
//! work of `notice`, which gets it from `desk`.

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};

use super::{Ledger, LedgerError};
use crate::audit::{AuditError, Event, random};
use crate::queue::{Actor, Deed, Identity, LiveRecord, Notice, Request, Role, State};
use crate::store::promises::NoticeRow;
use crate::store::{Reader as StoreReader, Tx};

/// How long a party may use its link, in milliseconds: longer than the clock waits for it.
const PARTY_LINK_MS: i64 = 30 * 86_400_000;

/// A notice with what only its addressee may know.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Outgoing {
    /// The notice.
    pub notice: Notice,
    /// Who reads it.
    pub reader: Reader,
    /// What it is about, where that is no request: an account, a name.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub about: String,
    /// A single-use token for the link in the message, if it needs one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
}

/// Who reads a notice; the text differs.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reader {
    /// The applicant.
    Applicant,
    /// An officer who has work to do.
    Officer,
    /// Another office that is asked to agree.
    Party,
}

/// A notice on its way into the outbox.
struct Told<'a> {
    /// The request it is about.
    request: Option<&'a str>,
    /// What it tells of.
    deed: Deed,
    /// Who reads it.
    reader: Reader,
    /// Their mailbox.
    to: &'a str,
    /// What it is about, where that is no request.
    about: &'a str,
    /// The token of its link.
    token: Option<String>,
}

/// What a notice is sealed as.
fn context(id: &str) -> String {
    format!("notice:{id}")
}

impl Ledger {
    /// Writes a notice into the outbox, with its own event.
    fn queue_notice(
        &self,
        tx: &Tx<'_>,
        about: &Event,
        request: &str,
        deed: Deed,
        (reader, to): (Reader, &str),
        token: Option<String>,
    ) -> Result<(), AuditError> {
        let stem = format!("n{}", about.sequence);
        let told = Told { request: Some(request), deed, reader, to, about: "", token };
        self.queue_under(tx, &stem, told)
    }

    /// Writes a notice under the first free id of a stem.
    fn queue_under(&self, tx: &Tx<'_>, stem: &str, told: Told<'_>) -> Result<(), AuditError> {
        let mut place = 1;
        let id = loop {
            let id = format!("{stem}-{place}");
            if tx.notice(&id)?.is_none() {
                break id;
            }
            place += 1;
        };
        let Told { request, deed, reader, to, about, token } = told;
        let is_applicant = reader == Reader::Applicant;
        let step = Notice::queue(&id, request, deed, to, is_applicant, self.now());
        self.record(tx, &step.happening)?;
        let about = about.to_owned();
        self.save_notice(tx, &Outgoing { notice: step.value, reader, about, token })
    }

    /// Reminds whoever has to act on a request; `stem` is the reminder's own, so that it goes out
    /// once.
    pub fn remind(
        &self,
        tx: &Tx<'_>,
        stem: &str,
        deed: Deed,
        request: &Request,
    ) -> Result<(), AuditError> {
        let (reader, addresses) = match deed {
            Deed::CorrectionDue => {
                (Reader::Applicant, vec![request.application().contact.email.clone()])
            }
            _ => (Reader::Officer, self.officers_concerned(tx, deed, request)?),
        };
        for to in &addresses {
            let request = Some(request.number());
            let told = Told { request, deed, reader, to, about: "", token: None };
            self.queue_under(tx, stem, told)?;
        }
        Ok(())
    }

    /// Tells all officers, or those of a role, of something that is no request's, once a stem.
    pub fn tell_officers(
        &self,
        tx: &Tx<'_>,
        stem: &str,
        deed: Deed,
        role: Option<Role>,
        about: &str,
    ) -> Result<(), AuditError> {
        if tx.notice(&format!("{stem}-1"))?.is_some() {
            return Ok(());
        }
        let wanted = |word: &str| role.is_none_or(|role| role.as_str() == word);
        for person in tx.people()? {
            if person.disabled_ms.is_none() && wanted(&person.role) {
                let (reader, to) = (Reader::Officer, person.email.as_str());
                let told = Told { request: None, deed, reader, to, about, token: None };
                self.queue_under(tx, stem, told)?;
            }
        }
        Ok(())
    }

    /// Writes a notice as it is now.
    pub(super) fn save_notice(&self, tx: &Tx<'_>, outgoing: &Outgoing) -> Result<(), AuditError> {
        let notice = &outgoing.notice;
        let row = NoticeRow {
            id: notice.id.clone(),
            request: notice.request.clone(),
            state: notice.state().as_str().to_owned(),
            to_applicant: notice.to_applicant,
            next_try_ms: notice.next_try,
            queued_ms: notice.queued_at,
            body: self.seal(&context(&notice.id), outgoing)?,
        };
        Ok(tx.put_notice(&row)?)
    }

    /// Opens a notice's row.
    pub fn open_notice(&self, row: &NoticeRow) -> Result<Outgoing, AuditError> {
        self.unseal(&context(&row.id), &row.body)
    }

    /// A notice, or the error that there is none.
    pub fn expect_notice(
        &self,
        reader: &StoreReader<'_>,
        id: &str,
    ) -> Result<Outgoing, LedgerError> {
        let row = reader.notice(id)?.ok_or(LedgerError::NotFound)?;
        Ok(self.open_notice(&row)?)
    }

    /// Tells everybody whom an event of a request concerns.
    pub(super) fn tell(
        &self,
        tx: &Tx<'_>,
        event: &Event,
        deed: Deed,
        request: &Request,
    ) -> Result<(), AuditError> {
        let number = request.number();
        let to_applicant = matches!(
            deed,
            Deed::Submit
                | Deed::Return
                | Deed::Resubmit
                | Deed::Reject
                | Deed::Promoted
                | Deed::Expire
                | Deed::Withdraw
        );
        if to_applicant {
            let to = request.application().contact.email.clone();
            self.queue_notice(tx, event, number, deed, (Reader::Applicant, &to), None)?;
        }
        for to in self.officers_concerned(tx, deed, request)? {
            self.queue_notice(tx, event, number, deed, (Reader::Officer, &to), None)?;
        }
        Ok(())
    }

    /// The mail addresses of the officers who have work to do after an event.
    fn officers_concerned(
        &self,
        tx: &Tx<'_>,
        deed: Deed,
        request: &Request,
    ) -> Result<Vec<String>, AuditError> {
        let second = request.approval().is_some_and(|approval| approval.second_needed);
        let waits_for_head = request.state() == State::Submitted
            || request.approval().is_some_and(|a| a.second_needed && a.second.is_none());
        let role = match deed {
            Deed::DueSoon if waits_for_head => Some(Role::Head),
            Deed::Submit | Deed::Release => Some(Role::Head),
            Deed::Approve if second => Some(Role::Head),
            Deed::PromotionFailed => Some(Role::Operator),
            _ => None,
        };
        let to_holder = matches!(
            deed,
            Deed::Dispose
                | Deed::Reassign
                | Deed::Resubmit
                | Deed::ConsultLapsed
                | Deed::Confirm
                | Deed::Deny
                | Deed::PromotionFailed
                | Deed::Reopen
                | Deed::DueSoon
        );
        let mut addresses = Vec::new();
        if let Some(role) = role {
            let people = tx.people()?;
            let active = people.into_iter().filter(|person| person.disabled_ms.is_none());
            addresses.extend(
                active.filter(|person| person.role == role.as_str()).map(|person| person.email),
            );
        }
        if let Some(holder) = request.holder().filter(|_| to_holder) {
            addresses.extend(holder.identity.emails.first().cloned());
        }
        addresses.retain(|address| !address.is_empty());
        addresses.dedup();
        Ok(addresses)
    }
}

//--- Other parties
impl Ledger {
    /// The link of another party: made and mailed when it is asked, used up when it has answered.
    pub(super) fn party_link(
        &self,
        tx: &Tx<'_>,
        event: &Event,
        deed: Deed,
        request: &Request,
    ) -> Result<(), AuditError> {
        match (deed, request.questions().last()) {
            (Deed::Consult, Some(question)) => {
                let token = HEXLOWER.encode(&random::<32>()?);
                let hash = self.vault.tag("party link", &token);
                let ends = self.now() + PARTY_LINK_MS;
                tx.put_party_link(&hash, request.number(), &request.party_key(), ends)?;
                let reader = (Reader::Party, question.email.as_str());
                self.queue_notice(tx, event, request.number(), deed, reader, Some(token))
            }
            (Deed::Confirm | Deed::Deny, _) => {
                Ok(tx.use_party_links(&request.party_key(), self.now())?)
            }
            _ => Ok(()),
        }
    }

    /// Which request a party's link is about, and the actor it makes; none if it cannot be used.
    pub fn party_of_link(
        &self,
        reader: &StoreReader<'_>,
        token: &str,
    ) -> Result<Option<(String, Actor)>, AuditError> {
        let hash = self.vault.tag("party link", token.trim());
        let found = reader.party_link(&hash, self.now())?;
        Ok(found.map(|(number, key)| {
            (number, Actor::applicant("party", Identity::default(), Some(&key)))
        }))
    }
}

//--- Names
impl Ledger {
    /// Tells the officers of the other role that a name taken down waits for their word.
    pub(super) fn tell_of_name(
        &self,
        tx: &Tx<'_>,
        event: &Event,
        deed: Deed,
        live: &LiveRecord,
    ) -> Result<(), AuditError> {
        match (deed, &live.suspension) {
            (Deed::EmergencySuspend, Some(suspension)) => {
                let head = suspension.by.role == Role::Head;
                let other = if head { Role::Verifier } else { Role::Head };
                let stem = format!("n{}", event.sequence);
                self.tell_officers(tx, &stem, deed, Some(other), &live.name)
            }
            _ => Ok(()),
        }
    }
}
