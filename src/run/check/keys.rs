//! The private keys that zones are signed with: there, readable, and those that they say they are.

use super::Check;
use crate::keystore::Keystore;
use crate::publish::{ZoneSource, kept_keys};
use crate::text::with_causes;

impl Check<'_> {
    /// Looks at the keys of every zone that is to be signed.
    pub(super) fn signing_keys(&mut self, sources: &[ZoneSource]) {
        let state_dir = &self.loaded.settings.server.state_dir;
        for source in sources {
            let Some(policy) = &source.signing else { continue };
            let zone = &source.apex;
            let wrong = match kept_keys(state_dir, zone) {
                Ok(Some(wrong)) => wrong,
                Ok(None) => match Keystore::new(state_dir).list(zone) {
                    Ok(keys) if keys.is_empty() && !policy.algorithm.can_generate() => {
                        let message = format!(
                            "{zone} cannot be signed: {} keys are not made here, and none was imported",
                            policy.algorithm
                        );
                        let hint =
                            format!("gapura key import {zone} FILE…, or take another algorithm");
                        self.fault("signing-key", "", message, &hint);
                        continue;
                    }
                    Ok(_) => continue,
                    Err(error) => vec![with_causes(&error)],
                },
                Err(error) => vec![with_causes(&error)],
            };
            for message in wrong {
                self.fault("signing-key", "server.state_dir", message, "");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;
    use std::sync::Arc;

    use super::*;
    use crate::config;
    use crate::dnssec::{Algorithm, KSK};
    use crate::publish::{Options, Publisher};
    use crate::rollover::Policy;
    use crate::store::Store;

    /// What is said of the keys of a zone.
    fn told(state_dir: &Path, source: &ZoneSource) -> Vec<String> {
        let file = state_dir.join("gapura.toml");
        std::fs::write(&file, "[server]\nstate_dir = \".\"\n").unwrap();
        let loaded = config::load(&file).unwrap();
        let mut check = Check { loaded: &loaded, findings: Vec::new() };
        check.signing_keys(std::slice::from_ref(source));
        check.findings.into_iter().map(|finding| finding.message).collect()
    }

    /// A zone that is to be signed.
    fn source(state_dir: &Path, algorithm: Algorithm) -> ZoneSource {
        let file = state_dir.join("zone");
        std::fs::write(&file, "example. 60 SOA ns a 1 60 60 60 60\n 60 NS ns\nns 60 A 192.0.2.1\n")
            .unwrap();
        let policy = Policy { algorithm, ..Policy::default() };
        let apex = "example.".parse().unwrap();
        ZoneSource { signing: Some(Arc::new(policy)), ..ZoneSource::new(apex, file) }
    }

    #[test]
    fn keys_that_cannot_be_used_are_told_before_they_are_needed() {
        let directory = tempfile::tempdir().unwrap();
        let state_dir = directory.path();
        let source = source(state_dir, Algorithm::EcdsaP256Sha256);
        assert_eq!(told(state_dir, &source), [""; 0]);
        let store = Store::open(state_dir).unwrap();
        let options = Options::new(state_dir);
        let (publisher, _) = Publisher::open(store, vec![source.clone()], options).unwrap();
        publisher.begin_signing(&source.apex, "gapura").unwrap().unwrap();
        assert_eq!(told(state_dir, &source), [""; 0]);

        let keystore = Keystore::new(state_dir);
        let key = keystore.list(&source.apex).unwrap().remove(0);
        let path = keystore.path(&source.apex, &key);
        std::fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        let open = told(state_dir, &source);
        assert!(open.len() == 1 && open[0].contains("0600"), "{open:?}");
        std::fs::remove_file(&path).unwrap();
        let gone = told(state_dir, &source);
        assert!(gone.len() == 1 && gone[0].contains("from the backup"), "{gone:?}");
    }

    #[test]
    fn keys_that_were_imported_are_looked_at_before_the_zone_is_signed() {
        let directory = tempfile::tempdir().unwrap();
        let state_dir = directory.path();
        let rsa = source(state_dir, Algorithm::RsaSha256);
        assert!(told(state_dir, &rsa)[0].contains("none was imported"));
        let source = source(state_dir, Algorithm::Ed25519);
        let keystore = Keystore::new(state_dir);
        let key = keystore.generate(&source.apex, Algorithm::Ed25519, KSK, &[]).unwrap();
        assert_eq!(told(state_dir, &source), [""; 0]);
        std::fs::write(keystore.path(&source.apex, &key), "nothing").unwrap();
        let strange = told(state_dir, &source);
        assert!(strange.len() == 1 && strange[0].contains("called after"), "{strange:?}");
    }
}
