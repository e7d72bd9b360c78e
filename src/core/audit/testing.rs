//! The chain of a test's database: whatever the test did, it verifies at the end.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use super::{Vault, check_letters, guard, verify_own};
use crate::store::{Store, StoreError};

/// Guards the rows of a database, and verifies it when the test is over.
pub struct Chain {
    store: Store,
    vault: Vault,
    letters: PathBuf,
    is_edited: AtomicBool,
}

impl Chain {
    /// Guards a database in its directory, before anything is written.
    pub fn of(store: &Store, state_dir: &Path) -> Self {
        let vault = Vault::open(state_dir).unwrap();
        guard(store, &vault, 1_795_395_600_000).unwrap();
        let letters = state_dir.join("letters");
        Self { store: store.clone(), vault, letters, is_edited: AtomicBool::new(false) }
    }

    /// The test edits the database or the chain: there is nothing to be good.
    pub fn is_edited(&self) {
        self.is_edited.store(true, Ordering::Relaxed);
    }
}

impl Drop for Chain {
    fn drop(&mut self) {
        if std::thread::panicking() || self.is_edited.load(Ordering::Relaxed) {
            return;
        }
        let has_events = self.store.read::<_, StoreError>(|reader| reader.chain_head()).unwrap();
        if has_events.is_some() {
            let own = |reader: &crate::store::Reader<'_>| {
                Ok::<_, StoreError>(verify_own(reader, Some(&self.vault), None, &[]).unwrap())
            };
            let mut report = self.store.read(own).unwrap();
            check_letters(&self.store, &self.letters, &mut report).unwrap();
            assert!(report.is_good() && report.compared.is_some(), "{:#?}", report.lines());
        }
    }
}
