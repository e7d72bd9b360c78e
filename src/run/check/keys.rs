//! The private keys of signed zones: each must exist, be readable, and match its DNSKEY.

use std::path::Path;

use super::Check;
use crate::check::Signer;
use crate::keystore::Keystore;
use crate::master::{Finding, Severity};
use crate::publish::{PublishError, ZoneSource, imported_keys, kept_keys, kept_set};
use crate::text::with_causes;
use crate::zone::Zone;

//------------ Who signs -----------------------------------------------------

/// Who signs a zone: by the settings, and by the copy of its keys that is kept beside them. A copy that cannot
/// be read is a finding of its own.
pub fn signer(state_dir: &Path, source: &ZoneSource) -> Signer {
    match kept_set(state_dir, &source.apex) {
        Ok(Some(_)) => Signer::Keys,
        _ if source.signing.is_some() => Signer::Policy,
        _ => Signer::Other,
    }
}

/// Reports a zone that is to be signed but was signed elsewhere and has no imported key: gapura refuses to sign it.
pub fn signed_elsewhere(state_dir: &Path, source: &ZoneSource, zone: &Zone) -> Option<Finding> {
    if signer(state_dir, source) != Signer::Policy {
        return None;
    }
    // A key file that cannot be read is a finding of its own.
    let refused = imported_keys(state_dir, &source.apex, zone).err();
    let refused = refused.filter(|it| matches!(it, PublishError::SignedElsewhere(_)))?;
    Some(Finding {
        rule: "signed-elsewhere",
        severity: Severity::Warning,
        place: None,
        message: refused.to_string(),
        hint: Some("until then it is served as it is, and an alarm says so".to_owned()),
    })
}

//------------ Private keys --------------------------------------------------

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
                            "{zone} cannot be signed: gapura does not generate {} keys, and none was imported",
                            policy.algorithm
                        );
                        let hint =
                            format!("gapura key import {zone} FILE…, or choose another algorithm");
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
    use std::sync::Arc;

    use super::*;
    use crate::check::{self, Level};
    use crate::config;
    use crate::dnssec::{Algorithm, KSK};
    use crate::master::{self, Input, NoIncludes};
    use crate::publish::{Options, Publisher};
    use crate::rollover::Policy;
    use crate::store::Store;
    use crate::wire::Name;
    use crate::wire::rdata::base64_text;

    /// Findings about the keys of a zone.
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

    /// A zone as it is built of a text.
    fn built(text: &str) -> Zone {
        let apex: Name = "example.".parse().unwrap();
        let input = Input { file: Path::new("x"), bytes: text.as_bytes(), loader: &NoIncludes };
        let options = master::Options::default();
        let level = Level::default();
        let checked = check::file(&input, &apex, &options, &level, Signer::Other, 1_800_000_000);
        checked.zone.unwrap()
    }

    #[test]
    fn a_zone_that_is_signed_elsewhere_is_told_until_its_key_is_here() {
        let directory = tempfile::tempdir().unwrap();
        let state_dir = directory.path();
        let source = source(state_dir, Algorithm::Ed25519);
        let told = |text: &str| {
            let found = signed_elsewhere(state_dir, &source, &built(text));
            found.map_or_else(String::new, |finding| finding.to_string())
        };
        let signed = include_str!("../../../tests/zones/good/signed-nsec3.zone");
        assert!(told(signed).contains("warning signed-elsewhere: example. is signed elsewhere"));
        assert_eq!(signer(state_dir, &source), Signer::Policy);
        let unsigned = ZoneSource { signing: None, ..source.clone() };
        assert_eq!(signer(state_dir, &unsigned), Signer::Other);
        assert_eq!(signed_elsewhere(state_dir, &unsigned, &built(signed)), None);
        assert_eq!(told(&std::fs::read_to_string(&source.file).unwrap()), "");

        // A key that is not of the zone does not count, one of the zone does.
        let keystore = Keystore::new(state_dir);
        let key = keystore.generate(&source.apex, Algorithm::Ed25519, KSK, &[]).unwrap();
        assert!(told(signed).contains("signed-elsewhere"));
        let (flags, algorithm) = (key.flags, key.algorithm.number());
        let public = base64_text(&key.public);
        let with_ours = format!("example. 3600 DNSKEY {flags} 3 {algorithm} {public}\n{signed}");
        assert_eq!(told(&with_ours), "");
    }

    #[test]
    fn a_zone_is_signed_by_its_keys_until_it_is_unsigned() {
        let directory = tempfile::tempdir().unwrap();
        let state_dir = directory.path();
        let source = source(state_dir, Algorithm::EcdsaP256Sha256);
        let store = Store::open(state_dir).unwrap();
        let options = Options::new(state_dir);
        let (publisher, _) = Publisher::open(store, vec![source.clone()], options).unwrap();
        publisher.begin_signing(&source.apex, "gapura").unwrap().unwrap();
        assert_eq!(signer(state_dir, &source), Signer::Keys);
        let left = ZoneSource { signing: None, ..source };
        assert_eq!(signer(state_dir, &left), Signer::Keys);
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
