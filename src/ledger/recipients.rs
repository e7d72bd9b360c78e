//! The mailboxes behind the recipients of the procedure table.

use super::Ledger;
use crate::audit::AuditError;
use crate::queue::person::is_mailbox;
use crate::queue::procedure::{Recipient, notices};
use crate::queue::request::Approval;
use crate::queue::time::DAY_MS;
use crate::queue::{ClockStep, Deed, Notice, NoticeReader, Request, Role, State};
use crate::store::{Reader, StoreError};

impl Ledger {
    /// Whether a notice reminds somebody of a step who does not have it to do any more.
    pub fn is_reminder_over(
        &self,
        reader: &Reader<'_>,
        notice: &Notice,
        request: &Request,
    ) -> Result<bool, AuditError> {
        if notice.deed != Deed::DueSoon {
            return Ok(false);
        }
        let runs = request.state().clock_step().is_some_and(|step| step != ClockStep::Notify);
        let to = (notice.reader, notice.to.clone());
        Ok(!runs || !self.addressees(reader, notice.deed, request)?.contains(&to))
    }

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
        for recipient in notices(deed).recipients {
            let officers = match recipient {
                Recipient::ApplicantOfMissedStart if !start_missed => continue,
                Recipient::Applicant | Recipient::ApplicantOfMissedStart => {
                    let email = &request.application().contact.email;
                    all.push((recipient.reader(), email.clone()));
                    continue;
                }
                Recipient::Party => {
                    let question = request.questions().last();
                    all.extend(question.map(|it| (recipient.reader(), it.email.clone())));
                    continue;
                }
                Recipient::Heads if request.state() == State::Submitted => {
                    officers(reader, Role::Head)?
                }
                Recipient::SecondSigner if second_missing => officers(reader, Role::Head)?,
                Recipient::Operators => officers(reader, Role::Operator)?,
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
                let addressee = (recipient.reader(), to);
                if !addressee.1.is_empty() && !all.contains(&addressee) {
                    all.push(addressee);
                }
            }
        }
        Ok(all)
    }
}

/// How long a mailbox that an account had before hears what happens to accounts.
const FORMER_MS: i64 = 7 * DAY_MS;

/// The mailboxes of the officers of a role.
pub(super) fn officers(reader: &Reader<'_>, role: Role) -> Result<Vec<String>, StoreError> {
    let people = reader.people()?.into_iter().filter(|person| person.disabled_ms.is_none());
    Ok(people.filter(|person| person.role == role).map(|person| person.email).collect())
}

/// The mailboxes of all officers, and those they had until lately: whoever changes them all must not be the only one
/// who hears of it.
pub(super) fn every_officer(reader: &Reader<'_>, now: i64) -> Result<Vec<String>, StoreError> {
    let mut mailboxes = Vec::new();
    for person in reader.people()?.into_iter().filter(|person| person.disabled_ms.is_none()) {
        let former = person.former_keys().into_iter();
        let lately = former.filter(|it| is_mailbox(&it.key) && now - it.until_ms < FORMER_MS);
        mailboxes.extend(lately.map(|it| it.key));
        mailboxes.push(person.email);
    }
    mailboxes.sort_unstable();
    mailboxes.dedup();
    Ok(mailboxes)
}
