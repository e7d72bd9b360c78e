//! Whose a name is, and what its owner is told: the notices of changes of its records, and the link to
//! its history.

use std::collections::BTreeMap;

use super::{Ledger, LedgerError};
use crate::audit::{AuditError, random};
use crate::digest::hex;
use crate::queue::person::{normalize_email, same_mailbox};
use crate::queue::time::DAY_MS;
use crate::queue::{
    Deed, Kind, LiveRecord, NameDelta, NoticeReader, NoticeValues, Place, Point, State, Way,
};
use crate::store::changes::NameChangeRow;
use crate::store::requests::RequestRow;
use crate::store::{Reader, StoreError, Tx};

/// How long an owner may use a link to the history of a name, in milliseconds.
const LINK_MS: i64 = 30 * DAY_MS;
/// How long after the anniversary an owner may still answer by the link, in milliseconds.
const ANSWER_MS: i64 = 120 * DAY_MS;
/// Names listed in one notice.
const NAMES_LISTED: usize = 25;
/// Requests on a name that are looked through for the owner before.
const REQUESTS_BACK: usize = 20;

/// Who owns a name, and where they are told.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct NameOwner {
    /// The office.
    pub office: String,
    /// The mailbox of the person responsible; empty if none is known.
    pub email: String,
    /// The request that made them the owner.
    pub request: Option<String>,
}

/// What one owner is told of one change of a zone.
struct Told {
    /// The owner.
    owner: NameOwner,
    /// The promised names.
    records: Vec<String>,
    /// The rows, by their place.
    rows: Vec<usize>,
    /// Why, where an officer wrote it down.
    reason: Option<String>,
}

/// The stem of the notices of an end.
fn end_stem(live: &LiveRecord, days: i64) -> Option<String> {
    Some(format!("e-{}-{}-{days}d", live.contact_request()?, live.ends?))
}

impl Ledger {
    /// The owner of a name; none while no office is known.
    pub fn owner(
        &self,
        reader: &Reader<'_>,
        live: &LiveRecord,
    ) -> Result<Option<NameOwner>, AuditError> {
        if live.office.is_empty() {
            return Ok(None);
        }
        let office = live.office.clone();
        let request = live.contact_request().map(str::to_owned);
        let email = match &request {
            Some(number) => self.mailbox_of(reader, number)?,
            None => String::new(),
        };
        Ok(Some(NameOwner { office, email, request }))
    }

    /// The mailbox of the person responsible in a request.
    fn mailbox_of(&self, reader: &Reader<'_>, number: &str) -> Result<String, AuditError> {
        let stored = self.request(reader, number)?;
        let contact = stored.map(|stored| stored.request.application().contact.email.clone());
        Ok(contact.unwrap_or_default())
    }

    /// Who owned a name until a request made it what it is.
    fn owner_before(
        &self,
        reader: &Reader<'_>,
        live: &LiveRecord,
        request: &str,
    ) -> Result<Option<NameOwner>, AuditError> {
        let rows = reader.requests_on(&live.name.to_string(), REQUESTS_BACK)?;
        if rows.iter().any(|row| row.number == request && row.kind == Kind::New) {
            return Ok(None);
        }
        // Numbers rise: what is told late is told to whoever owned the name then.
        let made_owner = |row: &RequestRow| {
            let was_live = matches!(row.state, State::Live | State::Notified | State::Closed);
            row.number.as_str() < request && was_live && row.kind != Kind::Suspend
        };
        let Some(row) = rows.into_iter().find(made_owner) else {
            let is_older = live.contact_request().is_none_or(|owner| owner < request);
            return if is_older { self.owner(reader, live) } else { Ok(None) };
        };
        let email = self.mailbox_of(reader, &row.number)?;
        Ok(Some(NameOwner { office: row.office, email, request: Some(row.number) }))
    }

    /// Keeps what one change of a zone did to promised names, and tells their owners: one notice each,
    /// however many of their names changed. Whoever asked for the change is told by the notice of the
    /// request.
    pub fn note_changes(
        &self,
        tx: &Tx<'_>,
        mut rows: Vec<NameChangeRow>,
    ) -> Result<(), LedgerError> {
        let mut owners: BTreeMap<String, Told> = BTreeMap::new();
        for (at, row) in rows.iter().enumerate() {
            let Some(place) = Place::read(&row.record, &row.zone) else { continue };
            let live = self.live(tx, &place)?;
            let owner = match &row.request {
                Some(number) => self.owner_before(tx, &live, number)?,
                None => self.owner(tx, &live)?,
            };
            let Some(owner) = owner else { continue };
            let asked = row.request.as_deref().map(|number| self.mailbox_of(tx, number));
            if asked.transpose()?.is_some_and(|asked| same_mailbox(&asked, &owner.email)) {
                continue;
            }
            let key = match normalize_email(&owner.email) {
                email if email.is_empty() => format!("office {}", owner.office),
                email => email,
            };
            let told = owners.entry(key).or_insert_with(|| Told {
                owner,
                records: Vec::new(),
                rows: Vec::new(),
                reason: None,
            });
            if !told.records.contains(&row.record) {
                told.records.push(row.record.clone());
            }
            told.rows.push(at);
            let reason = live.suspension.filter(|_| row.way == Way::Emergency);
            told.reason = told.reason.take().or_else(|| reason.map(|it| it.reason));
        }
        for (at, told) in owners.into_values().enumerate() {
            let id = self.tell_owner(tx, at, &told, &rows)?;
            for row in told.rows {
                rows[row].notice = Some(id.clone());
            }
        }
        for row in &rows {
            tx.put_name_change(row)?;
        }
        self.checkpoint(tx)
    }

    /// Tells the owner of a name that another office has it now; whoever asked for that is told by the notice of the
    /// request.
    pub fn tell_former_owner(
        &self,
        tx: &Tx<'_>,
        before: &LiveRecord,
        after: &LiveRecord,
    ) -> Result<(), AuditError> {
        let (Some(former), Some(owner)) = (self.owner(tx, before)?, self.owner(tx, after)?) else {
            return Ok(());
        };
        let is_told = !former.email.is_empty() && same_mailbox(&former.email, &owner.email);
        let Some(number) = owner.request.filter(|_| !is_told) else { return Ok(()) };
        let values = NoticeValues {
            office: former.office,
            successor: owner.office,
            ..NoticeValues::about(&before.name.to_string())
        };
        let to = (NoticeReader::Owner, former.email.as_str());
        let request = former.request.as_deref();
        self.queue_notice(tx, &format!("h-{number}-1"), request, Deed::HandOver, to, values)
    }

    /// Writes the notice of one owner; returns its id.
    fn tell_owner(
        &self,
        tx: &Tx<'_>,
        at: usize,
        told: &Told,
        rows: &[NameChangeRow],
    ) -> Result<String, LedgerError> {
        let of_owner = || told.rows.iter().filter_map(|row| rows.get(*row));
        let first = of_owner().next().ok_or(LedgerError::NotFound)?;
        let lines = |text: &str| text.lines().map(str::to_owned).collect();
        let deltas = of_owner().take(NAMES_LISTED).map(|row| {
            let name = row.name.trim_end_matches('.').to_owned();
            NameDelta { name, was: lines(&row.was), now_is: lines(&row.now_is) }.shortened()
        });
        let token = match told.records.as_slice() {
            [record] => Some(self.owner_link(tx, record)?),
            _ => None,
        };
        let values = NoticeValues {
            office: told.owner.office.clone(),
            changes: deltas.collect(),
            more: told.rows.len().saturating_sub(NAMES_LISTED) as u64,
            way: Some((first.way, first.at_ms)),
            points: told.reason.iter().map(|it| Point { line: None, note: it.clone() }).collect(),
            token,
            ..NoticeValues::about(&first.name)
        };
        let zone = first.zone.trim_end_matches('.');
        let id = format!("c-{zone}-{}-{}", first.seq, at + 1);
        let to = (NoticeReader::Owner, told.owner.email.as_str());
        let request = told.owner.request.as_deref();
        self.queue_notice(tx, &id, request, Deed::RecordsChanged, to, values)?;
        Ok(id)
    }

    /// Tells the owner of a name what its year brings, once per `stem`; the yearly question carries the
    /// link by which they answer.
    pub(super) fn tell_of_year(
        &self,
        tx: &Tx<'_>,
        stem: &str,
        deed: Deed,
        live: &LiveRecord,
    ) -> Result<(), AuditError> {
        let owner = if deed.is_of_year() { self.owner(tx, live)? } else { None };
        let Some(NameOwner { office, email, request: Some(request) }) = owner else {
            return Ok(());
        };
        if self.is_reminded(tx, stem)? {
            return Ok(());
        }
        let question = live.question.as_ref().filter(|_| !deed.is_of_end());
        let due = question.map(|question| question.due).or(live.ends);
        let mut values =
            NoticeValues { office, due, ..NoticeValues::about(&live.name.to_string()) };
        if let Some(question) = question {
            let token = hex(&random::<32>()?);
            let hash = self.vault.tag("party link", &token);
            tx.put_party_link(&hash, &request, &live.owner_key(), question.due + ANSWER_MS)?;
            values.token = Some(token);
        }
        // As the applicant of that request: where no mail goes out, it is printed from its page.
        let to = (NoticeReader::Applicant, email.as_str());
        self.queue_notice(tx, &format!("{stem}-1"), Some(&request), deed, to, values)
    }

    /// Tells the owner that the approved end is near, once for each end and number of days.
    pub fn tell_of_end(
        &self,
        tx: &Tx<'_>,
        live: &LiveRecord,
        days: i64,
    ) -> Result<(), LedgerError> {
        let Some(stem) = end_stem(live, days) else { return Ok(()) };
        Ok(self.tell_of_year(tx, &stem, Deed::EndsSoon, live)?)
    }

    /// Whether that was told.
    pub fn is_told_of_end(
        &self,
        reader: &Reader<'_>,
        live: &LiveRecord,
        days: i64,
    ) -> Result<bool, StoreError> {
        end_stem(live, days).map_or(Ok(true), |stem| self.is_reminded(reader, &stem))
    }

    /// Makes the link to the history of a name, in the place of the one before; returns its token.
    pub fn owner_link(&self, tx: &Tx<'_>, name: &str) -> Result<String, AuditError> {
        let token = hex(&random::<32>()?);
        let hash = self.vault.tag("owner link", &token);
        tx.put_owner_link(name, &hash, self.now() + LINK_MS)?;
        Ok(token)
    }

    /// The name whose history a link shows; none if it cannot be used any more.
    pub fn name_of_link(
        &self,
        reader: &Reader<'_>,
        token: &str,
    ) -> Result<Option<String>, AuditError> {
        let hash = self.vault.tag("owner link", token.trim());
        Ok(reader.owner_link(&hash, self.now())?)
    }
}
