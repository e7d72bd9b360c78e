//! What the operator's file on disk says about one name, live or not.

use super::compile::{self, Pace};
use crate::lock::lock;
use crate::publish::state::{PublishError, Publisher, RrsetEdit};
use crate::wire::Name;

impl Publisher {
    /// The RRsets at a name in the file on disk. A file that has errors of its own says nothing.
    pub fn in_file(&self, zone: &Name, name: &Name) -> Result<Vec<RrsetEdit>, PublishError> {
        let slot = self.0.slot(zone)?;
        let source = lock(&slot.state).source.clone();
        let refused = |findings| PublishError::Refused { zone: zone.clone(), findings };
        let loaded = compile::load(&source, &self.0.options, Pace::Start)
            .map_err(|unread| refused(vec![unread.finding]))?;
        let file = loaded.zone.filter(|_| loaded.guard.is_none()).ok_or_else(|| {
            let errors = loaded.findings.into_iter();
            refused(errors.filter(|finding| finding.is_error()).collect())
        })?;
        let node = file.node(name.as_ref());
        let sets = node.into_iter().flat_map(|node| node.rrsets());
        Ok(sets
            .map(|set| RrsetEdit {
                owner: name.clone(),
                rtype: set.rtype(),
                ttl: set.ttl(),
                rdatas: set.rdatas().map(Into::into).collect(),
            })
            .collect())
    }
}
