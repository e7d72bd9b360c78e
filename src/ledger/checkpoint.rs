//! Signing the event chain.

use super::Ledger;
use crate::audit::Anchor;
use crate::store::StoreError;

impl Ledger {
    /// Signs the chain's head if there is news, and returns the newest signature as an anchor.
    pub fn sign_head(&self) -> Result<Option<Anchor>, StoreError> {
        // Nobody waits for the writer while there is nothing to sign.
        let fresh = self.store.read::<_, StoreError>(|reader| {
            let last = reader.last_checkpoint()?;
            let head = reader.chain_head()?.map(|(sequence, _)| sequence);
            Ok(last.filter(|last| Some(last.sequence) == head))
        })?;
        let last = match fresh {
            Some(last) => Some(last),
            None => self.store.write(|tx| self.notary.checkpoint(tx, self.now()))?,
        };
        Ok(last.map(Anchor))
    }
}
