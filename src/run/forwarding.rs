//! What pages need to know of nodes: who publishes, for those of a node that follows; our own token, for those of the one
//! that publishes.

use std::time::Duration;

use tokio::runtime::Runtime;
use tokio::sync::watch;

use super::timer::every;
use crate::store::nodes::PublishingNode;
use crate::store::{Store, StoreError};
use crate::text::with_causes;
use crate::web::{NodeToken, Publisher, Publishing};

/// How often it is looked who publishes.
const LOOK: Duration = Duration::from_secs(1);

/// Who publishes, looked at again and again. While the database does not say, it is the one of before.
pub(super) fn publisher(
    runtime: &Runtime,
    store: &Store,
    stopped: &watch::Receiver<bool>,
) -> Publisher {
    let (tell, told) = watch::channel(store.publishing().ok().flatten().and_then(publishing));
    let store = store.clone();
    let look = move |_| match store.publishing() {
        Ok(now) => {
            let now = now.and_then(publishing);
            tell.send_if_modified(|known| {
                let is_other = *known != now;
                *known = now;
                is_other
            });
        }
        Err(error) => tracing::debug!(%error, "it is not known which node publishes"),
    };
    // Shared by the turns: the channel lives as long as they do.
    let look = std::sync::Arc::new(look);
    runtime.spawn(every(LOOK, stopped.clone(), move |ran| look(ran)));
    told
}

/// What pages need of it.
fn publishing(node: PublishingNode) -> Option<Publishing> {
    let PublishingNode { number, name, url, token } = node;
    Some(Publishing { number, name, url, token: NodeToken::new(&token)? })
}

/// What other nodes prove themselves with to this one, which publishes; none if it has no others.
pub(super) fn own_token(store: &Store) -> Option<NodeToken> {
    let node = store.publishing().unwrap_or_else(|error: StoreError| {
        let error = with_causes(&error);
        tracing::error!(error, "other nodes' pages are refused until the next start");
        None
    });
    NodeToken::new(&node?.token)
}
