//! Rows of `publish`: what is live of each zone, and one full copy of it in pieces.

use rusqlite::{OptionalExtension, Row, params};

use super::{Reader, StoreError, Tx};
use crate::wire::Name;

//------------ ZoneRow -------------------------------------------------------

/// What is kept of a zone besides its records.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ZoneRow {
    /// The live serial.
    pub serial: u32,
    /// The newest serial ever given out, published or burned.
    pub high_water: u32,
    /// Serial of the last accepted file.
    pub file_serial: Option<u32>,
    /// SHA-256 over the last accepted file and its includes, in hexadecimal.
    pub file_hash: Option<String>,
    /// The same of the file that was rolled back.
    pub held_hash: Option<String>,
    /// Whether an accepted file had the end marker.
    pub marker: bool,
    /// Whether an accepted file had a ZONEMD record.
    pub zonemd: bool,
    /// Includes that had the end marker, one path a line.
    pub marked_includes: String,
    /// The change up to which the full copy holds.
    pub copy_seq: Option<i64>,
    /// When the live version was published.
    pub changed_ms: i64,
}

/// The name as the key of a row: text, lower case.
pub(super) fn key(name: &Name) -> String {
    name.as_ref().to_lowercase().to_string()
}

/// Reads the columns in the order of the struct.
fn zone_row(row: &Row<'_>) -> rusqlite::Result<ZoneRow> {
    Ok(ZoneRow {
        serial: row.get(0)?,
        high_water: row.get(1)?,
        file_serial: row.get(2)?,
        file_hash: row.get(3)?,
        held_hash: row.get(4)?,
        marker: row.get(5)?,
        zonemd: row.get(6)?,
        marked_includes: row.get(7)?,
        copy_seq: row.get(8)?,
        changed_ms: row.get(9)?,
    })
}

impl Reader<'_> {
    /// What is kept of a zone; `None` if it was never published.
    pub fn zone(&self, name: &Name) -> Result<Option<ZoneRow>, StoreError> {
        let mut statement = self.0.prepare_cached(
            "SELECT serial, high_water, file_serial, file_hash, held_hash, marker, zonemd,
                    marked_includes, copy_seq, changed_ms
             FROM zone WHERE name = $1",
        )?;
        Ok(statement.query_row([key(name)], zone_row).optional()?)
    }

    /// Hands the pieces of the full copy that holds up to `seq` to `sink`, in order.
    pub fn zone_copy(
        &self,
        name: &Name,
        seq: i64,
        mut sink: impl FnMut(&[u8]) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let mut statement = self.0.prepare_cached(
            "SELECT records FROM zone_copy WHERE zone = $1 AND seq = $2 ORDER BY piece",
        )?;
        let mut rows = statement.query(params![key(name), seq])?;
        while let Some(row) = rows.next()? {
            sink(
                row.get_ref(0)?
                    .as_blob()
                    .map_err(|error| StoreError::Corrupt(error.to_string()))?,
            )?;
        }
        Ok(())
    }
}

impl Tx<'_> {
    /// Writes what is kept of a zone, in full.
    pub fn put_zone(&self, name: &Name, zone: &ZoneRow) -> Result<(), StoreError> {
        let mut statement = self.0.0.prepare_cached(
            "INSERT INTO zone (name, serial, high_water, file_serial, file_hash, held_hash,
                               marker, zonemd, marked_includes, copy_seq, changed_ms)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
             ON CONFLICT (name) DO UPDATE SET
                 serial = excluded.serial, high_water = excluded.high_water,
                 file_serial = excluded.file_serial, file_hash = excluded.file_hash,
                 held_hash = excluded.held_hash, marker = excluded.marker,
                 zonemd = excluded.zonemd, marked_includes = excluded.marked_includes,
                 copy_seq = excluded.copy_seq, changed_ms = excluded.changed_ms",
        )?;
        statement.execute(params![
            key(name),
            zone.serial,
            zone.high_water,
            zone.file_serial,
            zone.file_hash,
            zone.held_hash,
            zone.marker,
            zone.zonemd,
            zone.marked_includes,
            zone.copy_seq,
            zone.changed_ms,
        ])?;
        Ok(())
    }

    /// Adds a piece of a full copy that holds up to `seq`.
    pub fn add_copy_piece(
        &self,
        name: &Name,
        seq: i64,
        piece: i64,
        records: &[u8],
    ) -> Result<(), StoreError> {
        let mut statement = self.0.0.prepare_cached(
            "INSERT INTO zone_copy (zone, seq, piece, records) VALUES ($1, $2, $3, $4)
             ON CONFLICT (zone, seq, piece) DO UPDATE SET records = excluded.records",
        )?;
        statement.execute(params![key(name), seq, piece, records])?;
        Ok(())
    }

    /// Makes the finished copy that holds up to `seq` the one that counts.
    pub fn use_copy(&self, name: &Name, seq: i64) -> Result<(), StoreError> {
        let mut keep = self.0.0.prepare_cached("UPDATE zone SET copy_seq = $1 WHERE name = $2")?;
        keep.execute(params![seq, key(name)])?;
        Ok(())
    }

    /// Drops all copies but the one that holds up to `seq`.
    pub fn drop_copies_but(&self, name: &Name, seq: i64) -> Result<(), StoreError> {
        let mut drop =
            self.0.0.prepare_cached("DELETE FROM zone_copy WHERE zone = $1 AND seq <> $2")?;
        drop.execute(params![key(name), seq])?;
        Ok(())
    }
}
