//! Rows of codes that prove a mailbox. All that names somebody is a keyed hash.

use super::sql::{params, row, select, sql, statements, upsert};
use super::{Reader, StoreError, Tx};

row! {
    /// A code that was mailed.
    #[derive(Clone, Debug, Default, Eq, PartialEq)]
    pub struct CodeRow = "mailbox_code" {
        /// Random.
        [key] pub id: String,
        /// What it is for: a draft, or a caller of the API.
        pub subject: String,
        /// Where it was sent.
        pub mailbox: String,
        /// Where it was asked for.
        pub network: String,
        /// The code.
        pub code: String,
        /// When it was made (epoch ms).
        pub sent_ms: i64,
        /// How often it was tried.
        pub tries: u32,
        /// Shows that it was entered; empty before.
        pub proof: String,
    }
}

/// What codes are counted by.
#[derive(Clone, Copy, Debug)]
pub enum CodesOf<'a> {
    /// A draft or a caller.
    Subject(&'a str),
    /// A mailbox.
    Mailbox(&'a str),
    /// A network.
    Network(&'a str),
    /// A mailbox, asked for from a network.
    MailboxAndNetwork(&'a str, &'a str),
}

statements! {
    NEWEST = select::<CodeRow>("WHERE subject = $1 AND mailbox = $2 \
        ORDER BY sent_ms DESC, code || proof DESC LIMIT 1");
    PUT = upsert::<CodeRow>(&[]);
    OF_SUBJECT = sql("SELECT count(*) FROM mailbox_code WHERE subject = $1 AND sent_ms > $2");
    OF_MAILBOX = sql("SELECT count(*) FROM mailbox_code WHERE mailbox = $1 AND sent_ms > $2");
    OF_NETWORK = sql("SELECT count(*) FROM mailbox_code WHERE network = $1 AND sent_ms > $2");
    OF_MAILBOX_AND_NETWORK = sql("SELECT count(*) FROM mailbox_code \
        WHERE mailbox = $1 AND network = $2 AND sent_ms > $3");
    SPEND_OLDER = sql("UPDATE mailbox_code SET code = '', proof = '' \
        WHERE subject = $1 AND mailbox = $2");
    SPEND = sql("UPDATE mailbox_code SET code = '', proof = '' WHERE subject = $1");
    SPEND_ALL = sql("UPDATE mailbox_code SET code = '', proof = ''");
    SWEEP = sql("DELETE FROM mailbox_code WHERE sent_ms < $1");
}

impl Reader<'_> {
    /// The newest code of a subject for a mailbox: older ones count no more.
    pub fn newest_code(&self, subject: &str, mailbox: &str) -> Result<Option<CodeRow>, StoreError> {
        self.one(NEWEST, [subject, mailbox])
    }

    /// The count of codes made since.
    pub fn codes_since(&self, of: CodesOf<'_>, since_ms: i64) -> Result<u64, StoreError> {
        match of {
            CodesOf::Subject(tag) => self.only(OF_SUBJECT, params![tag, since_ms]),
            CodesOf::Mailbox(tag) => self.only(OF_MAILBOX, params![tag, since_ms]),
            CodesOf::Network(tag) => self.only(OF_NETWORK, params![tag, since_ms]),
            CodesOf::MailboxAndNetwork(mailbox, network) => {
                self.only(OF_MAILBOX_AND_NETWORK, params![mailbox, network, since_ms])
            }
        }
    }
}

impl Tx<'_> {
    /// Adds a code. Those that were made for the same subject and mailbox before are useless from now on.
    pub fn add_code(&self, row: &CodeRow) -> Result<(), StoreError> {
        self.run(SPEND_OLDER, [&row.subject, &row.mailbox])?;
        self.put_code(row)
    }

    /// Writes a code that was tried.
    pub fn put_code(&self, row: &CodeRow) -> Result<(), StoreError> {
        self.put(PUT, row, &[])
    }

    /// Makes the codes of a subject useless; they still count against its limits.
    pub fn spend_codes(&self, subject: &str) -> Result<(), StoreError> {
        self.run(SPEND, [subject]).map(drop)
    }

    /// Makes all codes useless.
    pub fn spend_all_codes(&self) -> Result<(), StoreError> {
        self.run(SPEND_ALL, []).map(drop)
    }

    /// Drops old codes; returns their count.
    pub fn sweep_codes(&self, before_ms: i64) -> Result<usize, StoreError> {
        self.run(SWEEP, [before_ms])
    }
}
