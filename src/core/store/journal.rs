//! Rows of `publish`: the journal. One row per change: serials, delta, cause, who, when.
//!
//! The journal is bounded; old rows drop from the front only, so what is kept is always a chain.

use super::engine::Found;
use super::sql::{
    Column, FromRow, Part, insert, limit, params, row, select, select_with, sql, statements,
};
use super::zones::key;
use super::{Reader, StoreError, Tx};
use crate::wire::Name;

//------------ JournalRow ----------------------------------------------------

row! {
    /// One change of a zone, without its records.
    #[derive(Clone, Debug, Eq, PartialEq)]
    pub struct JournalRow = "zone_change" {
        /// Place in the zone's journal, from 1, without gaps.
        [key] pub seq: i64,
        /// The serial before; none for a first load.
        [fixed] pub from: Option<u32> = "from_serial",
        /// The serial after.
        [fixed] pub to: u32 = "to_serial",
        /// Records removed, the SOA record not counted.
        [fixed] pub removed_count: u64,
        /// Records added, the SOA record not counted.
        [fixed] pub added_count: u64,
        /// What made the change, as JSON of `publish`.
        [fixed] pub cause: String,
        /// Who made it.
        [fixed] pub who: String,
        /// When.
        [fixed] pub at_ms: i64,
        /// The number of the node that published it; none in a file, and in a row from before there were nodes.
        [fixed] pub publisher: Option<i64>,
    }
}

/// The records of a change, each a blob of [`super::records`].
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DeltaBlobs {
    /// Removed records.
    pub removed: Vec<u8>,
    /// Added records.
    pub added: Vec<u8>,
}

/// Columns of a change that its row does not hold.
const MORE: [Column; 3] = [
    Column::of(Part::Key, "zone"),
    Column::of(Part::Fixed, "removed"),
    Column::of(Part::Fixed, "added"),
];

statements! {
    NEWEST = select::<JournalRow>("WHERE zone = $1 ORDER BY seq DESC LIMIT $2");
    NEWEST_BUT = select::<JournalRow>(
        "WHERE zone = $1 AND cause NOT LIKE $2 ORDER BY seq DESC LIMIT $3");
    AT_SERIAL = select::<JournalRow>(
        "WHERE zone = $1 AND to_serial = $2 ORDER BY seq DESC LIMIT 1");
    FROM_SERIAL = select::<JournalRow>(
        "WHERE zone = $1 AND from_serial = $2 AND seq <= $3 ORDER BY seq DESC LIMIT 1");
    IS_USED = sql("SELECT EXISTS (SELECT 1 FROM zone_change WHERE zone = $1 AND to_serial = $2)");
    AFTER = select_with::<JournalRow>(
        ", removed, added", "WHERE zone = $1 AND seq > $2 ORDER BY seq");
    BETWEEN = select_with::<JournalRow>(
        ", removed, added", "WHERE zone = $1 AND seq >= $2 AND seq <= $3 ORDER BY seq");
    OCTETS = sql("SELECT coalesce(sum(length(removed) + length(added)), 0) FROM zone_change \
        WHERE zone = $1 AND seq >= $2 AND seq <= $3");
    SIZES = sql("SELECT seq, coalesce(length(removed) + length(added), 0) FROM zone_change \
        WHERE zone = $1 ORDER BY seq");
    SIZE = sql("SELECT count(*), coalesce(sum(length(removed) + length(added)), 0) \
        FROM zone_change WHERE zone = $1");
    ADD_CHANGE = insert::<JournalRow>(&MORE);
    DROP_CHANGES = sql("DELETE FROM zone_change WHERE zone = $1 AND seq <= $2");
}

//------------ Questions -----------------------------------------------------

impl Reader<'_> {
    /// The newest changes of a zone, newest first.
    pub fn journal(&self, zone: &Name, most: usize) -> Result<Vec<JournalRow>, StoreError> {
        self.all(NEWEST, params![key(zone), limit(most)])
    }

    /// The same without those whose cause begins so.
    pub fn journal_without(
        &self,
        zone: &Name,
        cause: &str,
        most: usize,
    ) -> Result<Vec<JournalRow>, StoreError> {
        self.all(NEWEST_BUT, params![key(zone), format!("{cause}%"), limit(most)])
    }

    /// The newest change of a zone.
    pub fn journal_end(&self, zone: &Name) -> Result<Option<JournalRow>, StoreError> {
        Ok(self.journal(zone, 1)?.pop())
    }

    /// The newest change that led to `serial`.
    pub fn journal_at(&self, zone: &Name, serial: u32) -> Result<Option<JournalRow>, StoreError> {
        self.one(AT_SERIAL, params![key(zone), serial])
    }

    /// The newest change that led away from `serial`, at or before the place `newest`.
    pub fn journal_from(
        &self,
        zone: &Name,
        serial: u32,
        newest: i64,
    ) -> Result<Option<JournalRow>, StoreError> {
        self.one(FROM_SERIAL, params![key(zone), serial, newest])
    }

    /// Whether a change that is kept led to `serial`.
    pub fn has_serial(&self, zone: &Name, serial: u32) -> Result<bool, StoreError> {
        self.only(IS_USED, params![key(zone), serial])
    }

    /// Hands the changes behind `seq` to `sink`, oldest first; a first load has no delta.
    pub fn journal_after(
        &self,
        zone: &Name,
        seq: i64,
        mut sink: impl FnMut(JournalRow, Option<DeltaBlobs>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.each(AFTER, params![key(zone), seq], |row| {
            let (change, delta) = with_delta(row)?;
            sink(change, delta)?;
            Ok(true)
        })
    }

    /// The same from one place to another, both included.
    pub fn journal_between(
        &self,
        zone: &Name,
        first: i64,
        last: i64,
        mut sink: impl FnMut(JournalRow, Option<DeltaBlobs>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.each(BETWEEN, params![key(zone), first, last], |row| {
            let (change, delta) = with_delta(row)?;
            sink(change, delta)?;
            Ok(true)
        })
    }

    /// The octets that the records of these changes take.
    pub fn journal_octets(&self, zone: &Name, first: i64, last: i64) -> Result<u64, StoreError> {
        self.only(OCTETS, params![key(zone), first, last])
    }

    /// Hands place and octets of each change to `sink`, oldest first, until it returns false.
    pub fn journal_sizes(
        &self,
        zone: &Name,
        mut sink: impl FnMut(i64, u64) -> bool,
    ) -> Result<(), StoreError> {
        self.each(SIZES, [key(zone)], |row| {
            let (seq, octets) = FromRow::read(row, 0)?;
            Ok(sink(seq, octets))
        })
    }

    /// The count of changes in a zone's journal, and of the octets their records take.
    pub fn journal_size(&self, zone: &Name) -> Result<(u64, u64), StoreError> {
        self.only(SIZE, [key(zone)])
    }
}

/// Reads a change with its records.
fn with_delta(row: &Found<'_>) -> Result<(JournalRow, Option<DeltaBlobs>), StoreError> {
    let (change, (removed, added)): (JournalRow, (Option<_>, Option<_>)) = FromRow::read(row, 0)?;
    let delta = removed.zip(added).map(|(removed, added)| DeltaBlobs { removed, added });
    Ok((change, delta))
}

//------------ Changes -------------------------------------------------------

impl Tx<'_> {
    /// Appends a change.
    pub fn add_change(
        &self,
        zone: &Name,
        row: &JournalRow,
        delta: Option<&DeltaBlobs>,
    ) -> Result<(), StoreError> {
        let removed = delta.map(|delta| &delta.removed);
        let added = delta.map(|delta| &delta.added);
        self.put(ADD_CHANGE, row, &[&key(zone), &removed, &added])?;
        self.tell_followers()
    }

    /// Drops the changes up to and with `seq`; the chain behind it stays whole.
    pub fn drop_changes(&self, zone: &Name, seq: i64) -> Result<(), StoreError> {
        self.run(DROP_CHANGES, params![key(zone), seq]).map(drop)
    }
}
