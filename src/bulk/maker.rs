//! Turns a row into an application, or reports what is wrong with its cells.

use std::collections::BTreeMap;

use super::columns::{class_of, office_of};
use super::table::{Table, TextRow};
use crate::queue::automatic::tidy;
use crate::queue::regions::{Unit, find_office, slug};
use crate::queue::{Application, Fault, Kind, Naming, NamingClass, Rule, fields, records_to};
use crate::words::{Lang, Said, Words};

/// Columns whose values spreadsheets take for numbers and rewrite.
const NUMBERS: [&str; 3] = ["contact.nip", "contact.phone", "region"];

/// Makes applications of rows.
pub struct Maker<'a> {
    /// Names, regions, offices.
    pub naming: &'a Naming,
    /// The zone, absolute.
    pub zone: &'a str,
    /// Where sites may be hosted: name and target.
    pub hostings: &'a [(String, String)],
}

/// A row as a request.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Made {
    /// What is asked for.
    pub application: Application,
    /// The letter's file by its name in the ZIP; empty = the one letter of all.
    pub letter: String,
    /// What is wrong with the cells themselves.
    pub faults: Vec<Fault>,
}

impl Maker<'_> {
    /// Makes an application of each row, with its line. If two rows ask for the same name, the second is a fault.
    pub fn make_all(&self, table: &Table) -> Vec<(u32, Made)> {
        let mut seen: BTreeMap<String, u32> = BTreeMap::new();
        let make = |row: &TextRow| {
            let mut made = self.make(row);
            let name = tidy(made.application.clone(), self.naming).name;
            if let Some(first) = seen.get(&name) {
                made.faults.push(Fault::new("name", Rule::TwiceInFile, first.to_string()));
            } else if !name.is_empty() {
                seen.insert(name, row.line);
            }
            (row.line, made)
        };
        table.rows.iter().map(make).collect()
    }

    /// Makes an application of a row.
    pub(super) fn make(&self, row: &TextRow) -> Made {
        let cell = |name: &str| row.cells.get(name).map_or("", String::as_str);
        let mut application = Application::blank(self.zone);
        application.kind = Kind::New;
        let mut faults = Vec::new();
        if row.is_long {
            faults.push(Fault::new("row", Rule::RowTooLong, ""));
        }
        for name in NUMBERS.into_iter().filter(|name| is_spoilt(cell(name))) {
            faults.push(Fault::new(name, Rule::CellSpoilt, cell(name)));
        }
        for (name, text) in &row.cells {
            let text = if is_date(name) { date(text) } else { text.clone() };
            if let Some(field) = fields::field(name) {
                field.set(&mut application, &text);
            }
        }
        let unit = self.unit(cell("region"));
        if unit.is_none() && !cell("region").is_empty() && !is_spoilt(cell("region")) {
            faults.push(Fault::new("region", Rule::UnknownRegion, cell("region")));
        }
        match class(cell("class")) {
            Some(class) => application.class = class,
            None => match unit {
                Some(unit) if cell("class").is_empty() => application.class = class_of(unit.level),
                _ if cell("class").is_empty() => {
                    faults.push(Fault::new("class", Rule::Empty, ""));
                }
                _ => faults.push(Fault::new("class", Rule::UnknownClass, cell("class"))),
            },
        }
        self.complete(&mut application, unit);
        application.records =
            records_to(self.hosting(cell("target")).unwrap_or_else(|| cell("target")));
        Made { application, letter: cell("letter").to_owned(), faults }
    }

    /// Fills in what follows from the unit or the office.
    fn complete(&self, application: &mut Application, unit: Option<&Unit>) {
        if let Some(unit) = unit {
            application.region = Some(unit.code.clone());
            if application.office.is_empty() {
                application.office = office_of(unit, Words::of(Lang::Id));
            }
            if application.name.is_empty() && application.class == class_of(unit.level) {
                application.name =
                    self.naming.names_of(unit).into_iter().next().unwrap_or_default();
            }
        }
        if application.name.is_empty() && application.class == NamingClass::PerangkatDaerah {
            let office = find_office(&self.naming.offices, &application.office);
            application.name = office.map(|office| office.short.clone()).unwrap_or_default();
        }
        application.name = self.naming.complete(application.class, &application.name);
    }

    /// The unit of a code, with or without its dots.
    fn unit(&self, code: &str) -> Option<&Unit> {
        let digits: String = code.chars().filter(char::is_ascii_digit).collect();
        let of = |unit: &&Unit| {
            unit.code.chars().filter(char::is_ascii_digit).eq(digits.chars()) && !digits.is_empty()
        };
        self.naming.regions.get(code).or_else(|| self.naming.regions.units().find(of))
    }

    /// The target of a hosting place given by name.
    fn hosting(&self, text: &str) -> Option<&str> {
        let named = |(name, _): &&(String, String)| slug(name) == slug(text);
        self.hostings.iter().find(named).map(|(_, target)| target.as_str())
    }
}

/// The class of a word: its own, or what it is called in either language.
fn class(text: &str) -> Option<NamingClass> {
    let languages = [Lang::Id, Lang::En].map(Words::of);
    let is_called = |class: &NamingClass| {
        slug(class.as_str()) == slug(text)
            || languages.iter().any(|t| slug(&class.say(*t)) == slug(text))
    };
    NamingClass::ALL.into_iter().find(is_called)
}

/// Whether a spreadsheet has turned it into another number: `8,12E+11`, or long digits with the last ones lost to zeros.
fn is_spoilt(text: &str) -> bool {
    let text = text.to_ascii_uppercase();
    let Some((front, power)) = text.split_once("E+") else { return false };
    let is_number = |text: &str| {
        !text.is_empty() && text.chars().all(|c| c.is_ascii_digit() || c == '.' || c == ',')
    };
    is_number(front) && is_number(power)
}

/// Whether a column holds a date.
fn is_date(name: &str) -> bool {
    matches!(name, "letter.date" | "starts" | "ends")
}

/// A date as the procedure reads it: `23/11/2026` is 2026-11-23. Anything else stays as it is.
fn date(text: &str) -> String {
    let parts: Vec<&str> = text.split(['/', '-', '.']).collect();
    let number = |text: &str, most: usize| {
        let is_number = !text.is_empty() && text.len() <= most;
        (is_number && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.to_owned())
    };
    let [day, month, year] = parts[..] else { return text.to_owned() };
    match (number(day, 2), number(month, 2), number(year, 4).filter(|year| year.len() == 4)) {
        (Some(day), Some(month), Some(year)) => format!("{year}-{month:0>2}-{day:0>2}"),
        _ => text.to_owned(),
    }
}
