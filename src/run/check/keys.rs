//! The private keys that zones are signed with: there, readable, and those that they say they are.

use super::Check;
use crate::keystore::Keystore;
use crate::publish::ZoneSource;
use crate::rollover::KeySet;
use crate::text::with_causes;

impl Check<'_> {
    /// Looks at the keys of every zone that is to be signed.
    pub(super) fn signing_keys(&mut self, sources: &[ZoneSource]) {
        let keystore = Keystore::new(&self.loaded.settings.server.state_dir);
        for source in sources {
            let Some(policy) = &source.signing else { continue };
            let zone = &source.apex;
            let kept = match keystore.read_key_set(zone) {
                Ok(kept) => kept,
                Err(error) => {
                    self.fault("signing-key", "server.state_dir", with_causes(&error), "");
                    continue;
                }
            };
            let Some(text) = kept else {
                if !policy.algorithm.can_generate() && keystore.list(zone).is_empty() {
                    let message = format!(
                        "{zone} cannot be signed: {} keys are not made here, and none was imported",
                        policy.algorithm
                    );
                    let hint = format!("gapura key import {zone} FILE…, or take another algorithm");
                    self.fault("signing-key", "", message, &hint);
                }
                continue;
            };
            let keys = match KeySet::read(&text) {
                Ok(keys) => keys,
                Err(error) => {
                    let path = keystore.directory(zone).display().to_string();
                    let message = format!("{path}: {}", with_causes(&error));
                    self.fault("signing-key", "server.state_dir", message, "");
                    continue;
                }
            };
            let mut signers = [keys.key_signers(), keys.zone_signers()].concat();
            signers.sort_unstable();
            signers.dedup();
            for key in signers.iter().filter_map(|id| keys.key(id)) {
                if let Err(error) = keystore.load(zone, &key.dnskey) {
                    self.fault("signing-key", "server.state_dir", with_causes(&error), "");
                }
            }
        }
    }
}
