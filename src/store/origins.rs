//! Where open requests without an account come from: what their limits count.
//!
//! Network and mailbox are keyed hashes. A row is of use while its request is open.

use rusqlite::params;

use super::sql::{row, sql, statements, upsert};
use super::{Reader, StoreError, Tx};
use crate::queue::Kind;

row! {
    /// Where a request comes from.
    #[derive(Clone, Debug, Eq, PartialEq)]
    pub struct OriginRow = "request_origin" {
        /// The request.
        [key] pub number: String,
        /// Keyed hash of the network.
        [fixed] pub network: String,
        /// Keyed hash of the contact's mailbox.
        [fixed] pub mailbox: String,
        /// The office, folded.
        [fixed] pub office: String,
        /// Whether the mailbox was proven.
        pub proven: bool,
    }
}

/// What is counted.
#[derive(Clone, Copy, Debug)]
pub enum Counted<'a> {
    /// Everything with a mailbox that is proven, or not.
    All(bool),
    /// What comes from a network, with a mailbox that is proven, or not.
    Network(&'a str, bool),
    /// What names a mailbox, proven or not.
    Mailbox(&'a str, bool),
    /// What names an office without a proven mailbox.
    Office(&'a str),
}

statements! {
    ALL = sql("SELECT count(*) FROM request_origin JOIN request USING (number) \
        WHERE open = 1 AND proven = $1");
    OF_NETWORK = sql("SELECT count(*) FROM request_origin JOIN request USING (number) \
        WHERE open = 1 AND network = $1 AND proven = $2");
    OF_MAILBOX = sql("SELECT count(*) FROM request_origin JOIN request USING (number) \
        WHERE open = 1 AND mailbox = $1 AND proven = $2");
    OF_OFFICE = sql("SELECT count(*) FROM request_origin AS o JOIN request USING (number) \
        WHERE open = 1 AND o.office = $1 AND proven = 0");
    SAME = sql("SELECT r.number FROM request AS r JOIN request_origin AS o USING (number) \
        WHERE r.name = $1 AND r.kind = $2 AND r.open = 1 \
        AND o.network = $3 AND o.mailbox = $4 AND o.office = $5 LIMIT 1");
    PUT = upsert::<OriginRow>(&[]);
    FORGET = sql("DELETE FROM request_origin \
        WHERE number NOT IN (SELECT number FROM request WHERE open = 1)");
    LETTERS = sql("SELECT coalesce(sum(octets), 0) FROM letter WHERE erased_ms IS NULL");
}

impl Reader<'_> {
    /// The count of open requests without an account.
    pub fn open_from(&self, counted: Counted<'_>) -> Result<u64, StoreError> {
        match counted {
            Counted::All(proven) => self.only(ALL, [proven]),
            Counted::Network(network, proven) => self.only(OF_NETWORK, params![network, proven]),
            Counted::Mailbox(mailbox, proven) => self.only(OF_MAILBOX, params![mailbox, proven]),
            Counted::Office(office) => self.only(OF_OFFICE, [office]),
        }
    }

    /// An open request of the same kind on a name from where `origin` comes from: the same network,
    /// mailbox and office.
    pub fn same_request(
        &self,
        name: &str,
        kind: Kind,
        origin: &OriginRow,
    ) -> Result<Option<String>, StoreError> {
        let OriginRow { network, mailbox, office, .. } = origin;
        self.one(SAME, params![name, kind, network, mailbox, office])
    }

    /// Octets of all letters that are kept.
    pub fn letter_octets(&self) -> Result<u64, StoreError> {
        self.only(LETTERS, [])
    }
}

impl Tx<'_> {
    /// Keeps where a request comes from.
    pub fn put_origin(&self, row: &OriginRow) -> Result<(), StoreError> {
        self.put(PUT, row, &[])
    }

    /// Forgets where requests that have ended came from; returns the count.
    pub fn forget_origins(&self) -> Result<usize, StoreError> {
        self.run(FORGET, [])
    }
}
