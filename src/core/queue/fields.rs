//! The fields of an application in one table: what is needed, how a text is tidied, and which lines
//! of the check sheet a field is about. A correction opens the fields of the lines at fault, and a changed
//! field has its lines checked again.

use super::application::Application;
use super::labels;
use super::line::LineCode::{
    self, A1, A2, A3, A4, A5, A6, A7, A8, A9, A10, A11, M1, M2, M3, M4, M5, M6, M7, M8, M9, M10,
};

/// Longest short text (name, office, telephone), in characters.
pub(super) const SHORT_MAX: usize = 200;
/// Longest free text, in characters.
pub const LONG_MAX: usize = 4_000;

//------------ Field ---------------------------------------------------------

/// One field of an application.
pub struct Field {
    /// The name in JSON; a part of an object stands behind a dot.
    pub name: &'static str,
    /// Whether it must be filled in, whatever the kind and class.
    pub needed: bool,
    /// Its value.
    value: Value,
    /// The lines it is about: their verdicts do not outlast a change of it.
    pub(super) lines: &'static [LineCode],
}

/// How a field is read and written.
enum Value {
    /// A text that people write.
    Text(Form, fn(&Application) -> &str, fn(&mut Application, String)),
    /// Anything else: only compared.
    Other(fn(&Application, &Application) -> bool),
}

/// What sort of text a field holds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Form {
    /// A word, a number or a date: blanks around it are dropped.
    Code,
    /// A mail address.
    Mailbox,
    /// Free text on one line.
    Line,
    /// Free text.
    Prose,
}

impl Field {
    /// The value as text; empty where there is none.
    pub fn get<'a>(&self, application: &'a Application) -> &'a str {
        match self.value {
            Value::Text(_, get, _) => get(application),
            Value::Other(_) => "",
        }
    }

    /// Takes a text over; a field that is no text is left alone.
    pub fn set(&self, application: &mut Application, text: &str) {
        if let Value::Text(_, _, set) = self.value {
            set(application, text.to_owned());
        }
    }

    /// Whether a change of it may mend what is wrong with a line.
    pub fn is_about(&self, line: LineCode) -> bool {
        self.lines.contains(&line)
    }

    /// Whether two revisions differ in it.
    pub(super) fn differs(&self, old: &Application, new: &Application) -> bool {
        match self.value {
            Value::Text(_, get, _) => get(old) != get(new),
            Value::Other(differs) => differs(old, new),
        }
    }

    /// The text as it is kept: without control characters and numbers that may be a NIK, where it is
    /// free text.
    pub(super) fn tidied(&self, text: &str) -> String {
        match self.value {
            Value::Text(Form::Line, ..) => labels::clean_line(text),
            Value::Text(Form::Prose, ..) => labels::clean_text(text),
            _ => text.trim().to_owned(),
        }
    }

    /// Characters it may have at most, where it is free text or a mailbox.
    pub fn limit(&self) -> Option<usize> {
        match self.value {
            Value::Text(Form::Line | Form::Mailbox, ..) => Some(SHORT_MAX),
            Value::Text(Form::Prose, ..) => Some(LONG_MAX),
            _ => None,
        }
    }

    /// Whether it is a line of free text that holds a link. Such lines stand in mails of the office, which are
    /// trusted for its sake.
    pub(super) fn holds_link(&self, application: &Application) -> bool {
        matches!(self.value, Value::Text(Form::Line, ..))
            && labels::holds_link(self.get(application))
    }

    /// Whether it is free text that holds a number which may be a NIK.
    pub(super) fn holds_personal_number(&self, application: &Application) -> bool {
        let text = self.get(application);
        matches!(self.value, Value::Text(Form::Line | Form::Prose, ..))
            && labels::mask_personal_numbers(text) != text
    }
}

/// The field of a JSON name.
pub fn field(name: &str) -> Option<&'static Field> {
    FIELDS.iter().find(|field| field.name == name)
}

/// The JSON names, without their parts, of the fields two revisions differ in.
pub fn changed(old: &Application, new: &Application) -> Vec<&'static str> {
    let fields = FIELDS.iter().filter(|field| field.differs(old, new));
    let mut names: Vec<&str> =
        fields.map(|field| field.name.split('.').next().unwrap_or(field.name)).collect();
    names.dedup();
    names
}

//------------ The table -----------------------------------------------------

/// The lines on the unit that applies.
const UNIT: &[LineCode] = &[A5, M2, M4, M5, M6, M8];
/// The lines on the name.
const NAME: &[LineCode] = &[A1, A2, A3, A4, A6, A9, M4, M5, M10];
/// The lines on the records.
const RECORDS: &[LineCode] = &[A7, A8, A10, M5, M7, M10];
/// The lines on the person responsible.
const PERSON: &[LineCode] = &[M3, M5];
/// The lines on the letter.
const LETTER: &[LineCode] = &[A11, M1, M2, M5, M8];
/// The lines on the mailbox.
const MAILBOX: &[LineCode] = &[A11, M3, M5];
/// The lines on the term.
const TERM: &[LineCode] = &[M5, M9];

/// A text that people write; `needed` ones have no default.
const fn text(
    name: &'static str,
    form: Form,
    needed: bool,
    lines: &'static [LineCode],
    get: fn(&Application) -> &str,
    set: fn(&mut Application, String),
) -> Field {
    Field { name, needed, value: Value::Text(form, get, set), lines }
}

/// A field that is no text.
const fn other(
    name: &'static str,
    lines: &'static [LineCode],
    differs: fn(&Application, &Application) -> bool,
) -> Field {
    Field { name, needed: false, value: Value::Other(differs), lines }
}

/// An optional text; a blank one is none.
fn some(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

/// All fields, in the order of the JSON. The zone and the kind of a request never change; which
/// words a kind or class may be is tested where they are read.
#[rustfmt::skip]
pub const FIELDS: [Field; 22] = [
    text("kind", Form::Code, false, &[], |a| a.kind.as_str(),
         |a, text| a.kind = text.parse().unwrap_or(a.kind)),
    text("class", Form::Code, false, UNIT, |a| a.class.as_str(),
         |a, text| a.class = text.parse().unwrap_or(a.class)),
    text("name", Form::Code, false, NAME, |a| &a.name, |a, text| a.name = text),
    text("zone", Form::Code, false, &[], |a| &a.zone, |a, text| a.zone = text),
    other("records", RECORDS, |old, new| old.records != new.records),
    text("office", Form::Line, true, UNIT, |a| &a.office, |a, text| a.office = text),
    text("region", Form::Code, false, UNIT, |a| a.region.as_deref().unwrap_or_default(),
         |a, text| a.region = some(text)),
    text("purpose", Form::Prose, true, &[M5, M6, M8], |a| &a.purpose, |a, text| a.purpose = text),
    text("contact.name", Form::Line, true, PERSON, |a| &a.contact.name,
         |a, text| a.contact.name = text),
    text("contact.position", Form::Line, true, PERSON, |a| &a.contact.position,
         |a, text| a.contact.position = text),
    text("contact.email", Form::Mailbox, true, MAILBOX, |a| &a.contact.email,
         |a, text| a.contact.email = text),
    text("contact.phone", Form::Line, true, PERSON, |a| &a.contact.phone,
         |a, text| a.contact.phone = text),
    text("contact.nip", Form::Code, false, PERSON, |a| a.contact.nip.as_deref().unwrap_or_default(),
         |a, text| a.contact.nip = some(text)),
    text("letter.number", Form::Line, true, LETTER, |a| &a.letter.number,
         |a, text| a.letter.number = text),
    text("letter.date", Form::Code, false, LETTER, |a| &a.letter.date,
         |a, text| a.letter.date = text),
    other("letter.sha256", LETTER, |old, new| old.letter.sha256 != new.letter.sha256),
    text("starts", Form::Code, false, TERM, |a| a.starts.as_deref().unwrap_or_default(),
         |a, text| a.starts = some(text)),
    text("ends", Form::Code, false, TERM, |a| a.ends.as_deref().unwrap_or_default(),
         |a, text| a.ends = some(text)),
    text("hosting_by", Form::Code, false, RECORDS, |a| a.hosting_by.as_deref().unwrap_or_default(),
         |a, text| a.hosting_by = some(text)),
    text("exception", Form::Prose, false, &[A1, A3, M4], |a| a.exception.as_deref().unwrap_or_default(),
         |a, text| a.exception = some(text)),
    other("lift", &[M5], |old, new| old.lift != new.lift),
    other("inverse_of", &[M5], |old, new| old.inverse_of != new.inverse_of),
];

#[cfg(test)]
mod tests;
