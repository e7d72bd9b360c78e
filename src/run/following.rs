//! This node follows another one, which publishes: what both say of that.

use crate::store::Store;

/// That a change is made at the node that publishes, and where that is.
pub(super) fn elsewhere(store: &Store) -> String {
    match store.publishing() {
        Ok(Some(node)) => {
            format!("this node follows {node} and changes nothing: make the change there")
        }
        Ok(None) | Err(_) => {
            "this node follows the one that publishes, which is not known now: try again in a \
             moment"
                .to_owned()
        }
    }
}
