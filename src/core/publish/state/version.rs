//! A version of a zone in its two forms: as files, requests and updates define it, and as it is
//! served.

use crate::zone::Zone;

/// A version of a zone.
#[derive(Clone)]
pub(crate) struct Version {
    /// What files, requests and updates put in: without what gapura signs it with. A transfer that is signed here
    /// keeps its primary's serial in it.
    pub(crate) content: Zone,
    /// The same with keys, proofs and signatures, where gapura signs it.
    pub(crate) signed: Option<Zone>,
}

impl Version {
    /// A version that is served as it is.
    pub(crate) fn plain(content: Zone) -> Self {
        Self { content, signed: None }
    }

    /// What is served of it.
    pub(crate) fn served(&self) -> &Zone {
        self.signed.as_ref().unwrap_or(&self.content)
    }
}
