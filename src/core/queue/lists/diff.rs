//! What differs between two tables of a list, row by row.

use std::collections::BTreeMap;

use super::{Table, key};

/// What another table would change. Rows are compared by their keys.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Diff {
    /// Rows that are new.
    pub added: Vec<Vec<String>>,
    /// Rows that are gone.
    pub removed: Vec<Vec<String>>,
    /// Rows that are other ones: before and after.
    pub changed: Vec<(Vec<String>, Vec<String>)>,
}

impl Diff {
    /// From one table to another.
    pub fn between(before: &Table, after: &Table) -> Self {
        let keyed = |table: &Table| -> BTreeMap<String, Vec<String>> {
            table.rows().iter().map(|row| (key(row).to_owned(), row.clone())).collect()
        };
        let (mut old, mut diff) = (keyed(before), Self::default());
        for row in after.rows() {
            match old.remove(key(row)) {
                None => diff.added.push(row.clone()),
                Some(was) if was != *row => diff.changed.push((was, row.clone())),
                Some(_) => {}
            }
        }
        let gone = before.rows().iter().filter(|row| old.contains_key(key(row)));
        diff.removed = gone.cloned().collect();
        diff
    }

    /// Whether nothing differs; the order of rows is none.
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty() && self.changed.is_empty()
    }
}
