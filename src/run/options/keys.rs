//! The secrets of the settings: `[[key]]`, `server.cookie_secrets`.

use std::collections::BTreeSet;
use std::path::Path;

use super::OptionError;
use crate::config::{KeySettings, Settings};
use crate::digest::unhex;
use crate::files::{self, SecretError};
use crate::tsig::{Algorithm, Key, Keyring, secret_octets};
use crate::wire::Name;

/// Octets a file with a secret may have: far more than any secret needs.
const FILE_OCTETS_MAX: usize = 4096;
/// A secret with fewer octets may be guessed one day.
const SECRET_OCTETS_GOOD: usize = 16;
/// Octets of a cookie secret (RFC 9018 §4.4).
const COOKIE_OCTETS: usize = 16;
/// Cookie secrets at most: one in use, and those before and after it. Each is tried with each query.
const COOKIE_SECRETS_MAX: usize = 4;

//------------ Keys ----------------------------------------------------------

/// The keys of the settings.
pub(in crate::run) fn keyring(settings: &Settings) -> Result<Keyring, OptionError> {
    settings.keys.iter().map(|key| read(key).map_err(|fault| fault.told(key))).collect()
}

/// All faults of keys and secrets, with their place in the settings.
pub(super) fn faults(settings: &Settings) -> Vec<(String, OptionError)> {
    let mut faults = Vec::new();
    let mut names = BTreeSet::new();
    for (at, key) in settings.keys.iter().enumerate() {
        let known = key.name.get_ref().parse::<Name>().is_ok_and(|name| !names.insert(name));
        if known {
            let message = "is given twice: give each key its own name".to_owned();
            let fault = KeyFault { at: "name", message };
            faults.push((format!("key[{at}].name"), fault.told(key)));
        }
        if let Err(fault) = read(key) {
            faults.push((format!("key[{at}].{}", fault.at), fault.told(key)));
        }
    }
    if let Err((at, fault)) = cookies(settings) {
        let key = at.map_or_else(String::new, |at| format!("[{at}]"));
        faults.push((format!("server.cookie_secrets{key}"), fault));
    }
    faults
}

/// What works but is probably a mistake.
pub(super) fn warnings(settings: &Settings) -> Vec<String> {
    let short = settings.keys.iter().filter_map(|key| {
        let octets = secret(key).ok()?.len();
        (octets < SECRET_OCTETS_GOOD).then(|| {
            format!(
                "the secret of key {} has {} bits and can be guessed: `gapura key tsig {}` makes a good one",
                key.name.get_ref(),
                octets * 8,
                key.name.get_ref()
            )
        })
    });
    short.collect()
}

/// What is wrong with a key.
struct KeyFault {
    /// The setting of the key that is wrong.
    at: &'static str,
    /// The message, to follow the key's name.
    message: String,
}

impl KeyFault {
    /// The error with the key's name.
    fn told(self, key: &KeySettings) -> OptionError {
        OptionError::Key { name: key.name.get_ref().clone(), message: self.message }
    }
}

/// One key.
fn read(key: &KeySettings) -> Result<Key, KeyFault> {
    let fault = |at| move |message: String| KeyFault { at, message };
    let name: Name =
        key.name.get_ref().parse().map_err(|error| {
            fault("name")(format!("has no name that is a domain name: {error}"))
        })?;
    let algorithm: Algorithm = key.algorithm.parse().map_err(|error| {
        fault("algorithm")(format!("has algorithm \"{}\": {error}", key.algorithm))
    })?;
    secret(key).map(|secret| Key::new(&name, algorithm, &secret))
}

/// The secret of a key.
fn secret(key: &KeySettings) -> Result<Vec<u8>, KeyFault> {
    let in_file = !key.secret_file.as_os_str().is_empty();
    let (at, text) = match (key.secret.0.is_empty(), in_file) {
        (false, false) => ("secret", key.secret.0.clone()),
        (true, true) => {
            let message = |why| format!("{}: {why}", key.secret_file.display());
            let text = of_file(&key.secret_file);
            let fault = |why| KeyFault { at: "secret_file", message: message(why) };
            ("secret_file", text.map_err(fault)?)
        }
        (false, true) => {
            let message = "has both secret and secret_file: keep one of them".to_owned();
            return Err(KeyFault { at: "secret_file", message });
        }
        (true, false) => {
            let name = key.name.get_ref();
            let message =
                format!("has no secret: `gapura key tsig {name}` makes one, or name a secret_file");
            return Err(KeyFault { at: "name", message });
        }
    };
    secret_octets(text.as_bytes()).ok_or_else(|| {
        let name = key.name.get_ref();
        let message =
            format!("has a {at} that is not base64: `gapura key tsig {name}` prints one that is");
        KeyFault { at, message }
    })
}

/// The text of a file that nobody else may read. The error says what to do.
pub(super) fn of_file(path: &Path) -> Result<String, String> {
    let octets = files::read_secret(path, FILE_OCTETS_MAX).map_err(|error| match error {
        SecretError::Long(_) => {
            "is too long for a secret: it must contain the base64 and nothing else".to_owned()
        }
        error => error.to_string(),
    })?;
    String::from_utf8(octets.to_vec()).map_err(|error| format!("cannot be read: {error}"))
}

//------------ Cookies -------------------------------------------------------

/// The secrets of cookies, newest first; none for one of our own. The error has the place in the list.
pub(super) fn cookies(
    settings: &Settings,
) -> Result<Vec<[u8; COOKIE_OCTETS]>, (Option<usize>, OptionError)> {
    let secrets = &settings.server.cookie_secrets;
    if secrets.len() > COOKIE_SECRETS_MAX {
        let message =
            format!("{} are given, and at most {COOKIE_SECRETS_MAX} are allowed", secrets.len());
        return Err((None, OptionError::CookieSecret(message)));
    }
    let read = |(at, secret): (usize, &crate::config::SecretText)| {
        let octets =
            unhex(&secret.0.to_ascii_lowercase()).and_then(|octets| octets.try_into().ok());
        octets.ok_or_else(|| {
            let message = "one is not 32 hexadecimal digits: `openssl rand -hex 16` makes one";
            (Some(at), OptionError::CookieSecret(message.to_owned()))
        })
    };
    secrets.iter().enumerate().map(read).collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::run::options::told;

    #[test]
    fn keys_come_from_the_settings_or_a_file_of_their_own() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("key");
        std::fs::write(&file, "c2VjcmV0IG9mIHRoaXJ0\n eS10d28gb2N0ZXRzLCBsb25n\n").unwrap();
        let allow = |mode| {
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
        };
        allow(0o600);
        let text = format!(
            "[[key]]\nname = \"A.example.\"\nsecret = \"c2hvcnQ=\"\n\
             [[key]]\nname = \"b\"\nalgorithm = \"HMAC-SHA512.\"\nsecret_file = \"{}\"\n",
            file.display()
        );
        let settings = toml::from_str(&text).unwrap();
        let keys = format!("{:?}", keyring(&settings).unwrap());
        let all = "b.: Key(b. hmac-sha512), a.example.: Key(a.example. hmac-sha256)";
        assert_eq!(keys, format!("Keyring {{ keys: {{{all}}} }}"));
        let warnings = warnings(&settings);
        assert_eq!(warnings.len(), 1);
        assert!(warnings[0].contains("A.example.") && warnings[0].contains("40 bits"));
        allow(0o644);
        let told = told(faults, &text);
        assert_eq!(told.len(), 1);
        assert!(
            told[0].starts_with("key[1].secret_file: ") && told[0].contains("0600"),
            "{told:?}"
        );
        assert!(keyring(&settings).is_err());
    }

    #[test]
    fn every_fault_of_a_key_is_told_at_its_place_and_no_secret_with_it() {
        let told = told(
            faults,
            "[[key]]\nname = \"a..b\"\nsecret = \"eA==\"\n\
             [[key]]\nname = \"a\"\nalgorithm = \"hmac-md5\"\nsecret = \"eA==\"\n\
             [[key]]\nname = \"A.\"\nsecret = \"geheim!\"\n\
             [[key]]\nname = \"c\"\n\
             [[key]]\nname = \"d\"\nsecret = \"eA==\"\nsecret_file = \"x\"\n\
             [[key]]\nname = \"e\"\nsecret_file = \"/nonexistent\"\n\
             [server]\ncookie_secrets = [\"e5e973e5a6b2a43f48e7dc849e37bfcf\", \"e5e9\"]\n",
        );
        let keys: Vec<&str> = told.iter().filter_map(|one| one.split(": ").next()).collect();
        assert_eq!(
            keys,
            [
                "key[0].name",
                "key[1].algorithm",
                "key[2].name",
                "key[2].secret",
                "key[3].name",
                "key[4].secret_file",
                "key[5].secret_file",
                "server.cookie_secrets[1]",
            ],
            "{told:#?}"
        );
        assert!(!told.concat().contains("geheim"), "{told:#?}");
    }
}
