//! Text to a table: CSV with commas, semicolons or tabs, as spreadsheets write and paste it. All faults are
//! found at once, each with its line.

use std::collections::BTreeMap;

use super::super::fault::{Fault, Rule};
use super::super::regions::slug;
use super::{List, ROWS_MAX, TEXT_MAX, Table, cells, key};
use crate::spreadsheet::{Kind, Sheet, bare};

/// Faults told at most.
const FAULTS_MAX: usize = 50;

/// What is wrong with a line; the field is the name of a column.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RowFault {
    /// The line, from 1; 0 for the list as a whole.
    pub line: u64,
    /// What is wrong.
    pub fault: Fault,
}

impl RowFault {
    /// A fault of the list as a whole.
    fn whole(rule: Rule, about: impl Into<String>) -> Self {
        Self { line: 0, fault: Fault::new("list", rule, about) }
    }
}

impl Table {
    /// Reads a list. `fill` is what an empty last cell becomes where it is needed, as the source of
    /// holidays that were pasted without one.
    pub fn read(list: List, text: &str, fill: &str) -> Result<Self, Vec<RowFault>> {
        Self::read_rows(list, text, fill, &[])?.checked()
    }

    /// Reads rows that need not be a whole list, as those that are added to one: a village whose district
    /// is in the list already. `heads` are what the columns are called elsewhere, as on the page.
    pub fn read_rows(
        list: List,
        text: &str,
        fill: &str,
        heads: &[Vec<String>],
    ) -> Result<Self, Vec<RowFault>> {
        let text = text.trim_start_matches('\u{feff}');
        if text.len() > TEXT_MAX {
            return Err(vec![RowFault::whole(Rule::TooLong, TEXT_MAX.to_string())]);
        }
        let mut faults = Vec::new();
        let (mut rows, mut lines) = (Vec::new(), BTreeMap::new());
        for (line, cells) in cells_of(list, text) {
            if rows.is_empty() && is_heading(list, &cells, heads) {
                continue;
            }
            if rows.len() >= ROWS_MAX {
                faults.push(RowFault::whole(Rule::TooManyRows, ROWS_MAX.to_string()));
                break;
            }
            let Some(row) = read_row(list, cells, fill, line, &mut faults) else { continue };
            if let Some(first) = lines.insert(key(&row).to_owned(), line) {
                let about = format!("{} ({first})", key(&row));
                let fault = Fault::new(first_column(list), Rule::DoubledRow, about);
                faults.push(RowFault { line, fault });
            }
            rows.push(row);
        }
        faults.truncate(FAULTS_MAX);
        if faults.is_empty() { Ok(Self::of(list, rows)) } else { Err(faults) }
    }

    /// The same of one row.
    pub fn read_one(list: List, cells: Vec<String>) -> Result<Self, Vec<Fault>> {
        let mut faults = Vec::new();
        let row = read_row(list, cells, "", 1, &mut faults);
        match row {
            Some(row) if faults.is_empty() => Ok(Self::of(list, [row])),
            _ => Err(faults.into_iter().map(|it| it.fault).collect()),
        }
    }

    /// The table, if nothing is wrong with the list as a whole.
    pub fn checked(self) -> Result<Self, Vec<RowFault>> {
        let faults = self.faults();
        if faults.is_empty() { Ok(self) } else { Err(faults) }
    }

    /// What is wrong with the list as a whole.
    pub fn faults(&self) -> Vec<RowFault> {
        let list = self.list;
        if self.rows().is_empty() && !list.may_be_empty() {
            return vec![RowFault::whole(Rule::ListEmpty, "")];
        }
        match list {
            List::Hours
                if self.rows().iter().all(|row| row.last().is_none_or(String::is_empty)) =>
            {
                vec![RowFault::whole(Rule::ClosedWeek, "")]
            }
            List::Regions => self.without_district(),
            _ => Vec::new(),
        }
    }

    /// Villages whose district is not in the list.
    fn without_district(&self) -> Vec<RowFault> {
        let lost = self.rows().iter().filter(|row| {
            let code = key(row);
            code.len() > 8 && code.get(..8).is_none_or(|district| self.row(district).is_none())
        });
        lost.map(|row| RowFault::whole(Rule::NoDistrict, key(row))).take(FAULTS_MAX).collect()
    }
}

/// The name of the column that names a row.
fn first_column(list: List) -> &'static str {
    list.columns().first().copied().unwrap_or_default()
}

/// One line as a good row; none where it is no row of the list, or a bad one.
fn read_row(
    list: List,
    mut cells: Vec<String>,
    fill: &str,
    line: u64,
    faults: &mut Vec<RowFault>,
) -> Option<Vec<String>> {
    let columns = list.columns();
    while cells.len() > columns.len() && cells.last().is_some_and(String::is_empty) {
        cells.pop();
    }
    if cells.len() > columns.len() {
        let fault = Fault::new(first_column(list), Rule::RowWidth, columns.join(", "));
        faults.push(RowFault { line, fault });
        return None;
    }
    cells.resize(columns.len(), String::new());
    if let Some(last) = cells.last_mut().filter(|last| last.is_empty() && columns.len() > 1) {
        fill.trim().clone_into(last);
    }
    let before = faults.len();
    for (at, (cell, column)) in cells.iter_mut().zip(columns).enumerate() {
        let optional = list.optional().contains(&at);
        if let Err((rule, about)) = cells::mend(list, at, cell, optional) {
            faults.push(RowFault { line, fault: Fault::new(*column, rule, about) });
        }
    }
    if faults.len() > before {
        return None;
    }
    if list == List::Regions && !cells::is_unit(&cells) {
        return None;
    }
    if let Some((column, rule, about)) = cells::row_fault(list, &cells) {
        faults.push(RowFault { line, fault: Fault::new(column, rule, about) });
        return None;
    }
    Some(cells)
}

/// Whether a line is the names of the columns.
fn is_heading(list: List, cells: &[String], heads: &[Vec<String>]) -> bool {
    // A spreadsheet adds columns that are empty.
    let used = cells.iter().rposition(|cell| !cell.is_empty()).map_or(0, |last| last + 1);
    let names: Vec<String> = cells.iter().take(used).map(|cell| slug(cell)).collect();
    names.iter().eq(list.columns())
        || heads.iter().any(|head| head.iter().map(|name| slug(name)).eq(names.iter().cloned()))
}

/// The cells of each line that has any, with its number; comments begin with `#`.
fn cells_of(list: List, text: &str) -> Vec<(u64, Vec<String>)> {
    let (sheet, columns) = (Sheet::of(text), list.columns().len());
    if columns == 1 {
        let lines = sheet.lines().map(|(number, line)| (number, vec![only_cell(line)]));
        return lines.filter(|(_, cells)| !key(cells).is_empty()).collect();
    }
    let records = sheet.records(Kind::Rows(columns));
    let lines = records.map(|(line, record)| {
        (line, record.iter().map(|cell| bare(cell).to_owned()).collect::<Vec<_>>())
    });
    lines.filter(|(_, cells)| cells.iter().any(|cell| !cell.is_empty())).collect()
}

/// The cell of a line of one column, quoted as a spreadsheet may do it or not; a comment may stand behind it.
fn only_cell(line: &str) -> String {
    // No value of such a list has a quotation mark in it.
    let quoted = line.trim_start().strip_prefix('"').and_then(|rest| rest.split_once('"'));
    let cell = match quoted {
        Some((cell, _)) => cell,
        None => line.split(['#', ',', ';', '\t']).next().unwrap_or_default(),
    };
    bare(cell).to_owned()
}
