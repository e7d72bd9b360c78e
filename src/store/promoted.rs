//! Rows of `publish`: promoted RRsets, and masks over RRsets of the operator's file.

use rusqlite::params;

use super::records::StoredRrset;
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

impl Reader<'_> {
    /// All promoted RRsets and masks of a zone.
    pub fn promoted(&self, zone: &Name) -> Result<Vec<PromotedRow>, StoreError> {
        let mut statement = self.0.prepare_cached(
            "SELECT owner, rtype, rrset, base, request, since_ms FROM promoted WHERE zone = $1",
        )?;
        let mut rows = statement.query([key(zone)])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let owner: String = row.get(0)?;
            let base: Option<Vec<u8>> = row.get(3)?;
            found.push(PromotedRow {
                owner: owner
                    .parse()
                    .map_err(|_| StoreError::Corrupt(format!("promoted name {owner}")))?,
                rtype: Rtype(row.get(1)?),
                rrset: StoredRrset::from_blob(&row.get::<_, Vec<u8>>(2)?)?,
                base: base.map(|blob| StoredRrset::from_blob(&blob)).transpose()?,
                request: row.get(4)?,
                since_ms: row.get(5)?,
            });
        }
        Ok(found)
    }
}

impl Tx<'_> {
    /// Writes one promoted RRset, in the place of what stood there.
    pub fn put_promoted(&self, zone: &Name, row: &PromotedRow) -> Result<(), StoreError> {
        let mut statement = self.0.0.prepare_cached(
            "INSERT INTO promoted (zone, owner, rtype, rrset, base, request, since_ms)
             VALUES ($1, $2, $3, $4, $5, $6, $7)
             ON CONFLICT (zone, owner, rtype) DO UPDATE SET
                 rrset = excluded.rrset, base = excluded.base,
                 request = excluded.request, since_ms = excluded.since_ms",
        )?;
        statement.execute(params![
            key(zone),
            key(&row.owner),
            row.rtype.0,
            row.rrset.to_blob(&row.owner, row.rtype),
            row.base.as_ref().map(|base| base.to_blob(&row.owner, row.rtype)),
            row.request,
            row.since_ms,
        ])?;
        Ok(())
    }

    /// Takes a promoted RRset away.
    pub fn delete_promoted(
        &self,
        zone: &Name,
        owner: &Name,
        rtype: Rtype,
    ) -> Result<(), StoreError> {
        let mut statement = self
            .0
            .0
            .prepare_cached("DELETE FROM promoted WHERE zone = $1 AND owner = $2 AND rtype = $3")?;
        statement.execute(params![key(zone), key(owner), rtype.0])?;
        Ok(())
    }
}
