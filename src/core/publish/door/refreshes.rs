//! `state/refreshes`: when a primary of each secondary zone was heard last, outside the database. A node of several
//! goes by it while the database is away: a zone expires then, too.
//!
//! ```text
//! example. 1795813633918 own    in milliseconds since 1970; heard by this node itself
//! ```

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::own_file::write_file;
use crate::files;
use crate::lock::lock;
use crate::publish::state::{Inner, PublishError};
use crate::text::append_line;
use crate::wire::Name;

/// Where they are.
pub(super) fn refreshes_path(state_dir: &Path) -> PathBuf {
    state_dir.join("refreshes")
}

/// Behind what this node heard itself.
const OWN: &str = " own";

/// Reads them: when it was, and whether this node heard it itself.
pub(crate) fn read_refreshes(state_dir: &Path) -> HashMap<Name, (i64, bool)> {
    let bytes = files::read(&refreshes_path(state_dir)).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let pairs = text.lines().filter_map(|line| {
        let rest = line.strip_suffix(OWN);
        let (zone, refreshed_ms) = rest.unwrap_or(line).split_once(' ')?;
        Some((zone.parse().ok()?, (refreshed_ms.parse().ok()?, rest.is_some())))
    });
    pairs.collect()
}

/// Writes them, one zone a line.
pub(super) fn write_refreshes(inner: &Inner) -> Result<(), PublishError> {
    let mut text = String::new();
    for slot in inner.all_slots() {
        let state = lock(&slot.state);
        let refreshed_ms = state.lease.refreshed_ms.filter(|_| state.source.is_secondary());
        let own = if state.lease.is_own { OWN } else { "" };
        refreshed_ms.iter().for_each(|at_ms| append_line!(text, "{} {at_ms}{own}", slot.apex));
    }
    let _one_at_a_time = lock(&inner.files);
    // Another daemon writes them now.
    if inner.store.is_left() {
        return Ok(());
    }
    write_file(&refreshes_path(&inner.options.state_dir), text.as_bytes(), "refreshes")
}
