//! Rows of links that were mailed for drafts. All that names somebody is a keyed hash.

use super::sql::{params, row, select, sql, statements, upsert};
use super::{Reader, StoreError, Tx};

row! {
    /// A link to a draft.
    #[derive(Clone, Debug, Default, Eq, PartialEq)]
    pub struct DraftLinkRow = "draft_link" {
        /// Random.
        [key] pub id: String,
        /// Its secret; empty once it was used.
        pub token: String,
        /// The draft; empty once that is gone.
        pub draft: String,
        /// Where it was sent.
        pub mailbox: String,
        /// Where it was asked for; empty where the question is a row of its own, which counts in its place.
        pub network: String,
        /// When (epoch ms).
        pub sent_ms: i64,
    }
}

/// What links are counted by.
#[derive(Clone, Copy, Debug)]
pub enum LinksOf<'a> {
    /// A draft.
    Draft(&'a str),
    /// A mailbox.
    Mailbox(&'a str),
    /// A network.
    Network(&'a str),
}

statements! {
    BY_TOKEN = select::<DraftLinkRow>("WHERE token = $1 AND token <> '' AND sent_ms > $2");
    DRAFTS_OF = sql("SELECT draft FROM draft_link WHERE mailbox = $1 AND draft <> '' \
        GROUP BY draft ORDER BY max(sent_ms) DESC LIMIT $2");
    PUT = upsert::<DraftLinkRow>(&[]);
    OF_DRAFT = sql("SELECT count(*) FROM draft_link WHERE draft = $1 AND sent_ms > $2");
    OF_MAILBOX = sql("SELECT count(*) FROM draft_link WHERE mailbox = $1 AND network <> '' \
        AND sent_ms > $2");
    OF_NETWORK = sql("SELECT count(*) FROM draft_link WHERE network = $1 AND sent_ms > $2");
    MOVE = sql("UPDATE draft_link SET draft = $1 WHERE draft = $2");
    CUT = sql("UPDATE draft_link SET draft = '', token = '' WHERE draft = $1");
    CUT_OTHERS = sql("UPDATE draft_link SET draft = '', token = '' \
        WHERE draft = $1 AND mailbox <> $2");
    CUT_ALL = sql("UPDATE draft_link SET draft = '', token = '' WHERE token <> ''");
    SWEEP = sql("DELETE FROM draft_link WHERE sent_ms < $1");
}

impl Reader<'_> {
    /// The link of a token that was mailed since and not used.
    pub fn draft_link(&self, token: &str, since: i64) -> Result<Option<DraftLinkRow>, StoreError> {
        self.one(BY_TOKEN, params![token, since])
    }

    /// The drafts for which links went to a mailbox, the last one first.
    pub fn drafts_linked(&self, mailbox: &str, most: u32) -> Result<Vec<String>, StoreError> {
        self.all(DRAFTS_OF, params![mailbox, most])
    }

    /// The count of links mailed since.
    pub fn draft_links_since(&self, of: LinksOf<'_>, since_ms: i64) -> Result<u64, StoreError> {
        match of {
            LinksOf::Draft(hash) => self.only(OF_DRAFT, params![hash, since_ms]),
            LinksOf::Mailbox(tag) => self.only(OF_MAILBOX, params![tag, since_ms]),
            LinksOf::Network(tag) => self.only(OF_NETWORK, params![tag, since_ms]),
        }
    }
}

impl Tx<'_> {
    /// Writes a link, new or used.
    pub fn put_draft_link(&self, row: &DraftLinkRow) -> Result<(), StoreError> {
        self.put(PUT, row, &[])
    }

    /// The links of a draft lead to it at its new place.
    pub fn move_draft_links(&self, from: &str, to: &str) -> Result<(), StoreError> {
        self.run(MOVE, [to, from]).map(drop)
    }

    /// The links of a draft that went to other mailboxes than this one lead nowhere any more.
    pub fn cut_other_draft_links(&self, draft: &str, mailbox: &str) -> Result<(), StoreError> {
        self.run(CUT_OTHERS, [draft, mailbox]).map(drop)
    }

    /// The links of a draft lead nowhere any more; they still count against its limits.
    pub fn cut_draft_links(&self, draft: &str) -> Result<(), StoreError> {
        self.run(CUT, [draft]).map(drop)
    }

    /// No link leads anywhere any more; returns how many did.
    pub fn cut_all_draft_links(&self) -> Result<usize, StoreError> {
        self.run(CUT_ALL, [])
    }

    /// Drops old links; returns their count.
    pub fn sweep_draft_links(&self, before_ms: i64) -> Result<usize, StoreError> {
        self.run(SWEEP, [before_ms])
    }
}
