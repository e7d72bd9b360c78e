//! Rows of `publish`: how each signed zone is signed. What the text means is not known here.

use serde::{Deserialize, Serialize};

use super::sql::{Column, Part, row, select, sql, statements, upsert};
use super::zones::key;
use super::{Reader, StoreError, Tx};
use crate::wire::Name;

//------------ SigningRow ----------------------------------------------------

row! {
    /// How a zone is signed.
    #[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
    pub struct SigningRow = "signing" {
        /// The policy, as JSON.
        pub policy: String,
        /// The keys and their rolls, as JSON; private keys are in files.
        pub key_set: String,
    }
}

//------------ Statements ----------------------------------------------------

statements! {
    SIGNING = select::<SigningRow>("WHERE zone = $1");
    PUT_SIGNING = upsert::<SigningRow>(&[Column::of(Part::Key, "zone")]);
    FORGET_SIGNING = sql("DELETE FROM signing WHERE zone = $1");
}

impl Reader<'_> {
    /// How a zone is signed, or was; `None` if it never was.
    pub fn signing(&self, zone: &Name) -> Result<Option<SigningRow>, StoreError> {
        self.one(SIGNING, [key(zone)])
    }
}

impl Tx<'_> {
    /// Writes how a zone is signed from now on.
    pub fn put_signing(&self, zone: &Name, signing: &SigningRow) -> Result<(), StoreError> {
        self.put(PUT_SIGNING, signing, &[&key(zone)])
    }

    /// Notes that a zone never was signed.
    pub fn forget_signing(&self, zone: &Name) -> Result<(), StoreError> {
        self.run(FORGET_SIGNING, [key(zone)]).map(drop)
    }
}
