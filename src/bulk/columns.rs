//! The columns of the table, and the empty table as a template.

use crate::queue::regions::{Level, Unit, slug};
use crate::queue::{Naming, NamingClass};
use crate::spreadsheet::disarmed;
use crate::words::{Lang, Said, Words};

/// One column.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Column {
    /// Its name: that of the field in the JSON of a request, where there is one.
    pub name: &'static str,
    /// Whether each row must fill it in.
    pub needed: bool,
}

/// A column that each row must fill in.
const fn needed(name: &'static str) -> Column {
    Column { name, needed: true }
}

/// A column that may be empty or missing.
const fn optional(name: &'static str) -> Column {
    Column { name, needed: false }
}

/// All columns, in the order of the table to fill in.
pub const COLUMNS: [Column; 17] = [
    optional("class"),
    optional("region"),
    optional("office"),
    optional("name"),
    needed("target"),
    needed("purpose"),
    needed("contact.name"),
    needed("contact.position"),
    optional("contact.nip"),
    needed("contact.email"),
    needed("contact.phone"),
    needed("letter.number"),
    needed("letter.date"),
    optional("letter"),
    optional("starts"),
    optional("ends"),
    optional("exception"),
];

impl Column {
    /// Its heading.
    pub fn label(self, t: Words) -> String {
        t.s(&format!("bulk-col-{}", self.name.replace('.', "-")))
    }

    /// The column with this heading: its name, or its label in either language.
    pub(super) fn of_head(head: &str) -> Option<Self> {
        let head = folded(head);
        let languages = [Lang::Id, Lang::En].map(Words::of);
        let is_called = |column: &Self| {
            folded(column.name) == head
                || languages.iter().any(|t| folded(&column.label(*t)) == head)
        };
        COLUMNS.into_iter().find(is_called)
    }
}

/// The column that fills a field of a request; a field without one concerns the whole row.
pub fn column_of(field: &str) -> Option<Column> {
    let name = match field.split('.').next().unwrap_or_default() {
        "records" => "target",
        _ => field,
    };
    COLUMNS.into_iter().find(|column| column.name == name)
}

/// A heading without differences of case, blanks and punctuation.
fn folded(head: &str) -> String {
    let text = head.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase);
    text.collect()
}

/// The table to fill in, as spreadsheets with Indonesian settings open it: a byte order mark and semicolons. With a
/// level, it has a row for each unit, prefilled with what is known of it.
pub fn template(t: Words, naming: &Naming, level: Option<Level>) -> String {
    let mut text = String::from("\u{feff}");
    let mut add = |cells: Vec<String>| {
        let cells: Vec<String> = cells.iter().map(|cell| quoted(cell)).collect();
        text.push_str(&cells.join(";"));
        text.push_str("\r\n");
    };
    add(COLUMNS.iter().map(|column| column.label(t)).collect());
    for unit in level.into_iter().flat_map(|level| naming.regions.of(level)) {
        let class = class_of(unit.level);
        let known = |column: &Column| match column.name {
            "class" => class.say(t),
            "region" => unit.code.clone(),
            "office" => office_of(unit, t),
            "name" => naming.names_of(unit).into_iter().next().unwrap_or_default(),
            _ => String::new(),
        };
        add(COLUMNS.iter().map(known).collect());
    }
    text
}

/// A cell that no spreadsheet takes for a formula, quoted if needed.
pub(super) fn quoted(cell: &str) -> String {
    let cell = disarmed(cell);
    if cell.contains([';', ',', '"', '\n', '\r']) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell
    }
}

/// The class of a unit.
pub(super) fn class_of(level: Level) -> NamingClass {
    match level {
        Level::Kecamatan => NamingClass::Kecamatan,
        Level::Kelurahan => NamingClass::Kelurahan,
        Level::Desa => NamingClass::Desa,
    }
}

/// What a unit is called as an office.
pub(super) fn office_of(unit: &Unit, t: Words) -> String {
    let class = class_of(unit.level).say(t);
    if slug(&unit.name).starts_with(&slug(&class)) {
        return unit.name.clone();
    }
    format!("{class} {}", unit.name)
}
