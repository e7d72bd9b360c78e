//! Rows of `publish`: what is live of each zone, and one full copy of it in pieces.

use super::nodes::ZoneHead;
use super::sql::{Column, Part, params, row, select, sql, statements, upsert};
use super::value::Value;
use super::{Reader, StoreError, Tx};
use crate::wire::Name;

//------------ ZoneRow -------------------------------------------------------

row! {
    /// What is kept of a zone besides its records.
    #[derive(Clone, Debug, Eq, PartialEq)]
    pub struct ZoneRow = "zone" {
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
        /// Whether what is served has a ZONEMD record of ours; none in a row from before there were any.
        pub own_zonemd: Option<bool>,
        /// The node whose file was accepted last; none in a file, and in a row from before there were nodes.
        pub file_node: Option<String>,
    }
}

impl ZoneRow {
    /// What tells this state of the row from another.
    pub fn head(&self) -> ZoneHead {
        ZoneHead { serial: self.serial, changed_ms: self.changed_ms, copy_seq: self.copy_seq }
    }
}

/// The name as the key of a row: text, lower case.
pub(super) fn key(name: &Name) -> String {
    name.as_ref().to_lowercase().to_string()
}

//------------ Statements ----------------------------------------------------

statements! {
    ZONE = select::<ZoneRow>("WHERE name = $1");
    LAST_CHANGE = sql("SELECT changed_ms, name FROM zone ORDER BY changed_ms DESC LIMIT 1");
    PUT_ZONE = upsert::<ZoneRow>(&[Column::of(Part::Key, "name")]);
    USE_COPY = sql("UPDATE zone SET copy_seq = $1 WHERE name = $2");
    COPY = sql("SELECT records FROM zone_copy WHERE zone = $1 AND seq = $2 ORDER BY piece");
    ADD_COPY_PIECE = sql("INSERT INTO zone_copy (zone, seq, piece, records) \
        VALUES ($1, $2, $3, $4) \
        ON CONFLICT (zone, seq, piece) DO UPDATE SET records = excluded.records");
    DROP_COPIES_BUT = sql("DELETE FROM zone_copy WHERE zone = $1 AND seq <> $2");
}

impl Reader<'_> {
    /// When a zone changed last.
    pub(super) fn last_change_ms(&self) -> Result<Option<i64>, StoreError> {
        let newest: Option<(i64, String)> = self.one(LAST_CHANGE, [])?;
        Ok(newest.map(|(changed_ms, _)| changed_ms))
    }

    /// What is kept of a zone; `None` if it was never published.
    pub fn zone(&self, name: &Name) -> Result<Option<ZoneRow>, StoreError> {
        self.one(ZONE, [key(name)])
    }

    /// Hands the pieces of the full copy that holds up to `seq` to `sink`, in order.
    pub fn zone_copy(
        &self,
        name: &Name,
        seq: i64,
        mut sink: impl FnMut(&[u8]) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.each(COPY, params![key(name), seq], |row| {
            let Value::Octets(piece) = row.value(0)? else { return Err(row.corrupt(0)) };
            sink(&piece)?;
            Ok(true)
        })
    }
}

impl Tx<'_> {
    /// Writes what is kept of a zone, in full.
    pub fn put_zone(&self, name: &Name, zone: &ZoneRow) -> Result<(), StoreError> {
        self.put(PUT_ZONE, zone, &[&key(name)])
    }

    /// Adds a piece of a full copy that holds up to `seq`.
    pub fn add_copy_piece(
        &self,
        name: &Name,
        seq: i64,
        piece: i64,
        records: &[u8],
    ) -> Result<(), StoreError> {
        self.run(ADD_COPY_PIECE, params![key(name), seq, piece, records]).map(drop)
    }

    /// Makes the finished copy that holds up to `seq` the one that counts.
    pub fn use_copy(&self, name: &Name, seq: i64) -> Result<(), StoreError> {
        self.run(USE_COPY, params![seq, key(name)]).map(drop)
    }

    /// Drops all copies but the one that holds up to `seq`.
    pub fn drop_copies_but(&self, name: &Name, seq: i64) -> Result<(), StoreError> {
        self.run(DROP_COPIES_BUT, params![key(name), seq]).map(drop)
    }
}
