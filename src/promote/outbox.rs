//! Notices: who is told of what, and the rows they wait in (approval.md §2.3).
//!
//! A notice belongs to an event. Its body is sealed, because it holds an address; sending it is the
//! work of `notice`, which gets it from `desk`.

use serde::{Deserialize, Serialize};

use super::{ActError, Ledger};
use crate::evidence::{Event, EvidenceError};
use crate::queue::{Deed, Notice, Request, Role};
use crate::store::promises::NoticeRow;
use crate::store::{Reader as StoreReader, Tx};

/// A notice with what only its addressee may know.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Outgoing {
    /// The notice.
    pub notice: Notice,
    /// Who reads it.
    pub reader: Reader,
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

/// What a notice is sealed as.
fn context(id: &str) -> String {
    format!("notice:{id}")
}

impl Ledger {
    /// Writes a notice into the outbox, with its own event.
    pub fn queue_notice(
        &self,
        tx: &Tx<'_>,
        about: &Event,
        request: &str,
        deed: Deed,
        (reader, to): (Reader, &str),
        token: Option<String>,
    ) -> Result<(), EvidenceError> {
        let mut place = 1;
        let id = loop {
            let id = format!("n{}-{place}", about.sequence);
            if tx.notice(&id)?.is_none() {
                break id;
            }
            place += 1;
        };
        let is_applicant = reader == Reader::Applicant;
        let step = Notice::queue(&id, Some(request), deed, to, is_applicant, self.now());
        self.record(tx, &step.happening)?;
        self.save_notice(tx, &Outgoing { notice: step.value, reader, token })
    }

    /// Writes a notice as it is now.
    pub fn save_notice(&self, tx: &Tx<'_>, outgoing: &Outgoing) -> Result<(), EvidenceError> {
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
    pub fn open_notice(&self, row: &NoticeRow) -> Result<Outgoing, EvidenceError> {
        self.unseal(&context(&row.id), &row.body)
    }

    /// A notice, or the error that there is none.
    pub fn expect_notice(&self, reader: &StoreReader<'_>, id: &str) -> Result<Outgoing, ActError> {
        let row = reader.notice(id)?.ok_or(ActError::NotFound)?;
        Ok(self.open_notice(&row)?)
    }

    /// Tells everybody whom an event of a request concerns.
    pub fn tell(
        &self,
        tx: &Tx<'_>,
        event: &Event,
        deed: Deed,
        request: &Request,
    ) -> Result<(), EvidenceError> {
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
            let to = request.ask().contact.email.clone();
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
    ) -> Result<Vec<String>, EvidenceError> {
        let second = request.approval().is_some_and(|approval| approval.second_needed);
        let role = match deed {
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
                | Deed::AskLapsed
                | Deed::Confirm
                | Deed::Deny
                | Deed::PromotionFailed
                | Deed::Reopen
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
