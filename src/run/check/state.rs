//! The state directory, its database and its keys.

use std::path::Path;

use rustix::fs::{Access, access};

use super::Check;
#[cfg(feature = "approval")]
use crate::audit::{Notary, Vault};
use crate::run::stand_in;
use crate::store::Store;
#[cfg(feature = "approval")]
use crate::store::StoreError;
use crate::text::with_causes;

/// What holds while the database is not used.
const UNTIL_THEN: &str = "until then zones are answered, and the queue stays closed";
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
                self.fault("state-dir", KEY, fault("is no directory"), hint);
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
                    let hint = "make it, for the user gapura runs as";
                    self.fault("state-dir", KEY, fault("is missing and cannot be made"), hint);
                }
            }
            Err(error) => {
                let what = format!("cannot be looked at: {error}");
                self.fault("state-dir", KEY, fault(&what), "");
            }
        }
    }

    /// The database and the keys that belong to it.
    fn contents(&mut self, path: &Path) {
        let database = Store::path(path);
        if Store::is_absent(path) {
            let lost = stand_in::lost(path);
            lost.into_iter().for_each(|message| self.fault("database", KEY, message, UNTIL_THEN));
            return;
        }
        for file in ["lock", "gapura.db"].map(|name| path.join(name)) {
            if file.exists() && access(&file, Access::READ_OK | Access::WRITE_OK).is_err() {
                let message = format!("{} cannot be written", file.display());
                let hint = "it must belong to the user gapura runs as";
                self.fault("state-dir", KEY, message, hint);
            }
        }
        match Store::inspect(path) {
            Ok(None) => {}
            Ok(Some(store)) => match stand_in::fault_of(&store, path) {
                Some(message) => self.fault("database", KEY, message, UNTIL_THEN),
                None => self.keys(path, &store),
            },
            Err(error) => {
                let message = format!("{}: {}", database.display(), with_causes(&error));
                self.fault("database", KEY, message, UNTIL_THEN);
            }
        }
    }

    /// The keys of the event chain and of personal data, which a first start made with the database.
    #[cfg(feature = "approval")]
    fn keys(&mut self, path: &Path, store: &Store) {
        let Ok(known) = store.read::<_, StoreError>(|reader| reader.audit_keys()) else { return };
        let Some(known) = known.last() else { return };
        let hint = "put it back from a backup, readable by the user gapura runs as";
        match Notary::public_key_in(path) {
            Ok(public) if public == known.public => {}
            Ok(_) => {
                let message = format!(
                    "the chain's key in {} is not the one of the database ({})",
                    path.display(),
                    known.key_id
                );
                self.fault("key", KEY, message, hint);
            }
            Err(error) => self.fault("key", KEY, with_causes(&error), hint),
        }
        if let Err(error) = Vault::inspect(path) {
            self.fault("key", KEY, with_causes(&error), hint);
        }
    }

    /// A name server alone has no keys.
    #[cfg(not(feature = "approval"))]
    fn keys(&mut self, _: &Path, _: &Store) {}
}
