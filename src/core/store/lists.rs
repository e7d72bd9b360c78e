//! Rows of lists that an administrator changed: their versions, and changes that are not applied yet.
//! A version is never changed and never deleted.

use super::sql::{insert, params, row, select, sql, statements};
use super::{Reader, StoreError, Tx};
use crate::queue::List;

row! {
    /// A version of a list.
    #[derive(Clone, Debug, Eq, PartialEq)]
    pub struct VersionRow = "list_version" {
        /// Which list.
        [key] pub list: List,
        /// 1, 2, 3 … of the list.
        [key] pub version: i64,
        /// Its rows as CSV; none goes back to what the settings file or the program says.
        [fixed] pub body: Option<String>,
        /// The change it was made by.
        [fixed] pub proposal: String,
        /// The person id of who made it.
        [fixed] pub person: String,
        /// When (epoch ms).
        [fixed] pub at_ms: i64,
        /// What for: a decree, a letter; may be empty.
        [fixed] pub reason: String,
    }
}

row! {
    /// A change of a list that is not applied yet.
    #[derive(Clone, Debug, Eq, PartialEq)]
    pub struct ProposalRow = "list_proposal" {
        /// Names it.
        [key] pub id: String,
        /// Which list.
        [fixed] pub list: List,
        /// The rows it would have, as CSV; none goes back to what the settings file or the program says.
        [fixed] pub body: Option<String>,
        /// The SHA-256 of the rows it was made from.
        [fixed] pub before_sha256: String,
        /// The person id of who made it.
        [fixed] pub person: String,
        /// When (epoch ms).
        [fixed] pub at_ms: i64,
    }
}

statements! {
    NEWEST = select::<VersionRow>(
        "WHERE (list, version) IN (SELECT list, max(version) FROM list_version GROUP BY list) \
         ORDER BY list"
    );
    VERSIONS = select::<VersionRow>("WHERE list = $1 ORDER BY version DESC LIMIT $2");
    VERSION = select::<VersionRow>("WHERE list = $1 AND version = $2");
    OF_PROPOSAL = select::<VersionRow>("WHERE proposal = $1");
    ADD_VERSION = insert::<VersionRow>(&[]);
    PROPOSAL = select::<ProposalRow>("WHERE id = $1");
    ADD_PROPOSAL = insert::<ProposalRow>(&[]);
    DROP_PROPOSAL = sql("DELETE FROM list_proposal WHERE id = $1");
    DROP_OLD = sql("DELETE FROM list_proposal WHERE at_ms < $1");
    COUNT = sql("SELECT count(*) FROM list_proposal WHERE person = $1");
}

impl Reader<'_> {
    /// The newest version of each list that has one.
    pub fn lists(&self) -> Result<Vec<VersionRow>, StoreError> {
        self.all(NEWEST, [])
    }

    /// The versions of a list, the newest first.
    pub fn list_versions(&self, list: List, most: i64) -> Result<Vec<VersionRow>, StoreError> {
        self.all(VERSIONS, params![list, most])
    }

    /// One version of a list.
    pub fn list_version(&self, list: List, version: i64) -> Result<Option<VersionRow>, StoreError> {
        self.one(VERSION, params![list, version])
    }

    /// The version that a change became.
    pub fn list_version_of(&self, proposal: &str) -> Result<Option<VersionRow>, StoreError> {
        self.one(OF_PROPOSAL, [proposal])
    }

    /// A change that is not applied yet.
    pub fn list_proposal(&self, id: &str) -> Result<Option<ProposalRow>, StoreError> {
        self.one(PROPOSAL, [id])
    }

    /// How many changes of a person are not applied yet.
    pub fn list_proposals_of(&self, person: &str) -> Result<i64, StoreError> {
        self.only(COUNT, [person])
    }
}

impl Tx<'_> {
    /// Adds a version.
    pub fn add_list_version(&self, row: &VersionRow) -> Result<(), StoreError> {
        self.put(ADD_VERSION, row, &[])
    }

    /// Keeps a change that is not applied yet.
    pub fn add_list_proposal(&self, row: &ProposalRow) -> Result<(), StoreError> {
        self.put(ADD_PROPOSAL, row, &[])
    }

    /// Drops a change: it was applied.
    pub fn drop_list_proposal(&self, id: &str) -> Result<(), StoreError> {
        self.run(DROP_PROPOSAL, [id]).map(drop)
    }

    /// Drops changes from before a time that nobody applied.
    pub fn drop_list_proposals(&self, before_ms: i64) -> Result<usize, StoreError> {
        self.run(DROP_OLD, [before_ms])
    }
}
