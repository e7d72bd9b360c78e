//! Rows of the rooms `ledger` and `desk`: where names that look alike are found.
//!
//! An index beside the live records, so that a new name is not compared with every name there is. What
//! looks alike is decided in `queue`.

use std::collections::BTreeMap;

use super::sql::{params, sql, statements};
use super::{Reader, StoreError, Tx};

/// Labels looked at under one key, and names shown of one label.
const FEW: i64 = 64;

statements! {
    NEXT_LABEL = sql("SELECT label FROM likeness WHERE key = $1 AND label > $2 \
        ORDER BY label LIMIT 1");
    NAMES = sql("SELECT name, office FROM likeness JOIN live_record USING (name) \
        WHERE key = $1 AND label = $2 AND state <> 'free' ORDER BY name LIMIT $3");
    ANY = sql("SELECT key FROM likeness LIMIT 1");
    PUT = sql("INSERT INTO likeness (key, label, name) VALUES ($1, $2, $3) \
        ON CONFLICT (key, label, name) DO NOTHING");
}

impl Reader<'_> {
    /// Name and office of those names under one of the keys that are promised to somebody, and whose
    /// label is `wanted`.
    pub fn promised_like(
        &self,
        keys: &[i64],
        wanted: impl Fn(&str) -> bool,
    ) -> Result<Vec<(String, String)>, StoreError> {
        let mut found = BTreeMap::new();
        for key in keys {
            let mut label = String::new();
            for _ in 0..FEW {
                let next: Option<String> = self.one(NEXT_LABEL, params![key, label])?;
                let Some(next) = next else { break };
                label = next;
                if wanted(&label) {
                    let names = self.all::<(String, String)>(NAMES, params![key, label, FEW])?;
                    found.extend(names);
                }
            }
        }
        Ok(found.into_iter().collect())
    }

    /// Whether no name can be found yet.
    pub fn has_no_likeness(&self) -> Result<bool, StoreError> {
        Ok(self.one::<i64>(ANY, [])?.is_none())
    }
}

impl Tx<'_> {
    /// Makes a name one that is found by its label's keys.
    pub fn put_likeness(&self, name: &str, label: &str, keys: &[i64]) -> Result<(), StoreError> {
        keys.iter().try_for_each(|key| self.run(PUT, params![key, label, name]).map(drop))
    }
}
