//! What was sent, read once: names, records and times with types.
//!
//! ```text
//! Application ──Reading::of──► Reading ──parse──► ParsedApplication
//! text, as sent               each part,          every part has its type:
//!                             or that it is wrong what a Request holds
//! ```
//! The automatic lines are computed from a [`Reading`], so that an applicant sees all faults at
//! once. A request holds a [`ParsedApplication`] only; both dereference to the text as it was sent.
//! A stored body is the text; it is read when it is opened.

use std::fmt;
use std::ops::Deref;

use serde::{Deserialize, Serialize, Serializer};

use super::application::Application;
use super::fault::{Fault, Rule};
use super::records::ParsedRecord;
use super::time::{DAY_MS, moment};
use crate::wire::Name;

//------------ Place ---------------------------------------------------------

/// A name and the zone it lies in, both absolute and in lower case: what live records go by.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Place {
    /// The absolute name.
    pub name: Name,
    /// The apex of the zone.
    pub zone: Name,
}

impl Place {
    /// A name in a zone.
    pub fn new(name: &Name, zone: &Name) -> Self {
        Self { name: name.as_ref().to_lowercase(), zone: zone.as_ref().to_lowercase() }
    }

    /// A stored place, if both parts are domain names.
    pub fn read(name: &str, zone: &str) -> Option<Self> {
        Some(Self::new(&name.parse().ok()?, &zone.parse().ok()?))
    }

    /// The place of `below` in `zone`, if together they are a domain name.
    fn of(below: &str, zone: &Name) -> Option<Self> {
        let dot = if zone.as_ref().is_root() { "" } else { "." };
        let name: Name = format!("{below}{dot}{zone}").parse().ok()?;
        Some(Self::new(&name, zone))
    }
}

/// A [`Name`] as text in stored bodies.
pub(super) mod name_text {
    use serde::{Deserialize, Deserializer, Serializer, de};

    use crate::wire::Name;

    /// Writes it.
    pub(in crate::queue) fn serialize<S: Serializer>(
        name: &Name,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_str(name)
    }

    /// Reads it; text that is no domain name is an error.
    pub(in crate::queue) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Name, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(|error| de::Error::custom(format!("{text:?}: {error}")))
    }
}

//------------ Reading -------------------------------------------------------

/// An application read part by part: a typed value where a part parses, nothing where it does not.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Reading {
    /// What was sent.
    sent: Application,
    /// The zone.
    apex: Option<Name>,
    /// The name in its zone.
    place: Option<Place>,
    /// Each record, or the rule it breaks.
    parsed: Vec<Result<ParsedRecord, Rule>>,
    /// *berlaku mulai*, epoch milliseconds.
    starts_at: Option<i64>,
    /// *berlaku sampai*, epoch milliseconds.
    ends_at: Option<i64>,
    /// The end of the day by which the site is to have a place, epoch milliseconds.
    hosting_at: Option<i64>,
}

impl Reading {
    /// Reads an application.
    pub fn of(sent: Application) -> Self {
        let apex: Option<Name> = sent.zone.parse().ok();
        let place = apex.as_ref().and_then(|apex| Place::of(&sent.name, apex));
        let parsed = sent.records.iter().map(ParsedRecord::sent).collect();
        // A start counts from the beginning of its day, an end to the end of it.
        let starts_at = sent.starts.as_deref().and_then(|text| moment(text, 0));
        let ends_at = sent.ends.as_deref().and_then(|text| moment(text, DAY_MS));
        let hosting_at = sent.hosting_by.as_deref().and_then(|text| moment(text, DAY_MS));
        Self { sent, apex, place, parsed, starts_at, ends_at, hosting_at }
    }

    /// The same with the hash of the letter that came with it: the desk takes it, not the sender.
    pub fn with_letter(mut self, sha256: Option<String>) -> Self {
        self.sent.letter.sha256 = sha256;
        self
    }

    /// The zone, if it is a domain name.
    pub fn apex(&self) -> Option<&Name> {
        self.apex.as_ref()
    }

    /// The name in its zone, if it is a domain name.
    pub fn place(&self) -> Option<&Place> {
        self.place.as_ref()
    }

    /// One record, or the rule it breaks.
    pub(super) fn record(&self, index: usize) -> Result<&ParsedRecord, Rule> {
        self.parsed[index].as_ref().map_err(|rule| *rule)
    }

    /// The records that parse, each with its place in the list.
    pub fn parsed_records(&self) -> impl Iterator<Item = (usize, &ParsedRecord)> {
        self.parsed.iter().enumerate().filter_map(|(index, it)| Some((index, it.as_ref().ok()?)))
    }

    /// When promotion may happen, in epoch milliseconds; at once if there is none.
    pub fn starts_at(&self) -> Option<i64> {
        self.starts_at
    }

    /// When the name is taken out again, in epoch milliseconds.
    pub fn ends_at(&self) -> Option<i64> {
        self.ends_at
    }

    /// The end of the day by which the site is to have a place, in epoch milliseconds.
    pub fn hosting_at(&self) -> Option<i64> {
        self.hosting_at
    }

    /// Dates that are no dates.
    pub(super) fn bad_dates(&self) -> Vec<Fault> {
        let of = |field, text: &Option<String>, read: Option<i64>| {
            let text = text.as_deref().filter(|_| read.is_none())?;
            Some(Fault::new(field, Rule::BadDate, text))
        };
        let dates = [
            of("starts", &self.sent.starts, self.starts_at),
            of("ends", &self.sent.ends, self.ends_at),
            of("hosting_by", &self.sent.hosting_by, self.hosting_at),
        ];
        dates.into_iter().flatten().collect()
    }

    /// The application with every part typed, or the parts that do not parse.
    pub fn parse(self) -> Result<ParsedApplication, Vec<Fault>> {
        let mut faults = self.bad_dates();
        for (index, record) in self.parsed.iter().enumerate() {
            if let Err(rule) = record {
                let field = format!("records.{index}.data");
                faults.push(Fault::new(field, *rule, &self.sent.records[index].data));
            }
        }
        match self.place.clone() {
            Some(place) if faults.is_empty() => Ok(ParsedApplication { reading: self, place }),
            Some(_) => Err(faults),
            None => {
                let (field, rule, text) = match self.apex {
                    None => ("zone", Rule::NotInZone, &self.sent.zone),
                    Some(_) => ("name", Rule::NameEmpty, &self.sent.name),
                };
                faults.push(Fault::new(field, rule, text));
                Err(faults)
            }
        }
    }
}

impl From<Application> for Reading {
    fn from(sent: Application) -> Self {
        Self::of(sent)
    }
}

/// The text as it was sent.
impl Deref for Reading {
    type Target = Application;

    fn deref(&self) -> &Application {
        &self.sent
    }
}

//------------ ParsedApplication ---------------------------------------------

/// An application of which every part parses; serialized as the text it was read from.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(try_from = "Application")]
pub struct ParsedApplication {
    /// Its parts.
    reading: Reading,
    /// The name in its zone.
    place: Place,
}

impl ParsedApplication {
    /// The name in its zone.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// The records to be served at the name.
    pub fn rrs(&self) -> impl Iterator<Item = &ParsedRecord> {
        self.reading.parsed.iter().flatten()
    }

    /// The same without what says something of persons.
    pub(super) fn without_persons(mut self) -> Self {
        self.reading.sent = self.reading.sent.without_persons();
        self
    }
}

/// What was read of it.
impl Deref for ParsedApplication {
    type Target = Reading;

    fn deref(&self) -> &Reading {
        &self.reading
    }
}

impl TryFrom<Application> for ParsedApplication {
    type Error = Unreadable;

    fn try_from(sent: Application) -> Result<Self, Unreadable> {
        Reading::of(sent).parse().map_err(Unreadable)
    }
}

impl Serialize for ParsedApplication {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.reading.sent.serialize(serializer)
    }
}

/// A stored application that does not parse.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Unreadable(Vec<Fault>);

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let faults = self.0.iter().map(|fault| format!("{}: {}", fault.field, fault.detail()));
        f.write_str(&faults.collect::<Vec<_>>().join("; "))
    }
}

#[cfg(test)]
mod tests;
