//! Rows of `publish`: promoted RRsets, and masks over RRsets of the operator's file.

use std::fmt;

use super::records::StoredRrset;
use super::sql::{FromRow, params, sql, statements};
use super::zones::key;
use super::{Reader, StoreError, Tx};
use crate::wire::{Name, Rtype};

/// One RRset that a request or an update put in the place of what the file says.
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
    /// What put it there.
    pub origin: Origin,
    /// Since when.
    pub since_ms: i64,
}

/// What put an RRset in the place of what the file says.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum Origin {
    /// A request, by its number.
    Request(String),
    /// An UPDATE, by the name of its key.
    Update(String),
    /// gapura for itself, or something that is not known any more.
    #[default]
    Unnamed,
}

impl Origin {
    /// The request's number.
    pub fn request(&self) -> Option<&str> {
        match self {
            Self::Request(number) => Some(number),
            Self::Update(_) | Self::Unnamed => None,
        }
    }

    /// The name of the key.
    pub fn key(&self) -> Option<&str> {
        match self {
            Self::Update(key) => Some(key),
            Self::Request(_) | Self::Unnamed => None,
        }
    }
}

/// For findings and commands.
impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Request(number) => write!(f, "request {number}"),
            Self::Update(key) => write!(f, "key {key}"),
            Self::Unnamed => f.write_str("request (none)"),
        }
    }
}

statements! {
    PROMOTED = sql("SELECT owner, rtype, rrset, base, request, update_key, since_ms FROM promoted \
        WHERE zone = $1");
    PUT_PROMOTED = sql("INSERT INTO promoted (zone, owner, rtype, rrset, base, request, update_key, \
        since_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) \
        ON CONFLICT (zone, owner, rtype) DO UPDATE SET rrset = excluded.rrset, \
        base = excluded.base, request = excluded.request, \
        update_key = excluded.update_key, since_ms = excluded.since_ms");
    DELETE_PROMOTED = sql("DELETE FROM promoted WHERE zone = $1 AND owner = $2 AND rtype = $3");
}

/// A promoted RRset as the database holds it: owner, type, its blobs, request, key and time.
type Stored = ((String, u32), (Vec<u8>, Option<Vec<u8>>), (Option<String>, Option<String>, i64));

impl Reader<'_> {
    /// All promoted RRsets and masks of a zone.
    pub fn promoted(&self, zone: &Name) -> Result<Vec<PromotedRow>, StoreError> {
        let mut found = Vec::new();
        self.each(PROMOTED, [key(zone)], |row| {
            let ((owner, rtype), (rrset, base), (request, key, since_ms)) = Stored::read(row, 0)?;
            let corrupt =
                |what: &str| StoreError::Corrupt(format!("table promoted, row {owner}: {what}"));
            found.push(PromotedRow {
                rtype: Rtype(u16::try_from(rtype).map_err(|_| corrupt("no type"))?),
                rrset: StoredRrset::from_blob(&rrset)?,
                base: base.map(|blob| StoredRrset::from_blob(&blob)).transpose()?,
                origin: match (request, key) {
                    (Some(number), _) => Origin::Request(number),
                    (None, Some(key)) => Origin::Update(key),
                    (None, None) => Origin::Unnamed,
                },
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
            row.origin.request(),
            row.origin.key(),
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
