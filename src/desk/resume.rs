//! A draft is found again by a link that was mailed: on another machine, or when the browser has forgotten it.
//!
//! A link is used once, and ends those of the draft that went to other mailboxes; it moves the draft to the browser that opened it, so that what is filled in is at one place. It
//! holds as long as a draft is kept. What is stored opens nothing: tokens and mailboxes are keyed hashes.

use super::drafts::DRAFT_KEPT_MS;
use super::{ActError, Desk, DraftContent, PublicLimit};
use crate::audit::random;
use crate::digest::hex;
use crate::queue::time::MINUTE_MS;
use crate::store::Tx;
use crate::store::draft_links::{DraftLinkRow, LinksOf};

/// The time the limits below are for.
const WINDOW_MS: i64 = 60 * MINUTE_MS;
/// Links for one draft.
const PER_DRAFT: u64 = 5;
/// Links to one mailbox: nobody fills somebody's mailbox through us.
const PER_MAILBOX: u64 = 8;
/// Links asked for from one network.
const PER_NETWORK: u64 = 20;
/// Drafts of one mailbox that are linked in one mail.
const DRAFTS_MAX: u32 = 3;

/// A link, and what the draft behind it holds.
#[derive(Clone, Debug)]
pub struct DraftLink {
    /// The secret of the link.
    pub token: String,
    /// What has been filled in.
    pub content: DraftContent,
}

impl Desk {
    /// Makes a link to a draft, to be mailed to `mailbox` and nowhere else; none if nothing was filled in.
    pub fn new_draft_link(
        &self,
        draft: &str,
        mailbox: &str,
        network: &str,
    ) -> Result<Option<DraftLink>, ActError> {
        let (mailbox, network) = (self.mailbox_tag(mailbox), self.network_tag(network));
        self.0.ledger.store.write(|tx| {
            self.may_link(
                tx,
                &[
                    (LinksOf::Draft(draft), PER_DRAFT),
                    (LinksOf::Mailbox(&mailbox), PER_MAILBOX),
                    (LinksOf::Network(&network), PER_NETWORK),
                ],
            )?;
            self.link_in(tx, draft, &mailbox, &network)
        })
    }

    /// Makes links to the drafts for which links went to a mailbox before. Whoever asks learns nothing of it, and so
    /// each question counts once, whether there are such drafts or not.
    pub fn draft_links_again(
        &self,
        mailbox: &str,
        network: &str,
    ) -> Result<Vec<DraftLink>, ActError> {
        let tag = self.mailbox_tag(mailbox);
        self.0.ledger.store.write(|tx| {
            let drafts = tx.drafts_linked(&tag, DRAFTS_MAX)?;
            let network = self.network_tag(network);
            self.may_link(
                tx,
                &[(LinksOf::Mailbox(&tag), PER_MAILBOX), (LinksOf::Network(&network), PER_NETWORK)],
            )?;
            let asked = DraftLinkRow { mailbox: tag.clone(), network, ..DraftLinkRow::default() };
            tx.put_draft_link(&DraftLinkRow { id: new_id()?, sent_ms: self.now(), ..asked })?;
            let mut links = Vec::new();
            for draft in &drafts {
                if self.may_link(tx, &[(LinksOf::Draft(draft), PER_DRAFT)]).is_ok() {
                    links.extend(self.link_in(tx, draft, &tag, "")?);
                }
            }
            Ok(links)
        })
    }

    /// What is behind a link that was not used; it stays as it is.
    pub fn draft_behind(&self, token: &str) -> Result<Option<DraftContent>, ActError> {
        let tag = self.link_tag(token);
        let row = self.read(|reader| {
            let link = reader.draft_link(&tag, self.now() - DRAFT_KEPT_MS)?;
            Ok(link.map(|link| reader.draft(&link.draft)).transpose()?.flatten())
        })?;
        Ok(row.and_then(|row| self.open_draft(row).ok()))
    }

    /// Uses a link: the draft behind it is the one of the browser `to` from now on, in the place of what was begun
    /// there. Returns it; none if the link is over or was used.
    pub fn move_draft(
        &self,
        token: &str,
        to: &str,
        network: &str,
    ) -> Result<Option<DraftContent>, ActError> {
        let tag = self.link_tag(token);
        self.0.ledger.store.write(|tx| {
            let since = self.now() - DRAFT_KEPT_MS;
            let Some(link) = tx.draft_link(&tag, since)? else { return Ok(None) };
            let Some(row) = tx.draft(&link.draft)? else { return Ok(None) };
            let Ok(content) = self.open_draft(row) else { return Ok(None) };
            let from = link.draft.clone();
            // Whoever goes on with it is alone with it: links that went elsewhere end.
            tx.cut_other_draft_links(&from, &link.mailbox)?;
            tx.put_draft_link(&DraftLinkRow { token: String::new(), ..link })?;
            if from != to {
                tx.cut_draft_links(to)?;
                tx.put_draft(&self.seal_draft(to.to_owned(), network.to_owned(), &content)?)?;
                tx.move_draft_links(&from, to)?;
                tx.drop_draft(&from)?;
                tx.note_erasure()?;
            }
            Ok(Some(content))
        })
    }

    /// Tests whether there may be another link.
    fn may_link(&self, tx: &Tx<'_>, limits: &[(LinksOf<'_>, u64)]) -> Result<(), ActError> {
        let since = self.now() - WINDOW_MS;
        for (of, most) in limits {
            if tx.draft_links_since(*of, since)? >= *most {
                return Err(ActError::Limit(PublicLimit::Links));
            }
        }
        Ok(())
    }

    /// Makes a link in a transaction, for the tags of a mailbox and a network; without a network it counts for its
    /// draft only.
    fn link_in(
        &self,
        tx: &Tx<'_>,
        draft: &str,
        mailbox: &str,
        network: &str,
    ) -> Result<Option<DraftLink>, ActError> {
        let Some(row) = tx.draft(draft)? else { return Ok(None) };
        // One that cannot be opened is begun anew, and so there is nothing to go on with.
        let Ok(content) = self.open_draft(row) else { return Ok(None) };
        let token = hex(&random::<32>()?);
        tx.put_draft_link(&DraftLinkRow {
            id: new_id()?,
            token: self.link_tag(&token),
            draft: draft.to_owned(),
            mailbox: mailbox.to_owned(),
            network: network.to_owned(),
            sent_ms: self.now(),
        })?;
        Ok(Some(DraftLink { token, content }))
    }

    /// A token as it is stored.
    fn link_tag(&self, token: &str) -> String {
        self.0.ledger.vault.tag("draft link", token)
    }
}

/// An id of a row.
fn new_id() -> Result<String, ActError> {
    Ok(hex(&random::<12>()?))
}
