//! `state/erasures`: which requests were erased, beside the database. An older database that is put back does not
//! know of the newest, and what was erased must not come back with it.
//!
//! One line a request, its number and the hash of its first event: the same number may be given again after an older
//! state was put back, and then it is another request. There is nothing of a person in it. What is erased because its
//! time is over is not listed: that is done again by itself. An export of the event chain says the same and is read,
//! too.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::Ledger;
use crate::audit::was_turned_back;
use crate::queue::Deed;
use crate::store::{Reader, StoreError};

/// The file in the state directory.
pub const ERASURES: &str = "erasures";
/// The first line.
const HEAD: &str = "# Requests whose personal data was erased: number, hash of its first event. Keep a copy elsewhere.";
/// What subjects of requests begin with.
const REQUEST: &str = "request:";

/// Requests that were erased: the number, and the hash of the first event.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Erasures(BTreeSet<(String, String)>);

/// What is read of an exported event.
#[derive(Deserialize)]
struct Exported {
    /// What was done.
    act: String,
    /// On what.
    subject: String,
    /// The event's hash.
    hash: String,
    /// Facts.
    #[serde(default)]
    payload: BTreeMap<String, String>,
}

/// Whether an event with these facts erased something because its time was over.
fn is_by_time(payload: &BTreeMap<String, String>) -> bool {
    payload.get("ground").is_some_and(|ground| ground == "retention")
}

impl Erasures {
    /// Reads the file, or an export of the event chain; none if it is neither.
    pub fn read(text: &str) -> Option<Self> {
        if text.trim_start().starts_with('{') {
            return Self::exported(text);
        }
        let (mut found, mut lines) = (Self::default(), text.lines());
        if lines.next() != Some(HEAD) {
            return None;
        }
        for line in lines {
            let (number, hash) = line.split_once(' ')?;
            found.0.insert((number.to_owned(), hash.to_owned()));
        }
        Some(found)
    }

    /// Reads an export: JSON lines, of which those of events count.
    fn exported(text: &str) -> Option<Self> {
        let (mut found, mut first) = (Self::default(), BTreeMap::<String, String>::new());
        let mut is_export = false;
        for line in text.lines() {
            let Ok(event) = serde_json::from_str::<Exported>(line) else { continue };
            is_export = true;
            let Some(number) = event.subject.strip_prefix(REQUEST) else { continue };
            let first = first.entry(number.to_owned()).or_insert(event.hash);
            if event.act == Deed::Erase.as_str() && !is_by_time(&event.payload) {
                found.0.insert((number.to_owned(), first.clone()));
            }
        }
        is_export.then_some(found)
    }

    /// The text of the file.
    pub fn text(&self) -> String {
        let lines = self.0.iter().map(|(number, hash)| format!("{number} {hash}\n"));
        std::iter::once(format!("{HEAD}\n")).chain(lines).collect()
    }

    /// Takes others in, too.
    pub fn add(&mut self, others: Self) {
        self.0.extend(others.0);
    }

    /// Those that others do not have.
    pub(super) fn without<'a>(
        &'a self,
        others: &'a Self,
    ) -> impl Iterator<Item = &'a (String, String)> {
        self.0.difference(&others.0)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Ledger {
    /// Whether somebody is there again who was erased, beyond the erasures that the database knows.
    pub fn brings_back(
        &self,
        reader: &Reader<'_>,
        kept: &Erasures,
        known: &Erasures,
    ) -> Result<bool, StoreError> {
        for (number, hash) in kept.without(known) {
            if first_event(reader, number)?.as_ref() == Some(hash) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The erasures that the database knows.
    pub fn erasures(&self, reader: &Reader<'_>) -> Result<Erasures, StoreError> {
        let (mut found, mut after) = (Erasures::default(), 0);
        while let Some(event) = reader.next_erasure(after)? {
            after = event.sequence;
            let is_done = !was_turned_back(&event) && !is_by_time(&event.payload);
            let number = event.subject.strip_prefix(REQUEST).filter(|_| is_done);
            let Some(number) = number else { continue };
            if let Some(hash) = first_event(reader, number)? {
                found.0.insert((number.to_owned(), hash));
            }
        }
        Ok(found)
    }
}

/// The hash of a request's first event.
pub(super) fn first_event(reader: &Reader<'_>, number: &str) -> Result<Option<String>, StoreError> {
    let events = reader.page_of(&format!("{REQUEST}{number}"), 0, 1)?;
    Ok(events.into_iter().next().map(|event| event.hash))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_reads_back_and_an_export_says_the_same() {
        let mut list = Erasures::default();
        list.0.insert(("REQ-1".to_owned(), "aa".to_owned()));
        assert_eq!(Erasures::read(&list.text()), Some(list.clone()));
        let export = "{\"key\":{}}\n\
             {\"act\":\"submit\",\"subject\":\"request:REQ-1\",\"hash\":\"aa\",\"more\":1}\n\
             {\"act\":\"submit\",\"subject\":\"request:REQ-2\",\"hash\":\"bb\"}\n\
             {\"act\":\"erase\",\"subject\":\"request:REQ-1\",\"hash\":\"cc\"}\n\
             {\"act\":\"erase\",\"subject\":\"request:REQ-2\",\"hash\":\"dd\",\"payload\":{\"ground\":\"retention\"}}\n";
        assert_eq!(Erasures::read(export), Some(list));
        assert_eq!(Erasures::read("something else\n"), None);
        assert_eq!(Erasures::read("{\"something\": 1}\n"), None);
        assert_eq!(Erasures::read(""), None);
    }
}
