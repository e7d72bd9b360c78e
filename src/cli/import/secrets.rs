//! Files with the secrets of keys.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context;

use super::zone_file::seen_from;
use crate::files;
use crate::import::Key;
use crate::wire::Name;

/// Writes the secret of each key into a file of mode 0600; the paths as the settings in `base` name them.
pub(super) fn write(
    keys: &[Key],
    directory: &Path,
    base: &Path,
) -> anyhow::Result<BTreeMap<Name, PathBuf>> {
    std::fs::create_dir_all(directory)
        .with_context(|| format!("cannot make {}", directory.display()))?;
    let mut written = BTreeMap::new();
    for key in keys {
        let path = std::path::absolute(directory)?.join(format!("{}.key", files::stem(&key.name)));
        let text = format!("{}\n", key.secret);
        match std::fs::read(&path) {
            Ok(there) if there == text.as_bytes() => {}
            Ok(_) => anyhow::bail!(
                "{} is there and holds another secret: name another directory with --keys",
                path.display()
            ),
            Err(_) => files::write_private(&path, text.as_bytes())
                .with_context(|| format!("cannot write {}", path.display()))?,
        }
        written.insert(key.name.clone(), seen_from(base, &path));
    }
    Ok(written)
}
