//! The audit anchor: a signed checkpoint of the event chain, published as a TXT record with each
//! promotion, so that nobody can rewrite the chain behind what the zone has shown.

use super::{ActError, Promoter};
use crate::audit::{ANCHOR_LABEL, Anchor};
use crate::publish::RrsetEdit;
use crate::store::StoreError;
use crate::wire::{Name, Rtype, rdata};

/// Time to live of the anchor, in seconds.
const ANCHOR_TTL: u32 = 300;

impl Promoter {
    /// Signs the chain's head if there is news, and returns it as an anchor.
    pub(super) fn checkpoint(&self) -> Result<Option<Anchor>, ActError> {
        let ledger = &self.ledger;
        let fresh = ledger.store.read::<_, StoreError>(|reader| {
            let last = reader.last_checkpoint()?;
            let head = reader.chain_head()?.map(|(sequence, _)| sequence);
            Ok(last.filter(|last| Some(last.sequence) == head))
        })?;
        let last = match fresh {
            Some(last) => Some(last),
            None => ledger
                .store
                .write::<_, StoreError>(|tx| ledger.notary.checkpoint(tx, ledger.now()))?,
        };
        Ok(last.map(Anchor))
    }
}

/// The anchor as an edit of a zone.
pub fn anchor_edit(apex: &Name, anchor: &Anchor) -> Option<RrsetEdit> {
    let owner = Name::prepend(ANCHOR_LABEL.as_bytes(), apex.as_ref()).ok()?;
    let text = format!("\"{anchor}\"");
    let rdata = rdata::parse(Rtype::TXT, text.as_bytes(), apex.as_ref()).ok()?;
    let rdatas = vec![rdata.into_boxed_slice()];
    Some(RrsetEdit { owner, rtype: Rtype::TXT, ttl: ANCHOR_TTL, rdatas })
}
