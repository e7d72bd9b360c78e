//! Rows of drafts: requests that are not sent yet. They live on the pages only.

use super::sql::{params, row, select, sql, statements, upsert};
use super::{Reader, StoreError, Tx};

row! {
    /// What an applicant has filled in so far.
    #[derive(Clone, Debug, Default, Eq, PartialEq)]
    pub struct DraftRow = "draft" {
        /// SHA-256 of the browser's visit cookie.
        [key] pub visit_hash: String,
        /// Fields and values, sealed; in rows of earlier versions a JSON object.
        pub fields: String,
        /// The letter, if one was uploaded, sealed.
        pub letter: Option<Vec<u8>>,
        /// Its name on the sender's machine, sealed.
        pub letter_name: String,
        /// Last change (epoch ms).
        pub changed_ms: i64,
        /// Keyed hash of the network it comes from; empty for an officer's.
        pub network: String,
        /// Octets of fields and letter.
        pub octets: u64,
    }
}

statements! {
    DRAFT = select::<DraftRow>("WHERE visit_hash = $1");
    PUT_DRAFT = upsert::<DraftRow>(&[]);
    DROP_DRAFT = sql("DELETE FROM draft WHERE visit_hash = $1");
    SWEEP_DRAFTS = sql("DELETE FROM draft WHERE changed_ms < $1");
    ALL = sql("SELECT count(*), CAST(coalesce(sum(octets), 0) AS BIGINT) FROM draft WHERE visit_hash <> $1");
    OF_NETWORK = sql("SELECT count(*), CAST(coalesce(sum(octets), 0) AS BIGINT) FROM draft \
        WHERE visit_hash <> $1 AND network = $2");
    CUT_SWEPT = sql("UPDATE draft_link SET draft = '', token = '' \
        WHERE draft IN (SELECT visit_hash FROM draft WHERE changed_ms < $1)");
    OLDEST = sql("SELECT visit_hash FROM draft \
        WHERE visit_hash <> $1 AND changed_ms < $2 ORDER BY changed_ms LIMIT 1");
    OLDEST_OF = sql("SELECT visit_hash FROM draft \
        WHERE visit_hash <> $1 AND changed_ms < $2 AND network = $3 ORDER BY changed_ms LIMIT 1");
}

impl Reader<'_> {
    /// The draft of a browser.
    pub fn draft(&self, visit_hash: &str) -> Result<Option<DraftRow>, StoreError> {
        self.one(DRAFT, [visit_hash])
    }

    /// Count and octets of all drafts but one, or of those of a network.
    pub fn drafts_beside(
        &self,
        visit_hash: &str,
        network: Option<&str>,
    ) -> Result<(u64, u64), StoreError> {
        match network {
            Some(network) => self.only(OF_NETWORK, params![visit_hash, network]),
            None => self.only(ALL, [visit_hash]),
        }
    }
}

impl Tx<'_> {
    /// Writes a draft, new or changed.
    pub fn put_draft(&self, row: &DraftRow) -> Result<(), StoreError> {
        self.put(PUT_DRAFT, row, &[])
    }

    /// Drops a draft. No link leads to what is begun in its place.
    pub fn drop_draft(&self, visit_hash: &str) -> Result<bool, StoreError> {
        self.cut_draft_links(visit_hash)?;
        Ok(self.run(DROP_DRAFT, [visit_hash])? > 0)
    }

    /// Drops drafts nobody has touched since, likewise; returns the count.
    pub fn sweep_drafts(&self, changed_before: i64) -> Result<usize, StoreError> {
        self.run(CUT_SWEPT, [changed_before])?;
        self.run(SWEEP_DRAFTS, [changed_before])
    }

    /// Drops the draft, of all or of a network, that nobody has touched for the longest time, if that
    /// was before `changed_before`; never the one of `visit_hash`. Returns whether there was one.
    pub fn drop_oldest_draft(
        &self,
        visit_hash: &str,
        changed_before: i64,
        network: Option<&str>,
    ) -> Result<bool, StoreError> {
        let oldest: Option<String> = match network {
            Some(network) => self.one(OLDEST_OF, params![visit_hash, changed_before, network])?,
            None => self.one(OLDEST, params![visit_hash, changed_before])?,
        };
        if let Some(oldest) = &oldest {
            self.drop_draft(oldest)?;
        }
        Ok(oldest.is_some())
    }
}
