//! Names directly under the apex that need a second signature (docs/procedure.md, Names).

use super::regions::same_office;
use super::regions::{TableError, rows};

/// The shipped list: `pattern,office,why`.
const RESERVED_CSV: &str = include_str!("data/reserved.csv");

/// The list of reserved names.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Reserved(Vec<Entry>);

/// One reserved name.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Entry {
    /// A label, or the beginning of one and `*`.
    pub pattern: String,
    /// The office it is kept for; empty when it is kept for nobody.
    pub office: String,
    /// Why.
    pub why: String,
}

impl Reserved {
    /// The list in the binary.
    pub fn shipped() -> Self {
        Self::parse(RESERVED_CSV).unwrap_or_default()
    }

    /// Reads a `pattern,office,why` table.
    pub fn parse(text: &str) -> Result<Self, TableError> {
        Ok(Self::of_rows(&rows(text, 3)?))
    }

    /// The entries of such rows.
    pub fn of_rows(rows: &[Vec<String>]) -> Self {
        let entry = |row: &Vec<String>| match row.as_slice() {
            [pattern, office, why] => {
                let pattern = pattern.to_lowercase();
                Some(Entry { pattern, office: office.clone(), why: why.clone() })
            }
            _ => None,
        };
        Self(rows.iter().filter_map(entry).collect())
    }

    /// All entries.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.0.iter()
    }

    /// The entry that keeps `name` (below the zone) from `office`. Only names directly under the
    /// apex are reserved.
    pub fn find(&self, name: &str, office: &str) -> Option<&Entry> {
        if name.contains('.') {
            return None;
        }
        let hit = |entry: &&Entry| matches(&entry.pattern, name);
        self.0.iter().find(hit).filter(|entry| !same_office(&entry.office, office))
    }

    /// The reserved labels that are whole, for the look-alike warning.
    pub fn labels(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|entry| entry.pattern.as_str()).filter(|p| !p.contains('*'))
    }
}

/// `ns*` matches `ns`, `ns1`, `ns12`: what the asterisk stands for is digits, except after `_`.
fn matches(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some("_") => name.starts_with('_'),
        Some(front) => {
            name.strip_prefix(front).is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_digit()))
        }
        None => pattern == name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reserved_directly_under_the_apex_only() {
        let list = Reserved::shipped();
        for name in ["www", "ns", "ns1", "ns12", "mail", "_dmarc", "gapura", "bri", "desa", "pop3"]
        {
            assert!(list.find(name, "Dinas Kesehatan").is_some(), "{name}");
        }
        for name in ["dinkes", "nsx", "www.dinkes", "nasional", "_acme-challenge.dlh"] {
            assert!(list.find(name, "Dinas Kesehatan").is_none(), "{name}");
        }
        assert!(list.find("bupati", "Sekretariat  daerah").is_none());
        assert!(list.find("bupati", "Dinas Kesehatan").is_some());
    }
}
