//! A request being filled in: fields by name, the letter, and how they become an [`Application`].

use std::collections::BTreeMap;

use axum::http::StatusCode;

use super::failure::Failure;
use super::limits::network;
use super::progress::TARGET;
use super::sent::Sent;
use super::state::State;
use super::visitor::Visitor;
use crate::desk::{DraftContent, DraftLetter};
use crate::people::sha256_hex;
use crate::queue::regions::Level;
use crate::queue::{
    Application, Fault, Kind, LineCode, NamingClass, RequestedRecord, fields, records_to,
};
use crate::uploads::{Letter, Sender};
use crate::view::RequestView;

/// Rows of records a form has.
pub(super) const RECORD_ROWS: usize = 3;
/// TTL of records asked for on the pages, in seconds.
const TTL: u32 = 3600;
/// How the site is reached: by an IP address,
pub(super) const BY_ADDRESS: &str = "ip";
/// by the name of a server,
pub(super) const BY_SERVER: &str = "server";
/// not yet,
pub(super) const LATER: &str = "belum";
/// or by records that somebody writes who knows them.
pub(super) const EXPERT: &str = "ahli";
/// What the form sends for a suspension that is to be lifted.
pub(super) const LIFT: &str = "ya";
/// The field that names the request whose change is taken back.
const UNDONE: &str = "inverse_of";
/// Octets of all fields of a draft.
const FIELDS_MAX: usize = 64 * 1024;

/// What has been filled in so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Draft {
    /// Values by field name.
    pub(super) fields: BTreeMap<String, String>,
    /// The letter.
    pub(super) letter: Option<ChosenLetter>,
}

/// A letter that was chosen and read.
#[derive(Clone, Debug)]
pub(super) struct ChosenLetter {
    /// The name the sender's machine gave it.
    pub(super) name: String,
    /// The letter.
    pub(super) letter: Letter,
}

impl Draft {
    /// Names what it holds: another tab of the browser may fill in something else meanwhile.
    pub(super) fn mark(&self) -> String {
        let letter = self.letter.as_ref().map(|chosen| chosen.letter.mark()).unwrap_or_default();
        let fields: Vec<String> =
            self.fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
        sha256_hex(format!("{letter}\n{}", fields.join("\n")))
    }

    /// The draft of this browser, or an empty one.
    pub(super) async fn load(state: &State, visit: &str) -> Result<Self, Failure> {
        let hash = sha256_hex(visit);
        let kept = state.work(move |state: &State| state.desk().draft(&hash)).await??;
        Ok(kept.map(Self::of_content).unwrap_or_default())
    }

    /// The draft that was kept.
    pub(super) fn of_content(DraftContent { fields, letter }: DraftContent) -> Self {
        let letter = letter.and_then(|kept| {
            let letter = Letter::put_aside(kept.bytes, &kept.mark)?;
            Some(ChosenLetter { name: kept.name, letter })
        });
        Self { fields, letter }
    }

    /// What is kept of it.
    fn content(&self) -> DraftContent {
        let letter = self.letter.as_ref().map(|chosen| DraftLetter {
            name: chosen.name.clone(),
            mark: chosen.letter.mark(),
            bytes: chosen.letter.bytes().to_vec(),
        });
        DraftContent { fields: self.fields.clone(), letter }
    }

    /// Keeps the draft. Where room is scarce, those nobody has touched for an hour are dropped on the
    /// way.
    pub(super) async fn save(&self, state: &State, visitor: &Visitor) -> Result<(), Failure> {
        self.keep(state, visitor, false).await
    }

    /// Keeps it in the place of another, which may be somebody else's: links to that one end.
    pub(super) async fn begin(&self, state: &State, visitor: &Visitor) -> Result<(), Failure> {
        self.keep(state, visitor, true).await
    }

    /// Keeps it, as another than was kept or as the same.
    async fn keep(&self, state: &State, visitor: &Visitor, begins: bool) -> Result<(), Failure> {
        let length: usize = self.fields.iter().map(|(name, text)| name.len() + text.len()).sum();
        if length > FIELDS_MAX {
            return Err(Failure::new(StatusCode::PAYLOAD_TOO_LARGE, "fail-long"));
        }
        let network = match visitor.officer() {
            Some(_) => String::new(),
            None => state.network_tag(visitor.address),
        };
        let (content, hash) = (self.content(), sha256_hex(&visitor.visit));
        let job = move |state: &State| {
            let limits = &state.settings().drafts;
            state.desk().save_draft(hash, network, (&content, begins), limits)
        };
        Ok(state.work(job).await??)
    }

    /// Drops the draft of this browser.
    pub(super) async fn drop_of(state: &State, visit: &str) -> Result<(), Failure> {
        let hash = sha256_hex(visit);
        Ok(state.work(move |state: &State| state.desk().drop_draft(&hash)).await??)
    }

    /// Drops the draft of this browser if it takes a change back: only officers begin such a one, and whoever
    /// sits here next may be none.
    pub(super) async fn drop_rollback_of(state: &State, visit: &str) -> Result<(), Failure> {
        if Self::load(state, visit).await?.get(UNDONE).is_empty() {
            return Ok(());
        }
        Self::drop_of(state, visit).await
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
    }

    /// Reads the letter that came with a form, if one did, and takes it over; else says what is wrong
    /// with it, and the one before stays.
    pub(super) async fn take_letter(&mut self, state: &State, sent: &mut Sent) -> Option<Fault> {
        let upload = sent.upload.take()?;
        let of = match sent.visitor.officer() {
            Some(_) => Sender::Officer,
            None => Sender::Stranger(network(sent.visitor.address)),
        };
        match state.letters().read(upload.bytes, of).await {
            Ok(letter) => {
                self.letter = Some(ChosenLetter { name: upload.name, letter });
                None
            }
            Err(fault) => Some(fault),
        }
    }

    /// The draft of a request that exists, for its correction.
    pub(super) fn of_view(request: &RequestView) -> Result<Self, Failure> {
        Ok(Self::of_json(&serde_json::to_value(request).map_err(Failure::internal)?))
    }

    /// The draft of a request that is filled in already.
    pub(super) fn of_application(application: &Application) -> Result<Self, Failure> {
        let json = serde_json::to_value(application).map_err(Failure::internal)?;
        Ok(Self::of_json(&json))
    }

    /// The draft of a request that takes a change back.
    pub(super) fn of_rollback(application: &Application) -> Result<Self, Failure> {
        let mut draft = Self::of_application(application)?;
        let undone = application.inverse_of.clone().unwrap_or_default();
        draft.fields.insert(UNDONE.to_owned(), undone);
        Ok(draft)
    }

    /// The draft of a request in JSON.
    fn of_json(request: &serde_json::Value) -> Self {
        let mut draft = Self::default();
        for field in FORM.iter().filter(|field| fields::field(field.json).is_some()) {
            let path = format!("/{}", field.json.replace('.', "/"));
            let text = request.pointer(&path).and_then(serde_json::Value::as_str);
            draft.fields.insert(field.name(), text.unwrap_or_default().to_owned());
        }
        let records = request.pointer("/records").and_then(serde_json::Value::as_array);
        for (at, record) in records.into_iter().flatten().enumerate() {
            for part in ["type", "data"] {
                let text = record.get(part).and_then(serde_json::Value::as_str);
                draft.fields.insert(format!("{part}{at}"), text.unwrap_or_default().to_owned());
            }
        }
        if let Some(plain) = draft.plain_target() {
            draft.fields.insert("target_any".to_owned(), plain);
        }
        if request.pointer("/lift") == Some(&true.into()) {
            draft.fields.insert("lift".to_owned(), LIFT.to_owned());
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

    /// The level of the unit that must be chosen from the list, where the class has one.
    pub(super) fn level(&self) -> Option<Level> {
        match self.class()? {
            NamingClass::Desa => Some(Level::Desa),
            NamingClass::Kelurahan => Some(Level::Kelurahan),
            NamingClass::Kecamatan => Some(Level::Kecamatan),
            _ => None,
        }
    }

    /// Whether a record was filled in.
    pub(super) fn has_records(&self) -> bool {
        (0..RECORD_ROWS).any(|at| !self.get(&format!("data{at}")).is_empty())
    }

    /// Whether it is said that there is no site yet, and by when there will be.
    pub(super) fn waits_for_hosting(&self) -> bool {
        self.get("target") == LATER && !self.get("hosting_by").is_empty()
    }

    /// The page that asks for the address of the site; none where a choice of the list says it all.
    pub(super) fn place_of_target(&self) -> Option<String> {
        let how = self.get("target");
        let asks = matches!(how, BY_ADDRESS | BY_SERVER | LATER | EXPERT);
        asks.then(|| format!("{TARGET}/{how}"))
    }

    /// Drops all records.
    pub(super) fn clear_target(&mut self) {
        for at in 0..RECORD_ROWS {
            self.fields.remove(&format!("type{at}"));
            self.fields.remove(&format!("data{at}"));
        }
    }

    /// Puts records in the place of those before: addresses, or the name of a server.
    pub(super) fn set_target(&mut self, text: &str) {
        self.clear_target();
        for (at, record) in records_to(text).into_iter().take(RECORD_ROWS).enumerate() {
            self.fields.insert(format!("type{at}"), record.rtype);
            self.fields.insert(format!("data{at}"), record.data);
        }
    }

    /// The records in one line, where they are addresses or the name of one server.
    pub(super) fn plain_target(&self) -> Option<String> {
        let rows = (0..RECORD_ROWS)
            .map(|at| (self.get(&format!("type{at}")), self.get(&format!("data{at}"))));
        let rows: Vec<_> = rows.filter(|(_, data)| !data.is_empty()).collect();
        let is_plain = |(rtype, _): &(&str, &str)| matches!(*rtype, "A" | "AAAA" | "CNAME");
        let words: Vec<&str> = rows.iter().map(|(_, data)| *data).collect();
        (!rows.is_empty() && rows.iter().all(is_plain)).then(|| words.join(" "))
    }

    /// Whether the kind asks for records.
    pub(super) fn wants_records(&self) -> bool {
        self.kind().is_none_or(Kind::brings_records)
    }

    /// Whether it is a renewal that comes without a letter, as one may that changes nothing.
    pub(super) fn goes_without_letter(&self) -> bool {
        let typed = ["letter_number", "letter_date"].iter().any(|name| !self.get(name).is_empty());
        self.kind() == Some(Kind::Renew) && self.letter.is_none() && !typed
    }

    /// The data as `desk` takes it.
    pub(super) fn application(&self, zone: &str) -> Application {
        let rows = (0..RECORD_ROWS).filter(|_| self.wants_records());
        let rows = rows.map(|at| (self.get(&format!("type{at}")), self.get(&format!("data{at}"))));
        let records = rows.filter(|(_, data)| !data.is_empty()).map(|(rtype, data)| {
            RequestedRecord { rtype: rtype.to_owned(), data: data.to_owned(), ttl: TTL }
        });
        let mut application = Application {
            records: records.collect(),
            lift: self.get("lift") == LIFT,
            inverse_of: Some(self.get(UNDONE)).filter(|it| !it.is_empty()).map(str::to_owned),
            ..Application::blank(zone)
        };
        for field in &FORM {
            if let Some(known) = fields::field(field.json) {
                known.set(&mut application, self.get(&field.name()));
            }
        }
        application
    }
}

//------------ The form ------------------------------------------------------

/// A field of the form, and the field of the application it fills.
pub(super) struct FormField {
    /// The name in the application's JSON.
    pub(super) json: &'static str,
    /// The step it is on.
    pub(super) step: u8,
    /// The message that is its label.
    pub(super) label: &'static str,
    /// Whether a step asks for it before anything else is tested.
    pub(super) needed: bool,
}

impl FormField {
    /// The name in the form; records have several rows, so theirs is the first row's.
    pub(super) fn name(&self) -> String {
        field_of(self.json)
    }
}

/// For [`FORM`].
const fn on(step: u8, json: &'static str, label: &'static str, needed: bool) -> FormField {
    FormField { json, step, label, needed }
}

/// The fields of the form, in the order the steps ask for them. A date of a term, the region and the
/// letter's file are needed or not by what was said before.
pub(super) const FORM: [FormField; 19] = [
    on(1, "kind", "apply-kind", true),
    on(1, "class", "apply-class", true),
    on(2, "office", "apply-office", true),
    on(2, "region", "apply-region", false),
    on(2, "contact.name", "apply-contact-name", true),
    on(2, "contact.position", "apply-contact-position", true),
    on(2, "contact.nip", "link-nip", false),
    on(2, "contact.email", "apply-contact-email", true),
    on(2, "contact.phone", "apply-contact-phone", true),
    on(3, "name", "apply-name", true),
    on(3, "purpose", "apply-purpose", true),
    on(3, "lift", "apply-lift", false),
    on(3, "ends", "apply-ends", false),
    on(3, "exception", "apply-exception", false),
    on(4, "records", "apply-data", true),
    on(4, "hosting_by", "apply-hosting-by", false),
    on(4, "starts", "apply-starts", false),
    on(5, "letter.number", "apply-letter-number", true),
    on(5, "letter.date", "apply-letter-date", true),
];

/// The step a field of the form is on; the letter's file, and what no step asks for, on the
/// last.
pub(super) fn step_of(name: &str) -> u8 {
    if ["type", "data", "target"].iter().any(|front| name.starts_with(front)) {
        return 4;
    }
    FORM.iter().find(|field| field.name() == name).map_or(5, |field| field.step)
}

/// The steps of a correction: those with a field that one of these lines is about, or all. Kind and class
/// of a request stay.
pub(super) fn steps_about(lines: &[LineCode], wants_records: bool) -> Vec<u8> {
    let about = |field: &FormField| {
        let known = fields::field(field.json);
        known.is_some_and(|known| lines.iter().any(|line| known.is_about(*line)))
    };
    let mut steps: Vec<u8> = FORM.iter().map(|field| field.step).collect();
    steps.dedup();
    steps.retain(|step| *step > 1 && (*step != 4 || wants_records));
    let is_named = |step: &u8| FORM.iter().any(|field| field.step == *step && about(field));
    let named: Vec<u8> = steps.iter().copied().filter(is_named).collect();
    if named.is_empty() { steps } else { named }
}

/// The label of a field, by its name in JSON.
pub(super) fn label(json: &str) -> &'static str {
    FORM.iter().find(|field| field.json == json).map_or("", |field| field.label)
}

/// The field of the form that a field of the JSON means.
pub(super) fn field_of(json: &str) -> String {
    match json.split_once('.') {
        None if json == "contact" => "contact_name".to_owned(),
        None if json == "records" => "data0".to_owned(),
        Some(("records", rest)) => {
            let (at, part) = rest.split_once('.').unwrap_or((rest, "data"));
            format!("{}{at}", if part == "type" { "type" } else { "data" })
        }
        _ => json.replace('.', "_"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_asks_for_every_field_an_applicant_must_fill_in() {
        for field in fields::FIELDS.iter().filter(|field| field.needed) {
            let asked = FORM.iter().find(|form| form.json == field.name);
            assert!(asked.is_some_and(|form| form.needed), "{}", field.name);
        }
        for form in &FORM {
            assert!(fields::field(form.json).is_some(), "{}", form.json);
            assert_eq!(step_of(&form.name()), form.step, "{}", form.json);
        }
    }

    #[test]
    fn a_correction_opens_what_can_mend_the_lines_at_fault() {
        use LineCode::{A5, A7, A11, M1, M2, M5, M7, M9};
        for (lines, steps) in [
            (&[M1][..], &[5][..]),
            (&[M2], &[2, 5]),
            (&[A5], &[2]),
            (&[A11], &[2, 5]),
            (&[A7, M9], &[3, 4]),
            (&[M5], &[2, 3, 4, 5]),
            (&[], &[2, 3, 4, 5]),
        ] {
            assert_eq!(steps_about(lines, true), steps, "{lines:?}");
        }
        assert_eq!(steps_about(&[M7], false), [2, 3, 5], "nothing of it can be shown");
        // What gapura asks for by itself is not corrected.
        for line in LineCode::ALL.into_iter().filter(|line| *line != LineCode::M11) {
            let is_of_one = fields::FIELDS.iter().any(|field| field.is_about(line));
            assert!(is_of_one, "no field is about {line}");
        }
    }

    #[test]
    fn fields_of_the_json_are_found_in_the_form() {
        for (json, form) in [
            ("contact", "contact_name"),
            ("contact.email", "contact_email"),
            ("letter", "letter"),
            ("letter.date", "letter_date"),
            ("records", "data0"),
            ("records.1.ttl", "data1"),
            ("records.2.type", "type2"),
            ("name", "name"),
        ] {
            assert_eq!(field_of(json), form, "{json}");
        }
    }

    #[test]
    fn a_correction_starts_from_what_was_asked_for() {
        let request = serde_json::json!({
            "kind": "suspend", "class": "desa", "name": "contoh.desa", "lift": true,
            "region": null, "contact": { "email": "desa@example.id" }, "letter": { "date": "2026-11-23" },
            "records": [ { "type": "A", "data": "192.0.2.1", "ttl": 60 } ]
        });
        let draft = Draft::of_json(&request);
        let application = draft.application("cirebonkab.go.id.");
        assert!(application.lift, "a lifting stays a lifting");
        assert_eq!((draft.get("type0"), draft.get("data0")), ("A", "192.0.2.1"));
        assert_eq!(application.name, "contoh.desa");
        assert_eq!(
            (application.contact.email.as_str(), application.region),
            ("desa@example.id", None)
        );
    }

    #[test]
    fn what_was_filled_in_becomes_the_application() {
        let mut draft = Draft::default();
        for (name, text) in [
            ("kind", "suspend"),
            ("class", "desa"),
            ("name", "contoh.desa"),
            ("contact_email", "desa@example.id"),
            ("letter_date", "2026-11-23"),
            ("lift", LIFT),
            ("type0", "A"),
            ("data0", "192.0.2.1"),
        ] {
            draft.fields.insert(name.to_owned(), text.to_owned());
        }
        let application = draft.application("cirebonkab.go.id.");
        assert_eq!((application.kind, application.class), (Kind::Suspend, NamingClass::Desa));
        assert_eq!(application.name, "contoh.desa");
        assert_eq!(application.contact.email, "desa@example.id");
        assert_eq!(application.letter.date, "2026-11-23");
        assert_eq!((application.lift, application.records.len()), (true, 0));
        assert_eq!((application.region, application.starts), (None, None));
    }
}
