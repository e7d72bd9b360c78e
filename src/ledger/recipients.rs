//! The mailboxes behind the recipients of the procedure table.

use super::Ledger;
use crate::audit::AuditError;
use crate::queue::procedure::{Recipient, recipients};
use crate::queue::request::Approval;
use crate::queue::{Deed, NoticeReader, Request, Role, State};
use crate::store::{Reader, StoreError};

impl Ledger {
    /// The mailboxes that get a notice of an event of a request, each once. An applicant or a party
    /// without a mailbox gets a letter; an officer always has one.
    pub(super) fn addressees(
        &self,
        reader: &Reader<'_>,
        deed: Deed,
        request: &Request,
    ) -> Result<Vec<(NoticeReader, String)>, AuditError> {
        let mut all: Vec<(NoticeReader, String)> = Vec::new();
        let starts = request.application().starts_at();
        let start_missed = starts.is_some_and(|starts| starts <= self.now());
        let second_missing = request.approval().is_some_and(Approval::awaits_second);
        for recipient in recipients(deed) {
            let officers = match recipient {
                Recipient::ApplicantOfMissedStart if !start_missed => continue,
                Recipient::Applicant | Recipient::ApplicantOfMissedStart => {
                    let email = &request.application().contact.email;
                    all.push((NoticeReader::Applicant, email.clone()));
                    continue;
                }
                Recipient::Party => {
                    let question = request.questions().last();
                    all.extend(question.map(|it| (NoticeReader::Party, it.email.clone())));
                    continue;
                }
                Recipient::Heads if request.state() == State::Submitted => {
                    officers(reader, Some(Role::Head))?
                }
                Recipient::SecondSigner if second_missing => officers(reader, Some(Role::Head))?,
                Recipient::Operators => officers(reader, Some(Role::Operator))?,
                Recipient::Holder => {
                    // Of what is over, whoever had it last.
                    let last = || request.dispositions().last().map(|slip| &slip.to);
                    let emails = request.holder().or_else(last).map(|it| &it.identity.emails);
                    emails.into_iter().flatten().take(1).cloned().collect()
                }
                Recipient::Heads
                | Recipient::SecondSigner
                | Recipient::OtherDeciders
                | Recipient::Officers
                | Recipient::Owner => Vec::new(),
            };
            for to in officers {
                let addressee = (NoticeReader::Officer, to);
                if !addressee.1.is_empty() && !all.contains(&addressee) {
                    all.push(addressee);
                }
            }
        }
        Ok(all)
    }
}

/// The mailboxes of the officers of a role, or of all.
pub(super) fn officers(reader: &Reader<'_>, role: Option<Role>) -> Result<Vec<String>, StoreError> {
    let people = reader.people()?.into_iter().filter(|person| person.disabled_ms.is_none());
    let wanted = people.filter(|person| role.is_none_or(|role| role == person.role));
    Ok(wanted.map(|person| person.email).collect())
}
