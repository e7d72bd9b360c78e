//! Rows of `publish`: promoted RRsets, and masks over RRsets of the operator's file.

use rusqlite::params;

use super::records::StoredRrset;
use super::sql::{FromRow, sql, statements};
use super::zones::key;
use super::{Reader, StoreError, Tx};
use crate::wire::{Name, Rtype};

/// One RRset that a request put in the place of what the file says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PromotedRow {
    /// The owner name.
    pub owner: Name,
    /// The type.
    pub rtype: Rtype,
    /// What is to be served; without records: nothing.
    pub rrset: StoredRrset,
    /// The RRset of the file that it masks; `None` when the file had none.
    pub base: Option<StoredRrset>,
    /// The request's number.
    pub request: Option<String>,
    /// Since when.
    pub since_ms: i64,
}

statements! {
    PROMOTED = sql("SELECT owner, rtype, rrset, base, request, since_ms FROM promoted \
        WHERE zone = $1");
    PUT_PROMOTED = sql("INSERT INTO promoted (zone, owner, rtype, rrset, base, request, since_ms) \
        VALUES ($1, $2, $3, $4, $5, $6, $7) \
        ON CONFLICT (zone, owner, rtype) DO UPDATE SET rrset = excluded.rrset, \
        base = excluded.base, request = excluded.request, since_ms = excluded.since_ms");
    DELETE_PROMOTED = sql("DELETE FROM promoted WHERE zone = $1 AND owner = $2 AND rtype = $3");
}

/// A promoted RRset as the database holds it: owner, type, its blobs, request and time.
type Stored = ((String, u32), (Vec<u8>, Option<Vec<u8>>), (Option<String>, i64));

impl Reader<'_> {
    /// All promoted RRsets and masks of a zone.
    pub fn promoted(&self, zone: &Name) -> Result<Vec<PromotedRow>, StoreError> {
        let mut found = Vec::new();
        self.each(PROMOTED, [key(zone)], |row| {
            let ((owner, rtype), (rrset, base), (request, since_ms)) = Stored::read(row, 0)?;
            let corrupt =
                |what: &str| StoreError::Corrupt(format!("table promoted, row {owner}: {what}"));
            found.push(PromotedRow {
                rtype: Rtype(u16::try_from(rtype).map_err(|_| corrupt("no type"))?),
                rrset: StoredRrset::from_blob(&rrset)?,
                base: base.map(|blob| StoredRrset::from_blob(&blob)).transpose()?,
                request,
                since_ms,
                owner: owner.parse().map_err(|_| corrupt("no name"))?,
            });
            Ok(true)
        })?;
        Ok(found)
    }
}

impl Tx<'_> {
    /// Writes one promoted RRset, in the place of what was there.
    pub fn put_promoted(&self, zone: &Name, row: &PromotedRow) -> Result<(), StoreError> {
        let blob = |set: &StoredRrset| set.to_blob(&row.owner, row.rtype);
        let values = params![
            key(zone),
            key(&row.owner),
            row.rtype.0,
            blob(&row.rrset),
            row.base.as_ref().map(blob),
            row.request,
            row.since_ms,
        ];
        self.run(PUT_PROMOTED, values).map(drop)
    }

    /// Takes a promoted RRset away.
    pub fn delete_promoted(
        &self,
        zone: &Name,
        owner: &Name,
        rtype: Rtype,
    ) -> Result<(), StoreError> {
        self.run(DELETE_PROMOTED, params![key(zone), key(owner), rtype.0]).map(drop)
    }
}
