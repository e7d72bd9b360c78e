//! A request while it is filled in: fields by name, the letter, and how they become an [`Application`].

use std::collections::BTreeMap;

use super::failure::Failure;
use super::sent::{Sent, Upload};
use super::state::State;
use crate::people::sha256_hex;
use crate::queue::{Application, Contact, Kind, Letter, NamingClass, RequestedRecord};
use crate::store::StoreError;
use crate::store::drafts::DraftRow;
use crate::view::RequestView;

/// Rows of records a form has.
pub(super) const RECORD_ROWS: usize = 3;
/// TTL of records asked for on the pages, in seconds.
const TTL: u32 = 3600;
/// Days until an untouched draft is dropped.
const KEEP_DAYS: i64 = 30;

/// What has been filled in so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Draft {
    /// Values by field name.
    pub(super) fields: BTreeMap<String, String>,
    /// The letter.
    pub(super) letter: Option<Upload>,
}

impl Draft {
    /// The draft of this browser, or an empty one.
    pub(super) async fn load(state: &State, visit: &str) -> Result<Self, Failure> {
        let hash = sha256_hex(visit);
        let row = state
            .work(move |state| state.store().read::<_, StoreError>(|reader| reader.draft(&hash)))
            .await?
            .map_err(Failure::internal)?;
        let Some(row) = row else { return Ok(Self::default()) };
        let fields = serde_json::from_str(&row.fields).unwrap_or_default();
        let name = row.letter_name;
        Ok(Self { fields, letter: row.letter.map(|bytes| Upload { name, bytes }) })
    }

    /// Keeps the draft; old ones of others are dropped on the way.
    pub(super) async fn save(&self, state: &State, visit: &str) -> Result<(), Failure> {
        let now = state.people().now_ms();
        let row = DraftRow {
            visit_hash: sha256_hex(visit),
            fields: serde_json::to_string(&self.fields).map_err(Failure::internal)?,
            letter: self.letter.as_ref().map(|letter| letter.bytes.clone()),
            letter_name: self.letter.as_ref().map(|it| it.name.clone()).unwrap_or_default(),
            changed_ms: now,
        };
        let job = move |state: &State| {
            state.store().write::<_, StoreError>(|tx| {
                tx.sweep_drafts(now - KEEP_DAYS * 86_400_000)?;
                tx.put_draft(&row)
            })
        };
        state.work(job).await?.map_err(Failure::internal)
    }

    /// Drops the draft of this browser.
    pub(super) async fn drop_of(state: &State, visit: &str) -> Result<(), Failure> {
        let hash = sha256_hex(visit);
        let job =
            move |state: &State| state.store().write::<_, StoreError>(|tx| tx.drop_draft(&hash));
        state.work(job).await?.map_err(Failure::internal)
    }

    /// A value; empty if it was not filled in.
    pub(super) fn get(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", String::as_str)
    }

    /// Takes over the fields of a form that was sent.
    pub(super) fn take(&mut self, sent: &Sent, names: &[&str]) {
        for name in names {
            self.fields.insert((*name).to_owned(), sent.get(name).to_owned());
        }
        if let Some(upload) = &sent.upload {
            self.letter = Some(upload.clone());
        }
    }

    /// The draft of a request that exists, for its correction.
    pub(super) fn of_view(application: &RequestView) -> Self {
        let mut draft = Self::default();
        let mut put = |name: &str, value: &str| {
            draft.fields.insert(name.to_owned(), value.to_owned());
        };
        put("kind", application.kind.as_str());
        put("class", application.class.as_str());
        put("name", &application.name);
        put("office", &application.office);
        put("region", application.region.as_deref().unwrap_or_default());
        put("purpose", &application.purpose);
        if let Some(contact) = &application.contact {
            put("contact_name", &contact.name);
            put("contact_position", &contact.position);
            put("contact_email", &contact.email);
            put("contact_phone", &contact.phone);
            put("contact_nip", contact.nip.as_deref().unwrap_or_default());
        }
        put("letter_number", &application.letter.number);
        put("letter_date", &application.letter.date);
        put("starts", application.starts.as_deref().unwrap_or_default());
        put("ends", application.ends.as_deref().unwrap_or_default());
        put("exception", application.exception.as_deref().unwrap_or_default());
        for (at, record) in application.records.iter().enumerate() {
            put(&format!("type{at}"), &record.rtype);
            put(&format!("data{at}"), &record.data);
        }
        draft
    }

    /// The kind chosen.
    pub(super) fn kind(&self) -> Option<Kind> {
        Kind::from_name(self.get("kind"))
    }

    /// The class chosen.
    pub(super) fn class(&self) -> Option<NamingClass> {
        NamingClass::from_name(self.get("class"))
    }

    /// Whether the kind asks for records.
    pub(super) fn wants_records(&self) -> bool {
        !matches!(self.kind(), Some(Kind::Suspend | Kind::Remove))
    }

    /// The data as `desk` takes it.
    pub(super) fn application(&self, zone: &str) -> Application {
        let some = |name: &str| Some(self.get(name).to_owned()).filter(|text| !text.is_empty());
        let rows = (0..RECORD_ROWS).filter(|_| self.wants_records());
        let rows = rows.map(|at| (self.get(&format!("type{at}")), self.get(&format!("data{at}"))));
        let records = rows.filter(|(_, data)| !data.is_empty()).map(|(rtype, data)| {
            RequestedRecord { rtype: rtype.to_owned(), data: data.to_owned(), ttl: TTL }
        });
        Application {
            kind: self.kind().unwrap_or(Kind::New),
            class: self.class().unwrap_or(NamingClass::Layanan),
            name: self.get("name").to_owned(),
            zone: zone.to_owned(),
            records: records.collect(),
            office: self.get("office").to_owned(),
            region: some("region"),
            purpose: self.get("purpose").to_owned(),
            contact: Contact {
                name: self.get("contact_name").to_owned(),
                position: self.get("contact_position").to_owned(),
                email: self.get("contact_email").to_owned(),
                phone: self.get("contact_phone").to_owned(),
                nip: some("contact_nip"),
            },
            letter: Letter {
                number: self.get("letter_number").to_owned(),
                date: self.get("letter_date").to_owned(),
                sha256: None,
            },
            starts: some("starts"),
            ends: some("ends"),
            exception: some("exception"),
            lift: self.get("lift") == "ya",
            inverse_of: None,
        }
    }
}

/// The field of the pages that a field of the JSON shape means.
pub(super) fn field_of(field: &str) -> String {
    match field {
        "contact" => "contact_name".to_owned(),
        "letter" => "letter".to_owned(),
        "records" => "data0".to_owned(),
        _ => match field.split_once('.') {
            Some(("contact", rest)) => format!("contact_{rest}"),
            Some(("letter", rest)) => format!("letter_{rest}"),
            Some(("records", rest)) => {
                let (at, part) = rest.split_once('.').unwrap_or((rest, "data"));
                format!("{}{at}", if part == "type" { "type" } else { "data" })
            }
            _ => field.to_owned(),
        },
    }
}
