//! Files with the secrets of keys.

use std::collections::BTreeMap;
use std::io;
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
                "{} exists and contains another secret: name another directory with --keys",
                path.display()
            ),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                files::write_new(&path, 0o600, text.as_bytes())
                    .with_context(|| format!("cannot write {}", path.display()))?;
            }
            Err(error) => {
                return Err(error).with_context(|| {
                    format!("cannot read {}: name another directory with --keys", path.display())
                });
            }
        }
        written.insert(key.name.clone(), seen_from(base, &path));
    }
    Ok(written)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn what_is_there_is_never_replaced() {
        let made = tempfile::tempdir().unwrap();
        let dir = made.path();
        let key = Key {
            name: "armada.".parse().unwrap(),
            algorithm: "hmac-sha256".parse().unwrap(),
            secret: "c2VjcmV0".to_owned(),
        };
        let path = dir.join(format!("{}.key", files::stem(&key.name)));
        let put = || write(std::slice::from_ref(&key), dir, dir);
        // A link to nowhere, and one that cannot be read at all.
        for to in [dir.join("gone"), path.clone()] {
            symlink(&to, &path).unwrap();
            assert!(put().is_err(), "{}", to.display());
            assert_eq!(std::fs::read_link(&path).unwrap(), to);
            assert!(!dir.join("gone").exists());
            std::fs::remove_file(&path).unwrap();
        }
        assert!(put().is_ok());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "c2VjcmV0\n");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        // The same secret is as good; another one stays.
        assert!(put().is_ok());
        std::fs::write(&path, "other\n").unwrap();
        assert!(put().is_err());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "other\n");
    }
}
