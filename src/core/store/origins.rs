//! Where open requests without an account come from: what their limits count.
//!
//! Network and mailbox are keyed hashes. A row is of use while its request is open, and goes with its
//! end. Sums over all are kept beside them, so that a submit counts nothing from end to end.

use super::sql::{params, row, select, sql, statements, upsert};
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

/// The sum of the octets of all letters that are kept.
const LETTER_OCTETS: &str = "letter_octets";

/// The sum of open requests whose mailbox is proven, or not.
fn open(proven: bool) -> &'static str {
    if proven { "open_proven" } else { "open_unproven" }
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
    ORIGIN = select::<OriginRow>("WHERE number = $1");
    TALLY = sql("SELECT value FROM tally WHERE name = $1");
    ADD = sql("UPDATE tally SET value = CASE WHEN value + $1 > 0 THEN value + $1 ELSE 0 END \
        WHERE name = $2");
    SET = sql("UPDATE tally SET value = $1 WHERE name = $2");
    COUNT_OPEN = sql("SELECT count(*) FROM request_origin JOIN request USING (number) \
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
    DROP = sql("DELETE FROM request_origin WHERE number = $1");
    SUM_LETTERS = sql("SELECT CAST(coalesce(sum(octets), 0) AS BIGINT) FROM letter WHERE erased_ms IS NULL");
}

impl Reader<'_> {
    /// The count of open requests without an account.
    pub fn open_from(&self, counted: Counted<'_>) -> Result<u64, StoreError> {
        match counted {
            Counted::All(proven) => self.only(TALLY, [open(proven)]),
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
        self.only(TALLY, [LETTER_OCTETS])
    }
}

impl Tx<'_> {
    /// Keeps where an open request comes from.
    pub fn put_origin(&self, row: &OriginRow) -> Result<(), StoreError> {
        self.drop_origin(&row.number)?;
        self.put(PUT, row, &[])?;
        self.add(open(row.proven), 1)
    }

    /// Forgets where a request came from: it has ended.
    pub(super) fn drop_origin(&self, number: &str) -> Result<(), StoreError> {
        let Some(row) = self.one::<OriginRow>(ORIGIN, [number])? else { return Ok(()) };
        self.run(DROP, [number])?;
        self.add(open(row.proven), -1)
    }

    /// Counts the octets of a letter that is kept from now on, or no longer.
    pub(super) fn add_letter_octets(&self, octets: i64) -> Result<(), StoreError> {
        self.add(LETTER_OCTETS, octets)
    }

    /// Adds to a sum.
    fn add(&self, name: &str, value: i64) -> Result<(), StoreError> {
        self.run(ADD, params![value, name]).map(drop)
    }

    /// Forgets where requests that have ended came from, and makes the sums anew: whatever edited them
    /// lasts a day.
    pub fn tidy_origins(&self) -> Result<(), StoreError> {
        self.run(FORGET, [])?;
        for proven in [true, false] {
            let count: u64 = self.only(COUNT_OPEN, [proven])?;
            self.run(SET, params![i64::try_from(count).unwrap_or(i64::MAX), open(proven)])?;
        }
        let octets: u64 = self.only(SUM_LETTERS, [])?;
        self.run(SET, params![i64::try_from(octets).unwrap_or(i64::MAX), LETTER_OCTETS]).map(drop)
    }
}
