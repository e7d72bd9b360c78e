//! Rows of `publish`: the journal. One line a change: serials, delta, cause, who, when.
//!
//! The journal is bounded; old lines drop from the front only, so what is kept is always a chain.

use rusqlite::{OptionalExtension, Row, params};

use super::zones::key;
use super::{Reader, StoreError, Tx};
use crate::wire::Name;

//------------ JournalRow ----------------------------------------------------

/// One change of a zone, without its records.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct JournalRow {
    /// Place in the zone's journal, from 1, without gaps.
    pub seq: i64,
    /// The serial before; none for a first load.
    pub from: Option<u32>,
    /// The serial after.
    pub to: u32,
    /// Records removed, the SOA record not counted.
    pub removed_count: u64,
    /// Records added, the SOA record not counted.
    pub added_count: u64,
    /// What made the change, as JSON of `publish`.
    pub cause: String,
    /// Who made it.
    pub who: String,
    /// When.
    pub at_ms: i64,
}

/// The records of a change, each a blob of [`super::records`].
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DeltaBlobs {
    /// Removed records.
    pub removed: Vec<u8>,
    /// Added records.
    pub added: Vec<u8>,
}

/// The columns of a [`JournalRow`], in its order.
macro_rules! columns {
    () => {
        "seq, from_serial, to_serial, removed_count, added_count, cause, who, at_ms"
    };
}

/// Reads the columns above.
fn journal_row(row: &Row<'_>) -> rusqlite::Result<JournalRow> {
    Ok(JournalRow {
        seq: row.get(0)?,
        from: row.get(1)?,
        to: row.get(2)?,
        removed_count: row.get::<_, i64>(3)?.unsigned_abs(),
        added_count: row.get::<_, i64>(4)?.unsigned_abs(),
        cause: row.get(5)?,
        who: row.get(6)?,
        at_ms: row.get(7)?,
    })
}

/// Reads a nullable delta at columns 8 and 9.
fn delta(row: &Row<'_>) -> rusqlite::Result<Option<DeltaBlobs>> {
    let (removed, added): (Option<Vec<u8>>, Option<Vec<u8>>) = (row.get(8)?, row.get(9)?);
    Ok(removed.zip(added).map(|(removed, added)| DeltaBlobs { removed, added }))
}

//------------ Questions -----------------------------------------------------

impl Reader<'_> {
    /// The newest changes of a zone, newest first.
    pub fn journal(&self, zone: &Name, limit: usize) -> Result<Vec<JournalRow>, StoreError> {
        let mut statement = self.0.prepare_cached(concat!(
            "SELECT ",
            columns!(),
            " FROM zone_change WHERE zone = $1 ORDER BY seq DESC LIMIT $2"
        ))?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows = statement.query_map(params![key(zone), limit], journal_row)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The newest change of a zone.
    pub fn journal_end(&self, zone: &Name) -> Result<Option<JournalRow>, StoreError> {
        Ok(self.journal(zone, 1)?.pop())
    }

    /// The newest change that led to `serial`.
    pub fn journal_at(&self, zone: &Name, serial: u32) -> Result<Option<JournalRow>, StoreError> {
        let mut statement = self.0.prepare_cached(concat!(
            "SELECT ",
            columns!(),
            " FROM zone_change WHERE zone = $1 AND to_serial = $2 ORDER BY seq DESC LIMIT 1"
        ))?;
        Ok(statement.query_row(params![key(zone), serial], journal_row).optional()?)
    }

    /// Hands the changes behind `seq` to `sink`, oldest first; a first load has no delta.
    pub fn journal_after(
        &self,
        zone: &Name,
        seq: i64,
        mut sink: impl FnMut(JournalRow, Option<DeltaBlobs>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let mut statement = self.0.prepare_cached(concat!(
            "SELECT ",
            columns!(),
            ", removed, added FROM zone_change WHERE zone = $1 AND seq > $2 ORDER BY seq"
        ))?;
        let mut rows = statement.query(params![key(zone), seq])?;
        while let Some(row) = rows.next()? {
            sink(journal_row(row)?, delta(row)?)?;
        }
        Ok(())
    }

    /// Hands place and octets of each change to `sink`, oldest first, until it says `false`.
    pub fn journal_sizes(
        &self,
        zone: &Name,
        mut sink: impl FnMut(i64, u64) -> bool,
    ) -> Result<(), StoreError> {
        let mut statement = self.0.prepare_cached(
            "SELECT seq, coalesce(length(removed) + length(added), 0)
             FROM zone_change WHERE zone = $1 ORDER BY seq",
        )?;
        let mut rows = statement.query([key(zone)])?;
        while let Some(row) = rows.next()? {
            if !sink(row.get(0)?, row.get::<_, i64>(1)?.unsigned_abs()) {
                break;
            }
        }
        Ok(())
    }

    /// How many changes a zone's journal holds and how many octets their records take.
    pub fn journal_size(&self, zone: &Name) -> Result<(u64, u64), StoreError> {
        let mut statement = self.0.prepare_cached(
            "SELECT count(*), coalesce(sum(length(removed) + length(added)), 0)
             FROM zone_change WHERE zone = $1",
        )?;
        let (count, octets): (i64, i64) =
            statement.query_row([key(zone)], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok((count.unsigned_abs(), octets.unsigned_abs()))
    }
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
        let mut statement = self.0.0.prepare_cached(
            "INSERT INTO zone_change (zone, seq, from_serial, to_serial, removed, added,
                                      removed_count, added_count, cause, who, at_ms)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        )?;
        statement.execute(params![
            key(zone),
            row.seq,
            row.from,
            row.to,
            delta.map(|delta| &delta.removed),
            delta.map(|delta| &delta.added),
            i64::try_from(row.removed_count).unwrap_or(i64::MAX),
            i64::try_from(row.added_count).unwrap_or(i64::MAX),
            row.cause,
            row.who,
            row.at_ms,
        ])?;
        Ok(())
    }

    /// Drops the changes up to and with `seq`; the chain behind it stays whole.
    pub fn drop_changes(&self, zone: &Name, seq: i64) -> Result<(), StoreError> {
        let mut statement =
            self.0.0.prepare_cached("DELETE FROM zone_change WHERE zone = $1 AND seq <= $2")?;
        statement.execute(params![key(zone), seq])?;
        Ok(())
    }
}
