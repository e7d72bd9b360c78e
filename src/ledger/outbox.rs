//! The outbox: the notices of an event are written in its transaction, with their values.
//!
//! A notice is sealed, because it holds an address and what officers wrote. `notice` sends what
//! waits here.

use serde_json::{Value, json};

use super::recipients::{every_officer, officers};
use super::{Ledger, LedgerError};
use crate::audit::{AuditError, Event, random};
use crate::digest::hex;
use crate::dossier::Promoted;
use crate::queue::procedure::{Recipient, notices};
use crate::queue::time::DAY_MS;
use crate::queue::{
    Actor, Deed, Ground, Happening, Identity, LiveRecord, NameDelta, Notice, NoticeReader,
    NoticeValues, Phase, Request, Role,
};
use crate::store::promises::NoticeRow;
use crate::store::{Reader, StoreError, Tx};

/// How long a party may use its link, in milliseconds: longer than the clock waits for it.
const PARTY_LINK_MS: i64 = 30 * DAY_MS;

/// What a notice is sealed as.
fn context(id: &str) -> String {
    format!("notice:{id}")
}

/// Which officers are told what.
pub(super) struct About {
    /// Those of a role, all, or none.
    pub(super) role: Option<Option<Role>>,
    /// What they are told.
    pub(super) values: NoticeValues,
}

//------------ Writing -------------------------------------------------------

impl Ledger {
    /// Writes the notices of an event of a request. `dig` repeats the proof of a promotion; what it
    /// changed is in `promoted`.
    pub(super) fn tell(
        &self,
        tx: &Tx<'_>,
        event: &Event,
        deed: Deed,
        request: &Request,
        (dig, promoted): (Option<&str>, Option<&Promoted>),
    ) -> Result<(), AuditError> {
        let token = self.party_link(tx, deed, request)?;
        let stem = format!("n{}", event.sequence);
        let changed = promoted.map(|promoted| &promoted.changed).filter(|it| !it.was.is_empty());
        self.tell_all(tx, &stem, deed, request, |values| {
            values.dig = dig.map(str::to_owned);
            values.changes = changed.cloned().map(NameDelta::shortened).into_iter().collect();
            values.token = token;
        })
    }

    /// The same to nobody but the applicant: officers are told of it with others.
    pub(super) fn tell_applicant(
        &self,
        tx: &Tx<'_>,
        event: &Event,
        deed: Deed,
        request: &Request,
    ) -> Result<(), AuditError> {
        let reader = NoticeReader::Applicant;
        let values = NoticeValues::of(request, deed, reader, &self.calendar(), &self.rules);
        let id = format!("n{}-1", event.sequence);
        let to = (reader, request.application().contact.email.as_str());
        self.queue_notice(tx, &id, Some(request.number()), deed, to, values)
    }

    /// Tells every head that a table of requests was filed, once per `stem`.
    pub fn tell_of_bulk(
        &self,
        tx: &Tx<'_>,
        stem: &str,
        values: &NoticeValues,
    ) -> Result<(), LedgerError> {
        let deed = Deed::BulkFiled;
        if notices(deed).recipients.contains(&Recipient::Heads) {
            self.tell_role(tx, stem, deed, Some(Role::Head), values)?;
        }
        Ok(())
    }

    /// Reminds whoever must act on a request, once per `stem`.
    pub fn remind(
        &self,
        tx: &Tx<'_>,
        stem: &str,
        deed: Deed,
        request: &Request,
    ) -> Result<(), LedgerError> {
        if !self.is_reminded(tx, stem)? {
            self.tell_all(tx, stem, deed, request, |_| {})?;
        }
        Ok(())
    }

    /// Whether the reminder of this stem is written.
    pub fn is_reminded(&self, reader: &Reader<'_>, stem: &str) -> Result<bool, StoreError> {
        Ok(reader.notice(&format!("{stem}-1"))?.is_some())
    }

    /// Writes a notice to each recipient of an event of a request.
    fn tell_all(
        &self,
        tx: &Tx<'_>,
        stem: &str,
        deed: Deed,
        request: &Request,
        complete: impl FnOnce(&mut NoticeValues) + Clone,
    ) -> Result<(), AuditError> {
        let calendar = self.calendar();
        for (at, (reader, to)) in self.addressees(tx, deed, request)?.iter().enumerate() {
            let mut values = NoticeValues::of(request, deed, *reader, &calendar, &self.rules);
            complete.clone()(&mut values);
            let id = format!("{stem}-{}", at + 1);
            let number = Some(request.number());
            self.queue_notice(tx, &id, number, deed, (*reader, to), values)?;
        }
        Ok(())
    }

    /// Tells all officers of a change of an account, once per event.
    pub fn tell_of_account(
        &self,
        tx: &Tx<'_>,
        event: &Event,
        deed: Deed,
        account: &str,
    ) -> Result<(), LedgerError> {
        let role = notices(deed).recipients.contains(&Recipient::Officers).then_some(None);
        let values = NoticeValues::about(account);
        Ok(self.tell_officers(tx, event, deed, About { role, values })?)
    }

    /// Tells the officers of the other role that a name taken down waits for their word.
    pub(super) fn tell_of_name(
        &self,
        tx: &Tx<'_>,
        event: &Event,
        happening: &Happening,
        live: &LiveRecord,
    ) -> Result<(), AuditError> {
        let deed = happening.deed;
        let others = notices(deed).recipients.contains(&Recipient::OtherDeciders);
        let role = others.then_some(match happening.by.role {
            Role::Head => Some(Role::Verifier),
            _ => Some(Role::Head),
        });
        let values = NoticeValues::about(&live.name.to_string());
        self.tell_officers(tx, event, deed, About { role, values })?;
        let is_end = deed == Deed::Suspend
            && live.suspension.as_ref().is_some_and(|it| it.cause == Some(Ground::Ended));
        let deed = if is_end { Deed::Ended } else { deed };
        self.tell_of_year(tx, &format!("n{}-o", event.sequence), deed, live)
    }

    /// Tells the officers of a role, all, or none of what is no request's, once per event.
    pub(super) fn tell_officers(
        &self,
        tx: &Tx<'_>,
        event: &Event,
        deed: Deed,
        about: About,
    ) -> Result<(), AuditError> {
        let Some(role) = about.role else { return Ok(()) };
        self.tell_role(tx, &format!("n{}", event.sequence), deed, role, &about.values)
    }

    /// Tells the officers of a role, or all, once per `stem`.
    fn tell_role(
        &self,
        tx: &Tx<'_>,
        stem: &str,
        deed: Deed,
        role: Option<Role>,
        values: &NoticeValues,
    ) -> Result<(), AuditError> {
        if self.is_reminded(tx, stem)? {
            return Ok(());
        }
        let mailboxes = match role {
            Some(role) => officers(tx, role)?,
            None => every_officer(tx, self.now())?,
        };
        for (at, to) in mailboxes.iter().enumerate() {
            let (id, to) = (format!("{stem}-{}", at + 1), (NoticeReader::Officer, to.as_str()));
            self.queue_notice(tx, &id, None, deed, to, values.clone())?;
        }
        Ok(())
    }

    /// Tells the administrators what the signing of a zone needs of them, once per `stem`.
    pub fn tell_of_zone(
        &self,
        tx: &Tx<'_>,
        stem: &str,
        deed: Deed,
        values: &NoticeValues,
    ) -> Result<(), LedgerError> {
        if notices(deed).recipients.contains(&Recipient::Operators) {
            self.tell_role(tx, stem, deed, Some(Role::Operator), values)?;
        }
        Ok(())
    }

    /// Writes one new notice, with its own event.
    pub(super) fn queue_notice(
        &self,
        tx: &Tx<'_>,
        id: &str,
        request: Option<&str>,
        deed: Deed,
        to: (NoticeReader, &str),
        values: NoticeValues,
    ) -> Result<(), AuditError> {
        let step = Notice::queue(id, request, deed, to, values, self.now());
        self.save_notice(tx, &step.value)?;
        self.record(tx, &step.happening)?;
        Ok(())
    }

    /// Writes a notice as it is now.
    pub(super) fn save_notice(&self, tx: &Tx<'_>, notice: &Notice) -> Result<(), AuditError> {
        let row = NoticeRow {
            id: notice.id.clone(),
            request: notice.request.clone(),
            state: notice.state(),
            to_applicant: notice.to_applicant(),
            next_try_ms: notice.next_try,
            queued_ms: notice.queued_at,
            body: self.seal(&context(&notice.id), notice)?,
        };
        Ok(tx.put_notice(&row)?)
    }
}

//------------ Reading -------------------------------------------------------

impl Ledger {
    /// Opens a notice's row.
    pub fn open_notice(&self, reader: &Reader<'_>, row: &NoticeRow) -> Result<Notice, AuditError> {
        let body: Value = self.unseal(&context(&row.id), &row.body)?;
        let mut notice: Notice = serde_json::from_value(upgraded(body))
            .map_err(|error| StoreError::Corrupt(format!("{}: {error}", context(&row.id))))?;
        if notice.values.name.is_empty()
            && let Some(number) = &notice.request
            && let Some(stored) = self.request(reader, number)?
        {
            let (calendar, before) = (self.calendar(), notice.values);
            let (request, deed) = (&stored.request, notice.deed);
            let now = NoticeValues::of(request, deed, notice.reader, &calendar, &self.rules);
            notice.values = NoticeValues { token: before.token, ..now };
        }
        Ok(notice)
    }

    /// A notice, or the error that there is none.
    pub fn expect_notice(&self, reader: &Reader<'_>, id: &str) -> Result<Notice, LedgerError> {
        let row = reader.notice(id)?.ok_or(LedgerError::NotFound)?;
        Ok(self.open_notice(reader, &row)?)
    }
}

/// A notice's body in today's form. Before notices had values, who reads it, the account it is about
/// and the token of its link were kept beside the notice.
fn upgraded(mut body: Value) -> Value {
    let Some(mut notice) = body.get_mut("notice").map(Value::take) else { return body };
    let about = body.get("about").and_then(Value::as_str).unwrap_or_default();
    notice["values"] = json!({ "name": about.trim_end_matches('.'), "token": body.get("token") });
    notice["reader"] = body["reader"].take();
    notice
}

//------------ Other parties -------------------------------------------------

impl Ledger {
    /// The link of another party: made when it is asked, which returns its token; used up when nobody waits for
    /// its answer any more.
    fn party_link(
        &self,
        tx: &Tx<'_>,
        deed: Deed,
        request: &Request,
    ) -> Result<Option<String>, AuditError> {
        match deed {
            Deed::Consult => {
                let token = hex(&random::<32>()?);
                let hash = self.vault.tag("party link", &token);
                let ends = self.now() + PARTY_LINK_MS;
                tx.put_party_link(&hash, request.number(), &request.party_key(), ends)?;
                Ok(Some(token))
            }
            _ if request.questions().is_empty() => Ok(None),
            _ if request.stage().phase() == Phase::Consulting => Ok(None),
            _ => {
                tx.use_party_links(&request.party_key(), self.now())?;
                Ok(None)
            }
        }
    }

    /// Which request a party's link is about, and the actor it makes; none if it cannot be used.
    pub fn party_of_link(
        &self,
        reader: &Reader<'_>,
        token: &str,
    ) -> Result<Option<(String, Actor)>, AuditError> {
        let hash = self.vault.tag("party link", token.trim());
        let found = reader.party_link(&hash, self.now())?;
        Ok(found.map(|(number, key)| {
            (number, Actor::applicant("party", Identity::default(), Some(&key)))
        }))
    }
}
