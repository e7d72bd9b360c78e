//! The options of webhooks.

use std::collections::BTreeSet;

use super::OptionError;
use super::keys::of_file;
use crate::config::{Settings, WebhookBody, WebhookSettings};
use crate::queue::Deed;
use crate::text::with_causes;
use crate::webhook::{Address, Hook, Secret, offered};

/// Longest name.
const NAME_MAX: usize = 40;

/// All webhooks.
pub(super) fn hooks(settings: &Settings) -> Result<Vec<Hook>, OptionError> {
    settings.webhooks.iter().map(|from| read(from).map_err(|(_, error)| error)).collect()
}

/// All faults of webhooks, with their place in the settings.
pub(super) fn faults(settings: &Settings) -> Vec<(String, OptionError)> {
    let (mut faults, mut names) = (Vec::new(), BTreeSet::new());
    for (at, from) in settings.webhooks.iter().enumerate() {
        if !names.insert(from.name.get_ref()) {
            let error = told(from, "is given twice: give each its own name");
            faults.push((format!("webhook[{at}].name"), error));
        }
        if let Err((key, error)) = read(from) {
            faults.push((format!("webhook[{at}].{key}"), error));
        }
    }
    faults
}

/// A fault of one webhook, with its name and without its URL or secret.
fn told(from: &WebhookSettings, what: impl std::fmt::Display) -> OptionError {
    OptionError::Webhook(format!("webhook {} {what}", from.name.get_ref()))
}

/// One webhook. The error names the key it is about.
fn read(from: &WebhookSettings) -> Result<Hook, (&'static str, OptionError)> {
    let fault = |key: &'static str, what: String| (key, told(from, what));
    let name = from.name.get_ref();
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if name.is_empty() || name.len() > NAME_MAX || !name.chars().all(is_word) {
        let what = "needs a name of 1 to 40 letters, digits, - and _".to_owned();
        return Err(fault("name", what));
    }
    let address = Address::read(&from.url.0);
    let address = address.map_err(|error| fault("url", format!("has a url that {error}")))?;
    let (key, secret) = secret(from).map_err(|(key, what)| fault(key, what))?;
    let secret = Secret::read(&secret);
    let secret = secret.map_err(|error| fault(key, format!("has a {key} that {error}")))?;
    let hook = Hook::new(name, address, secret, &from.tls_ca);
    let mut hook = hook.map_err(|error| fault("tls_ca", with_causes(&error)))?;
    hook.deeds = deeds(from).map_err(|what| fault("events", what))?;
    hook.text_only = from.body == WebhookBody::Text;
    hook.private = from.private;
    Ok(hook)
}

/// The secret, and the key that holds it.
fn secret(from: &WebhookSettings) -> Result<(&'static str, String), (&'static str, String)> {
    let file = &from.secret_file;
    match (from.secret.0.is_empty(), file.as_os_str().is_empty()) {
        (false, true) => Ok(("secret", from.secret.0.clone())),
        (true, false) => {
            let text = of_file(file);
            let text = text.map_err(|why| ("secret_file", format!("{}: {why}", file.display())))?;
            Ok(("secret_file", text))
        }
        (false, false) => {
            Err(("secret_file", "has both secret and secret_file: keep one of them".to_owned()))
        }
        (true, true) => {
            let what = "has no secret: `openssl rand -base64 32` makes one, or name a secret_file";
            Err(("name", what.to_owned()))
        }
    }
}

/// The events it subscribes to.
fn deeds(from: &WebhookSettings) -> Result<Vec<Deed>, String> {
    if from.events.is_empty() {
        return Ok(offered());
    }
    let deed = |word: &String| {
        Deed::from_name(word).filter(|deed| deed.is_for_webhooks()).ok_or_else(|| {
            let words: Vec<&str> = offered().into_iter().map(Deed::as_str).collect();
            format!("has \"{word}\" in events, which is not one of {}", words.join(", "))
        })
    };
    from.events.iter().map(deed).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A good secret.
    const SECRET: &str = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";

    #[test]
    fn each_fault_is_told_at_its_key_and_no_secret_with_it() {
        let hook = |name: &str, rest: &str| format!("[[webhook]]\nname = \"{name}\"\n{rest}\n");
        let url = "url = \"https://chat.example/geheim\"";
        let secret = format!("secret = \"{SECRET}\"");
        let text = [
            hook(
                "a",
                &format!("{url}\n{secret}\nevents = [\"approve\", \"promoted\"]\nbody = \"text\""),
            ),
            hook("a", &format!("{url}\nsecret = \"whsec_{SECRET}\"")),
            hook("b", &format!("url = \"http://chat.example/geheim\"\n{secret}")),
            hook("c", &format!("{url}\nsecret = \"geheim\"")),
            hook("d", url),
            hook("e e", &format!("{url}\n{secret}")),
            hook("f", &format!("{url}\n{secret}\nevents = [\"approved\"]")),
            hook("g", &format!("{url}\nsecret_file = \"/nonexistent\"")),
            hook("h", &format!("{url}\n{secret}\ntls_ca = \"/nonexistent\"")),
            hook("i", &format!("url = \"https://user:geheim@chat.example/\"\n{secret}")),
        ];
        let told = crate::run::options::told(faults, &text.concat());
        let keys: Vec<&str> = told.iter().filter_map(|one| one.split(": ").next()).collect();
        assert_eq!(
            keys,
            [
                "webhook[1].name",
                "webhook[2].url",
                "webhook[3].secret",
                "webhook[4].name",
                "webhook[5].name",
                "webhook[6].events",
                "webhook[7].secret_file",
                "webhook[8].tls_ca",
                "webhook[9].url",
            ],
            "{told:#?}"
        );
        assert!(!told.concat().contains("geheim"), "{told:#?}");
        let settings: Settings = toml::from_str(&text[0]).unwrap();
        let all = hooks(&settings).unwrap();
        assert_eq!(
            (all[0].deeds.as_slice(), all[0].text_only),
            ([Deed::Approve, Deed::Promoted].as_slice(), true)
        );
        assert_eq!(format!("{all:?} {settings:?}").matches("geheim").count(), 0);
    }
}
