//! The state directory, its database and its keys.

use std::path::Path;

use rustix::fs::{Access, access};

use super::Check;
#[cfg(feature = "approval")]
use crate::audit::{Notary, Vault, has_keys, inspect_vault};
use crate::run::{options, stand_in};
#[cfg(feature = "approval")]
use crate::store::StoreError;
use crate::store::{Location, Store};
use crate::text::with_causes;

/// The consequence while the database is not in use.
const UNTIL_THEN: &str = "until then zones are answered, and the queue stays closed";
/// What to do about a key of the queue.
#[cfg(feature = "approval")]
const KEY_HINT: &str = "restore it from a backup, readable by the user gapura runs as";
/// The key of the settings.
const KEY: &str = "server.state_dir";

impl Check<'_> {
    /// The directory can be written, or made; what is in it can be worked on.
    pub(super) fn state(&mut self) {
        let path = &self.loaded.settings.server.state_dir;
        let fault = |what: &str| format!("the state directory {} {what}", path.display());
        let is_writable = |path: &Path| access(path, Access::WRITE_OK | Access::EXEC_OK).is_ok();
        match std::fs::metadata(path) {
            Ok(found) if !found.is_dir() => {
                let hint = "name a directory in server.state_dir";
                self.fault("state-dir", KEY, fault("is not a directory"), hint);
            }
            Ok(_) if !is_writable(path) => {
                let hint = "it must belong to the user gapura runs as";
                self.fault("state-dir", KEY, fault("cannot be written"), hint);
            }
            Ok(_) => self.contents(path),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let existing = path.ancestors().skip(1).find(|above| {
                    let above = if above.as_os_str().is_empty() { Path::new(".") } else { above };
                    above.exists()
                });
                let above = existing.filter(|above| !above.as_os_str().is_empty());
                if !is_writable(above.unwrap_or_else(|| Path::new("."))) {
                    let hint = "create it, owned by the user gapura runs as";
                    self.fault("state-dir", KEY, fault("is missing and cannot be created"), hint);
                }
                if !self.loaded.settings.database.url.0.is_empty() {
                    self.contents(path);
                }
            }
            Err(error) => {
                let what = format!("cannot be examined: {error}");
                self.fault("state-dir", KEY, fault(&what), "");
            }
        }
    }

    /// The database and the keys that belong to it.
    fn contents(&mut self, path: &Path) {
        // Settings of it that make no sense are told already.
        let Ok(options) = options::publish(&self.loaded.settings) else { return };
        let place = &options.database;
        let key = if matches!(place, Location::File(_)) { KEY } else { "database.url" };
        let is_absent = place.is_absent().and_then(|is_absent| {
            let lost = stand_in::lost(&options)?;
            lost.into_iter().for_each(|message| self.fault("database", key, message, UNTIL_THEN));
            Ok(is_absent)
        });
        for file in ["lock", "gapura.db"].map(|name| path.join(name)) {
            if file.exists() && access(&file, Access::READ_OK | Access::WRITE_OK).is_err() {
                let message = format!("{} cannot be written", file.display());
                let hint = "it must belong to the user gapura runs as";
                self.fault("state-dir", KEY, message, hint);
            }
        }
        let looked = match is_absent {
            Ok(true) => return,
            Ok(false) => place.look(),
            Err(error) => Err(error),
        };
        match looked {
            Ok(None) => self.keys_alone(path),
            Ok(Some(store)) => match stand_in::fault_of(&store, &options) {
                Some(unusable) => self.fault("database", key, unusable.reason, UNTIL_THEN),
                None => self.keys(path, &store),
            },
            Err(error) => {
                let message = format!("{place}: {}", with_causes(&error));
                self.fault("database", key, message, UNTIL_THEN);
            }
        }
    }

    /// The keys of the event chain and of personal data, which a first start made with the database.
    #[cfg(feature = "approval")]
    fn keys(&mut self, path: &Path, store: &Store) {
        let Ok(known) = store.read::<_, StoreError>(|reader| reader.audit_keys()) else { return };
        let Some(known) = known.last() else { return };
        match Notary::public_key_in(path) {
            Ok(public) if public == known.public => {}
            Ok(_) => {
                let message = format!(
                    "the chain's key in {} is not the one of the database ({})",
                    path.display(),
                    known.key_id
                );
                self.fault("key", KEY, message, KEY_HINT);
            }
            Err(error) => self.fault("key", KEY, with_causes(&error), KEY_HINT),
        }
        if let Err(error) = inspect_vault(path, store) {
            self.fault("key", KEY, with_causes(&error), KEY_HINT);
        }
    }

    /// The same while the database cannot be read: if one key exists, both must be readable.
    #[cfg(feature = "approval")]
    fn keys_alone(&mut self, path: &Path) {
        if !has_keys(path) {
            return;
        }
        let looks = [Notary::public_key_in(path).map(drop), Vault::inspect(path).map(drop)];
        for error in looks.into_iter().filter_map(Result::err) {
            self.fault("key", KEY, with_causes(&error), KEY_HINT);
        }
    }

    /// A name server alone has no keys.
    #[cfg(not(feature = "approval"))]
    fn keys(&mut self, _: &Path, _: &Store) {}

    /// A name server alone has no keys.
    #[cfg(not(feature = "approval"))]
    fn keys_alone(&mut self, _: &Path) {}
}
